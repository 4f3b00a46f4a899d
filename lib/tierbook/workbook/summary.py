"""The month as a whole: its measures month by month, and the book of all customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from tierbook import book
from tierbook.accounting import day_number
from tierbook.insight import actions, scorecard

if TYPE_CHECKING:
    from tierbook.workbook import Workbook


def measures_by_month(month: Workbook) -> pd.DataFrame:
    """The scorecard's measures of this month and the twelve before, as far as the history reaches."""
    first = month.history()["first_day"].min()
    known = [k for k in range(13) if k == 0 or day_number(month.dates[k + 1]) >= first]
    found = [scorecard.measures(_facts(month, k)).assign(months_ago=k) for k in known]
    return pd.concat(found, ignore_index=True)


def _facts(month: Workbook, k: int) -> scorecard.Month:
    return scorecard.Month(
        end=month.dates[k],
        start=month.dates[k + 1],
        sales=month.sales()["sales"],
        first_days=month.first_days,
        tiers=month.tier_path(),
        best=month.tier_scheme.order[0],
        **{name: month.table(name) for name in ("surveys", "costs", "leads")},
    )


def assemble(month: Workbook) -> pd.DataFrame:
    """The book: every score of every customer beside its reason."""
    found, scored = month.history(), month.scores()
    last = month.dates[1]
    before = month.scale.apply(month.measures(last)).set_axis(month.history(last)["customer_id"])
    columns = [
        found.drop(columns="recency_days"),
        scored.drop(columns=["customer_id", "recency_days"]),
        found["recency_days"],
        book.trend(found),
        book.changes(scored, before, month.moved()),
        book.gaps(month.next_tier(), month.params.currency).set_axis(found.index),
        month.value()["customers"].drop(columns="customer_id"),
        month.warned()["customers"][["alert", "alert_reason", "value_at_stake"]],
    ]
    people = actions.with_people(pd.concat(columns, axis=1), month.table("customers"))
    chosen = month.planned().query("not held_out").set_index("customer_id")["action"]
    return book.assemble(people.assign(action=people["customer_id"].map(chosen)))
