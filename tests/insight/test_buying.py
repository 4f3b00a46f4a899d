"""What customers buy month by month, by hand: trade, breadth of categories, the window's base."""

import datetime as dt

import numpy as np
import pandas as pd

from tierbook.accounting import day_number
from tierbook.insight import buying, retention

AS_OF = dt.date(2026, 10, 31)


def on(text):
    return day_number(dt.date.fromisoformat(text))


ENDS = [on("2026-10-31"), on("2026-09-30")]


def test_trade_of_two_months(engine):
    days = pd.DataFrame(
        [
            ("a", on("2026-09-01"), 1, 10.0, 6.0), ("a", on("2026-10-01"), 2, 30.0, 20.0), ("a", on("2026-10-31"), 1, 5.0, 3.0),
            ("b", on("2026-10-02"), 1, 8.0, np.nan), ("c", on("2026-10-03"), 0, -4.0, 0.0), ("d", on("2026-08-31"), 1, 99.0, 1.0),
        ],
        columns=["customer_id", "day", "orders", "net", "cost"],
    ).astype({"customer_id": "str"})  # fmt: skip
    firsts = pd.DataFrame(
        {"customer_id": ["a", "b", "c", "d"], "first_day": [on("2026-09-01"), on("2026-10-02"), 1, 2]}
    )
    months = retention.calendar(AS_OF, 2)
    frames = [
        engine.frame(frame.astype({"customer_id": "str"}) if "customer_id" in frame else frame)
        for frame in (days, months, firsts)
    ]
    found = engine.collect(buying.trade(*frames)).set_index("ago").astype(float)
    # October: a and b bought (c only sent back); 2 + 1 + 1 orders; 30 + 5 + 8 − 4; b's line has no cost; b's first day
    assert found.loc[0, ["buyers", "orders", "net", "first_net"]].tolist() == [2, 4, 39, 8]
    assert np.isnan(found.loc[0, "cost"])
    assert found.loc[1, ["buyers", "orders", "net", "cost", "first_net"]].tolist() == [1, 1, 10, 6, 10]


def lines(rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "category", "net"])
    return frame.astype({"customer_id": "str", "category": "str"}).assign(reason="kept")


def test_breadth_counts_categories_whose_net_money_is_above_zero(engine):
    rows = lines(
        [
            ("a", ENDS[0], "tea", 5.0), ("a", ENDS[0] - 364, "cup", 5.0), ("a", ENDS[0] - 365, "pot", 5.0),
            ("b", ENDS[0], "tea", 5.0), ("b", ENDS[0], "cup", 5.0), ("b", ENDS[0], "cup", -5.0),
            ("c", ENDS[0], None, 5.0), ("d", ENDS[1], "tea", 0.0), ("e", ENDS[0] + 1, "tea", 5.0),
        ]
    )  # fmt: skip
    rows = pd.concat([rows, lines([("b", ENDS[0], "pot", 5.0)]).assign(reason="excluded")])
    found = buying.breadth_by_month(engine.collect(buying.breadth(engine.frame(rows), ENDS, 365)), 2)
    assert found.loc[0].tolist() == [2, 1, 3], (
        "a has tea and cup, the pot is a day too old; b has tea, the cup went back"
    )
    # a month before, the pot of 365 days before the end of October is within its 365 days, the teas are still to come
    assert found.loc[1].tolist() == [1, 1, 2]


def test_no_categories_no_breadth(engine):
    found = buying.breadth_by_month(
        engine.collect(buying.breadth(engine.frame(lines([("a", ENDS[0], None, 1.0)])), ENDS, 365)), 2
    )
    assert (found == 0).all(axis=None)


def windows(rows):
    columns = ["end", "customer_id", "window_active_days", "window_orders", "window_net", "window_cost"]
    return pd.DataFrame(rows, columns=columns)


def tiers(rows):
    return pd.DataFrame(rows, columns=["end", "customer_id", "tier"])


def test_the_base_of_two_dates():
    there = windows(
        [
            (ENDS[0], "a", 2, 3, 100.0, 60.0), (ENDS[0], "b", 1, 1, 20.0, 10.0), (ENDS[1], "a", 1, 1, 40.0, np.nan),
            (ENDS[1] - 30, "a", 9, 9, 9.0, 9.0),
        ]
    )  # fmt: skip
    path = tiers([(ENDS[0], "a", "high"), (ENDS[0], "b", "low"), (ENDS[0], "z", "high"), (ENDS[1], "a", "high")])
    found = buying.base(there, path, ENDS, "high")
    now = found.loc[0]
    assert now[["customers", "repeaters", "orders", "net", "cost"]].tolist() == [2, 1, 4, 120, 70]
    assert now[["best", "best_net", "best_cost"]].tolist() == [2, 100, 60], "z has the tier by hand, and bought nothing"
    assert (
        found.loc[1, ["customers", "best", "net"]].tolist() == [1, 1, 40]
        and np.isnan(found.loc[1, ["cost", "best_cost"]].astype(float)).all()
    )


def test_parts_of_the_base_put_together():
    """a and b of the first date stand in parts of their own, the second date knows a alone; z is in the best tier by hand."""
    there = windows([
        (ENDS[0], "a", 2, 3, 100.0, 60.0), (ENDS[0], "b", 1, 1, 20.0, 10.0), (ENDS[1], "a", 1, 1, 40.0, np.nan),
    ])  # fmt: skip
    path = tiers([(ENDS[0], "a", "high"), (ENDS[0], "b", "low"), (ENDS[0], "z", "high"), (ENDS[1], "a", "high")])
    parts = [
        buying.base(there[there["customer_id"].isin(ids)], path[path["customer_id"].isin(ids)], ENDS, "high")
        for ids in (["a"], ["b"], ["z"], ["nobody"])
    ]
    found = buying.together(iter(parts))
    pd.testing.assert_frame_equal(found, buying.base(there, path, ENDS, "high"))
    # the cost of the first date is 60 + 10; of the second a has none, which leaves the whole without
    assert found["cost"].tolist()[0] == 70 and np.isnan(found["cost"].tolist()[1])
    nobody = buying.together([parts[-1], parts[-1]])
    assert nobody["customers"].eq(0).all() and nobody[["cost", "best_cost"]].isna().all(axis=None)


def test_a_date_without_anybody_is_zero():
    found = buying.base(windows([]), tiers([]), ENDS, "high")
    assert found[["customers", "orders", "net", "best"]].eq(0).all(axis=None)
