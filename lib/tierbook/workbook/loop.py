"""The closed loop of a month: this month's lists with their control arms, and what earlier actions have earned."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pandas as pd

from tierbook.accounting import day_number
from tierbook.insight import actions, assignment, behaviour, holdout, ledger
from tierbook.months import months_before
from tierbook.workbook import warning

if TYPE_CHECKING:
    from tierbook.workbook import Workbook
    from tierbook.workbook.customers import Customers


def planned(month: Workbook) -> pd.DataFrame:
    """Everybody on a list this month, and who of them is held out (`insight.actions.planned`)."""
    rules = month.params.campaign
    salt = f"{month.params.report.name}|actions|{month.params.seed}"
    listed = pd.concat(month.by_part(_now), ignore_index=True)
    return actions.drawn(listed, month.experience(), rules.holdout, salt)


def _now(part: Customers) -> pd.DataFrame:
    """Who is on which list this month."""
    scored = part.scores(["customer_id", "tier", "stage", "segment"])
    return _listed(part, scored.assign(alert=part.flags(["alert"])["alert"]), part.whole.as_of)


def _a_month_ago(part: Customers) -> pd.DataFrame:
    """Who would have been on which list a month ago."""
    month, date = part.whole, part.whole.dates[1]
    then = part.flags_last_month(["customer_id", "tier", "alert"])
    segment = month.segment_map.apply(part.cells(month.segment_map, date)).astype(object)
    return _listed(part, then.assign(stage=part.stage(date).astype(object), segment=segment), date)


def _listed(part: Customers, scored: pd.DataFrame, date: dt.date) -> pd.DataFrame:
    month = part.whole
    people = actions.with_people(scored, part.table("customers", actions.PEOPLE))
    flagged = people.loc[people["alert"], "customer_id"]
    ids = people["customer_id"]
    listable = people.assign(
        birthday=ids.isin(_greeted(part, people, date)), held_out=ids.isin(flagged[warning.held_out(month, flagged)])
    )
    return actions.listed(listable, month.catalogue)


def _greeted(part: Customers, people: pd.DataFrame, date: dt.date) -> pd.Series:
    """Who has a birthday from the day after ``date`` to the next report; nobody without a customers table."""
    table = part.table("customers", behaviour.BORN)
    if table is None:
        return pd.Series(dtype="str")
    return behaviour.birthdays(people, table, date, months_before(date, -1))["customer_id"]


def experience(month: Workbook) -> pd.DataFrame:
    """What those who would have been listed a month ago have spent since: what this month's control arms are sized by."""
    then = pd.concat(month.by_part(_a_month_ago), ignore_index=True)
    since = month.end - day_number(month.dates[1])
    spent = month.tables.collect(lambda _, days: holdout.spend_within(days, month.end, since), "days")
    return holdout.experience(then, spent)


def action_sizes(month: Workbook) -> pd.DataFrame:
    """How much a test of each of this month's actions can tell (`insight.holdout.sizes`)."""
    return holdout.sizes(month.planned(), month.experience(), month.margin_rate)


def action_list(month: Workbook) -> pd.DataFrame:
    """Who is on which list and in which arm, in the form of the contacts table (action_list.csv)."""
    language, control = month.params.report.languages[0], month.params.campaign.control
    return holdout.action_list(month.planned(), month.catalogue, month.as_of, control, language)


def loop(month: Workbook) -> dict[str, Any]:
    """``ledger`` of finished campaigns and of last month's call list, what each action has ``earned``, and what was
    ``called`` (`insight.ledger.alerts_outcome`)."""
    called = _called(month)
    found = month.campaigns() or {name: pd.DataFrame(columns=["campaign", "assigned_day"]) for name in _READ}
    dated = found["assigned"].dropna(subset="assigned_day")  # a trial beside the orders has no day, and is no action's
    effects = found["effects"][found["effects"]["campaign"].isin(dated["campaign"])]
    table = ledger.ledger(effects, dated, month.catalogue, called)
    return {"ledger": table, "earned": ledger.earned(month.catalogue, table), "called": called}


_READ = ("effects", "assigned")


def _called(month: Workbook) -> pd.DataFrame:
    """What became of last month's call list, called and held out."""
    contacts, control = month.table("contacts", ["customer_id", "contacted_at", "cost"]), month.params.campaign.control
    then = (day_number(month.dates[1]), month.end)
    listed = ledger.called(warning.listed_last_month(month), contacts, then, control)
    rules = month.params.campaign.model_copy(update={"window_days": then[1] - then[0]})
    asked = listed[["campaign", "customer_id", "assigned_day"]]
    done = month.tables.collect(lambda engine, days: assignment.behaviour(days, engine.frame(asked), rules), "days")
    reviewed = assignment.outcomes(listed, done, rules, month.params.margin)
    return ledger.alerts_outcome(reviewed, control, list(rules.outcomes), contacts is not None)["outcome"]
