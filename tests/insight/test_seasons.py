"""The calendar: days by hand at every edge, the shipped file against the moon, faults told in one line."""

import datetime as dt
import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.errors import ParamsError
from tierbook.insight.seasons import Event, differs, in_span, marks, read, terms
from tierbook.months import months_before
from tierbook.params import ROOT

WORDS = {"en": "X", "zh": "某"}
DOUBLE_11 = Event("double_11", WORDS, yearly=((11, 1), (11, 11)))
NEW_YEAR = Event("new_year", WORDS, yearly=((12, 30), (1, 2)))
# the window of 17 February 2026 is 1 to 23 February; of 29 January 2025, 13 January to 4 February
SPRING = Event("spring", WORDS, first_days=(dt.date(2025, 1, 29), dt.date(2026, 2, 17)), days_before=16, days_after=6)


def day(text):
    return dt.date.fromisoformat(text)


@pytest.fixture(scope="module")
def shipped():
    return {event.code: event for event in read(ROOT / "params" / "calendar.yaml")}


# --- which days -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "start", "end", "days"),
    [
        # spans are after start, up to and including end
        (DOUBLE_11, "2026-10-01", "2026-10-31", 0),
        (DOUBLE_11, "2026-10-01", "2026-11-01", 1),
        (DOUBLE_11, "2026-10-31", "2026-11-30", 11),
        (DOUBLE_11, "2026-11-01", "2026-11-30", 10),
        (DOUBLE_11, "2026-11-10", "2026-11-30", 1),
        (DOUBLE_11, "2026-11-11", "2026-11-30", 0),
        (DOUBLE_11, "2024-12-31", "2026-12-31", 22),
        (NEW_YEAR, "2025-11-30", "2025-12-31", 2),
        (NEW_YEAR, "2025-12-31", "2026-01-31", 2),
        (NEW_YEAR, "2025-12-15", "2026-01-15", 4),
        (NEW_YEAR, "2026-01-02", "2026-01-31", 0),
        (SPRING, "2025-01-05", "2025-01-12", 0),
        (SPRING, "2025-01-05", "2025-01-13", 1),
        (SPRING, "2024-12-31", "2025-01-31", 19),
        (SPRING, "2025-01-31", "2025-02-28", 4),
        (SPRING, "2025-02-03", "2025-02-28", 1),
        (SPRING, "2025-02-04", "2025-02-28", 0),
        (SPRING, "2025-12-31", "2026-01-31", 0),
        (SPRING, "2026-01-31", "2026-02-28", 23),
        (SPRING, "2026-02-28", "2026-03-31", 0),
    ],
)
def test_days_of_an_event_in_a_span(event, start, end, days):
    assert event.days_in(day(start), day(end)) == days
    assert in_span([event], day(start), day(end)) == ([event] if days else [])


def test_the_29th_of_february_is_the_28th_in_other_years():
    event = Event("leap", WORDS, yearly=((2, 29), (2, 29)))
    assert event.days_in(day("2024-02-28"), day("2024-02-29")) == 1
    assert event.days_in(day("2025-02-27"), day("2025-02-28")) == 1
    assert event.days_in(day("2025-02-28"), day("2025-03-31")) == 0


@settings(deadline=None, max_examples=100)
@given(start=st.dates(dt.date(2023, 1, 1), dt.date(2027, 1, 1)), lengths=st.tuples(*[st.integers(0, 500)] * 2))
def test_two_spans_that_meet_hold_the_days_of_both_together(start, lengths):
    middle = start + dt.timedelta(days=lengths[0])
    end = middle + dt.timedelta(days=lengths[1])
    for event in (DOUBLE_11, NEW_YEAR, SPRING):
        assert event.days_in(start, middle) + event.days_in(middle, end) == event.days_in(start, end)
        assert 0 <= event.days_in(start, end) <= (end - start).days


def test_marks_name_the_events_of_each_month():
    dates = [day(text) for text in ("2026-02-28", "2026-01-31", "2025-11-30", "2025-12-31", "2025-11-15")]
    found = marks([DOUBLE_11, NEW_YEAR, SPRING], dates)
    assert list(found.values()) == [["spring"], ["new_year"], ["double_11"], ["new_year"], ["double_11"]]
    assert list(found) == dates
    assert marks([], dates) == {date: [] for date in dates}


# --- comparable with last year ------------------------------------------------------------------------------------


def last_year(end):
    return (months_before(end, 13), months_before(end, 12))


