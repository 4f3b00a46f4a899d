"""Cohorts: spans at their bounds, cells and curves by hand, a plain recount of random shops, sums that reconcile."""

import datetime as dt
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import hyp2f1

from tierbook.accounting import day_date, day_number
from tierbook.history import history, with_gaps
from tierbook.insight import cohorts
from tierbook.scores.purchases import BetaGeoNBD

FRAME = {"customer_id": "str", "day": "int64", "orders": "int64", "net": float, "cost": float}


SUMS = ["active", "purchases", "orders", "net", "first_net"]
NOTHING = pd.DataFrame(columns=["cell", "month", *SUMS, "cost"]).astype({"cell": "int32", "month": "int64"})


def on(text):
    return day_number(dt.date.fromisoformat(text))


def shop(*rows):
    """Customers' days from (customer_id, day, orders, net, cost)."""
    return pd.DataFrame(rows, columns=list(FRAME)).astype(FRAME)


def first_days(days, as_of):
    """What `history` gives of them, by pandas."""
    bought = days[(days["orders"] > 0) & (days["day"] <= day_number(as_of))]
    return bought.groupby("customer_id")["day"].min().rename("first_day").reset_index()


def tabled(engine, days, as_of, joined=None, channel=None, margin=None):
    known, registered, channels = first_days(days, as_of), None, None
    if joined is not None:
        registered = engine.frame(joined.rename("joined_at").rename_axis("customer_id").reset_index())
    if channel is not None:
        channels = engine.frame(channel.rename("channel").rename_axis("customer_id").reset_index())
    won = cohorts.won(engine.frame(known), registered, int(known["first_day"].min()) if len(known) else 0)
    people = cohorts.by_channel(won, channels)
    placed = cohorts.placed(engine.collect(cohorts.counted(people)))
    numbers, cells = known[["customer_id"]].assign(customer=range(len(known))), placed[["first_day", "told", "cell"]]
    people = cohorts.in_cells(people, engine.frame(numbers), engine.frame(cells))
    found = engine.collect(cohorts.cells(engine.frame(days), people, day_number(as_of)))
    return cohorts.table(found, placed, as_of, margin)


def placed(days, as_of):
    """`cohorts.placed` newcomers of no known channel."""
    sizes = first_days(days, as_of).groupby("first_day").size().rename("customers").reset_index()
    return cohorts.placed(sizes.assign(told="unknown"))


def ten(cohort_day, *later):
    """Ten customers who first bought for 10 (cost 6) on a day, and later rows (number, days since, orders, net, cost)."""
    first = [(f"c{n}", on(cohort_day), 1, 10, 6) for n in range(10)]
    return shop(*first, *[(f"c{n}", on(cohort_day) + since, *row) for n, since, *row in later])


# ---- spans ----


@pytest.mark.parametrize(
    ("month", "start"),
    # 365.25/12 = 30.4375: 30.44, 60.88, 91.31, 121.75, 182.63, 334.81, 365.25, 730.50, 1095.75, 1461.00
    [(0, 0), (1, 30), (2, 60), (3, 91), (4, 121), (6, 182), (11, 334), (12, 365), (24, 730), (36, 1095), (48, 1461)],
)
def test_a_month_begins_at_its_multiple_of_a_twelfth_of_a_year(month, start):
    assert cohorts.span_start(month) == start
    assert cohorts.span_of(start) == month and cohorts.span_of(start - 1) == month - 1


def test_months_leave_no_day_out_and_last_30_or_31_days():
    starts = cohorts.span_start(np.arange(600))
    assert set(np.diff(starts)) == {30, 31}
    of = cohorts.span_of(np.arange(starts[-1]))
    assert (np.searchsorted(starts, np.arange(starts[-1]), side="right") - 1 == of).all()


