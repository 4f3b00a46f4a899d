"""Tracking: repeat purchases as they added up day by day, beside what the purchase model expected of the same customers."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

STEP_DAYS = 7


def repeat_days(days: nw.LazyFrame, people: nw.LazyFrame, end: int) -> nw.LazyFrame:
    """Repeat purchase days by calendar day, of the customers in ``people``: day, purchases.

    ``days``: `history.customer_days`; ``people``: customer_id and first_day; ``end``: the last day that counts.
    """
    bought = days.filter(nw.col("orders") > 0, nw.col("day") <= end).select("customer_id", "day")
    repeats = bought.join(people, on="customer_id", how="inner").filter(nw.col("day") > nw.col("first_day"))
    return repeats.group_by("day").agg(nw.len().alias("purchases"))


def tracking(newcomers: pd.DataFrame, repeats: pd.DataFrame, purchases, cut: int, end: int) -> pd.DataFrame:
    """Cumulative repeat purchases every seventh day up to ``end``, and at ``cut``: day, actual, expected.

    Parameters
    ----------
    newcomers : DataFrame
        first_day (day number of the first purchase) of everyone known at ``cut``; customers, how many share the row.
    repeats : DataFrame
        `repeat_days` of the same customers.
    purchases : BetaGeoNBD
        Fitted, time in days. What it expects is of new customers, not given what they did (Fader, Hardie, Lee 2005,
        figure 4): E[X(t - first day)] summed over the customers; so the days up to ``cut`` test its fit, those after it
        its forecast.
    cut, end : int
        The day the model was fitted at, and the last day, as days since 1970-01-01.
    """
    won = newcomers.groupby("first_day")["customers"].sum()
    if won.empty:
        return pd.DataFrame({"day": [], "actual": [], "expected": []})
    begin, starts = int(won.index[0]), won.index.to_numpy()
    points = np.union1d(np.arange(end, begin - 1, -STEP_DAYS), cut)
    by_age = purchases.expected_purchases(np.arange(end - begin + 1, dtype=float), [0], [0], [0])[0]
    ages = np.maximum(points[:, None] - starts, 0)
    ordered = repeats.sort_values("day")
    running = np.concatenate([[0], ordered["purchases"].to_numpy().cumsum()])
    actual = running[np.searchsorted(ordered["day"].to_numpy(), points, side="right")]
    return pd.DataFrame({"day": points, "actual": actual, "expected": (by_age[ages] * won.to_numpy()).sum(axis=1)})
