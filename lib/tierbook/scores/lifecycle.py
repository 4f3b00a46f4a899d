"""Stage: where a customer stands by its own cadence (新客 · 活跃 · 忠诚 · 流失风险 · 流失)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tierbook import lookup
from tierbook.scores.counted import customers_of, median

STAGES = ("new", "active", "loyal", "at_risk", "lost")
STAGED_BY = ("recency_days", "active_days", "repeats", "own_gap_days", "t_x")
"""The columns of a history that `stage` reads."""
MIN_SILENCE = 30
PRIOR_GAPS = 2
NO_REPEAT_GAP = 90.0
LOYAL_DAYS, LOYAL_SPAN = 4, 365
COMEBACK_DAYS, COMEBACK_RATE, COMEBACK_CUSTOMERS = 180, 0.10, 50


@dataclass(frozen=True)
class Cadence:
    """What the whole population teaches about silence: the rule of the stages.

    new_days: P80 of the days from first to second purchase, the smallest such number of days within which 80 % of
    repeat customers came back; a customer with one purchase day is new up to here.
    typical_gap: the population's median of own median gaps, toward which a customer's own gap is shrunk.
    lost_days: the silence from which on, over whatever stretch, fewer than 10 % came back within 180 days in the
    backtest; null where the history is too short to tell. comeback_rate is the rate of all silent for that long or
    longer, comeback_customers how many they were.
    """

    new_days: float
    typical_gap: float
    lost_days: float | None
    comeback_rate: float | None
    comeback_customers: int


def fit_cadence(history: pd.DataFrame, earlier: pd.DataFrame | None) -> Cadence:
    """Learn the population's cadence.

    ``history``: first_gap_days and own_gap_days at as_of. ``earlier``: recency_days 180 days before (null or empty: no
    backtest), and what `bought_since` reads. A row stands for as many ``customers`` as it says, else for one. Without a
    single repeat customer the typical gap and the new period are 90 days.
    """
    firsts, gaps = history.dropna(subset="first_gap_days"), history.dropna(subset="own_gap_days")
    new_days = typical = NO_REPEAT_GAP
    if len(firsts):
        days, counts = firsts["first_gap_days"].astype(float), customers_of(firsts)
        new_days = float(np.quantile(days, 0.80, weights=counts, method="inverted_cdf"))
    if len(gaps):
        typical = median(gaps["own_gap_days"], customers_of(gaps))
    return Cadence(new_days, typical, *_comeback(history, earlier))


def bought_since(then: pd.DataFrame, later: pd.DataFrame) -> pd.Series:
    """Whether each row of ``then`` has a purchase day more at a later date, on its index.

    By ``since``, the purchase days after it, where ``then`` says them; else by customer_id and active_days of ``later``.
    """
    if "since" in then:
        return then["since"].astype(float) > 0
    days = lookup.of(then["customer_id"], later["customer_id"], later["active_days"]).to_numpy(dtype=float)
    return pd.Series(days > then["active_days"].to_numpy(dtype=float), index=then.index)


def _comeback(history: pd.DataFrame, earlier: pd.DataFrame | None):
    """The shortest silence from which on, over any stretch, fewer than one in ten came back: (days, rate, customers)."""
    if earlier is None or customers_of(earlier).sum() < COMEBACK_CUSTOMERS:
        return None, None, 0
    customers = customers_of(earlier)
    back = np.where(bought_since(earlier, history), customers, 0)
    by_day = (
        pd.DataFrame({"silent": earlier["recency_days"].to_numpy(), "sum": back, "size": customers})
        .groupby("silent")
        .sum()
    )
    # Beyond the last peak of this sum every stretch of silence has a rate under 10 %. A rate of all beyond alone would
    # let the many long gone call customers lost of whom every third came back.
    more_than_a_tenth = (by_day["sum"] - COMEBACK_RATE * by_day["size"]).cumsum().round(9)
    peak = max(more_than_a_tenth.max(), 0.0)
    lively = more_than_a_tenth.index[more_than_a_tenth == peak].max()
    beyond = by_day if np.isnan(lively) else by_day.loc[lively + 1 :]
    if beyond["size"].sum() < COMEBACK_CUSTOMERS:
        return None, None, 0
    return float(beyond.index[0]), float(beyond["sum"].sum() / beyond["size"].sum()), int(beyond["size"].sum())


def own_gap(history: pd.DataFrame, cadence: Cadence) -> pd.Series:
    """A customer's purchase interval in days: its own median gap, shrunk to the population's by two gaps' weight.

    A customer without a repeat has the population's.
    """
    repeats = history["repeats"].astype(float)
    own = history["own_gap_days"].astype(float).fillna(cadence.typical_gap)
    return (own * repeats + cadence.typical_gap * PRIOR_GAPS) / (repeats + PRIOR_GAPS)


def stage(history: pd.DataFrame, cadence: Cadence) -> pd.Series:
    """The stage of each customer, an ordered categorical; the first rule that holds, in this order:

    new: one purchase day, silent no longer than ``new_days``. active: silent no longer than twice the own gap, at least
    30 days; one-timers have the population's gap. loyal: active with 4 or more purchase days over 365 days or more.
    lost: silent for ``lost_days`` or longer. at_risk: the rest.
    """
    silent = history["recency_days"].to_numpy(dtype=float)
    once = history["active_days"].to_numpy() == 1
    new = once & (silent <= cadence.new_days)
    active = silent <= np.maximum(MIN_SILENCE, 2 * own_gap(history, cadence).to_numpy())
    loyal = active & (history["active_days"].to_numpy() >= LOYAL_DAYS) & (history["t_x"].to_numpy() >= LOYAL_SPAN)
    lost = silent >= (np.inf if cadence.lost_days is None else cadence.lost_days)
    codes = np.select(
        [new, loyal, active, lost],
        [STAGES.index(name) for name in ("new", "loyal", "active", "lost")],
        STAGES.index("at_risk"),
    )
    return pd.Series(pd.Categorical.from_codes(codes, STAGES, ordered=True), index=history.index)
