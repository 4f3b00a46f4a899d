"""How often a customer buys and whether he still does: BG/NBD by maximum likelihood."""

import numpy as np
from scipy.special import expit, log_expit

from tierbook.scores import bgnbd
from tierbook.scores.likelihood import ValueNotEstimable, at_boundary, climb, distinct, settle

NAMES = ("r", "alpha", "a", "b")


class BetaGeoNBD:
    """BG/NBD model of repeat purchases (Fader, Hardie, Lee 2005, Marketing Science 24).

    A customer's history is three numbers, all in one unit of time, days in this library: ``x`` repeat purchases
    (distinct purchase days less one), ``t_x`` from first to last purchase, ``T`` from first purchase to the date of
    the estimate. Any unit gives the same forecasts.

    Parameters
    ----------
    min_repeat_customers : int
        With fewer customers who ever came back, ``fit`` refuses.

    Attributes
    ----------
    params_ : dict
        ``r``, ``alpha`` (in the unit of time), ``a``, ``b``.
    std_errors_ : dict
        Null where the likelihood is flat: see ``at_boundary_``.
    at_boundary_ : tuple of str
        Dropout parameters that ran to the boundary (nobody seems to drop out, or all at one rate). Forecasts hold,
        the figures of ``a`` and ``b`` alone mean nothing.
    log_likelihood_ : float
        In the given unit of time, without the terms that no parameter enters, as published.
    n_customers_, n_histories_ : int
        Customers and distinct histories.

    Examples
    --------
    >>> import numpy as np
    >>> x, t_x, T = np.repeat([[0, 0, 300], [1, 40, 200], [2, 150, 320], [6, 290, 300]], [80, 40, 30, 30], axis=0).T
    >>> model = BetaGeoNBD().fit(x, t_x, T)
    >>> float(model.probability_alive([0], [0], [300])[0])
    1.0
    """

    def __init__(self, min_repeat_customers=50):
        self.min_repeat_customers = min_repeat_customers

    def fit(self, repeats, t_x, T):
        """Estimate the four parameters.

        Parameters
        ----------
        repeats, t_x, T : array-like, one element per customer
            Histories as above; ``ValueError`` where they are impossible.

        Raises
        ------
        ValueNotEstimable
            ``no_repeat_customers``, ``too_few_repeat_customers``, ``histories_all_alike``,
            ``parameters_at_boundary``, ``fit_diverged``.
        """
        x, t_x, T = _checked(repeats, t_x, T)
        self._refuse_thin(x)
        (x, t_x, T), _, counts = distinct(x, t_x, T)
        if (x == x[0]).all():
            raise ValueNotEstimable(
                "histories_all_alike",
                f"All {counts.sum():,} customers have one number of repeat purchases, {x[0]:.0f}.",
            )
        # In units of the mean observation time the search is the same whatever unit the caller counts in.
        unit = (counts * T).sum() / counts.sum()
        scaled = (x, t_x / unit, T / unit)
        log_likelihood = _objective(scaled, counts)
        theta = climb(log_likelihood, _start(scaled, counts))
        _refuse_boundary(theta, unit)
        theta, log_errors = settle(log_likelihood, theta, groups=([0, 1], [2, 3]))
        _refuse_boundary(theta, unit)
        parameters = np.exp(theta) * [1, unit, 1, 1]
        self.params_ = dict(zip(NAMES, parameters.tolist(), strict=True))
        self.std_errors_ = dict(zip(NAMES, (parameters * log_errors).tolist(), strict=True))
        self.at_boundary_ = tuple(np.array(NAMES)[at_boundary(theta)].tolist())
        self.log_likelihood_ = float(log_likelihood(theta)[0] - (counts * x).sum() * np.log(unit))
        self.n_customers_, self.n_histories_ = int(counts.sum()), len(counts)
        return self

    def _refuse_thin(self, x):
        returned = int((x > 0).sum())
        if not returned:
            raise ValueNotEstimable("no_repeat_customers", f"None of {len(x):,} customers bought on a second day.")
        if returned < self.min_repeat_customers:
            raise ValueNotEstimable(
                "too_few_repeat_customers",
                f"Only {returned:,} of {len(x):,} customers bought on a second day; "
                f"{self.min_repeat_customers:,} are needed.",
            )

    def probability_alive(self, x, t_x, T):
        """P(the customer has not dropped out | history); 1 by construction without a repeat purchase."""
        return expit(-self._log_odds(*_checked(x, t_x, T)))

    def expected_purchases(self, horizon_days, x, t_x, T):
        """Expected purchases within the horizon after the date of the estimate, given the history.

        Parameters
        ----------
        horizon_days : float or sequence of float
            In the unit of the fit.

        Returns
        -------
        array of shape (customers,), or (customers, horizons) for several horizons
        """
        histories, inverse, _ = distinct(*_checked(x, t_x, T))
        horizons = np.atleast_1d(np.asarray(horizon_days, dtype=float))
        if_alive = bgnbd.mean_count(horizons, self._posterior(*histories))
        expected = expit(-self._log_odds(*histories))[:, None] * if_alive
        return (expected if np.ndim(horizon_days) else expected[:, 0])[inverse]

    def count_probability(self, n, horizon_days, x, t_x, T):
        """P(exactly n purchases within the horizon | history); ``n`` is a number or one per customer."""
        return np.exp(self.log_count_probability(n, horizon_days, x, t_x, T))

    def log_count_probability(self, n, horizon_days, x, t_x, T):
        """Logarithm of ``count_probability``, finite however unlikely the count: the log score."""
        histories = _checked(x, t_x, T)
        odds, n = self._log_odds(*histories), np.asarray(n, dtype=float)
        alive = log_expit(-odds) + bgnbd.log_count_probability(n, float(horizon_days), self._posterior(*histories))
        return np.logaddexp(alive, np.where(n == 0, log_expit(odds), -np.inf))

    def count_interval(self, horizon_days, x, t_x, T, level=0.8):
        """Central interval of the number of purchases within the horizon, given the history.

        It is the exact distribution of the count for the estimated parameters; doubt in the parameters is not in it.

        Returns
        -------
        low, high : arrays of int
            At most ``(1 - level) / 2`` of the probability lies below ``low``, and as much above ``high``; the
            narrowest such integers.
        stated : array of float
            Probability of low <= count <= high: at least ``level``, more as whole numbers allow.
        """
        histories, inverse, _ = distinct(*_checked(x, t_x, T))
        alive, posterior = expit(-self._log_odds(*histories)), self._posterior(*histories)

        def tail(n, rows):
            r, alpha, a, b = (np.broadcast_to(part, len(alive))[rows] for part in posterior)
            return alive[rows] * bgnbd.count_tail(n, float(horizon_days), (r, alpha, a, b))

        rows = np.arange(len(alive))
        low = _smallest(lambda n, rows: tail(n, rows) <= (1 + level) / 2, len(rows))
        high = _smallest(lambda n, rows: tail(n, rows) <= (1 - level) / 2, len(rows))
        at_least_low = np.where(low > 0, tail(np.maximum(low - 1, 0), rows), 1.0)
        return low[inverse], high[inverse], (at_least_low - tail(high, rows))[inverse]

    def _log_odds(self, x, t_x, T):
        return bgnbd.log_odds_dropped(tuple(self.params_.values()), x, t_x, T)

    def _posterior(self, x, t_x, T):
        """Parameters of a customer with this history if alive: he enters the horizon as a new customer of these."""
        r, alpha, a, b = self.params_.values()
        return r + x, alpha + T, a, b + x


