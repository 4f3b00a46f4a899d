"""Customer lifetime value from the two fitted models, by months of the calendar."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from tierbook.months import days_to_month_ends
from tierbook.scores.counted import counts_of
from tierbook.scores.likelihood import ValueNotEstimable, distinct
from tierbook.scores.purchases import BetaGeoNBD
from tierbook.scores.spend import GammaGamma

__all__ = ["BetaGeoNBD", "GammaGamma", "Independence", "ValueNotEstimable", "check_independence", "lifetime_value"]

DAYS_PER_YEAR = 365.25
FEWEST_FOR_A_RATE = 10


def lifetime_value(purchases, spend, customers, horizon_months, yearly_discount, as_of):
    """Expected discounted value of each customer over the next months, with the interval of his orders.

    Month k ends on the same day k months after ``as_of``, the last day of a month staying a last day; the purchases
    expected within it are discounted by ``(1 + yearly_discount) ** (days from as_of to its end / 365.25)``. The horizon is
    the real days of all these months: 365 or 366 for twelve.

    A customer who has not repeated is worth what the models expect of one with such a history: the purchases that
    follow from the time since the first purchase, times the population's mean money per purchase. What the first
    purchase brought is not used.

    Parameters
    ----------
    purchases : BetaGeoNBD or ModifiedBetaGeoNBD
        Fitted, time in days.
    spend : GammaGamma
        Fitted.
    customers : DataFrame
        ``repeats``, ``t_x``, ``T`` (days) and ``mean_spend`` (null without a repeat purchase); any index.
    horizon_months : int
    yearly_discount : float
        0.10 for 10 % a year.
    as_of : date
        The date of the estimate, at which ``T`` ends.

    Returns
    -------
    DataFrame
        On the index of ``customers``: ``p_alive``; ``expected_orders``; ``orders_low``, ``orders_high`` (integers, 80 %
        interval of the count); ``expected_value`` (money per order); ``clv`` (a mean); ``clv_low``, ``clv_high``: the
        bounds of the orders times the expected value, discounted as the orders are on average. Doubt in the money
        per order is not in them. Money is null where repeat purchases brought none in sum.

    Raises
    ------
    ValueNotEstimable
        ``spend_mean_infinite``.
    """
    history = [customers[column].to_numpy(dtype=float) for column in ("repeats", "t_x", "T")]
    p_alive = purchases.probability_alive(*history)
    value = spend.expected_average_value(customers["repeats"], customers["mean_spend"])
    ends = np.array(days_to_month_ends(as_of, int(horizon_months)), dtype=float)
    histories, inverse, _ = distinct(*history)
    expected, discount = _discounted(purchases.expected_purchases(ends, *histories), ends, yearly_discount)
    low, high, _ = purchases.count_interval(ends[-1], *histories)
    expected, discount, low, high = (column[inverse] for column in (expected, discount, low, high))
    columns = {
        "p_alive": p_alive,
        "expected_orders": expected,
        "orders_low": low,
        "orders_high": high,
        "expected_value": value,
        "clv": expected * discount * value,
        "clv_low": low * discount * value,
        "clv_high": high * discount * value,
    }
    return pd.DataFrame(columns, index=customers.index)


def _discounted(by_end, ends, yearly_discount):
    """Purchases expected over all months, and the share of them that waiting leaves; ``by_end`` is (customers, months)."""
    by_month = np.diff(by_end, axis=1, prepend=0)
    left, expected = by_month @ (1 + yearly_discount) ** (-ends / DAYS_PER_YEAR), by_end[:, -1]
    # A customer who is surely gone expects nothing, and then no share of it is lost by waiting.
    return expected, np.divide(left, expected, out=np.ones_like(expected), where=expected > 0)


class Independence(NamedTuple):
    """Rank correlation of frequency and money over ``customers`` repeat customers, with its 95 % interval."""

    correlation: float
    low: float
    high: float
    customers: int


def check_independence(repeats, mean_spend, weights=None):
    """Spearman correlation of repeats and mean spend, which Gamma-Gamma takes to be nil.

    Over customers with a repeat purchase and a positive mean spend; ties share their mean rank. ``weights``: how many
    customers each row stands for; without them one. The 95 % interval is Fisher's with the variance of Bonett and
    Wright (2000), (1 + correlation² / 2) / (customers - 3). All null on fewer than 10 customers or where one of the two
    does not vary.
    """
    repeats, mean_spend = np.asarray(repeats, dtype=float), np.asarray(mean_spend, dtype=float)
    used = (repeats > 0) & (mean_spend > 0)
    counts = counts_of(weights, len(repeats))[used]
    customers = int(counts.sum())
    off = [_from_the_middle_rank(column[used], counts) for column in (repeats, mean_spend)]
    if customers < FEWEST_FOR_A_RATE or not (np.any(off[0]) and np.any(off[1])):
        return Independence(np.nan, np.nan, np.nan, customers)
    spread = [(counts * column**2).sum() for column in off]
    correlation = float(np.clip((counts * off[0] * off[1]).sum() / np.sqrt(spread[0] * spread[1]), -1, 1))
    margin = 1.959964 * np.sqrt((1 + correlation**2 / 2) / (customers - 3))
    with np.errstate(divide="ignore"):  # at a correlation of one the interval has no width
        low, high = np.tanh(np.arctanh(correlation) + np.array([-margin, margin]))
    return Independence(correlation, float(low), float(high), customers)


def _from_the_middle_rank(values, customers):
    """Rank of each row's customers, equal ones sharing their mean rank, less the mean of all ranks."""
    _, inverse = np.unique(values, return_inverse=True)
    alike = np.bincount(inverse, customers)
    ranks = alike.cumsum() - (alike - 1) / 2
    return ranks[inverse] - (customers.sum() + 1) / 2
