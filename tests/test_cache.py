"""The cache: a result under the fingerprint of all it depends on, whole or not at all."""

import datetime as dt
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tierbook import cache, params
from tierbook.cache import Cache, file_sha256, fingerprint, sweep
from tierbook.tables import Tables

TREE = {"report": {"name": "mine"}, "as_of": "2026-10-31", "source": {"transactions": {"path": "orders.csv"}}}


@pytest.fixture
def kept(tmp_path):
    return Cache(tmp_path / "step-1")


def mark(changes=(), inputs=None):
    return fingerprint(params.parse({**TREE, **dict(changes)}), inputs or {"orders.csv": "aa"})


def test_the_fingerprint_moves_with_what_numbers_depend_on_and_with_nothing_else(monkeypatch):
    same = mark()
    assert mark() == same
    assert mark({"report": {"name": "mine", "title": {"en": "New"}, "languages": ["zh"]}}) == same
    assert mark({"report": {"name": "mine", "mask_customer_ids": True, "notebooks": ["07_summarise_month"]}}) == same
    assert mark({"seed": 7, "currency": "CNY"}) == same  # the defaults, written out
    moved = [
        mark({"seed": 8}),
        mark({"as_of": "2026-10-30"}),
        mark({"rfm": {"bins": 4}}),
        mark(inputs={"orders.csv": "ab"}),
        mark(inputs={"orders.csv": "aa", "b": "c"}),
    ]
    monkeypatch.setattr(cache, "code_digest", lambda: "another library")
    moved.append(mark())
    assert len({same, *moved}) == 7


def test_the_order_of_inputs_does_not_matter():
    assert mark(inputs={"a": "1", "b": "2"}) == mark(inputs={"b": "2", "a": "1"})


@pytest.mark.parametrize(
    ("file", "name"),
    [
        (params.ROOT / "data" / "orders.csv", "data/orders.csv"),
        (params.ROOT / ".." / "shared" / "orders.csv", "../shared/orders.csv"),
        (params.ROOT / "outputs" / ".work" / "demo-1" / "tables" / "leads.csv", "demo-1/tables/leads.csv"),
        (Path("/data/orders.csv"), "/data/orders.csv"),
    ],
)
def test_an_input_goes_by_a_name_that_does_not_tell_where_the_project_lies(file, name):
    tables = Tables(params.parse(TREE), params.ROOT / "outputs" / ".work", [])
    assert tables.named(file) == name


def test_sha256_is_that_of_the_bytes_and_follows_a_change(tmp_path):
    path, memo = tmp_path / "orders.csv", tmp_path / "memo"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert file_sha256(path, memo) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_sha256(path, memo) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    path.write_bytes(b"")
    assert file_sha256(path, memo) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_file_is_hashed_once(tmp_path, monkeypatch):
    path, memo = tmp_path / "orders.csv", tmp_path / "memo"
    path.write_bytes(b"abc")
    first = file_sha256(path, memo)
    monkeypatch.setattr(cache.hashlib, "file_digest", None)
    assert file_sha256(path, memo) == first


def test_a_step_is_computed_once_and_read_back_as_it_was(kept):
    frame = pd.DataFrame(
        {
            "id": ["007", None, "中"],
            "n": pd.array([1, None, 3], "Int64"),
            "x": [0.1, np.nan, 3],
            "on": [True, False, True],
        }
    )
    calls = []
    for _ in range(2):
        found = kept.step("frame", lambda: calls.append(1) or frame)
        pd.testing.assert_frame_equal(found, frame)
    assert len(calls) == 1


def test_a_step_may_hold_frames_and_plain_values(kept):
    frame = pd.DataFrame({"a": [1]})
    result = {
        "frame": frame,
        "other": frame.iloc[:0],
        "count": np.int64(5),
        "rate": np.float64(0.5),
        "cuts": np.array([1, 2]),
        "day": dt.date(2026, 10, 31),
        "none": None,
        "words": {"zh": "高"},
        "sure": np.bool_(True),
    }
    found = kept.step("mixed", lambda: result)
    pd.testing.assert_frame_equal(found.pop("frame"), frame)
    assert found.pop("other").empty
    assert found == {
        "count": 5,
        "rate": 0.5,
        "cuts": [1, 2],
        "day": "2026-10-31",
        "none": None,
        "words": {"zh": "高"},
        "sure": True,
    }


@pytest.mark.parametrize("result", [pd.DataFrame(), pd.DataFrame({"a": []}), {}])
def test_empty_results_are_results(kept, result):
    found = kept.step("empty", lambda: result)
    assert len(found) == 0 and type(found) is type(result)
    assert len(kept.step("empty", lambda: 1 / 0)) == 0


def test_what_cannot_be_kept_is_a_mistake_not_a_text(kept):
    with pytest.raises(TypeError, match="cannot keep a object"):
        kept.step("bad", lambda: {"a": object()})
    assert not list(kept.folder.iterdir())


def test_a_step_that_fails_leaves_nothing_and_may_be_tried_again(kept):
    def half(path):
        path.mkdir()
        (path / "one").write_text("1")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        kept.file("tables", half)
    assert not list(kept.folder.iterdir())
    assert kept.file("tables", lambda path: path.write_text("whole")).read_text() == "whole"


@pytest.mark.parametrize(
    "make", [lambda path, text: path.write_text(text), lambda path, text: (path.mkdir(), (path / "x").write_text(text))]
)
def test_of_two_writers_the_first_wins(kept, make):
    def slow(path):
        make(path, "slow")
        kept.put("it", lambda other: make(other, "quick"))  # another process ends in the meantime

    kept.put("it", slow)
    found = kept.folder / "it"
    assert (found / "x" if found.is_dir() else found).read_text() == "quick"
    assert [p.name for p in kept.folder.iterdir()] == ["it"]


def test_the_folders_used_last_are_kept(tmp_path):
    # Eleven folders, used on days 0 … 10: the eight used last (3 … 10) stay; what is no step is never touched.
    (tmp_path / "sha256").mkdir()
    for day in range(11):
        Cache(tmp_path / f"step-{day}")
        os.utime(tmp_path / f"step-{day}", (day * 86400, day * 86400))
    sweep(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"sha256", *(f"step-{day}" for day in range(3, 11))}


def test_opening_a_cache_counts_as_using_it(tmp_path):
    folder = Cache(tmp_path / "step-1").folder
    os.utime(folder, (0, 0))
    Cache(folder)
    assert folder.stat().st_mtime > 86400
