"""Maximum likelihood on counts of distinct rows: the common ground of the value models."""

import numpy as np
import pandas as pd

# In the models' own units every sound estimate lies well inside these; beyond them the likelihood is flat
# and the digits are where the optimiser gave up, not what the data say.
LOWEST, HIGHEST = 1e-3, 1e3
_SEARCH = np.log(1e5)
_MOST_STEPS = 20
# Distinct rows on which the search starts; the last steps take all. More of them only make the start dearer.
_FIRST_SEARCH = 20_000


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


def distinct(*columns, weights=None):
    """Distinct rows of equally long columns, in ascending order whatever the order of the input.

    ``weights``: how many customers each input row stands for; without them one.

    Returns
    -------
    columns : list of arrays
        The values of each distinct row.
    inverse : array of int
        Which distinct row each input row is.
    counts : array of int
        How many customers each distinct row stands for.
    """
    factorized = [pd.factorize(np.asarray(column), sort=True) for column in columns]
    shape = tuple(max(len(values), 1) for _, values in factorized)
    keys = np.ravel_multi_index([codes for codes, _ in factorized], shape)
    inverse, keys = pd.factorize(keys, sort=True)
    positions = np.unravel_index(keys, shape)
    rows = [values[position] for (_, values), position in zip(factorized, positions, strict=True)]
    # sums of whole numbers are exact in floating point, too
    counts = np.bincount(inverse, weights, minlength=len(keys)).astype("int64")
    return rows, inverse, counts


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


def ascend(log_likelihood, second, start):
    """Newton's way up, turned uphill where the ground is not yet a dome: a few steps where ``climb`` takes dozens.

    Parameters
    ----------
    log_likelihood, start
        As of ``climb``.
    second : callable
        Log parameters and the gradient there -> matrix of second derivatives in the log parameters.

    Returns
    -------
    array
        Log parameters near a maximum, at the boundary, or where the search gave up: for ``settle`` to judge.
    """
    theta = np.log(start)
    value, gradient = log_likelihood(theta)
    for _ in range(_MOST_STEPS):
        bends, axes = np.linalg.eigh(second(theta, gradient))
        step = axes @ (axes.T @ gradient / np.maximum(np.abs(bends), 1e-9 * np.abs(bends).max()))
        step /= max(1.0, np.abs(step).max())
        gain = gradient @ step
        while not (there := log_likelihood(theta + step))[0] > value and np.abs(step).max() > 1e-6:
            step = step / 4
        theta, (value, gradient) = theta + step, there
        if gain < 1e-7 * abs(value) or at_boundary(theta).any():
            break
    return theta


def summit(objective, columns, start, groups, refuse):
    """The maximum of a likelihood of counted distinct rows, and how sharp it is.

    Parameters
    ----------
    objective : callable
        ``columns`` -> (log-likelihood with its gradient, second derivatives), both of the log parameters.
    columns : sequence of arrays
        Distinct rows and their counts.
    start, groups
        As of ``climb`` and ``settle``.
    refuse : callable
        Log parameters -> None, or ``ValueNotEstimable`` where they ran to a boundary that no forecast survives.

    Returns
    -------
    theta, covariance : arrays
        Of the log parameters; null in the covariance where held at the boundary.
    log_likelihood : float
    """
    log_likelihood, second = objective(*columns)
    thin = slice(None, None, max(1, len(columns[0]) // _FIRST_SEARCH))
    theta = ascend(*objective(*(column[thin] for column in columns)), start)
    try:
        theta, covariance = settle(log_likelihood, theta, groups, second)
    except ValueNotEstimable:
        covariance = np.full((len(theta), len(theta)), np.nan)
    # Whatever is not a clear top is climbed with care, on all.
    if at_boundary(theta).any() or np.isnan(covariance).any():
        theta = climb(log_likelihood, start)
        refuse(theta)
        theta, covariance = settle(log_likelihood, theta, groups, second)
        refuse(theta)
    return theta, covariance, log_likelihood(theta)[0]


def at_boundary(theta):
    """Which log parameters ran beyond what data can tell apart."""
    return (theta <= np.log(LOWEST)) | (theta >= np.log(HIGHEST))


def settle(log_likelihood, theta, groups, second=None):
    """Newton steps to the top of the hill, where the curvature gives the sampling distribution of the estimate.

    Parameters
    ----------
    log_likelihood, theta
        As given to, and found by, ``climb``.
    groups : sequence of lists of int
        Positions of parameters that stand together: where one is at the boundary, its whole group is held.
    second : callable, optional
        Log parameters and the gradient there -> matrix of second derivatives in the log parameters; without it,
        central differences of the gradient.

    Returns
    -------
    theta : array
    covariance : array of shape (parameters, parameters)
        Of the log parameters; null in the rows and columns of the held.

    Raises
    ------
    ValueNotEstimable
        ``fit_diverged``: there is no top.
    """
    for _ in range(_MOST_STEPS):
        free = ~at_boundary(theta)
        for group in groups:
            free[group] = free[group].all()
        value, gradient = log_likelihood(theta)
        curvature = _differences(log_likelihood, theta, free) if second is None else -second(theta, gradient)
        covariance = _inverse(curvature[np.ix_(free, free)])
        step = covariance @ gradient[free]
        theta = theta.copy()
        # A step is cut to one e-fold: farther away the quadratic picture does not hold.
        theta[free] += step / max(1.0, np.abs(step).max(initial=0.0))
        if gradient[free] @ step < 1e-14 * max(abs(value), 1.0):
            spread = np.full((len(theta), len(theta)), np.nan)
            spread[np.ix_(free, free)] = covariance
            return theta, spread
    raise ValueNotEstimable("fit_diverged", "The likelihood has no maximum that the search could settle on.")


def _differences(log_likelihood, theta, free):
    """Minus the second derivatives by central differences of the gradient; held parameters are not moved."""
    width, curvature = 1e-4, np.zeros((len(theta), len(theta)))
    for position in np.flatnonzero(free):
        step = width * np.eye(len(theta))[position]
        curvature[position] = (log_likelihood(theta - step)[1] - log_likelihood(theta + step)[1]) / (2 * width)
    return (curvature + curvature.T) / 2


def _inverse(curvature):
    if not np.isfinite(curvature).all() or np.linalg.eigvalsh(curvature).min(initial=1.0) <= 0:
        raise ValueNotEstimable("fit_diverged", "The likelihood is flat or not finite where the search ended.")
    return np.linalg.inv(curvature)
