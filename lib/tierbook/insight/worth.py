"""Worth against looks: value tiers beside RFM tiers, and the expected months beside the last ninety days."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook.accounting import day_number
from tierbook.insight.groups import SMALL
from tierbook.months import months_before
from tierbook.scores.maps import OUTSIDE

VALUE_TIERS = ("high", "middle", "low")
RECENT_DAYS = 90
ALL = "all"
_SHOWN = ["customer_id", "tier", "value_tier", "monetary", "recency_days", "p_alive", "expected_orders", "clv"]


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


def cross(book: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """RFM tier by value tier: tier, value_tier, customers, share (of the tier's customers), clv (sum).

    Every pair of a tier in the book, best first and ``outside`` last, and high, middle, low. Customers without a value
    tier are left out; share is null for tiers with fewer than 10 others.
    """
    valued = book[book["value_tier"].notna()]
    cells = valued.groupby(["tier", "value_tier"])["clv"].agg(customers="size", clv="sum")
    tiers = _tiers(valued, order)
    cells = cells.reindex(pd.MultiIndex.from_product([tiers, VALUE_TIERS], names=["tier", "value_tier"]), fill_value=0)
    of_tier = cells["customers"].groupby(level="tier").transform("sum").astype(float)
    cells["share"] = cells["customers"] / of_tier.where(of_tier >= SMALL)
    return cells.reset_index()[["tier", "value_tier", "customers", "share", "clv"]].astype({"clv": float})


def _tiers(book: pd.DataFrame, order: list[str]) -> list[str]:
    return [tier for tier in (*order, OUTSIDE) if (book["tier"] == tier).any()]


def beyond_looks(book: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """Customers whose expected value belies their RFM tier: worth more than they look, and less.

    ``more``: in the lower half of the tiers or ``outside``, but in the top third by clv; the largest clv first. ``less``: in
    the upper half, but in the bottom third; the largest ``monetary`` first, as that is what makes them look worth much. Of an
    odd number of tiers the middle one is in neither half. Columns: looks (more, less), customer_id, tier, value_tier,
    monetary, recency_days, p_alive, expected_orders, clv.
    """
    half = len(order) // 2
    better, lesser = order[:half], [*order[len(order) - half :], OUTSIDE]
    parts = {
        "more": (book["tier"].isin(lesser) & (book["value_tier"] == "high"), "clv"),
        "less": (book["tier"].isin(better) & (book["value_tier"] == "low"), "monetary"),
    }
    found = [
        book.loc[rows, _SHOWN].assign(looks=looks).sort_values([by, "customer_id"], ascending=[False, True])
        for looks, (rows, by) in parts.items()
    ]
    return pd.concat(found, ignore_index=True)[["looks", *_SHOWN]]


def recent_beside_expected(
    book: pd.DataFrame, recent: pd.DataFrame, order: list[str], margin_rate: float | None = None
) -> pd.DataFrame:
    """The last days' money beside the money expected, by tier: who counts by one and not by the other (短期利益).

    ``recent``: from `recent_money`; with a margin rate it is brought to margin, as clv is. First row ``all``, then the
    tiers, best first, ``outside`` last: tier, customers (with a clv), recent, recent_share, expected (sum of clv),
    expected_share, idle (customers who brought nothing in the last days), idle_expected and idle_share, the clv that
    they hold and its share of the row's; past, their money of the last months, and potential, expected less past
    (潜在价值): below zero where less is expected than was brought. Shares are null on fewer than 10 customers or where the
    whole is not above zero.
    """
    valued = book[book["clv"].notna()]
    rate = 1.0 if margin_rate is None else margin_rate
    net = recent.set_index("customer_id")[["recent_net", "past_net"]].astype(float)
    money = net.reindex(valued["customer_id"]).fillna(0.0).set_axis(valued.index) * rate
    facts = pd.DataFrame({"tier": valued["tier"], "recent": money["recent_net"], "past": money["past_net"]})
    facts = facts.assign(expected=valued["clv"], idle=money["recent_net"] <= 0)
    facts["idle_expected"] = facts["expected"].where(facts["idle"], 0.0)
    groups = facts.groupby("tier")
    table = groups[["recent", "past", "expected", "idle", "idle_expected"]].sum().assign(customers=groups.size())
    table = table.reindex(_tiers(valued, order))
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