@pytest.mark.parametrize(
    ("end", "rows"),
    [
        ("2026-01-31", [["spring", 0, 19]]),  # in January last year, not this year
        ("2026-02-28", [["spring", 23, 4]]),  # in both Februaries, but hardly in the last one
        ("2026-03-31", []),
        ("2026-11-30", []),  # fixed days are there each year
    ],
)
def test_a_month_whose_holiday_moved_is_not_comparable(end, rows):
    span = (months_before(day(end), 1), day(end))
    found = differs([DOUBLE_11, NEW_YEAR, SPRING], span, last_year(day(end)))
    assert found.to_numpy().tolist() == rows


@pytest.mark.parametrize(("shift", "told"), [(0, False), (6, False), (7, True), (8, True)])
def test_a_week_more_of_an_event_differs(shift, told):
    first = dt.date(2026, 1, 22) + dt.timedelta(days=shift)  # ten days, the last `shift` of them in February
    event = Event("e", WORDS, first_days=(dt.date(2025, 1, 22), first), days_after=9)
    found = differs([event], (day("2025-12-31"), day("2026-01-31")), (day("2024-12-31"), day("2025-01-31")))
    assert (len(found) == 1) == told


def test_one_day_in_one_span_and_none_in_the_other_differs():
    event = Event("e", WORDS, first_days=(day("2025-02-01"), day("2026-01-31")))
    found = differs([event], (day("2025-12-31"), day("2026-01-31")), (day("2024-12-31"), day("2025-01-31")))
    assert found.to_numpy().tolist() == [["e", 1, 0]]


def test_years_without_a_first_day_given_are_not_judged():
    only_2026 = Event("e", WORDS, first_days=(day("2026-01-20"),))
    span = (day("2025-12-31"), day("2026-01-31"))
    assert differs([only_2026], span, last_year(span[1])).empty


# --- the shipped calendar -----------------------------------------------------------------------------------------


def new_moon(near):
    """Moment of the new moon next to a date, Beijing time; Meeus, Astronomical Algorithms (1998), ch. 49.

    Terms of under 15 seconds and all but the two largest of the planets are left out; 70 seconds part the uniform time
    of the formula from the clock's.
    """
    k = round((near - dt.date(2000, 1, 6)).days / 29.530588861)
    t = k / 1236.85
    e, to = 1 - 0.002516 * t, math.radians
    sun, moon = to(2.5534 + 29.1053567 * k), to(201.5643 + 385.81693528 * k + 0.0107582 * t * t)
    node, far = to(160.7108 + 390.67050284 * k - 0.0016118 * t * t), to(124.7746 - 1.56375588 * k)
    terms = [
        (-0.40720, moon), (0.17241 * e, sun), (0.01608, 2 * moon), (0.01039, 2 * node), (0.00739 * e, moon - sun),
        (-0.00514 * e, moon + sun), (0.00208 * e * e, 2 * sun), (-0.00111, moon - 2 * node), (-0.00057, moon + 2 * node),
        (0.00056 * e, 2 * moon + sun), (-0.00042, 3 * moon), (0.00042 * e, sun + 2 * node), (0.00038 * e, sun - 2 * node),
        (-0.00024 * e, 2 * moon - sun), (-0.00017, far), (0.000325, to(299.77 + 0.107408 * k)),
        (0.000165, to(251.88 + 0.016321 * k)),
    ]  # fmt: skip
    days = 2451550.09766 + 29.530588861 * k + 0.00015437 * t * t + sum(size * math.sin(angle) for size, angle in terms)
    # day 2451544.5 is 1 January 2000, 0:00
    return dt.datetime(2000, 1, 1) + dt.timedelta(days=days - 2451544.5, seconds=-70, hours=8)


def test_the_new_moon_of_the_test_is_that_of_the_book():
    # Meeus, example 49.a: 18 February 1977, 3:37:42 dynamical time
    found = new_moon(dt.date(1977, 2, 18)) - dt.timedelta(hours=8, seconds=-70)
    assert abs(found - dt.datetime(1977, 2, 18, 3, 37, 42)) < dt.timedelta(minutes=2)


def test_the_lunar_year_begins_on_the_day_of_a_new_moon_in_beijing(shipped):
    first_days = shipped["spring_festival"].first_days
    assert [first.year for first in first_days] == list(range(2009, 2036))
    # the closest to midnight are 2027 (23:56) and 2030 (0:07)
    assert [new_moon(first).date() for first in first_days] == list(first_days)
    assert all((1, 21) <= (first.month, first.day) <= (2, 20) for first in first_days)
    # twelve or thirteen months of 29.53 days
    lengths = {(b - a).days for a, b in itertools.pairwise(first_days)}
    assert lengths <= {353, 354, 355, 383, 384, 385}


