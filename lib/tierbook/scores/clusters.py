"""k-means clusters on recency, frequency and monetary value: fitted on a sample, applied to everyone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from itertools import count

import numpy as np
import pandas as pd
import yaml

from tierbook.scores.agreement import overlap
from tierbook.scores.counted import customers_of, median

FEATURES = ("recency_days", "frequency", "monetary")
TRIED = range(3, 8)
MIN_CUSTOMERS = 50
SAMPLE = 20_000
"""Distinct customers, each with its count, that a fit looks at."""
JUDGED = 2_000
"""Customers in a resample, and customers on whom labels are compared. A fixed size on purpose: with ever more
customers every k looks stable (Ben-David, von Luxburg & Pál 2006), and none could be preferred."""
RESAMPLES = 20
STARTS = 4
AS_STABLE = 0.02


@dataclass(frozen=True)
class ClusterRule:
    """The whole learned rule, as plain numbers readable as YAML.

    A feature is z = (log(1 + x) - mean) / scale of recency_days, frequency and monetary / ``money_unit`` (the median
    order value, so that the currency cannot matter; money below zero counts as none). ``mean`` and ``scale`` are the
    fitted customers' mean and standard deviation. A customer belongs to the nearest of the ``centroids``, which stand
    in z and bear the ``numbers``.
    """

    centroids: list[list[float]]
    mean: list[float]
    scale: list[float]
    money_unit: float
    numbers: list[int]
    features: list[str] = field(default_factory=lambda: list(FEATURES))

    def apply(self, measures: pd.DataFrame) -> pd.Series:
        """The number of each row's cluster (Int8), null where a measure is null; any chunk of customers will do."""
        known = measures[list(FEATURES)].notna().all(axis=1).to_numpy()
        z = (_logs(measures[known], self.money_unit) - self.mean) / self.scale
        centroids = np.asarray(self.centroids)
        # |z - c|² less |z|², rounded: no last binary digit decides for who stands right between two centroids
        away = ((centroids**2).sum(axis=1, keepdims=True) - 2 * (centroids @ z.T)).round(9)
        labels = pd.array(np.zeros(len(measures)), dtype="Int8")
        labels[known] = np.asarray(self.numbers)[away.argmin(axis=0)]
        labels[~known] = pd.NA
        return pd.Series(labels, index=measures.index, name="cluster")

    def to_yaml(self) -> str:
        """The rule as YAML, a centroid a line."""
        return yaml.safe_dump(asdict(self), sort_keys=False, default_flow_style=None)


def fit(measures: pd.DataFrame, k: int, seed: int) -> ClusterRule | None:
    """Fit k-means and number the clusters from the highest mean monetary value down.

    ``measures``: recency_days, frequency, monetary; a row stands for as many ``customers`` as it says, else for one; rows
    with a null are left out. Rows are put in the order of their values first, so that neither ids nor row order matter.
    None with fewer than 50 customers or fewer distinct ones than ``k``.
    """
    space = _Space.of(measures, seed)
    if space is None or len(space.z) < k:
        return None
    with _one_thread():
        model = _k_means(space.z, space.counts, k, seed)
    spent = np.expm1(space.z[:, 2] * space.scale[2] + space.mean[2]) * space.counts
    members = np.bincount(model.labels_, space.counts, minlength=k)
    mean_spent = np.bincount(model.labels_, spent, minlength=k) / np.maximum(members, 1)
    order = sorted(range(k), key=lambda c: (-mean_spent[c], *model.cluster_centers_[c]))
    centroids = model.cluster_centers_[order].tolist()
    return ClusterRule(centroids, space.mean.tolist(), space.scale.tolist(), space.money_unit, list(range(1, k + 1)))


def choose_k(measures: pd.DataFrame, seed: int, tried: Iterable[int] = TRIED) -> pd.DataFrame:
    """Choose the number of clusters by stability first, silhouette second: k, stability, silhouette, chosen.

    Of the k whose stability is within 0.02 of the best, the one with the highest silhouette (then the smallest) is
    chosen. silhouette is the mean over at most 2,000 customers. No row with fewer than 50 customers; no k that is not
    below the number of distinct customers. For stability see ``stability``.
    """
    space = _Space.of(measures, seed)
    rows = []
    with _one_thread():
        for k in tried if space is not None else ():
            if k < len(space.z):
                model = _k_means(space.z, space.counts, k, seed)
                rows.append((k, _stability(space, model, seed), _silhouette(space, model, seed)))
    table = pd.DataFrame(rows, columns=["k", "stability", "silhouette"])
    stable = table[table["stability"] >= table["stability"].max() - AS_STABLE]
    best = stable.sort_values(["silhouette", "k"], ascending=[False, True])["k"].head(1)
    return table.assign(chosen=table["k"].isin(best))


def stability(measures: pd.DataFrame, k: int, seed: int) -> float:
    """Stability of a fit under resampling of the customers: 1 the same clusters every time, 0 no more than chance.

    Mean adjusted Rand index between the fit's clusters and those of fits on 20 bootstrap resamples of up to 2,000
    customers, each started anew, on the same customers (Ben-Hur, Elisseeff & Guyon 2002; Hennig 2007). NaN where
    ``choose_k`` has no row.
    """
    found = choose_k(measures, seed, [k])["stability"]
    return float(found.iloc[0]) if len(found) else np.nan


