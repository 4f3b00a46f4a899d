"""The closed loop: which action a campaign tried, what it earned, and what last month's calls did."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from tierbook.accounting import day_number
from tierbook.insight import assignment, campaign, ledger
from tierbook.insight.actions import read_actions
from tierbook.params import ROOT, Campaign

CATALOGUE = [
    {"code": "call", "campaigns": ["* Winback calls"]},
    {"code": "winback"},
    {"code": "winback_mail"},
    {"code": "gift"},
]
DAY = day_number(dt.date(2026, 9, 30))
OUTCOMES = ["response", "orders", "spend", "profit"]


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("2026-09 winback calls", "call"),  # a pattern goes before a code, whatever the capitals
        ("2026-09 winback", "winback"),
        ("2026-09 winback_mail", "winback_mail"),  # not winback: that is no word of it
        ("winback for the gift shop", "winback"),  # neither at its end: the longer
        ("winback gift", "gift"),  # at its end before elsewhere
        ("2026-09 GIFT", "gift"),
        ("10月gift", "gift"),
        ("2026-09 gifts", None),
        ("newsletter", None),
    ],
)
def test_a_campaign_is_the_action_s_that_claims_it_or_whose_code_it_names(name, action):
    assert ledger.matched([name], CATALOGUE) == {name: action}


def test_the_demo_s_campaigns_are_matched_by_the_shipped_list():
    shipped = read_actions(ROOT / "params" / "actions.yaml")
    names = ["2026-04 new arrivals coupon", "2026-06 newsletter", "2026-09 winback calls", "2026-10 winback"]
    assert [*ledger.matched(names, shipped).values()] == ["new_arrivals", "promotions", "care_call", "winback"]


def test_only_a_customer_s_first_time_on_an_action_s_list_counts():
    rows = [
        ("2026-09 gift", "a", 1),
        ("2026-10 gift", "a", 31),
        ("2026-10 gift", "b", 31),
        ("2026-10 winback", "a", 31),
        ("newsletter", "a", 40),
        ("newsletter 2", "a", 50),
    ]
    assigned = pd.DataFrame(rows, columns=["campaign", "customer_id", "assigned_day"])
    assert ledger.first_time(assigned, CATALOGUE).tolist() == [True, False, True, True, True, True]


def effect_rows(name, rows, arm="treated", interaction_p=0.5):
    """(tier, outcome, n_treated, effect, half width, verdict) → rows of campaign_effects.csv."""
    table = pd.DataFrame(rows, columns=["tier", "outcome", "n_treated", "effect", "half", "verdict"])
    table = table.assign(campaign=name, arm=arm, n_control=100, p=0.5, p_holm=0.5, srm_p=0.5)
    table["low"], table["high"] = table["effect"] - table["half"], table["effect"] + table["half"]
    table["interaction_p"] = np.where(table["tier"] == "all", interaction_p, np.nan)
    return table


def assigned_to(**days):
    return pd.DataFrame({"campaign": list(days), "assigned_day": [DAY + day for day in days.values()]})


def test_a_row_per_campaign_and_arm_with_totals():
    """Profit 2 ± 1 a customer on 300 treated: 600 (300 to 900), whatever spend did."""
    table = effect_rows(
        "gift", [("all", "spend", 300, 5.0, 1.0, "x"), ("all", "profit", 300, 2.0, 1.0, "works_and_pays")]
    )
    found = ledger.ledger(table, assigned_to(gift=0), CATALOGUE)
    assert list(found.columns) == ledger.COLUMNS
    assert found.iloc[0].drop("tiers").to_dict() == {
        "campaign": "gift",
        "arm": "treated",
        "action": "gift",
        "assigned_on": dt.date(2026, 9, 30),
        "n_treated": 300,
        "n_control": 100,
        "unit": "profit",
        "effect": 2.0,
        "low": 1.0,
        "high": 3.0,
        "total": 600.0,
        "total_low": 300.0,
        "total_high": 900.0,
        "verdict": "works_and_pays",
    }
    assert pd.isna(found.loc[0, "tiers"])


def test_without_profit_the_money_is_spend_and_without_both_there_is_none():
    table = effect_rows("gift", [("all", "spend", 10, 5.0, 1.0, "not_enough_data")])
    assert ledger.ledger(table, assigned_to(gift=0), CATALOGUE)[["unit", "total"]].values.tolist() == [["spend", 50.0]]
    table = effect_rows("gift", [("all", "response", 10, 0.5, 0.1, "no_difference")])
    row = ledger.ledger(table, assigned_to(gift=0), CATALOGUE).iloc[0]
    assert pd.isna(row["unit"]) and pd.isna(row["total"]) and row["verdict"] == "no_difference"


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        ({"a": "harmful", "b": "no_difference"}, ("harmful", "a")),
        ({"a": "works_and_pays", "b": "works_and_pays", "c": "not_enough_data"}, ("works_and_pays", "a, b")),
        ({"a": "works_and_pays", "b": "harmful"}, ("mixed", "a, b")),
        ({"a": "works_and_pays", "b": "works_not_pays"}, ("mixed", "a, b")),
        ({"a": "no_difference", "b": "no_difference"}, ("no_difference", None)),
        ({"a": "no_difference", "b": "not_enough_data"}, ("not_enough_data", None)),
    ],
)
def test_where_tiers_differ_what_was_shown_of_any_is_told(verdicts, told):
    rows = [("all", "profit", 300, 0.0, 1.0, "no_difference")]
    rows += [(tier, "profit", 100, 0.0, 1.0, verdict) for tier, verdict in verdicts.items()]
    found = ledger.ledger(effect_rows("gift", rows, interaction_p=1e-6), assigned_to(gift=0), CATALOGUE).iloc[0]
    assert (found["verdict"], found["tiers"] if isinstance(found["tiers"], str) else None) == told
    assert found["n_treated"] == 300


def finished():
    """Two gifts: 600 ± 300 and 400 ± 400; a call −900 ± 200; one gift whose split was broken; a newsletter of nobody's."""
    return pd.concat(
        [
            effect_rows("2026-08 gift", [("all", "profit", 300, 2.0, 1.0, "works_and_pays")]),
            effect_rows("2026-09 gift", [("all", "profit", 200, 2.0, 2.0, "not_enough_data")]),
            effect_rows("2026-09 winback calls", [("all", "profit", 100, -9.0, 2.0, "harmful")]),
            effect_rows("bad gift", [("all", "profit", 100, np.nan, np.nan, "broken_split")]),
            effect_rows("newsletter", [("all", "profit", 100, 7.0, 1.0, "works_and_pays")]),
        ],
        ignore_index=True,
    )


