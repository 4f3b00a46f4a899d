"""Months of the calendar, by hand."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.months import days_to_month_ends, months_before, months_between


@pytest.mark.parametrize(
    ("as_of", "months", "end"),
    [
        ("2026-10-31", 1, "2026-09-30"),  # a last day stays a last day
        ("2026-10-31", -4, "2027-02-28"),
        ("2023-10-31", -4, "2024-02-29"),
        ("2026-04-30", -1, "2026-05-31"),
        ("2026-04-15", -1, "2026-05-15"),
        ("2026-01-30", -1, "2026-02-28"),  # no such day: the last there is
        ("2026-12-15", -1, "2027-01-15"),
    ],
)
def test_the_same_day_some_months_away(as_of, months, end):
    as_of, end = dt.date.fromisoformat(as_of), dt.date.fromisoformat(end)
    assert months_before(as_of, months) == end
    assert months_between(as_of, end) == months


@pytest.mark.parametrize(
    ("as_of", "lengths"),
    [
        # From 31 October: November, December, January ... October, each whole.
        ("2026-10-31", [30, 31, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31]),
        # The same a year and two later, over 29 February 2024.
        ("2023-10-31", [30, 31, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31]),
        ("2025-01-31", [28, 31]),  # to 28 February, then to 31 March
        ("2024-02-15", [29, 31]),  # to 15 March over the leap day, then to 15 April
    ],
)
def test_days_to_month_ends_add_up_the_real_months(as_of, lengths):
    ends = days_to_month_ends(dt.date.fromisoformat(as_of), len(lengths))
    assert ends == [sum(lengths[: k + 1]) for k in range(len(lengths))]


@pytest.mark.parametrize(
    ("as_of", "months", "before"),
    [
        ("2026-10-31", 1, "2026-09-30"),
        ("2026-10-31", 8, "2026-02-28"),
        ("2024-03-31", 1, "2024-02-29"),
        ("2024-02-29", 1, "2024-01-31"),  # a last day stays a last day
        ("2024-02-29", 12, "2023-02-28"),
        ("2025-02-28", 12, "2024-02-29"),
        ("2024-02-28", 12, "2023-02-28"),  # not a last day, and 28 February 2023 is the same day
        ("2024-02-28", 1, "2024-01-28"),
        ("2026-03-30", 1, "2026-02-28"),  # there is no 30 February
        ("2026-01-15", 1, "2025-12-15"),
        ("2026-01-01", 13, "2024-12-01"),
        ("2026-12-31", 0, "2026-12-31"),
        ("2026-04-30", 1, "2026-03-31"),
    ],
)
def test_the_same_day_months_earlier(as_of, months, before):
    assert months_before(dt.date.fromisoformat(as_of), months) == dt.date.fromisoformat(before)


@settings(deadline=None)
@given(as_of=st.dates(dt.date(1990, 1, 1), dt.date(2060, 1, 1)), months=st.integers(1, 40))
def test_every_month_back_lies_in_that_month_and_in_order(as_of, months):
    earlier = months_before(as_of, months)
    assert as_of.year * 12 + as_of.month - earlier.year * 12 - earlier.month == months
    assert earlier < months_before(as_of, months - 1)
