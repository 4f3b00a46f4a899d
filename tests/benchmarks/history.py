"""History over 10 million orders: our expression against the same steps as bare DuckDB SQL, in one run.

    .venv/bin/python tests/benchmarks/history.py [orders]

Both read the same Parquet file and write one row per customer; the outputs are compared before anything is timed.
"""

import datetime as dt
import statistics
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from tierbook.accounting import day_number
from tierbook.engine import Engine
from tierbook.history import customer_days, history

ROUNDS, WINDOW, AS_OF = 3, 365, dt.date(2026, 10, 31)
END = day_number(AS_OF)

SQL = f"""
WITH per_order AS (
  SELECT customer_id, order_key, day, sum(net) AS net, sum(gross) AS gross, sum(cost) AS cost, bool_or(cost IS NULL) AS no_cost
  FROM read_parquet('{{lines}}') WHERE reason = 'kept' GROUP BY ALL),
dated AS (SELECT *, CASE WHEN net > 0 OR (net = 0 AND gross = 0) THEN day END AS bought_on FROM per_order),
counted AS (SELECT *, CASE WHEN bought_on = min(bought_on) OVER (PARTITION BY customer_id, order_key) THEN 1 ELSE 0 END AS orders FROM dated),
days AS (
  SELECT customer_id, day, sum(orders) AS orders, sum(net) AS net, CASE WHEN NOT bool_or(no_cost) THEN sum(cost) END AS cost
  FROM counted GROUP BY ALL),
ordered AS (
  SELECT *, orders > 0 AS bought,
    lag(day, 1) OVER (PARTITION BY customer_id, orders > 0 ORDER BY day) AS before,
    lag(day, 2) OVER (PARTITION BY customer_id, orders > 0 ORDER BY day) AS before_that
  FROM days WHERE day <= {END})
SELECT customer_id, min(day) FILTER (bought) AS first_day, max(day) FILTER (bought) AS last_day, sum(orders) AS orders,
  count(*) FILTER (bought) AS active_days, sum(net) AS net, sum(net) FILTER (bought AND before IS NULL) AS first_net,
  median(day - before) FILTER (bought AND before IS NOT NULL) AS own_gap_days,
  max(day - before) FILTER (bought AND before IS NOT NULL AND before_that IS NULL) AS first_gap_days,
  coalesce(sum(orders) FILTER (day > {END - WINDOW}), 0) AS window_orders,
  count(*) FILTER (bought AND day > {END - WINDOW}) AS window_active_days,
  coalesce(sum(net) FILTER (day > {END - WINDOW}), 0) AS window_net, sum(cost) FILTER (day > {END - WINDOW}) AS window_cost,
  count(*) FILTER (day > {END - WINDOW} AND cost IS NULL) AS window_uncosted,
  sum(orders) FILTER (day <= {END - WINDOW} AND day > {END - 2 * WINDOW}) AS previous_orders,
  sum(net) FILTER (day <= {END - WINDOW} AND day > {END - 2 * WINDOW}) AS previous_net
FROM ordered GROUP BY customer_id HAVING count(*) FILTER (bought) > 0
"""


def make(path: Path, orders: int) -> None:
    """Orders of customers with skewed rates over 30 months, one line each."""
    duckdb.sql(f"""COPY (
        SELECT 'C' || (hash(i) % {orders // 10} * (hash(i + 7) % 1000) // 1000) AS customer_id, 'O' || i AS order_key,
          ({END} - 912 + hash(i * 31) % 913)::INTEGER AS day, (hash(i * 17) % 100000 / 100)::DECIMAL(18, 4) AS net,
          (hash(i * 17) % 100000 / 100)::DECIMAL(18, 4) AS gross, NULL::DECIMAL(18, 4) AS cost, 'kept' AS reason
        FROM range({orders}) AS t(i)) TO '{path}' (FORMAT parquet)""")


def timed(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main(orders: int) -> None:
    """Print the seconds and the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        lines, ours, bare = (Path(folder) / name for name in ("lines.parquet", "ours.parquet", "bare.parquet"))
        make(lines, orders)
        engine = Engine(Path(folder) / "spill", "4GB")

        def expression():
            engine.write(history(customer_days(engine.scan(lines)), AS_OF, WINDOW), ours)

        def sql():
            engine.execute(f"COPY ({SQL.format(lines=lines)}) TO '{bare}' (FORMAT parquet)")

        expression(), sql()
        shared = "customer_id, first_day, last_day, orders, active_days, net, own_gap_days, first_gap_days, window_orders, window_net"
        differ = engine.execute(f"""SELECT count(*) FROM ((SELECT {shared} FROM '{ours}' EXCEPT SELECT {shared} FROM '{bare}')
            UNION ALL (SELECT {shared} FROM '{bare}' EXCEPT SELECT {shared} FROM '{ours}'))""").fetchone()[0]
        assert differ == 0, f"{differ} customers differ"
        pairs = [(timed(expression), timed(sql)) for _ in range(ROUNDS)]
        customers = engine.execute(f"SELECT count(*) FROM '{ours}'").fetchone()[0]
        engine.close()
    ours_s, bare_s = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(
        f"{orders:,} orders, {customers:,} customers: expression {ours_s:.2f} s, bare SQL {bare_s:.2f} s, ratio {ours_s / bare_s:.2f}"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
