"""Hand-offs to tools: the tables folder, every table as CSV; Excel, Tableau and CRM files are made beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from tierbook.accounting import day_date
from tierbook.show.words import CONTROLS
from tierbook.workbook import Workbook

if TYPE_CHECKING:
    import pyarrow as pa

PIECE = 100_000
"""Rows of a table of customers that are in memory at a time."""
IN_PIECES = {
    "customers": "book",
    "value_customers": "checklist",
    "upgrade_candidates": "upgrade_candidates",
    "next_best": "next_best",
    "action_list": "action_list",
}
"""Tables with a row for each of many customers, and the steps that hold them."""
# The signs of the OWASP page on CSV injection, with the full-width forms that some Excels obey too.
UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u061c"
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """Text that does nothing but stand there: a formula gets an apostrophe in front, also behind signs that are not seen,
    and every sign of `CONTROLS` becomes ``�``; numbers stay numbers."""
    out = frame.copy()
    for column in out.columns:
        if pd.api.types.is_object_dtype(out[column]) or pd.api.types.is_string_dtype(out[column]):
            text = out[column].astype("str").where(out[column].notna(), "")
            ruled = text.str.contains(f"[{CONTROLS}]").to_numpy(dtype=bool)
            text = text.str.replace(f"[{CONTROLS}]", "\ufffd", regex=True) if ruled.any() else text
            risky = text.str.lstrip(UNSEEN).str.startswith(DANGEROUS).to_numpy(dtype=bool)
            if (ruled | risky).any():
                out[column] = out[column].astype(object).mask(ruled, text).mask(risky, "'" + text)
    return out


def pieces(month: Workbook, step: str) -> Iterator[pd.DataFrame]:
    """The rows of a step with a row per customer (``book``, ``next_best`` …), `PIECE` at a time."""
    if month.size <= PIECE:
        yield getattr(month, step)()
        return
    getattr(month, step)(["customer_id"])  # written where it is not yet
    yield from month.tables.cache.batches(month.action_step if step == "action_list" else step, PIECE)


def tables(month: Workbook) -> Iterator[tuple[str, pd.DataFrame]]:
    """Every table of the report, whole, with its file's name without the ending (DESIGN §6)."""
    for name, found in in_pieces(month):
        first, *more = found
        yield name, pd.concat([first, *more], ignore_index=True) if more else first


def in_pieces(month: Workbook) -> Iterator[tuple[str, Iterable[pd.DataFrame]]]:
    """Every table with its file's name without the ending, as frames that stand under each other: a table is gone before
    the next is made, and one of many customers never stands whole."""
    yield "row_accounting", [month.accounting()]
    for name, table in _of_orders(month).items() if month.on_orders else ():
        yield name, pieces(month, IN_PIECES[name]) if name in IN_PIECES else [table()]
    if month.has("leads"):
        yield "leads", [month.leads()]
    if month.has_campaigns:
        yield "campaign_effects", [month.campaigns_counted()["effects"]]
        yield from ((f"campaign_{name}", [frame]) for name, frame in month.campaign_review().items())
        yield from ((f"targeting_{name}", [frame]) for name, frame in month.whom_next().items())


