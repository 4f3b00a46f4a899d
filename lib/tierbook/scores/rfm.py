"""RFM scores by value: cut points fitted on values with counts, applied to any customer alike."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import yaml

from tierbook.errors import ParamsError
from tierbook.params import Rfm, read_yaml
from tierbook.scores.counted import customers_of, median

MEASURES = ("recency_days", "frequency", "monetary")
MEASURED = ["recency_days", "window_orders", "window_active_days", "window_net", "window_cost"]
"""The columns of a history or window that `in_measures` reads."""
FEW_ORDERS = (1, 2, 3, 5)
"""Frequency cuts 1 / 2 / 3 / 4–5 / 6+, used where one frequency dominates: quantiles would give a second order a 5."""
DOMINANT_SHARE = 0.40
FIXED_RECENCY = (30, 90, 180, 270)


@dataclass(frozen=True)
class Scale:
    """Cut points of recency, frequency and monetary value: the whole learned rule, readable as YAML.

    A value lies above a cut only when it is greater, so equal customers score alike. Frequency and monetary value score
    1 plus the cuts below them; recency (days since the last purchase, fewer is better) scores ``bins`` less the cuts
    below it. ``notes`` holds language-neutral codes of what the reader must know. ``shares`` gives, per measure, the
    share of the ``customers`` it was fitted on with score 1, 2 … ``bins`` (6 digits); empty in files of earlier
    versions and where it was fitted on nobody. ``review_by`` is the day by which a frozen scale is to be looked at again
    (ISO, free to edit in the file); null where it is not frozen, and in files of earlier versions.
    """

    bins: int
    cuts: dict[str, list[float]]
    method: str
    customers: int
    valid_from: str
    source: str = "this_month"
    notes: list[str] = field(default_factory=list)
    top_frequency_share: float | None = None
    shares: dict[str, list[float]] = field(default_factory=dict)
    review_by: str | None = None

    def apply(self, measures: pd.DataFrame) -> pd.DataFrame:
        """Scores r, f, m (1 to ``bins``, nullable) of any rows; a null measure scores null."""
        scores = {}
        for letter, measure in zip("rfm", MEASURES, strict=True):
            values = measures[measure].to_numpy(dtype=float, na_value=np.nan)
            score = score_values(values, self.cuts[measure], fewer_is_better=letter == "r")
            scores[letter] = pd.array(np.where(np.isnan(values), 0, score), dtype="Int8")
            scores[letter][np.isnan(values)] = pd.NA
        return pd.DataFrame(scores, index=measures.index)

    def to_yaml(self) -> str:
        """The scale as a params/scales file."""
        return yaml.safe_dump(asdict(self), sort_keys=False, allow_unicode=True)


class Learned(NamedTuple):
    """What the customers' values teach: cut points per measure, notes, the share of the commonest frequency."""

    cuts: dict[str, list[float]]
    notes: list[str]
    top_frequency_share: float | None


