"""Message catalogues: how a translation is found, and which messages still lack one."""

import ast
import gettext
import io
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tierbook.errors import ParamsError

LOCALE = Path(__file__).parent / "locale"
SOURCE_LANGUAGE = "en"

# A message is the first argument of one of these methods, whoever the object is: words.text, show.say, …
SPEAKING_METHODS = {"text", "html", "gettext", "say", "note", "warn"}


@cache
def languages() -> tuple[str, ...]:
    """Languages a report can be written in: the source language and one per ``locale/*.po``."""
    return (SOURCE_LANGUAGE, *sorted(path.stem for path in LOCALE.glob("*.po")))


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The catalogue of one language, compiled in memory; English speaks for itself.

    Raises
    ------
    ParamsError
        When no catalogue of that language is in ``show/locale``.
    """
    if language not in languages():
        raise ParamsError(f"report.languages: no words for {language!r}; there are {', '.join(languages())}")
    if language == SOURCE_LANGUAGE:
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo

    compiled = io.BytesIO()
    write_mo(compiled, _catalogue(language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def extract_messages(root: Path) -> dict[str, list[str]]:
    """English messages in the library and in the notebooks' code cells, each with the places it stands in.

    Parameters
    ----------
    root : Path
        The project's root: ``lib/tierbook/**/*.py`` and ``notebooks/**/*.ipynb`` are read.

    Returns
    -------
    dict of str to list of str
        Message to places (``file:line``; in a notebook the line is counted within its cell).

    Raises
    ------
    ValueError
        When a message is an f-string, which no catalogue can hold.
    """
    found: dict[str, list[str]] = {}
    for place, source in _sources(root):
        for line, message in _messages(source, place):
            found.setdefault(message, []).append(f"{place}:{line}")
    return found


def untranslated(root: Path, language: str) -> dict[str, list[str]]:
    """Messages under `root` that have no finished translation in `language`, with their places."""
    catalogue = _catalogue(language)
    done = {entry.id for entry in catalogue if entry.id and entry.string and not entry.fuzzy}
    return {message: places for message, places in extract_messages(root).items() if message not in done}


def _catalogue(language: str):
    from babel.messages.pofile import read_po

    with (LOCALE / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def _sources(root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted((root / "lib" / "tierbook").rglob("*.py")):
        yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
    for path in sorted((root / "notebooks").rglob("*.ipynb")):
        if ".ipynb_checkpoints" in path.parts:
            continue
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                yield path.relative_to(root).as_posix(), _without_magics("".join(cell["source"]))


def _without_magics(source: str) -> str:
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines())


def _messages(source: str, place: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            for literal in _spoken(node):
                if isinstance(literal, ast.JoinedStr):
                    raise ValueError(f"{place}:{literal.lineno}: an f-string cannot be translated, name the values")
                if isinstance(literal, ast.Constant) and isinstance(literal.value, str) and literal.value:
                    yield literal.lineno, literal.value


def _spoken(call: ast.Call) -> Iterator[ast.expr]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    method = isinstance(call.func, ast.Attribute)
    if call.args and (name == "N_" or (method and name in SPEAKING_METHODS)):
        yield from _branches(call.args[0])
    if method and name == "table":
        for keyword in call.keywords:
            if keyword.arg == "caption":
                yield from _branches(keyword.value)
            if keyword.arg == "labels" and isinstance(keyword.value, ast.Dict):
                yield from keyword.value.values


def _branches(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.IfExp):
        yield from _branches(node.body)
        yield from _branches(node.orelse)
    else:
        yield node