DAYS = {"2026-08 gift": -30, "2026-09 gift": 0, "2026-09 winback calls": 1, "bad gift": 2, "newsletter": 3}


def test_actions_have_earned_the_sum_of_their_tests():
    """Gift: 600 + 400 ± √(300² + 400²) = 1,000 ± 500 on 500 treated; the broken one is no test."""
    booked = ledger.ledger(finished(), assigned_to(**DAYS), CATALOGUE)
    assert booked["assigned_on"].is_monotonic_increasing
    found = ledger.earned(CATALOGUE, booked).set_index("action")
    assert found.index.tolist() == ["call", "winback", "winback_mail", "gift"]
    assert found.loc["gift", ["tests", "treated", "earned", "low", "high"]].tolist() == [2, 500, 1000.0, 500.0, 1500.0]
    assert found["verdict"].tolist() == ["lost", "untested", "untested", "earned"]
    assert found.loc["gift", "latest"] == "not_enough_data" and found.loc["call", "latest"] == "harmful"
    assert found.loc["winback", ["tests", "treated"]].tolist() == [0, 0] and pd.isna(found.loc["winback", "earned"])


@pytest.mark.parametrize(
    ("effect", "verdict"), [(1.01, "earned"), (1.0, "unclear"), (-1.0, "unclear"), (-1.01, "lost")]
)
def test_earned_and_lost_are_beyond_the_interval(effect, verdict):
    table = effect_rows("gift", [("all", "profit", 100, effect, 1.0, "x")])
    found = ledger.earned(CATALOGUE, ledger.ledger(table, assigned_to(gift=0), CATALOGUE))
    assert found.set_index("action").loc["gift", "verdict"] == verdict


def test_arms_that_share_a_control_add_their_half_widths_plainly():
    """100 × 2 ± 1 and 100 × 3 ± 2: 500 ± 300, not ± √(100² + 200²)."""
    arms = [
        effect_rows("gift", [("all", "profit", 100, e, h, "x")], arm=a)
        for a, e, h in [("a", 2.0, 1.0), ("b", 3.0, 2.0)]
    ]
    booked = ledger.ledger(pd.concat(arms, ignore_index=True), assigned_to(gift=0), CATALOGUE)
    row = ledger.earned(CATALOGUE, booked).set_index("action").loc["gift"]
    assert booked["arm"].tolist() == ["a", "b"] and row["tests"] == 1
    assert (row["earned"], row["low"], row["high"]) == (500, 200, 800)


