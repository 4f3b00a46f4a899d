"""How far two clusterings of the same customers agree."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.lookup import places
from tierbook.scores.counted import counts_of

MIN_SHARED = 10


def adjusted_rand(labels_a: pd.Series, labels_b: pd.Series, weights: np.ndarray | None = None) -> float:
    """Agreement of two clusterings (Hubert & Arabie 1985) on the customers (index) in both: 1 equal, 0 chance.

    ``weights``: how many customers each of ``labels_a`` stands for, without them one. NaN on fewer than 10 customers.
    """
    cells = overlap(labels_a, labels_b, weights).to_numpy()
    everyone = int(cells.sum())
    # Python's whole numbers, for products of such squares overflow 64 bits
    same, in_a, in_b = (int((counts**2).sum()) for counts in (cells, cells.sum(axis=1), cells.sum(axis=0)))
    if everyone < MIN_SHARED:
        return np.nan
    if same == in_a == in_b:
        return 1.0
    together, apart = same - everyone, everyone**2 - in_a - in_b + same
    only_a, only_b = in_a - same, in_b - same
    chance = (together + only_b) * (only_b + apart) + (together + only_a) * (only_a + apart)
    return 2 * (together * apart - only_a * only_b) / chance


def share_same(labels_a: pd.Series, labels_b: pd.Series, weights: np.ndarray | None = None) -> float:
    """Share of the customers in both clusterings who bear the same number in both; NaN on fewer than 10.

    ``weights`` as of `adjusted_rand`.
    """
    both = _in_both(labels_a, labels_b, weights)
    same, everyone = both.loc[both["a"] == both["b"], "customers"].sum(), both["customers"].sum()
    return float(same / everyone) if everyone >= MIN_SHARED else np.nan


def overlap(labels_a: pd.Series, labels_b: pd.Series, weights: np.ndarray | None = None) -> pd.DataFrame:
    """Customers (index) in both, by label in the one (rows) and in the other (columns); ``weights`` as of `adjusted_rand`."""
    both = _in_both(labels_a, labels_b, weights)
    return both.groupby(["a", "b"])["customers"].sum().unstack(fill_value=0)


def _in_both(labels_a: pd.Series, labels_b: pd.Series, weights: np.ndarray | None) -> pd.DataFrame:
    known = labels_a.notna().to_numpy()
    a, b, customers = labels_a[known], labels_b.dropna(), counts_of(weights, len(labels_a))[known]
    place = places(a.index, b.index)
    there = place >= 0
    labels = {"a": a.to_numpy(dtype=int)[there], "b": b.to_numpy(dtype=int)[place[there]]}
    return pd.DataFrame({**labels, "customers": customers[there]})
