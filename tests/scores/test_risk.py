"""Risk of half a year's silence: the formula by hand, and what the fit promises."""

import numpy as np
import pandas as pd
import pytest
import yaml

from tierbook.scores.lifecycle import Cadence
from tierbook.scores.likelihood import ValueNotEstimable
from tierbook.scores.purchases import BetaGeoNBD
from tierbook.scores.risk import (
    FEATURES,
    HORIZON_DAYS,
    RiskRule,
    budget_threshold,
    fit_risk,
    is_candidate,
    stayed_silent,
)

PURCHASES = {"r": 0.7, "alpha": 65.0, "a": 0.2, "b": 3.0}
CADENCE = Cadence(100.0, 60.0, None, None, 0)
WEIGHTS = {"intercept": -0.5, "forecast": 0.8, "few_days": 0.5, "silence": 1.5}


def rule(**weights):
    return RiskRule(PURCHASES, CADENCE, {**WEIGHTS, **weights}, 0.5, "past_cuts", 1, 500, 100)


ALONE = rule(intercept=0.0, forecast=1.0, few_days=0.0, silence=0.0)
# Four repeats over 200 days, first bought 300 days ago, silent for 100; own gap 40 → (40 × 4 + 60 × 2) / 6 = 140 / 3.
ONE = pd.DataFrame(
    {
        "customer_id": ["a"],
        "repeats": [4],
        "t_x": [200],
        "T": [300],
        "recency_days": [100],
        "own_gap_days": [40.0],
        "window_active_days": [5],
    }
)


def test_the_risk_by_hand():
    """Dropped out: odds 0.2 / (3 + 4 - 1) × (365 / 265)^4.7. Alive, no arrival within 182 days: (365 / 547)^4.7."""
    odds = 0.2 / 6 * (365 / 265) ** 4.7
    silent = (odds + (365 / 547) ** 4.7) / (1 + odds)
    z = -0.5 + 0.8 * np.log(silent / (1 - silent)) - 0.5 * np.log(5) + 1.5 * np.log(1 + 100 / (140 / 3))
    assert rule().apply(ONE)[0] == pytest.approx(1 / (1 + np.exp(-z)), abs=1e-11)
    assert ALONE.apply(ONE)[0] == pytest.approx(silent, abs=1e-11)


def test_alone_it_is_the_purchase_models_own_probability():
    model = BetaGeoNBD()
    model.params_ = PURCHASES
    people = pd.concat([ONE.assign(repeats=x, t_x=t, T=T) for x, t, T in [(2, 1, 2), (7, 300, 300), (90, 500, 900)]])
    peer = model.count_probability(0, HORIZON_DAYS, people["repeats"], people["t_x"], people["T"])
    assert np.allclose(ALONE.apply(people), peer, atol=1e-9)


@pytest.mark.parametrize(("days", "candidate"), [(0, False), (2, False), (3, True), (4, True)])
def test_candidates_have_three_purchase_days_in_the_window(days, candidate):
    one = ONE.assign(window_active_days=days)
    assert is_candidate(one).tolist() == [candidate]
    assert rule().apply(one).notna().tolist() == [candidate]


@pytest.mark.parametrize(
    "change", [{"recency_days": 101, "t_x": 199}, {"window_active_days": 4}, {"own_gap_days": 39.0}]
)
def test_longer_silence_fewer_days_and_a_shorter_rhythm_raise_the_risk(change):
    assert rule().apply(ONE.assign(**change))[0] > rule().apply(ONE)[0]


def test_a_rule_says_the_same_of_any_chunk_and_reads_as_yaml():
    people = population(7)[0]
    whole = rule().apply(people)
    parts = pd.concat([rule().apply(people.iloc[k::7]) for k in range(7)]).reindex(people.index)
    pd.testing.assert_series_equal(whole, parts)
    assert RiskRule(**{**(y := yaml.safe_load(rule().to_yaml())), "cadence": Cadence(**y["cadence"])}) == rule()


@pytest.mark.parametrize(
    ("risks", "threshold"),
    [
        ([0.1, 0.2, 0.3, 0.4, 0.5], 0.5),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 0.5),  # 20 % of 6 are reached by the second
        ([0.5, 0.5, 0.5, 0.1], 0.5),  # equal risks together
        ([0.9, None, None, None, None, None], 0.9),
        ([None], None),
        ([], None),
    ],
)
def test_the_threshold_reaches_a_fifth_of_the_candidates(risks, threshold):
    assert budget_threshold(pd.Series(risks, dtype=float)) == threshold


def test_silent_is_who_has_no_purchase_day_more():
    then = pd.DataFrame({"customer_id": ["a", "b", "c"], "active_days": [3, 4, 5]}, index=[7, 8, 9])
    later = pd.DataFrame({"customer_id": ["c", "new", "b", "a"], "active_days": [5, 1, 5, 3]})
    assert stayed_silent(then, later).to_dict() == {7: True, 8: False, 9: True}


# --- the fit --------------------------------------------------------------------------------------------------------


