"""Odds ratios of an event with and without something, crude and adjusted for what both hang on.

The crude ratio compares all who have it with all who have not. Where, say, the contract decides both who takes tech
support and who leaves, most of it belongs to the contract: the Mantel-Haenszel ratio compares like with like, stratum
by stratum. Neither is an effect: what no stratum names still differs.

``exposed`` and ``event`` are Series of bool (null: not known, the customer is left out), ``strata`` a DataFrame of
columns beside them (one stratum per combination; a customer with a null in any is left out).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

_Z = 1.959964
SMALL = 10  # below it, in either group, a stratum's own ratio is not told; it counts in the adjusted one all the same


def crude(exposed: pd.Series, event: pd.Series) -> dict:
    """Odds ratio of all customers together: value, low, high, n.

    ``(a / b) / (c / d)``: a, b the exposed with and without the event, c, d the others. The 95 % interval is Woolf's,
    ``exp(ln OR ± 1.96 √(1/a + 1/b + 1/c + 1/d))`` (Woolf 1955, Annals of Human Genetics 19:251). Null where a cell of
    the four is empty; n always given.
    """
    cells = _cells(exposed, event, pd.DataFrame({"all": "all"}, index=exposed.index))
    value, low, high = (column[0] if len(cells) else np.nan for column in _woolf(cells))
    return {"value": float(value), "low": float(low), "high": float(high), "n": int(cells.to_numpy().sum())}


def adjusted(exposed: pd.Series, event: pd.Series, strata: pd.DataFrame) -> dict:
    """Mantel-Haenszel odds ratio over the strata: value, low, high, n, strata, homogeneity_p.

    ``Σ(ad/n) / Σ(bc/n)`` (Mantel & Haenszel 1959, JNCI 22:719) with the 95 % interval of Robins, Breslow & Greenland
    (1986, Biometrics 42:311), good for few large strata as for many small ones. ``strata`` counts those that say
    anything, with exposed and unexposed, events and none; the customers in others change nothing, but count in n.
    homogeneity_p: Breslow & Day's test with Tarone's correction, small where the strata's own ratios differ by more
    than chance, so that one number hides them; null with fewer than two strata. The ratio is null where Σ(ad/n) or
    Σ(bc/n) is zero.
    """
    cells = _cells(exposed, event, strata)
    a, b, c, d = cells.to_numpy(dtype=float).T
    n = a + b + c + d
    telling = (a + b > 0) & (c + d > 0) & (a + c > 0) & (b + d > 0)
    found = {"value": np.nan, "low": np.nan, "high": np.nan, "n": int(n.sum()), "strata": int(telling.sum())}
    r, s = a * d / n, b * c / n
    if not r.sum() or not s.sum():
        return {**found, "homogeneity_p": np.nan}
    value, half = r.sum() / s.sum(), _Z * np.sqrt(_log_variance((a + d) / n, (b + c) / n, r, s))
    low, high = value * np.exp(-half), value * np.exp(half)
    p = _homogeneity_p(cells.to_numpy(dtype=float)[telling], value)
    return {**found, "value": float(value), "low": float(low), "high": float(high), "homogeneity_p": p}


def by_stratum(exposed: pd.Series, event: pd.Series, strata: pd.DataFrame) -> pd.DataFrame:
    """One row per stratum that occurs: the columns of ``strata``, then the four counts, the ratio and its weight.

    exposed, exposed_events, unexposed, unexposed_events; odds_ratio, low, high as `crude`, null too where fewer than 10
    are exposed or unexposed; weight: the stratum's share of the Mantel-Haenszel denominator Σ(bc/n), null where that
    is zero.
    """
    cells = _cells(exposed, event, strata)
    value, low, high = _woolf(cells)
    with_it, without = cells["a"] + cells["b"], cells["c"] + cells["d"]
    shared = cells["b"] * cells["c"] / cells.sum(axis=1)
    told = (with_it >= SMALL) & (without >= SMALL)
    columns = {
        "exposed": with_it, "exposed_events": cells["a"], "unexposed": without, "unexposed_events": cells["c"],
        "odds_ratio": value, "low": low, "high": high, "weight": shared / (shared.sum() or np.nan),
    }  # fmt: skip
    table = pd.DataFrame(columns, index=cells.index)
    ratio = ["odds_ratio", "low", "high"]
    table[ratio] = table[ratio].where(told, np.nan)
    return table.reset_index()


def _cells(exposed: pd.Series, event: pd.Series, strata: pd.DataFrame) -> pd.DataFrame:
    """Counts a, b, c, d by stratum, in the order of an ordered categorical, else sorted."""
    known = exposed.notna() & event.notna() & strata.notna().all(axis=1)
    has, happens = exposed[known].astype(bool), event[known].astype(bool)
    four = {"a": has & happens, "b": has & ~happens, "c": ~has & happens, "d": ~has & ~happens}
    return pd.DataFrame(four).groupby([strata.loc[known, name] for name in strata], observed=True).sum()


def _woolf(cells: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    counts = cells.to_numpy(dtype=float)
    a, b, c, d = np.where((counts > 0).all(axis=1, keepdims=True), counts, np.nan).T
    ratio, half = a * d / (b * c), _Z * np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return ratio, ratio * np.exp(-half), ratio * np.exp(half)


def _log_variance(p, q, r, s) -> float:
    """Robins, Breslow & Greenland's variance of the logarithm of the Mantel-Haenszel ratio."""
    both = 2 * r.sum() * s.sum()
    return (p * r).sum() / (2 * r.sum() ** 2) + (p * s + q * r).sum() / both + (q * s).sum() / (2 * s.sum() ** 2)


def _homogeneity_p(cells: np.ndarray, ratio: float) -> float:
    from scipy.special import chdtrc

    if len(cells) < 2:
        return np.nan
    a, b, c, d = cells.T
    with_it, events, n = a + b, a + c, a + b + c + d
    # The count of exposed events at which the stratum, its margins as they are, would have the common ratio.
    square, linear = 1 - ratio, (n - with_it) - events + ratio * (with_it + events)
    root = np.sqrt(linear**2 + 4 * square * ratio * with_it * events)
    expected = 2 * ratio * with_it * events / (linear + root)
    left = np.array([expected, with_it - expected, events - expected, n - with_it - events + expected])
    variance = 1 / (1 / left).sum(axis=0)
    q = ((a - expected) ** 2 / variance).sum() - (a - expected).sum() ** 2 / variance.sum()
    return float(chdtrc(len(cells) - 1, max(q, 0.0)))
