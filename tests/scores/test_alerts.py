"""Early warning: who is flagged, for which reason, and what is at stake."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.scores.alerts import REASONS, alerts, reasons

# a silent for 61 > 2 × 30 days, and 200 is just half of 400; b for 60, not beyond, 4 orders after 9 and 80 after 300: orders
# fell, so that money is not told apart; c at 8 orders after 8, refunded beyond what it paid; d not a candidate; e under the
# threshold; f silent for 25 > 2 × 10, yet no longer than 30 days, 4 orders are no less than half of 8, nor 100 of 200;
# g silent for 90 days, and 3 of 7 orders; h silent for 61 and 49 after 100.
HISTORY = pd.DataFrame(
    {
        "recency_days": [61, 60, 5, 400, 100, 25, 90, 61],
        "window_orders": [5, 4, 8, 1, 3, 4, 3, 4],
        "previous_orders": [0, 9, 8, 0, 0, 8, 7, 4],
        "window_net": [200.0, 80, -30, 900, 60, 100, 10, 49],
        "previous_net": [400.0, 300, 20, 0, 0, 200, 10, 100],
    },
    index=list("abcdefgh"),
)
GAP = pd.Series([30.0, 30, 30, 30, 30, 10, 30, 30], index=HISTORY.index)
RISK = pd.Series([0.9, 0.5, 0.7, np.nan, 0.499, 0.6, 0.9, 0.8], index=HISTORY.index)


def test_flagged_with_the_first_reason_that_holds():
    found = alerts(HISTORY, RISK, 0.5, GAP, None)
    assert (
        found["alert"].tolist() == [True, True, True, False, False, True, True, True] and found["alert"].dtype == bool
    )
    assert found["alert_reason"].dropna().to_dict() == {
        "a": "silent_beyond_cadence",
        "b": "orders_falling",
        "c": "spend_falling",
        "f": "low_expected_orders",
        "g": "orders_falling",
        "h": "spend_falling",
    }
    assert found["alert_reasons"].dropna().to_dict() == {
        "a": "silent_beyond_cadence",
        "b": "orders_falling",
        "c": "spend_falling",
        "f": "low_expected_orders",
        "g": "orders_falling+silent_beyond_cadence",
        "h": "spend_falling+silent_beyond_cadence",
    }
    assert found.index.equals(HISTORY.index)


@pytest.mark.parametrize(("risk", "flagged"), [(0.4999, False), (0.5, True), (0.5001, True), (np.nan, False)])
def test_a_customer_is_flagged_from_the_threshold_on(risk, flagged):
    one = HISTORY.head(1)
    assert alerts(one, pd.Series([risk], one.index), 0.5, GAP.head(1), None)["alert"].tolist() == [flagged]


@pytest.mark.parametrize(
    ("silent", "gap", "beyond"), [(30, 10, False), (31, 10, True), (80, 40, False), (81, 40, True), (79, 40, False)]
)
def test_silence_counts_beyond_two_gaps_and_thirty_days(silent, gap, beyond):
    one = HISTORY.head(1).assign(recency_days=silent)
    found = alerts(one, pd.Series([1.0], one.index), 0.5, pd.Series([float(gap)], one.index), None)
    assert (found["alert_reason"].iloc[0] == "silent_beyond_cadence") == beyond


@pytest.mark.parametrize(("orders", "falling"), [(4, False), (5, False), (3, True)])
def test_orders_fall_when_they_are_fewer_than_half_of_the_window_before(orders, falling):
    one = HISTORY.head(1).assign(recency_days=1, window_orders=orders, previous_orders=8)
    found = alerts(one, pd.Series([1.0], one.index), 0.5, GAP.head(1), None)
    assert (found["alert_reason"].iloc[0] == "orders_falling") == falling


@pytest.mark.parametrize(
    ("net", "before", "orders", "told"),
    [
        (49.99, 100, 8, "spend_falling"),
        (50, 100, 8, "low_expected_orders"),
        (50.01, 100, 8, "low_expected_orders"),
        (49.99, 100, 3, "orders_falling"),  # 3 of 8: the orders tell why
        (49.99, 100, 4, "spend_falling"),
        (-5, 0, 8, "low_expected_orders"),  # nothing to fall from
        (-5, -1, 8, "low_expected_orders"),
        (0, 0.01, 8, "spend_falling"),
    ],
)
def test_money_falls_when_it_is_less_than_half_of_the_window_before_and_orders_are_not(net, before, orders, told):
    one = HISTORY.head(1).assign(recency_days=1, window_orders=orders, previous_orders=8)
    one = one.assign(window_net=[Decimal(str(net))], previous_net=[Decimal(str(before))])
    assert reasons(one, GAP.head(1)).tolist() == [told]


@pytest.mark.parametrize(("rate", "stake"), [(None, 200), (1.0, 200), (0.25, 50)])
def test_value_at_stake_is_the_windows_margin_never_below_zero(rate, stake):
    found = alerts(HISTORY, RISK, 0.5, GAP, rate)["value_at_stake"]
    assert found["a"] == stake and found["c"] == 0
    assert found[["d", "e"]].isna().all(), "nothing is said of customers not flagged"


def test_nobody_without_a_threshold_or_without_customers():
    quiet = alerts(HISTORY, RISK, None, GAP, 0.3)
    assert not quiet["alert"].any() and quiet["value_at_stake"].isna().all() and quiet["alert_reason"].isna().all()
    assert alerts(HISTORY.head(0), RISK.head(0), 0.5, GAP.head(0), None).shape == (0, 4)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 120)] * 5), min_size=1, max_size=30))
def test_reasons_come_in_their_order_and_the_first_is_the_reason_told(rows):
    columns = ["recency_days", "window_orders", "previous_orders", "window_net", "previous_net"]
    history = pd.DataFrame(rows, columns=columns)
    gap, sure = pd.Series(20.0, index=history.index), pd.Series(1.0, index=history.index)
    found = alerts(history, sure, 0.5, gap, None)
    codes = found["alert_reasons"].str.split("+")
    assert all(sorted(set(listed), key=REASONS.index) == listed for listed in codes)
    assert found["alert_reason"].tolist() == [listed[0] for listed in codes]
    assert not any({"orders_falling", "spend_falling"} <= set(listed) for listed in codes)
    assert not any(REASONS[-1] in listed and len(listed) > 1 for listed in codes)
