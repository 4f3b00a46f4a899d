"""Behaviour by tier beside the orders: contact gap, response to messages, referrals, birthdays, channels."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook import lookup
from tierbook.accounting import EPOCH
from tierbook.insight.assignment import as_days
from tierbook.insight.groups import apart
from tierbook.insight.voice import ALL, MIN_ANSWERS, by_tier, fault, median, share, within

SILENT_DAYS = 180
ANSWERS = {"open_rate": "opened", "click_rate": "clicked", "opt_out_rate": "opted_out"}
OLDEST = dt.date(1905, 1, 1)
BIRTHDAYS = ["customer_id", "tier", "birthday", "owner"]
UNKNOWN = "unknown"


def contact_gaps(customers: pd.DataFrame, contacts: pd.DataFrame, end: int) -> pd.DataFrame:
    """One row per customer who may be contacted: tier, gap (days from the last contact to ``end``, null without one).

    ``customers``: customer_id, tier, do_not_contact; ``contacts``: customer_id, contacted_at of these; ``end``: a day
    number.
    """
    days = as_days(contacts["contacted_at"])
    reachable = customers[~customers["do_not_contact"].to_numpy(dtype=bool)]
    place = lookup.places(contacts.loc[days <= end, "customer_id"], reachable["customer_id"])
    last = pd.Series(days[days <= end].to_numpy()[place >= 0]).groupby(place[place >= 0]).max()
    return reachable[["tier"]].assign(gap=end - last.reindex(range(len(reachable))).to_numpy(dtype=float))


def contact_gap(gaps: pd.DataFrame, tiers: Sequence[str]) -> list[dict]:
    """contact_gap_days and no_contact_180d; rows as of `voice.by_tier`.

    contact_gap_days: median days from the last contact, of customers ever contacted. no_contact_180d: share of customers
    without a contact in the last 180 days, whoever was never contacted included. Nobody who asked not to be contacted
    counts in either. ``gaps``: `contact_gaps`; none where the shop keeps no record of contacts.
    """
    return [
        *by_tier(gaps, tiers, "contact_gap_days", lambda rows: median(rows["gap"].dropna()), share=False),
        *by_tier(
            gaps,
            tiers,
            "no_contact_180d",
            lambda rows: share(int((~(rows["gap"] < SILENT_DAYS)).sum()), len(rows)),
        ),
    ]


def responses(contacts: pd.DataFrame, tiers: Sequence[str], window: tuple[int, int]) -> list[dict]:
    """open_rate, click_rate and opt_out_rate of the contacts made in the window, per channel and over ``all``.

    Each contact counts once; where the table does not say (null) it does not count. A channel without a name is
    ``unknown``. ``contacts``: tier, channel, contacted_at, opened, clicked, opted_out.
    """
    made = contacts[within(contacts["contacted_at"], window)]
    named = apart(made["channel"].astype(object).where(made["channel"].notna(), UNKNOWN))
    rows = []
    for measure, column in ANSWERS.items():
        told = made.assign(said=made[column].astype("boolean")).dropna(subset="said")
        for channel in (ALL, *sorted(named.unique())):
            part = told if channel == ALL else told[named.reindex(told.index) == channel]
            found = by_tier(part, tiers, measure, lambda r: share(int(r["said"].sum()), len(r)))
            rows += [row | {"channel": channel} for row in found]
    return rows


def brought(customers: pd.DataFrame, people: pd.DataFrame, referred: pd.Series) -> pd.DataFrame:
    """One row per customer: tier; known, whether the customers table knows the customer; brought, whether another one
    brought the customer; brings, how many the customer brought (null: not recorded).

    ``customers``: customer_id, tier; ``people``: customer_id, referred_by of these; ``referred``: how many each customer
    brought, in the order of ``customers`` (`insight.traits`).
    """
    ids = customers["customer_id"]
    by = lookup.of(ids, people["customer_id"], people["referred_by"])
    known = lookup.places(ids, people["customer_id"]) >= 0
    by_other = (by.notna() & by.ne(ids)).to_numpy(dtype=bool)
    return customers[["tier"]].assign(known=known, brought=by_other, brings=referred.to_numpy(dtype=float))


def referrals(told: pd.DataFrame, tiers: Sequence[str]) -> list[dict]:
    """referred_share: customers whom another one brought; referrer_share: customers who brought one (口碑).

    Customers whom the customers table does not know do not count. ``told``: `brought`; known is false for everybody where
    nobody in the table has a referred_by: the shop then keeps no record of it.
    """
    asked, bringing = told[told["known"]], told.dropna(subset="brings")
    return [
        *by_tier(asked, tiers, "referred_share", lambda rows: share(int(rows["brought"].sum()), len(rows))),
        *by_tier(bringing, tiers, "referrer_share", lambda rows: share(int((rows["brings"] > 0).sum()), len(rows))),
    ]


BORN = ["customer_id", "birthday"]
"""What `birthdays` asks of the customers table."""


def birthdays(customers: pd.DataFrame, people: pd.DataFrame, after: dt.date, until: dt.date) -> pd.DataFrame:
    """Customers with a birthday on the days after ``after`` up to ``until``: customer_id, tier, birthday, owner.

    ``birthday`` is the day to greet on, the first such day; who was born on 29 February is greeted on the 28th of
    a common year. do_not_contact is left out, and so are impossible dates (`birthday_faults`). By birthday, then id.

    ``customers``: customer_id, tier, owner, do_not_contact; ``people``: customer_id, birthday.
    """
    span = pd.date_range(after, until, inclusive="right")
    days = pd.Series(span, index=span.month * 100 + span.day)
    common = [day for day in span if (day.month, day.day) == (2, 28) and not day.is_leap_year]
    days = pd.concat([days, pd.Series(common, index=[229] * len(common), dtype=days.dtype)])
    born = possible_birthdays(people, after).set_axis(people["customer_id"]).reindex(customers["customer_id"])
    greeted = (born.dt.month * 100 + born.dt.day).map(days[~days.index.duplicated()])
    found = customers.assign(birthday=greeted.to_numpy())
    found = found[found["birthday"].notna() & ~found["do_not_contact"].to_numpy(dtype=bool)]
    found = found.assign(birthday=found["birthday"].dt.date)
    return found.sort_values(["birthday", "customer_id"], ignore_index=True)[BIRTHDAYS]


def possible_birthdays(people: pd.DataFrame, as_of: dt.date) -> pd.Series:
    """``people``'s birthday column, impossible ones (`birthday_faults`) null."""
    return people["birthday"].mask(_impossible(people, as_of))


