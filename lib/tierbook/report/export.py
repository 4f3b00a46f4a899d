"""An executed notebook as one self-contained page of one language."""

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from html import escape, unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tierbook.show.catalogue import languages
from tierbook.show.display import MIME
from tierbook.show.words import Words

if TYPE_CHECKING:
    from nbformat import NotebookNode

TEMPLATE = Path(__file__).parent / "template"
LEFT_OUT = {"hide", "parameters", "injected-parameters", "papermill-error-cell-tag"}
LANGUAGE_NAMES = {"en": "English", "zh": "中文"}
LANGUAGE_CODES = {"en": "en", "zh": "zh-CN"}
IMAGES = ("image/svg+xml", "image/png", "image/jpeg")


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


@dataclass(frozen=True)
class Heading:
    """A line of the contents list: level 2 or 3, ASCII anchor, text without markup."""

    level: int
    anchor: str
    text: str


def page_html(nb: "NotebookNode", language: str, page: Page) -> str:
    """The notebook as a page that fetches nothing, in one of the languages its displays were rendered in.

    Markdown cells tagged for another language, cells tagged ``hide`` or ``parameters``, error output and everything on
    standard error are left out. Code is folded away. The same notebook and `page` give the same bytes.
    """
    words = Words(language)
    title, headings, blocks = _read(nb, language, words)
    resources = {
        "page": page,
        "labels": _labels(words, page),
        "language": LANGUAGE_CODES.get(language, language),
        "language_names": LANGUAGE_NAMES,
        "language_codes": LANGUAGE_CODES,
        "title": title,
        "headings": headings,
        "blocks": blocks,
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


def _read(nb: "NotebookNode", language: str, words: Words) -> tuple[str, list[Heading], list[dict]]:
    title, headings, blocks = "", [], []
    for cell in nb.cells:
        tags = set(cell.get("metadata", {}).get("tags", ()))
        if tags & LEFT_OUT or not _speaks(tags, language):
            continue
        if cell.cell_type == "markdown":
            prose = _with_anchors(_prose(cell), headings)
            if not title:
                title, prose = _title_taken(prose)
            blocks.append({"prose": prose})
        elif cell.cell_type == "code" and cell.source.strip():
            blocks.append({"code": _highlighted(cell.source), "outputs": _outputs(cell, language, words)})
    return title, headings, blocks


def _speaks(tags: set[str], language: str) -> bool:
    tagged = {other for other in languages() if f"lang-{other}" in tags}
    return not tagged or language in tagged


def _prose(cell: "NotebookNode") -> str:
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True, attachments=cell.get("attachments", {}))
    return MarkdownWithMath(renderer=renderer).render(cell.source)


def _highlighted(source: str) -> str:
    from nbconvert.filters.highlight import Highlight2HTML

    return Highlight2HTML()(source)


def _title_taken(prose: str) -> tuple[str, str]:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", prose, flags=re.DOTALL)
    if not found:
        return "", prose
    return _plain(found[1]), prose[: found.start()] + prose[found.end() :]


def _with_anchors(prose: str, headings: list[Heading]) -> str:
    # by place and not by text: the same anchor in every language, and ASCII in Chinese
    def anchored(found: re.Match) -> str:
        level = int(found[1])
        chapters = sum(heading.level == 2 for heading in headings) + (level == 2)
        within = 0 if level == 2 else 1 + _since_chapter(headings)
        anchor = f"s{chapters}" if level == 2 else f"s{chapters}-{within}"
        headings.append(Heading(level, anchor, _plain(found[2])))
        return f'<h{level} id="{anchor}">{found[2]}</h{level}>'

    return re.sub(r"<h([23])(?:\s[^>]*)?>(.*?)</h\1>", anchored, prose, flags=re.DOTALL)


def _since_chapter(headings: list[Heading]) -> int:
    levels = [heading.level for heading in reversed(headings)]
    return levels.index(2) if 2 in levels else len(levels)


def _plain(markup: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", markup)).strip()


def _outputs(cell: "NotebookNode", language: str, words: Words) -> list[str]:
    rich, plain = [], []
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        shown = _rich(data, language, words)
        if shown:
            rich.append(shown)
        elif output.output_type == "stream" and output.name == "stdout":
            plain.append(_joined(output.text))
        elif "text/plain" in data:
            plain.append(_joined(data["text/plain"]) + "\n")
    # beside a table or a figure the plain text is only its Python name
    return rich or (
        [f'<pre class="plain">{escape(_without_ansi("".join(plain)))}</pre>'] if "".join(plain).strip() else []
    )


def _rich(data: dict, language: str, words: Words) -> str:
    if MIME in data:
        pages = data[MIME]
        return pages.get(language) or _joined(data.get("text/html", ""))
    if "text/html" in data:
        return f'<div class="wide">{_joined(data["text/html"])}</div>'
    kind = next((image for image in IMAGES if image in data), None)
    if kind is None:
        return ""
    content = _joined(data[kind])
    if kind == "image/svg+xml":
        content = base64.b64encode(content.encode()).decode()
    encoded = "".join(content.split())
    return f'<figure class="fig"><img alt="{escape(words.text("Figure"))}" src="data:{kind};base64,{encoded}"></figure>'


def _joined(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)


def _without_ansi(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
