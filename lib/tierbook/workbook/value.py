"""Value of a month: the forecast of every customer, whether to believe it, how earlier ones fared, and cohorts."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pandas as pd

from tierbook import lookup
from tierbook.accounting import day_number
from tierbook.insight import cohorts, forecast, forecast_past, tracking
from tierbook.months import months_before

if TYPE_CHECKING:
    from tierbook.workbook import Workbook

MOST_MONTHS = 24
FORECAST = "forecast"
"""The step that holds what is expected of every customer."""


def value(month: Workbook) -> dict[str, Any]:
    """``model`` and ``note`` of the forecast; ``backtest`` with its hold-out and the naive rules beside it. The forecast of
    every customer is kept as the step `FORECAST`."""
    found, rules = month.history(columns=forecast.LEARNED_FROM), month.params.value
    notes = {"min_customers": "too_few_customers", "min_history_days": "history_too_short"}
    note = next((told for gate, told in notes.items() if month.degraded(gate)), None)
    days = forecast.holdout_length(month.first_day, month.end, rules)
    cut = month.as_of - dt.timedelta(days=days)
    then = month.history(cut, forecast.LEARNED_FROM)
    then = then if note is None else then.head(0)
    choice = None if note else forecast.chosen(found, then, days)
    rule, made = None, forecast.empty(note)
    if note is None:
        rule, made = forecast.learn(found, rules, month.margin_rate, choice)
    before = month.history(cut - dt.timedelta(days=days), ["customer_id", "active_days"])
    tested = forecast.against_past(then, found, _tiers_of(month, cut), days, before, choice)
    made = forecast.believed(made, tested)
    if made["note"]:
        month.keep_by_part(FORECAST, lambda part: forecast.nothing(part.history(columns=["customer_id"]), made["note"]))
    else:
        month.applied_to_history(FORECAST, month.as_of, rule.apply, forecast.KINDS, ["customer_id"])
    result = {**made, "holdout_days": days, "cut": str(cut)}
    return {**result, **{f"backtest_{k}" if k == "note" else k: v for k, v in tested.items()}}


def _tiers_of(month: Workbook, date: dt.date) -> pd.Series:
    tier = month.tier_scheme.apply(month.cells(month.tier_scheme, date)).astype(object)
    return tier.set_axis(month.history(date, ["customer_id"])["customer_id"])


def fared_since(month: Workbook) -> pd.DataFrame:
    """The forecasts as of three to twelve months ago against what happened since (`insight.forecast_past`)."""
    dates = [months_before(month.as_of, k) for k in forecast_past.MONTHS_BACK]
    now = month.history(columns=["customer_id", "active_days"])

    def at(date: dt.date) -> pd.DataFrame:
        return month.history(date, ["customer_id", "active_days", "repeats", "t_x", "T"])

    return forecast_past.fared_since(at, dates, now, month.as_of)


def orders_over_time(month: Workbook) -> pd.DataFrame:
    """Repeat purchases added up week by week beside what the model of the hold-out's start expected (`insight.tracking`)."""
    value = month.value()
    cut = dt.date.fromisoformat(value["cut"])
    then = month.history(cut, ["first_day", "repeats", "t_x", "T"])
    model = forecast.fitted_then(value["choice"], then)
    if model is None:
        return pd.DataFrame({"day": [], "actual": [], "expected": []})
    known = month.kept_history(cut)
    with month.tables.engine() as engine:
        people = month.tables.scan_step(engine, known).select("customer_id", "first_day")
        days = engine.scan(month.tables.folder / "days.parquet")
        found = engine.collect(tracking.repeat_days(days, people, month.end))
    return tracking.tracking(then["first_day"], found, model, day_number(cut), month.end)


def cohort_table(month: Workbook) -> pd.DataFrame:
    """Cohort × channel × month since the first purchase (`insight.cohorts`)."""
    people = _newcomers(month, by_channel=True)
    asked = people[["customer_id", "first_day", "customer", "cell"]]
    found = month.tables.collect(lambda engine, days: cohorts.cells(days, engine.frame(asked), month.end), "days")
    return cohorts.table(found, people, month.as_of, month.params.margin)


def _newcomers(month: Workbook, by_channel: bool = False) -> pd.DataFrame:
    """Who was won when (`cohorts.acquired`); who had registered before the orders begin is none."""
    customers = month.table("customers")
    joined = None if customers is None else customers.set_index("customer_id")["joined_at"]
    channel = month.attribute("channel") if by_channel and "channel" in month.attribute_names else None
    return cohorts.acquired(month.history(columns=["customer_id", "first_day"]), joined, channel)


def expected_of_newcomers(month: Workbook) -> pd.DataFrame:
    """What the purchase model, fitted on newcomers alone, expects a new customer to bring: month, purchases, money.

    Money is net sales. Empty where the model cannot be estimated.
    """
    everybody = month.history(columns=["customer_id", "repeats", "t_x", "T"])
    newcomers = everybody[lookup.places(everybody["customer_id"], _newcomers(month)["customer_id"]) >= 0]
    whole = cohorts.pooled(month.cohorts(), [])
    choice = forecast.chosen(newcomers) if len(newcomers) else None
    repeat_days = whole["purchases"].sum() - whole["customers"].iloc[0] if len(whole) else 0
    if choice is None or not repeat_days > 0:
        return pd.DataFrame({"month": [], "purchases": [], "money": []})
    first = whole["first_net"].sum() / whole["customers"].iloc[0]
    each = (whole["net"].sum() - whole["first_net"].sum()) / repeat_days
    return cohorts.expected(choice.model, min(len(whole), MOST_MONTHS + 1), first, each)
