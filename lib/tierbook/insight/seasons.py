"""The calendar of holidays and sales: which of them lie in a month, and whether last year's month had the same."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from tierbook.errors import ParamsError
from tierbook.months import months_before
from tierbook.params import nearest, read_yaml

MOVED_DAYS = 7
_FIELDS = ("code", "words", "yearly", "first_days", "days_before", "days_after")


@dataclass(frozen=True)
class Event:
    """A holiday or sale: the same days each ``yearly`` (month, day to month, day), or around a first day by year."""

    code: str
    words: dict[str, str]
    yearly: tuple[tuple[int, int], tuple[int, int]] | None = None
    first_days: tuple[dt.date, ...] = field(default=())
    days_before: int = 0
    days_after: int = 0

    def days_in(self, start: dt.date, end: dt.date) -> int:
        """Days of the event after ``start`` up to and including ``end``; overlapping first days count a day twice."""
        shared = (min(last, end) - max(first - dt.timedelta(days=1), start) for first, last in self._spans(start, end))
        return sum(max(days.days, 0) for days in shared)

    def covers(self, start: dt.date, end: dt.date) -> bool:
        """Whether the years of the span lie within those the event is given for."""
        if self.yearly:
            return True
        first = start + dt.timedelta(days=1)
        return self.first_days[0].year <= first.year and end.year <= self.first_days[-1].year

    def _spans(self, start: dt.date, end: dt.date) -> list[tuple[dt.date, dt.date]]:
        if self.yearly is None:
            before, after = dt.timedelta(days=self.days_before), dt.timedelta(days=self.days_after)
            return [(first - before, first + after) for first in self.first_days]
        first, last = self.yearly
        # an event over New Year ends in the next year
        years = range(start.year - 1, end.year + 1)
        return [(_on(year, first), _on(year + (last < first), last)) for year in years]


def _on(year: int, month_day: tuple[int, int]) -> dt.date:
    """A month and day in a year; 29 February is the 28th where there is none."""
    month, day = month_day
    return dt.date(year, month, min(day, calendar.monthrange(year, month)[1]))


def in_span(events: list[Event], start: dt.date, end: dt.date) -> list[Event]:
    """The events with a day after ``start`` up to and including ``end``, in the calendar's order."""
    return [event for event in events if event.days_in(start, end)]


def marks(events: list[Event], dates: Iterable[dt.date]) -> dict[dt.date, list[str]]:
    """The codes of the events in the month that ends on each date; an empty list where there is none."""
    return {date: [event.code for event in in_span(events, months_before(date, 1), date)] for date in dates}


def differs(events: list[Event], span: tuple[dt.date, dt.date], last_year: tuple[dt.date, dt.date]) -> pd.DataFrame:
    """The events because of which a span is not comparable with last year's: code, days, days_year_ago in each.

    An event differs that lies in one span and not in the other, or with a week's days more in one than in the other
    (春节 on 17 February 2026 had 19 more days of February than on 29 January 2025). Spans are (start, end], as in
    `in_span`; an event is left out where its first days are not given for the years of both.
    """
    told = [event for event in events if event.covers(*span) and event.covers(*last_year)]
    rows = [(event.code, event.days_in(*span), event.days_in(*last_year)) for event in told]
    moved = [row for row in rows if (row[1] > 0) != (row[2] > 0) or abs(row[1] - row[2]) >= MOVED_DAYS]
    return pd.DataFrame(moved, columns=["code", "days", "days_year_ago"])


def terms(events: list[Event]) -> dict[str, dict[str, dict[str, str]]]:
    """The events' names as the group ``event`` of the report's own terms."""
    return {"event": {event.code: event.words for event in events}}


def read(path: Path) -> list[Event]:
    """The events of a calendar file, in its order; a fault is a one-line ParamsError that names file and event."""
    tree = read_yaml(path, "calendar")
    listed = tree.get("events")
    if set(tree) != {"events"} or not isinstance(listed, list) or not all(isinstance(e, dict) for e in listed):
        raise ParamsError(f"calendar {path.name}: give events: [{{code: …, words: {{en: …, zh: …}}, yearly: …}}] only")
    found = [
        _event(entry, f"calendar {path.name}, event {entry.get('code', place)}")
        for place, entry in enumerate(listed, 1)
    ]
    codes = [event.code for event in found]
    twice = next((code for code in codes if codes.count(code) > 1), None)
    if twice:
        raise ParamsError(f"calendar {path.name}: event {twice} stands {codes.count(twice)} times; give each code once")
    return found


def _event(entry: dict, where: str) -> Event:
    unknown = sorted(str(key) for key in set(entry) - set(_FIELDS))
    if unknown:
        raise ParamsError(f"{where}: unknown key {unknown[0]!r}; {nearest(unknown[0], _FIELDS)}")
    words = entry.get("words")
    if entry.get("code") is None or not isinstance(words, dict) or not {"en", "zh"} <= set(words):
        raise ParamsError(f"{where}: needs a code and words: {{en: …, zh: …}}")
    if ("yearly" in entry) == ("first_days" in entry):
        raise ParamsError(f"{where}: give either yearly: {{from: 11-01, to: 11-11}} or first_days: [2026-02-17, …]")
    named = {"code": str(entry["code"]), "words": {language: str(word) for language, word in words.items()}}
    if "yearly" in entry:
        return Event(**named, yearly=_yearly(entry, where))
    around = {key: _whole(entry.get(key, 0), f"{where}: {key}") for key in ("days_before", "days_after")}
    return Event(**named, first_days=_first_days(entry["first_days"], where), **around)


def _yearly(entry: dict, where: str) -> tuple[tuple[int, int], tuple[int, int]]:
    days, idle = entry["yearly"], {"days_before", "days_after"} & set(entry)
    if idle:
        raise ParamsError(f"{where}: {min(idle)} belongs to first_days; move the days of yearly instead")
    if not isinstance(days, dict) or set(days) != {"from", "to"}:
        raise ParamsError(f"{where}: yearly = {days!r}; write yearly: {{from: 11-01, to: 11-11}}")
    first, last = (
        _date(f"2000-{day}", day, where, "a month and day such as 11-01") for day in (days["from"], days["to"])
    )
    return (first.month, first.day), (last.month, last.day)


def _first_days(listed: object, where: str) -> tuple[dt.date, ...]:
    if not isinstance(listed, list) or not listed:
        raise ParamsError(f"{where}: first_days is a list of days such as [2026-02-17, 2027-02-06]")
    return tuple(sorted(_date(str(day), day, where, "a day such as 2026-02-17") for day in listed))


def _date(text: str, given: object, where: str, form: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ParamsError(f"{where}: {given!r} is not {form}") from None


def _whole(number: object, where: str) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= 180:
        raise ParamsError(f"{where} = {number!r} is not a whole number of days from 0 to 180")
    return number
