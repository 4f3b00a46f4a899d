"""An executed notebook as one self-contained page of one language."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tierbook.report import blocks
from tierbook.show.words import Words

if TYPE_CHECKING:
    from nbformat import NotebookNode

TEMPLATE = Path(__file__).parent / "template"
LANGUAGE_NAMES = {"en": "English", "zh": "中文"}
LANGUAGE_CODES = {"en": "en", "zh": "zh-CN"}


@dataclass(frozen=True)
class Page:
    """What a page says about itself beyond its notebook.

    Parameters
    ----------
    report_title, month_label : str
        In the page's own language: ``客户分层月报``, ``2026年10月``.
    as_of : date or str
        Last day counted.
    notebook_stem : str
        File name without extension.
    links : tuple of (href, label, current)
        All pages of the report in reading order.
    other_languages : tuple of (language, href)
        The same page in other languages.
    changed_cells : int, optional
        Cells that differ from the committed notebook; null where there is no commit to compare with.
    made : tuple of str
        Lines of plain text on how the page was made: version, params file, fingerprint.
    basis : tuple of (heading, lines)
        The same in full, folded: inputs, params, scale, gates, notebooks, versions.
    front : bool
        The report's first page: its heading is the report's own title.
    archive : str, optional
        Address of the list of all reports.
    months : tuple of (rel, href, label)
        The same page of the report's months before (``prev``) and after (``next``), as far as they are published.
    """

    report_title: str
    month_label: str
    as_of: date | str
    notebook_stem: str
    links: tuple[tuple[str, str, bool], ...] = ()
    other_languages: tuple[tuple[str, str], ...] = ()
    changed_cells: int | None = None
    made: tuple[str, ...] = ()
    front: bool = False
    archive: str | None = None
    basis: tuple[tuple[str, tuple[str, ...]], ...] = ()
    months: tuple[tuple[str, str, str], ...] = ()


def page_html(nb: "NotebookNode", language: str, page: Page) -> str:
    """The notebook as a page that fetches nothing, in one of the languages its displays were rendered in.

    Markdown cells tagged for another language, cells tagged ``hide`` or ``parameters``, error output and everything on
    standard error are left out. Code is folded away. The same notebook and `page` give the same bytes.
    """
    words = Words(language)
    title, headings, shown = blocks.read(nb, language, words)
    resources = {
        "page": page,
        "labels": _labels(words, page),
        "language": LANGUAGE_CODES.get(language, language),
        "language_names": LANGUAGE_NAMES,
        "language_codes": LANGUAGE_CODES,
        "title": title,
        "headings": headings,
        "blocks": shown,
        **_assets(),
    }
    return _exporter().from_notebook_node(_bare(nb), resources)[0]


def _bare(nb: "NotebookNode") -> "NotebookNode":
    # the blocks are rendered already; a deep copy of every output would double the time
    from nbformat import NotebookNode

    return NotebookNode(cells=[], metadata={}, nbformat=nb.nbformat, nbformat_minor=nb.nbformat_minor)


def style() -> str:
    """The style sheet that all pages and the list of reports share."""
    return (TEMPLATE / "page.css").read_text(encoding="utf-8")


@cache
def _assets() -> dict[str, str]:
    script = (TEMPLATE / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return {"style": style(), "script": script, "script_hash": f"sha256-{digest}"}


@cache
def _exporter() -> Any:
    from nbconvert.exporters import TemplateExporter

    # the plain exporter: the HTML one passes every page through BeautifulSoup and knows addresses to fetch from
    return TemplateExporter(
        template_paths=[str(TEMPLATE)], template_file="page.html.j2", file_extension=".html", preprocessors=[]
    )


def _labels(words: Words, page: Page) -> dict[str, str]:
    changed = page.changed_cells
    return {
        "contents": words.text("Contents"),
        "code": words.text("Code"),
        "show_code": words.text("Show all code"),
        "hide_code": words.text("Hide all code"),
        "as_of": words.text("Data as of {as_of:date}", as_of=page.as_of),
        "pages": words.text("Pages of this report"),
        "languages": words.text("Languages"),
        "archive": words.text("All reports"),
        "months": words.text("Other months of this report"),
        "made": words.text("How this page was made"),
        "sort": words.text("Sort by this column"),
        "filter": words.text("Filter the rows"),
        "skip": words.text("Skip to the content"),
        "reviewed": words.text("Reviewed by"),
        "date": words.text("Date"),
        "changed": words.text("{n:number|cell differs|cells differ} from the committed notebook.", n=changed)
        if changed
        else "",
        "unchanged": words.text("The notebook is as committed.") if changed == 0 else "",
    }
