"""Customer lifetime value from the two fitted models, and how such forecasts fared on months held out."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import gammaln, xlogy

from tierbook.scores.likelihood import ValueNotEstimable
from tierbook.scores.purchases import BetaGeoNBD
from tierbook.scores.spend import GammaGamma

__all__ = [
    "BetaGeoNBD",
    "GammaGamma",
    "Independence",
    "ValueNotEstimable",
    "backtest",
    "check_independence",
    "lifetime_value",
]

DAYS_PER_MONTH = 365.25 / 12
FEWEST_FOR_A_RATE = 10
_FREQUENCY_BANDS = {"0": (0, 0), "1": (1, 1), "2": (2, 2), "3": (3, 3), "4-6": (4, 6), "7+": (7, np.inf)}


def lifetime_value(purchases, spend, customers, horizon_months, yearly_discount):
    """Expected discounted value of each customer over the next months, with the interval of his orders.

    Month k ends k x 365.25/12 days after the date of the estimate; the orders expected within it are discounted by
    ``(1 + yearly_discount) ** (k / 12)``.

    Parameters
    ----------
    purchases : BetaGeoNBD
        Fitted, time in days.
    spend : GammaGamma
        Fitted.
    customers : DataFrame
        ``repeats``, ``t_x``, ``T`` (days) and ``mean_spend`` (null without a repeat purchase); any index.
    horizon_months : int
    yearly_discount : float
        0.10 for 10 % a year.

    Returns
    -------
    DataFrame
        On the index of ``customers``: ``p_alive``; ``expected_orders``; ``orders_low``, ``orders_high`` (integers, 80 %
        interval of the count); ``expected_value`` (money per order); ``clv`` (a mean); ``clv_low``, ``clv_high``: the
        bounds of the orders times the expected value, discounted as the orders are on average. Doubt in the money
        per order and in the parameters is not in them. Money is null where repeat purchases brought none in sum.

    Raises
    ------
    ValueNotEstimable
        ``spend_mean_infinite``.
    """
    history = [customers[column].to_numpy(dtype=float) for column in ("repeats", "t_x", "T")]
    months = np.arange(1, int(horizon_months) + 1)
    horizon = horizon_months * DAYS_PER_MONTH
    by_month_end = purchases.expected_purchases(months * DAYS_PER_MONTH, *history)
    discounted = np.diff(by_month_end, axis=1, prepend=0) @ (1 + yearly_discount) ** (-months / 12)
    expected = by_month_end[:, -1]
    # A customer who is surely gone expects nothing, and then no share of it is lost by waiting.
    discount = np.divide(discounted, expected, out=np.ones_like(expected), where=expected > 0)
    low, high, _ = purchases.count_interval(horizon, *history)
    value = spend.expected_average_value(customers["repeats"], customers["mean_spend"])
    columns = {
        "p_alive": purchases.probability_alive(*history),
        "expected_orders": expected,
        "orders_low": low,
        "orders_high": high,
        "expected_value": value,
        "clv": discounted * value,
        "clv_low": low * discount * value,
        "clv_high": high * discount * value,
    }
    return pd.DataFrame(columns, index=customers.index)


def backtest(history, actual_counts, holdout_days, model, labels=None):
    """How the model's forecast of a held-out period fared, beside the customer's own past rate.

    Parameters
    ----------
    history : DataFrame
        ``repeats``, ``t_x``, ``T`` (days) of each customer at the end of the calibration period, by customer.
    actual_counts : Series by customer
        Purchase days in the held-out period; a customer who is not there had none.
    holdout_days : float
        Length of the held-out period.
    model : BetaGeoNBD
        Fitted on ``history``.
    labels : Series by customer, optional
        Tier at the end of the calibration period; null belongs to no tier.

    Returns
    -------
    DataFrame
        One row per ``slice``: ``all``, each label, and ``frequency_0`` ... ``frequency_7+`` by repeats.
        ``customers``, ``actual_orders``, ``predicted_orders`` (sums); ``ratio`` predicted to actual;
        ``past_rate_ratio`` the same for repeats / T going on, nil on the first day; ``mae`` mean absolute error per
        customer; ``log_score`` mean log probability of the actual count; ``past_rate_log_score`` the same for a Poisson
        count at the rate (repeats + 1) / (T + the population's mean days per repeat); ``stated_80`` mean stated
        probability of the 80 % interval; ``coverage_80`` share of customers within it. Rates are null on fewer than 10
        customers, ratios also where nothing was ordered.
    """
    per_customer = _scored(history, actual_counts, float(holdout_days), model)
    slices = {"all": np.ones(len(history), dtype=bool)}
    if labels is not None:
        labels = labels.reindex(history.index)
        slices |= {str(label): (labels == label).to_numpy() for label in _ordered(labels)}
    repeats = history["repeats"].to_numpy()
    slices |= {
        f"frequency_{band}": (repeats >= least) & (repeats <= most) for band, (least, most) in _FREQUENCY_BANDS.items()
    }
    return pd.DataFrame([{"slice": name} | _slice_scores(per_customer[rows]) for name, rows in slices.items()])


def _ordered(labels):
    """Labels that occur: in the order of the scheme where they are categorical, else alphabetical."""
    if isinstance(labels.dtype, pd.CategoricalDtype):
        return [label for label in labels.cat.categories if (labels == label).any()]
    return sorted(labels.dropna().unique())


def _scored(history, actual_counts, days, model):
    past = [history[column].to_numpy(dtype=float) for column in ("repeats", "t_x", "T")]
    repeats, _, T = past
    actual = actual_counts.reindex(history.index, fill_value=0).to_numpy(dtype=float)
    low, high, stated = model.count_interval(days, *past)
    predicted = model.expected_purchases(days, *past)
    # One repeat at the population's pace is added: a rate of nil would make a second purchase impossible. No pace
    # is faster than a purchase a day.
    rate = (repeats + 1) / (T + max(T.sum() / max(repeats.sum(), 1), 1.0))
    columns = {
        "actual": actual,
        "predicted": predicted,
        "past_rate": np.divide(repeats, T, out=np.zeros_like(T), where=T > 0) * days,
        "mae": np.abs(predicted - actual),
        "log_score": model.log_count_probability(actual, days, *past),
        "past_rate_log_score": _log_poisson(actual, rate * days),
        "stated_80": stated,
        "coverage_80": ((actual >= low) & (actual <= high)).astype(float),
    }
    return pd.DataFrame(columns, index=history.index)


def _log_poisson(n, mean):
    return xlogy(n, mean) - mean - gammaln(n + 1)


def _slice_scores(scored):
    actual, predicted = scored["actual"].sum(), scored["predicted"].sum()
    enough = len(scored) >= FEWEST_FOR_A_RATE
    comparable = enough and actual > 0
    return {
        "customers": len(scored),
        "actual_orders": int(actual),
        "predicted_orders": predicted,
        "ratio": predicted / actual if comparable else np.nan,
        "past_rate_ratio": scored["past_rate"].sum() / actual if comparable else np.nan,
        **{
            name: scored[name].mean() if enough else np.nan
            for name in ("mae", "log_score", "past_rate_log_score", "stated_80", "coverage_80")
        },
    }


class Independence(NamedTuple):
    """Rank correlation of frequency and money over ``customers`` repeat customers, with its 95 % interval."""

    correlation: float
    low: float
    high: float
    customers: int


def check_independence(repeats, mean_spend):
    """Spearman correlation of repeats and mean spend, which Gamma-Gamma takes to be nil.

    Over customers with a repeat purchase and a positive mean spend; ties share their mean rank. The 95 % interval is
    Fisher's with the variance of Bonett and Wright (2000), (1 + correlation² / 2) / (customers - 3). All null on fewer
    than 10 customers or where one of the two does not vary.
    """
    pairs = pd.DataFrame({"repeats": np.asarray(repeats, float), "mean_spend": np.asarray(mean_spend, float)})
    pairs = pairs[(pairs["repeats"] > 0) & (pairs["mean_spend"] > 0)]
    customers = len(pairs)
    if customers < FEWEST_FOR_A_RATE or (pairs.nunique() < 2).any():
        return Independence(np.nan, np.nan, np.nan, customers)
    ranks = pairs.rank()
    correlation = float(np.clip(ranks["repeats"].corr(ranks["mean_spend"]), -1, 1))
    margin = 1.959964 * np.sqrt((1 + correlation**2 / 2) / (customers - 3))
    with np.errstate(divide="ignore"):  # at a correlation of one the interval has no width
        low, high = np.tanh(np.arctanh(correlation) + np.array([-margin, margin]))
    return Independence(correlation, float(low), float(high), customers)
