"""BG/NBD and MBG/NBD for known parameters: likelihood and distribution of the count.

While alive a customer buys at a Poisson rate drawn from Gamma(r, alpha); after each repeat purchase he drops out with a
probability drawn from Beta(a, b) (BG/NBD: Fader, Hardie, Lee 2005, Marketing Science 24, pp. 275-284). In MBG/NBD
(Batislam, Denizel, Filiztekin 2007, Intern. J. of Research in Marketing 24, pp. 201-209) he may do so right after the
first purchase already. The two differ in one number, ``at_first``: the chances to drop out besides the repeat
purchases, 0 or 1. Everything is in logs or is a sum of positive terms, so nothing overflows for very frequent buyers and
nothing is special at a = 1.
"""

import numpy as np
from scipy.special import betainc, betaln, digamma, expit, gammaln, zeta

_FEWEST_NODES, _MOST_NODES = 12, 384


def log_odds_dropped(parameters, x, t_x, T, at_first=0):
    """Log odds that a customer with this history has dropped out; minus infinity where he had no chance to."""
    r, alpha, a, b = parameters
    chances = x + at_first
    with np.errstate(invalid="ignore", divide="ignore"):
        odds = np.log(a) - np.log(b + chances - 1) + (r + x) * (np.log(alpha + T) - np.log(alpha + t_x))
    return np.where(chances > 0, odds, -np.inf)


def posterior(parameters, x, T, at_first=0):
    """Parameters of a customer with this history if alive: he enters the horizon as a new customer of these."""
    r, alpha, a, b = parameters
    return r + x, alpha + T, a, b + x + at_first


def log_likelihood(parameters, histories, counts, at_first=0):
    """Log-likelihood of counted distinct histories, and its gradient in (r, alpha, a, b).

    Parameters
    ----------
    parameters : r, alpha, a, b
    histories : x, t_x, T
        Arrays of one element per distinct history, sorted by x; times in the unit of alpha.
    counts : array
        Customers with each history.
    at_first : int
        0 for BG/NBD, 1 for MBG/NBD.
    """
    r, alpha, a, b = parameters
    x, t_x, T = histories
    odds = log_odds_dropped(parameters, x, t_x, T, at_first)
    dropped, log_T = counts * expit(odds), np.log(alpha + T)
    kept = counts - dropped
    by_repeats, of_repeats = _terms_by_repeats(parameters, x, counts, at_first)
    # Plain sums, not dot products: BLAS threads cost more than they bring here, and their number would move digits.
    value = by_repeats + (counts * (np.logaddexp(0, odds) - (r + x) * log_T)).sum()
    gradient = of_repeats - np.array(
        [
            (kept * log_T + dropped * np.log(alpha + t_x)).sum(),
            ((r + x) * (kept / (alpha + T) + dropped / (alpha + t_x))).sum(),
            -dropped.sum() / a,
            (dropped / _kept_chances(b, x, at_first)).sum(),
        ]
    )
    return value, gradient


def second_derivatives(parameters, histories, counts, at_first=0):
    """Matrix of second derivatives of ``log_likelihood`` in (r, alpha, a, b)."""
    r, alpha, a, b = parameters
    x, t_x, T = histories
    share = expit(log_odds_dropped(parameters, x, t_x, T, at_first))
    dropped, undecided = counts * share, counts * share * (1 - share)
    late, early, chances = 1 / (alpha + T), 1 / (alpha + t_x), _kept_chances(b, x, at_first)
    # Slopes of the log odds.
    slopes = (np.log(early / late), (r + x) * (late - early), 1 / a, -1 / chances)
    second = _second_by_repeats(parameters, x, counts, at_first)
    for row, slope in enumerate(slopes):
        weighted = undecided * slope
        for column in range(row + 1):
            second[row, column] += (weighted * slopes[column]).sum()
    kept = counts - dropped
    second[1, 0] -= (kept * late + dropped * early).sum()
    second[1, 1] += ((r + x) * (kept * late**2 + dropped * early**2)).sum()
    second[2, 2] -= dropped.sum() / a**2
    second[3, 3] += (dropped / chances**2).sum()
    return np.tril(second) + np.tril(second, -1).T


def _kept_chances(b, x, at_first):
    """b + survived chances before the last one; nobody has dropped out without any, so there the floor may lie."""
    return b + np.maximum(x + at_first, 1) - 1


def _by_repeats(x, counts):
    """Each number of repeats and its customers: a few hundred values for any crowd."""
    starts = np.flatnonzero(np.diff(x, prepend=-1.0))
    return x[starts], np.add.reduceat(counts, starts)


def _terms_by_repeats(parameters, x, counts, at_first):
    """The gamma-function terms and their slopes, which depend on the number of repeats only."""
    r, alpha, a, b = parameters
    x, n = _by_repeats(x, counts)
    chances = x + at_first
    survived = betaln(a, b + chances) - betaln(a, b)
    value = n @ (gammaln(r + x) - gammaln(r) + r * np.log(alpha) + survived)
    total = digamma(a + b) - digamma(a + b + chances)
    gradient = [
        n @ (digamma(r + x) - digamma(r) + np.log(alpha)),
        n.sum() * r / alpha,
        n @ total,
        n @ (total + digamma(b + chances) - digamma(b)),
    ]
    return value, np.array(gradient)


