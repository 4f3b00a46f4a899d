"""Customers in bands of one value, lowest first, and what each band loses when customers leave."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.errors import InputError, ParamsError
from tierbook.insight.voice import share

LEVELS = ("low", "middle", "high")


def bands(values: pd.Series, shares: dict[str, float]) -> pd.Series:
    """Band of every customer, as an ordered categorical: ``{"low": 0.5, "middle": 0.3, "high": 0.2}``, lowest first.

    A cut is the smallest value up to and including which at least the bands' share of customers lies, as
    `scores.rfm.quantile_cuts` for equal shares; a value at the cut lies below it. Equal values are never torn apart, so
    a band may hold a few more or fewer than its share. Null values have no band and count in no share.

    Raises
    ------
    ParamsError : shares that are not positive or do not sum to 1
    InputError : a value that is not a number
    """
    if not shares or min(shares.values()) <= 0 or abs(sum(shares.values()) - 1) > 1e-9:
        raise ParamsError(f"bands: shares must be positive and sum to 1; got {shares}")
    numbers = pd.to_numeric(values, errors="coerce")
    bad = numbers.isna() & values.notna()
    if bad.any():
        first = values[bad].head(3).tolist()
        raise InputError(f"bands: {bad.sum()} of {len(values)} values of {values.name} are not numbers, as {first}")
    counts = numbers.value_counts().sort_index()
    reached = counts.cumsum().to_numpy() / max(counts.sum(), 1)
    upto = np.cumsum(list(shares.values()))[:-1]
    cuts = counts.index.to_numpy()[np.searchsorted(reached, upto - 1e-12)] if len(counts) else upto
    codes = np.where(numbers.isna(), -1, np.searchsorted(cuts, numbers.to_numpy(dtype=float), side="left"))
    return pd.Series(pd.Categorical.from_codes(codes, list(shares), ordered=True), index=values.index)


def thirds(values: pd.Series) -> pd.Series:
    """`bands` of a third each: low, middle, high."""
    return bands(values, dict.fromkeys(LEVELS, 1 / 3))


def losses(band: pd.Series, left: pd.Series, monthly: pd.Series) -> pd.DataFrame:
    """What leaves with the customers who left, by band: one row per band, in its order.

    band, customers, left, churn with its 95 % Wilson interval low, high (null below 10 customers), revenue_lost: the
    sum of ``monthly`` of those who left, in the report's currency a month, and lost_share of the band's monthly
    revenue (null where there is none). ``left``: bool; customers of unknown band or of whom it is not known whether
    they left are not counted.
    """
    known = band.notna() & left.notna()
    gone = left[known].astype(bool)
    paid = monthly[known].astype(float)
    people = pd.DataFrame({"band": band[known], "left": gone, "paid": paid, "lost": paid.where(gone, 0.0)})
    groups = people.groupby("band", observed=False)
    table = groups.agg(customers=("left", "size"), left=("left", "sum"), revenue_lost=("lost", "sum"))
    found = [share(int(k), int(n)) for k, n in zip(table["left"], table["customers"], strict=True)]
    for name, key in (("churn", "value"), ("low", "low"), ("high", "high")):
        table[name] = np.array([row[key] for row in found], dtype=float)
    revenue = groups["paid"].sum()
    table["lost_share"] = (table["revenue_lost"] / revenue).where((revenue > 0) & (table["customers"] >= 10))
    columns = ["band", "customers", "left", "churn", "low", "high", "revenue_lost", "lost_share"]
    return table.astype({"left": "int64"}).reset_index().astype({"band": str})[columns]
