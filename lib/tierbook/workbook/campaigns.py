"""Campaigns of a month: who was assigned, what each did since, and what the campaign's effect was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from tierbook.accounting import day_date
from tierbook.insight import assignment, campaign
from tierbook.scores import maps
from tierbook.workbook import tiers

if TYPE_CHECKING:
    from tierbook.workbook import Workbook


def campaigns(month: Workbook) -> dict[str, Any]:
    """``assigned``, ``effects`` and ``open`` of every campaign in the contacts table."""
    rules = month.params.campaign
    assigned = assignment.first_assignments(month.table("contacts"))
    asked = assigned[["campaign", "customer_id", "assigned_day"]]
    done = month.tables.collect(lambda engine, days: assignment.behaviour(days, engine.frame(asked), rules), "days")
    reviewed = assignment.outcomes(assigned, done, rules, month.params.margin)
    reviewed["tier"] = _tiers_before(month, reviewed)
    over = assignment.is_over(assigned, month.as_of, rules)
    effects = campaign.review(reviewed[reviewed["campaign"].map(over)], rules.control, rules.outcomes)
    return {"assigned": reviewed, "effects": effects, "open": sorted(over.index[~over])}


def _tiers_before(month: Workbook, assigned: pd.DataFrame) -> pd.Series:
    """The tier on the day before assignment, as behaviour alone gives it: without protection or overrides."""
    eves = assigned["assigned_day"] - 1
    dates = [day_date(day) for day in sorted(eves.unique())]
    found = tiers.at(month, tiers.windows(month, dates))[["end", "customer_id", "tier"]]
    tier = assigned.assign(end=eves).merge(found, on=["end", "customer_id"], how="left")["tier"]
    return tier.astype(object).fillna(maps.OUTSIDE).set_axis(assigned.index)
