"""History over 10 million orders: our expression against the same steps as bare DuckDB SQL, and against the peers' summaries.

    .venv/bin/python tests/benchmarks history

All read the same Parquet file, each in a process of its own. Beside bare SQL both write one row per customer. Beside
lifetimes and pymc-marketing all bring frequency, recency, T and mean repeat spend to pandas: once we give these columns
only from a table of orders (what the peers are given), once the whole history with adding lines up to orders, which they
do not do. Peers count days with an order; so do we.
"""

import datetime as dt
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from rounds import Side, others, race
from table import Row

ROUNDS, WINDOW, AS_OF = 3, 365, dt.date(2026, 10, 31)
END = (AS_OF - dt.date(1970, 1, 1)).days
# Ours ÷ its at most: 1.3 times bare SQL; a sixth of lifetimes' time within a third of its memory.
BARE, SIXTH, THIRD, SMALL = 1.3, 1 / 6, 1 / 3, "512MB"
PEERS = ("lifetimes", "pymc")
EXACT, EQUAL = "every customer exactly", "days exactly, money to 1e-9"
SAME = ["customer_id", "repeats", "t_x", "T", "mean_spend"]

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
  coalesce(sum(net) FILTER (day > {END - WINDOW}), 0) AS window_net, 
  CASE WHEN count(*) FILTER (day > {END - WINDOW} AND cost IS NULL) = 0
    THEN coalesce(sum(cost) FILTER (day > {END - WINDOW}), 0) END AS window_cost,
  coalesce(sum(orders) FILTER (day <= {END - WINDOW} AND day > {END - 2 * WINDOW}), 0) AS previous_orders,
  coalesce(sum(net) FILTER (day <= {END - WINDOW} AND day > {END - 2 * WINDOW}), 0) AS previous_net
FROM ordered GROUP BY customer_id HAVING count(*) FILTER (bought) > 0
"""


def make(path: Path, orders: int) -> None:
    """Orders of customers with skewed rates over 30 months, one line each; the peers' columns stand beside ours."""
    import duckdb

    duckdb.sql(f"""COPY (
        SELECT 'C' || (hash(i) % {max(orders // 10, 1)} * (hash(i + 7) % 1000) // 1000) AS customer_id, 'O' || i AS order_key,
          ({END} - 912 + hash(i * 31) % 913)::INTEGER AS day, (hash(i * 17) % 100000 / 100)::DECIMAL(18, 4) AS net,
          (hash(i * 17) % 100000 / 100)::DECIMAL(18, 4) AS gross, NULL::DECIMAL(18, 4) AS cost, 'kept' AS reason,
          net::DOUBLE AS spend, (DATE '1970-01-01' + day)::TIMESTAMP AS ordered_at
        FROM range({orders}) AS t(i)) TO '{path}' (FORMAT parquet)""")


def ours(lines: str, memory: str, kind: str) -> dict:
    """The library: the whole history written, the whole history in pandas, or in pandas what the peers give."""
    from tierbook.engine import Engine
    from tierbook.history import customer_days, history

    folder = Path(lines).parent
    engine, written = Engine(folder / f"spill-{kind}", memory), folder / "ours.parquet"

    def whole(lines_are_orders=False):
        return history(customer_days(engine.scan(Path(lines)), lines_are_orders), AS_OF, WINDOW)

    def write():
        engine.write(whole(), written)
        return pd.DataFrame({"written": [str(written)]})

    kinds = {
        "write": write,
        "whole": lambda: engine.collect(whole()),
        "same": lambda: engine.collect(whole(True).select(*SAME)),
    }
    return {"history": kinds[kind]}


def bare(lines: str, memory: str) -> dict:
    """The same steps as SQL."""
    import duckdb

    folder = Path(lines).parent
    config = {"memory_limit": memory, "temp_directory": str(folder / "spill-bare"), "preserve_insertion_order": "false"}
    connection, written = duckdb.connect(config=config), folder / "bare.parquet"

    def write():
        connection.execute(f"COPY ({SQL.format(lines=lines)}) TO '{written}' (FORMAT parquet)")
        return pd.DataFrame({"written": [str(written)]})

    return {"history": write}


