"""Profile: daily and monthly sums by hand."""

import datetime as dt
from decimal import Decimal

import pandas as pd
import pytest

from tierbook.accounting import day_number
from tierbook.insight import profile

AS_OF = dt.date(2026, 10, 31)
END = day_number(AS_OF)


def day(text):
    return day_number(dt.date.fromisoformat(text))


def sales(*rows):
    return pd.DataFrame(rows, columns=["day", "reason", "net", "refunds", "lines", "free_lines"])


def orders(*rows):
    return pd.DataFrame(rows, columns=["day", "orders"])


def test_daily_sales_by_hand(engine):
    # day 1: 100, 40 with 10 back, a gift, a refund of 25: net 105, back 35; 7 to a buyer without id; a closed order
    rows = [(1, "kept", 100, 100), (1, "kept", 30, 40), (1, "kept", 0, 0), (1, "kept", -25, 0),
            (1, "no_customer", 7, 7), (1, "status", 999, 999), (2, "kept", 5, 5)]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["day", "reason", "net", "gross"])
    for money in ("net", "gross"):
        frame[money] = pd.Series([Decimal(x) for x in frame[money]], dtype=object)
    found = engine.collect(profile.daily_sales(engine.frame(frame))).sort_values(["day", "reason"])
    assert found[["day", "reason"]].to_numpy().tolist() == [[1, "kept"], [1, "no_customer"], [2, "kept"]]
    assert found[["net", "refunds", "lines", "free_lines"]].astype(float).to_numpy().tolist() == [
        [105, 35, 4, 1],
        [7, 0, 1, 0],
        [5, 0, 1, 0],
    ]


def test_daily_orders_count_buyers_not_refunds(engine):
    frame = pd.DataFrame({"customer_id": list("abc"), "day": [1, 1, 1], "orders": [2, 1, 0]})
    found = engine.collect(profile.daily_orders(engine.frame(frame)))
    assert found[["day", "orders", "buyers"]].astype(int).to_numpy().tolist() == [[1, 3, 2]]


def test_monthly_shows_a_gap_as_zeros():
    found = profile.monthly(
        sales((day("2026-01-31"), "kept", 60.0, 5.0, 1, 0), (day("2026-01-01"), "no_customer", 40.0, 0.0, 1, 0),
              (day("2026-03-01"), "kept", -10.0, 10.0, 1, 0)),
        orders((day("2026-01-31"), 3), (day("2026-01-02"), 1)),
    ).set_index("month")  # fmt: skip
    assert found.index.tolist() == ["2026-01", "2026-02", "2026-03"]
    assert found["net_sales"].tolist() == [100, 0, -10] and found["identified"].tolist() == [60, 0, -10]
    assert found["refunds"].tolist() == [5, 0, 10] and found["orders"].tolist() == [4, 0, 0]
    assert found.loc["2026-01", "identified_share"] == 0.6 and found["identified_share"].isna().sum() == 2
    # January: 5 went back of 100 + 5 sold; March sold nothing, what went back was sold before
    assert found.loc["2026-01", "refund_share"] == pytest.approx(5 / 105) and found["refund_share"].isna().sum() == 2


def test_monthly_of_nothing_is_an_empty_table():
    found = profile.monthly(sales().astype({"day": "int64", "net": float}), orders().astype("int64"))
    assert found.empty and {"month", "net_sales", "identified_share", "orders"} <= set(found)


@pytest.mark.parametrize(
    ("days_before_end", "counted"), [(31, False), (30, True), (0, True), (-1, False)], ids=lambda value: str(value)
)
def test_sales_between_leave_the_first_date_out_and_take_the_last_in(days_before_end, counted):
    after = AS_OF - dt.timedelta(days=31)
    found = profile.sales_between(sales((END - days_before_end, "kept", 9.0, 0, 1, 0)), after, AS_OF)
    assert found.tolist() == [9.0 * counted, 9.0 * counted]


def history(first_days_ago, last_days_ago, customers=1):
    return pd.DataFrame(
        {"first_day": [END - first_days_ago] * customers, "last_day": [END - last_days_ago] * customers}
    )


def test_summary_by_hand():
    known = history(400, 3, 4).assign(orders=[1, 1, 2, 5], active_days=[1, 1, 1, 4])
    found = profile.summary(known, sales((END, "kept", 80.0, 4.0, 9, 2), (END, "no_customer", 20.0, 1.0, 3, 3)), AS_OF)
    assert (found["first_order"], found["last_order"]) == (dt.date(2025, 9, 26), dt.date(2026, 10, 28))
    assert (found["customers"], found["orders"], found["one_timers"], found["one_timer_share"]) == (4, 9, 3, 0.75)
    assert (found["lines"], found["free_lines"]) == (9, 2), "of identified customers"
    assert (found["net_sales"], found["identified"], found["refunds"]) == (100, 80, 5)
