"""Worth against looks: the cross, the two lists, and recent money beside expected, by hand."""

import datetime as dt

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.insight import worth
from tierbook.insight.worth import recent_money

ORDER = ["high", "potential", "ordinary", "low"]
AS_OF = dt.date(2024, 10, 4)  # day 20,000
END = 20_000


def book(*rows):
    columns = ["customer_id", "tier", "value_tier", "monetary", "clv"]
    frame = pd.DataFrame(rows, columns=columns).astype({"monetary": float, "clv": float, "value_tier": object})
    return frame.assign(stage="active")


def cross(shop, order):
    return worth.cross(worth.thirds(shop), order)


def recent_beside_expected(shop, recent, order, rate=None):
    return worth.recent_beside_expected(worth.brought(shop, recent, rate), order)


def listed(shop, order):
    """Whom `looks` holds for, the most of its column first."""
    lazy, found = nw.from_native(duckdb.connect().from_df(shop)).lazy(), []
    for name, (holds, by) in worth.looks(order).items():
        rows = lazy.filter(holds).sort(by, "customer_id", descending=[True, False]).to_native().df()
        found += [(name, customer) for customer in rows["customer_id"]]
    return found


SHOP = book(
    ("a", "high", "high", 900, 90),
    ("b", "high", "low", 800, 1),
    ("c", "potential", "low", 700, 2),
    ("d", "ordinary", "high", 100, 80),
    ("e", "low", "high", 50, 85),
    ("f", "outside", "high", np.nan, 70),
    ("g", "low", "low", 40, 3),
    ("h", "ordinary", "middle", 60, 20),
    ("i", "outside", None, np.nan, np.nan),
    ("j", "low", "low", 30, 3),
)


def test_the_cross_counts_every_pair_in_the_order_of_the_scheme():
    found = cross(SHOP, ORDER)
    assert found["tier"].tolist() == [tier for tier in [*ORDER, "outside"] for _ in range(3)]
    assert found["value_tier"].tolist() == ["high", "middle", "low"] * 5
    # i has no value tier and counts nowhere
    assert found["customers"].tolist() == [1, 0, 1, 0, 0, 1, 1, 1, 0, 1, 0, 2, 1, 0, 0]
    assert found["clv"].tolist() == [90, 0, 1, 0, 0, 2, 80, 20, 0, 85, 0, 6, 70, 0, 0]
    assert found["share"].isna().all()  # fewer than ten in every tier


@pytest.mark.parametrize(("size", "share"), [(9, None), (10, 0.2)])
def test_a_share_needs_ten_customers_of_the_tier(size, share):
    rows = [(f"c{k}", "low", "high" if k < 2 else "low", 1, 1) for k in range(size)]
    found = cross(book(*rows), ORDER).loc[0, "share"]
    assert np.isnan(found) if share is None else found == pytest.approx(share)


def test_who_is_worth_more_and_less_than_the_tier_looks():
    # More: e 85, d 80, f 70, from below or without an order in the window. Less: b 800 before c 700, by what they brought.
    assert listed(SHOP, ORDER) == [("more", "e"), ("more", "d"), ("more", "f"), ("less", "b"), ("less", "c")]
    counts = worth.belied(SHOP, ORDER)
    # clv 85 + 80 + 70 and 1 + 2; monetary 50 + 100 (f has none) and 800 + 700
    assert counts.to_dict("list") == {
        "looks": ["more", "less"], "customers": [3, 2], "clv": [235, 3], "monetary": [150, 1500],
    }  # fmt: skip


def test_of_three_tiers_the_middle_one_looks_neither_way():
    shop = book(("a", "best", "low", 9, 1), ("b", "middling", "low", 8, 1), ("c", "middling", "high", 1, 9),
                ("d", "worst", "high", 1, 8))  # fmt: skip
    assert listed(shop, ["best", "middling", "worst"]) == [("more", "d"), ("less", "a")]


def test_a_book_without_values_has_an_empty_list():
    nothing = SHOP.assign(clv=np.nan, value_tier=None)
    assert worth.belied(nothing, ORDER)["customers"].tolist() == [0, 0] and cross(nothing, ORDER).empty
    found = recent_beside_expected(nothing, recent(a=5), ORDER)
    assert found["tier"].tolist() == ["all"] and found["customers"].tolist() == [0]
    assert found[["recent_share", "expected_share", "idle_share"]].isna().all(axis=None)


def recent(past=None, **net):
    """``past``: money of the twelve months by customer; as the last days' where not given."""
    frame = pd.DataFrame({"customer_id": list(net), "recent_net": list(net.values())})
    frame["past_net"] = frame["customer_id"].map(past or {}).astype(float).fillna(frame["recent_net"].astype(float))
    return frame


def test_recent_money_beside_the_expected():
    """a 30, d 10, g -5 (refunded) in the last days; i has no value and does not count. At a margin of one half: 15, 5, -2.5.
    Of the nine customers a and d brought something; the seven others hold 351 - 90 - 80 = 184 of the 354 expected."""
    found = recent_beside_expected(SHOP, recent(g=-5, a=30, d=10, i=99), ORDER, 0.5).set_index("tier")
    assert found.index.tolist() == ["all", *ORDER, "outside"]
    assert found["customers"].tolist() == [9, 2, 1, 2, 3, 1]
    assert found["recent"].tolist() == [17.5, 15, 0, 5, -2.5, 0]
    assert found["expected"].tolist() == [354, 91, 2, 100, 91, 70]
    assert found["idle"].tolist() == [7, 1, 1, 1, 3, 1]
    assert found["idle_expected"].tolist() == [184, 1, 2, 20, 91, 70]
    assert found[["recent_share", "expected_share", "idle_share"]].isna().all(axis=None)  # nobody has ten customers


