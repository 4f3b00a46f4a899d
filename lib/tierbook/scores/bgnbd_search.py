"""Where the likelihood of BG/NBD and MBG/NBD is highest, and how sharply."""

import numpy as np

from tierbook.scores import bgnbd
from tierbook.scores.likelihood import ValueNotEstimable, at_boundary, summit

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

    def objective(x, t_x, T, counts):
        return _objective((x, t_x, T), counts, at_first)

    start = _start(histories, counts)
    return summit(objective, (*histories, counts), start, _GROUPS, lambda theta: _refuse_boundary(theta, unit))


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
