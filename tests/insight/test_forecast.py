"""Forecast: what is estimated, what is refused with a reason, and the hold-out."""

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import forecast
from tierbook.params import Value

RULES = Value(horizon_months=12, yearly_discount=0.10)


def customers(size=400, seed=3):
    """Customers at one rate each from a gamma, for 400 days: repeats, t_x, T, mean_spend."""
    rng = np.random.default_rng(seed)
    T = rng.integers(200, 400, size)
    repeats = rng.poisson(rng.gamma(0.7, 1 / 120, size) * T)
    t_x = np.where(repeats > 0, np.ceil(T * rng.beta(repeats + 1, 1.3)), 0)
    repeats = np.minimum(repeats, t_x)
    spend = np.where(repeats > 0, rng.gamma(6, 1 / rng.gamma(4, 0.01, size)) / 10, np.nan)
    return pd.DataFrame(
        {"customer_id": [f"c{n}" for n in range(size)], "repeats": repeats.astype("int64"), "t_x": t_x, "T": T,
         "mean_spend": spend, "active_days": repeats.astype("int64") + 1}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "end", "days"),
    [(0, 0, 0), (0, 2, 1), (0, 298, 99), (0, 299, 100), (0, 1093, 364), (0, 1094, 365), (0, 5000, 365)],
)
def test_a_third_of_the_history_is_held_out_at_most_a_year(first, end, days):
    assert forecast.holdout_length(first, end, RULES) == days
    assert forecast.holdout_length(first, end, Value(holdout_days=77)) == 77


def test_money_follows_the_margin_and_orders_do_not():
    known = customers()
    sales, margin = (forecast.estimate(known, RULES, rate)["customers"] for rate in (None, 0.25))
    for column in forecast.COLUMNS:
        rate = 0.25 if column in ("expected_value", "clv", "clv_low", "clv_high") else 1
        assert np.allclose(margin[column], rate * sales[column], equal_nan=True)
    assert sales["customer_id"].tolist() == known["customer_id"].tolist()
    assert sales.loc[sales["clv"].isna(), "value_note"].eq("no_spend_to_expect").all()
    assert sales.loc[sales["clv"].notna(), "value_note"].isna().all()
    assert sales["p_alive"].between(0, 1).all() and (sales["orders_low"] <= sales["orders_high"]).all()


def test_the_model_table_names_each_parameter_with_its_error():
    found = forecast.estimate(customers(), RULES, None)
    assert found["note"] is None
    assert found["model"].groupby("model").size().to_dict() == {"BG/NBD": 4, "Gamma-Gamma": 3}
    assert list(found["model"]) == ["model", "parameter", "estimate", "std_error", "log_likelihood", "chosen"]


def test_row_order_changes_no_forecast():
    known = customers(200)
    shuffled = forecast.estimate(known.sample(frac=1, random_state=1), RULES, None)["customers"].sort_index()
    pd.testing.assert_frame_equal(shuffled, forecast.estimate(known, RULES, None)["customers"])


ONE = customers(1).assign(repeats=0, t_x=0, active_days=1, mean_spend=np.nan)
ONE_TIMERS = customers(300).assign(repeats=0, t_x=0, active_days=1, mean_spend=np.nan)


@pytest.mark.parametrize("known", [ONE, ONE_TIMERS, customers(5)], ids=["one", "one_timers", "five"])
def test_who_cannot_be_estimated_has_empty_columns_and_a_reason(known):
    found = forecast.estimate(known, RULES, None)
    assert found["note"] and found["customers"]["value_note"].eq(found["note"]).all()
    assert found["customers"][forecast.COLUMNS].isna().all(axis=None) and len(found["customers"]) == len(known)
    assert found["model"].empty


def later_of(then, orders=1):
    return then.assign(active_days=then["active_days"] + orders, repeats=then["repeats"] + orders)


def test_the_backtest_counts_the_purchase_days_since():
    then = customers()
    tiers = pd.Series(np.where(then["repeats"] > 0, "high", "low"), index=then["customer_id"])
    found = forecast.against_past(then, later_of(then).sample(frac=1, random_state=2), tiers, 90)
    rows = found["backtest"].set_index("slice")
    assert found["note"] is None and rows.loc["all", ["customers", "actual_orders"]].tolist() == [400, 400]
    assert rows.loc["high", "customers"] == (then["repeats"] > 0).sum()


@pytest.mark.parametrize(
    ("then", "days", "note"),
    [
        (customers().head(0), 90, "history_too_short"),
        (customers(), 0, "history_too_short"),  # nothing was held out
        (ONE_TIMERS, 90, None),
        (ONE, 90, None),
    ],
    ids=["nobody", "no_days", "one_timers", "one"],
)
def test_without_a_backtest_its_columns_stand_empty_with_the_reason(then, days, note):
    found = forecast.against_past(then, later_of(then), None, days)
    assert found["note"] == note if note else found["note"]
    assert found["backtest"].empty and "log_score" in found["backtest"]
