"""Retention: of the customers of one year, how many bought again in the next; month by month."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook.accounting import day_number
from tierbook.months import months_before

YEAR = 12
_WHOLE_YEAR = (1 << YEAR) - 1


def calendar(as_of: dt.date, months: int) -> pd.DataFrame:
    """Every day of the months up to as_of: day (number), ago (0: the month that ends on as_of), bit (2 to the ago).

    At most 52 months, so that a customer's months add up to a number that every engine holds exactly.
    """
    ends = np.array([day_number(months_before(as_of, k)) for k in range(months + 1)])
    days = np.arange(ends[-1] + 1, ends[0] + 1)
    ago = months - np.searchsorted(ends[::-1], days, side="left")
    return pd.DataFrame({"day": days, "ago": ago, "bit": np.left_shift(1, ago)})


def patterns(days: nw.LazyFrame, months: nw.LazyFrame) -> nw.LazyFrame:
    """Customers by the months in which they bought: months (sum of the months' bits), customers.

    ``days``: `history.customer_days`; ``months``: `calendar`, in the engine.
    """
    bought = days.filter(nw.col("orders") > 0).join(months, on="day", how="inner")
    each = bought.group_by("customer_id", "bit").agg(nw.len().alias("days"))
    own = each.group_by("customer_id").agg(nw.col("bit").sum().alias("months"))
    return own.group_by("months").agg(nw.len().alias("customers"))


def by_month(found: pd.DataFrame, first_day: int, as_of: dt.date, months: int) -> pd.DataFrame:
    """Twelve-month retention (留存率) at as_of and the months before: index ago, base, kept.

    base: customers with a purchase in the twelve months that ended a year before the date; kept: those of them with one
    in the twelve months since (retained over those at risk: Farris et al. 2010, Marketing Metrics, section 5.1). The
    churn rate (流失率) is the rest. ``found``: `patterns` over ``months`` + 23 months, collected; ``first_day``: the first
    day in the data. Null where the data do not hold both years.
    """
    bought, customers = found["months"].to_numpy(dtype="int64"), found["customers"].to_numpy(dtype="int64")
    rows = []
    for ago in range(months):
        then = (bought >> (ago + YEAR)) & _WHOLE_YEAR > 0
        now = (bought >> ago) & _WHOLE_YEAR > 0
        known = first_day <= day_number(months_before(as_of, ago + 2 * YEAR)) + 1
        rows.append((customers[then].sum(), customers[then & now].sum()) if known else (np.nan, np.nan))
    return pd.DataFrame(rows, columns=["base", "kept"], index=pd.RangeIndex(months, name="ago"), dtype=float)