def test_days_fall_into_months_by_number_whatever_the_calendar_says(engine):
    fallen = [
        ("2023-01-31", "2023-03-01", 0),  # 29 days on
        ("2023-01-31", "2023-03-02", 1),  # 30 days on
        ("2024-01-31", "2024-02-29", 0),  # 29
        ("2024-01-31", "2024-03-01", 1),  # 30, the leap day counted
        ("2024-02-29", "2025-02-27", 11),  # 364
        ("2024-02-29", "2025-02-28", 12),  # 365
    ]
    rows = [(f"{n}", on(day), 1, 1 + 10 * k, 0) for n, pair in enumerate(fallen) for k, day in enumerate(pair[:2])]
    channel = pd.Series({str(n): f"case {n}" for n in range(len(fallen))})
    table = tabled(engine, shop(*rows), dt.date(2025, 12, 31), channel=channel)
    repeats = table[table["net"].isin([11, 12])].set_index("channel")["month"]
    assert [repeats[f"case {n}"] for n in range(len(fallen))] == [month for _, _, month in fallen]


@pytest.mark.parametrize(
    ("cohort", "as_of", "over"),
    [
        # who was won on January 31 has seen 30 days, 0 to 29, on February 29; in another year on March 1
        ("2024-01", "2024-02-28", 0),
        ("2024-01", "2024-02-29", 1),
        ("2023-01", "2023-02-28", 0),
        ("2023-01", "2023-03-01", 1),
        ("2025-10", "2026-10-29", 11),  # days 0 to 363
        ("2025-10", "2026-10-30", 12),  # days 0 to 364: a year
        ("2025-10", "2025-10-31", 0),
        ("2025-10", "2025-10-05", 0),  # the calendar month itself is not over
    ],
)
def test_a_month_is_told_once_it_is_over_for_the_last_day_of_the_cohort(cohort, as_of, over):
    # ten customers, all won on the cohort's second day: it is the calendar that decides, not who happened to come
    date = dt.date.fromisoformat(as_of)
    table = cohorts.table(NOTHING, placed(ten(f"{cohort}-02"), date), date)
    assert table["over"].sum() == over and table["over"].head(over).all()
    kept = cohorts.retention(table, ["cohort"])
    assert kept["share"].notna().sum() == over and kept["active"].notna().sum() == over


# ---- the table by hand ----

# a: won 01-31; 29 days on (month 0), 30 days on (month 1, two orders), a refund of 4 at 35
# b: won 01-01; 60 days on (month 2); nothing in month 1; 120 days on (month 3), but after as_of
# c: won 02-10; had 3 back on 02-01, before any purchase
# d: refund only, never a customer; e: first purchase after as_of
HAND = shop(
    ("a", on("2026-01-31"), 1, 10, 6), ("a", on("2026-03-01"), 1, 20, 12), ("a", on("2026-03-02"), 2, 30, 18), ("a", on("2026-03-07"), 0, -4, 0),
    ("b", on("2026-01-01"), 1, 40, 20), ("b", on("2026-03-02"), 1, 50, None), ("b", on("2026-05-01"), 1, 1000, 1),
    ("c", on("2026-02-10"), 1, 7, 3), ("c", on("2026-02-01"), 0, -3, 0),
    ("d", on("2026-02-01"), 0, -9, 0), ("e", on("2026-06-01"), 1, 99, 9),
)  # fmt: skip
HAND_END = dt.date(2026, 4, 30)


