"""Rows of a file that are no records: blank rows, headers repeated on each page, totals, notes below the table.

Each is told by its own cells, with SQL that the engine runs only on rows without a time or a customer.
"""

from __future__ import annotations

from tierbook import cells
from tierbook.engine import identifier, literal
from tierbook.sources import Raw

_EARLY = 5
_TOTAL_MARKS = ("计", "总额", "汇总", "otal", "OTAL")
_TOTAL = r"^(本页|本月|全部)?\s*(合\s*计|小\s*计|总\s*计|总\s*额|汇\s*总|(grand|sub)?[\s-]*totals?)\s*([:：].*)?$"
_LABELLED = r"^[^:：]{1,20}[:：]"

NOISE = ("blank_row", "repeated_header", "total_row", "note_row")
"""The reasons given here. A note is a line without date and amount that fills its first cell alone, or whose filled cells
all read "label: value"; a total is a line without a readable date or without a customer that says so in an early cell."""


def reason(raw: Raw, dated: str, customer: str, amount: str) -> str:
    """The expression of an order line's reason among `NOISE`, null for a record.

    ``dated``, ``customer`` and ``amount`` are the typed expressions of the three required columns.
    """
    keys = [raw.columns[name] for name in ("customer_id", "ordered_at") if isinstance(raw.columns.get(name), str)]
    note = f"{amount} IS NULL AND {_note(raw)}"
    return f"""CASE WHEN {dated} IS NULL OR {customer} IS NULL OR {_says_total(customer)} THEN
        CASE WHEN {blank(raw)} THEN 'blank_row' WHEN {_repeats_header(keys)} THEN 'repeated_header'
        WHEN {_total(raw)} THEN 'total_row' WHEN {dated} IS NULL AND {note} THEN 'note_row' END END"""


def table_reason(raw: Raw, required: list[str]) -> str:
    """The same for an optional table, whose required columns are ``required``: there a note says nothing of its own."""
    keys = [raw.columns[name] for name in required if isinstance(raw.columns.get(name), str)]
    empty = " OR ".join(f"{cells.text(identifier(key))} IS NULL" for key in keys) or "false"
    first = cells.text(identifier(keys[0])) if keys else "NULL"
    return f"""CASE WHEN {blank(raw)} THEN 'blank_row' WHEN {_repeats_header(keys)} THEN 'repeated_header'
        WHEN ({empty} OR {_says_total(first)}) AND {_total(raw)} THEN 'total_row' END"""


def blank(raw: Raw) -> str:
    """Whether a row holds nothing at all."""
    return f"coalesce({', '.join(cells.text(identifier(name)) for name in _names(raw))}) IS NULL"


def _names(raw: Raw) -> list[str]:
    constants = {name for name, wanted in raw.spec.columns.items() if not isinstance(wanted, str)}
    return [name for name in raw.types if name != "_part" and name not in constants]


def _repeats_header(headers: list[str]) -> str:
    same = [f"coalesce(lower({cells.text(identifier(h))}) = {literal(h.strip().lower())}, false)" for h in headers]
    return " AND ".join(same) or "false"


def _total(raw: Raw) -> str:
    early = [_says_total(cells.text(identifier(name))) for name in _names(raw)]
    return "(" + " OR ".join(early[:_EARLY]) + ")"


def _note(raw: Raw) -> str:
    told = [cells.text(identifier(name)) for name in _names(raw)]
    filled = f"list_filter([{', '.join(told)}], cell -> cell IS NOT NULL)"
    alone = f"len({filled}) = 1 AND {told[0]} IS NOT NULL"
    return f"(({alone}) OR len(list_filter({filled}, cell -> NOT regexp_matches(cell, {literal(_LABELLED)}))) = 0)"


def _says_total(said: str) -> str:
    """Whether one cell reads as a total; a look for part of the word spares nearly all cells the pattern."""
    marked = " OR ".join(f"contains({said}, {literal(mark)})" for mark in _TOTAL_MARKS)
    return f"coalesce(({marked}) AND regexp_matches(lower({said}), {literal(_TOTAL)}), false)"
