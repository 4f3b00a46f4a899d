"""Cohorts: customers by the month and channel they were won in, how many still buy, what they bring, what they cost.

Months since the first purchase are spans of 365.25/12 days, cut at whole days: month k begins ``span_start(k)`` days
after the first purchase (0, 30, 60, 91, 121 … 365 days). They are the same days for every customer, whatever the day he
first bought on, so that no month has fewer sales for being February and the purchase model's expectation, which knows
days only, stands on the very same days. A month is told once it is over for whoever was won on the last day of the
cohort's calendar month: one that is not is null, never a false drop.
"""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook.insight.groups import SMALL
from tierbook.insight.slices import UNKNOWN, valued
from tierbook.insight.touchpoints import day_of

# 365.25 / 12 days as a fraction, so that the engine counts in whole numbers
_SPAN, _PARTS = 487, 16
_SUMS = ["active", "purchases", "orders", "net", "first_net"]


def span_start(month):
    """Days from the first purchase to the first day of a month since it: month x 365.25/12, cut to whole days."""
    return month * _SPAN // _PARTS


def span_of(days):
    """The month since the first purchase in which a day lies, from its days since it; inverse of `span_start`."""
    return (days * _PARTS + _PARTS - 1) // _SPAN


def won(history: nw.LazyFrame, registered: nw.LazyFrame | None, begin: int) -> nw.LazyFrame:
    """The customers of a history who were newcomers on their first recorded purchase.

    Who had registered before the orders begin was none and is left out. ``registered``: customer_id and joined_at of each
    at most once; who is not there or has no date is a newcomer, and without it everybody is, so that the oldest cohorts
    may hold customers of long before. ``begin``: day number of the first purchase of all.
    """
    if registered is None:
        return history
    joined = registered.select("customer_id", day_of("joined_at").alias("joined"))
    found = history.join(joined, on="customer_id", how="left")
    return found.filter(nw.col("joined").is_null() | (nw.col("joined") >= begin)).drop("joined")


def by_channel(newcomers: nw.LazyFrame, channels: nw.LazyFrame | None) -> nw.LazyFrame:
    """customer_id, first_day and told, the channel of each newcomer as the data tell it.

    ``newcomers``: `won`; ``channels``: customer_id and channel; ``unknown`` where it is null or not given.
    """
    found = newcomers.select("customer_id", "first_day")
    if channels is None:
        return found.with_columns(nw.lit(UNKNOWN).alias("told"))
    told = channels.select("customer_id", nw.col("channel").cast(nw.String).alias("told"))
    return found.join(told, on="customer_id", how="left").with_columns(nw.col("told").fill_null(UNKNOWN))


def counted(people: nw.LazyFrame) -> nw.LazyFrame:
    """`by_channel` counted: first_day, told, customers."""
    return people.group_by("first_day", "told").agg(nw.len().alias("customers"))


def placed(counts: pd.DataFrame) -> pd.DataFrame:
    """`counted` newcomers with the cohort (calendar month of the first purchase, ``2026-10``) and channel they stand in,
    and the number of this cell.

    Of more than 12 channels the smallest are put together as ``other`` (`slices.valued`).
    """
    channel, _ = valued(counts.rename(columns={"told": "value"}))
    day, days = pd.factorize(counts["first_day"])
    cohort = pd.to_datetime(pd.Series(days), unit="D").dt.strftime("%Y-%m").astype(object)
    found = counts.assign(cohort=cohort.take(day).astype("str").array, channel=channel.astype("str").array)
    return found.assign(cell=found.groupby(["cohort", "channel"]).ngroup().astype("int64"))


def in_cells(people: nw.LazyFrame, numbers: nw.LazyFrame, cells: nw.LazyFrame) -> nw.LazyFrame:
    """customer (a number, which the engine counts faster than an id), customer_id, first_day and cell of each newcomer.

    ``people``: `by_channel`; ``numbers``: customer_id, customer; ``cells``: first_day, told, cell (`placed`).
    """
    found = people.join(cells, on=["first_day", "told"], how="inner").join(numbers, on="customer_id", how="inner")
    return found.select("customer_id", "customer", "first_day", "cell")


