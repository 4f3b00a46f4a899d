"""What customers say and do beside their orders: surveys, tickets, contacts, visits, referrals, birthdays, by tier."""

from __future__ import annotations

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

LEAVING = ("at_risk", "lost")


def voice_table(month: Workbook) -> pd.DataFrame:
    """voice.csv: what surveys and tickets of the window say, by tier as of as_of; no row for a table not given."""
    rows, tiers, targets = [], _tiers(month), month.params.targets
    if month.has("surveys"):
        rows += voice.surveys(_placed(month, "surveys"), tiers, _window(month))
    if month.has("tickets"):
        asked = _placed(month, "tickets")
        inside = asked[voice.within(asked["opened_at"], _window(month))]
        rows += service.tickets(inside, tiers, _until(month))
        rows += _on_time(inside, tiers, targets, _until(month))
        rows += service.per_customer(_people(month), asked, _window(month), tiers)
    return voice.judged(rows, targets)


def ticket_topics(month: Workbook) -> pd.DataFrame:
    """ticket_topics.csv: what the window's tickets are about, by tier; empty without a tickets table."""
    if not month.has("tickets"):
        return pd.DataFrame(columns=service.TOPICS)
    asked = _placed(month, "tickets")
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
    tiers, people, book = _tiers(month), _people(month), month.book(["tier", "frequency"])
    buyers = book.loc[book["frequency"] > 0, "tier"].astype("str").value_counts()
    rows = behaviour.channel_shares(_channel_orders(month), buyers, tiers)
    if month.has("contacts"):
        contacts = _placed(month, "contacts")
        rows += behaviour.contact_gap(people, contacts, month.end, tiers)
        rows += behaviour.responses(contacts, tiers, _window(month))
    if month.has("customers"):
        table = month.table("customers", [*behaviour.BORN, "referred_by"])
        referred = month.traits(["referrals"])["referrals"]
        rows += behaviour.referrals(people, table, referred, tiers)
        rows += behaviour.birthday_counts(people, table, month.birthdays(), tiers)
    if month.has("visits"):
        rows += _visits(month, people)
    rows = [{"channel": voice.ALL, **row} for row in rows]
    return voice.judged(rows, month.params.targets, further=["channel"])


def _visits(month: Workbook, people: pd.DataFrame) -> list[dict]:
    tiers, window = _tiers(month), _window(month)
    first = month.tables.collect(lambda _, table: visits.first_visits(table, month.end), "visits")
    came = month.tables.collect(lambda _, table: visits.visitors(table, *window), "visits")
    sources = month.tables.collect(
        lambda engine, table: visits.by_source(table, _tier_of_each(month, engine), *window), "visits"
    )
    bought = month.history(columns=["customer_id", "last_day"]).set_index("customer_id")["last_day"]
    inside = people["customer_id"].isin(came.loc[came["visits"] > 0, "customer_id"])
    return [
        *visits.browsing(people.assign(last_day=people["customer_id"].map(bought)), first, tiers),
        *visits.visiting(people, came, tiers, month.end),
        *visits.source_shares(sources, people.loc[inside, "tier"].value_counts(), tiers),
    ]


def _channel_orders(month: Workbook) -> pd.DataFrame:
    window = _window(month)
    return month.tables.collect(
        lambda engine, lines: behaviour.channel_orders(lines, _tier_of_each(month, engine), *window), "transactions"
    ).sort_values(["tier", "channel"], ignore_index=True)


def birthdays(month: Workbook) -> pd.DataFrame:
    """birthdays.csv: whom to greet until the next report; empty without a customers table."""
    table = month.table("customers", behaviour.BORN)
    if table is None:
        return pd.DataFrame(columns=behaviour.BIRTHDAYS)
    return behaviour.birthdays(_people(month), table, month.as_of, month.deadline)


def faults(month: Workbook) -> pd.DataFrame:
    """voice_faults.csv: rows of the optional tables that a measure could not use, or that only ``all`` counts."""
    rows = []
    if month.has("surveys"):
        rows += [*voice.survey_faults(month.table("surveys")), _without_order(month, "surveys")]
    if month.has("tickets"):
        rows += [*service.ticket_faults(month.table("tickets")), _without_order(month, "tickets")]
    if month.has("customers"):
        rows += behaviour.birthday_faults(month.table("customers", behaviour.BORN), month.as_of)
    table = pd.DataFrame(rows, columns=voice.FAULTS).astype({"rows": int, "example": object})
    return table[table["rows"] > 0].reset_index(drop=True)


def _without_order(month: Workbook, name: str) -> tuple:
    placed = _placed(month, name)
    return voice.fault(name, "without_order", placed, placed["tier"].isna())


def churn_reasons(month: Workbook) -> pd.DataFrame:
    """churn_reasons.csv: reason codes of the window given by customers at risk or lost, beside the rest's."""
    stage = month.book(["customer_id", "stage"]).set_index("customer_id")["stage"]
    leaving, found = stage.isin(LEAVING), []
    for name, moment in (("surveys", "answered_at"), ("tickets", "opened_at")):
        if month.has(name):
            given = month.table(name)
            found.append(reasons.reasons(given[voice.within(given[moment], _window(month))], leaving, name))
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


def _people(month: Workbook) -> pd.DataFrame:
    """customer_id, tier, owner, do_not_contact of everybody with an order up to as_of."""
    book = month.book(["customer_id", "tier"])
    return actions.with_people(
        book.assign(tier=book["tier"].astype(object).fillna(OUTSIDE)), month.table("customers", actions.PEOPLE)
    )


def _tier_of_each(month: Workbook, engine: Engine) -> nw.LazyFrame:
    """customer_id and tier of everybody with an order up to as_of."""
    return month.tables.scan_step(engine, month.kept_book()).select("customer_id", nw.col("tier").fill_null(OUTSIDE))


def _placed(month: Workbook, name: str) -> pd.DataFrame:
    """The rows of a table with the tier of their customer as of as_of; null for who has no order."""
    book, found = month.book(["customer_id", "tier"]), month.table(name)
    tiers = book["tier"].astype(object).fillna(OUTSIDE)
    return found.assign(tier=lookup.of(found["customer_id"], book["customer_id"], tiers))
