"""History: one row per customer at a date, as one lazy engine expression over the order lines that count."""

from __future__ import annotations

import datetime as dt

import narwhals as nw

from tierbook.accounting import day_number

_DAY = nw.col("day")
_PURCHASE = nw.col("orders") > 0


def customer_days(lines: nw.LazyFrame, lines_are_orders: bool = False) -> nw.LazyFrame:
    """One row per customer and day: ``orders`` first bought that day, ``net`` money of the day, ``refunds``, ``cost``, and
    ``nth`` and ``gap`` (`with_gaps`).

    Lines of one order on one day are netted. They are a purchase when what is left is above zero, or when the lines
    were free from the start (a zero-price order counts, a wholly cancelled one does not). An order whose lines stand on
    several days counts once, on the first; its money stays on its own days, so that a refund counts when it happens
    and no later day ever changes an earlier one. A day with money but no purchase (a refund) has ``orders`` 0.

    ``refunds`` is the money taken back that day (positive): amounts below zero, and the refund_amount of its lines;
    what was cancelled on the day of its purchase too. ``net`` is already without it.

    ``cost`` is null where any line of the day has none. ``lines_are_orders`` says that every line is an order of its
    own, which saves adding lines up to orders first; the result is the same.
    """
    kept = lines.filter(nw.col("reason") == "kept").with_columns(nw.col("cost").is_null().alias("no_cost"))
    bought = (nw.col("net") > 0) | ((nw.col("net") == 0) & (nw.col("gross") == 0))
    if lines_are_orders:
        counted = kept.with_columns(nw.when(bought).then(1).otherwise(0).alias("orders"))
    else:
        per_order = kept.group_by("customer_id", "order_key", "day").agg(
            nw.col("net", "gross", "cost").sum(), nw.col("no_cost").any()
        )
        counted = _on_first_days(per_order.with_columns(nw.when(bought).then(_DAY).alias("bought_on")))
    return with_gaps(
        counted.with_columns((nw.col("gross") - nw.col("net")).alias("refunds"))
        .group_by("customer_id", "day")
        .agg(nw.col("orders", "net", "refunds", "cost").sum(), nw.col("no_cost").any())
        .with_columns(nw.when(~nw.col("no_cost")).then(nw.col("cost")).alias("cost"))
        .drop("no_cost")
    )


def _on_first_days(per_order: nw.LazyFrame) -> nw.LazyFrame:
    """``orders`` 1 on the first day that an order was bought on, 0 on its other days.

    Few orders stand on several days: looking those up takes a third less memory than a window over all orders.
    """
    order = ["customer_id", "order_key"]
    several = (
        per_order.group_by(*order)
        .agg(nw.len().alias("days"), nw.col("bought_on").min().alias("first"))
        .filter(nw.col("days") > 1)
        .drop("days")
    )
    dated = per_order.join(several, on=order, how="left")
    first = nw.col("first").is_null() | (nw.col("bought_on") == nw.col("first"))
    return dated.with_columns(
        nw.when(~nw.col("bought_on").is_null() & first).then(1).otherwise(0).alias("orders")
    ).drop("first")


def with_gaps(days: nw.LazyFrame) -> nw.LazyFrame:
    """Customers' days (customer_id, day, orders) with ``nth`` and ``gap``, which no later day can change.

    ``nth`` is 1 on the day of a customer's first purchase, 2 on the second, 3 on any later one, 0 on a day without;
    ``gap`` the days since the purchase day before, null on the first and on a day without a purchase. The one sort per
    customer that this takes is done once, and serves the histories of every date.
    """
    own = {"order_by": "day"}
    seen = days.with_columns(_PURCHASE.alias("bought")).with_columns(
        _DAY.shift(1).over("customer_id", "bought", **own).alias("before"),
        _DAY.shift(2).over("customer_id", "bought", **own).alias("before_that"),
    )
    repeat = nw.col("bought") & ~nw.col("before").is_null()
    nth = nw.when(~nw.col("before_that").is_null()).then(3).when(repeat).then(2).otherwise(1)
    return seen.with_columns(
        nw.when(nw.col("bought")).then(nth).otherwise(0).alias("nth"),
        nw.when(repeat).then(_DAY - nw.col("before")).alias("gap"),
    ).drop("bought", "before", "before_that")


