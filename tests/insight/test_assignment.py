"""Assignment: who is in which arm from which day, and what they did in the windows around it."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from tierbook.accounting import day_number
from tierbook.engine import Engine
from tierbook.insight import assignment
from tierbook.params import Campaign

RULES = Campaign(window_days=30, pre_days=90, contact_cost=0.5)
DAY = day_number(dt.date(2026, 4, 1))


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    found = Engine(tmp_path_factory.mktemp("spill"))
    yield found
    found.close()


def contacts(*rows):
    columns = ["campaign", "customer_id", "arm", "assigned_at", "contacted_at", "cost"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"assigned_at": "datetime64[us]", "contacted_at": "datetime64[us]"})


def assigned(*customers):
    rows = [("spring", name, "treated", "2026-04-01 10:00", "2026-04-01", None) for name in customers]
    return assignment.first_assignments(contacts(*rows))


def done(engine, days, people):
    frame = pd.DataFrame(days, columns=["customer_id", "day", "orders", "net", "cost"])
    asked = engine.frame(people[["campaign", "customer_id", "assigned_day"]])
    return engine.collect(assignment.behaviour(engine.frame(frame), asked, RULES))


def test_the_first_assignment_counts_and_all_contacts_cost():
    found = assignment.first_assignments(
        contacts(
            ("spring", "a", "treated", "2026-04-02 23:59", "2026-04-03", 0.3),
            ("spring", "a", "control", "2026-04-05", None, None),
            ("spring", "a", "treated", "2026-04-06", "2026-04-06", 0.2),
            ("spring", "b", "control", "2026-04-02", None, None),
            ("autumn", "a", "control", "2026-04-01", None, None),
        )
    ).set_index(["campaign", "customer_id"])
    a = found.loc[("spring", "a")]
    assert (a["arm"], a["assigned_day"], a["contacted"], a["cost"]) == ("treated", DAY + 1, True, pytest.approx(0.5))
    b = found.loc[("spring", "b")]
    assert (b["arm"], b["contacted"]) == ("control", False) and np.isnan(b["cost"])
    assert found.loc[("autumn", "a"), "arm"] == "control" and len(found) == 3


def test_row_order_of_the_contacts_changes_nothing():
    frame = contacts(
        ("s", "a", "treated", "2026-04-02", "2026-04-03", 0.3), ("s", "a", "control", "2026-04-02", None, None),
        ("s", "b", "treated", "2026-04-02", None, 0.1), ("s", "b", "treated", "2026-04-02", "2026-04-04", None),
    )  # fmt: skip
    pd.testing.assert_frame_equal(assignment.first_assignments(frame[::-1]), assignment.first_assignments(frame))


@pytest.mark.parametrize(
    ("lag", "after", "before"),
    [(-90, 0, 0), (-89, 0, 1), (-1, 0, 1), (0, 0, 1), (1, 1, 0), (30, 1, 0), (31, 0, 0)],
)
def test_the_edges_of_the_windows(engine, lag, after, before):
    people = assigned("a")
    found = assignment.outcomes(people, done(engine, [("a", DAY + lag, 1, 10.0, 4.0)], people), RULES, None)
    assert found[["orders", "spend", "response"]].iloc[0].tolist() == [after, 10 * after, after]
    assert found[["pre_orders", "pre_spend"]].iloc[0].tolist() == [before, 10 * before]


def test_outcomes_by_hand(engine):
    # a: two orders after for 30 + 20, goods 24, contact 0.5: profit 25.5; a refund of −5 counts as money: 20.5
    # b did nothing: contact 0.5 lost
    people = assigned("a", "b")
    days = [("a", DAY + 1, 1, 30.0, 14.0), ("a", DAY + 9, 1, 20.0, 10.0), ("a", DAY + 10, 0, -5.0, 0.0),
            ("stranger", DAY + 1, 1, 99.0, 9.0)]  # fmt: skip
    found = assignment.outcomes(people, done(engine, days, people), RULES, None).set_index("customer_id")
    assert found.index.tolist() == ["a", "b"]
    assert found.loc["a", ["orders", "spend", "response", "profit"]].tolist() == [2, 45, 1, 20.5]
    assert found.loc["b", ["orders", "spend", "response", "profit"]].tolist() == [0, 0, 0, -0.5]


def test_profit_needs_a_margin_or_the_cost_of_every_line(engine):
    people = assigned("a", "b")
    uncosted = done(engine, [("a", DAY + 1, 1, 30.0, 14.0), ("b", DAY + 1, 1, 10.0, None)], people)
    assert "profit" not in assignment.outcomes(people, uncosted, RULES, None)
    by_margin = assignment.outcomes(people, uncosted, RULES, 0.4).set_index("customer_id")["profit"]
    assert by_margin.tolist() == pytest.approx([0.4 * 30 - 0.5, 0.4 * 10 - 0.5])
    uncosted_before = done(engine, [("a", DAY + 1, 1, 30.0, 14.0), ("b", DAY - 1, 1, 10.0, None)], people)
    assert "profit" in assignment.outcomes(people, uncosted_before, RULES, None)


def test_nobody_bought_anything(engine):
    people = assigned("a", "b")
    found = assignment.outcomes(people, done(engine, [("z", DAY, 1, 1.0, 1.0)], people), RULES, None)
    assert found["response"].tolist() == [0, 0] and "profit" not in found


@pytest.mark.parametrize(("days_after", "over"), [(29, False), (30, True), (31, True)])
def test_a_campaign_is_over_when_its_last_window_has_ended(days_after, over):
    as_of = dt.date(2026, 4, 1) + dt.timedelta(days=days_after)
    assert assignment.is_over(assigned("a"), as_of, RULES).to_dict() == {"spring": over}
