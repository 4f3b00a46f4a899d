"""Customers beside each other: clusters, checklist, stages from month to month, leads, slices, and one customer's card."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pandas as pd

from tierbook.accounting import day_number
from tierbook.insight import card, cluster_path, restated, slices, stages
from tierbook.insight.actions import read_actions
from tierbook.params import resolve
from tierbook.scores import checklist
from tierbook.scores.lifecycle import STAGES
from tierbook.scores.rfm import fit_scale

if TYPE_CHECKING:
    from tierbook.workbook import Workbook

CHECKLIST = "value_customer"


def clusters(month: Workbook) -> dict[str, Any]:
    """Clusters at as_of and the thirteen months before (`insight.cluster_path`); nothing where customers are too few."""
    params, few = month.params, month.degraded("min_customers")

    def at(date: dt.date) -> pd.DataFrame:
        return month.window(date).head(0) if few else month.window(date)

    return cluster_path.path(at, month.dates, params.clusters.k, params.seed, params.rfm)


def value_checklist(month: Workbook) -> pd.DataFrame:
    """The value-customer checklist of every customer: customer_id, its criteria, met, known.

    Where the report's scale has another number of scores than the checklist, quantile cuts are fitted for it alone.
    """
    rules, measured = checklist.find(CHECKLIST), month.measures()
    scale = month.scale
    if rules.bins != scale.bins:
        own = month.params.rfm.model_copy(update={"method": "quantile", "bins": rules.bins})
        scale = fit_scale(measured.dropna(), own, month.as_of, fixed=month.degraded("min_customers"))
    judged = rules.apply(pd.concat([scale.apply(measured), month.traits(rules.traits)], axis=1))
    return pd.concat([measured[["customer_id"]], judged], axis=1)


def stage_transitions(month: Workbook) -> pd.DataFrame:
    """Stage a month ago by stage now, beside the same month last year, all by this month's cadence."""
    return stages.compare(*(_transitions(month, *month.dates[k : k + 2]) for k in (0, 12)))


def _transitions(month: Workbook, now: dt.date, before: dt.date) -> pd.DataFrame | None:
    if now != month.as_of and day_number(before) < month.first_days.min():
        return None
    at = [month.history(date)[["customer_id"]].assign(stage=month.stage(date)) for date in (before, now)]
    return stages.transitions(*at)


def leads(month: Workbook) -> pd.DataFrame:
    """The funnel of leads by channel (`insight.stages.leads`)."""
    return stages.leads(month.table("leads"), month.history(), day_number(month.dates[1]), month.end)


def late_refunds(month: Workbook) -> pd.DataFrame:
    """What was booked since on the orders of each of the last three whole months (`insight.restated`)."""
    ends = [day_number(date) for date in month.dates]
    spans = pd.DataFrame({"start": ends[2:5], "end": ends[1:4]})
    found = month.tables.collect(
        lambda engine, lines: restated.restated(lines, engine.frame(spans), month.end), "transactions"
    )
    return restated.table(found)


def attributes(month: Workbook) -> pd.DataFrame:
    """Region, industry, company size, channel, store, gender, age and tenure of every customer, as far as known."""
    customers = month.table("customers")
    if customers is not None:
        bands = month.params.segments.size_bands
        sizes = slices.size_bands(customers["company_size"], bands)
        customers = customers.assign(company_size=sizes, age=slices.age_bands(customers, month.as_of))
    known = slices.origins(customers, None)
    lacking = [column for column in ("region", "channel", "store") if column not in known]
    first = (
        month.tables.collect(lambda _, lines, days: slices.first_values(lines, days, lacking), "transactions", "days")
        if lacking
        else None
    )
    return slices.attributes(month.book(), month.history(), customers, first).reset_index()


def published_slices(month: Workbook) -> pd.DataFrame:
    """Tier × stage by every attribute, small cells suppressed."""
    known = month.attributes().set_index("customer_id")
    return slices.published(month.book(), known, month.tier_scheme.order, list(STAGES))


def _rows_of(frame: pd.DataFrame, customer_id: str) -> pd.DataFrame:
    return frame[frame["customer_id"] == str(customer_id)]


def one_card(month: Workbook, customer_id: str) -> dict[str, Any]:
    """Everything the month knows about one customer (`insight.card`)."""
    facts = card.Month(
        book=month.book(),
        history=month.history(),
        tiers=pd.concat([_rows_of(month.tiers_on(date), customer_id) for date in month.dates], ignore_index=True),
        dates=month.dates,
        order=month.tier_scheme.order,
        scale=month.tier_scale,
        cadence=month.cadence(),
        missing=month.next_tier(),
        actions=read_actions(resolve(month.params.actions)),
        margin_known=month.margin_rate is not None,
    )
    bought = month.tables.look_up(lambda days: card.purchases_of(days, str(customer_id)), "days")
    return card.card(customer_id, bought, facts)
