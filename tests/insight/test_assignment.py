"""Assignment: who is in which arm from which day, and what they did in the windows around it."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from tierbook.accounting import day_number
from tierbook.insight import assignment
from tierbook.params import Campaign

RULES = Campaign(window_days=30, pre_days=90, contact_cost=0.5)
DAY = day_number(dt.date(2026, 4, 1))


def contacts(*rows):
    columns = ["campaign", "customer_id", "arm", "assigned_at", "contacted_at", "cost"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"assigned_at": "datetime64[us]", "contacted_at": "datetime64[us]"})


def assigned(*customers):
    rows = [("spring", name, "treated", "2026-04-01 10:00", "2026-04-01", None) for name in customers]
    return assignment.first_assignments(contacts(*rows))


def done(engine, days, people):
    """Days from (customer_id, day, orders, net, cost[, refunds])."""
    full = [(*row, 0.0) if len(row) == 5 else row for row in days]
    frame = pd.DataFrame(full, columns=["customer_id", "day", "orders", "net", "cost", "refunds"])
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


def test_a_negative_cost_is_an_unknown_cost_and_an_exact_copy_one_contact():
    # a: −2 is no cost, 0.3 is; b: only −2, so unknown: the params' 0.5 where contacted; c stands twice; d: not contacted
    frame = contacts(
        ("s", "a", "treated", "2026-04-01", "2026-04-01", -2.0), ("s", "a", "treated", "2026-04-01", "2026-04-02", 0.3),
        ("s", "b", "treated", "2026-04-01", "2026-04-01", -2.0),
        ("s", "c", "treated", "2026-04-01", "2026-04-01", 0.3), ("s", "c", "treated", "2026-04-01", "2026-04-01", 0.3),
        ("s", "d", "control", "2026-04-01", None, None),
    )  # fmt: skip
    found = assignment.first_assignments(frame)
    np.testing.assert_allclose(found["cost"], [0.3, np.nan, 0.3, np.nan])
    np.testing.assert_allclose(assignment.contact_cost(found, RULES), [0.3, 0.5, 0.3, 0.0])


@pytest.mark.parametrize("kind", ["boolean", object])
def test_who_opted_out_anywhere_has_opted_out(kind):
    frame = contacts(
        ("s", "a", "treated", "2026-04-01", "2026-04-01", None), ("s", "a", "treated", "2026-04-01", "2026-04-02", None),
        ("s", "b", "treated", "2026-04-01", "2026-04-01", None), ("s", "c", "control", "2026-04-01", None, None),
    )  # fmt: skip
    said = frame.assign(opted_out=pd.array([False, True, False, None], dtype="boolean").astype(kind))
    assert assignment.first_assignments(said)["opted_out"].tolist() == [1, 0, 0]
    assert "opted_out" not in assignment.first_assignments(frame.assign(opted_out=pd.array([None] * 4, "boolean")))
    assert "opted_out" not in assignment.first_assignments(frame)


def test_no_contacts_are_no_assignments():
    assert assignment.first_assignments(contacts()).empty


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


def test_refunds_first_purchase_and_the_money_of_as_long_before(engine):
    # in the window: a return on day 2 (no purchase), a purchase on day 5, another on day 9: first purchase day 5.
    # before, for 30 days as the window is: day −29 counts, day −30 is one too many (in the 90 days of pre_spend it is in)
    people = assigned("a", "b")
    days = [("a", DAY + 2, 0, -8.0, 0.0, 8.0), ("a", DAY + 5, 1, 30.0, 0.0, 2.0), ("a", DAY + 9, 1, 20.0, 0.0),
            ("a", DAY - 29, 1, 7.0, 0.0, 1.0), ("a", DAY - 30, 1, 100.0, 0.0)]  # fmt: skip
    found = assignment.outcomes(people, done(engine, days, people), RULES, None).set_index("customer_id")
    shown = ["spend", "refunds", "first_purchase", "spend_before", "pre_spend", "contact_cost"]
    assert found.loc["a", shown].tolist() == [42, 10, DAY + 5, 7, 107, 0.5]
    assert found.loc["b", shown].fillna(-1).tolist() == [0, 0, -1, 0, 0, 0.5]


def test_a_window_longer_than_the_days_before_still_sees_as_long_before(engine):
    rules = Campaign(window_days=30, pre_days=10)
    people = assigned("a")
    frame = pd.DataFrame({"customer_id": ["a"], "day": [DAY - 29], "orders": [1], "net": [7.0], "cost": [0.0]})
    asked = engine.frame(people[["campaign", "customer_id", "assigned_day"]])
    found = engine.collect(assignment.behaviour(engine.frame(frame.assign(refunds=0.0)), asked, rules)).iloc[0]
    assert (found["spend_before"], found["pre_spend"]) == (7, 0)


def others_of(engine, days, people):
    frame = pd.DataFrame(days, columns=["customer_id", "day", "orders", "net"])
    asked = engine.frame(assignment.starts(people[people["campaign"] == "spring"]))
    everyone = engine.frame(people[["campaign", "customer_id", "assigned_day"]])
    found = engine.collect(assignment.others(engine.frame(frame), everyone, asked, RULES))
    return found.astype({"after": float, "before": float}).sort_values(["after", "before"], ignore_index=True)


def test_others_by_hand(engine):
    # start: day 0 (lower median of 0 and 2). Known by then and touched by nobody: x (10 before, 25 + 5 after), y and z
    # (bought long ago, nothing since: one row of two customers). Left out: a and b (assigned), new (first bought on
    # day 1), and busy (its own window of another campaign, from day 29 on, reaches into the days after).
    people = assignment.first_assignments(
        contacts(
            ("spring", "a", "mail", "2026-04-01", None, None), ("spring", "b", "mail", "2026-04-03", None, None),
            ("other", "busy", "mail", "2026-04-30", None, None), ("later", "z", "mail", "2026-05-01", None, None),
        )
    )  # fmt: skip
    days = [("x", DAY - 29, 1, 10.0), ("x", DAY + 1, 1, 25.0), ("x", DAY + 30, 1, 5.0), ("x", DAY + 31, 1, 99.0),
            ("x", DAY - 30, 1, 99.0), ("y", DAY - 200, 1, 50.0), ("z", DAY - 200, 1, 50.0), ("a", DAY, 1, 1.0),
            ("b", DAY, 1, 1.0), ("busy", DAY, 1, 1.0), ("new", DAY + 1, 1, 1.0)]  # fmt: skip
    found = others_of(engine, days, people)
    assert found[["after", "before", "customers"]].to_numpy().tolist() == [[0, 0, 2], [30, 10, 1]]
    assert found["campaign"].tolist() == ["spring", "spring"]


@pytest.mark.parametrize(("lag", "touched"), [(-60, False), (-59, True), (29, True), (30, False)])
def test_whose_window_reaches_into_the_days_looked_at_is_no_other(engine, lag, touched):
    # days looked at: −29 … 30; a window of 30 days from day −60 ends on day −30, one from day 30 begins on day 31
    at = pd.Timestamp("2026-04-01") + pd.Timedelta(days=lag)
    people = assignment.first_assignments(
        contacts(("spring", "a", "mail", "2026-04-01", None, None), ("own", "x", "mail", at, None, None))
    )
    assert others_of(engine, [("x", DAY - 300, 1, 1.0), ("a", DAY, 1, 1.0)], people).empty == touched


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
