"""How often a customer buys and whether he still does: BG/NBD by maximum likelihood."""

import numpy as np
from scipy.special import expit, log_expit

from tierbook.scores import bgnbd, predictive
from tierbook.scores.bgnbd_search import search
from tierbook.scores.counted import counts_of, mean
from tierbook.scores.likelihood import ValueNotEstimable, at_boundary, distinct

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
    covariance_ : array of shape (4, 4)
        Of the logarithms of the parameters, in the order of ``params_``; null in the rows and columns of parameters at
        the boundary.
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

    # Chances to drop out besides the repeat purchases; the one number that tells this model from MBG/NBD.
    dropout_at_first = 0

    def __init__(self, min_repeat_customers=50):
        self.min_repeat_customers = min_repeat_customers

    def fit(self, repeats, t_x, T, weights=None):
        """Estimate the four parameters.

        Parameters
        ----------
        repeats, t_x, T : array-like
            Histories as above; ``ValueError`` where they are impossible.
        weights : array-like of int, optional
            How many customers each history stands for; without it each is one customer's.

        Raises
        ------
        ValueNotEstimable
            ``no_repeat_customers``, ``too_few_repeat_customers``, ``histories_all_alike``,
            ``parameters_at_boundary``, ``fit_diverged``.
        """
        x, t_x, T = _checked(repeats, t_x, T)
        customers = counts_of(weights, len(x))
        _refuse_thin(x, customers, self.min_repeat_customers)
        (x, t_x, T), _, counts = distinct(x, t_x, T, weights=customers)
        if (x == x[0]).all():
            raise ValueNotEstimable(
                "histories_all_alike",
                f"All {counts.sum():,} customers have one number of repeat purchases, {x[0]:.0f}.",
            )
        # In units of the mean observation time the search is the same whatever unit the caller counts in.
        unit = (counts * T).sum() / counts.sum()
        theta, covariance, log_likelihood = search((x, t_x / unit, T / unit), counts, self.dropout_at_first, unit)
        parameters = np.exp(theta) * [1, unit, 1, 1]
        self.params_ = dict(zip(NAMES, parameters.tolist(), strict=True))
        self.covariance_ = covariance
        errors = parameters * np.sqrt(np.diag(covariance))
        self.std_errors_ = dict(zip(NAMES, errors.tolist(), strict=True))
        self.at_boundary_ = tuple(np.array(NAMES)[at_boundary(theta)].tolist())
        self.log_likelihood_ = float(log_likelihood - (counts * x).sum() * np.log(unit))
        self.n_customers_, self.n_histories_ = int(counts.sum()), len(counts)
        return self

    def probability_alive(self, x, t_x, T):
        """P(the customer has not dropped out | history); in BG/NBD 1 by construction without a repeat purchase."""
        return expit(-_log_odds(self, *_checked(x, t_x, T)))

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
        x, t_x, T = _checked(x, t_x, T)
        # When the last purchase was only tells whether he is alive, so the rest is needed once per (x, T).
        (repeats, observed), inverse, _ = distinct(x, T)
        horizons = np.atleast_1d(np.asarray(horizon_days, dtype=float))
        if_alive = bgnbd.mean_count(horizons, _posterior(self, repeats, observed))
        expected = if_alive[inverse]
        expected *= expit(-_log_odds(self, x, t_x, T))[:, None]
        return expected if np.ndim(horizon_days) else expected[:, 0]

    def count_probability(self, n, horizon_days, x, t_x, T):
        """P(exactly n purchases within the horizon | history); ``n`` is a number or one per customer."""
        return np.exp(self.log_count_probability(n, horizon_days, x, t_x, T))

    def log_count_probability(self, n, horizon_days, x, t_x, T):
        """Logarithm of ``count_probability``, finite however unlikely the count: the log score.

        For the estimated parameters, without doubt in them.
        """
        x, t_x, T = _checked(x, t_x, T)
        odds, n = _log_odds(self, x, t_x, T), np.asarray(n, dtype=float)
        alive = log_expit(-odds) + bgnbd.log_count_probability(n, float(horizon_days), _posterior(self, x, T))
        return np.logaddexp(alive, np.where(n == 0, log_expit(odds), -np.inf))

    def count_interval(self, horizon_days, x, t_x, T, level=0.8, parameter_doubt=True):
        """Central interval of the number of purchases within the horizon, given the history.

        The exact distribution of the count, averaged over the sampling distribution of the parameters (normal in
        their logarithms with ``covariance_``). Parameters at the boundary are held, and so are those of a model that
        was given its parameters instead of fitted.

        Parameters
        ----------
        level : float
            Above 0 and below 1.
        parameter_doubt : bool
            False: the distribution for the estimated parameters as if they were known.

        Returns
        -------
        low, high : arrays of int
            At most ``(1 - level) / 2`` of the probability lies below ``low``, and as much above ``high``; the
            narrowest such integers.
        stated : array of float
            Probability of low <= count <= high: at least ``level``, more as whole numbers allow.
        """
        if not 0 < level < 1:
            raise ValueError(f"level is {level:g}; it must lie between 0 and 1.")
        histories, inverse, _ = distinct(*_checked(x, t_x, T))
        doubt = _doubt(self, parameter_doubt)
        bounds = predictive.count_interval(doubt, histories, float(horizon_days), level, self.dropout_at_first)
        return tuple(bound[inverse] for bound in bounds)

    def count_bounds(self, actual, horizon_days, x, t_x, T, parameter_doubt=True):
        """P(count < actual) and P(count <= actual) within the horizon, given the history: two arrays.

        Where the model holds, a number drawn evenly between the two is uniform over customers (the randomised
        probability integral transform).
        """
        x, t_x, T = _checked(x, t_x, T)
        n = np.broadcast_to(np.asarray(actual, dtype=float), x.shape)
        (n, *histories), inverse, _ = distinct(n, x, t_x, T)
        doubt = _doubt(self, parameter_doubt)
        bounds = predictive.count_bounds(doubt, histories, float(horizon_days), n, self.dropout_at_first)
        return tuple(bound[inverse] for bound in bounds)

    def randomised_pit(self, actual, horizon_days, x, t_x, T, seed):
        """One draw per customer, evenly between ``count_bounds``, in the order given: uniform where the model holds."""
        below, up_to = self.count_bounds(actual, horizon_days, x, t_x, T)
        return below + np.random.default_rng(seed).random(len(below)) * (up_to - below)

    def pit_histogram(self, actual, horizon_days, x, t_x, T, bins=10, weights=None):
        """Expected histogram of the randomised probability integral transform, drawing nothing.

        Czado, Gneiting, Held (2009), Biometrics 65, pp. 1254-1261. ``weights``: how many customers each history, with its
        actual count, stands for; without them one.

        Returns
        -------
        array of shape (bins,)
            Shares of customers, which sum to one: all ``1 / bins`` where the model holds; high at both ends where its
            intervals are too narrow, in the middle where they are too wide, at the left where it expects too much.
        """
        below, up_to = self.count_bounds(actual, horizon_days, x, t_x, T)
        width = np.maximum(up_to - below, np.finfo(float).tiny)
        customers = counts_of(weights, len(below))
        reached = [mean(np.clip((edge - below) / width, 0, 1), customers) for edge in np.arange(1, bins) / bins]
        return np.diff([0, *reached, 1])


def _log_odds(model, x, t_x, T):
    return bgnbd.log_odds_dropped(tuple(model.params_.values()), x, t_x, T, model.dropout_at_first)


def _posterior(model, x, T):
    return bgnbd.posterior(tuple(model.params_.values()), x, T, model.dropout_at_first)


def _doubt(model, wanted):
    covariance = getattr(model, "covariance_", None) if wanted else None
    return predictive.parameter_nodes(tuple(model.params_.values()), covariance)


def _refuse_thin(x, customers, fewest):
    returned, known = int(customers[x > 0].sum()), int(customers.sum())
    if not returned:
        raise ValueNotEstimable("no_repeat_customers", f"None of {known:,} customers bought on a second day.")
    if returned < fewest:
        raise ValueNotEstimable(
            "too_few_repeat_customers",
            f"Only {returned:,} of {known:,} customers bought on a second day; {fewest:,} are needed.",
        )


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
