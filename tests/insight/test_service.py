"""Service: how long tickets wait, counted by hand; open ones are no quick ones, and impossible ones are told."""

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import service

OPENED = pd.Timestamp("2026-10-01 09:00")
UNTIL = pd.Timestamp("2026-10-31 23:59:59")


def asked(first=(), solved=None, tier="high", customers="A"):
    """Tickets opened at one moment, answered (and solved) after so many hours; None: not yet."""
    solved = first if solved is None else solved
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
    rows = service.per_customer(customers, table, (20_726, 20_757), ["high"])  # after 2026-09-30, up to 10-31
    assert rows[0] == {"tier": "all", "measure": "tickets_per_customer", "n": 10, "value": pytest.approx(0.4),
                       "low": 0, "high": pytest.approx(0.99878, abs=1e-5)}  # fmt: skip
