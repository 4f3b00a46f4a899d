"""Quality gates: what the data must hold before the report is believed, and what follows where they do not.

A gate is measured as one number and held against its limit in ``params.gate``. Result: ``pass``; where missed, ``refuse``
if ``gate.refuse`` names it, else ``degrade`` for the three base gates (the report says less) and ``warn`` for the others
(the report says so). A gate that cannot be judged (too few months, no finance figure) has no row.
"""

from __future__ import annotations

import datetime as dt

import pandas as pd

from tierbook.accounting import day_number
from tierbook.errors import ParamsError
from tierbook.noise import NOISE
from tierbook.params import Gate, nearest
from tierbook.scores.counted import customers_of

BASE = ("min_customers", "min_history_days", "max_days_since_last_order")
STATED_TOTAL = "stated_total"
NAMES = (*(name for name in Gate.model_fields if name.startswith(("min_", "max_"))), STATED_TOTAL)
COLUMNS = ["gate", "value", "limit", "result", "about"]
REASONS = {
    "max_unreadable_share": ("bad_date", "bad_amount"),
    "max_damaged_share": ("damaged_id", "masked_id", "lost_zeros"),
    "max_duplicate_share": ("duplicate", "repeated_line"),
    "max_other_currency_share": ("other_currency",),
}
CENT = 0.01
FEWEST_MONTHS, MOST_MONTHS = 3, 12
FEWEST_LINES = 100

Measured = dict[str, tuple[float, str | None]]
"""Gate → its value and what the value is about: a reason, month, column, currency or fault; null value: not judged."""


def check_names(limits: Gate) -> None:
    """Refuse a name in ``gate.refuse`` that is no gate, in one line with the nearest."""
    unknown = next((name for name in limits.refuse if name not in NAMES), None)
    if unknown is not None:
        raise ParamsError(f"gate.refuse: no gate is called {unknown!r}; {nearest(unknown, NAMES)}")


def judged(measured: Measured, limits: Gate) -> pd.DataFrame:
    """gates.csv: gate, value, limit, result, about; in the order measured.

    A value at its limit passes. Rows in another currency warn from the first one on, whatever the limit.
    """
    rows = []
    for gate, (value, about) in measured.items():
        if pd.notna(value):
            value, limit = round(float(value), 9), float(getattr(limits, gate, CENT))  # 0.3 − 0.1 is not above 0.2
            rows.append((gate, value, limit, _result(gate, value, limit, limits.refuse), about))
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.astype({"value": float, "limit": float, "about": object})


def _result(gate: str, value: float, limit: float, refuse: list[str]) -> str:
    if value < limit if gate.startswith("min_") else value > limit:
        return "refuse" if gate in refuse else "degrade" if gate in BASE else "warn"
    return "warn" if gate == "max_other_currency_share" and value > 0 else "pass"


def base(history: pd.DataFrame, as_of: dt.date, limits: Gate) -> pd.DataFrame:
    """The base gates: customers, days of history (both ends counted), days since the last order.

    ``history``: first_day and last_day, a row for as many ``customers`` as it says, else for one.
    Too few customers → fixed-threshold tiers, no clusters and no lifetime value; too short a history → no lifetime
    value; a last order long before as_of → said. Nothing usable is refused before this is reached.
    """
    end = day_number(as_of)
    values = int(customers_of(history).sum()), end - history["first_day"].min() + 1, end - history["last_day"].max()
    return judged({gate: (value, None) for gate, value in zip(BASE, values, strict=True)}, limits)


def of_rows(accounting: pd.DataFrame) -> Measured:
    """Shares of the rows that are order lines (not titles, totals or notes: `noise`); overlapping files are no fault.

    about: the reason of most rows; for other currencies, one of them.
    """
    lines = accounting[accounting["table"] == "transactions"].set_index("reason")
    lines = lines.drop(index=list(NOISE), errors="ignore")
    found = {}
    for gate, reasons in REASONS.items():
        held = lines[lines.index.isin(reasons)].sort_values("rows", ascending=False, kind="stable")
        first = None if held.empty else held.index[0] if len(reasons) > 1 else held["example"].iloc[0]
        found[gate] = (held["rows"].sum() / lines["rows"].sum() if lines["rows"].sum() else float("nan"), first)
    return found


