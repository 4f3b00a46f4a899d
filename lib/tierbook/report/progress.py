"""How far a run is, and about how long it still takes: a bar on a terminal; anywhere else, as under cron, a line per step."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

RUNS = 3
"""Published runs of a report that its next one is measured by."""
_KEPT = 0.1  # a step this much quicker than expected was read from what is kept, and says nothing of the machine
_DAMPING = 5.0  # seconds taken as on time, so that a first quick step does not foretell the whole
_NOTEBOOK = 6.0  # seconds: it draws from counts, whatever the rows
# Seconds on two processors without any rows, and for every million of them (docs/decisions/0010); of other steps next to
# none.
_BY_ROWS = {
    "accounting": (2.0, 3.2),
    "history": (0.1, 0.35),
    "scores": (5.0, 3.0),
    "value": (0.4, 1.6),
    "past_moves": (0.3, 2.0),
    "movement": (0.4, 0.5),
    "scorecard": (1.5, 3.9),
    "book": (0.5, 2.3),
    "tables": (12.0, 17.0),
    "excel": (8.0, 2.0),
    "figures": (2.0, 0.65),
}


@dataclass(frozen=True)
class Forecast:
    """What a run is expected to take.

    ``first``: step → seconds, one after another; ``beside``: step → seconds of what comes then, ``jobs`` at once.
    """

    first: dict[str, float]
    beside: dict[str, float]
    jobs: int

    def left(self, took: dict[str, float]) -> float:
        """Seconds left after the steps that ``took`` their seconds: those expected, at the pace of this run so far."""
        of_all = {**self.first, **self.beside}
        told = {step for step in took.keys() & of_all if took[step] >= _KEPT * of_all[step]}
        pace = (_DAMPING + sum(took[s] for s in told)) / (_DAMPING + sum(of_all[s] for s in told))
        first, beside = (
            sum(own for step, own in steps.items() if step not in took) for steps in (self.first, self.beside)
        )
        return pace * (first + beside / self.jobs)


def expected(steps: list[str], rows: int, runs: list[dict[str, float]]) -> dict[str, float]:
    """Seconds of each step: the most it took in the report's last ``runs`` (see `past`), else what ``rows`` order lines take."""
    return {step: max((run[step] for run in runs if step in run), default=_by_rows(step, rows)) for step in steps}


def _by_rows(step: str, rows: int) -> float:
    at_once, per_million = (_NOTEBOOK, 0.0) if step[:1].isdigit() else _BY_ROWS.get(step, (0.3, 0.0))
    return at_once + per_million * rows / 1e6


def past(report: Path) -> list[dict[str, float]]:
    """The ``seconds`` of the last published runs of a report, whose folder is given; none that cannot be read."""
    found = []
    for file in sorted(report.glob("*/run.json"))[-RUNS:]:
        try:
            seconds = json.loads(file.read_bytes())["seconds"]
            found.append({step: float(own) for step, own in seconds.items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def in_words(seconds: float | None) -> str:
    """``about 4 min left``; nothing where nothing is left or known."""
    if not seconds or seconds <= 0:
        return ""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute left"
    hours, rest = divmod(minutes, 60)
    return f"about {hours} h {rest} min left" if hours else f"about {minutes} min left"


def bar(report: str, steps: int) -> tqdm:
    """The bar over the steps of a run; on a standard error that is no terminal it shows nothing, `line` speaks there.

    ``report``: name and as_of, as ``demo 2026-10-31``. Shown after two seconds, so that what is quick stays quiet. Its own
    guess of the time left is left out: it takes one step to be as long as another (`Forecast.left` does not).
    """
    shape = "{desc}: {n_fmt}/{total_fmt} |{bar}| {elapsed}{postfix}"
    return tqdm(
        total=steps, desc=report, file=sys.stderr, delay=2, miniters=1, bar_format=shape, disable=not _on_terminal()
    )


def line(report: str, step: str, seconds: float, left: str = "") -> None:
    """One line of the log: local time at the step's end, report, step, its seconds, the time left; nothing where the bar is.

    The time is for whoever reads the log; no figure of a report depends on it.
    """
    if not _on_terminal():
        now, more = time.strftime("%Y-%m-%dT%H:%M:%S"), f", {left}" if left else ""
        print(f"{now} {report} {step} {seconds:.1f} s{more}", file=sys.stderr, flush=True)


def _on_terminal() -> bool:
    return sys.stderr.isatty()