def test_before_any_campaign_everything_is_untested():
    none = effect_rows("x", []).astype({"campaign": object})
    booked = ledger.ledger(none, assigned_to(), CATALOGUE)
    assert booked.empty and list(booked.columns) == ledger.COLUMNS
    assert set(ledger.earned(CATALOGUE, booked)["verdict"]) == {"untested"}


def alerts(n=6, held_out=(4, 5), earlier=()):
    rows = pd.DataFrame({"customer_id": [f"c{k}" for k in range(n)], "tier": "high"})
    first = [dt.date(2026, 8, 31) if k in earlier else dt.date(2026, 9, 30) for k in range(n)]
    return rows.assign(held_out=[k in held_out for k in range(n)], first_flagged=first)


def contacts(*rows):
    table = pd.DataFrame(rows, columns=["customer_id", "contacted_at", "cost"]).astype({"cost": object})
    return table.assign(contacted_at=pd.to_datetime(table["contacted_at"]))


def test_the_list_of_a_month_ago_as_a_campaign():
    """Only contacts after the list's day and up to as_of are calls; whoever was flagged before that month is left out."""
    made = contacts(
        ("c0", "2026-10-05", 6.0),
        ("c0", "2026-10-06", 4.0),
        ("c1", "2026-09-30", 6.0),
        ("c2", "2026-10-31", None),
        ("c3", "2026-11-01", 6.0),
        ("c4", None, None),
        ("c9", "2026-10-05", 6.0),
    )
    days = (DAY, day_number(dt.date(2026, 10, 31)))
    found = ledger.called(alerts(7, earlier=(6,)), made, days, "control").set_index("customer_id")
    assert found["arm"].tolist() == ["listed"] * 4 + ["control"] * 2
    assert found["contacted"].tolist() == [True, False, True, False, False, False]
    assert found.loc["c0", "cost"] == 10 and found["cost"].notna().sum() == 1
    assert set(found["campaign"]) == {ledger.EARLY_WARNING} and set(found["assigned_day"]) == {DAY}
    without = ledger.called(alerts(), None, days, "control")
    assert not without["contacted"].any() and without["cost"].isna().all()


def reviewed(contacted, listed=400, held_out=400, buys=(0.5, 0.25)):
    """400 listed of whom half buy for 100, 400 held out of whom a quarter do; profit 40 % less 1 a call."""
    arms = pd.Series(["listed"] * listed + ["control"] * held_out)
    bought = np.r_[np.arange(listed) < buys[0] * listed, np.arange(held_out) < buys[1] * held_out].astype(float)
    called = np.arange(listed + held_out) < contacted
    frame = pd.DataFrame({"customer_id": np.arange(listed + held_out).astype(str), "arm": arms, "contacted": called})
    frame = frame.assign(
        campaign=ledger.EARLY_WARNING, assigned_day=DAY, response=bought, orders=bought, spend=100 * bought
    )
    return frame.assign(profit=40 * bought - called)


def test_what_the_calls_did_is_per_customer_listed():
    """200 called: profit 20 − 0.5 against 10, +9.5 for each of the 400 listed, 3,800 in all; works and pays."""
    found = ledger.alerts_outcome(reviewed(200), "control", OUTCOMES, True)
    row = found["outcome"].iloc[0]
    assert len(found["outcome"]) == 1 and row["verdict"] == "works_and_pays" and row["campaign"] == ledger.EARLY_WARNING
    assert row["effect"] == pytest.approx(9.5) and row["total"] == pytest.approx(3_800)
    assert row[["n_treated", "n_control", "contacted", "control_contacted"]].tolist() == [400, 400, 200, 0]
    assert row[["buyers_listed", "buyers_held_out"]].tolist() == [200, 100]
    assert row["assigned_on"] == dt.date(2026, 9, 30) and math.isclose(row["total_low"], 400 * row["low"])
    campaigns = effect_rows("gift", [("all", "profit", 100, 1.0, 2.0, "no_difference")])
    booked = ledger.ledger(campaigns, assigned_to(gift=0), CATALOGUE, found["outcome"])
    assert booked["campaign"].tolist() == ["gift", "early_warning"] and list(booked.columns) == ledger.COLUMNS
    assert ledger.earned(CATALOGUE, booked)["tests"].sum() == 1


