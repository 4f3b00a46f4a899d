"""Guardrails: intervals against published ones, the edges of each verdict, and what is left out."""

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import campaign
from tierbook.insight.guardrails import COLUMNS, guardrails

MARGINS = {"opted_out": 0.02, "refunds": 0.01, "discount": 0.01}


def trial(treated, control, measure="refunds", spend=100.0, name="spring"):
    """One campaign with the values given, everybody's spend the same."""
    arm = ["mail"] * len(treated) + ["control"] * len(control)
    return pd.DataFrame({"campaign": name, "arm": arm, measure: [*treated, *control], "spend": spend})


def opted(treated, n_treated, control, n_control):
    arms = [[1.0] * yes + [0.0] * (n - yes) for yes, n in ((treated, n_treated), (control, n_control))]
    return trial(*arms, measure="opted_out")


@pytest.mark.parametrize(
    ("counts", "published"),
    [
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((0, 10, 0, 20), (-0.1611, 0.2775)),
        ((0, 10, 0, 10), (-0.2775, 0.2775)),
        ((10, 10, 0, 20), (0.6791, 1.0)),
    ],
)
def test_opt_outs_agree_with_newcombe_1998_table_2_method_10(counts, published):
    row = guardrails(opted(*counts), "control", MARGINS).iloc[0]
    assert row[["low", "high"]].tolist() == pytest.approx(published, abs=5.1e-5)


@pytest.mark.parametrize(("n_treated", "n_control", "told"), [(9, 20, False), (20, 9, False), (10, 10, True)])
def test_no_share_of_fewer_than_ten_customers(n_treated, n_control, told):
    row = guardrails(opted(1, n_treated, 0, n_control), "control", MARGINS).iloc[0]
    assert row[["effect", "low", "high"]].notna().all() == told and row["verdict"] == "unclear"
    assert pd.notna(row["mean_treated"]) == (n_treated >= 10) and pd.notna(row["mean_control"]) == (n_control >= 10)
    money = guardrails(trial([1.0] * n_treated, [2.0] * n_control), "control", MARGINS).iloc[0]
    assert money["mean_treated"] == 1 and money["mean_control"] == 2, "money is no percentage"


def test_money_agrees_with_the_welch_interval_of_the_review():
    rng = np.random.default_rng(1)
    frame = trial(rng.gamma(0.3, 5, 300), rng.gamma(0.3, 4, 290))
    row = guardrails(frame, "control", MARGINS).iloc[0]
    peer = campaign.effects(frame, "control", ["refunds"]).iloc[0]
    assert row[["effect", "low", "high"]].tolist() == pytest.approx(peer[["effect", "low", "high"]].tolist(), rel=1e-9)
    assert (row["n_treated"], row["n_control"], row["allowed"]) == (300, 290, pytest.approx(1.0))


@pytest.mark.parametrize(("slack", "verdict"), [(-1e-9, "unclear"), (1e-9, "kept")])
def test_kept_is_an_upper_end_within_the_margin(slack, verdict):
    frame = trial([1.0, 2.0, 3.0], [0.0, 1.0, 2.0])
    high = guardrails(frame, "control", MARGINS).iloc[0]["high"]
    assert guardrails(frame, "control", {"refunds": (high + slack) / 100}).iloc[0]["verdict"] == verdict


@pytest.mark.parametrize(("slack", "verdict"), [(-1e-9, "breached"), (1e-9, "unclear")])
def test_breached_is_a_lower_end_beyond_the_margin(slack, verdict):
    frame = trial([11.0, 12.0, 13.0], [0.0, 1.0, 2.0])
    low = guardrails(frame, "control", MARGINS).iloc[0]["low"]
    assert low > 0
    assert guardrails(frame, "control", {"refunds": (low + slack) / 100}).iloc[0]["verdict"] == verdict


def test_nobody_opted_out_of_many_is_kept_and_of_few_unclear():
    # Upper end without an opt-out: 3.84 / (n + 3.84) of the treated: 0.76 % of 500 and 7 % of 50, margin 2 %.
    found = [guardrails(opted(0, n, 0, n), "control", MARGINS).iloc[0]["verdict"] for n in (500, 50)]
    assert found == ["kept", "unclear"]


def test_an_empty_opt_out_counts_as_none():
    frame = opted(10, 100, 0, 100)
    empty = frame.assign(opted_out=frame["opted_out"].where(frame["arm"] == "mail"))
    pd.testing.assert_frame_equal(guardrails(empty, "control", MARGINS), guardrails(frame, "control", MARGINS))


def test_what_was_not_recorded_is_left_out():
    frame = opted(1, 10, 0, 10).assign(refunds=0.0)
    assert guardrails(frame, "control", MARGINS)["measure"].tolist() == ["opted_out"]
    nothing = guardrails(frame[["campaign", "arm", "refunds"]], "control", MARGINS)
    assert nothing.empty and list(nothing.columns) == COLUMNS


@pytest.mark.parametrize("spend", [0.0, -5.0, None])
def test_money_needs_the_controls_spend_for_its_margin(spend):
    frame = trial([1.0, 2.0, 3.0], [0.0, 1.0, 2.0]).assign(spend=spend)
    frame = frame.drop(columns="spend") if spend is None else frame
    row = guardrails(frame, "control", MARGINS).iloc[0]
    assert np.isnan(row["allowed"]) and row["verdict"] == "unclear"


def test_a_broken_split_or_no_control_gives_no_number():
    frame = pd.concat([opted(9, 10, 3, 10), opted(9, 10, 3, 10).assign(campaign="summer")])
    found = guardrails(frame, "control", MARGINS, broken=["summer"]).set_index("campaign")
    assert found.loc["spring", "effect"] == pytest.approx(0.6)
    assert found.loc["summer", ["effect", "low", "high"]].isna().all()
    assert found["verdict"].tolist() == ["breached", "broken_split"]
    alone = guardrails(frame, "holdout", MARGINS)
    assert set(alone["verdict"]) == {"no_control"} and alone["effect"].isna().all() and len(alone) == 4


def test_order_of_rows_changes_nothing():
    rng = np.random.default_rng(2)
    frame = trial(rng.gamma(0.3, 5, 300), rng.gamma(0.3, 4, 200)).assign(opted_out=rng.integers(0, 2, 500) * 1.0)
    shuffled = frame.sample(frac=1, random_state=3)
    expected = guardrails(frame, "control", MARGINS)
    assert expected["measure"].tolist() == ["opted_out", "refunds"]
    pd.testing.assert_frame_equal(guardrails(shuffled, "control", MARGINS), expected)
