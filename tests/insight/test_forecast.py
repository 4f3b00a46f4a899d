"""Forecast: what is estimated, what is refused with a reason, the hold-out, and what its verdict does."""

import datetime as dt
import warnings

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import forecast, forecast_base
from tierbook.params import Value

RULES = Value(horizon_months=12, yearly_discount=0.10)
END = 20_757  # 31 October 2026


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
         "mean_spend": spend, "active_days": repeats.astype("int64") + 1, "first_day": END - T}
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
    chosen = found["choice"].set_index("model")["chosen"]
    assert chosen.sum() == 1 and found["choice_reason"] == "likelihood_decides"  # no hold-out was given
    assert found["model"].groupby("model").size().to_dict() == {chosen.idxmax(): 4, "Gamma-Gamma": 3}
    assert list(found["model"]) == ["model", "parameter", "estimate", "std_error", "log_likelihood", "chosen"]


def test_row_order_changes_no_forecast():
    known = customers(200)
    shuffled = forecast.estimate(known.sample(frac=1, random_state=1), RULES, None)["customers"].sort_index()
    pd.testing.assert_frame_equal(shuffled, forecast.estimate(known, RULES, None)["customers"])


@pytest.mark.parametrize(("end", "days"), [("2026-10-31", 365), ("2023-10-31", 366)])
def test_the_horizon_is_twelve_calendar_months_from_the_date_of_the_history(end, days):
    known = customers(200)
    number = (dt.date.fromisoformat(end) - dt.date(1970, 1, 1)).days
    found = forecast.estimate(known.assign(first_day=number - known["T"]), RULES, None)
    expected = forecast.chosen(known).model.expected_purchases(days, known["repeats"], known["t_x"], known["T"])
    np.testing.assert_allclose(found["customers"]["expected_orders"], expected)


# ---- bad input: a reason, never a silent null or a warning ----

ONE = customers(1).assign(repeats=0, t_x=0, active_days=1, mean_spend=np.nan)
ONE_TIMERS = customers(300).assign(repeats=0, t_x=0, active_days=1, mean_spend=np.nan)
ALIKE = customers(400).assign(repeats=1, t_x=100.0, T=200, active_days=2, mean_spend=50.0)


def fortnight(longest):
    """A shop known for so many days: one purchase, or a second one on the last day."""
    T = np.arange(400) % longest + 1
    repeats = np.where(np.arange(400) % 3 == 0, 1, 0)
    known = customers(400).assign(T=T, first_day=END - T, repeats=repeats, t_x=np.where(repeats, T, 0))
    return known.assign(mean_spend=np.where(repeats, 10.0 + np.arange(400) % 7, np.nan), active_days=repeats + 1)


def daily():
    known = customers(400)
    return known.assign(repeats=known["T"], t_x=known["T"], mean_spend=10.0 + np.arange(400) % 7)


@pytest.mark.parametrize(
    ("known", "note"),
    [
        (ONE, "no_repeat_customers"),
        (ONE_TIMERS, "no_repeat_customers"),
        (customers(5), "too_few_repeat_customers"),
        (customers().head(0), "no_repeat_customers"),
        (fortnight(7), "history_too_short"),
        (fortnight(27), "history_too_short"),
        (ALIKE, "histories_all_alike"),
        (daily(), "parameters_at_boundary"),  # everybody, every day: no spread in the rates
        (customers().assign(mean_spend=50.0), "spend_all_alike"),
        (customers().assign(mean_spend=0.0), "too_few_spending_customers"),
        (customers().assign(mean_spend=-50.0), "too_few_spending_customers"),
    ],
    ids=[
        "one", "one_timers", "five", "nobody", "a_week", "four_weeks_less_a_day", "alike", "daily", "one_price", "free",
        "all_refunded",
    ],
)  # fmt: skip
def test_who_cannot_be_estimated_has_empty_columns_and_a_reason(known, note):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = forecast.estimate(known, RULES, None)
    assert found["note"] == note and found["customers"]["value_note"].eq(note).all()
    assert found["customers"][forecast.COLUMNS].isna().all(axis=None) and len(found["customers"]) == len(known)
    assert found["model"].empty


def test_a_shop_known_for_four_weeks_is_not_refused_for_that():
    assert forecast.estimate(fortnight(28), RULES, None)["note"] != "history_too_short"


def with_order_of(money):
    known = customers()
    return known.assign(mean_spend=known["mean_spend"].mask(known.index == known["repeats"].idxmax(), money))


def test_one_enormous_order_gives_a_number_and_shows_in_the_share_of_the_largest():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = forecast.estimate(with_order_of(1e5), RULES, None)
    clv = found["customers"]["clv"]
    assert found["note"] is None and clv.notna().all()
    assert forecast.top_share(clv, 1) > 0.5 > forecast.top_share(customers_clv(), 1)


