"""The hold-out: slices, naive rules, the probability transform, by hand and on CDNOW."""

import numpy as np
import pandas as pd
import pytest

from tierbook.scores.value import BetaGeoNBD
from tierbook.scores.value_backtest import beside_rules, by_slice, pit_histogram, score_customers

BANDS = ["frequency_0", "frequency_1", "frequency_2", "frequency_3", "frequency_4-6", "frequency_7+"]


@pytest.fixture
def purchases():
    model = BetaGeoNBD()
    model.params_ = {"r": 1.0, "alpha": 10.0, "a": 1.0, "b": 2.0}
    return model


def backtest(history, actual, days, model, labels=None):
    return by_slice(score_customers(history, actual, days, model), labels)


# ---- slices ----


def crowd(sizes):
    """So many customers of each number of repeats, all with t_x = 100 and T = 200 (no repeat: t_x = 0)."""
    repeats = np.repeat(list(sizes), list(sizes.values()))
    return pd.DataFrame({"repeats": repeats, "t_x": np.where(repeats > 0, 100, 0), "T": 200})


def test_slices_come_in_order_with_their_sums(purchases):
    history = crowd({0: 20, 1: 10, 2: 9, 4: 5, 6: 5, 7: 10})
    actual = pd.Series(2, index=history.index[20:])
    labels = pd.Series(["low"] * 20 + ["high"] * 38 + [None], index=history.index, dtype="str")
    table = backtest(history, actual, 100, purchases, labels).set_index("slice")
    assert table.index.tolist() == ["all", "high", "low", *BANDS]
    assert table["customers"].tolist() == [59, 38, 20, 20, 10, 9, 0, 10, 10]
    assert table["actual_orders"].tolist() == [78, 76, 0, 0, 20, 18, 0, 20, 20]
    predicted = purchases.expected_purchases(100, 1, 100, 200)[0]
    assert table.loc["frequency_1", "predicted_orders"] == pytest.approx(10 * predicted)
    assert table.loc["frequency_1", "ratio"] == pytest.approx(10 * predicted / 20)
    assert table.loc["frequency_1", "mae"] == pytest.approx(2 - predicted)
    # Own past rate: 1 repeat in 200 days is half an order in 100 days, against 2.
    assert table.loc["frequency_1", "past_rate_ratio"] == pytest.approx(0.25)


def test_log_scores_are_mean_log_probabilities_of_what_happened(purchases):
    history = crowd({1: 10})
    table = backtest(history, pd.Series(2, index=history.index), 100, purchases).set_index("slice")
    assert table.loc["all", "log_score"] == pytest.approx(np.log(purchases.count_probability(2, 100, 1, 100, 200)[0]))
    # Mean days per repeat: 10 * 200 / 10 = 200. Rate (1 + 1) / (200 + 200), so 100 days expect 1/2:
    # P(2) = exp(-1/2) * (1/2)**2 / 2.
    assert table.loc["all", "past_rate_log_score"] == pytest.approx(-0.5 + np.log(1 / 8))


@pytest.mark.parametrize(("customers", "is_null"), [(9, True), (10, False), (11, False)])
def test_no_rate_on_fewer_than_ten_customers(purchases, customers, is_null):
    history = crowd({1: customers})
    row = backtest(history, pd.Series(1, index=history.index), 100, purchases).iloc[0]
    rates = ["ratio", "past_rate_ratio", "mae", "log_score", "past_rate_log_score", "stated_80", "coverage_80"]
    assert (row[rates].isna() == is_null).all()
    assert (row["customers"], row["actual_orders"]) == (customers, customers)


def test_nothing_ordered_gives_no_ratio_but_a_score(purchases):
    history = crowd({1: 20})
    row = backtest(history, pd.Series(dtype=float), 100, purchases).iloc[0]
    assert np.isnan(row["ratio"]) and np.isnan(row["past_rate_ratio"])
    assert row["actual_orders"] == 0 and row["log_score"] < 0


