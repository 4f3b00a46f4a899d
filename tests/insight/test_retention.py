"""Retention: days at the bounds of years by hand, and a plain recount of random shops."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tierbook.accounting import day_number
from tierbook.insight import retention
from tierbook.months import months_before

AS_OF = dt.date(2026, 10, 31)


def on(text):
    return day_number(dt.date.fromisoformat(text))


def kept(engine, rows, first_day=0, months=13):
    days = pd.DataFrame(rows, columns=["customer_id", "day", "orders"]).astype({"customer_id": "str", "day": "int64"})
    calendar = engine.frame(retention.calendar(AS_OF, months - 1 + 24))
    return retention.by_month(
        engine.collect(retention.patterns(engine.frame(days.astype({"orders": "int64"})), calendar)),
        first_day,
        AS_OF,
        months,
    )


def test_the_calendar_holds_every_day_once_in_its_month():
    days = retention.calendar(AS_OF, 3)
    assert days["day"].tolist() == list(range(on("2026-08-01"), on("2026-10-31") + 1))
    ago = days.set_index("day")["ago"]
    assert ago[[on("2026-08-01"), on("2026-08-31"), on("2026-09-01"), on("2026-09-30"), on("2026-10-01")]].tolist() == [
        2,
        2,
        1,
        1,
        0,
    ]
    assert days.groupby("ago")["bit"].first().to_dict() == {0: 1, 1: 2, 2: 4}


@pytest.mark.parametrize(
    ("bought", "expected"),
    [
        (["2025-10-31", "2025-11-01"], (1, 1)),
        (["2025-10-31"], (1, 0)),
        (["2024-11-01", "2026-10-31"], (1, 1)),
        (["2024-10-31", "2026-10-31"], (0, 0)),  # in neither of the two years but the second
        (["2025-10-31", "2026-11-01"], (1, 0)),
    ],
)
def test_days_at_the_bounds(engine, bought, expected):
    found = kept(engine, [("c1", on(day), 1) for day in bought])
    assert tuple(found.loc[0, ["base", "kept"]]) == expected


def test_a_refund_is_no_purchase_and_months_the_data_do_not_hold_are_null(engine):
    rows = [("c1", on("2025-10-31"), 1), ("c1", on("2026-01-05"), 0)]
    found = kept(engine, rows, first_day=on("2024-11-01"))
    assert found.loc[0].tolist() == [1, 0] and found.loc[1:].isna().all(axis=None)
    assert kept(engine, rows, first_day=on("2024-11-02")).isna().all(axis=None)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(on("2023-09-01"), on("2026-11-05"))), max_size=30)
)
def test_a_plain_recount(engine, rows):
    found = kept(engine, [(customer, day, 1) for customer, day in rows])
    for ago in range(13):
        ends = [day_number(months_before(AS_OF, ago + back)) for back in (0, 12, 24)]
        now = {c for c, day in rows if ends[1] < day <= ends[0]}
        then = {c for c, day in rows if ends[2] < day <= ends[1]}
        assert found.loc[ago].tolist() == [len(then), len(then & now)], ago
    assert not np.isnan(found.to_numpy()).any()
