"""Visits by tier, counted by hand: who came, how often, how far they read, from where, and who bought nothing."""

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import visits

END = 20_757  # 2026-10-31
START = END - 365


def day(number):
    return pd.Timestamp("1970-01-01") + pd.Timedelta(days=number)


def people(n, tier="high", **columns):
    return pd.DataFrame({"customer_id": [f"C{k:02d}" for k in range(n)], "tier": tier} | columns)


def by_key(rows):
    keys = ["measure", "tier", "channel"] if rows and "channel" in rows[0] else ["measure", "tier"]
    return pd.DataFrame(rows).set_index(keys)


def seen(*rows):
    """A visits table of (customer, day, hour, sessions, page views, source)."""
    table = pd.DataFrame(rows, columns=["customer_id", "day", "hour", "sessions", "page_views", "source"])
    at = pd.to_datetime(table["day"], unit="D") + pd.to_timedelta(table["hour"], unit="h")
    kinds = {"sessions": float, "page_views": float, "source": "str"}
    return table.assign(visited_at=at.astype("datetime64[us]")).astype(kinds).drop(columns=["day", "hour"])


def counted(engine, table):
    found = engine.collect(visits.visitors(engine.frame(table), START, END)).set_index("customer_id").sort_index()
    return {who: [int(value) for value in row] for who, *row in found.itertuples()}


def test_sessions_are_counted_where_they_are_told(engine):
    """A: 3 + 2 sessions on two days, 12 and 4 pages. B: 2 sessions without pages, and 1 of 5 pages: 3 visits, 1 with
    pages. columns: last_visit, visits, paged_sessions, pages."""
    table = seen(
        ("A", END, 9, 3, 12, "app"), ("A", END - 1, 9, 2, 4, "app"),
        ("B", END - 7, 9, 2, None, "app"), ("B", END - 8, 9, 1, 5, None),
    )  # fmt: skip
    assert counted(engine, table) == {"A": [END, 5, 5, 16], "B": [END - 7, 3, 1, 5]}


def test_single_events_are_no_sessions(engine):
    """GA4 writes a row per event: seven of one day are one visit, two more on the next day another, one from another
    source a third; where one row of the day names the sessions, its count stands."""
    events = seen(
        *[("A", END, hour, None, None, "search") for hour in range(9, 16)],
        *[("A", END - 1, hour, None, 1, "search") for hour in (9, 10)],
        ("A", END - 1, 11, None, None, "ads"),
        ("B", END, 9, None, None, None), ("B", END, 10, 4, None, None), ("B", END, 11, 0, 3, None),
    )  # fmt: skip
    assert counted(engine, events) == {"A": [END, 3, 0, 0], "B": [END, 4, 0, 0]}


@pytest.mark.parametrize(("sessions", "pages", "told"), [
    (1, 0, [1, 1, 0]), (0, 3, [1, 0, 0]), (-2, 3, [1, 0, 0]), (2, -1, [2, 0, 0]), (2, None, [2, 0, 0]), (None, 3, [1, 0, 0]),
])  # fmt: skip
def test_impossible_counts_are_none(engine, sessions, pages, told):
    assert counted(engine, seen(("A", END, 9, sessions, pages, "app")))["A"][1:] == told


@pytest.mark.parametrize(("number", "last", "visited"), [
    (END + 1, None, None), (END, END, 2), (START + 1, START + 1, 2), (START, START, 0),
])  # fmt: skip
def test_the_window_at_its_boundaries(engine, number, last, visited):
    """The last visit may lie before the window; what lies after the month's end has not happened yet."""
    found = counted(engine, seen(("A", number, 23, 2, 8, "app")))
    assert found == ({} if last is None else {"A": [last, visited, visited, visited * 4]})


def came(*rows):
    return pd.DataFrame(rows, columns=["customer_id", "last_visit", "visits", "paged_sessions", "pages"])


def test_visiting_by_hand():
    """Of 20 customers ten came in the window, 1 to 10 days ago: five once, five three times, two in the mean; one came
    400 days ago. The eleven gaps 1 … 10 and 400 have the median 6. A stranger counts nowhere.

    Variance of five 1 and five 3: 10 / 9; half 1.959964 × √(10 / 9 / 10) = 0.65332.
    """
    rows = [(f"C{k:02d}", END - k - 1, 1 if k < 5 else 3, 0, 0) for k in range(10)]
    table = came(*rows, ("C10", END - 400, 0, 0, 0), ("STRANGER", END, 99, 0, 0))
    found = by_key(visits.visiting(people(20).merge(table, on="customer_id", how="left"), ["high", "low"], END))
    assert found.loc[("visited_share", "all"), ["n", "value"]].tolist() == [20, 0.5]
    assert found.loc[("visits_per_visitor", "high"), ["n", "value"]].tolist() == [10, 2]
    ends = found.loc[("visits_per_visitor", "high"), ["low", "high"]].tolist()
    assert ends == pytest.approx([1.34668, 2.65332], abs=1e-5)
    assert found.loc[("visit_gap_days", "all"), ["n", "value"]].tolist() == [11, 6]
    assert found.loc[("pages_per_session", "all"), "n"] == 0
    assert found.loc[("visited_share", "low"), "n"] == 0 and np.isnan(found.loc[("visited_share", "low"), "value"])


