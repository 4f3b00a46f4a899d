"""Value of a month: the forecast of every customer, whether to believe it, how earlier ones fared, and cohorts."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from tierbook.accounting import day_number
from tierbook.insight import cohorts, forecast, forecast_base, forecast_past, tracking
from tierbook.months import months_before

if TYPE_CHECKING:
    from tierbook.workbook import Workbook
    from tierbook.workbook.customers import Customers

MOST_MONTHS = 24
FORECAST = "forecast"
"""The step that holds what is expected of every customer."""


def value(month: Workbook) -> dict[str, Any]:
    """``model`` and ``note`` of the forecast; ``backtest`` with its hold-out and the naive rules beside it. The forecast of
    every customer is kept as the step `FORECAST`."""
    notes = {"min_customers": "too_few_customers", "min_history_days": "history_too_short"}
    note = next((told for gate, told in notes.items() if month.degraded(gate)), None)
    days = forecast.holdout_length(month.first_day, month.end, month.params.value)
    cut = month.as_of - dt.timedelta(days=days)
    if note is None:
        rule, made, tested = _learned(month, cut, days)
    else:
        rule, made, tested = None, forecast.empty(note), forecast.untested("history_too_short")
    made = forecast.believed(made, tested)
    if made["note"]:
        month.keep_by_part(FORECAST, lambda part: forecast.nothing(part.history(columns=["customer_id"]), made["note"]))
    else:
        month.applied_to_history(FORECAST, month.as_of, rule.apply, forecast.KINDS, ["customer_id"])
    result = {**made, "holdout_days": days, "cut": str(cut)}
    return {**result, **{f"backtest_{k}" if k == "note" else k: v for k, v in tested.items()}}


def _learned(month: Workbook, cut: dt.date, days: int) -> tuple[forecast.ValueRule | None, dict, dict]:
    """The rule of the forecast, what is told of it, and its backtest on the days since the cut."""
    history, then = month.distinct_histories(forecast_base.HISTORY), _held_out(month, cut, days)
    choice = forecast.chosen(history, then, days)
    spending = month.distinct_histories(forecast_base.SPENDING)
    learned = forecast.learn(history, spending, month.params.value, month.margin_rate, choice)
    return *learned, forecast.against_past(then, days, choice)


def _held_out(month: Workbook, cut: dt.date, days: int) -> pd.DataFrame:
    """`forecast_base.held_out`, in rising order."""
    then, now, tiers = month.kept_history(cut), month.kept_history(), _kept_tiers(month, cut)
    before = month.kept_history(cut - dt.timedelta(days=days))
    reaches_back = month.tables.cache.rows(before) > 0
    with month.tables.engine() as engine:
        then, now, before, tiers = (month.tables.scan_step(engine, step) for step in (then, now, before, tiers))
        found = engine.collect(forecast_base.held_out(then, now, before if reaches_back else None, tiers))
    return found.sort_values([name for name in found if name != "customers"], ignore_index=True)


def _kept_tiers(month: Workbook, date: dt.date) -> str:
    """The step that holds the tier at a date as the scheme alone gives it: customer_id, tier."""
    step = f"scheme_tiers-{date}"
    month.keep_by_part(step, lambda part: _tiers_of(part, date))
    return step


def _tiers_of(part: Customers, date: dt.date) -> pd.DataFrame:
    scheme = part.whole.tier_scheme
    tier = scheme.apply(part.cells(scheme, date)).astype(object)
    return part.history(date, ["customer_id"]).assign(tier=tier.array)


def fared_since(month: Workbook) -> pd.DataFrame:
    """The forecasts as of three to twelve months ago against what happened since (`insight.forecast_past`)."""
    dates = [months_before(month.as_of, k) for k in forecast_past.MONTHS_BACK]

    def at(date: dt.date) -> pd.DataFrame:
        return month.distinct_histories(["repeats", "t_x", "T", "since"], date, month.as_of)

    return forecast_past.fared_since(at, dates, month.as_of)


def orders_over_time(month: Workbook) -> pd.DataFrame:
    """Repeat purchases added up week by week beside what the model of the hold-out's start expected (`insight.tracking`)."""
    value = month.value()
    cut = dt.date.fromisoformat(value["cut"])
    then = month.distinct_histories(forecast_base.HISTORY, cut)
    model = forecast.fitted_then(value["choice"], then)
    if model is None:
        return pd.DataFrame({"day": [], "actual": [], "expected": []})
    known = month.kept_history(cut)
    with month.tables.engine() as engine:
        people = month.tables.scan_step(engine, known).select("customer_id", "first_day")
        days = engine.scan(month.tables.folder / "days.parquet")
        found = engine.collect(tracking.repeat_days(days, people, month.end))
    return tracking.tracking(then, found, model, day_number(cut), month.end)


def cohort_table(month: Workbook) -> pd.DataFrame:
    """Cohort × channel × month since the first purchase (`insight.cohorts`)."""
    known, numbered, begin = month.kept_history(), month.kept_numbers(), month.first_day
    attributes = month.kept_attributes() if "channel" in month.attribute_names else None
    with month.tables.engine() as engine:
        scan = partial(month.tables.scan_step, engine)
        registered = engine.scan(month.tables.folder / "customers.parquet") if month.has("customers") else None
        people = cohorts.won(scan(known), registered, begin)
        people = cohorts.by_channel(people, None if attributes is None else scan(attributes))
        placed = cohorts.placed(engine.collect(cohorts.counted(people)))
        cells = engine.frame(placed[["first_day", "told", "cell"]])
        people = cohorts.in_cells(people, scan(numbered), cells)
        found = engine.collect(cohorts.cells(engine.scan(month.tables.folder / "days.parquet"), people, month.end))
    return cohorts.table(found, placed, month.as_of, month.params.margin)


def expected_of_newcomers(month: Workbook) -> pd.DataFrame:
    """What the purchase model, fitted on newcomers alone, expects a new customer to bring: month, purchases, money.

    Money is net sales. Empty where the model cannot be estimated.
    """
    newcomers, whole = _newcomer_histories(month), cohorts.pooled(month.cohorts(), [])
    choice = forecast.chosen(newcomers) if len(newcomers) else None
    repeat_days = whole["purchases"].sum() - whole["customers"].iloc[0] if len(whole) else 0
    if choice is None or not repeat_days > 0:
        return pd.DataFrame({"month": [], "purchases": [], "money": []})
    first = whole["first_net"].sum() / whole["customers"].iloc[0]
    each = (whole["net"].sum() - whole["first_net"].sum()) / repeat_days
    return cohorts.expected(choice.model, min(len(whole), MOST_MONTHS + 1), first, each)


def _newcomer_histories(month: Workbook) -> pd.DataFrame:
    """`forecast_base.newcomers`, in rising order; everybody where nobody's registration is known."""
    if not month.has("customers"):
        return month.distinct_histories(forecast_base.HISTORY)
    known, begin = month.kept_history(), month.first_day
    with month.tables.engine() as engine:
        registered = engine.scan(month.tables.folder / "customers.parquet")
        found = forecast_base.newcomers(month.tables.scan_step(engine, known), registered, begin)
        return engine.collect(found).sort_values(forecast_base.HISTORY, ignore_index=True)
