"""Movement: months, moves, and usual ranges by hand."""

import numpy as np
import pandas as pd
import pytest

from tierbook.errors import ParamsError
from tierbook.insight import movement
from tierbook.params import Rfm
from tierbook.scores import maps, rfm

FOUR = maps.find("four_tier")
SCALE = rfm.Scale(
    5,
    {"recency_days": [10, 30, 90, 180], "frequency": [1, 2, 3, 5], "monetary": [100.0, 200, 400, 1000]},
    "fixed",
    0,
    "2026-10-31",
)


def moved(*groups):
    """Moves from (from_tier, to_tier, customers, net of each)."""
    rows = [(a, b, net) for a, b, n, net in groups for _ in range(n)]
    return pd.DataFrame(rows, columns=["from_tier", "to_tier", "net"])


NO_SCALE_MOVES = moved()


# --- tiers and moves --------------------------------------------------------------------------------------------


def windows(end, *customers):
    rows = [(end, name, recency, orders, orders, float(net), np.nan) for name, recency, orders, net in customers]
    columns = ["end", "customer_id", "recency_days", "window_orders", "window_active_days", "window_net", "window_cost"]
    return pd.DataFrame(rows, columns=columns)


def test_tiers_at_two_dates_stand_on_one_scale():
    # a: m 5 (> 1000), f 4 (4 orders): high; later r 1, m 2, f 1: low. b: r 5, m 4: potential
    frame = pd.concat([windows(100, ("a", 5, 4, 1000.01)), windows(130, ("a", 200, 1, 150), ("b", 1, 1, 500))])
    found = movement.tiers_at(frame, SCALE, FOUR, Rfm())
    assert found["tier"].tolist() == ["high", "low", "potential"]
    assert found[["end", "customer_id", "net"]].to_numpy().tolist() == [[100, "a", 1000.01], [130, "a", 150], [130, "b", 500]]  # fmt: skip
    assert list(movement.tiers_at(frame.head(0), SCALE, FOUR, Rfm())) == ["end", "customer_id", "tier", "net"]


def test_a_scheme_that_does_not_fit_the_scale_is_told():
    with pytest.raises(
        ParamsError, match=r"2 scores a measure, the scale has 5; write rfm: .method: quantile, bins: 2"
    ):
        movement.tiers_at(windows(1, ("a", 1, 1, 1)), SCALE, maps.find("eight"), Rfm())
    with pytest.raises(ParamsError, match="'new' is kept"):
        movement.tiers_at(windows(1, ("a", 1, 1, 1)), SCALE, maps.find("eleven"), Rfm())


def test_moves_by_hand():
    """stays: high → high. falls: high → low. leaves: low → no order. returns: none → potential. joins: first purchase
    on day 101. stays_out: known, in neither window. later: first purchase after the end."""
    tiers = pd.DataFrame(
        [(100, "stays", "high", 10.0), (100, "falls", "high", 20.0), (100, "leaves", "low", 30.0),
         (130, "stays", "high", 11.0), (130, "falls", "low", 21.0), (130, "returns", "potential", 41.0),
         (130, "joins", "ordinary", 51.0)],
        columns=["end", "customer_id", "tier", "net"],
    )  # fmt: skip
    first_days = pd.Series(
        {"stays": 1, "falls": 1, "leaves": 1, "returns": 100, "joins": 101, "stays_out": 1, "later": 131}
    )
    found = movement.moves(tiers, first_days, 100, 130)
    assert found.to_numpy().tolist() == [
        ["high", "high", 10.0],
        ["high", "low", 20.0],
        ["low", "outside", 30.0],
        ["outside", "potential", 0.0],
        ["new", "ordinary", 51.0],
        ["outside", "outside", 0.0],
    ]
    assert movement.direction(found, FOUR).tolist() == ["same", "down", "left", "up", "new", "same"]
    # two of four known customers in high before, two outside, one low; one newcomer to five known
    rates = movement.rates(movement.counted(found))
    assert rates["high", "high"] == 0.5 and rates["outside", "potential"] == 0.5 and rates["low", "outside"] == 1
    assert rates["new", "ordinary"] == 1 / 5


def test_counts_of_parts_are_added_up_move_by_move_and_month_by_month():
    """high → low: 2 and 1 customers for 10 and 5 each in month 130, 25 in all; one alone in month 160."""
    one = movement.counted(moved(("high", "low", 2, 10.0), ("low", "low", 1, 3.0))).assign(end=130)
    two = movement.counted(moved(("high", "low", 1, 5.0), ("new", "high", 4, 2.5))).assign(end=130)
    later = movement.counted(moved(("high", "low", 1, 7.0))).assign(end=160)
    found = movement.together([one, later, two], ["end"])
    assert found[["end", "from_tier", "to_tier", "customers", "net"]].to_numpy().tolist() == [
        [130, "high", "low", 3, 25.0],
        [130, "low", "low", 1, 3.0],
        [130, "new", "high", 4, 10.0],
        [160, "high", "low", 1, 7.0],
    ]
    assert list(found) == ["from_tier", "to_tier", "customers", "net", "end"]
    nobody = movement.counted(moved()).assign(end=130)
    pd.testing.assert_frame_equal(movement.together([one, nobody], ["end"]), one, check_dtype=False)
    assert movement.together([nobody, nobody], ["end"]).empty
    assert list(movement.together([], ["end"])) == list(found), "a history of one month has no move"


