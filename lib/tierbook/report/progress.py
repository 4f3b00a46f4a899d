"""How far a run is: a bar on a terminal; anywhere else, as under cron, one line per finished step with times."""

from __future__ import annotations

import sys
import time

from tqdm import tqdm


def bar(report: str, steps: int) -> tqdm:
    """The bar over the steps of a run; on a standard error that is no terminal it shows nothing, `line` speaks there.

    ``report``: name and as_of, as ``demo 2026-10-31``. Shown after two seconds, so that what is quick stays quiet.
    """
    return tqdm(total=steps, desc=report, file=sys.stderr, unit="step", delay=2, disable=not _on_terminal())


def line(report: str, step: str, seconds: float) -> None:
    """One line of the log: local time at the step's end, report, step, its seconds; nothing where the bar is shown.

    The time is for whoever reads the log; no figure of a report depends on it.
    """
    if not _on_terminal():
        print(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {report} {step} {seconds:.1f} s", file=sys.stderr, flush=True)


def _on_terminal() -> bool:
    return sys.stderr.isatty()
