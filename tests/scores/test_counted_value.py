"""Fits and backtests on counted rows: as on the rows repeated, refusals that count customers, sums by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from tierbook.scores.counted import counts_of, mean, standard_error
from tierbook.scores.likelihood import ValueNotEstimable, distinct
from tierbook.scores.mbgnbd import ModifiedBetaGeoNBD
from tierbook.scores.model_choice import choose
from tierbook.scores.value import BetaGeoNBD, GammaGamma, check_independence
from tierbook.scores.value_backtest import beside_rules, by_slice, pit_histogram, score_customers

HISTORY = ["repeats", "t_x", "T"]


def counted(customers, columns):
    return customers.groupby(columns, dropna=False).size().rename("customers").reset_index()


def repeated(rows):
    return rows.loc[rows.index.repeat(rows["customers"])].drop(columns="customers").reset_index(drop=True)


@pytest.fixture(scope="module")
def shop(simulate):
    """Customers in weeks, so that many share a history: repeats, t_x, T, later, tier, money, last_period."""
    x, t_x, T, later = simulate(3000, 12, (0.8, 30.0, 0.7, 2.0), holdout=180)
    rng = np.random.default_rng(4)
    money = np.where(x > 0, np.round(rng.gamma(6, 1 / rng.gamma(4, 0.01, 3000)) / 20), np.nan)
    weeks = {"repeats": x, "t_x": np.where(x > 0, np.maximum(t_x // 7, 1), 0), "T": T // 7 + 1, "later": later}
    tier = np.where(x > 2, "high", np.where(T > 200, "low", None))
    return pd.DataFrame({**weeks, "mean_spend": money, "tier": tier, "last_period": np.minimum(x, T // 90)})


def assert_same_fit(one, other):
    assert one.params_ == pytest.approx(other.params_, rel=1e-9)
    assert one.std_errors_ == pytest.approx(other.std_errors_, rel=1e-9)
    assert one.log_likelihood_ == pytest.approx(other.log_likelihood_, rel=1e-12)
    assert one.n_customers_ == other.n_customers_


# ---- counts, means, errors ----


def test_the_mean_and_its_error_by_hand():
    # 1 for three customers, 5 for one: mean 8 / 4, variance (3 * 1 + 9) / 3 = 4, error sqrt(4 / 4).
    assert mean([1, 5], np.array([3, 1])) == 2
    assert standard_error([1, 5], np.array([3, 1])) == 1
    assert np.isnan(mean([], np.array([], dtype=int)))
    assert np.isnan(standard_error([2], np.array([1]))) and standard_error([2], np.array([2])) == 0


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.integers(1, 9)), min_size=2, max_size=30))
def test_mean_and_error_are_those_of_the_rows_repeated(rows):
    values, customers = (np.array(column) for column in zip(*rows, strict=True))
    each = np.repeat(values, customers)
    assert mean(values, customers) == pytest.approx(each.mean(), abs=1e-9)
    assert standard_error(values, customers) == pytest.approx(each.std(ddof=1) / np.sqrt(len(each)), abs=1e-6)


def test_without_weights_each_row_is_one_customer():
    assert counts_of(None, 3).tolist() == [1, 1, 1]
    assert counts_of(pd.Series([2.0, 1.0], index=[5, 9]), 2).tolist() == [2, 1]


@pytest.mark.parametrize("weights", [[1, 0], [1, -2], [1, 1.5], [1, np.nan], [1, np.inf], [1], [1, 1, 1]])
def test_a_weight_that_is_no_number_of_customers_is_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        counts_of(weights, 2)


def test_distinct_rows_add_up_the_customers_of_their_rows():
    (values,), inverse, counts = distinct([3.0, 1, 3], weights=[2, 5, 4])
    assert (values.tolist(), inverse.tolist(), counts.tolist()) == ([1, 3], [1, 0, 1], [5, 6])
    assert counts.dtype == "int64"


# ---- purchase models ----


@pytest.mark.parametrize("kind", [BetaGeoNBD, ModifiedBetaGeoNBD])
def test_a_purchase_model_of_counted_histories_is_that_of_the_customers(kind, shop):
    rows = counted(shop, HISTORY)
    assert len(rows) < 0.7 * len(shop)
    model = kind().fit(*(rows[name] for name in HISTORY), weights=rows["customers"])
    assert_same_fit(model, kind().fit(*(shop[name] for name in HISTORY)))
    assert (model.n_customers_, model.n_histories_) == (len(shop), len(rows))
    unweighted = kind().fit(*(rows[name] for name in HISTORY))
    assert unweighted.params_["r"] != pytest.approx(model.params_["r"], rel=0.01)


@pytest.mark.parametrize(("returned", "reason"), [(0, "no_repeat_customers"), (49, "too_few_repeat_customers")])
def test_too_few_are_counted_in_customers(returned, reason):
    """Three rows of one-timers stand for 300 customers; two of customers who returned for 49 at most."""
    x, customers = [0, 0, 0, 1, 2], [100, 100, 100, returned // 2, returned - returned // 2]
    rows = [k for k, n in enumerate(customers) if n]
    columns = [np.array(column)[rows] for column in (x, [0, 0, 0, 40, 90], [50, 100, 150, 100, 200], customers)]
    with pytest.raises(ValueNotEstimable, match=f"of {300 + returned} customers") as refused:
        BetaGeoNBD().fit(*columns)
    assert refused.value.reason_code == reason


def test_fifty_customers_who_returned_in_one_row_are_enough():
    model = BetaGeoNBD().fit([0, 1, 3], [0, 40, 90], [150, 100, 200], weights=[300, 30, 20])
    assert (model.n_customers_, model.n_histories_) == (350, 3)
    with pytest.raises(ValueNotEstimable, match="All 350 customers"):
        BetaGeoNBD().fit([1, 1], [40, 90], [100, 200], weights=[300, 50])


# ---- money ----


def test_money_of_counted_rows_is_that_of_the_customers(shop):
    rows = counted(shop, ["repeats", "mean_spend"])
    assert rows["mean_spend"].isna().sum() == 1 and len(rows) < 0.7 * len(shop)
    model = GammaGamma().fit(rows["repeats"], rows["mean_spend"], rows["customers"])
    assert_same_fit(model, GammaGamma().fit(shop["repeats"], shop["mean_spend"]))
    assert model.n_left_out_ == (shop["mean_spend"].isna() | (shop["mean_spend"] <= 0)).sum()
    assert model.n_customers_ + model.n_left_out_ == len(shop)


def test_money_is_refused_by_customers_not_rows():
    rows = [1, 2, 3, 1, 2], [4.0, 9.0, 30.0, 18.0, 80.0], [20, 20, 20, 20, 20]
    with pytest.raises(ValueNotEstimable, match="Only 100 customers"):
        GammaGamma(min_repeat_customers=101).fit(*rows)
    assert GammaGamma(min_repeat_customers=100).fit(*rows).n_customers_ == 100


def test_the_rank_correlation_of_counted_rows(shop):
    rows = counted(shop, ["repeats", "mean_spend"])
    found = check_independence(rows["repeats"], rows["mean_spend"], rows["customers"])
    used = shop[(shop["repeats"] > 0) & (shop["mean_spend"] > 0)]
    assert found == pytest.approx(check_independence(shop["repeats"], shop["mean_spend"]), rel=1e-9)
    assert found.correlation == pytest.approx(spearmanr(used["repeats"], used["mean_spend"]).statistic, rel=1e-9)
    assert found.customers == len(used)


def test_the_rank_correlation_of_counted_rows_by_hand():
    """Ranks of repeats: six customers of 1 share 3.5, four of 2 share 8.5. Of money: five of 10 share 3, five of 20 share 8.
    Off their mean 5.5: -2, 3 and -2.5, 2.5. Five (1, 10), one (1, 20), four (2, 20): products 25 - 5 + 30 = 50 over
    the root of (6 * 4 + 4 * 9) * (10 * 6.25)."""
    found = check_independence([1, 1, 2], [10, 20, 20], [5, 1, 4])
    assert found.correlation == pytest.approx(50 / np.sqrt(60 * 62.5)) and found.customers == 10
    assert np.isnan(check_independence([1, 1, 2], [10, 20, 20], [4, 1, 4]).correlation)  # nine customers


pairs = st.tuples(st.integers(0, 4), st.sampled_from([np.nan, -1.0, 3.0, 5.0, 8.0]), st.integers(1, 6))


@settings(max_examples=50)
@given(st.lists(pairs, min_size=1, max_size=20))
def test_any_rank_correlation_is_that_of_the_rows_repeated(rows):
    repeats, money, customers = (np.array(column) for column in zip(*rows, strict=True))
    one = check_independence(repeats, money, customers)
    other = check_independence(np.repeat(repeats, customers), np.repeat(money, customers))
    assert one == pytest.approx(other, rel=1e-9, abs=1e-12, nan_ok=True)


# ---- choice and backtest ----


def test_the_choice_on_counted_histories(shop):
    now, then = counted(shop, HISTORY), counted(shop, [*HISTORY, "later"])
    one = choose(now, then, then["later"], 26)
    other = choose(shop, shop, shop["later"], 26)
    assert (one.name, one.reason) == (other.name, other.reason)
    pd.testing.assert_frame_equal(one.table, other.table, rtol=1e-9)
    assert one.model.n_customers_ == one.model_then.n_customers_ == len(shop)


def test_the_backtest_of_counted_rows_is_that_of_the_customers(shop):
    model = BetaGeoNBD().fit(*(shop[name] for name in HISTORY))
    rows = counted(shop, [*HISTORY, "later", "last_period", "tier"])
    assert len(rows) < len(shop)
    one, other = (
        score_customers(frame, frame["later"], 26, model, frame["last_period"]) for frame in (rows, repeated(rows))
    )
    assert one["customers"].sum() == len(other) == len(shop)
    pd.testing.assert_frame_equal(repeated(one), other.drop(columns="customers"), rtol=1e-12)
    slices = by_slice(one, rows["tier"])
    pd.testing.assert_frame_equal(slices, by_slice(other, repeated(rows)["tier"]), rtol=1e-9)
    assert slices.set_index("slice").loc["all", "actual_orders"] == shop["later"].sum()
    assert slices["slice"].tolist()[:3] == ["all", "high", "low"]
    pd.testing.assert_frame_equal(beside_rules(one), beside_rules(other), rtol=1e-9)
    bins = [pit_histogram(frame, frame["later"], 26, model) for frame in (rows, repeated(rows))]
    pd.testing.assert_frame_equal(*bins, rtol=1e-9)


@pytest.mark.parametrize(("customers", "is_null"), [(9, True), (10, False)])
def test_rates_stand_on_ten_customers_not_ten_rows(customers, is_null):
    model = BetaGeoNBD()
    model.params_ = {"r": 1.0, "alpha": 10.0, "a": 1.0, "b": 2.0}
    one = pd.DataFrame({"repeats": [1], "t_x": [100], "T": [200], "customers": [customers]})
    scored = score_customers(one, pd.Series([2]), 100, model)
    row = by_slice(scored).iloc[0]
    assert (row["customers"], row["actual_orders"]) == (customers, 2 * customers)
    assert np.isnan(row["ratio"]) == np.isnan(row["log_score"]) == np.isnan(row["mae"]) == is_null
    assert np.isnan(beside_rules(scored).loc[1, "gain"]) == is_null
    assert pit_histogram(one, pd.Series([2]), 100, model)["share"].isna().all() == is_null
