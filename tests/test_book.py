"""The book: trend and value tiers at their limits, reasons and gaps in codes, columns in their order."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook import book, params
from tierbook.workbook import Workbook

CONTRACT = """customer_id first_order last_order orders recency_days frequency monetary r f m segment tier trend
previous_tier tier_change change_cause change_reason next_tier next_tier_gap stage cluster p_alive expected_orders
orders_low orders_high expected_value clv clv_low clv_high value_tier value_note alert alert_reason value_at_stake owner
action"""


def trend(now, before, orders=(1, 1)):
    row = {"window_net": [now], "previous_net": [before], "window_orders": orders[0], "previous_orders": orders[1]}
    found = book.trend(pd.DataFrame(row)).iloc[0]
    return None if pd.isna(found) else found


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (119.99, 100, "steady"), (120, 100, "steady"), (120.01, 100, "up"),
        (80.01, 100, "steady"), (80, 100, "steady"), (79.99, 100, "down"),
        (42.12, 35.10, "steady"), (42.13, 35.10, "up"),  # 20 % of 35.10 is 7.02, and 42.12 − 35.10 is not quite
        (1, 0, "up"), (0, 1, "down"), (0, 0, "steady"), (None, 50, "down"), (50, None, "up"),
        (-10, -10, "steady"), (-8, -10, "steady"), (-7.99, -10, "up"), (-12.01, -10, "down"), (5, -10, "up"),
    ],
)  # fmt: skip
def test_trend_begins_beyond_20_percent(now, before, expected):
    assert trend(now, before) == expected


def test_no_order_in_either_window_has_no_trend():
    assert trend(0, 0, (0, 0)) is None and trend(-5, 0, (0, 0)) is None
    assert trend(0, 90, (0, 1)) == "down" and trend(90, 0, (1, 0)) == "up"


@settings(deadline=None, max_examples=100)
@given(now=st.integers(-10_000, 10_000), before=st.integers(-10_000, 10_000))
def test_trend_is_the_same_in_any_currency(now, before):
    assert trend(now / 100, before / 100) == trend(now / 100 * 7, before / 100 * 7)


def scores(*rows):
    return pd.DataFrame(rows, columns=list("rfm")).astype("Int8")


@pytest.mark.parametrize(
    ("now", "before", "reason"),
    [
        ((1, 4, 5), (3, 4, 4), "m_up+r_down"),
        ((5, 5, 5), (4, 4, 4), "f_up+m_up+r_up"),
        ((3, 3, 2), (3, 3, 3), "m_down"),
        ((None, None, None), (2, 2, 2), "f_down+m_down+r_down"),  # left the window
        ((2, 1, 1), (None, None, None), "f_up+m_up+r_up"),  # came back
        ((3, 3, 3), (3, 3, 3), None),
    ],
)
def test_reasons_of_a_move(now, before, reason):
    found = book.change_reason(scores(now, now), scores(before, before), pd.Series([True, False]))
    assert (None if pd.isna(found[0]) else found[0]) == reason
    assert pd.isna(found[1]), "who did not move has no reason"


def test_the_gap_in_words_without_a_language():
    """One order of any size; two ways, fewest orders or least money; nothing to reach."""
    missing = pd.DataFrame(
        {
            "orders_missing": [1, 1, np.nan],
            "spend_missing": [0, 230, np.nan],
            "alt_orders": [np.nan, 3, np.nan],
            "alt_spend": [np.nan, 0.5, np.nan],
            "deadline": dt.date(2026, 11, 30),
        },
        index=[3, 4, 5],
    )
    found = book.next_tier_gap(missing, "CNY")
    assert found[3] == "orders +1; by 2026-11-30"
    assert found[4] == "orders +1; CNY +230.00 | orders +3; CNY +0.50; by 2026-11-30" and pd.isna(found[5])
    assert len(book.next_tier_gap(missing.head(0), "CNY")) == 0


@pytest.mark.parametrize(
    ("clv", "expected"),
    [
        ([1, 2, 3], ["low", "middle", "high"]),
        ([6, 5, 4, 3, 2, 1], ["high", "high", "middle", "middle", "low", "low"]),
        ([1, 1, 1, 2, 3, None], ["low", "low", "low", "middle", "high", None]),  # equal values share a third
        ([1, 1, 2], [None] * 3),
        ([None, None], [None] * 2),
        ([], []),
    ],
)
def test_value_tiers_are_thirds_by_value(clv, expected):
    found = book.value_tier(known := pd.Series(clv, dtype=float), book.value_thirds(known))
    assert [None if pd.isna(name) else name for name in found] == expected


def test_dates_are_dates():
    assert book.dates(pd.Series([0, 20_000])).tolist() == [dt.date(1970, 1, 1), dt.date(2024, 10, 4)]


def test_assembled_columns_are_the_contracts_sorted_by_customer():
    """DESIGN §6 lists the book's columns."""
    parts = pd.DataFrame({name: [1.0, 2.0] for name in book.COLUMNS})
    parts = parts.assign(
        customer_id=["b", "a"], first_day=[0, 1], last_day=[2, 3], tier=pd.Categorical(["high", None]), segment=None,
        stage="new", clv=[np.nan, np.nan],
    )  # fmt: skip
    found = book.assemble(parts)
    assert found["customer_id"].tolist() == ["a", "b"]
    assert found["tier"].tolist() == ["outside", "high"]
    assert found["first_order"].tolist() == [dt.date(1970, 1, 2), dt.date(1970, 1, 1)]
    assert found["orders"].dtype == "int64"
    assert list(found) == CONTRACT.split()


