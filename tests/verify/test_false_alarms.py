"""False alarms: how often something is said where nothing is."""

import numpy as np
import pandas as pd
import pytest
from test_affinity import measured
from test_affinity import shop as shop_without_affinity
from test_campaign_honesty import OUTCOMES, campaign
from test_targeting import judged, people

from tierbook.cases.promotion_rule import Promotion, advise
from tierbook.engine import Engine
from tierbook.insight import holdout, targeting
from tierbook.insight.campaign import CLAIMS, effects, headline
from tierbook.insight.movement import movement
from tierbook.insight.split import split_check

pytestmark = pytest.mark.verify


def test_campaigns_that_do_nothing(figures):
    """docs/decisions/0008: at most 6 % of reviews; none at all would mean that nothing is ever found."""
    after = ["arm", "tier", *OUTCOMES]
    tables = [effects(campaign(20_000 + seed, n=4_000)[after], "control", OUTCOMES) for seed in range(1000)]
    alarms = np.array([table["verdict"].isin(CLAIMS).any() for table in tables])
    spoken = np.array([headline(table)["verdict"].isin(CLAIMS).any() for table in tables])
    how = "1,000 campaigns without effect, 4 outcomes, 3 tiers"
    figures.between("any claim anywhere in a review", how, 0.01, 0.06, alarms.mean())
    figures.between("a claim in the headline", how, 0, 0.06, spoken.mean())


def test_random_splits(figures):
    stopped = [split_check(campaign(30_000 + seed, n=1_500, treated=0.8), "control").broken for seed in range(600)]
    figures.between("a random split called broken", "600 campaigns", 0, 0.01, np.mean(stopped), aim=0.003)


def test_splits_that_lost_customers(figures):
    """One in ten of the treated is lost on the way: the other side of the coin."""
    found = []
    for seed in range(100):
        frame = campaign(40_000 + seed, n=20_000)
        lost = (frame["arm"] == "mail") & (np.random.default_rng(seed).random(20_000) < 0.10)
        found.append(split_check(frame[~lost], "control").broken)
    figures.between("a broken split found", "100 campaigns of 20,000, a tenth of one arm lost", 0.99, 1, np.mean(found))


def test_the_hold_out_of_the_action_list(figures):
    """Drawn as every month's list is, contacted to no effect, judged as every campaign is: at most 6 % claim something.

    Lists of 12,000, so that the control has buyers enough to speak: of 3,000 none of 500 claimed anything, for want of them.
    Over 300 lists the share has a sampling error of 1.3 points.
    """
    alarms, shares = [], []
    for seed in range(300):
        listed = campaign(50_000 + seed, n=12_000).drop(columns="arm").assign(action="call")
        listed["customer_id"] = [f"s{seed}c{n}" for n in range(12_000)]
        held = holdout.draw(listed, 0.10, f"shop|{seed}")
        table = effects(listed.assign(arm=np.where(held, "control", "mail")), "control", OUTCOMES)
        alarms.append(table["verdict"].isin(CLAIMS).any())
        shares.append(held.mean())
    how = "300 lists of 12,000, a tenth held out by hash"
    figures.near("share held out", how, 0.10, np.mean(shares), 1e-9)
    figures.between("any claim anywhere in a review", how, 0.01, 0.075, np.mean(alarms))


def test_scores_that_tell_nothing(figures):
    """One-sided 2.5 %; over 1,000 draws its sampling error is half a point."""
    alarms = 0
    for seed in range(1000):
        rng = np.random.default_rng(60_000 + seed)
        frame = people(rng.random(2000) < 0.5, score=rng.integers(20, size=2000), y=rng.random(2000) < 0.15)
        alarms += targeting.qini(judged(frame), seed, resamples=200).verdict == "can_target"
    figures.between("noise that can be targeted", "1,000 campaigns of 2,000", 0, 0.04, alarms / 1000, aim=0.025)


def test_coupons_that_do_nothing(figures):
    advised = []
    for seed in range(100):
        rng = np.random.default_rng(70_000 + seed)
        trial = pd.DataFrame({name: rng.integers(1, 4, 20_000) for name in ("a", "b", "c")})
        trial["Promotion"] = np.where(rng.random(20_000) < 0.5, "Yes", "No")
        trial["purchase"] = (rng.random(20_000) < 0.05).astype(int)
        advised.append(advise(trial[:10_000], trial[10_000:], Promotion(cost=0.0), ["a", "b", "c"]).recommended)
    figures.between("a promotion rule recommended", "100 trials of 20,000 coupons", 0, 0.05, np.mean(advised))


def test_goods_that_have_nothing_to_do_with_each_other(tmp_path, figures):
    told, pairs = 0, 0
    for seed in range(5):
        engine, folder = Engine(tmp_path / f"spill{seed}"), tmp_path / str(seed)
        folder.mkdir()
        found = measured(engine, folder, shop_without_affinity(80_000 + seed))
        engine.close()
        told, pairs = told + found["recommended"].sum(), pairs + len(found)
    figures.between("pairs of goods recommended", f"{pairs} pairs of 5 shops without affinity", 0, 0.01, told / pairs)


def test_months_in_which_nothing_happens(figures):
    """Usual is P10 to P90 of twelve months (DESIGN §8). A thirteenth of the same kind falls above a P90 that is read
    between the tenth and eleventh of twelve in 2.1 of 13 cases, and as often below P10: inside in 1 - 4.2/13."""
    rng, outside = np.random.default_rng(9), []
    for fallen in rng.binomial(2000, 0.3, (250, 13)):
        months = [
            pd.DataFrame({"from_tier": "high", "to_tier": ["low", "high"], "customers": [n, 2000 - n], "net": 1.0})
            for n in fallen.tolist()
        ]
        table = movement(months[:-1], months[-1], months[0].iloc[:0], None).set_index(["from_tier", "to_tier"])
        row = table.loc[("high", "low")]
        outside.append(not row["usual_low"] <= row["customers"] <= row["usual_high"])
    how = "250 months after twelve, 2,000 customers, 30 % move"
    figures.between("moves outside their usual range", how, 0.24, 0.41, np.mean(outside), aim=round(4.2 / 13, 3))
