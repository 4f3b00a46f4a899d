"""How the forecast as of each earlier date has fared since."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from tierbook.scores.counted import customers_of
from tierbook.scores.likelihood import ValueNotEstimable

MONTHS_BACK = (12, 9, 6, 3)
COLUMNS = ["date", "model", "customers", "days", "predicted_orders", "actual_orders", "ratio", "log_score"]
COLUMNS += ["past_rate_log_score", "stated_80", "coverage_80", "note"]


def fared_since(at: Callable[[dt.date], pd.DataFrame], dates: Iterable[dt.date], as_of: dt.date) -> pd.DataFrame:
    """The model fitted on the history at each earlier date, and what it said of the days from there to as_of.

    Parameters
    ----------
    at : callable
        Gives the history at an earlier date: repeats, t_x, T, since (purchase days from then up to as_of); customers, how
        many share each row, where rows are not customers.
    dates : iterable of dates
        Some four, such as `MONTHS_BACK` months before as_of; one history is held at a time.
    as_of : date

    Returns
    -------
    DataFrame
        One row per date, the earliest first: ``date``; ``model``, chosen by likelihood at that date; ``customers`` known then; ``days`` since; ``predicted_orders`` and
        ``actual_orders`` (purchase days of these customers); ``ratio`` of the two; ``log_score`` and
        ``past_rate_log_score``; ``stated_80`` and ``coverage_80`` of the 80 % interval: all as in the backtest. Where the
        history of the date could not carry the fit they are null and ``note`` has the code of the reason.
    """
    rows = [_one(date, at(date), (as_of - date).days) for date in sorted(dates)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _one(date: dt.date, then: pd.DataFrame, days: int) -> dict:
    from tierbook.scores.model_choice import choose
    from tierbook.scores.value_backtest import by_slice, score_customers

    row = dict.fromkeys(COLUMNS, np.nan) | {"date": date, "model": None, "days": days}
    row["customers"] = int(customers_of(then).sum())
    if then.empty or days < 1:
        return row | {"note": "history_too_short"}
    try:
        choice = choose(then)
    except ValueNotEstimable as refusal:
        return row | {"note": refusal.reason_code}
    scored = score_customers(then, then["since"], days, choice.model)
    return row | by_slice(scored).iloc[0][COLUMNS[4:-1]].to_dict() | {"model": choice.name, "note": None}
