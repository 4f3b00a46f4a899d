"""The rise in sales that pays for points: by hand, at the edge of the margin, and that its profit is nil."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierbook.cases.points_payback import payback
from tierbook.errors import ParamsError


def case(share, margin, n=400):
    """Half of n customers of tier a spend 50 a year, half 150: mean 100."""
    yearly = pd.DataFrame({"tier": "a", "net": [50.0, 150.0] * (n // 2)})
    return payback(pd.DataFrame({"tier": ["all", "a"], "full_share": share}), yearly, margin).set_index("tier").loc["a"]


def test_by_hand():
    """Points of 1 % at a margin of 21 %: 0.01 / 0.20 = 5 % more sales. Sd 50.06 of a mean of 100; n an arm
    (1.95996 + 0.84162)² × 2 × 0.50063² / 0.05² = 7.84888 × 2 × 0.250627 / 0.0025 = 1,573.7. With 200 an arm the rise seen
    is 2.80158 × 0.50063 × √(2 / 200) = 14.03 %."""
    row = case(0.01, 0.21)
    assert (row["customers"], row["sales_per_customer"]) == (400, 100)
    assert row["lift_to_pay"] == pytest.approx(0.05)
    assert row["needed"] == 1_574
    assert row["detectable_lift"] == pytest.approx(0.14025, abs=1e-4)


@pytest.mark.parametrize(("share", "lift"), [(0.10, 1.0), (0.19, 19.0), (0.20, np.nan), (0.21, np.nan)])
def test_points_that_eat_the_margin_never_pay(share, lift):
    """At a margin of 0.20 there is no rise that pays once points cost 0.20 of sales."""
    row = case(share, 0.20)
    assert np.isnan(lift) or row["lift_to_pay"] == pytest.approx(lift)
    assert pd.isna(row["needed"]) == pd.isna(row["lift_to_pay"]) == np.isnan(lift)


@given(st.floats(0.001, 0.5), st.floats(0.01, 1.0))
def test_at_that_rise_the_profit_is_what_it_was(share, margin):
    lift = case(share, margin)["lift_to_pay"]
    if share < margin * 0.99:
        assert (margin - share) * (1 + lift) == pytest.approx(margin)


def test_a_test_of_the_detectable_rise_needs_the_customers_there_are():
    first = case(0.01, 0.21)
    again = case(0.21 * first["detectable_lift"] / (1 + first["detectable_lift"]), 0.21)
    assert again["needed"] == pytest.approx(200, abs=1)


@pytest.mark.parametrize(("n", "known"), [(8, False), (10, True)])
def test_small_tiers_stay_silent(n, known):
    row = case(0.01, 0.21, n)
    assert pd.notna(row["lift_to_pay"]) == pd.notna(row["detectable_lift"]) == pd.notna(row["needed"]) == known


@pytest.mark.parametrize("margin", [0, -0.1, 1.1, np.nan])
def test_a_margin_is_a_share(margin):
    with pytest.raises(ParamsError, match="margin"):
        case(0.01, margin)