def test_the_table_by_hand(engine):
    table = tabled(engine, HAND, HAND_END).set_index(["cohort", "month"])
    columns = ["customers", "active", "purchases", "orders", "net", "first_net", "margin"]
    # January, month 0: a twice, b once; 10 + 20 + 40, of which first days 10 + 40; margin 70 - 38
    assert table.loc[("2026-01", 0), columns].tolist() == [2, 2, 3, 3, 70, 50, 32]
    # month 1: a's two orders of one day, less the refund; margin 26 - 18
    assert table.loc[("2026-01", 1), columns].tolist() == [2, 1, 1, 2, 26, 0, 8]
    # month 2: b's 50, at a cost nobody knows
    assert table.loc[("2026-01", 2), columns[:-1]].tolist() == [2, 1, 1, 1, 50, 0]
    assert pd.isna(table.loc[("2026-01", 2), "margin"])
    # April 30 is 119 days after January 1 (month 3 of 91 to 120, without a purchase), 78 after February 1 (month 2)
    assert table.loc[("2026-01", 3), columns].tolist() == [2, 0, 0, 0, 0, 0, 0]
    assert table.loc["2026-01"].index.max() == 3 and table.loc["2026-02"].index.max() == 2
    # c: money back before the first purchase is of month 0
    assert table.loc[("2026-02", 0), columns].tolist() == [1, 1, 1, 1, 4, 7, 1]
    # 89 days after January 31 and 61 after February 28: two months each (60 days), not three (91)
    assert table["over"].groupby("cohort").sum().tolist() == [2, 2]


def test_a_margin_rate_takes_the_place_of_costs(engine):
    table = tabled(engine, HAND, HAND_END, margin=0.5)
    assert table["margin"].tolist() == (table["net"] / 2).tolist() and table["margin"].notna().all()


def test_the_table_adds_up_to_the_history(engine):
    table = tabled(engine, HAND, HAND_END)
    found = engine.collect(history(with_gaps(engine.frame(HAND)), HAND_END, 365))
    assert table["orders"].sum() == found["orders"].sum() == 7
    assert table["net"].sum() == found["net"].sum() == 150
    assert table["purchases"].sum() == found["active_days"].sum() == 6
    assert table.loc[table["month"] == 0, "customers"].sum() == len(found) == 3


def test_who_was_registered_before_the_orders_begin_is_no_newcomer(engine):
    # orders begin on 2026-01-01: b registered that day, c the day before, a is not known
    joined = pd.Series(pd.to_datetime(["2025-12-31", "2026-01-01"]), index=["c", "b"])
    found = tabled(engine, HAND, HAND_END, joined)
    assert set(found["cohort"]) == {"2026-01"} and found.loc[found["month"] == 0, "customers"].tolist() == [2]
    assert found["net"].sum() == 106 + 40


def test_channels_known_and_unknown(engine):
    channel = pd.Series({"c": "web", "a": "store", "b": None, "zz": "web"}, dtype=object)
    table = tabled(engine, HAND, HAND_END, channel=channel)
    sizes = table[table["month"] == 0].set_index(["cohort", "channel"])["customers"]
    assert sizes.to_dict() == {("2026-01", "store"): 1, ("2026-01", "unknown"): 1, ("2026-02", "web"): 1}
    whole = tabled(engine, HAND, HAND_END)
    sums = ["active", "purchases", "orders", "net"]
    by_cohort = table.groupby(["cohort", "month"])[["customers", *sums]].sum()
    pd.testing.assert_frame_equal(by_cohort, whole.groupby(["cohort", "month"])[["customers", *sums]].sum())


# ---- retention and value ----


def test_retention_by_hand(engine):
    # four of ten in month 1 (one of them twice), a refund alone in month 2 is no purchase
    days = ten("2026-01-10", (0, 30, 1, 5, 1), (0, 40, 1, 5, 1), (1, 59, 1, 5, 1), (2, 31, 1, 5, 1), (3, 45, 1, 5, 1), (4, 61, 0, -5, 0))  # fmt: skip
    kept = cohorts.retention(tabled(engine, days, dt.date(2026, 6, 30)), ["cohort"]).set_index("month")
    assert kept["share"].tolist()[:3] == [1.0, 0.4, 0.0]
    assert kept.loc[1, ["customers", "active"]].tolist() == [10, 4]


