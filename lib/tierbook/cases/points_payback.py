"""What a points rule would have to bring: the rise in sales that pays for it, and whether a test could see that rise."""

import numpy as np
import pandas as pd

from tierbook.errors import ParamsError
from tierbook.insight.arms import ALL
from tierbook.insight.campaign import detectable, sample_size

COLUMNS = ["tier", "customers", "sales_per_customer", "full_share", "lift_to_pay", "detectable_lift", "needed"]


def payback(costs: pd.DataFrame, yearly: pd.DataFrame, margin: float) -> pd.DataFrame:
    """The rise in sales that a points rule needs to earn what it costs, by tier (``all`` first).

    tier; customers and sales_per_customer (the report's currency): of ``yearly``; full_share: the rule's cost and
    liability as a share of sales; lift_to_pay: full_share / (margin − full_share), the relative rise in sales at which
    the margin left after points equals the margin before, points on the new sales paid too (null where the points eat
    the whole margin: no rise pays); needed: customers per arm of a year's test that sees that rise eight times in ten
    (`campaign.sample_size`); detectable_lift: the rise that a test on half of these customers would see so often. Null
    under 10 customers.

    Parameters
    ----------
    costs : `points.cost` (tier, full_share)
    yearly : one row per customer: tier and net, net sales of a year
    margin : share of net sales, above 0

    Raises
    ------
    ParamsError : a margin that is not above 0 and at most 1
    """
    if not 0 < margin <= 1:
        raise ParamsError(f"margin: {margin} is not a share above 0 and at most 1; write 40 % as 0.4")
    both = pd.concat([yearly.assign(tier=ALL), yearly])
    by_tier = both.groupby("tier", observed=True)["net"].agg(["size", "mean", "std"])
    table = costs[["tier", "full_share"]].merge(by_tier, left_on="tier", right_index=True)
    table = table.rename(columns={"size": "customers", "mean": "sales_per_customer"})
    share = table["full_share"].where(table["customers"] >= 10)
    table["lift_to_pay"] = (share / (margin - share)).where(share < margin)
    spread = (table["std"] / table["sales_per_customer"]).where(table["sales_per_customer"] > 0)
    needed = sample_size(table["lift_to_pay"], spread)
    table["needed"] = pd.array(np.where(np.isfinite(needed), needed, np.nan), dtype="Int64")
    table["detectable_lift"] = _detectable(spread, table["customers"] / 2).where(share.notna())
    return table[COLUMNS].reset_index(drop=True)


def _detectable(spread: pd.Series, per_arm: pd.Series) -> pd.Series:
    """`sample_size` turned round: the effect that two arms of a given size see, in means, for a spread in means."""
    return detectable(spread * np.sqrt(2 / per_arm))
