"""Scores by row rank: agreement with pandas' own recipe, and by hand whose tier the order of rows decides."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.cases.row_ranks import hangs_on_row, parted, scores_by_row
from tierbook.scores import maps


def shop(recency, frequency, monetary):
    return pd.DataFrame({"recency_days": recency, "frequency": frequency, "monetary": monetary}, dtype=float)


def recipe(measures, bins):
    """The tutorials' way: ranks in the order of rows, then quantiles."""
    labels = list(range(1, bins + 1))
    ranks = {letter: measures[name].rank(method="first") for letter, name in zip("rfm", measures, strict=True)}
    cut = {
        letter: pd.qcut(rank, bins, labels=labels[::-1] if letter == "r" else labels) for letter, rank in ranks.items()
    }
    return pd.DataFrame(cut).astype(int)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 4), st.integers(0, 9)), min_size=10, max_size=40),
       st.sampled_from([4, 5]), st.data())  # fmt: skip
def test_first_and_last_row_score_as_the_recipe_scores_them(rows, bins, data):
    measures = shop(*zip(*rows, strict=True))
    one = data.draw(st.integers(0, len(rows) - 1))
    others = measures.drop(index=one)
    first, last = scores_by_row(measures, bins), scores_by_row(measures, bins, last=True)
    assert first.loc[one].tolist() == recipe(pd.concat([measures.loc[[one]], others]), bins).loc[one].tolist()
    assert last.loc[one].tolist() == recipe(pd.concat([others, measures.loc[[one]]]), bins).loc[one].tolist()


def test_identical_customers_parted_by_hand():
    """Ten customers in five scores of two rows each. Frequency 1 six times: rows 1 to 6 score 1, 1, 2, 2, 3, 3.

    Two, three, four and five orders once each: 4, 4, 5, 5, nothing parted. Money: all differ. Recency: 9 twice, on
    ranks 1 and 2, one score; 20 four times on ranks 3 to 6, scores 4 and 3.
    """
    measures = shop([9, 9, 20, 20, 20, 20, 30, 31, 32, 33], [1] * 6 + [2, 3, 4, 5], range(10))
    found = parted(measures, 5).set_index("measure")
    assert found.loc["frequency"].tolist() == [1, 6, 6]
    assert found.loc["recency_days"].tolist() == [1, 4, 4]
    assert found.loc["monetary"].tolist() == [0, 0, 0]


def test_a_tier_that_the_row_decides():
    """Ten one-order customers: the first row scores f 1, the last f 5, so with m 5 the tier is high or not.

    Money 1 to 10: only the ninth and tenth have m 5; recency all alike too, which makes r 5 first and 1 last: m 4 is
    potential in the first row and ordinary in the last, m 1 and 2 ordinary in the first and low in the last. m 3 stays.
    """
    measures = shop([7] * 10, [1] * 10, range(1, 11))
    moved = hangs_on_row(measures, maps.find("four_tier"))
    assert moved.tolist() == [True] * 4 + [False] * 2 + [True] * 4


@given(st.permutations(range(12)))
@settings(max_examples=20, deadline=None)
def test_the_counts_themselves_do_not_hang_on_the_order_of_rows(order):
    measures = shop(
        [1, 1, 1, 5, 5, 8, 9, 9, 9, 9, 12, 14], [1] * 7 + [2] * 3 + [4, 6], [3, 3, 3, 4, 5, 6, 7, 8, 9, 9, 10, 11]
    )
    shuffled = measures.iloc[list(order)]
    pd.testing.assert_frame_equal(parted(shuffled, 5), parted(measures, 5))
    scheme = maps.find("four_tier")
    pd.testing.assert_series_equal(hangs_on_row(shuffled, scheme).sort_index(), hangs_on_row(measures, scheme))


@pytest.mark.parametrize("n", [10, 11, 12, 13, 14])
def test_distinct_values_are_never_parted(n):
    measures = shop(np.arange(n), np.arange(n), np.arange(n))
    assert (parted(measures, 5)[["values", "customers", "largest"]] == 0).all(axis=None)
    assert not hangs_on_row(measures, maps.find("four_tier")).any()
