"""Late refunds: months of orders followed on by hand, every way of booking refunds, and agreement with plain pandas."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from tierbook.accounting import day_number
from tierbook.history import customer_days
from tierbook.insight.restated import restated, table

JULY, AUGUST, SEPTEMBER, AS_OF = (
    day_number(dt.date(2026, month, day)) for month, day in ((7, 31), (8, 31), (9, 30), (10, 31))
)
MONTHS = pd.DataFrame({"start": [JULY, AUGUST], "end": [AUGUST, SEPTEMBER]})


def lines(*rows):
    """Judged lines from (customer_id, order_key, day, net[, gross]); gross is the amount above zero."""
    full = [(c, o, d, net, *(rest or [max(net, 0)])) for c, o, d, net, *rest in rows]
    frame = pd.DataFrame(full, columns=["customer_id", "order_key", "day", "net", "gross"])
    for money in ("net", "gross"):
        frame[money] = pd.Series([Decimal(str(x)) for x in frame[money]], dtype=object)
    return frame.assign(reason="kept", order_id=frame["order_key"])


def told(engine, frame, spans=MONTHS, as_of=AS_OF):
    found = engine.collect(restated(engine.frame(frame), engine.frame(spans), as_of))
    return table(found)


def test_september_by_hand(engine):
    frame = lines(
        ("kept", "1", SEPTEMBER, 100),  # the month's last day; nothing since
        ("part", "2", AUGUST + 1, 200),  # its first day; 30 back in the month, 50 since
        ("part", "2", SEPTEMBER, -30),
        ("part", "2", SEPTEMBER + 1, -50),
        ("all", "3", SEPTEMBER - 9, 80),  # wholly back on as_of
        ("all", "3", AS_OF, -80),
        ("grown", "4", SEPTEMBER - 5, 10),  # completed since: 5 more, 1 of it back
        ("grown", "4", AS_OF, 5),
        ("grown", "4", AS_OF, -1),
        ("too_late", "5", SEPTEMBER - 5, 40),  # its refund lies after as_of
        ("too_late", "5", AS_OF + 1, -40),
        ("before", "6", SEPTEMBER - 8, 70),  # wholly back within the month: known then
        ("before", "6", SEPTEMBER - 2, -70),
        ("august", "7", AUGUST, 500),  # August's order, back in October
        ("august", "7", SEPTEMBER + 3, -500),
        ("october", "8", SEPTEMBER + 1, 60),
        ("october", "8", SEPTEMBER + 9, -60),
        ("no_order", "9", SEPTEMBER, -7),  # no purchase in the data; known in September, not in August
        ("no_order", "10", SEPTEMBER + 2, -12),
    )
    found = told(engine, frame)
    assert found["end"].tolist() == [SEPTEMBER, AUGUST]
    september, august = found.iloc[0], found.iloc[1]
    # then 100 + 170 + 80 + 10 + 40 + 0 = 400; added 5; back 50 + 80 + 1 = 131; left 274
    assert september["orders"] == 6
    money = ["net_then", "added_since", "refunds_since", "net_restated", "untied"]
    assert september[money].tolist() == [400, 5, 131, 274, 12]
    assert september[["orders_refunded", "orders_cancelled"]].tolist() == [3, 1]
    assert august[["orders", *money]].tolist() == [1, 500, 0, 500, 0, 19]
    assert august[["orders_refunded", "orders_cancelled"]].tolist() == [1, 1]
    assert set(found["how"]) == {"dated"}


@pytest.mark.parametrize(
    ("day", "then", "since"), [(SEPTEMBER - 1, 60, 0), (SEPTEMBER, 60, 0), (SEPTEMBER + 1, 100, 40), (AS_OF, 100, 40), (AS_OF + 1, 100, 0)]
)  # fmt: skip
def test_a_refund_is_late_from_the_day_after_the_month(engine, day, then, since):
    found = told(engine, lines(("a", "1", AUGUST + 5, 100), ("a", "1", day, -40))).iloc[0]
    assert found[["net_then", "refunds_since"]].tolist() == [then, since]


@pytest.mark.parametrize(
    ("day", "in_august", "in_september"),
    [(JULY, 0, 0), (JULY + 1, 1, 0), (AUGUST, 1, 0), (AUGUST + 1, 0, 1), (SEPTEMBER, 0, 1), (SEPTEMBER + 1, 0, 0)],
)
def test_an_order_belongs_to_the_month_of_its_first_day(engine, day, in_august, in_september):
    assert told(engine, lines(("a", "1", day, 10)))["orders"].tolist() == [in_september, in_august]


@pytest.mark.parametrize(
    ("back", "refunded", "cancelled"), [(0, 0, 0), (99.99, 1, 0), (100, 1, 1), (100.01, 1, 1)]
)  # fmt: skip
def test_cancelled_is_when_nothing_is_left(engine, back, refunded, cancelled):
    frame = lines(("a", "1", SEPTEMBER, 100), ("a", "1", AS_OF, -back), ("free", "2", SEPTEMBER, 0))
    found = told(engine, frame).iloc[0]
    assert found[["orders", "orders_refunded", "orders_cancelled"]].tolist() == [2, refunded, cancelled]


def test_an_order_of_no_worth_when_the_month_ended_is_not_cancelled_since(engine):
    frame = lines(("a", "1", SEPTEMBER - 9, 70), ("a", "1", SEPTEMBER, -70), ("a", "1", AS_OF, -1))
    assert told(engine, frame).iloc[0][["orders", "orders_refunded", "orders_cancelled"]].tolist() == [1, 1, 0]


def test_the_same_order_number_of_two_customers_is_two_orders(engine):
    frame = lines(("a", "1", SEPTEMBER, 10), ("b", "1", SEPTEMBER, 20), ("b", "1", AS_OF, -20))
    assert told(engine, frame).iloc[0][["orders", "refunds_since", "orders_cancelled"]].tolist() == [2, 20, 1]


def test_lines_set_aside_do_not_count(engine):
    frame = lines(("a", "1", SEPTEMBER, 10), ("a", "1", AS_OF, -4), ("a", "2", SEPTEMBER, 99))
    frame.loc[2, "reason"] = "excluded"
    assert told(engine, frame).iloc[0][["net_then", "net_restated"]].tolist() == [10, 6]


# --- ways of booking refunds --------------------------------------------------------------------------------------

UNKNOWN = ["net_then", "added_since", "refunds_since", "orders_refunded", "orders_cancelled"]


def test_a_refund_column_without_a_date_cannot_be_followed(engine):
    # 100 with a refund_amount of 30: 70 is known now, what was known in September is not
    found = told(engine, lines(("a", "1", SEPTEMBER, 70, 100), ("b", "2", SEPTEMBER, 5))).iloc[0]
    assert found["how"] == "refunds_undated"
    assert found[UNKNOWN].isna().all()
    assert found[["orders", "net_restated"]].tolist() == [2, 75]


def test_refunds_set_aside_are_told(engine):
    frame = lines(("a", "1", SEPTEMBER, 70), ("a", "1", AS_OF, -70))
    frame.loc[1, "reason"] = "not_a_sale"
    found = told(engine, frame).iloc[0]
    assert found["how"] == "refunds_set_aside"
    assert found[[*UNKNOWN, "net_restated", "untied"]].isna().all() and found["orders"] == 1


def test_without_order_numbers_refunds_hang_in_the_air(engine):
    frame = lines(("a", "20260930", SEPTEMBER, 70), ("a", "20261005", SEPTEMBER + 5, -70)).assign(order_id=None)
    found = told(engine, frame.astype({"order_id": "str"})).iloc[0]
    assert found["how"] == "no_order_id"
    assert found[[*UNKNOWN, "net_restated"]].isna().all() and found["untied"] == 70


def test_data_without_refunds_change_nothing(engine):
    found = told(engine, lines(("a", "1", SEPTEMBER, 70), ("b", "2", SEPTEMBER, 0))).iloc[0]
    assert found["how"] == "no_refunds"
    assert found[["orders", "net_then", "refunds_since", "net_restated"]].tolist() == [2, 70, 0, 70]


def test_months_without_an_order_have_zeros_and_the_way_of_booking(engine):
    found = told(engine, lines(("a", "1", JULY, 70), ("a", "1", SEPTEMBER, -20)))
    assert found[["orders", "net_then", "net_restated", "untied"]].to_numpy().tolist() == [[0, 0, 0, 0]] * 2
    assert found["how"].tolist() == ["dated"] * 2


# --- agreement ----------------------------------------------------------------------------------------------------


def random_lines(seed, rows=600):
    rng = np.random.default_rng(seed)
    owner = rng.integers(0, 40, rows)
    net = rng.choice([-30, -10, 0, 5, 20, 99.99], rows, p=[0.15, 0.1, 0.05, 0.2, 0.3, 0.2])
    order = [f"o{c}-{k}" for c, k in zip(owner, rng.integers(0, 8, rows), strict=True)]
    return lines(*zip([f"c{c}" for c in owner], order, JULY + rng.integers(-20, 100, rows), net, strict=True))


def by_hand(frame, start, end, as_of):
    """The definitions once more, one order at a time, in plain Python."""
    frame = frame[frame["day"] <= as_of].astype({"net": float, "gross": float})
    total = dict.fromkeys(["orders", "net_then", "added_since", "refunds_since", "net_restated", "untied"], 0.0)
    for _, order in frame.groupby(["customer_id", "order_key"]):
        bought = [
            day
            for day, of_day in order.groupby("day")
            if round(of_day["net"].sum(), 6) > 0 or (round(of_day["net"].sum(), 6) == 0 and of_day["gross"].sum() == 0)
        ]
        since = order[order["day"] > end]
        back = (since["gross"] - since["net"]).sum()
        if not bought:
            total["untied"] += back
        elif start < min(bought) <= end:
            total["orders"] += 1
            total["net_then"] += order.loc[order["day"] <= end, "net"].sum()
            total["added_since"] += since["gross"].sum()
            total["refunds_since"] += back
            total["net_restated"] += order["net"].sum()
    return total


@pytest.mark.parametrize("seed", [1, 2])
def test_the_engine_agrees_with_the_definitions_one_order_at_a_time(engine, seed):
    frame = random_lines(seed)
    found = told(engine, frame)
    for end, start in ((SEPTEMBER, AUGUST), (AUGUST, JULY)):
        expected = by_hand(frame, start, end, AS_OF)
        assert expected["refunds_since"] > 0 and expected["untied"] > 0
        shown = found[found["end"] == end].iloc[0]
        assert shown[list(expected)].astype(float).tolist() == pytest.approx(list(expected.values()), abs=1e-6)
    left = found["net_then"] + found["added_since"] - found["refunds_since"]
    assert left.tolist() == pytest.approx(found["net_restated"].tolist(), abs=1e-6)


def test_orders_are_those_of_the_history_and_row_order_changes_nothing(engine):
    frame = random_lines(3)
    found = told(engine, frame)
    days = engine.collect(customer_days(engine.frame(frame.assign(cost=None).astype({"cost": float}))))
    for end, start in ((SEPTEMBER, AUGUST), (AUGUST, JULY)):
        counted = days.loc[days["day"].between(start + 1, end), "orders"].sum()
        assert found.loc[found["end"] == end, "orders"].iloc[0] == counted
    pd.testing.assert_frame_equal(told(engine, frame.sample(frac=1, random_state=1, ignore_index=True)), found)


def test_what_was_known_then_is_what_data_cut_at_that_date_say(engine):
    frame = random_lines(4)
    cut = told(engine, frame[frame["day"] <= SEPTEMBER], MONTHS.iloc[1:], SEPTEMBER).iloc[0]
    now = told(engine, frame, MONTHS.iloc[1:]).iloc[0]
    assert cut["net_restated"] == cut["net_then"] == pytest.approx(now["net_then"])
    assert cut["orders"] == now["orders"] and cut["refunds_since"] == 0
