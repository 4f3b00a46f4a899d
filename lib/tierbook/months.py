"""Months of the calendar: the same day some months away, and the whole days until then."""

from __future__ import annotations

import calendar
import datetime as dt


def months_before(as_of: dt.date, months: int) -> dt.date:
    """The same day some months earlier (later where negative); the last day of a month stays a last day."""
    year, month = divmod(as_of.year * 12 + as_of.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    is_last = as_of.day == calendar.monthrange(as_of.year, as_of.month)[1]
    return dt.date(year, month + 1, last if is_last else min(as_of.day, last))


def months_between(as_of: dt.date, earlier: dt.date) -> int:
    """How many months ``earlier`` (a date of `months_before`) lies before as_of."""
    return (as_of.year - earlier.year) * 12 + as_of.month - earlier.month


def days_to_month_ends(as_of: dt.date, months: int) -> list[int]:
    """Days from as_of to the end of each of the next months, which end on the same day as as_of; the last one is the horizon."""
    return [(months_before(as_of, -k) - as_of).days for k in range(1, months + 1)]
