"""Fourteen months of tiers: what counts as usual, who fell, how many there are."""

import datetime as dt
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from tierbook.accounting import day_number
from tierbook.insight import movement, tier_path

DATES = [dt.date(2026, 3, 31), dt.date(2026, 2, 28), dt.date(2026, 1, 31)]


@pytest.mark.parametrize(
    ("customers", "base", "low", "high", "said"),
    [
        (13, 100, 14, 20, "below"),
        (14, 100, 14, 20, "usual"),
        (20, 100, 14, 20, "usual"),
        (21, 100, 14, 20, "above"),
        (21, 100, np.nan, np.nan, "no_history"),
        (9, 9, 0, 1, "too_few"),  # nine in the tier
        (9, 100, 0, 9, "too_few"),  # nine moved at most
        (10, 100, 0, 9, "above"),
        (0, 100, 2, 10, "below"),
    ],
)
def test_judgement_at_its_bounds(customers, base, low, high, said):
    assert tier_path.judgement(customers, base, low, high) == said


def test_judged_moves_are_rounded_outward_and_sorted_by_money():
    table = pd.DataFrame(
        [
            ("high", "high", 80, 70.0, 90.0, 900.0),
            ("high", "low", 20, 10.4, 19.2, 50.0),  # 19.2 is 20 customers rounded outward: usual
            ("high", "outside", 0, 12.0, 15.0, 0.0),  # nobody, where 12 at least are usual: told
            ("low", "outside", 0, 0.0, 15.0, 0.0),  # nobody, as usual: not told
            ("new", "low", 30, np.nan, np.nan, 70.0),
        ],
        columns=["from_tier", "to_tier", "customers", "usual_low", "usual_high", "revenue"],
    )
    found = tier_path.judged(table)
    assert found["to_tier"].tolist() == ["low", "low", "outside"]
    assert found["from_tier"].tolist() == ["new", "high", "high"]
    assert found["judgement"].tolist() == ["no_history", "usual", "below"]
    assert found["usual_high"].tolist()[1:] == [20.0, 15.0]


def path():
    rows = [
        (DATES[2], "A", "high", 10.0),
        (DATES[2], "B", "high", 20.0),
        (DATES[2], "C", "low", 5.0),
        (DATES[1], "A", "high", 30.0),
        (DATES[1], "B", "low", 20.0),
        (DATES[0], "C", "high", 50.0),
    ]
    return pd.DataFrame(
        [(day_number(d), c, t, n) for d, c, t, n in rows], columns=["end", "customer_id", "tier", "net"]
    )


def moves(tiers, first_days):
    ends = [day_number(date) for date in DATES]
    return pd.concat(
        movement.counted(movement.moves(tiers, first_days, before, now)).assign(end=now)
        for now, before in pairwise(ends)
    )


def test_falls_count_lower_tiers_and_silence_with_the_money_before():
    first_days = pd.Series(0, index=["A", "B", "C"])
    found = tier_path.falls(moves(path(), first_days), DATES, "high")
    # January → February: A and B were high, B fell to low (20 before); February → March: A left the window (30 before)
    assert found["end"].tolist() == [DATES[1], DATES[0]]
    assert found["customers"].tolist() == [2, 1]
    assert found["fallen"].tolist() == [1, 1]
    assert found["net"].tolist() == [20.0, 30.0]
    shuffled = tier_path.falls(moves(path().sample(frac=1, random_state=1), first_days[::-1]), DATES, "high")
    pd.testing.assert_frame_equal(found, shuffled)


def test_the_last_month_is_there_without_anybody_in_the_tier():
    found = tier_path.falls(moves(path(), pd.Series(0, index=["A", "B", "C"])), DATES, "potential")
    assert found[["customers", "fallen"]].to_numpy().tolist() == [[0, 0]]
    assert np.isnan(tier_path.usual_falls(found)).all()


def test_usual_falls_need_six_months_and_round_outward():
    months = pd.DataFrame({"customers": [100] * 6 + [50], "fallen": [10, 10, 10, 10, 10, 10, 9]})
    # every month 10 %, of this month's 50: 5, exactly
    assert tier_path.usual_falls(months) == (5.0, 5.0)
    assert np.isnan(tier_path.usual_falls(months.iloc[1:])).all()
    # rates 0, .1, .2, .3, .4, .5: P10 is .05, P90 is .45; of 51: 2.55 and 22.95
    spread = pd.DataFrame({"customers": [100] * 6 + [51], "fallen": [0, 10, 20, 30, 40, 50, 1]})
    assert tier_path.usual_falls(spread) == (2.0, 23.0)


def test_sizes_have_every_date_and_tier():
    found = tier_path.sizes(path(), DATES, ["high", "potential", "low"])
    assert list(found.index) == DATES[::-1]
    assert found.to_numpy().tolist() == [[2, 0, 1], [1, 0, 1], [1, 0, 0]]


def test_the_margin_of_those_who_fell_is_of_the_window_before():
    """a: 100 − 60 and b: 50 − 20 fell: 70; c stayed. At a rate of 30 %: 0.3 × (100 + 50) = 45."""
    before = pd.DataFrame({"customer_id": ["a", "b", "c"], "window_orders": [2, 1, 1],
                           "window_net": [100.0, 50.0, 10.0], "window_cost": [60.0, 20.0, 1.0]})  # fmt: skip
    fallen = pd.Series(["a", "b"])
    assert tier_path.margin_of(fallen, before, None) == 70.0
    assert tier_path.margin_of(fallen, before, 0.3) == pytest.approx(45.0)
    assert tier_path.margin_of(fallen, before.assign(window_cost=[None, 20.0, 1.0]), None) is None
    idle = before.assign(window_orders=[0, 1, 1], window_net=[0.0, 50.0, 10.0], window_cost=[None, 20.0, 1.0])
    assert tier_path.margin_of(fallen, idle, None) == 30.0
