"""The cells of an executed notebook as the blocks of a page: prose with anchors, code, and what the code displayed."""

import base64
import re
from dataclasses import dataclass
from functools import lru_cache
from html import escape, unescape
from typing import TYPE_CHECKING, Any

from tierbook.show.catalogue import languages
from tierbook.show.display import MIME
from tierbook.show.words import Words

if TYPE_CHECKING:
    from nbformat import NotebookNode

LEFT_OUT = {"hide", "parameters", "injected-parameters", "papermill-error-cell-tag"}
IMAGES = ("image/svg+xml", "image/png", "image/jpeg")


@dataclass(frozen=True)
class Heading:
    """A line of the contents list: level 2 or 3, ASCII anchor, text without markup."""

    level: int
    anchor: str
    text: str


def read(nb: "NotebookNode", language: str, words: Words) -> tuple[str, list[Heading], list[dict]]:
    """Title, headings and blocks of a notebook in one language: ``prose``, or ``code`` (HTML) with its ``outputs``.

    Markdown cells tagged for another language, cells tagged ``hide`` or ``parameters``, error output and everything on
    standard error are left out. The title is the first heading of level 1, as plain text.
    """
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


@lru_cache(maxsize=1_000)  # the same code stands in the page of every language
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