def cells(days: nw.LazyFrame, people: nw.LazyFrame, end: int) -> nw.LazyFrame:
    """Cohort x channel x month since the first purchase, as one expression over `history.customer_days`.

    ``people``: `in_cells`; ``end``: the last day that counts. Columns: cell (as in ``people``), month;
    active (customers with a purchase in the month), purchases (purchase days), orders, net, first_net (net of the days
    of first purchase), cost (null where a day has none). Money booked before a customer's first purchase is of month 0.
    """
    since = nw.col("day") - nw.col("first_day")
    bought = nw.col("orders") > 0
    placed = (
        days.filter(nw.col("day") <= end)
        .join(people, on="customer_id", how="inner")
        .with_columns(
            span_of(nw.when(since > 0).then(since).otherwise(0)).alias("month"),
            nw.when(bought).then(nw.col("customer")).alias("buyer"),
            nw.when(since == 0).then(nw.col("net")).alias("first_net"),
            nw.col("cost").is_null().alias("uncosted"),
        )
    )
    totals = placed.group_by("cell", "month").agg(
        # null counts as one of the distinct values
        nw.col("buyer").n_unique().alias("buyers"),
        nw.col("buyer").is_null().any().alias("others"),
        nw.col("buyer").count().alias("purchases"),
        nw.col("orders", "net", "first_net", "cost").sum(),
        nw.col("uncosted").any(),
    )
    active = nw.col("buyers") - nw.col("others").cast(nw.Int64)
    known = nw.when(~nw.col("uncosted")).then(nw.col("cost"))
    return totals.with_columns(active.alias("active"), known.alias("cost")).drop("buyers", "others", "uncosted")


def table(found: pd.DataFrame, placed: pd.DataFrame, as_of: dt.date, margin: float | None = None) -> pd.DataFrame:
    """Every cohort x channel x month begun: cohort, channel, month, customers, over, active, purchases, orders, net,
    first_net, margin.

    ``found``: `cells`, collected; ``placed``: `placed`. customers: the size of the cell's cohort; over: whether the
    month is, for the whole cohort (see the module). Sums of months under way are as they stand, so that orders and net
    add up to the history. ``margin``: as a share of net; null: net less the cost of goods, null where a line has none.
    """
    sizes = placed.groupby(["cohort", "channel", "cell"])["customers"].sum().reset_index()
    first, last = _observed(sizes["cohort"], as_of)
    begun = [range(span_of(days) + 1) for days in first]
    whole = sizes.assign(month=begun, last=last).explode("month", ignore_index=True).astype({"month": "int64"})
    # a day is over when it has come: day 29 is the last of month 0
    whole["over"] = span_start(whole["month"] + 1) <= whole.pop("last") + 1
    filled = whole.merge(found, on=["cell", "month"], how="left", indicator="bought")
    quiet = filled.pop("bought") == "left_only"
    filled[[*_SUMS, "cost"]] = filled[[*_SUMS, "cost"]].astype(float)
    filled.loc[quiet, [*_SUMS, "cost"]] = 0.0
    filled["first_net"] = filled["first_net"].fillna(0.0)
    filled["margin"] = filled["net"] - filled["cost"] if margin is None else filled["net"] * margin
    return filled.drop(columns=["cell", "cost"]).astype(dict.fromkeys(["active", "purchases", "orders"], "int64"))


def _observed(cohorts: pd.Series, as_of: dt.date) -> tuple[np.ndarray, np.ndarray]:
    """Days from the first and from the last day of calendar months to as_of; the latter are negative within a month."""
    months = pd.PeriodIndex(cohorts, freq="M")
    now = pd.Timestamp(as_of)
    return tuple((now - day.normalize()).days.to_numpy() for day in (months.start_time, months.end_time))


