"""The month's customer value: fit, forecast, and the backtest that says whether to believe it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tierbook.accounting import day_date
from tierbook.insight.forecast_verdict import LOSES, judge
from tierbook.params import Value
from tierbook.scores.likelihood import ValueNotEstimable

if TYPE_CHECKING:
    from tierbook.scores.model_choice import Choice

COLUMNS = ["p_alive", "expected_orders", "orders_low", "orders_high", "expected_value", "clv", "clv_low", "clv_high"]
KINDS = {"customer_id": "str", **dict.fromkeys(COLUMNS, "float64"), "value_note": "str"}
KINDS |= {"orders_low": "int64", "orders_high": "int64"}
SMALL = 10
NOTABLE_MISS = 0.20
SHORTEST_HISTORY = 28
BACKTEST = ["slice", "customers", "actual_orders", "predicted_orders", "ratio", "past_rate_ratio", "mae", "log_score"]
BACKTEST += ["past_rate_log_score", "stated_80", "coverage_80"]
NAIVE = ["rule", "predicted_orders", "ratio", "log_score", "mae", "gain", "gain_error", "verdict"]
_RECENCY_BANDS = {"0–30": 30, "31–90": 90, "91–180": 180, "181–365": 365, "366+": np.inf}
_PURCHASE_BANDS = {"1": 1, "2": 2, "3–4": 4, "5–9": 9, "10+": np.inf}


def holdout_length(first_day: int, end: int, rules: Value) -> int:
    """Days held out for the backtest: as asked, or a third of the history, at most a year."""
    return int(rules.holdout_days) if rules.holdout_days != "auto" else min(365, (end - first_day + 1) // 3)


def chosen(history: pd.DataFrame, then: pd.DataFrame | None = None, holdout_days: int = 0) -> Choice | None:
    """BG/NBD or MBG/NBD, fitted and chosen (`scores.model_choice`); null where neither can be estimated.

    Rows are customers, or stand for as many as ``customers`` says. ``then``: the history at the start of the hold-out with
    ``since``, the purchase days within it (`forecast_base.held_out`); without one the likelihood decides.
    """
    from tierbook.scores.model_choice import choose

    try:
        if then is None or then.empty or holdout_days < 1:
            return choose(history)
        return choose(history, then, then["since"], holdout_days)
    except ValueNotEstimable:
        return None


@dataclass(frozen=True)
class ValueRule:
    """Both fitted models and the horizon: all that the forecast of any customer of ``as_of`` takes."""

    purchases: Any
    spend: Any
    rules: Value
    as_of: dt.date
    margin_rate: float | None

    def apply(self, history: pd.DataFrame) -> pd.DataFrame:
        """``KINDS`` of any customers of the history at ``as_of``; with a margin rate money is margin, else net sales."""
        from tierbook.scores.value import lifetime_value

        terms = self.rules.horizon_months, self.rules.yearly_discount, self.as_of
        values = lifetime_value(self.purchases, self.spend, history, *terms)
        money = ["expected_value", "clv", "clv_low", "clv_high"]
        values[money] = values[money] * (1.0 if self.margin_rate is None else self.margin_rate)
        note = pd.Series(None, index=history.index, dtype=object).mask(values["clv"].isna(), "no_spend_to_expect")
        return pd.concat([history[["customer_id"]], values[COLUMNS], note.rename("value_note")], axis=1)


def learn(
    history: pd.DataFrame,
    spending: pd.DataFrame,
    rules: Value,
    margin_rate: float | None,
    choice: Choice | None = None,
) -> tuple[ValueRule | None, dict[str, Any]]:
    """The rule that forecasts every customer of a date, with what is to be told of it (see `estimate`).

    ``history`` and ``spending``: these customers by the columns `forecast_base.HISTORY` and `forecast_base.SPENDING`, rows
    that are customers or stand for as many as ``customers`` says. Where nothing can be estimated there is no rule, and
    ``note`` says why.
    """
    from tierbook.scores.model_choice import choose
    from tierbook.scores.value import GammaGamma, check_independence

    if history["T"].max() < SHORTEST_HISTORY:
        return None, empty("history_too_short")
    try:
        choice = choice or choose(history)
        money = spending["repeats"], spending["mean_spend"], spending.get("customers")
        spend = GammaGamma().fit(*money)
        spend.expected_average_value([0], [np.nan])  # refused here, where the mean is not finite
        as_of = day_date((history["first_day"] + history["T"]).max())
        rule = ValueRule(choice.model, spend, rules, as_of, margin_rate)
    except ValueNotEstimable as refusal:
        return None, empty(refusal.reason_code)
    return rule, {
        "model": _model_table({choice.name: choice.model, "Gamma-Gamma": spend}),
        "choice": choice.table,
        "choice_reason": choice.reason,
        "note": None,
        "independence": check_independence(*money)._asdict(),
    }


def estimate(
    history: pd.DataFrame, rules: Value, margin_rate: float | None, choice: Choice | None = None
) -> dict[str, Any]:
    """Forecast every customer of ``history``, one row each.

    ``history``: of one date, at which every ``T`` ends and from which the months of the horizon run; ``choice``: of the
    purchase model (`chosen`), else made here by likelihood. Returns ``customers`` (customer_id, the columns of the book,
    value_note), ``model`` (clv_model.csv), ``choice`` (both purchase models side by side), ``choice_reason``, and ``note``: a
    code of why nothing was estimated, or null. With a margin rate money is margin, else net sales. Where nobody has
    been known for four weeks there is no week in them that repeats, and nothing is estimated whatever the params allow.
    """
    rule, told = learn(history, history, rules, margin_rate, choice)
    return {**told, "customers": nothing(history, told["note"]) if rule is None else rule.apply(history)}


def nothing(history: pd.DataFrame, note: str) -> pd.DataFrame:
    """The columns of a forecast of each customer, empty, with the reason."""
    return history[["customer_id"]].assign(**dict.fromkeys(COLUMNS, np.nan), value_note=note)


def empty(note: str) -> dict[str, Any]:
    """What is told of a forecast that there is none of, with the reason."""
    model = pd.DataFrame(columns=["model", "parameter", "estimate", "std_error", "log_likelihood", "chosen"])
    choice = pd.DataFrame(columns=["model", "log_likelihood", "holdout_log_score", "holdout_ratio", "chosen"])
    model = model.astype({"estimate": float, "std_error": float})
    return {"model": model, "choice": choice, "choice_reason": None, "note": note}


def _model_table(models: dict[str, Any]) -> pd.DataFrame:
    rows = [
        (name, parameter, value, model.std_errors_[parameter], model.log_likelihood_, True)
        for name, model in models.items()
        for parameter, value in model.params_.items()
    ]
    return pd.DataFrame(rows, columns=["model", "parameter", "estimate", "std_error", "log_likelihood", "chosen"])


def against_past(then: pd.DataFrame, holdout_days: int, choice: Choice | None = None) -> dict[str, Any]:
    """Fit on the history as it stood, forecast the days since, compare with what happened.

    ``then``: `forecast_base.held_out`, or one row per customer; of its columns ``last_period`` (for the rule "same as last
    period") and ``tier`` may be missing. ``choice``: of the purchase model to be tested (`chosen`), else made here by
    likelihood. Returns ``backtest`` (clv_backtest.csv), ``naive`` (the model beside naive rules:
    `scores.value_backtest.beside_rules`), ``pit`` (`pit_histogram`), ``verdict`` and ``verdict_rule`` (`judge`), and ``note``,
    the code of why there is no test; then the frames are empty.
    """
    from tierbook.scores.value_backtest import beside_rules, by_slice, pit_histogram, score_customers

    if then.empty or holdout_days < 1:
        return untested("history_too_short")
    try:
        model = _model_then(then, choice)
    except ValueNotEstimable as refusal:
        return untested(refusal.reason_code)
    scored = score_customers(then, then["since"], holdout_days, model, then.get("last_period"))
    naive = beside_rules(scored)
    tested = {"backtest": by_slice(scored, then.get("tier"))[BACKTEST], "naive": naive}
    return {**tested, "pit": pit_histogram(then, then["since"], holdout_days, model), **judge(naive), "note": None}


def _model_then(then: pd.DataFrame, choice: Choice | None) -> Any:
    from tierbook.scores.model_choice import choose, fitted

    if choice is None:
        return choose(then).model
    return choice.model_then or fitted(type(choice.model), then)


def fitted_then(choice: pd.DataFrame, then: pd.DataFrame) -> Any | None:
    """The chosen purchase model (``choice`` of `estimate`), fitted on the history as it stood; null where it cannot be."""
    from tierbook.scores.model_choice import MODELS, fitted

    named = choice.loc[choice["chosen"].astype(bool), "model"]
    if named.empty or then.empty:
        return None
    try:
        return fitted(MODELS[named.iloc[0]], then)
    except ValueNotEstimable:
        return None


def untested(note: str) -> dict[str, Any]:
    """What is told of a backtest that there is none of, with the reason."""
    columns = {"backtest": BACKTEST, "naive": NAIVE, "pit": ["low", "high", "share"]}
    frames = {name: pd.DataFrame(columns=names) for name, names in columns.items()}
    return {**frames, "verdict": "untested", "verdict_rule": None, "note": note}


def believed(estimated: dict, tested: dict) -> dict:
    """What `learn` tells, or nothing with the note ``loses_to_naive_rule`` where the test was lost to such a rule."""
    if estimated["note"] or tested["verdict"] != LOSES:
        return estimated
    return empty(LOSES)


def worst(slices: pd.DataFrame, most: int = 3) -> pd.DataFrame:
    """Backtest rows off by 20 % or more of what happened, the most orders astray first; ``all`` is left out.

    Adds ``off``, predicted over actual less one. Rows without a ratio (under 10 customers, no orders) cannot be judged.
    """
    rows = slices[slices["slice"] != "all"].assign(off=slices["ratio"] - 1)
    # 1.2 less 1 is a hair under 0.2 in floating point
    rows = rows[rows["off"].abs().round(9) >= NOTABLE_MISS]
    astray = (rows["predicted_orders"] - rows["actual_orders"]).abs()
    return rows.loc[astray.sort_values(ascending=False, kind="stable").index].head(most)


def calibration(backtest: pd.DataFrame) -> pd.DataFrame:
    """Orders per customer in the hold-out by earlier repeats: slice, customers, actual, predicted, past_rate.

    past_rate is what carrying on each customer's past rate would have given. Null on fewer than 10 customers.
    """
    bands = backtest[backtest["slice"].astype(str).str.startswith("frequency_")]
    customers = bands["customers"].where(bands["customers"] >= SMALL).astype(float)
    past = bands["past_rate_ratio"].astype(float) * bands["actual_orders"]
    columns = {"actual": bands["actual_orders"], "predicted": bands["predicted_orders"], "past_rate": past}
    rates = {name: orders.astype(float) / customers for name, orders in columns.items()}
    return pd.DataFrame({"slice": bands["slice"], "customers": bands["customers"], **rates}).reset_index(drop=True)


def by_tier(book: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """Expected value by tier: tier, customers, mean_clv, total_clv, clv_share; tiers of ``order`` without value left out.

    customers counts those with a value; clv_share is of the sum over all tiers, null where that is not above zero.
    """
    valued = book[book["clv"].notna()]
    table = valued.groupby("tier")["clv"].agg(customers="size", mean_clv="mean", total_clv="sum")
    table = table.reindex([tier for tier in order if tier in table.index])
    total = table["total_clv"].sum()
    table["clv_share"] = table["total_clv"] / (total if total > 0 else np.nan)
    return table.rename_axis("tier").reset_index()


def top_share(amounts: pd.Series, customers: int = 10) -> float:
    """Share of the sum held by the largest ``customers`` amounts; null where the sum is not above zero."""
    total = amounts.sum()
    return float(amounts.nlargest(customers).sum() / total) if total > 0 else float("nan")


def by_recency_frequency(history: pd.DataFrame, expected_orders: pd.Series) -> pd.DataFrame:
    """Mean expected orders, days since the last order (rows) by purchase days (columns); null under 10 customers."""
    silent = pd.cut(history["recency_days"].astype(float), [-1, *_RECENCY_BANDS.values()], labels=list(_RECENCY_BANDS))
    bought = pd.cut(history["active_days"].astype(float), [0, *_PURCHASE_BANDS.values()], labels=list(_PURCHASE_BANDS))
    cells = expected_orders.groupby([silent.to_numpy(), bought.to_numpy()], observed=False).agg(["mean", "count"])
    grid = cells["mean"].where(cells["count"] >= SMALL).unstack()
    return grid.reindex(index=list(_RECENCY_BANDS), columns=list(_PURCHASE_BANDS))


def totals(book: pd.DataFrame) -> dict[str, float]:
    """What a forecast's headline says: orders and money (total) expected, customers valued (n), the ten largest's share."""
    clv = book["clv"]
    return {
        "orders": float(book["expected_orders"].sum()),
        "total": float(clv.sum()),
        "n": int(clv.notna().sum()),
        "top": top_share(clv),
    }
