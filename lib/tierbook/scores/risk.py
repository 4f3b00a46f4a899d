"""Risk: the probability that a regular customer stays silent for half a year, learned on the shop's own past.

The method was chosen before the test dates of the reference were looked at, on dates whose half-year ends before them
(Online Retail II 2010-12-09, CDNOW 1997-07-02) and on four dates of the demo. Tried there: single figures of BG/NBD,
recency, and logistic regressions on one to four of: forecast, expected orders, silence, silence over own gap, own gap,
purchase days, money; ridge 0.5 to 30; weights free or held at or above zero. Mean AUC on the two real shops was 0.704 for
the forecast alone, 0.713 to 0.718 for it or the expected orders with purchase days and silence over own gap, whatever the
ridge up to 4, and at best 0.722, where the weight of silence came out negative. On the demo the forecast alone was as
good (0.833 against 0.832). Taken: forecast, purchase days, silence over own gap, the ordinary ridge of 1, no weight below
zero, so that longer silence, slower buying and fewer days never lower the risk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
import yaml

from tierbook.scores import lifecycle
from tierbook.scores.counted import customers_of

HORIZON_DAYS = 182
"""Half a year: the silence that is foreseen, and the distance from one cut to the next."""
MIN_DAYS = 3
BUDGET = 0.20
MIN_CANDIDATES, MIN_OF_EACH = 200, 50
FEATURES = ("forecast", "few_days", "silence")
FORECAST_ALONE = {"intercept": 0.0, "forecast": 1.0, "few_days": 0.0, "silence": 0.0}


@dataclass(frozen=True)
class RiskRule:
    """The learned rule, plain numbers, readable as YAML.

    risk = 1 / (1 + exp(-(intercept + the weighted sum of three features))): ``forecast``, the log odds of no purchase
    within 182 days by BG/NBD (``purchases``: r, alpha in days, a, b; Fader, Hardie, Lee 2005, Marketing Science 24);
    ``few_days``, minus the log of the purchase days in the window; ``silence``, log(1 + days silent / own gap), the own
    gap by ``cadence``. ``threshold``: the risk from which on a customer is warned of. ``source``: ``past_cuts``, the
    weights come from ``customers`` at ``cuts`` earlier dates, of whom ``silent`` stayed silent; or ``forecast_alone``,
    there was no past to learn from and the risk is the BG/NBD probability itself.
    """

    purchases: dict[str, float]
    cadence: lifecycle.Cadence
    weights: dict[str, float]
    threshold: float | None
    source: str
    cuts: int
    customers: int
    silent: int

    def apply(self, history: pd.DataFrame) -> pd.Series:
        """P(no purchase day in the next 182 days) of any rows of a history; null for who is no candidate."""
        from scipy.special import expit

        rows = is_candidate(history)
        log_odds = self.weights["intercept"] + sum(
            values * self.weights[name] for name, values in self._features(history[rows]).items()
        )
        # The last binary digits depend on where in a chunk a row stands; twelve do not.
        return pd.Series(np.round(expit(log_odds), 12), index=history.index[rows]).reindex(history.index)

    def _features(self, candidates: pd.DataFrame) -> dict[str, np.ndarray]:
        silent = candidates["recency_days"].to_numpy(dtype=float)
        gap = lifecycle.own_gap(candidates, self.cadence).to_numpy(dtype=float)
        return {
            "forecast": self._log_odds_silent(candidates),
            "few_days": -np.log(candidates["window_active_days"].to_numpy(dtype=float)),
            "silence": np.log1p(silent / gap),
        }

    def _log_odds_silent(self, candidates: pd.DataFrame) -> np.ndarray:
        """Log odds of no purchase within the horizon: dropped out already, or alive and not one arrival."""
        from scipy.special import log_expit

        from tierbook.scores.bgnbd import log_odds_dropped

        x, t_x, T = (candidates[column].to_numpy(dtype=float) for column in ("repeats", "t_x", "T"))
        odds = log_odds_dropped(tuple(self.purchases.values()), x, t_x, T)
        log_none = -(self.purchases["r"] + x) * np.log1p(HORIZON_DAYS / (self.purchases["alpha"] + T))
        silent = np.logaddexp(log_expit(odds), log_expit(-odds) + log_none)
        return silent - log_expit(-odds) - np.log(-np.expm1(log_none))

    def to_yaml(self) -> str:
        """The rule in words and numbers."""
        return yaml.safe_dump(asdict(self), sort_keys=False, allow_unicode=True)


def is_candidate(history: pd.DataFrame) -> pd.Series:
    """Who can be warned of: 3 or more purchase days in the window. One or two show no cadence to fall out of."""
    return history["window_active_days"] >= MIN_DAYS


def stayed_silent(history: pd.DataFrame, later: pd.DataFrame) -> pd.Series:
    """Whether each row of ``history`` has no purchase day more in the ``later`` one (`lifecycle.bought_since`)."""
    return ~lifecycle.bought_since(history, later)


def forecast_alone(history: pd.DataFrame, cadence: lifecycle.Cadence) -> RiskRule:
    """The rule as long as there is no past to learn from, without a threshold.

    ``history``: repeats, t_x, T of every customer at a date, a row for as many ``customers`` as it says, else for one;
    ``cadence``: of the same date. Raises ValueNotEstimable where BG/NBD cannot be fitted.
    """
    from tierbook.scores.purchases import BetaGeoNBD

    model = BetaGeoNBD().fit(history["repeats"], history["t_x"], history["T"], weights=customers_of(history))
    return RiskRule(model.params_, cadence, FORECAST_ALONE, None, "forecast_alone", 0, 0, 0)


def fit_risk(histories: Sequence[pd.DataFrame], alone: RiskRule | None = None) -> RiskRule:
    """Learn the rule of one date from its history and from those 182, 364, … days before it.

    ``histories``: the latest first, each 182 days before the one ahead of it. What a customer did after a cut is read
    off the next history or ``since`` (`lifecycle.bought_since`), so nothing later than the first enters. A row stands for
    as many ``customers`` as it says, else for one. ``alone``: `forecast_alone` of the latest date; with it candidates
    (`is_candidate`) are all that histories need to hold, without it the first one holds everybody.

    A cut counts with 200 or more candidates of whom 50 or more stayed silent and 50 or more came back; without one the
    forecast stands alone. The weights are the ridge estimate (prior standard deviation 1) around the forecast alone,
    none below zero. The threshold alerts 20 % of the candidates of the latest cut that counts (equal risks together),
    this date's where none does; carried on to this date, the number of warnings rises and falls with the customers.

    Raises ValueNotEstimable where BG/NBD cannot be fitted, ValueError where the histories are not 182 days apart.
    """
    _require_distance(histories)
    now = histories[0]
    alone = alone or forecast_alone(now, lifecycle.fit_cadence(now, None))
    past = [lesson for later, then in pairwise(histories) if (lesson := _lesson(then, later))]
    if not past:
        return replace(alone, threshold=budget_threshold(alone.apply(now), weights=customers_of(now)))
    features = np.vstack([np.column_stack([*alone._features(then).values()]) for then, _ in past])
    silent, customers = (np.concatenate(found) for found in zip(*((s, customers_of(t)) for t, s in past), strict=True))
    learned = replace(
        alone, weights=_weights(features, silent, customers), source="past_cuts", cuts=len(past),
        customers=int(customers.sum()), silent=int(customers[silent].sum()),
    )  # fmt: skip
    latest = past[0][0]
    return replace(learned, threshold=budget_threshold(learned.apply(latest), weights=customers_of(latest)))


def budget_threshold(risk: pd.Series, budget: float = BUDGET, weights: np.ndarray | None = None) -> float | None:
    """The highest risk at or above which at least this share of the candidates stands; null without candidates.

    ``weights``: how many customers each risk stands for; without them it is one.
    """
    found = pd.DataFrame({"risk": risk.to_numpy(dtype=float), "customers": 1 if weights is None else weights})
    falling = found.dropna().sort_values("risk", ascending=False)
    if falling.empty:
        return None
    reached = falling["customers"].cumsum().to_numpy()
    return float(falling["risk"].iloc[np.searchsorted(reached, np.ceil(budget * reached[-1] - 1e-9))])


def _require_distance(histories: Sequence[pd.DataFrame]) -> None:
    ends = [(k, int((h["first_day"] + h["T"]).iloc[0])) for k, h in enumerate(histories) if len(h)]
    wrong = [k for k, end in ends if end != ends[0][1] - (k - ends[0][0]) * HORIZON_DAYS]
    if wrong:
        raise ValueError(f"histories must lie {HORIZON_DAYS} days apart, the latest first; number {wrong[0]} does not")


def _lesson(then: pd.DataFrame, later: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray] | None:
    """The candidates of a cut and whether they stayed silent; nothing where they are too few to learn from."""
    candidates = then[is_candidate(then)]
    silent, customers = stayed_silent(candidates, later).to_numpy(), customers_of(candidates)
    each = customers[silent].sum(), customers[~silent].sum()
    few = sum(each) < MIN_CANDIDATES or min(each) < MIN_OF_EACH
    return None if few else (candidates, silent)


def _weights(features: np.ndarray, silent: np.ndarray, customers: np.ndarray) -> dict[str, float]:
    """Ridge logistic regression around the forecast alone; six digits, of rows put in the order of their values."""
    from scipy.optimize import minimize

    order = np.lexsort([silent, *features.T])
    counts, everybody = customers[order].astype(float), customers.sum()
    x, y = np.column_stack([np.ones(len(order)), features[order]]).T, silent[order].astype(float)
    prior, ridge = np.array(list(FORECAST_ALONE.values())), np.array([0.0, 1.0, 1.0, 1.0])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        # Plain sums, not dot products: the number of BLAS threads would move digits.
        log_odds = (weights[:, None] * x).sum(axis=0)
        away = ridge * (weights - prior)
        missed = counts * (1 / (1 + np.exp(-log_odds)) - y)
        value = (counts * (np.logaddexp(0, log_odds) - y * log_odds)).sum() + (away * (weights - prior)).sum() / 2
        return value / everybody, ((missed * x).sum(axis=1) + away) / everybody

    bounds = [(None, None), *[(0, None)] * len(FEATURES)]
    found = minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-14, "gtol": 1e-10})
    return dict(zip(FORECAST_ALONE, (float(f"{weight:.6g}") for weight in found.x), strict=True))
