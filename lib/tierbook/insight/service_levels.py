"""Service levels: the share of tickets answered and solved within their tier's target time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.errors import InputError
from tierbook.insight.voice import share

MOMENTS = {"first_response_hours": "first_response_at", "resolved_hours": "resolved_at"}
COLUMNS = ["tier", "measure", "target_hours", "tickets", "met", "share", "low", "high", "median_hours"]
_HOUR = np.timedelta64(1, "h")


def service_levels(tickets: pd.DataFrame, targets: dict[str, dict[str, float]], until: pd.Timestamp) -> pd.DataFrame:
    """One row per tier and measure, in the order of ``targets``.

    tier, measure (first_response_hours, resolved_hours), target_hours; tickets: those that can be judged; met: done at
    most target_hours after opening; share of met with its 95 % Wilson interval low, high (null below 10 tickets);
    median_hours of those done (null where none is).

    Parameters
    ----------
    tickets : tier, opened_at, first_response_at, resolved_at (null: not yet). A ticket not done by ``until`` is missed
        once its target time is over then; before that nobody knows, and it is not counted. Tickets without an opening
        time, opened after ``until`` or of a tier without targets are not counted.
    targets : tier -> measure -> hours
    until : when the table was drawn; what is dated later has not happened yet

    Raises
    ------
    InputError : a column is missing, or a ticket is done before it is opened
    """
    missing = [name for name in ("tier", "opened_at", *MOMENTS.values()) if name not in tickets]
    if missing:
        raise InputError(f"service levels: tickets have no column {missing}; there are {list(tickets.columns)}")
    known = tickets[tickets["opened_at"] <= until]
    rows = [
        (tier, measure, hours, *_judged(known[known["tier"] == tier], MOMENTS[measure], hours, until))
        for tier, measures in targets.items()
        for measure, hours in measures.items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _judged(tickets: pd.DataFrame, moment: str, target: float, until: pd.Timestamp) -> tuple:
    opened = tickets["opened_at"]
    done = tickets[moment].where(tickets[moment] <= until)
    early = done < opened
    if early.any():
        first = opened[early].head(3).astype(str).tolist()
        raise InputError(f"service levels: {early.sum()} tickets have {moment} before opened_at, opened {first}")
    took = (done - opened) / _HOUR
    overdue = done.isna() & ((until - opened) / _HOUR > target)
    met, judged = int((took <= target).sum()), int((done.notna() | overdue).sum())
    found = share(met, judged)
    return judged, met, found["value"], found["low"], found["high"], took.median()
