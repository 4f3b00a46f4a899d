"""Values that cannot be: counted order lines that contradict themselves, their product's price, or the calendar."""

from __future__ import annotations

import datetime as dt

import narwhals as nw

from tierbook.accounting import day_number
from tierbook.insight.groups import SMALL
from tierbook.insight.profile import COUNTED

EARLIEST = dt.date(1990, 1, 1)
TOO_DEAR = 1000
FAULTS = ("too_early", "cost_below_zero", "no_quantity", "price_far_off")

_NET, _QUANTITY = nw.col("net").cast(nw.Float64), nw.col("quantity").cast(nw.Float64)


def impossible(lines: nw.LazyFrame) -> nw.LazyFrame:
    """One row per fault found: fault, lines, amount (net), example (an order); each line has the first fault that applies.

    ``too_early``: a day before 1990, when no shop's system kept orders (Excel's day 0 is in 1900, Unix's in 1970).
    ``cost_below_zero``: a cost below zero on a line that is no refund. ``no_quantity``: a quantity of zero or less where
    money came in. ``price_far_off``: a price per piece over 1000 times the median of its product, of ten lines or more:
    a slipped decimal, cents for 元, or 元 for 万元. Empty cells are no fault.
    """
    counted = lines.filter(nw.col("reason").is_in(list(COUNTED))).with_columns(
        nw.when(_NET > 0, _QUANTITY > 0).then(_NET / _QUANTITY).alias("price")
    )
    priced = counted.filter(~nw.col("price").is_null(), ~nw.col("product").is_null())
    usual = priced.group_by("product").agg(nw.col("price").median().alias("usual"), nw.len().alias("sold"))
    judged = counted.join(usual.filter(nw.col("sold") >= SMALL), on="product", how="left")
    conditions = (
        nw.col("day") < day_number(EARLIEST),
        (nw.col("cost") < 0) & (_NET >= 0),
        (_QUANTITY <= 0) & (_NET > 0),
        nw.col("price") > TOO_DEAR * nw.col("usual"),
    )
    fault = nw.lit(None, nw.String)
    for name, condition in reversed(list(zip(FAULTS, conditions, strict=True))):
        fault = nw.when(condition).then(nw.lit(name)).otherwise(fault)
    return (
        judged.with_columns(fault.alias("fault"))
        .filter(~nw.col("fault").is_null())
        .group_by("fault")
        .agg(nw.len().alias("lines"), nw.col("net").sum().alias("amount"), nw.col("order_key").min().alias("example"))
    )
