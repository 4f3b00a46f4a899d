"""Clusters: planted groups are found, names and numbers hold, and neither row order, ids nor the currency matter."""

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.scores import agreement, cluster_traits, clusters
from tierbook.scores.clusters import ClusterRule


def planted(each=60, seed=1):
    """Three groups far apart in all measures, the last the most valuable; ``group`` is the truth."""
    rng = np.random.default_rng(seed)
    group = np.repeat([0, 1, 2], each)
    centre = np.array([[300, 1.5, 20], [90, 6, 400], [5, 40, 9000]])[group]
    frame = pd.DataFrame(
        centre * rng.lognormal(0, 0.15, centre.shape), columns=["recency_days", "frequency", "monetary"]
    )
    return frame.round(2).assign(group=group)


def four_bars(each=150, seed=3):
    """Four groups, by recency (5 or 200 days) and frequency (2 or 30), each with its spending spread evenly over a wide
    range: a cut through a bar makes compact halves, but which bars are cut is chance."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(4), each)
    days, orders = np.where(group % 2, 200, 5), np.where(group // 2, 30, 2)
    noise = rng.lognormal(0, 0.05, (2, len(group)))
    money = np.exp(rng.uniform(4, 12, len(group)))
    return pd.DataFrame({"recency_days": days * noise[0], "frequency": orders * noise[1], "monetary": money}), group


def rule_at(centroids, numbers=None):
    """A rule whose z are log(1 + x) themselves."""
    return ClusterRule(centroids, [0.0] * 3, [1.0] * 3, 1.0, numbers or list(range(1, len(centroids) + 1)))


def test_planted_groups_are_found_chosen_and_numbered_from_the_most_valuable():
    customers = planted()
    table = clusters.choose_k(customers, seed=7)
    assert table["k"].tolist() == [3, 4, 5, 6, 7]
    assert table.loc[table["chosen"], "k"].tolist() == [3]
    assert table["stability"].iloc[0] == 1.0
    assert table["stability"].iloc[1:].max() < 0.98
    found = clusters.fit(customers, 3, seed=7).apply(customers)
    assert found.tolist() == (3 - customers["group"]).tolist()
    assert clusters.stability(customers, 3, seed=7) == 1.0


def test_numbers_follow_mean_money_not_the_centroid_in_logs():
    # 40 customers spend 100 each; of 40 others 30 spend 50 and ten 300: mean (30·50 + 10·300) / 40 = 112.5. Their order
    # values are 5, 50 and 300, the median 27.5; mean logs are log(1 + 100 / 27.5) = 1.53 against
    # (30 log(1 + 50 / 27.5) + 10 log(1 + 300 / 27.5)) / 40 = 1.40
    steady = pd.DataFrame({"recency_days": 5.0, "frequency": 20.0, "monetary": [100.0] * 40})
    mixed = pd.DataFrame({"recency_days": 300.0, "frequency": 1.0, "monetary": [50.0] * 30 + [300.0] * 10})
    rule = clusters.fit(pd.concat([steady, mixed]), 2, seed=7)
    assert rule.centroids[0][2] < rule.centroids[1][2]
    assert rule.apply(pd.concat([mixed, steady])).tolist() == [1] * 40 + [2] * 40


def test_stability_outweighs_the_silhouette():
    customers, group = four_bars()
    table = clusters.choose_k(customers, seed=7).set_index("k")
    assert table["silhouette"].idxmax() != 4
    assert table.index[table["chosen"]].tolist() == [4]
    found = clusters.fit(customers, 4, seed=7).apply(customers)
    assert agreement.adjusted_rand(found, pd.Series(group)) > 0.99


def test_among_equally_stable_k_the_silhouette_decides():
    # three groups of two near halves each: 3 and 6 clusters are both found every time, 3 lie further apart
    rng = np.random.default_rng(5)
    centre = np.array([[c * 2.5 + h, 3.0, 6.0 + 2 * c] for c in range(3) for h in (-0.4, 0.4)]).repeat(60, axis=0)
    logs = centre + rng.normal(0, 0.02, centre.shape)
    customers = pd.DataFrame(np.expm1(logs), columns=["recency_days", "frequency", "monetary"])
    table = clusters.choose_k(customers.assign(frequency=3.0), seed=7).set_index("k")
    assert table.loc[[3, 6], "stability"].tolist() == [1.0, 1.0]
    assert table["silhouette"].idxmax() == table.index[table["chosen"]].item()


@given(st.integers(0, 2**31), st.sampled_from([1.0, 7.0, 0.13]))
@settings(max_examples=10, deadline=None)
def test_row_order_index_and_currency_change_nothing(shuffle, rate):
    customers = planted()
    other = customers.assign(monetary=customers["monetary"] * rate).sample(frac=1, random_state=shuffle)
    rule, again = clusters.fit(customers, 4, seed=7), clusters.fit(other, 4, seed=7)
    assert np.allclose(rule.centroids, again.centroids, atol=1e-6)
    assert again.money_unit == pytest.approx(rule.money_unit * rate)
    assert again.apply(other).sort_index().tolist() == rule.apply(customers).tolist()


def test_the_choice_of_k_ignores_row_order_and_currency():
    customers = planted(each=25)
    other = customers.assign(monetary=customers["monetary"] * 7).sample(frac=1, random_state=3)
    one, two = (clusters.choose_k(c, seed=7) for c in (customers, other))
    pd.testing.assert_frame_equal(one, two, atol=1e-6)


def test_the_features_are_logs_standardised_over_customers():
    # order values 10 (30 customers of 10 / 1) and 50 (30 of 100 / 2): the median of the two halves is 30
    rows = pd.DataFrame({"recency_days": [0.0, 9.0], "frequency": [1.0, 2.0], "monetary": [10.0, 100.0]})
    rule = clusters.fit(pd.concat([rows] * 30), 2, seed=7)
    assert rule.money_unit == 30
    logs = [(0, np.log(10)), (np.log(2), np.log(3)), (np.log(1 + 10 / 30), np.log(1 + 100 / 30))]
    assert rule.mean == pytest.approx([(a + b) / 2 for a, b in logs])
    assert rule.scale == pytest.approx([(b - a) / 2 for a, b in logs])
    # two equal halves lie one standard deviation to either side
    assert np.allclose(rule.centroids, [[1, 1, 1], [-1, -1, -1]])


def test_a_customer_listed_twice_weighs_twice():
    customers = planted()
    twice = pd.concat([customers, customers], ignore_index=True)
    assert np.allclose(clusters.fit(twice, 3, 7).centroids, clusters.fit(customers, 3, 7).centroids)


def test_unknown_measures_have_no_cluster_and_chunks_agree_with_the_whole():
    customers = planted()
    rule = clusters.fit(customers, 3, seed=7)
    holes = customers.mask(customers.index.to_series().isin([0, 5]))
    holes.loc[7, "monetary"] = np.nan
    found = rule.apply(holes)
    assert found.isna().tolist() == [n in (0, 5, 7) for n in range(len(customers))]
    assert found.dtype == "Int8"
    chunks = pd.concat([rule.apply(holes.iloc[start : start + 17]) for start in range(0, len(holes), 17)])
    pd.testing.assert_series_equal(chunks, found)
    assert len(rule.apply(customers.head(0))) == 0
    assert clusters.fit(holes, 3, 7) == clusters.fit(holes.dropna(), 3, 7)


def test_who_stands_right_between_two_centroids_belongs_to_the_first():
    rule = rule_at([[0.0, 0.0, 0.0], [2 * np.log(2), 0.0, 0.0]])
    between = pd.DataFrame({"recency_days": [0.9, 1.0, 1.1], "frequency": 0.0, "monetary": 0.0})
    assert rule.apply(between).tolist() == [1, 1, 2]


@pytest.mark.parametrize(("customers", "fitted"), [(0, False), (1, False), (49, False), (50, True)])
def test_fewer_than_50_customers_are_not_clustered(customers, fitted):
    frame = planted().head(customers)
    assert (clusters.fit(frame, 3, 7) is not None) is fitted
    assert (len(clusters.choose_k(frame, 7, [3])) == 1) is fitted
    assert np.isnan(clusters.stability(frame, 3, 7)) == (not fitted)


@pytest.mark.parametrize(("distinct", "fitted", "judged"), [(1, 0, 0), (2, 0, 0), (3, 1, 0), (4, 1, 1)])
def test_fewer_distinct_customers_than_clusters_are_not_clustered(distinct, fitted, judged):
    same = planted(each=25).iloc[: distinct * 7 : 7]
    frame = pd.concat([same] * 60, ignore_index=True)
    assert (clusters.fit(frame, 3, 7) is not None) == fitted
    # as many clusters as distinct customers describe nothing
    assert len(clusters.choose_k(frame, 7, [3])) == judged


def test_money_below_zero_counts_as_none_and_a_constant_measure_does_not_divide_by_zero():
    customers = planted().assign(frequency=1.0)
    customers.loc[0, "monetary"] = -500.0
    rule = clusters.fit(customers, 3, seed=7)
    assert np.isfinite(rule.centroids).all()
    zero = customers.head(1).assign(monetary=0.0)
    assert rule.apply(customers.head(1)).tolist() == rule.apply(zero).tolist()
    assert clusters.fit(customers.assign(monetary=-1.0), 3, seed=7).money_unit == 1.0


def test_a_sample_of_distinct_customers_stands_for_all(monkeypatch):
    customers = planted(each=400)
    whole = clusters.fit(customers, 3, seed=7)
    monkeypatch.setattr(clusters, "SAMPLE", 300)
    sampled = clusters.fit(customers, 3, seed=7)
    assert sampled.mean == whole.mean
    assert sampled.centroids != whole.centroids
    assert sampled.apply(customers).tolist() == whole.apply(customers).tolist()


def test_the_rule_survives_yaml():
    rule = clusters.fit(planted(), 3, seed=7)
    assert ClusterRule(**yaml.safe_load(rule.to_yaml())) == rule


# --- numbers carried over -----------------------------------------------------------------------------------------


def labels_of(table):
    """Two label series from an overlap table (rows now, columns before)."""
    pairs = [(r + 1, c + 1) for r, row in enumerate(table) for c, n in enumerate(row) for _ in range(n)]
    now, before = (pd.Series(side, dtype="Int8") for side in zip(*pairs, strict=True))
    return before, now


@pytest.mark.parametrize(
    ("overlap", "numbers"),
    [
        # shuffled whole: now 1 was 3, now 2 was 1, now 3 was 2
        ([[0, 0, 9], [9, 0, 0], [0, 9, 0]], [3, 1, 2]),
        # the largest cell alone (5) would leave 5 + 0; crosswise 4 + 4 = 8 keep their number
        ([[5, 4], [4, 0]], [2, 1]),
        # 1→1, 2→2, 3→3 keeps 1 + 0 + 2 = 3; 1→2, 2→1, 3→3 keeps 4 + 3 + 2 = 9; 1→2, 2→3, 3→1 keeps 4 + 1 + 0 = 5
        ([[1, 4, 0], [3, 0, 1], [0, 2, 2]], [2, 1, 3]),
        # a tie, 3 + 3 either way: own numbers are kept
        ([[3, 3], [3, 3]], [1, 2]),
        # one customer weighs more than all own numbers: 1 + 1 + 2 against 1 + 1 + 1
        ([[1, 1, 0], [0, 1, 1], [2, 0, 1]], [2, 3, 1]),
        # no counterpart for the third: the lowest free number
        ([[0, 9], [9, 0], [2, 2]], [2, 1, 3]),
        # the second of last month's three is gone
        ([[9, 0, 0], [0, 1, 9]], [1, 3]),
    ],
)
def test_the_hungarian_method_keeps_most_customers_under_their_number(overlap, numbers):
    rule = rule_at([[float(n), 0.0, 0.0] for n in range(len(overlap))])
    before, now = labels_of(overlap)
    renumbered = clusters.matched(rule, before, now)
    assert renumbered.numbers == numbers
    assert renumbered.centroids == rule.centroids
    assert clusters.matched(rule, before[::-1], now.sample(frac=1, random_state=1)).numbers == numbers


def test_only_customers_in_both_months_match_and_none_leave_the_own_numbers():
    rule = rule_at([[0.0] * 3, [1.0] * 3])
    before, now = pd.Series([2, 1, 1], index=["a", "b", "x"]), pd.Series([1, 2, 2, 2], index=["a", "b", "y", "z"])
    assert clusters.matched(rule, before, now).numbers == [2, 1]
    assert clusters.matched(rule, before.loc[["x"]], now).numbers == [1, 2]


def test_shuffled_numbers_are_matched_back():
    customers = planted()
    rule = clusters.fit(customers, 3, seed=7)
    shuffled = ClusterRule(**{**vars(rule), "numbers": [3, 1, 2]})
    assert clusters.matched(shuffled, rule.apply(customers), shuffled.apply(customers)) == rule


def test_adjusted_rand_on_shared_customers():
    # 2 × 2 table 5, 1 / 2, 4: pairs together Σ C(n,2) = 10 + 0 + 1 + 6 = 17; rows 15 + 15 = 30, columns 21 + 10 = 31,
    # all C(12,2) = 66. ARI = (17 - 30·31/66) / ((30 + 31)/2 - 30·31/66) = 2.9091 / 16.4091 = 0.17729
    a, b = labels_of([[5, 1], [2, 4]])
    assert agreement.adjusted_rand(a, b) == pytest.approx(0.177285, abs=1e-6)
    more = pd.concat([a, pd.Series([1, 2, pd.NA], index=[90, 91, 92], dtype="Int8")])
    assert agreement.adjusted_rand(more.sample(frac=1, random_state=1), b) == pytest.approx(0.177285, abs=1e-6)
    assert agreement.adjusted_rand(a, 3 - a) == 1.0
    assert agreement.adjusted_rand(a.head(10), b) == agreement.adjusted_rand(a.head(10), b.head(10))
    assert np.isnan(agreement.adjusted_rand(a.head(9), b))


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("z", "code"),
    [
        ((-0.5, 0.0, 0.0), "recent"),
        ((-0.49, 0.49, 0.0), "average"),
        ((0.5, -0.5, 0.0), "lapsed+rare"),
        ((-1.0, 1.2, 1.1), "frequent+high_spend"),
        ((1.0, -0.4, -0.6), "lapsed+low_spend"),
        ((-0.7, 0.7, 0.7), "recent+frequent"),  # equally far: the features' own order
        ((0.0, 0.0, 0.0), "average"),
    ],
)
def test_a_cluster_is_named_by_its_two_furthest_features(z, code):
    found = cluster_traits.set_apart(rule_at([list(z)]))
    assert found["code"].tolist() == [code]
    assert found.loc[0, ["recency_z", "frequency_z", "monetary_z"]].tolist() == list(z)


@pytest.mark.parametrize(
    ("z", "codes"),
    [
        # both frequent+high_spend: the third feature tells them apart
        ([[-0.6, 1, 1], [0.6, 1, 1]], ["recent+frequent+high_spend", "lapsed+frequent+high_spend"]),
        ([[-0.6, 1, 1], [0.2, 1, 1]], ["recent+frequent+high_spend", "frequent+high_spend"]),
        # all three alike: recency differs most, 1 against 2.5
        ([[-1, 1, 0.6], [-2.5, 1.2, 0.7]], ["recent+frequent+high_spend", "very_recent+frequent+high_spend"]),
        ([[1.0, 0, 0], [3.0, 0, 0], [2.0, 0, 0]], ["lapsed", "very_lapsed", "lapsed#2"]),
        ([[0, 0, 0], [0.1, 0, 0]], ["average", "average#2"]),
    ],
)
def test_names_of_one_fit_are_told_apart(z, codes):
    assert cluster_traits.set_apart(rule_at([[float(x) for x in row] for row in z]))["code"].tolist() == codes


@given(st.lists(st.tuples(*[st.floats(-3, 3)] * 3), min_size=1, max_size=12))
def test_names_are_unique(z):
    found = cluster_traits.set_apart(rule_at([list(row) for row in z]))
    assert found["code"].is_unique
    assert found["cluster"].tolist() == list(range(1, len(z) + 1))


def test_names_go_with_the_numbers():
    found = cluster_traits.set_apart(rule_at([[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], numbers=[2, 1]))
    assert found[["cluster", "code"]].to_numpy().tolist() == [[1, "lapsed"], [2, "recent"]]