def _trigamma(z):
    return zeta(2, z)


def _second_by_repeats(parameters, x, counts, at_first):
    r, alpha, a, b = parameters
    x, n = _by_repeats(x, counts)
    chances = x + at_first
    total = n @ (_trigamma(a + b) - _trigamma(a + b + chances))
    second = np.zeros((4, 4))
    second[0, 0] = n @ (_trigamma(r + x) - _trigamma(r))
    second[1, 0], second[1, 1] = n.sum() / alpha, -n.sum() * r / alpha**2
    second[2, 2] = second[3, 2] = total
    second[3, 3] = total + n @ (_trigamma(b + chances) - _trigamma(b))
    return second


def count_tail(n, horizon, parameters):
    """P(more than n purchases within the horizon) of a customer alive at its start: n survivals, n + 1 arrivals."""
    r, alpha, a, b = parameters
    survived = np.exp(betaln(a, b + n) - betaln(a, b))
    return survived * betainc(n + 1.0, r, horizon / (alpha + horizon))


def log_count_probability(n, horizon, parameters):
    """log P(exactly n purchases within the horizon) of a customer alive at its start; finite for every n."""
    r, alpha, a, b = parameters
    share = horizon / (alpha + horizon)
    still = betaln(a, b + n) - betaln(a, b) + _log_arrivals(n, r, share)
    # At least n arrivals and dropped out at the n-th; cannot be at n = 0, where the floor keeps the terms defined.
    floor = np.maximum(n, 1)
    with np.errstate(divide="ignore"):
        gone = betaln(a + 1, b + floor - 1) - betaln(a, b) + np.log(betainc(floor, r, share))
    return np.logaddexp(still, np.where(n > 0, gone, -np.inf))


def _log_arrivals(n, r, share):
    return gammaln(r + n) - gammaln(r) - gammaln(n + 1) + r * np.log1p(-share) + n * np.log(share)


def mean_count(horizons, parameters):
    """Expected purchases within each horizon of customers alive at its start, shape (customers, horizons).

    The mean over p ~ Beta(a, b) of (1 - (1 + p * horizon / alpha) ** -r) / p, which is smooth on [0, 1]: Gauss
    quadrature for the Beta weight, where the closed form is 0/0 at a = 1 and overflows for large r. In
    ``parameters`` r, alpha and b are arrays, a is a number.
    """
    r, alpha, a, b = parameters
    mean = np.empty((len(r), len(horizons)))
    longest, rows, nodes = int(np.argmax(horizons)), np.arange(len(r)), _FEWEST_NODES
    before = _mean_count(horizons[[longest]], parameters, nodes)[:, 0]
    while len(rows) and nodes < _MOST_NODES:
        nodes *= 2
        mean[rows] = _mean_count(horizons, (r[rows], alpha[rows], a, b[rows]), nodes)
        now = mean[rows, longest]
        # Twice the nodes square the error: a change below 1e-5 leaves some 1e-10.
        unsettled = np.abs(now - before) > 1e-5 * now
        rows, before = rows[unsettled], now[unsettled]
    return mean


def _mean_count(horizons, parameters, n_nodes):
    r, alpha, a, b = parameters
    distinct_b, which = np.unique(b, return_inverse=True)
    nodes, weights = _beta_quadrature(a, distinct_b, n_nodes)
    mean = np.zeros((len(r), len(horizons)))
    for p, weight in zip(nodes.T, (weights / nodes).T, strict=True):
        p, weight = (p[which] / alpha), weight[which]
        for column, horizon in enumerate(horizons):
            mean[:, column] -= weight * np.expm1(-r * np.log1p(p * horizon))
    return mean


def _beta_quadrature(a, b, n_nodes):
    """Gauss nodes and weights (each len(b) x nodes) of densities Beta(a, b): Golub-Welsch on Jacobi's recurrence."""
    k = np.arange(1, n_nodes)
    b = np.asarray(b, dtype=float)[:, None]
    total, twice = a + b - 2, 2 * k + a + b - 2
    diagonal = np.concatenate([(a - b) / (a + b), (a - b) * total / (twice * (twice + 2))], axis=1)
    # At k = 1 the factor (k + total) / (twice - 1) is one, also where it reads 0/0.
    ratio = np.where(k == 1, 1.0, (k + total) / np.where(k == 1, 1.0, twice - 1))
    side = np.sqrt(4 * k * (k + b - 1) * (k + a - 1) * ratio / (twice**2 * (twice + 1)))
    matrix = np.zeros((len(b), n_nodes, n_nodes))
    matrix[:, range(n_nodes), range(n_nodes)] = (1 + diagonal) / 2
    matrix[:, k, k - 1] = side / 2
    nodes, vectors = np.linalg.eigh(matrix)
    return np.clip(nodes, 1e-12, 1.0), vectors[:, 0, :] ** 2
