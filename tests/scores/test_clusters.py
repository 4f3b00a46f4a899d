"""Clusters: planted groups are found, and neither row order nor ids matter."""

import numpy as np
import pandas as pd
import pytest

from tierbook.scores.clusters import fit_clusters


def planted(each=60, seed=1):
    """Three groups far apart in all measures, the last the most valuable; ``group`` is the truth."""
    rng = np.random.default_rng(seed)
    group = np.repeat([0, 1, 2], each)
    centre = np.array([[300, 1.5, 20], [90, 6, 400], [5, 40, 9000]])[group]
    frame = pd.DataFrame(
        centre * rng.lognormal(0, 0.15, centre.shape), columns=["recency_days", "frequency", "monetary"]
    )
    return frame.round(2).assign(group=group)


@pytest.mark.parametrize("k", [3, "auto"])
def test_planted_groups_are_found_and_numbered_from_the_most_valuable(k):
    customers = planted()
    rule = fit_clusters(customers, k, seed=7)
    found = rule.apply(customers)
    assert found.tolist() == (3 - customers["group"]).tolist()
    assert set(rule.silhouette) == ({3} if k == 3 else {3, 4, 5, 6, 7})
    assert max(rule.silhouette, key=rule.silhouette.get) == 3


def test_row_order_and_index_change_nothing():
    customers = planted()
    shuffled = customers.sample(frac=1, random_state=3)
    one, other = (fit_clusters(c, "auto", seed=7) for c in (customers, shuffled))
    assert np.array_equal(one.centroids, other.centroids) and one.silhouette == other.silhouette
    assert one.apply(shuffled).sort_index().tolist() == one.apply(customers).tolist()


def test_a_customer_listed_twice_weighs_twice():
    customers = planted()
    twice = pd.concat([customers, customers], ignore_index=True)
    assert np.allclose(fit_clusters(twice, 3, 7).centroids, fit_clusters(customers, 3, 7).centroids)


def test_unknown_measures_have_no_cluster_and_chunks_agree_with_the_whole():
    customers = planted()
    rule = fit_clusters(customers, 3, seed=7)
    holes = customers.mask(customers.index.to_series().isin([0, 5]))
    found = rule.apply(holes)
    assert found.isna().tolist() == [n in (0, 5) for n in range(len(customers))] and found.dtype == "Int8"
    chunks = pd.concat([rule.apply(holes.iloc[:50]), rule.apply(holes.iloc[50:])])
    pd.testing.assert_series_equal(chunks, found)
    assert len(rule.apply(customers.head(0))) == 0


@pytest.mark.parametrize(("customers", "fitted"), [(0, False), (1, False), (49, False), (50, True)])
def test_fewer_than_50_customers_are_not_clustered(customers, fitted):
    assert (fit_clusters(planted().head(customers), 3, 7) is not None) is fitted


@pytest.mark.parametrize(("distinct", "fitted"), [(1, False), (3, False), (4, True)])
def test_as_many_clusters_as_distinct_customers_are_none(distinct, fitted):
    same = planted(each=25).iloc[: distinct * 7 : 7]
    assert len(same) == distinct
    frame = pd.concat([same] * 60, ignore_index=True)
    assert (fit_clusters(frame, 3, 7) is not None) is fitted


def test_money_below_zero_counts_as_none_and_a_constant_measure_does_not_divide_by_zero():
    customers = planted().assign(frequency=1.0)
    customers.loc[0, "monetary"] = -500.0
    rule = fit_clusters(customers, 3, seed=7)
    assert np.isfinite(rule.centroids).all()
    zero = customers.head(1).assign(monetary=0.0)
    assert rule.apply(customers.head(1)).tolist() == rule.apply(zero).tolist()
