"""Whom to target next: the curve by hand, peers' published numbers, honesty of the verdict, order of rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.errors import ParamsError
from tierbook.insight import targeting, uplift_score

COVARIATES = ["recency", "history", "mens", "womens", "newbie", "zip_code", "channel"]
NO_MAIL = "No E-Mail"


def people(treated, **columns):
    return pd.DataFrame({"treated": np.array(treated, dtype=bool), **columns})


def judged(frame, outcome="y", score="score"):
    return targeting.ranked(frame, frame[score], outcome)


# Eight customers, highest score first; treated: 8, 6, 5, 1; control: 7, 4, 3, 2.
#   top   n_t n_c  Y_t  Y_c   (Y_t - Y_c n_t / n_c) / 4
#   1     1   0    1    0     1 / 4             = 1/4    (no control yet: nothing is taken off)
#   2     1   1    1    0     1 / 4             = 1/4
#   3     2   1    2    0     2 / 4             = 1/2
#   4     3   1    2    0     2 / 4             = 1/2
#   5     3   2    2    1     (2 - 1 * 3/2) / 4 = 1/8
#   6     3   3    2    1     (2 - 1) / 4       = 1/4
#   7     3   4    2    1     (2 - 3/4) / 4     = 5/16
#   8     4   4    2    1     (2 - 1) / 4       = 1/4
# Area, steps of 1/8: (0/2 + 1/4 + 1/4 + 1/2 + 1/2 + 1/8 + 1/4 + 5/16 + 1/4/2) / 8 = 37/16 / 8 = 37/128.
# Less the random line's 1/4 / 2: gain = 37/128 - 16/128 = 21/128.
EIGHT = people([1, 0, 1, 1, 0, 0, 0, 1], score=[8.0, 7, 6, 5, 4, 3, 2, 1], y=[1, 0, 1, 0, 1, 0, 0, 0])
BY_HAND = [0, 1 / 4, 1 / 4, 1 / 2, 1 / 2, 1 / 8, 1 / 4, 5 / 16, 1 / 4]


def test_the_curve_of_eight_customers_by_hand():
    found = targeting.qini(judged(EIGHT), seed=1)
    assert found.curve["share"].tolist() == [k / 8 for k in range(9)]
    assert found.curve["value"].tolist() == pytest.approx(BY_HAND)
    assert found.curve["random"].tolist() == pytest.approx([k / 32 for k in range(9)])
    assert found.gain == pytest.approx(21 / 128)
    assert (found.verdict, found.n_treated, found.n_control) == ("not_enough_data", 4, 4)
    assert np.isnan([found.coefficient, found.low, found.gain_low]).all()
    assert found.plans["plan"].tolist() == ["nobody", "all"]


def test_equal_scores_stay_together():
    # 8 and 7 as one score, 2 and 1 as another: the points 1 and 7 of the curve by hand are not there
    tied = EIGHT.assign(score=[8.0, 8, 6, 5, 4, 3, 1, 1])
    found = targeting.qini(judged(tied), seed=1)
    assert found.curve["value"].tolist() == pytest.approx([BY_HAND[k] for k in (0, 2, 3, 4, 5, 6, 8)])
    assert found.curve["share"].tolist() == [k / 8 for k in (0, 2, 3, 4, 5, 6, 8)]


def test_versus_takes_one_arm_and_the_control():
    assigned = pd.DataFrame({"arm": ["a", "b", "control", "a"], "customer_id": list("wxyz")})
    found = targeting.versus(assigned, "a", "control")
    assert found["customer_id"].tolist() == ["w", "y", "z"] and found["treated"].tolist() == [True, False, True]
    assert targeting.versus(assigned, "a", "nobody")["treated"].all()


def test_customers_without_a_score_or_an_outcome_drop_out():
    more = pd.concat([EIGHT, people([1, 0], score=[np.nan, 9.0], y=[1, np.nan])], ignore_index=True)
    assert targeting.qini(judged(more), 1).gain == pytest.approx(21 / 128)


# ---- deciles


def test_deciles_of_two_scores_by_hand():
    # Score 2: treated 10, of whom 4 respond, control 10, 1. Score 1: treated 10, 2, control 10, 2.
    # variances .4*.6*10/9 = .26667, .1*.9*10/9 = .1; error^2 .03667; df = .03667^2 * 9 / (.02667^2 + .01^2) = 14.918
    # t(.975, 14.918) = 2.1325; half = 2.1325 * .19149 = .40835
    frame = people([1] * 10 + [0] * 10 + [1] * 10 + [0] * 10, score=[2.0] * 20 + [1.0] * 20)
    frame["y"] = [1] * 4 + [0] * 6 + [1] + [0] * 9 + [1, 1] + [0] * 8 + [1, 1] + [0] * 8
    table = targeting.deciles(judged(frame))
    # the second half of the customers begins where half stand above it: decile 6
    assert table["decile"].tolist() == [1, 6]
    assert table[["n_treated", "n_control"]].to_numpy().tolist() == [[10, 10], [10, 10]]
    assert table["mean_treated"].tolist() == pytest.approx([0.4, 0.2])
    assert table["mean_control"].tolist() == pytest.approx([0.1, 0.2])
    assert table["uplift"].tolist() == pytest.approx([0.3, 0], abs=1e-12)
    assert table["low"][0] == pytest.approx(0.3 - 0.40835, abs=1e-4)
    assert table["high"][0] == pytest.approx(0.3 + 0.40835, abs=1e-4)


def test_deciles_agree_with_scipys_welch_interval():
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(3)
    frame = people(rng.random(2000) < 0.4, score=rng.normal(size=2000), y=rng.lognormal(1, 1, 2000))
    tenth = 10 * (-frame["score"]).rank(method="min").sub(1) // 2000 + 1
    for row in targeting.deciles(judged(frame)).itertuples():
        part = frame[tenth == row.decile]
        welch = ttest_ind(part["y"][part["treated"]], part["y"][~part["treated"]], equal_var=False)
        assert (row.low, row.high) == pytest.approx(tuple(welch.confidence_interval()))
        assert row.n_treated + row.n_control == 200


@pytest.mark.parametrize(("controls", "known"), [(9, False), (10, True), (11, True)])
def test_a_decile_speaks_from_ten_customers_of_either_side(controls, known):
    frame = people([1] * 20 + [0] * controls, score=1.0, y=[1, 0] * 10 + [1] + [0] * (controls - 1))
    row = targeting.deciles(judged(frame)).iloc[0]
    assert row[["mean_treated", "uplift", "low", "high"]].notna().eq(known).all()


def test_where_no_outcome_varies_there_is_no_interval():
    row = targeting.deciles(judged(people([1, 0] * 20, score=1.0, y=0))).iloc[0]
    assert row["uplift"] == 0 and np.isnan(row["low"])


# ---- the published numbers, each by its own definition


def hillstrom_scores(shared_data, arm):
    scores = pd.read_parquet(shared_data(f"hillstrom/scores_{arm}_visit.parquet"))
    return scores.assign(treated=scores["w"] == 1)


def scikit_uplift_qini(y, score, w):
    """(area of the curve - of the random line) / (of the ranking that knows all - of the random line)."""

    def area(by):
        order = np.argsort(-by, kind="stable")
        last = np.r_[np.flatnonzero(np.diff(by[order])), len(by) - 1]
        n_t, y_t = np.cumsum(w[order])[last], np.cumsum((y * w)[order])[last]
        n_c, y_c = last + 1 - n_t, np.cumsum((y * (1 - w))[order])[last]
        gained = y_t - np.divide(y_c * n_t, n_c, out=np.zeros(len(last)), where=n_c > 0)
        return np.trapezoid(np.r_[0, gained], np.r_[0, last + 1]) - len(by) * gained[-1] / 2

    return area(score) / area(y * w - y * (1.0 - w))


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("arm", "scikit_uplift", "causalml", "interval", "first_30", "verdict"),
    [
        ("womens", 0.0577, 0.1586, (0.079, 0.238), 0.0625, "can_target"),
        ("mens", 0.0057, 0.0097, (-0.025, 0.045), 0.0804, "cannot_target"),
    ],
)
def test_hillstroms_published_numbers(shared_data, arm, scikit_uplift, causalml, interval, first_30, verdict):
    mail = hillstrom_scores(shared_data, arm)
    found = targeting.qini(judged(mail), seed=7)
    assert found.verdict == verdict
    assert round(found.coefficient, 4) == causalml
    # the published interval comes from few resamples: each end has a standard error near 0.01 for womens, 0.005 for mens
    assert (found.low, found.high) == pytest.approx(interval, abs=0.016)
    y, score, w = (mail[name].to_numpy() for name in ("y", "score", "w"))
    assert round(scikit_uplift_qini(y, score, w), 4) == scikit_uplift
    # scikit-uplift takes the last row first among equal scores: its number changes with the order of rows
    top = mail.iloc[np.argsort(score, kind="stable")[::-1][: int(0.3 * len(mail))]]
    assert round(top["y"][top["w"] == 1].mean() - top["y"][top["w"] == 0].mean(), 4) == first_30


@pytest.mark.real_data
def test_points_cost_less_than_a_hundredth_of_the_interval(shared_data):
    for arm in ("womens", "mens"):
        found = targeting.qini(judged(hillstrom_scores(shared_data, arm)), seed=7)
        area = np.trapezoid(found.curve["value"] - found.curve["random"], found.curve["share"])
        assert abs(area - found.gain) < 0.01 * (found.gain_high - found.gain_low)


@pytest.mark.real_data
def test_points_and_cells_give_the_interval_of_resampled_customers(shared_data):
    mail = hillstrom_scores(shared_data, "womens")
    found = targeting.qini(judged(mail), seed=7)
    rng, drawn = np.random.default_rng(5), []
    for _ in range(150):
        again = judged(mail.iloc[rng.integers(len(mail), size=len(mail))])
        drawn.append(targeting._gain(*targeting._curve(again.n, again.total)))
    width = found.gain_high - found.gain_low
    assert np.std(drawn) * 2 * 1.96 == pytest.approx(width, rel=0.16)  # a spread of 150 draws has an error of 5.8 %


@pytest.mark.real_data
@pytest.mark.parametrize(("arm", "verdict"), [("Womens E-Mail", "can_target"), ("Mens E-Mail", "cannot_target")])
def test_our_own_scores_say_the_same_of_hillstrom(shared_data, arm, verdict):
    mails = pd.read_csv(shared_data("hillstrom/hillstrom.csv")).rename(columns={"segment": "arm"})
    mails = targeting.versus(mails, arm, NO_MAIL)
    score, why = uplift_score.learned(mails, COVARIATES, "visit", seed=7)
    # without ids the second, fourth, … row is judged
    assert why is None and score.iloc[::2].isna().all() and score.iloc[1::2].notna().all()
    published = pd.read_parquet(shared_data(f"hillstrom/scores_{arm.split()[0].lower()}_visit.parquet"))["score"]
    assert np.corrcoef(score.iloc[1::2], published)[0, 1] > 0.98
    assert targeting.qini(targeting.ranked(mails, score, "visit"), seed=7).verdict == verdict
    with_ids = mails.assign(customer_id=mails.index.astype(str))
    score, _ = uplift_score.learned(with_ids, COVARIATES, "visit", seed=7)
    assert targeting.qini(targeting.ranked(with_ids, score, "visit"), seed=7).verdict == verdict


# ---- honesty


def test_no_campaign_without_effect_can_be_targeted_more_than_one_in_twenty_five_times():
    # one-sided 2.5 %: of 400 draws 10 are expected, more than 16 come up once in 40
    alarms = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        frame = people(rng.random(2000) < 0.5, score=rng.integers(20, size=2000), y=rng.random(2000) < 0.15)
        alarms += targeting.qini(judged(frame), seed, resamples=200).verdict == "can_target"
    assert alarms <= 16


@pytest.mark.parametrize("money", [False, True])
def test_the_interval_covers_the_known_gain(money):
    # Uplift rises with the score x, uniform on (0, 1): P(buy) = .1 + .2 x when treated, .1 in the control. At share s
    # the top is x > 1 - s: value = integral of .2 x = .1 (1 - (1 - s)^2) = .1 (2 s - s^2); area .1 (1 - 1/3) = .2/3;
    # random line .1 / 2; gain = .2/3 - .05 = 1/60. x in 20 steps has the curve's points 1/20 apart, straight lines between
    # them lie 1/12 * (1/20)^2 * .2 lower. With money: buyers spend lognormal(0, 1), mean exp(.5).
    covered, n, known = 0, 3000, 1 / 60 - 0.2 / 4800
    for seed in range(200):
        rng = np.random.default_rng(seed)
        frame = people(rng.random(n) < 0.5, score=(rng.integers(20, size=n) + 0.5) / 20)
        frame["y"] = (rng.random(n) < 0.1 + 0.2 * frame["score"] * frame["treated"]).astype(float)
        frame["y"] *= rng.lognormal(0, 1, n) if money else 1
        found = targeting.qini(judged(frame), seed, resamples=200)
        covered += found.gain_low <= known * (np.exp(0.5) if money else 1) <= found.gain_high
    # 95 % of 200 is 190; three standard errors (3.1) to either side
    assert 181 <= covered <= 199


def test_profit_of_a_campaign_that_only_pays_at_the_top():
    # Contact costs 1; the top fifth of the score buys for 3 more on average (P +.3 at 10), the others nothing more:
    # all: .2 * 3 - 1 = -.4 a customer; the top fifth: .2 * (3 - 1) = +.4; the top less all +.8.
    rng = np.random.default_rng(2)
    n = 40_000
    frame = people(rng.random(n) < 0.5, score=rng.random(n))
    bought = rng.random(n) < 0.05 + 0.3 * (frame["treated"] & (frame["score"] > 0.8))
    frame["profit"] = 10 * bought - 1.0 * frame["treated"]
    found = targeting.qini(judged(frame, "profit"), seed=7)
    plans = found.plans.set_index("plan")
    assert found.verdict == "can_target"
    assert plans.loc["best", "share"] == pytest.approx(0.2, abs=0.001)
    for plan, value in {"nobody": 0, "all": -0.4, "best": 0.4, "best_less_all": 0.8}.items():
        assert plans.loc[plan, "low"] <= value <= plans.loc[plan, "high"]
    assert plans.loc["best_less_all", "low"] > 0.7


def test_the_best_share_is_not_flattered():
    # nothing sells more, contact is free, the score is noise: whatever share looks best gains nothing on average
    gains = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        frame = people(rng.random(2000) < 0.5, score=rng.integers(10, size=2000), y=rng.random(2000) < 0.3)
        points = judged(frame)
        share, value = targeting._curve(points.n, points.total)
        values = targeting._resampled(points, seed, 100)[1]
        gains.append((targeting._chosen(share, value, values, (0, 0))[1], value.max()))
    corrected, naive = np.mean(gains, axis=0)
    assert naive > 0.01 and abs(corrected) < naive / 2


# ---- thin and odd frames


@pytest.mark.parametrize("rare", [29, 30, 31])
def test_thirty_other_outcomes_on_either_side_are_needed(rare):
    y = [1] * 60 + [0] * 140 + [1] * rare + [0] * (200 - rare)
    found = targeting.qini(judged(people([1] * 200 + [0] * 200, score=np.arange(400) % 7, y=y)), seed=1)
    assert (found.verdict == "not_enough_data") == (rare < 30)


def test_an_arm_of_one_an_empty_side_and_nobody_are_not_enough_data():
    one = people([1] + [0] * 400, score=np.arange(401) % 9, y=[1, *([1, 0] * 200)])
    for frame in (one, one[~one["treated"]], one[one["treated"]], one.head(0)):
        assert targeting.qini(judged(frame), seed=1).verdict == "not_enough_data"
        assert targeting.deciles(judged(frame))["uplift"].isna().all()


def test_equal_scores_cannot_target():
    found = targeting.qini(judged(people([1, 0] * 400, score=0.5, y=[1, 0, 0, 1, 1, 0, 0, 0] * 100)), seed=1)
    assert (found.verdict, found.gain, found.gain_low, found.gain_high) == ("cannot_target", 0, 0, 0)


def test_the_coefficient_is_silent_while_the_effect_may_be_nothing():
    rng = np.random.default_rng(0)
    frame = people(rng.random(4000) < 0.5, score=rng.random(4000))
    # the top half gains what the lower half loses: the score is good, the effect of treating all is nothing
    frame["y"] = rng.random(4000) < 0.3 + 0.2 * frame["treated"] * np.sign(frame["score"] - 0.5)
    found = targeting.qini(judged(frame), seed=1)
    assert found.verdict == "can_target" and np.isnan([found.coefficient, found.low, found.high]).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["y", "spend"]))
def test_neither_the_order_of_rows_nor_a_rising_change_of_scores_matters(seed, outcome):
    rng = np.random.default_rng(seed)
    frame = people(rng.random(500) < 0.6, score=rng.integers(0, 60, 500) / 7, y=rng.random(500) < 0.4)
    frame["spend"] = frame["y"] * rng.lognormal(3, 1, 500)
    other = frame.sample(frac=1, random_state=seed % 1000).assign(score=lambda rows: np.exp(rows["score"]))
    first, second = (targeting.qini(judged(rows, outcome), 7, 50) for rows in (frame, other))
    assert first[:9] == second[:9] or np.isnan(first.coefficient)
    assert (first.gain, first.gain_low) == (second.gain, second.gain_low)
    pd.testing.assert_frame_equal(first.curve, second.curve, check_exact=True)
    pd.testing.assert_frame_equal(first.plans, second.plans, check_exact=True)
    by_row, shuffled = (targeting.deciles(judged(rows, outcome)) for rows in (frame, other))
    pd.testing.assert_frame_equal(by_row, shuffled, check_exact=True)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_turning_the_scores_round_turns_the_gain_round_where_arms_are_even(seed):
    # one treated and one control of each score: the curve from below is the whole less the curve from above
    rng = np.random.default_rng(seed)
    frame = people([1, 0] * 50, score=np.repeat(np.arange(50.0), 2), y=rng.random(100) < 0.5)
    up, down = (targeting.qini(judged(frame.assign(score=sign * frame["score"])), 1, 10).gain for sign in (1, -1))
    assert up == pytest.approx(-down, abs=1e-12)


# ---- scores


def shop(n, seed=0):
    """Customers whose uplift rests on their region: +0.3 in the north, nothing elsewhere."""
    rng = np.random.default_rng(seed)
    frame = people(rng.random(n) < 0.5, customer_id=[f"c{k}" for k in range(n)])
    frame["region"] = rng.choice(["north", "south"], n)
    frame["spent"] = rng.lognormal(4, 1, n)
    frame["y"] = (rng.random(n) < 0.2 + 0.3 * (frame["treated"] & (frame["region"] == "north"))).astype(int)
    return frame


def test_the_score_finds_who_is_moved():
    frame = shop(8000)
    score, why = uplift_score.learned(frame, ["region", "spent", "absent"], "y", seed=7)
    by_region = score.groupby(frame["region"]).mean()
    assert why is None and by_region["north"] == pytest.approx(0.3, abs=0.06)
    assert by_region["south"] == pytest.approx(0, abs=0.06)
    assert targeting.qini(targeting.ranked(frame, score, "y"), 7).verdict == "can_target"


def test_who_judges_does_not_teach_and_is_half_of_all():
    frame = shop(4000)
    score = uplift_score.learned(frame, ["spent"], "y", seed=7).score
    turned = frame.assign(y=frame["y"].where(score.isna(), 1 - frame["y"]))
    pd.testing.assert_series_equal(score, uplift_score.learned(turned, ["spent"], "y", seed=7).score, check_exact=True)
    assert score.notna().mean() == pytest.approx(0.5, abs=0.03)
    assert not score.isna().equals(uplift_score.learned(frame, ["spent"], "y", seed=8).score.isna())


def test_the_order_of_rows_changes_no_score():
    frame = shop(2000).assign(spent=lambda rows: rows["spent"].where(rows["spent"] > 20))
    mixed = frame.sample(frac=1, random_state=3)
    first, second = (uplift_score.learned(rows, ["spent", "region"], "y", 7).score for rows in (frame, mixed))
    pd.testing.assert_series_equal(first, second.reindex(first.index), check_exact=True)


def test_equal_customers_have_equal_scores():
    frame = shop(2000).assign(spent=1.0)
    score = uplift_score.learned(frame, ["spent", "region"], "y", 7).score
    assert score.groupby(frame["region"]).nunique().eq(1).all()


def test_nulls_and_yes_no_columns_are_taken():
    frame = shop(2000)
    frame["region"] = frame["region"].mask(frame.index % 5 == 0)
    frame["y"] = frame["y"].astype("Int64").mask(frame.index % 13 == 0)
    frame["member"] = (frame.index % 3 == 0).astype(bool)
    frame["visits"] = pd.array([None if k % 7 == 0 else k % 11 for k in range(2000)], dtype="Int64")
    score, why = uplift_score.learned(frame, ["region", "member", "visits"], "y", 7)
    assert why is None and np.isfinite(score.dropna()).all() and score.notna().any()


def test_it_says_why_there_is_no_score():
    frame = shop(2000)
    for covariates in (
        [],
        ["absent"],
        ["constant"],
        ["customer_id"],
    ):  # every id is its own value: none has 30 customers
        score, why = uplift_score.learned(frame.assign(constant=1), covariates, "y", 7)
        assert why == "no_covariates" and score.isna().all()
    for few in (frame.head(100), frame.assign(y=0), frame.assign(y=1), frame[frame["treated"]], frame.head(0)):
        assert uplift_score.learned(few, ["spent"], "y", 7).why in ("too_few_responders", "no_covariates")
    assert uplift_score.learned(frame.assign(y=0), ["spent"], "y", 7).why == "too_few_responders"


@pytest.mark.parametrize(("responders", "enough"), [(29, False), (30, True), (31, True)])
def test_thirty_responders_of_an_arm_are_needed_to_learn(responders, enough):
    # without ids rows 1, 3, … teach: 200 treated, then 200 control, of whom so many responded
    frame = people([1] * 400 + [0] * 400, spent=np.arange(800.0), y=0)
    frame.loc[list(range(0, 100, 2)) + list(range(400, 400 + 2 * responders, 2)), "y"] = 1
    assert (uplift_score.learned(frame, ["spent"], "y", 7).why is None) == enough


def test_a_covariate_that_knows_the_outcome_is_refused():
    with pytest.raises(ParamsError, match="'y'"):
        uplift_score.learned(shop(100), ["spent", "y"], "y", 7)
