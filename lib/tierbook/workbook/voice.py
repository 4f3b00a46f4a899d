"""What customers say and do beside their orders: surveys, tickets, contacts, visits, referrals, birthdays, by tier."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import narwhals as nw
import pandas as pd

from tierbook import lookup
from tierbook.engine import Engine
from tierbook.insight import actions, behaviour, reasons, service, touchpoints, visits, voice
from tierbook.insight.service_levels import service_levels
from tierbook.scores.maps import OUTSIDE

if TYPE_CHECKING:
    from tierbook.workbook import Workbook
    from tierbook.workbook.customers import Customers

LEAVING = ("at_risk", "lost")
SURVEYS = ["customer_id", "sent_at", "answered_at", "csat", "nps"]
TICKETS = ["customer_id", "opened_at", *service.MOMENTS.values(), "topic"]
"""What measures ask of the optional tables."""


def voice_table(month: Workbook) -> pd.DataFrame:
    """voice.csv: what surveys and tickets of the window say, by tier as of as_of; no row for a table not given."""
    rows, tiers, targets = [], _tiers(month), month.params.targets
    if month.has("surveys"):
        rows += voice.surveys(_placed(month, "surveys", SURVEYS), tiers, _window(month))
    if month.has("tickets"):
        asked = _placed(month, "tickets", TICKETS)
        inside = asked[voice.within(asked["opened_at"], _window(month))]
        rows += service.tickets(inside, tiers, _until(month))
        rows += _on_time(inside, tiers, targets, _until(month))
        rows += service.per_customer(pd.concat(month.by_part(_tickets), ignore_index=True), tiers)
    return voice.judged(rows, targets)


def ticket_topics(month: Workbook) -> pd.DataFrame:
    """ticket_topics.csv: what the window's tickets are about, by tier; empty without a tickets table."""
    if not month.has("tickets"):
        return pd.DataFrame(columns=service.TOPICS)
    asked = _placed(month, "tickets", TICKETS)
    return service.topics(asked[voice.within(asked["opened_at"], _window(month))], _tiers(month))


def _on_time(tickets: pd.DataFrame, tiers: list[str], targets: dict[str, float], until: pd.Timestamp) -> list[dict]:
    """The share of tickets done within the target's hours, where the params give them (`service_levels`)."""
    both = pd.concat([tickets.assign(tier=voice.ALL), tickets[tickets["tier"].notna()]], ignore_index=True)
    rows = []
    for name, measure in (("first_response", "first_response_hours"), ("resolution", "resolved_hours")):
        hours = targets.get(service.HOURS[name])
        if hours is not None:
            wanted = {tier: {measure: hours} for tier in (voice.ALL, *tiers)}
            found = service_levels(service.usable(both, service.MOMENTS[name]), wanted, until)
            found = found.rename(columns={"tickets": "n", "share": "value"}).assign(measure=service.ON_TIME[name])
            rows += found[["tier", "measure", "n", "value", "low", "high"]].to_dict("records")
    return rows


def behaviour_table(month: Workbook) -> pd.DataFrame:
    """behaviour.csv: what customers do beside ordering, by tier as of as_of; no row for a table not given."""
    tiers, counts = _tiers(month), month.counts()
    buyers = counts[counts["in_window"]].groupby("tier")["customers"].sum()
    rows = behaviour.channel_shares(_channel_orders(month), buyers, tiers)
    if month.has("contacts"):
        made = _placed(month, "contacts", ["customer_id", "channel", "contacted_at", *behaviour.ANSWERS.values()])
        gaps = pd.concat(month.by_part(_gaps), ignore_index=True)
        rows += behaviour.contact_gap(gaps if made["contacted_at"].notna().any() else gaps.head(0), tiers)
        rows += behaviour.responses(made, tiers, _window(month))
    if month.has("customers"):
        recorded = bool(month.table("customers", ["referred_by"])["referred_by"].notna().any())
        brought = pd.concat(month.by_part(_brought), ignore_index=True)
        rows += behaviour.referrals(brought.assign(known=brought["known"] & recorded), tiers)
        greetable = pd.concat(month.by_part(partial(_greetable, month.birthdays())), ignore_index=True)
        rows += behaviour.birthday_counts(greetable, tiers)
    if month.has("visits"):
        rows += _visits(month)
    rows = [{"channel": voice.ALL, **row} for row in rows]
    return voice.judged(rows, month.params.targets, further=["channel"])


def _tickets(part: Customers) -> pd.DataFrame:
    asked = part.table("tickets", ["customer_id", "opened_at"])
    return service.opened(_tiers_of(part), asked, _window(part.whole))


def _gaps(part: Customers) -> pd.DataFrame:
    contacts = part.table("contacts", ["customer_id", "contacted_at"])
    return behaviour.contact_gaps(_people(part), contacts, part.whole.end)


def _brought(part: Customers) -> pd.DataFrame:
    people = part.table("customers", ["customer_id", "referred_by"])
    return behaviour.brought(_tiers_of(part), people, part.traits(["referrals"])["referrals"])


def _greetable(greeted: pd.DataFrame, part: Customers) -> pd.DataFrame:
    return behaviour.greetable(_people(part), part.table("customers", behaviour.BORN), greeted)


VISITORS, FIRST_VISITS = "visitors", "first_visits"
"""The steps that hold `visits.visitors` and `visits.first_visits`."""


