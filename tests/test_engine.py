"""The engine: quoting that no name can break out of, a zone of its own, and nothing left behind."""

import narwhals as nw
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.engine import Engine, identifier, literal, open_engine, path_literal
from tierbook.errors import ParamsError
from tierbook.params import EngineParams

HOSTILE = ["'", '"', "'); DROP TABLE t; --", '"; SELECT 1; --', "a''b", "\\", "${HOME}", "中文", "%s {0}", "💥", "a\nb"]


@pytest.mark.parametrize("text", HOSTILE)
def test_literals_and_identifiers_hold_any_text(engine, text):
    found = engine.execute(f"SELECT {literal(text)} AS {identifier(text)}")
    assert found.description[0][0] == text and found.fetchall() == [(text,)]


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1))
def test_any_text_survives_as_a_literal(engine, text):
    assert engine.execute(f"SELECT {literal(text)}").fetchall() == [(text,)]


@pytest.mark.parametrize(
    ("name", "matched"),
    [("plain", "other"), ("a[1]", "a1"), ("a*b?", "axby"), ("it's", "other"), ("[x", "x"), ("中 文", "other")],
)
def test_files_with_any_name_are_read_and_not_what_the_name_matches(engine, tmp_path, name, matched):
    for stem, cell in ((name, 3), (matched, 4)):
        path = tmp_path / stem / f"{stem}.parquet"
        path.parent.mkdir()
        engine.write(engine.frame(pd.DataFrame({"a": [cell]})), path)
    path = tmp_path / name / f"{name}.parquet"
    assert engine.execute(f"SELECT a FROM read_parquet({path_literal(path)})").fetchall() == [(3,)]
    assert engine.collect(engine.scan(path))["a"].tolist() == [3]


def test_decimal_sums_are_exact_until_they_are_collected(engine, tmp_path):
    # In floating point 0.1 + 0.2 = 0.30000000000000004; in DECIMAL it is 0.3.
    path = tmp_path / "money.parquet"
    engine.execute(f"COPY (SELECT unnest([0.1, 0.2])::DECIMAL(18, 4) AS net) TO {literal(path)} (FORMAT parquet)")
    assert engine.collect(engine.scan(path).select(nw.col("net").sum()))["net"].tolist() == [0.3]


def test_a_file_written_anew_is_read_anew(engine):
    # With the engine's file cache, 3 of 2,500 files rewritten within a second were read as a mix of old and new.
    assert engine.execute("SELECT current_setting('enable_external_file_cache')").fetchall() == [(False,)]


def test_the_machines_zone_moves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    with open_engine(EngineParams(), tmp_path) as engine:
        assert engine.execute("SELECT CAST(TIMESTAMPTZ '2026-10-31 23:00:00+00' AS VARCHAR)").fetchall() == [
            ("2026-10-31 23:00:00+00",)
        ]


def test_the_memory_limit_is_the_one_asked_for(tmp_path):
    with open_engine(EngineParams(memory_limit="1GiB"), tmp_path) as engine:
        assert engine.execute("SELECT current_setting('memory_limit')").fetchall() == [("1.0 GiB",)]


def test_the_spill_folder_goes_when_the_engine_closes_even_after_a_fault(tmp_path):
    with pytest.raises(RuntimeError), open_engine(EngineParams(), tmp_path / "spill") as engine:
        assert isinstance(engine, Engine) and len(list((tmp_path / "spill").iterdir())) == 1
        raise RuntimeError
    assert not list((tmp_path / "spill").iterdir())


def test_sums_of_whole_numbers_stay_whole(engine, tmp_path):
    # DuckDB adds whole numbers up in 128 bits, which pandas and Parquet would know as floating point only.
    found = engine.frame(pd.DataFrame({"a b": [2**53, 1], "n": [1, 2]})).select(nw.col("a b", "n").sum())
    assert engine.collect(found).to_dict("list") == {"a b": [2**53 + 1], "n": [3]}
    engine.write(found, tmp_path / "sums.parquet")
    assert pd.read_parquet(tmp_path / "sums.parquet").dtypes.astype(str).tolist() == ["int64", "int64"]


def test_a_folder_of_parts_is_one_table(engine, tmp_path):
    folder = tmp_path / "a[b]*.parquet"
    folder.mkdir()
    for n in (1, 2):
        engine.write(engine.frame(pd.DataFrame({"n": [n]})), folder / f"part-{n}.parquet")
    (folder / "_SUCCESS").touch()
    assert sorted(engine.collect(engine.scan(folder))["n"]) == [1, 2]


def test_a_function_is_applied_chunk_by_chunk_in_the_files_order(engine, tmp_path):
    read, made = tmp_path / "read.parquet", tmp_path / "made.parquet"
    pd.DataFrame({"n": range(450_000)}).to_parquet(read)
    columns = {"n": "int64", "rows": "int64"}
    engine.apply(read, made, lambda chunk: chunk.assign(rows=len(chunk)), columns, ["n"])
    found = pd.read_parquet(made)
    assert found["n"].tolist() == list(range(450_000)) and found["rows"].max() <= 200_000


def test_too_little_memory_is_told_in_one_line(tmp_path):
    with (
        pytest.raises(ParamsError, match=r"engine\.memory_limit: 20MB is too little"),
        open_engine(EngineParams(memory_limit="20MB"), tmp_path) as engine,
    ):
        engine.execute("SELECT list(i) FROM range(20_000_000) AS t(i)").fetchall()
