"""What the fuzz tests share: one engine, and the outcome that every broken file must have."""

import signal
from contextlib import contextmanager

import pytest

from tierbook.engine import open_engine
from tierbook.errors import TierbookError
from tierbook.params import EngineParams


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """One engine on one thread: opening it takes longer than reading a small file."""
    with open_engine(EngineParams(), tmp_path_factory.mktemp("spill")) as engine:
        engine.execute("SET threads = 1")
        yield engine


@contextmanager
def _no_longer_than(seconds):
    def late(*_):
        raise TimeoutError(f"not done in {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="session")
def read_or_told():
    """Call a function: True where it answers, False where it refuses in one line that names the file; else it fails."""

    def outcome(function, name, case):
        try:
            with _no_longer_than(30):
                function()
        except TierbookError as error:
            line = str(error)
            assert len(line.splitlines()) == 1 and name in line and "Traceback" not in line, (case, line[:500])
            return False
        except BaseException as error:
            error.add_note(f"case {case} of {name}")
            raise
        return True

    return outcome
