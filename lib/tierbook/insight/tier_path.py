"""Fourteen months of tiers: sizes, falls from the best tier, and whether this month's moves are usual."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from tierbook.accounting import day_number
from tierbook.insight.movement import MONTHS_NEEDED, NEW

SMALL = 10


def judgement(customers: float, base: float, low: float, high: float) -> str:
    """A number of customers beside its usual range: above, usual, below, no_history (no range) or too_few.

    too_few: fewer than 10 customers in the tier they came from, or fewer than 10 moved and under 10 are usual.
    """
    if base < SMALL:
        return "too_few"
    if pd.isna(low) or pd.isna(high):
        return "no_history"
    if max(customers, high) < SMALL:
        return "too_few"
    return "above" if customers > high else "below" if customers < low else "usual"


def judged(table: pd.DataFrame) -> pd.DataFrame:
    """Moves of the movement table between two different tiers, the most money first, each with its ``judgement``.

    A move that nobody made is there where that is unusual. The usual range is rounded outward to whole customers, as a reader counts them.
    """
    base = table.groupby("from_tier")["customers"].transform("sum")
    base = base.where(table["from_tier"] != NEW, table["customers"].sum())
    low, high = np.floor(table["usual_low"].astype(float)), np.ceil(table["usual_high"].astype(float))
    told = [judgement(*row) for row in zip(table["customers"], base, low, high, strict=True)]
    rows = table.assign(usual_low=low, usual_high=high, judgement=pd.Series(told, index=table.index, dtype=object))
    told_of = (rows["customers"] > 0) | (rows["judgement"] == "below")
    rows = rows[(rows["from_tier"] != rows["to_tier"]) & told_of]
    return rows.sort_values(["revenue", "customers"], ascending=False, kind="stable", ignore_index=True)


def falls(moves: pd.DataFrame, dates: list[dt.date], best: str) -> pd.DataFrame:
    """Falls from the best tier month by month, oldest first: end, customers (in it before), fallen, net.

    ``moves``: end, from_tier, to_tier, customers, net of every two neighbours of ``dates``, which are newest first (the
    workbook's past_moves). Fallen are those in any other tier, or without an order in the window, a month later; net is
    their money of the window before. Months without a customer in the tier are left out, the last one excepted.
    """
    rows = []
    for date in dates[:-1]:
        before = moves[(moves["end"] == day_number(date)) & (moves["from_tier"] == best)]
        fallen = before[before["to_tier"] != best]
        if len(before) or date == dates[0]:
            rows.append(
                (date, int(before["customers"].sum()), int(fallen["customers"].sum()), float(fallen["net"].sum()))
            )
    return pd.DataFrame(rows[::-1], columns=["end", "customers", "fallen", "net"])


def usual_falls(found: pd.DataFrame) -> tuple[float, float]:
    """Usual range of this month's falls: P10 and P90 of the earlier months' rates times this month's base.

    Rounded outward to whole customers; null with fewer than six earlier months.
    """
    past, base = found.iloc[:-1], float(found["customers"].iloc[-1])
    if len(past) < MONTHS_NEEDED:
        return np.nan, np.nan
    low, high = (past["fallen"] / past["customers"]).quantile([0.10, 0.90])
    # rates are exact ratios; a hair of floating error must not cost or add a customer
    return float(np.floor(low * base + 1e-9)), float(np.ceil(high * base - 1e-9))


def margin_of(fallen: pd.Series, before: pd.DataFrame, rate: float | None) -> float | None:
    """Margin that the customers ``fallen`` (ids) brought in the window before they fell; None where a cost is unknown.

    ``before``: the history as of then (window_net, window_cost); ``rate``: margin as a share of net sales, None to take
    the cost of goods.
    """
    money = before[before["customer_id"].isin(fallen)]
    if rate is not None:
        return float(money["window_net"].sum() * rate)
    known = not money.loc[money["window_orders"] > 0, "window_cost"].isna().any()
    return float((money["window_net"] - money["window_cost"].fillna(0.0)).sum()) if known else None


def sizes(tiers: pd.DataFrame, dates: list[dt.date], order: list[str]) -> pd.DataFrame:
    """Customers per tier (columns, in the scheme's order) at each date (index ``end``, oldest first)."""
    counts = pd.crosstab(tiers["end"], tiers["tier"]).reindex(columns=order, fill_value=0)
    oldest_first = sorted(dates)
    counts = counts.reindex([day_number(date) for date in oldest_first], fill_value=0)
    return counts.set_axis(pd.Index(oldest_first, name="end")).rename_axis(columns=None)
