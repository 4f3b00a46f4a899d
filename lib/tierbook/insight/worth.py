"""Worth against looks: value tiers beside RFM tiers, and the expected months beside the last ninety days.

What is counted here of customers is added up over parts of them, so that they need not stand in memory together.
"""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook import lookup
from tierbook.accounting import day_number
from tierbook.insight.groups import SMALL
from tierbook.months import months_before
from tierbook.scores.maps import OUTSIDE

VALUE_TIERS = ("high", "middle", "low")
RECENT_DAYS = 90
ALL = "all"
SET_BESIDE = ["customer_id", "tier", "clv"]
"""The columns of the book that `brought` reads."""
_SUMS = ["recent", "past", "expected", "idle", "idle_expected", "customers"]


def recent_money(days: nw.LazyFrame, as_of: dt.date, months: int = 12) -> nw.LazyFrame:
    """Net money up to as_of: customer_id, recent_net of the last 90 days, past_net of the last ``months``.

    One pass over `history.customer_days`. The months are those of the calendar, as many as the forecast looks ahead. A
    customer without money in the longer of the two has no row; one whose refunds were larger is below zero.
    """
    end, day = day_number(as_of), nw.col("day")
    starts = {"recent_net": end - RECENT_DAYS, "past_net": day_number(months_before(as_of, months))}
    found = days.filter(day <= end, day > min(starts.values()))
    sums = [nw.when(day > start).then(nw.col("net")).otherwise(0).sum().alias(name) for name, start in starts.items()]
    return found.group_by("customer_id").agg(*sums)


def thirds(book: pd.DataFrame) -> pd.DataFrame:
    """Customers with a value tier counted: tier, stage, value_tier, customers, clv (their sum)."""
    valued = book[book["value_tier"].notna()]
    groups = valued.groupby(["tier", "stage", "value_tier"], observed=True)
    return groups["clv"].agg(customers="size", clv="sum").reset_index()


def cross(counts: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """RFM tier by value tier: tier, value_tier, customers, share (of the tier's customers), clv (sum).

    ``counts``: `thirds`. Every pair of a tier in it, best first and ``outside`` last, and high, middle, low. share is
    null for tiers with fewer than 10 customers.
    """
    cells = counts.groupby(["tier", "value_tier"])[["customers", "clv"]].sum()
    pairs = pd.MultiIndex.from_product([_placed(counts["tier"], order), VALUE_TIERS], names=["tier", "value_tier"])
    cells = cells.reindex(pairs, fill_value=0)
    of_tier = cells["customers"].groupby(level="tier").transform("sum").astype(float)
    cells["share"] = cells["customers"] / of_tier.where(of_tier >= SMALL)
    kinds = {"customers": int, "clv": float}
    return cells.reset_index()[["tier", "value_tier", "customers", "share", "clv"]].astype(kinds)


def _placed(tiers: pd.Series, order: list[str]) -> list[str]:
    return [tier for tier in (*order, OUTSIDE) if (tiers == tier).any()]


def looks(order: list[str]) -> dict[str, tuple[nw.Expr, str]]:
    """Whose expected value belies the RFM tier, as a condition on rows of the book, and the column to rank them by.

    ``more``: in the lower half of the tiers or ``outside``, but in the top third by clv; by clv. ``less``: in the upper
    half, but in the bottom third; by ``monetary``, as that is what makes them look worth much. Of an odd number of tiers
    the middle one is in neither half.
    """
    half = len(order) // 2
    better, lesser = order[:half], [*order[len(order) - half :], OUTSIDE]
    tier, third = nw.col("tier"), nw.col("value_tier")
    return {
        "more": (tier.is_in(lesser) & (third == "high"), "clv"),
        "less": (tier.is_in(better) & (third == "low"), "monetary"),
    }


def belied(book: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """Whom `looks` holds for, counted: looks, customers, clv and monetary (sums)."""
    rows = []
    for name, (holds, _) in looks(order).items():
        found = nw.from_native(book).filter(holds).to_native()
        rows.append({"looks": name, "customers": len(found), **found[["clv", "monetary"]].sum().to_dict()})
    return pd.DataFrame(rows)


def brought(book: pd.DataFrame, recent: pd.DataFrame, margin_rate: float | None = None) -> pd.DataFrame:
    """The last days' money and the money expected, added up by tier: tier and the sums `recent_beside_expected` takes.

    ``book``: `SET_BESIDE`, of whom those with a clv count; ``recent``: from `recent_money`; with a margin rate it is
    brought to margin, as clv is.
    """
    valued = book[book["clv"].notna()]
    rate = 1.0 if margin_rate is None else margin_rate
    money = {
        name: lookup.of(valued["customer_id"], recent["customer_id"], recent[name].astype(float))
        .astype(float)
        .fillna(0.0)
        * rate
        for name in ("recent_net", "past_net")
    }
    facts = pd.DataFrame({"tier": valued["tier"], "recent": money["recent_net"], "past": money["past_net"]})
    facts = facts.assign(expected=valued["clv"], idle=money["recent_net"] <= 0)
    facts["idle_expected"] = facts["expected"].where(facts["idle"], 0.0)
    groups = facts.groupby("tier")
    return groups[_SUMS[:-1]].sum().assign(customers=groups.size()).reset_index()


def recent_beside_expected(sums: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """The last days' money beside the money expected, by tier: who counts by one and not by the other (短期利益).

    ``sums``: of `brought`. First row ``all``, then the tiers, best first, ``outside`` last: tier, customers (with a
    clv), recent, recent_share, expected (sum of clv), expected_share, idle (customers who brought nothing in the last
    days), idle_expected and idle_share, the clv that they hold and its share of the row's; past, their money of the last
    months, and potential, expected less past (潜在价值): below zero where less is expected than was brought. Shares are
    null on fewer than 10 customers or where the whole is not above zero.
    """
    table = sums.groupby("tier")[_SUMS].sum().reindex(_placed(sums["tier"], order))
    whole = table.sum().rename(ALL).to_frame().T
    table = pd.concat([whole, table]).astype({"customers": int, "idle": int}).rename_axis("tier").reset_index()
    for part, total in (("recent", whole["recent"].iloc[0]), ("expected", whole["expected"].iloc[0])):
        table[f"{part}_share"] = _share(table[part], total, table["customers"])
    table["idle_share"] = _share(table["idle_expected"], table["expected"], table["customers"])
    table["potential"] = table["expected"] - table["past"]
    columns = ["customers", "recent", "recent_share", "expected", "expected_share", "idle", "idle_expected"]
    return table[["tier", *columns, "idle_share", "past", "potential"]]


def _share(part: pd.Series, total: float | pd.Series, customers: pd.Series) -> pd.Series:
    base = pd.Series(total, index=part.index, dtype=float)
    return part / base.where((base > 0) & (customers >= SMALL), np.nan)
