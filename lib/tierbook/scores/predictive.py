"""Distribution of a customer's purchases within a horizon when the parameters themselves are estimates.

The count has an exact distribution for given parameters. The estimate of the parameters is normal in its logarithms about
the truth, with the inverse curvature of the likelihood as covariance; the mean of the exact distributions over it,
weighted as the history speaks for staying, is taken on a few fixed nodes. Nothing is drawn.
"""

from itertools import islice, product
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from tierbook.scores import bgnbd

# Rows x nodes of one block stay in the processor's cache.
_BLOCK = 1024
_LONGEST_WALK = 500


class Doubt(NamedTuple):
    """Parameter sets (nodes x 4) and their weights, which sum to one; the first set is the estimate itself."""

    parameters: np.ndarray
    weights: np.ndarray


class _Mixture(NamedTuple):
    """Rows x nodes: weight of being alive under this node, and the parameters of one who is."""

    alive: np.ndarray
    r: np.ndarray
    alpha: np.ndarray
    a: np.ndarray
    b: np.ndarray


def parameter_nodes(parameters, covariance=None):
    """Nodes and weights of a normal distribution of the log parameters, exact for polynomials of degree five.

    McNamee, Stenger (1967), Numerische Mathematik 10, pp. 327-344: the centre, and the points at sqrt(3) standard
    deviations along one and two axes; no weight is negative up to four parameters.

    Parameters
    ----------
    parameters : sequence of four positive numbers
    covariance : array of shape (4, 4), optional
        Of the log parameters; null in rows and columns of parameters held where they are. Without it all are.

    Returns
    -------
    Doubt
    """
    theta = np.log(np.asarray(parameters, dtype=float))
    free = np.zeros(len(theta), dtype=bool) if covariance is None else np.isfinite(np.diag(covariance))
    d = int(free.sum())
    points = np.array([point for point in product((0, 1, -1), repeat=d) if np.count_nonzero(point) <= 2])
    weights = np.array([1 + (d * d - 7 * d) / 18, (4 - d) / 18, 1 / 36])[np.count_nonzero(points, axis=1)]
    nodes = np.repeat(theta[None], len(points), axis=0)
    if d:
        nodes[:, free] += np.sqrt(3) * points @ _root(covariance[np.ix_(free, free)])
    return Doubt(np.exp(nodes)[weights > 0], weights[weights > 0])


def _root(covariance):
    """Symmetric square root: unlike an eigenvector's sign, it does not hang on the machine."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(values)) @ vectors.T


def count_interval(doubt, histories, horizon, level, at_first):
    """Narrowest central interval of the count per history, and its probability: ``low, high, stated``."""
    x, t_x, T = histories
    low, high, stated = np.zeros(len(x), dtype=int), np.zeros(len(x), dtype=int), np.ones(len(x))
    enough = (1 + level) / 2, (1 - level) / 2
    # Customers who end at like counts share a block: a block is walked until its last is done.
    centre = _mixture(Doubt(doubt.parameters[:1], np.ones(1)), histories, at_first)
    for rows in _blocks((centre.alive * centre.r / centre.alpha)[:, 0]):
        mixture = _mixture(doubt, (x[rows], t_x[rows], T[rows]), at_first)
        low[rows], high[rows], above_low, above_high = _cut(mixture, horizon, enough)
        stated[rows] = above_low - above_high
    return low, high, stated


def count_bounds(doubt, histories, horizon, actual, at_first):
    """P(count < actual) and P(count <= actual) per history."""
    x, t_x, T = histories
    below, up_to = np.empty(len(x)), np.empty(len(x))
    for rows in _blocks(actual):
        mixture = _mixture(doubt, (x[rows], t_x[rows], T[rows]), at_first)
        below[rows], up_to[rows] = _around(actual[rows], mixture, horizon)
    return below, up_to


def _blocks(by):
    order = np.argsort(by, kind="stable")
    return [order[start : start + _BLOCK] for start in range(0, len(order), _BLOCK)]


def _mixture(doubt, histories, at_first):
    parameters = doubt.parameters.T[:, None, :]
    x, t_x, T = (column[:, None] for column in histories)
    alive = doubt.weights * expit(-bgnbd.log_odds_dropped(parameters, x, t_x, T, at_first))
    return _Mixture(alive, *bgnbd.posterior(parameters, x, T, at_first))


def _cut(mixture, horizon, enough):
    """Smallest n with P(> n) down to each of two probabilities, and P(>= low), P(> high)."""
    if not _walkable(mixture, horizon):
        return _bisect(mixture, horizon, enough)
    tails = []
    for tail in _tails(mixture, horizon):
        tails.append(tail)
        if (tail <= enough[1]).all():
            break
    tails = np.array([np.ones(len(mixture.alive)), *tails])
    low, high = ((tails[1:] > probability).sum(axis=0) for probability in enough)
    rows = np.arange(tails.shape[1])
    return low, high, tails[low, rows], tails[high + 1, rows]


def _around(n, mixture, horizon):
    if not (_walkable(mixture, horizon) and n.max() < _LONGEST_WALK):
        return np.where(n > 0, 1 - _tail(np.maximum(n - 1, 0), mixture, horizon), 0.0), 1 - _tail(n, mixture, horizon)
    tails = np.array([np.ones(len(n)), *islice(_tails(mixture, horizon), int(n.max()) + 1)])
    n, rows = n.astype(int), np.arange(len(n))
    return 1 - tails[n, rows], 1 - tails[n + 1, rows]


def _walkable(mixture, horizon):
    """Whether counts are small enough to go through one by one, from a P(0) that does not underflow."""
    return (mixture.r / mixture.alpha).max(initial=0) * horizon < _LONGEST_WALK


def _tails(mixture, horizon):
    """P(count > 0), P(count > 1), ...: arrivals and survivals by their recurrences, no special function."""
    alive, r, alpha, a, b = mixture
    share = horizon / (alpha + horizon)
    arrivals = np.exp(r * np.log1p(-share))
    alive, more, n = alive.copy(), 1 - arrivals, 0
    while True:
        yield np.maximum((alive * more).sum(axis=1), 0.0)
        arrivals *= (r + n) * share / (n + 1)
        more -= arrivals
        alive *= (b + n) / (a + b + n)
        n += 1


def _tail(n, mixture, horizon):
    """P(count > n), n per row, at any size."""
    alive, *parameters = mixture
    return (alive * bgnbd.count_tail(np.asarray(n, dtype=float)[:, None], horizon, parameters)).sum(axis=1)


def _bisect(mixture, horizon, enough):
    def tail(n, rows):
        return _tail(n, _Mixture(*(np.broadcast_to(part, mixture.alive.shape)[rows] for part in mixture)), horizon)

    rows = np.arange(len(mixture.alive))
    low, high = (_smallest(lambda n, rows, p=p: tail(n, rows) <= p, len(rows)) for p in enough)
    return low, high, np.where(low > 0, tail(np.maximum(low - 1, 0), rows), 1.0), tail(high, rows)


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
