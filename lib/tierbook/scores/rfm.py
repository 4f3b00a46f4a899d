"""RFM scores by value: cut points fitted on values with counts, applied to any customer alike."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from tierbook.errors import ParamsError
from tierbook.params import Rfm, read_yaml

MEASURES = ("recency_days", "frequency", "monetary")
FEW_ORDERS = (1, 2, 3, 5)
"""Frequency cuts 1 / 2 / 3 / 4–5 / 6+, used where one frequency dominates: quantiles would give a second order a 5."""
DOMINANT_SHARE = 0.40
FIXED_RECENCY = (30, 90, 180, 270)


@dataclass(frozen=True)
class Scale:
    """Cut points of recency, frequency and monetary value: the whole learned rule, readable as YAML.

    A value lies above a cut only when it is greater, so equal customers score alike. Frequency and monetary value score
    1 plus the cuts below them; recency (days since the last purchase, fewer is better) scores ``bins`` less the cuts
    below it. ``notes`` holds language-neutral codes of what the reader must know.
    """

    bins: int
    cuts: dict[str, list[float]]
    method: str
    customers: int
    valid_from: str
    source: str = "this_month"
    notes: list[str] = field(default_factory=list)
    top_frequency_share: float | None = None

    def apply(self, measures: pd.DataFrame) -> pd.DataFrame:
        """Scores r, f, m (1 to ``bins``, nullable) of any rows; a null measure scores null."""
        scores = {}
        for letter, measure in zip("rfm", MEASURES, strict=True):
            values = measures[measure].to_numpy(dtype=float, na_value=np.nan)
            above = np.searchsorted(np.asarray(self.cuts[measure], dtype=float), values, side="left")
            score = self.bins - above if letter == "r" else 1 + above
            scores[letter] = pd.array(np.where(np.isnan(values), 0, score), dtype="Int8")
            scores[letter][np.isnan(values)] = pd.NA
        return pd.DataFrame(scores, index=measures.index)

    def to_yaml(self) -> str:
        """The scale as a params/scales file."""
        return yaml.safe_dump(asdict(self), sort_keys=False, allow_unicode=True)


def in_measures(windows: pd.DataFrame, rules: Rfm) -> pd.DataFrame:
    """recency_days, frequency and monetary of each customer as the rules measure them; null without an order in the window.

    ``windows``: recency_days, window_orders, window_active_days, window_net, window_cost. frequency counts orders or
    days with a purchase; monetary is net sales in total, per order, or less the cost of goods (null where unknown).
    """
    inside = windows["window_orders"] > 0
    money = windows["window_net"].astype(float)
    if rules.monetary == "average":
        money = money / windows["window_orders"].where(inside)
    elif rules.monetary == "margin":
        money = money - windows["window_cost"]
    frequency = windows["window_orders" if rules.frequency == "orders" else "window_active_days"]
    columns = {"recency_days": windows["recency_days"], "frequency": frequency, "monetary": money}
    return pd.DataFrame(columns).astype(float).where(inside)


def quantile_cuts(values: pd.Series, bins: int) -> list[float]:
    """Cut points at k/bins: the smallest value up to and including which at least that share of customers lies."""
    counts = values.value_counts().sort_index()
    share = counts.cumsum().to_numpy() / counts.sum()
    # A share such as 3/5 of 10 customers must be reached by the sixth, whatever its last binary digit.
    return [float(counts.index[np.searchsorted(share, k / bins - 1e-12)]) for k in range(1, bins)]


def fit_scale(measures: pd.DataFrame, rules: Rfm, as_of: dt.date, fixed: bool = False) -> Scale:
    """Fit the cut points of one month.

    ``measures``: one row per customer with an order in the window (recency_days, frequency, monetary). ``fixed`` asks
    for cuts that need no distribution (too few customers): recency 30/90/180/270 days, frequency 1/2/3/4–5/6+, and
    monetary value at 1, 2, 3 and 5 median order values.
    """
    if fixed:
        return _fixed(measures, as_of)
    if rules.method == "mean":
        return mean_split(measures, as_of)
    if rules.method == "fixed":
        cuts = {measure: sorted(rules.thresholds[measure]) for measure in MEASURES}
        wrong = [m for m in MEASURES if len(cuts[m]) != rules.bins - 1]
        if wrong:
            raise ParamsError(
                f"rfm.thresholds.{wrong[0]}: {rules.bins} bins need {rules.bins - 1} cut points, not {len(cuts[wrong[0]])}"
            )
        return Scale(rules.bins, cuts, "fixed", len(measures), as_of.isoformat(), "params")
    cuts = {measure: quantile_cuts(measures[measure], rules.bins) for measure in MEASURES}
    top = float(measures["frequency"].value_counts(normalize=True).max())
    notes = []
    if top > DOMINANT_SHARE and rules.bins == len(FEW_ORDERS) + 1:
        cuts["frequency"] = [float(c) for c in FEW_ORDERS]
        notes.append("frequency_fixed")
    notes += [f"cuts_coincide_{m}" for m in MEASURES if len(set(cuts[m])) < len(cuts[m])]
    return Scale(rules.bins, cuts, "quantile", len(measures), as_of.isoformat(), notes=notes, top_frequency_share=top)


def mean_split(measures: pd.DataFrame, as_of: dt.date) -> Scale:
    """Two scores a measure, cut at the mean (均值): what the eight cells stand on."""
    cuts = {measure: [float(measures[measure].mean())] for measure in MEASURES}
    return Scale(2, cuts, "mean", len(measures), as_of.isoformat())


def _fixed(measures: pd.DataFrame, as_of: dt.date) -> Scale:
    order_value = float((measures["monetary"] / measures["frequency"]).median())
    steps = [order_value * orders for orders in FEW_ORDERS] if order_value > 0 else [0.0] * 4
    cuts = {
        "recency_days": [float(d) for d in FIXED_RECENCY],
        "frequency": [float(c) for c in FEW_ORDERS],
        "monetary": steps,
    }
    return Scale(5, cuts, "fixed", len(measures), as_of.isoformat(), "too_few_customers", ["scale_fixed_few_customers"])


def read_scale(path: Path) -> Scale:
    """A frozen scale from params/scales; a fault is a one-line error that names the file."""
    tree = read_yaml(path, "scale")
    try:
        scale = Scale(**{**tree, "source": path.name})
        cuts = {measure: [float(c) for c in scale.cuts[measure]] for measure in MEASURES}
    except (TypeError, KeyError, ValueError) as error:
        raise ParamsError(f"scale {path}: {error}; freeze it again with tierbook scale") from None
    if any(len(c) != scale.bins - 1 or c != sorted(c) for c in cuts.values()):
        raise ParamsError(f"scale {path}: each measure needs {scale.bins - 1} cut points in rising order")
    return scale
