"""Which role each column has, how sure that is, and why; and which table a file is."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tierbook.intake.vocabulary import Meaning, is_personal, meaning
from tierbook.schema import REQUIRED, SCHEMA

PERSONAL_KINDS = ("contact", "name")
MARKS = {
    "id_map": ("from_id",),
    "leads": ("lead_id",),
    "contacts": ("campaign", "arm"),
    "surveys": ("csat", "nps"),
    "tickets": ("topic", "resolved_at", "first_response_at", "priority"),
    "visits": ("visited_at", "page_views", "sessions"),
    "costs": ("month",),
}
"""A table is told by a column that no other has; orders by date and amount; what is left with an id is customers."""

_READS_AS = {"time": "time", "money": "money", "number": "money", "id": "id"}
_SURE, _LIKELY = 0.95, 0.5


@dataclass(frozen=True)
class Role:
    """One column: ``role`` is null where it is not read; ``sure`` is sure, likely, unsure, personal or unused."""

    header: str
    role: str | None
    kind: str
    sure: str
    why: tuple[str, dict]
    rank: int


def table_of(headers: list[str]) -> str | None:
    """Which input table columns of these names are; None where no table has its required columns.

    Orders need a date and an amount only, so that a file without a buyer is known for what it is and refused in words.
    """
    for table, marks in MARKS.items():
        found = _exact_roles(headers, table)
        if set(REQUIRED[table]) - {"answered_at"} <= found and found & set(marks):
            has_orders = {"ordered_at", "amount", "order_id"} <= _exact_roles(headers, "transactions")
            if not has_orders or table == "contacts":
                return table
    orders = {m.role for h in headers if (m := meaning(h, "transactions"))}
    if "ordered_at" in orders and ("amount" in orders or "price" in orders):
        return "transactions"
    return "customers" if "customer_id" in _exact_roles(headers, "customers") else None


def _exact_roles(headers: list[str], table: str) -> set[str]:
    return {m.role for h in headers if (m := meaning(h, table)) and m.exact}


def kinds_of(headers: list[str], table: str) -> dict[str, str | None]:
    """What each column should hold by its header (as in `SCHEMA`); None where the header says nothing of it."""
    told = {header: meaning(header, table) for header in headers}
    return {
        h: SCHEMA[table].get(m.role, "money") if m and m.role not in ("personal", "unused") else None
        for h, m in told.items()
    }


def of_columns(headers: list[str], table: str, cells: pd.DataFrame) -> list[Role]:
    """The role of each column by its header, and how far its cells agree (`look.measure`)."""
    return [_role(header, table, cells.loc[header]) for header in headers]


def _role(header: str, table: str, cells: pd.Series) -> Role:
    told = meaning(header, table)
    if told is None or told.role == "unused":
        return Role(header, None, "unused", "unused", ("why_unused" if told else "why_unknown", {}), 0)
    if told.role == "personal" or (told.role not in SCHEMA[table] and is_personal(header)):
        return Role(header, None, "personal", "personal", ("why_personal", {}), 0)
    personal = told.kind in PERSONAL_KINDS and told.role == "customer_id"
    sure, why = _agreement(told, SCHEMA[table].get(told.role, "money"), cells)
    return Role(header, told.role, told.kind, "personal" if personal else sure, why, told.rank)


def _agreement(told: Meaning, kind: str, cells: pd.Series) -> tuple[str, tuple[str, dict]]:
    reads = _READS_AS.get(kind)
    if not cells["filled"]:
        return "unsure", ("why_empty", {})
    share = 1.0 if reads is None else max(cells[reads], cells["slashed"] if reads == "time" else 0.0)
    told_by = "why_word" if told.exact else "why_within"
    why = (told_by + (f"_{reads}" if reads else ""), {"word": told.word.lstrip("="), "share": share})
    if told.exact and share >= _SURE:
        return "sure", why
    return ("likely" if share >= _LIKELY else "unsure"), why


def choose(roles: list[Role], wanted: str) -> list[Role]:
    """The candidates for a role, best first: those whose cells agree, whole words before parts, then as the words stand."""
    found = [role for role in roles if role.role == wanted]
    contract = [role for role in found if role.kind == "contract"]
    if contract:
        return contract
    whole = [role for role in found if not role.why[0].startswith("why_within")]
    return sorted(whole or found, key=lambda role: (role.sure == "unsure", role.rank))
