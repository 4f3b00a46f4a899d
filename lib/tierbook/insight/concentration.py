"""Concentration of revenue: how unequally customers buy (Gini), and what the best of them hold (Pareto)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.insight.groups import SMALL

TOPS = (0.01, 0.10, 0.20, 0.50)
POINTS = 101


def gini(amounts: pd.Series) -> float:
    """The Gini coefficient of customers' money: 0 where all bring the same, towards 1 where one brings everything.

    Half the mean absolute difference of two customers over their mean: Σᵢ Σⱼ |xᵢ − xⱼ| / (2 n² x̄); with one of n
    holding all it is 1 − 1/n. Computed on sorted amounts as 2 Σ i·x₍ᵢ₎ / (n Σ x) − (n + 1) / n (Sen, On Economic
    Inequality, 1973). Amounts below zero (refunds beyond the window's purchases) count as zero, nulls do not
    count. Null under 10 customers, or where nobody brings anything.
    """
    held = _held(amounts)
    n, total = len(held), held.sum()
    if n < SMALL or total <= 0:
        return float("nan")
    return max(0.0, float(2 * (np.arange(n, 0, -1) @ held) / (n * total) - (n + 1) / n))


def pareto(amounts: pd.Series) -> pd.DataFrame:
    """The Pareto curve from (0, 0) to (1, 1) in at most 101 points: customers_share (best first), revenue_share held.

    Amounts as in `gini`; empty where that is null.
    """
    held = _held(amounts)
    n, total = len(held), held.sum()
    if n < SMALL or total <= 0:
        return pd.DataFrame({"customers_share": [], "revenue_share": []}, dtype=float)
    places = np.unique(np.linspace(0, n, POINTS).round().astype(int))
    cumulated = np.concatenate([[0.0], held.cumsum()])
    return pd.DataFrame({"customers_share": places / n, "revenue_share": cumulated[places] / cumulated[-1]})


def top_shares(amounts: pd.Series) -> pd.DataFrame:
    """What the best 1, 10, 20 and 50 % of customers bring: top, customers, revenue, revenue_share.

    Amounts as in `gini`; a part of a customer counts whole. revenue and revenue_share are null where the group has
    fewer than 10 customers, revenue_share also where nobody brings anything.
    """
    held = _held(amounts)
    total = held.sum()
    # 0.1 × 30 is a hair above 3 in floating point, and must not count a fourth customer
    customers = np.array([int(np.ceil(top * len(held) - 1e-9)) for top in TOPS])
    revenue = np.where(customers >= SMALL, np.concatenate([[0.0], held.cumsum()])[customers], np.nan)
    shares = revenue / total if total > 0 else np.full(len(TOPS), np.nan)
    return pd.DataFrame({"top": TOPS, "customers": customers, "revenue": revenue, "revenue_share": shares})


def _held(amounts: pd.Series) -> np.ndarray:
    """The amounts, best first: sorted before anything is added up, so that the order of rows changes no digit."""
    return np.sort(amounts.dropna().to_numpy(dtype=float).clip(min=0))[::-1]
