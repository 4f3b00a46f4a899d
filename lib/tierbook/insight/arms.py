"""Arms side by side: counts, means and variances of each outcome, by arm and tier, and Welch's test against the control."""

import numpy as np
import pandas as pd

from tierbook.errors import InputError

ALL = "all"
LEVEL = 0.05
MANTISSA = 52  # bits of a double less one, so that a sum of whole steps can never be rounded


def check(assigned, outcomes, by):
    """Refuse a frame without arms or outcomes, without rows, with a customer twice, or with a tier called ``all``."""
    missing = [name for name in ["arm", *outcomes] if name not in assigned]
    if missing:
        raise InputError(f"assigned customers: no column {missing}; there are {list(assigned.columns)}")
    if assigned.empty:
        raise InputError("assigned customers: none; give one row per assigned customer, controls too")
    no_arm = assigned["arm"].isna()
    if no_arm.any():
        raise InputError(f"assigned customers: {no_arm.sum()} of {len(assigned)} have an empty arm; each needs one")
    if "customer_id" in assigned and not assigned["customer_id"].is_unique:
        twice = assigned.loc[assigned["customer_id"].duplicated(), "customer_id"]
        raise InputError(
            f"assigned customers: customer_id repeats in {len(twice)} rows, as {twice.head(3).tolist()};"
            " keep one row each"
        )
    if by in assigned and (assigned[by] == ALL).any():
        raise InputError(f"assigned customers: a tier in {by} is named 'all', which means the total; rename it")


