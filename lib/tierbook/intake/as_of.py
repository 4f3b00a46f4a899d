"""The last day counted, from the days that have orders; there is no clock in it."""

from __future__ import annotations

import calendar
import datetime as dt
import itertools
from dataclasses import dataclass

_ISOLATED_DAYS = 365


@dataclass(frozen=True)
class AsOf:
    """The day, whether it ends a month that the orders cover, and the last order's day."""

    day: dt.date
    full_month: bool
    last: dt.date


def of(days: list[dt.date]) -> AsOf | None:
    """The last day of the last month that the orders cover in full, else the last order's day; None without a day.

    A month is covered in full when the orders begin at its start or before, and either go on after it or fall silent
    before its end for less than the usual (median) gap between days with orders. Days more than a year after all
    others are slips of the pen and do not count.
    """
    while len(days) > 1 and (days[-1] - days[-2]).days > _ISOLATED_DAYS:
        days = days[:-1]
    if not days:
        return None
    last = days[-1]
    end = _month_end(last)
    gaps = sorted((later - earlier).days for earlier, later in itertools.pairwise(days))
    usual = gaps[(len(gaps) - 1) // 2] if gaps else 0
    whole = end if (end - last).days < max(usual, 1) else last.replace(day=1) - dt.timedelta(days=1)
    if whole.replace(day=1) < _month_start(days[0], usual):
        return AsOf(last, False, last)
    return AsOf(whole, True, last)


def _month_end(day: dt.date) -> dt.date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _month_start(first: dt.date, usual: int) -> dt.date:
    """The first day from which months are whole: the first order's own where it lies within a usual gap of its start."""
    if first.day <= max(usual, 1):
        return first.replace(day=1)
    return _month_end(first) + dt.timedelta(days=1)
