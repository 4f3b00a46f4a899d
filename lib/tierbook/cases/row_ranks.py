"""Scores by row rank, the common shortcut, held against scores by value: whose tier hangs on where its row stands."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.scores.maps import Scheme
from tierbook.scores.rfm import MEASURES


def scores_by_row(measures: pd.DataFrame, bins: int, last: bool = False) -> pd.DataFrame:
    """r, f, m of each customer as ``pandas.qcut(values.rank(method="first"), bins)`` gives them, were its row the file's first.

    ``measures``: recency_days, frequency, monetary without null, two rows or more. Equal values are there ranked in the
    order of their rows, so that the border between two scores runs through them. ``last``: were the row the last one.
    Recency is labelled downwards, fewest days best.
    """
    n = len(measures)
    edges = 1 + (n - 1) * np.arange(1, bins) / bins
    scores = {}
    for letter, measure in zip("rfm", MEASURES, strict=True):
        rank = measures[measure].rank(method="max" if last else "min").to_numpy()
        # A border that is a whole rank is reached by it, whatever its last binary digit.
        above = np.searchsorted(edges + 1e-9, rank, side="left")
        scores[letter] = bins - above if letter == "r" else above + 1
    return pd.DataFrame(scores, index=measures.index)


def parted(measures: pd.DataFrame, bins: int) -> pd.DataFrame:
    """Identical customers whom row ranks part, by measure: measure, values, customers, largest.

    values: how many values have customers on both sides of a border between scores; customers: who has such a value;
    largest: customers of the commonest of these values. Where nothing is parted, all are 0.
    """
    first, last = scores_by_row(measures, bins), scores_by_row(measures, bins, last=True)
    rows = []
    for letter, measure in zip("rfm", MEASURES, strict=True):
        counts = measures.loc[first[letter] != last[letter], measure].value_counts()
        rows.append((measure, len(counts), int(counts.sum()), int(counts.max()) if len(counts) else 0))
    return pd.DataFrame(rows, columns=["measure", "values", "customers", "largest"])


def hangs_on_row(measures: pd.DataFrame, scheme: Scheme) -> pd.Series:
    """Whether each customer's tier by row ranks is another one when its row stands last in the file instead of first.

    A lower bound of whom the order of rows decides: between first and last there are further places.
    """
    tiers = [scheme.apply(scores_by_row(measures, scheme.bins, last)).astype(object) for last in (False, True)]
    return tiers[0] != tiers[1]
