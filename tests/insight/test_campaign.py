"""Campaign review: arithmetic by hand, boundaries of each verdict, honesty on simulated trials, published numbers."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tierbook.errors import InputError, ParamsError
from tierbook.insight import campaign
from tierbook.insight.campaign import effects, headline, profit, sample_size
from tierbook.insight.split import SampleRatio, balance, balance_p, sample_ratio, split_check

# 40 customers at mean -1 and +1 in halves: variance 40/39, so a difference of two such arms has se^2 = 2/39, df 78.
SE = math.sqrt(2 / 39)
HALF = stats.t.ppf(0.975, 78) * SE
EXTRA = stats.t.ppf(1 - 0.005 / 2, 78) * SE  # the effect whose p is 0.5 %
JUST = 1e-6


def values(mean, n=40):
    return mean + np.where(np.arange(n) % 2, 1.0, -1.0)


def trial(n=40, **shifts):
    """Control around 10, treated around 10 + shift, for each outcome named; everybody orders once."""
    frame = pd.DataFrame({"arm": ["control"] * n + ["mail"] * n, "orders": 1.0})
    return frame.assign(**{name: np.append(values(10, n), values(10 + by, n)) for name, by in shifts.items()})


def in_tiers(**shifts):
    """One trial per tier, the spend of its treated shifted as given."""
    return pd.concat([trial(spend=by).assign(tier=tier) for tier, by in shifts.items()], ignore_index=True)


def verdicts(frame, outcomes, **options):
    table = effects(frame, "control", outcomes, **options)
    return {(tier, outcome): code for tier, outcome, code in table[["tier", "outcome", "verdict"]].to_numpy()}


def test_welch_interval_by_hand():
    # means 3 and 1, both variances 1, n = 3: effect 2, se = sqrt(1/3 + 1/3) = 0.816497, df = 4, t.975 = 2.776445,
    # half = 2.266958. t = 2.449490, and in closed form for df 4
    # F(t) = 1/2 + 3/8 * t/sqrt(1 + t^2/4) * (1 - t^2/12/(1 + t^2/4)) = 0.5 + 0.375 * 1.549193 * 0.8, so p = 0.070484.
    # next test: (1.959964 + 0.841621)^2 * (1 + 1) / 2^2 = 3.92, so 4 an arm.
    frame = pd.DataFrame({"arm": ["mail"] * 3 + ["control"] * 3, "spend": [2, 3, 4, 0, 1, 2]})
    row = effects(frame, "control", ["spend"]).iloc[0]
    assert (row["n_treated"], row["n_control"], row["mean_treated"], row["mean_control"]) == (3, 3, 3, 1)
    assert row[["effect", "low", "high"]].tolist() == pytest.approx([2, -0.266958, 4.266958], abs=1e-6)
    assert row["p"] == pytest.approx(0.070484, abs=1e-6)
    assert row["next_n"] == 4
    assert row["p_holm"] == row["p"]  # one arm: a family of one
    # equal arms were meant, and 3 and 3 are equal
    assert pd.isna(row["interaction_p"]) and row["srm_p"] == 1


def test_unequal_arms_agree_with_scipy():
    draw = np.random.default_rng(3)
    treated, control = draw.gamma(0.5, 40, 700), draw.gamma(0.4, 30, 150)
    frame = pd.DataFrame({"arm": ["mail"] * 700 + ["control"] * 150, "spend": np.append(treated, control)})
    row = effects(frame, "control", ["spend"]).iloc[0]
    peer = stats.ttest_ind(treated, control, equal_var=False)
    expected = [peer.pvalue, *peer.confidence_interval()]
    assert row[["p", "low", "high"]].tolist() == pytest.approx(expected, rel=1e-9)


def test_columns_are_those_of_the_contract():
    contract = "arm tier outcome n_treated n_control mean_treated mean_control effect low high p p_holm srm_p"
    table = effects(in_tiers(a=0, b=1), "control", ["spend", "orders"])
    assert list(table.columns) == [*contract.split(), "interaction_p", "verdict", "next_n"]
    assert table["outcome"].tolist() == ["spend"] * 3 + ["orders"] * 3
    assert table["tier"].tolist() == ["all", "a", "b"] * 2


def test_cochran_q_and_holm_by_hand():
    # effects 1 and 2, each with se^2 2/39: Q = (0.25 + 0.25) / (2/39) = 9.75 on 1 df, p = erfc(sqrt(9.75 / 2)).
    table = effects(in_tiers(a=1, b=2), "control", ["spend"]).set_index("tier")
    assert table.loc["all", "interaction_p"] == pytest.approx(math.erfc(math.sqrt(9.75 / 2)))
    assert table.loc[["a", "b"], "interaction_p"].isna().all()
    # two cells: the smaller p counts double, the larger stays; on `all`, one arm is a family of its own.
    assert table.loc["b", "p_holm"] == pytest.approx(2 * table.loc["b", "p"])
    assert table.loc["a", "p_holm"] == pytest.approx(table.loc["a", "p"])
    assert table.loc["all", "p_holm"] == table.loc["all", "p"]


def test_holm_never_reverses_the_order_and_stops_at_one():
    table = effects(in_tiers(a=0.50, b=0.49, c=0), "control", ["spend"]).set_index("tier")
    # 3 * p(a) exceeds 2 * p(b) here, so b takes a's value; p(c) is 1 and stays 1.
    assert 3 * table.loc["a", "p"] > 2 * table.loc["b", "p"] > 2 * table.loc["a", "p"]
    assert table["p_holm"].tolist()[1:] == pytest.approx([3 * table.loc["a", "p"]] * 2 + [1])


def test_tiers_are_sized_for_the_effect_of_the_total():
    # the tiers' own effects are 1 and 2, the total's 1.5: 7.848880 * (2 * 40/39) / 1.5^2 = 7.16, so 8 in each tier.
    table = effects(in_tiers(a=1, b=2), "control", ["spend"]).set_index("tier")
    assert table.loc[["a", "b"], "next_n"].tolist() == [8, 8]


def test_sample_size():
    # 7.848880 * (3^2 + 4^2) / 5^2 = 7.85; with the control's sd for both, 7.848880 * 18 / 25 = 5.65
    assert sample_size(5, 3, 4) == 8
    assert sample_size(5, 3) == 6
    assert np.isnan(sample_size(0, 3))


@pytest.mark.parametrize(
    ("spend", "gain", "expected"),
    [
        # profit, the primary outcome, is shown: spend is read at 5 %
        (HALF + JUST, HALF + JUST, "works_and_pays"),
        (HALF + JUST, -5, "works_not_pays"),
        (HALF - JUST, 5, "no_difference"),
        (-HALF + JUST, -5, "no_difference"),
        (-HALF - JUST, -5, "harmful"),
        # it is not: spend, the only other outcome, is read at 0.5 %
        (EXTRA + JUST, HALF - JUST, "works_not_pays"),
        (EXTRA - JUST, HALF - JUST, "no_difference"),
        (-EXTRA - JUST, 0, "harmful"),
        (-EXTRA + JUST, 0, "no_difference"),
        (0, 0, "no_difference"),
    ],
)
def test_verdict_at_the_level_of_each_outcome(spend, gain, expected):
    assert verdicts(trial(spend=spend, profit=gain), ["spend", "profit"])["all", "spend"] == expected


@pytest.mark.parametrize(
    ("spend", "gain", "expected"),
    [
        (0, HALF + JUST, "works_and_pays"),
        (0, HALF - JUST, "no_difference"),
        (5, -5, "works_not_pays"),
        (0, -HALF - JUST, "harmful"),
        (-5, -5, "harmful"),
    ],
)
def test_verdict_of_profit_itself(spend, gain, expected):
    assert verdicts(trial(spend=spend, profit=gain), ["spend", "profit"])["all", "profit"] == expected


def test_a_behaviour_that_falls_forbids_works_not_pays():
    codes = verdicts(trial(visits=5, spend=-5, profit=-5), ["visits", "spend", "profit"])
    assert codes["all", "visits"] == "works_not_pays"
    assert codes["all", "spend"] == codes["all", "profit"] == "harmful"


def test_two_other_outcomes_share_the_level():
    half = stats.t.ppf(1 - 0.0025 / 2, 78) * SE
    above = trial(visits=half + JUST, spend=0, profit=0)
    below = trial(visits=half - JUST, spend=0, profit=0)
    assert verdicts(above, ["visits", "spend", "profit"])["all", "profit"] == "works_not_pays"
    assert verdicts(below, ["visits", "spend", "profit"])["all", "profit"] == "no_difference"


def test_without_profit_the_primary_outcome_is_spend_then_orders_then_response():
    frame = trial(spend=-HALF - JUST, response=-HALF - JUST)
    assert verdicts(frame, ["response", "spend"]) == {("all", "response"): "harmful", ("all", "spend"): "harmful"}
    frame = trial(spend=0, response=-HALF - JUST)
    assert verdicts(frame, ["response", "spend"])["all", "response"] == "no_difference"
    assert verdicts(frame, ["response"])["all", "response"] == "harmful"


def test_welch_alone_shows_nothing_where_a_small_hold_out_happens_to_vary_little():
    # 360 treated of variance about 100, 40 held out of variance about 1 and 2 less: Welch se^2 = 100/360 + 1/40 = 0.30,
    # t = 3.6; one variance for both is about 90: se^2 = 90 (1/360 + 1/40) = 2.5, t = 1.3.
    treated = pd.DataFrame({"arm": "mail", "orders": 1.0, "spend": 10 + 10 * (values(0, 360))})
    held_out = pd.DataFrame({"arm": "control", "orders": 1.0, "spend": values(12)})
    row = effects(pd.concat([treated, held_out], ignore_index=True), "control", ["spend"]).iloc[0]
    assert row["high"] < 0 and row["p"] < 0.001 and row["verdict"] != "harmful"


def test_two_arms_need_holm():
    # 40 controls beside two arms of 40: the smaller p counts double, the larger once
    control, mail = trial(spend=0)[:40], trial(spend=-stats.t.ppf(1 - 0.025 / 2, 78) * SE - JUST)[40:]
    calls = trial(spend=-HALF - JUST)[40:].assign(arm="call")
    frame = pd.concat([control, mail, calls], ignore_index=True)
    table = effects(frame, "control", ["spend"]).set_index("arm")
    assert table.loc["mail", "p_holm"] == pytest.approx(0.05, abs=1e-4) and table.loc["mail", "p_holm"] < 0.05
    assert table.loc["call", "p_holm"] == pytest.approx(0.05, abs=1e-4)
    assert table["verdict"].tolist() == ["harmful", "harmful"]
    frame.loc[frame["arm"] == "mail", "spend"] += 3 * JUST
    assert set(effects(frame, "control", ["spend"])["verdict"]) == {"no_difference"}


def test_profit_counts_for_the_verdict_though_it_was_not_asked_for():
    frame = trial(spend=5, profit=5)
    assert verdicts(frame, ["spend"]) == {("all", "spend"): "works_and_pays"}
    assert verdicts(frame.drop(columns="profit"), ["spend"]) == {("all", "spend"): "not_enough_data"}


@pytest.mark.parametrize("sign", [1, -1])
def test_a_tier_needs_holm(sign):
    # the total is shown by tier b; of two cells the smaller p must be under 2.5 %, the larger under 5 %
    shown = {1: "works_and_pays", -1: "harmful"}[sign]
    for by, expected in [(HALF + JUST, shown), (HALF - JUST, "no_difference")]:
        frame = in_tiers(a=sign * by, b=sign * 2).assign(profit=lambda rows: rows["spend"])
        codes = verdicts(frame, ["spend"])
        assert codes["all", "spend"] == codes["b", "spend"] == shown
        assert codes["a", "spend"] == expected


def test_a_tier_beside_a_total_that_is_not_shown_needs_a_difference_between_tiers():
    # effects -d and +c with se^2 2/39 each: Q = (d + c)^2 / (4/39), on 1 df; one outcome, one arm: p under 0.5 %.
    difference = stats.norm.ppf(1 - 0.005 / 2) * math.sqrt(4 / 39)
    for by, expected in [(difference + JUST, "harmful"), (difference - JUST, "no_difference")]:
        codes = verdicts(in_tiers(a=-0.6, b=by - 0.6), ["spend"])
        assert codes["all", "spend"] == "no_difference" and codes["a", "spend"] == expected


@pytest.mark.parametrize(("buyers", "expected"), [(29, "not_enough_data"), (30, "harmful"), (31, "harmful")])
def test_thirty_buyers_in_the_smaller_arm(buyers, expected):
    frame = trial(spend=-5)
    frame.loc[frame.index[buyers:40], "orders"] = 0
    assert verdicts(frame, ["spend"])["all", "spend"] == expected
    more_treated = pd.concat([frame, frame.tail(10)])
    assert verdicts(more_treated, ["spend"])["all", "spend"] == expected
    swapped = frame.assign(arm=frame["arm"].map({"control": "mail", "mail": "control"}), spend=-frame["spend"])
    assert verdicts(swapped, ["spend"])["all", "spend"] == expected
    more_control = pd.concat([frame, frame.head(1)])
    assert verdicts(more_control, ["spend"])["all", "spend"] == "harmful"


def test_response_row_counts_responders_not_orders():
    frame = trial().assign(orders=0.0, response=[1] * 35 + [0] * 5 + [1] * 30 + [0] * 10)
    assert verdicts(frame, ["response"], worthwhile={"response": 0.5})["all", "response"] == "no_difference"
    assert verdicts(frame, ["orders"])["all", "orders"] == "not_enough_data"


@pytest.mark.parametrize(("factor", "expected"), [(2.8015, "not_enough_data"), (2.8017, "no_difference")])
def test_eighty_percent_power_for_the_smallest_worthwhile_effect(factor, expected):
    # 80 % power at 5 % two-sided needs an effect of (1.959964 + 0.841621) = 2.801585 standard errors.
    assert verdicts(trial(spend=0), ["spend"], worthwhile={"spend": factor * SE})["all", "spend"] == expected


@pytest.mark.parametrize(("mean", "expected"), [(3.17, "not_enough_data"), (3.18, "no_difference")])
def test_smallest_worthwhile_effect_is_a_fifth_of_the_control_mean(mean, expected):
    # 2.801585 * sqrt(2/39) = 0.634431, a fifth of 3.172
    frame = trial(spend=0).assign(spend=lambda rows: rows["spend"] - 10 + mean)
    assert verdicts(frame, ["spend"])["all", "spend"] == expected


@pytest.mark.parametrize("treated", [0, 1, 2])
def test_an_arm_of_one_has_no_effect(treated):
    frame = trial(spend=5)
    table = effects(frame.head(40 + treated), "control", ["spend"])
    assert len(table) == min(treated, 1)
    assert table["verdict"].isin(["not_enough_data"]).all()
    assert table["effect"].notna().tolist() == {0: [], 1: [False], 2: [True]}[treated]


def test_without_control_only_a_description():
    frame = in_tiers(a=1, b=2)
    for no_control in [frame[frame["arm"] == "mail"], frame.assign(arm="mail")]:
        table = effects(no_control, "control", ["spend"])
        assert set(table["verdict"]) == {"no_control"}
        assert (
            table[["effect", "low", "high", "p", "p_holm", "interaction_p", "next_n", "mean_control"]]
            .isna()
            .all(axis=None)
        )
        assert (table["n_control"] == 0).all() and table["mean_treated"].notna().all()
    described = campaign.describe_without_control(frame[frame["arm"] == "mail"])
    assert list(described.columns) == ["arm", "tier", "outcome", "n", "mean"]
    spend = described[described["outcome"] == "spend"].set_index("tier")["mean"]
    assert spend.to_dict() == pytest.approx({"all": 11.5, "a": 11, "b": 12})


def test_a_broken_split_stops_everything():
    frame = in_tiers(a=5, b=5)
    # tier a 40 treated to 40, tier b 40 to 9: chi2 far above 10.83, the 0.1 % point on 1 df
    broken = frame.drop(frame.index[(frame["tier"] == "b") & (frame["arm"] == "control")][9:])
    table = effects(broken, "control", ["spend"])
    assert set(table["verdict"]) == {"broken_split"} and (table["srm_p"] < 0.001).all()
    assert table[["effect", "low", "high", "p", "p_holm", "interaction_p", "next_n"]].isna().all(axis=None)
    planned = effects(trial(spend=5), "control", ["spend"], shares={"control": 0.2, "mail": 0.8})
    assert planned["verdict"].tolist() == ["broken_split"]


@pytest.mark.parametrize(("p", "broken"), [(0.00099, True), (0.001, False), (0.05, False), (None, False)])
def test_split_is_broken_below_one_in_a_thousand(p, broken):
    assert SampleRatio({}, None, p, "planned_shares").broken is broken


def test_sample_ratio_by_hand():
    arms = pd.Series(["control"] * 60 + ["mail"] * 40)
    # equal plan: 10^2/50 + 10^2/50 = 4 on 1 df, p = erfc(sqrt(4 / 2))
    check = sample_ratio(arms, {"mail": 1, "control": 1})
    assert (check.n, check.check) == ({"control": 60, "mail": 40}, "planned_shares")
    assert (check.chi2, check.p) == pytest.approx((4, math.erfc(math.sqrt(2))))
    assert sample_ratio(arms, {"mail": 0.4, "control": 0.6}).p == pytest.approx(1)
    # 30/10 and 10/30: chi2 = 80 * (30 * 30 - 10 * 10)^2 / 40^4 = 20. The arms, 40 and 40, are as planned.
    arms, tiers = pd.Series((["x"] * 30 + ["y"] * 10) + (["x"] * 10 + ["y"] * 30)), pd.Series(["a"] * 40 + ["b"] * 40)
    for shares in [None, {"x": 0.5, "y": 0.5}]:
        check = sample_ratio(arms, shares, tiers)
        assert (check.chi2, check.p, check.check) == pytest.approx((20, math.erfc(math.sqrt(10)), "across_tiers"))


@pytest.mark.parametrize(
    ("control", "check", "p"),
    [
        (574, "equal_shares", math.erfc(math.sqrt(21.904))),  # 2 * 148^2/1000 = 43.808 on 1 df
        (576, "across_tiers", 1.0),  # over 15 % off: the plan may have been a hold-out; the tiers are alike
        (424, "across_tiers", 1.0),
        (500, "equal_shares", 1.0),
    ],
)
def test_without_a_plan_nearly_equal_arms_were_meant_to_be_equal(control, check, p):
    arms = pd.Series(["control"] * control + ["mail"] * (1000 - control))
    tiers = pd.Series(["a", "b"]).repeat(1000)
    found = sample_ratio(pd.concat([arms, arms], ignore_index=True), tiers=tiers.reset_index(drop=True))
    assert found.check == check and found.p == pytest.approx(p)


def test_the_test_that_broke_speaks():
    # counts 90 and 110 hold (chi2 2); the tiers do not: 80/20 and 10/90
    arms = pd.Series(["x"] * 80 + ["y"] * 20 + ["x"] * 10 + ["y"] * 90)
    tiers = pd.Series(["a"] * 100 + ["b"] * 100)
    assert sample_ratio(arms).p == pytest.approx(math.erfc(1))
    assert sample_ratio(arms, tiers=tiers).check == "across_tiers"
    # both hold: the counts speak
    assert sample_ratio(arms, tiers=pd.Series(["a", "b"] * 100)).check == "equal_shares"


def test_balance_p_by_hand():
    # three orders a customer or none; log(1 + 3/3) = log 2, so shares decide: 30 of 40 against 10 of 40.
    # mean difference 0.5 log 2, both variances 40/39 * 3/16 (log 2)^2: t = 0.5 / sqrt(2 * 3/16 / 39) on 78 df.
    frame = trial().assign(pre_orders=[3] * 10 + [0] * 30 + [3] * 30 + [0] * 10)
    p = 2 * stats.t.sf(0.5 / math.sqrt(2 * 3 / 16 / 39), 78)
    assert balance_p(frame, "control") == pytest.approx(p)
    # a further covariate doubles it (Bonferroni), one that nobody varies in or that is not there does not
    frame["age"] = values(40, 80)
    assert balance_p(frame, "control", ["age", "age", "nowhere"]) == pytest.approx(2 * p)
    assert balance_p(frame.assign(age=40), "control", ["age"]) == pytest.approx(p)
    # currency does not matter
    assert balance_p(frame.assign(pre_orders=frame["pre_orders"] * 7.1), "control") == pytest.approx(p)
    assert balance_p(trial(spend=5), "control", ["spend"]) < 0.001
    assert balance_p(trial(spend=5), "control") is None


def test_a_covariate_of_words_is_tested_by_its_mix():
    # web 30 to 10, shop 10 to 30: chi2 20, as above
    frame = trial().assign(channel=["web"] * 30 + ["shop"] * 10 + ["web"] * 10 + ["shop"] * 30)
    assert balance_p(frame, "control", ["channel"]) == pytest.approx(math.erfc(math.sqrt(10)))


def test_arms_that_differed_before_stop_everything():
    frame = in_tiers(a=5, b=5).assign(age=lambda rows: rows["spend"])
    assert set(effects(frame, "control", ["spend"])["verdict"]) == {"not_enough_data"}  # no profit column
    table = effects(frame, "control", ["spend"], covariates=["age"])
    assert set(table["verdict"]) == {"broken_split"} and (table["srm_p"] < 0.001).all()
    assert table[["effect", "low", "high", "p", "p_holm", "interaction_p", "next_n"]].isna().all(axis=None)
    assert split_check(frame, "control", covariates=["age"]).check == "before"
    both = campaign.review(frame.assign(campaign="spring"), "control", ["spend", "nowhere"], covariates=["age"])
    assert set(both["verdict"]) == {"broken_split"} and set(both["campaign"]) == {"spring"}
    planned = campaign.review(frame.assign(campaign="spring"), "control", ["spend"], shares={"control": 1, "mail": 4})
    assert set(planned["verdict"]) == {"broken_split"}


def test_sample_ratio_without_a_plan_judges_nothing():
    arms = pd.Series(["control"] * 20 + ["mail"] * 80)
    # tiny: 10 customers of tier b, of whom 2 controls are expected, too few for the approximation
    one_tier, tiny = pd.Series(["a"] * 100), pd.Series(["b"] * 10 + ["a"] * 90)
    for tiers in [None, one_tier, tiny, pd.Series([None] * 100)]:
        assert sample_ratio(arms, tiers=tiers) == SampleRatio({"control": 20, "mail": 80}, None, None, "no_plan")


def test_customers_without_a_tier_count_in_the_total_only():
    frame = in_tiers(a=1, b=2)
    some = effects(frame.assign(tier=frame["tier"].where(frame["tier"] == "a")), "control", ["spend"])
    assert some.set_index("tier")["n_treated"].to_dict() == {"all": 80, "a": 40}
    for nobody in [frame.assign(tier=None), frame.drop(columns="tier")]:
        table = effects(nobody, "control", ["spend"])
        assert table["tier"].tolist() == ["all"] and table["effect"].tolist() == pytest.approx([1.5])
        assert pd.isna(table.loc[0, "interaction_p"])


def test_a_null_outcome_leaves_that_outcome_only():
    frame = trial(spend=1, profit=1)
    frame.loc[0, "spend"] = None
    assert effects(frame, "control", ["spend", "profit"])["n_control"].tolist() == [39, 40]


def test_zero_buyers():
    frame = trial().assign(orders=0, spend=0.0)
    frame["profit"] = profit(frame["spend"], margin=0.4, contact_cost=0.01, contacted=frame["arm"] == "mail")
    table = effects(frame, "control", ["orders", "spend", "profit"])
    assert set(table["verdict"]) == {"not_enough_data"}
    assert table[["effect", "low", "high", "p", "next_n"]].isna().all(axis=None)


def test_tiers_with_too_few_buyers_do_not_decide_whether_tiers_differ():
    frame = pd.concat([in_tiers(a=1, b=1), trial(n=10, spend=50).assign(tier="c")], ignore_index=True)
    table = effects(frame, "control", ["spend"]).set_index("tier")
    assert table.loc["all", "interaction_p"] == pytest.approx(1)
    assert table.loc["c", "verdict"] == "not_enough_data"


def test_headline_is_the_total_unless_tiers_differ():
    alike, differing = in_tiers(a=1, b=1), in_tiers(a=1, b=2)
    for frame, expected in [(alike, ["all"]), (differing, ["a", "b"])]:
        table = effects(frame.assign(profit=frame["spend"]), "control", ["spend", "profit"])
        assert headline(table)["tier"].tolist() == expected
        assert set(headline(table)["outcome"]) == {"profit"} and set(headline(table, "spend")["outcome"]) == {"spend"}
    assert set(headline(effects(alike, "control", ["orders", "spend"]))["outcome"]) == {"spend"}


def test_profit_by_hand():
    spend, cost = pd.Series([100.0, 0.0]), pd.Series([70.0, 0.0])
    contacted = pd.Series([True, False])
    assert profit(spend, margin=0.4, contact_cost=2, contacted=contacted).tolist() == [38, 0]
    assert profit(spend, cost=cost, contact_cost=2, contacted=~contacted).tolist() == [30, -2]
    assert profit(spend).tolist() == [100, 0]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"margin": 40}, "0.4"),
        ({"margin": -0.1}, "share"),
        ({"margin": 0.4, "cost": pd.Series([1.0])}, "both"),
        ({"contact_cost": -1, "contacted": pd.Series([True])}, "negative"),
        ({"contact_cost": 1}, "contacted"),
    ],
)
def test_profit_refuses(options, says):
    with pytest.raises(ParamsError, match=says):
        profit(pd.Series([1.0]), **options)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows.drop(columns="arm"), "no column .'arm'"),
        (lambda rows: rows.drop(columns="spend"), "no column .'spend'"),
        (lambda rows: rows.head(0), "none"),
        (lambda rows: rows.assign(arm=rows["arm"].where(rows.index > 1)), "2 of 80"),
        (lambda rows: rows.assign(customer_id=[7, *range(1, 80)]), "repeats in 1 rows, as .7."),
        (lambda rows: rows.assign(spend=["n/a", *rows["spend"].astype(str).tail(79)]), "1 values of spend.*n/a"),
        (lambda rows: rows.assign(tier="all"), "named 'all'"),
    ],
)
def test_effects_refuses(change, says):
    with pytest.raises(InputError, match=says):
        effects(change(trial(spend=1)), "control", ["spend"])


@pytest.mark.parametrize("shares", [{}, {"control": 1}, {"control": 1, "mail": 0}])
def test_planned_shares_must_cover_the_arms(shares):
    with pytest.raises(ParamsError, match="positive share"):
        sample_ratio(trial()["arm"], shares)


def test_balance_by_hand():
    # means 10.5 and 10, both variances 40/39: 0.5 / sqrt(40/39)
    table = balance(trial(pre_spend=0.5, pre_orders=0), "control", ["pre_spend", "pre_orders"])
    assert table["smd"].tolist() == pytest.approx([0.5 / math.sqrt(40 / 39), 0])
    assert pd.isna(balance(trial(), "control", ["orders"]).loc[0, "smd"])


def skewed_trial(seed, n=300):
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"arm": draw.choice(["control", "mail", "call"], n), "tier": draw.choice(["a", "b", "c"], n)})
    frame["orders"] = draw.poisson(0.8, n)
    return frame.assign(spend=frame["orders"] * draw.lognormal(3, 1, n).round(2))


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_neither_row_order_nor_ids_matter(seed):
    frame = skewed_trial(seed).assign(customer_id=range(300))
    shuffled = frame.sample(frac=1, random_state=seed).assign(customer_id=range(1000, 1300))
    once, again = (effects(rows, "control", ["orders", "spend"]) for rows in (frame, shuffled))
    pd.testing.assert_frame_equal(once, again, check_exact=True)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_currency_changes_no_verdict(seed):
    frame = skewed_trial(seed)
    once, dear = (effects(frame.assign(spend=frame["spend"] * rate), "control", ["spend"]) for rate in (1, 7))
    assert once["verdict"].tolist() == dear["verdict"].tolist()
    assert dear["effect"].tolist() == pytest.approx((once["effect"] * 7).tolist(), nan_ok=True)
    assert dear["p"].tolist() == pytest.approx(once["p"].tolist(), nan_ok=True)


def test_false_alarms_and_coverage_over_200_trials():
    # Each column is one trial of 300 treated and 100 held out, spend skewed; the treated of the second half gain 2.
    draw = np.random.default_rng(20)
    arm = np.repeat(["mail", "control"], [300, 100])
    spend = draw.gamma(1.0, 10.0, (400, 400))
    spend[:300, 200:] += 2
    frame = pd.DataFrame(spend, columns=[f"trial_{i}" for i in range(400)]).assign(arm=arm)
    table = effects(frame, "control", list(frame.columns.drop("arm")))
    nothing, gain = table.head(200), table.tail(200)
    assert ((nothing["low"] > 0) | (nothing["high"] < 0)).mean() <= 0.08
    assert 0.92 <= ((gain["low"] <= 2) & (gain["high"] >= 2)).mean() <= 0.98


@pytest.fixture(scope="module")
def hillstrom(shared_data):
    rows = pd.read_csv(shared_data("hillstrom/hillstrom.csv"))
    band = rows["history_segment"].str[0].astype(int)
    arm = rows["segment"].str.replace(" E-Mail", "").str.lower()
    frame = pd.DataFrame({"arm": arm, "response": rows["visit"], "orders": rows["conversion"], "spend": rows["spend"]})
    frame["tier"] = np.select([band == 1, band <= 3], ["low", "mid"], "high")
    frame["profit"] = profit(frame["spend"], margin=0.4, contact_cost=0.01, contacted=arm != "no")
    frame["bought_before"] = np.select(
        [rows["mens"] * rows["womens"] == 1, rows["mens"] == 1], ["both", "mens"], "womens"
    )
    return frame.assign(pre_spend=rows["history"])


@pytest.fixture(scope="module")
def hillstrom_effects(hillstrom):
    table = effects(hillstrom, "no", ["response", "orders", "spend", "profit"])
    return table.set_index(["arm", "tier", "outcome"])


@pytest.mark.real_data
def test_hillstrom_split_and_means(hillstrom, hillstrom_effects):
    for shares in [dict.fromkeys(["no", "mens", "womens"], 1), None]:
        check = sample_ratio(hillstrom["arm"], shares, hillstrom["tier"])
        assert check.n == {"no": 21306, "mens": 21307, "womens": 21387}
        assert (round(check.chi2, 4), round(check.p, 4)) == (0.2025, 0.9037)
    published = {"response": (10.6167, 18.2757, 15.1400), "orders": (0.5726, 1.2531, 0.8837)}
    published["spend"] = (65.2789, 142.2617, 107.7202)
    for outcome, (no, mens, womens) in published.items():
        rows = hillstrom_effects.loc[(["mens", "womens"], "all", outcome), :]
        assert (100 * rows["mean_treated"]).round(4).tolist() == [mens, womens]
        assert (100 * rows["mean_control"]).round(4).tolist() == [no, no]


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("arm", "outcome", "published", "tolerance"),
    [
        ("mens", "response", (0.07659, 0.06995, 0.08323), 5e-6),
        ("mens", "orders", (0.006805, 0.00500, 0.00861), 5e-6),
        ("mens", "spend", (0.7698, 0.4851, 1.0545), 5e-5),
        ("mens", "profit", (0.2979, 0.184, 0.412), 5e-4),
        ("womens", "response", (0.04523, 0.03889, 0.05157), 5e-6),
        ("womens", "orders", (0.003111, 0.00150, 0.00472), 5e-6),
        ("womens", "spend", (0.4244, 0.1690, 0.6799), 5e-5),
        ("womens", "profit", (0.1598, 0.058, 0.262), 5e-4),
    ],
)
def test_hillstrom_effects(hillstrom_effects, arm, outcome, published, tolerance):
    row = hillstrom_effects.loc[(arm, "all", outcome)]
    assert row[["effect", "low", "high"]].tolist() == pytest.approx(published, abs=tolerance)
    assert row["verdict"] == "works_and_pays"


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("arm", "tier", "published", "verdict"),
    [
        ("mens", "high", (1.399, 0.674, 2.124, 0.001), "works_and_pays"),
        ("mens", "mid", (0.631, 0.208, 1.055, 0.018), "works_and_pays"),
        ("mens", "low", (0.538, 0.113, 0.964, 0.039), "works_and_pays"),
        ("womens", "high", (0.700, 0.069, 1.331, 0.059), "not_enough_data"),
        ("womens", "mid", (0.099, -0.243, 0.442, 0.571), "not_enough_data"),
        ("womens", "low", (0.626, 0.188, 1.064, 0.020), "works_and_pays"),
    ],
)
def test_hillstrom_tiers(hillstrom_effects, arm, tier, published, verdict):
    row = hillstrom_effects.loc[(arm, tier, "spend")]
    assert row[["effect", "low", "high", "p_holm"]].tolist() == pytest.approx(published, abs=5.1e-4)
    assert row["verdict"] == verdict


@pytest.mark.real_data
def test_hillstrom_tiers_cannot_be_told_apart(hillstrom_effects):
    assert hillstrom_effects.loc[("mens", "all", "spend"), "interaction_p"] == pytest.approx(0.121, abs=5e-4)
    assert hillstrom_effects.loc[("womens", "all", "spend"), "interaction_p"] == pytest.approx(0.092, abs=5e-4)
    speaking = headline(hillstrom_effects.reset_index())
    assert speaking[["arm", "tier", "verdict"]].to_numpy().tolist() == [
        ["mens", "all", "works_and_pays"],
        ["womens", "all", "works_and_pays"],
    ]


@pytest.mark.real_data
def test_hillstrom_next_test(hillstrom):
    sd = hillstrom.groupby(["tier", "arm"])["spend"].std()
    published = {"high": 8702, "mid": 5455, "low": 4794}
    assert {tier: sample_size(0.77, sd[tier, "no"], sd[tier, "mens"]) for tier in published} == published
    control_sd = hillstrom.loc[hillstrom["arm"] == "no", "spend"].std()
    assert sample_size(0.4244, control_sd) == 11704
    assert control_sd == pytest.approx(11.59, abs=5e-3)


@pytest.mark.real_data
def test_hillstrom_real_interaction(hillstrom):
    table = effects(hillstrom, "no", ["response"], by="bought_before").set_index(["arm", "tier"])
    columns = ["effect", "low", "high"]
    assert table.loc[("womens", "womens"), columns].tolist() == pytest.approx([0.0740, 0.0644, 0.0835], abs=5e-5)
    assert table.loc[("womens", "mens"), columns].tolist() == pytest.approx([0.0111, 0.0024, 0.0197], abs=5.1e-5)
    assert table.loc[("womens", "all"), "interaction_p"] < 0.001
    speaking = headline(table.reset_index())
    assert set(speaking.loc[speaking["arm"] == "womens", "tier"]) == {"both", "mens", "womens"}


@pytest.mark.real_data
def test_hillstrom_arms_were_alike_before(hillstrom):
    assert (balance(hillstrom, "no", ["pre_spend"])["smd"].abs() < 0.02).all()


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "lift", "net"),
    [("Training", (0.00945, 0.00797, 0.01094), -2334.60), ("Test", (0.00959, None, None), -1132.20)],
)
def test_promotion_to_everybody_works_and_does_not_pay(shared_data, name, lift, net):
    rows = pd.read_csv(shared_data(f"starbucks_promo_experiment/{name}.csv"))
    frame = pd.DataFrame({"arm": rows["Promotion"], "response": rows["purchase"], "spend": 10.0 * rows["purchase"]})
    frame["profit"] = profit(frame["spend"], margin=1, contact_cost=0.15, contacted=frame["arm"] == "Yes")
    table = effects(frame, "No", ["response", "spend", "profit"]).set_index("outcome")
    for column, published in zip(["effect", "low", "high"], lift, strict=True):
        assert published is None or table.loc["response", column] == pytest.approx(published, abs=5.1e-6)
    gain = table.loc["profit"]
    assert gain["mean_treated"] * gain["n_treated"] - gain["mean_control"] * gain["n_control"] == pytest.approx(net)
    assert set(table["verdict"]) == {"works_not_pays"} and gain["high"] < 0


@pytest.mark.parametrize(("by", "expected"), [(-HALF - JUST, "not_enough_data"), (HALF + JUST, "harmful"), (0, "no_difference")])  # fmt: skip
def test_less_may_be_what_one_wants(by, expected):
    # fewer leave: it works, but without profit nobody knows whether it pays; more leave: harm
    options = {"worthwhile": {"churn": 5}}
    table = effects(trial(churn=by), "control", ["churn"], lower_is_better=["churn"], **options)
    assert table["verdict"].tolist() == [expected]
    assert table["effect"].tolist() == effects(trial(churn=by), "control", ["churn"], **options)["effect"].tolist()


def test_shares_may_be_planned_for_more_arms_than_one_campaign_has():
    frame = trial(spend=0).assign(campaign="one")
    table = campaign.review(frame, "control", ["spend"], shares={"control": 1, "mail": 1, "call": 3})
    assert table["srm_p"].tolist() == [1.0]