def _impossible(people: pd.DataFrame, as_of: dt.date) -> np.ndarray:
    days = as_days(people["birthday"]).to_numpy(dtype=float)
    return (days < (OLDEST - EPOCH).days) | (days > (as_of - EPOCH).days)


def birthday_faults(people: pd.DataFrame, as_of: dt.date) -> list[tuple]:
    """Birthdays after as_of or before 1905 (systems write 1900-01-01 for an unknown one), as of `voice.fault`."""
    return [fault("customers", "birthday_impossible", people, pd.Series(_impossible(people, as_of), people.index))]


def greetable(customers: pd.DataFrame, people: pd.DataFrame, greeted: pd.DataFrame) -> pd.DataFrame:
    """One row per customer with a birthday on record who may be contacted: tier, greeted (on the list of `birthdays`)."""
    known = people.loc[people["birthday"].notna(), "customer_id"]
    on_record = lookup.places(customers["customer_id"], known) >= 0
    told = customers[on_record & ~customers["do_not_contact"].to_numpy(dtype=bool)]
    return told[["tier"]].assign(greeted=lookup.places(told["customer_id"], greeted["customer_id"]) >= 0)


def birthday_counts(told: pd.DataFrame, tiers: Sequence[str]) -> list[dict]:
    """birthdays: how many are on the list of `birthdays`; n are those with a birthday on record who may be contacted.

    ``told``: `greetable`.
    """
    return list(by_tier(told, tiers, "birthdays", _counted))


def _counted(rows: pd.DataFrame) -> dict:
    count = float(rows["greeted"].sum()) if len(rows) >= MIN_ANSWERS else np.nan
    return {"value": count, "low": np.nan, "high": np.nan, "n": len(rows)}


def channel_orders(lines: nw.LazyFrame, tiers: nw.LazyFrame, start: int, end: int) -> nw.LazyFrame:
    """Orders by tier and channel on the days after ``start`` up to ``end``: tier, channel, orders; one row each.

    ``lines``: judged order lines; ``tiers``: customer_id, tier. An order counts as in `history.customer_days`, on the
    first day on which it is a purchase; its channel is the first by name, null where no line says.
    """
    keys = ["customer_id", "order_key"]
    per_day = (
        lines.filter(nw.col("reason") == "kept", nw.col("day") <= end)
        .group_by(*keys, "day")
        .agg(nw.col("net", "gross").sum(), nw.col("channel").min())
    )
    bought = per_day.filter((nw.col("net") > 0) | ((nw.col("net") == 0) & (nw.col("gross") == 0)))
    orders = bought.group_by(*keys).agg(nw.col("day").min(), nw.col("channel").min())
    inside = orders.filter(nw.col("day") > start).join(tiers, on="customer_id", how="inner")
    return inside.group_by("tier", "channel").agg(nw.len().alias("orders"))


def channel_shares(orders: pd.DataFrame, buyers: pd.Series, tiers: Sequence[str]) -> list[dict]:
    """order_share: each channel's share of a tier's orders in the window, n its orders; null where fewer than 10 bought.

    Rows as of `voice.by_tier` with ``channel``; every order is counted, none drawn, so there is no interval.
    ``orders``: `channel_orders`; ``buyers``: customers with an order in the window, by tier.
    """
    named = orders.assign(channel=orders["channel"].astype(object).where(orders["channel"].notna(), UNKNOWN))
    wide = named.pivot_table(index="tier", columns="channel", values="orders", aggfunc="sum", fill_value=0)
    wide = wide.reindex(list(tiers), fill_value=0)
    wide = pd.concat([wide.sum().to_frame(ALL).T, wide])
    people = buyers.reindex(list(tiers), fill_value=0)
    enough = pd.concat([pd.Series({ALL: people.sum()}), people]) >= MIN_ANSWERS
    totals = wide.sum(axis=1)
    shares = wide.div(totals.where(enough & (totals > 0)), axis=0)
    return [
        {"tier": tier, "measure": "order_share", "channel": channel, "n": int(totals[tier]), "value": value}
        for tier, row in shares.iterrows()
        for channel, value in row.items()
    ]
