"""The last day counted, at the edges of months."""

import datetime as dt

import pytest

from tierbook.intake import as_of


def days(first, last, step=1):
    start, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    return [start + dt.timedelta(days=n) for n in range(0, (end - start).days + 1, step)]


@pytest.mark.parametrize(
    ("first", "last", "step", "expected", "full"),
    [
        ("2026-01-01", "2026-03-31", 1, "2026-03-31", True),  # orders on the month's last day
        ("2026-01-01", "2026-03-30", 1, "2026-02-28", True),  # one day short of a daily shop's March
        ("2026-01-01", "2026-04-01", 1, "2026-03-31", True),  # just into April
        ("2026-01-05", "2026-01-20", 1, "2026-01-20", False),  # no month in full
        ("2026-01-02", "2026-01-31", 1, "2026-01-31", False),  # begins a day late; its last day all the same
        ("2026-01-05", "2026-03-30", 7, "2026-03-31", True),  # weekly: a day's silence is usual
        ("2026-01-05", "2026-03-23", 7, "2026-02-28", True),  # weekly: 8 days of silence are not
    ],
)
def test_the_last_full_month_or_else_the_last_order(first, last, step, expected, full):
    found = as_of.of(days(first, last, step))
    assert (found.day.isoformat(), found.full_month) == (expected, full)


def test_a_slip_of_the_pen_years_later_does_not_count():
    found = as_of.of([*days("2025-12-01", "2026-01-31"), dt.date(2062, 1, 5)])
    assert (found.day, found.last) == (dt.date(2026, 1, 31), dt.date(2026, 1, 31))


def test_one_day_and_none():
    assert as_of.of([dt.date(2026, 5, 5)]) == as_of.AsOf(dt.date(2026, 5, 5), False, dt.date(2026, 5, 5))
    assert as_of.of([]) is None
