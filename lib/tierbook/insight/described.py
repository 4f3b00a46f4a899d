"""A campaign that cannot be judged, described: the gap after it beside the gap that was there before it.

Nothing here is an effect. Who was picked for a campaign differs from who was not, mostly long before: targeted households
that spend 36 a week more than others after a campaign, and spent 37 more before it, show what picking does.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

COLUMNS = ["campaign", "arm", "others", "n_treated", "n_others", "naive_gap", "gap_before", "difference", "se"]


def described(assigned, others, control) -> pd.DataFrame:
    """Spend of each arm's customers against others', after assignment and for as long before; no effect, no test.

    Columns, money per customer over ``window_days``: naive_gap is mean spend after of the arm less that of the others;
    gap_before is the same of the ``window_days`` up to the day of assignment; difference is naive_gap less gap_before,
    what a difference-in-differences would call the effect if both would have gone the same way without the campaign,
    which nobody can know; se is its standard error (null where an arm has fewer than two customers). others:
    ``control`` where the campaign has that arm (its split is broken), else ``never_assigned``: customers known by then
    whom no campaign of that time touched. Gaps are null where there are no others; gap_before, difference and se where
    ``assigned`` has no spend_before.

    Parameters
    ----------
    assigned : the campaigns to describe, one row per customer: campaign, arm, spend, spend_before (`assignment.outcomes`)
    others : `assignment.others` of them; null where there are no orders (a finished trial)
    """
    rows = assigned[["campaign"]].assign(
        arm=assigned["arm"].astype(str),
        after=assigned["spend"].astype(float),
        before=assigned["spend_before"].astype(float) if "spend_before" in assigned else np.nan,
        customers=1.0,
    )
    arms = _moments(rows.dropna(subset="after"), ["campaign", "arm"])
    is_control = arms["arm"] == str(control)
    aside = arms[is_control].drop(columns="arm").assign(others="control")
    if others is not None and len(others):
        untouched = others.astype({"after": float, "before": float, "customers": float})
        untouched = _moments(untouched[~untouched["campaign"].isin(aside["campaign"])], ["campaign"])
        aside = pd.concat([aside, untouched.assign(others="never_assigned")], ignore_index=True)
    table = arms[~is_control].merge(aside, on="campaign", how="left", suffixes=("_treated", "_others"))
    table["naive_gap"] = table["after_treated"] - table["after_others"]
    table["gap_before"] = table["before_treated"] - table["before_others"]
    table["difference"] = table["naive_gap"] - table["gap_before"]
    table["se"] = np.sqrt(table["of_mean_treated"] + table["of_mean_others"])
    return table.fillna({"n_others": 0}).astype({"n_treated": int, "n_others": int})[COLUMNS]


def _moments(rows, keys):
    """n, means after and before, and the variance of the mean change, of rows that stand for ``customers`` each."""
    # Sorted by value, so that sums have the same last digit whatever the order of the rows.
    rows = rows.sort_values(["after", "before"])
    n = rows.groupby(keys)["customers"].transform("sum")
    shares = rows.assign(after=rows["after"] * rows["customers"] / n, before=rows["before"] * rows["customers"] / n)
    means = shares.groupby(keys)[["after", "before"]].sum(min_count=1)
    change = rows["after"] - rows["before"]
    mean_change = (change * rows["customers"] / n).groupby([rows[key] for key in keys]).transform("sum")
    squares = (rows["customers"] * (change - mean_change) ** 2).groupby([rows[key] for key in keys]).sum(min_count=1)
    total = rows.groupby(keys)["customers"].sum()
    return means.assign(n=total, of_mean=squares / (total - 1).where(total > 1) / total).reset_index()
