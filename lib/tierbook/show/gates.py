"""The quality gates in words: what each measures, what was found, what follows, and what to do about it."""

from __future__ import annotations

import pandas as pd

from tierbook.insight.gates import NAMES, STATED_TOTAL
from tierbook.show.tables import html
from tierbook.show.words import N_, Words

_COUNTS = ("min_customers", "min_history_days", "max_days_since_last_order")
_FINE = 0.02  # a limit under two percent is read with two decimals

FOUND = {
    "min_customers": N_("Only {value:number} customers (at least {limit:number} are asked for): tiers stand on fixed thresholds, and no "
        "clusters or lifetime values are given."),
    "min_history_days": N_("Only {value:number} days of history (at least {limit:number} are asked for): no lifetime values are given."),
    "max_days_since_last_order": N_("The last order lies {value:number} days before the as-of date (at most {limit:number} are expected): is the export "
        "complete?"),
    "max_unidentified_share": N_("{value} of net sales have no customer id (at most {limit} are expected): tiers speak of the rest alone."),
    "max_unreadable_share": N_("{value} of order lines have a date or an amount that cannot be read (at most {limit} are expected): their "
        "money is not counted."),
    "max_damaged_share": N_("{value} of order lines have a damaged or masked id (at most {limit} are expected): their customers are missing."),
    "max_duplicate_share": N_("{value} of order lines are copies of another (at most {limit} are expected): they are counted once."),
    "max_other_currency_share": N_("{value} of order lines are in another currency without a rate ({about}; limit {limit}): they are not counted."),
    "max_impossible_share": N_("{value} of the lines counted hold a value that cannot be (at most {limit} are expected), most often: {about}."),
    "min_month_share": N_("The orders of {about:month} come to {value} of a usual month (at least {limit} are expected): is the export complete?"),
    "max_missing_change": N_("The share of empty cells in “{about}” changed by {value} in the last whole month (at most {limit} is expected): "
        "was the export changed?"),
    "max_finance_gap": N_("Net sales of {about:month} differ from finance's figure by {value} (at most {limit} is expected)."),
    STATED_TOTAL: N_("The files' own total rows differ from their lines by {value}."),
}  # fmt: skip
"""Gate → what a missed one says; values come formatted."""

ADVICE = {
    "min_customers": N_("Export a longer time or more shops, or lower gate.min_customers if the shop is that small."),
    "min_history_days": N_("Export the orders since the shop's beginning, or two years of them."),
    "max_days_since_last_order": N_("Export again up to the as-of date, or set as_of to the last day you have in full."),
    "max_unidentified_share": N_("Export the buyer's id with every order (member number, phone hash), or map it under source.transactions.columns."),
    "max_unreadable_share": N_("Look at the examples in the table of rows set aside; give source.transactions.date_format, or map another "
        "amount column."),
    "max_damaged_share": N_("Export anew as CSV without opening it in a spreadsheet, with ids as text and unmasked."),
    "max_duplicate_share": N_("See whether one download was read twice; for overlapping downloads write source.transactions.overlap_by: order_id."),
    "max_other_currency_share": N_("Write the rates of these currencies under rates, such as rates: {{USD: 7.1}}, or exclude them by name."),
    "max_impossible_share": N_("Have the orders shown as examples put right in the shop's system, then export again."),
    "min_month_share": N_("Export the month again and compare its order count with the shop's own; if it is right, believe the drop."),
    "max_missing_change": N_("Compare the last export's columns with those before; until then distrust what is split by this column."),
    "max_finance_gap": N_("Tick the bridge off with finance: status counted, refunds, postage, date of order or of payment."),
    STATED_TOTAL: N_("See whether the export was cut off or filtered after its total was made, and whether the amount column is the same."),
}  # fmt: skip
"""Gate → what to do where it is missed."""


def number(words: Words, gate, value: float) -> str:
    """A gate's value or limit as its unit reads: a count, an amount, or a share."""
    if gate.gate in _COUNTS:
        return words.number(value)
    if gate.gate == STATED_TOTAL:
        return words.money(value)
    return words.percent(value, 2 if gate.limit < _FINE else 1)


def about(words: Words, gate) -> str | None:
    """What the value is about, in words: a reason, a fault, a column; a month stays as it is."""
    group = {"max_missing_change": "column", "max_impossible_share": "impossible"}.get(gate.gate, "reason")
    if gate.gate in ("max_finance_gap", "min_month_share", "max_other_currency_share") or pd.isna(gate.about):
        return None if pd.isna(gate.about) else str(gate.about)
    return words.term(group, gate.about)


def sentence(words: Words, gate) -> str:
    """What a missed gate found, and what follows for the report. ``gate``: a row of gates.csv."""
    if gate.gate in _COUNTS:
        return words.text(FOUND[gate.gate], value=gate.value, limit=gate.limit)
    values = {name: number(words, gate, getattr(gate, name)) for name in ("value", "limit")}
    return words.text(FOUND[gate.gate], **values, about=about(words, gate))


def advice(words: Words, gate) -> str:
    """What to do where a gate is missed."""
    return words.text(ADVICE[gate.gate])


def table(words: Words, gates: pd.DataFrame) -> str:
    """Every gate judged: what it measures, what was found, its limit, and the result."""
    rows = list(gates.itertuples())
    shown = gates.assign(
        value=[number(words, gate, gate.value) for gate in rows],
        limit=[_limit(words, gate) for gate in rows],
        about=[about(words, gate) for gate in rows],
    )
    return html(shown, words, terms={"gate": "gate", "result": "gate_result"}, caption=N_("Requirements on the data"))


def _limit(words: Words, gate) -> str:
    sign = "≥" if gate.gate.startswith("min_") else "≤"
    return f"{sign} {number(words, gate, gate.limit)}"


def lines(words: Words, gates: pd.DataFrame) -> list[str]:
    """One line for each gate missed: its name in the params, what was found, and what to do."""
    missed = gates[gates["result"] != "pass"].itertuples()
    return [f"{gate.gate}: {sentence(words, gate)} {advice(words, gate)}" for gate in missed]


def unjudged(gates: pd.DataFrame) -> list[str]:
    """The gates that these data cannot be judged by, in the order of the params."""
    return [name for name in NAMES if name not in set(gates["gate"])]


def way_on(gate: str) -> str:
    """How the params let a run pass a gate that refuses it."""
    limit = "" if gate == STATED_TOTAL else f"move gate.{gate} in the params, or "
    return f"{limit}take {gate} out of gate.refuse"
