"""Voice: promoter scores and satisfied shares with their intervals worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, quantile_test

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


def test_mean_by_hand():
    """Five 3s and five 5s: mean 4; variance 10 × 1² / 9 = 1.1111, standard error √(1.1111 / 10) = 0.33333, half the
    interval 1.959964 × 0.33333 = 0.65332."""
    found = voice.satisfaction(pd.Series([3, 5] * 5 + [9, None]))
    assert found == {
        "n": 10,
        "value": 4,
        "low": pytest.approx(3.34668, abs=1e-5),
        "high": pytest.approx(4.65332, abs=1e-5),
    }


def test_the_mean_stays_on_its_scale():
    found = voice.satisfaction(pd.Series([5] * 11 + [1]))
    assert found["high"] == 5 and found["low"] < found["value"]


def test_median_by_hand():
    """Of ten, two heads or fewer have a chance of 56 / 1 024 = 5.5 %, one or none 11 / 1 024 = 1.1 %: the second from
    either end, 20 and 90. The middle of 50 and 60 is 55."""
    found = voice.median(pd.Series([100, 10, 20, 30, 40, 50, 60, 70, 80, 90]))
    assert found == {"value": 55, "low": 20, "high": 90, "n": 10}


@pytest.mark.parametrize("n", [10, 11, 17, 50, 101])
def test_medians_agree_with_scipys_interval_of_a_quantile(n):
    values = pd.Series(np.random.default_rng(n).lognormal(size=n))
    found, peer = voice.median(values), quantile_test(values, p=0.5).confidence_interval(0.95)
    assert (found["value"], found["low"], found["high"]) == (pytest.approx(values.median()), peer.low, peer.high)


def test_what_is_not_over_yet_stands_last():
    """Ten tickets, four still open: the middle lies between the 5th and the 6th that are done; the ninth is open."""
    found = voice.median(pd.Series([1, 2, 3, 4, 5, 6] + [np.inf] * 4))
    assert found == {"value": 5.5, "low": 2, "high": np.inf, "n": 10}
    assert voice.median(pd.Series([1.0] * 4 + [np.inf] * 6))["value"] == np.inf


BOUNDS = [  # measure, value, low, high, target, verdict
    ("csat", 0.8, 0.70, 0.90, 0.69, "met"),
    ("csat", 0.8, 0.70, 0.90, 0.70, "met"),
    ("csat", 0.8, 0.70, 0.90, 0.71, "uncertain"),
    ("csat", 0.8, 0.70, 0.90, 0.90, "uncertain"),
    ("csat", 0.8, 0.70, 0.90, 0.91, "missed"),
    ("csat", 0.8, 0.70, 0.90, None, "no_target"),
    ("csat", np.nan, np.nan, np.nan, 0.70, "too_few"),
    ("birthdays", 12, np.nan, np.nan, 10, "no_target"),
    ("first_response_hours", 4, 3, 5, 5.1, "met"),
    ("first_response_hours", 4, 3, 5, 5, "met"),
    ("first_response_hours", 4, 3, 5, 4.9, "uncertain"),
    ("first_response_hours", 4, 3, 5, 3, "uncertain"),
    ("first_response_hours", 4, 3, 5, 2.9, "missed"),
    ("first_response_hours", 4, 3, np.inf, 5, "uncertain"),
    ("first_response_hours", np.inf, 6, np.inf, 5, "missed"),
]


@pytest.mark.parametrize(("measure", "value", "low", "high", "target", "verdict"), BOUNDS)
def test_verdicts_at_their_boundaries(measure, value, low, high, target, verdict):
    row = {"tier": "all", "measure": measure, "n": 30, "value": value, "low": low, "high": high}
    table = voice.judged([row], {} if target is None else {measure: target})
    assert list(table.columns) == voice.COLUMNS
    assert table["verdict"].tolist() == [verdict]
    assert not np.isinf(table[["value", "low", "high"]].astype(float)).any(axis=None), "what is not known yet is null"


def test_nothing_to_say_is_an_empty_table():
    assert voice.judged([], {"csat": 0.8}).empty


def days(*texts):
    return pd.to_datetime(pd.Series(texts), format="ISO8601")


def answers(**columns):
    table = {"customer_id": "A", "tier": "high", "sent_at": None, "answered_at": None, "csat": np.nan, "nps": np.nan}
    frame = pd.DataFrame(table | columns)
    return frame.assign(**{name: pd.to_datetime(frame[name]) for name in ("sent_at", "answered_at")})


def test_the_window_is_the_days_after_its_start_up_to_its_end():
    """Day 10 is 1970-01-11: the window (10, 12] holds the 12th and the 13th of January 1970, to their last second."""
    times = days("1970-01-11 23:59:59", "1970-01-12", "1970-01-13 23:59:59", "1970-01-14", None)
    assert voice.within(times, (10, 12)).tolist() == [False, True, True, False, False]


def test_surveys_by_tier():
    """Ten of high answer 5 and 10, ten of low 1 and 0: all are half satisfied, 0 points. Of 25 sent 20 are answered.
    Whoever has no order counts in all alone: an eleventh answer of 5 makes 11 of 21."""
    table = pd.concat(
        [
            answers(tier=["high"] * 10, sent_at="2026-10-01", answered_at="2026-10-02", csat=5, nps=10),
            answers(tier=["low"] * 10, sent_at="2026-10-01", answered_at="2026-10-02", csat=1, nps=0),
            answers(tier=["low"] * 5, sent_at="2026-10-01"),
            answers(tier=[None], answered_at="2026-10-03", csat=5),
            answers(tier=["high"] * 10, answered_at="2025-01-01", csat=1),
        ]
    )
    table = table.assign(customer_id=[f"C{n}" for n in range(len(table))])
    window = (20_700, 20_757)  # after 2026-09-04, up to 2026-10-31
    rows = pd.DataFrame(voice.surveys(table, ["high", "low"], window)).set_index(["measure", "tier"])
    assert rows.loc[("csat", "all"), ["n", "value"]].tolist() == [21, pytest.approx(11 / 21)]
    assert rows.loc[("csat", "high"), ["n", "value"]].tolist() == [10, 1]
    assert rows.loc[("csat_mean", "low"), "value"] == 1
    assert rows.loc[("nps", "all"), ["n", "value"]].tolist() == [20, 0]
    assert rows.loc[("response_rate", "all"), ["n", "value"]].tolist() == [25, 0.8]
    assert rows.loc[("response_rate", "low"), ["n", "value"]].tolist() == [15, pytest.approx(10 / 15)]

    few = table.assign(customer_id=[f"C{n % 9}" for n in range(len(table))])
    rows = pd.DataFrame(voice.surveys(few, ["high", "low"], window)).set_index(["measure", "tier"])
    assert rows.loc[("csat", "all"), "n"] == 21, "21 answers of nine customers: a mean score, but no percentage"
    assert rows.drop(index="csat_mean")["value"].isna().all() and rows.loc[("csat_mean", "low"), "value"] == 1


def test_answers_that_cannot_be_used_are_told():
    table = pd.concat(
        [
            answers(customer_id=["B", "A"], answered_at="2026-10-02", csat=99),
            answers(customer_id=["C"], answered_at="2026-10-02", nps=-1),
            answers(customer_id=["D"], nps=3),
            answers(customer_id=["E"], sent_at="2026-10-02", answered_at="2026-10-01", csat=4),
            answers(customer_id=["F"], sent_at="2026-10-02 18:00", answered_at="2026-10-02", csat=4),
            answers(customer_id=["G"]),
        ]
    )
    assert voice.survey_faults(table) == [
        ("surveys", "csat_off_scale", 2, "A"),
        ("surveys", "nps_off_scale", 1, "C"),
        ("surveys", "answer_undated", 1, "D"),
        ("surveys", "answered_before_sent", 1, "E"),
    ]


@given(st.lists(st.integers(-3, 12), max_size=60), st.integers(0, 9))
def test_intervals_hold_their_value_whatever_the_order(votes, seed):
    plain = pd.Series(votes, dtype=float)
    mixed = plain.sample(frac=1, random_state=seed)
    for judge in (voice.recommendation, voice.satisfied, voice.satisfaction, voice.median):
        found, again = judge(plain), judge(mixed)
        assert found["n"] == again["n"]
        assert np.isnan(found["value"]) == (found["n"] < voice.MIN_ANSWERS)
        if found["n"] >= voice.MIN_ANSWERS:
            assert found["low"] - 1e-9 <= found["value"] <= found["high"] + 1e-9
            assert again["value"] == pytest.approx(found["value"])


def test_measures_side_by_side():
    rows = [
        {"tier": tier, "measure": measure, "n": n, "value": value, "low": value, "high": value}
        for tier, n in (("all", 20), ("high", 20), ("low", 0))
        for measure, value in (("csat", 0.5), ("nps", 10.0))
    ]
    wide = voice.side_by_side(voice.judged(rows, {"nps": 5}), ["csat", "nps"])
    assert wide["tier"].tolist() == ["all", "high"], "nobody in low has said anything"
    assert wide[["csat", "nps", "nps_n", "nps_verdict"]].values.tolist() == [[0.5, 10.0, 20, "met"]] * 2
    assert wide["nps_interval"].tolist() == [(10.0, 10.0)] * 2
    assert voice.side_by_side(voice.judged(rows[:2], {}), ["csat", "gone"])["gone_n"].tolist() == [0]
