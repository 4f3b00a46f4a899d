"""Voice: promoter scores and satisfied shares with their intervals worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from tierbook.insight import voice


def test_promoter_score_by_hand():
    """Ten answers: 5 promoters, 3 passive, 2 detractors: (5 − 2) / 10 = 30 points.

    Deviations from 30: 5 × 70², 3 × 30², 2 × 130² = 24 500 + 2 700 + 33 800 = 61 000; variance 61 000 / 9 = 6 777.8,
    standard error √(6 777.8 / 10) = 26.034; half the interval is 1.96 × 26.034 = 51.03.
    """
    found = voice.recommendation(pd.Series([9, 10, 9, 10, 9, 7, 8, 7, 0, 6, None]))
    assert (found["value"], found["n"]) == (pytest.approx(30), 10)
    assert (found["low"], found["high"]) == (pytest.approx(30 - 51.03, abs=0.01), pytest.approx(30 + 51.03, abs=0.01))


@pytest.mark.parametrize(("answer", "points"), [(0, -100), (6, -100), (7, 0), (8, 0), (9, 100), (10, 100)])
def test_who_is_a_promoter(answer, points):
    assert voice.recommendation(pd.Series([answer] * 10))["value"] == points


def test_the_promoter_interval_stays_on_the_scale():
    found = voice.recommendation(pd.Series([10] * 11 + [0]))
    assert found["high"] == 100 and -100 <= found["low"] < found["value"]


def test_satisfied_by_hand():
    """8 of 10 are 4 or 5. Wilson: (0.8 + 1.9208/10) / (1 + 3.8416/10) = 0.71677 the middle;
    1.96 × √(0.8 × 0.2/10 + 3.8416/400) / 1.38416 = 1.96 × 0.16 / 1.38416 = 0.22656 the half: 0.4902 to 0.9433."""
    found = voice.satisfied(pd.Series([4, 5, 4, 5, 4, 5, 4, 5, 3, 1]))
    assert (found["value"], found["n"]) == (0.8, 10)
    assert (found["low"], found["high"]) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))


@pytest.mark.parametrize(("answer", "share"), [(1, 0), (3, 0), (4, 1), (5, 1)])
def test_who_is_satisfied(answer, share):
    assert voice.satisfied(pd.Series([answer] * 10))["value"] == share


@pytest.mark.parametrize(("count", "n"), [(0, 10), (10, 10), (3, 11), (499, 500)])
def test_shares_agree_with_scipys_wilson_interval(count, n):
    found, wilson = voice.share(count, n), binomtest(count, n).proportion_ci(method="wilson")
    assert (found["low"], found["high"]) == (pytest.approx(wilson.low, abs=1e-6), pytest.approx(wilson.high, abs=1e-6))
    assert 0 <= found["low"] <= found["value"] <= found["high"] <= 1


@pytest.mark.parametrize("judge", [voice.recommendation, voice.satisfied])
@pytest.mark.parametrize(("answers", "told"), [(0, False), (9, False), (10, True)])
def test_under_ten_answers_nothing_is_said_but_how_many(judge, answers, told):
    found = judge(pd.Series([5.0] * answers + [None] * 30, dtype=float))
    assert found["n"] == answers
    assert [np.isnan(found[key]) for key in ("value", "low", "high")] == [not told] * 3


def test_answers_off_the_scale_do_not_count():
    """Survey tools write 99 for "no answer": it is no promoter."""
    assert voice.recommendation(pd.Series([0] * 10 + [99, -1, 11]))["n"] == 10
    assert voice.recommendation(pd.Series([0] * 10 + [99] * 5))["value"] == -100
    assert voice.satisfied(pd.Series([1] * 10 + [0, 6, 99]))["n"] == 10