@pytest.mark.parametrize("cut", [0, 1, 3, 6])
def test_moves_of_customers_apart_are_those_of_all(cut):
    everyone = moved(("high", "low", 2, 10.0), ("low", "low", 3, 0.1), ("new", "high", 1, 2.5))
    parts = [movement.counted(part).assign(end=1) for part in (everyone.iloc[:cut], everyone.iloc[cut:])]
    expected = movement.counted(everyone).assign(end=1)
    pd.testing.assert_frame_equal(movement.together(parts, ["end"]), expected, check_dtype=False)


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("potential", "high", "up"), ("low", "ordinary", "up"), ("outside", "low", "up"), ("high", "potential", "down"),
        ("ordinary", "low", "down"), ("low", "low", "same"), ("outside", "outside", "same"), ("low", "outside", "left"),
        ("new", "high", "new"), ("new", "outside", "new"),
    ],
)  # fmt: skip
def test_directions(before, after, change):
    assert movement.direction(moved((before, after, 1, 0.0)), FOUR).tolist() == [change]


# --- the movement table -----------------------------------------------------------------------------------------


def movement_of(past, now, by_scale, year_ago):
    counted = [movement.counted(moves) for moves in past]
    return movement.movement(
        counted,
        movement.counted(now),
        movement.counted(by_scale),
        None if year_ago is None else movement.counted(year_ago),
    )


def months_with(fallen, base=100):
    """Past months in each of which so many of 100 high customers fell to ordinary."""
    return [moved(("high", "ordinary", n, 1.0), ("high", "high", base - n, 1.0)) for n in fallen]


def cell(table, before, after):
    return table.set_index(["from_tier", "to_tier"]).loc[(before, after)]


def test_usual_is_p10_to_p90_of_the_past_rates_times_this_months_base():
    # rates 0, 1, … 10 %: P10 of eleven is the second, 1 %, P90 the tenth, 9 %. Of 200 in high now: 2 and 18.
    now = moved(("high", "ordinary", 30, 5.0), ("high", "high", 170, 10.0))
    found = movement_of(months_with(range(11)), now, NO_SCALE_MOVES, None)
    fell = cell(found, "high", "ordinary")
    assert (fell["customers"], fell["usual_low"], fell["usual_high"], fell["revenue"]) == (30, 2.0, 18.0, 150.0)
    assert np.isnan(fell["same_month_last_year"])
    assert (fell["moved_by_customer"], cell(found, "high", "high")["moved_by_customer"]) == (30, 0)


@pytest.mark.parametrize(("months", "judged"), [(0, False), (5, False), (6, True), (12, True)])
def test_under_six_months_there_is_no_judgement(months, judged):
    found = movement_of(months_with([10] * months), moved(("high", "ordinary", 5, 1.0)), NO_SCALE_MOVES, None)
    assert found["usual_low"].notna().tolist() == found["usual_high"].notna().tolist() == [judged] * len(found)


def test_a_usual_move_that_nobody_made_this_month_has_its_row():
    found = movement_of(months_with([10] * 12), moved(("high", "high", 50, 1.0)), NO_SCALE_MOVES, None)
    fell = cell(found, "high", "ordinary")
    assert (fell["customers"], fell["usual_low"], fell["usual_high"], fell["revenue"]) == (0, 5.0, 5.0, 0.0)


def test_months_in_which_nobody_stood_in_the_tier_do_not_count_as_nobody_moving():
    # six months of 10 % and six without a high customer: still 10 %, not 0 to 10 %
    past = months_with([10] * 6) + [moved(("low", "low", 10, 1.0))] * 6
    found = movement_of(past, moved(("high", "ordinary", 10, 1.0)), NO_SCALE_MOVES, None)
    assert cell(found, "high", "ordinary")[["usual_low", "usual_high"]].tolist() == [1.0, 1.0]
    five = months_with([10] * 5) + [moved(("low", "low", 10, 1.0))] * 7
    found = movement_of(five, moved(("high", "ordinary", 10, 1.0)), NO_SCALE_MOVES, None)
    assert np.isnan(cell(found, "high", "ordinary")["usual_low"])


def test_newcomers_are_judged_against_the_customers_known_before():
    # 20 newcomers to 100 known is 20 %; now 50 are known: 10 usual
    past = [moved(("new", "low", 20, 1.0), ("low", "low", 100, 1.0))] * 6
    now = moved(("new", "low", 3, 1.0), ("low", "low", 50, 1.0))
    found = movement_of(past, now, NO_SCALE_MOVES, None)
    assert cell(found, "new", "low")[["customers", "usual_low", "usual_high"]].tolist() == [3, 10.0, 10.0]


def test_scale_moves_and_last_year_stand_beside_and_customers_are_all_there_once():
    now = moved(("high", "high", 7, 2.0), ("low", "ordinary", 3, 1.0))
    by_scale = moved(("ordinary", "high", 2, 0.0))
    year_ago = moved(("low", "ordinary", 4, 1.0), ("low", "outside", 1, 1.0))
    found = movement_of([year_ago], now, by_scale, year_ago)
    assert list(found) == ["from_tier", "to_tier", "customers", "usual_low", "usual_high", "same_month_last_year",
                           "revenue", "moved_by_customer", "moved_by_scale"]  # fmt: skip
    assert found["customers"].sum() == len(now) and found["revenue"].sum() == now["net"].sum()
    assert cell(found, "ordinary", "high")[["customers", "moved_by_customer", "moved_by_scale"]].tolist() == [0, 0, 2]
    assert cell(found, "low", "ordinary")["same_month_last_year"] == 4
    assert cell(found, "high", "high")["same_month_last_year"] == 0
    assert found[["customers", "moved_by_customer", "moved_by_scale"]].dtypes.map(str).tolist() == ["int64"] * 3


def test_a_month_of_one_customer_has_a_table():
    found = movement_of([], moved(("new", "high", 1, 9.0)), NO_SCALE_MOVES, None)
    assert found[["customers", "revenue"]].to_numpy().tolist() == [[1, 9.0]]
