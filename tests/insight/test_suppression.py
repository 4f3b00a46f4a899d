"""Small cells suppressed: nothing hidden can be worked out from what is told."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.insight import suppression


def read_back(counts, hidden):
    """What simple subtraction finds: totals less the cells in sight, again and again, and nothing where a total is nil."""
    known = np.where(hidden, np.nan, counts.astype(float))
    told = suppression.totals_told(counts)
    found = True
    while found:
        found = False
        for axis in range(3):
            cells, truth = np.moveaxis(known, axis, -1), np.moveaxis(counts, axis, -1)
            for at in np.ndindex(cells.shape[:-1]):
                gap = np.isnan(cells[at])
                # over the values (axis 0) every total is told, of a value's own only where a page may
                if not gap.any() or counts.shape[axis] == 1 or (axis and not told[at[0]]):
                    continue
                left = truth[at].sum() - np.nansum(cells[at])
                if gap.sum() == 1 or left == 0:
                    cells[at][gap] = left
                    found = True
    return known


def test_one_small_cell_takes_others_with_it():
    counts = np.array([[[40, 3], [30, 20]], [[25, 35], [50, 60]]])
    hidden = suppression.suppressed(counts)
    assert hidden[0, 0, 1], "3 is small"
    for axis in range(3):
        assert not (hidden.sum(axis=axis) == 1).any(), "nothing hidden stands alone in a total"
    assert np.isnan(read_back(counts, hidden)[0, 0, 1])
    alone = np.zeros_like(hidden)
    alone[0, 0, 1] = True
    assert read_back(counts, alone)[0, 0, 1] == 3, "hidden alone, subtraction finds it"


def test_nothing_small_hides_nothing():
    assert not suppression.suppressed(np.array([[[10, 0], [30, 20]], [[25, 35], [0, 60]]])).any()


def test_totals_that_are_cells_are_kept_back_and_not_alone():
    # all of the first value are high: its totals by stage are its very cells, and so they are by difference
    counts = np.array([[[40, 3], [0, 0]], [[25, 35], [50, 60]], [[90, 80], [95, 85]]])
    assert suppression.totals_told(counts).tolist() == [False, False, True]
    assert np.isnan(read_back(counts, suppression.suppressed(counts))[0, 0, 1])


@pytest.mark.parametrize(("customers", "told"), [(9, False), (10, True), (11, True)])
def test_totals_of_under_10_customers_are_kept_back(customers, told):
    counts = np.array([[[customers - 4, 2], [1, 1]], [[25, 35], [50, 60]], [[90, 80], [95, 85]]])
    assert suppression.totals_told(counts).tolist()[0] == told


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 10**6), st.sampled_from([(2, 2, 3), (3, 3, 3), (4, 3, 5), (1, 3, 4)]), st.sampled_from([4, 15, 60])
)
def test_subtraction_finds_no_small_count(seed, shape, size):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(0.6, size, shape))
    hidden = suppression.suppressed(counts)
    small = (counts > 0) & (counts < 10)
    assert hidden[small].all()
    # left to itself: a cell where no other value has anybody
    only = (counts > 0).sum(axis=0) == 1 if shape[0] > 1 else np.zeros(shape[1:], dtype=bool)
    judged = small & ~only[None]
    assert np.isnan(read_back(counts, hidden)[judged]).all()
