"""Sizes of tests of a share: the textbook's 10 against 12 %, both arms' customers, odds by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierbook.cases.share_tests import at_odds, share_tests
from tierbook.errors import InputError


def asked(share, customers=10_000):
    return pd.DataFrame({"tier": "a", "customers": customers, "share": [share]})


@pytest.mark.parametrize(
    ("share", "expected", "needed"),
    [  # (1.959964 + 0.841621)² = 7.848880; × (p q + P Q) / (P - p)²
        (0.10, 0.12, 3839),  # × (0.09 + 0.1056) / 0.0004 = 3838.1
        (0.50, 0.40, 385),  # × (0.25 + 0.24) / 0.01 = 384.6
        (0.00, 0.05, 150),  # × (0 + 0.0475) / 0.0025 = 149.1
    ],
)
def test_sizes_by_hand(share, expected, needed):
    table = share_tests(asked(share), pd.Series([expected]))
    assert table["needed"].tolist() == [needed]
    assert list(table) == ["tier", "customers", "share", "expected", "needed", "enough"]


@pytest.mark.parametrize(("customers", "enough"), [(7677, False), (7678, True), (7679, True)])
def test_both_arms_must_be_there(customers, enough):
    assert share_tests(asked(0.10, customers), pd.Series([0.12]))["enough"].tolist() == [enough]


def test_nothing_to_find_and_nothing_known():
    table = share_tests(pd.concat([asked(0.1), asked(0.1), asked(None)]), pd.Series([0.1, np.nan, 0.2]))
    assert table["needed"].isna().all() and not table["enough"].fillna(False).any()
    with pytest.raises(InputError, match=r"1 shares are not from 0 to 1, as \[1.2\]"):
        share_tests(asked(0.9), pd.Series([1.2]))


@pytest.mark.parametrize(
    ("share", "ratio", "expected"),
    [(0.5, 2, 2 / 3), (0.5, 0.5, 1 / 3), (0.2, 4, 0.5), (0.0, 3, 0.0), (1.0, 3, 1.0)],
)
def test_odds_by_hand(share, ratio, expected):
    """0.2 is 1 to 4; four times that is 1 to 1, a half."""
    assert at_odds(pd.Series([share]), ratio).iloc[0] == pytest.approx(expected)


@given(st.floats(0.01, 0.99), st.floats(0.1, 10))
def test_there_and_back_again(share, ratio):
    assert at_odds(at_odds(pd.Series([share]), ratio), 1 / ratio).iloc[0] == pytest.approx(share)
