"""Service: how long tickets wait, counted by hand; open ones are no quick ones, and impossible ones are told."""

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import service

OPENED = pd.Timestamp("2026-10-01 09:00")
UNTIL = pd.Timestamp("2026-10-31 23:59:59")


def asked(first=(), solved=None, tier="high", customers=None):
    """Tickets opened at one moment, answered (and solved) after so many hours; None: not yet. Each by another customer."""
    solved = first if solved is None else solved
    customers = [f"c{n}" for n in range(len(first))] if customers is None else customers
    hours = pd.DataFrame({"first_response_at": first, "resolved_at": solved}, dtype=float)
    moments = {name: OPENED + pd.to_timedelta(hours[name], unit="h") for name in hours}
    return pd.DataFrame({"customer_id": customers, "tier": tier, "opened_at": OPENED, **moments})


def measured(table, tiers=("high", "low")):
    return pd.DataFrame(service.tickets(table, tiers, UNTIL)).set_index(["measure", "tier"])


def test_waiting_by_hand():
    """1 to 10 hours: the middle of 5 and 6 is 5.5, between the second from either end, 2 and 9."""
    rows = measured(asked(range(1, 11), range(11, 21)))
    columns = ["n", "value", "low", "high"]
    assert rows.loc[("first_response_hours", "all"), columns].tolist() == [10, 5.5, 2, 9]
    assert rows.loc[("resolution_hours", "high"), columns].tolist() == [10, 15.5, 12, 19]
    assert rows.loc[("resolution_rate", "high"), ["n", "value"]].tolist() == [10, 1]
    assert rows.loc[("resolution_hours", "low"), "n"] == 0 and np.isnan(rows.loc[("resolution_hours", "low"), "value"])


def test_leaving_tickets_open_does_not_make_a_shop_fast():
    """Four answered at once and eight never: the median is not known yet, nor is it four quick ones'."""
    rows = measured(asked([0.1] * 4 + [None] * 8))
    assert rows.loc[("first_response_hours", "all"), "value"] == np.inf
    assert rows.loc[("resolution_rate", "all"), "value"] == pytest.approx(4 / 12)


def test_a_shop_that_keeps_no_record_of_solving_is_not_told_that_nothing_is_solved():
    rows = measured(asked(range(1, 13), [None] * 12))
    assert rows.loc[("resolution_rate", "all"), "n"] == 0 and np.isnan(rows.loc[("resolution_rate", "all"), "value"])
    assert rows.loc[("first_response_hours", "all"), "n"] == 12


def test_what_is_dated_after_the_month_has_not_happened_yet():
    """Opened on the 1st at 9:00, the month ends 30 days and 15 hours later: 734 hours are within, 736 not."""
    rows = measured(asked([1] * 10 + [734, 736]))
    assert rows.loc[("resolution_rate", "all"), "value"] == pytest.approx(11 / 12)


def test_done_before_it_was_opened_is_left_out_and_told():
    table = asked([-1, -2, *range(1, 11)], range(1, 13), customers=[f"C{n}" for n in range(12)])
    rows = measured(table)
    assert rows.loc[("first_response_hours", "all"), ["n", "value"]].tolist() == [10, 5.5]
    assert rows.loc[("resolution_hours", "all"), "n"] == 12
    assert service.ticket_faults(table) == [
        ("tickets", "first_response_early", 2, "C0"),
        ("tickets", "resolution_early", 0, None),
    ]


def test_tickets_per_customer_counts_those_without_one():
    """Ten customers, three tickets of one and one of another in the window: 0.4 each; a stranger's do not count.

    Variance: (2.6² + 0.6² + 8 × 0.4²) / 9 = 8.4 / 9 = 0.93333; half 1.959964 × √(0.093333) = 0.59878, low held at 0.
    """
    customers = pd.DataFrame({"customer_id": [f"C{n}" for n in range(10)], "tier": "high"})
    table = asked([1] * 6, customers=["C0", "C0", "C0", "C1", "STRANGER", "C2"])
    table.loc[5, "opened_at"] = pd.Timestamp("2026-09-01")
    counted = service.opened(customers, table, (20_726, 20_757))  # after 2026-09-30, up to 10-31
    rows = service.per_customer(counted, ["high"])
    assert rows[0] == {"tier": "all", "measure": "tickets_per_customer", "n": 10, "value": pytest.approx(0.4),
                       "low": 0, "high": pytest.approx(0.99878, abs=1e-5)}  # fmt: skip


