"""Outliers: the fence by hand, against numpy, and unmoved by the unit of money or the order of rows."""

import math

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import outliers


def lines(rows):
    return pd.DataFrame(rows, columns=["customer_id", "order_key", "day", "net", "reason"]).assign(
        order_id=lambda frame: frame["order_key"]
    )


def test_orders_are_added_up_within_the_window(engine):
    given = lines([
        ("a", "o1", 10, 5.0, "kept"), ("a", "o1", 11, 7.0, "kept"),  # one order of 12, begun on day 10
        ("b", "o1", 11, 3.0, "kept"),  # another customer's order of the same number
        ("a", "o2", 12, 4.0, "kept"), ("a", "o2", 12, -4.0, "kept"),  # wholly refunded
        ("a", "o3", 9, 8.0, "kept"), ("a", "o4", 13, 8.0, "kept"),  # before and after
        ("a", "o5", 11, 8.0, "status"),
    ])  # fmt: skip
    found = engine.collect(outliers.orders(engine.frame(given), 9, 12)).sort_values("customer_id")
    assert found[["customer_id", "order_id", "day", "amount"]].to_numpy().tolist() == [
        ["a", "o1", 10, 12.0],
        ["b", "o1", 11, 3.0],
    ]


def amounts(*values):
    ids = [f"c{n:03d}" for n in range(len(values))]
    return pd.DataFrame({"customer_id": ids, "order_key": ids, "amount": [float(v) for v in values]})


def spread_of(engine, given):
    return engine.collect(outliers.spread(engine.frame(given))).iloc[0]


def test_the_fence_by_hand(engine):
    """Powers of 2, exponents 1 to 11: Q1 = 2^3.5, Q3 = 2^8.5 (linear), so the fence is 2^(8.5 + 3 × 5) = 2^23.5."""
    told = spread_of(engine, amounts(*(2**n for n in range(1, 12))))
    assert (told["n"], told["median"], told["largest"], told["money"]) == (11, 64, 2048, 2**12 - 2)
    assert outliers.fence(told) == pytest.approx(2**23.5)


def test_the_fence_agrees_with_numpy_and_goes_with_the_money(engine):
    values = np.exp(np.random.default_rng(3).normal(5, 1, 500))
    low, high = np.quantile(np.log(values), [0.25, 0.75])
    own = outliers.fence(spread_of(engine, amounts(*values)))
    assert own == pytest.approx(math.exp(high + 3 * (high - low)))
    assert outliers.fence(spread_of(engine, amounts(*values[::-1] * 7))) == pytest.approx(own * 7)


@pytest.mark.parametrize("given", [amounts(*range(1, 10)), amounts(*[5] * 20, 9000)], ids=["nine", "half alike"])
def test_without_a_spread_there_is_no_fence(engine, given):
    told = spread_of(engine, given)
    assert math.isnan(outliers.fence(told))
    row = outliers.summary("order", told, pd.Series({"beyond": 3, "held": 4.0}))
    assert row["beyond"] is None and math.isnan(row["held"]) and math.isnan(row["held_share"])
    assert outliers.listed("order", given, row)["beyond"].isna().all()


def test_what_lies_beyond_and_what_it_holds(engine):
    """Eleven amounts of 90 to 110 and one of 9000: beyond is the one, with 9000 of 1100 + 9000."""
    given = amounts(*range(90, 112, 2), 9000)
    told = spread_of(engine, given)
    far = engine.collect(outliers.beyond(engine.frame(given), outliers.fence(told))).iloc[0]
    row = outliers.summary("order", told, far)
    assert (row["beyond"], row["held"]) == (1, 9000) and row["held_share"] == pytest.approx(9000 / 10_100)
    top = outliers.listed("order", engine.collect(outliers.largest(engine.frame(given))), row)
    assert len(top) == 10 and top["amount"].is_monotonic_decreasing and top["beyond"].tolist() == [True, *[False] * 9]
    assert top["times_median"].iloc[0] == 9000 / 101  # the median of twelve: (100 + 102) / 2
    assert top["day"].isna().all() and top.columns.tolist() == outliers.LISTED


def test_equal_amounts_are_listed_by_id_whatever_the_order_of_rows(engine):
    given = amounts(*[5] * 30)
    shuffled = given.sample(frac=1, random_state=1)
    tops = [
        engine.collect(outliers.largest(engine.frame(frame)))["customer_id"].tolist() for frame in (given, shuffled)
    ]
    assert tops[0] == tops[1] == [f"c{n:03d}" for n in range(10)]


def test_customers_without_money_in_the_window_are_left_out(engine):
    given = pd.DataFrame({"customer_id": list("abcd"), "window_net": [5.0, 0.0, -3.0, np.nan]})
    found = engine.collect(outliers.of_customers(engine.frame(given)))
    assert found[["customer_id", "amount", "order_key"]].to_numpy().tolist() == [["a", 5.0, ""]]
