"""Second opinions on an effect: CUPED by hand and against least squares, the bootstrap against theory and scipy."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tierbook.errors import InputError
from tierbook.insight import campaign
from tierbook.insight.adjusted import COLUMNS, adjusted, review
from tierbook.insight.arms import welch_interval

CUPED = ["cuped_effect", "cuped_low", "cuped_high", "variance_gained"]


def shop(n=600, seed=1, lift=0.0):
    """Half the customers mailed at random; one in ten buys, more so who bought before."""
    rng = np.random.default_rng(seed)
    before = rng.gamma(1.0, 40.0, n).round(2)
    buys = rng.random(n) < 0.05 + 0.1 * before / 40
    spend = np.where(buys, rng.lognormal(4, 0.8, n), 0.0).round(2)
    frame = pd.DataFrame({"customer_id": [f"c{i:05d}" for i in range(n)], "pre_spend": before, "spend": spend})
    frame["arm"] = np.where(rng.permutation(n) < n // 2, "mail", "control")
    frame["spend"] += lift * (frame["arm"] == "mail")
    return frame.assign(campaign="spring", response=buys.astype(float), region=rng.choice(["north", "south"], n))


def test_cuped_by_hand():
    # Within each arm x lies at -1, -1, +1, +1 and y at -2, 0, 0, +2 of its mean: theta = (2 + 0 + 0 + 2) / 4 = 1.
    # Means: y 4 against 2, x 2 against 1: effect 2, adjusted 2 - 1 * (2 - 1) = 1. What is left of y is -1, 1, -1, 1 in
    # each arm, variance 4/3, sum of squares 8. As in least squares: sigma^2 = 8 / (8 - 2 - 1) = 1.6, times 1/4 + 1/4 for
    # the means and 1^2 / 8 for theta's doubt over a distance of 1 (8: squares of x within arms) is 1. Plain: 8/3 (1/4 +
    # 1/4) = 4/3; gained 1 - 1 / (4/3) = 0.25. df 8 - 2 - 1 = 5, t.975 = 2.570582.
    frame = pd.DataFrame(
        {"arm": ["mail"] * 4 + ["control"] * 4, "spend": [2, 4, 4, 6, 0, 2, 2, 4], "before": [1, 1, 3, 3, 0, 0, 2, 2]}
    )
    row = adjusted(frame, "control", ["spend"], ["before"]).iloc[0]
    assert (row["n_treated"], row["n_control"], row["effect"], row["filled"]) == (4, 4, 2, 0)
    assert row[CUPED].tolist() == pytest.approx([1, 1 - 2.570582, 1 + 2.570582, 0.25], abs=1e-6)


def test_the_adjusted_effect_is_the_coefficient_of_least_squares():
    frame = shop().assign(visits=lambda t: np.sqrt(t["pre_spend"]) + np.arange(600) % 7)
    row = adjusted(frame, "control", ["spend"], ["pre_spend", "visits", "region"]).iloc[0]
    by = [frame["arm"] == "mail", frame["pre_spend"], frame["visits"], frame["region"] == "south", np.ones(600)]
    coefficients = np.linalg.lstsq(np.column_stack(by).astype(float), frame["spend"], rcond=None)[0]
    assert row["cuped_effect"] == pytest.approx(coefficients[0], rel=1e-9)
    assert row["variance_gained"] > 0.02


def test_welch_is_that_of_the_review():
    frame = shop(lift=5.0)
    row = adjusted(frame, "control", ["spend"]).iloc[0]
    peer = campaign.effects(frame, "control", ["spend"]).iloc[0]
    assert row[["effect", "low", "high"]].tolist() == pytest.approx(peer[["effect", "low", "high"]].tolist(), rel=1e-9)
    assert row[CUPED].isna().all() and pd.isna(row["filled"])


@pytest.mark.parametrize("n", [(1, 5), (5, 1)])
def test_welch_needs_two_customers_an_arm(n):
    assert np.isnan(welch_interval(1.0, 0.5, n[0], 0.5, n[1])).all()


def test_what_predicts_the_outcome_gains_and_what_does_not_gains_nothing():
    frame = shop(4000)
    useless = frame["pre_spend"].sample(frac=1, random_state=1).to_numpy()
    frame = frame.assign(twin=frame["spend"] * 2 + np.arange(4000) % 3, useless=useless, constant=1.0)
    gained = {
        name: adjusted(frame, "control", ["spend"], [name]).iloc[0]["variance_gained"] for name in list(frame)[-3:]
    }
    assert gained["twin"] > 0.99 and abs(gained["useless"]) < 0.005 and gained["constant"] == pytest.approx(0, abs=1e-9)


def test_a_covariate_twice_in_other_units_changes_nothing():
    frame = shop().assign(cents=lambda t: t["pre_spend"] * 1e6)
    once, twice = (adjusted(frame, "control", ["spend"], names)[CUPED] for names in (["cents"], ["pre_spend", "cents"]))
    pd.testing.assert_frame_equal(once, twice, rtol=1e-9)


def test_empty_covariates_are_filled_and_told():
    # The three empty cells stand at the mean of the other covariates of both arms.
    frame = shop()
    frame.loc[frame.index[:3], "pre_spend"] = np.nan
    filled = frame.assign(pre_spend=frame["pre_spend"].fillna(frame["pre_spend"].mean()))
    row, peer = (adjusted(table, "control", ["spend"], ["pre_spend"]).iloc[0] for table in (frame, filled))
    assert (row["filled"], peer["filled"]) == (3, 0)
    assert row[CUPED].tolist() == pytest.approx(peer[CUPED].tolist(), rel=1e-12)


def test_an_unknown_or_wholly_empty_covariate_is_no_covariate():
    frame = shop().assign(nothing=np.nan)
    row = adjusted(frame, "control", ["spend"], ["nothing", "no such column"]).iloc[0]
    assert row[CUPED].isna().all()


def test_intervals_of_small_arms_cover_though_six_covariates_were_fitted():
    # 8 customers an arm, no effect: of 150 intervals 5 % should miss 0, at most 10.3 % (three standard errors of 1.8 %).
    # Without paying for the six coefficients it is over 20 %.
    rng, missed, names = np.random.default_rng(5), 0, list("abcdef")
    for _ in range(150):
        frame = pd.DataFrame(rng.normal(size=(16, 7)), columns=["y", *names])
        row = adjusted(frame.assign(arm=["mail"] * 8 + ["control"] * 8), "control", ["y"], names).iloc[0]
        missed += row["cuped_low"] > 0 or row["cuped_high"] < 0
    assert missed / 150 < 0.103


@pytest.mark.parametrize("outcome", ["spend", "response"])
def test_the_bootstrap_agrees_with_scipy(outcome):
    # spend has hundreds of values and a usual one (0), response two: the two ways of drawing
    frame = shop(1500)
    row = adjusted(frame, "control", [outcome]).iloc[0]
    samples = [frame.loc[frame["arm"] == arm, outcome] for arm in ("mail", "control")]
    peer = stats.bootstrap(
        samples, lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis), n_resamples=20_000, batch=500,
        method="percentile", random_state=np.random.default_rng(3),
    )  # fmt: skip
    # a 2.5 % quantile of 2,000 resamples strays by some 0.06 standard errors; the interval is 3.9 of them wide
    tolerance = 0.06 * (row["high"] - row["low"])
    assert row[["boot_low", "boot_high"]].tolist() == pytest.approx(list(peer.confidence_interval), abs=tolerance)
    assert row["resamples"] == 2000


def test_few_resamples_where_everybody_differs_are_told():
    # 60,000 customers an arm, each with a spend of its own: 20,000,000 / 59,999 = 333 resamples
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"arm": ["mail", "control"] * 60_000, "spend": rng.permutation(120_000) + 0.5})
    row = adjusted(frame, "control", ["spend"]).iloc[0]
    assert row["resamples"] == 333
    assert row["boot_low"] == pytest.approx(row["low"], abs=0.15 * (row["high"] - row["low"]))


def test_disagreement_is_told():
    # Welch of 1, 2, 3 against 0, 0, 1: 1.667 - 3.06 * 0.667 < 0 on some 3 degrees of freedom; a resampled difference
    # is at or below 0 only where 1, 1, 1 meets 1, 1, 1: 1/27 * 1/27 = 0.14 %.
    frame = pd.DataFrame({"arm": ["mail"] * 3 + ["control"] * 3, "spend": [1, 2, 3, 0, 0, 1]})
    row = adjusted(frame, "control", ["spend"]).iloc[0]
    assert row["low"] < 0 < row["boot_low"] and not row["agree"]
    assert adjusted(shop(lift=80.0), "control", ["spend"]).iloc[0]["agree"]


@pytest.mark.parametrize(
    ("arms", "spend"),
    [(["mail", "control", "control"], [1, 2, 3]), (["mail", "mail", "control"], [1, 2, 3]), (["mail", "control"] * 2, [5] * 4)],
)  # fmt: skip
def test_no_interval_without_two_customers_or_without_variation(arms, spend):
    row = adjusted(pd.DataFrame({"arm": arms, "spend": spend, "x": spend}), "control", ["spend"], ["x"]).iloc[0]
    assert row[["low", "high", *CUPED, "boot_low", "agree"]].isna().all()


def test_without_control_there_is_no_number():
    found = adjusted(shop(), "holdout", ["spend"], ["pre_spend"])
    assert len(found) == 2 and found["effect"].isna().all() and found["n_control"].tolist() == [0, 0]
    assert list(found.columns) == COLUMNS


def test_an_outcome_not_observed_leaves_that_outcome_alone():
    frame = shop()
    frame.loc[frame.index[:50], "spend"] = np.nan
    both = adjusted(frame, "control", ["spend", "response"]).set_index("outcome")
    assert both.loc["spend", ["n_treated", "n_control"]].sum() == 550
    assert both.loc["response", ["n_treated", "n_control"]].sum() == 600


def test_a_word_among_an_outcomes_numbers_is_refused():
    frame = shop().astype({"spend": object})
    frame.loc[0, "spend"] = "n/a"
    with pytest.raises(InputError, match="1 values of spend are not numbers"):
        adjusted(frame, "control", ["spend"])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_order_of_rows_and_names_of_customers_change_nothing(seed):
    frame = shop(80, seed=seed)
    shuffled = frame.sample(frac=1, random_state=seed % 97)
    shuffled = shuffled.assign(customer_id=[f"z{i}" for i in range(80)])
    asked = ("control", ["spend", "response"], ["pre_spend", "region"])
    pd.testing.assert_frame_equal(adjusted(frame, *asked), adjusted(shuffled, *asked), rtol=1e-12)


def test_another_arm_changes_nothing_of_the_first():
    frame = shop()
    more = frame[frame["arm"] == "mail"].assign(arm="phone", spend=lambda t: t["spend"] * 2)
    more["customer_id"] += "x"
    one, two = (adjusted(table, "control", ["spend"], ["pre_spend"]) for table in (frame, pd.concat([frame, more])))
    pd.testing.assert_frame_equal(one, two[two["arm"] == "mail"])


def test_a_review_leaves_out_what_has_no_effect():
    sound, broken = shop(), shop(seed=2).assign(campaign="broken")
    effects = campaign.review(pd.concat([sound, broken]), "control", ["spend", "response"])
    effects.loc[effects["campaign"] == "broken", "effect"] = np.nan
    found = review(pd.concat([sound, broken]), effects, "control", ["pre_spend"], 7)
    assert found[["campaign", "outcome"]].to_numpy().tolist() == [["spring", "spend"], ["spring", "response"]]
    own = adjusted(sound, "control", ["spend", "response"], ["pre_spend"], 7)
    pd.testing.assert_frame_equal(found.drop(columns="campaign"), own)
    nothing = review(sound, effects[:0], "control", [], 7)
    assert nothing.empty and list(nothing.columns) == ["campaign", *COLUMNS]


@pytest.mark.real_data
def test_history_gains_four_in_ten_thousand_of_the_variance_of_hillstroms_spend(shared_data):
    frame = pd.read_csv(shared_data("hillstrom/hillstrom.csv")).rename(columns={"segment": "arm"})
    found = adjusted(frame, "No E-Mail", ["spend"], ["history"]).set_index("arm")
    mens = found.loc["Mens E-Mail"]
    assert mens["variance_gained"] == pytest.approx(0.0004, abs=5e-5)
    assert 0 < found.loc["Womens E-Mail", "variance_gained"] < 0.0004
    assert mens[["effect", "low", "high"]].tolist() == pytest.approx([0.7698, 0.4851, 1.0545], abs=6e-5)
    assert mens[["boot_low", "boot_high"]].tolist() == pytest.approx([0.4851, 1.0545], abs=0.03) and mens["agree"]
