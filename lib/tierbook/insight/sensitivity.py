"""How much the tiers depend on the window, the number of scores, and what frequency counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd

from tierbook import lookup
from tierbook.insight.groups import SMALL
from tierbook.params import Rfm
from tierbook.scores.maps import OUTSIDE, Scheme
from tierbook.scores.rfm import Scale, fit_scale, in_measures, mean_split

OTHER_BINS = (4, 6)
_ANY_DAY = dt.date(1970, 1, 1)
"""A scale fitted here is used at once and kept nowhere: the day it is valid from is never read."""


def sensitivity(base: pd.Series, variants: Iterable[tuple[str, pd.Series]], best: str) -> pd.DataFrame:
    """Each variant's tiers beside the base's, one row per variant.

    ``base``, and of each of the ``variants`` (code, tiers): tier by customer_id (a customer at most once); null and
    ``outside`` are no tier. Columns: variant; customers (with a tier in either); same_tier (of those with a tier in both, the share whose tier is the
    same); best_customers (in the tier ``best`` of the variant); best_kept (of the base's best, the share that is best
    in the variant too; who has no tier there is not). Shares of fewer than 10 customers are null.
    """
    own = _named(base)
    rows = [(variant, *_beside(own, _named(tiers), best)) for variant, tiers in variants]
    return pd.DataFrame(rows, columns=["variant", "customers", "same_tier", "best_customers", "best_kept"]).astype(
        {"variant": "str", "same_tier": float, "best_kept": float}
    )


def _named(tiers: pd.Series) -> pd.Series:
    return tiers.astype(object)[(tiers.notna() & (tiers != OUTSIDE)).to_numpy(dtype=bool)]


def _beside(base: pd.Series, tiers: pd.Series, best: str) -> tuple:
    there, own = lookup.of(base.index, tiers.index, tiers).to_numpy(), base.to_numpy()
    both, same = pd.notna(there), there == own
    customers = len(base) + len(tiers) - int(both.sum())
    return customers, _share(same[both]), int((tiers.to_numpy() == best).sum()), _share(same[own == best])


def _share(holds: np.ndarray) -> float | None:
    return float(holds.mean()) if len(holds) >= SMALL else None


def variants(
    at: Callable[[int], pd.DataFrame], lengths: Iterable[int], rules: Rfm, scheme: Scheme
) -> Iterator[tuple[str, pd.Series]]:
    """Tiers by customer_id under other rules than the report's, one after the other: code, tiers.

    The base to compare with is `tiers_of` its own window. ``at``: gives the `history.windows` frame of a number of days
    before one date (traits of the scheme, where it has any, as further columns); ``lengths``: in days, the rules' own
    aside. Codes: ``window_<days>`` for every other length, ``bins_4`` and ``bins_6``, and ``frequency_days``
    (``frequency_orders`` where the rules count days). Every variant fits its own scale, a frozen one is not used.
    Schemes split at the mean or with traits, and scales that are not cut at quantiles, have no variant of bins.
    """
    for days in sorted(set(lengths) - {rules.window_days}):
        yield f"window_{days}", tiers_of(at(days), rules, scheme)
    own = at(rules.window_days)
    if scheme.scores != "mean" and not scheme.traits and rules.method == "quantile":
        for bins in OTHER_BINS:
            if bins != rules.bins:
                yield f"bins_{bins}", tiers_with_bins(own, bins, rules, scheme)
    other = "orders" if rules.frequency == "days" else "days"
    yield f"frequency_{other}", tiers_of(own, rules.model_copy(update={"frequency": other}), scheme)


def tiers_of(windows: pd.DataFrame, rules: Rfm, scheme: Scheme) -> pd.Series:
    """Tier by customer_id on a scale fitted on these very customers; null where a measure is unknown."""
    measures = in_measures(windows, rules)
    return _tiers(windows, _scores(measures, _scale(measures, rules, scheme.scores)), scheme)


def tiers_with_bins(windows: pd.DataFrame, bins: int, rules: Rfm, scheme: Scheme) -> pd.Series:
    """Tier by customer_id from ``bins`` quantile scores, read on a scheme with another number of scores.

    A frequency that over 40 % of customers share keeps its fixed cuts, which are no quantiles and know no number of
    bins.
    """
    measures = in_measures(windows, rules)
    usual = _scale(measures, rules, "rfm")
    scores = _scores(measures, _scale(measures, rules.model_copy(update={"bins": bins}), "rfm"))
    scores = scores.apply(read_on, bins=bins, scheme_bins=scheme.bins)
    if usual is not None and "frequency_fixed" in usual.notes:
        scores["f"] = _scores(measures, usual)["f"]
    return _tiers(windows, scores, scheme)


def _scale(measures: pd.DataFrame, rules: Rfm, scores: str) -> Scale | None:
    known = measures.dropna()
    if known.empty:
        return None
    return mean_split(known, _ANY_DAY) if scores == "mean" else fit_scale(known, rules, _ANY_DAY)


def _scores(measures: pd.DataFrame, scale: Scale | None) -> pd.DataFrame:
    if scale is None:
        return pd.DataFrame(pd.NA, index=measures.index, columns=list("rfm"), dtype="Int8")
    return scale.apply(measures)


def _tiers(windows: pd.DataFrame, scores: pd.DataFrame, scheme: Scheme) -> pd.Series:
    traits = windows[list(scheme.traits)]
    named = scheme.apply(pd.concat([scores, traits], axis=1)).astype(object)
    return named.set_axis(windows["customer_id"])


def read_on(scores: pd.Series, bins: int, scheme_bins: int) -> pd.Series:
    """Scores 1 to ``bins`` as the scheme's: the one that holds the middle of the quantile, floor(B·(s − ½)/k) + 1.

    Four scores are read on five as 1, 2, 4, 5; six as 1, 2, 3, 3, 4, 5.
    """
    return scheme_bins * (2 * scores.astype("Int64") - 1) // (2 * bins) + 1
