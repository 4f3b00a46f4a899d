"""Rhythm: weekdays and years by hand."""

import datetime as dt

import pandas as pd
import pytest

from tierbook.accounting import day_number
from tierbook.insight import rhythm

END = day_number(dt.date(2026, 10, 31))  # a Saturday


def daily(weeks, orders=lambda day: 1, extra=0):
    days = range(END - weeks * 7 - extra + 1, END + 1)
    return pd.DataFrame({"day": list(days), "orders": [orders(day) for day in days]})


def test_weekdays_by_hand():
    # 7 orders each Saturday, none else: a mean of 1 a day, index 7 on Saturday, 0 on the others
    given = daily(8, lambda day: 7 * ((END - day) % 7 == 0))
    found = rhythm.weekdays(given[given["orders"] > 0], END)
    assert found.empty, "from the first Saturday on there are seven whole weeks and a day"
    found = rhythm.weekdays(given, END)
    assert found["weekday"].tolist() == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    assert found["orders"].tolist() == found["index"].tolist() == [0, 0, 0, 0, 0, 7, 0]


@pytest.mark.parametrize(("weeks", "extra", "is_told"), [(7, 6, False), (8, 0, True), (60, 3, True)])
def test_weekdays_need_eight_whole_weeks(weeks, extra, is_told):
    found = rhythm.weekdays(daily(weeks, extra=extra), END)
    assert len(found) == 7 * is_told and (found["index"] == 1).all()


def test_weekdays_look_at_fifty_two_weeks_and_not_beyond_as_of():
    old = pd.DataFrame({"day": [END - 364, END + 1], "orders": [5000, 5000]})
    assert (rhythm.weekdays(pd.concat([daily(52), old]), END)["orders"] == 1).all()


def test_no_orders_have_no_weekdays():
    assert rhythm.weekdays(daily(10, lambda day: 0), END).empty
    assert rhythm.weekdays(daily(10).head(0), END).empty


def months(first, *orders):
    return pd.DataFrame(
        {"month": [str(p) for p in pd.period_range(first, periods=len(orders), freq="M")], "orders": orders}
    )


def test_years_hold_whole_months_of_three_calendar_years():
    found = rhythm.years(months("2023-11", *range(37)), "2026-10")  # November 2026 is not over
    assert found["month"].iloc[[0, -1]].tolist() == ["2024-01", "2026-10"]
    assert found[["year", "month_of_year", "orders"]].iloc[0].tolist() == [2024, 1, 2]
    assert rhythm.years(months("2026-09", 5, 6), "2026-10")["month"].tolist() == ["2026-10"], (
        "the first may be incomplete"
    )


def test_the_strongest_month_of_the_last_twelve():
    # 900 lies thirteen months back; of the last twelve, eleven months of 10 and one of 34 make a mean of 12
    found = rhythm.strongest(rhythm.years(months("2025-08", 1, 1, 900, *[10] * 3, 34, *[10] * 8), "2026-10"))
    assert (found["month"], found["orders"]) == ("2026-02", 34) and found["index"] == pytest.approx(34 / 12)
    assert rhythm.strongest(rhythm.years(months("2025-11", *[10] * 12), "2026-10")) is None, "eleven whole months"
