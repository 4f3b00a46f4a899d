"""What late refunds changed in the last months' figures (上月数已重述).

A refund of a later day counts as money of its own day (docs/decisions/0003), so an earlier month's net sales stay what
they were. Here the money of a month's orders is followed on: what they were worth when that month ended, what went back
since, and what is left of them.
"""

from __future__ import annotations

import narwhals as nw
import pandas as pd

COUNTS = ["orders", "orders_refunded", "orders_cancelled"]
_MONEY = ["net_then", "added_since", "refunds_since", "net_restated"]
COLUMNS = ["end", "orders", *_MONEY, "orders_refunded", "orders_cancelled", "untied", "how"]
# what cannot be told where refunds are booked otherwise than on dated lines of their order
_THEN = ["net_then", "added_since", "refunds_since", "orders_refunded", "orders_cancelled"]
_UNKNOWN = {
    "refunds_undated": _THEN,
    "refunds_set_aside": [*_THEN, "net_restated", "untied"],
    "no_order_id": [*_THEN, "net_restated"],
}
_ORDER = ["customer_id", "order_key"]
_DAY, _SINCE = nw.col("day"), nw.col("day") > nw.col("end")
_FIRST, _BACK = nw.col("first_day"), nw.col("gross") - nw.col("net")
# a purchase as history.customer_days has it
_BOUGHT = (nw.col("net") > 0) | ((nw.col("net") == 0) & (nw.col("gross") == 0))


def restated(lines: nw.LazyFrame, spans: nw.LazyFrame, as_of: int) -> nw.LazyFrame:
    """One row per span with the measures of ``table`` and the counts that tell how refunds are booked.

    ``lines``: judged order lines (customer_id, order_id, order_key, day, net, gross, reason); lines after ``as_of`` (a
    day number) do not exist. ``spans``: start, end (day numbers), a month being the days after start up to end.
    """
    known = lines.filter(as_of >= _DAY)
    kept = known.filter(nw.col("reason") == "kept")
    # only orders with a line since the first span began can matter: one in ten or so of all, which a window would sort
    begun = spans.select(nw.col("start").min().alias("begin"))
    recent = kept.join(begun, how="cross").filter(nw.col("begin") < _DAY).select(*_ORDER).unique()
    per_day = (
        kept.join(recent, on=_ORDER, how="semi")
        .group_by("customer_id", "order_key", "day")
        .agg(nw.col("net", "gross").sum())
    )
    dated = per_day.with_columns(nw.when(_BOUGHT).then(_DAY).alias("bought_on")).with_columns(
        nw.col("bought_on").min().over("customer_id", "order_key").alias("first_day")
    )
    # one pass for all: the orders of each span, and what came back of orders that never were a purchase
    within = dated.join(spans, how="cross").filter(
        ((nw.col("start") < _FIRST) & (nw.col("end") >= _FIRST)) | (_FIRST.is_null() & _SINCE)
    )
    every = spans.select("end").join(_booking(known), how="cross")
    return every.join(_months(within), on="end", how="left")


def _months(within: nw.LazyFrame) -> nw.LazyFrame:
    per_order = within.group_by("end", "customer_id", "order_key").agg(
        _FIRST.is_null().any().alias("is_untied"),
        nw.when(~_SINCE).then("net").sum().alias("net_then"),
        nw.when(_SINCE).then("gross").sum().alias("added_since"),
        nw.when(_SINCE).then(_BACK).sum().alias("refunds_since"),
        nw.col("net").sum().alias("net_restated"),
    )
    tied, refunded = ~nw.col("is_untied"), nw.col("refunds_since") > 0
    cancelled = refunded & (nw.col("net_then") > 0) & (nw.col("net_restated") <= 0)
    return per_order.group_by("end").agg(
        nw.when(tied).then(1).otherwise(0).sum().alias("orders"),
        *(nw.when(tied).then(name).sum().alias(name) for name in _MONEY),
        nw.when(tied & refunded).then(1).otherwise(0).sum().alias("orders_refunded"),
        nw.when(tied & cancelled).then(1).otherwise(0).sum().alias("orders_cancelled"),
        nw.when(~tied).then("refunds_since").sum().alias("untied"),
    )


def _booking(known: nw.LazyFrame) -> nw.LazyFrame:
    """One row of counts: refunds on their sale's own line, on lines of their own, set aside; lines with an order_id."""
    kept = nw.col("reason") == "kept"
    return known.select(
        nw.when(kept, _BACK > 0, nw.col("gross") > 0).then(1).otherwise(0).sum().alias("on_sale_lines"),
        nw.when(kept, _BACK > 0, nw.col("gross") == 0).then(1).otherwise(0).sum().alias("own_lines"),
        nw.when(nw.col("reason") == "not_a_sale", nw.col("net") < 0).then(1).otherwise(0).sum().alias("set_aside"),
        nw.when(kept).then("order_id").count().alias("numbered"),
    )


def table(found: pd.DataFrame) -> pd.DataFrame:
    """``restated`` as pandas, the latest month first; a month without an order has zeros.

    Columns: end (day number); orders first bought in the month by identified customers; net_then, their net money as
    known at end; added_since and refunds_since, money booked on them after end (both positive); net_restated = net_then
    + added_since − refunds_since; orders_refunded since; orders_cancelled, worth something then and nothing now;
    untied, refunds booked after end whose order has no purchase in the data, whatever its month.

    how: ``dated`` (refunds are lines of a later day) or ``no_refunds``; else null stands for what cannot be told:
    ``refunds_undated`` (a refund_amount counts on the day of its sale, so what was known at end is lost),
    ``refunds_set_aside`` (refunds are not counted), ``no_order_id`` (refunds cannot be tied to orders).
    """
    how = _how(found)
    measures = found.set_index("end")[COLUMNS[1:-1]].astype(float).fillna(0.0)
    measures[_UNKNOWN.get(how, [])] = float("nan")
    shown = measures.astype(dict.fromkeys(COUNTS, "Int64")).reset_index()
    return shown.assign(how=how)[COLUMNS].sort_values("end", ascending=False, ignore_index=True)


def _how(found: pd.DataFrame) -> str:
    booked = found.iloc[0]
    if booked["on_sale_lines"] > 0:
        return "refunds_undated"
    if not booked["own_lines"] > 0:
        return "refunds_set_aside" if booked["set_aside"] > 0 else "no_refunds"
    return "dated" if booked["numbered"] > 0 else "no_order_id"
