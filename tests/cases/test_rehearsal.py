"""Effects beside planted ones: each case by hand, and the simulated e-mail test."""

import pandas as pd

from tierbook.cases.rehearsal import beside_truth
from tierbook.demo import trials
from tierbook.insight.campaign import effects

TRUTH = pd.DataFrame(
    [
        ("a", "high", "spend", 2.0),
        ("a", "low", "spend", -1.0),
        ("a", "middle", "spend", 0.0),
        ("a", "high", "visit", 9),
    ],
    columns=["arm", "tier", "outcome", "effect"],
)


def found(verdict, tier):
    rows = pd.DataFrame({"arm": ["a", "a"], "tier": ["all", tier], "outcome": "spend", "n_treated": 5, "n_control": 6,
                         "effect": 1.0, "low": 0.0, "high": 2.0, "verdict": verdict})  # fmt: skip
    return beside_truth(rows, TRUTH, "spend").iloc[0]


def test_a_claim_is_right_wrong_or_not_made():
    assert found("works_and_pays", "high")["found"] == found("works_not_pays", "high")["found"] == "right"
    assert found("harmful", "high")["found"] == "wrong" and found("harmful", "low")["found"] == "right"
    assert found("works_and_pays", "low")["found"] == "wrong" and found("harmful", "middle")["found"] == "wrong"
    assert found("not_enough_data", "high")["found"] == found("no_difference", "low")["found"] == "not_shown"
    assert found("harmful", "high")[["truth", "effect"]].tolist() == [2.0, 1.0]


def test_rows_without_a_planted_effect_are_left_out():
    rows = pd.DataFrame({"arm": ["b", "a"], "tier": ["high", "all"], "outcome": "spend", "n_treated": 5, "n_control": 6,
                         "effect": 1.0, "low": 0.0, "high": 2.0, "verdict": "harmful"})  # fmt: skip
    assert beside_truth(rows, TRUTH, "spend").empty


def test_the_simulated_mails_differ_by_tier_and_are_found():
    """Six cells, both mails helping the high tier and harming the low: no wrong claim, the high tier found in both."""
    made = trials.ecommerce(seed=11)
    mails = made.tables[trials.ECOMMERCE].rename(columns={"segment": "arm"})
    band = mails["history_segment"].str[0].astype(int)
    mails["tier"] = pd.cut(band, [0, 1, 3, 7], labels=["low", "middle", "high"]).astype(str)
    table = effects(mails.assign(profit=mails["spend"]), trials.CONTROL, ["spend"])
    rows = beside_truth(table, made.truth, "spend")
    assert len(rows) == 6 and (rows["found"] != "wrong").all()
    assert (rows.loc[rows["tier"] == "high", "found"] == "right").all()