def test_the_potential_is_what_is_expected_beyond_the_past_months():
    """Past 100 of a, 400 of b, 60 of d, at a margin of one half 50, 200 and 30; i has no value and does not count. high:
    91 - 250 = -159, ordinary 100 - 30 = 70, all 354 - 280 = 74."""
    net = recent({"a": 100, "b": 400, "d": 60, "i": 999}, a=1, b=0, d=1, i=1)
    found = recent_beside_expected(SHOP, net, ORDER, 0.5).set_index("tier")
    assert found["past"].tolist() == [280, 250, 0, 30, 0, 0]
    assert found["potential"].tolist() == [74, -159, 2, 70, 91, 70]


def test_shares_are_of_the_whole_and_idle_ones_of_the_row():
    """Ten of the best tier with 6 each recent and 10 expected, ten of the lowest with 0 and 5: 60 of 60 and 100 of 150; all
    that the lowest is expected to bring is held by customers who brought nothing."""
    shop = book(
        *((f"h{k}", "high", "high", 1, 10) for k in range(10)), *((f"l{k}", "low", "low", 1, 5) for k in range(10))
    )
    found = recent_beside_expected(shop, recent(**{f"h{k}": 6 for k in range(10)}), ORDER).set_index("tier")
    assert found["recent_share"].tolist() == [1, 1, 0]
    assert found["expected_share"].tolist() == pytest.approx([1, 2 / 3, 1 / 3])
    assert found["idle_share"].tolist() == pytest.approx([1 / 3, 0, 1])
    refunded = recent_beside_expected(shop, recent(h1=-5), ORDER)
    assert refunded["recent_share"].isna().all()  # the whole is below zero


def test_recent_money_is_of_the_last_ninety_days_and_of_the_months_before():
    """Day 19,911 is the first of ninety that end on 20,000. A refund day counts, what comes later does not. Twelve months
    before 2024-10-04 is 2023-10-04, 366 days: the first day that counts is 19,635; one month: 30 days, from 19,971."""
    days = pd.DataFrame(
        [("a", END, 1, 10.0), ("a", END - 89, 1, 20.0), ("a", END - 90, 1, 40.0), ("a", END + 1, 1, 80.0),
         ("b", END - 3, 0, -5.0), ("c", END - 365, 1, 7.0),
         ("d", END - 366, 1, 3.0)],
        columns=["customer_id", "day", "orders", "net"],
    )  # fmt: skip
    lazy = nw.from_native(duckdb.connect().from_df(days)).lazy()
    year = recent_money(lazy, AS_OF).to_native().df().set_index("customer_id")
    assert year["recent_net"].to_dict() == {"a": 30, "b": -5, "c": 0}
    assert year["past_net"].to_dict() == {"a": 70, "b": -5, "c": 7}
    one = recent_money(lazy, AS_OF, 1).to_native().df().set_index("customer_id")
    assert one["past_net"].to_dict() == {"a": 10, "b": -5} and one["recent_net"].to_dict() == {"a": 30, "b": -5}


PEOPLE = st.lists(
    st.tuples(st.sampled_from([*ORDER, "outside"]), st.sampled_from(["high", "middle", "low"]), st.integers(0, 99)),
    min_size=1, max_size=40,
)  # fmt: skip


@settings(max_examples=12, deadline=None)
@given(PEOPLE, st.randoms(use_true_random=False))
def test_sums_reconcile_and_row_order_changes_nothing(people, random):
    shop = book(*((f"c{k:02}", tier, value, money, money) for k, (tier, value, money) in enumerate(people)))
    net = pd.DataFrame({"customer_id": shop["customer_id"], "recent_net": shop["monetary"] - 20})
    net["past_net"] = shop["monetary"] + 5
    cells, table = cross(shop, ORDER), recent_beside_expected(shop, net, ORDER)
    assert cells["customers"].sum() == len(shop) and cells["clv"].sum() == pytest.approx(shop["clv"].sum())
    parts = ["customers", "recent", "past", "potential", "expected", "idle", "idle_expected"]
    assert table.loc[1:, parts].sum().tolist() == pytest.approx(table.loc[0, parts].tolist())
    shuffled = shop.sample(frac=1, random_state=random.randint(0, 99))
    assert listed(shuffled, ORDER) == listed(shop, ORDER)
    pd.testing.assert_frame_equal(cross(shuffled, ORDER), cells)


@settings(max_examples=12, deadline=None)
@given(PEOPLE, st.integers(0, 40))
def test_what_parts_give_adds_up_to_what_all_give(people, at):
    shop = book(*((f"c{k:02}", tier, value, money, money) for k, (tier, value, money) in enumerate(people)))
    net = pd.DataFrame({"customer_id": shop["customer_id"], "recent_net": shop["monetary"] - 20})
    net["past_net"] = shop["monetary"] + 5
    parts = [shop.iloc[:at], shop.iloc[at:]]
    thirds = pd.concat([worth.thirds(part) for part in parts])
    pd.testing.assert_frame_equal(worth.cross(thirds, ORDER), cross(shop, ORDER))
    sums = pd.concat([worth.brought(part, net) for part in parts])
    pd.testing.assert_frame_equal(worth.recent_beside_expected(sums, ORDER), recent_beside_expected(shop, net, ORDER))
