"""How much customers buy, month by month: buyers, orders and money of the month, breadth of the window."""

from __future__ import annotations

from collections.abc import Iterable

import narwhals as nw
import pandas as pd

from tierbook import lookup


def trade(days: nw.LazyFrame, months: nw.LazyFrame, firsts: nw.LazyFrame) -> nw.LazyFrame:
    """Trade with identified customers by month: ago, buyers, orders, net, cost (null where a day has none), first_net.

    ``days``: `history.customer_days`; ``months``: `retention.calendar`, ``firsts``: customer_id and first_day, both in
    the engine. buyers: customers with a purchase in the month; first_net: net money of the days of first purchase.
    """
    dated = days.join(months, on="day", how="inner").join(firsts, on="customer_id", how="left")
    each = (
        dated.with_columns(
            nw.when(nw.col("day") == nw.col("first_day")).then(nw.col("net")).alias("first_net"),
            nw.col("cost").is_null().alias("uncosted"),
        )
        .group_by("ago", "customer_id")
        .agg(nw.col("orders", "net", "cost", "first_net").sum(), nw.col("uncosted").any())
        .with_columns(nw.when(nw.col("orders") > 0).then(1).otherwise(0).alias("buyers"))
    )
    totals = each.group_by("ago").agg(
        nw.col("buyers", "orders", "net", "cost", "first_net").sum(), nw.col("uncosted").any()
    )
    return totals.with_columns(nw.when(~nw.col("uncosted")).then(nw.col("cost")).alias("cost")).drop("uncosted")


def breadth(lines: nw.LazyFrame, ends: list[int], window_days: int) -> nw.LazyFrame:
    """How many categories customers buy (cross-sell): one row, customers_k, broad_k, categories_k for each of ``ends``.

    ``lines``: the judged order lines; ``ends``: day numbers, k their place. A category counts where its net money in the
    window of ``window_days`` up to the date is above zero, so that what was all sent back is not bought. customers: with
    any category; broad: with two or more; categories: pairs of customer and category. All are 0 without categories.
    """
    places, day = range(len(ends)), nw.col("day")
    known = lines.filter(nw.col("reason") == "kept", ~nw.col("category").is_null(), day > min(ends) - window_days)
    money = [
        nw.when(day <= end, day > end - window_days).then(nw.col("net")).sum().alias(f"net_{k}")
        for k, end in enumerate(ends)
    ]
    held = [nw.when(nw.col(f"net_{k}") > 0).then(1).otherwise(0).sum().alias(f"held_{k}") for k in places]
    own = known.group_by("customer_id", "category").agg(*money).group_by("customer_id").agg(*held)
    return own.select(*[
        total
        for k in places
        for total in (
            nw.when(nw.col(f"held_{k}") > 0).then(1).otherwise(0).sum().alias(f"customers_{k}"),
            nw.when(nw.col(f"held_{k}") > 1).then(1).otherwise(0).sum().alias(f"broad_{k}"),
            nw.col(f"held_{k}").sum().alias(f"categories_{k}"),
        )
    ])  # fmt: skip


def breadth_by_month(found: pd.DataFrame, months: int) -> pd.DataFrame:
    """`breadth`, collected, as one row per month: index ago, customers, broad, categories."""
    row = found.iloc[0].fillna(0)
    counts = {name: [float(row[f"{name}_{k}"]) for k in range(months)] for name in ("customers", "broad", "categories")}
    return pd.DataFrame(counts, index=pd.RangeIndex(months, name="ago"))


def base(windows: pd.DataFrame, tiers: pd.DataFrame, ends: list[int], best: str) -> pd.DataFrame:
    """Customers of the window at each date: index ago, customers, repeaters, orders, net, cost, and of the best tier
    best, best_net, best_cost.

    ``windows``: `history.windows`; ``tiers``: end, customer_id, tier (the workbook's tier_path). repeaters: with two or
    more purchase days; cost: of the goods, null where any line of any of them has none.
    """
    there = windows[windows["end"].isin(ends)]
    facts = pd.DataFrame(
        {
            "end": there["end"],
            "repeaters": there["window_active_days"] >= 2,
            "orders": there["window_orders"],
            "net": there["window_net"].astype(float),
            "cost": there["window_cost"].astype(float),
        }
    )
    found = _summed(facts)
    first = tiers.loc[tiers["tier"] == best, ["end", "customer_id"]]
    own = [_money(first[first["end"] == end], there[there["end"] == end]) for end in ends]
    of_best = _summed(pd.concat(own))
    names = {"customers": "best", "net": "best_net", "cost": "best_cost"}
    found = (
        found.join(of_best.rename(columns=names), how="outer")
        .reindex(ends)
        .set_axis(pd.RangeIndex(len(ends), name="ago"))
    )
    counts = ["customers", "repeaters", "orders", "net", "best", "best_net"]
    return found.astype(float).fillna(dict.fromkeys(counts, 0.0))


def together(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """`base` of several parts of the customers as one."""
    found = pd.concat(parts)
    for cost, of in (("cost", "customers"), ("best_cost", "best")):  # who is nobody costs nothing
        found[cost] = found[cost].mask(found[of] == 0, 0.0)
    whole = found.groupby(level="ago").agg(lambda column: column.sum(skipna=False))
    for cost, of in (("cost", "customers"), ("best_cost", "best")):
        whole[cost] = whole[cost].where(whole[of] > 0)
    return whole


def _money(people: pd.DataFrame, there: pd.DataFrame) -> pd.DataFrame:
    """The window's money of some customers at one date; none of an override's, which gives a tier to who bought nothing."""
    own = lookup.rows(people["customer_id"], there[["customer_id", "window_net", "window_cost"]])
    money = own[["window_net", "window_cost"]].astype(float).set_axis(["net", "cost"], axis=1)
    return money.where(own["window_net"].notna(), 0.0).assign(end=people["end"])


def _summed(facts: pd.DataFrame) -> pd.DataFrame:
    groups = facts.groupby("end")
    # one line without a cost leaves the whole without one
    cost = groups["cost"].sum().where(groups["cost"].count() == groups.size())
    return groups.sum().assign(cost=cost, customers=groups.size())
