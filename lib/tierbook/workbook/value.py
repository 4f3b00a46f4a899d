"""Value of a month: the forecast of every customer, and the backtest that says whether to believe it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pandas as pd

from tierbook.insight import forecast

if TYPE_CHECKING:
    from tierbook.workbook import Workbook


def value(month: Workbook) -> dict[str, Any]:
    """``customers``, ``model`` and ``note`` of the forecast; ``backtest`` with its hold-out."""
    found, rules = month.history(), month.params.value
    notes = {"min_customers": "too_few_customers", "min_history_days": "history_too_short"}
    note = next((told for gate, told in notes.items() if month.degraded(gate)), None)
    result = forecast.empty(found, note) if note else forecast.estimate(found, rules, month.margin_rate)
    days = forecast.holdout_length(int(found["first_day"].min()), month.end, rules)
    cut = month.as_of - dt.timedelta(days=days)
    then = month.history(cut)
    tested = forecast.against_past(then if note is None else then.head(0), found, _tiers_of(month, cut), days)
    return {
        **result,
        "backtest": tested["backtest"],
        "backtest_note": tested["note"],
        "holdout_days": days,
        "cut": str(cut),
    }


def _tiers_of(month: Workbook, date: dt.date) -> pd.Series:
    tier = month.tier_scheme.apply(month.cells(month.tier_scheme, date)).astype(object)
    return tier.set_axis(month.history(date)["customer_id"])
