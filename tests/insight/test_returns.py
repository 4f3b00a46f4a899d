"""Did it pay: the arithmetic by hand, every reason for a missing number, and the promotion test's published totals."""

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import campaign
from tierbook.insight.returns import COLUMNS, returns

EFFECT = {"outcome": "profit", "mean_treated": 3.0, "mean_control": 1.0, "p_holm": np.nan}


def people(cost=(2.0, 2.0, 1.0, 1.0), contacted=(True, True, True, False)):
    """Four treated in two tiers, the last not contacted, and four controls."""
    treated = pd.DataFrame({"arm": "mail", "tier": ["high", "high", "low", "low"], "contact_cost": cost})
    treated = treated.assign(contacted=contacted, spend=[20.0, 0.0, 10.0, 0.0], response=[1.0, 0.0, 1.0, 0.0])
    control = pd.DataFrame({"arm": ["control"] * 4, "tier": ["high", "high", "low", "low"], "contact_cost": 0.0})
    control = control.assign(contacted=False, spend=5.0, response=1.0)
    return pd.concat([treated, control], ignore_index=True).assign(campaign="spring")


def effects(**changes):
    """Effects on profit of 2 (1 … 3) for all and the tier high, 0.5 (-1 … 2) in the tier low, four customers an arm."""
    cell = {"campaign": "spring", "arm": "mail", **EFFECT, "effect": 2.0, "low": 1.0, "high": 3.0}
    rows = [{**cell, "tier": tier, "n_treated": n, "n_control": n} for tier, n in (("all", 4), ("high", 2), ("low", 2))]
    rows[2] |= {"effect": 0.5, "low": -1.0, "high": 2.0}
    return pd.DataFrame(rows).assign(**changes)


def test_by_hand():
    # cost 2 + 2 + 1 + 1 = 6 of four: 1.5 each. total 2 * 4 = 8 (4 … 12), return 8/6 (4/6 … 2). break-even on spend:
    # 1.5 / 0.5 = 3; per responder 30 / 2 = 15 were spent, so 3 / 15 = 20 % more must respond. Arms as they are:
    # 4 * 3 - 4 * 1 = 8. High: cost 4 of two, 2 each, break-even 4 on spend, 4 / 20 = 20 %; low: 1, 2 and 2 / 10 = 20 %.
    found = returns(people(), effects(), "control", 0.5).set_index("tier")
    row = found.loc["all"]
    assert row[["n_treated", "cost", "cost_per_assigned"]].tolist() == [4, 6, 1.5]
    assert row[["profit_total", "total_low", "total_high", "net_of_arms"]].tolist() == [8, 4, 12, 8]
    assert row[["return_on_cost", "return_low", "return_high"]].tolist() == pytest.approx([8 / 6, 4 / 6, 2])
    assert row[["break_even_spend", "break_even_response"]].tolist() == pytest.approx([3, 0.2])
    assert found.loc["high", ["cost", "break_even_spend", "break_even_response"]].tolist() == pytest.approx([4, 4, 0.2])
    assert found.loc["low", ["cost", "break_even_spend", "break_even_response"]].tolist() == pytest.approx([2, 2, 0.2])
    assert found["breaks_even"].tolist() == ["yes", "yes", "unclear"] and found["note"].isna().all()
    assert found.index.tolist() == ["all", "high", "low"] and list(found.reset_index()[COLUMNS]) == COLUMNS


@pytest.mark.parametrize(
    ("low", "high", "p_holm", "verdict"),
    [
        (0.0, 3.0, np.nan, "unclear"), (1e-9, 3.0, np.nan, "yes"), (-3.0, 0.0, np.nan, "unclear"),
        (-3.0, -1e-9, np.nan, "no"), (1e-9, 3.0, 0.0499, "yes"), (1e-9, 3.0, 0.05, "unclear"), (-3.0, -1e-9, 0.05, "unclear"),
    ],
)  # fmt: skip
def test_the_edges_of_breaking_even(low, high, p_holm, verdict):
    found = returns(people(), effects(low=low, high=high, p_holm=p_holm), "control", 0.5)
    assert found["breaks_even"].tolist() == [verdict] * 3


