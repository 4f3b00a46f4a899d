"""How much a customer spends per order: Gamma-Gamma by maximum likelihood."""

import numpy as np
from scipy.special import digamma, gammaln

from tierbook.scores.likelihood import ValueNotEstimable, at_boundary, climb, distinct, settle

NAMES = ("p", "q", "v")


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

    def fit(self, repeats, mean_spend):
        """Estimate the three parameters.

        Parameters
        ----------
        repeats : array-like of int
            Repeat purchases.
        mean_spend : array-like of float
            Mean net money per repeat purchase, the first purchase day left out; null without one.

        Raises
        ------
        ValueNotEstimable
            ``too_few_spending_customers``, ``spend_all_alike``, ``spend_at_boundary``, ``fit_diverged``.
        """
        repeats, mean_spend = _columns(repeats, mean_spend)
        used = _usable(repeats, mean_spend)
        self._refuse_thin(mean_spend[used])
        (z, x), _, counts = distinct(mean_spend[used], repeats[used])
        unit = (counts * z).sum() / counts.sum()
        log_likelihood = _objective(x, z / unit, counts)
        theta = climb(log_likelihood, start=(2.0, 3.0, 1.0))
        _refuse_boundary(theta)
        theta, log_errors = settle(log_likelihood, theta, groups=([0, 1, 2],))
        _refuse_boundary(theta)
        parameters = np.exp(theta) * [1, 1, unit]
        self.params_ = dict(zip(NAMES, parameters.tolist(), strict=True))
        self.std_errors_ = dict(zip(NAMES, (parameters * log_errors).tolist(), strict=True))
        self.log_likelihood_ = float(log_likelihood(theta)[0] - counts.sum() * np.log(unit))
        self.n_customers_, self.n_left_out_ = int(used.sum()), int((~used).sum())
        return self

    def _refuse_thin(self, mean_spend):
        if len(mean_spend) < self.min_repeat_customers:
            raise ValueNotEstimable(
                "too_few_spending_customers",
                f"Only {len(mean_spend):,} customers have a repeat purchase with a positive mean spend; "
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
            + " (money in units of the mean) ran to the boundary.",
        )


def _columns(repeats, mean_spend):
    return np.asarray(repeats, dtype=float), np.asarray(mean_spend, dtype=float)


def _usable(repeats, mean_spend):
    return (repeats > 0) & (mean_spend > 0) & np.isfinite(mean_spend)


def _objective(x, z, counts):
    """Log-likelihood and gradient; what depends on the number of repeats only is looked up, not recomputed."""
    repeats, of_repeats = np.unique(x, return_inverse=True)
    log_x, log_z, total = np.log(x), np.log(z), counts.sum()

    def log_likelihood(theta):
        p, q, v = np.exp(theta)
        shape = p * repeats
        log_gamma = (gammaln(shape + q) - gammaln(shape))[of_repeats]
        slope_q = digamma(shape + q)[of_repeats]
        slope_p = slope_q - digamma(shape)[of_repeats]
        log_sum, px = np.log(v + x * z), p * x
        each = log_gamma + (px - 1) * log_z + px * log_x - (px + q) * log_sum
        # Plain sums, not dot products: the number of BLAS threads would move digits.
        value = (counts * each).sum() + total * (q * np.log(v) - gammaln(q))
        gradient = [
            (counts * px * (slope_p + log_z + log_x - log_sum)).sum(),
            q * ((counts * (slope_q - log_sum)).sum() + total * (np.log(v) - digamma(q))),
            total * q - v * (counts * (px + q) / (v + x * z)).sum(),
        ]
        return value, np.array(gradient)

    return log_likelihood
