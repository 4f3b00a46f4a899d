"""BG/NBD and MBG/NBD beside lifetimes, customer by customer, on CDNOW and where lifetimes gives out."""

import warnings

import numpy as np
import pandas as pd
import pytest

from tierbook.scores import bgnbd
from tierbook.scores.mbgnbd import ModifiedBetaGeoNBD
from tierbook.scores.purchases import BetaGeoNBD

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    lifetimes = pytest.importorskip("lifetimes", reason="lifetimes is not installed")

pytestmark = pytest.mark.filterwarnings("ignore")
PAIRS = pytest.mark.parametrize("names", [("BetaGeoFitter", BetaGeoNBD), ("ModifiedBetaGeoFitter", ModifiedBetaGeoNBD)])
HORIZONS = (1.0, 39.0, 520.0)


@pytest.fixture(scope="module")
def weeks(cdnow):
    return [cdnow[column].to_numpy(dtype=float) / unit for column, unit in (("repeats", 1), ("t_x", 7), ("T", 7))]


def with_parameters(name, parameters):
    peer = getattr(lifetimes, name)()
    peer.params_ = pd.Series(parameters)
    return peer


@PAIRS
def test_probability_alive_agrees_per_customer(names, weeks):
    ours = names[1]().fit(*weeks)
    theirs = with_parameters(names[0], ours.params_).conditional_probability_alive(*weeks)
    np.testing.assert_allclose(ours.probability_alive(*weeks), theirs, rtol=1e-6)


@PAIRS
@pytest.mark.parametrize("horizon", HORIZONS)
def test_expected_purchases_agree_per_customer(names, horizon, weeks):
    ours = names[1]().fit(*weeks)
    peer = with_parameters(names[0], ours.params_)
    theirs = peer.conditional_expected_number_of_purchases_up_to_time(horizon, *weeks)
    np.testing.assert_allclose(ours.expected_purchases(horizon, *weeks), theirs, rtol=1e-6)


def test_the_count_of_a_new_customer_agrees(weeks):
    ours = BetaGeoNBD().fit(*weeks)
    peer = with_parameters("BetaGeoFitter", ours.params_)
    theirs = [peer.probability_of_n_purchases_up_to_time(39, n) for n in range(20)]
    np.testing.assert_allclose(ours.count_probability(np.arange(20), 39, *np.zeros((3, 20))), theirs, rtol=1e-6)


@PAIRS
def test_its_own_fit_has_our_likelihood_and_is_not_higher(names, weeks):
    peer, ours = getattr(lifetimes, names[0])().fit(*weeks), names[1]().fit(*weeks)
    # It keeps the mean of the negative log-likelihood in scaled time.
    x = weeks[0]
    theirs = -peer._negative_log_likelihood_ * len(x) + x.sum() * np.log(peer._scale)
    order = np.argsort(x, kind="stable")
    histories = tuple(column[order] for column in weeks)
    at_first = names[1].dropout_at_first
    here, _ = bgnbd.log_likelihood(tuple(peer.params_), histories, np.ones(len(x)), at_first)
    assert here == pytest.approx(theirs, rel=1e-6)
    assert ours.log_likelihood_ == pytest.approx(theirs, rel=1e-6)
    assert ours.log_likelihood_ >= theirs - 1e-6
    assert list(ours.params_.values()) == pytest.approx(list(peer.params_), rel=1e-3)
    assert list(ours.std_errors_.values()) == pytest.approx(list(peer.standard_errors_), rel=0.02)


@PAIRS
def test_finite_at_a_equal_to_one_where_lifetimes_is_not(names):
    parameters = {"r": 0.25, "alpha": 4.4, "a": 1.0, "b": 2.4}
    history = np.array([2.0]), np.array([20.0]), np.array([39.0])
    theirs = with_parameters(names[0], parameters).conditional_expected_number_of_purchases_up_to_time(39, *history)
    assert not np.isfinite(theirs).all()
    ours = names[1]()
    ours.params_ = parameters
    # lifetimes is finite, and loses digits, a little to each side.
    beside = [
        with_parameters(names[0], parameters | {"a": a}).conditional_expected_number_of_purchases_up_to_time(
            39, *history
        )
        for a in (1 - 1e-4, 1 + 1e-4)
    ]
    assert ours.expected_purchases(39, *history) == pytest.approx(np.mean(beside, axis=0), rel=1e-6)


@PAIRS
def test_very_frequent_buyers_agree_where_lifetimes_is_finite(names):
    parameters = {"r": 0.25, "alpha": 4.4, "a": 0.8, "b": 2.4}
    history = np.array([5000.0, 700]), np.array([4990.0, 800]), np.array([5000.0, 800])
    peer, ours = with_parameters(names[0], parameters), names[1]()
    ours.params_ = parameters
    theirs = peer.conditional_expected_number_of_purchases_up_to_time(365, *history)
    np.testing.assert_allclose(ours.expected_purchases(365, *history), theirs, rtol=1e-6)


@PAIRS
def test_large_counts_and_steep_histories_stay_finite_where_lifetimes_overflows(names):
    parameters = {"r": 0.25, "alpha": 4.4, "a": 0.8, "b": 2.4}
    peer, ours = with_parameters(names[0], parameters), names[1]()
    ours.params_ = parameters
    assert np.isnan(peer.probability_of_n_purchases_up_to_time(365, 200))
    several = ours.count_probability([150, 200, 250], 365, *np.zeros((3, 3)))
    assert several[0] == pytest.approx(peer.probability_of_n_purchases_up_to_time(365, 150), rel=1e-6)
    assert several[0] > several[1] > several[2] > 0
    # 5,000 purchases in 100 days, at a = 1: plus or minus infinity, or not a number, in lifetimes.
    ours.params_ = parameters | {"a": 1.0}
    peer = with_parameters(names[0], ours.params_)
    for history in ((5000.0, 100.0, 110.0), (5000.0, 4990.0, 5000.0), (700.0, 800.0, 800.0)):
        columns = tuple(np.array([value]) for value in history)
        assert not np.isfinite(peer.conditional_expected_number_of_purchases_up_to_time(365, *columns)).all()
        assert 0 <= ours.expected_purchases(365, *columns)[0] <= 365 * history[0] / history[1]
        low, high, stated = ours.count_interval(365, *columns)
        assert 0 <= low[0] <= high[0] and 0.8 <= stated[0] <= 1