@pytest.mark.parametrize(("people", "told"), [(9, False), (10, True), (11, True)])
def test_no_share_and_no_mean_on_fewer_than_10_customers(people, told):
    days = shop(*[(f"c{n:02d}", on("2026-01-05"), 1, 10, 6) for n in range(people)])
    table = cohorts.table(NOTHING, placed(days, HAND_END), HAND_END)
    assert cohorts.retention(table, ["cohort"])["share"].notna().any() == told
    assert cohorts.cumulative_value(table, ["cohort"])[["purchases", "net", "margin"]].notna().any(axis=None) == told
    assert cohorts.retention(table, ["cohort"])["customers"].iloc[0] == people


FELL = ten(
    "2026-01-10", (0, 30, 1, 25, 15), (1, 31, 1, 25, 15), (1, 45, 1, 25, 15), (2, 32, 1, 25, 15), (3, 70, 0, -20, 0)
)
"""Per customer won: month 0 net 10 and margin 4; month 1 four purchases, +10 and +4; month 2 a refund, -2 and -2."""


def test_cumulative_value_by_hand(engine):
    # won in January, which ends 90 days (0 to 89) before April 30: two months; May 1 ends the third (day 90)
    for as_of, told in ((dt.date(2026, 4, 30), 2), (dt.date(2026, 5, 1), 3)):
        curve = cohorts.cumulative_value(tabled(engine, FELL, as_of), ["cohort"])
        assert curve["net"].dropna().tolist() == pytest.approx([10, 20, 18][:told])
        assert curve["margin"].dropna().tolist() == pytest.approx([4, 8, 6][:told])
        assert curve["purchases"].dropna().tolist() == pytest.approx([0, 0.4, 0.4][:told])


def test_margin_is_null_from_the_first_month_without_a_cost(engine):
    days = ten("2026-01-10", (0, 30, 1, 25, None), (1, 65, 1, 25, 15))
    curve = cohorts.cumulative_value(tabled(engine, days, dt.date(2026, 6, 30)), ["cohort"]).head(3)
    assert curve["net"].tolist() == pytest.approx([10, 12.5, 15])
    assert curve["margin"].isna().tolist() == [False, True, True]


def two_cohorts():
    """Ten customers of January by web, and thirty of March by store who spend twice as much."""
    spring = [(f"s{n:02d}", on("2026-03-05"), 1, 20, 12) for n in range(30)]
    days = pd.concat([ten("2026-01-10", (0, 30, 1, 30, 10), (1, 70, 1, 10, 4)), shop(*spring)])
    return days, pd.Series("store", index=days["customer_id"].unique()).mask(
        lambda s: s.index.str.startswith("c"), "web"
    )


def test_pooled_months_stand_on_the_cohorts_that_have_them_behind_them(engine):
    days, channel = two_cohorts()
    # May 1: January three months, March (31 days since its end, 30 needed) one
    table = tabled(engine, days, dt.date(2026, 5, 1), channel=channel)
    curve = cohorts.cumulative_value(table, [])
    assert curve["customers"].tolist()[:3] == [40, 10, 10]
    # (100 + 600) / 40, then 30 / 10, then 10 / 10
    assert curve["net"].tolist()[:3] == pytest.approx([17.5, 20.5, 21.5])
    by_channel = cohorts.cumulative_value(table, ["channel"]).dropna()
    assert by_channel["channel"].tolist() == ["store", "web", "web", "web"]
    assert by_channel["net"].tolist() == pytest.approx([20, 10, 13, 14])


def test_expected_is_the_published_mean_of_a_new_customer():
    r, alpha, a, b = 0.243, 4.414 * 7, 0.793, 2.426
    model = BetaGeoNBD()
    model.params_ = {"r": r, "alpha": alpha, "a": a, "b": b}
    found = cohorts.expected(model, 14, 30.0, 20.0)
    t = np.array([29, 59, 90, 120, 151, 181, 212, 242, 272, 303, 333, 364, 394, 425], float)
    # Fader, Hardie, Lee (2005), equation 9; a month ends with the day before the next begins
    mean = (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + t)) ** r * hyp2f1(r, b, a + b - 1, t / (alpha + t)))
    np.testing.assert_allclose(found["purchases"], mean, rtol=1e-9)
    np.testing.assert_allclose(found["money"], 30 + 20 * mean, rtol=1e-9)
    assert cohorts.expected(model, 0, 30.0, 20.0).empty


