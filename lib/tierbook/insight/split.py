"""The split into arms: does it look like a random draw, and did the arms buy alike before?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tierbook.errors import ParamsError
from tierbook.insight.arms import against, cells, check, codes, numbers, student

BROKEN_SPLIT_P = 0.001  # a review runs monthly: at 0.05 one sound campaign in twenty would be thrown away
MIN_EXPECTED = 5  # Cochran's rule for the chi-square approximation
EQUAL_WITHIN = 0.15  # arms this near to equal shares were meant to be equal: hold-outs are a half, or a third and less
PAST = ("pre_orders", "pre_spend")  # known before assignment in every campaign that is read from the orders


@dataclass(frozen=True)
class SampleRatio:
    """Customers per arm, the chi-square statistic, its p (null when nothing could be checked) and the check made.

    ``check`` is ``planned_shares``, ``equal_shares``, ``across_tiers`` or ``no_plan``; in `split_check` also ``before``.
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

    Two chi-square tests, of which the first that broke is reported, else the first that could be made:

    - of the arm counts against the planned ``shares`` (arm -> share or weight). Without a plan, equal arms are taken
      as meant where every arm's share lies within 15 % of an equal one (0.425 to 0.575 of two arms): give the shares
      where 45 to 55 was the plan. Other shares, such as a 20 % hold-out, cannot be guessed.
    - of the mix of arms across ``tiers`` (Series beside ``arms``), which a random draw makes the same in each, over the
      tiers where each expected count is 5 or more. Without a plan it is blind to a fault that hits all tiers alike.

    With neither, p is null and the check is ``no_plan``. Where the draw differed by tier on purpose, review the tiers
    one at a time: their total would mix the two.

    Raises
    ------
    ParamsError : an arm without a planned share, or a share that is not positive
    """
    arm, names = codes(arms)
    counts = np.bincount(arm[arm >= 0], minlength=len(names))
    n = dict(zip(names.tolist(), counts.tolist(), strict=True))
    tests = [_of_counts(n, shares), None if tiers is None else _across(tiers, arm, len(names))]
    made = [test for test in tests if test is not None]
    chi2, p, name = next(
        (test for test in made if test[1] < BROKEN_SPLIT_P), made[0] if made else (None, None, "no_plan")
    )
    return SampleRatio(n, chi2, p, name)


def planned(shares, arms):
    """The part of ``shares`` that one campaign's arms have, null where none are planned."""
    return None if shares is None else {arm: share for arm, share in shares.items() if arm in set(arms)}


def _of_counts(n, shares):
    from scipy.special import chdtrc

    if shares is not None:
        if any(arm not in shares for arm in n) or min(shares.values()) <= 0:
            raise ParamsError(f"campaign shares: every arm needs a positive share; arms {list(n)}, shares {shares}")
        name = "planned_shares"
    else:
        shares, name = dict.fromkeys(n, 1), "equal_shares"
    observed = np.array([n.get(arm, 0) for arm in sorted(shares)])
    planned = np.array([shares[arm] for arm in sorted(shares)], dtype=float)
    expected = planned / planned.sum() * observed.sum()
    unequal = (np.abs(observed / expected - 1) > EQUAL_WITHIN).any()
    if len(planned) < 2 or (name == "equal_shares" and unequal):
        return None
    chi2 = ((observed - expected) ** 2 / expected).sum()
    return float(chi2), float(chdtrc(len(planned) - 1, chi2)), name


def _across(groups, arm, arms):
    """Chi-square test that every group has the same mix of arms; null where it cannot be made."""
    from scipy.special import chdtrc

    group, names = codes(groups)
    known = (group >= 0) & (arm >= 0)
    mix = np.bincount(group[known] * arms + arm[known], minlength=len(names) * arms).reshape(len(names), arms)
    mix = mix[(_expected(mix) >= MIN_EXPECTED).all(axis=1)]
    if min(mix.shape) < 2:
        return None
    chi2 = ((mix - _expected(mix)) ** 2 / _expected(mix)).sum()
    return float(chi2), float(chdtrc((mix.shape[0] - 1) * (arms - 1), chi2)), "across_tiers"


