"""Movement over twelve months: tier a year ago by tier now, and how many moved up, held, moved down or left."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from tierbook.insight.groups import SMALL
from tierbook.insight.movement import KEYS, NEW, direction, moves
from tierbook.insight.voice import share
from tierbook.scores.maps import OUTSIDE, Scheme

CHANGES = {"up": "upgraded", "same": "held", "down": "downgraded", "left": "left"}
COLUMNS = [*KEYS, "customers", "rate", "customers_year_before", "rate_year_before", "revenue", "revenue_now"]


def reaches(first_day: int, start: int, window_days: int) -> bool:
    """Whether the data, from day number ``first_day``, hold the whole window that ends on ``start``.

    Tiers of a window cut short by the beginning of the data are too low, and moves from them too good.
    """
    return first_day <= start - window_days + 1


def moves_of_year(tiers: pd.DataFrame, first_days: pd.Series, start: int, end: int) -> pd.DataFrame:
    """`movement.moves` with net_now, the money of each customer's window at ``end`` (zero without an order in it).

    ``net`` is the money of the window at ``start``, which a newcomer has none of: zero.
    """
    moved = moves(tiers, first_days, start, end)
    now = tiers[tiers["end"] == end].set_index("customer_id")["net"]
    return moved.assign(
        net=moved["net"].where(moved["from_tier"] != NEW, 0.0), net_now=now.reindex(moved.index).fillna(0.0)
    )


def counted(moved: pd.DataFrame) -> pd.DataFrame:
    """`moves_of_year` counted: from_tier, to_tier, customers, net, net_now (their money together)."""
    groups = moved.groupby(KEYS)
    found = groups.agg(customers=("net", "size"), net=("net", "sum"), net_now=("net_now", "sum"))
    return found.reset_index()


def together(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """`counted` moves of several parts of the customers as one."""
    found = pd.concat(parts, ignore_index=True)
    return found.groupby(KEYS)[["customers", "net", "net_now"]].sum().reset_index()


def over_year(now: pd.DataFrame, year_before: pd.DataFrame | None, order: list[str]) -> pd.DataFrame:
    """Tier twelve months ago × tier now, a row per move made in either year, in the scheme's ``order`` (best first).

    ``now`` and ``year_before``: `counted` moves of the twelve months up to as_of, and of those before them (None where
    the history does not reach). Columns: from_tier, to_tier, customers, rate (over the customers of from_tier),
    customers_year_before, rate_year_before, revenue (their net sales in the window a year ago), revenue_now (in the
    window now). Rates are null under 10 customers in from_tier and for ``new``, which has no base; both columns of the
    year before are null where it is None.
    """
    made = now.set_index(KEYS)
    counts = {"customers": made["customers"]}
    if year_before is not None:
        counts["customers_year_before"] = year_before.set_index(KEYS)["customers"]
    table = pd.DataFrame(counts).fillna(0).astype(int)
    table["rate"] = _rates(table["customers"])
    table["rate_year_before"] = np.nan if year_before is None else _rates(table["customers_year_before"])
    money = made[["net", "net_now"]].astype(float).reindex(table.index).fillna(0.0)
    table[["revenue", "revenue_now"]] = money.to_numpy()
    place = {tier: n for n, tier in enumerate((*order, OUTSIDE, NEW))}
    sorted_rows = table.reset_index().sort_values(KEYS, key=lambda tier: tier.map(place), ignore_index=True)
    return sorted_rows.reindex(columns=COLUMNS)


def _rates(customers: pd.Series) -> pd.Series:
    base = customers.groupby(level="from_tier").transform("sum")
    judged = (base >= SMALL) & (customers.index.get_level_values("from_tier") != NEW)
    return (customers / base).where(judged)


def rates_of_change(now: pd.DataFrame, year_before: pd.DataFrame | None, scheme: Scheme) -> pd.DataFrame:
    """Upgrade and downgrade rates (客户升级率, 客户降级率): what, customers, base, rate, low, high, rate_year_before.

    ``now`` and ``year_before`` as in `over_year`. what: upgraded, held, downgraded (to a lower tier, in the window still)
    and left (no order in the window now), four rows that add up to base, the customers who stood in a tier a year ago;
    who was outside or has first bought since is in none. low and high are the 95 % Wilson interval of rate; rates are
    null on a base under 10.
    """
    found, before = _changes(now, scheme), None if year_before is None else _changes(year_before, scheme)
    rows = []
    for what in CHANGES.values():
        told = share(int(found[what]), int(found.sum()))
        then = np.nan if before is None else share(int(before[what]), int(before.sum()))["value"]
        rows.append((what, int(found[what]), told["n"], told["value"], told["low"], told["high"], then))
    return pd.DataFrame(rows, columns=["what", "customers", "base", "rate", "low", "high", "rate_year_before"])


def _changes(moved: pd.DataFrame, scheme: Scheme) -> pd.Series:
    placed = moved[~moved["from_tier"].isin([OUTSIDE, NEW])]
    what = direction(placed, scheme).map(CHANGES)
    return placed["customers"].groupby(what).sum().reindex(list(CHANGES.values()), fill_value=0)
