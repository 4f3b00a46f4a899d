"""Service by tier: how long tickets wait for a first answer and for their end, how many customers open, about what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tierbook.insight.voice import ALL, MIN_ANSWERS, by_tier, fault, mean, median, share, within
from tierbook.lookup import places

MOMENTS = {"first_response": "first_response_at", "resolution": "resolved_at"}
HOURS = {name: f"{name}_hours" for name in MOMENTS}
ON_TIME = {"first_response": "first_response_on_time", "resolution": "resolved_on_time"}
TOPICS = ["tier", "topic", "n", "tickets", "share", "low", "high"]
MOST_TOPICS = 12
UNKNOWN, OTHER = "unknown", "other"
_HOUR = pd.Timedelta(hours=1)


def tickets(table: pd.DataFrame, tiers: Sequence[str], until: pd.Timestamp) -> list[dict]:
    """first_response_hours, resolution_hours (medians) and resolution_rate of the tickets, rows as of `voice.by_tier`.

    A ticket not yet answered (or solved) by ``until`` counts as slower than every one that is, so that a shop does not
    look fast for leaving tickets open: where half are open, the median is null. resolution_rate is the share solved by
    ``until``, the youngest tickets included.

    ``table``: tier, opened_at, first_response_at, resolved_at of the window's tickets; what is dated after ``until`` has
    not happened yet, and tickets done before they were opened are left out of the measure (`ticket_faults`).
    """
    timed = {
        name: usable(table, moment).assign(hours=lambda rows, at=moment: _hours(rows, at, until))
        for name, moment in MOMENTS.items()
    }
    solved = timed["resolution"].assign(done=lambda rows: np.isfinite(rows["hours"]))
    return [
        *(row for name, rows in timed.items() for row in by_tier(rows, tiers, HOURS[name], lambda r: median(r["hours"]), share=False)),
        *by_tier(solved, tiers, "resolution_rate", lambda rows: share(int(rows["done"].sum()), len(rows))),
    ]  # fmt: skip


def usable(table: pd.DataFrame, moment: str) -> pd.DataFrame:
    """The tickets not done before they were opened; none where no ticket has the moment: the shop keeps no record of it."""
    recorded = bool(table[moment].notna().any())
    return table[~(table[moment] < table["opened_at"]).to_numpy(dtype=bool) & recorded]


def _hours(table: pd.DataFrame, moment: str, until: pd.Timestamp) -> pd.Series:
    took = (table[moment] - table["opened_at"]) / _HOUR
    return took.where(table[moment] <= until, np.inf)


def ticket_faults(table: pd.DataFrame) -> list[tuple]:
    """Tickets answered or solved before they were opened (`voice.fault`)."""
    return [fault("tickets", f"{name}_early", table, table[at] < table["opened_at"]) for name, at in MOMENTS.items()]


def opened(customers: pd.DataFrame, table: pd.DataFrame, window: tuple[int, int]) -> pd.DataFrame:
    """One row per customer: tier, tickets (how many were opened in the window).

    ``customers``: customer_id, tier of customers with an order up to as_of; tickets of others do not count here.
    """
    place = places(table.loc[within(table["opened_at"], window), "customer_id"], customers["customer_id"])
    tickets = np.bincount(place[place >= 0], minlength=len(customers)).astype(float)
    return customers[["tier"]].assign(tickets=tickets)


def per_customer(counted: pd.DataFrame, tiers: Sequence[str]) -> list[dict]:
    """tickets_per_customer: tickets opened in the window over all customers, those without one included.

    ``counted``: `opened`.
    """
    return list(by_tier(counted, tiers, "tickets_per_customer", lambda rows: mean(rows["tickets"], lowest=0.0)))


def topics(table: pd.DataFrame, tiers: Sequence[str]) -> pd.DataFrame:
    """ticket_topics.csv: tickets of each topic by tier (`TOPICS`); empty where no ticket names a topic.

    n: tickets of the tier; share of n with its 95 % Wilson interval, null where the tier's tickets are fewer than 10 or
    of fewer than 10 customers. Over the topics each tier's tickets sum to n: tickets that name none are ``unknown``, and
    topics of fewer than 10 customers (free text is no list of codes) or beyond the 11 largest stand together as ``other``.

    ``table``: customer_id, tier (null for people without an order, who count in ``all`` alone), topic of the window's
    tickets.
    """
    if table["topic"].isna().all():
        return pd.DataFrame(columns=TOPICS)
    named = table.assign(topic=_pooled(table))
    sizes = named["topic"].value_counts()
    order = sorted(sizes.index, key=lambda topic: (topic in (OTHER, UNKNOWN), topic == UNKNOWN, -sizes[topic], topic))
    rows = []
    for tier in (ALL, *tiers):
        part = named if tier == ALL else named[named["tier"] == tier]
        counts, enough = part["topic"].value_counts(), part["customer_id"].nunique() >= MIN_ANSWERS
        for topic in order:
            count = int(counts.get(topic, 0))
            told = share(count, len(part)) if enough else {}
            ends = {"share": told.get("value"), "low": told.get("low"), "high": told.get("high")}
            rows.append({"tier": tier, "topic": topic, "n": len(part), "tickets": count, **ends})
    return pd.DataFrame(rows, columns=TOPICS).astype(dict.fromkeys(TOPICS[4:], float))


def _pooled(table: pd.DataFrame) -> pd.Series:
    topic = table["topic"].astype(object).where(table["topic"].notna(), UNKNOWN)
    by_topic = table.groupby(topic)["customer_id"].agg(["size", "nunique"]).drop([UNKNOWN, OTHER], errors="ignore")
    common = by_topic[by_topic["nunique"] >= MIN_ANSWERS]
    kept = sorted(common.index, key=lambda name: (-common.loc[name, "size"], name))
    if len(kept) > MOST_TOPICS or len(common) < len(by_topic):
        kept = kept[: MOST_TOPICS - 1]
    return topic.where(topic.isin([*kept, UNKNOWN]), OTHER)
