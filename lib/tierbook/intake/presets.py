"""Presets: whose export a header is, known by the columns that a preset under params/sources maps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tierbook.params import read_yaml
from tierbook.sources import PRESETS


@dataclass(frozen=True)
class Preset:
    """One preset file: its table, column map and rules; ``ask``: what its users still have to choose."""

    name: str
    table: str
    about: dict[str, Any]
    columns: dict[str, Any]
    rules: dict[str, Any]

    @property
    def ask(self) -> tuple[str, ...]:
        """The canonical columns and rules that are asked all the same."""
        return tuple(self.about.get("ask", ()))

    def headers(self) -> set[str]:
        """The headers that a file of this preset must have."""
        mapped = [w if isinstance(w, str) else w["multiply"] for w in self.columns.values()]
        flat = [h for m in mapped for h in ([m] if isinstance(m, str) else m)]
        return {_bare(h) for h in [*flat, *self.about.get("marks", ())]}


def load(path: Path) -> Preset:
    """Read one preset; ``about`` holds en, zh, header (seen or assumed), and may hold table, marks and ask."""
    found = read_yaml(path, "preset")
    about = found.pop("about")
    return Preset(path.stem, about.get("table", "transactions"), about, found.pop("columns", {}), found)


@cache
def every(folder: Path = PRESETS) -> tuple[Preset, ...]:
    """All presets of a folder, in order of name."""
    return tuple(load(path) for path in sorted(folder.glob("*.yaml")))


def recognised(headers: list[str], folder: Path = PRESETS) -> Preset | None:
    """The preset whose columns and marks all stand in a header; of several, the one that names the most."""
    held = {_bare(header) for header in headers}
    fits = [p for p in every(folder) if p.about.get("marks") and p.headers() <= held]
    return max(fits, key=lambda p: len(p.headers()), default=None)


def split_on_blanks(headers: list[str], folder: Path = PRESETS) -> Preset | None:
    """The preset of a file whose columns stand apart by blanks, known by its one header; None for any other file."""
    if len(headers) != 1:
        return None
    words = headers[0].lower().split()
    return next((p for p in every(folder) if [n.lower() for n in p.rules.get("names", [])] == words), None)


def _bare(header: str) -> str:
    return header.strip().lower()