def test_tiers_keep_the_order_of_their_scheme_and_ids_align_by_name(purchases):
    history = crowd({1: 12, 5: 12})
    labels = pd.Series(
        pd.Categorical(["top"] * 12 + ["base"] * 12, categories=["top", "unused", "base"]), index=history.index
    )
    actual = pd.Series([0] * 12 + [3] * 12, index=history.index)
    straight = backtest(history, actual, 100, purchases, labels)
    assert straight["slice"].tolist()[:3] == ["all", "top", "base"]
    assert straight["actual_orders"].tolist()[:3] == [36, 0, 36]
    turned = backtest(history, actual.iloc[::-1], 100, purchases, labels.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(turned, straight)


def test_the_first_day_has_no_past_rate(purchases):
    history = pd.DataFrame({"repeats": 0, "t_x": 0, "T": 0}, index=range(10))
    row = backtest(history, pd.Series(1, index=history.index), 30, purchases).iloc[0]
    assert row["past_rate_ratio"] == 0
    # One purchase in T + 1 = 1 day, 30 in 30 days: P(1) = 30 exp(-30).
    assert row["past_rate_log_score"] == pytest.approx(np.log(30) - 30)


def test_cdnow_backtest_against_the_reference(cdnow):
    history = cdnow[["repeats", "t_x", "T"]]
    model = BetaGeoNBD().fit(*(cdnow[column] for column in history))
    row = backtest(history, cdnow["later"], 39 * 7, model).iloc[0]
    assert (row["customers"], row["actual_orders"], round(row["predicted_orders"])) == (2357, 1882, 1653)
    assert row["past_rate_ratio"] * 1882 == pytest.approx(2930, abs=0.5)
    assert (round(row["mae"], 3), round(row["coverage_80"], 3)) == (0.785, 0.928)
    assert row["log_score"] > row["past_rate_log_score"]


def test_on_its_own_customers_the_model_is_calibrated_and_beats_the_past_rate(simulate):
    x, t_x, T, later = simulate(10_000, 21, (0.8, 50, 0.5, 3.0), holdout=180)
    history = pd.DataFrame({"repeats": x, "t_x": t_x, "T": T})
    table = backtest(history, pd.Series(later), 180, BetaGeoNBD().fit(x, t_x, T)).set_index("slice")
    assert (table["ratio"] - 1).abs().max() < 0.15
    assert (table["coverage_80"] - table["stated_80"]).abs().max() < 0.04
    assert table.loc["all", "coverage_80"] == pytest.approx(table.loc["all", "stated_80"], abs=0.02)
    assert table.loc["all", "log_score"] > table.loc["all", "past_rate_log_score"]


# ---- beside naive rules ----


def test_the_rules_by_hand(purchases):
    """Twelve customers of one repeat in 200 days: in 100 days the past rate gives half an order each, 6 in all. In the 100
    days before the cut six of them bought twice. Eight bought once since, four not at all."""
    history = crowd({1: 12})
    actual = pd.Series([1.0] * 8, index=history.index[:8])
    last = pd.Series([2.0] * 6, index=history.index[:6])
    rules = beside_rules(score_customers(history, actual, 100, purchases, last)).set_index("rule")
    assert rules.index.tolist() == ["model", "past_rate", "last_period", "nothing"]
    predicted = 12 * purchases.expected_purchases(100, 1, 100, 200)[0]
    assert rules["predicted_orders"].tolist() == pytest.approx([predicted, 6, 12, 0])
    assert rules["ratio"].tolist() == pytest.approx([predicted / 8, 6 / 8, 12 / 8, 0])
    # Off by 1/2 each; six that said 2 off by 1, two that said 0 off by 1; eight off by 1.
    assert rules["mae"].tolist()[1:] == pytest.approx([0.5, 8 / 12, 8 / 12])
    # Past rate: (1 + 1) / (200 + 200) * 100 = 1/2. Last period: 12 orders in 1,200 days, 100 days an order:
    # (2 + 1) / (100 + 100) * 100 = 3/2 of six, (0 + 1) / 200 * 100 = 1/2 of six.
    assert rules.loc["past_rate", "log_score"] == pytest.approx((8 * np.log(0.5) - 12 * 0.5) / 12)
    last_score = (6 * (np.log(1.5) - 1.5) + 2 * (np.log(0.5) - 0.5) + 4 * -0.5) / 12
    assert rules.loc["last_period", "log_score"] == pytest.approx(last_score)
    assert rules.loc[["model", "nothing"], ["gain", "gain_error"]].isna().all(axis=None)
    assert np.isnan(rules.loc["nothing", "log_score"]) and rules["verdict"].isna().tolist() == [
        True,
        False,
        False,
        True,
    ]


def scored(model, rule):
    """Customers with these log scores of the model and of the past rate; all else is one order each."""
    frame = pd.DataFrame({"log_score": model, "past_rate_log_score": rule}, dtype=float)
    return frame.assign(customers=1, actual=1.0, predicted=1.0, past_rate=1.0)


def test_the_gain_is_paired_with_its_standard_error():
    # Differences 1 and 3, five each: mean 2, variance 10 * 1 / 9, error sqrt(10 / 9 / 10) = 1/3.
    row = beside_rules(scored([-1, -1] * 5, [-2, -4] * 5)).iloc[1]
    assert (row["gain"], row["gain_error"], row["verdict"]) == (2, pytest.approx(1 / 3), "better")


@pytest.mark.parametrize(
    ("centre", "verdict"),
    [(0.67, "better"), (0.66, "level"), (0.0, "level"), (-0.66, "level"), (-0.67, "worse")],
)
def test_the_verdict_turns_at_two_standard_errors(centre, verdict):
    # Differences centre - 1 and centre + 1, five each: error 1/3, twice that 0.667.
    row = beside_rules(scored([centre - 1, centre + 1] * 5, [0, 0] * 5)).iloc[1]
    assert row["verdict"] == verdict


def test_nine_customers_judge_nothing(purchases):
    history = crowd({1: 9})
    rules = beside_rules(score_customers(history, pd.Series(1.0, index=history.index), 100, purchases))
    assert rules["rule"].tolist() == ["model", "past_rate", "nothing"]  # no last period was given
    assert rules[["ratio", "log_score", "mae", "gain", "gain_error", "verdict"]].isna().all(axis=None)


def test_nobody_buying_since_scores_the_rules_without_a_ratio(purchases):
    history = crowd({1: 20})
    rules = beside_rules(score_customers(history, pd.Series(dtype=float), 100, purchases)).set_index("rule")
    assert rules["ratio"].isna().all() and rules.loc["past_rate", "log_score"] == pytest.approx(-0.5)


def test_cdnow_rules_give_the_references_errors(cdnow):
    model = BetaGeoNBD().fit(cdnow["repeats"], cdnow["t_x"], cdnow["T"])
    rules = beside_rules(score_customers(cdnow, cdnow["later"], 39 * 7, model)).set_index("rule")
    assert rules["predicted_orders"].round().tolist() == [1653, 2930, 0]
    assert rules["mae"].round(3).tolist() == [0.785, 1.024, 0.798]
    assert rules.loc["past_rate", "verdict"] == "better"


# ---- probability transform ----


def test_each_customers_mass_is_spread_over_what_its_count_covers(purchases):
    """Twenty customers of one history: ten without an order, spread evenly from 0 to P(0); ten with two orders, spread from
    P(0) + P(1) to P(0) + P(1) + P(2). A bin holds what of the two stretches lies in it."""
    history = crowd({1: 20})
    bins = pit_histogram(history, pd.Series([2.0] * 10, index=history.index[10:]), 100, purchases)
    none, one, two = (purchases.count_probability(n, 100, 1, 100, 200)[0] for n in (0, 1, 2))
    edges = np.linspace(0, 1, 11)
    first = np.clip(edges / none, 0, 1)
    second = np.clip((edges - none - one) / two, 0, 1)
    assert bins["share"].tolist() == pytest.approx(np.diff((first + second) / 2).tolist())
    assert bins["low"].tolist() == pytest.approx(edges[:-1].tolist())
    assert pit_histogram(history.head(9), pd.Series(dtype=float), 100, purchases)["share"].isna().all()


def test_on_its_own_customers_the_transform_is_flat_and_a_wrong_model_is_not(simulate):
    x, t_x, T, later = simulate(10_000, 5, (0.8, 50, 0.5, 3.0), holdout=180)
    history, actual = pd.DataFrame({"repeats": x, "t_x": t_x, "T": T}), pd.Series(later)
    model = BetaGeoNBD()
    model.params_ = {"r": 0.8, "alpha": 50.0, "a": 0.5, "b": 3.0}
    share = pit_histogram(history, actual, 180, model)["share"]
    assert share.sum() == pytest.approx(1)
    assert (share - 0.1).abs().max() < 0.01  # three standard errors of a share of a tenth of 10,000
    model.params_ |= {"alpha": 150.0}  # a third of the rate: too few are forecast, and the last bin fills
    assert pit_histogram(history, actual, 180, model)["share"].iloc[-1] > 0.12
