"""Rows that stand for several customers each: how many, and means, their standard errors and medians over the customers."""

import numpy as np


def counts_of(weights, rows):
    """How many customers each of so many rows stands for.

    Parameters
    ----------
    weights : array-like of whole numbers of 1 or more, or None
        One per row; None: each row is one customer.
    rows : int

    Returns
    -------
    array of int

    Raises
    ------
    ValueError
        The weights are not one whole number of 1 or more for each row.
    """
    if weights is None:
        return np.ones(rows, dtype="int64")
    given = np.asarray(weights, dtype=float)
    if given.shape != (rows,):
        raise ValueError(f"{given.size:,} weights for {rows:,} rows; each row needs one.")
    sound = (given >= 1) & (given == np.floor(given)) & np.isfinite(given)
    if not sound.all():
        first = int(np.argmin(sound))
        raise ValueError(
            f"{int((~sound).sum()):,} weights are no number of customers, first at position {first}: "
            f"{given[first]:g}; they must be whole and at least 1."
        )
    return given.astype("int64")


def customers_of(rows):
    """How many customers each row of a frame stands for: its column ``customers``; without one each row is one."""
    return counts_of(rows.get("customers"), len(rows))


def mean(values, customers):
    """Mean over customers of what all customers of a row have; null without any."""
    total = customers.sum()
    return float((np.asarray(values, dtype=float) * customers).sum() / total) if total else np.nan


def standard_error(values, customers):
    """Standard error of `mean`, from the standard deviation with n - 1; null on fewer than two customers."""
    total = customers.sum()
    if total < 2:
        return np.nan
    off = np.asarray(values, dtype=float) - mean(values, customers)
    return float(np.sqrt((off**2 * customers).sum() / (total - 1) / total))


def median(values, customers):
    """Median over customers, of an even number the mean of the two in the middle; no value null; NaN without any."""
    if not len(values):
        return np.nan
    values = np.asarray(values, dtype=float)
    order = np.argsort(values)
    reached = np.cumsum(customers[order])
    middle = [np.searchsorted(reached, reached[-1] / 2, side=side) for side in ("left", "right")]
    return float(values[order][middle].mean())
