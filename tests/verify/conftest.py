"""What `make verify` shares: the fixture that judges a figure, the other rooms' fixtures, and the table it all ends in.

A test of this folder is marked ``verify`` (neither the everyday nor the long suite runs it) and says each figure with
``figures.near`` or ``figures.between``; all are judged at its end, so that one that is off does not hide the others.
Give ``--table docs/verification.md`` and the figures of every test become rows there, failed, skipped and broken ones too.
"""

import importlib.util
import sys
import time
from pathlib import Path

import pytest
import verify_table

TESTS = Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / room) for room in ("scores", "insight", "cases")]


def _fixtures_of(room):
    spec = importlib.util.spec_from_file_location(f"{room}_fixtures", TESTS / room / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cdnow, simulate = (getattr(_fixtures_of("scores"), name) for name in ("cdnow", "simulate"))

from test_alert_backtest import shop  # noqa: E402, F401
from test_campaign import hillstrom, hillstrom_effects  # noqa: E402, F401
from test_maps import online_retail  # noqa: E402, F401


@pytest.fixture
def figures(request, record_property):
    """The figures of a test: each becomes a row of the table; one that is off fails the test at its end."""
    place = request.session.items.index(request.node)
    heading = request.module.__doc__.strip().splitlines()[0].rstrip(".")
    found = verify_table.Figures()
    yield found
    for row in found.rows:
        record_property("figure", [place, heading, *row])
    off = [row for row in found.rows if not row.held]
    assert not off, f"{len(off)} of {len(found.rows)} figures are off: {off}"


def pytest_addoption(parser):
    parser.addoption("--table", metavar="FILE", help="write the figures of tests/verify as a table into this file")


_reports = []
_started = time.time()


def pytest_runtest_logreport(report):
    """With xdist this runs in the controlling process, for the tests of every worker."""
    if "verify/" in report.nodeid and (report.when == "teardown" or not report.passed):
        _reports.append(report)


def pytest_sessionfinish(session):
    target = session.config.getoption("--table", None)
    if target and not hasattr(session.config, "workerinput"):
        Path(target).write_text(verify_table.page(_reports, time.time() - _started), encoding="utf-8")
