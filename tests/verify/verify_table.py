"""Figures judged one by one, and the page they end in: docs/verification.md."""

import math
import os
import platform
import time
from importlib.metadata import version
from itertools import groupby
from typing import NamedTuple

PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "duckdb", "narwhals")
HEAD = """# Verification

Written by `make verify`; not to be edited. {held} of {rows} figures hold{lost}.

{date}, {seconds} s on {processors} processors ({machine}, {system}), Python {python}, {packages}.

Each row is one figure: what it is, where it comes from or how it was simulated (seeds and sizes), what is expected, what
came out, and how far off it may be. Published figures are held to their published digits, simulated ones to bounds that
leave room for the sampling error of that many runs. Some bounds are wider, set after a first look, because the promise
is not kept there: a campaign whose control has 30 buyers, NPS of ten answers, the risk in a crowd that nobody joins any
more. `make test` and `make test-long` hold the same promises on fewer runs.
"""


class Row(NamedTuple):
    """One judged figure, in words."""

    what: str
    how: str
    expected: str
    got: str
    tolerance: str
    held: bool


class Figures:
    """The figures of one test, in the order in which they were said."""

    def __init__(self):
        self.rows = []

    def near(self, what, how, expected, got, within=0.0):
        """A figure that is to be ``expected``, at most ``within`` off; the default is: exactly."""
        held = bool(abs(got - expected) <= within)
        places = 0 if within == 0 else max(0, 1 - math.floor(math.log10(within)))
        allowed = f"± {within:g}" if within else "exact"
        self.rows.append(Row(what, how, f"{expected:,.10g}", f"{got:,.{places}f}", allowed, held))

    def between(self, what, how, low, high, got, aim=None):
        """A figure that is to lie between two bounds, both included; ``aim``: what it would be without sampling error."""
        told = f"{aim:g}" if aim is not None else f"{low:g} to {high:g}"
        self.rows.append(Row(what, how, told, f"{got:.4g}", f"{low:g} to {high:g}", bool(low <= got <= high)))


def page(reports, seconds):
    """docs/verification.md from the reports of the tests: a table per module; what failed or was skipped is named."""
    judged = sorted(_judged(reports), key=lambda entry: entry[0])
    lost = [_lost(report) for report in reports if report.when != "teardown"]
    rows = [entry[2:] for entry in judged]
    parts = [_head(len(rows), sum(row[-1] for row in rows), len(lost), seconds)]
    for heading, entries in groupby(judged, key=lambda entry: entry[1]):
        parts += [f"## {heading}\n", "| what | how | expected | got | tolerance | |", "|---|---|---:|---:|---:|---|"]
        parts += [_line(entry[2:]) for entry in entries] + [""]
    if lost:
        parts += ["## Without figures\n", *lost, ""]
    return "\n".join(parts)


def _judged(reports):
    """place in the order of tests, heading, and the six cells of each figure."""
    return [value for r in reports if r.when == "teardown" for name, value in r.user_properties if name == "figure"]


def _head(rows, held, lost, seconds):
    return HEAD.format(
        held=held,
        rows=rows,
        lost=f"; {lost} tests gave none (below)" if lost else "",
        date=time.strftime("%Y-%m-%d"),
        seconds=round(seconds),
        processors=os.cpu_count(),
        machine=platform.machine(),
        system=platform.system(),
        python=platform.python_version(),
        packages=", ".join(f"{name} {version(name)}" for name in PACKAGES),
    )


def _line(row):
    *cells, held = row
    return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} | {'✓' if held else '**off**'} |"


def _lost(report):
    if report.skipped:
        return f"- skipped: {report.nodeid}: {report.longrepr[2].removeprefix('Skipped: ')}"
    return f"- **broken**: {report.nodeid} ({report.when})"
