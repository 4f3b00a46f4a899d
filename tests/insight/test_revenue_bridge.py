"""The revenue bridge: every kind of customer by hand, days at their bounds, and steps that always sum to the whole."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tierbook.accounting import day_number
from tierbook.insight import revenue_bridge

AS_OF = dt.date(2026, 10, 31)
FRAME = {"customer_id": "str", "day": "int64", "orders": "int64", "net": float}
LONG_AGO = 0


def on(text):
    return day_number(dt.date.fromisoformat(text))


def bridged(engine, rows, unknown=(), first_day=LONG_AGO):
    days = pd.DataFrame(rows, columns=list(FRAME)).astype(FRAME)
    found = engine.collect(revenue_bridge.moves(engine.frame(days), AS_OF))
    sales = pd.DataFrame(
        [*[(day, "kept", net) for _, day, _, net in rows], *[(on(day), "no_customer", net) for day, net in unknown]],
        columns=["day", "reason", "net"],
    )
    return revenue_bridge.bridge(found, sales, AS_OF, first_day)


def of(table, period):
    return table[table["period"] == period].set_index("step")


# The month is October 2026 against October 2025; the year the twelve months to 2026-10-31 against those to 2025-10-31.
SHOP = [
    ("more", on("2025-10-02"), 1, 100.0), ("more", on("2026-10-31"), 1, 160.0),
    ("less", on("2025-10-31"), 1, 300.0), ("less", on("2026-10-01"), 1, 50.0),
    ("same", on("2024-11-01"), 1, 40.0), ("same", on("2025-11-01"), 1, 40.0),
    ("new", on("2025-11-01"), 1, 70.0), ("new", on("2026-10-05"), 1, 30.0),
    ("lost", on("2025-10-15"), 1, 90.0), ("lost", on("2026-10-15"), 0, -20.0),
    ("back", on("2024-10-31"), 1, 999.0), ("back", on("2026-10-20"), 1, 25.0),
    ("gone", on("2024-10-31"), 1, 500.0), ("gone", on("2025-10-05"), 0, -10.0),
    ("later", on("2026-11-01"), 1, 7000.0),
]  # fmt: skip


def test_every_kind_of_customer_by_hand(engine):
    table = bridged(engine, SHOP, [("2025-10-31", 11.0), ("2026-10-01", 8.0), ("2025-09-30", 500.0)])
    month, year = of(table, "month"), of(table, "year")
    # October 2025: 100 + 300 + 90 − 10 + 11; October 2026: 160 + 50 + 30 − 20 + 25 + 8
    assert month["amount"].to_dict() == {
        "year_ago": 491, "new": 30, "won_back": 25, "kept_more": 60, "kept_less": -250, "lost": -110, "earlier": 10,
        "no_customer": -3, "now": 253,
    }  # fmt: skip
    assert month["after"].tolist() == [491, 521, 546, 606, 356, 246, 256, 253, 253]
    # to 2025-10-31: 100 + 300 + 40 + 90 − 10 + 11 + 500; since: 160 + 50 + 40 + 100 − 20 + 25 + 8
    assert year["amount"].to_dict() == {
        "year_ago": 1031, "new": 100, "won_back": 25, "kept_more": 60, "kept_less": -250, "kept_same": 0, "lost": -110,
        "earlier": 10, "no_customer": -503, "now": 363,
    }  # fmt: skip
    assert year["customers"].drop(["no_customer", "year_ago", "now"]).tolist() == [1] * 7
    assert year.loc["kept_less", ["before", "since"]].tolist() == [300, 50]


@pytest.mark.parametrize(
    ("bought", "step"),
    [
        (["2025-10-31", "2025-11-01"], "kept_more"),  # the last day of the year before, and the first of this one
        (["2025-11-01"], "new"),
        (["2024-10-31", "2025-11-01"], "won_back"),  # the day before the year before begins
        (["2024-11-01"], "lost"),
        (["2024-11-01", "2026-10-31"], "kept_more"),
    ],
)
def test_days_at_the_bounds_of_the_years(engine, bought, step):
    rows = [("c1", on(day), 1, 10.0 + n) for n, day in enumerate(bought)]
    year = of(bridged(engine, rows), "year")
    assert year.index.tolist() == ["year_ago", step, "now"]


@pytest.mark.parametrize(
    ("first", "periods"),
    [("2024-11-01", ["month", "year"]), ("2024-11-02", ["month"]), ("2025-10-01", ["month"]), ("2025-10-02", [])],
)
def test_a_period_whose_year_before_is_not_in_the_data_is_not_told(engine, first, periods):
    table = bridged(engine, SHOP, first_day=on(first))
    assert table["period"].drop_duplicates().tolist() == periods and list(table) == revenue_bridge.COLUMNS


def test_a_shop_without_sales_does_not_crash(engine):
    assert of(bridged(engine, []), "year")["amount"].tolist() == [0, 0]


DAYS = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),
        st.integers(on("2024-09-01"), on("2026-11-05")),
        st.integers(0, 1),
        st.integers(-300, 900),
    ),
    max_size=25,
)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=DAYS, shift=st.integers(1, 5))
def test_steps_sum_to_the_whole_and_stand_on_no_order_of_rows(engine, rows, shift):
    own = pd.DataFrame(rows, columns=list(FRAME)).groupby(["customer_id", "day"], as_index=False).sum()
    rows = [tuple(row) for row in own.itertuples(index=False)]
    table = bridged(engine, rows)
    turned = bridged(engine, [(f"x{'fedcba'.index(c)}", *rest) for c, *rest in rows[shift:] + rows[:shift]])
    pd.testing.assert_frame_equal(table, turned)
    for period, months in revenue_bridge.PERIODS.items():
        steps = of(table, period)
        start, end, start_then, end_then = revenue_bridge.span(AS_OF, period)
        now = own.loc[(own["day"] > start) & (own["day"] <= end), "net"].sum()
        then = own.loc[(own["day"] > start_then) & (own["day"] <= end_then), "net"].sum()
        assert steps.loc[["year_ago", "now"], "amount"].tolist() == [then, now], months
        assert steps["amount"].iloc[:-1].sum() == pytest.approx(now)
        assert steps["after"].iloc[-2] == pytest.approx(now) and not np.isnan(steps["after"]).any()
