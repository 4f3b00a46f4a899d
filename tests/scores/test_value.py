"""Lifetime value, hold-out backtest and the independence check."""

import numpy as np
import pandas as pd
import pytest

from tierbook.scores.value import (
    DAYS_PER_MONTH,
    BetaGeoNBD,
    GammaGamma,
    ValueNotEstimable,
    backtest,
    check_independence,
    lifetime_value,
)

BANDS = ["frequency_0", "frequency_1", "frequency_2", "frequency_3", "frequency_4-6", "frequency_7+"]


@pytest.fixture
def purchases():
    model = BetaGeoNBD()
    model.params_ = {"r": 1.0, "alpha": 10.0, "a": 1.0, "b": 2.0}
    return model


@pytest.fixture
def spend():
    model = GammaGamma()
    model.params_ = {"p": 1.0, "q": 2.0, "v": 10.0}
    return model


@pytest.fixture
def customers():
    return pd.DataFrame(
        {
            "repeats": [0, 1, 2, 3, 700],
            "t_x": [0, 10, 10, 50, 790],
            "T": [10, 30, 10, 90, 800],
            "mean_spend": [np.nan, 10, 30, -4, 12],
        },
        index=["c9", "a1", "b5", "z2", "k7"],
    )


# ---- lifetime value ----


def test_one_month_is_expected_orders_times_value_less_a_month_of_discount(purchases, spend, customers):
    value = lifetime_value(purchases, spend, customers, horizon_months=1, yearly_discount=0.21)
    history = [customers[column] for column in ("repeats", "t_x", "T")]
    np.testing.assert_allclose(value["expected_orders"], purchases.expected_purchases(DAYS_PER_MONTH, *history))
    # c9: population mean p v / (q - 1) = 10; a1: (10 + 10) / (1 + 1) = 10; b5: (10 + 2 * 30) / (2 + 1) = 70 / 3;
    # k7: (10 + 8400) / 701.
    money = value["expected_value"]
    assert money[["c9", "a1", "b5", "k7"]].tolist() == pytest.approx([10, 10, 70 / 3, 8410 / 701])
    expected = value["expected_orders"] * money / 1.21 ** (1 / 12)
    np.testing.assert_allclose(value["clv"], expected)


def test_two_months_discount_each_month_by_its_own_end(purchases, spend, customers):
    one, two = (lifetime_value(purchases, spend, customers, months, 0.21) for months in (1, 2))
    second = two["expected_orders"] - one["expected_orders"]
    expected = one["expected_orders"] / 1.21 ** (1 / 12) + second / 1.21 ** (2 / 12)
    np.testing.assert_allclose(two["clv"], expected * one["expected_value"])


def test_without_discount_value_is_orders_times_money_and_so_are_its_bounds(purchases, spend, customers):
    value = lifetime_value(purchases, spend, customers, 12, 0.0)
    for orders, money in [("expected_orders", "clv"), ("orders_low", "clv_low"), ("orders_high", "clv_high")]:
        np.testing.assert_allclose(value[money], value[orders] * value["expected_value"])


def test_bounds_are_whole_orders_and_money_is_null_where_repeats_brought_none(purchases, spend, customers):
    value = lifetime_value(purchases, spend, customers, 12, 0.1)
    assert (value["orders_low"] <= value["orders_high"]).all()
    assert value["orders_low"].dtype.kind == value["orders_high"].dtype.kind == "i"
    assert value.loc["z2", ["expected_value", "clv", "clv_low", "clv_high"]].isna().all()
    assert np.isfinite(value.drop(index="z2")).all(axis=None)
    assert value.loc["z2", ["p_alive", "expected_orders"]].notna().all()


def test_value_stays_with_its_customer_whatever_the_order(purchases, spend, customers):
    value = lifetime_value(purchases, spend, customers, 12, 0.1)
    shuffled = lifetime_value(purchases, spend, customers.loc[["k7", "c9", "z2", "a1", "b5"]], 12, 0.1)
    pd.testing.assert_frame_equal(shuffled.loc[customers.index], value)


def test_a_customer_long_gone_is_worth_nothing_not_null(purchases, spend):
    gone = pd.DataFrame({"repeats": [700], "t_x": [700], "T": [40_000], "mean_spend": [12.0]})
    value = lifetime_value(purchases, spend, gone, 12, 0.1).iloc[0]
    assert value["p_alive"] == pytest.approx(0, abs=1e-300)
    assert value[["orders_low", "orders_high", "clv_low", "clv_high"]].tolist() == [0, 0, 0, 0]
    assert value["clv"] == pytest.approx(0, abs=1e-300)


def test_an_infinite_mean_spend_stops_the_value(purchases, spend, customers):
    spend.params_["q"] = 1.0
    with pytest.raises(ValueNotEstimable, match="not finite"):
        lifetime_value(purchases, spend, customers, 12, 0.1)


# ---- backtest ----


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


# ---- independence ----


def test_rank_correlation_by_hand():
    # Ranks 1..10 with the last two changed places: 1 - 6 * (1 + 1) / (10 * 99).
    spending = [1, 2, 3, 4, 5, 6, 7, 8, 10, 9]
    result = check_independence(range(1, 11), spending)
    assert result.correlation == pytest.approx(1 - 12 / 990)
    margin = 1.959964 * np.sqrt((1 + result.correlation**2 / 2) / 7)
    assert np.arctanh(result.high) - np.arctanh(result.correlation) == pytest.approx(margin)
    assert result.low < result.correlation < result.high <= 1
    assert result.customers == 10


@pytest.mark.parametrize(
    ("repeats", "spending", "customers"),
    [
        (range(1, 10), range(1, 10), 9),  # one too few
        ([2] * 20, range(1, 21), 20),  # frequency does not vary
        (range(1, 21), [5] * 20, 20),  # money does not vary
        ([0] * 20 + [1], [np.nan] * 20 + [-3], 0),  # nobody returned with money
    ],
)
def test_no_correlation_where_there_is_none_to_have(repeats, spending, customers):
    result = check_independence(repeats, spending)
    assert np.isnan([result.correlation, result.low, result.high]).all()
    assert result.customers == customers


def test_perfect_agreement_has_no_width():
    assert check_independence(range(1, 12), range(1, 12))[:3] == pytest.approx((1, 1, 1))


def test_the_interval_finds_independent_columns_independent():
    rng = np.random.default_rng(8)
    hits = 0
    for _ in range(200):
        result = check_independence(rng.integers(1, 9, 300), rng.gamma(2, 20, 300))
        hits += result.low <= 0 <= result.high
    assert hits >= 180  # 190 expected of 200, standard deviation 3
