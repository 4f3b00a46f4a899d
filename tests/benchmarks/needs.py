"""Pairs of products over 10 million order lines, a million customers and 5,000 products: seconds and peak memory.

    .venv/bin/python tests/benchmarks needs

Customers buy at very different rates, products sell at very different rates, and nothing goes with anything: pairs found
are false. The engine may use 4 GB; peak memory is that of the whole process, pandas included. "wrong" counts pairs that are
called more than chance.
"""

import shutil
import tempfile
from pathlib import Path

import duckdb
import pandas as pd
from rounds import Side, race
from table import Row

from tierbook.engine import Engine
from tierbook.insight import affinity
from tierbook.workbook.needs import count_pairs, write_bought

PRODUCTS, LINES_PER_CUSTOMER = 5_000, 10
STEPS = ["bought", "counted", "measured"]


def make(path: Path, lines: int) -> None:
    """Order lines: customers' shares are skewed (a square), and so are products' (a square too)."""
    customers = lines // LINES_PER_CUSTOMER
    duckdb.sql(f"""COPY (
        SELECT 'C' || lpad((pow(hash(i) % 1000003 / 1000003, 2) * {customers})::BIGINT::VARCHAR, 8, '0') AS customer_id,
          'P' || lpad((pow(hash(i * 31 + 5) % 1000003 / 1000003, 2) * {PRODUCTS})::INT::VARCHAR, 5, '0') AS product,
          (20000 + hash(i * 7 + 3) % 913)::INTEGER AS day, 9.9::DECIMAL(18, 4) AS net, 'kept' AS reason
        FROM range({lines}) AS t(i)) TO '{path}' (FORMAT parquet)""")


def pairs(file: str) -> dict:
    """Who bought what, pairs counted, pairs measured; a step each, in this order."""
    path, target, kept = Path(file), Path(file).parent / "bought", {}
    engine = Engine(path.parent / "spill", "4GB")

    def bought():
        shutil.rmtree(target, ignore_errors=True)
        ids = engine.execute(f"SELECT DISTINCT customer_id FROM '{path}' ORDER BY 1").df()
        write_bought(engine, path, "product", engine.frame(ids.assign(customer=range(len(ids)))), target)
        return pd.DataFrame({"customers": [len(ids)]})

    def count():
        kept.update(count_pairs(engine, target / "bought.parquet", target / "bought.parquet"))
        return pd.DataFrame({"products": [len(kept["have"])]})

    def measure():
        found, _ = affinity.measured(*(kept[name] for name in ("pairs", "have", "next", "lines")))
        wrong = int((found["lift_beyond_low"] > 1).sum())
        return pd.DataFrame(
            {"pairs": [len(found)], "wrong": [wrong], "plain_share": [round(float((found["lift"] > 1).mean()), 3)]}
        )

    return {"bought": bought, "counted": count, "measured": measure}


def rows(quick: bool, peers: dict) -> list[Row]:
    """A row a step; no peer does this within memory."""
    lines, told = 20_000 if quick else 10_000_000, {}
    with tempfile.TemporaryDirectory(prefix="tierbook-") as folder:
        path = Path(folder) / "lines.parquet"
        make(path, lines)

        def tell(step, results):
            told[step] = ", ".join(f"{name} {value:,}" for name, value in results["ours"].iloc[0].items())

        taken = race({"ours": Side("needs", "pairs", {"file": str(path)})}, STEPS, 1, tell)["ours"]
    return [Row(f"product pairs: {step}", f"{lines:,} lines; {told[step]}", taken[step]) for step in STEPS]
