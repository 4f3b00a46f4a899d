"""The list of all reports: ``outputs/index.html``, rebuilt from what lies in the folders."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tierbook.errors import PublishError
from tierbook.report.export import LANGUAGE_CODES, LANGUAGE_NAMES, TEMPLATE, style
from tierbook.show.first_screen import spark
from tierbook.show.words import Words

UNFOLDED = 12
"""Months of a report that stand open; older ones are folded."""
SHAPES = {"money": "money", "share": "percent.1", "points": "number", "customers": "number"}


@dataclass(frozen=True)
class Published:
    """One published report: its folder's name, as-of date, titles and verdict line by language, the languages it is
    written in, its currency, and its main measures as run.json gives them. What run.json does not tell is empty."""

    name: str
    as_of: str
    languages: tuple[str, ...]
    titles: dict[str, str] = field(default_factory=dict)
    headline: dict[str, str] = field(default_factory=dict)
    currency: str = "CNY"
    measures: tuple[dict[str, Any], ...] = ()


def published(outputs: Path) -> list[Published]:
    """Reports under `outputs` (``<name>/<as of>/run.json``), newest first; hidden folders hold none."""
    runs = (path for path in outputs.glob("*/*/run.json") if not any(p.startswith(".") for p in path.parts[-3:-1]))
    return sorted((_report(path) for path in runs), key=lambda report: (_newest_first(report.as_of), report.name))


def write_index(outputs: Path) -> Path:
    """Write ``outputs/index.html`` in one move, so that a reader never meets half a page.

    Raises
    ------
    PublishError
        When the folder cannot be written.
    """
    index = outputs / "index.html"
    unfinished = outputs / f".index.{os.getpid()}.html"
    try:
        outputs.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(_page(published(outputs)), encoding="utf-8", newline="\n")
        unfinished.replace(index)
    except OSError as failure:
        raise PublishError(
            f"{index}: cannot write the list of reports ({failure.strerror}): check the folder"
        ) from None
    return index


def anchor(name: str) -> str:
    """The place of a report on the list, as a link writes it after ``#``."""
    return f"report-{quote(name, safe='')}"


def neighbours(outputs: Path, name: str, as_of: str, page: str) -> tuple[tuple[str, str, str], ...]:
    """Links from a page to the report's nearest months before and after, as far as they are published in its language.

    ``page``: ``<language>/<file>``. Gives (``prev`` or ``next``, relative address, as-of date): the same page where that
    month has it, else its first.
    """
    language = page.partition("/")[0]
    days = sorted(run.parent.name for run in (outputs / name).glob("????-??-??/run.json"))
    days = [day for day in days if (outputs / name / day / language / "index.html").is_file()]
    near = {"prev": [day for day in days if day < as_of][-1:], "next": [day for day in days if day > as_of][:1]}
    return tuple((rel, _address(outputs / name, day, page), day) for rel, found in near.items() for day in found)


def _address(report: Path, day: str, page: str) -> str:
    there = page if (report / day / page).is_file() else f"{page.partition('/')[0]}/index.html"
    return f"../../{day}/{quote(there)}"


def _report(path: Path) -> Published:
    folder = path.parent
    place = folder.parent.name, folder.name, tuple(sorted(page.parent.name for page in folder.glob("*/index.html")))
    # a report whose manifest cannot be read, or comes from an older version, is still a report that was published
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        given = run["params"]["report"]["title"]
        currency = str(run["params"].get("currency") or "CNY")
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return Published(*place)
    titles = _texts(given) if isinstance(given, dict) else {"en": str(given)}
    return Published(*place, titles, _texts(run.get("headline")), currency, _measures(run.get("measures")))


def _texts(given: Any) -> dict[str, str]:
    found = given if isinstance(given, dict) else {}
    return {code: str(found[code]) for code in LANGUAGE_CODES if found.get(code)}


def _measures(given: Any) -> tuple[dict[str, Any], ...]:
    rows = [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []
    return tuple(row for row in rows if row.get("unit") in SHAPES and isinstance(row.get("path"), list))


def _newest_first(as_of: str) -> tuple[int, ...]:
    return tuple(-ord(sign) for sign in as_of)


def _page(reports: list[Published]) -> str:
    by_name = sorted(reports, key=lambda report: report.name)  # stable: newest first within a name
    groups = [list(rows) for _, rows in groupby(by_name, key=lambda report: report.name)]
    groups.sort(key=lambda rows: (_newest_first(rows[0].as_of), rows[0].name))
    script = (TEMPLATE / "archive.js").read_text(encoding="utf-8")
    return _template().render(
        title={code: Words(code).text("Reports") for code in LANGUAGE_CODES},
        nothing={code: Words(code).text("No report has been published yet.") for code in LANGUAGE_CODES},
        reports=[_group(rows) for rows in groups],
        names=LANGUAGE_NAMES,
        codes=LANGUAGE_CODES,
        style=style() + (TEMPLATE / "archive.css").read_text(encoding="utf-8"),
        script=script,
        script_hash=f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}",
    )


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader

    return Environment(loader=FileSystemLoader(TEMPLATE), autoescape=True).get_template("archive.html.j2")


def _group(rows: list[Published]) -> dict[str, Any]:
    """One report with its months, newest first."""
    shown, n = [_row(row) for row in rows], len(rows) - UNFOLDED
    return {
        "name": rows[0].name,
        "anchor": anchor(rows[0].name),
        "titles": rows[0].titles or {"en": rows[0].name},
        "newest": rows[0].as_of,
        "boxes": _boxes(rows),
        "rows": shown[:UNFOLDED],
        "older": shown[UNFOLDED:],
        "earlier": {c: Words(c).text("{n:number|earlier report|earlier reports}", n=n) for c in LANGUAGE_CODES},
    }


def _row(report: Published) -> dict[str, Any]:
    day = report.as_of
    dated = re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])-\d{2}", day)
    return {
        "month": {code: Words(code).month(day[:7]) for code in LANGUAGE_CODES} if dated else {"en": day},
        "as_of": day,
        "headline": report.headline,
        "languages": report.languages,
        "folder": f"{quote(report.name)}/{quote(day)}",
    }


def _boxes(rows: list[Published]) -> list[dict[str, Any]]:
    """The newest report's main measures, each with its months; older reports lengthen the line backwards."""
    boxes = []
    for measure in rows[0].measures:
        name, shape = str(measure.get("measure")), SHAPES[measure["unit"]]
        path = _path(rows, name)
        said = {code: Words(code, rows[0].currency) for code in LANGUAGE_CODES}
        titles = {code: words.term("measure", name) for code, words in said.items()}
        boxes.append(
            {
                "title": titles,
                "value": {code: words.format(_known(measure.get("value")), shape) for code, words in said.items()},
                "since": f"{min(path)} – {max(path)}" if len(path) > 1 else "",
                "line": {
                    code: spark(words, titles[code], [path[month] for month in sorted(path)], shape)
                    for code, words in said.items()
                },
            }
        )
    return boxes


def _path(rows: list[Published], name: str) -> dict[str, float]:
    """Month → value, by the newest report that tells it; months without a value have no point."""
    found: dict[str, float] = {}
    for report in rows:
        for measure in (row for row in report.measures if row.get("measure") == name):
            for point in measure["path"]:
                value = _known(point.get("value")) if isinstance(point, dict) else None
                if value is not None and re.fullmatch(r"\d{4}-\d{2}", str(point.get("month"))):
                    found.setdefault(point["month"], value)
    return found


def _known(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
