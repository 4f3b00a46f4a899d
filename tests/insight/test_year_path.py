"""Twelve months of movement: the table and the rates of change by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.insight.year_path import counted, moves_of_year, over_year, rates_of_change, reaches, together
from tierbook.scores import maps

FOUR = maps.find("four_tier")
TIERS = [*FOUR.order, "outside"]


def moved(*groups):
    """Counted moves from (from_tier, to_tier, customers, net of each then, net of each now)."""
    rows = [(a, b, n, n * then, n * now) for a, b, n, then, now in groups]
    return pd.DataFrame(rows, columns=["from_tier", "to_tier", "customers", "net", "net_now"])


NOW = moved(
    ("high", "high", 6, 100.0, 120.0),
    ("high", "low", 3, 50.0, 5.0),
    ("high", "outside", 1, 40.0, 0.0),
    ("low", "potential", 2, 5.0, 60.0),
    ("low", "low", 7, 4.0, 4.0),  # nine in low: too few for a percentage
    ("outside", "ordinary", 12, 0.0, 20.0),
    ("outside", "outside", 28, 0.0, 0.0),
    ("new", "potential", 30, 0.0, 70.0),
)
YEAR_BEFORE = moved(
    ("high", "high", 8, 1.0, 1.0),
    ("high", "ordinary", 12, 1.0, 1.0),
    ("low", "low", 10, 1.0, 1.0),
    ("new", "low", 5, 1.0, 1.0),
)


def test_the_table_by_hand():
    found = over_year(NOW, YEAR_BEFORE, FOUR.order)
    nan = np.nan
    expected = [
        # 6 of 10 high now, 8 of 20 the year before
        ["high", "high", 6, 0.6, 8, 0.4, 600, 720],
        ["high", "ordinary", 0, 0.0, 12, 0.6, 0, 0],  # made only the year before
        ["high", "low", 3, 0.3, 0, 0.0, 150, 15],
        ["high", "outside", 1, 0.1, 0, 0.0, 40, 0],
        ["low", "potential", 2, nan, 0, 0.0, 10, 120],
        ["low", "low", 7, nan, 10, 1.0, 28, 28],
        ["outside", "ordinary", 12, 0.3, 0, nan, 0, 240],
        ["outside", "outside", 28, 0.7, 0, nan, 0, 0],
        ["new", "potential", 30, nan, 0, nan, 0, 2100],  # newcomers have no base
        ["new", "low", 0, nan, 5, nan, 0, 0],
    ]
    assert found[["from_tier", "to_tier"]].to_numpy().tolist() == [row[:2] for row in expected]
    numbers = ["customers", "rate", "customers_year_before", "rate_year_before", "revenue", "revenue_now"]
    np.testing.assert_allclose(
        found[numbers].to_numpy(dtype=float), np.array([row[2:] for row in expected], dtype=float)
    )


def test_without_the_year_before_its_columns_are_null():
    found = over_year(NOW, None, FOUR.order)
    assert found[["customers_year_before", "rate_year_before"]].isna().all(axis=None)
    assert list(found) == list(over_year(NOW, YEAR_BEFORE, FOUR.order))
    assert (
        found["customers"].sum() == NOW["customers"].sum() == 89 and found["revenue_now"].sum() == NOW["net_now"].sum()
    )


def test_rates_of_change_by_hand():
    found = rates_of_change(NOW, YEAR_BEFORE, FOUR).set_index("what")
    # in a tier a year ago: 10 high and 9 low; up 2, held 6 + 7, down 3, left 1
    assert found["customers"].to_dict() == {"upgraded": 2, "held": 13, "downgraded": 3, "left": 1}
    assert set(found["base"]) == {19}
    assert found["rate"].tolist() == pytest.approx([2 / 19, 13 / 19, 3 / 19, 1 / 19])
    # the year before: 30 in a tier, 12 down, 18 held
    assert found["rate_year_before"].tolist() == pytest.approx([0, 0.6, 0.4, 0])
    # Wilson for 2 of 19: (0.105263 + 0.101091) / 1.202182 = 0.171650,
    # half 1.959964 / 1.202182 × √(0.0049570 + 0.0026603) = 0.142290
    assert found.loc["upgraded", ["low", "high"]].tolist() == pytest.approx([0.029360, 0.313940], abs=1e-4)


@pytest.mark.parametrize(("n", "judged"), [(9, False), (10, True), (11, True)])
def test_rates_of_change_need_ten_customers_in_a_tier(n, judged):
    some = moved(("low", "high", n, 1.0, 1.0), ("outside", "high", 50, 0.0, 1.0), ("new", "high", 50, 0.0, 1.0))
    found = rates_of_change(some, some, FOUR)
    for column in ("rate", "low", "high", "rate_year_before"):
        assert found[column].notna().tolist() == [judged] * 4
    assert rates_of_change(some, None, FOUR)["rate_year_before"].isna().all()


def test_nobody_at_all_is_a_table_of_zeros():
    found = rates_of_change(NOW.head(0), None, FOUR)
    assert found["customers"].tolist() == [0] * 4 and found["rate"].isna().all()
    assert over_year(NOW.head(0), None, FOUR.order).empty


def test_moves_of_the_year_carry_the_money_of_both_windows():
    tiers = pd.DataFrame(
        [(100, "stays", "high", 10.0), (100, "leaves", "low", 30.0), (465, "stays", "low", 11.0),
         (465, "joins", "ordinary", 51.0), (465, "returns", "low", 7.0)],
        columns=["end", "customer_id", "tier", "net"],
    )  # fmt: skip
    first_days = pd.Series({"stays": 1, "leaves": 1, "returns": 1, "joins": 101})
    found = moves_of_year(tiers, first_days, 100, 465)
    assert found.to_dict("index") == {
        "stays": {"from_tier": "high", "to_tier": "low", "net": 10.0, "net_now": 11.0},
        "leaves": {"from_tier": "low", "to_tier": "outside", "net": 30.0, "net_now": 0.0},
        "returns": {"from_tier": "outside", "to_tier": "low", "net": 0.0, "net_now": 7.0},
        "joins": {"from_tier": "new", "to_tier": "ordinary", "net": 0.0, "net_now": 51.0},
    }


def test_moves_counted_in_parts_and_put_together():
    """Two go from high to low with 10 + 20 then and 1 + 2 now, one of them in each part; one stays low in the second."""
    rows = [("high", "low", 10.0, 1.0), ("high", "low", 20.0, 2.0), ("low", "low", 5.0, 6.0)]
    each = pd.DataFrame(rows, columns=["from_tier", "to_tier", "net", "net_now"])
    found = together(iter([counted(each.head(1)), counted(each.tail(2))]))
    assert found.to_numpy().tolist() == [["high", "low", 2, 30.0, 3.0], ["low", "low", 1, 5.0, 6.0]]
    pd.testing.assert_frame_equal(found, counted(each))
    assert together([counted(each.head(0))]).empty


@pytest.mark.parametrize(("first_day", "whole"), [(635, True), (636, True), (637, False)])
def test_the_window_of_365_days_up_to_day_1000_begins_on_day_636(first_day, whole):
    assert reaches(first_day, 1000, 365) == whole


people = st.lists(st.tuples(st.sampled_from([*TIERS, "new"]), st.sampled_from(TIERS)), max_size=60)


@settings(deadline=None, max_examples=40)
@given(people=people)
def test_the_four_changes_add_up_to_everyone_in_a_tier(people):
    each = pd.DataFrame(people, columns=["from_tier", "to_tier"], dtype=object).assign(net=1.0, net_now=1.0)
    frame = counted(each)
    found = rates_of_change(frame, None, FOUR)
    assert found["customers"].sum() == each["from_tier"].isin(FOUR.order).sum()
    assert (found["base"] == found["customers"].sum()).all()
    assert over_year(frame, frame, FOUR.order)["customers"].sum() == len(people)