@pytest.mark.parametrize(
    ("given", "changes", "margin", "note"),
    [
        ({}, {}, None, "no_margin"),
        ({}, {"outcome": "spend"}, 0.5, "no_profit"),
        ({"contact_cost": 0.0}, {}, 0.5, "no_contact_cost"),
        ({"contact_cost": np.nan}, {}, 0.5, "no_cost"),
        ({}, {"effect": np.nan, "low": np.nan, "high": np.nan}, 0.5, "no_effect"),
    ],
)
def test_why_a_number_is_missing(given, changes, margin, note):
    found = returns(people().assign(**given), effects(**changes), "control", margin)
    assert set(found["note"]) == {note}
    missing = {"no_margin": "break_even_spend", "no_profit": "profit_total", "no_effect": "breaks_even"}
    assert found[missing.get(note, "return_on_cost")].isna().all()
    assert found["cost"].isna().all() == (note == "no_cost")


def test_without_contact_cost_the_cost_of_who_was_contacted_counts():
    # the last was not contacted: its empty cost is no unknown; one contacted without cost makes the tier unknown
    plain = people(cost=(2.0, 2.0, 1.0, np.nan)).rename(columns={"contact_cost": "cost"})
    assert returns(plain, effects(), "control", 0.5)["cost"].tolist() == [5, 4, 1]
    unknown = people(cost=(2.0, np.nan, 1.0, np.nan)).rename(columns={"contact_cost": "cost"})
    assert returns(unknown, effects(), "control", 0.5)["cost"].fillna(-1).tolist() == [-1, -1, 1]


def test_nobody_responded_or_no_spend_is_known():
    silent = people().assign(response=0.0, spend=0.0)
    assert returns(silent, effects(), "control", 0.5)["break_even_response"].isna().all()
    bare = people().drop(columns=["response", "spend"])
    found = returns(bare, effects(), "control", 0.5)
    assert found["break_even_response"].isna().all() and found["break_even_spend"].tolist() == [3, 4, 2]


@pytest.mark.parametrize(("n_control", "shown"), [(1000, True), (953, True), (952, False), (250, False)])
def test_arms_as_they_stand_are_compared_only_at_like_size(n_control, shown):
    # 1000 / 953 is 4.9 % more, 1000 / 952 is 5.04 %
    found = returns(people(), effects(n_treated=1000, n_control=n_control), "control", 0.5)
    assert found["net_of_arms"].notna().tolist() == [shown] * 3


def test_a_tier_not_known_counts_in_all_only():
    found = returns(people().assign(tier=[None, "high", "low", "low"] * 2), effects(), "control", 0.5)
    assert found.set_index("tier")["n_treated"].to_dict() == {"all": 4, "high": 1, "low": 2}


def test_order_of_rows_changes_nothing():
    shuffled = people(cost=(0.1, 0.2, 0.3, 0.7)).sample(frac=1, random_state=1)
    expected = returns(people(cost=(0.1, 0.2, 0.3, 0.7)), effects(), "control", 0.5)
    pd.testing.assert_frame_equal(returns(shuffled, effects(), "control", 0.5), expected)


def promotion(shared_data, name, chosen=None):
    rows = pd.read_csv(shared_data(f"starbucks_promo_experiment/{name}.csv"))
    rows = rows if chosen is None else rows.query(chosen)
    treated = rows["Promotion"] == "Yes"
    frame = pd.DataFrame({"campaign": name, "arm": rows["Promotion"], "response": rows["purchase"]})
    frame = frame.assign(spend=10.0 * rows["purchase"], contacted=treated, contact_cost=0.15 * treated)
    frame["profit"] = campaign.profit(frame["spend"], margin=1, contact_cost=0.15, contacted=treated)
    table = campaign.review(frame, "No", ["response", "spend", "profit"])
    return returns(frame, table, "No", 1.0).set_index("tier").loc["all"]


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "net"), [("Training", -2334.60), ("Test", -1132.20)])
def test_a_promotion_to_everybody_does_not_pay(shared_data, name, net):
    row = promotion(shared_data, name)
    assert row["net_of_arms"] == pytest.approx(net, abs=5e-3)
    assert row["breaks_even"] == "no" and row["total_high"] < 0
    # 15 cents a promotion at 10 a purchase: 1.5 points more must buy; 0.95 do
    assert row[["cost_per_assigned", "break_even_response"]].tolist() == pytest.approx([0.15, 0.015])


@pytest.mark.real_data
def test_a_promotion_by_the_rule_pays(shared_data):
    row = promotion(shared_data, "Test", "V4 == 2 and V5 in [1, 3]")
    assert row["net_of_arms"] == pytest.approx(424.65, abs=5e-3)
    published = (0.055, 0.014, 0.095)
    assert row[["profit_effect", "profit_low", "profit_high"]].tolist() == pytest.approx(published, abs=5.1e-4)
    assert row["breaks_even"] == "yes" and row["return_low"] > 0
