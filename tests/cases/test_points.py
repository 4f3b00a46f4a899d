"""A points rule: a ledger by hand, the day points expire, a queue of lots as a peer, and its cost."""

import time
from collections import deque
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.cases.points import MOVEMENTS, PointsRule, cost, ledger
from tierbook.errors import InputError, ParamsError

# One point a yuan, worth 0.01; half the balance is redeemed from 100 points on; points hold 100 days.
RULE = PointsRule(per_unit=1, point_value=0.01, redeem_share=0.5, threshold=100, valid_days=100)


def bought(rows):
    return pd.DataFrame(rows, columns=["customer_id", "day", "net"])


def test_a_ledger_by_hand():
    """Day 0: earns 80. Day 10: 80 is under 100, nothing redeemed; earns 120, balance 200. Day 20: redeems 100 (80 of
    day 0, 20 of day 10), earns 50, balance 150. Day 111: what is left of day 10, 100, has expired; 50 is under 100;
    earns 300. As of day 121, day 20's 50 have expired: 300 outstanding of 550."""
    orders = bought([("a", 0, 80), ("a", 10, 120), ("a", 20, 50), ("a", 111, 300)])
    row = ledger(orders, RULE, 121).iloc[0]
    assert row[MOVEMENTS].tolist() == [550, 100, 0, 150, 300] and row["sales"] == 550


def test_refunds_take_points_back_as_far_as_they_go():
    """80 earned, 30 refunded on day 5, 100 refunded on day 6: 30 and the last 50 go back."""
    row = ledger(bought([("a", 0, 80), ("a", 5, -30), ("a", 6, -100)]), RULE, 10).iloc[0]
    assert row[MOVEMENTS].tolist() == [80, 0, 80, 0, 0] and row["sales"] == -50


@pytest.mark.parametrize(("as_of", "expired"), [(99, 0), (100, 0), (101, 200)])
def test_the_day_points_expire(as_of, expired):
    row = ledger(bought([("a", 0, 200)]), RULE, as_of).iloc[0]
    assert (row["expired"], row["outstanding"]) == (expired, 200 - expired)


@pytest.mark.parametrize(("day", "redeemed"), [(99, 100), (100, 100), (101, 0)])
def test_the_last_day_to_redeem(day, redeemed):
    assert ledger(bought([("a", 0, 200), ("a", day, 10)]), RULE, day)["redeemed"].tolist() == [redeemed]


@pytest.mark.parametrize(("earned", "redeemed"), [(99, 0), (100, 50), (101, 50.5)])
def test_the_threshold(earned, redeemed):
    assert ledger(bought([("a", 0, earned), ("a", 1, 10)]), RULE, 1)["redeemed"].tolist() == [redeemed]


def test_nobody_redeems_more_than_the_order_is_worth():
    # half of 10,000 points is 50 yuan; an order of 20 yuan takes 2,000 of them
    assert ledger(bought([("a", 0, 10_000), ("a", 1, 20)]), RULE, 1)["redeemed"].tolist() == [2_000]


def test_tiers_earn_by_their_factor_and_for_ever_is_for_ever():
    rule = replace(RULE, multipliers={"vip": 2.0}, valid_days=None)
    tiers = pd.Series({"a": "vip", "b": "plain"})
    table = ledger(bought([("b", 0, 50), ("a", 0, 50), ("c", 0, 50)]), rule, 10_000, tiers)
    assert table["customer_id"].tolist() == ["a", "b", "c"] and table["outstanding"].tolist() == [100, 50, 50]
    assert table["tier"].tolist()[:2] == ["vip", "plain"] and pd.isna(table["tier"].iloc[2])


def test_later_days_are_not_read_and_one_day_is_one():
    orders = bought([("a", 0, 60), ("a", 0, 40), ("a", 0, -10), ("a", 5, 1_000)])
    assert ledger(orders, RULE, 4)[["sales", "earned"]].iloc[0].tolist() == [90, 90]
    assert ledger(orders, RULE, -1).empty and ledger(orders.iloc[:0], RULE, 4).empty