def customers_clv():
    return forecast.estimate(customers(), RULES, None)["customers"]["clv"]


def test_an_order_beyond_all_measure_is_refused_with_a_reason():
    found = forecast.estimate(with_order_of(1e12), RULES, None)
    assert found["note"] == "spend_at_boundary" and found["customers"]["clv"].isna().all()


@pytest.mark.parametrize("money", [-3.0, 0.0])
def test_a_customer_whose_repeats_brought_nothing_keeps_orders_and_says_why_money_is_empty(money):
    known = customers()
    refunded = known["repeats"] == 2
    found = forecast.estimate(known.assign(mean_spend=known["mean_spend"].mask(refunded, money)), RULES, None)
    told = found["customers"]
    assert told.loc[refunded, "value_note"].eq("no_spend_to_expect").all() and refunded.any()
    assert told.loc[refunded, ["expected_value", "clv", "clv_low", "clv_high"]].isna().all(axis=None)
    assert told.loc[refunded, ["p_alive", "expected_orders"]].notna().all(axis=None)
    assert told.loc[~refunded, forecast.COLUMNS].notna().all(axis=None)


@pytest.mark.parametrize("unit", [1e-6, 100])
def test_the_unit_of_money_moves_no_value(unit):
    known = customers()
    plain, other = (
        forecast.estimate(frame, RULES, None)["customers"]
        for frame in (known, known.assign(mean_spend=known["mean_spend"] * unit))
    )
    np.testing.assert_allclose(other["clv"] / unit, plain["clv"], rtol=1e-6)
    np.testing.assert_allclose(other["expected_orders"], plain["expected_orders"], rtol=1e-6)


# ---- the hold-out ----


def later_of(then, orders=1):
    return then.assign(active_days=then["active_days"] + orders, repeats=then["repeats"] + orders)


def test_the_backtest_counts_the_purchase_days_since():
    then = customers().assign(since=1)
    then["tier"] = np.where(then["repeats"] > 0, "high", "low")
    found = forecast.against_past(then, 90)
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
    found = forecast.against_past(then.assign(since=1), days)
    assert found["note"] == note if note else found["note"]
    assert found["backtest"].empty and "log_score" in found["backtest"]
    assert found["naive"].empty and found["pit"].empty and found["verdict"] == "untested"


def test_the_last_period_is_a_rule_where_it_is_known():
    then = customers().assign(since=1)
    found = forecast.against_past(then.assign(last_period=np.where(then.index < 300, 1, 2)), 90)
    naive = found["naive"].set_index("rule")
    assert naive.loc["last_period", "predicted_orders"] == 300 + 2 * 100
    assert found["pit"]["share"].sum() == pytest.approx(1)
    without = forecast.against_past(then, 90)["naive"]
    assert without["rule"].tolist() == ["model", "past_rate", "nothing"]


