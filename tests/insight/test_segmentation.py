"""Segmentation as a reader sees it: cut points in words, cells counted, who came back."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.insight import segmentation
from tierbook.scores import maps
from tierbook.scores.rfm import Scale

CUTS = {
    "recency_days": [10.0, 20.0, 40.0, 80.0],
    "frequency": [1.0, 2.0, 3.0, 5.0],
    "monetary": [5.0, 10.0, 50.0, 90.0],
}
SCALE = Scale(5, CUTS, "fixed", 3, "2026-10-31")


def test_a_score_starts_where_the_table_says():
    nobody = segmentation.cells(SCALE.apply(pd.DataFrame(columns=list(CUTS), dtype=float)))
    table = segmentation.cut_table(SCALE, nobody).set_index("score")
    for score in (5, 4, 3, 2):
        row = table.loc[score]
        at = pd.DataFrame(
            {
                "recency_days": [row["recency_at_most"], row["recency_at_most"] + 1],
                "frequency": [row["frequency_at_least"], row["frequency_at_least"] - 1],
                "monetary": [row["monetary_above"] + 0.01, row["monetary_above"]],
            }
        )
        given_scores = SCALE.apply(at)
        assert given_scores.iloc[0].tolist() == [score] * 3
        assert given_scores.iloc[1].tolist() == [score - 1] * 3
    assert table.loc[1, ["recency_at_most", "monetary_above"]].isna().all()
    assert table.loc[1, "frequency_at_least"] == 1


def test_customers_are_counted_by_each_score():
    scores = pd.DataFrame({"r": [5, 5, None], "f": [1, 2, None], "m": [3, 3, None]}).astype("Int8")
    table = segmentation.cut_table(SCALE, segmentation.cells(scores)).set_index("score")
    assert table.loc[5, "customers_r"] == 2 and table.loc[3, "customers_m"] == 2
    assert table["customers_f"].tolist() == [0, 0, 0, 1, 1]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[st.integers(1, 5)] * 3), max_size=40))
def test_every_customer_is_in_one_cell(cells):
    rows = pd.DataFrame(cells, columns=["r", "f", "m"], dtype="Int8")
    table = segmentation.cell_map(maps.find("eleven"), segmentation.cells(rows))
    assert len(table) == 125
    assert table["customers"].sum() == len(cells)


def test_a_cell_carries_its_published_name():
    nobody = segmentation.cells(pd.DataFrame(columns=["r", "f", "m"]))
    table = segmentation.cell_map(maps.find("eleven"), nobody).set_index(["r", "f", "m"])
    assert table.loc[(5, 5, 5), "name"] == "champions"
    assert table.loc[(1, 5, 5), "name"] == "cannot_lose"
    assert table.loc[(1, 1, 1), "name"] == "lost"


def test_cells_count_whoever_has_no_score_too_and_add_up():
    # two with 5-1-3, one with 1-1-1, one without a cost (no m), one without an order in the window
    scores = pd.DataFrame({"r": [5, 1, 5, 2, None], "f": [1, 1, 1, 2, None], "m": [3, 1, 3, None, None]}, dtype="Int8")
    counted = segmentation.cells(scores)
    assert counted.astype("Float64").fillna(0).to_numpy().tolist() == [
        [1, 1, 1, 1], [2, 2, 0, 1], [5, 1, 3, 2], [0, 0, 0, 1],
    ]  # fmt: skip
    parts = pd.concat([segmentation.cells(scores.iloc[:2]), segmentation.cells(scores.iloc[2:])])
    pd.testing.assert_frame_equal(segmentation.cells(parts), counted)
    assert segmentation.cell_map(maps.find("eleven"), counted)["customers"].sum() == 3


def test_the_spread_counts_each_customer_once():
    # 1 to 1000 in 30 bins on a log scale: a bin is a tenth of a power of ten, and a hair at both ends. 1 in the first,
    # 1000 in the last; 31.62… is the middle, between 15 and 16; 0 and −5 have no place; the null of money drops a row
    rows = {
        "recency_days": [3.0, 3, 7, 9, 9, 8],
        "frequency": [1.0, 2, 1, 40, 1, 1],
        "monetary": [1.0, 1000, 32, 0, -5, None],
    }
    found = segmentation.spread(pd.DataFrame(rows))
    assert (found["customers"], found["without_money"]) == (5, 2)
    assert found["recency_days"].to_numpy().tolist() == [[3, 2], [7, 1], [9, 2]]
    assert found["frequency"].to_numpy().tolist() == [[1, 3], [2, 1], [40, 1]]
    money = found["money"]
    assert len(money) == 30 and money.index[money["customers"] > 0].tolist() == [0, 15, 29]
    assert money["low"].iloc[0] < 1 and money["high"].iloc[-1] > 1000 and (money["high"] > money["low"]).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-10, 1e9, allow_subnormal=False), max_size=60))
def test_all_money_above_zero_lies_in_a_bin(amounts):
    rows = pd.DataFrame({"recency_days": 1.0, "frequency": 1.0, "monetary": pd.Series(amounts, dtype=float)})
    found = segmentation.spread(rows)
    assert found["money"]["customers"].sum() + found["without_money"] == found["customers"] == len(amounts)


def test_comeback_counts_within_bands():
    # 29 days: first band; 30: second. 12 at 29 days of whom 3 bought again; 10 at 30 of whom none; 9 at 500, too few.
    ids = [f"c{n}" for n in range(31)]
    then = pd.DataFrame({"customer_id": ids, "recency_days": [29] * 12 + [30] * 10 + [500] * 9, "active_days": 1})
    now = pd.DataFrame({"customer_id": ids[::-1], "active_days": [2 if n < 3 else 1 for n in range(31)][::-1]})
    halves = [segmentation.silences(now, then.iloc[:15]), segmentation.silences(now, then.iloc[15:])]
    table = segmentation.comeback(halves).set_index("silent_from")
    pd.testing.assert_frame_equal(segmentation.comeback([segmentation.silences(now, then)]), table.reset_index())
    assert table.loc[0, ["silent_to", "customers", "came_back"]].tolist() == [29, 12, 0.25]
    assert table.loc[30, ["customers", "came_back"]].tolist() == [10, 0.0]
    assert table.loc[480, "customers"] == 9 and np.isnan(table.loc[480, "came_back"])
    assert table.loc[480:480, "silent_to"].isna().all()


def test_comeback_of_nobody_is_empty_bands():
    nobody = pd.DataFrame({"customer_id": [], "recency_days": [], "active_days": []})
    table = segmentation.comeback([segmentation.silences(nobody, nobody)])
    assert table["customers"].sum() == 0 and table["came_back"].isna().all()