def numbers(assigned, column):
    """The column as float64, null as NaN.

    Raises
    ------
    InputError : a value is neither null nor a finite number
    """
    found = pd.to_numeric(assigned[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    bad = ~np.isfinite(found) & assigned[column].notna().to_numpy()
    if bad.any():
        first = assigned.loc[bad, column].head(3).tolist()
        raise InputError(f"assigned customers: {bad.sum()} values of {column} are not numbers, as {first}")
    return found


def codes(labels):
    """Number of each row's label (-1: null) and the labels in their order; labels that no row has are left out."""
    labels = labels.astype("category")
    used = (
        np.bincount(labels.cat.codes.to_numpy().astype(np.intp) + 1, minlength=len(labels.cat.categories) + 1)[1:] > 0
    )
    position = np.append(np.where(used, np.cumsum(used) - 1, -1), -1)
    return position[labels.cat.codes.to_numpy()], labels.cat.categories[used]


def cells(assigned, outcomes, by):
    """One row per outcome, arm and tier (``all`` first): n, mean, var, buyers; nulls of the outcome are left out.

    Customers without a tier count in ``all`` only. The same to the last digit whatever the order of the rows.
    """
    arm, arms = codes(assigned["arm"])
    tier, tiers = codes(assigned[by]) if by in assigned else (np.full(len(assigned), -1), [])
    shape = len(arms), len(tiers) + 1
    cell = arm * shape[1] + np.where(tier < 0, len(tiers), tier)
    buying = next((name for name in ["orders", "spend", "response"] if name in assigned), None)
    bought = {name: numbers(assigned, name) > 0 for name in {buying, "response"} & set(assigned)}
    found = []
    for outcome in outcomes:
        value = numbers(assigned, outcome)
        buyer = bought.get("response" if outcome == "response" else buying, value > 0)
        found.append(_laid_out(_moments(cell, value, buyer, shape)))
    table = pd.DataFrame(np.concatenate(found or [np.empty((0, 4))]), columns=["n", "mean", "var", "buyers"])
    names = [(a, ALL) for a in arms] + [(a, t) for a in arms for t in tiers]
    table[["arm", "tier"]] = pd.DataFrame(names * len(outcomes), columns=["arm", "tier"]).astype(str)
    table["outcome"] = pd.Series(np.repeat(outcomes, len(names)), dtype=str)
    return table[table["n"] > 0].astype({"n": int, "buyers": int}).reset_index(drop=True)


def _laid_out(grids):
    """Rows of the arms' totals, then of arm by tier, from grids whose first column is the total, the last tierless."""
    return np.array([np.append(grid[:, 0], grid[:, 1:-1]) for grid in grids]).T


def _moments(cell, value, buyer, shape):
    """Grids of n, mean, variance and buyers by arm (rows) and all, each tier, no tier (columns)."""
    size, known = shape[0] * shape[1], np.isfinite(value)
    n = _counts(cell if known.all() else cell[known], shape)
    bought = _counts(cell[buyer if known.all() else buyer & known], shape)
    some = np.flatnonzero(known & (value != 0))  # few bought: whoever did not adds the square of the mean, all at once
    cell, value = cell[some], value[some]
    total = _exact_sums(cell, value, size).reshape(shape)
    mean = total / np.maximum(n[:, 1:], 1)
    within = _exact_sums(cell, (value - mean.ravel()[cell]) ** 2, size).reshape(shape)
    within += (n - _counts(cell, shape))[:, 1:] * mean**2
    mean = np.column_stack([total.sum(axis=1) / np.maximum(n[:, 0], 1), mean])
    between = (n[:, 1:] * (mean[:, 1:] - mean[:, :1]) ** 2).sum(axis=1)
    squares = np.column_stack([within.sum(axis=1) + between, within])
    var = np.where(n > 1, squares / np.maximum(n - 1, 1), np.nan)
    # deviations no larger than the rounding of the mean are none: such a cell does not vary
    var[var < np.square(8 * np.finfo(float).eps * mean)] = 0
    return n, np.where(n > 0, mean, np.nan), var, bought


def _counts(cell, shape):
    """Rows per cell, the arm's total before them."""
    counts = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    return np.column_stack([counts.sum(axis=1), counts])


def _exact_sums(cell, value, size):
    """Sums of ``value`` by cell that no order of the rows can change.

    Each value is cut into a head and a tail, whole steps of a power of two so coarse that no partial sum is rounded
    (Demmel and Nguyen 2013, Fast reproducible floating-point summation).
    """
    total = np.zeros(size)
    for _ in ("head", "tail"):
        most = np.abs(value).max(initial=0.0) * len(value)
        if most == 0:
            break
        step = 2.0 ** (np.ceil(np.log2(most)) - MANTISSA)
        part = np.rint(value / step) * step
        total += np.bincount(cell, weights=part, minlength=size)
        value = value - part
    return total


def against(cells, control):
    """Put the control's cell of the same outcome and tier beside each treated cell; n_control 0 where there is none."""
    held_out = cells["arm"].to_numpy() == str(control)
    keys = list(zip(cells["outcome"], cells["tier"], strict=True))
    place = {keys[row]: row for row in np.flatnonzero(held_out)}
    treated = np.flatnonzero(~held_out)
    control_row = np.array([place.get(keys[row], -1) for row in treated], dtype=int)
    table = {name: cells[name].to_numpy()[treated] for name in ("arm", "tier", "outcome")}
    for name, absent in {"n": 0, "mean": np.nan, "var": np.nan, "buyers": 0}.items():
        values = cells[name].to_numpy()
        table |= {f"{name}_treated": values[treated]}
        table |= {f"{name}_control": np.append(values, absent).astype(type(absent))[control_row]}
    return pd.DataFrame(table).astype({"arm": str, "tier": str, "outcome": str})


def welch_interval(difference, of_treated, n_treated, of_control, n_control):
    """Low and high of the Welch 95 % interval of a difference of means; ``of_*`` is variance over n of each arm.

    Numbers or arrays; null where an arm has fewer than two customers or nobody varies.
    """
    from scipy.special import stdtrit

    squared, df = _welch_df(of_treated, n_treated, of_control, n_control)
    half = stdtrit(df, 1 - LEVEL / 2) * np.sqrt(squared)
    return difference - half, difference + half


def _welch_df(of_treated, n_treated, of_control, n_control):
    """Squared standard error of the difference and its degrees of freedom; null as in `welch_interval`."""
    given = (of_treated, n_treated, of_control, n_control)
    of_treated, n_treated, of_control, n_control = (np.asarray(value, dtype=float) for value in given)
    known = (n_treated > 1) & (n_control > 1) & (of_treated + of_control > 0)
    squared = np.where(known, of_treated + of_control, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return squared, squared**2 / (of_treated**2 / (n_treated - 1) + of_control**2 / (n_control - 1))


def welch(table):
    """se, effect, its 95 % interval low and high, and p of each row of `against`; null where an arm has under two
    customers or nobody varies.
    """
    from scipy.special import stdtr

    n_treated, n_control = (table[name].to_numpy(dtype=float) for name in ("n_treated", "n_control"))
    with np.errstate(divide="ignore", invalid="ignore"):
        of_treated, of_control = (
            table["var_treated"].to_numpy() / n_treated,
            table["var_control"].to_numpy() / n_control,
        )
    squared, df = _welch_df(of_treated, n_treated, of_control, n_control)
    se = np.sqrt(squared)
    effect = np.where(se > 0, table["mean_treated"].to_numpy() - table["mean_control"].to_numpy(), np.nan)
    low, high = welch_interval(effect, of_treated, n_treated, of_control, n_control)
    return {"se": se, "effect": effect, "low": low, "high": high, "p": 2 * stdtr(df, -np.abs(effect / se))}


def student(table):
    """p of Student's t of each row of `against`: one variance for both arms, as there is where nothing was done."""
    from scipy.special import stdtr

    n_treated, n_control = (table[name].to_numpy(dtype=float) for name in ("n_treated", "n_control"))
    df = n_treated + n_control - 2
    within = (n_treated - 1) * table["var_treated"].to_numpy() + (n_control - 1) * table["var_control"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        se = np.sqrt(within / df * (1 / n_treated + 1 / n_control))
        t = (table["mean_treated"].to_numpy() - table["mean_control"].to_numpy()) / np.where(se > 0, se, np.nan)
    return 2 * stdtr(df, -np.abs(t))


def holm(p):
    """Holm's adjusted p of one family of tests (array); null stays null and is not counted."""
    order = np.argsort(p)
    left = np.maximum(np.isfinite(p).sum() - np.arange(len(p)), 1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * left), 1)
    return adjusted


def beside(values, chosen, groups):
    """The value of each group's one ``chosen`` row, laid beside all rows of the group; null where there is none."""
    found = np.full(groups.max(initial=-1) + 1, np.nan)
    found[groups[chosen]] = values[chosen]
    return found[groups]


def groups(*keys):
    """Number of each row's group, rows being alike in all ``keys``; every group that there is has rows."""
    whole = np.zeros(len(keys[0]), dtype=int)
    for key in keys:
        _, found = np.unique(key.astype(str), return_inverse=True)
        _, whole = np.unique(whole * (found.max(initial=0) + 1) + found, return_inverse=True)
    return whole
