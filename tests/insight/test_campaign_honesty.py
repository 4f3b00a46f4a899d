"""Honesty of the campaign review on simulated campaigns whose effects are known: coverage, false alarms, broken splits."""

import numpy as np
import pandas as pd
import pytest

from tierbook.insight.campaign import CLAIMS, effects, headline
from tierbook.insight.split import sample_ratio, split_check

OUTCOMES = ["response", "orders", "spend", "profit"]


def campaign(seed, n=6_000, treated=0.5):
    """A campaign that does nothing: 3 tiers, one customer in ten buys, spend skewed, as they did before."""
    draw = np.random.default_rng(seed)
    tier = draw.choice(3, n, p=[0.2, 0.4, 0.4])
    rate = draw.exponential(np.array([0.2, 0.1, 0.05])[tier])
    orders, before = draw.poisson(rate), draw.poisson(5 * rate)
    spend = (orders * draw.lognormal(3, 1, n)).round(2)
    return pd.DataFrame(
        {
            "arm": np.where(draw.random(n) < treated, "mail", "control"),
            "tier": np.array(["high", "mid", "low"])[tier],
            "response": orders > 0,
            "orders": orders,
            "spend": spend,
            "profit": spend * draw.uniform(0.2, 0.5, n),
            "pre_orders": before,
            "pre_spend": (before * draw.lognormal(3, 1, n)).round(2),
        }
    )


def test_intervals_cover_what_is_true():
    # 500 campaigns of 3,000 an arm, a column each. One customer in ten buys for 20 x lognormal(0, 1); the treated
    # buy 12 % of the time. True effect: 0.02 x 20 x exp(1/2).
    draw = np.random.default_rng(11)
    buys = draw.random((6_000, 500)) < np.repeat([0.10, 0.12], 3_000)[:, None]
    spend = pd.DataFrame(buys * 20 * draw.lognormal(0, 1, buys.shape)).add_prefix("campaign_")
    table = effects(spend.assign(arm=np.repeat(["control", "mail"], 3_000)), "control", list(spend))
    true = 0.02 * 20 * np.exp(0.5)
    assert 0.93 <= ((table["low"] <= true) & (table["high"] >= true)).mean() <= 0.97
    # and neither end misses for both
    assert (table["low"] > true).mean() <= 0.045 and (table["high"] < true).mean() <= 0.045


@pytest.mark.long
def test_a_campaign_that_does_nothing_is_seldom_said_to_do_something():
    after = ["arm", "tier", *OUTCOMES]
    tables = [effects(campaign(seed, n=4_000)[after], "control", OUTCOMES) for seed in range(500)]
    alarms = np.array([table["verdict"].isin(CLAIMS).any() for table in tables])
    spoken = np.array([headline(table)["verdict"].isin(CLAIMS).any() for table in tables])
    assert 0.01 <= alarms.mean() <= 0.06  # none at all would mean that nothing is ever found
    assert not (spoken & ~alarms).any()


def test_a_fault_of_the_arms_always_stops():
    # 20,000 at random into halves or into 80 and 20; one in ten of one arm's rows is lost
    for seed in range(100):
        draw = np.random.default_rng(seed)
        for share in (0.5, 0.8):
            mail = draw.random(20_000) < share
            arm = pd.Series(np.where(mail, "mail", "control"))[~(mail & (draw.random(20_000) < 0.10))]
            assert sample_ratio(arm, {"mail": share, "control": 1 - share}).broken
            assert sample_ratio(arm).broken or share != 0.5


def test_buyers_lost_from_one_arm_always_stop():
    # nine in ten buy; one in ten of the treated buyers is lost on the way
    for seed in range(100):
        draw = np.random.default_rng(seed)
        mail, buyer = draw.random(20_000) < 0.5, draw.random(20_000) < 0.9
        lost = mail & buyer & (draw.random(20_000) < 0.10)
        assert sample_ratio(pd.Series(np.where(mail, "mail", "control"))[~lost]).broken


def test_a_fault_in_one_tier_always_stops_without_a_plan():
    # in the high tier, a fifth of 20,000, one in five of the treated is lost
    for seed in range(100):
        frame = campaign(seed, n=20_000, treated=0.8)
        lost = (
            (frame["tier"] == "high") & (frame["arm"] == "mail") & (np.random.default_rng(seed).random(20_000) < 0.20)
        )
        frame = frame[~lost]
        assert sample_ratio(frame["arm"], tiers=frame["tier"]).check == "across_tiers"
        assert sample_ratio(frame["arm"], tiers=frame["tier"]).broken


@pytest.mark.parametrize("hold_out", [0.5, 0.2])
def test_targeting_by_past_spend_never_yields_an_effect(hold_out):
    for seed in range(100):
        frame = campaign(seed, n=1_000).drop(columns="tier")
        draw = np.random.default_rng(10_000 + seed)
        frame["pre_spend"] = draw.lognormal(3, 1, 1_000).round(2)
        if seed % 2:  # what they spend now hangs on what they spent then, or not
            frame["spend"] = (frame["pre_spend"] * draw.uniform(0, 2, 1_000)).round(2)
        likely = 1 - 2 * hold_out * (1 - frame["pre_spend"].rank(pct=True))
        chosen = draw.random(1_000) < likely
        table = effects(frame.assign(arm=np.where(chosen, "mail", "control")), "control", ["spend", "profit"])
        assert set(table["verdict"]) == {"broken_split"} and table["effect"].isna().all()


def test_random_draws_are_seldom_stopped():
    stopped = [split_check(campaign(seed, n=1_500, treated=0.8), "control").broken for seed in range(300)]
    # of 300 draws that are stopped in 0.3 %, over 3 are in 1.4 % of cases
    assert sum(stopped) <= 3
