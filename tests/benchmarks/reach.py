"""The whole report on 1, 10 and 100 million orders of a tenth as many customers, on this machine: time, and memory of all processes.

    .venv/bin/python tests/benchmarks reach

`tierbook run` as a user calls it, from nothing kept, in one language, the engine with 3 GB. Memory is the highest sum
over all processes of the run of what each holds alone plus its share of what they hold together (PSS). Orders are made
by DuckDB: skewed numbers of orders per customer, gaps of their own, four channels and regions, 200 products in eight
categories. Every order must be in the book of customers once. The largest takes over an hour and some 40 GB of disk.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import psutil
import yaml
from rounds import Taken
from table import Row

CUSTOMERS = (100_000, 1_000_000, 10_000_000)
MEMORY, LIMIT = "3GB", 8e9 / 2**20
END = 20757  # 2026-10-31

ORDERS = f"""
WITH drawn AS (
  SELECT c, {END} - (hash(c) % 913)::INTEGER AS first_day, hash(c * 19 + 5) % 6 AS taste,
    sqrt(-2 * ln((hash(c * 3 + 1) % 999999 + 1) / 1e6)) * cos(hash(c * 5 + 2) % 6283 / 1000) AS a,
    sqrt(-2 * ln((hash(c * 7 + 3) % 999999 + 1) / 1e6)) * cos(hash(c * 11 + 4) % 6283 / 1000) AS b
  FROM range({{customers}}) AS t(c)),
placed AS (
  SELECT *, unnest(range(greatest(1, least(120, exp(2.1 + 1.2 * a)))::BIGINT)) AS n, exp(2.9 + 0.7 * b) AS gap FROM drawn),
dated AS (SELECT *, (first_day + n * gap * (0.5 + hash(c * 13 + n) % 1000 / 1000))::INTEGER AS day FROM placed)
SELECT 'C' || lpad(c::VARCHAR, 8, '0') AS customer_id, 'O' || c || '-' || n AS order_id,
  DATE '1970-01-01' + day AS ordered_at,
  exp(4.0 + 0.6 * b + hash(c + n * 17) % 2000 / 1000)::DECIMAL(18, 2) AS amount,
  (0.6 * exp(4.0 + 0.6 * b + hash(c + n * 17) % 2000 / 1000))::DECIMAL(18, 2) AS cost,
  'P' || (hash(c * 29 + n * 3) % 200 * (hash(c * 31 + n) % 100) // 100) AS product,
  'cat' || ((taste + hash(c * 37 + n) % 5 * (hash(c * 41 + n) % 2)) % 8) AS category,
  ['web', 'app', 'store', 'phone'][1 + (hash(c * 43) % 4)::INTEGER] AS channel,
  ['north', 'south', 'east', 'west'][1 + (hash(c * 47) % 4)::INTEGER] AS region
FROM dated WHERE day <= {END}
"""


def make(orders: Path, customers: int) -> int:
    """Write the orders of so many customers; how many there are."""
    config = {"memory_limit": MEMORY, "temp_directory": f"{orders}.spill", "preserve_insertion_order": "false"}
    with duckdb.connect(config=config) as connection:
        connection.execute(f"COPY ({ORDERS.format(customers=customers)}) TO '{orders}' (FORMAT parquet)")
        return connection.execute(f"SELECT count(*) FROM '{orders}'").fetchone()[0]


def memory_of(process: psutil.Process) -> float:
    """MiB that a process and all it has started hold at this moment."""
    held = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            held += one.memory_full_info().pss
        except psutil.Error:  # it has just ended
            continue
    return held / 2**20


def report(folder: Path, params: Path) -> Taken:
    """Make the report; seconds, and the most memory of all processes together."""
    before, started, peak = _cpu(), time.perf_counter(), 0.0
    command = [sys.executable, "-m", "tierbook.cli", "run", str(params), "--outputs", str(folder / "outputs")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        process = psutil.Process(running.pid)
        while running.poll() is None:
            try:
                peak = max(peak, memory_of(process))
            except psutil.Error:
                break
            time.sleep(0.5)
    if running.wait():
        sys.exit(f"reach: the report of {params} was not made")
    return Taken(time.perf_counter() - started, _cpu() - before, peak)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def rows(quick: bool, peers: dict) -> list[Row]:
    """One row a size."""
    return [_row(customers) for customers in ((2_000,) if quick else CUSTOMERS)]


def _row(customers: int) -> Row:
    with tempfile.TemporaryDirectory(prefix="tierbook-") as name:
        folder = Path(name)
        orders = make(folder / "orders.parquet", customers)
        tree = {
            "version": 1,
            "report": {"name": "reach", "languages": ["en"]},
            "as_of": "2026-10-31",
            "currency": "CNY",
            "engine": {"memory_limit": MEMORY},
            "source": {"transactions": {"path": str(folder / "orders.parquet"), "columns": {"cost": "cost"}}},
        }
        params = folder / "reach.yaml"
        params.write_text(yaml.safe_dump(tree))
        took = report(folder, params)
        book = next((folder / "outputs").glob("reach/*/tables/customers.parquet"))
        found = duckdb.sql(f"SELECT sum(orders), count(*), count(DISTINCT customer_id) FROM '{book}'").fetchone()
        known = duckdb.sql(f"SELECT count(DISTINCT customer_id) FROM '{folder}/orders.parquet'").fetchone()[0]
        assert found == (orders, known, known), f"{found}, not {(orders, known, known)}"
    size = f"{orders:,} orders → {known:,} customers, engine {MEMORY}"
    return Row("whole report, one language", size, took, equal="every order and customer once", limit=LIMIT)
