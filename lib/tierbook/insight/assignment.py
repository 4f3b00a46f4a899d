"""Who was assigned to which campaign, and what they did after: the frame a campaign review stands on."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from tierbook.accounting import day_number
from tierbook.insight.campaign import profit
from tierbook.params import Campaign


def first_assignments(contacts: pd.DataFrame) -> pd.DataFrame:
    """One row per campaign and customer: arm and day of the first assignment, whether and at what cost contacted.

    Columns: campaign, customer_id, arm, assigned_day, contacted (ever), cost (of all contacts; null where the table
    has none).
    """
    keys = ["campaign", "customer_id"]
    ordered = contacts.sort_values([*keys, "assigned_at", "arm"], kind="stable").astype({"cost": float})
    first = ordered.drop_duplicates(keys)
    all_rows = ordered.assign(contacted=ordered["contacted_at"].notna()).groupby(keys)
    days = first["assigned_at"].to_numpy().astype("datetime64[D]").astype("int64")
    return pd.DataFrame(
        {
            "campaign": first["campaign"].to_numpy(),
            "customer_id": first["customer_id"].to_numpy(),
            "arm": first["arm"].to_numpy(),
            "assigned_day": days,
            "contacted": all_rows["contacted"].any().to_numpy(),
            "cost": all_rows["cost"].sum(min_count=1).to_numpy(),
        }
    )


def behaviour(days: nw.LazyFrame, assigned: nw.LazyFrame, rules: Campaign) -> nw.LazyFrame:
    """Per campaign and customer with any order day around it: orders, spend and cost in the window after, and before.

    The window is the ``window_days`` days after the day of assignment (not that day itself: its purchases may have come
    first); before is the ``pre_days`` up to and including it. Customers without a day in either have no row.
    """
    joined = days.join(assigned, on="customer_id", how="inner").with_columns(
        (nw.col("day") - nw.col("assigned_day")).alias("lag")
    )
    near = joined.filter(nw.col("lag") > -rules.pre_days, nw.col("lag") <= rules.window_days).with_columns(
        (nw.col("lag") > 0).alias("after")
    )
    after = {f"{name}": nw.when(nw.col("after")).then(nw.col(column)).sum() for name, column in _MEASURES.items()}
    before = {f"pre_{name}": nw.when(~nw.col("after")).then(nw.col(column)).sum() for name, column in _MEASURES.items()}
    uncosted = nw.when(nw.col("after") & nw.col("cost").is_null()).then(1).otherwise(0).sum().alias("uncosted")
    return near.group_by("campaign", "customer_id").agg(*[e.alias(n) for n, e in {**after, **before}.items()], uncosted)


_MEASURES = {"orders": "orders", "spend": "net", "goods": "cost"}


def outcomes(assigned: pd.DataFrame, done: pd.DataFrame, rules: Campaign, margin: float | None) -> pd.DataFrame:
    """``assigned`` with response (0/1), orders, spend, profit, pre_orders and pre_spend; who did nothing has zeros.

    profit is margin × spend with a margin in the params, else spend less the cost of goods where every line has one,
    less the cost of the contact; without either there is no profit column.
    """
    merged = assigned.merge(done, on=["campaign", "customer_id"], how="left")
    measured = ["orders", "spend", "pre_orders", "pre_spend", "goods", "uncosted"]
    merged[measured] = merged[measured].astype(float).fillna(0.0)
    merged["response"] = (merged["orders"] > 0).astype(float)
    contact_cost = merged["cost"].fillna(rules.contact_cost)
    costed = not merged["uncosted"].any() and merged["goods"].abs().sum() > 0
    if margin is not None or costed:
        merged["profit"] = profit(
            merged["spend"], None if margin is not None else merged["goods"], margin, contact_cost, merged["contacted"]
        )
    return merged.drop(columns=["pre_goods", "goods", "uncosted"], errors="ignore")


def is_over(assigned: pd.DataFrame, as_of, rules: Campaign) -> pd.Series:
    """By campaign: whether the window of its last assigned customer has ended by as_of."""
    return assigned.groupby("campaign")["assigned_day"].max() + rules.window_days <= day_number(as_of)
