"""RFM scores by value: cut points fitted on values with counts, applied to any customer alike."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, field, replace
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
    # 0.30 / 3 and 0.10 / 1 are one average to a reader but two floats: rounding keeps equal customers equal.
    if rules.monetary == "average":
        money = (money / windows["window_orders"].where(inside)).round(8)
    elif rules.monetary == "margin":
        money = (money - windows["window_cost"].astype(float)).round(8)
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
    monetary value at 1, 2, 3 and 5 median order values; a date without any customer in the window gets them too.
    Raises ParamsError for thresholds that do not fit the bins, and where no margin is known.
    """
    if rules.monetary == "margin" and measures.empty:
        raise ParamsError(
            "rfm.monetary = margin: 0 customers have a cost on every order line of the window; "
            "map a cost column under source.transactions.columns, or write monetary: total"
        )
    if rules.method == "fixed":
        return _thresholds(rules, len(measures), as_of)
    if fixed or measures.empty:
        return _fixed(measures, rules, as_of)
    if rules.method == "mean":
        return mean_split(measures, as_of)
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
    cuts = {measure: [_as_cut(measures[measure].mean())] for measure in MEASURES}
    return Scale(2, cuts, "mean", len(measures), as_of.isoformat())


def _as_cut(computed: float) -> float:
    """12 digits of a computed cut: its last binary digits depend on the order of rows, and must not lift or lower a
    customer who stands right on it."""
    return float(f"{computed:.12g}")


def _thresholds(rules: Rfm, customers: int, as_of: dt.date) -> Scale:
    cuts = {measure: sorted(rules.thresholds.get(measure, [])) for measure in MEASURES}
    for measure, points in cuts.items():
        if len(points) != rules.bins - 1:
            raise ParamsError(
                f"rfm.thresholds.{measure}: {rules.bins} bins need {rules.bins - 1} cut points, not {len(points)}"
            )
    return Scale(rules.bins, cuts, "fixed", customers, as_of.isoformat(), "params")


def _fixed(measures: pd.DataFrame, rules: Rfm, as_of: dt.date) -> Scale:
    per_order = measures["monetary"] if rules.monetary == "average" else measures["monetary"] / measures["frequency"]
    order_value = float(per_order.median())
    steps = [_as_cut(order_value * orders) for orders in FEW_ORDERS] if order_value > 0 else [0.0] * 4
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
        faulty = [m for m, c in cuts.items() if len(c) != scale.bins - 1 or c != sorted(c) or not np.isfinite(c).all()]
    except (TypeError, KeyError, ValueError) as error:
        raise ParamsError(f"scale {path}: {error}; freeze it again with tierbook scale") from None
    if faulty:
        raise ParamsError(f"scale {path}: {faulty[0]} needs {scale.bins - 1} cut points in rising order")
    return replace(scale, cuts=cuts)
