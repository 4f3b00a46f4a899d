"""Gamma-Gamma: hand arithmetic, published numbers, units, refusals."""

import datetime as dt

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pytest

from tierbook.history import history, with_gaps
from tierbook.scores.likelihood import ValueNotEstimable
from tierbook.scores.spend import GammaGamma, _objective


def known(p, q, v):
    model = GammaGamma()
    model.params_ = {"p": p, "q": q, "v": v}
    return model


def simulate(size, seed, p, q, v):
    """Mean spend of customers with 1 to 8 repeats, drawn from the model."""
    rng = np.random.default_rng(seed)
    repeats = rng.integers(1, 9, size)
    return repeats, rng.gamma(p * repeats) / (repeats * rng.gamma(q, 1 / v, size))


def test_the_likelihood_by_hand():
    # p = 1, q = 2, v = 10: G(x + 2) / (G(x) G(2)) * v**2 * z**(x - 1) * x**x / (v + x z)**(x + 2)
    # x = 1, z = 10: 2 * 100 / 20**3 = 1/40; x = 2, z = 5: 6 * 100 * 5 * 4 / 20**4 = 3/40, that one three times.
    objective, second = _objective(np.array([1.0, 2.0]), np.array([10.0, 5.0]), np.array([1, 3]))
    value, gradient = objective(np.log([1.0, 2.0, 10.0]))
    assert value == pytest.approx(np.log(1 / 40) + 3 * np.log(3 / 40), abs=1e-12)
    for position in range(3):
        step = 1e-6 * np.eye(3)[position]
        up, down = (objective(np.log([1.0, 2.0, 10.0]) + sign * step)[0] for sign in (1, -1))
        assert gradient[position] == pytest.approx((up - down) / 2e-6, rel=1e-6, abs=1e-7)
        up, down = (objective(np.log([1.0, 2.0, 10.0]) + sign * step)[1] for sign in (1, -1))
        bend = second(np.log([1.0, 2.0, 10.0]), gradient)[position]
        assert bend.tolist() == pytest.approx(((up - down) / 2e-6).tolist(), rel=1e-6, abs=1e-7)


def test_expected_average_value_by_hand():
    # p (v + x z) / (p x + q - 1) with p = 1, q = 2, v = 10: none 10/1; (10 + 10)/2; (10 + 90)/4.
    value = known(1, 2, 10).expected_average_value([0, 1, 3], [np.nan, 10, 30])
    assert value.tolist() == pytest.approx([10, 10, 25])


@pytest.mark.parametrize(("mean_spend", "is_null"), [(-0.01, True), (0, True), (np.nan, True), (0.01, False)])
def test_repeats_that_brought_no_money_have_no_value(mean_spend, is_null):
    assert np.isnan(known(1, 2, 10).expected_average_value([2], [mean_spend])[0]) == is_null


def test_cdnow_of_rounded_cents_gives_every_digit_of_the_reference(cdnow):
    # The reference stands on the peers' summary file, whose means are rounded half up to cents.
    cents = np.floor(cdnow["mean_spend"] * 100 + 0.5 + 1e-6) / 100
    model = GammaGamma().fit(cdnow["repeats"], cents)
    assert [round(value, 3) for value in model.params_.values()] == [6.249, 3.745, 15.448]
    assert model.log_likelihood_ == pytest.approx(-4055.923, abs=5e-4)
    assert (model.n_customers_, model.n_left_out_) == (946, 1411)


def test_cdnow_unrounded_differs_by_the_rounding_only(cdnow):
    model = GammaGamma().fit(cdnow["repeats"], cdnow["mean_spend"])
    # Fader and Hardie print p 6.25, q 3.74, v 15.44.
    assert [round(value, 2) for value in model.params_.values()] == [6.25, 3.74, 15.44]


@pytest.mark.parametrize("unit", [0.01, 7.1, 1e6])
def test_the_unit_of_money_moves_no_value(unit):
    repeats, money = simulate(1000, 1, 3, 4, 60)
    plain, other = GammaGamma().fit(repeats, money), GammaGamma().fit(repeats, money / unit)
    expected = plain.expected_average_value(repeats, money)
    np.testing.assert_allclose(other.expected_average_value(repeats, money / unit) * unit, expected, rtol=1e-6)
    assert other.log_likelihood_ - 1000 * np.log(unit) == pytest.approx(plain.log_likelihood_, rel=1e-10)


def test_the_order_of_customers_moves_no_digit():
    repeats, money = simulate(500, 2, 3, 4, 60)
    assert GammaGamma().fit(repeats[::-1], money[::-1]).params_ == GammaGamma().fit(repeats, money).params_


def test_simulated_parameters_lie_within_three_standard_errors():
    model = GammaGamma().fit(*simulate(20_000, 3, 6, 3.7, 15))
    for (name, estimate), true in zip(model.params_.items(), (6, 3.7, 15), strict=True):
        assert abs(estimate - true) < 3 * model.std_errors_[name] < 0.3 * true


