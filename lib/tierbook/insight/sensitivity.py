"""How much the tiers depend on the window, the number of scores, and what frequency counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from tierbook import lookup
from tierbook.insight.groups import SMALL
from tierbook.params import Rfm
from tierbook.scores.maps import OUTSIDE, Scheme
from tierbook.scores.rfm import Scale, fit_scale, in_measures, mean_split

OTHER_BINS = (4, 6)
_COUNTED = ["customers", "both", "same", "best_customers", "best_before", "best_kept"]
_ANY_DAY = dt.date(1970, 1, 1)
"""A scale fitted here is used at once and kept nowhere: the day it is valid from is never read."""


@dataclass(frozen=True)
class OtherRules:
    """What gives any customers their tiers under rules other than the report's, on a scale fitted for them alone.

    ``scale``: None where no customer has all three measures; ``frequency``: what scores the frequency where that keeps
    its fixed cuts; ``window_days``: the window that the measures are of.
    """

    rules: Rfm
    scheme: Scheme
    window_days: int
    scale: Scale | None
    frequency: Scale | None = None

    def tiers(self, windows: pd.DataFrame) -> pd.Series:
        """Tier by customer_id; null where a measure is unknown.

        ``windows``: `history.windows` at one date, traits of the scheme, where it has any, as further columns.
        """
        measures = in_measures(windows, self.rules)
        scores = _scores(measures, self.scale)
        if self.scale is not None and self.scheme.scores != "mean" and self.scale.bins != self.scheme.bins:
            scores = scores.apply(read_on, bins=self.scale.bins, scheme_bins=self.scheme.bins)
        if self.frequency is not None:
            scores["f"] = _scores(measures, self.frequency)["f"]
        traits = windows[list(self.scheme.traits)]
        named = self.scheme.apply(pd.concat([scores, traits], axis=1)).astype(object)
        return named.set_axis(windows["customer_id"])


def fitted(windows: pd.DataFrame, window_days: int, rules: Rfm, scheme: Scheme, bins: int | None = None) -> OtherRules:
    """Rules on a scale fitted on the customers of a window, a row for as many ``customers`` as it says, else for one.

    ``bins``: quantile scores other than the rules', read on the scheme's. A frequency that over 40 % of customers share
    keeps its fixed cuts, which are no quantiles and know no number of bins.
    """
    measures = in_measures(windows, rules)
    if bins is None:
        return OtherRules(rules, scheme, window_days, _scale(measures, rules, scheme.scores))
    usual = _scale(measures, rules, "rfm")
    keeps = usual is not None and "frequency_fixed" in usual.notes
    scale = _scale(measures, rules.model_copy(update={"bins": bins}), "rfm")
    return OtherRules(rules, scheme, window_days, scale, usual if keeps else None)


def tiers_of(windows: pd.DataFrame, rules: Rfm, scheme: Scheme) -> pd.Series:
    """Tier by customer_id on a scale fitted on these very customers; null where a measure is unknown."""
    return fitted(windows, rules.window_days, rules, scheme).tiers(windows)


def variants(
    at: Callable[[int], pd.DataFrame], lengths: Iterable[int], rules: Rfm, scheme: Scheme
) -> dict[str, OtherRules]:
    """Other rules than the report's, by code. The base to compare with is `fitted` on its own window.

    ``at``: gives the customers of the window of a number of days before one date, as `fitted` reads them; ``lengths``:
    in days, the rules' own aside. Codes: ``window_<days>`` for every other length, ``bins_4`` and ``bins_6``, and
    ``frequency_days`` (``frequency_orders`` where the rules count days). Every variant fits its own scale, a frozen one is
    not used. Schemes split at the mean or with traits, and scales that are not cut at quantiles, have no variant of bins.
    """
    found = {
        f"window_{days}": fitted(at(days), days, rules, scheme) for days in sorted(set(lengths) - {rules.window_days})
    }
    own, length = at(rules.window_days), rules.window_days
    if scheme.scores != "mean" and not scheme.traits and rules.method == "quantile":
        others = [bins for bins in OTHER_BINS if bins != rules.bins]
        found |= {f"bins_{bins}": fitted(own, length, rules, scheme, bins) for bins in others}
    other = "orders" if rules.frequency == "days" else "days"
    return found | {f"frequency_{other}": fitted(own, length, rules.model_copy(update={"frequency": other}), scheme)}


def beside(base: pd.Series, tiers: pd.Series, best: str) -> dict[str, int]:
    """A variant's tiers beside the base's, counted, of all customers or of a part of them: customers (with a tier in
    either), both (in both), same (of these, with the same), best_customers (in the tier ``best`` of the variant),
    best_before (of the base), best_kept (in that of both).

    ``base`` and ``tiers``: tier by customer_id (a customer at most once); null and ``outside`` are no tier.
    """
    own, new = _named(base), _named(tiers)
    there, tier = lookup.of(own.index, new.index, new).to_numpy(), own.to_numpy()
    both, same = pd.notna(there), there == tier
    return {
        "customers": len(own) + len(new) - int(both.sum()),
        "both": int(both.sum()),
        "same": int(same.sum()),
        "best_customers": int((new.to_numpy() == best).sum()),
        "best_before": int((tier == best).sum()),
        "best_kept": int(same[tier == best].sum()),
    }


def sensitivity(counts: Iterable[tuple[str, dict[str, int]]]) -> pd.DataFrame:
    """Each variant's tiers beside the base's, one row per variant.

    ``counts``: variant and `beside`, of every part. Columns: variant; customers (with a tier in either); same_tier (of
    those with a tier in both, the share whose tier is the same); best_customers (in the tier ``best`` of the variant);
    best_kept (of the base's best, the share that is best in the variant too; who has no tier there is not). Shares of
    fewer than 10 customers are null.
    """
    rows = pd.DataFrame(
        [{"variant": variant, **counted} for variant, counted in counts], columns=["variant", *_COUNTED]
    )
    sums = rows.groupby("variant", sort=False)[_COUNTED].sum().reset_index()
    same, kept = (
        (sums[count] / sums[base]).where(sums[base] >= SMALL)
        for count, base in (("same", "both"), ("best_kept", "best_before"))
    )
    found = sums[["variant", "customers", "best_customers"]].assign(same_tier=same, best_kept=kept)
    return found[["variant", "customers", "same_tier", "best_customers", "best_kept"]].astype(
        {"variant": "str", "customers": "int64", "same_tier": float, "best_customers": "int64", "best_kept": float}
    )


def _named(tiers: pd.Series) -> pd.Series:
    return tiers.astype(object)[(tiers.notna() & (tiers != OUTSIDE)).to_numpy(dtype=bool)]


def _scale(measures: pd.DataFrame, rules: Rfm, scores: str) -> Scale | None:
    known = measures.dropna()
    if known.empty:
        return None
    return mean_split(known, _ANY_DAY) if scores == "mean" else fit_scale(known, rules, _ANY_DAY)


def _scores(measures: pd.DataFrame, scale: Scale | None) -> pd.DataFrame:
    if scale is None:
        return pd.DataFrame(pd.NA, index=measures.index, columns=list("rfm"), dtype="Int8")
    return scale.apply(measures)


def read_on(scores: pd.Series, bins: int, scheme_bins: int) -> pd.Series:
    """Scores 1 to ``bins`` as the scheme's: the one that holds the middle of the quantile, floor(B·(s − ½)/k) + 1.

    Four scores are read on five as 1, 2, 4, 5; six as 1, 2, 3, 3, 4, 5.
    """
    return scheme_bins * (2 * scores.astype("Int64") - 1) // (2 * bins) + 1