def test_counted_rows_are_learned_from_and_tested_as_the_customers_they_stand_for():
    """Times in fortnights and money in whole numbers, so that many are alike."""
    shop = customers(400).assign(T=lambda c: c["T"] // 14 * 14 + 14, t_x=lambda c: np.ceil(c["t_x"] / 14) * 14)
    shop = shop.assign(first_day=END - shop["T"], since=shop["repeats"] // 2, last_period=shop["repeats"] // 3)
    shop["mean_spend"] = shop["mean_spend"].round().clip(lower=1)
    shop["tier"] = np.where(shop["repeats"] > 1, "high", "low")
    columns = forecast_base.HISTORY, forecast_base.SPENDING, forecast_base.HELD_OUT
    history, spending, then = (counted(shop, names) for names in columns)
    assert max(len(history), len(spending), len(then)) < 0.9 * len(shop)
    choices = forecast.chosen(history, then, 90), forecast.chosen(shop, shop, 90)
    assert choices[0].name == choices[1].name and choices[0].reason == choices[1].reason
    (rule, told), (_, plain) = (
        forecast.learn(*frames, RULES, 0.3, choice)
        for frames, choice in zip(((history, spending), (shop, shop)), choices, strict=True)
    )
    assert rule.as_of == dt.date(2026, 10, 31) and rule.purchases.n_customers_ == len(shop)
    for name in ("model", "choice"):
        pd.testing.assert_frame_equal(told[name], plain[name], rtol=1e-9)
    assert told["independence"] == pytest.approx(plain["independence"], rel=1e-9)
    tested, by_customer = (forecast.against_past(frame, 90, choices[0]) for frame in (then, shop))
    assert tested["backtest"].set_index("slice").loc["high", "customers"] == (shop["repeats"] > 1).sum()
    for name in ("backtest", "naive", "pit"):
        pd.testing.assert_frame_equal(tested[name], by_customer[name], rtol=1e-9)
    again = forecast.fitted_then(told["choice"], history)
    assert again.params_ == pytest.approx(choices[0].model.params_, rel=1e-9)


def counted(shop, columns):
    return shop.groupby(columns, dropna=False).size().rename("customers").reset_index()


def naive(**rules):
    """Rules with their ratio, gain and verdict; the model stands first."""
    rows = [
        {"rule": rule, "ratio": ratio, "gain": gain, "verdict": verdict}
        for rule, (ratio, gain, verdict) in rules.items()
    ]
    return pd.DataFrame(rows)


MODEL = (1.10, np.nan, None)


@pytest.mark.parametrize(
    ("rules", "verdict", "rule"),
    [
        ({"past_rate": (1.5, 0.2, "better"), "nothing": (0.0, np.nan, None)}, "better", None),
        ({"past_rate": (1.11, 0.2, "better"), "last_period": (1.09, 0.1, "better")}, "loses_total", "last_period"),
        ({"past_rate": (1.10, 0.2, "better")}, "better", None),  # as far off is not farther
        ({"past_rate": (1.5, 0.0, "level"), "last_period": (1.5, 0.1, "better")}, "level_with_naive_rule", "past_rate"),
        ({"past_rate": (1.5, -0.1, "worse"), "last_period": (1.5, 0.1, "better")}, "loses_to_naive_rule", "past_rate"),
        ({"past_rate": (1.5, 0.0, "level"), "last_period": (1.5, -0.1, "worse")}, "loses_to_naive_rule", "last_period"),
        ({"past_rate": (np.nan, np.nan, None), "nothing": (np.nan, np.nan, None)}, "untested", None),
    ],
)
def test_the_verdict(rules, verdict, rule):
    assert forecast.judge(naive(model=MODEL, **rules)) == {"verdict": verdict, "verdict_rule": rule}


@pytest.mark.parametrize("verdict", ["better", "loses_total", "level_with_naive_rule", "untested"])
def test_only_a_lost_score_withholds_the_columns(verdict):
    estimated = forecast.estimate(customers(), RULES, None)
    assert forecast.believed(estimated, {"verdict": verdict}) is estimated


def test_a_withheld_forecast_is_empty_and_says_why():
    estimated = forecast.estimate(customers(), RULES, None)
    held = forecast.believed(estimated, {"verdict": "loses_to_naive_rule"})
    told = forecast.nothing(customers(), held["note"])
    assert held["note"] == "loses_to_naive_rule" and told["value_note"].eq(held["note"]).all()
    assert told[forecast.COLUMNS].isna().all(axis=None) and "customers" not in held, "no customer keeps an estimate"
    assert list(told) == list(estimated["customers"]) == list(forecast.KINDS) and held["model"].empty
    assert told["customer_id"].tolist() == customers()["customer_id"].tolist()
    refused = forecast.empty("fit_diverged")
    assert forecast.believed(refused, {"verdict": "loses_to_naive_rule"})["note"] == "fit_diverged"


def test_a_forecast_that_a_naive_rule_beats_clearly_is_withheld():
    """Every second customer of five purchase days or more is in a club that bought four times in the last period and buys four
    times now; nobody else buys in either. The model sees no difference between members and the others; the rule does."""
    then = customers()
    frequent = then.index[then["active_days"] >= 5]
    club = then.index.isin(frequent[::2])
    assert club.sum() >= 20
    bought = np.where(club, 4, 0)
    found = forecast.against_past(then.assign(since=bought, last_period=bought), 90)
    assert (found["verdict"], found["verdict_rule"]) == ("loses_to_naive_rule", "last_period")
    estimated = forecast.estimate(then, RULES, None)
    assert estimated["note"] is None and forecast.believed(estimated, found)["note"] == "loses_to_naive_rule"


def test_estimate_and_test_stand_on_one_choice_of_model():
    """Where likelihood and hold-out were both asked, their choice is used for the values and for the backtest."""
    then = customers(600).assign(since=1)
    now = later_of(then).assign(T=then["T"] + 90, t_x=then["T"] + 45)
    choice = forecast.chosen(now, then, 90)
    table = choice.table.set_index("model")
    assert table["holdout_log_score"].notna().all()
    tested = forecast.against_past(then, 90, choice)
    score = tested["backtest"].set_index("slice").loc["all", "log_score"]
    assert score == pytest.approx(table.loc[choice.name, "holdout_log_score"])
    assert forecast.estimate(now, RULES, None, choice)["model"]["model"].iloc[0] == choice.name
    assert forecast.chosen(ONE_TIMERS) is None