def of_sales(sales: pd.DataFrame) -> Measured:
    """Net sales without a customer over all net sales (`profile.daily_sales`)."""
    unknown, total = sales.loc[sales["reason"] == "no_customer", "net"].sum(), sales["net"].sum()
    return {"max_unidentified_share": (unknown / total if total > 0 else float("nan"), None)}


def of_impossible(impossible: pd.DataFrame, lines: int) -> Measured:
    """Counted lines with a value that cannot be (`insight.impossible`) over all counted lines; about: the commonest."""
    first = impossible.sort_values(["lines", "fault"], ascending=[False, True])["fault"].head(1)
    share = impossible["lines"].sum() / lines if lines else float("nan")
    return {"max_impossible_share": (share, first.iloc[0] if len(first) else None)}


def last_whole_month(as_of: dt.date) -> str:
    """The last calendar month that as_of leaves nothing out of, as YYYY-MM."""
    return str((pd.Timestamp(as_of) + pd.Timedelta(days=1)).to_period("M") - 1)


def of_months(months: pd.DataFrame, as_of: dt.date) -> Measured:
    """Orders of the last whole month over the median of up to twelve months before it.

    The month of the first line, which may be incomplete, is left out; at least three months must remain.
    """
    last = last_whole_month(as_of)
    orders = months.set_index("month")["orders"]
    earlier = orders[orders.index < last].iloc[1:].tail(MOST_MONTHS)
    usual = earlier.median() if len(earlier) >= FEWEST_MONTHS else 0
    return {"min_month_share": (orders.get(last, 0) / usual if usual > 0 else float("nan"), last)}


def of_columns(missing: pd.DataFrame, as_of: dt.date) -> Measured:
    """The largest change of a column's share of empty cells: last whole month against up to twelve months before.

    ``missing``: `profile.missing_by_month`. The months before are taken together, at least three; both sides need a
    hundred lines. about: the column.
    """
    last, gate = last_whole_month(as_of), "max_missing_change"
    whole = missing[missing["month"] <= last].set_index("month")[["column", "rows", "missing"]]
    earlier = sorted(set(whole.index) - {last})[-MOST_MONTHS:]
    now = whole[whole.index == last].set_index("column")
    then = whole[whole.index.isin(earlier)].groupby("column").sum()
    changes = (now["missing"] / now["rows"] - then["missing"] / then["rows"]).abs()
    enough = min(now["rows"].max(), then["rows"].max()) >= FEWEST_LINES if len(now) and len(then) else False
    if not enough or len(earlier) < FEWEST_MONTHS:
        return {gate: (float("nan"), None)}
    return {gate: (changes.max(), changes.sort_index().idxmax() if changes.max() > 0 else None)}


def finance(months: pd.DataFrame, given: dict[str, float]) -> pd.DataFrame:
    """Net sales beside finance's figures: month, net_sales, finance, difference, gap (|net sales / finance − 1|).

    One row per month given, in order; net_sales is null where the data have no such month, gap also where finance's
    figure is not above zero.
    """
    table = pd.DataFrame({"month": sorted(given)}).astype({"month": object})
    table["net_sales"] = table["month"].map(months.set_index("month")["net_sales"]).astype(float)
    table["finance"] = table["month"].map(given).astype(float)
    table["difference"] = table["net_sales"] - table["finance"]
    return table.assign(gap=(table["net_sales"] / table["finance"].where(table["finance"] > 0) - 1).abs())


def of_finance(months: pd.DataFrame, as_of: dt.date, given: dict[str, float]) -> Measured:
    """The gap to finance's figure of the last whole month; about: the month."""
    last = last_whole_month(as_of)
    gap = finance(months, given).set_index("month")["gap"]
    return {"max_finance_gap": (gap.get(last, float("nan")), last)}


def of_stated_total(accounting: pd.DataFrame, files: int) -> Measured:
    """What the files' own total rows (合计) say less what their lines add up to, set-aside lines included.

    Judged where there is one total row for each file; with subtotals it cannot be told which rows a total covers.
    """
    lines = accounting[accounting["table"] == "transactions"].set_index("reason")
    totals = lines[lines.index == "total_row"]
    if totals["rows"].sum() != files or files == 0:
        return {STATED_TOTAL: (float("nan"), None)}
    return {STATED_TOTAL: (abs(totals["amount"].sum() - lines.drop(index="total_row")["amount"].sum()), None)}
