"""How much a customer spends per order: Gamma-Gamma by maximum likelihood."""

import numpy as np
from scipy.special import digamma, gammaln, polygamma

from tierbook.scores.counted import counts_of
from tierbook.scores.likelihood import ValueNotEstimable, at_boundary, summit

NAMES = ("p", "q", "v")
_START = (2.0, 3.0, 1.0)
_GROUPS = ([0, 1, 2],)


class GammaGamma:
    """Gamma-Gamma model of the mean money per repeat purchase (Fader, Hardie 2013, note 25).

    Parameters
    ----------
    min_repeat_customers : int
        With fewer customers who returned and paid something, ``fit`` refuses.

    Attributes
    ----------
    params_, std_errors_ : dict
        ``p``, ``q``, and ``v`` in the unit of money.
    log_likelihood_ : float
        In the given unit of money.
    n_customers_ : int
        Customers with a repeat purchase and a positive mean spend: those the estimate rests on.
    n_left_out_ : int
        The others: no repeat purchase, or a mean spend that is null, zero or negative.

    Examples
    --------
    >>> spend = GammaGamma().fit([1, 2, 3, 1, 2, 0] * 20, [4, 9, 30, 18, 80, None] * 20)
    >>> spend.n_customers_, spend.n_left_out_
    (100, 20)
    """

    def __init__(self, min_repeat_customers=50):
        self.min_repeat_customers = min_repeat_customers

    def fit(self, repeats, mean_spend, weights=None):
        """Estimate the three parameters.

        Parameters
        ----------
        repeats : array-like of int
            Repeat purchases.
        mean_spend : array-like of float
            Mean net money per repeat purchase, the first purchase day left out (its money is no sample of the
            repeats'); null without one.
        weights : array-like of int, optional
            How many customers each row stands for; without it each is one.

        Raises
        ------
        ValueNotEstimable
            ``too_few_spending_customers``, ``spend_all_alike``, ``spend_at_boundary``, ``fit_diverged``.
        """
        repeats, mean_spend = _columns(repeats, mean_spend)
        used, customers = _usable(repeats, mean_spend), counts_of(weights, len(repeats))
        self._refuse_thin(mean_spend[used], customers[used])
        x, z, counts = _in_order(repeats[used], mean_spend[used], customers[used])
        # The geometric mean: one enormous order would move the arithmetic one, and the search away from all the others.
        unit = np.exp((counts * np.log(z)).sum() / counts.sum())
        theta, covariance, log_likelihood = _search(x, z / unit, counts)
        parameters = np.exp(theta) * [1, 1, unit]
        self.params_ = dict(zip(NAMES, parameters.tolist(), strict=True))
        self.std_errors_ = dict(zip(NAMES, (parameters * np.sqrt(np.diag(covariance))).tolist(), strict=True))
        self.log_likelihood_ = float(log_likelihood - counts.sum() * np.log(unit))
        self.n_customers_, self.n_left_out_ = int(customers[used].sum()), int(customers[~used].sum())
        return self

    def _refuse_thin(self, mean_spend, customers):
        if customers.sum() < self.min_repeat_customers:
            raise ValueNotEstimable(
                "too_few_spending_customers",
                f"Only {customers.sum():,} customers have a repeat purchase with a positive mean spend; "
                f"{self.min_repeat_customers:,} are needed.",
            )
        if mean_spend.min() == mean_spend.max():
            raise ValueNotEstimable("spend_all_alike", f"Every repeat purchase is worth {mean_spend[0]:,.2f}.")

    def expected_average_value(self, repeats, mean_spend):
        """Expected money per future order, given the history: between the customer's own mean and the population's.

        Returns
        -------
        array of float
            The population's mean without a repeat purchase; null where repeat purchases brought no money in sum
            (refunds ate them), for which the model has no value.

        Raises
        ------
        ValueNotEstimable
            ``spend_mean_infinite``: q <= 1, the population has no finite mean.
        """
        p, q, v = self.params_.values()
        if q <= 1:
            raise ValueNotEstimable(
                "spend_mean_infinite",
                f"Spending is so uneven that its mean is not finite (q = {q:.3g}, more than 1 is needed).",
            )
        repeats, mean_spend = _columns(repeats, mean_spend)
        known = _usable(repeats, mean_spend)
        x, z = np.where(known, repeats, 0.0), np.where(known, mean_spend, 0.0)
        value = p * (v + x * z) / (p * x + q - 1)
        return np.where(known | (repeats == 0), value, np.nan)


