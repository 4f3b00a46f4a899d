"""BG/NBD: hand arithmetic, published numbers, boundaries, simulated truth, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.scores import bgnbd, likelihood
from tierbook.scores.likelihood import ValueNotEstimable, distinct
from tierbook.scores.purchases import BetaGeoNBD

WEEKS = 7


def known(r, alpha, a, b):
    """A model whose parameters are given, not estimated."""
    model = BetaGeoNBD()
    model.params_ = {"r": r, "alpha": alpha, "a": a, "b": b}
    return model


# ---- hand arithmetic: r = 1, alpha = 10, a = 1, b = 2, so that B(1,2) = 1/2, B(1,3) = 1/3, B(2,2) = 1/6 ----


@pytest.mark.parametrize(
    ("x", "t_x", "T", "likelihood"),
    [
        # (alpha / (alpha + T)) ** r = 10 / 20
        (0, 0, 10, 1 / 2),
        # G(2)/G(1) * 10 * [B(1,3)/B(1,2) / 40**2 + B(2,2)/B(1,2) / 20**2] = 10 * [(2/3)/1600 + (1/3)/400] = 10/800
        (1, 10, 30, 1 / 80),
        # G(3)/G(1) * 10 * [B(1,4)/B(1,2) + B(2,3)/B(1,2)] / 20**3 = 20 * [1/2 + 1/6] / 8000
        (2, 10, 10, 1 / 600),
    ],
)
def test_the_likelihood_of_one_history_by_hand(x, t_x, T, likelihood):
    value, _ = bgnbd.log_likelihood((1, 10, 1, 2), tuple(np.array([v], float) for v in (x, t_x, T)), np.array([1]))
    assert value == pytest.approx(np.log(likelihood), abs=1e-12)


def test_the_likelihood_of_counted_histories_adds_up_and_its_gradient_is_its_slope():
    histories = tuple(np.array(v, float) for v in ([0, 1, 2], [0, 10, 10], [10, 30, 10]))
    counts, at = np.array([3, 1, 2]), np.array([1.0, 10, 1, 2])
    value, gradient = bgnbd.log_likelihood(at, histories, counts)
    assert value == pytest.approx(3 * np.log(1 / 2) + np.log(1 / 80) + 2 * np.log(1 / 600))
    for position, width in enumerate([1e-6, 1e-5, 1e-6, 1e-6]):
        step = width * np.eye(4)[position]
        up, down = (bgnbd.log_likelihood(at + sign * step, histories, counts)[0] for sign in (1, -1))
        assert gradient[position] == pytest.approx((up - down) / (2 * width), rel=1e-6)


@pytest.mark.parametrize("at_first", [0, 1])
def test_the_second_derivatives_are_the_slopes_of_the_gradient(at_first):
    histories = tuple(np.array(v, float) for v in ([0, 0, 1, 2, 9], [0, 0, 10, 10, 25], [10, 40, 30, 10, 26]))
    counts, at = np.array([3, 2, 1, 2, 4]), np.array([0.7, 12, 0.9, 2.5])
    second = bgnbd.second_derivatives(at, histories, counts, at_first)
    for position in range(4):
        step = 1e-5 * at[position] * np.eye(4)[position]
        up, down = (bgnbd.log_likelihood(at + sign * step, histories, counts, at_first)[1] for sign in (1, -1))
        np.testing.assert_allclose(second[position], (up - down) / (2 * step[position]), rtol=1e-6)
    np.testing.assert_array_equal(second, second.T)


@pytest.mark.parametrize(
    ("x", "t_x", "T", "alive"),
    [
        (0, 0, 0, 1),  # the day of the first purchase
        (0, 0, 5000, 1),  # BG/NBD: who has not repeated cannot have dropped out
        (1, 10, 30, 1 / 3),  # (2/3)/1600 of (2/3)/1600 + (1/3)/400
        (2, 10, 10, 3 / 4),  # 1/2 of 1/2 + 1/6: dropped out at the last purchase or not
    ],
)
def test_probability_alive_by_hand(x, t_x, T, alive):
    assert known(1, 10, 1, 2).probability_alive(x, t_x, T) == pytest.approx(alive, abs=1e-12)


def test_the_count_distribution_by_hand():
    # History (0, 0, 10): alpha becomes 20, horizon 20, so arrivals are geometric, P(j) = 2**-(j+1), P(>= j) = 2**-j.
    # Survived n dropouts: b/(a+b) = 2/3 once, 2*3/(3*4) = 1/2 twice.
    # P(0) = 1/2; P(1) = 2/3 * 1/4 + 1/3 * 1/2 = 1/3; P(> 1) = 2/3 * 1/4 = 1/6; P(> 2) = 1/2 * 1/8 = 1/16.
    model, history = known(1, 10, 1, 2), (0, 0, 10)
    assert model.count_probability(0, 20, *history) == pytest.approx(1 / 2)
    assert model.count_probability(1, 20, *history) == pytest.approx(1 / 3)
    assert model.count_probability(2, 20, *history) == pytest.approx(1 / 6 - 1 / 16)
    low, high, stated = model.count_interval(20, *history)
    assert (low[0], high[0]) == (0, 2)  # 1/16 above 2 is under a tenth, 1/6 above 1 is not
    assert stated[0] == pytest.approx(15 / 16)


def test_a_customer_who_has_probably_gone_gets_the_mass_at_nil():
    # P(alive) = 1/3; alive: r = 2, alpha = 40, b = 3, horizon 40: no arrival (1/2)**2. P(0) = 2/3 + 1/3 * 1/4.
    assert known(1, 10, 1, 2).count_probability(0, 40, 1, 10, 30) == pytest.approx(3 / 4)


def test_expected_purchases_at_a_equal_to_one_by_hand():
    # Mean over p ~ Beta(1, 2) of (1 - 1/(1 + p)) / p = 1/(1 + p): 2 * integral of (1 - p)/(1 + p) = 2 * (2 ln 2 - 1).
    assert known(1, 10, 1, 2).expected_purchases(20, 0, 0, 10) == pytest.approx(2 * (2 * np.log(2) - 1), rel=1e-10)


# ---- published numbers ----


def test_cdnow_parameters_and_likelihood_are_the_published_ones(cdnow):
    # Fader, Hardie, Lee (2005), table 2: r .243, alpha 4.414 weeks, a .793, b 2.426, log-likelihood -9582.4.
    model = BetaGeoNBD().fit(cdnow["repeats"], cdnow["t_x"] / WEEKS, cdnow["T"] / WEEKS)
    assert [round(value, 3) for value in model.params_.values()] == [0.243, 4.414, 0.793, 2.426]
    assert round(model.log_likelihood_, 1) == -9582.4
    assert model.n_customers_ == 2357
    assert model.at_boundary_ == ()


def test_cdnow_in_weeks_of_two_decimals_gives_every_digit_of_the_reference(cdnow):
    # The reference stands on the summary file of the peers, which rounds weeks to two decimals.
    weeks = [(cdnow[column] / WEEKS).round(2) for column in ("t_x", "T")]
    model = BetaGeoNBD().fit(cdnow["repeats"], *weeks)
    assert list(model.params_.values()) == pytest.approx([0.24259, 4.41353, 0.79289, 2.42575], abs=5e-6)
    assert model.log_likelihood_ == pytest.approx(-9582.4256, abs=5e-5)


def test_cdnow_hold_out_total_is_the_published_one(cdnow):
    history = [cdnow[column] for column in ("repeats", "t_x", "T")]
    predicted = BetaGeoNBD().fit(*history).expected_purchases(39 * WEEKS, *history)
    assert (round(predicted.sum()), cdnow["later"].sum()) == (1653, 1882)
    assert np.abs(predicted - cdnow["later"]).mean() == pytest.approx(0.785, abs=5e-4)
    assert np.corrcoef(predicted, cdnow["later"])[0, 1] == pytest.approx(0.626, abs=1e-3)


@pytest.mark.parametrize("parameter_doubt", [False, True])
def test_cdnow_count_interval_covers_what_the_reference_says(parameter_doubt, cdnow):
    # Doubt in parameters estimated on 2,357 customers moves no bound of theirs across a whole number that matters.
    history = [cdnow[column] for column in ("repeats", "t_x", "T")]
    low, high, _ = BetaGeoNBD().fit(*history).count_interval(39 * WEEKS, *history, parameter_doubt=parameter_doubt)
    assert ((cdnow["later"] >= low) & (cdnow["later"] <= high)).mean() == pytest.approx(0.928, abs=5e-4)


# ---- what must not matter ----


@pytest.mark.parametrize("unit", [1 / 24, 7, 365.25])
def test_the_unit_of_time_moves_no_forecast(unit, simulate):
    x, t_x, T, _ = simulate(2000, 3, (0.5, 40, 0.7, 3))
    days, other = BetaGeoNBD().fit(x, t_x, T), BetaGeoNBD().fit(x, t_x / unit, T / unit)
    forecast = days.expected_purchases(365, x, t_x, T)
    np.testing.assert_allclose(other.expected_purchases(365 / unit, x, t_x / unit, T / unit), forecast, rtol=1e-6)
    assert other.params_["alpha"] * unit == pytest.approx(days.params_["alpha"], rel=1e-8)
    # Each of the sum(x) purchase times is a density per unit of time.
    assert other.log_likelihood_ - x.sum() * np.log(unit) == pytest.approx(days.log_likelihood_, rel=1e-10)


def test_the_order_of_customers_moves_no_digit(simulate):
    x, t_x, T, _ = simulate(1000, 4, (0.5, 40, 0.7, 3))
    order = np.random.default_rng(0).permutation(1000)
    straight, shuffled = BetaGeoNBD().fit(x, t_x, T), BetaGeoNBD().fit(x[order], t_x[order], T[order])
    assert straight.params_ == shuffled.params_
    expected = straight.expected_purchases(90, x, t_x, T)
    np.testing.assert_array_equal(shuffled.expected_purchases(90, x[order], t_x[order], T[order]), expected[order])


def test_distinct_rows_come_sorted_with_their_counts():
    (x, y), inverse, counts = distinct([2, 1, 2, 2], [5, 9, 4, 5])
    assert (x.tolist(), y.tolist()) == ([1, 2, 2], [9, 4, 5])
    assert (inverse.tolist(), counts.tolist()) == ([2, 0, 1, 2], [1, 1, 2])


# ---- properties ----

shapes = st.tuples(st.floats(0.05, 5), st.floats(5, 300), st.floats(0.01, 5), st.floats(0.05, 20))
histories = st.tuples(st.integers(0, 60), st.floats(0.01, 1), st.integers(61, 900)).map(
    lambda drawn: (drawn[0], drawn[1] * drawn[2] if drawn[0] else 0.0, drawn[2])
)


@settings(max_examples=60, deadline=None)
@given(shapes, histories, st.sampled_from([30, 365]))
def test_probabilities_sum_to_one_and_their_mean_is_the_expectation(parameters, history, horizon):
    model, n = known(*parameters), np.arange(5000)
    x, t_x, T = (np.full(len(n), value) for value in history)
    probability = model.count_probability(n, horizon, x, t_x, T)
    assert probability.sum() == pytest.approx(1, abs=1e-9)
    assert probability @ n == pytest.approx(model.expected_purchases(horizon, *history)[0], rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(shapes, histories, st.sampled_from([0.5, 0.8, 0.95]))
def test_the_interval_is_the_narrowest_central_one_and_states_its_probability(parameters, history, level):
    model, n = known(*parameters), np.arange(3000)
    below = np.concatenate([[0], model.count_probability(n, 180, *(np.full(len(n), v) for v in history)).cumsum()])
    low, high, stated = (value[0] for value in model.count_interval(180, *history, level=level))
    tail = (1 - level) / 2
    assert below[low] <= tail + 1e-9 and 1 - below[high + 1] <= tail + 1e-9
    assert below[low + 1] >= tail - 1e-9 and (high == 0 or 1 - below[high] >= tail - 1e-9)
    assert stated == pytest.approx(below[high + 1] - below[low], abs=1e-8)
    assert stated >= level - 1e-9


@settings(max_examples=40, deadline=None)
@given(shapes, histories)
def test_a_longer_horizon_never_expects_less_and_several_at_once_agree(parameters, history):
    model = known(*parameters)
    several = model.expected_purchases([1, 30, 365, 730], *history)[0]
    assert (np.diff(several) >= 0).all()
    assert several[1] == pytest.approx(model.expected_purchases(30, *history)[0], rel=1e-9)
    assert several[3] <= 2 * several[2] * (1 + 1e-9)  # purchases only slow down: people drop out


# ---- edges ----


@pytest.mark.parametrize("a", [0.999999, 1, 1.000001, 1e-5, 900.0])
def test_very_frequent_buyers_and_a_near_one_stay_finite(a):
    model = known(0.3, 30, a, 2.5)
    alive, expected = model.probability_alive(700, 800, 800), model.expected_purchases(365, 700, 800, 800)
    _, high, stated = model.count_interval(365, 700, 800, 800)
    assert 0 <= alive[0] <= 1 and 0 <= expected[0] < 365 and high[0] < 500 and 0.8 <= stated[0] <= 1
    assert np.isfinite(model.log_count_probability(9999, 365, 700, 800, 800)).all()


def test_expected_purchases_are_smooth_through_a_equal_to_one():
    below, at, above = (known(0.5, 30, a, 2.0).expected_purchases(365, 3, 90, 100)[0] for a in (1 - 1e-7, 1, 1 + 1e-7))
    assert at == pytest.approx((below + above) / 2, rel=1e-9)


def test_a_horizon_far_beyond_the_history_keeps_six_digits():
    # P(more than n) summed over n is the same mean by another road.
    tails = bgnbd.count_tail(np.arange(100_000.0), 3650.0, (0.24, 5.0, 0.79, 2.4))
    assert known(0.24, 5.0, 0.79, 2.4).expected_purchases(3650, 0, 0, 0) == pytest.approx(tails.sum(), rel=1e-8)


def test_a_one_day_history_is_alive_and_has_a_forecast():
    model = known(0.25, 30, 0.8, 2.4)
    assert model.probability_alive(0, 0, 0) == 1
    assert 0 < model.expected_purchases(365, 0, 0, 0)[0] < 10
    assert model.expected_purchases(0, 0, 0, 0) == 0


def test_no_customers_give_no_forecasts():
    assert known(0.25, 30, 0.8, 2.4).expected_purchases(365, [], [], []).shape == (0,)


@pytest.mark.parametrize(
    "history",
    [(-1, 0, 5), (1.5, 3, 5), (1, 6, 5), (0, 2, 5), (1, 0, 5), (1, np.nan, 5), (0, 0, np.inf), (np.nan, 0, 5)],
)
def test_impossible_histories_are_named(history):
    with pytest.raises(ValueError, match="first at position 1"):
        known(1, 10, 1, 2).probability_alive(*zip((0, 0, 5), history, strict=True))


# ---- simulated truth ----


@pytest.mark.parametrize("truth", [(0.25, 30.0, 0.8, 2.5), (1.5, 60.0, 0.4, 4.0)])
def test_simulated_parameters_lie_within_three_standard_errors(truth, simulate):
    model = BetaGeoNBD().fit(*simulate(20_000, 11, truth)[:3])
    for (name, estimate), true in zip(model.params_.items(), truth, strict=True):
        assert abs(estimate - true) < 3 * model.std_errors_[name]
        assert model.std_errors_[name] < 0.2 * true


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_the_interval_covers_as_often_as_it_states(level, simulate):
    x, t_x, T, later = simulate(20_000, 12, (0.8, 50, 0.5, 3.0), holdout=180)
    model = BetaGeoNBD().fit(x, t_x, T)
    low, high, stated = model.count_interval(180, x, t_x, T, level=level)
    assert ((later >= low) & (later <= high)).mean() == pytest.approx(stated.mean(), abs=0.02)
    assert model.expected_purchases(180, x, t_x, T).sum() == pytest.approx(later.sum(), rel=0.03)


def test_simulated_parameters_lie_within_their_95_percent_intervals(simulate):
    truth, inside = (0.6, 50.0, 0.6, 2.5), []
    for seed in range(12):
        model = BetaGeoNBD().fit(*simulate(3000, seed, truth)[:3])
        errors = np.sqrt(np.diag(model.covariance_))
        inside += list(np.abs(np.log(list(model.params_.values())) - np.log(truth)) < 1.96 * errors)
    assert np.mean(inside) >= 0.9


def test_a_crowd_whose_search_starts_on_a_part_ends_where_all_of_it_would(simulate, monkeypatch):
    x, t_x, T, _ = simulate(5000, 2, (0.6, 50, 0.6, 2.5))
    whole = BetaGeoNBD().fit(x, t_x, T)
    monkeypatch.setattr(likelihood, "_FIRST_SEARCH", 100)
    part = BetaGeoNBD().fit(x, t_x, T)
    assert list(part.params_.values()) == pytest.approx(list(whole.params_.values()), rel=1e-9)
    # Newton's way runs to the boundary: the careful climb ends at the same top.
    monkeypatch.setattr(likelihood, "ascend", lambda *_: np.log([1e4, 1, 1, 1]))
    climbed = BetaGeoNBD().fit(x, t_x, T)
    assert list(climbed.params_.values()) == pytest.approx(list(whole.params_.values()), rel=1e-9)


def test_one_common_dropout_rate_is_told_and_the_forecast_holds(simulate):
    x, t_x, T, later = simulate(3000, 0, (0.6, 60, 2000, 8000), holdout=180)
    model = BetaGeoNBD().fit(x, t_x, T)
    assert model.expected_purchases(180, x, t_x, T).sum() == pytest.approx(later.sum(), rel=0.1)
    assert all(np.isnan(model.std_errors_[name]) for name in model.at_boundary_)


def test_nobody_drops_out_is_told_and_the_forecast_is_finite():
    rng = np.random.default_rng(5)
    T = rng.integers(100, 400, 2000).astype(float)
    x = rng.poisson(rng.gamma(1, 1 / 60, 2000) * T)
    # The last of x uniform times.
    t_x = np.where(x > 0, T * rng.random(2000) ** (1 / np.maximum(x, 1)), 0)
    model = BetaGeoNBD().fit(x, t_x, T)
    assert model.at_boundary_ and np.isnan(model.std_errors_["a"]) and np.isfinite(model.std_errors_["r"])
    # Gamma(1, 60) rates without dropout: one purchase in 60 days.
    assert model.expected_purchases(60, x, t_x, T).mean() == pytest.approx(1, abs=0.1)


# ---- refusals ----


def few(returned):
    x = np.zeros(2000)
    x[:returned] = 1 + np.arange(returned) % 5
    return x, 20 * x, np.arange(2000) % 200 + 101.0


def daily():
    T = np.arange(100, 300.0)
    return T, T, T


def hardly_anyone():
    x = np.zeros(100_000)
    x[:60] = 1
    T = np.arange(100_000) % 364 + 1.0
    return x, np.where(x > 0, np.minimum(5, T), 0), T


@pytest.mark.parametrize(
    ("history", "code", "words"),
    [
        (few(0), "no_repeat_customers", "None of 2,000 customers"),
        (few(1), "too_few_repeat_customers", "Only 1 of 2,000 customers"),
        (few(49), "too_few_repeat_customers", "50 are needed"),
        ((np.zeros(9), np.zeros(9), np.zeros(9)), "no_repeat_customers", "None of 9"),
        ((np.ones(99), np.full(99, 3), np.arange(3, 102)), "histories_all_alike", "99 customers"),
        (daily(), "parameters_at_boundary", "ran to the boundary"),
        (hardly_anyone(), "parameters_at_boundary", "ran to the boundary"),
    ],
)
def test_what_cannot_be_estimated_is_refused_in_words(history, code, words):
    with pytest.raises(ValueNotEstimable, match=words) as refused:
        BetaGeoNBD().fit(*history)
    assert refused.value.reason_code == code


def test_fifty_who_returned_are_enough():
    assert BetaGeoNBD().fit(*few(50)).n_customers_ == 2000
