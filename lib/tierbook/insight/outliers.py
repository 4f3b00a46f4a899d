"""Outliers: orders and customers so large beside the others that a few of them carry the totals."""

from __future__ import annotations

import math

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook.insight.groups import SMALL

FENCE = 3.0
MOST_LISTED = 10
LISTED = ["of", "customer_id", "order_id", "day", "amount", "times_median", "beyond"]
_AMOUNT = nw.col("amount")


def orders(lines: nw.LazyFrame, after: int, until: int) -> nw.LazyFrame:
    """Orders of known customers by net money above zero: customer_id, order_key, order_id, day (of the first line), amount.

    Lines of the days after ``after`` up to ``until`` (day numbers) count.
    """
    within = lines.filter(nw.col("reason") == "kept", nw.col("day") > after, nw.col("day") <= until)
    per_order = within.group_by("customer_id", "order_key").agg(
        nw.col("order_id").min(), nw.col("day").min(), nw.col("net").sum().cast(nw.Float64).alias("amount")
    )
    return per_order.filter(_AMOUNT > 0)


def spread(found: nw.LazyFrame) -> nw.LazyFrame:
    """n, money, median, largest, and the quartiles of log money (q1, q3) of amounts above zero: one row."""
    log = _AMOUNT.log()
    return found.select(
        nw.len().alias("n"),
        _AMOUNT.sum().alias("money"),
        _AMOUNT.median().alias("median"),
        _AMOUNT.max().alias("largest"),
        log.quantile(0.25, "linear").alias("q1"),
        log.quantile(0.75, "linear").alias("q3"),
    )


def fence(spread: pd.Series) -> float:
    """The bound beyond which an amount is an outlier: exp(Q3 + 3 · (Q3 − Q1)) of log money.

    Tukey's outer fence (Exploratory Data Analysis, 1977, p. 44), on logs because money is skewed: of log-normal amounts
    one in 800,000 lies beyond. Null under ten amounts, and where half of them are alike (Q1 = Q3).
    """
    width = spread["q3"] - spread["q1"]
    return math.exp(spread["q3"] + FENCE * width) if spread["n"] >= SMALL and width > 0 else float("nan")


def beyond(found: nw.LazyFrame, bound: float) -> nw.LazyFrame:
    """How many amounts lie beyond the bound, and their money: one row."""
    return found.filter(nw.col("amount") > bound).select(nw.len().alias("beyond"), _AMOUNT.sum().alias("held"))


def largest(found: nw.LazyFrame) -> nw.LazyFrame:
    """The ten largest."""
    names = ["amount", "customer_id", "order_key"]
    return found.sort(names, descending=[True, False, False]).head(MOST_LISTED)


def of_customers(history: nw.LazyFrame) -> nw.LazyFrame:
    """Customers by the window's net money above zero, in the form of `orders`: customer_id, order_key (empty), amount."""
    amount = nw.col("window_net").cast(nw.Float64).alias("amount")
    return history.select("customer_id", amount, nw.lit("").alias("order_key")).filter(_AMOUNT > 0)


def summary(of: str, spread: pd.Series, beyond: pd.Series) -> dict:
    """One row of outliers.csv: of (order or customer), n, median, largest, bound, beyond, held, held_share.

    held: the money of the amounts beyond the bound; held_share of all money. Null where there is no bound.
    """
    bound = fence(spread)
    known = not np.isnan(bound)
    row = {"of": of, "n": int(spread["n"]), "median": spread["median"], "largest": spread["largest"], "bound": bound}
    held = float(np.nan_to_num(beyond["held"])) if known else float("nan")
    count = int(beyond["beyond"]) if known else None
    return {**row, "beyond": count, "held": held, "held_share": held / spread["money"] if known else float("nan")}


def listed(of: str, top: pd.DataFrame, told: dict) -> pd.DataFrame:
    """The largest beside the median: of, customer_id, order_id, day, amount, times_median, beyond (null without a bound)."""
    table = top.reindex(columns=["customer_id", "order_id", "day", "amount"])
    far = None if np.isnan(told["bound"]) else table["amount"] > told["bound"]
    return table.assign(of=of, times_median=table["amount"] / told["median"], beyond=far)[LISTED]
