"""The bridge from rows read to rows counted, and purchase days, by hand."""

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook.insight import profile

# 110 rows, 1000 of money: 300 status, −50 kept apart, 150 without an id, 600 counted
ACCOUNTING = pd.DataFrame(
    {
        "table": ["transactions"] * 4 + ["surveys"] * 2,
        "reason": ["kept", "no_customer", "not_a_sale", "status", "kept", "duplicate"],
        "rows": [60, 15, 5, 30, 7, 2],
        "amount": [600.0, 150.0, -50.0, 300.0, np.nan, np.nan],
        "example": [None, "o1", "o2", "closed", "a", "a"],
    }
)


def test_the_bridge_goes_from_read_to_counted():
    bridge = profile.bridge(ACCOUNTING)
    assert bridge["step"].tolist() == ["read", "status", "not_a_sale", "net_sales", "no_customer", "kept"]
    assert bridge["rows"].tolist() == [110, 30, 5, 75, 15, 60]
    # 1000 − 300 = 700; 700 + 50 = 750; 750 − 150 = 600
    assert bridge["after"].tolist() == [1000.0, 700.0, 750.0, 750.0, 600.0, 600.0]


def test_a_bridge_without_anything_set_aside_has_three_totals():
    bridge = profile.bridge(ACCOUNTING.head(1))
    assert bridge["step"].tolist() == ["read", "net_sales", "kept"]
    assert bridge["after"].tolist() == [600.0] * 3


def test_rows_set_aside_are_counted_by_table():
    found = profile.read_tables(ACCOUNTING).set_index("table")
    assert found.loc["transactions"].tolist() == [110, 60, 50]
    assert found.loc["surveys"].tolist() == [9, 7, 2]


def test_purchase_days_gather_the_frequent_at_the_end():
    counted = pd.DataFrame({"active_days": [1, 9, 2, 3, 1], "customers": [1, 1, 1, 1, 1]})
    found = profile.purchase_days(counted, most=3)
    pd.testing.assert_frame_equal(
        profile.purchase_days(counted.groupby("active_days", as_index=False).sum(), most=3), found
    )
    assert found["customers"].tolist() == [2, 1, 2]
    assert found["share"].tolist() == [0.4, 0.2, 0.4]


def test_empty_cells_are_counted_among_rows_that_count():
    lines = pd.DataFrame(
        {
            "day": [3, 4, 4],
            "reason": ["kept", "no_customer", "status"],
            "customer_id": ["a", None, None],
            "store": pd.array([None, None, "x"], dtype="str"),
        }
    )
    found = profile.missing_by_day(nw.from_native(lines).lazy(), ["customer_id", "store"]).collect().to_native()
    rows = found.sort_values("day")[["day", "rows", "customer_id", "store"]].to_numpy().tolist()
    assert rows == [[3, 1, 0, 1], [4, 1, 1, 1]]


def test_empty_cells_by_month_have_no_share_under_ten_rows():
    # January: days 0 and 30 of 1970, 6 + 4 rows with 1 + 2 empty: 3 of 10; February (day 31): 1 of 9
    days = pd.DataFrame({"day": [0, 30, 31], "rows": [6, 4, 9], "store": [1, 2, 1]})
    found = profile.missing_by_month(days)
    assert found[["month", "column", "rows", "missing"]].to_numpy().tolist() == [
        ["1970-01", "store", 10, 3],
        ["1970-02", "store", 9, 1],
    ]
    assert found["missing_share"].tolist()[0] == 0.3 and found["missing_share"].isna().tolist() == [False, True]
