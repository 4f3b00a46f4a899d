"""Intervals of shares: Wilson's for one, Newcombe's for the difference of two."""

from __future__ import annotations

import numpy as np

_Z = 1.959964


def wilson(share, n):
    """Low and high of the 95 % Wilson interval of a share of n; numbers or arrays, null where n is 0.

    Source: Wilson (1927), JASA 22, 209–212.
    """
    share, n = np.asarray(share, dtype=float), np.where(np.asarray(n) > 0, n, np.nan)
    weight = 1 + _Z**2 / n
    middle = (share + _Z**2 / (2 * n)) / weight
    half = _Z / weight * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    # At none or all the bound is the share itself, whatever its last binary digit.
    return np.maximum(0.0, np.minimum(middle - half, share)), np.minimum(1.0, np.maximum(middle + half, share))


def newcombe(one, other):
    """Low and high of the 95 % interval of a difference of independent shares, ``one`` less ``other``: each (share, low,
    high) with its Wilson interval.

    Source: Newcombe (1998), Statistics in Medicine 17, 873–890, method 10.
    """
    (share, low, high), (share_other, low_other, high_other) = one, other
    gap = share - share_other
    return gap - np.hypot(share - low, high_other - share_other), gap + np.hypot(high - share, share_other - low_other)
