"""The table of results: one row a comparison, as text and as Markdown, under the machine and the versions it came from."""

import datetime
import importlib.metadata
import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from rounds import Taken

OWN = ("duckdb", "narwhals", "pandas", "numpy", "scipy", "pyarrow", "papermill", "nbconvert")
HEAD = [
    "task",
    "size",
    "ours: s (CPU s)",
    "beside it",
    "its s (CPU s)",
    "its ÷ ours (CPU)",
    "peak MiB: ours, its",
    "goal",
    "equal outputs",
]


@dataclass
class Row:
    """One comparison; ``most`` and ``most_memory`` are goals, the largest ours ÷ its that reaches them, ``limit`` one of MiB.

    ``missing`` says why its side is not there.
    """

    task: str
    size: str
    ours: Taken | None
    beside: str = ""
    its: Taken | None = None
    equal: str = ""
    most: float | None = None
    most_memory: float | None = None
    missing: str = ""
    limit: float | None = None

    def against(self, peer, found: dict[str, Taken] | str | None, step: str) -> "Row":
        """The row with a peer filled in: what it took; or why it broke, or (``found`` null) why it is not installed."""
        self.beside = peer.versions
        if isinstance(found, dict):
            self.its = found[step]
        else:
            self.missing, self.equal = found or peer.missing, ""
        return self

    def cells(self) -> list[str]:
        """The row as words."""
        return [
            *(self.task, self.size, _seconds(self.ours), self.beside),
            *(
                _seconds(self.its) if self.its else self.missing or "–",
                self._times(),
                self._memory(),
                self._goal(),
                self.equal or "–",
            ),
        ]

    def _times(self) -> str:
        if not (self.ours and self.its):
            return "–"
        return f"{self.its.wall / self.ours.wall:.2f} ({self.its.cpu / self.ours.cpu:.2f})"

    def _memory(self) -> str:
        peaks = [f"{taken.peak:,.0f}" if taken and taken.peak else "–" for taken in (self.ours, self.its)]
        return "–" if peaks == ["–", "–"] else ", ".join(peaks)

    def _goal(self) -> str:
        parts = []
        if self.most and self.ours and self.its:
            parts.append(_verdict("time", self.ours.wall / self.its.wall, self.most))
        if self.most_memory and self.ours and self.its:
            parts.append(_verdict("memory", self.ours.peak / self.its.peak, self.most_memory))
        if self.limit and self.ours:
            parts.append(f"peak ≤ {self.limit:,.0f} MiB: {'reached' if self.ours.peak <= self.limit else 'MISSED'}")
        return "; ".join(parts) or "–"


def _verdict(what: str, ratio: float, most: float) -> str:
    return f"{what} ours ÷ its ≤ {most:.2f}: {ratio:.2f} {'reached' if ratio <= most else 'MISSED'}"


def _seconds(taken: Taken | None) -> str:
    return f"{_digits(taken.wall)} ({_digits(taken.cpu)})" if taken else "–"


def _digits(seconds: float) -> str:
    return f"{seconds:,.3g}" if seconds < 1000 else f"{seconds:,.0f}"


def machine() -> str:
    """Cores, processor, memory, system and Python."""
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) / 1024**2
    model = re.search(r"model name\s+: (.+)", Path("/proc/cpuinfo").read_text())
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores ({model[1] if model else platform.machine()}), {memory:.0f} GiB, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def versions(names: tuple[str, ...] = OWN) -> str:
    """Libraries and their versions."""
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)


def load() -> str:
    """The load of the last 1, 5 and 15 minutes: above the cores, something else was running too."""
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


def markdown(task: str, rows: list[Row], before: str) -> str:
    """The table of one task under when and where it was measured, between marks by which a later run finds it."""
    cells = [HEAD, ["---"] * len(HEAD), *([cell.replace("|", "/") for cell in row.cells()] for row in rows)]
    lines = ["| " + " | ".join(line) + " |" for line in cells]
    told = f"{datetime.date.today()}, {machine()}; load before {before}, after {load()}; {versions()}."
    return "\n".join([f"<!-- {task} -->", told, "", *lines, f"<!-- end of {task} -->"])


def write(page: Path, task: str, rows: list[Row], before: str) -> None:
    """Put a task's table into the page, in the place of the one that stands there, else at the end."""
    text = page.read_text() if page.exists() else "# Benchmarks\n"
    table, start, end = markdown(task, rows, before), f"<!-- {task} -->", f"<!-- end of {task} -->"
    if start in text:
        text = text[: text.index(start)] + table + text[text.index(end) + len(end) :]
    else:
        text += f"\n## {task}\n\n{table}\n"
    page.write_text(text)


def text(row: Row) -> str:
    """One row for the terminal, empty cells left out."""
    named = zip(HEAD, row.cells(), strict=True)
    return "\n".join(f"  {name:<20} {cell}" for name, cell in named if cell != "–") + "\n"
