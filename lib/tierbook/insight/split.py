"""The split into arms: does it look like a random draw, and were the arms alike before?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tierbook.errors import ParamsError
from tierbook.insight.arms import against, cells, check

BROKEN_SPLIT_P = 0.001  # a review runs monthly: at 0.05 one sound campaign in twenty would be thrown away
MIN_EXPECTED = 5  # Cochran's rule for the chi-square approximation


@dataclass(frozen=True)
class SampleRatio:
    """Customers per arm, the chi-square statistic, its p (null when nothing could be checked) and the check made.

    ``check`` is ``planned_shares``, ``across_tiers`` or ``no_plan``.
    """

    n: dict
    chi2: float | None
    p: float | None
    check: str

    @property
    def broken(self) -> bool:
        """Whether the arms differ from a random draw so clearly (p < 0.001) that no effect may be read."""
        return self.p is not None and self.p < BROKEN_SPLIT_P


def sample_ratio(arms, shares=None, tiers=None) -> SampleRatio:
    """Check that the arms look like the random draw they should be; p < 0.001 stops the analysis.

    With planned ``shares`` (arm -> share or weight) this is the chi-square test of the arm counts. Without a plan,
    equal arms would be a wrong guess for a 20 % hold-out; but a random draw gives every tier the same mix of arms, so
    ``tiers`` (Series beside ``arms``) are tested for homogeneity, over tiers where each expected count is 5 or more.
    That is blind to a fault that hits all tiers alike. With neither, p is null and the check is ``no_plan``. Where the
    draw differed by tier on purpose, review the tiers one at a time: their total would mix the two.

    Raises
    ------
    ParamsError : an arm without a planned share, or a share that is not positive
    """
    from scipy import stats

    counts = arms.value_counts().sort_index()
    n = {arm: int(count) for arm, count in counts.items()}
    if shares is not None:
        unplanned = [arm for arm in n if arm not in shares]
        if unplanned or min(shares.values()) <= 0:
            raise ParamsError(f"campaign shares: every arm needs a positive share; arms {list(n)}, shares {shares}")
        planned = pd.Series(shares, dtype=float).sort_index()
        observed = counts.reindex(planned.index, fill_value=0)
        test = stats.chisquare(observed, planned / planned.sum() * observed.sum())
        return SampleRatio(n, float(test.statistic), float(test.pvalue), "planned_shares")
    mix = pd.DataFrame() if tiers is None else pd.crosstab(tiers, arms)
    if len(mix):
        expected = np.outer(mix.sum(axis=1), mix.sum(axis=0)) / mix.to_numpy().sum()
        mix = mix[(expected >= MIN_EXPECTED).all(axis=1)]
    if min(mix.shape) < 2:
        return SampleRatio(n, None, None, "no_plan")
    test = stats.chi2_contingency(mix, correction=False)
    return SampleRatio(n, float(test.statistic), float(test.pvalue), "across_tiers")


def balance(assigned, control, covariates) -> pd.DataFrame:
    """Standardised difference of each covariate known before assignment: (treated - control) / root mean variance.

    Columns arm, covariate, mean_treated, mean_control, smd; beyond +-0.1 a reader should ask why. Null where nobody
    varies, or where an arm has fewer than two customers.
    """
    check(assigned, list(covariates), by=None)
    table = against(cells(assigned, list(covariates), by=None), control)
    spread = np.sqrt((table["var_treated"] + table["var_control"]) / 2)
    table["smd"] = (table["mean_treated"] - table["mean_control"]) / spread.where(spread > 0)
    return table.rename(columns={"outcome": "covariate"})[["arm", "covariate", "mean_treated", "mean_control", "smd"]]


def draws(assigned, control) -> pd.DataFrame:
    """Whether each campaign's split looks like a random draw, one row per campaign and treated arm.

    Columns campaign, arm, n_treated, n_control, srm_p (`sample_ratio` over the tiers), draw (``fair``, ``broken``,
    ``unchecked`` or ``no_control``) and smd_orders, smd_spend: `balance` of pre_orders and pre_spend, null without them.
    """
    rows = []
    for name, people in assigned.groupby("campaign"):
        split = sample_ratio(people["arm"], None, people.get("tier"))
        before = [column for column in ("pre_orders", "pre_spend") if column in people]
        balanced = balance(people, control, before).set_index(["arm", "covariate"])["smd"] if before else pd.Series()
        held_out = split.n.get(str(control), 0)
        code = "broken" if split.broken else "unchecked" if split.p is None else "fair"
        for arm in (arm for arm in split.n if arm != str(control)):
            smd = [balanced.get((arm, f"pre_{measure}"), np.nan) for measure in ("orders", "spend")]
            rows.append((name, arm, split.n[arm], held_out, split.p, code if held_out else "no_control", *smd))
    columns = ["campaign", "arm", "n_treated", "n_control", "srm_p", "draw", "smd_orders", "smd_spend"]
    return pd.DataFrame(rows, columns=columns).astype({"srm_p": float})
