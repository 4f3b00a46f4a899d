"""Text files: encoding, delimiter and header line are found out, the lines themselves are left to the engine."""

from __future__ import annotations

import codecs
import csv
import itertools
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tierbook import layout
from tierbook.engine import identifier, literal, path_literal
from tierbook.errors import InputError, ParamsError
from tierbook.params import TableSource

_BLOCK = 1 << 20
_SURELY_UTF8 = 10
_LINES = 400
_SAMPLE = 1 << 16
BLANKS = " \t\r\n\u00a0\u3000\u200b\ufeff"
_PAGE = re.compile(r"<(!doctype html|html|head|meta|table|\?xml)\b", re.IGNORECASE)
WEB_PAGE = (
    "this is a web page, whatever its name says; open it in Excel or a browser and save the table as .xlsx or .csv"
)


@dataclass(frozen=True)
class Header:
    """The header line (`layout.header_row`): its cells, the delimiter, the lines before it, and how lines end."""

    cells: list[str]
    delimiter: str
    skip: int
    line_end: str


def relation(file: Path, spec: TableSource, scratch: Path) -> tuple[str, frozenset[str]]:
    """The SQL relation of one text file, every column VARCHAR, and the header cells that stand more than once.

    Short lines are padded with null, but refused where a quoted cell holds a line break, as longer ones always are.

    Text in another encoding is copied to UTF-8 under ``scratch``. Raises `InputError` naming the file.
    """
    encoding = encoding_of(file) if spec.encoding == "auto" else _known_encoding(spec.encoding)
    readable = file if encoding == "utf-8" else _transcode(file, encoding, scratch)
    if spec.delimiter == "whitespace":
        return _split_on_blanks(file, readable, spec), frozenset()
    header = _header(readable, file, spec)
    names = unique(spec.names or header.cells)
    has_header = [h.lower() for h in header.cells] == [n.lower() for n in spec.names or header.cells]
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    # The engine pads short lines beside quoted line breaks only in its sequential reader, and that one ends silently
    # at a quote that is never closed: such a file is read strictly instead, and a short line refused.
    options = f"skip = {header.skip}, new_line = '{header.line_end}', null_padding = {not _breaks_in_quotes(readable)}"
    return (
        f"""read_csv({path_literal(readable)}, auto_detect = false, header = {has_header}, columns = {{{columns}}},
        delim = {literal(header.delimiter)}, quote = '"', escape = '"', {options})""",
        layout.repeats(spec.names or header.cells),
    )


