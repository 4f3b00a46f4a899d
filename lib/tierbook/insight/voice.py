"""Voice of the customer: satisfaction and recommendation from survey answers, with intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.insight.shares import wilson

MIN_ANSWERS = 10
_Z = 1.959964


def recommendation(answers: pd.Series) -> dict:
    """Net promoter score of 0–10 answers: promoters (9–10) less detractors (0–6), in points from −100 to 100.

    value, low, high, n; the interval is the normal 95 % one of a mean of +100, 0 and −100. Answers off the scale (99
    for "no answer") do not count. Null below 10 answers; n always given.
    """
    votes = _on_scale(answers, 0, 10)
    if len(votes) < MIN_ANSWERS:
        return _unknown(len(votes))
    points = 100.0 * ((votes >= 9).astype(float) - (votes <= 6).astype(float))
    mean, half = points.mean(), _Z * points.std(ddof=1) / np.sqrt(len(points))
    return {"value": mean, "low": max(mean - half, -100.0), "high": min(mean + half, 100.0), "n": len(points)}


def satisfied(answers: pd.Series) -> dict:
    """Share of 1–5 answers that are 4 or 5, as `share`; answers off the scale do not count."""
    votes = _on_scale(answers, 1, 5)
    return share(int((votes >= 4).sum()), len(votes))


def share(count: int, n: int) -> dict:
    """value, low, high, n of a share, with its 95 % Wilson interval. Null below 10; n always given."""
    if n < MIN_ANSWERS:
        return _unknown(n)
    low, high = wilson(count / n, n)
    return {"value": count / n, "low": float(low), "high": float(high), "n": n}


def _on_scale(answers: pd.Series, lowest: int, highest: int) -> pd.Series:
    votes = answers.dropna().astype(float)
    return votes[votes.between(lowest, highest)]


def _unknown(n: int) -> dict:
    return {"value": np.nan, "low": np.nan, "high": np.nan, "n": n}
