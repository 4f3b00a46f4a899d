"""k-means clusters on recency, frequency and monetary value; fitted on a sample, applied to everyone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

FEATURES = ("recency_days", "frequency", "monetary")
SAMPLE = 20_000
JUDGED = 2_000
TRIED = range(3, 8)
MIN_CUSTOMERS = 50


@dataclass(frozen=True)
class ClusterRule:
    """Centroids on log-scaled, standardised features, numbered from the highest mean monetary value down."""

    centroids: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    silhouette: dict[int, float]

    def apply(self, measures: pd.DataFrame) -> pd.Series:
        """The number (1 the most valuable) of the nearest centroid; null where a measure is null."""
        known = measures[list(FEATURES)].notna().all(axis=1).to_numpy()
        points = (_features(measures[known]) - self.mean) / self.scale
        nearest = ((points[:, None, :] - self.centroids[None]) ** 2).sum(axis=2).argmin(axis=1)
        labels = pd.array(np.zeros(len(measures)), dtype="Int8")
        labels[known] = nearest + 1
        labels[~known] = pd.NA
        return pd.Series(labels, index=measures.index)


def _features(measures: pd.DataFrame) -> np.ndarray:
    """log(1 + x), money below zero as zero: the three are skewed, and a distance must not be one rich customer's."""
    return np.log1p(measures[list(FEATURES)].to_numpy(dtype=float).clip(min=0))


def fit_clusters(measures: pd.DataFrame, k: int | str, seed: int) -> ClusterRule | None:
    """Fit k-means; ``auto`` takes the k from 3 to 7 with the highest silhouette.

    ``measures``: recency_days, frequency, monetary per customer with an order in the window. Rows are put in the order
    of their values first, so that neither ids nor row order can change the result. None when there are fewer than 50
    customers or fewer distinct ones than clusters.
    """
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    points, counts = np.unique(_features(measures), axis=0, return_counts=True)
    tried = list(TRIED) if k == "auto" else [int(k)]
    if len(measures) < MIN_CUSTOMERS or len(points) <= max(tried):
        return None
    mean = np.average(points, axis=0, weights=counts)
    scale = np.sqrt(np.average((points - mean) ** 2, axis=0, weights=counts))
    scale[scale == 0] = 1
    picked = _sample(len(points), SAMPLE, seed)
    z, weights = ((points - mean) / scale)[picked], counts[picked]
    with threadpool_limits(1):  # threads cost more than so few points take, and they move digits
        fits = {n: KMeans(n, n_init=4, random_state=seed).fit(z, sample_weight=weights) for n in tried}
        judged = _silhouettes(fits, z, seed)
    best = fits[max(tried, key=lambda n: (judged[n], -n))]
    by_money = np.argsort(-best.cluster_centers_[:, FEATURES.index("monetary")], kind="stable")
    return ClusterRule(best.cluster_centers_[by_money], mean, scale, judged)


def _sample(rows: int, most: int, seed: int) -> np.ndarray:
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def _silhouettes(fits: dict, z: np.ndarray, seed: int) -> dict[int, float]:
    from sklearn.metrics import silhouette_score

    rows = _sample(len(z), JUDGED, seed)
    return {
        k: float(silhouette_score(z[rows], fit.labels_[rows])) if len(set(fit.labels_[rows])) > 1 else -1.0
        for k, fit in fits.items()
    }