def encoding_of(file: Path) -> str:
    """UTF-8, UTF-16 (by its mark, else by where its NUL bytes stand) or GB18030, judged by every byte of the file.

    Damaged UTF-8 can pass for GB18030 and come out as nonsense: a file whose fault follows ten characters outside
    ASCII that were good UTF-8 is refused, with the line of the fault.
    """
    with file.open("rb") as stream:
        sample = stream.read(_SAMPLE)
    if sample[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if b"\x00" in sample and (unmarked := _unmarked_utf16(sample)):
        return unmarked
    good, line = _good_utf8(file)
    if line is None:
        return "utf-8"
    if good >= _SURELY_UTF8:
        raise InputError(f"{file}, line {line:,}: not readable as UTF-8, as the lines before it are; mend that line")
    if not _decodes(file, "gb18030"):
        raise InputError(f"{file}: the text is neither UTF-8, UTF-16 nor GB18030; give its encoding in the params")
    return "gb18030"


def _unmarked_utf16(sample: bytes) -> str | None:
    """Commas, digits and line ends of UTF-16 have a NUL as their high byte: at odd places (LE) or at even ones (BE).

    A full-width blank, U+3000, has one at the other place; in binary files they stand at both.
    """
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(even, odd) < len(sample) / 40 or max(even, odd) < 4 * min(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def unique(names: list[str]) -> list[str]:
    """Column names without repeats: a repeated name gets its count, a missing one its place."""
    seen: dict[str, int] = {}
    out = []
    for n, name in enumerate(names, 1):
        name = name or f"column_{n}"
        while name.lower() in seen:
            seen[name.lower()] += 1
            name = f"{name}_{seen[name.lower()]}"
        seen[name.lower()] = 1
        out.append(name)
    return out


def _good_utf8(file: Path) -> tuple[int, int | None]:
    """Characters outside ASCII before the first byte that is not UTF-8, and its line; None: the whole file is good."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    good, line = 0, 1
    for block in _blocks(file):
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as fault:
            text = fault.object[: fault.start].decode("utf-8", "ignore")
            return good + sum(not c.isascii() for c in text), line + text.count("\n")
        if good < _SURELY_UTF8 and not text.isascii():
            good += sum(not c.isascii() for c in text)
        line += block.count(b"\n")
    return good, None


def _blocks(file: Path):
    """The blocks of a text file and an empty one at the end; NUL bytes mean that it is none."""
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            if b"\x00" in block:
                raise InputError(
                    f"{file}: this is not a text file (it holds NUL bytes); give CSV, TSV, Excel or Parquet"
                )
            yield block
    yield b""


def _decodes(file: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in _blocks(file):
            decoder.decode(block, final=not block)
    except UnicodeDecodeError:
        return False
    return True


def _known_encoding(name: str) -> str:
    try:
        found = codecs.lookup(name).name
        "".encode(found)  # base64 and its like are codecs, but no encodings of text
    except LookupError:
        raise ParamsError(f"encoding {name!r} is unknown; use utf-8, gb18030 or utf-16") from None
    return "utf-8" if found in {"utf-8", "utf-8-sig", "ascii"} else found


def _transcode(file: Path, encoding: str, scratch: Path) -> Path:
    scratch.mkdir(parents=True, exist_ok=True)
    target = scratch / "utf8.csv"
    try:
        with file.open(encoding=encoding, newline="") as source, target.open("w", encoding="utf-8", newline="") as out:
            shutil.copyfileobj(source, out, _BLOCK)
    except UnicodeError as error:
        raise InputError(f"{file}: not readable as {encoding} ({error}); give its encoding in the params") from None
    return target


def _header(readable: Path, file: Path, spec: TableSource) -> Header:
    """Find the header among the first lines; a cell of it may hold line breaks, so that line ends are judged after it.

    Where the params name the columns, the first line that is not blank is the header, or the first row.
    """
    with readable.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        lines = list(itertools.islice(stream, _LINES))
    if _PAGE.match("".join(lines[:20]).strip()):
        raise InputError(f"{file}: {WEB_PAGE}")
    if any("\udc80" <= character <= "\udcff" for line in lines for character in line):
        raise InputError(f"{file}: the header line cannot be read: the text about it is not UTF-8; give its encoding")
    try:
        mark = layout.delimiter(lines) if spec.delimiter == "auto" else spec.delimiter
        rows = list(layout.records(lines, mark))
    except csv.Error as error:
        raise InputError(f"{file}: the header line cannot be read: {error}") from None
    cells = [[cell.strip(BLANKS) for cell in row.cells] for row in rows]
    place = next((n for n, row in enumerate(cells) if any(row)), None) if spec.names else layout.header_row(cells)
    if place is None:
        raise InputError(f"{file}: the file holds no header line")
    last = lines[rows[place].end - 1]
    line_end = "\\r\\n" if last.endswith("\r\n") else "\\r" if last.endswith("\r") else "\\n"
    return Header(cells[place], mark, rows[place].start, line_end)


def _breaks_in_quotes(readable: Path) -> bool:
    inside = False
    with readable.open("rb") as stream:
        while block := stream.read(_BLOCK):
            for n, piece in enumerate(block.split(b'"')):
                inside ^= n > 0
                if inside and (b"\n" in piece or b"\r" in piece):
                    return True
    return False


def _split_on_blanks(file: Path, readable: Path, spec: TableSource) -> str:
    """Columns set apart by runs of blanks, as in the classic research files; a header line is told by its words."""
    if not spec.names:
        raise ParamsError(f"{file.name}: delimiter: whitespace needs names: [the columns in order]")
    line = f"""read_csv({path_literal(readable)}, auto_detect = false, header = false, columns = {{'line': 'VARCHAR'}},
        delim = '\x1f', quote = '', escape = '')"""
    cells = (
        f"(SELECT string_split_regex(trim(line, ' \t\r'), '\\s+') AS cells FROM {line} WHERE trim(line, ' \t\r') <> '')"
    )
    fault = literal(f"{file}: more than the {len(spec.names)} columns named, in the line: ")
    whole = (
        f"CASE WHEN len(cells) > {len(spec.names)} THEN error({fault} || array_to_string(cells, ' ')) ELSE cells END"
    )
    picked = ", ".join(f"cells[{n}] AS {identifier(name)}" for n, name in enumerate(unique(spec.names), 1))
    header = literal(" ".join(spec.names).lower())
    return f"""(SELECT {picked} FROM (SELECT {whole} AS cells FROM {cells}
        WHERE lower(array_to_string(cells, ' ')) <> {header}))"""
