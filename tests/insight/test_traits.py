"""Traits at a date: what counts on the edge of the window, which answer is the latest, what is unknown and what is none."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from tierbook.accounting import day_number
from tierbook.insight.traits import traits

END = day_number(dt.date(2026, 10, 31))
WINDOW = 31  # 1 to 31 October 2026
IDS = pd.Series(["a", "b", "c", "d"], index=[7, 5, 3, 1])


def found(trait, table=None, rows=(), columns=(), end=END, stage=None):
    frame = pd.DataFrame(rows, columns=list(columns))
    for column in ("opened_at", "answered_at", "joined_at"):
        if column in frame:
            frame[column] = pd.to_datetime(frame[column], format="ISO8601")
    result = traits([trait], IDS, end, WINDOW, {table: frame} if table else {}, stage)
    assert list(result) == [trait] and result.index.tolist() == IDS.index.tolist()
    return [None if pd.isna(value) else value for value in result[trait]]


TICKETS = ["customer_id", "opened_at"]
SURVEYS = ["customer_id", "answered_at", "csat", "nps"]
PEOPLE = ["customer_id", "referred_by", "joined_at"]


def test_requests_are_the_tickets_of_the_window():
    rows = [
        ("a", "2026-09-30 23:59:59"),  # the last second before the window
        ("a", "2026-10-01 00:00:00"),
        ("a", "2026-10-31 23:59:59"),
        ("a", "2026-11-01 00:00:00"),
        ("b", None),
        ("stranger", "2026-10-15"),
    ]
    assert found("requests", "tickets", rows, TICKETS) == [2, 0, 0, 0]
    assert found("requests", "tickets", rows, TICKETS, end=END + 1) == [2, 0, 0, 0], (
        "2 October to 1 November: two others"
    )
    assert found("requests", "tickets", [], TICKETS) == [0] * 4, "a table without a ticket says that nobody asked"


def test_the_latest_answer_of_the_window_counts():
    rows = [
        ("a", "2026-10-05", 5, 10), ("a", "2026-10-20", 2, None), ("a", "2026-11-01", 4, 7),  # after the date
        ("b", "2026-09-30", 1, 1), ("b", None, 3, 3),  # before the window; not answered
        ("c", "2026-10-01", 3, 0), ("c", "2026-10-09", 99, 11),  # 99 and 11 stand for "no answer"
        ("d", "2026-10-09 10:00", 4, 9), ("d", "2026-10-09 10:00", 3, 8),  # of one moment, the lowest
    ]  # fmt: skip
    assert found("satisfaction", "surveys", rows, SURVEYS) == [2, None, 3, 3]
    assert found("nps", "surveys", rows, SURVEYS) == [10, None, 0, 8], "an empty answer does not hide the one before"
    assert found("nps", "surveys", rows[::-1], SURVEYS) == [10, None, 0, 8]


def test_referrals_count_others_who_joined_up_to_the_date():
    rows = [
        ("x", "a", "2026-10-31"), ("y", "a", "2019-05-01"), ("z", "a", "2026-11-01"),  # one before the window, one after
        ("a", "b", "2020-01-01"), ("c", "c", "2020-01-01"),  # nobody refers himself
        ("v", "d", None), ("w", None, "2020-01-01"),  # who joined no one knows when is not counted
    ]  # fmt: skip
    assert found("referrals", "customers", rows, PEOPLE) == [2, 1, 0, 0]
    assert found("referrals", "customers", rows, PEOPLE, end=END + 1) == [3, 1, 0, 0]
    assert found("referrals", "customers", rows, PEOPLE, end=day_number(dt.date(2018, 1, 1))) == [0] * 4


@pytest.mark.parametrize(
    "rows",
    [[], [("a", None, "2020-01-01"), ("b", None, "2020-01-01")], [("a", "b", None)]],
)
def test_a_shop_that_records_no_referrals_knows_none(rows):
    assert found("referrals", "customers", rows, PEOPLE) == [None] * 4


@pytest.mark.parametrize(
    ("trait", "table", "columns"),
    [
        ("requests", None, ()), ("satisfaction", None, ()), ("nps", None, ()), ("referrals", None, ()),
        ("requests", "tickets", ["customer_id"]), ("satisfaction", "surveys", ["customer_id", "answered_at", "nps"]),
        ("nps", "surveys", ["customer_id", "answered_at", "csat"]), ("referrals", "customers", ["customer_id"]),
        ("stage", None, ()),
    ],
)  # fmt: skip
def test_a_table_or_column_that_is_not_given_is_unknown(trait, table, columns):
    assert found(trait, table, (), columns) == [None] * 4
    nothing = traits([trait], IDS, END, WINDOW, {"tickets": None, "surveys": None, "customers": None})
    assert nothing[trait].isna().all()


def test_stage_is_as_given_whatever_its_index():
    stage = pd.Series(pd.Categorical(["new", "lost", "loyal", "new"], ["new", "loyal", "lost"]))
    assert found("stage", stage=stage) == ["new", "lost", "loyal", "new"]


def test_all_that_is_wanted_comes_in_its_order_whatever_the_rows_order():
    rng = np.random.default_rng(7)
    days = pd.Timestamp("2026-10-31") - pd.to_timedelta(rng.integers(-5, 60, 300), unit="D")
    ids = np.array(["a", "b", "c", "d", "e"])[rng.integers(0, 5, 300)]
    surveys = pd.DataFrame(
        {"customer_id": ids, "answered_at": days, "csat": rng.integers(1, 6, 300), "nps": rng.integers(0, 11, 300)}
    )
    tables = {
        "tickets": pd.DataFrame({"customer_id": ids, "opened_at": days}),
        "surveys": surveys,
        "customers": pd.DataFrame({"customer_id": np.arange(300).astype(str), "referred_by": ids, "joined_at": days}),
    }
    wanted = ["nps", "requests", "referrals", "satisfaction"]
    one = traits(wanted, IDS, END, WINDOW, tables)
    other = traits(
        wanted, IDS[::-1], END, WINDOW, {name: t.sample(frac=1, random_state=1) for name, t in tables.items()}
    )
    assert list(one) == wanted
    pd.testing.assert_frame_equal(other[::-1], one)
    assert one.notna().all().all() and (one["requests"] > 0).all()
    assert traits([], IDS, END, WINDOW, tables).shape == (4, 0)


def test_nobody_has_no_traits():
    nobody = pd.Series([], dtype=str)
    tables = {"tickets": pd.DataFrame({"customer_id": ["a"], "opened_at": pd.to_datetime(["2026-10-05"])})}
    assert traits(["requests", "nps", "stage"], nobody, END, WINDOW, tables).shape == (0, 3)