def lifetimes(lines: str) -> dict:
    """summary_data_from_transaction_data of the orders read by pandas."""
    from lifetimes.utils import summary_data_from_transaction_data

    def summary():
        orders = pd.read_parquet(lines, columns=["customer_id", "ordered_at", "spend"])
        return summary_data_from_transaction_data(
            orders, "customer_id", "ordered_at", "spend", observation_period_end=AS_OF
        ).reset_index()

    return {"history": summary}


def pymc(lines: str) -> dict:
    """rfm_summary of the orders read by pandas."""
    from pymc_marketing.clv import rfm_summary

    def summary():
        orders = pd.read_parquet(lines, columns=["customer_id", "ordered_at", "spend"])
        return rfm_summary(orders, "customer_id", "ordered_at", "spend", observation_period_end=str(AS_OF))

    return {"history": summary}


def same_rows(_: str, results: dict[str, pd.DataFrame]) -> None:
    """Fail unless the two written histories hold the same rows."""
    import duckdb

    mine, theirs = (results[name]["written"].iloc[0] for name in ("ours", "bare"))
    shared = (
        "customer_id, first_day, last_day, orders, active_days, net, own_gap_days, first_gap_days, window_orders,"
        " window_active_days, window_net, window_cost, previous_orders, previous_net"
    )
    differ = duckdb.sql(f"""SELECT count(*) FROM ((SELECT {shared} FROM '{mine}' EXCEPT SELECT {shared} FROM '{theirs}')
        UNION ALL (SELECT {shared} FROM '{theirs}' EXCEPT SELECT {shared} FROM '{mine}'))""").fetchone()[0]
    assert differ == 0, f"{differ} customers differ"


def same_summary(_: str, results: dict[str, pd.DataFrame]) -> None:
    """Fail unless all give each customer the same days exactly, and the same money to nine digits."""
    same = {}
    for name, frame in results.items():
        own = frame.rename(columns=dict(zip(["frequency", "recency", "T", "monetary_value"], SAME[1:], strict=True)))
        same[name] = own.set_index("customer_id")[SAME[1:]].sort_index().astype(float).fillna({"mean_spend": 0.0})
    first = same["same"]
    for name, frame in same.items():
        assert first.index.equals(frame.index), f"{name}: other customers"
        assert first[SAME[1:4]].equals(frame[SAME[1:4]]), f"{name}: other days"
        np.testing.assert_allclose(frame["mean_spend"], first["mean_spend"], rtol=1e-9, atol=1e-9, err_msg=name)


def rows(quick: bool, peers: dict, orders: int = 10_000_000) -> list[Row]:
    """Beside bare SQL, and beside each peer twice."""
    orders, rounds = (20_000, 1) if quick else (orders, ROUNDS)
    with tempfile.TemporaryDirectory(prefix="tierbook-") as folder:
        lines = Path(folder) / "lines.parquet"
        make(lines, orders)
        size = f"{orders:,} orders → {count(lines):,} customers"
        return [_beside_sql(str(lines), rounds, size), *_beside_peers(str(lines), peers, rounds, size)]


def count(lines: Path) -> int:
    """Customers in a file of orders."""
    import duckdb

    return duckdb.sql(f"SELECT count(DISTINCT customer_id) FROM '{lines}'").fetchone()[0]


def _beside_sql(lines: str, rounds: int, size: str) -> Row:
    limited = {"lines": lines, "memory": "4GB"}
    sides = {"ours": Side("history", "ours", {**limited, "kind": "write"}), "bare": Side("history", "bare", limited)}
    found = race(sides, ["history"], rounds, same_rows)
    took = {name: found[name]["history"] for name in sides}
    return Row(
        "history, written",
        size,
        took["ours"],
        "the same steps as bare DuckDB SQL",
        took["bare"],
        f"{EXACT}, all columns",
        BARE,
    )


def _beside_peers(lines: str, peers: dict, rounds: int, size: str) -> list[Row]:
    sides = {
        kind: Side("history", "ours", {"lines": lines, "memory": SMALL, "kind": kind}) for kind in ("same", "whole")
    }
    sides |= others("history", peers, PEERS, {"lines": lines})
    found = race(sides, ["history"], rounds, same_summary)
    rows = []
    for kind, task in {"same": "history, the peers' columns", "whole": "history, whole, in pandas"}.items():
        for name in PEERS:
            row = Row(task, size, found[kind]["history"], equal=EQUAL)
            rows.append(row.against(peers[name], found.get(name), "history"))
            if name == "lifetimes" and kind == "same":
                row.most, row.most_memory = SIXTH, THIRD
    return rows
