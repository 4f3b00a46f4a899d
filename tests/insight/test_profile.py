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


def totals(engine, *rows):
    """Of customers: days since the first order and the last, orders, active_days, and orders, net and cost of the window."""
    columns = ["first_day", "last_day", "orders", "active_days", "window_orders", "window_net", "window_cost"]
    frame = pd.DataFrame(rows, columns=columns).astype({"window_net": float, "window_cost": float})
    frame[["first_day", "last_day"]] = END - frame[["first_day", "last_day"]]
    return engine.collect(profile.totals(engine.frame(frame))).iloc[0]


KNOWN = [(400, 380, 1, 1, 0, -5, None), (30, 30, 1, 1, 1, 10, 6), (20, 20, 2, 1, 2, 20, 9), (90, 3, 5, 4, 5, 70, 55)]


def test_totals_by_hand(engine):
    found = totals(engine, *KNOWN)
    assert found[["first_day", "last_day"]].tolist() == [END - 400, END - 3]
    assert found[["customers", "orders", "one_timers"]].tolist() == [4, 9, 3]
    # what came back from who has no order in the window is no sale of it, nor is its missing cost
    assert found[["window_net", "window_cost", "uncosted"]].tolist() == [100, 70, 0]


@pytest.mark.parametrize(
    ("more", "rate"),
    [
        ([], 0.3),  # 1 - 70 / 100
        ([(9, 9, 1, 1, 1, 10, None)], None),  # one cost is unknown
        ([(9, 9, 1, 1, 1, 100, 130)], 0.0),
        ([(9, 9, 1, 1, 1, -99, 0)], -69.0),  # one of net sales: 1 - 70 / 1
        ([(9, 9, 1, 1, 1, -100, 0)], None),
        ([(9, 9, 1, 1, 1, -101, 0)], None),
    ],
)
def test_the_margin_rate_at_its_limits(engine, more, rate):
    assert profile.margin_rate(totals(engine, *KNOWN, *more)) == pytest.approx(rate, abs=1e-15)


def test_nobody_has_no_margin_rate(engine):
    nobody = totals(engine)
    assert nobody["customers"] == 0 and profile.margin_rate(nobody) is None


def test_summary_by_hand(engine):
    known = totals(
        engine, (400, 30, 1, 1, 0, 0, 0), (30, 3, 1, 1, 1, 1, 1), (9, 9, 2, 1, 2, 1, 1), (300, 9, 5, 4, 5, 1, 1)
    )
    found = profile.summary(known, sales((END, "kept", 80.0, 4.0, 9, 2), (END, "no_customer", 20.0, 1.0, 3, 3)), AS_OF)
    assert (found["first_order"], found["last_order"]) == (dt.date(2025, 9, 26), dt.date(2026, 10, 28))
    assert (found["customers"], found["orders"], found["one_timers"], found["one_timer_share"]) == (4, 9, 3, 0.75)
    assert (found["lines"], found["free_lines"]) == (9, 2), "of identified customers"
    assert (found["net_sales"], found["identified"], found["refunds"]) == (100, 80, 5)
