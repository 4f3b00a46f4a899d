"""What the pages of movement and of early warning draw and tell of customers: counts, and the few rows that they list."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pandas as pd

from tierbook import lookup
from tierbook.insight import upgrades
from tierbook.scores import risk
from tierbook.workbook.top_rows import top_rows

if TYPE_CHECKING:
    from tierbook.workbook import Workbook
    from tierbook.workbook.customers import Customers

LISTED, LISTED_WITH_MONEY = 20, 10
"""Rows listed."""
CANDIDATE = ["customer_id", "tier", "stage", "monetary", "next_tier", "orders_missing", "spend_missing", "alt_orders"]
CANDIDATE += ["alt_spend", "deadline"]


def upgrade_steps(month: Workbook) -> dict[str, Any]:
    """Who can reach a better tier, counted: ``steps`` (`upgrades.steps`), ``customers``; ``promised``: whoever the book
    gives a next tier and who is not lost; ``least_orders``; ``listed`` and ``with_money``: the first rows of all, and of
    those who lack money too."""
    found = month.upgrade_candidates(["tier", "next_tier", "orders_missing", "spend_missing", "monetary"])
    step, by = "upgrade_candidates", "monetary"
    lacking = ~nw.col("spend_missing").is_null()
    return {
        "steps": upgrades.steps(found),
        "customers": len(found),
        "promised": sum(month.by_part(_promised)),
        "least_orders": None if found.empty else float(found["orders_missing"].min()),
        "listed": top_rows(month, step, by, LISTED, CANDIDATE),
        "with_money": top_rows(month, step, by, LISTED_WITH_MONEY, CANDIDATE, lacking),
    }


def _promised(part: Customers) -> int:
    book = part.book(["next_tier", "stage"])
    return int((book["next_tier"].notna() & (book["stage"] != "lost")).sum())


def kept_tiers(month: Workbook) -> dict[str, Any]:
    """Customers who keep a tier that they no longer earn: ``customers``, ``net``; ``earned``, of them who earn it;
    ``listed``: the first rows of `Workbook.protected`."""
    found = month.protected()
    earned = int((found["tier"] == found["computed"]).sum())
    return {"customers": len(found), "net": float(found["net"].sum()), "earned": earned, "listed": found.head(LISTED)}


_FALLEN = ["customer_id", "tier", "previous_tier", "tier_change", "change_reason", "recency_days", "owner"]


def fallen(month: Workbook) -> dict[str, Any]:
    """Who left the best tier since last month: ``customers``; ``owned``, of them with an owner; ``listed``: the first rows
    by the net sales they brought before (net)."""
    found = pd.concat(month.by_part(_fallen), ignore_index=True)
    found = found.sort_values(["net", "customer_id"], ascending=[False, True], ignore_index=True)
    return {"customers": len(found), "owned": int(found["owner"].notna().sum()), "listed": found.head(LISTED)}


def _fallen(part: Customers) -> pd.DataFrame:
    book, best = part.book(_FALLEN), part.whole.tier_scheme.order[0]
    found = book[(book["previous_tier"] == best) & book["tier_change"].isin(["down", "left"])]
    moved = part.moved(["customer_id", "net"])
    return found.assign(net=lookup.of(found["customer_id"], moved["customer_id"], moved["net"]).astype(float))


def flagged(month: Workbook) -> dict[str, Any]:
    """Whom the early warning flags, counted: ``counts`` (tier, alert_reason, customers, value_at_stake); ``faults``:
    customers flagged with less than nothing at stake, or not flagged with anything; ``candidates_then``: whom the rule of
    the backtest looked at."""
    counts, faults = zip(*month.by_part(_flagged), strict=True)
    found = pd.concat(counts, ignore_index=True).groupby(["tier", "alert_reason"], dropna=False).sum().reset_index()
    then = month.history(dt.date.fromisoformat(month.alert_backtest()["cut"]), ["window_active_days"])
    return {"counts": found, "faults": sum(faults), "candidates_then": int(risk.is_candidate(then).sum())}


def _flagged(part: Customers) -> tuple[pd.DataFrame, int]:
    book = part.book(["tier", "alert", "alert_reason", "value_at_stake"])
    warned = book["alert"].astype(bool)
    groups = book[warned].groupby(["tier", "alert_reason"], dropna=False)["value_at_stake"]
    faults = (warned & ~book["value_at_stake"].ge(0)).sum() + book.loc[~warned, "value_at_stake"].notna().sum()
    return groups.agg(customers="size", value_at_stake="sum").reset_index(), int(faults)


def called(month: Workbook) -> pd.DataFrame:
    """What the book and the flags say of those on the call list, in its order: customer_id, alert, previous_tier, risk."""
    listed = month.call_list()["alerts"]["customer_id"]
    found = pd.concat(month.by_part(partial(_told_of, listed)), ignore_index=True)
    return lookup.rows(listed, found)


def _told_of(listed: pd.Series, part: Customers) -> pd.DataFrame:
    both = part.book(["customer_id", "alert", "previous_tier"]).assign(risk=part.flags(["risk"])["risk"])
    return both[lookup.places(both["customer_id"], listed) >= 0]