def population(seed, cuts=3, size=3000, joining=500, now=1000):
    """Histories of one drawn crowd, the latest first and 182 days apart: purchase days at own rates until each leaves.

    Customers join in the first `joining` days; the latest history ends on day `now`.
    """
    draw = np.random.default_rng(seed)
    start = draw.integers(0, joining, size)
    stop = start + draw.exponential(500, size)
    gaps = draw.exponential(draw.gamma(2.0, 20, size)[:, None] + 1, (size, 60)).round() + 1
    days = np.column_stack([start, start[:, None] + gaps.cumsum(axis=1)])
    days[days > stop[:, None]] = np.inf
    days[:, 0] = start
    ids = np.char.add("c", np.arange(size).astype(str))
    return [history(days, ids, now - HORIZON_DAYS * k) for k in range(cuts)]


def history(days, ids, end):
    known = np.where(days <= end, days, np.nan)
    rows = np.isfinite(known).any(axis=1)
    known, count = known[rows], np.isfinite(known[rows]).sum(axis=1)
    first, last = np.nanmin(known, axis=1), np.nanmax(known, axis=1)
    gaps = np.diff(known, axis=1)
    median = np.array([np.nanmedian(g) if np.isfinite(g).any() else np.nan for g in gaps])
    return pd.DataFrame(
        {
            "customer_id": ids[rows],
            "first_day": first.astype(int),
            "last_day": last.astype(int),
            "active_days": count,
            "repeats": count - 1,
            "t_x": (last - first).astype(int),
            "T": (end - first).astype(int),
            "recency_days": (end - last).astype(int),
            "own_gap_days": median,
            "first_gap_days": gaps[:, 0],
            "window_active_days": (known > end - 365).sum(axis=1),
        }
    )


@pytest.fixture(scope="module")
def crowd():
    return population(3)


def test_neither_row_order_nor_ids_change_the_rule(crowd):
    def renamed(history, seed):
        shuffled = history.sample(frac=1, random_state=seed)
        return shuffled.assign(customer_id="x" + shuffled["customer_id"].str[::-1] + "z")

    fitted = fit_risk(crowd)
    assert fitted.source == "past_cuts" and fitted.cuts == 2
    assert fit_risk([renamed(h, k) for k, h in enumerate(crowd)]) == fitted


def test_the_threshold_alerts_a_fifth_of_the_latest_cut_and_is_carried_on(crowd):
    fitted = fit_risk(crowd)
    then, now = fitted.apply(crowd[1]), fitted.apply(crowd[0])
    assert fitted.threshold == budget_threshold(then) != budget_threshold(now)
    assert 0.20 <= (then.dropna() >= fitted.threshold).mean() < 0.21


def test_no_weight_is_below_zero_even_where_the_longest_silent_came_back(crowd):
    then = crowd[1][is_candidate(crowd[1])].reset_index(drop=True)
    came_back = then["recency_days"] >= then["recency_days"].median()
    fitted = fit_risk([lived_on(crowd[0], then, came_back), then])
    assert fitted.source == "past_cuts" and min(fitted.weights[name] for name in FEATURES) == 0


def lived_on(now, then, came_back):
    """``now`` in which the customers of ``then`` are as they were, with a purchase day more where they came back."""
    end = now["first_day"].iloc[0] + now["T"].iloc[0]
    later = then.assign(active_days=then["active_days"] + came_back.to_numpy(), T=end - then["first_day"])
    return pd.concat([later, now[~now["customer_id"].isin(then["customer_id"])]])


def test_risks_are_probabilities_on_the_dates_they_were_learned_on(crowd):
    """A logistic regression with a free intercept reproduces the share of silent customers it was fitted on."""
    fitted = fit_risk(crowd)
    stated = sum(fitted.apply(then).sum() for then in crowd[1:])
    assert stated == pytest.approx(fitted.silent, rel=1e-4)
    assert fitted.customers == sum(is_candidate(then).sum() for then in crowd[1:])


@pytest.mark.parametrize("size", [(199, 199), (200, 50), (200, 49), (200, 150), (200, 151)])
def test_a_cut_counts_with_200_candidates_and_50_of_each(crowd, size):
    candidates, silent = size
    then = crowd[1][is_candidate(crowd[1])].head(candidates).reset_index(drop=True)
    now = lived_on(crowd[0], then, pd.Series(np.arange(len(then)) >= silent))
    learned = fit_risk([now, then]).source == "past_cuts"
    assert learned == (candidates >= 200 and 50 <= silent <= candidates - 50)


def test_without_a_past_the_forecast_stands_alone(crowd):
    fitted = fit_risk(crowd[:1])
    assert (fitted.source, fitted.weights["forecast"], fitted.customers) == ("forecast_alone", 1.0, 0)
    assert 0.20 <= (fitted.apply(crowd[0]).dropna() >= fitted.threshold).mean() < 0.21
    assert fit_risk([crowd[0], crowd[1].head(0)]) == fitted, "a cut before the first order teaches nothing"


def test_faults_are_told(crowd):
    with pytest.raises(ValueError, match="182 days apart"):
        fit_risk([crowd[0], crowd[2]])
    with pytest.raises(ValueNotEstimable):
        fit_risk([crowd[0].head(20)])