def _objective(histories, counts):
    def log_likelihood(theta):
        parameters = np.exp(theta)
        value, gradient = bgnbd.log_likelihood(parameters, histories, counts)
        return value, gradient * parameters

    return log_likelihood


def _start(histories, counts):
    """Start where the mean rate fits; half a spread in the rates and one dropout in four are ordinary."""
    x, _, T = histories
    return 0.5, 0.5 * (counts * T).sum() / (counts * x).sum(), 0.7, 2.0


def _refuse_boundary(theta, unit):
    if at_boundary(theta[:2]).any():
        r, alpha = np.exp(theta[:2]) * [1, unit]
        raise ValueNotEstimable(
            "parameters_at_boundary",
            f"The spread of purchase rates cannot be estimated: r = {r:.3g}, alpha = {alpha:.3g} ran to the boundary.",
        )


def _smallest(reached, size):
    """Smallest whole n per row for which ``reached(n, rows)`` holds; it must stay true once it is."""
    low, high = np.full(size, -1), np.zeros(size, dtype=int)
    rows = np.arange(size)
    while len(rows := rows[~reached(high[rows], rows)]):
        low[rows], high[rows] = high[rows], 2 * high[rows] + 1
    while len(rows := np.flatnonzero(high - low > 1)):
        middle = (low[rows] + high[rows]) // 2
        is_reached = reached(middle, rows)
        high[rows[is_reached]], low[rows[~is_reached]] = middle[is_reached], middle[~is_reached]
    return high


def _checked(x, t_x, T):
    """Histories as arrays of floats, or a ValueError that names the first impossible one."""
    x, t_x, T = (np.atleast_1d(np.asarray(column, dtype=float)) for column in (x, t_x, T))
    possible = (x >= 0) & (x == np.floor(x)) & (t_x >= 0) & (t_x <= T) & np.isfinite(T) & ((x > 0) == (t_x > 0))
    if not possible.all():
        first = int(np.argmin(possible))
        raise ValueError(
            f"{int((~possible).sum()):,} impossible purchase histories, first at position {first}: "
            f"x = {x[first]:g}, t_x = {t_x[first]:g}, T = {T[first]:g}; x must be whole, 0 <= t_x <= T, "
            "and t_x > 0 exactly where x > 0."
        )
    return x, t_x, T
