"""A line with the seconds that a long step has taken, so that nobody takes a million rows for a standstill."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

DELAY, EVERY = 2.0, 1.0


@contextmanager
def told(what: str) -> Iterator[None]:
    """Tell on stderr what is being done and for how long, once it has taken two seconds; the line goes when it is done.

    The engine works in one call, of which nobody knows how far it is: a bar that fills would be a guess.
    """
    done = threading.Event()
    teller = threading.Thread(target=_tell, args=(what, done), daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


def _tell(what: str, done: threading.Event) -> None:
    if done.wait(DELAY):
        return
    with tqdm(desc=what, bar_format="{desc} {elapsed}", leave=False, file=sys.stderr) as bar:
        while not done.wait(EVERY):
            bar.refresh()
