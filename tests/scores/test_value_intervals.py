"""Intervals of the count: doubt in the parameters by hand and by brute force, coverage and uniformity on simulations."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import kstest

from tierbook.scores import predictive
from tierbook.scores.mbgnbd import ModifiedBetaGeoNBD
from tierbook.scores.purchases import BetaGeoNBD

MODELS = pytest.mark.parametrize("kind", [BetaGeoNBD, ModifiedBetaGeoNBD])
CORRELATED = np.array([[0.05, 0.04, 0, 0], [0.04, 0.08, 0, 0], [0, 0, 0.3, 0.25], [0, 0, 0.25, 0.3]])


def known(kind, parameters, covariance=None):
    model = kind()
    model.params_ = dict(zip(("r", "alpha", "a", "b"), parameters, strict=True))
    if covariance is not None:
        model.covariance_ = np.asarray(covariance)
    return model


# ---- nodes ----


@pytest.mark.parametrize("held", [[], [2], [2, 3], [1, 2, 3], [0, 1, 2, 3]])
def test_the_nodes_have_every_moment_of_the_normal_up_to_the_fifth(held):
    covariance = CORRELATED.copy()
    covariance[held], covariance[:, held] = np.nan, np.nan
    free = np.setdiff1d(range(4), held)
    parameters, weights = predictive.parameter_nodes((0.5, 40, 0.8, 2.5), covariance)
    assert weights.sum() == pytest.approx(1) and (weights > 0).all()
    np.testing.assert_allclose(parameters[0], (0.5, 40, 0.8, 2.5))
    off = np.log(parameters) - np.log((0.5, 40, 0.8, 2.5))
    assert (off[:, held] == 0).all()
    off, covariance = off[:, free], covariance[np.ix_(free, free)]
    np.testing.assert_allclose(weights @ off, 0, atol=1e-12)
    np.testing.assert_allclose(np.einsum("k,ki,kj->ij", weights, off, off), covariance, atol=1e-12)
    np.testing.assert_allclose(np.einsum("k,ki,kj,kl->ijl", weights, off, off, off), 0, atol=1e-12)
    # Isserlis: E[ijlm] = C_ij C_lm + C_il C_jm + C_im C_jl.
    fourth = sum(
        np.einsum(f"{p},{q}->ijlm", covariance, covariance) for p, q in (("ij", "lm"), ("il", "jm"), ("im", "jl"))
    )
    np.testing.assert_allclose(np.einsum("k,ki,kj,kl,km->ijlm", weights, off, off, off, off), fourth, atol=1e-12)


# ---- by hand ----


def test_doubt_in_alpha_by_hand():
    # Only alpha is in doubt, by ln 2 / sqrt(3) in its logarithm: alpha is 10, 20 or 5 with weights 2/3, 1/6, 1/6.
    # History (0, 0, 10), horizon 20, r = 1: P(an arrival) = 20/40, 20/50, 20/35. P(> 0) = 1/3 + 1/15 + 2/21 = 52/105.
    covariance = np.full((4, 4), np.nan)
    covariance[1, 1] = np.log(2) ** 2 / 3
    model = known(BetaGeoNBD, (1, 10, 1, 2), covariance)
    below, up_to = model.count_bounds(0, 20, 0, 0, 10)
    assert (below[0], up_to[0]) == (0, pytest.approx(53 / 105))
    # Survived once: 2/3; P(> 1) = 2/3 * (2/3 * 1/4 + 1/6 * 4/25 + 1/6 * 16/49).
    below, up_to = model.count_bounds(1, 20, 0, 0, 10)
    assert below[0] == pytest.approx(53 / 105)
    assert up_to[0] == pytest.approx(1 - 2 / 3 * (1 / 6 + 2 / 75 + 8 / 147))
    assert model.count_bounds(0, 20, 0, 0, 10, parameter_doubt=False)[1] == pytest.approx(1 / 2)


@MODELS
def test_bounds_add_up_to_the_probability_of_the_count_without_doubt(kind):
    model, n = known(kind, (0.5, 40, 0.8, 2.5)), np.arange(40)
    history = np.full((3, 40), [[6], [200], [250]])
    below, up_to = model.count_bounds(n, 365, *history)
    np.testing.assert_allclose(below[1:], up_to[:-1], atol=1e-12)
    np.testing.assert_allclose(up_to - below, model.count_probability(n, 365, *history), atol=1e-12)


# ---- brute force ----


@MODELS
@pytest.mark.parametrize("history", [(0, 0, 300), (3, 100, 150), (12, 280, 300)])
def test_the_mixture_is_the_mean_over_drawn_parameters(kind, history):
    drawn = np.exp(np.random.default_rng(3).multivariate_normal(np.log((0.5, 40, 0.8, 2.5)), CORRELATED, 20_000))
    model = known(kind, (0.5, 40, 0.8, 2.5), CORRELATED)
    doubt = predictive.Doubt(drawn, np.full(len(drawn), 1 / len(drawn)))
    columns = tuple(np.array([value], dtype=float) for value in history)
    for n in (0, 1, 4):
        _, brute = predictive.count_bounds(doubt, columns, 365.0, np.array([n]), kind.dropout_at_first)
        assert model.count_bounds(n, 365, *history)[1] == pytest.approx(brute, abs=0.004)


@MODELS
def test_small_and_large_counts_meet_where_the_two_roads_do(kind, simulate, monkeypatch):
    x, t_x, T, later = simulate(400, 5, (0.6, 20, 0.5, 3.0), holdout=200)
    model = known(kind, (0.6, 20, 0.5, 3.0), CORRELATED)
    walked = model.count_interval(200, x, t_x, T), model.count_bounds(later, 200, x, t_x, T)
    monkeypatch.setattr(predictive, "_LONGEST_WALK", 0)
    jumped = model.count_interval(200, x, t_x, T), model.count_bounds(later, 200, x, t_x, T)
    for one, other in zip(walked[0] + walked[1], jumped[0] + jumped[1], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-10)


# ---- edges ----


def test_a_very_frequent_buyer_has_an_interval_with_doubt_in_it():
    model = known(BetaGeoNBD, (0.3, 30, 1.0, 2.5), CORRELATED)
    low, high, stated = model.count_interval(365, [5000, 700], [5990, 800], [6000, 800])
    assert (low >= 0).all() and (low < high).all() and (high < 500).all() and (stated >= 0.8).all()
    below, up_to = model.count_bounds([0, 10_000], 365, [5000, 700], [5990, 800], [6000, 800])
    assert np.isfinite(below).all() and up_to[1] == pytest.approx(1)


def test_no_customers_have_no_intervals():
    model = known(BetaGeoNBD, (0.25, 30, 0.8, 2.4), CORRELATED)
    assert [len(bound) for bound in model.count_interval(365, [], [], [])] == [0, 0, 0]


def test_no_horizon_no_purchases():
    low, high, stated = known(BetaGeoNBD, (0.25, 30, 0.8, 2.4), CORRELATED).count_interval(0, 3, 90, 100)
    assert (low[0], high[0], stated[0]) == (0, 0, 1)


@pytest.mark.parametrize("level", [0, 1, -0.1, 80])
def test_a_level_outside_nil_and_one_is_refused(level):
    with pytest.raises(ValueError, match="between 0 and 1"):
        known(BetaGeoNBD, (0.25, 30, 0.8, 2.4)).count_interval(365, 0, 0, 10, level=level)


@MODELS
def test_a_wider_level_never_gives_a_narrower_interval(kind, simulate):
    x, t_x, T, _ = simulate(300, 8, (0.6, 20, 0.5, 3.0))
    model = known(kind, (0.6, 20, 0.5, 3.0), CORRELATED)
    bounds = [model.count_interval(365, x, t_x, T, level=level) for level in (0.5, 0.8, 0.95)]
    for (low, high, _), (wider_low, wider_high, _) in pairwise(bounds):
        assert (wider_low <= low).all() and (wider_high >= high).all()


@MODELS
def test_held_parameters_bring_no_doubt(kind, simulate):
    x, t_x, T, _ = simulate(300, 8, (0.6, 20, 0.5, 3.0))
    held = known(kind, (0.6, 20, 0.5, 3.0), np.full((4, 4), np.nan))
    for one, other in zip(
        held.count_interval(90, x, t_x, T), known(kind, (0.6, 20, 0.5, 3.0)).count_interval(90, x, t_x, T), strict=True
    ):
        np.testing.assert_array_equal(one, other)


# ---- simulated truth, parameters estimated on few customers ----


@MODELS
@pytest.mark.parametrize(("size", "seeds"), [(300, 20), (2000, 8)])
@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_the_mean_stated_probability_is_the_coverage(kind, size, seeds, level, simulate):
    stated, covered = [], []
    for seed in range(seeds):
        at_first = kind is ModifiedBetaGeoNBD
        x, t_x, T, later = simulate(size, 100 + seed, (0.6, 50, 0.6, 2.5), holdout=180, at_first=at_first)
        low, high, said = kind().fit(x, t_x, T).count_interval(180, x, t_x, T, level=level)
        stated.append(said.mean())
        covered.append(((later >= low) & (later <= high)).mean())
    assert np.mean(stated) == pytest.approx(np.mean(covered), abs=0.02)


@MODELS
@pytest.mark.parametrize(("size", "seeds"), [(300, 20), (2000, 8)])
def test_the_randomised_transform_is_uniform(kind, size, seeds, simulate):
    drawn, shares = [], []
    for seed in range(seeds):
        at_first = kind is ModifiedBetaGeoNBD
        history = simulate(size, 200 + seed, (0.6, 50, 0.6, 2.5), holdout=180, at_first=at_first)
        (x, t_x, T, later), model = history, kind().fit(*history[:3])
        drawn.append(model.randomised_pit(later, 180, x, t_x, T, seed))
        shares.append(model.pit_histogram(later, 180, x, t_x, T))
    assert kstest(np.concatenate(drawn), "uniform").pvalue > 0.001
    tenths = [shares, [np.histogram(draws, 10, (0, 1))[0] / size for draws in drawn]]
    # Customers of one sample share its estimate, so the bound is not that of independent draws: over samples the
    # last tenth scatters by .020 at 300 customers and .008 at 2,000.
    for tenth in tenths:
        assert np.abs(np.mean(tenth, axis=0) - 0.1).max() < 0.015


def test_the_transform_can_tell_a_wrong_forecast(simulate):
    x, t_x, T, later = simulate(2000, 1, (0.6, 50, 0.6, 2.5), holdout=180)
    model = BetaGeoNBD().fit(x, t_x, T)
    assert kstest(model.randomised_pit(2 * later, 180, x, t_x, T, 0), "uniform").pvalue < 1e-6
    doubled = model.pit_histogram(2 * later, 180, x, t_x, T)
    # Twice the forecast: too many at the top.
    assert doubled[-1] > 0.13 and doubled.sum() == pytest.approx(1)


def test_the_histogram_by_hand():
    # P(0) = 1/2, P(<= 1) = 5/6 (see test_value_purchases): counts 0, 1 and 5 spread evenly over [0, 1/2], [1/2, 5/6]
    # and the far end. Half of all: all of the first, 1/3; four tenths: 4/5 of it.
    model = known(BetaGeoNBD, (1, 10, 1, 2))
    shares = model.pit_histogram([0, 1, 5], 20, [0] * 3, [0] * 3, [10] * 3)
    assert shares[:5].tolist() == pytest.approx([1 / 15] * 5)
    assert shares[5] == pytest.approx(0.1 / (1 / 3) / 3)
    assert shares[9] == pytest.approx(1 / 3)
    assert shares.sum() == pytest.approx(1)


@MODELS
def test_doubt_moves_the_bounds_when_customers_are_few_and_fades_when_many(kind, simulate):
    moved = []
    for size in (300, 20_000):
        x, t_x, T, _ = simulate(size, 9, (0.6, 50, 0.6, 2.5))
        model = kind().fit(x, t_x, T)
        with_doubt, without = (
            model.count_bounds(3, 180, x, t_x, T, parameter_doubt=doubt)[1] for doubt in (True, False)
        )
        moved.append(np.abs(with_doubt - without).max())
    assert moved[0] > 10 * moved[1] > 0
