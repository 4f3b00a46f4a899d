"""Maximum likelihood on counts of distinct rows: the common ground of the value models."""

import numpy as np
import pandas as pd

# In the models' own units every sound estimate lies well inside these; beyond them the likelihood is flat
# and the digits are where the optimiser gave up, not what the data say.
LOWEST, HIGHEST = 1e-3, 1e3
_SEARCH = np.log(1e5)
_MOST_STEPS = 20


class ValueNotEstimable(ValueError):
    """The data cannot carry the estimate; no number is given.

    Attributes
    ----------
    reason_code : str
        Language-neutral code, for instance ``too_few_repeat_customers``; the text of the exception is the
        reason in words.
    """

    def __init__(self, reason_code, sentence):
        super().__init__(reason_code, sentence)
        self.reason_code = reason_code
        self.sentence = sentence

    def __str__(self):
        return self.sentence


def distinct(*columns):
    """Distinct rows of equally long columns, in ascending order whatever the order of the input.

    Returns
    -------
    columns : list of arrays
        The values of each distinct row.
    inverse : array of int
        Which distinct row each input row is.
    counts : array of int
        How many input rows each distinct row stands for.
    """
    factorized = [pd.factorize(np.asarray(column), sort=True) for column in columns]
    shape = tuple(max(len(values), 1) for _, values in factorized)
    keys = np.ravel_multi_index([codes for codes, _ in factorized], shape)
    inverse, keys = pd.factorize(keys, sort=True)
    positions = np.unravel_index(keys, shape)
    rows = [values[position] for (_, values), position in zip(factorized, positions, strict=True)]
    return rows, inverse, np.bincount(inverse, minlength=len(keys))


def climb(log_likelihood, start):
    """Search for the maximum of a log-likelihood over the logarithms of positive parameters.

    Parameters
    ----------
    log_likelihood : callable
        Log parameters -> (log-likelihood, its gradient), in units in which the parameters are of order one.
    start : sequence of float
        Positive parameters to start from.

    Returns
    -------
    array
        Log parameters near the maximum, or where the search left the ground that ``at_boundary`` allows.
    """
    from scipy.optimize import minimize

    theta = np.log(start)
    scale = -max(abs(log_likelihood(theta)[0]), 1.0)
    found = minimize(
        lambda theta: tuple(part / scale for part in log_likelihood(theta)),
        theta,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-_SEARCH, _SEARCH)] * len(theta),
        options={"ftol": 1e-13, "gtol": 1e-8, "maxiter": 500},
    )
    return found.x


def at_boundary(theta):
    """Which log parameters ran beyond what data can tell apart."""
    return (theta <= np.log(LOWEST)) | (theta >= np.log(HIGHEST))


def settle(log_likelihood, theta, groups):
    """Newton steps to the top of the hill, where the curvature gives the standard errors.

    Parameters
    ----------
    log_likelihood, theta
        As given to, and found by, ``climb``.
    groups : sequence of lists of int
        Positions of parameters that stand together: where one is at the boundary, its whole group is held.

    Returns
    -------
    theta : array
    log_errors : array
        Standard errors of the log parameters; null where held.

    Raises
    ------
    ValueNotEstimable
        ``fit_diverged``: there is no top.
    """
    log_errors = np.full(len(theta), np.nan)
    for _ in range(_MOST_STEPS):
        free = ~at_boundary(theta)
        for group in groups:
            free[group] = free[group].all()
        value, gradient = log_likelihood(theta)
        covariance = _inverse_curvature(log_likelihood, theta, free)
        step = covariance @ gradient[free]
        theta = theta.copy()
        # A step is cut to one e-fold: farther away the quadratic picture does not hold.
        theta[free] += step / max(1.0, np.abs(step).max(initial=0.0))
        if gradient[free] @ step < 1e-14 * max(abs(value), 1.0):
            log_errors[free] = np.sqrt(np.diag(covariance))
            return theta, log_errors
    raise ValueNotEstimable("fit_diverged", "The likelihood has no maximum that the search could settle on.")


def _inverse_curvature(log_likelihood, theta, free):
    """Inverse of minus the second derivatives in the free parameters, by central differences of the gradient."""
    width = 1e-4
    steps = width * np.eye(len(theta))[free]
    rows = [(log_likelihood(theta - step)[1] - log_likelihood(theta + step)[1])[free] / (2 * width) for step in steps]
    curvature = np.array(rows).reshape(len(steps), len(steps))
    curvature = (curvature + curvature.T) / 2
    if not np.isfinite(curvature).all() or np.linalg.eigvalsh(curvature).min(initial=1.0) <= 0:
        raise ValueNotEstimable("fit_diverged", "The likelihood is flat or not finite where the search ended.")
    return np.linalg.inv(curvature)
