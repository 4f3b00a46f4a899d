"""Customers beside each other: clusters, checklist, stages from month to month, leads, slices, and one customer's card."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pandas as pd

from tierbook import history, lookup
from tierbook.accounting import day_number
from tierbook.insight import card, cluster_path, restated, slices, stages
from tierbook.insight.actions import read_actions
from tierbook.params import resolve
from tierbook.scores.clusters import ClusterRule
from tierbook.scores.lifecycle import STAGES
from tierbook.scores.rfm import MEASURED, Scale, fit_scale, in_measures

if TYPE_CHECKING:
    from tierbook.workbook import Workbook
    from tierbook.workbook.customers import Customers

CHECKLIST = "value_customer"


def distinct_measures(month: Workbook, date: dt.date | None = None) -> pd.DataFrame:
    """Distinct recency_days, frequency and monetary at a date with how many ``customers`` share them, none null."""
    return in_measures(month.distinct_histories(MEASURED, date), month.params.rfm).dropna()


def clusters(month: Workbook) -> dict[str, Any]:
    """Clusters at as_of and the thirteen months before (`insight.cluster_path`); nothing where customers are too few."""
    params, few = month.params, month.degraded("min_customers")

    def measured(date: dt.date) -> pd.DataFrame:
        found = distinct_windows(month, date)
        return in_measures(found.head(0) if few else found, params.rfm).dropna()

    def moved(rule: ClusterRule | None) -> pd.DataFrame:
        return pd.concat(month.by_part(partial(_cluster_moves, rule, few)), ignore_index=True)

    return cluster_path.path(measured, moved, month.dates, params.clusters.k, params.seed)


def distinct_windows(month: Workbook, date: dt.date, window_days: int | None = None) -> pd.DataFrame:
    """The distinct measures of the window before a date with how many ``customers`` share them, in rising order."""
    step = month.kept_window(date, window_days)
    with month.tables.engine() as engine:
        found = engine.collect(history.distinct(month.tables.scan_step(engine, step), MEASURED))
    return found.sort_values(MEASURED, ignore_index=True)


def _cluster_moves(rule: ClusterRule | None, few: bool, part: Customers) -> pd.DataFrame:
    return cluster_path.moves(partial(_window, part, few), part.whole.dates, rule, part.whole.params.rfm)


def _window(part: Customers, few: bool, date: dt.date) -> pd.DataFrame:
    found = part.window(date, columns=["customer_id", *MEASURED])
    return found.head(0) if few else found


def cluster_labels(part: Customers) -> pd.DataFrame:
    """customer_id, cluster and cluster_before of each customer: at as_of and a month before, by this year's rule; null
    without an order in the window, and throughout where there is no rule."""
    kept, ids = part.whole.cluster_path()["rule"], part.history(columns=["customer_id"])
    if kept is None:
        return ids.assign(**dict.fromkeys(("cluster", "cluster_before"), pd.Series(pd.NA, ids.index, dtype="Int8")))
    rule, before = ClusterRule(**kept), part.measures(part.whole.dates[1])
    then = lookup.of(ids["customer_id"], before["customer_id"], rule.apply(before)).astype("Int8")
    return ids.assign(cluster=rule.apply(part.measures()), cluster_before=then)


def checklist_scale(month: Workbook) -> Scale:
    """The scale that the checklist reads r, f and m on: the report's, or where that has another number of scores than
    the checklist quantile cuts fitted for it alone."""
    bins, scale = month.value_customers.bins, month.scale
    if bins == scale.bins:
        return scale
    own = month.params.rfm.model_copy(update={"method": "quantile", "bins": bins})
    return fit_scale(distinct_measures(month), own, month.as_of, fixed=month.degraded("min_customers"))


def value_checklist(part: Customers) -> pd.DataFrame:
    """The value-customer checklist of each customer: customer_id, its criteria, met, known."""
    rules, measured = part.whole.value_customers, part.measures()
    scale = part.whole.checklist_scale
    judged = rules.apply(pd.concat([scale.apply(measured), part.traits(rules.traits)], axis=1))
    return pd.concat([measured[["customer_id"]], judged], axis=1)


def stage_transitions(month: Workbook) -> pd.DataFrame:
    """Stage a month ago by stage now, beside the same month last year, all by this month's cadence."""
    return stages.compare(*(_transitions(month, *month.dates[k : k + 2]) for k in (0, 12)))


def _transitions(month: Workbook, now: dt.date, before: dt.date) -> pd.DataFrame | None:
    if now != month.as_of and day_number(before) < month.first_day:
        return None
    return stages.together(list(month.by_part(partial(_staged, before, now))))


