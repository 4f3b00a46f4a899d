"""Lifetime value by calendar months, customers without a repeat, agreement with lifetimes, and the independence check."""

import datetime as dt
import warnings

import numpy as np
import pandas as pd
import pytest

from tierbook.scores.value import (
    BetaGeoNBD,
    GammaGamma,
    ValueNotEstimable,
    _discounted,
    check_independence,
    lifetime_value,
)

AS_OF = dt.date(2026, 10, 31)


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


# ---- months of the calendar ----


@pytest.mark.parametrize(
    ("as_of", "days"),
    [
        (dt.date(2026, 10, 31), 30),  # to 30 November
        (dt.date(2026, 10, 30), 31),  # to 30 November
        (dt.date(2025, 1, 31), 28),  # to 28 February
        (dt.date(2024, 1, 31), 29),  # to 29 February
        (dt.date(2024, 2, 29), 31),  # to 31 March
    ],
)
def test_one_month_is_its_real_days_of_orders_times_value_less_their_discount(purchases, spend, customers, as_of, days):
    value = lifetime_value(purchases, spend, customers, 1, 0.21, as_of)
    history = [customers[column] for column in ("repeats", "t_x", "T")]
    np.testing.assert_allclose(value["expected_orders"], purchases.expected_purchases(days, *history))
    # c9: population mean p v / (q - 1) = 10; a1: (10 + 10) / (1 + 1) = 10; b5: (10 + 2 * 30) / (2 + 1) = 70 / 3;
    # k7: (10 + 8400) / 701.
    money = value["expected_value"]
    assert money[["c9", "a1", "b5", "k7"]].tolist() == pytest.approx([10, 10, 70 / 3, 8410 / 701])
    np.testing.assert_allclose(value["clv"], value["expected_orders"] * money / 1.21 ** (days / 365.25))


def test_two_months_discount_each_month_by_its_own_end(purchases, spend, customers):
    one, two = (lifetime_value(purchases, spend, customers, months, 0.21, AS_OF) for months in (1, 2))
    second = two["expected_orders"] - one["expected_orders"]
    expected = one["expected_orders"] / 1.21 ** (30 / 365.25) + second / 1.21 ** (61 / 365.25)
    np.testing.assert_allclose(two["clv"], expected * one["expected_value"])


@pytest.mark.parametrize(("as_of", "days"), [(AS_OF, 365), (dt.date(2023, 10, 31), 366)])
def test_twelve_months_are_a_year_of_365_or_366_days(purchases, spend, customers, as_of, days):
    value = lifetime_value(purchases, spend, customers, 12, 0.10, as_of)
    history = [customers[column] for column in ("repeats", "t_x", "T")]
    np.testing.assert_allclose(value["expected_orders"], purchases.expected_purchases(days, *history))
    low, high, _ = purchases.count_interval(days, *history)
    assert value["orders_low"].tolist() == low.tolist() and value["orders_high"].tolist() == high.tolist()


# ---- a customer who has not repeated ----


def test_who_has_not_repeated_is_worth_expected_orders_at_the_population_mean(purchases, spend):
    """r 1, alpha 10, a 1, b 2, one purchase 20 days ago: the rate is Gamma(1, 30), and for each dropout chance p, which
    is Beta(1, 2) with density 2 (1 - p), (1 - 30 / (30 + 30 p)) / p = 1 / (1 + p) purchases are expected in 30 days:
    the integral of 2 (1 - p) / (1 + p) is 4 ln 2 - 2. Money: p v / (q - 1) = 10 each, whatever the first order was."""
    one_timer = pd.DataFrame({"repeats": [0], "t_x": [0], "T": [20], "mean_spend": [np.nan]})
    value = lifetime_value(purchases, spend, one_timer, 1, 0.0, AS_OF).iloc[0]
    assert value["expected_orders"] == pytest.approx(4 * np.log(2) - 2, rel=1e-9)
    assert value["expected_value"] == 10
    assert value["clv"] == pytest.approx(10 * (4 * np.log(2) - 2), rel=1e-9)


# ---- bounds and order ----


def test_without_discount_value_is_orders_times_money_and_so_are_its_bounds(purchases, spend, customers):
    value = lifetime_value(purchases, spend, customers, 12, 0.0, AS_OF)
    for orders, money in [("expected_orders", "clv"), ("orders_low", "clv_low"), ("orders_high", "clv_high")]:
        np.testing.assert_allclose(value[money], value[orders] * value["expected_value"])


def test_bounds_are_whole_orders_and_money_is_null_where_repeats_brought_none(purchases, spend, customers):
    value = lifetime_value(purchases, spend, customers, 12, 0.1, AS_OF)
    assert (value["orders_low"] <= value["orders_high"]).all()
    assert value["orders_low"].dtype.kind == value["orders_high"].dtype.kind == "i"
    assert value.loc["z2", ["expected_value", "clv", "clv_low", "clv_high"]].isna().all()
    assert np.isfinite(value.drop(index="z2")).all(axis=None)
    assert value.loc["z2", ["p_alive", "expected_orders"]].notna().all()


