"""Arms side by side: counts, means and variances of each outcome, by arm and tier, the control's beside the others'."""

import numpy as np
import pandas as pd

from tierbook.errors import InputError

ALL = "all"


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
    twice = assigned["customer_id"].duplicated() if "customer_id" in assigned else no_arm
    if twice.any():
        first = assigned.loc[twice, "customer_id"].head(3).tolist()
        raise InputError(
            f"assigned customers: customer_id repeats in {twice.sum()} rows, as {first}; keep one row each"
        )
    if by in assigned and (assigned[by] == ALL).any():
        raise InputError(f"assigned customers: a tier in {by} is named 'all', which means the total; rename it")


def _numbers(assigned, column):
    numbers = pd.to_numeric(assigned[column], errors="coerce")
    bad = numbers.isna() & assigned[column].notna()
    if bad.any():
        first = assigned.loc[bad, column].head(3).tolist()
        raise InputError(f"assigned customers: {bad.sum()} values of {column} are not numbers, as {first}")
    return numbers.to_numpy(dtype=float, na_value=np.nan)


def cells(assigned, outcomes, by):
    """One row per outcome, arm and tier (``all`` first): n, mean, var, buyers."""
    keys = ["arm", by] if by in assigned else ["arm"]
    groups = assigned[keys].astype("category").set_axis(["arm", "tier"][: len(keys)], axis=1)
    parts = []
    for outcome in outcomes:
        buying = next((name for name in ["orders", "spend", "response"] if name in assigned), outcome)
        bought = _numbers(assigned, outcome if outcome == "response" else buying) > 0
        # Sorted by value, so that sums have the same last digit whatever the order of the rows.
        rows = groups.assign(value=_numbers(assigned, outcome), bought=bought)
        rows = rows.dropna(subset="value").sort_values("value")
        parts += [_moments(rows, ["arm"]).assign(tier=ALL, outcome=outcome)]
        if "tier" in groups:
            parts += [_moments(rows, ["arm", "tier"]).assign(outcome=outcome)]
    return pd.concat(parts, ignore_index=True).astype({"arm": str, "tier": str})


def _moments(rows, keys):
    grouped = rows.groupby(keys, observed=True)
    value, buyers = grouped["value"], grouped["bought"].sum()
    moments = {"n": grouped.size(), "mean": value.mean(), "var": value.var(), "buyers": buyers}
    return pd.DataFrame(moments).reset_index()


def against(cells, control):
    """Put the control's cell of the same outcome and tier beside each treated cell; n_control 0 where there is none."""
    keys = ["outcome", "tier"]
    of_control = cells["arm"] == str(control)
    held_out = cells[of_control].drop(columns="arm")
    table = cells[~of_control].merge(held_out, on=keys, how="left", suffixes=("_treated", "_control"))
    return table.fillna({"n_control": 0, "buyers_control": 0}).astype({"n_control": int})
