"""How expected value is spread over customers: counted by amount, and ten customers with their ranges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

BINS = 40
EXAMPLES = 10


def spread(clv: pd.Series, low: pd.Series, high: pd.Series) -> dict[str, Any]:
    """What a picture of the expected value of all customers is drawn from.

    ``clv``, ``low`` and ``high``: the value and its range of each customer; those without a value do not count. Returns
    ``bins`` (low, high, customers): 40 of equal width in the square root of the amount, the first also of who is below
    nil, the last of all above it. ``examples`` (share, clv, clv_low, clv_high): ten customers, one from the middle of each
    tenth, least value first; share of the customers stand before them. ``middle`` and ``mean`` of all, null without any.
    """
    known = clv.notna().to_numpy()
    values, lows, highs = (column.to_numpy(dtype=float)[known] for column in (clv, low, high))
    examples = _examples(values, lows, highs)
    top = max(float(examples["clv_high"].max()), float(np.quantile(values, 0.99)), 1.0) if len(values) else 1.0
    edges = np.linspace(0, np.sqrt(top), BINS + 1) ** 2
    edges[-1] = top  # the square of a root may fall short of what it is the root of
    counts, _ = np.histogram(values.clip(0, top), edges)
    bins = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "customers": counts})
    middle, mean = (float(np.median(values)), float(pd.Series(values).mean())) if len(values) else (None, None)
    return {"bins": bins, "examples": examples, "middle": middle, "mean": mean}


def _examples(values: np.ndarray, lows: np.ndarray, highs: np.ndarray) -> pd.DataFrame:
    """The customers in the middle of each tenth; those of one value in the order of their ranges."""
    n = len(values)
    places = np.unique(((np.arange(EXAMPLES) + 0.5) / EXAMPLES * n).astype(int)) if n else np.zeros(0, dtype=int)
    rows = np.lexsort([highs, lows, values])[places]
    found = {"share": (places + 0.5) / max(n, 1), "clv": values[rows], "clv_low": lows[rows], "clv_high": highs[rows]}
    return pd.DataFrame(found)
