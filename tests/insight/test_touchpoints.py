"""Touchpoints: transitions counted by hand, each occasion once, and none without its thirty days."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import touchpoints


def at(*days, hour=0):
    return [pd.Timestamp("1970-01-01") + pd.Timedelta(days=day, hours=hour) for day in days]


def counted(engine, orders, start=0, end=1_000, **events):
    """Transitions as {(from, to): (occasions, customers)} of orders and events as (customer, day) pairs."""
    frames = {}
    for event, pairs in events.items():
        column = touchpoints.EVENTS[event][1]
        frames[event] = pd.DataFrame(
            {"customer_id": [c for c, _ in pairs], column: at(*(d for _, d in pairs), hour=13)}
        )
    days = pd.DataFrame({"customer_id": [c for c, _ in orders], "day": [d for _, d in orders], "orders": 1})
    days = days.astype({"customer_id": "str", "day": "int64"})
    found = touchpoints.transitions(engine.frame(days), {k: engine.frame(f) for k, f in frames.items()}, start, end)
    table = touchpoints.table(engine.collect(found))
    return {(a, b): (n, c) for a, b, n, c in table[touchpoints.COLUMNS[:4]].itertuples(index=False) if n}


def test_by_hand(engine):
    """A: contact 100, visit 102, order 102, ticket 110, then nothing. B: two visits on day 100 (one occasion), order 131:
    31 days later, so nothing came of the visit; the order nothing either. C: orders 200 and 230, 30 days apart."""
    found = counted(
        engine,
        [("A", 102), ("B", 131), ("C", 200), ("C", 230)],
        contact=[("A", 100)],
        visit=[("A", 102), ("B", 100), ("B", 100)],
        ticket=[("A", 110)],
    )
    assert found == {
        ("contact", "visit"): (1, 1),
        ("visit", "order"): (1, 1),
        ("visit", "nothing"): (1, 1),
        ("order", "order"): (1, 1),
        ("order", "ticket"): (1, 1),
        ("order", "nothing"): (2, 2),
        ("ticket", "nothing"): (1, 1),
    }


@pytest.mark.parametrize(
    ("day", "counts"), [(50, False), (51, True), (170, True), (171, False), (200, False), (201, False)]
)
def test_the_window_ends_thirty_days_before_the_month(engine, day, counts):
    assert counted(engine, [("A", day)], start=50, end=200) == ({("order", "nothing"): (1, 1)} if counts else {})


def test_what_comes_after_the_month_has_not_happened_yet(engine):
    found = counted(engine, [("A", 170)], end=200, contact=[("A", 201)])
    assert found == {("order", "nothing"): (1, 1)}


def test_customers_count_once_occasions_each_time(engine):
    found = counted(engine, [("A", 10), ("A", 20), ("A", 30), ("B", 10)])
    assert found[("order", "order")] == (2, 1)
    assert found[("order", "nothing")] == (2, 2)


def test_days_with_a_refund_alone_are_no_order(engine):
    days = pd.DataFrame({"customer_id": ["A", "A"], "day": [10, 12], "orders": [1, 0]})
    table = touchpoints.table(engine.collect(touchpoints.transitions(engine.frame(days), {}, 0, 1_000)))
    assert table[["from", "to", "occasions"]].values.tolist() == [["order", "order", 0], ["order", "nothing", 1]]


def test_no_occasion_at_all_is_an_empty_table(engine):
    days = pd.DataFrame({"customer_id": ["A"], "day": [10], "orders": [0]})
    table = touchpoints.table(engine.collect(touchpoints.transitions(engine.frame(days), {}, 0, 1_000)))
    assert table.empty and list(table.columns) == touchpoints.COLUMNS


def test_shares_are_of_the_occasions_and_none_of_fewer_than_ten():
    """12 of 20 occasions are 60 %, and none led to an order of a kind that came elsewhere; of nine nothing is said."""
    counts = pd.DataFrame(
        {"place": [0, 0, 3], "next_place": [1, None, 2], "occasions": [12, 8, 9], "customers": [10, 8, 9]}
    )
    table = touchpoints.table(counts).set_index(["from", "to"])
    assert table["share"]["contact"].to_dict() == {"contact": 0, "visit": 0.6, "order": 0, "ticket": 0, "nothing": 0.4}
    assert table["share"]["ticket"].isna().all() and table["occasions"]["ticket"].tolist() == [0, 0, 9, 0, 0]


def test_the_order_of_rows_changes_nothing(engine):
    rng = np.random.default_rng(3)
    visits = [(f"C{c}", int(d)) for c, d in zip(rng.integers(0, 20, 300), rng.integers(0, 400, 300), strict=True)]
    orders = [(f"C{c}", int(d)) for c, d in zip(rng.integers(0, 20, 100), rng.integers(0, 400, 100), strict=True)]
    orders = list(dict.fromkeys(orders))
    found = counted(engine, orders, visit=visits)
    assert found == counted(engine, orders[::-1], visit=visits[::-1])
    assert sum(n for n, _ in found.values()) == len(set(visits)) - sum(d == 0 for _, d in set(visits)) + len(
        orders
    ) - sum(d == 0 for _, d in orders), "every occasion after the window's start has one next"


@pytest.mark.parametrize(
    "day", ["1970-01-01", "1972-02-29", "1999-12-31", "2000-02-29", "2000-12-31", "2026-10-31", "2099-12-31"]
)
def test_days_agree_with_the_calendar(engine, day):
    visits = pd.DataFrame({"customer_id": ["A"], "visited_at": [pd.Timestamp(f"{day} 23:59:59")]})
    found = engine.collect(engine.frame(visits).select(day=touchpoints.day_of("visited_at")))
    assert found["day"].iloc[0] == (dt.date.fromisoformat(day) - dt.date(1970, 1, 1)).days