def _staged(before: dt.date, now: dt.date, part: Customers) -> pd.DataFrame:
    then, later = (part.history(date, ["customer_id"]).assign(stage=part.stage(date)) for date in (before, now))
    return stages.transitions(then, later)


def leads(month: Workbook) -> pd.DataFrame:
    """The funnel of leads by channel (`insight.stages.leads`)."""
    known = month.history(columns=["customer_id", "first_day", "active_days"])
    return stages.leads(month.table("leads"), known, day_number(month.dates[1]), month.end)


def late_refunds(month: Workbook) -> pd.DataFrame:
    """What was booked since on the orders of each of the last three whole months (`insight.restated`)."""
    ends = [day_number(date) for date in month.dates]
    spans = pd.DataFrame({"start": ends[2:5], "end": ends[1:4]})
    found = month.tables.collect(
        lambda engine, lines: restated.restated(lines, engine.frame(spans), month.end), "transactions"
    )
    return restated.table(found)


FIRST_VALUES = "first_values"


_ASKED = ["customer_id", *slices.ATTRIBUTES, "birthday"]


def customers_with_bands(part: Customers) -> pd.DataFrame | None:
    """The customers table with sizes and ages in bands; None where it was not given."""
    customers, edges = part.table("customers", _ASKED), part.whole.params.segments.size_bands
    if customers is None:
        return None
    if part.whole.sizes_are_numbers:
        customers["company_size"] = slices.size_bands(customers["company_size"], edges)
    return customers.assign(age=slices.age_bands(customers, part.whole.as_of))


def sizes_are_numbers(month: Workbook) -> bool:
    """`slices.are_numbers` of the company sizes in the customers table."""
    found = month.tables.collect(lambda _, table: table.select("company_size").unique(), "customers")
    return slices.are_numbers(found["company_size"])


def _one_of_each(month: Workbook) -> pd.DataFrame | None:
    """A row with a value of each attribute that the customers table knows of anybody; None without the table."""
    if not month.has("customers"):
        return None
    until = dt.datetime.combine(month.as_of, dt.time.max)

    def largest(_, table):
        possible = nw.when(nw.col("birthday") <= until).then(nw.col("birthday")).alias("birthday")
        return table.with_columns(possible).select(nw.col(*slices.ATTRIBUTES, "birthday").max())

    found = month.tables.collect(largest, "customers")
    return found.assign(age=slices.age_bands(found, month.as_of))


def origins(month: Workbook) -> dict[str, str]:
    """Which table says what of customers (`insight.slices.origins`); what their first orders say is kept where asked."""
    customers = _one_of_each(month)
    known = slices.origins(customers, None)
    lacking = [column for column in ("region", "channel", "store") if column not in known]
    if not lacking:
        return known

    def first(_, lines, days):
        return slices.first_values(lines, days, lacking)

    month.tables.keep(FIRST_VALUES, first, "transactions", "days", order=["customer_id"])
    with month.tables.engine() as engine:
        said = engine.collect(month.tables.scan_step(engine, FIRST_VALUES).select(nw.col(*lacking).max()))
    return slices.origins(customers, said)


def attributes(part: Customers) -> pd.DataFrame:
    """Region, industry, company size, channel, store, gender, age and tenure of each customer, as far as known."""
    month, found = part.whole, part.history(columns=["customer_id", "T"])
    tables = {"customers": customers_with_bands(part)}
    if "first_orders" in month.origins.values():
        tables["first_orders"] = part.read(FIRST_VALUES)
    return slices.attributes(found, tables, month.origins)


def published_slices(month: Workbook) -> pd.DataFrame:
    """Tier × stage by every attribute, small cells suppressed."""
    return slices.published(month.attribute_tallies(), month.tier_scheme.order, list(STAGES))


def _rows_of(frame: pd.DataFrame, customer_id: str) -> pd.DataFrame:
    return frame[frame["customer_id"] == str(customer_id)]


def one_card(month: Workbook, customer_id: str) -> dict[str, Any]:
    """Everything the month knows about one customer (`insight.card`)."""
    part = month.alone(customer_id)
    found = part.book()
    facts = card.Month(
        book=month.book(["customer_id"]) if found.empty else found,
        history=part.history(),
        tiers=pd.concat([_rows_of(part.tiers_on(date), customer_id) for date in month.dates], ignore_index=True),
        dates=month.dates,
        order=month.tier_scheme.order,
        scale=month.tier_scale,
        cadence=month.cadence(),
        missing=part.next_tier(),
        actions=read_actions(resolve(month.params.actions)),
        margin_known=month.margin_rate is not None,
    )
    bought = month.tables.look_up(lambda days: card.purchases_of(days, str(customer_id)), "days")
    return card.card(customer_id, bought, facts)
