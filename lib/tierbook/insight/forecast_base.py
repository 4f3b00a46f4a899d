"""What the forecast is fitted on and tested with: customers counted by what their histories share."""

from __future__ import annotations

import narwhals as nw

from tierbook import history
from tierbook.insight import cohorts

HISTORY = ["first_day", "repeats", "t_x", "T"]
"""The columns of a history that the purchase models are fitted on."""
SPENDING = ["repeats", "mean_spend"]
"""The columns that the money per order is fitted on."""
HELD_OUT = ["repeats", "t_x", "T", "since", "last_period", "tier"]
"""The columns that the backtest stands on."""


def held_out(then: nw.LazyFrame, now: nw.LazyFrame, before: nw.LazyFrame | None, tiers: nw.LazyFrame) -> nw.LazyFrame:
    """The customers known at the start of the hold-out, those alike counted: `HELD_OUT` and ``customers``.

    ``then``, ``now``: histories at its start and its end; ``before``: at as many days before its start, None where the data
    do not reach back so far, and then there is no ``last_period``; ``tiers``: customer_id and tier at its start. ``since``:
    purchase days within it; ``last_period``: within as many days before it; a tier that is not known is null.
    """
    found = history.followed(then, now).join(tiers.select("customer_id", "tier"), on="customer_id", how="left")
    if before is None:
        return history.distinct(found, [name for name in HELD_OUT if name != "last_period"])
    days = before.select("customer_id", nw.col("active_days").alias("days_before"))
    earlier = nw.col("active_days") - nw.col("days_before").fill_null(0)
    found = found.join(days, on="customer_id", how="left").with_columns(earlier.alias("last_period"))
    return history.distinct(found, HELD_OUT)


def newcomers(known: nw.LazyFrame, registered: nw.LazyFrame, begin: int) -> nw.LazyFrame:
    """The newcomers of a history (`cohorts.won`), those alike counted: `HISTORY` and ``customers``."""
    return history.distinct(cohorts.won(known, registered, begin), HISTORY)