def _visits(month: Workbook) -> list[dict]:
    tiers, window = _tiers(month), _window(month)
    for step, build in (
        (FIRST_VISITS, lambda _, table: visits.first_visits(table, month.end)),
        (VISITORS, lambda _, table: visits.visitors(table, *window)),
    ):
        month.tables.keep(step, build, "visits", order=["customer_id"])
    known, seen = (pd.concat(parts, ignore_index=True) for parts in zip(*month.by_part(_visitors), strict=True))
    sources = month.tables.collect(
        lambda engine, table: visits.by_source(table, _tier_of_each(month, engine), *window), "visits"
    )
    return [
        *visits.browsing(seen, tiers),
        *visits.visiting(known, tiers, month.end),
        *visits.source_shares(sources, known.loc[known["visits"] > 0, "tier"].value_counts(), tiers),
    ]


def _visitors(part: Customers) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every customer with the visits counted, and whoever visited lately with the days of the first visits."""
    people = _tiers_of(part)
    dated = people.assign(last_day=part.history(columns=["last_day"])["last_day"])
    known = people.merge(part.read(VISITORS), on="customer_id", how="left", validate="one_to_one")
    seen = dated.merge(part.read(FIRST_VISITS), on="customer_id", how="inner", validate="one_to_one")
    return known.drop(columns="customer_id"), seen.drop(columns="customer_id")


def _channel_orders(month: Workbook) -> pd.DataFrame:
    window = _window(month)
    return month.tables.collect(
        lambda engine, lines: behaviour.channel_orders(lines, _tier_of_each(month, engine), *window), "transactions"
    ).sort_values(["tier", "channel"], ignore_index=True)


def birthdays(month: Workbook) -> pd.DataFrame:
    """birthdays.csv: whom to greet until the next report; empty without a customers table."""
    if not month.has("customers"):
        return pd.DataFrame(columns=behaviour.BIRTHDAYS)
    found = pd.concat(month.by_part(_greeted), ignore_index=True)
    return found.sort_values(["birthday", "customer_id"], ignore_index=True)


def _greeted(part: Customers) -> pd.DataFrame:
    month, table = part.whole, part.table("customers", behaviour.BORN)
    return behaviour.birthdays(_people(part), table, month.as_of, month.deadline)


def faults(month: Workbook) -> pd.DataFrame:
    """voice_faults.csv: rows of the optional tables that a measure could not use, or that only ``all`` counts."""
    rows = []
    if month.has("surveys"):
        rows += [*voice.survey_faults(month.table("surveys", SURVEYS)), _without_order(month, "surveys")]
    if month.has("tickets"):
        rows += [*service.ticket_faults(month.table("tickets", TICKETS)), _without_order(month, "tickets")]
    if month.has("customers"):
        rows += behaviour.birthday_faults(month.table("customers", behaviour.BORN), month.as_of)
    table = pd.DataFrame(rows, columns=voice.FAULTS).astype({"rows": int, "example": object})
    return table[table["rows"] > 0].reset_index(drop=True)


def _without_order(month: Workbook, name: str) -> tuple:
    placed = _placed(month, name, ["customer_id"])
    return voice.fault(name, "without_order", placed, placed["tier"].isna())


def churn_reasons(month: Workbook) -> pd.DataFrame:
    """churn_reasons.csv: reason codes of the window given by customers at risk or lost, beside the rest's."""
    book, found = month.book(["customer_id", "stage"]), []
    leaving = book["stage"].isin(LEAVING)
    for name, moment in (("surveys", "answered_at"), ("tickets", "opened_at")):
        if month.has(name):
            given = month.table(name, ["customer_id", moment, "reason"])
            given = given[voice.within(given[moment], _window(month))]
            told = given.assign(leaving=lookup.of(given["customer_id"], book["customer_id"], leaving.astype(object)))
            found.append(reasons.reasons(told, name))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=reasons.COLUMNS)


def touchpoint_table(month: Workbook) -> pd.DataFrame:
    """touchpoints.csv: what came next within 30 days after a contact, a visit, an order or a ticket of the window."""
    given = {event: table for event, (table, _) in touchpoints.EVENTS.items() if month.has(table)}
    counted = month.tables.collect(
        lambda _, days, *tables: touchpoints.transitions(days, dict(zip(given, tables, strict=True)), *_window(month)),
        "days",
        *given.values(),
    )
    return touchpoints.table(counted)


def _tiers(month: Workbook) -> list[str]:
    return [*month.tier_scheme.order, OUTSIDE]


def _window(month: Workbook) -> tuple[int, int]:
    return month.end - month.params.rfm.window_days, month.end


def _until(month: Workbook) -> pd.Timestamp:
    """The last moment of as_of: what is dated later has not happened yet."""
    return pd.Timestamp(month.as_of) + pd.Timedelta(days=1) - pd.Timedelta(microseconds=1)


def _tiers_of(part: Customers) -> pd.DataFrame:
    """customer_id and tier of each customer with an order up to as_of."""
    return part.book(["customer_id", "tier"]).fillna({"tier": OUTSIDE})


def _people(part: Customers) -> pd.DataFrame:
    """`_tiers_of` with owner and do_not_contact."""
    return actions.with_people(_tiers_of(part), part.table("customers", actions.PEOPLE))


def _tier_of_each(month: Workbook, engine: Engine) -> nw.LazyFrame:
    """customer_id and tier of everybody with an order up to as_of."""
    return month.tables.scan_step(engine, month.kept_book()).select("customer_id", nw.col("tier").fill_null(OUTSIDE))


def _placed(month: Workbook, name: str, columns: list[str]) -> pd.DataFrame:
    """The rows of a table with the tier of their customer as of as_of; null for who has no order."""
    tiers, found = _tiers_of(month), month.table(name, columns)
    return found.assign(tier=lookup.of(found["customer_id"], tiers["customer_id"], tiers["tier"]))
