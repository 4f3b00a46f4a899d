"""What is wrong with the tables of a report, whatever shop they are of: sums that differ, bounds broken, undocumented nulls."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tierbook import columns
from tierbook.scores import lifecycle


def faults(month, tables: dict[str, pd.DataFrame]) -> list[str]:
    """One line per fault; none is what every shop must have."""
    found = [*_sums(month, tables), *_book(month, tables["customers"])]
    for name, frame in tables.items():
        found += [f"{name}: {told}" for told in _cells(name, frame)]
    return found


def _cells(name: str, frame: pd.DataFrame) -> Iterator[str]:
    told = {**columns.EVERYWHERE, **columns.BOOK, **_entry(name)}
    for column in frame.columns:
        kind, numbers = told[column], pd.to_numeric(frame[column], errors="coerce") if column in told else None
        if not kind.null and frame[column].isna().any():
            yield f"{column} is null in {frame[column].isna().sum()} of {len(frame)} rows, which nothing explains"
        if np.isinf(numbers.astype(float)).any():
            yield f"{column} is infinite"
        if kind.unit in {"share", "probability"} and not numbers.dropna().between(-1e-9, 1 + 1e-9).all():
            yield f"{column} is no {kind.unit}: {numbers.min()} to {numbers.max()}"
    for low, high in (
        ("low", "high"),
        ("orders_low", "orders_high"),
        ("clv_low", "clv_high"),
        ("usual_low", "usual_high"),
    ):
        if {low, high} <= set(frame) and (frame[low].astype(float) > frame[high].astype(float) + 1e-9).any():
            yield f"{low} stands above {high}"
    if {"n", "value", "low", "high"} <= set(frame):
        inside = frame.dropna(subset=["value", "low", "high"]).astype({"value": float, "low": float, "high": float})
        if not inside.eval("low - 1e-9 <= value <= high + 1e-9").all():
            yield "a value stands outside its interval"


def _entry(name: str) -> dict[str, columns.Column]:
    return next((told for files, told in columns.TABLES.items() if f"{name}.csv" in files.split(" · ")), {})


def _book(month, book: pd.DataFrame) -> Iterator[str]:
    inside = book["tier"] != "outside"
    for score in "rfm":
        if not book.loc[inside, score].between(1, month.scale.bins).all() or book.loc[~inside, score].notna().any():
            yield f"{score} is not 1 to bins in the window and null outside it"
    if not book["customer_id"].is_unique:
        yield "a customer stands twice in the book"
    if (
        not book["stage"].isin(lifecycle.STAGES).all()
        or not book["tier"].isin([*month.tier_scheme.order, "outside"]).all()
    ):
        yield "a stage or tier that no scheme names"
    if (book["clv"].notna() & book["p_alive"].isna()).any() or (book["clv"].isna() & book["value_note"].isna()).any():
        yield "a value without its probability, or none without a note why"
    if book["alert"].any() and book.loc[book["alert"], ["alert_reason", "value_at_stake"]].isna().any().any():
        yield "an alert without reason or value"


def _sums(month, tables: dict[str, pd.DataFrame]) -> Iterator[str]:
    book = tables["customers"]
    money = np.isclose
    for name in ("tiers", "segments", "stages"):
        size = tables[name]["customers"].sum()
        wanted = len(book) if name != "segments" else (book["tier"] != "outside").sum()
        if size != wanted:
            yield f"{name} hold {size} customers of {wanted}"
        if not money(tables[name]["revenue"].sum(), book["monetary"].sum()):
            yield f"the revenue of {name} is {tables[name]['revenue'].sum()}, of the book {book['monetary'].sum()}"
    if (moved := tables["movement"]["customers"].sum()) != len(book):
        yield f"the movement holds {moved} customers of {len(book)}"
    counted = tables["row_accounting"].query("table == 'transactions' and reason == 'kept'")["amount"].sum()
    sold = tables["months"]["identified"].sum()
    if not money(counted, sold, atol=1e-4):
        yield f"kept rows come to {counted}, the months to {sold}"
