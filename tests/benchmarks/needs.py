"""Pairs of products over 10 million order lines, a million customers and 5,000 products: seconds and peak memory.

    .venv/bin/python tests/benchmarks/needs.py [lines]

Customers buy at very different rates, products sell at very different rates, and nothing goes with anything: pairs found
are false. The engine may use 4 GB; peak memory is that of the whole process, pandas included.
"""

import itertools
import resource
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import pandas as pd

from tierbook.engine import Engine
from tierbook.insight import affinity
from tierbook.workbook.needs import count_pairs, write_bought

PRODUCTS, LINES_PER_CUSTOMER = 5_000, 10


def make(path: Path, lines: int) -> None:
    """Order lines: customers' shares are skewed (a square), and so are products' (a square too)."""
    customers = lines // LINES_PER_CUSTOMER
    duckdb.sql(f"""COPY (
        SELECT 'C' || lpad((pow(hash(i) % 1000003 / 1000003, 2) * {customers})::BIGINT::VARCHAR, 8, '0') AS customer_id,
          'P' || lpad((pow(hash(i * 31 + 5) % 1000003 / 1000003, 2) * {PRODUCTS})::INT::VARCHAR, 5, '0') AS product,
          (20000 + hash(i * 7 + 3) % 913)::INTEGER AS day, 9.9::DECIMAL(18, 4) AS net, 'kept' AS reason
        FROM range({lines}) AS t(i)) TO '{path}' (FORMAT parquet)""")


def main(lines: int) -> None:
    """Print each step's seconds, the pairs, and the peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        path, target = Path(folder) / "lines.parquet", Path(folder) / "bought"
        make(path, lines)
        engine, marks = Engine(Path(folder) / "spill", "4GB"), [time.perf_counter()]
        ids = engine.execute(f"SELECT DISTINCT customer_id FROM '{path}' ORDER BY 1").df()
        write_bought(engine, path, "product", ids.assign(customer=range(len(ids))), target)
        marks.append(time.perf_counter())
        counted = count_pairs(engine, target / "bought.parquet", target / "bought.parquet")
        marks.append(time.perf_counter())
        found, prior = affinity.measured(*(counted[name] for name in ("pairs", "have", "next", "lines")))
        marks.append(time.perf_counter())
        engine.close()
    steps = [after - before for before, after in itertools.pairwise(marks)]
    wrong = int((found["lift_beyond_low"] > 1).sum())
    print(
        f"{lines:,} lines, {len(ids):,} customers, {len(counted['have']):,} products: bought {steps[0]:.1f} s, "
        f"{len(found):,} pairs counted {steps[1]:.1f} s, measured {steps[2]:.1f} s, peak memory "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB; {wrong} pairs above 1, none of them true; "
        f"strength of the prior {prior.strength:,.0f}; plain lift above 1: {pd.Series(found['lift'] > 1).mean():.0%}"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
