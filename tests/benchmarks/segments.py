"""RFM scores and segments from order lines of a million customers, beside openretailscience's RFMSegmentation.

    .venv/bin/python tests/benchmarks segments

Both read the same Parquet file with DuckDB and bring one row per customer to pandas. Ours: recency, frequency and monetary
value, cut points by value, scores, the eleven segments and the four tiers. Theirs: the same three measures and scores by
rank, a number of three digits for a segment. The measures must be equal for every customer. The scores differ by design:
theirs part equal customers by their id, to fill each fifth; so what is held is that no customer is scored higher by theirs
than one with a better measure, and how many scores are equal is told.
"""

import datetime as dt
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from rounds import Side, others, race
from table import Row

ROUNDS, EVER, BINS, AS_OF = 3, 3_650, 5, dt.date(2026, 10, 31)
MEASURES = ["recency_days", "frequency", "monetary"]


def ours(lines: str) -> dict:
    """From lines to scores, segments and tiers by the library; a window so long that every order lies in it."""
    from tierbook.accounting import day_number
    from tierbook.engine import Engine
    from tierbook.history import customer_days, windows
    from tierbook.params import Rfm
    from tierbook.scores import maps, rfm

    engine, rules = Engine(Path(lines).parent / "spill", "4GB"), Rfm(window_days=EVER)
    eleven, four = maps.find("eleven"), maps.find("four_tier")

    def whole():
        ends = engine.frame(pd.DataFrame({"end": [day_number(AS_OF)]}))
        found = engine.collect(windows(customer_days(engine.scan(Path(lines))), ends, EVER))
        measures = rfm.in_measures(found, rules)
        scores = rfm.fit_scale(measures, rules, AS_OF).apply(measures)
        named = {"segment": eleven.apply(scores).astype(object), "tier": four.apply(scores).astype(object)}
        return pd.concat([found[["customer_id"]], measures, scores], axis=1).assign(**named)

    return {"segments": whole}


def retail(lines: str) -> dict:
    """RFMSegmentation over the same file."""
    import ibis
    from openretailscience.segmentation.rfm import RFMSegmentation

    connection = ibis.duckdb.connect(memory_limit="4GB", temp_directory=str(Path(lines).parent / "spill-retail"))

    def whole():
        orders = connection.read_parquet(lines).select(
            "customer_id", transaction_date="ordered_at", unit_spend="net", transaction_id="order_key"
        )
        found = RFMSegmentation(orders, str(AS_OF), BINS, BINS, BINS).df.reset_index()
        return found.assign(monetary=found["monetary"].astype(float))

    return {"segments": whole}


def make(path: Path, customers: int) -> None:
    """The skewed orders of the scores' benchmark, with the date that the peer reads."""
    import duckdb

    from scores import ORDERS

    orders = ORDERS.format(customers=customers)
    duckdb.sql(f"COPY (SELECT *, DATE '1970-01-01' + day AS ordered_at FROM ({orders})) TO '{path}' (FORMAT parquet)")


def agreement(results: dict[str, pd.DataFrame]) -> str:
    """Fail unless measures are equal and scores in order; the share of equal scores in words."""
    both = results["ours"].merge(results["retail"], on="customer_id", suffixes=("", "_theirs"), validate="1:1")
    assert len(both) == len(results["ours"]) == len(results["retail"]), "other customers"
    for measure in MEASURES:
        np.testing.assert_allclose(both[measure], both[f"{measure}_theirs"].astype(float), rtol=1e-9, err_msg=measure)
    equal = []
    for letter, measure in zip("rfm", MEASURES, strict=True):
        theirs = both[f"{letter}_score"] + 1  # theirs begin at nought
        spans = theirs.groupby(both[measure]).agg(["min", "max"]).sort_index(ascending=letter != "r")
        assert (spans["max"].to_numpy()[:-1] <= spans["min"].to_numpy()[1:]).all(), f"{measure}: scores out of order"
        equal.append(f"{letter} {(theirs == both[letter]).mean():.1%}")
    return f"measures of every customer; scores alike: {', '.join(equal)}"


def rows(quick: bool, peers: dict) -> list[Row]:
    """One row."""
    customers, rounds = (5_000, 1) if quick else (1_000_000, ROUNDS)
    told = {}
    with tempfile.TemporaryDirectory(prefix="tierbook-") as folder:
        lines = Path(folder) / "lines.parquet"
        make(lines, customers)
        sides = {"ours": Side("segments", "ours", {"lines": str(lines)})}
        sides |= others("segments", peers, ["retail"], {"lines": str(lines)})

        def agree(_, results):
            told.update(theirs=agreement(results) if "retail" in results else "")

        found = race(sides, ["segments"], rounds, agree)
    size = f"{customers:,} customers"
    row = Row("RFM scores, segments, tiers", size, found["ours"]["segments"], equal=told["theirs"])
    return [row.against(peers["retail"], found.get("retail"), "segments")]
