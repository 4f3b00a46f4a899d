"""What the forecast is fitted on and tested with, by hand."""

import pandas as pd
import pytest

from tierbook.engine import Engine
from tierbook.insight import cohorts, forecast_base


@pytest.fixture
def engine(tmp_path):
    opened = Engine(tmp_path)
    yield opened
    opened.close()


KNOWN = ["customer_id", "repeats", "t_x", "T", "active_days"]
THEN = [("a", 2, 20, 50, 3), ("b", 2, 20, 50, 3), ("c", 0, 0, 10, 1), ("e", 0, 0, 10, 1), ("f", 0, 0, 10, 1)]
NOW = [("a", 4, 80, 90, 5), ("b", 4, 70, 90, 5), ("c", 0, 0, 50, 1), ("d", 1, 9, 20, 2), ("e", 0, 0, 50, 1)]
NOW += [("f", 0, 0, 50, 1)]
BEFORE = [("a", 0, 0, 10, 1), ("b", 0, 0, 10, 1)]
TIERS = [("a", "high"), ("b", "high"), ("c", None), ("e", "low"), ("d", "low")]


def held_out(engine, before):
    then, now = (engine.frame(pd.DataFrame(rows, columns=KNOWN)) for rows in (THEN, NOW))
    before = before and engine.frame(pd.DataFrame(before, columns=KNOWN))
    tiers = engine.frame(pd.DataFrame(TIERS, columns=["customer_id", "tier"]))
    found = engine.collect(forecast_base.held_out(then, now, before, tiers))
    names = [name for name in forecast_base.HELD_OUT if name in found]
    assert list(found) == [*names, "customers"]
    return found.astype({"tier": object}).where(found.notna(), None).sort_values(names).to_numpy().tolist()


def test_who_is_alike_at_the_cut_in_what_came_before_and_after_is_counted(engine):
    """a and b: 3 purchase days, 1 of them by the date before, 5 now. c, e and f: one day, all of it in the last period, none
    since; e is of a tier, c and f of none, f not even named. d came after the cut and is not in it."""
    expected = [[0, 0, 10, 0, 1, "low", 1], [0, 0, 10, 0, 1, None, 2], [2, 20, 50, 2, 2, "high", 2]]
    assert held_out(engine, BEFORE) == expected


def test_without_a_history_before_there_is_no_last_period(engine):
    expected = [[0, 0, 10, 0, "low", 1], [0, 0, 10, 0, None, 2], [2, 20, 50, 2, "high", 2]]
    assert held_out(engine, None) == expected


def test_who_had_registered_before_the_orders_begin_is_no_newcomer(engine):
    """The orders begin on day 100. a registered the evening before, b on the day itself in the morning, c has no date, d is
    not in the table, e registered later; x never bought. b and c are alike, and so are d and e."""
    rows = [
        ("a", 100, 2, 9, 50),
        ("b", 100, 2, 9, 50),
        ("c", 100, 2, 9, 50),
        ("d", 120, 0, 0, 30),
        ("e", 120, 0, 0, 30),
    ]
    known = pd.DataFrame(rows, columns=["customer_id", *forecast_base.HISTORY])
    day = pd.Timestamp("1970-01-01") + pd.to_timedelta(100, "D")
    joined = [day - pd.Timedelta(minutes=1), day + pd.Timedelta(hours=9), None, day + pd.Timedelta(days=90), day]
    registered = pd.DataFrame({"customer_id": list("abcex"), "joined_at": pd.to_datetime(joined)})
    found = engine.collect(forecast_base.newcomers(engine.frame(known), engine.frame(registered), 100))
    assert found.sort_values("first_day").to_numpy().tolist() == [[100, 2, 9, 50, 2], [120, 0, 0, 30, 2]]
    won = engine.collect(cohorts.won(engine.frame(known), engine.frame(registered), 100))
    assert sorted(won["customer_id"]) == ["b", "c", "d", "e"] and list(won) == list(known)
