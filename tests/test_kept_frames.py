"""Frames kept part by part: columns, rows and batches are those of the frame in one piece; and one kept in another order."""

import datetime as dt
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook import params
from tierbook.cache import Cache, save_part
from tierbook.errors import ParamsError
from tierbook.tables import Tables

IDS = ["a", "b", "客户1", "客户2", "🛒"]


@pytest.fixture
def kept(tmp_path):
    return Cache(tmp_path / "step-1")


def keep_parts(kept, name, parts):
    """A frame kept as a workbook keeps it, part after part."""
    kept.keep_written(name, lambda folder: len([save_part(part, folder, n) for n, part in enumerate(parts())]))


def customers():
    """One row each of five customers; some columns know nothing of the first two, or of the last three."""
    tenure = pd.Categorical(["old", "new", "old", None, "new"], ["new", "old"], ordered=True)
    return pd.DataFrame({"customer_id": pd.Series(IDS, dtype="str"), "orders": [1, 2, 3, 4, 5]}).assign(
        gap=[7.0, np.nan, np.nan, np.nan, np.nan],
        score=pd.array([5, None, 1, None, 2], "Int8"),
        known=pd.array([True, None, None, False, None], "boolean"),
        tenure=tenure,
        seen=[None, None, dt.date(2026, 10, 31), None, dt.date(2024, 2, 29)],
        gone=[dt.date(2026, 1, 1), None, None, None, None],
        told=[None, None, True, False, True],
        reason=pd.Series([None, None, "silent", None, "少"], dtype=object),
        owner=pd.Series(["ann", None, None, None, None], dtype=object),
        nothing=pd.Series([None] * 5, dtype=object),
    )  # fmt: skip


def cut(frame, *ends):
    bounds = [0, *ends, len(frame)]
    return [frame.iloc[a:b].reset_index(drop=True) for a, b in pairwise(bounds)]


@pytest.mark.parametrize(
    "ends", [(), (2,), (1, 2, 3, 4), (0, 5), (0, 2, 2)], ids=["one", "two", "each", "ends", "empty"]
)
def test_parts_under_each_other_are_the_frame(kept, ends):
    kept.keep("whole", customers)
    keep_parts(kept, "parts", lambda: iter(cut(customers(), *ends)))
    found, expected = kept.read_frame("parts"), kept.read_frame("whole")
    assert list(found) == list(expected) and found["customer_id"].tolist() == IDS
    for column in set(expected) - {"nothing"}:
        pd.testing.assert_series_equal(found[column], expected[column])
    assert found["nothing"].isna().all() and found["nothing"].dtype == "str", "an engine must know its kind: text"
    assert [p.name for p in (kept.folder / "parts").iterdir()] == ["frame_.parquet"], "no part is left behind"


@settings(deadline=None, max_examples=15)
@given(ends=st.lists(st.integers(0, 5), max_size=4).map(sorted), rows=st.integers(1, 6))
def test_however_they_are_cut_and_read(ends, rows, tmp_path_factory):
    kept = Cache(tmp_path_factory.mktemp("kept") / "it")
    keep_parts(kept, "it", lambda: iter(cut(customers(), *ends)))
    whole = kept.read_frame("it")
    batches = list(kept.batches("it", rows))
    assert all(0 < len(batch) <= rows for batch in batches)
    names = ["customer_id", "orders", "gap", "seen", "reason"]
    together = pd.concat([batch[names].astype(object) for batch in batches], ignore_index=True)
    pd.testing.assert_frame_equal(together.where(together.notna(), None), _plain(whole[names]))


def _plain(frame):
    plain = frame.astype(object)
    return plain.where(plain.notna(), None)


def test_whole_numbers_with_a_null_in_a_later_part_alone_stay_numbers(kept):
    """The first part has no gap, so it holds whole numbers; the second makes them numbers that may be missing."""
    keep_parts(kept, "it", lambda: [pd.DataFrame({"n": [1, 2]}), pd.DataFrame({"n": [None, 2.5]})])
    assert kept.read_frame("it")["n"].astype(object).where(lambda n: n.notna(), None).tolist() == [1, 2, None, 2.5]


def test_kinds_that_no_type_holds_are_refused_and_leave_nothing(kept):
    with pytest.raises(Exception, match="n has incompatible types"):
        keep_parts(kept, "it", lambda: [pd.DataFrame({"n": [1]}), pd.DataFrame({"n": ["one"]})])
    assert not list(kept.folder.iterdir())


def test_a_part_is_asked_for_when_the_one_before_is_written(kept):
    seen = []

    def parts():
        for n, part in enumerate(cut(customers(), 2, 4)):
            seen.append(len(list(kept.folder.glob(".new-*/it/frame_.parquet/part-*"))) == n)
            yield part

    keep_parts(kept, "it", parts)
    keep_parts(kept, "it", lambda: 1 / 0)  # kept already: nothing is computed
    assert seen == [True] * 3