def matched(rule: ClusterRule, before: pd.Series, now: pd.Series, weights: np.ndarray | None = None) -> ClusterRule:
    """The rule renumbered so that as many customers as possible keep last month's number (Hungarian method, Kuhn 1955).

    ``before``: cluster by customer_id a month ago; ``now``: by ``rule``. Ties keep as many of the rule's own numbers as
    they can. A cluster with no counterpart gets the lowest free number. ``weights`` as of
    `agreement.adjusted_rand`.
    """
    from scipy.optimize import linear_sum_assignment

    old = sorted(int(number) for number in before.dropna().unique())
    shared = overlap(now, before, weights).reindex(index=rule.numbers, columns=old, fill_value=0).to_numpy()
    own = np.equal.outer(rule.numbers, old)
    # the own numbers together weigh less than one customer
    places, columns = linear_sum_assignment(shared * (len(rule.numbers) + 1) + own, maximize=True)
    kept = {int(place): old[column] for place, column in zip(places, columns, strict=True)}
    free = (number for number in count(1) if number not in kept.values())
    return replace(rule, numbers=[kept[place] if place in kept else next(free) for place in range(len(rule.numbers))])


@dataclass(frozen=True)
class _Space:
    """The sample that is fitted: distinct customers in z, ordered by value, with how many customers stand there."""

    z: np.ndarray
    counts: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    money_unit: float

    @classmethod
    def of(cls, measures: pd.DataFrame, seed: int) -> _Space | None:
        inside = measures.dropna(subset=list(FEATURES))
        customers = customers_of(inside)
        if customers.sum() < MIN_CUSTOMERS:
            return None
        unit = _order_value(inside)
        points, counts = _distinct(_logs(inside, unit), customers)
        mean = np.average(points, axis=0, weights=counts)
        scale = np.sqrt(np.average((points - mean) ** 2, axis=0, weights=counts))
        scale = np.where(scale > 1e-9, scale, 1.0)  # a measure in which all agree tells nobody apart
        picked = np.arange(len(points))
        if len(points) > SAMPLE:
            picked = np.sort(np.random.default_rng(seed).choice(len(points), SAMPLE, replace=False))
        return cls(((points - mean) / scale)[picked], counts[picked], mean, scale, unit)

    def judged(self, seed: int) -> np.ndarray:
        """Places in the sample of the customers on whom labels are compared: all, or 2,000 drawn."""
        if self.counts.sum() <= JUDGED:
            return np.repeat(np.arange(len(self.z)), self.counts)
        return np.random.default_rng(seed).choice(len(self.z), JUDGED, p=self.counts / self.counts.sum())


def _order_value(measures: pd.DataFrame) -> float:
    per_order = measures["monetary"] / measures["frequency"].where(measures["frequency"] > 0)
    positive = per_order[per_order > 0]
    return median(positive, customers_of(measures)[per_order > 0]) if len(positive) else 1.0


def _logs(measures: pd.DataFrame, money_unit: float) -> np.ndarray:
    values = measures[list(FEATURES)].to_numpy(dtype=float).clip(min=0)
    # rounded, so that money in another currency gives the same digits
    return np.log1p(values / [1.0, 1.0, money_unit]).round(10)


def _distinct(points: np.ndarray, customers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows in rising order with their customers; several times as fast as numpy's unique by rows."""
    order = np.lexsort(points.T[::-1])
    ordered = points[order]
    first = np.r_[True, (ordered[1:] != ordered[:-1]).any(axis=1)]
    return ordered[first], np.add.reduceat(customers[order], np.flatnonzero(first))


def _one_thread():
    """Threads cost more than so few points take (on a busy machine twenty times as much), and they move digits."""
    import sklearn.cluster  # noqa: F401 - a limit reaches only libraries that are loaded
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def _k_means(z: np.ndarray, weights: np.ndarray, k: int, seed: int):
    from sklearn.cluster import KMeans

    return KMeans(k, n_init=STARTS, random_state=seed).fit(z, sample_weight=weights)


def _stability(space: _Space, model, seed: int) -> float:
    from sklearn.metrics import adjusted_rand_score

    judged, rng = space.judged(seed), np.random.default_rng(seed)
    share, size = space.counts / space.counts.sum(), min(space.counts.sum(), JUDGED)
    agreement = []
    for _ in range(RESAMPLES):
        drawn = rng.multinomial(size, share)
        held = drawn > 0
        # a fresh start each: one from the fit's own centroids would flatter
        k = min(model.n_clusters, int(held.sum()))
        again = _k_means(space.z[held], drawn[held], k, int(rng.integers(2**31)))
        agreement.append(adjusted_rand_score(model.labels_[judged], again.predict(space.z[judged])))
    return float(np.mean(agreement))


def _silhouette(space: _Space, model, seed: int) -> float:
    from sklearn.metrics import silhouette_score

    judged = space.judged(seed)
    labels = model.labels_[judged]
    return float(silhouette_score(space.z[judged], labels)) if len(set(labels)) > 1 else -1.0
