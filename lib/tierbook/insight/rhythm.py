"""Rhythm: how orders fall on weekdays and on the months of the year."""

from __future__ import annotations

import pandas as pd

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEK = 7
FEWEST_WEEKS, MOST_WEEKS = 8, 52
FEWEST_MONTHS, MOST_YEARS = 12, 3


def weekdays(orders: pd.DataFrame, end: int) -> pd.DataFrame:
    """Orders by weekday over the last whole weeks up to ``end``, at most 52: weekday (mon to sun), orders, index.

    ``orders``: `profile.daily_orders`; orders is the mean per day, index that over the mean of all days (1: an ordinary
    day). Empty under eight weeks of data, or without an order.
    """
    known = orders[orders["day"] <= end].set_index("day")["orders"].astype(float)
    weeks = min((end - known.index.min() + 1) // WEEK, MOST_WEEKS) if len(known) else 0
    empty = pd.DataFrame({"weekday": [], "orders": [], "index": []})
    if weeks < FEWEST_WEEKS:
        return empty
    days = known.reindex(range(end - weeks * WEEK + 1, end + 1), fill_value=0.0)
    means = days.groupby((days.index + 3) % WEEK).mean()  # 1970-01-01 was a Thursday
    if not means.sum() > 0:
        return empty
    return pd.DataFrame(
        {"weekday": list(WEEKDAYS), "orders": means.to_numpy(), "index": (means / means.mean()).to_numpy()}
    )


def years(months: pd.DataFrame, last: str) -> pd.DataFrame:
    """Orders of the whole months of the last three calendar years: year, month_of_year, month, orders.

    ``months``: `profile.monthly`, of which the first may be incomplete and is left out; ``last``: the last whole month.
    """
    whole = months.iloc[1:]
    whole = whole.loc[whole["month"] <= last, ["month", "orders"]]
    dated = whole.assign(year=whole["month"].str[:4].astype(int), month_of_year=whole["month"].str[5:].astype(int))
    recent = dated[dated["year"] > int(last[:4]) - MOST_YEARS]
    return recent[["year", "month_of_year", "month", "orders"]].reset_index(drop=True)


def strongest(years: pd.DataFrame) -> pd.Series | None:
    """The month of most orders among the last twelve, with ``index``: its orders over their mean; None under twelve."""
    latest = years.tail(FEWEST_MONTHS)
    if len(latest) < FEWEST_MONTHS or not latest["orders"].sum() > 0:
        return None
    best = latest.loc[latest["orders"].idxmax()]
    return pd.concat([best, pd.Series({"index": best["orders"] / latest["orders"].mean()})])