def lots(orders, rule, as_of):
    """The same ledger as a queue of lots, oldest first: one customer at a time, the slow and plain way."""
    earned = redeemed = taken = expired = 0.0
    queue = deque()

    def use(amount):
        while amount > 1e-12 and queue:
            part = min(amount, queue[0][1])
            queue[0][1] -= part
            amount -= part
            if queue[0][1] <= 1e-12:
                queue.popleft()

    for day, net in [*sorted(orders.groupby("day")["net"].sum().items()), (as_of, 0.0)]:
        while queue and queue[0][0] < day - rule.valid_days:
            expired += queue.popleft()[1]
        balance = sum(points for _, points in queue)
        if net > 0:
            if balance > 0 and balance >= rule.threshold - 1e-9:
                part = min(rule.redeem_share * balance, net / rule.point_value)
                redeemed += part
                use(part)
            earned += net * rule.per_unit
            queue.append([day, net * rule.per_unit])
        elif net < 0:
            part = min(-net * rule.per_unit, balance)
            taken += part
            use(part)
    return [earned, redeemed, taken, expired, sum(points for _, points in queue)]


ORDERS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60), st.integers(-40, 90)), min_size=1, max_size=25)


@settings(max_examples=40, deadline=None)
@given(ORDERS, st.integers(1, 40), st.sampled_from([0.0, 0.3, 1.0]), st.sampled_from([0.0, 50.0]))
def test_as_a_queue_of_lots(rows, valid_days, share, threshold):
    rule = PointsRule(per_unit=0.5, redeem_share=share, threshold=threshold, valid_days=valid_days, point_value=0.5)
    orders = bought(rows).astype({"net": float})
    table = ledger(orders, rule, 60).set_index("customer_id")
    for customer, own in orders.groupby("customer_id"):
        assert table.loc[customer, MOVEMENTS].tolist() == pytest.approx(lots(own, rule, 60), abs=1e-6)
    out = table["redeemed"] + table["taken_back"] + table["expired"] + table["outstanding"]
    assert out.tolist() == pytest.approx(table["earned"].tolist(), abs=1e-6)
    shuffled = ledger(orders.sample(frac=1, random_state=1), rule, 60).set_index("customer_id")
    pd.testing.assert_frame_equal(shuffled, table)


def test_what_a_rule_costs():
    """Ten vips buy 100, then 100 a day later: 100 points earned each, 50 of them redeemed at 0.01: 0.50 of 200 each.
    150 stay outstanding: 1.50 each. Five plain ones buy once: nothing redeemed, and too few for a share."""
    orders = bought([(f"v{i}", day, 100) for i in range(10) for day in (0, 1)] + [(f"p{i}", 0, 100) for i in range(5)])
    tiers = pd.Series({f"v{i}": "vip" for i in range(10)} | {f"p{i}": "plain" for i in range(5)})
    table = cost(ledger(orders, RULE, 50, tiers), RULE).set_index("tier")
    assert table.index.tolist() == ["all", "plain", "vip"] and table["customers"].tolist() == [15, 5, 10]
    vip = table.loc["vip"]
    assert (vip["cost"], vip["cost_share"]) == (pytest.approx(5), pytest.approx(5 / 2000))
    assert (vip["liability"], vip["full_share"]) == (pytest.approx(15), pytest.approx(20 / 2000))
    assert table.loc["all", "sales"] == 2500 and table.loc["all", "cost_share"] == pytest.approx(5 / 2500)
    assert np.isnan(table.loc["plain", "cost_share"]) and table.loc["plain", "liability"] == pytest.approx(5)


def test_refusals():
    with pytest.raises(ParamsError, match=r"multipliers\.vip.*negative"):
        PointsRule(multipliers={"vip": -1})
    with pytest.raises(ParamsError, match=r"redeem_share: 1\.5"):
        PointsRule(redeem_share=1.5)
    with pytest.raises(ParamsError, match="valid_days: 0"):
        PointsRule(valid_days=0)
    with pytest.raises(InputError, match=r"no column \['net'\]"):
        ledger(pd.DataFrame({"customer_id": ["a"], "day": [1]}), RULE, 1)
    with pytest.raises(InputError, match="1 of 2 orders lack"):
        ledger(bought([("a", 1, 1.0), (None, 1, 1.0)]), RULE, 1)


def test_half_a_million_orders_in_seconds():
    rng = np.random.default_rng(1)
    orders = bought({"customer_id": rng.integers(0, 150_000, 500_000), "day": rng.integers(0, 900, 500_000),
                     "net": rng.lognormal(4, 1, 500_000).round(2)})  # fmt: skip
    start = time.perf_counter()
    table = ledger(orders, RULE, 900)
    assert time.perf_counter() - start < 3
    out = table[["redeemed", "taken_back", "expired", "outstanding"]].sum().sum()
    assert out == pytest.approx(table["earned"].sum())