@pytest.mark.parametrize(
    ("contacted", "known", "verdict"),
    [
        (0, False, "no_contacts_table"),
        (0, True, "not_carried_out"),
        (19, True, "not_carried_out"),
        (20, True, "works_and_pays"),
    ],
)
def test_calls_that_were_not_made_get_no_credit(contacted, known, verdict):
    """Of 400 listed, 20 are 5 %. What was seen stays in the effects."""
    found = ledger.alerts_outcome(reviewed(contacted), "control", OUTCOMES, known)
    row = found["outcome"].iloc[0]
    assert row["verdict"] == verdict
    assert row[["effect", "low", "high", "total", "total_low", "total_high"]].isna().all() == (contacted < 20)
    assert found["effects"]["effect"].notna().any()


def test_few_calls_and_no_hold_out_are_said_so():
    few = ledger.alerts_outcome(reviewed(20, listed=40, held_out=8), "control", OUTCOMES, True)["outcome"].iloc[0]
    assert few["verdict"] == "not_enough_data" and few["buyers_listed"] == 20 and few["buyers_held_out"] == 2
    alone = ledger.alerts_outcome(reviewed(200, held_out=0), "control", OUTCOMES, True)["outcome"].iloc[0]
    assert alone["verdict"] == "no_control" and pd.isna(alone["effect"]) and alone["n_control"] == 0
    nobody = ledger.alerts_outcome(reviewed(0, listed=0, held_out=5), "control", OUTCOMES, True)
    assert (
        nobody["outcome"].empty and ledger.alerts_outcome(reviewed(0, 0, 0), "control", OUTCOMES, True)["effects"].empty
    )


def test_a_month_s_stayers_would_mislead_and_newcomers_do_not():
    """Calls that win back 30 % at once: the treated who stay on next month's list are 70 % as many, the control all.

    In month two nobody is called, so the truth is zero. Half of the customers would have come back anyway; those the
    first calls won are all of that half (30 of 50). Stayers: 20 of 70 treated buy, 50 of 100 of the control.
    """
    rng = np.random.default_rng(5)
    n = 4_000
    treated, willing = rng.random(n) < 0.7, rng.random(n) < 0.5
    stays = ~(treated & willing & (rng.random(n) < 0.6))
    ids = pd.Series(np.arange(2 * n)).astype(str)
    month1 = pd.DataFrame({"campaign": "2026-09 gift", "customer_id": ids[:n], "assigned_day": DAY})
    fresh_treated, fresh_willing = rng.random(n) < 0.7, rng.random(n) < 0.5
    month2 = pd.DataFrame(
        {
            "campaign": "2026-10 gift",
            "customer_id": np.r_[ids[:n][stays], ids[n:]],
            "assigned_day": DAY + 31,
            "arm": np.where(np.r_[treated[stays], fresh_treated], "treated", "control"),
            "response": np.r_[willing[stays], fresh_willing].astype(float),
        }
    )
    both = pd.concat([month1, month2], ignore_index=True)
    first = ledger.first_time(both, CATALOGUE)[n:].to_numpy()
    found = [campaign.effects(rows, "control", ["response"]).iloc[0] for rows in (month2, month2[first])]
    assert found[0]["high"] < 0, "all of the list: calls that were never made look harmful"
    assert found[1]["low"] < 0 < found[1]["high"]


def test_the_loop_from_list_to_outcome_through_the_engine(tmp_path):
    """Six listed, two held out; c0 buys on 10 October, c4 on 1 November (too late)."""
    from tierbook.engine import Engine

    days = pd.DataFrame(
        [("c0", dt.date(2026, 10, 10)), ("c4", dt.date(2026, 11, 1))], columns=["customer_id", "day"]
    ).assign(orders=1, net=50.0, cost=20.0, refunds=0.0)
    days["day"] = days["day"].map(day_number)
    end = day_number(dt.date(2026, 10, 31))
    listed = ledger.called(alerts(), contacts(("c0", "2026-10-05", 6.0)), (DAY, end), "control")
    rules = Campaign(window_days=end - DAY)
    engine = Engine(tmp_path)
    asked = engine.frame(listed[["campaign", "customer_id", "assigned_day"]])
    done = engine.collect(assignment.behaviour(engine.frame(days), asked, rules))
    engine.close()
    found = assignment.outcomes(listed, done, rules, 0.4)
    row = ledger.alerts_outcome(found, "control", OUTCOMES, True)["outcome"].iloc[0]
    assert row[["buyers_listed", "buyers_held_out", "contacted"]].tolist() == [1, 0, 1]
    assert found.loc[0, "profit"] == pytest.approx(0.4 * 50 - 6)