def test_a_part_that_is_not_there_is_told_and_nothing_is_kept(kept):
    """Three were written, by nodes of which one writes elsewhere: the second is not seen here."""

    def write(folder):
        for number in (0, 2):
            save_part(customers(), folder, number)
        return 3

    with pytest.raises(ParamsError, match=r"1 of 3 parts .* such as part-00001\.parquet; --outputs must lie on a disk"):
        kept.keep_written("it", write)
    assert not list(kept.folder.iterdir())


def test_a_part_written_twice_is_there_once(kept):
    def write(folder):
        for _ in range(2):
            save_part(customers(), folder, 0)
        assert [path.name for path in folder.iterdir()] == ["part-00000.parquet"]
        return 1

    kept.keep_written("it", write)
    assert kept.read_frame("it")["customer_id"].tolist() == IDS


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (None, IDS),
        ([("customer_id", ">=", "b"), ("customer_id", "<", "客户2")], ["b", "客户1"]),
        ([("customer_id", "<", "a")], []),
        ([("customer_id", ">=", "🛒")], ["🛒"]),
        ([("orders", ">", 3)], ["客户2", "🛒"]),
    ],
)  # fmt: skip
def test_rows_and_columns_asked_for(kept, rows, expected):
    keep_parts(kept, "it", lambda: iter(cut(customers(), 1, 3)))
    whole = kept.read_frame("it")
    found = kept.read_frame("it", ["reason", "customer_id", "score"], rows)
    assert list(found) == ["reason", "customer_id", "score"] and found["customer_id"].tolist() == expected
    chosen = whole.set_index("customer_id").loc[expected].reset_index()
    pd.testing.assert_frame_equal(found, chosen[list(found)], check_dtype=bool(expected), check_index_type=False)


@pytest.mark.parametrize("parts", [1, 3])
def test_nobody_is_an_empty_frame_with_its_columns(kept, parts):
    nobody = customers().iloc[:0]
    keep_parts(kept, "it", lambda: [nobody] * parts)
    found = kept.read_frame("it")
    assert found.empty and list(found) == list(nobody) and found["orders"].dtype == "int64"
    (batch,) = kept.batches("it", 2)
    assert batch.empty and list(batch) == list(nobody)


@settings(deadline=None, max_examples=15)
@given(ends=st.lists(st.integers(0, 5), max_size=4).map(sorted), rows=st.integers(1, 6))
def test_the_ids_that_parts_begin_with(ends, rows, tmp_path_factory):
    kept = Cache(tmp_path_factory.mktemp("kept") / "it")
    keep_parts(kept, "it", lambda: iter(cut(customers(), *ends)))
    assert kept.every("it", "customer_id", rows) == IDS[rows::rows]


# --- a kept frame in another order ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    (folder / "orders.csv").write_text("customer_id,ordered_at,amount\na,2026-01-01,1\n")
    source = {"transactions": {"path": str(folder / "orders.csv")}}
    tree = {"report": {"name": "shop"}, "as_of": "2026-10-31", "source": source}
    return Tables(params.parse(tree), folder / ".work", [])


LIST = pd.DataFrame(
    {"customer_id": ["b", "a", "客户", "Ä", "c", "B"], "money": [2.0, np.nan, 2.0, 9.5, np.nan, -1.0], "n": [1, 2, 3, 4, 5, 6]}
)  # fmt: skip


@pytest.mark.parametrize(
    ("by", "descending", "expected"),
    [
        (["money", "customer_id"], [True, False], ["Ä", "b", "客户", "B", "a", "c"]),  # of equal money the id decides
        (["money", "customer_id"], [False, False], ["B", "b", "客户", "Ä", "a", "c"]),  # nulls last, either way
        (["money", "customer_id"], [True, True], ["Ä", "客户", "b", "B", "c", "a"]),
        (["customer_id"], [False], ["B", "a", "b", "c", "Ä", "客户"]),  # by the bytes of UTF-8
        (["n"], [True], ["B", "c", "Ä", "客户", "a", "b"]),
    ],
)
def test_sorted_with_ties_and_nulls(tables, by, descending, expected):
    keep_parts(tables.cache, "list", lambda: iter(cut(LIST, 2, 5)))
    step = f"sorted-{'-'.join(by)}-{descending}"
    tables.sort(step, "list", by, descending)
    found = tables.cache.read_frame(step)
    assert found["customer_id"].tolist() == expected
    pd.testing.assert_frame_equal(found, LIST.set_index("customer_id").loc[expected].reset_index(), check_dtype=False)


def test_nobody_sorted_is_nobody(tables):
    tables.cache.keep("nobody", lambda: LIST.iloc[:0])
    tables.sort("nobody_sorted", "nobody", ["money", "customer_id"], [True, False])
    found = tables.cache.read_frame("nobody_sorted")
    assert found.empty and list(found) == list(LIST)


def test_a_kept_frame_is_lazy_in_an_open_engine(tables):
    keep_parts(tables.cache, "asked", lambda: iter(cut(LIST, 2, 5)))
    with tables.engine() as engine:
        found = engine.collect(tables.scan_step(engine, "asked").select("n").sort("n"))
    assert found["n"].tolist() == [1, 2, 3, 4, 5, 6]
