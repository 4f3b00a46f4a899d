"""Where a table begins: title lines above the header, the header itself, the delimiter; the same for text and Excel."""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

LOOKED_AT = 50
DELIMITERS = (",", "\t", ";", "|")
_VALUE = re.compile(r"^[+\-−￥¥$(（]?\d[\d,.]*\D?$|^\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}|[：:]\s*\d{4}[-/.年]\d")


@dataclass(frozen=True)
class Record:
    """The cells of a record, and the lines it takes: from ``start``, counted from 0, up to but without ``end``."""

    cells: list[str]
    start: int
    end: int


def header_row(rows: list[list[str]]) -> int | None:
    """The place of the header among the first rows of a table; None where every row is blank.

    The rule: a line above the header is a title. It fills at most half as many cells as the fullest of the rows below
    it (a table of two columns: one cell), so the header is the first row that fills more. A row that holds a number, a
    date or "label: date" gives way to a fuller row below it without one (titles such as 店铺, 张三, 日期, 2026-10-31).
    A plain file's first line that is not blank is therefore its header, also where some of its cells are empty.
    """
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows[:LOOKED_AT]]
    if not any(filled):
        return None
    candidates = [n for n, own in enumerate(filled) if own and 2 * own > max(filled[n:])]
    first = candidates[0]
    if _holds_values(rows[first]):
        return next((n for n in candidates if filled[n] > filled[first] and not _holds_values(rows[n])), first)
    return first


def _holds_values(row: list[str]) -> bool:
    return any(_VALUE.search(cell.strip()) for cell in row)


def delimiter(lines: list[str]) -> str:
    """The delimiter of the first lines: the one by which most lines come out in one width of two cells or more.

    Of equals the one that gives more cells; a file of a single column has none, and a comma does no harm there.
    """
    return max(DELIMITERS, key=lambda mark: _regularity(lines, mark))


def _regularity(lines: list[str], mark: str) -> tuple[int, int]:
    widths = Counter(len(row.cells) for row in records(lines, mark) if len(row.cells) > 1)
    return max(((count, width) for width, count in widths.items()), default=(0, 0))


def records(lines: list[str], mark: str) -> Iterator[Record]:
    """The first records of a text; one may take several lines, and a quote that is never closed all that follow."""
    reader, start = csv.reader(lines, delimiter=mark), 0
    for cells in itertools.islice(reader, LOOKED_AT):
        yield Record(cells, start, reader.line_num)
        start = reader.line_num


def repeats(names: list[str]) -> frozenset[str]:
    """Header cells that stand more than once, in lower case; which of the columns is meant, nobody can tell."""
    counts = Counter(name.strip().lower() for name in names)
    return frozenset(name for name, count in counts.items() if name and count > 1)