def about(*rows):
    """Tickets of (topic, tickets, tier), each of another customer."""
    full = [(topic, tier) for topic, n, tier in rows for _ in range(n)]
    table = pd.DataFrame(full, columns=["topic", "tier"]).astype(object)
    return table.assign(customer_id=[f"C{n:03d}" for n in range(len(table))])


def test_topics_by_hand():
    """high: 12 on delivery, 8 on a defect; low: 10 on a defect; 2 of people without an order name no topic."""
    table = about(("delivery", 12, "high"), ("defect", 8, "high"), ("defect", 10, "low"), (None, 2, None))
    found = service.topics(table, ["high", "low", "outside"])
    assert list(found) == service.TOPICS and found["topic"].tolist()[:3] == ["defect", "delivery", "unknown"]
    told = found.set_index(["tier", "topic"])
    assert told.loc[("all", "defect"), ["n", "tickets", "share"]].tolist() == [32, 18, 18 / 32]
    assert told.loc[("all", "unknown"), ["n", "tickets", "share"]].tolist() == [32, 2, 2 / 32]
    assert told.loc[("high", "delivery"), ["n", "tickets", "share"]].tolist() == [20, 12, 0.6]
    # Wilson of 12 of 20 (Brown, Cai & DasGupta 2001): 38.66 % to 78.12 %
    assert told.loc[("high", "delivery"), ["low", "high"]].tolist() == pytest.approx([0.3866, 0.7812], abs=1e-4)
    assert told.loc[("low", "delivery"), ["n", "tickets", "share"]].tolist() == [10, 0, 0]
    assert told.loc[("outside", "defect"), ["n", "tickets"]].tolist() == [0, 0]
    assert np.isnan(told.loc[("outside", "defect"), "share"])
    assert (found.groupby("tier")["tickets"].sum() == found.groupby("tier")["n"].first()).all(), "no ticket is lost"


@pytest.mark.parametrize(("customers", "told"), [(9, False), (10, True), (11, True)])
def test_topics_of_a_tier_need_ten_customers(customers, told):
    """Forty tickets, all on the one topic, of so many customers; fifteen of the other tier make the topic common."""
    table = about(("delivery", 40, "high"), ("delivery", 15, "low"))
    table.loc[:39, "customer_id"] = [f"A{n % customers}" for n in range(40)]
    found = service.topics(table, ["high", "low"]).set_index("tier")
    assert found.loc["high", "n"] == 40 and pd.notna(found.loc["high", "share"]) == told


@pytest.mark.parametrize(("customers", "topic"), [(9, "other"), (10, "rare"), (11, "rare")])
def test_a_topic_of_fewer_than_ten_customers_is_other(customers, topic):
    """Free text is no list of codes, and who wrote it would be known."""
    table = about(("delivery", 30, "high"), ("rare", customers, "high"))
    assert service.topics(table, ["high"])["topic"].unique().tolist() == ["delivery", topic]


@pytest.mark.parametrize(("topics", "kept"), [(12, 12), (13, 11)])
def test_more_than_12_topics_are_put_together(topics, kept):
    table = about(*[(f"t{n:02d}", 30 - n, "high") for n in range(topics)])
    named = service.topics(table, [])["topic"].tolist()
    assert named == [f"t{n:02d}" for n in range(kept)] + ["other"] * (topics == 13)


def test_no_topic_no_table():
    empty = service.topics(about((None, 20, "high")), ["high"])
    assert empty.empty and list(empty) == service.TOPICS
    nobody = service.topics(about(("delivery", 1, "high")).head(0), ["high"])
    assert nobody.empty


def test_topics_do_not_depend_on_the_order_of_rows():
    table = about(("delivery", 12, "high"), ("defect", 12, "low"), ("a", 3, "low"), (None, 4, None))
    pd.testing.assert_frame_equal(
        service.topics(table, ["high", "low"]), service.topics(table.sample(frac=1, random_state=2), ["high", "low"])
    )