def _refuse_boundary(theta):
    if at_boundary(theta).any():
        raise ValueNotEstimable(
            "spend_at_boundary",
            "The spread of spending within and between customers cannot be told apart: "
            + ", ".join(f"{name} = {value:.3g}" for name, value in zip(NAMES, np.exp(theta), strict=True))
            + " (money in units of the geometric mean) ran to the boundary.",
        )


def _columns(repeats, mean_spend):
    return np.asarray(repeats, dtype=float), np.asarray(mean_spend, dtype=float)


def _usable(repeats, mean_spend):
    return (repeats > 0) & (mean_spend > 0) & np.isfinite(mean_spend)


def _in_order(x, z, customers):
    """Distinct histories and how many customers have each, in ascending order whatever the order of the input.

    Money rarely repeats, and then one sort of both columns takes a third of the time of `likelihood.distinct`.
    """
    order = np.lexsort((x, z))
    x, z = x[order], z[order]
    starts = np.flatnonzero(np.r_[True, (x[1:] != x[:-1]) | (z[1:] != z[:-1])])
    return x[starts], z[starts], np.add.reduceat(customers[order], starts)


def _search(x, z, counts):
    """Maximum of the likelihood, covariance of the log parameters there, and its height; money of order one."""
    return summit(_objective, (x, z, counts), _START, _GROUPS, _refuse_boundary)


def _objective(x, z, counts):
    """The log-likelihood of log parameters with its gradient, and its second derivatives given the gradient.

    What depends on the number of repeats only, and what no parameter enters, is added up once.
    """
    repeats, of_repeats = np.unique(x, return_inverse=True)
    n, total, xz, weighted = np.bincount(of_repeats, counts), counts.sum(), x * z, counts * x
    # Plain sums, not dot products: the number of BLAS threads would move digits.
    sum_log_z, slope_of_p = (counts * np.log(z)).sum(), (weighted * np.log(xz)).sum()

    def log_likelihood(theta):
        p, q, v = np.exp(theta)
        shape, level = p * repeats, v + xz
        log_level, share = np.log(level), counts / level
        by_repeat, by_customer = (weighted * log_level).sum(), (counts * log_level).sum()
        value = (n * (gammaln(shape + q) - gammaln(shape))).sum() + total * (q * np.log(v) - gammaln(q))
        value += p * (slope_of_p - by_repeat) - sum_log_z - q * by_customer
        of_p = (n * repeats * (digamma(shape + q) - digamma(shape))).sum() + slope_of_p - by_repeat
        of_q = (n * digamma(shape + q)).sum() + total * (np.log(v) - digamma(q)) - by_customer
        of_v = total * q / v - p * (x * share).sum() - q * share.sum()
        return value, np.array([of_p * p, of_q * q, of_v * v])

    def second(theta, gradient):
        p, q, v = np.exp(theta)
        shape, level = p * repeats, v + xz
        share, both = counts / level, n * polygamma(1, shape + q)
        of_pp = (repeats**2 * (both - n * polygamma(1, shape))).sum()
        of_pq, of_qq = (repeats * both).sum(), both.sum() - total * polygamma(1, q)
        of_pv, of_qv = -(x * share).sum(), total / v - share.sum()
        of_vv = ((p * x + q) * share / level).sum() - total * q / v**2
        matrix = np.array([[of_pp, of_pq, of_pv], [of_pq, of_qq, of_qv], [of_pv, of_qv, of_vv]])
        return matrix * np.outer([p, q, v], [p, q, v]) + np.diag(gradient)

    return log_likelihood, second
