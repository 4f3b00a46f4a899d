"""What tiers foretold: twelve customers by hand, the window's edges, and the tests that each tier would need."""

import datetime as dt

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.accounting import day_number
from tierbook.cases.tiers_ahead import COLUMNS, followed, highest, sales_after, sizes_by_tier, tiers_ahead

CUT = dt.date(2024, 10, 4)
END = day_number(CUT)
ORDER = ["high", "low", "none_here"]


def test_sales_after_the_cut_end_with_the_window():
    """Day 0 and day 183 + 1 are outside, days 1 and 183 inside; a refund day takes money and is no order."""
    rows = [
        ("a", 0, 1, 1.0),
        ("a", 1, 2, 10.0),
        ("a", 183, 1, 20.0),
        ("a", 184, 1, 40.0),
        ("b", 5, 0, -3.0),
        ("c", -9, 1, 7.0),
    ]
    days = pd.DataFrame([(c, END + d, o, n) for c, d, o, n in rows], columns=["customer_id", "day", "orders", "net"])
    frame = nw.from_native(duckdb.connect().from_df(days)).lazy()
    found = sales_after(frame, CUT, 183).collect().to_pandas().set_index("customer_id").astype(float)
    assert found.sort_index().to_numpy().tolist() == [[3, 30], [0, -3]]
    assert sorted(found.index) == ["a", "b"]


def test_who_had_no_tier_or_never_came_back():
    """x has no tier, n first bought afterwards: neither counts. b only gave goods back: money, but not back."""
    tiers = pd.Series({"a": "high", "b": "low", "c": "low", "x": None})
    after = pd.DataFrame(
        {"customer_id": ["a", "b", "n", "x"], "orders": [2, 0, 5, 1], "spend": [30.0, -3.0, 99.0, 9.0]}
    )
    found = followed(tiers, after)
    assert found.index.tolist() == ["a", "b", "c"]
    assert found["back"].tolist() == [True, False, False] and found["spend"].tolist() == [30.0, -3.0, 0.0]


@pytest.fixture
def twelve():
    """Ten high: eight back for 10 each, two not; two low: one back for 20. Next sales 100, 80 of them high."""
    rows = [("high", True, 10.0)] * 8 + [("high", False, 0.0)] * 2 + [("low", True, 20.0), ("low", False, 0.0)]
    return pd.DataFrame(rows, columns=["tier", "back", "spend"])


def test_tiers_by_hand(twelve):
    """high: 10 of 12, 8 back = 80 %, 80 of 100, 8 a customer. Wilson for 8 of 10: 49.0 to 94.3 %. low is too small."""
    found = tiers_ahead(twelve, ORDER)
    assert list(found.columns) == COLUMNS and found["tier"].tolist() == ORDER
    high = found.iloc[0]
    assert (high["customers"], high["came_back"], high["next_sales"]) == (10, 8, 80.0)
    assert [high["share"], high["came_back_share"], high["next_share"], high["next_mean"]] == [10 / 12, 0.8, 0.8, 8.0]
    assert [high["low"], high["high"]] == pytest.approx([0.4902, 0.9433], abs=1e-4)
    assert found["customers"].tolist() == [10, 2, 0] and found["next_sales"].tolist() == [80, 20, 0]
    assert found.loc[1:, ["share", "came_back_share", "low", "high", "next_share", "next_mean"]].isna().all(axis=None)


def test_nothing_sold_afterwards_and_nobody():
    silent = pd.DataFrame({"tier": ["high"] * 10, "back": False, "spend": 0.0})
    assert np.isnan(tiers_ahead(silent, ORDER)["next_share"]).all()
    assert tiers_ahead(silent, ORDER)["came_back_share"].iloc[0] == 0
    assert tiers_ahead(silent.head(0), ORDER)["customers"].tolist() == [0, 0, 0]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(0, 50)), min_size=1, max_size=60),
    st.randoms(),
)
def test_no_customer_is_lost_and_the_order_of_rows_changes_nothing(rows, random):
    customers = pd.DataFrame(rows, columns=["tier", "back", "spend"]).astype({"spend": float})
    shuffled = customers.iloc[random.sample(range(len(customers)), len(customers))]
    found = tiers_ahead(customers, ["a", "b", "c"])
    assert found["customers"].sum() == len(customers) and found["came_back"].sum() == customers["back"].sum()
    assert found["next_sales"].sum() == customers["spend"].sum()
    pd.testing.assert_frame_equal(found, tiers_ahead(shuffled, ["a", "b", "c"]))


@pytest.mark.parametrize(("customers", "taken"), [(0, []), (1, [9]), (2, [9, 7, 7]), (3, [9, 7, 7]), (4, [9, 7, 7, 5])])
def test_whoever_equals_the_last_one_is_in(customers, taken):
    values = pd.Series([7, 5, 9, 7])
    assert sorted(values[highest(values, customers)], reverse=True) == taken


def test_sizes_of_the_next_test_by_hand(twelve):
    """high: mean 8, variance (8 × 2² + 2 × 8²) / 9 = 160/9. A lift of 1.6: n = 7.849 × 2 × 17.78 / 2.56 = 109.02 → 110.

    Its own ten in halves of five: 2.802 × sqrt(160/9 × 2/5) = 7.471, over 8: 93.4 %.
    """
    found = sizes_by_tier(twelve, ORDER)
    assert found["needed"].iloc[0] == 110
    assert [found["mean"].iloc[0], found["sd"].iloc[0] ** 2] == pytest.approx([8, 160 / 9])
    assert found["smallest_lift"].iloc[0] == pytest.approx(0.934, abs=1e-3)
    assert found.loc[1:, ["mean", "sd", "needed", "smallest_lift"]].isna().all(axis=None)
    assert found["customers"].tolist() == [10, 2, 0]


def test_nobody_differs_or_nothing_was_spent():
    for spend in (0.0, 5.0):
        alike = pd.DataFrame({"tier": "high", "back": True, "spend": [spend] * 12})
        assert sizes_by_tier(alike, ["high"])[["needed", "smallest_lift"]].isna().all(axis=None)