def _expected(mix):
    return np.outer(mix.sum(axis=1), mix.sum(axis=0)) / max(mix.sum(), 1)


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


def balance_p(assigned, control, covariates=()) -> float | None:
    """p that chance alone made the arms as unlike as they were before, over all covariates and arms (Bonferroni).

    Student's t of log(1 + value / median) of every arm against the control, for pre_orders, pre_spend and the
    ``covariates`` there are; the median is that of the values other than 0. On the logarithm, and with one variance for
    both arms (a random draw gives no other), because Welch's test of skewed spend stops up to 3 % of the sound draws
    with a small hold-out, and sees less. A covariate of words is tested as `sample_ratio` tests tiers. Null where there
    is nothing to compare.
    """
    present = [name for name in dict.fromkeys([*PAST, *covariates]) if name in assigned]
    measured = [name for name in present if pd.api.types.is_numeric_dtype(assigned[name])]
    arm, arms = codes(assigned["arm"])
    worded = [_across(assigned[name], arm, len(arms)) for name in present if name not in measured]
    scaled = pd.DataFrame({name: _logarithm(numbers(assigned, name)) for name in measured}).assign(
        arm=assigned["arm"].array
    )
    p = student(against(cells(scaled, measured, by=None), control))
    p = [*p[np.isfinite(p)], *(test[1] for test in worded if test)]
    return min(1.0, float(min(p)) * len(p)) if p else None


def _logarithm(value):
    size = np.abs(value)
    some = size[size > 0]
    return np.sign(value) * np.log1p(size / (np.median(some) if len(some) else 1.0))


def split_check(assigned, control, by="tier", *, shares=None, covariates=()) -> SampleRatio:
    """`sample_ratio` over ``by``, and where that holds, `balance_p`: p then is the balance's if that broke the split."""
    ratio = sample_ratio(assigned["arm"], shares, assigned.get(by))
    before = None if ratio.broken else balance_p(assigned, control, covariates)
    if before is not None and before < BROKEN_SPLIT_P:
        return SampleRatio(ratio.n, None, before, "before")
    return ratio


def draws(assigned, control, *, shares=None, covariates=()) -> pd.DataFrame:
    """Whether each campaign's split looks like a random draw, one row per campaign and treated arm.

    Columns campaign, arm, n_treated, n_control, srm_p (`sample_ratio`), balance_p (over all arms of the campaign), draw
    (``fair``; ``broken``: either p < 0.001; ``unchecked``: no srm_p; ``no_control``) and smd_orders, smd_spend: `balance`
    of pre_orders and pre_spend, null without them.
    """
    rows = []
    for name, people in assigned.groupby("campaign"):
        split = sample_ratio(people["arm"], planned(shares, people["arm"]), people.get("tier"))
        alike = balance_p(people, control, covariates)
        before = [column for column in PAST if column in people]
        balanced = balance(people, control, before).set_index(["arm", "covariate"])["smd"] if before else pd.Series()
        held_out = split.n.get(str(control), 0)
        broken = split.broken or (alike is not None and alike < BROKEN_SPLIT_P)
        code = "broken" if broken else "unchecked" if split.p is None else "fair"
        for arm in (arm for arm in split.n if arm != str(control)):
            smd = [balanced.get((arm, column), np.nan) for column in PAST]
            p = split.p, alike, code if held_out else "no_control"
            rows.append((name, arm, split.n[arm], held_out, *p, *smd))
    columns = ["campaign", "arm", "n_treated", "n_control", "srm_p", "balance_p", "draw", "smd_orders", "smd_spend"]
    return pd.DataFrame(rows, columns=columns).astype({"srm_p": float, "balance_p": float})
