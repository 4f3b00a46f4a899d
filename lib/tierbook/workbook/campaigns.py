"""Campaigns of a month: who was assigned, what each did since, and what the campaign's effect was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from tierbook import trial
from tierbook.accounting import day_date
from tierbook.insight import assignment, campaign, ledger
from tierbook.params import Campaign
from tierbook.scores import maps
from tierbook.workbook import tiers

if TYPE_CHECKING:
    from tierbook.workbook import Workbook


def campaigns(month: Workbook) -> dict[str, Any]:
    """``assigned``, ``effects`` and ``open`` of every campaign in the contacts table, or of a finished trial.

    ``assigned`` has reviewed (bool): who the effects, and all that stands beside them, are computed from.
    """
    found = [part(month) for table, part in (("contacts", _of_contacts), ("trial", _of_trial)) if month.has(table)]
    tables = {name: pd.concat([part[name] for part in found], ignore_index=True) for name in ("assigned", "effects")}
    return {**tables, "open": sorted(name for part in found for name in part["open"])}


def _of_contacts(month: Workbook) -> dict[str, Any]:
    rules = month.params.campaign
    assigned = assignment.first_assignments(month.table("contacts"))
    asked = assigned[["campaign", "customer_id", "assigned_day"]]
    done = month.tables.collect(lambda engine, days: assignment.behaviour(days, engine.frame(asked), rules), "days")
    reviewed = assignment.outcomes(assigned, done, rules, month.params.margin)
    reviewed["tier"] = trial.grouped(_tiers_before(month, reviewed), rules.tiers)
    over = assignment.is_over(assigned, month.as_of, rules)
    reviewed["reviewed"] = reviewed["campaign"].map(over) & ~_on_the_list_before(month, reviewed)
    return {"assigned": reviewed, "effects": _effects(reviewed, rules), "open": sorted(over.index[~over])}


def _effects(assigned: pd.DataFrame, rules: Campaign) -> pd.DataFrame:
    outcomes = [name for name in rules.outcomes if name in assigned]
    return campaign.review(
        assigned[assigned["reviewed"]], rules.control, outcomes, rules.covariates, rules.shares, rules.lower_is_better
    )


def _on_the_list_before(month: Workbook, assigned: pd.DataFrame) -> pd.Series:
    """Whether a customer stood on the same list of ours before: of those only the first month is a fair comparison."""
    drawn = {str(action["code"]) for action in month.catalogue}
    own = assigned["campaign"].str.extract(r"^\d{4}-\d{2} (.+)$")[0].isin(drawn)
    return own & ~ledger.first_time(assigned, month.catalogue)


def _of_trial(month: Workbook) -> dict[str, Any]:
    rules = month.params.campaign
    # a trial is finished, and no day of assignment is known
    reviewed = _with_profit(month.table("trial"), month).assign(reviewed=True, assigned_day=float("nan"))
    return {"assigned": reviewed, "effects": _effects(reviewed, rules), "open": []}


def _with_profit(rows: pd.DataFrame, month: Workbook) -> pd.DataFrame:
    """``rows`` with profit: the trial's own column, else margin × spend less the cost of contact where a margin is known."""
    margin, rules = month.params.margin, month.params.campaign
    rows = rows.assign(contact_cost=assignment.contact_cost(rows, rules))
    if "profit" in rows or "spend" not in rows or margin is None:
        return rows
    return rows.assign(profit=campaign.profit(rows["spend"], None, margin, rows["contact_cost"], rows["contacted"]))


def _tiers_before(month: Workbook, assigned: pd.DataFrame) -> pd.Series:
    """The tier on the day before assignment, as behaviour alone gives it: without protection or overrides."""
    eves = assigned["assigned_day"] - 1
    dates = [day_date(day) for day in sorted(eves.unique())]
    found = tiers.at(month, tiers.windows(month, dates, assigned["customer_id"]))[["end", "customer_id", "tier"]]
    tier = assigned.assign(end=eves).merge(found, on=["end", "customer_id"], how="left")["tier"]
    return tier.astype(object).fillna(maps.OUTSIDE).set_axis(assigned.index)