# ---- payback ----


def costs(*rows):
    return pd.DataFrame(rows, columns=["month", "amount", "channel"])


@pytest.fixture(scope="module")
def fell(engine):
    return tabled(engine, FELL, dt.date(2026, 5, 1))


@pytest.mark.parametrize(
    ("amount", "months", "outcome"),
    [
        # margin per customer 4, 8, 6 at the end of the months: it must stay reached
        (39, 1, "paid_back"),
        (40, 1, "paid_back"),
        (41, 2, "paid_back"),
        (60, 2, "paid_back"),
        (60.1, None, "not_yet"),
        (80, None, "not_yet"),
        (0, 1, "paid_back"),
    ],
)
def test_payback_is_the_month_after_which_margin_stays_above_cost(fell, amount, months, outcome):
    found = cohorts.payback(fell, costs(("2026-01", amount / 2, "web"), ("2026-01", amount / 2, None)), ["cohort"])
    row = found.iloc[0]
    assert row["customers"] == 10 and row["cost_per_customer"] == pytest.approx(amount / 10)
    assert row["margin_to_date"] == pytest.approx(6) and row["horizon"] == 3 and row["payback"] == outcome
    assert pd.isna(row["months_to_payback"]) if months is None else row["months_to_payback"] == months


def test_payback_is_refused_where_margin_is_not_known(engine):
    days = ten("2026-01-10", (0, 30, 1, 25, None))
    row = cohorts.payback(tabled(engine, days, dt.date(2026, 6, 30)), costs(("2026-01", 10, "web")), ["cohort"]).iloc[0]
    assert row["payback"] == "margin_unknown" and pd.isna(row["margin_to_date"]) and pd.isna(row["months_to_payback"])
    assert row["cost_per_customer"] == 1


def test_payback_of_a_month_still_running_and_of_months_without_costs(engine):
    table = tabled(engine, ten("2026-01-10"), dt.date(2026, 2, 10))
    row = cohorts.payback(table, costs(("2026-01", 10, "web"), ("2025-12", 99, "web")), ["cohort"]).iloc[0]
    assert row["payback"] == "not_yet" and row["horizon"] == 0 and pd.isna(row["months_to_payback"])
    assert cohorts.payback(table, costs(("2025-12", 10, "web")), ["cohort"]).empty


def test_payback_by_channel(engine):
    days, channel = two_cohorts()
    table = tabled(engine, days, dt.date(2026, 5, 1), channel=channel)
    spent = costs(
        ("2026-01", 50, "web"), ("2026-03", 300, "store"), ("2026-03", 7, "web"), ("2025-07", 999, "web"),
        ("2026-01", 1000, None),
    )  # fmt: skip
    found = cohorts.payback(table, spent, ["channel"]).set_index("channel")
    # web: 50 + 7 (also what brought nobody), 1000 of no channel and July 2025 without a cohort are not its own
    assert found["cost"].tolist() == [300, 57] and found["cost_per_customer"].tolist() == pytest.approx([10, 5.7])
    # store: 8 of margin in one month; web: 4, then (30 - 10)/10 = 2 more, then 0.6
    assert found["margin_to_date"].tolist() == pytest.approx([8, 6.6]) and found["horizon"].tolist() == [1, 3]
    assert found["payback"].tolist() == ["not_yet", "paid_back"] and found.loc["web", "months_to_payback"] == 2
    both = cohorts.payback(table, spent, ["cohort", "channel"])
    assert both["cost"].tolist() == [50, 300] and both["payback"].tolist() == ["paid_back", "not_yet"]
    told = spent[spent["channel"] != "store"]
    assert cohorts.payback(table, told, ["channel"])["payback"].tolist() == ["no_costs", "paid_back"]
    silent = cohorts.payback(table, spent[spent["month"] != "2026-03"], ["channel"])
    assert silent["channel"].tolist() == ["web"], "of March no cost is known at all"
    assert cohorts.payback(table, spent.drop(columns="channel"), ["channel"])["payback"].tolist() == ["no_costs"] * 2