def test_the_shipped_events(shipped):
    year = {
        f"2026-{month:02d}": [
            event.code
            for event in in_span(
                list(shipped.values()),
                dt.date(2026, month, 1) - dt.timedelta(days=1),
                dt.date(2026, month, 28),
            )
        ]
        for month in range(1, 13)
    }
    assert {month: codes for month, codes in year.items() if codes} == {
        "2026-02": ["spring_festival"],
        "2026-06": ["mid_year_618"],
        "2026-10": ["national_day"],
        "2026-11": ["double_11"],
        "2026-12": ["double_12"],
    }
    festival = shipped["spring_festival"]
    assert (festival.days_before, festival.days_after) == (16, 6)
    assert terms(list(shipped.values()))["event"]["double_11"] == {"en": "Double 11", "zh": "双11"}


# --- faults -------------------------------------------------------------------------------------------------------

GOOD = "code: e, words: {en: X, zh: 某}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- 1", "c.yaml holds no keys"),
        ("event: []", "calendar c.yaml: give events: ["),
        ("events: 5", "calendar c.yaml: give events: ["),
        ("events: [5]", "calendar c.yaml: give events: ["),
        ("events: [{words: {en: X, zh: Y}, yearly: {from: 01-01, to: 01-02}}]", "event 1: needs a code and words"),
        ("events: [{code: e, yearly: {from: 01-01, to: 01-02}}]", "event e: needs a code and words"),
        ("events: [{code: e, words: {en: X}, yearly: {from: 01-01, to: 01-02}}]", "event e: needs a code and words"),
        (f"events: [{{{GOOD}}}]", "event e: give either yearly"),
        (f"events: [{{{GOOD}, yearly: {{from: 01-01, to: 01-02}}, first_days: [2026-01-01]}}]", "event e: give either"),
        (f"events: [{{{GOOD}, year: 5}}]", "event e: unknown key 'year'; nearest is 'yearly'"),
        (f"events: [{{{GOOD}, yearly: 11-01}}]", "event e: yearly = '11-01'; write yearly: {from"),
        (f"events: [{{{GOOD}, yearly: {{from: 11-01}}}}]", "event e: yearly = "),
        (f"events: [{{{GOOD}, yearly: {{from: 11-31, to: 12-01}}}}]", "event e: '11-31' is not a month and day such"),
        (f"events: [{{{GOOD}, yearly: {{from: 1101, to: 1201}}}}]", "event e: 1101 is not a month and day such"),
        (f"events: [{{{GOOD}, yearly: {{from: 11-01, to: 11-02}}, days_after: 3}}]", "event e: days_after belongs to"),
        (f"events: [{{{GOOD}, first_days: []}}]", "event e: first_days is a list of days"),
        (f"events: [{{{GOOD}, first_days: 2026-01-01}}]", "event e: first_days is a list of days"),
        (f"events: [{{{GOOD}, first_days: [2026-02-30]}}]", "event e: '2026-02-30' is not a day such as 2026-02-17"),
        (f"events: [{{{GOOD}, first_days: [2026-02-03], days_before: -1}}]", "event e: days_before = -1 is not a whole"),
        (f"events: [{{{GOOD}, first_days: [2026-02-03], days_after: 1.5}}]", "event e: days_after = 1.5 is not a whole"),
        (f"events: [{{{GOOD}, first_days: [2026-02-03], days_after: 181}}]", "event e: days_after = 181 is not a whole"),
        (f"events: [{{{GOOD}, first_days: [2026-02-03]}}, {{{GOOD}, first_days: [2026-02-03]}}]", "event e stands 2 times"),
    ],
)  # fmt: skip
def test_a_fault_is_one_line_with_file_and_event(tmp_path, text, told):
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParamsError) as caught:
        read(path)
    assert told in str(caught.value) and "c.yaml" in str(caught.value) and "\n" not in str(caught.value)


def test_a_calendar_may_be_empty_and_codes_may_be_numbers(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("events: []", encoding="utf-8")
    assert read(path) == []
    path.write_text(
        "events: [{code: 618, words: {en: 618, zh: 618}, first_days: [2027-06-18, 2026-06-18]}]", encoding="utf-8"
    )
    (event,) = read(path)
    assert (event.code, event.words, event.first_days[0]) == ("618", {"en": "618", "zh": "618"}, day("2026-06-18"))
