"""What the pages of a report say of themselves: their names, titles, links to one another and to other months."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tierbook.report import archive, made
from tierbook.report.export import Page
from tierbook.workbook import Workbook

FRONT = "07_summarise_month"


def page_name(stem: str, notebooks: list[Path]) -> str:
    """The file a notebook becomes: the month's summary, or the first where it is not made, is index.html."""
    stems = [path.stem for path in notebooks]
    front = FRONT if FRONT in stems else stems[0]
    return "index.html" if stem == front else f"{stem}.html"


def title_of(notebook: Path, language: str) -> str:
    """A notebook's first heading in a language, else its file name."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    prose = [c for c in cells if c["cell_type"] == "markdown" and f"lang-{language}" in c["metadata"].get("tags", [])]
    heading = re.search(r"^# (.+)$", "".join(prose[0]["source"]), re.M) if prose else None
    return heading.group(1).strip() if heading else notebook.stem


def pages(
    month: Workbook, facts: dict[str, Any], notebooks: list[Path], outputs: Path | None
) -> Iterator[tuple[Path, dict[str, tuple[str, Page]]]]:
    """Notebook by notebook: per language the file, as ``<language>/<name>``, and what the page says of itself.

    ``facts``: `manifest.facts`; ``outputs``: where the report will be published, None for a preview, which lies where no
    list and no other month is beside it.
    """
    whole = {language: _of_report(month, facts, notebooks, language) for language in month.params.report.languages}
    for path in notebooks:
        name, changed = page_name(path.stem, notebooks), _changed(facts, path)
        found = {}
        for language, page in whole.items():
            around = _around(month, language, name, outputs) if outputs else {}
            of_notebook = replace(page, notebook_stem=path.stem, changed_cells=changed, **around)
            found[language] = f"{language}/{name}", _within(of_notebook, language, name, list(whole))
        yield path, found


def _changed(facts: dict[str, Any], notebook: Path) -> int | None:
    """Cells that differ from the commit, as `manifest.facts` found them; null without a commit."""
    return None if notebook.name in facts["uncommitted_notebooks"] else facts["changed_notebooks"].get(notebook.name, 0)


def _within(page: Page, language: str, name: str, languages: list[str]) -> Page:
    """The page with its place in the report: which link is its own, and where it stands in other languages."""
    return replace(
        page,
        links=tuple((href, label, href == name) for href, label, _ in page.links),
        other_languages=tuple((other, f"../{other}/{name}") for other in languages if other != language),
        front=name == "index.html",
    )


def _of_report(month: Workbook, facts: dict[str, Any], notebooks: list[Path], language: str) -> Page:
    words, title = month.words(language), month.params.report.title
    ordered = sorted(notebooks, key=lambda p: page_name(p.stem, notebooks) != "index.html")
    return Page(
        report_title=title.get(language) or next(iter(title.values())),
        month_label=words.month(month.as_of),
        as_of=month.as_of,
        notebook_stem="",
        links=tuple((page_name(p.stem, notebooks), title_of(p, language), False) for p in ordered),
        made=made.summary(month, words, facts),
        basis=made.sections(month, words, facts),
    )


def _around(month: Workbook, language: str, page: str, outputs: Path) -> dict[str, Any]:
    """Links out of the report: to the list, at the report's own place, and to the months before and after."""
    words, name, as_of = month.words(language), month.params.report.name, month.as_of.isoformat()
    months = tuple(
        (rel, href, words.date(day, "short") if day[:7] == as_of[:7] else words.month(day))
        for rel, href, day in archive.neighbours(outputs, name, as_of, f"{language}/{page}")
    )
    return {"archive": f"../../../index.html#{archive.anchor(name)}", "months": months}