def test_payback_of_few_customers_is_not_told(engine):
    days = ten("2026-01-10").query("customer_id != 'c3'")
    row = cohorts.payback(tabled(engine, days, dt.date(2026, 6, 30)), costs(("2026-01", 10, "web")), ["cohort"]).iloc[0]
    assert row["payback"] == "too_few_customers" and row[["cost_per_customer", "margin_to_date"]].isna().all()
    assert row["cost"] == 10 and row["customers"] == 9


# ---- any shop ----

BEGIN = on("2024-01-01")
SHOPS = st.dictionaries(
    st.tuples(st.integers(0, 14), st.integers(0, 200)),
    st.tuples(st.integers(0, 2), st.integers(-20, 50), st.none() | st.integers(0, 9)),
    min_size=1,
    max_size=60,
)
QUICK = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def of_shop(bought, name="c{:02d}"):
    rows = [(name.format(n), BEGIN + since, *row) for (n, since), row in bought.items()]
    return shop(*rows), pd.Series({name.format(n): "xy"[n % 2] for n in range(15)})


@QUICK
@given(SHOPS, st.integers(60, 220))
def test_a_plain_recount_agrees(engine, bought, seen):
    days, channel = of_shop(bought)
    as_of = day_date(BEGIN + seen)
    table = tabled(engine, days, as_of, channel=channel)
    won = {}
    for (n, since), (orders, _, _) in sorted(bought.items(), key=lambda item: item[0][1]):
        if orders and since <= seen:
            won.setdefault(n, since)
    counted = defaultdict(lambda: [set(), 0, 0, 0, 0])
    for (n, since), (orders, net, cost) in bought.items():
        if n in won and since <= seen:
            cohort = f"{day_date(BEGIN + won[n]):%Y-%m}"
            month = next(k for k in range(99) if max(since - won[n], 0) < int((k + 1) * 365.25 / 12))
            cell = counted[cohort, "xy"[n % 2], month]
            cell[0] |= {n} if orders else set()
            cell[1] += orders > 0
            cell[2] += orders
            cell[3] += net
            cell[4] = np.nan if cost is None else cell[4] + net - cost
    cells = table.set_index(["cohort", "channel", "month"])
    assert set(counted) <= set(cells.index)
    for key, row in cells.iterrows():
        active, *sums = counted.get(key, [(), 0, 0, 0, 0])
        expected = [len(active), *sums]
        np.testing.assert_allclose(row[["active", "purchases", "orders", "net", "margin"]].astype(float), expected)
    assert table.loc[table["month"] == 0, "customers"].sum() == len(won)


@QUICK
@given(SHOPS, st.randoms())
def test_rows_and_ids_do_not_matter(engine, bought, shuffle):
    as_of = day_date(BEGIN + 210)
    days, channel = of_shop(bought)
    other, others_channel = of_shop(bought, "{}x")
    other = other.sample(frac=1, random_state=shuffle.randrange(99))
    pd.testing.assert_frame_equal(
        tabled(engine, days, as_of, channel=channel), tabled(engine, other, as_of, channel=others_channel)
    )


def test_nobody_at_all_is_an_empty_table(engine):
    table = tabled(engine, HAND.query("customer_id == 'd'"), HAND_END)
    assert table.empty and cohorts.retention(table, ["cohort"]).empty
    assert cohorts.cumulative_value(table, []).empty and cohorts.payback(table, costs(), ["cohort"]).empty