def pooled(cohorts: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """The months that are over, by cohort, channel, both or neither (``by``): by, month, customers, active, purchases,
    orders, net, first_net, margin.

    customers: those of the cohorts whose month is over, so that later months of a channel stand on its older cohorts
    alone. Months that nobody has behind him are there with null.
    """
    keys = [*by, "month"]
    sums = ["customers", *_SUMS, "margin"]
    over = cohorts[cohorts["over"]].groupby(keys)[sums].sum(skipna=False)
    every = cohorts.groupby(keys).size().index
    return over.astype(float).reindex(every).reset_index()


def retention(cohorts: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Share of customers with a purchase in each month since the first: by, month, customers, active, share.

    ``cohorts``: `table`. Month 0 holds the first purchase: 100 %. Null where the month is not over, and share on fewer
    than 10 customers.
    """
    found = pooled(cohorts, by)[[*by, "month", "customers", "active"]]
    return found.assign(share=(found["active"] / found["customers"]).where(found["customers"] >= SMALL))


def cumulative_value(cohorts: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """What a customer has brought by the end of each month: by, month, customers, purchases, net, margin.

    ``cohorts``: `table`. purchases (repeat purchase days), net and margin are sums per customer won, of whom is lost
    too: each month's sum over the customers who have it behind them, added up. Null where the month is not over, on
    fewer than 10 customers, and margin from the first month on in which it is not known.
    """
    found = pooled(cohorts, by)
    first = found["customers"].where(found["month"] == 0, 0.0)
    sums = found[["purchases", "net", "margin"]].assign(purchases=found["purchases"] - first)
    each = sums.div(found["customers"], axis=0).where(found["customers"] >= SMALL)
    running = each.groupby([found[name] for name in by]).cumsum(skipna=False) if by else each.cumsum(skipna=False)
    return pd.concat([found[[*by, "month", "customers"]], running], axis=1)


def expected(purchases, months: int, first: float, each: float) -> pd.DataFrame:
    """What the purchase model expects a new customer to bring, beside `cumulative_value`: month, purchases, money.

    Parameters
    ----------
    purchases : BetaGeoNBD
        Fitted, time in days.
    months : int
        Months since the first purchase.
    first, each : float
        Money of the day of first purchase, and of a repeat purchase day on average: net, or margin.

    A month ends with its last whole day: the purchases expected within ``span_start(k + 1) - 1`` days of the first.
    """
    ends = np.array([span_start(k + 1) - 1 for k in range(months)], dtype=float)
    counts = purchases.expected_purchases(ends, [0], [0], [0])[0] if months else ends
    return pd.DataFrame({"month": range(months), "purchases": counts, "money": first + counts * each})


def payback(cohorts: pd.DataFrame, costs: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """When what was spent on winning customers came back: by, customers, cost, cost_per_customer, margin_to_date,
    months_to_payback, horizon, payback.

    ``cohorts``: `table`; ``costs``: month (``2026-10``), amount, channel (may be missing or null: then it counts where
    ``by`` has no channel). Only cohorts whose month the costs speak of. cost is money; cost_per_customer and
    margin_to_date (`cumulative_value` at the end of the last month that is over) per customer won, null under 10.
    months_to_payback: months since the first purchase after which margin has reached cost and stayed there, null where
    not yet; horizon: months that 10 customers or more have behind them. payback, in words: ``paid_back``, ``not_yet``,
    ``no_costs`` (none recorded), ``margin_unknown`` (net sales are no profit: refused), ``too_few_customers``.
    """
    told = cohorts[cohorts["cohort"].isin(costs["month"])]
    table = _spent(told, costs, by)
    curves = cumulative_value(told, by).set_index(by)
    curves = curves[curves["customers"] >= SMALL].sort_values("month", kind="stable")
    # a cent that binary fractions lose must not cost a month
    lacking = ~((curves["margin"] - table["cost_per_customer"].reindex(curves.index)).round(9) >= 0)
    last_lacking = curves["month"].where(lacking, -1).groupby(level=by).max()
    table["margin_to_date"] = curves.loc[~curves.index.duplicated(keep="last"), "margin"]
    table["horizon"] = curves.groupby(level=by).size().reindex(table.index, fill_value=0)
    months = (last_lacking + 2.0).reindex(table.index)
    table["months_to_payback"] = months.where(months <= table["horizon"])
    return table.assign(payback=_outcome(table)).reset_index()[[*by, *_PAYBACK]]


_PAYBACK = [
    "customers", "cost", "cost_per_customer", "margin_to_date", "months_to_payback", "horizon", "payback",
]  # fmt: skip


def _spent(told: pd.DataFrame, costs: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """customers, cost, cost_per_customer of each group; cost is null where the costs do not know it."""
    spent = costs[costs["month"].isin(told["cohort"])].rename(columns={"month": "cohort"}).astype({"amount": float})
    table = told[told["month"] == 0].groupby(by)[["customers"]].sum()
    table["cost"] = spent.groupby(by)["amount"].sum() if set(by) <= set(spent) else np.nan
    table["cost_per_customer"] = (table["cost"] / table["customers"]).where(table["customers"] >= SMALL)
    return table


def _outcome(table: pd.DataFrame) -> np.ndarray:
    """A code per row: what kept it from an answer, else the answer."""
    unknown = (table["horizon"] > 0) & table["margin_to_date"].isna()
    reasons = [table["cost"].isna(), table["customers"] < SMALL, unknown, table["months_to_payback"].notna()]
    return np.select(reasons, ["no_costs", "too_few_customers", "margin_unknown", "paid_back"], "not_yet")
