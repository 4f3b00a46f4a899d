"""Who was assigned to which campaign, and what they did after: the frame a campaign review stands on."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook.accounting import day_number
from tierbook.insight.campaign import profit
from tierbook.params import Campaign

_KEYS = ["campaign", "customer_id"]


def first_assignments(contacts: pd.DataFrame) -> pd.DataFrame:
    """One row per campaign and customer: arm and day of the first assignment, whether and at what cost contacted.

    Columns: campaign, customer_id, arm, assigned_day, contacted (ever), cost (of all contacts; null where the table
    has none, or only costs below zero, which nobody can know), opted_out (1 where any contact says so, else 0; no
    such column where the table says it of nobody). Exact copies of a row are one contact.
    """
    ordered = contacts[~copies(contacts)].sort_values([*_KEYS, "assigned_at", "arm"], kind="stable")
    cost = ordered["cost"].astype(float)
    ordered = ordered.assign(contacted=ordered["contacted_at"].notna(), cost=cost.mask(cost < 0))
    if "opted_out" in ordered:
        ordered["opted_out"] = ordered["opted_out"].astype("boolean").astype(float)
    first, all_rows = ordered.drop_duplicates(_KEYS), ordered.groupby(_KEYS)
    found = {
        "campaign": first["campaign"].to_numpy(),
        "customer_id": first["customer_id"].to_numpy(),
        "arm": first["arm"].to_numpy(),
        "assigned_day": as_days(first["assigned_at"]).to_numpy(dtype="int64"),
        "contacted": all_rows["contacted"].any().to_numpy(),
        "cost": all_rows["cost"].sum(min_count=1).to_numpy(),
    }
    if "opted_out" in ordered and ordered["opted_out"].notna().any():
        found["opted_out"] = all_rows["opted_out"].max().fillna(0.0).to_numpy()
    return pd.DataFrame(found)


def copies(contacts: pd.DataFrame) -> np.ndarray:
    """Which rows are exact copies of one before them."""
    found = contacts.duplicated(_KEYS, keep=False).to_numpy(copy=True)
    found[found] = contacts[found].duplicated()
    return found


def as_days(moments: pd.Series) -> pd.Series:
    """Moments as days since 1970-01-01 (float; null stays null)."""
    days = pd.to_datetime(moments).to_numpy().astype("datetime64[D]")
    return pd.Series(np.where(np.isnat(days), np.nan, days.astype("int64")), index=moments.index)


def behaviour(days: nw.LazyFrame, assigned: nw.LazyFrame, rules: Campaign) -> nw.LazyFrame:
    """Per campaign and customer with any order day around it: what was bought in the window after, and before.

    The window is the ``window_days`` days after the day of assignment (not that day itself: its purchases may have come
    first): orders, spend (net), goods (cost), refunds (money taken back in it) and first_purchase (its first day with
    a purchase, null without one). Before is the ``pre_days`` up to and including it: pre_orders, pre_spend,
    pre_goods; spend_before is the net money of as many days as the window has. Customers without a day in either have
    no row. ``days``: `history.customer_days`.
    """
    longest = max(rules.pre_days, rules.window_days)
    near = (
        days.join(assigned, on="customer_id", how="inner")
        .with_columns((nw.col("day") - nw.col("assigned_day")).alias("lag"))
        .filter(nw.col("lag") > -longest, nw.col("lag") <= rules.window_days)
        .with_columns(
            (nw.col("lag") > 0).alias("after"),
            ((nw.col("lag") <= 0) & (nw.col("lag") > -rules.pre_days)).alias("before"),
            ((nw.col("lag") <= 0) & (nw.col("lag") > -rules.window_days)).alias("as_long_before"),
        )
    )
    after = [_sum("after", column, name) for name, column in {**_MEASURES, "refunds": "refunds"}.items()]
    before = [_sum("before", column, f"pre_{name}") for name, column in _MEASURES.items()]
    return near.group_by(*_KEYS).agg(
        *after,
        *before,
        _sum("as_long_before", "net", "spend_before"),
        nw.when(nw.col("after") & (nw.col("orders") > 0)).then(nw.col("day")).min().alias("first_purchase"),
        nw.when(nw.col("after") & nw.col("cost").is_null()).then(1).otherwise(0).sum().alias("uncosted"),
    )


_MEASURES = {"orders": "orders", "spend": "net", "goods": "cost"}


def _sum(when: str, column: str, name: str) -> nw.Expr:
    return nw.when(nw.col(when)).then(nw.col(column)).sum().alias(name)


def outcomes(assigned: pd.DataFrame, done: pd.DataFrame, rules: Campaign, margin: float | None) -> pd.DataFrame:
    """``assigned`` with what each did; who did nothing has zeros.

    Columns added: response (0/1), orders, spend, refunds, first_purchase (day number, null without a purchase in the
    window), pre_orders, pre_spend, spend_before, `contact_cost` and profit: margin × spend with a margin in the params,
    else spend less the cost of goods where every line has one, less the cost of the contact; without either there is
    no profit column.
    """
    merged = assigned.merge(done, on=_KEYS, how="left")
    measured = ["orders", "spend", "refunds", "pre_orders", "pre_spend", "spend_before", "goods", "uncosted"]
    merged[measured] = merged[measured].astype(float).fillna(0.0)
    merged["first_purchase"] = merged["first_purchase"].astype(float)
    merged["response"] = (merged["orders"] > 0).astype(float)
    merged["contact_cost"] = contact_cost(merged, rules)
    costed = not merged["uncosted"].any() and merged["goods"].abs().sum() > 0
    if margin is not None or costed:
        goods = None if margin is not None else merged["goods"]
        merged["profit"] = profit(merged["spend"], goods, margin, merged["contact_cost"], merged["contacted"])
    return merged.drop(columns=["pre_goods", "goods", "uncosted"], errors="ignore")


def contact_cost(assigned: pd.DataFrame, rules: Campaign) -> pd.Series:
    """Money spent on contacting each customer: the cost given, else the params' contact_cost; 0 if not contacted."""
    return assigned["cost"].astype(float).fillna(rules.contact_cost).where(assigned["contacted"].astype(bool), 0.0)


