"""MBG/NBD: hand arithmetic, the reference numbers, how it differs from BG/NBD, simulated truth, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.scores import bgnbd
from tierbook.scores.likelihood import ValueNotEstimable
from tierbook.scores.mbgnbd import ModifiedBetaGeoNBD
from tierbook.scores.purchases import BetaGeoNBD

WEEKS = 7


def known(r, alpha, a, b):
    model = ModifiedBetaGeoNBD()
    model.params_ = {"r": r, "alpha": alpha, "a": a, "b": b}
    return model


# ---- hand arithmetic: r = 1, alpha = 10, a = 1, b = 2; B(1,2) = 1/2, B(1,4) = 1/4, B(2,3) = 1/12, B(2,4) = 1/20 ----


@pytest.mark.parametrize(
    ("x", "t_x", "T", "likelihood"),
    [
        # survived the first purchase, 2/3, and was silent, 10/20; or dropped out with it, 1/3
        (0, 0, 10, 2 / 3),
        # 10 * [B(1,4)/B(1,2) / 40**2 + B(2,3)/B(1,2) / 20**2] = 10 * [1/3200 + 1/2400]
        (1, 10, 30, 7 / 960),
        # G(3) * 10 * [B(1,5)/B(1,2) + B(2,4)/B(1,2)] / 20**3 = 20 * [2/5 + 1/10] / 8000
        (2, 10, 10, 1 / 800),
    ],
)
def test_the_likelihood_of_one_history_by_hand(x, t_x, T, likelihood):
    history = tuple(np.array([v], float) for v in (x, t_x, T))
    value, _ = bgnbd.log_likelihood((1, 10, 1, 2), history, np.array([1]), at_first=1)
    assert value == pytest.approx(np.log(likelihood), abs=1e-12)


@pytest.mark.parametrize(
    ("x", "t_x", "T", "alive"),
    [
        (0, 0, 0, 2 / 3),  # the first purchase itself is a chance to drop out
        (0, 0, 10, 1 / 2),  # 2/3 * 1/2 of 2/3
        (1, 10, 30, 3 / 7),  # 1/3200 of 1/3200 + 1/2400
        (2, 10, 10, 4 / 5),  # 2/5 of 2/5 + 1/10
    ],
)
def test_probability_alive_by_hand(x, t_x, T, alive):
    assert known(1, 10, 1, 2).probability_alive(x, t_x, T) == pytest.approx(alive, abs=1e-12)


def test_the_count_distribution_by_hand():
    # History (0, 0, 10): alive 1/2; then alpha 20, b 3, horizon 20: P(>= j arrivals) = 2**-j, survived n: 3/4, 3/5.
    # P(> 0) = 1/2 * 1/2; P(> 1) = 1/2 * 3/4 * 1/4 = 3/32; P(> 2) = 1/2 * 3/5 * 1/8 = 3/80.
    model, history = known(1, 10, 1, 2), (0, 0, 10)
    assert model.count_probability(0, 20, *history) == pytest.approx(3 / 4)
    assert model.count_probability(1, 20, *history) == pytest.approx(1 / 4 - 3 / 32)
    assert model.count_probability(2, 20, *history) == pytest.approx(3 / 32 - 3 / 80)
    low, high, stated = model.count_interval(20, *history)
    assert (low[0], high[0]) == (0, 1)  # 3/32 above 1 is under a tenth
    assert stated[0] == pytest.approx(29 / 32)


def test_expected_purchases_at_a_equal_to_one_by_hand():
    # 1/2 * mean over p ~ Beta(1, 3) of 1/(1 + p) = 1/2 * 3 * integral of (1 - p)**2/(1 + p) = 3/2 * (4 ln 2 - 5/2).
    expected = known(1, 10, 1, 2).expected_purchases(20, 0, 0, 10)
    assert expected == pytest.approx(1.5 * (4 * np.log(2) - 2.5), rel=1e-10)


# ---- reference ----


def test_cdnow_in_weeks_of_two_decimals_gives_every_digit_of_the_reference(cdnow):
    weeks = [(cdnow[column] / WEEKS).round(2) for column in ("t_x", "T")]
    model = ModifiedBetaGeoNBD().fit(cdnow["repeats"], *weeks)
    # The reference gives four digits of the parameters, three decimals of the log-likelihood.
    assert list(model.params_.values()) == pytest.approx([0.5248, 6.1830, 0.8914, 1.6140], abs=6e-5)
    assert round(model.log_likelihood_, 3) == -9582.133
    assert (model.n_customers_, model.at_boundary_) == (2357, ())


def test_on_cdnow_who_never_returned_may_be_gone_and_the_hold_out_is_missed_further(cdnow):
    history = [cdnow[column] for column in ("repeats", "t_x", "T")]
    modified, plain = (model().fit(*history) for model in (ModifiedBetaGeoNBD, BetaGeoNBD))
    once = (cdnow["repeats"] == 0).to_numpy()
    alive = modified.probability_alive(*history)
    assert (alive[once] < 1).all() and (plain.probability_alive(*history)[once] == 1).all()
    # Silent for longer, gone more surely.
    by_silence = alive[once][np.argsort(cdnow["T"][once], kind="stable")]
    assert (np.diff(by_silence) <= 0).all()
    expected = [model.expected_purchases(39 * WEEKS, *history).sum() for model in (modified, plain)]
    assert expected[0] < expected[1] < cdnow["later"].sum()
    low, high, _ = modified.count_interval(39 * WEEKS, *history)
    assert ((cdnow["later"] >= low) & (cdnow["later"] <= high)).mean() > 0.9


# ---- what must not matter ----


@pytest.mark.parametrize("unit", [1 / 24, 7, 365.25])
def test_the_unit_of_time_moves_no_forecast(unit, simulate):
    x, t_x, T, _ = simulate(2000, 3, (0.5, 40, 0.7, 3), at_first=True)
    days, other = ModifiedBetaGeoNBD().fit(x, t_x, T), ModifiedBetaGeoNBD().fit(x, t_x / unit, T / unit)
    scaled = (365 / unit, x, t_x / unit, T / unit)
    np.testing.assert_allclose(
        other.expected_purchases(*scaled), days.expected_purchases(365, x, t_x, T), rtol=1e-6, atol=1e-12
    )
    np.testing.assert_allclose(
        other.count_interval(*scaled)[2], days.count_interval(365, x, t_x, T)[2], rtol=1e-6, atol=1e-9
    )
    assert other.params_["alpha"] * unit == pytest.approx(days.params_["alpha"], rel=1e-8)
    np.testing.assert_allclose(other.covariance_, days.covariance_, rtol=1e-6)


def test_the_order_of_customers_moves_no_digit(simulate):
    x, t_x, T, _ = simulate(1000, 4, (0.5, 40, 0.7, 3), at_first=True)
    order = np.random.default_rng(0).permutation(1000)
    straight, shuffled = (
        ModifiedBetaGeoNBD().fit(x, t_x, T),
        ModifiedBetaGeoNBD().fit(x[order], t_x[order], T[order]),
    )
    assert straight.params_ == shuffled.params_
    for one, other in zip(
        straight.count_interval(90, x, t_x, T),
        shuffled.count_interval(90, x[order], t_x[order], T[order]),
        strict=True,
    ):
        np.testing.assert_array_equal(other, one[order])


# ---- properties and edges ----

shapes = st.tuples(st.floats(0.05, 5), st.floats(5, 300), st.floats(0.01, 5), st.floats(0.05, 20))
histories = st.tuples(st.integers(0, 60), st.floats(0.01, 1), st.integers(61, 900)).map(
    lambda drawn: (drawn[0], drawn[1] * drawn[2] if drawn[0] else 0.0, drawn[2])
)


@settings(max_examples=40, deadline=None)
@given(shapes, histories, st.sampled_from([30, 365]))
def test_probabilities_sum_to_one_and_their_mean_is_the_expectation(parameters, history, horizon):
    model, n = known(*parameters), np.arange(5000)
    probability = model.count_probability(n, horizon, *(np.full(len(n), value) for value in history))
    assert probability.sum() == pytest.approx(1, abs=1e-9)
    assert probability @ n == pytest.approx(model.expected_purchases(horizon, *history)[0], rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(shapes, histories)
def test_one_more_chance_to_drop_out_is_one_more_survived(parameters, history):
    # With x repeats and the first purchase survived, MBG/NBD knows what BG/NBD knows with b one higher: among those
    # who returned the two agree on P(alive) for b and b + 1.
    r, alpha, a, b = parameters
    plain = BetaGeoNBD()
    plain.params_ = {"r": r, "alpha": alpha, "a": a, "b": b + 1}
    alive = known(*parameters).probability_alive(*history)
    assert history[0] == 0 or alive == pytest.approx(plain.probability_alive(*history), rel=1e-12)
    assert 0 < alive[0] < 1 or history[0] > 0


@pytest.mark.parametrize("a", [0.999999, 1, 1.000001, 1e-5, 900.0])
def test_very_frequent_buyers_and_a_near_one_stay_finite(a):
    model, history = known(0.3, 30, a, 2.5), (5000, 5990, 6000)
    alive, expected = model.probability_alive(*history), model.expected_purchases(365, *history)
    low, high, stated = model.count_interval(365, *history)
    assert 0 <= alive[0] <= 1 and 0 <= expected[0] < 365 and 0 <= low[0] <= high[0] < 500 and 0.8 <= stated[0] <= 1
    assert np.isfinite(model.log_count_probability(9999, 365, *history)).all()


# ---- simulated truth ----


def test_simulated_parameters_lie_within_their_95_percent_intervals(simulate):
    truth, inside = (0.6, 50.0, 0.6, 2.5), []
    for seed in range(12):
        model = ModifiedBetaGeoNBD().fit(*simulate(3000, seed, truth, at_first=True)[:3])
        errors = np.sqrt(np.diag(model.covariance_))
        inside += list(np.abs(np.log(list(model.params_.values())) - np.log(truth)) < 1.96 * errors)
    assert np.mean(inside) >= 0.9


def test_each_model_fits_its_own_customers_better(simulate):
    for at_first, own, other in ((True, ModifiedBetaGeoNBD, BetaGeoNBD), (False, BetaGeoNBD, ModifiedBetaGeoNBD)):
        history = simulate(20_000, 6, (0.8, 30.0, 0.9, 1.8), at_first=at_first)[:3]
        assert own().fit(*history).log_likelihood_ > other().fit(*history).log_likelihood_ + 5


def test_the_hold_out_total_of_its_own_customers_is_met(simulate):
    x, t_x, T, later = simulate(20_000, 12, (0.8, 50, 0.5, 3.0), holdout=180, at_first=True)
    model = ModifiedBetaGeoNBD().fit(x, t_x, T)
    assert model.expected_purchases(180, x, t_x, T).sum() == pytest.approx(later.sum(), rel=0.03)
    assert model.std_errors_["r"] == pytest.approx(model.params_["r"] * np.sqrt(model.covariance_[0, 0]))


# ---- refusals ----


def few(returned):
    x = np.zeros(2000)
    x[:returned] = 1 + np.arange(returned) % 5
    return x, 20 * x, np.arange(2000) % 200 + 101.0


@pytest.mark.parametrize(
    ("history", "code", "words"),
    [
        (few(0), "no_repeat_customers", "None of 2,000 customers"),
        (few(49), "too_few_repeat_customers", "50 are needed"),
        ((np.ones(99), np.full(99, 3), np.arange(3, 102)), "histories_all_alike", "99 customers"),
        ((np.arange(100, 300.0),) * 3, "parameters_at_boundary", "ran to the boundary"),
    ],
)
def test_what_cannot_be_estimated_is_refused_in_words(history, code, words):
    with pytest.raises(ValueNotEstimable, match=words) as refused:
        ModifiedBetaGeoNBD().fit(*history)
    assert refused.value.reason_code == code


def test_impossible_histories_are_named():
    with pytest.raises(ValueError, match="first at position 1"):
        known(1, 10, 1, 2).probability_alive([0, 1], [0, 6], [5, 5])
