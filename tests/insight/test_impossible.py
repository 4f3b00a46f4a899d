"""Values that cannot be: each fault just at and beyond its bound, and what is none."""

import datetime as dt
from decimal import Decimal

import pandas as pd
import pytest

from tierbook.accounting import day_number
from tierbook.insight.impossible import impossible

DAY = day_number(dt.date(2026, 1, 1))


def faults(engine, *rows):
    """Lines as (net, quantity, cost, product, day); order keys o0, o1, …"""
    frame = pd.DataFrame(rows, columns=["net", "quantity", "cost", "product", "day"]).assign(reason="kept")
    frame["order_key"] = [f"o{n}" for n in range(len(frame))]
    for money in ("net", "cost"):
        frame[money] = pd.Series([None if pd.isna(x) else Decimal(str(x)) for x in frame[money]], dtype=object)
    found = engine.collect(impossible(engine.frame(frame)))
    return {row.fault: (row.lines, float(row.amount), row.example) for row in found.itertuples()}


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ((10, 1, 4, "a", DAY), None),
        ((10, None, None, None, DAY), None),  # empty cells are no fault
        ((10, 0, 4, "a", DAY), "no_quantity"),
        ((10, -1, 4, "a", DAY), "no_quantity"),
        ((0, 0, 0, "a", DAY), None),
        ((-10, -1, -4, "a", DAY), None),  # a refund
        ((-10, 1, -4, "a", DAY), None),
        ((10, 1, -4, "a", DAY), "cost_below_zero"),
        ((0, 1, -0.01, "a", DAY), "cost_below_zero"),
        ((10, 1, 0, "a", DAY), None),
        ((10, 1, 4, "a", day_number(dt.date(1989, 12, 31))), "too_early"),
        ((10, 1, 4, "a", day_number(dt.date(1990, 1, 1))), None),
        ((10, 0, -4, "a", day_number(dt.date(1980, 1, 1))), "too_early"),  # the first that applies
    ],
)
def test_one_line_and_its_fault(engine, row, fault):
    plain = (5, 1, 2, "other", DAY)
    assert faults(engine, plain, row) == ({} if fault is None else {fault: (1, float(row[0]), "o1")})


@pytest.mark.parametrize(
    ("plain", "net", "quantity", "is_far"),
    [
        (9, 2000.0, 1, False),  # 1000 times the median of 2 (ten lines with the dear one)
        (9, 2000.01, 1, True),
        (9, 4000.0, 2, False),  # the price of one
        (8, 9e6, 1, False),  # nine lines: no usual price
    ],
)
def test_a_price_over_a_thousand_times_its_products_median(engine, plain, net, quantity, is_far):
    found = faults(engine, *[(2, 1, None, "a", DAY)] * plain, (net, quantity, None, "a", DAY))
    assert set(found) == ({"price_far_off"} if is_far else set())


def test_lines_that_do_not_count_are_not_judged(engine):
    frame = pd.DataFrame({"net": [5.0], "quantity": [0.0], "cost": [-1.0], "product": ["a"], "day": [0]})
    frame = frame.assign(reason="status", order_key="o")
    assert engine.collect(impossible(engine.frame(frame))).empty


def test_lines_of_one_fault_are_added_up(engine):
    found = faults(engine, (10, 0, 1, "a", DAY), (7, 0, 1, "a", DAY), (3, 1, -1, "a", DAY))
    assert found == {"no_quantity": (2, 17.0, "o0"), "cost_below_zero": (1, 3.0, "o2")}
