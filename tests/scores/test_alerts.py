"""Early warning: who is flagged, and what is at stake."""

import numpy as np
import pandas as pd
import pytest

from tierbook.scores.alerts import alerts

HISTORY = pd.DataFrame(
    {
        "active_days": [3, 2, 5, 9, 4, 4],
        "window_orders": [1, 2, 3, 9, 0, 2],
        "window_net": [200.0, 80, 60, 900, 0, -30],
    },
    index=[10, 11, 12, 13, 14, 15],
)
STAGE = pd.Series(["at_risk", "at_risk", "active", "lost", "at_risk", "at_risk"], index=HISTORY.index)


@pytest.mark.parametrize("kind", [object, pd.CategoricalDtype(["new", "active", "loyal", "at_risk", "lost"])])
def test_flagged_are_repeat_customers_of_the_window_at_risk(kind):
    """10 is flagged; 11 has two purchase days, 12 is active, 13 lost, 14 without an order in the window; 15 is."""
    found = alerts(HISTORY, STAGE.astype(kind), None)
    assert found["alert"].tolist() == [True, False, False, False, False, True]
    assert found["alert_reason"].notna().tolist() == found["alert"].tolist()
    assert found["alert_reason"].dropna().unique().tolist() == ["silent_beyond_cadence"]
    assert found.index.equals(HISTORY.index) and found["alert"].dtype == bool


@pytest.mark.parametrize(("rate", "stake"), [(None, 200), (1.0, 200), (0.25, 50)])
def test_value_at_stake_is_the_windows_margin_never_below_zero(rate, stake):
    found = alerts(HISTORY, STAGE, rate)["value_at_stake"]
    assert found[10] == stake and found[15] == 0
    assert found[[11, 12, 13, 14]].isna().all(), "nothing is said of customers not flagged"


@pytest.mark.parametrize(("days", "flagged"), [(2, False), (3, True), (4, True)])
def test_three_purchase_days_are_needed(days, flagged):
    one = pd.DataFrame({"active_days": [days], "window_orders": [1], "window_net": [1.0]})
    assert alerts(one, pd.Series(["at_risk"]), None)["alert"].tolist() == [flagged]


def test_no_customers_and_no_one_flagged():
    assert alerts(HISTORY.head(0), STAGE.head(0), None).shape == (0, 3)
    quiet = alerts(HISTORY, pd.Series("active", index=HISTORY.index), 0.3)
    assert not quiet["alert"].any() and quiet["value_at_stake"].isna().all()
    assert quiet["value_at_stake"].dtype == np.float64
