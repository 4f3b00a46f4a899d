"""Lift like for like: how many customers would have both of two items by chance, and what is left beyond it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

EXACT_LINES, STEP = 32, 1.1
CHUNK = 100_000
FITTED_ON = 20_000
STRENGTHS = (-2.0, 12.0)  # natural logarithms of the prior's bounds
LOW_END = 0.025


class Prior(NamedTuple):
    """The gamma prior of lifts around 1: ``strength`` is its shape and its rate, 1/strength its variance."""

    strength: float


def expected_both(have: np.ndarray, following: np.ndarray, lines: pd.Series) -> np.ndarray:
    """Customers expected to have both items of each pair, were every line bought drawn at random.

    Each of a customer's n lines is item i with probability p_i, the same for everybody, such that the expected number
    of customers with i is the number there is. Both then come with 1 − (1−p_i)ⁿ − (1−p_j)ⁿ + (1−p_i−p_j)ⁿ, summed over
    the customers. Who buys much has much of everything: expecting share × share, as the plain lift does, takes that for
    an affinity between any two items. (The same purpose as the strata of DuMouchel 1999, The American Statistician
    53(3), 177–190, section 2.)

    ``have``, ``following``: customers with either item; ``lines``: customers by number of lines (index).
    """
    draws, customers = squashed(lines)
    counts, places = np.unique(np.concatenate([have, following]), return_inverse=True)
    chance = chance_per_line(counts, draws, customers)
    first, second = np.split(chance[places], 2)
    found = np.empty(len(have))
    for start in range(0, len(have), CHUNK):
        part = slice(start, start + CHUNK)
        p, q = first[part, None], second[part, None]
        neither = np.clip(1 - p - q, 0, 1) ** draws
        found[part] = (1 - (1 - p) ** draws - (1 - q) ** draws + neither) @ customers
    return found


def squashed(lines: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of lines and customers; from 32 on in steps of a tenth, each with its mean."""
    n, customers = lines.index.to_numpy(dtype=float), lines.to_numpy(dtype=float)
    band = np.where(
        n <= EXACT_LINES, n, EXACT_LINES + 1 + np.floor(np.log(np.maximum(n, 1) / EXACT_LINES) / np.log(STEP))
    )
    _, place = np.unique(band, return_inverse=True)
    held = np.bincount(place, customers)
    return np.bincount(place, customers * n) / held, held


def chance_per_line(having: np.ndarray, draws: np.ndarray, customers: np.ndarray) -> np.ndarray:
    """The probability of an item on one line with which ``having`` customers are expected to have it, by bisection."""
    low, high = np.zeros(len(having)), np.ones(len(having))
    for _ in range(50):
        middle = (low + high) / 2
        too_many = (1 - (1 - middle[:, None]) ** draws) @ customers > having
        low, high = np.where(too_many, low, middle), np.where(too_many, middle, high)
    return (low + high) / 2


def fit_prior(both: np.ndarray, expected: np.ndarray, floor: int) -> Prior:
    """The strength under which the counts are likeliest: both ~ Poisson(lift × expected), lift ~ Gamma(a, a).

    Only pairs with at least ``floor`` customers are there, so the likelihood is that of counts cut off below it.
    Fitted on up to 20,000 pairs, evenly over the expected counts. With no pair the prior is of strength 1.

    Source: DuMouchel (1999), as cited, with one gamma of mean 1 in place of his mixture of two.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import betainc
    from scipy.stats import nbinom

    if not len(both):
        return Prior(1.0)
    order = np.lexsort([both, expected])[:: -(-len(both) // FITTED_ON)]
    n, e = both[order].astype(float), expected[order]

    def loss(log_strength: float) -> float:
        a = np.exp(log_strength)
        seen = np.log(np.maximum(betainc(floor, a, e / (a + e)), 1e-300))
        return -float(np.sum(nbinom.logpmf(n, a, a / (a + e)) - seen))

    return Prior(float(np.exp(minimize_scalar(loss, bounds=STRENGTHS, method="bounded").x)))


def lift_low(both: np.ndarray, expected: np.ndarray, prior: Prior) -> tuple[np.ndarray, np.ndarray]:
    """The shrunk lift, (a + both)/(a + expected), and the low end of its 95 % interval: the gamma posterior's 2.5 %."""
    from scipy.special import gammaincinv

    shape, rate = prior.strength + both, prior.strength + expected
    return shape / rate, gammaincinv(shape, LOW_END) / rate