def test_nine_visitors_are_too_few():
    table = came(*[(f"C{k:02d}", END, 1, 1, 4) for k in range(9)])
    found = by_key(visits.visiting(people(10).merge(table, on="customer_id", how="left"), ["high"], END))
    assert found.loc[("visited_share", "high"), ["n", "value"]].tolist() == [10, 0.9]
    few = found.sort_index().drop("visited_share")
    assert (few["n"] == 9).all() and few["value"].isna().all()


def test_pages_per_session_is_a_ratio_of_totals():
    """Five visitors with 1 session of 6 pages, five with 3 sessions of 6: 60 pages over 20 sessions are 3, where the mean
    of the customers' own ratios (6 and 2) would be 4. Residuals from 3 a session: +3 and −3, their variance 90 / 9 = 10;
    half 1.959964 × √(10 / 10) / 2 sessions each = 0.97998."""
    table = came(*[(f"C{k:02d}", END, 1 if k < 5 else 3, 1 if k < 5 else 3, 6) for k in range(10)])
    row = by_key(visits.visiting(people(10).merge(table, on="customer_id", how="left"), [], END)).loc[
        ("pages_per_session", "all")
    ]
    assert row[["n", "value"]].tolist() == [10, 3]
    assert row[["low", "high"]].tolist() == pytest.approx([2.02002, 3.97998], abs=1e-5)


def test_visits_by_source(engine):
    """A's visits count by tier; those of S, who has no order, do not, nor do those before the window."""
    table = seen(
        ("A", END, 9, 2, 4, "app"), ("A", END - 3, 9, None, None, None), ("A", START, 9, 5, 5, "app"),
        ("B", END, 9, 1, 1, "search"), ("S", END, 9, 9, 9, "app"),
    )  # fmt: skip
    tiers = pd.DataFrame({"customer_id": ["A", "B"], "tier": ["high", "low"]})
    found = engine.collect(visits.by_source(engine.frame(table), engine.frame(tiers), START, END))
    told = {(row.tier, None if pd.isna(row.source) else row.source): row.visits for row in found.itertuples()}
    assert told == {("high", "app"): 2, ("high", None): 1, ("low", "search"): 1}


def test_source_shares_by_hand():
    table = pd.DataFrame(
        [("high", "app", 15), ("high", "search", 5), ("low", "search", 9), ("low", None, 31)],
        columns=["tier", "source", "visits"],
    )
    rows = by_key(visits.source_shares(table, pd.Series({"high": 10, "low": 9}), ["high", "low", "outside"]))
    assert rows.loc[("visit_share", "high", "app"), ["n", "value"]].tolist() == [20, 0.75]
    assert rows.loc[("visit_share", "all", "unknown"), ["n", "value"]].tolist() == [60, pytest.approx(31 / 60)]
    low = rows.loc[("visit_share", "low", "unknown")]
    assert low["n"] == 40 and np.isnan(low["value"]), "nine customers made these forty visits"
    assert rows.loc[("visit_share", "outside", "app"), "n"] == 0
    assert visits.source_shares(table.head(0), pd.Series(dtype=int), ["high"]) == []


@pytest.mark.parametrize(("sources", "kept"), [(12, 12), (13, 11)])
def test_more_than_12_sources_are_put_together(sources, kept):
    """Twenty visits from the first source, one fewer from each next; the two smallest of thirteen have 9 + 8."""
    table = pd.DataFrame({"tier": "high", "source": [f"s{n:02d}" for n in range(sources)]})
    table["visits"] = [20 - n for n in range(sources)]
    rows = by_key(visits.source_shares(table, pd.Series({"high": 50}), ["high"])).loc[("visit_share", "high")]
    assert len(rows.drop("other", errors="ignore")) == kept and rows["value"].sum() == pytest.approx(1)
    if sources == 13:
        assert rows.loc["other", "value"] == pytest.approx(17 / table["visits"].sum())


@pytest.mark.parametrize("days_ago", [0, 29, 30, 89, 90, -1])
def test_first_visits_in_30_and_90_days(engine, days_ago):
    table = pd.DataFrame({"customer_id": "A", "visited_at": [day(END - days_ago) + pd.Timedelta(hours=23)]})
    found = engine.collect(visits.first_visits(engine.frame(table), END))
    within = [END - days_ago if 0 <= days_ago < span else None for span in (30, 90)]
    if days_ago in (-1, 90):
        assert found.empty
    else:
        assert [None if pd.isna(x) else int(x) for x in found.loc[0, ["first_30", "first_90"]]] == within


def test_browsing_without_buying():
    """Ten came first on day 100. Six bought that day or later, three before, and one bought in between only if the 90
    days count: it came on day 60 already and bought on day 70."""
    customers = people(11, last_day=[100] * 3 + [101] * 3 + [99] * 3 + [70, 50])
    table = pd.DataFrame(
        {"customer_id": customers["customer_id"][:10], "first_30": 100.0, "first_90": [100.0] * 9 + [60.0]}
    )
    rows = by_key(visits.browsing(customers.merge(table, on="customer_id"), ["high", "low"]))
    assert rows.loc[("browsed_30d", "all"), ["n", "value"]].tolist() == [10, 0.4]
    assert rows.loc[("browsed_90d", "high"), ["n", "value"]].tolist() == [10, 0.3]
    assert rows.loc[("browsed_30d", "low"), "n"] == 0
