"""The demo shop's year: which days are busy, and which carry a promotion.

Days are whole numbers, 0 for ``FIRST_DAY``. *Busy time* is the running sum of the day weights (mean 1): whoever buys at
an even pace in busy time buys more on busy days, so that every persona shares the shop's seasons.
"""

import numpy as np

FIRST_DAY = np.datetime64("2024-05-01", "D")
LAST_DAY = np.datetime64("2026-10-31", "D")
DAYS = int((LAST_DAY - FIRST_DAY).astype(int)) + 1

# name, first day, last day, weight of its days, discount off the list price
PROMOTIONS = (
    ("618", "2024-06-01", "2024-06-20", 1.6, 0.10),
    ("summer week", "2024-08-12", "2024-08-18", 1.4, 0.06),
    ("Double 11", "2024-11-01", "2024-11-12", 2.0, 0.12),
    ("spring week", "2025-03-03", "2025-03-09", 1.4, 0.06),
    ("618", "2025-06-01", "2025-06-20", 1.6, 0.10),
    ("summer week", "2025-08-11", "2025-08-17", 1.4, 0.06),
    ("Double 11", "2025-11-01", "2025-11-12", 2.0, 0.12),
    ("spring week", "2026-03-02", "2026-03-08", 1.4, 0.06),
    ("618", "2026-06-01", "2026-06-20", 1.6, 0.10),
    ("summer week", "2026-08-10", "2026-08-16", 1.4, 0.06),
)
PEAK_DAYS = ("2024-06-18", "2024-11-11", "2025-06-18", "2025-11-11", "2026-06-18")
NEW_YEARS = ("2025-01-29", "2026-02-17")  # first day of the lunar year


def day_number(date: str) -> int:
    """Whole days from ``FIRST_DAY`` to an ISO date (negative before it)."""
    return int((np.datetime64(date, "D") - FIRST_DAY).astype(int))


def dates(days: np.ndarray) -> np.ndarray:
    """Day numbers as ``datetime64[s]`` at midnight."""
    return (FIRST_DAY + np.asarray(days).astype("timedelta64[D]")).astype("datetime64[s]")


def day_weights() -> np.ndarray:
    """Weight of each day, shape ``(DAYS,)``, mean 1: week, year, promotions, Double 11, 618 and Spring Festival."""
    day = np.arange(DAYS)
    weekday = (day + 2) % 7  # FIRST_DAY is a Wednesday
    weight = np.where(weekday >= 5, 1.3, 0.88) * (1 + 0.08 * np.cos(2 * np.pi * (day + 121 - 350) / 365.25))
    for _, first, last, factor, _ in PROMOTIONS:
        weight[day_number(first) : day_number(last) + 1] *= factor
    for date in PEAK_DAYS:
        weight[day_number(date)] *= 2.5
    for date in NEW_YEARS:
        start = day_number(date)
        weight[start - 16 : start - 2] *= 1.5  # presents are bought before the holiday
        weight[start - 2 : start + 7] *= 0.5  # couriers and many buyers are at home
    return weight / weight.mean()


def discounts() -> np.ndarray:
    """Share taken off the list price on each day, shape ``(DAYS,)``."""
    share = np.zeros(DAYS)
    for _, first, last, _, discount in PROMOTIONS:
        share[day_number(first) : day_number(last) + 1] = discount
    return share


def festival_weights() -> np.ndarray:
    """The weights of the days of 618 and Double 11, 0 elsewhere: the calendar of those who buy then only."""
    festive = np.zeros(DAYS, dtype=bool)
    for name, first, last, _, _ in PROMOTIONS:
        if name in ("618", "Double 11"):
            festive[day_number(first) : day_number(last) + 1] = True
    return np.where(festive, day_weights(), 0.0)


def busy_time(day: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Busy time that has passed when ``day`` (may be a fraction) begins."""
    return np.interp(day, np.arange(DAYS + 1), np.append(0.0, weights.cumsum()))


def calendar_day(busy: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The day number in which busy time ``busy`` falls: the inverse of :func:`busy_time`, cut to a whole day."""
    day = np.searchsorted(weights.cumsum(), busy, side="right")
    return np.minimum(day, DAYS - 1)
