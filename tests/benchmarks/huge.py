"""History of 97 million orders by the library alone, within 4 GB: lifetimes and pymc-marketing die at 17 GiB on as many.

    .venv/bin/python tests/benchmarks huge

The engine may use 3 GB, so that the whole process stays below 4; the result is written, never brought to pandas. Each
customer of the file must be in it once, with all orders and all money.
"""

import tempfile
from pathlib import Path

import duckdb
from history import count, make
from rounds import Side, race
from table import Row

ORDERS, MEMORY, LIMIT = 97_000_000, "3GB", 4e9 / 2**20
DEAD = "not run: both died at 17 GiB when last tried"


def rows(quick: bool, peers: dict) -> list[Row]:
    """One row."""
    orders = 20_000 if quick else ORDERS
    with tempfile.TemporaryDirectory(prefix="tierbook-") as folder:
        lines = Path(folder) / "lines.parquet"
        make(lines, orders)
        customers = count(lines)
        expected = duckdb.sql(f"SELECT count(*), sum(net) FROM '{lines}'").fetchone()

        def whole(_, results):
            found = "SELECT count(DISTINCT customer_id), count(*), sum(orders), sum(net) FROM "
            found = duckdb.sql(f"{found} '{results['ours']['written'].iloc[0]}'").fetchone()
            assert found == (customers, customers, *expected), f"{found}, not {(customers, *expected)}"

        side = Side("history", "ours", {"lines": str(lines), "memory": MEMORY, "kind": "write"})
        took = race({"ours": side}, ["history"], 1, whole)["ours"]["history"]
    size = f"{orders:,} orders → {customers:,} customers, engine {MEMORY}"
    equal = "customers, orders and money of the file"
    return [Row("history, written", size, took, "lifetimes, pymc-marketing", equal=equal, missing=DEAD, limit=LIMIT)]