def history(days: nw.LazyFrame, as_of: dt.date, window_days: int) -> nw.LazyFrame:
    """One row per customer with a purchase up to and including ``as_of``, of `customer_days`; later days never leak in.

    Columns (money net of refunds in the report's currency, days as days since 1970-01-01):
    first_day, last_day of purchase; orders, active_days (days with a purchase), net over all time; repeats (active days
    less one), t_x (days from first to last purchase), T (days from first purchase to as_of), recency_days; mean_spend
    (net money outside the first day per repeat day; null without a repeat); own_gap_days (median days between
    purchase days) and first_gap_days (first to second), null without a repeat; and for the ``window_days`` that end
    on as_of, window_orders, window_active_days, window_net, window_cost (null where a line has no cost), with
    previous_orders and previous_net for as many days before them.
    """
    end = day_number(as_of)
    nth = nw.col("nth")
    marked = days.filter(end >= _DAY).with_columns(
        nw.when(nth == 1).then("net").alias("first_net"),
        nw.when(nth == 2).then("gap").alias("second_gap"),
        nw.when(nth > 0).then(_DAY).alias("bought_on"),
        (end - window_days < _DAY).alias("now"),
        ((end - window_days >= _DAY) & (end - 2 * window_days < _DAY)).alias("then"),
    )
    return _rates(marked.group_by("customer_id").agg(*_TOTALS), end)


def _within(window: str, column: str, name: str) -> nw.Expr:
    return nw.when(nw.col(window)).then(nw.col(column)).sum().alias(name)


_TOTALS = (
    nw.col("bought_on").min().alias("first_day"),
    nw.col("bought_on").max().alias("last_day"),
    nw.col("orders").sum(),
    nw.col("bought_on").count().alias("active_days"),
    nw.col("net").sum(),
    nw.col("first_net").sum(),
    nw.col("gap").median().alias("own_gap_days"),
    nw.col("second_gap").max().alias("first_gap_days"),
    _within("now", "orders", "window_orders"),
    nw.when(nw.col("now")).then(nw.col("bought_on")).count().alias("window_active_days"),
    _within("now", "net", "window_net"),
    _within("now", "cost", "window_cost"),
    nw.when(nw.col("now") & nw.col("cost").is_null()).then(1).otherwise(0).sum().alias("window_uncosted"),
    _within("then", "orders", "previous_orders"),
    _within("then", "net", "previous_net"),
)


def _rates(totals: nw.LazyFrame, end: int) -> nw.LazyFrame:
    repeats, later = nw.col("active_days") - 1, nw.col("net") - nw.col("first_net")
    # Divided as floating point: Spark's quotient of a DECIMAL is a DECIMAL, rounded after six digits.
    return (
        totals.filter(~nw.col("first_day").is_null())
        .with_columns(
            repeats.alias("repeats"),
            (nw.col("last_day") - nw.col("first_day")).alias("t_x"),
            (end - nw.col("first_day")).alias("T"),
            (end - nw.col("last_day")).alias("recency_days"),
            nw.when(repeats > 0).then(later.cast(nw.Float64) / repeats).alias("mean_spend"),
            nw.when(nw.col("window_uncosted") == 0).then(nw.col("window_cost")).alias("window_cost"),
        )
        .drop("first_net", "window_uncosted")
    )


def distinct(histories: nw.LazyFrame, columns: list[str]) -> nw.LazyFrame:
    """The distinct rows of some columns, each with ``customers``: how many share it. What rules are fitted on."""
    return histories.group_by(*columns).agg(nw.len().alias("customers"))


def followed(then: nw.LazyFrame, now: nw.LazyFrame) -> nw.LazyFrame:
    """The customers of an earlier history with ``since``: purchase days of each from its date up to that of a later one."""
    later = now.select("customer_id", nw.col("active_days").alias("days_now"))
    joined = then.join(later, on="customer_id", how="left")
    return joined.with_columns((nw.col("days_now") - nw.col("active_days")).alias("since")).drop("days_now")


def windows(days: nw.LazyFrame, ends: nw.LazyFrame, window_days: int) -> nw.LazyFrame:
    """One row per customer and date of ``ends`` (column ``end``, a day number) with a purchase in the window before it.

    Columns: end, customer_id, recency_days, window_orders, window_active_days, window_net,
    window_cost: what tiers at many dates need, in one pass.
    """
    within = days.join(ends, how="cross").filter(nw.col("end") >= _DAY, nw.col("end") - window_days < _DAY)
    bought = within.with_columns(nw.when(_PURCHASE).then(_DAY).alias("bought"))
    return (
        bought.group_by("end", "customer_id")
        .agg(
            nw.col("bought").max().alias("last_day"),
            nw.col("orders").sum().alias("window_orders"),
            nw.col("bought").count().alias("window_active_days"),
            nw.col("net").sum().alias("window_net"),
            nw.col("cost").sum().alias("window_cost"),
            nw.col("cost").is_null().any().alias("uncosted"),
        )
        .filter(~nw.col("last_day").is_null())
        .with_columns(
            (nw.col("end") - nw.col("last_day")).alias("recency_days"),
            nw.when(~nw.col("uncosted")).then(nw.col("window_cost")).alias("window_cost"),
        )
    )
