"""Service levels: tickets by hand around the target, what is not done yet, and the simulator's planted shares."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from tierbook.demo.services import TARGETS, telecom_tickets
from tierbook.errors import InputError
from tierbook.insight.service_levels import COLUMNS, service_levels

OPENED, UNTIL = pd.Timestamp("2026-07-01 08:00"), pd.Timestamp("2026-07-03 08:00")  # 48 hours apart
GOALS = {"high": {"first_response_hours": 4, "resolved_hours": 24}}


def tickets(answered, solved=None, opened=OPENED):
    """One ticket of the tier high per number of hours (None: not yet)."""
    return pd.DataFrame(
        {
            "tier": "high",
            "opened_at": pd.Series([opened] * len(answered), dtype="datetime64[s]"),
            "first_response_at": opened + pd.to_timedelta(pd.Series(answered, dtype=float), unit="h"),
            "resolved_at": opened + pd.to_timedelta(pd.Series(solved or answered, dtype=float), unit="h"),
        }
    )


def test_by_hand():
    """Answered after 1 to 12 hours: the first 4 of 12 are in time, the median is 6.5; all 12 are solved within 24."""
    table = service_levels(tickets(range(1, 13)), GOALS, UNTIL)
    assert list(table) == COLUMNS and table["measure"].tolist() == ["first_response_hours", "resolved_hours"]
    assert table[["tickets", "met", "median_hours"]].to_numpy().tolist() == [[12, 4, 6.5], [12, 12, 6.5]]
    wilson = binomtest(4, 12).proportion_ci(method="wilson")
    assert table.loc[0, ["share", "low", "high"]].tolist() == pytest.approx([1 / 3, wilson.low, wilson.high], abs=1e-6)


@pytest.mark.parametrize(("hours", "met"), [(3.9997, 1), (4.0, 1), (4.0003, 0)])
def test_at_the_target_is_met(hours, met):
    assert service_levels(tickets([hours]), GOALS, UNTIL)["met"].iloc[0] == met


@pytest.mark.parametrize(
    ("open_for", "answered", "counted"),
    [(3.9, None, 0), (4.0, None, 0), (4.1, None, 1), (3.9, 3.0, 1), (3.9, 4.5, 0), (4.1, 4.5, 1), (-1.0, None, 0)],
)
def test_what_is_not_done_by_the_end(open_for, answered, counted):
    """Not answered within 4 hours is missed; open for less, nobody knows; an answer after the end has not come yet."""
    row = service_levels(tickets([answered], opened=UNTIL - pd.Timedelta(hours=open_for)), GOALS, UNTIL).iloc[0]
    assert row["tickets"] == counted and row["met"] == (1 if answered == 3.0 else 0)


def test_few_tickets_and_none():
    table = service_levels(tickets(range(9)), GOALS | {"low": {"resolved_hours": 1}}, UNTIL)
    assert table["share"].isna().all() and table["tickets"].tolist() == [9, 9, 0]
    assert np.isnan(table["median_hours"].iloc[2]) and table["tier"].tolist() == ["high", "high", "low"]


def test_refusals():
    with pytest.raises(InputError, match=r"no column \['resolved_at'\]"):
        service_levels(tickets([1]).drop(columns="resolved_at"), GOALS, UNTIL)
    with pytest.raises(InputError, match="2 tickets have first_response_at before opened_at"):
        service_levels(tickets([-1, -2, 3]), GOALS, UNTIL)


def test_the_simulated_quarter_keeps_what_was_planted_whatever_the_order_of_rows():
    people = pd.DataFrame({"customer_id": np.arange(9000).astype(str), "tier": np.repeat(list(TARGETS), 3000)})
    simulated = telecom_tickets(11, people)
    rows = simulated.tables["tickets.csv"].merge(people, on="customer_id")
    table = service_levels(rows, TARGETS, pd.Timestamp("2027-01-01"))
    pd.testing.assert_frame_equal(table, service_levels(rows.iloc[::-1], TARGETS, pd.Timestamp("2027-01-01")))
    planted = simulated.truth.melt("tier", ["first_response_met", "resolved_met"], value_name="planted")
    planted["measure"] = planted["variable"].str.replace("_met", "_hours")
    both = table.merge(planted, on=["tier", "measure"])
    assert len(both) == 6 and table["tickets"].sum() == 2 * len(rows)
    # About 1,000 tickets a cell: four standard errors of the planted share.
    error = np.sqrt(both["planted"] * (1 - both["planted"]) / both["tickets"])
    assert ((both["share"] - both["planted"]).abs() < 4 * error).all()
