"""Stage: where a customer stands by its own cadence (新客 · 活跃 · 忠诚 · 流失风险 · 流失)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

STAGES = ("new", "active", "loyal", "at_risk", "lost")
MIN_SILENCE = 30
PRIOR_GAPS = 2
LOYAL_DAYS, LOYAL_SPAN = 4, 365
COMEBACK_DAYS, COMEBACK_RATE, COMEBACK_CUSTOMERS = 180, 0.10, 50


@dataclass(frozen=True)
class Cadence:
    """What the whole population teaches about silence: the rule of the stages.

    new_days: P80 of the days from first to second purchase; a customer with one purchase day is new up to here.
    typical_gap: the population's median of own median gaps, toward which a customer's own gap is shrunk.
    lost_days: the silence from which on fewer than 10 % came back within 180 days in the backtest, null where the
    history is too short to tell; comeback_rate is the rate found there, comeback_customers on how many it stands.
    """

    new_days: float
    typical_gap: float
    lost_days: float | None
    comeback_rate: float | None
    comeback_customers: int


def fit_cadence(history: pd.DataFrame, earlier: pd.DataFrame | None) -> Cadence:
    """Learn the population's cadence.

    ``history``: one row per customer at as_of. ``earlier``: the same 180 days before (null or empty: no backtest).
    Without a single repeat customer the typical gap and the new period are 90 days.
    """
    firsts = history["first_gap_days"].dropna().astype(float)
    gaps = history["own_gap_days"].dropna().astype(float)
    new_days = float(firsts.quantile(0.80, interpolation="higher")) if len(firsts) else 90.0
    typical = float(gaps.median()) if len(gaps) else 90.0
    lost, rate, customers = _comeback(history, earlier)
    return Cadence(max(new_days, MIN_SILENCE), typical, lost, rate, customers)


def _comeback(history: pd.DataFrame, earlier: pd.DataFrame | None):
    """The shortest silence at which, and beyond, fewer than one in ten came back: (days, rate, customers)."""
    if earlier is None or len(earlier) < COMEBACK_CUSTOMERS:
        return None, None, 0
    orders_now = history.set_index("customer_id")["active_days"].reindex(earlier["customer_id"]).to_numpy(dtype=float)
    back = orders_now > earlier["active_days"].to_numpy(dtype=float)
    by_day = (
        pd.DataFrame({"silent": earlier["recency_days"].to_numpy(), "back": back})
        .groupby("silent")["back"]
        .agg(["sum", "size"])
    )
    beyond = by_day[::-1].cumsum()[::-1]
    rates = beyond["sum"] / beyond["size"]
    # "Beyond" must hold for every longer silence too, or one lucky day would end the search early.
    quiet = (rates < COMEBACK_RATE) & (beyond["size"] >= COMEBACK_CUSTOMERS)
    if not quiet.any():
        return None, None, 0
    day = quiet[quiet].index[0]
    return float(day), float(rates[day]), int(beyond.loc[day, "size"])


def own_gap(history: pd.DataFrame, cadence: Cadence) -> pd.Series:
    """A customer's purchase interval in days: its own median gap, shrunk to the population's by two gaps' weight.

    A customer without a repeat has the population's.
    """
    repeats = history["repeats"].astype(float)
    own = history["own_gap_days"].astype(float).fillna(cadence.typical_gap)
    return (own * repeats + cadence.typical_gap * PRIOR_GAPS) / (repeats + PRIOR_GAPS)


def stage(history: pd.DataFrame, cadence: Cadence) -> pd.Series:
    """The stage of each customer, an ordered categorical; the first rule that holds, in this order:

    new: one purchase day, silent no longer than ``new_days``. active: silent no longer than twice the own gap (at least
    30 days; one-timers have none, and are at risk once no longer new). loyal: active with 4 or more purchase days over
    365 days or more. lost: silent for ``lost_days`` or longer. at_risk: the rest.
    """
    silent = history["recency_days"].to_numpy(dtype=float)
    once = history["active_days"].to_numpy() == 1
    limit = np.maximum(MIN_SILENCE, 2 * own_gap(history, cadence).to_numpy())
    new = once & (silent <= cadence.new_days)
    active = ~once & (silent <= limit)
    loyal = active & (history["active_days"].to_numpy() >= LOYAL_DAYS) & (history["t_x"].to_numpy() >= LOYAL_SPAN)
    lost = silent >= (np.inf if cadence.lost_days is None else cadence.lost_days)
    names = np.select([new, loyal, active, lost], ["new", "loyal", "active", "lost"], "at_risk")
    return pd.Series(pd.Categorical(names, STAGES, ordered=True), index=history.index)
