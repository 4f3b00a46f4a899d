"""Touchpoints (客户旅程): what came next after a contact, a visit, an order or a ticket, counted by the engine."""

from __future__ import annotations

from collections.abc import Mapping

import narwhals as nw
import pandas as pd

from tierbook.insight.voice import MIN_ANSWERS

EVENTS = {
    "contact": ("contacts", "contacted_at"),
    "visit": ("visits", "visited_at"),
    "ticket": ("tickets", "opened_at"),
}
ORDER = ("contact", "visit", "order", "ticket")
NOTHING = "nothing"
NEXT_DAYS = 30
COLUMNS = ["from", "to", "occasions", "customers", "share"]


def day_of(column: str) -> nw.Expr:
    """The day of a time as days since 1970-01-01, right for 1970 to 2100; null stays null."""
    year, in_year = nw.col(column).dt.year().cast(nw.Int64), nw.col(column).dt.ordinal_day().cast(nw.Int64)
    # No expression for it is the same on every engine; in these years every fourth has a leap day.
    return 365 * (year - 1970) + (year - 1969) // 4 + in_year - 1


def days_of(table: nw.LazyFrame, event: str) -> nw.LazyFrame:
    """customer_id, day, place of every event of an optional table; what has no time has not happened."""
    moment = EVENTS[event][1]
    known = table.filter(~nw.col(moment).is_null())
    return known.select("customer_id", day_of(moment).alias("day"), nw.lit(ORDER.index(event)).alias("place"))


def transitions(days: nw.LazyFrame, events: Mapping[str, nw.LazyFrame], start: int, end: int) -> nw.LazyFrame:
    """Occasions and customers by event and the next one: place, next_place, occasions, customers.

    An occasion is a customer's day with an event of a kind, on the days after ``start`` up to ``end`` less 30, so that
    each has had its 30 days. Next is the customer's next occasion of any kind within 30 days; next_place is null where
    there is none. On one day they stand in the order of `ORDER`, for orders have no hour.

    ``days``: `history.customer_days`; ``events``: the optional tables by event.
    """
    orders = days.filter(nw.col("orders") > 0).select(
        "customer_id", nw.col("day").cast(nw.Int64), nw.lit(ORDER.index("order")).alias("place")
    )
    found = nw.concat([orders, *(days_of(table, event) for event, table in events.items())], how="vertical")
    once = found.filter(nw.col("day") > start, nw.col("day") <= end).unique(["customer_id", "day", "place"])
    step = (nw.col("day") * len(ORDER) + nw.col("place")).alias("step")
    followed = once.with_columns(step).with_columns(
        nw.col("step").shift(-1).over("customer_id", order_by="step").alias("next")
    )
    next_day = nw.col("next") // len(ORDER)
    soon = followed.filter(nw.col("day") <= end - NEXT_DAYS).with_columns(
        nw.when(next_day - nw.col("day") <= NEXT_DAYS).then(nw.col("next") % len(ORDER)).alias("next_place")
    )
    return soon.group_by("place", "next_place").agg(
        nw.len().alias("occasions"), nw.col("customer_id").n_unique().alias("customers")
    )


def table(counted: pd.DataFrame) -> pd.DataFrame:
    """touchpoints.csv of `transitions`: from, to (``nothing``: none within 30 days), occasions, customers, share.

    Every pair of the kinds that there are has a row, of zeros where nobody went so. share is over the occasions of
    ``from``, null where no step from there was gone by 10 customers (so that they are surely 10 or more). In the order of
    `ORDER`, ``nothing`` last.
    """
    nothing = len(ORDER)
    steps = [counted["place"].astype(int), counted["next_place"].fillna(nothing).astype(int)]
    found = counted[["occasions", "customers"]].set_index(pd.MultiIndex.from_arrays(steps, names=COLUMNS[:2]))
    kinds = sorted({*steps[0], *steps[1], nothing}) if len(counted) else []
    every = pd.MultiIndex.from_product([sorted(set(steps[0])), kinds], names=COLUMNS[:2])
    found = found.reindex(every, fill_value=0).reset_index()
    by_event = found.groupby("from")
    enough = by_event["customers"].transform("max") >= MIN_ANSWERS
    found["share"] = found["occasions"] / by_event["occasions"].transform("sum").where(enough)
    names = dict(enumerate((*ORDER, NOTHING)))
    return found.assign(**{end: found[end].map(names) for end in ("from", "to")})[COLUMNS]
