"""Where frozen scales live: params/scales/<report>.yaml, and beside it those it replaced, under their dates."""

from __future__ import annotations

import datetime as dt
import os
import re
import tempfile
from dataclasses import replace
from pathlib import Path

from tierbook.params import ROOT
from tierbook.scores import drift
from tierbook.scores.rfm import MEASURES, Scale, read_scale

FOLDER = ROOT / "params" / "scales"


def freeze(scale: Scale, folder: Path, report: str) -> Path:
    """Write a scale as ``<folder>/<report>.yaml``, whole or not at all, and give its path.

    The file holds review_by, the day by which its cut points are to be looked at again (`drift.review_by`).
    A scale that stands there is kept as ``<report>.<its valid_from>.yaml``, so that a month before can be told again on
    the scale it had; one of the same day is replaced. Raises ParamsError where the one that stands there is damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{report}.yaml"
    replaced = current(folder, report)
    if replaced is not None:
        _write(_dated(folder, report, replaced), path.read_text(encoding="utf-8-sig"))
    _write(path, replace(scale, review_by=drift.review_by(scale).isoformat()).to_yaml())
    _dated(folder, report, scale).unlink(missing_ok=True)
    return path


def current(folder: Path, report: str) -> Scale | None:
    """The scale frozen last, None where there is none."""
    path = folder / f"{report}.yaml"
    return read_scale(path) if path.is_file() else None


def in_use(folder: Path, report: str, date: dt.date) -> Path | None:
    """The frozen scale that a report as of ``date`` stands on: the latest valid on that day.

    Where all became valid later it is the earliest of them, and the page says so (`drift.age_months` is below zero);
    None where there is none. Raises ParamsError for a damaged file.
    """
    dated = re.compile(re.escape(report) + r"(\.\d{4}-\d{2}-\d{2})?\.yaml")
    files = sorted(file for file in folder.glob("*.yaml") if dated.fullmatch(file.name))
    found = sorted((read_scale(file).valid_from, file.name, file) for file in files)
    valid = [file for day, _, file in found if day <= date.isoformat()]
    return valid[-1] if valid else found[0][-1] if found else None


def difference(new: Scale, old: Scale | None) -> str:
    """One line for the command line: which cut points a newly frozen scale changed, and against which."""
    if old is None:
        return f"first scale of this report, on {new.customers} customers, valid from {new.valid_from}"
    told = [f"{m} {_spell(old.cuts[m])} -> {_spell(new.cuts[m])}" for m in MEASURES if old.cuts[m] != new.cuts[m]]
    same = [f"{m} unchanged" for m in MEASURES if old.cuts[m] == new.cuts[m]]
    return f"against the scale of {old.valid_from} ({old.customers} customers, now {new.customers}): {'; '.join(told + same)}"


def _spell(cuts: list[float]) -> str:
    return "/".join(f"{cut:.10g}" for cut in cuts)


def _dated(folder: Path, report: str, scale: Scale) -> Path:
    return folder / f"{report}.{scale.valid_from}.yaml"


def _write(path: Path, text: str) -> None:
    """A reader sees the old file or the new one, never half of one."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