def test_value_stays_with_its_customer_whatever_the_order(purchases, spend, customers):
    value = lifetime_value(purchases, spend, customers, 12, 0.1, AS_OF)
    shuffled = lifetime_value(purchases, spend, customers.loc[["k7", "c9", "z2", "a1", "b5"]], 12, 0.1, AS_OF)
    pd.testing.assert_frame_equal(shuffled.loc[customers.index], value)


def test_a_customer_long_gone_is_worth_nothing_not_null(purchases, spend):
    gone = pd.DataFrame({"repeats": [700], "t_x": [700], "T": [40_000], "mean_spend": [12.0]})
    value = lifetime_value(purchases, spend, gone, 12, 0.1, AS_OF).iloc[0]
    assert value["p_alive"] == pytest.approx(0, abs=1e-300)
    assert value[["orders_low", "orders_high", "clv_low", "clv_high"]].tolist() == [0, 0, 0, 0]
    assert value["clv"] == pytest.approx(0, abs=1e-300)


def test_an_infinite_mean_spend_stops_the_value(purchases, spend, customers):
    spend.params_["q"] = 1.0
    with pytest.raises(ValueNotEstimable, match="not finite"):
        lifetime_value(purchases, spend, customers, 12, 0.1, AS_OF)


# ---- traps: units, first purchase, one enormous order, the peer ----


@pytest.fixture(scope="module")
def fitted(cdnow):
    return (
        BetaGeoNBD().fit(cdnow["repeats"], cdnow["t_x"], cdnow["T"]),
        GammaGamma().fit(cdnow["repeats"], cdnow["mean_spend"]),
    )


def test_yuan_or_fen_move_no_value(cdnow, fitted):
    purchases, spend = fitted
    plain = lifetime_value(purchases, spend, cdnow, 12, 0.10, AS_OF)
    fen = cdnow.assign(mean_spend=cdnow["mean_spend"] * 100)
    cents = lifetime_value(purchases, GammaGamma().fit(fen["repeats"], fen["mean_spend"]), fen, 12, 0.10, AS_OF)
    for column in ("expected_value", "clv", "clv_low", "clv_high"):
        np.testing.assert_allclose(cents[column] / 100, plain[column], rtol=1e-6)
    pd.testing.assert_frame_equal(cents.filter(like="orders"), plain.filter(like="orders"))


@pytest.fixture
def lifetimes():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("lifetimes")


def lifetimes_models(lifetimes, purchases, spend):
    """lifetimes' models with our parameters; its dropout and spend formulas are the same functions of them."""
    counts, money = lifetimes.BetaGeoFitter(), lifetimes.GammaGammaFitter()
    counts.params_, money.params_ = pd.Series(purchases.params_), pd.Series(spend.params_)
    counts.predict = counts.conditional_expected_number_of_purchases_up_to_time
    return counts, money


@pytest.mark.filterwarnings("ignore")
def test_lifetimes_agrees_on_value_where_the_definitions_do(cdnow, fitted, lifetimes):
    """Its month is 30 days and its discount a monthly rate; 15 April to 15 May is such a month. Money per purchase by its
    Gamma-Gamma, given our parameters; customers without a repeat at the population's mean in both."""
    counts, money = lifetimes_models(lifetimes, *fitted)
    history = [cdnow["repeats"], cdnow["t_x"], cdnow["T"]]
    monthly = 1.10 ** (30 / 365.25) - 1
    spends = cdnow["mean_spend"].fillna(0.0)
    theirs = money.customer_lifetime_value(counts, *history, spends, time=1, discount_rate=monthly, freq="D")
    ours = lifetime_value(*fitted, cdnow, 1, 0.10, dt.date(2026, 4, 15))["clv"]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_lifetimes_agrees_on_twelve_of_its_own_months(cdnow, fitted, lifetimes):
    """The same over twelve months of 30 days each, below the calendar: our expected purchases and our discounting."""
    purchases, spend = fitted
    counts, money = lifetimes_models(lifetimes, purchases, spend)
    history = [cdnow["repeats"], cdnow["t_x"], cdnow["T"]]
    spends = cdnow["mean_spend"].fillna(0.0)
    monthly = 1.10 ** (30 / 365.25) - 1
    theirs = money.customer_lifetime_value(counts, *history, spends, time=12, discount_rate=monthly, freq="D")
    ends = 30.0 * np.arange(1, 13)
    expected, discount = _discounted(purchases.expected_purchases(ends, *history), ends, 0.10)
    ours = expected * discount * spend.expected_average_value(cdnow["repeats"], cdnow["mean_spend"])
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


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