def is_over(assigned: pd.DataFrame, as_of, rules: Campaign) -> pd.Series:
    """By campaign: whether the window of its last assigned customer has ended by as_of."""
    return assigned.groupby("campaign")["assigned_day"].max() + rules.window_days <= day_number(as_of)


def starts(assigned: pd.DataFrame) -> pd.DataFrame:
    """campaign, start: the middle (lower median) of each campaign's days of assignment, around which others are seen."""
    middle = assigned.groupby("campaign")["assigned_day"].quantile(0.5, interpolation="lower")
    return middle.astype("int64").rename("start").reset_index()


def others(days: nw.LazyFrame, assigned: nw.LazyFrame, asked: nw.LazyFrame, rules: Campaign) -> nw.LazyFrame:
    """What customers whom no campaign touched spent around each campaign's start: how many spent how much.

    Who had a purchase up to the start, was not assigned to the campaign, and to no campaign whose window reaches into
    the days looked at. One row per campaign and pair of amounts, so that a million customers come back small: campaign,
    after (net money of the ``window_days`` days after the start), before (of as many up to and including it), customers.

    ``assigned``: campaign, customer_id, assigned_day of all campaigns; ``asked``: the campaigns to describe (`starts`).
    """
    width = rules.window_days
    around = asked.join(assigned.rename({"campaign": "own"}), how="cross").filter(
        (nw.col("own") == nw.col("campaign"))
        | ((nw.col("assigned_day") > nw.col("start") - 2 * width) & (nw.col("assigned_day") < nw.col("start") + width))
    )
    first = days.filter(nw.col("orders") > 0).group_by("customer_id").agg(nw.col("day").min().alias("first"))
    known = first.join(asked, how="cross").filter(nw.col("first") <= nw.col("start"))
    untouched = known.join(around.select(*_KEYS).unique(_KEYS), on=_KEYS, how="anti")
    near = (
        days.join(asked, how="cross")
        .with_columns((nw.col("day") - nw.col("start")).alias("lag"))
        .filter(nw.col("lag") > -width, nw.col("lag") <= width)
        .with_columns((nw.col("lag") > 0).alias("later"), (nw.col("lag") <= 0).alias("earlier"))
        .group_by(*_KEYS)
        .agg(_sum("later", "net", "after"), _sum("earlier", "net", "before"))
    )
    amounts = untouched.join(near, on=_KEYS, how="left").with_columns(nw.col("after", "before").fill_null(0))
    return amounts.group_by("campaign", "after", "before").agg(nw.len().alias("customers"))