# --- the whole book of small and strange shops ------------------------------------------------------------------

AS_OF = dt.date(2026, 10, 31)
LOOSE = {"min_customers": 1, "min_history_days": 0}


def month(folder, orders, as_of=AS_OF, **tree):
    """The workbook of orders (customer_id, days before as_of, amount)."""
    folder.mkdir(exist_ok=True)
    frame = pd.DataFrame(orders, columns=["customer_id", "ordered_at", "amount"])
    frame["ordered_at"] = [(as_of - dt.timedelta(days=int(days))).isoformat() for days in frame["ordered_at"]]
    frame.to_csv(folder / "orders.csv", index=False)
    source = {"transactions": {"path": str(folder / "orders.csv")}}
    tree = {
        "report": {"name": "shop"},
        "as_of": as_of.isoformat(),
        "source": source,
        "gate": LOOSE,
        "campaign": {"holdout": 0},
        **tree,
    }
    return Workbook(params.parse(tree), folder / "outputs")


@pytest.mark.parametrize(
    ("orders", "tiers"),
    [
        ([("a", 0, 10)], {"ordinary": 1}),  # one customer, as_of its first day
        ([(f"c{n}", 3 * n, 10 + n) for n in range(100)], None),  # one-time buyers
        ([(f"c{n}", 400 + n, 10) for n in range(60)] * 2, {"outside": 60}),  # all orders before the window
        ([("a", 800, 10), ("a", 0, 10), ("b", 0, 0)], None),  # a year without a customer in the window
    ],
    ids=["one", "one_timers", "all_silent", "gap"],
)
def test_a_strange_shop_has_a_whole_book(tmp_path, orders, tiers):
    shop = month(tmp_path, orders)
    found = shop.book()
    assert list(found) == CONTRACT.split() and len(found) == len({name for name, _, _ in orders})
    assert shop.movement()["customers"].sum() == len(found)
    assert found["tier"].notna().all() and found["stage"].notna().all() and found["value_note"].notna().all()
    for table in (shop.tiers(), shop.segments(), shop.stages(), shop.scorecard()):
        assert len(table)
    if tiers is not None:
        assert found["tier"].value_counts().to_dict() == tiers


def shop_orders(seed=5):
    rng = np.random.default_rng(seed)
    owner = rng.permutation(np.repeat(np.arange(120), rng.integers(1, 9, 120)))
    days, cents = rng.integers(0, 900, len(owner)), rng.integers(100, 90_000, len(owner))
    return [(f"c{c:03d}", d, m / 100) for c, d, m in zip(owner, days, cents, strict=True)]


@pytest.mark.long
def test_neither_row_order_nor_ids_nor_currency_nor_calendar_change_who_is_what(tmp_path):
    orders = shop_orders()
    plain = month(tmp_path / "plain", orders).book()
    ids = {name: f"z{999 - int(name[1:]):03d}" for name in plain["customer_id"]}
    moved = [(ids[name], days, amount) for name, days, amount in orders[::-1]]
    renamed = month(tmp_path / "renamed", moved).book().set_index("customer_id").loc[ids.values()]
    number_free = renamed.reset_index(drop=True)
    pd.testing.assert_frame_equal(number_free, plain.drop(columns="customer_id"), check_exact=False, rtol=1e-6)

    sevens = [(name, days, round(amount * 7, 2)) for name, days, amount in orders]
    shifted = month(tmp_path / "shifted", sevens, AS_OF + dt.timedelta(days=1234)).book()
    same = ["r", "f", "m", "segment", "tier", "trend", "stage", "recency_days", "next_tier", "alert"]
    pd.testing.assert_frame_equal(shifted[same], plain[same])
    assert plain["tier"].nunique() >= 4 and plain["segment"].nunique() >= 6, "the shop tells tiers apart"
