"""The whole report with every table: the demo's shop many times over, so that contacts, surveys, tickets, visits and leads grow too.

    .venv/bin/python tests/benchmarks wide

As `reach`, which has orders alone: `tierbook run` from nothing kept, one language, the engine with 3 GB, memory of all
processes. Each customer of the demo stands in as many copies as the size asks for, with his orders, answers and visits.
"""

import tempfile
from pathlib import Path

import duckdb
import yaml
from reach import LIMIT, MEMORY, report
from table import Row

from tierbook import demo
from tierbook.params import ROOT

COPIES = (20, 200)
ALONE = ("customer_id", "order_id", "line_id", "lead_id", "referred_by", "record_id")
"""Columns that name one customer, order or lead."""


def make(folder: Path, copies: int) -> dict[str, int]:
    """Write every table of the demo so many times; its rows by table."""
    demo.write(folder / "demo")
    rows = {}
    with duckdb.connect(config={"preserve_insertion_order": "false"}) as connection:
        for file in sorted((folder / "demo").glob("*.csv")):
            once = f"SELECT * FROM read_csv('{file}', all_varchar = true)"
            columns = [column[0] for column in connection.execute(f"DESCRIBE {once}").fetchall()]
            many = f"SELECT {', '.join(map(_copied, columns))} FROM ({once}), range({1 if file.stem == 'costs' else copies}) AS t(copy)"
            connection.execute(f"COPY ({many}) TO '{folder / file.stem}.parquet' (FORMAT parquet)")
            rows[file.stem] = connection.execute(f"SELECT count(*) FROM '{folder / file.stem}.parquet'").fetchone()[0]
    return rows


def _copied(column: str) -> str:
    """A column in SQL; the till's collective customer stays one."""
    if column not in ALONE:
        return column
    return f"CASE WHEN {column} = 'WALK-IN' THEN {column} ELSE {column} || '-' || copy END AS {column}"


def rows(quick: bool, peers: dict) -> list[Row]:
    """One row a size."""
    return [_row(copies) for copies in ((1,) if quick else COPIES)]


def _row(copies: int) -> Row:
    with tempfile.TemporaryDirectory(prefix="tierbook-") as name:
        folder = Path(name)
        made = make(folder, copies)
        tree = yaml.safe_load((ROOT / "params" / "demo.yaml").read_text(encoding="utf-8"))
        for table in made:
            spec = {key: value for key, value in tree["source"][table].items() if key != "preset"}
            tree["source"][table] = {**spec, "path": str(folder / f"{table}.parquet")}
        tree["report"] |= {"name": "wide", "languages": ["en"]}
        tree |= {"engine": {"memory_limit": MEMORY}, "gate": {}}
        params = folder / "wide.yaml"
        params.write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8")
        took = report(folder, params)
        book = next((folder / "outputs").glob("wide/*/tables/customers.parquet"))
        found = duckdb.sql(f"SELECT count(*), count(DISTINCT customer_id) FROM '{book}'").fetchone()
        assert found[0] == found[1] == 5_103 * copies, f"{found}, not {5_103 * copies}"
    size = ", ".join(f"{count:,} {table}" for table, count in sorted(made.items(), key=lambda one: -one[1]))
    return Row(
        "whole report with every table", f"{size}; engine {MEMORY}", took, equal="every customer once", limit=LIMIT
    )
