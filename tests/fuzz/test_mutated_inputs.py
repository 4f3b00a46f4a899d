"""Input files with broken bytes: every row read is accounted for, or the file is refused in one line that names it."""

import io
import random
import shutil
import zipfile

import pandas as pd
import pytest

from fuzz import mutations, shops
from hostile.generator import excel_bytes
from tierbook import accounting, params, records, sources
from tierbook.errors import InputError


def bases():
    """Small good files by name: the orders in six forms, and each optional table."""
    tables = shops.tables("mixed", 0)
    rows = [line.split(",") for line in tables.pop("transactions").splitlines()[:14]]
    text, columns = "".join(",".join(row) + "\n" for row in rows), io.BytesIO()
    pd.DataFrame(rows[1:], columns=rows[0]).to_parquet(columns, index=False)
    yield "transactions", "orders.csv", text.encode()
    yield "transactions", "orders_utf16.csv", text.encode("utf-16")
    yield "transactions", "orders_gb.csv", text.replace("p1", "电视").encode("gb18030")
    yield "transactions", "orders.tsv", text.replace(",", "\t").encode()
    yield "transactions", "orders.xlsx", excel_bytes({"a": rows})
    yield "transactions", "orders.parquet", columns.getvalue()
    for table, told in tables.items():
        yield table, f"{table}.csv", "".join(f"{line}\n" for line in told.splitlines()[:8]).encode()


def judge(engine, table, file):
    """Read and judge one file; the rows of the accounting are the rows that the engine read."""
    tree = params.parse({"report": {"name": "x"}, "as_of": "2026-10-31", "source": {table: {"path": str(file)}}})
    raw = sources.read(engine, table, getattr(tree.source, table), file.parent / "scratch")
    target = file.parent / "judged.parquet"
    if table == "transactions":
        counted = accounting.judge_transactions(engine, raw, tree, target, None)
    else:
        counted = records.judge_table(engine, raw, table, tree, target, None)
    assert counted["rows"].sum() == engine.execute(f"SELECT count(*) FROM {raw.sql}").fetchone()[0]


CASES = {
    "some": range(100),
    "many": pytest.param(range(100, 550), marks=pytest.mark.long),
    "thousands": pytest.param(range(550, 5000), marks=pytest.mark.verify),
}


@pytest.mark.parametrize("cases", CASES.values(), ids=CASES)
def test_broken_bytes_are_accounted_for_or_refused_in_one_line(cases, engine, tmp_path, read_or_told):
    files, read = list(bases()), 0
    for case in cases:
        rng = random.Random(case)
        table, name, content = rng.choice(files)
        folder = tmp_path / "case"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / name).write_bytes(mutations.raw(rng, content))
        read += read_or_told(lambda table=table, name=name: judge(engine, table, folder / name), name, case)  # noqa: B023
    assert 0.05 < read / len(cases) < 0.9


def test_what_is_broken_here_is_good_as_it_stands(engine, tmp_path):
    for table, name, content in bases():
        (tmp_path / name).write_bytes(content)
        judge(engine, table, tmp_path / name)


@pytest.mark.parametrize("member", ["../outside.csv", "/tmp/tierbook_outside.csv", "a/../../outside.csv"])
def test_a_member_of_an_archive_stays_under_the_scratch_folder(member, engine, tmp_path):
    with zipfile.ZipFile(tmp_path / "o.zip", "w") as archive:
        archive.writestr(member, "customer_id,ordered_at,amount\na,2026-01-01,1\n")
    judge(engine, "transactions", tmp_path / "o.zip")
    assert {path.name for path in tmp_path.iterdir()} == {"o.zip", "scratch", "judged.parquet"}
    assert not (tmp_path.parent / "outside.csv").exists()


def test_a_header_that_would_be_sql_is_a_name(engine, tmp_path):
    """The column's name, the file's name and the excluded value all try to leave their quotes."""
    hostile = 'x"; DROP TABLE y; --'
    file = tmp_path / "it's; SELECT '1.csv"
    quoted = '"' + hostile.replace('"', '""') + '"'
    file.write_text(f"customer_id,ordered_at,{quoted}\na',2026-01-01,1\nb,2026-01-02,2\n")
    spec = {"path": str(file), "columns": {"amount": hostile}, "exclude": {"customer_id": ["a'"]}}
    tree = params.parse({"report": {"name": "x"}, "as_of": "2026-10-31", "source": {"transactions": spec}})
    raw = sources.read(engine, "transactions", tree.source.transactions, tmp_path / "scratch")
    counted = accounting.judge_transactions(engine, raw, tree, tmp_path / "judged.parquet", None)
    assert counted.set_index("reason")["amount"].to_dict() == {"kept": 2.0, "excluded": 1.0}


def test_a_path_with_a_line_break_is_told_in_one_line(tmp_path):
    with pytest.raises(InputError) as refused:
        sources.files_of(params.Transactions(path="a\nb.csv"), "transactions")
    assert "\n" not in str(refused.value) and "a b.csv" in str(refused.value)
