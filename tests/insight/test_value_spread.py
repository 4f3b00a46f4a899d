"""How expected value is spread: every customer in one bin, ten from the middle of each tenth, by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.insight.value_spread import BINS, spread


def of(*values, high=0.0):
    clv = pd.Series(values, dtype=float)
    return spread(clv, clv * 0, clv * 0 + high)


def test_bins_are_of_equal_width_in_the_root_up_to_the_highest_range():
    """Forty bins to the highest bound of the ten, 1600: the roots are 0, 1, … 40, so 0 to 1 is the first bin, 1 to 4 the
    second. −5 counts at nil; 0 and 0.99 are in the first, 1 and 3.99 in the second, 1600 in the last."""
    found = of(-5, 0, 0.99, 1, 3.99, 4, 1600, np.nan, high=1600.0)
    bins = found["bins"]
    assert len(bins) == BINS and bins["low"].tolist()[:3] == [0, 1, 4] and bins["high"].iloc[-1] == 1600
    assert bins["customers"].iloc[[0, 1, 2, -1]].tolist() == [3, 2, 1, 1]


def test_the_last_bin_holds_all_above_it():
    """A single one of 200 beyond the range of the ten is no hundredth that would move it."""
    bins = of(*[4.0] * 199, 5000.0, high=1600.0)["bins"]
    assert bins["customers"].iloc[[2, -1]].tolist() == [199, 1] and bins["high"].iloc[-1] == 1600


def test_the_ten_are_in_the_middle_of_each_tenth():
    """Of 0 to 19 the places 1, 3 … 19, before whom 1.5, 3.5 … of twenty stand; of three the places 0, 1, 2."""
    found = of(*range(19, -1, -1))
    assert found["examples"]["clv"].tolist() == list(range(1, 20, 2))
    assert found["examples"]["share"].tolist() == pytest.approx([(k + 0.5) / 20 for k in range(1, 20, 2)])
    assert (found["middle"], found["mean"]) == (9.5, 9.5)
    assert of(5, 1, 3)["examples"]["clv"].tolist() == [1, 3, 5]


def test_those_of_one_value_stand_in_the_order_of_their_ranges():
    clv, high = pd.Series([7.0] * 3), pd.Series([9.0, 8.0, 10.0])
    assert spread(clv, clv, high)["examples"]["clv_high"].tolist() == [8, 9, 10]


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]])
def test_nobody_with_a_value_makes_empty_bins(values):
    found = of(*values)
    assert found["bins"]["customers"].sum() == 0 and found["examples"].empty
    assert found["middle"] is None and found["mean"] is None and found["bins"]["high"].iloc[-1] == 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-1e3, 1e9, allow_nan=False), min_size=1, max_size=60), st.floats(0, 1e9))
def test_every_customer_stands_in_one_bin_whatever_the_order(values, high):
    found, other = of(*values, high=high), of(*values[::-1], high=high)
    assert found["bins"]["customers"].sum() == len(values)
    pd.testing.assert_frame_equal(found["bins"], other["bins"])
    pd.testing.assert_frame_equal(found["examples"], other["examples"])
