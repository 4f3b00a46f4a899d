"""Scores of a million customers against moving the columns they need: read from Parquet into pandas and written back.

    .venv/bin/python tests/benchmarks scores

The histories come from orders that DuckDB makes, through the library's own history steps, so that dtypes and skew are those
of a real run. Rules (scale, cadence, centroids) are fitted before the clock starts: fitting needs a sample only.
"""

import datetime as dt
import tempfile
from pathlib import Path

import pandas as pd
from rounds import Taken, in_turns
from table import Row

from tierbook.accounting import day_number
from tierbook.engine import Engine
from tierbook.history import customer_days, history, windows
from tierbook.insight import movement
from tierbook.params import Rfm
from tierbook.scores import clusters, lifecycle, maps, rfm

ROUNDS, GOAL, WINDOW = 3, 3.0, 365
AS_OF, LAST_MONTH = dt.date(2026, 10, 31), dt.date(2026, 9, 30)
EARLIER = AS_OF - dt.timedelta(days=lifecycle.COMEBACK_DAYS)
START, END = day_number(LAST_MONTH), day_number(AS_OF)
RULES = Rfm()
BASE = "reading the same columns from Parquet and writing them back"

# Customers first buy over thirty months; orders, gaps and order values are log-normal, and gaps grow with each order.
ORDERS = f"""
WITH drawn AS (
  SELECT c, {END} - hash(c) % 913 AS first_day, sqrt(-2 * ln((hash(c * 3 + 1) % 999999 + 1) / 1e6)) * cos(hash(c * 5 + 2) % 6283 / 1000) AS a,
    sqrt(-2 * ln((hash(c * 7 + 3) % 999999 + 1) / 1e6)) * cos(hash(c * 11 + 4) % 6283 / 1000) AS b FROM range({{customers}}) AS t(c)),
placed AS (
  SELECT c, b, unnest(range(greatest(1, least(60, exp(0.5 + 1.1 * a)))::BIGINT)) AS n, first_day, exp(3.5 + 0.7 * b) AS gap FROM drawn),
dated AS (SELECT *, (first_day + n * gap * (0.5 + hash(c * 13 + n) % 1000 / 1000))::INTEGER AS day FROM placed)
SELECT 'C' || lpad(c::VARCHAR, 7, '0') AS customer_id, 'O' || c || '-' || n AS order_key, day,
  exp(4.5 + 0.8 * b + hash(c + n * 17) % 2000 / 1000)::DECIMAL(18, 2) AS net, net AS gross, NULL::DECIMAL(18, 2) AS cost, 'kept' AS reason
FROM dated WHERE day <= {END}
"""
NEEDED = [
    *("customer_id", "first_day", "recency_days", "active_days", "repeats", "t_x", "own_gap_days"),
    *("window_orders", "window_active_days", "window_net", "window_cost"),
]


def make(folder: Path, customers: int) -> lifecycle.Cadence:
    """Write now.parquet (NEEDED, as of now) and windows.parquet (two dates); return the cadence fitted on the way."""
    engine = Engine(folder / "spill", "4GB")
    lines, by_day = folder / "lines.parquet", folder / "days.parquet"
    engine.execute(f"COPY ({ORDERS.format(customers=customers)}) TO '{lines}' (FORMAT parquet)")
    engine.write(customer_days(engine.scan(lines), lines_are_orders=True), by_day)
    days = engine.scan(by_day)
    now = engine.collect(history(days, AS_OF, WINDOW)).sort_values("customer_id", ignore_index=True)
    cadence = lifecycle.fit_cadence(now, engine.collect(history(days, EARLIER, WINDOW)))
    ends = engine.frame(pd.DataFrame({"end": [START, END]}))
    two_dates = engine.collect(windows(days, ends, WINDOW)).sort_values(["end", "customer_id"], ignore_index=True)
    engine.close()
    now[NEEDED].to_parquet(folder / "now.parquet", index=False)
    two_dates.to_parquet(folder / "windows.parquet", index=False)
    return cadence


def move_columns(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The yardstick: every column the scores need, read into pandas and written back."""
    frames = [pd.read_parquet(folder / f"{name}.parquet") for name in ("now", "windows")]
    for name, frame in zip(("now", "windows"), frames, strict=True):
        frame.to_parquet(folder / f"{name}.back.parquet", index=False)
    return tuple(frames)


def two_months(tiers: pd.DataFrame, first_days: pd.Series) -> pd.DataFrame:
    """The movement table of one month, nothing of the past beside it."""
    moved = movement.moves(tiers, first_days, START, END)
    return movement.movement([], movement.counted(moved), movement.counted(moved.iloc[:0]), None)


def steps(now: pd.DataFrame, two_dates: pd.DataFrame, cadence: lifecycle.Cadence) -> dict:
    """Each step by name, as a call without arguments; what is fitted is fitted here, outside the clock."""
    measures = rfm.in_measures(now, RULES)
    scale = rfm.fit_scale(measures.dropna(), RULES, AS_OF)
    scores = scale.apply(measures)
    eleven, four = maps.find("eleven"), maps.find("four_tier")
    rule = clusters.fit(measures, 5, 7)
    tiers = movement.tiers_at(two_dates, scale, four, RULES)
    first_days = now.set_index("customer_id")["first_day"]
    return {
        "RFM measures and scores": lambda: scale.apply(rfm.in_measures(now, RULES)),
        "map eleven": lambda: eleven.apply(scores),
        "map four_tier": lambda: four.apply(scores),
        "stage": lambda: lifecycle.stage(now, cadence),
        "cluster apply": lambda: rule.apply(measures),
        "tiers at two dates": lambda: movement.tiers_at(two_dates, scale, four, RULES),
        "moves and movement": lambda: two_months(tiers, first_days),
    }


def rows(quick: bool, peers: dict) -> list[Row]:
    """Each step beside the yardstick, and their sum."""
    with tempfile.TemporaryDirectory(prefix="tierbook-") as name:
        folder = Path(name)
        cadence = make(folder, 3_000 if quick else 1_000_000)
        now, two_dates = move_columns(folder)
        work = {BASE: lambda: move_columns(folder), **steps(now, two_dates, cadence)}
        in_turns(work, 1)  # warms up
        taken = in_turns(work, 1 if quick else ROUNDS)
    base, size = taken.pop(BASE), f"{len(now):,} customers, {len(two_dates):,} windows"
    whole = Taken(sum(step.wall for step in taken.values()), sum(step.cpu for step in taken.values()))
    beside = [Row(f"scores: {step}", size, spent, BASE, base) for step, spent in taken.items()]
    return [*beside, Row("scores: all of these", size, whole, BASE, base, most=GOAL)]
