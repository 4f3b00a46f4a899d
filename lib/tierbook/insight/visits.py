"""Visits by tier: who came, how often, how far they read, from where, and who browsed without buying."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw
import pandas as pd

from tierbook.insight.touchpoints import day_of
from tierbook.insight.voice import ALL, MIN_ANSWERS, by_tier, mean, median, share

BROWSED_DAYS = (30, 90)
MEASURES = ("visited_share", "visits_per_visitor", "pages_per_session", "visit_gap_days")
MOST_SOURCES = 12
UNKNOWN, OTHER = "unknown", "other"
_COUNTED = ("visits", "paged_sessions", "pages")


def daily(visits: nw.LazyFrame, end: int) -> nw.LazyFrame:
    """One row per customer, day and source up to ``end``: customer_id, day, source, visits, paged_sessions, pages.

    visits: the sessions that the rows name, and 1 where none names any (exports of single events, as of GA4, hold several
    rows of one session and no count). paged_sessions and pages: sessions and page views of the rows that name both.
    A count of sessions under 1, or of pages under 0, is none.
    """
    told = nw.col("sessions") >= 1
    both = told & (nw.col("page_views") >= 0)
    rows = visits.select(
        "customer_id",
        "source",
        day_of("visited_at").alias("day"),
        nw.when(told).then(nw.col("sessions")).otherwise(0).alias("told"),
        nw.when(both).then(nw.col("sessions")).otherwise(0).alias("paged_sessions"),
        nw.when(both).then(nw.col("page_views")).otherwise(0).alias("pages"),
    ).filter(nw.col("day") <= end)
    once = rows.group_by("customer_id", "day", "source").agg(nw.col("told", "paged_sessions", "pages").sum())
    return once.with_columns(nw.when(nw.col("told") >= 1).then(nw.col("told")).otherwise(1).alias("visits"))


def visitors(visits: nw.LazyFrame, start: int, end: int) -> nw.LazyFrame:
    """Whoever came up to ``end``: customer_id, last_visit (a day number), and visits, paged_sessions, pages of the window.

    Counts as of `daily`, over the days after ``start``; 0 for who came before it only.
    """
    inside = nw.col("day") > start
    counted = [nw.when(inside).then(nw.col(name)).otherwise(0).alias(name) for name in _COUNTED]
    per_day = daily(visits, end).select("customer_id", "day", *counted)
    return per_day.group_by("customer_id").agg(nw.col("day").max().alias("last_visit"), nw.col(*_COUNTED).sum())


def by_source(visits: nw.LazyFrame, tiers: nw.LazyFrame, start: int, end: int) -> nw.LazyFrame:
    """Visits (`daily`) by tier and source on the days after ``start`` up to ``end``: tier, source (null: not named), visits.

    ``tiers``: customer_id, tier; visits of others do not count.
    """
    inside = daily(visits, end).filter(nw.col("day") > start).join(tiers, on="customer_id", how="inner")
    return inside.group_by("tier", "source").agg(nw.col("visits").sum())


def visiting(known: pd.DataFrame, tiers: Sequence[str], end: int) -> list[dict]:
    """The `MEASURES`, rows as of `voice.by_tier`.

    visited_share: customers with a visit in the window over all customers. visits_per_visitor: mean over these.
    pages_per_session: page views over sessions, of the visitors whose rows name both. visit_gap_days: median days from
    the last visit to ``end``, of customers who ever came.

    ``known``: one row per customer: tier and what `visitors` counts, null for who never came.
    """
    ever = known.dropna(subset="last_visit").assign(gap=lambda rows: end - rows["last_visit"])
    inside = ever[ever["visits"] > 0]
    paged = inside[inside["paged_sessions"] > 0]
    return [
        *by_tier(known, tiers, "visited_share", lambda rows: share(int((rows["visits"] > 0).sum()), len(rows))),
        *by_tier(inside, tiers, "visits_per_visitor", lambda rows: mean(rows["visits"].astype(float), lowest=0.0)),
        *by_tier(paged, tiers, "pages_per_session", _pages_per_session),
        *by_tier(ever, tiers, "visit_gap_days", lambda rows: median(rows["gap"])),
    ]


def _pages_per_session(rows: pd.DataFrame) -> dict:
    """The ratio of totals with its interval over visitors, whose sessions are alike (Cochran 1977, Sampling Techniques,
    3rd ed., 2.11): the mean of the linearised values is the ratio, their standard error the ratio's."""
    ratio = rows["pages"].sum() / max(rows["paged_sessions"].sum(), 1)
    apart = (rows["pages"] - ratio * rows["paged_sessions"]) / rows["paged_sessions"].mean()
    return mean(ratio + apart, lowest=0.0)


