"""Whether each campaign's split looks random."""

import numpy as np
import pandas as pd
import pytest

from tierbook.insight.split import draws


def people(campaign, arms, pre_orders, tiers=None):
    frame = pd.DataFrame({"campaign": campaign, "arm": arms, "pre_orders": pre_orders, "tier": tiers or "high"})
    return frame.assign(customer_id=[f"C{n}" for n in range(len(frame))], pre_spend=frame["pre_orders"] * 10.0)


def test_a_fair_a_broken_an_unchecked_and_an_uncontrolled_campaign():
    half = ["treated", "control"] * 50
    fair = people("fair", half * 2, [1.0, 1.0, 2.0, 2.0] * 50, ["high"] * 100 + ["low"] * 100)
    skewed = ["treated"] * 90 + ["control"] * 10 + ["treated"] * 10 + ["control"] * 90
    broken = people("broken", skewed, [1.0, 2.0] * 100, ["high"] * 100 + ["low"] * 100)
    single = people("single", ["treated"] * 80 + ["control"] * 20, [1.0, 2.0] * 50)
    targeted = people("targeted", ["treated"] * 80 + ["control"] * 20, [5.0, 6.0] * 40 + [1.0, 2.0] * 10)
    alone = people("alone", ["treated"] * 20, [1.0, 2.0] * 10)
    found = draws(pd.concat([fair, broken, single, targeted, alone]), "control").set_index("campaign")
    assert found["draw"].to_dict() == {
        "alone": "no_control", "broken": "broken", "fair": "fair", "single": "unchecked",
        "targeted": "broken",
    }  # fmt: skip
    assert found.loc["fair", ["n_treated", "n_control"]].tolist() == [100, 100]
    # both arms 1, 2, 1, 2 …: no difference before
    assert found.loc["fair", "smd_orders"] == pytest.approx(0)
    assert found.loc["fair", "srm_p"] == pytest.approx(1)
    assert found.loc["broken", "srm_p"] < 0.001
    assert found.loc["targeted", "balance_p"] < 0.001 and np.isnan(found.loc["targeted", "srm_p"])
    assert found.loc["fair", "balance_p"] == pytest.approx(1)
    assert found.loc["alone", ["smd_spend", "balance_p"]].isna().all()


def test_shares_and_covariates_are_checked_where_given():
    frame = people("c", ["treated"] * 80 + ["control"] * 20, [1.0, 2.0] * 50).assign(age=[60, 61] * 40 + [20, 21] * 10)
    assert draws(frame, "control")["draw"].tolist() == ["unchecked"]
    assert draws(frame, "control", shares={"treated": 0.8, "control": 0.2})["draw"].tolist() == ["fair"]
    assert draws(frame, "control", shares={"treated": 0.5, "control": 0.5})["draw"].tolist() == ["broken"]
    assert draws(frame, "control", covariates=["age"])["draw"].tolist() == ["broken"]


def test_differences_before_are_in_standard_deviations():
    # treated 0, 2 and control 1, 3, again and again: means 1 and 2; with ten each the variance is 10/9, so −1 / √(10/9)
    frame = people("c", ["treated"] * 10 + ["control"] * 10, [0.0, 2.0] * 5 + [1.0, 3.0] * 5)
    found = draws(frame, "control")
    assert found.loc[0, "smd_orders"] == pytest.approx(-1 / np.sqrt(10 / 9))
    assert found.loc[0, "smd_spend"] == pytest.approx(-1 / np.sqrt(10 / 9))
    without = draws(frame.drop(columns=["pre_orders", "pre_spend"]), "control")
    assert without[["smd_orders", "smd_spend"]].isna().all(axis=None)
