"""The customer card: one customer's history, scores, tier path, reasons, value and next step."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from difflib import get_close_matches

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook.accounting import day_date, day_number
from tierbook.errors import InputError
from tierbook.scores.lifecycle import MIN_SILENCE, Cadence, own_gap
from tierbook.scores.maps import OUTSIDE
from tierbook.scores.rfm import MEASURES, Scale

MONTHS = 24
MOST_NEAR = 1000


@dataclass(frozen=True)
class Month:
    """What the cards of one month are made from.

    ``book``, ``history`` (one row per customer); ``tiers`` (customer_id, end, tier) at the ``dates``, newest first;
    ``order``: the tiers best first; ``missing``: customer_id, next_tier, orders_missing, spend_missing; ``actions``:
    the action catalogue; ``margin_known``: whether values are margin, else net sales.
    """

    book: pd.DataFrame
    history: pd.DataFrame
    tiers: pd.DataFrame
    dates: list[dt.date]
    order: list[str]
    scale: Scale
    cadence: Cadence
    missing: pd.DataFrame
    actions: list[dict]
    margin_known: bool


def purchases_of(days: nw.LazyFrame, customer_id: str) -> nw.LazyFrame:
    """One customer's days, from `history.customer_days`: day, orders, net."""
    return days.filter(nw.col("customer_id") == customer_id).select("day", "orders", "net")


def card(customer_id: str, purchases: pd.DataFrame, month: Month) -> dict:
    """Everything the month knows about one customer.

    Keys: ``book`` (the row of the book as a dict, null as None), ``as_of``, ``months`` (`by_month`), ``scores``
    (`score_steps`), ``path`` (`tier_path`), ``tiers`` (their order), ``stage`` (`stage_facts`), ``next_tier`` (next_tier,
    orders_missing, spend_missing; None for the best tier or who is outside), ``action`` (`next_step`; None for none) and
    ``margin_known``.
    ``purchases``: `purchases_of` the customer.

    Raises
    ------
    InputError : the book has no such customer; the line names the nearest ids and how many customers there are
    """
    row = _row_of(str(customer_id), month.book, month.dates[0])
    known = month.history[month.history["customer_id"] == row["customer_id"]]
    missing = month.missing[month.missing["customer_id"] == row["customer_id"]]
    lacking = {} if missing.empty else _plain(missing.iloc[0])
    return {
        "book": row,
        "as_of": month.dates[0],
        "months": by_month(purchases, month.dates[0]),
        "scores": score_steps(row, month.scale),
        "path": tier_path(
            month.tiers[month.tiers["customer_id"] == row["customer_id"]], int(known["first_day"].iloc[0]), month.dates
        ),
        "tiers": list(month.order),
        "stage": stage_facts(known, month.cadence),
        "next_tier": lacking if lacking.get("next_tier") else None,
        "action": next_step(row, month.actions, month.dates[0]),
        "margin_known": month.margin_known,
    }


def _row_of(customer_id: str, book: pd.DataFrame, as_of: dt.date) -> dict:
    found = book[book["customer_id"] == customer_id]
    if found.empty:
        near = ", ".join(repr(known) for known in _nearest(customer_id, book["customer_id"]))
        raise InputError(
            f"customer_id {customer_id[:40]!r}: none of the book's {len(book):,} customers with an order up to {as_of} has it; "
            f"nearest: {near or 'none'}"
        )
    return _plain(found.iloc[0])


def _nearest(customer_id: str, ids: pd.Series) -> list[str]:
    """The three ids most like one that is unknown, among at most 1,000 that begin with the same characters."""
    for length in range(min(len(customer_id), 40), -1, -1):
        alike = ids[ids.str.startswith(customer_id[:length])]
        if len(alike):
            return get_close_matches(customer_id[:40], sorted(alike)[:MOST_NEAR], n=3, cutoff=0.5)
    return []


def _plain(row: pd.Series) -> dict:
    return {name: None if pd.isna(value) else value for name, value in row.items()}


