"""What notebook 03 says of a forecast: worst groups, sums by tier, grid of expectations."""

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import forecast


def slices(**rows):
    table = pd.DataFrame(
        [(name, *values) for name, values in rows.items()],
        columns=["slice", "customers", "actual_orders", "predicted_orders", "ratio"],
    )
    return table.assign(past_rate_ratio=2.0)


def test_worst_lists_a_fifth_off_or_more_by_orders_astray():
    table = slices(
        all=(400, 400, 800.0, 2.0),
        just=(100, 100, 120.0, 1.2),  # 20 % off: told; 20 orders
        under=(100, 100, 119.0, 1.19),  # not told
        low=(100, 100, 50.0, 0.5),  # 50 orders astray: first
        few=(9, 1, 30.0, np.nan),  # no ratio, cannot be judged
    )
    found = forecast.worst(table)
    assert found["slice"].tolist() == ["low", "just"]
    assert found["off"].tolist() == pytest.approx([-0.5, 0.2])
    assert forecast.worst(table, most=1)["slice"].tolist() == ["low"]


def test_calibration_gives_orders_per_customer_of_the_bands_only():
    table = slices(all=(30, 30, 30.0, 1.0), frequency_0=(20, 10, 15.0, 1.5), frequency_1=(9, 9, 9.0, np.nan))
    found = forecast.calibration(table).set_index("slice")
    # 10 / 20, 15 / 20, and the past rate: 2.0 × 10 / 20; nine customers are too few
    assert found.loc["frequency_0", ["actual", "predicted", "past_rate"]].tolist() == [0.5, 0.75, 1.0]
    assert found.loc["frequency_1", ["actual", "predicted", "past_rate"]].isna().all()
    assert len(found) == 2


def test_value_by_tier_and_its_concentration():
    book = pd.DataFrame(
        {
            "tier": ["low", "high", "high", "low"],
            "clv": [10.0, 60.0, 30.0, np.nan],
            "expected_orders": [1.0, 2.0, 3.0, 4.0],
        }
    )
    found = forecast.by_tier(book, ["high", "potential", "low"])
    assert found["tier"].tolist() == ["high", "low"]
    assert found["customers"].tolist() == [2, 1]
    assert found["mean_clv"].tolist() == [45.0, 10.0]
    assert found["clv_share"].tolist() == pytest.approx([0.9, 0.1])
    assert forecast.top_share(book["clv"], 1) == pytest.approx(0.6)
    assert np.isnan(forecast.top_share(pd.Series([0.0, np.nan])))
    assert forecast.by_tier(book.head(0), ["high"]).empty
    assert forecast.totals(book) == {"orders": 10.0, "total": 100.0, "n": 3, "top": 1.0}


def test_the_grid_has_every_band_and_leaves_small_cells_empty():
    # ten customers silent for 30 days with one purchase day; nine for 31 days; one more of those with ten
    history = pd.DataFrame({"recency_days": [30] * 10 + [31] * 10, "active_days": [1] * 19 + [10]})
    orders = pd.Series([1.0] * 5 + [2.0] * 5 + [9.0] * 10)
    grid = forecast.by_recency_frequency(history, orders)
    assert grid.shape == (5, 5)
    assert grid.loc["0–30", "1"] == 1.5
    assert grid.notna().sum().sum() == 1
    assert forecast.by_recency_frequency(history.head(0), orders.head(0)).isna().all(axis=None)
