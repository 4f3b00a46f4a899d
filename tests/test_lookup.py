"""Customers looked up by id: by hand, and as pandas' reindex does it."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from tierbook import lookup


def test_who_is_not_there_is_null_and_order_is_that_of_the_asked():
    ids, tiers = pd.Series(["b", "a", "丙"]), pd.Series(["low", "high", "vip"], dtype=object)
    asked = pd.Series(["a", "x", "丙", "a"], index=[7, 8, 9, 10])
    assert lookup.places(asked, ids).tolist() == [1, -1, 2, 1]
    found = lookup.of(asked, ids, tiers)
    assert found.index.tolist() == [7, 8, 9, 10] and found.fillna("nobody").tolist() == [
        "high",
        "nobody",
        "vip",
        "high",
    ]


def test_nobody_there_and_nobody_asked():
    nobody = pd.Series([], dtype="str")
    assert lookup.of(pd.Series(["a"]), nobody, pd.Series([], dtype=object)).isna().tolist() == [True]
    assert lookup.of(nobody, pd.Series(["a"]), pd.Series([1.0])).empty


@given(st.lists(st.text(max_size=3), max_size=20), st.lists(st.text(max_size=3), max_size=20, unique=True))
def test_as_reindex_does(asked, ids):
    values = pd.Series(np.arange(len(ids), dtype=float))
    expected = values.set_axis(ids).reindex(asked).tolist()
    found = lookup.of(pd.Series(asked, dtype="str"), pd.Series(ids, dtype="str"), values).astype(float).tolist()
    np.testing.assert_array_equal(found, expected)
