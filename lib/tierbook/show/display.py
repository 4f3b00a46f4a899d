"""What a notebook's cell shows: rendered once for each language, so that one execution serves all readers."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tierbook.show import figures
from tierbook.show.words import Words

MIME = "application/vnd.tierbook.v1+json"

# Where even the style of `in_lab` is taken out (a notebook not trusted), the two that carry meaning bring their own
NOTE_STYLE = "font-size:.9em;opacity:.8;margin-top:-.4em"
WARNING_STYLE = "border-left:4px solid #D55E00;padding:.5em .9em"


@cache
def _lab_style() -> str:
    return (Path(__file__).parent / "lab.css").read_text(encoding="utf-8")


def in_lab(block: str) -> str:
    """The block as JupyterLab shows it: with the style that a page has in its head, scoped to the block's own class.

    Every block brings it, so that a cell run again alone never leaves the others bare; pages do not carry it.
    """
    return f'<style>{_lab_style()}</style><div class="tierbook">{block}</div>'


class Show:
    """The notebooks' voice: every call displays one bundle that holds the HTML of all languages.

    JupyterLab shows the first language; the exporter picks the page's own (``report.export``).

    Parameters
    ----------
    languages : sequence of str
        Languages of the report, the first for JupyterLab.
    currency : str
        ISO code of the run's currency.
    terms : mapping, optional
        Further terms, see ``Words``.
    """

    def __init__(self, languages: Sequence[str] = ("en",), currency: str = "CNY", terms: Mapping | None = None):
        self.languages = tuple(languages)
        self.currency = currency
        self.terms = terms
        self._words = {language: Words(language, currency, terms) for language in self.languages}

    def words(self, language: str) -> Words:
        """The words of one of the report's languages, with its currency and terms."""
        return self._words[language]

    def say(self, message: str, /, **values: Any) -> None:
        """A paragraph; `message` may hold markup, values are formatted and escaped (``{sales:money}``).

        A message is a text of the catalogue, or ``{"en": …, "zh": …}`` where a notebook brings its own translation.
        """
        self.html(lambda words: f"<p>{words.html(message, **values)}</p>")

    def note(self, message: str, /, **values: Any) -> None:
        """A smaller line under what came before: interval, n, where the number comes from."""
        self.html(lambda words: f'<p class="note" style="{NOTE_STYLE}">{words.html(message, **values)}</p>')

    def warn(self, message: str, /, **values: Any) -> None:
        """A boxed line: something the reader must know before believing the rest."""
        self.html(
            lambda words: f'<div class="warn" role="note" style="{WARNING_STYLE}">{words.html(message, **values)}</div>'
        )

    def table(self, frame: Any, **options: Any) -> None:
        """A frame as a table; options as of ``tables.html``."""
        from tierbook.show import tables  # brings pandas, which the workers that only write pages do without

        self.html(lambda words: tables.html(frame, words, **options))

    def figure(self, draw: Callable[..., str], *args: Any, **options: Any) -> None:
        """A figure; `draw` and options as of ``figures.render``."""
        self.html(lambda words: figures.render(draw, words, *args, **options))

    def missing(self, table: str, columns: str | Sequence[str]) -> None:
        """The one sentence that says which table, with which columns, would bring this section."""
        named = columns if isinstance(columns, str) else ", ".join(columns)

        def sentence(words: Words) -> str:
            said = words.html(
                "This section needs the table {name} (columns {columns}): "
                "add <code>source.{table}</code> to the params file.",
                name=words.term("table", table),
                table=table,
                columns=named,
            )
            return f'<p class="missing">{said}</p>'

        self.html(sentence)

    def block(self, build: Callable[..., str], *args: Any, **options: Any) -> None:
        """Whatever ``build(words, *args, **options)`` gives for each language, as HTML."""
        self.html(lambda words: build(words, *args, **options))

    def html(self, build: Callable[[Words], str]) -> None:
        """Whatever ``build(words)`` gives for each language; it escapes what comes from data (``words.html``)."""
        from IPython.display import display

        pages = {language: build(words) for language, words in self._words.items()}
        display({"text/html": in_lab(pages[self.languages[0]]), MIME: pages}, raw=True)