def in_measures(windows: pd.DataFrame, rules: Rfm) -> pd.DataFrame:
    """recency_days, frequency and monetary of each customer as the rules measure them; null without an order in the window.

    ``windows``: recency_days, window_orders, window_active_days, window_net, window_cost. frequency counts orders or
    days with a purchase; monetary is net sales in total, per order, or less the cost of goods (null, in a shop that
    knows some costs, for the customers with a line whose cost is unknown: they get r and f, but no m, tier or segment).
    ``customers``, where a row of ``windows`` says how many it stands for, goes along.
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
    measures = pd.DataFrame(columns).astype(float).where(inside)
    return measures.assign(customers=windows["customers"]) if "customers" in windows else measures


def quantile_cuts(values: pd.Series, bins: int, weights: pd.Series | None = None) -> list[float]:
    """Cut points at k/bins: the smallest value up to and including which at least that share of customers lies.

    ``weights`` (customers each value stands for, not below zero, same index) equal repeating the values.
    """
    counts = (values.value_counts() if weights is None else weights.groupby(values).sum()).sort_index()
    share = counts.cumsum().to_numpy() / counts.sum()
    # A share such as 3/5 of 10 customers must be reached by the sixth, whatever its last binary digit.
    return [float(counts.index[np.searchsorted(share, k / bins - 1e-12)]) for k in range(1, bins)]


def learn(measures: pd.DataFrame, bins: int, method: str, weights: pd.Series | None = None) -> Learned:
    """Cut points of every column of ``measures``, by ``quantile`` or at the ``mean`` (two scores, ``bins`` unused).

    No value may be null; ``weights`` as in `quantile_cuts`. Under ``quantile`` with five bins, a column ``frequency``
    of which over 40 % of customers share one value is cut at 1, 2, 3 and 5 (note ``frequency_fixed``).
    """
    if method == "mean":
        means = measures.mean() if weights is None else measures.mul(weights, axis=0).sum() / weights.sum()
        return Learned({measure: [_as_cut(mean)] for measure, mean in means.items()}, [], None)
    cuts = {measure: quantile_cuts(values, bins, weights) for measure, values in measures.items()}
    notes = []
    top = _top_share(measures["frequency"], weights) if "frequency" in measures else None
    if top is not None and top > DOMINANT_SHARE and bins == len(FEW_ORDERS) + 1:
        cuts["frequency"] = [float(c) for c in FEW_ORDERS]
        notes.append("frequency_fixed")
    notes += [f"cuts_coincide_{measure}" for measure, points in cuts.items() if len(set(points)) < len(points)]
    return Learned(cuts, notes, top)


def _top_share(values: pd.Series, weights: pd.Series | None) -> float:
    counts = values.value_counts() if weights is None else weights.groupby(values).sum()
    return float(counts.max() / counts.sum())


def score_values(values: np.ndarray, cuts: list[float], fewer_is_better: bool = False) -> np.ndarray:
    """Scores 1 to len(cuts) + 1 (int8) of values without null: 1 plus the cuts below, or the best less the cuts below."""
    above = np.searchsorted(np.asarray(cuts, dtype=float), values, side="left")
    return (len(cuts) + 1 - above if fewer_is_better else 1 + above).astype(np.int8)


def score_shares(scores: np.ndarray, bins: int, weights: np.ndarray | None = None) -> list[float]:
    """Share of customers with score 1, 2 … ``bins``, to 6 digits: ``scores`` whole numbers without null, at least one."""
    counts = np.bincount(scores, weights=weights, minlength=bins + 1)[1:]
    return [round(float(share), 6) for share in counts / counts.sum()]


def fit_scale(measures: pd.DataFrame, rules: Rfm, as_of: dt.date, fixed: bool = False) -> Scale:
    """Fit the cut points of one month.

    ``measures``: recency_days, frequency, monetary of the customers with an order in the window, all three known (with
    ``monetary: margin`` customers without a cost are left out by the caller); a row stands for as many ``customers`` as
    it says, else for one. ``fixed`` asks for cuts that need no distribution (too few customers): recency 30/90/180/270
    days, frequency 1/2/3/4–5/6+, and monetary value at 1, 2, 3 and 5 median order values; a date without any customer in
    the window gets them too.
    Raises ParamsError for thresholds that do not fit the bins, and where no margin is known.
    """
    if rules.monetary == "margin" and measures.empty:
        raise ParamsError(
            "rfm.monetary = margin: 0 customers have a cost on every order line of the window; "
            "map a cost column under source.transactions.columns, or write monetary: total"
        )
    if rules.method == "fixed":
        return _thresholds(rules, measures, as_of)
    if fixed or measures.empty:
        return _fixed(measures, rules, as_of)
    if rules.method == "mean":
        return mean_split(measures, as_of)
    found = learn(measures[list(MEASURES)], rules.bins, rules.method, measures.get("customers"))
    scale = Scale(rules.bins, found.cuts, "quantile", _size(measures), as_of.isoformat(), notes=found.notes)
    return _with_shares(replace(scale, top_frequency_share=found.top_frequency_share), measures)


def mean_split(measures: pd.DataFrame, as_of: dt.date) -> Scale:
    """Two scores a measure, cut at the mean (均值): what the eight cells stand on. ``measures``: as of `fit_scale`."""
    cuts = learn(measures[list(MEASURES)], 2, "mean", measures.get("customers")).cuts
    return _with_shares(Scale(2, cuts, "mean", _size(measures), as_of.isoformat()), measures)


def _size(measures: pd.DataFrame) -> int:
    return int(customers_of(measures).sum())


def _with_shares(scale: Scale, measures: pd.DataFrame) -> Scale:
    if measures.empty:
        return scale
    shares = {}
    for measure in MEASURES:
        scores = score_values(measures[measure].to_numpy(dtype=float), scale.cuts[measure], measure == MEASURES[0])
        shares[measure] = score_shares(scores, scale.bins, measures.get("customers"))
    return replace(scale, shares=shares)


def _as_cut(computed: float) -> float:
    """12 digits of a computed cut: its last binary digits depend on the order of rows, and must not lift or lower a
    customer who stands right on it."""
    return float(f"{computed:.12g}")


def given_cuts(points: list[float], bins: int) -> list[float]:
    """Cut points as a user gave them, in rising order; ValueError where they are not bins − 1 finite numbers."""
    cuts = sorted(float(point) for point in points)
    if len(cuts) != bins - 1 or not np.isfinite(cuts).all():
        raise ValueError(f"{bins} bins need {bins - 1} cut points, not {len(cuts)}; every one a finite number")
    return cuts


def _thresholds(rules: Rfm, measures: pd.DataFrame, as_of: dt.date) -> Scale:
    cuts = {}
    for measure in MEASURES:
        try:
            cuts[measure] = given_cuts(rules.thresholds.get(measure, []), rules.bins)
        except ValueError as error:
            raise ParamsError(f"rfm.thresholds.{measure}: {error}") from None
    return _with_shares(Scale(rules.bins, cuts, "fixed", _size(measures), as_of.isoformat(), "params"), measures)


def _fixed(measures: pd.DataFrame, rules: Rfm, as_of: dt.date) -> Scale:
    per_order = measures["monetary"] if rules.monetary == "average" else measures["monetary"] / measures["frequency"]
    order_value = median(per_order, customers_of(measures))
    steps = [_as_cut(order_value * orders) for orders in FEW_ORDERS] if order_value > 0 else [0.0] * 4
    cuts = {
        "recency_days": [float(d) for d in FIXED_RECENCY],
        "frequency": [float(c) for c in FEW_ORDERS],
        "monetary": steps,
    }
    day, notes = as_of.isoformat(), ["scale_fixed_few_customers"]
    return _with_shares(Scale(5, cuts, "fixed", _size(measures), day, "too_few_customers", notes), measures)


def read_scale(path: Path) -> Scale:
    """A frozen scale from params/scales, of this or an earlier version; a fault is a one-line error naming the file."""
    tree = read_yaml(path, "scale")
    again = "correct it, or move it away and freeze it again with tierbook scale"
    try:
        scale = Scale(**{**tree, "source": path.name, "customers": int(tree["customers"])})
        dt.date.fromisoformat(scale.valid_from)
        # YAML reads a date that somebody wrote without quotes as a date.
        review_by = scale.review_by and dt.date.fromisoformat(str(scale.review_by)).isoformat()
        cuts = {measure: [float(c) for c in scale.cuts[measure]] for measure in MEASURES}
        shares = {measure: [float(s) for s in listed] for measure, listed in scale.shares.items()}
        faulty = [m for m, c in cuts.items() if len(c) != scale.bins - 1 or c != sorted(c) or not np.isfinite(c).all()]
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        told = " ".join(str(error).split())[:200]
        raise ParamsError(f"scale {path}: {told}; {again}") from None
    if faulty:
        raise ParamsError(f"scale {path}: {faulty[0]} needs {scale.bins - 1} cut points in rising order; {again}")
    if shares and (set(shares) != set(MEASURES) or not all(_are_shares(s, scale.bins) for s in shares.values())):
        raise ParamsError(f"scale {path}: shares needs, for each measure, {scale.bins} shares that sum to 1; {again}")
    return replace(scale, cuts=cuts, shares=shares, review_by=review_by)


def _are_shares(shares: list[float], bins: int) -> bool:
    return len(shares) == bins and min(shares) >= 0 and abs(sum(shares) - 1) < 1e-4