def by_month(purchases: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """The 24 calendar months that end with as_of's, oldest first: month (its first day), orders, net; days after as_of out.

    Months without a purchase or refund are there with zeros.
    """
    counted = purchases[purchases["day"] <= day_number(as_of)]
    months = pd.to_datetime(counted["day"].astype("int64"), unit="D").dt.to_period("M")
    sums = counted[["orders", "net"]].astype(float).groupby(months.to_numpy()).sum()
    shown = pd.period_range(end=pd.Period(as_of, "M"), periods=MONTHS, freq="M")
    table = sums.reindex(shown, fill_value=0.0).astype({"orders": "int64"})
    return table.assign(month=[period.start_time.date() for period in shown])[["month", "orders", "net"]].reset_index(
        drop=True
    )


def score_steps(row: dict, scale: Scale) -> list[dict]:
    """Recency, frequency and monetary value beside the cut points: measure, letter, value, score, bins, next_at, next_score.

    next_at is where the next better score begins: at most so many days, at least so many orders, or more money than
    this; null at the best score. Empty for a customer without an order in the window.
    """
    if row["frequency"] is None:
        return []
    steps = []
    for letter, measure in zip("rfm", MEASURES, strict=True):
        cuts = np.asarray(scale.cuts[measure], dtype=float)
        value = float(row[measure])
        next_at, next_score = _next_score(letter, value, cuts, scale.bins)
        step = {"measure": measure, "letter": letter, "value": value, "score": int(row[letter]), "bins": scale.bins}
        steps.append({**step, "next_at": next_at, "next_score": next_score})
    return steps


def _next_score(letter: str, value: float, cuts: np.ndarray, bins: int) -> tuple[float | None, int | None]:
    """Cut points may coincide, so one step can be worth two scores; days and orders are whole."""
    beyond = cuts[cuts < value] if letter == "r" else cuts[cuts >= value]
    if not len(beyond):
        return None, None
    if letter == "r":
        at = float(np.floor(beyond.max()))
        return at, bins - int((cuts < at).sum())
    if letter == "f":
        at = float(np.floor(beyond.min())) + 1
        return at, 1 + int((cuts < at).sum())
    return float(beyond.min()), 1 + int((cuts <= beyond.min()).sum())


def tier_path(tiers: pd.DataFrame, first_day: int, dates: list[dt.date]) -> pd.DataFrame:
    """The customer's tier at each date, oldest first: date, tier.

    ``outside`` where there was no order in the window, null before the first purchase. ``tiers``: the customer's end and
    tier.
    """
    oldest_first = sorted(dates)
    held = tiers.set_index("end")["tier"].astype(object)
    found = [held.get(end, OUTSIDE if end >= first_day else None) for end in map(day_number, oldest_first)]
    return pd.DataFrame({"date": oldest_first, "tier": pd.Series(found, dtype=object)})


def stage_facts(known: pd.DataFrame, cadence: Cadence) -> dict:
    """What the stage was judged by, in days: silent, own_gap, limit (whole days of silence up to which the
    customer is active), span
    (first to last purchase), new_days and lost_days (of all customers; lost_days None where unknown); purchase_days."""
    gap, row = float(own_gap(known, cadence).iloc[0]), known.iloc[0]
    return {
        "silent": int(row["recency_days"]),
        "own_gap": gap,
        "limit": int(max(MIN_SILENCE, 2 * gap)),
        "purchase_days": int(row["active_days"]),
        "span": int(row["t_x"]),
        "new_days": cadence.new_days,
        "lost_days": cadence.lost_days,
    }


def next_step(row: dict, actions: list[dict], as_of: dt.date) -> dict | None:
    """The month's action: action, measure, channel (names per language, or one text), owner (the customer's own, else the
    catalogue's) and due; None where the book has none."""
    found = next((action for action in actions if str(action["code"]) == row["action"]), None)
    if found is None:
        return None
    return {
        "action": found.get("words") or str(found["code"]),
        "measure": found.get("measure"),
        "channel": found.get("channel"),
        "owner": row["owner"] or found.get("owner"),
        "due": day_date(day_number(as_of) + int(found.get("days", 30))),
    }
