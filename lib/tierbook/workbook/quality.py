"""Quality of a month's data: the gates, what is empty, impossible or far out, and the refusal to go on."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pandas as pd

from tierbook import sources
from tierbook.errors import GateRefused
from tierbook.insight import gates, outliers, profile
from tierbook.insight import impossible as impossible_values
from tierbook.show import gates as told
from tierbook.show.words import Words

if TYPE_CHECKING:
    from tierbook.workbook import Workbook

IMPOSSIBLE = ["fault", "lines", "amount", "example"]


def base_gates(month: Workbook) -> pd.DataFrame:
    """The gates that decide what the report computes (`insight.gates.base`)."""
    return gates.base(month.totals().to_frame().T, month.as_of, month.params.gate)


def totals(month: Workbook, date: dt.date | None) -> pd.DataFrame:
    """The one row of `insight.profile.totals` of the customers at a date."""
    known = month.kept_history(date)
    with month.tables.engine() as engine:
        return engine.collect(profile.totals(month.tables.scan_step(engine, known)))


def all_gates(month: Workbook) -> pd.DataFrame:
    """Every gate that can be judged, the base gates first (gates.csv)."""
    limits, sales, months, rows = month.params.gate, month.sales()["sales"], month.months(), month.accounting()
    gates.check_names(limits)
    measured = {
        **gates.of_sales(sales),
        **gates.of_rows(rows),
        **gates.of_impossible(month.impossible(), int(sales["lines"].sum())),
        **gates.of_months(months, month.as_of),
        **gates.of_columns(month.missing_by_month(), month.as_of),
        **gates.of_finance(months, month.as_of, limits.finance),
        **gates.of_stated_total(rows, len(sources.files_of(month.tables.specs["transactions"], "transactions"))),
    }
    return pd.concat([base_gates(month), gates.judged(measured, limits)], ignore_index=True)


def refuse(month: Workbook) -> None:
    """End the run where a gate that ``gate.refuse`` names is missed, in one line with what to do."""
    words = Words("en", month.params.currency)
    found = month.gates() if month.on_orders else pd.DataFrame(columns=gates.COLUMNS)
    for gate in found[found["result"] == "refuse"].itertuples():
        raise GateRefused(
            f"gate {gate.gate}: {told.number(words, gate, gate.value)} against a limit of {told.number(words, gate, gate.limit)}. "
            f"{told.sentence(words, gate)} {told.advice(words, gate)} To go on regardless, {told.way_on(gate.gate)}"
        )


def empty_by_day(month: Workbook) -> pd.DataFrame:
    """Empty cells of the order lines by day and column, in one pass (`insight.profile.missing_by_day`)."""
    columns = profile.LINE_COLUMNS
    found = month.tables.collect(lambda _, lines: profile.missing_by_day(lines, columns), "transactions")
    return found.astype("int64").sort_values("day", ignore_index=True)


def empty(month: Workbook) -> pd.DataFrame:
    """Cells without a value by table and column (`insight.profile.missing_by_column`)."""
    lines = month.missing_by_day().drop(columns="day").sum()
    return profile.missing_by_column(lines, month.tables.optional())


def impossible(month: Workbook) -> pd.DataFrame:
    """Counted order lines with a value that cannot be (`insight.impossible`), in the order of the faults."""
    found = month.tables.collect(lambda _, lines: impossible_values.impossible(lines), "transactions")
    ordered = found.set_index("fault").reindex(
        [name for name in impossible_values.FAULTS if name in set(found["fault"])]
    )
    return ordered.reset_index()[IMPOSSIBLE].astype({"lines": "int64", "amount": float})


def far_out(month: Workbook) -> dict[str, pd.DataFrame]:
    """The window's outliers (`insight.outliers`): ``summary`` of orders and of customers, ``listed``: the ten largest of each."""
    window, known = month.params.rfm.window_days, month.kept_history()
    summaries, tops = [], []
    with month.tables.engine() as engine, TemporaryDirectory(dir=month.tables.work) as scratch:
        lines, kept = engine.scan(month.tables.folder / "transactions.parquet"), Path(scratch) / "orders.parquet"
        engine.write(outliers.orders(lines, month.end - window, month.end), kept)  # grouped once, looked at three times
        customers = outliers.of_customers(month.tables.scan_step(engine, known))
        for of, found in (("order", engine.scan(kept)), ("customer", customers)):
            spread = engine.collect(outliers.spread(found)).iloc[0]
            bound = outliers.fence(spread)
            summaries.append(outliers.summary(of, spread, engine.collect(outliers.beyond(found, bound)).iloc[0]))
            tops.append(outliers.listed(of, engine.collect(outliers.largest(found)), summaries[-1]))
    return {
        "summary": pd.DataFrame(summaries).astype({"beyond": "Int64"}),
        "listed": pd.concat(tops, ignore_index=True),
    }
