"""History: what counts as a purchase, the windows' edges, no leak from later days, and agreement with plain pandas."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tierbook import accounting, params, sources
from tierbook.accounting import day_number
from tierbook.history import customer_days, distinct, followed, history, windows, with_gaps

AS_OF = dt.date(2026, 10, 31)
END = day_number(AS_OF)
WINDOW = 365


def lines(*rows):
    """Kept order lines from (customer_id, order_key, day, net[, gross[, cost]]); gross is the amount above zero."""
    full = [(c, o, d, net, *(rest or [max(net, 0)])) for c, o, d, net, *rest in rows]
    full = [(*row, None) if len(row) == 5 else row for row in full]
    frame = pd.DataFrame(full, columns=["customer_id", "order_key", "day", "net", "gross", "cost"])
    for money in ("net", "gross", "cost"):
        frame[money] = pd.Series([None if pd.isna(x) else Decimal(str(x)) for x in frame[money]], dtype=object)
    return frame.assign(reason="kept")


def days_of(engine, frame, **options):
    found = engine.collect(customer_days(engine.frame(frame), **options))
    return found.sort_values(["customer_id", "day"], ignore_index=True)


def history_of(engine, frame, as_of=AS_OF, window_days=WINDOW):
    found = engine.collect(history(customer_days(engine.frame(frame)), as_of, window_days))
    return found.set_index("customer_id").sort_index().astype(float)


def random_lines(seed, customers=40, rows=300):
    rng = np.random.default_rng(seed)
    owner = rng.integers(0, customers, rows)
    net = rng.choice([-30, -10, 0, 5, 10, 20, 99.99], rows, p=[0.1, 0.05, 0.1, 0.2, 0.25, 0.2, 0.1])
    cost = [None if x < 0.05 else 3.5 for x in rng.random(rows)]
    order = [f"o{c}-{k}" for c, k in zip(owner, rng.integers(0, 6, rows), strict=True)]
    day = END - rng.integers(0, 900, rows)
    return lines(*zip([f"c{c:03d}" for c in owner], order, day, net, np.maximum(net, 0), cost, strict=True))


@pytest.mark.parametrize(
    ("nets_and_gross", "orders", "net"),
    [
        ([(100, 100)], 1, 100),
        ([(100, 100), (-30, 0)], 1, 70),  # what is left is above zero
        ([(100, 100), (-99.99, 0)], 1, 0.01),
        ([(100, 100), (-100, 0)], 0, 0),  # wholly cancelled
        ([(100, 100), (-100.01, 0)], 0, -0.01),
        ([(0, 0)], 1, 0),  # free from the start: an order at a price of zero
        ([(0, 100)], 0, 0),  # 100 with a refund_amount of 100
        ([(-50, 0)], 0, -50),  # a refund alone
        ([(0, 0), (20, 20)], 1, 20),  # a gift line within an order
    ],
)
def test_what_one_order_of_one_day_is_worth(engine, nets_and_gross, orders, net):
    frame = lines(*[("a", "o1", END, *pair) for pair in nets_and_gross])
    (day,) = days_of(engine, frame).itertuples()
    assert (day.orders, float(day.net)) == (orders, pytest.approx(net, abs=1e-9))


def test_two_orders_of_a_day_are_two_orders_but_one_day(engine):
    frame = lines(("a", "o1", END, 10), ("a", "o2", END, 20), ("a", "o2", END, 5))
    assert days_of(engine, frame)["orders"].tolist() == [2]
    assert history_of(engine, frame).loc["a", ["orders", "active_days", "net"]].tolist() == [2, 1, 35]


def test_an_order_over_several_days_counts_once_on_its_first_day_with_bought_goods(engine):
    # Day −9 was cancelled the same day; the order is bought on day −5 and completed on day −2: its money stays there.
    frame = lines(
        ("a", "o1", END - 9, 10), ("a", "o1", END - 9, -10), ("a", "o1", END - 5, 30), ("a", "o1", END - 2, 12)
    )
    days = days_of(engine, frame)
    assert days["orders"].tolist() == [0, 1, 0]
    assert days["net"].astype(float).tolist() == [0, 30, 12]


def test_the_same_order_number_of_two_customers_is_two_orders(engine):
    assert days_of(engine, lines(("a", "1", END, 10), ("b", "1", END, 10)))["orders"].tolist() == [1, 1]


def test_a_later_refund_is_money_when_it_happens_and_undoes_no_purchase(engine):
    frame = lines(("a", "o1", END - 40, 100), ("a", "o1", END - 3, -100))
    now, before = history_of(engine, frame), history_of(engine, frame, AS_OF - dt.timedelta(days=4))
    assert now.loc["a", ["orders", "net", "recency_days", "window_net"]].tolist() == [1, 0, 40, 0]
    assert before.loc["a", ["orders", "net", "recency_days", "window_net"]].tolist() == [1, 100, 36, 100]


def test_refunds_are_amounts_below_zero_and_refund_amounts_each_on_its_own_day(engine):
    # day −40: a line of 100 with a refund_amount of 25 (gross 100, net 75) and one of 10; day −3: a return of 30 and
    # an order of 50; day −1: an order bought and cancelled; day 0: a gift; another customer without any
    frame = lines(
        ("a", "o1", END - 40, 75, 100), ("a", "o1", END - 40, 10), ("a", "o1", END - 3, -30), ("a", "o2", END - 3, 50),
        ("a", "o3", END - 1, 20), ("a", "o3", END - 1, -20), ("a", "o4", END, 0), ("b", "o5", END, 10),
    )  # fmt: skip
    assert days_of(engine, frame)["refunds"].astype(float).tolist() == [25, 30, 20, 0, 0]
    assert days_of(engine, frame)["net"].astype(float).tolist() == [85, 20, 0, 0, 10]


def test_only_kept_lines_count_and_a_customer_of_refunds_alone_is_none(engine):
    frame = lines(("a", "o1", END, 10), ("b", "o2", END, 10), ("c", "o3", END, -10))
    frame.loc[1, "reason"] = "excluded"
    assert history_of(engine, frame).index.tolist() == ["a"]


def test_cost_is_null_where_any_line_has_none(engine):
    frame = lines(
        ("a", "o1", END, 10, 10, 4), ("a", "o1", END, 10, 10, 3), ("b", "o2", END, 10, 10, 4), ("b", "o2", END, 10)
    )
    cost = days_of(engine, frame)["cost"].astype(float)
    assert cost[0] == 7 and np.isnan(cost[1])
    assert history_of(engine, frame)["window_cost"].isna().tolist() == [False, True]


def test_an_uncosted_line_before_the_window_does_not_matter_to_the_window(engine):
    frame = lines(("a", "o1", END - WINDOW, 10), ("a", "o2", END - 1, 10, 10, 4))
    assert history_of(engine, frame).loc["a", "window_cost"] == 4


def test_six_customers_by_hand(engine):
    """Columns of each customer worked out in the comments; days are counted back from as_of."""
    frame = lines(
        ("once", "1", END - 10, 50),
        # purchases 100, 60 and 0 days ago: gaps 40 and 60, median 50, first gap 40; 20 + 30 + 40 = 90;
        # mean spend outside the first day (30 + 40) / 2 = 35
        ("three", "2", END - 100, 20),
        ("three", "3", END - 60, 30),
        ("three", "4", END, 40),
        # 400 days ago lies in the window before: previous 1 order and 80; the return of 15 lies in this window
        ("returned", "5", END - 400, 80),
        ("returned", "6", END - 30, 25),
        ("returned", "5", END - 29, -15),
        # two orders of one day, none since: one day, no repeat, no gap
        ("twice_a_day", "7", END - 200, 10),
        ("twice_a_day", "8", END - 200, 10),
        ("long_gone", "9", END - 800, 70),
        ("cancelled_and_bought", "10", END - 90, 60),
        ("cancelled_and_bought", "10", END - 90, -60),
        ("cancelled_and_bought", "11", END - 20, 60),
    )
    found = history_of(engine, frame)
    shown = ["orders", "active_days", "net", "repeats", "t_x", "T", "recency_days", "mean_spend", "own_gap_days",
             "first_gap_days", "window_orders", "window_active_days", "window_net", "previous_orders", "previous_net"]  # fmt: skip
    nan = np.nan
    expected = {
        "cancelled_and_bought": [1, 1, 60, 0, 0, 20, 20, nan, nan, nan, 1, 1, 60, 0, 0],
        "long_gone": [1, 1, 70, 0, 0, 800, 800, nan, nan, nan, 0, 0, 0, 0, 0],
        "once": [1, 1, 50, 0, 0, 10, 10, nan, nan, nan, 1, 1, 50, 0, 0],
        "returned": [2, 2, 90, 1, 370, 400, 30, 10, 370, 370, 1, 1, 10, 1, 80],
        "three": [3, 3, 90, 2, 100, 100, 0, 35, 50, 40, 3, 3, 90, 0, 0],
        "twice_a_day": [2, 1, 20, 0, 0, 200, 200, nan, nan, nan, 2, 1, 20, 0, 0],
    }
    pd.testing.assert_frame_equal(
        found[shown], pd.DataFrame.from_dict(expected, orient="index", columns=shown, dtype=float), check_names=False
    )
    assert found.loc["three", ["first_day", "last_day"]].tolist() == [END - 100, END]


@pytest.mark.parametrize(
    ("days_ago", "window_orders", "previous_orders"),
    [(0, 1, 0), (364, 1, 0), (365, 0, 1), (366, 0, 1), (729, 0, 1), (730, 0, 0), (731, 0, 0)],
)
def test_the_window_ends_on_as_of_and_holds_365_days(engine, days_ago, window_orders, previous_orders):
    found = history_of(engine, lines(("a", "1", END - days_ago, 10))).loc["a"]
    assert (found["window_orders"], found["previous_orders"]) == (window_orders, previous_orders)
    assert (found["window_net"], found["previous_net"]) == (10 * window_orders, 10 * previous_orders)


@pytest.mark.parametrize(("days_after", "customers"), [(-1, 1), (0, 1), (1, 0)])
def test_a_purchase_on_as_of_counts_and_one_the_day_after_does_not(engine, days_after, customers):
    found = engine.collect(history(customer_days(engine.frame(lines(("a", "1", END + days_after, 10)))), AS_OF, WINDOW))
    assert len(found) == customers
    assert {"customer_id", "recency_days", "window_net", "mean_spend"} <= set(found)


def test_the_history_of_the_first_day_is_one_day_long(engine):
    found = history_of(engine, lines(("a", "1", END, 10))).loc["a"]
    assert found[["T", "t_x", "recency_days", "repeats", "window_orders"]].tolist() == [0, 0, 0, 0, 1]


@pytest.mark.parametrize("seed", [1, 2])
def test_lines_that_are_orders_need_no_adding_up(engine, seed):
    frame = random_lines(seed)
    frame["order_key"] = [f"o{n}" for n in range(len(frame))]
    pd.testing.assert_frame_equal(days_of(engine, frame), days_of(engine, frame, lines_are_orders=True))


@pytest.mark.parametrize("days_ago", [0, 5, 77, 365, 600])
def test_an_earlier_date_sees_what_data_cut_at_that_date_show(engine, days_ago):
    frame, date = random_lines(3), AS_OF - dt.timedelta(days=days_ago)
    cut = frame[frame["day"] <= END - days_ago]
    assert len(cut) < len(frame) or days_ago == 0
    pd.testing.assert_frame_equal(history_of(engine, frame, date), history_of(engine, cut, date))


def test_row_order_and_the_numbering_of_ids_change_nothing(engine):
    frame = random_lines(4)
    shuffled = frame.sample(frac=1, random_state=5, ignore_index=True)
    ids = {name: f"z{rank:03d}" for rank, name in enumerate(sorted(set(frame["customer_id"]), reverse=True))}
    renamed = shuffled.assign(
        customer_id=shuffled["customer_id"].map(ids), order_key=[f"x{key}" for key in shuffled["order_key"]]
    )
    expected = history_of(engine, frame)
    pd.testing.assert_frame_equal(history_of(engine, shuffled), expected)
    pd.testing.assert_frame_equal(history_of(engine, renamed), expected.rename(index=ids).sort_index())


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shift=st.integers(-3000, 3000))
def test_all_dates_shifted_shift_days_and_nothing_else(engine, shift):
    frame = random_lines(6, customers=8, rows=60)
    moved = history_of(engine, frame.assign(day=frame["day"] + shift), AS_OF + dt.timedelta(days=shift))
    moved[["first_day", "last_day"]] -= shift
    pd.testing.assert_frame_equal(moved, history_of(engine, frame))


def by_hand(frame, as_of, window_days):
    """The definitions once more, one customer at a time, in plain Python."""
    end, rows = day_number(as_of), {}
    frame = frame.astype({"net": float, "gross": float, "cost": float})
    frame = frame[(frame["reason"] == "kept") & (frame["day"] <= end)]
    for customer, own in frame.groupby("customer_id"):
        bought = []
        for _, order in own.groupby("order_key"):
            for day, of_day in sorted(order.groupby("day")):
                left = round(of_day["net"].sum(), 6)
                if left > 0 or (left == 0 and of_day["gross"].sum() == 0):
                    bought.append(day)
                    break
        if not bought:
            continue
        days = sorted(set(bought))
        gaps = np.diff(days)
        now = own[own["day"].between(end - window_days + 1, end)]
        then = own[own["day"].between(end - 2 * window_days + 1, end - window_days)]
        elsewhere = own.loc[own["day"] != days[0], "net"].sum()
        rows[customer] = {
            "first_day": days[0],
            "last_day": days[-1],
            "orders": len(bought),
            "active_days": len(days),
            "net": own["net"].sum(),
            "own_gap_days": np.median(gaps) if len(gaps) else np.nan,
            "first_gap_days": gaps[0] if len(gaps) else np.nan,
            "window_orders": sum(d > end - window_days for d in bought),
            "window_active_days": sum(d > end - window_days for d in days),
            "window_net": now["net"].sum(),
            "window_cost": np.nan if now["cost"].isna().any() else now["cost"].sum(),
            "previous_orders": sum(end - 2 * window_days < d <= end - window_days for d in bought),
            "previous_net": then["net"].sum(),
            "repeats": len(days) - 1,
            "t_x": days[-1] - days[0],
            "T": end - days[0],
            "recency_days": end - days[-1],
            "mean_spend": elsewhere / (len(days) - 1) if len(days) > 1 else np.nan,
        }
    return pd.DataFrame.from_dict(rows, orient="index").astype(float).sort_index()


@pytest.mark.parametrize(("days_ago", "window_days"), [(0, 365), (31, 90)])
def test_the_engine_agrees_with_the_definitions_one_customer_at_a_time(engine, days_ago, window_days):
    frame, date = random_lines(8, customers=200, rows=1500), AS_OF - dt.timedelta(days=days_ago)
    frame.loc[frame.sample(60, random_state=1).index, "reason"] = "status"
    expected = by_hand(frame, date, window_days)
    found = history_of(engine, frame, date, window_days)
    assert len(expected) > 100
    pd.testing.assert_frame_equal(found[expected.columns], expected, check_names=False)


def test_windows_at_many_dates_are_the_histories_of_those_dates(engine):
    frame = random_lines(9, customers=60, rows=500)
    dates = [AS_OF - dt.timedelta(days=d) for d in (0, 1, 30, 365, 800, 2000)]
    ends = engine.frame(pd.DataFrame({"end": [day_number(d) for d in dates]}))
    many = engine.collect(windows(customer_days(engine.frame(frame)), ends, WINDOW))
    shared = ["recency_days", "window_orders", "window_active_days", "window_net", "window_cost"]
    for date in dates[:-1]:
        one = history_of(engine, frame, date)
        at = many[many["end"] == day_number(date)].set_index("customer_id")[shared].sort_index().astype(float)
        pd.testing.assert_frame_equal(at, one.loc[one["window_orders"] > 0, shared])
    assert not (many["end"] == day_number(dates[-1])).any()


def test_windows_before_the_first_order_are_an_empty_frame_with_its_columns(engine):
    ends = engine.frame(pd.DataFrame({"end": [END - 10]}))
    none = engine.collect(windows(customer_days(engine.frame(lines(("a", "1", END, 10)))), ends, WINDOW))
    assert none.empty and {"end", "customer_id", "recency_days", "window_net", "window_cost"} <= set(none)


@pytest.mark.real_data
def test_cdnow_has_23570_customers_who_first_bought_in_early_1997(engine, shared_data, tmp_path):
    """Fader & Hardie: 23,570 customers, 69,659 transactions, first purchases from 1997-01-01 to 1997-03-25."""
    shared_data("cdnow/CDNOW_master.txt")
    month = params.load(params.ROOT / "params" / "cdnow.yaml")
    spec = month.source.transactions.model_copy(update={"path": [str(shared_data("cdnow/CDNOW_master.txt"))]})
    raw = sources.read(engine, "transactions", sources.with_preset(spec), tmp_path / "scratch")
    counts = accounting.judge_transactions(engine, raw, month, tmp_path / "lines.parquet", None)
    found = engine.collect(history(customer_days(engine.scan(tmp_path / "lines.parquet")), month.as_of, WINDOW))
    assert len(found) == 23570
    assert counts.set_index("reason").loc["kept", "rows"] == 69659
    assert found["first_day"].between(day_number(dt.date(1997, 1, 1)), day_number(dt.date(1997, 3, 25))).all()


def test_the_gaps_of_purchase_days_by_hand(engine):
    """a: bought on days 10, 17 and 40, a refund between on 20: gaps 7 and 23, the refund neither ends nor begins one."""
    frame = pd.DataFrame(
        [("a", 40, 2), ("a", 10, 1), ("a", 20, 0), ("a", 17, 1), ("b", 5, 0), ("b", 9, 1)],
        columns=["customer_id", "day", "orders"],
    )
    found = engine.collect(with_gaps(engine.frame(frame))).sort_values(["customer_id", "day"])
    assert found["nth"].tolist() == [1, 2, 0, 3, 0, 1]
    assert found["gap"].astype(float).fillna(-1).tolist() == [-1, 7, -1, 23, -1, -1]


def test_customers_with_one_history_are_one_row(engine):
    """a and b bought once on one day, c twice, d as c: (0, 0) stands for two, (1, 5) for two; e alone has no gap known."""
    rows = [("a", 0, 0, 9.0), ("b", 0, 0, 9.0), ("c", 1, 5, 3.0), ("d", 1, 5, 4.0), ("e", 1, 5, None)]
    frame = engine.frame(pd.DataFrame(rows, columns=["customer_id", "repeats", "t_x", "mean_spend"]))
    counted = engine.collect(distinct(frame, ["repeats", "t_x"]).sort("repeats"))
    assert counted.to_numpy().tolist() == [[0, 0, 2], [1, 5, 3]]
    by_spend = engine.collect(distinct(frame, ["mean_spend"]))
    known = by_spend.dropna().set_index("mean_spend")["customers"].to_dict()
    assert known == {9.0: 2, 3.0: 1, 4.0: 1}
    assert by_spend["customers"].sum() == 5  # null is a value of its own


def test_purchase_days_since_an_earlier_history_count_up_to_the_later_one(engine):
    """a: days 1 and 2 by the earlier date, 1 more by the later, 1 after it. b: none since. c: first bought since."""
    frame = lines(
        ("a", "o1", END - 30, 10), ("a", "o2", END - 20, 10), ("a", "o3", END - 10, 10), ("a", "o4", END, 10),
        ("b", "o5", END - 20, 10), ("c", "o6", END - 10, 10),
    )  # fmt: skip
    days = customer_days(engine.frame(frame))
    then, now = (history(days, AS_OF - dt.timedelta(days=ago), WINDOW) for ago in (20, 5))
    found = engine.collect(followed(then, now).select("customer_id", "active_days", "since").sort("customer_id"))
    assert found.to_numpy().tolist() == [["a", 2, 1], ["b", 1, 0]]