def source_shares(visits: pd.DataFrame, came: pd.Series, tiers: Sequence[str]) -> list[dict]:
    """visit_share: each source's share of a tier's visits in the window, n its visits; rows as of `voice.by_tier` with
    the source as ``channel``.

    Of more than 12 sources the smallest stand together as ``other``, so that 11 keep their names; a source not named is
    ``unknown``. Every visit is counted, none drawn, so there is no interval. Null where fewer than 10 customers came.

    ``visits``: `by_source`; ``came``: customers with a visit in the window, by tier.
    """
    if visits.empty:
        return []
    named = visits.assign(source=_pooled(visits))
    wide = named.pivot_table(index="tier", columns="source", values="visits", aggfunc="sum", fill_value=0)
    wide = wide.reindex(list(tiers), fill_value=0)
    wide = pd.concat([wide.sum().to_frame(ALL).T, wide])
    people = came.reindex(list(tiers), fill_value=0)
    enough = pd.concat([pd.Series({ALL: people.sum()}), people]) >= MIN_ANSWERS
    totals = wide.sum(axis=1)
    shares = wide.div(totals.where(enough & (totals > 0)), axis=0)
    return [
        {"tier": tier, "measure": "visit_share", "channel": source, "n": int(totals[tier]), "value": value}
        for tier, row in shares.iterrows()
        for source, value in row.items()
    ]


def _pooled(visits: pd.DataFrame) -> pd.Series:
    source = visits["source"].astype(object).where(visits["source"].notna(), UNKNOWN)
    sizes = visits["visits"].groupby(source).sum().drop([UNKNOWN, OTHER], errors="ignore")
    first = sorted(sizes.index, key=lambda name: (-sizes[name], name))
    if len(first) <= MOST_SOURCES:
        return source
    return source.where(source.isin([*first[: MOST_SOURCES - 1], UNKNOWN]), OTHER)


def first_visits(visits: nw.LazyFrame, end: int) -> nw.LazyFrame:
    """customer_id and the day of the first visit in the 30 and 90 days up to ``end``: first_30, first_90 (null: none)."""
    day = nw.col("day")
    recent = visits.select("customer_id", day_of("visited_at").alias("day")).filter(
        day > end - max(BROWSED_DAYS), day <= end
    )
    spans = [nw.when(day > end - span).then(day).alias(f"first_{span}") for span in BROWSED_DAYS]
    named = [f"first_{span}" for span in BROWSED_DAYS]
    return recent.with_columns(*spans).group_by("customer_id").agg(*[nw.col(name).min() for name in named])


def browsing(seen: pd.DataFrame, tiers: Sequence[str]) -> list[dict]:
    """browsed_30d, browsed_90d: of customers who visited in these days, the share who did not order on or after the day
    of the first of these visits.

    ``seen``: one row per customer who visited: tier, last_day (of purchase, a day number), and the days of `first_visits`.
    """
    rows = []
    for span in BROWSED_DAYS:
        came = seen.dropna(subset=f"first_{span}").assign(left=lambda r, s=span: r["last_day"] < r[f"first_{s}"])
        rows += by_tier(came, tiers, f"browsed_{span}d", lambda r: share(int(r["left"].sum()), len(r)))
    return rows
