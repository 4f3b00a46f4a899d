"""What to send to which tier after a test of several arms, and how large a test would show that tiers differ."""

import numpy as np
import pandas as pd

from tierbook.insight.arms import ALL, LEVEL
from tierbook.insight.campaign import POWER, headline

COLUMNS = ["tier", "arm", "stands_on", "effect", "low", "high", "verdict", "next_n"]


def choices(effects, outcome="profit") -> pd.DataFrame:
    """The arm to give each tier of one campaign's `campaign.effects`: of those that work and pay, the largest effect.

    One row per tier in the table's order: tier, arm (null: none pays there, give none), stands_on (``all`` where the
    arm's tiers are not shown to differ, so that its total speaks for every tier; else ``tier``), effect, low, high and
    verdict of that row (of the arm with the largest effect where none pays), next_n of the arm's own row in that tier.
    A larger effect is not a better arm: which of two paying arms is better takes a comparison of the two.
    """
    own = effects[(effects["outcome"] == outcome) & (effects["tier"] != ALL)]
    said = headline(effects, outcome)
    total = said[said["tier"] == ALL].drop(columns="tier").merge(own[["arm", "tier"]].drop_duplicates(), on="arm")
    rows = pd.concat([total.assign(stands_on=ALL), said[said["tier"] != ALL].assign(stands_on="tier")])
    rows = rows.drop(columns="next_n").merge(own[["arm", "tier", "next_n"]], on=["arm", "tier"])
    rows["pays"] = rows["verdict"] == "works_and_pays"
    best = rows.sort_values(["pays", "effect", "arm"], ascending=[False, False, True]).drop_duplicates("tier")
    best["arm"] = best["arm"].astype(object).where(best["pays"], None)
    order = {tier: place for place, tier in enumerate(own["tier"].unique())}
    return best.sort_values("tier", key=lambda tier: tier.map(order))[COLUMNS].reset_index(drop=True)


def times_larger(interaction_p: float, tiers: int) -> float:
    """How many times the customers it would take to show, at 5 % with 80 % power, that the tiers differ as they seem to.

    From Cochran's Q of the tiers' effects: Q less its degrees of freedom is the unbiased estimate of the noncentrality,
    which grows with the number of customers; needed is the one at which a noncentral chi-square passes the 5 % point
    eight times in ten (7.85 for two tiers, 9.63 for three). Under 1: the test was large enough. Null where Q is not above
    its degrees of freedom: no difference to be planned for.

    Source: Hedges and Pigott (2001), Psychological Methods 6, 203–217.
    """
    from scipy.optimize import brentq
    from scipy.stats import chi2, ncx2

    freedom = tiers - 1
    if freedom < 1 or not 0 < interaction_p <= 1:
        return np.nan
    seen = chi2.isf(interaction_p, freedom) - freedom
    point = chi2.isf(LEVEL, freedom)
    needed = brentq(lambda noncentrality: ncx2.sf(point, freedom, noncentrality) - POWER, 1e-6, 100)
    return float(needed / seen) if seen > 0 else np.nan