def test_customers_the_model_has_no_place_for_are_counted():
    repeats, money = simulate(100, 4, 3, 4, 60)
    model = GammaGamma().fit([*repeats, 0, 2, 2, 2], [*money, np.nan, 0, -30, np.nan])
    assert (model.n_customers_, model.n_left_out_) == (100, 4)
    assert model.params_ == GammaGamma().fit(repeats, money).params_


@pytest.mark.parametrize(
    ("repeats", "money", "code", "words"),
    [
        ([0] * 99, [np.nan] * 99, "too_few_spending_customers", "Only 0 customers"),
        ([1] * 49, range(1, 50), "too_few_spending_customers", "50 are needed"),
        ([1] * 99, [5] * 99, "spend_all_alike", "5.00"),
        ([1] * 99, [5 + 1e-6 * k for k in range(99)], "spend_at_boundary", "boundary"),
    ],
)
def test_what_cannot_be_estimated_is_refused_in_words(repeats, money, code, words):
    with pytest.raises(ValueNotEstimable, match=words) as refused:
        GammaGamma().fit(repeats, money)
    assert refused.value.reason_code == code


@pytest.mark.parametrize(("q", "is_refused"), [(0.9, True), (1, True), (1.01, False)])
def test_an_infinite_mean_is_refused(q, is_refused):
    if not is_refused:
        assert known(1, q, 10).expected_average_value([0], [np.nan])[0] == pytest.approx(10 / 0.01)
        return
    with pytest.raises(ValueNotEstimable, match="not finite") as refused:
        known(1, q, 10).expected_average_value([0], [np.nan])
    assert refused.value.reason_code == "spend_mean_infinite"


def test_spending_with_an_infinite_mean_is_found_out():
    repeats, money = simulate(5000, 5, 3, 0.7, 10)
    with pytest.raises(ValueNotEstimable):
        GammaGamma().fit(repeats, money).expected_average_value(repeats, money)


# ---- the first purchase, one enormous order, lifetimes ----


def test_the_first_days_money_enters_neither_the_fit_nor_a_customers_value():
    """The history's mean spend leaves the first day out: a buys for 1,000 first, then 10 and 30, so 20; b for 5 only."""
    days = pd.DataFrame(
        [("a", 100, 1, 1000.0, None), ("a", 130, 1, 10.0, None), ("a", 150, 1, 30.0, None), ("b", 120, 1, 5.0, None)],
        columns=["customer_id", "day", "orders", "net", "cost"],
    ).astype({"cost": float})
    lazy = nw.from_native(duckdb.connect().from_df(days)).lazy()
    found = history(with_gaps(lazy), dt.date(1970, 7, 20), 365).to_native().df().set_index("customer_id")
    assert found.loc["a", ["repeats", "mean_spend"]].tolist() == [2, 20] and np.isnan(found.loc["b", "mean_spend"])
    # (10 + 2 * 20) / (2 + 1), and the population's 10 for b, whatever its first purchase brought
    value = known(1, 2, 10).expected_average_value(found["repeats"], found["mean_spend"])
    assert dict(zip(found.index, value, strict=True)) == pytest.approx({"a": 50 / 3, "b": 10})


def test_one_enormous_order_leaves_the_others_estimable():
    repeats, money = simulate(1000, 6, 3, 4, 60)
    money[0] *= 5000
    model = GammaGamma().fit(repeats, money)
    value = model.expected_average_value(repeats, money)
    assert model.params_["q"] > 1 and np.isfinite(value).all() and (value > 0).all()


@pytest.mark.filterwarnings("ignore")
def test_lifetimes_gives_the_same_expected_value_and_no_higher_likelihood(cdnow):
    lifetimes = pytest.importorskip("lifetimes")
    model, theirs = GammaGamma().fit(cdnow["repeats"], cdnow["mean_spend"]), lifetimes.GammaGammaFitter()
    theirs.params_ = pd.Series(model.params_)
    spends = cdnow["mean_spend"].fillna(0.0)
    expected = theirs.conditional_expected_average_profit(cdnow["repeats"], spends)
    np.testing.assert_allclose(model.expected_average_value(cdnow["repeats"], cdnow["mean_spend"]), expected, rtol=1e-6)
    used = cdnow[(cdnow["repeats"] > 0) & (cdnow["mean_spend"] > 0)]
    fitted = lifetimes.GammaGammaFitter().fit(used["repeats"], used["mean_spend"])
    objective, _ = _objective(used["repeats"].to_numpy(float), used["mean_spend"].to_numpy(), np.ones(len(used)))
    at_theirs = objective(np.log(fitted.params_[["p", "q", "v"]].to_numpy()))[0]
    assert model.log_likelihood_ == pytest.approx(at_theirs, rel=1e-6) and model.log_likelihood_ >= at_theirs - 1e-6
