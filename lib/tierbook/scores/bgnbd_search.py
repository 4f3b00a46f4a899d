"""Where the likelihood of BG/NBD and MBG/NBD is highest, and how sharply."""

import numpy as np

from tierbook.scores import bgnbd
from tierbook.scores.likelihood import ValueNotEstimable, ascend, at_boundary, climb, settle

# Histories on which the search starts; the last steps take all. More of them only make the start dearer.
_FIRST_SEARCH = 20_000
# Where one dropout parameter runs to the boundary, the other has no meaning alone.
_GROUPS = ([0, 1], [2, 3])


def search(histories, counts, at_first, unit):
    """Maximum of the likelihood of counted distinct histories.

    Parameters
    ----------
    histories, counts, at_first
        As of ``bgnbd.log_likelihood``, times in units of the mean observation time.
    unit : float
        That mean in the caller's unit of time, for the words of a refusal.

    Returns
    -------
    theta : array
        Log parameters.
    covariance : array of shape (4, 4)
        Of ``theta``; null in the rows and columns of parameters at the boundary.
    log_likelihood : float

    Raises
    ------
    ValueNotEstimable
        ``parameters_at_boundary``, ``fit_diverged``.
    """
    log_likelihood, second = _objective(histories, counts, at_first)
    start = _start(histories, counts)
    thin = slice(None, None, max(1, len(counts) // _FIRST_SEARCH))
    theta = ascend(*_objective(tuple(column[thin] for column in histories), counts[thin], at_first), start)
    try:
        theta, covariance = settle(log_likelihood, theta, _GROUPS, second)
    except ValueNotEstimable:
        covariance = np.full((len(theta), len(theta)), np.nan)
    # Whatever is not a clear top is climbed with care, on all.
    if at_boundary(theta).any() or np.isnan(covariance).any():
        theta = climb(log_likelihood, start)
        _refuse_boundary(theta, unit)
        theta, covariance = settle(log_likelihood, theta, _GROUPS, second)
        _refuse_boundary(theta, unit)
    return theta, covariance, log_likelihood(theta)[0]


def _objective(histories, counts, at_first):
    """The log-likelihood of log parameters with its gradient, and its second derivatives given the gradient."""

    def log_likelihood(theta):
        parameters = np.exp(theta)
        value, gradient = bgnbd.log_likelihood(parameters, histories, counts, at_first)
        return value, gradient * parameters

    def second(theta, gradient):
        parameters = np.exp(theta)
        of_parameters = bgnbd.second_derivatives(parameters, histories, counts, at_first)
        return of_parameters * np.outer(parameters, parameters) + np.diag(gradient)

    return log_likelihood, second


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
