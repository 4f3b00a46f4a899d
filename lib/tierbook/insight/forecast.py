"""The month's customer value: fit, forecast, and the backtest that says whether to believe it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.params import Value
from tierbook.scores.likelihood import ValueNotEstimable

COLUMNS = ["p_alive", "expected_orders", "orders_low", "orders_high", "expected_value", "clv", "clv_low", "clv_high"]
SMALL = 10
NOTABLE_MISS = 0.20
_RECENCY_BANDS = {"0–30": 30, "31–90": 90, "91–180": 180, "181–365": 365, "366+": np.inf}
_PURCHASE_BANDS = {"1": 1, "2": 2, "3–4": 4, "5–9": 9, "10+": np.inf}


def holdout_length(first_day: int, end: int, rules: Value) -> int:
    """Days held out for the backtest: as asked, or a third of the history, at most a year."""
    return int(rules.holdout_days) if rules.holdout_days != "auto" else min(365, (end - first_day + 1) // 3)


def estimate(history: pd.DataFrame, rules: Value, margin_rate: float | None) -> dict:
    """Forecast every customer of ``history``.

    Returns ``customers`` (customer_id, the columns of the book, value_note), ``model`` (clv_model.csv) and ``note``: a
    code of why nothing was estimated, or null. With a margin rate money is margin, else net sales.
    """
    from tierbook.scores.value import BetaGeoNBD, GammaGamma, check_independence, lifetime_value

    customers = history[["customer_id"]].copy()
    try:
        purchases = BetaGeoNBD().fit(history["repeats"], history["t_x"], history["T"])
        spend = GammaGamma().fit(history["repeats"], history["mean_spend"])
        values = lifetime_value(purchases, spend, history, rules.horizon_months, rules.yearly_discount)
    except ValueNotEstimable as refusal:
        return empty(history, refusal.reason_code)
    money = ["expected_value", "clv", "clv_low", "clv_high"]
    values[money] = values[money] * (1.0 if margin_rate is None else margin_rate)
    independence = check_independence(history["repeats"], history["mean_spend"])
    customers[COLUMNS] = values[COLUMNS]
    customers["value_note"] = pd.Series(None, index=customers.index, dtype=object).mask(
        customers["clv"].isna().to_numpy(), "no_spend_to_expect"
    )
    return {
        "customers": customers,
        "model": _model_table(purchases, spend),
        "note": None,
        "independence": independence._asdict(),
    }


def empty(history: pd.DataFrame, note: str) -> dict:
    """The columns of a forecast, empty, with the reason."""
    customers = history[["customer_id"]].assign(**dict.fromkeys(COLUMNS, np.nan), value_note=note)
    model = pd.DataFrame(columns=["model", "parameter", "estimate", "std_error", "log_likelihood", "chosen"])
    return {"customers": customers, "model": model.astype({"estimate": float, "std_error": float}), "note": note}


def _model_table(*models) -> pd.DataFrame:
    names = {"BetaGeoNBD": "BG/NBD", "GammaGamma": "Gamma-Gamma"}
    rows = [
        (names[type(m).__name__], p, v, m.std_errors_[p], m.log_likelihood_, True)
        for m in models
        for p, v in m.params_.items()
    ]
    return pd.DataFrame(rows, columns=["model", "parameter", "estimate", "std_error", "log_likelihood", "chosen"])


def against_past(then: pd.DataFrame, now: pd.DataFrame, tiers: pd.Series | None, holdout_days: int) -> dict:
    """Fit on the history as it stood, forecast the days since, compare with what happened.

    ``then`` and ``now``: histories at the start and the end of the hold-out. Returns ``backtest`` (clv_backtest.csv) and
    ``note``, the code of why there is none.
    """
    from tierbook.scores.value import BetaGeoNBD, backtest

    columns = [
        "slice",
        "customers",
        "actual_orders",
        "predicted_orders",
        "ratio",
        "past_rate_ratio",
        "mae",
        "log_score",
    ]
    columns += ["past_rate_log_score", "stated_80", "coverage_80"]
    if then.empty or holdout_days < 1:
        return {"backtest": pd.DataFrame(columns=columns), "note": "history_too_short"}
    try:
        model = BetaGeoNBD().fit(then["repeats"], then["t_x"], then["T"])
    except ValueNotEstimable as refusal:
        return {"backtest": pd.DataFrame(columns=columns), "note": refusal.reason_code}
    then = then.set_index("customer_id")
    days_now = now.set_index("customer_id")["active_days"].reindex(then.index)
    table = backtest(then[["repeats", "t_x", "T"]], days_now - then["active_days"], holdout_days, model, tiers)
    return {"backtest": table[columns], "note": None}


def worse_than_past(everyone: pd.Series) -> bool:
    """Whether the forecast lost to each customer's past rate on the hold-out, in log score or in the total.

    ``everyone``: the backtest's row of the slice ``all``. A null measure decides nothing.
    """
    lost_score = everyone["log_score"] < everyone["past_rate_log_score"]
    lost_total = abs(everyone["ratio"] - 1) > abs(everyone["past_rate_ratio"] - 1)
    return bool(lost_score or lost_total)


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
