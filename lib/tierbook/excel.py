"""Excel files: each sheet as the text one sees, written to Parquet for the engine."""

from __future__ import annotations

import codecs
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from tierbook import layout, texts
from tierbook.engine import path_literal
from tierbook.errors import InputError
from tierbook.params import TableSource

SUFFIXES = {".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"}
_OLE = b"\xd0\xcf\x11\xe0"
_EXACT = 10**15


def sheets(file: Path, spec: TableSource, scratch: Path) -> Iterator[tuple[str, str, frozenset[str]]]:
    """The (name, SQL, repeated headers) of each sheet that holds a header (`layout.header_row`), every column a text.

    Raises `InputError` where the file is no Excel file, is cut short or protected by a password, or lacks a sheet.
    """
    found = [(name, rows, layout.header_row(rows)) for name, rows in _read(file, spec)]
    filled = [(name, rows, head) for name, rows, head in found if head is not None]
    if not filled:
        raise InputError(f"{file}: no sheet holds a header line")
    scratch.mkdir(parents=True, exist_ok=True)
    for n, (name, rows, head) in enumerate(filled):
        path = scratch / f"sheet_{n}.parquet"
        _write(rows[head], rows[head + 1 :], path)
        yield f"{file.name}[{name}]", f"read_parquet({path_literal(path)})", layout.repeats(rows[head])


def _read(file: Path, spec: TableSource) -> list[tuple[str, list[list[str]]]]:
    import python_calamine

    _refuse_disguise(file)
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(file))
        names = spec.sheet or book.sheet_names
        absent = next((name for name in names if name not in book.sheet_names), None)
        if absent is not None:
            raise InputError(f"{file}: no sheet {absent!r}; it has {', '.join(map(repr, book.sheet_names[:20]))}")
        sheets = [(name, book.get_sheet_by_name(name).to_python(skip_empty_area=False)) for name in names]
    except InputError:
        raise
    except Exception as error:  # calamine's own errors share no base class
        raise InputError(f"{file}: cannot be read as an Excel file: {' '.join(str(error).split())[:200]}") from None
    return [(name, [[cell_text(cell) for cell in row] for row in rows]) for name, rows in sheets]


def is_text(head: bytes) -> bool:
    """Whether a file begins as text, whatever its name says: many systems call a tab-separated export .xls."""
    marked = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return marked or not (head.startswith((b"PK", _OLE)) or b"\x00" in head)


def _refuse_disguise(file: Path) -> None:
    """Web pages and protected files carry the names of Excel; what to do differs from a file that is cut short."""
    with file.open("rb") as stream:
        head = stream.read(1024)
        if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
            raise InputError(f"{file}: {texts.WEB_PAGE}")
        if head.startswith(_OLE) and "EncryptedPackage".encode("utf-16-le") in head + stream.read():
            raise InputError(f"{file}: protected by a password; open it in Excel, take the password off and save it")


def _write(header: list[str], rows: list[list[str]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = texts.unique([name.strip(texts.BLANKS) for name in header])
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    pq.write_table(pa.Table.from_arrays([pa.array(c, pa.string()) for c in columns], names=names), path)


def cell_text(cell) -> str:
    """An Excel cell as the text a CSV would hold: whole numbers without .0, dates in ISO form.

    Excel keeps 15 digits: a longer number is written with its exponent, so that the damage shows.
    """
    if isinstance(cell, float | int) and not isinstance(cell, bool) and abs(cell) >= _EXACT:
        return f"{cell:.14e}"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime | dt.date):
        return cell.isoformat(sep=" ") if isinstance(cell, dt.datetime) else cell.isoformat()
    return "" if cell is None else str(cell)
