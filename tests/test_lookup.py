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


PEOPLE = pd.DataFrame({"customer_id": ["b", "a", "丙"], "owner": ["ann", None, "bo"], "n": [1, 2, 3]}, index=[4, 5, 6])


def test_rows_of_the_asked_on_their_index():
    asked = pd.Series(["丙", "x", "a", "丙"], index=[7, 8, 9, 3])
    found = lookup.rows(asked, PEOPLE)
    assert found.index.tolist() == [7, 8, 9, 3] and list(found) == list(PEOPLE)
    plain = found.astype(object).where(found.notna(), None).to_numpy().tolist()
    assert plain == [["丙", "bo", 3], [None, None, None], ["a", None, 2], ["丙", "bo", 3]]


def test_rows_where_nobody_is_there_or_asked():
    unknown = lookup.rows(pd.Series(["a", None]), PEOPLE.iloc[:0])
    assert unknown.isna().all(axis=None) and unknown.shape == (2, 3)
    nobody = lookup.rows(pd.Series([], dtype="str"), PEOPLE)
    assert nobody.empty and list(nobody) == list(PEOPLE)
    assert lookup.rows(pd.Series([None, "b"]), PEOPLE)["n"].isna().tolist() == [True, False]


@given(st.lists(st.text(max_size=3), max_size=20), st.lists(st.text(max_size=3), max_size=20, unique=True))
def test_rows_as_merge_finds_them(asked, ids):
    table = pd.DataFrame({"customer_id": pd.Series(ids, dtype="str"), "n": np.arange(len(ids), dtype=float)})
    wanted = pd.Series(asked, dtype="str", name="customer_id")
    expected = wanted.to_frame().merge(table, on="customer_id", how="left")["n"].tolist()
    np.testing.assert_array_equal(lookup.rows(wanted, table)["n"].astype(float).tolist(), expected)


@given(st.lists(st.text(max_size=3), max_size=20), st.lists(st.text(max_size=3), max_size=20, unique=True))
def test_as_reindex_does(asked, ids):
    values = pd.Series(np.arange(len(ids), dtype=float))
    expected = values.set_axis(ids).reindex(asked).tolist()
    found = lookup.of(pd.Series(asked, dtype="str"), pd.Series(ids, dtype="str"), values).astype(float).tolist()
    np.testing.assert_array_equal(found, expected)