def _of_orders(month: Workbook) -> dict[str, Callable[[], pd.DataFrame]]:
    """How the tables that stand on orders are made."""
    return {
        "customers": month.book,
        "excluded": month.excluded,
        "tiers": month.tiers,
        "segments": month.segments,
        "stages": month.stages,
        "clusters": month.clusters,
        "scale_drift": month.drift,
        "sensitivity": month.sensitivity,
        "value_customers": month.checklist,
        "stage_transitions": month.stage_transitions,
        "slices": month.slices,
        "cluster_profile": lambda: month.cluster_path()["profile"],
        "movement": month.movement,
        "movement_12m": lambda: month.over_year()["moves"],
        "upgrade_candidates": month.upgrade_candidates,
        "protected": month.protected,
        "overrides": month.overridden,
        "restated": lambda: _dated(month.restated(), "end"),
        "alerts": lambda: month.call_list()["alerts"],
        "alerts_left_out": lambda: month.call_list()["left_out"],
        "alert_backtest": lambda: month.alert_backtest()["backtest"],
        "clv_model": lambda: month.value()["model"],
        "clv_backtest": lambda: month.value()["backtest"],
        "clv_naive": lambda: month.value()["naive"],
        "clv_choice": lambda: month.value()["choice"],
        "clv_past": month.fared_since,
        "cohorts": month.cohorts,
        "affinity": lambda: month.affinity()["pairs"],
        "next_best": month.next_best,
        "price_bands": month.price_bands,
        "preferences": month.preferences,
        "action_list": month.action_list,
        "action_sizes": month.action_sizes,
        "ledger": lambda: month.loop()["ledger"],
        "earned": lambda: month.loop()["earned"],
        "voice": month.voice,
        "voice_faults": month.voice_faults,
        "ticket_topics": month.ticket_topics,
        "behaviour": month.behaviour,
        "birthdays": month.birthdays,
        "churn_reasons": month.churn_reasons,
        "touchpoints": month.touchpoints,
        "scorecard": month.scorecard,
        "revenue_bridge": month.revenue_bridge,
        "channels": month.channels,
        "budget": month.budget,
        "short_and_long": month.recent_beside_expected,
        "months": month.months,
        "gates": month.gates,
        "impossible": month.impossible,
        "outliers": lambda: month.outliers()["summary"],
        "largest": lambda: _dated(month.outliers()["listed"], "day"),
        "reconciliation": month.reconciliation,
        **_behind_pictures(month),
    }


def _behind_pictures(month: Workbook) -> dict[str, Callable[[], pd.DataFrame]]:
    """What pictures and small tables of the pages stand on and no other table holds."""
    return {
        "measures_by_month": month.measures_by_month,
        "daily_sales": lambda: _dated(month.sales()["sales"], "day"),
        "missing": month.missing,
        "missing_by_month": month.missing_by_month,
        "comeback": month.comeback,
        "cluster_numbers": lambda: month.cluster_path()["k_table"],
        "clv_over_time": lambda: _dated(month.orders_over_time(), "day"),
        "clv_newcomers": month.expected_of_newcomers,
        "falls": month.falls,
        "tier_sizes": lambda: month.tier_sizes().reset_index().melt("end", var_name="tier", value_name="customers"),
        "tier_rates": lambda: month.over_year()["rates"],
    }


def _dated(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """A day number as the date that a reader of the table knows."""
    return frame.assign(**{column: frame[column].map(day_date)})


def write_csv(path: Path, frames: Iterable[pd.DataFrame], encoding: str = "utf-8", lineterminator: str = "\n") -> None:
    """Frames of the same columns under each other as one CSV file, of which one at a time is in memory."""
    with path.open("w", encoding=encoding, newline="") as out:
        for n, frame in enumerate(frames):
            frame.to_csv(out, index=False, header=n == 0, lineterminator=lineterminator)


def as_arrow(frames: Iterator[pd.DataFrame]) -> pa.RecordBatchReader:
    """Frames of the same columns (one at least) one after the other as Arrow, all with the types of the first; a column of
    it without a value, which has no type, is text."""
    import pyarrow as pa

    first = next(frames)
    found = pa.Schema.from_pandas(first, preserve_index=False)
    typed = [field.with_type(pa.large_string()) if pa.types.is_null(field.type) else field for field in found]
    schema = pa.schema(typed, found.metadata)

    def each() -> Iterator[pa.RecordBatch]:
        for frame in chain([first], frames):
            yield from pa.Table.from_pandas(frame, schema, preserve_index=False).to_batches()

    return pa.RecordBatchReader.from_batches(schema, each())


def write_tables(month: Workbook, folder: Path) -> None:
    """Write the tables as CSV (UTF-8, for tools), the book as Parquet too, and the scale as YAML."""
    folder.mkdir(parents=True)
    for name, found in in_pieces(month):
        write_csv(folder / f"{name}.csv", map(harmless, found))
    if month.on_orders:
        _write_parquet(folder / "customers.parquet", as_arrow(pieces(month, "book")))
        (folder / "scale.yaml").write_text(month.scale.to_yaml(), encoding="utf-8")


def _write_parquet(path: Path, batches: pa.RecordBatchReader) -> None:
    import pyarrow.parquet as parquet

    with parquet.ParquetWriter(path, batches.schema) as out:
        for batch in batches:
            out.write_batch(batch)
