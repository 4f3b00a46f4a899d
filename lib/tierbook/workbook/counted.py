"""Customers counted: what pages tell of groups of them, so that no page needs a row of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from tierbook import lookup
from tierbook.insight import concentration, groups, segmentation, slices
from tierbook.scores import lifecycle
from tierbook.scores.rfm import MEASURES

if TYPE_CHECKING:
    from tierbook.workbook import Workbook
    from tierbook.workbook.customers import Customers

DRAWN = ("tiers", "segments", "stages", "clusters", "protected", "overridden", "stage_transitions", "reconciliation",
         "sensitivity", "outliers", "purchases", "sales_concentration", "score_concentration", "counts",
         "protection_counts", "checked", "compared", "score_cells", "segment_cells", "spread", "comeback", "highest",
         "next_best_counts", "price_bands", "preferences", "voice", "ticket_topics", "behaviour", "birthday_counts",
         "churn_reasons", "touchpoints", "voice_faults", "labelled")  # fmt: skip
"""The steps of the pages on data, tiers and needs that take a look at every customer."""
GROUPED = ["tier", "segment", "stage", "trend", "cluster", "in_window", "returning"]
OFFERED = ["tier", "next", "have"]


def _added(parts: Iterable[pd.DataFrame], by: list[str]) -> pd.DataFrame:
    """Counts and sums of several parts as one, a row for each combination of ``by``, nulls among them."""
    found = pd.concat(parts, ignore_index=True)
    return found.groupby(by, dropna=False, as_index=False)[[name for name in found if name not in by]].sum()


def purchases(month: Workbook) -> dict[str, Any]:
    """``by_days``: customers by days with a purchase; of all customers also ``distinct`` ids, ``repeaters`` (with a second
    day of purchase) and ``window_orders``."""
    parts = list(month.by_part(_purchases))
    by_days = _added([days for days, _ in parts], ["active_days"])
    return {"by_days": by_days, **pd.DataFrame([sums for _, sums in parts]).sum().to_dict()}


def _purchases(part: Customers) -> tuple[pd.DataFrame, dict[str, int]]:
    found = part.history(columns=["customer_id", "active_days", "first_gap_days", "window_orders"])
    sums = {
        "distinct": found["customer_id"].nunique(),
        "repeaters": int(found["first_gap_days"].notna().sum()),
        "window_orders": int(found["window_orders"].sum()),
    }
    return found["active_days"].value_counts().rename("customers").reset_index(), sums


def sales_concentration(month: Workbook) -> dict[str, Any]:
    """`held` of the window's net sales."""
    found = month.history(columns=["window_orders", "window_net"])
    return held(found.loc[found["window_orders"] > 0, "window_net"].astype(float))


def score_concentration(month: Workbook) -> dict[str, Any]:
    """`held` of the money that scores stand on."""
    return held(month.scores(["monetary"])["monetary"])


def held(amounts: pd.Series) -> dict[str, Any]:
    """How money concentrates: ``curve``, ``top_shares`` and ``gini`` (`insight.concentration`), ``customers`` with any
    amount."""
    tables = {"curve": concentration.pareto(amounts), "top_shares": concentration.top_shares(amounts)}
    return {**tables, "gini": concentration.gini(amounts), "customers": int(amounts.notna().sum())}


def counts(month: Workbook) -> pd.DataFrame:
    """Customers by tier, segment, stage, trend and cluster, by whether they have an order ``in_window`` and whether they
    are ``returning`` (had one in the window before): customers, and monetary, theirs together."""
    return _added(month.by_part(_counts), GROUPED)


def _counts(part: Customers) -> pd.DataFrame:
    book = part.book(["tier", "segment", "stage", "trend", "cluster", "frequency", "monetary"])
    returning = part.history(columns=["previous_orders"])["previous_orders"].to_numpy() > 0
    placed = book.assign(in_window=book["frequency"].notna(), returning=returning)
    groups = placed.groupby(GROUPED, dropna=False)
    return groups.agg(customers=("monetary", "size"), monetary=("monetary", "sum")).reset_index()


def group_sums(column: str, part: Customers) -> pd.DataFrame:
    """`groups.sums` of the book by one of its columns."""
    return groups.sums(part.book([column, *groups.SUMMED]), column)


def protection_counts(month: Workbook) -> pd.DataFrame:
    """`Workbook.protected` customers by tier, computed and held_until: customers."""
    by = ["tier", "computed", "held_until"]
    return month.protected().groupby(by, dropna=False).size().rename("customers").reset_index()


def checked(month: Workbook) -> dict[str, pd.DataFrame]:
    """The checklist counted: ``by_tier`` (met, known, tier, customers) and ``criteria`` (criterion, meets, fails,
    unknown)."""
    tables = list(month.by_part(_checked))
    by_tier = _added([table["by_tier"] for table in tables], ["met", "known", "tier"])
    criteria = sum(table["criteria"] for table in tables)
    return {"by_tier": by_tier, "criteria": criteria.rename_axis("criterion").reset_index()}


def _checked(part: Customers) -> dict[str, pd.DataFrame]:
    found = part.checklist().assign(tier=part.book(["tier"])["tier"].array)
    by_tier = found.groupby(["met", "known", "tier"]).size().rename("customers").reset_index()
    criteria = found.drop(columns=["customer_id", "met", "known", "tier"])
    meets, known = criteria.sum(), criteria.notna().sum()
    judged = {"meets": meets, "fails": known - meets, "unknown": len(found) - known}
    return {"by_tier": by_tier, "criteria": pd.DataFrame(judged).astype("int64")}


def compared(month: Workbook) -> pd.DataFrame:
    """`slices.side_by_side` of every attribute under each other: attribute, and its columns."""
    best, tallies = month.tier_scheme.order[0], month.attribute_tallies()
    tables = [slices.side_by_side(tally, best).assign(attribute=name) for name, tally in tallies.items()]
    return pd.concat(tables, ignore_index=True)


def attribute_tallies(month: Workbook) -> dict[str, pd.DataFrame]:
    """Customers by value, tier and stage, by attribute (`slices.tallied`, part under part)."""
    names = month.attribute_names
    parts = list(month.by_part(partial(_tallied, names)))
    return {name: pd.concat([tallied[name] for tallied in parts], ignore_index=True) for name in names}


def _tallied(names: list[str], part: Customers) -> dict[str, pd.DataFrame]:
    book = part.book(["customer_id", "tier", "stage", "monetary"])
    known = part.attributes(["customer_id", *names]).set_index("customer_id")
    return {name: slices.tallied(book, known[name]) for name in names}


def score_cells(month: Workbook) -> pd.DataFrame:
    """Customers by their scores (`segmentation.cells`), those without among them."""
    return segmentation.cells(pd.concat(month.by_part(_score_cells)))


def _score_cells(part: Customers) -> pd.DataFrame:
    return segmentation.cells(part.scores(list("rfm")))


def segment_cells(month: Workbook) -> pd.DataFrame:
    """The segment map with the customers of every cell (`segmentation.cell_map`)."""
    return segmentation.cell_map(month.segment_map, segmentation.cells(pd.concat(month.by_part(_segment_cells))))


def _segment_cells(part: Customers) -> pd.DataFrame:
    return segmentation.cells(part.cells(part.whole.segment_map))


def spread(month: Workbook) -> dict[str, Any]:
    """How customers spread over the three measures (`segmentation.spread`)."""
    return segmentation.spread(month.scores(list(MEASURES)))


def comeback(month: Workbook) -> pd.DataFrame:
    """Who came back after how long a silence (`segmentation.comeback`)."""
    return segmentation.comeback(list(month.by_part(_silences)))


def _silences(part: Customers) -> pd.DataFrame:
    earlier, columns = part.whole.as_of - dt.timedelta(days=lifecycle.COMEBACK_DAYS), ["customer_id", "active_days"]
    return segmentation.silences(part.history(columns=columns), part.history(earlier, [*columns, "recency_days"]))


def highest(month: Workbook) -> dict[str, Any]:
    """``customer_id`` of the most money among those on the call list, or where it is empty of all; ``called``: which."""
    called = month.call_list()["alerts"]["customer_id"]
    asked = pd.concat(month.by_part(partial(_highest, called)))
    first = asked.sort_values(["monetary", "customer_id"], ascending=[False, True]).iloc[0]
    return {"customer_id": first["customer_id"], "called": bool(len(called))}


def _highest(called: pd.Series, part: Customers) -> pd.DataFrame:
    book = part.book(["customer_id", "monetary"])
    asked = book[lookup.places(book["customer_id"], called) >= 0] if len(called) else book
    return asked.sort_values(["monetary", "customer_id"], ascending=[False, True]).head(1)


def next_best_counts(month: Workbook) -> dict[str, Any]:
    """``offers``: customers by tier, next and have of their next best offer, and how many ``in_book`` have that tier
    there too; ``distinct``: their ids."""
    parts = list(month.by_part(_next_bests))
    offers = _added([table for table, _ in parts], OFFERED)
    return {"offers": offers, "distinct": sum(distinct for _, distinct in parts)}


def _next_bests(part: Customers) -> tuple[pd.DataFrame, int]:
    listed, book = part.next_best(["customer_id", *OFFERED]), part.book(["customer_id", "tier"])
    tier = lookup.of(listed["customer_id"], book["customer_id"], book["tier"])
    placed = listed.assign(in_book=tier.eq(listed["tier"]).astype("int64"))
    table = placed.groupby(OFFERED).agg(customers=("in_book", "size"), in_book=("in_book", "sum"))
    return table.reset_index(), int(listed["customer_id"].nunique())


def birthday_counts(month: Workbook) -> dict[str, Any]:
    """Whom to greet until the next report (`Workbook.birthdays`): ``by_tier`` (tier, customers), ``distinct`` ids."""
    listed = month.birthdays()
    by_tier = listed.groupby("tier", as_index=False).agg(customers=("customer_id", "size"))
    return {"by_tier": by_tier, "distinct": int(listed["customer_id"].nunique())}


def labelled(month: Workbook) -> int:
    """How many customers of the customers table have a label of the CRM."""
    if not month.has("customers"):
        return 0
    labels = month.table("customers", ["crm_segment"])["crm_segment"]
    return int(labels.fillna("").str.strip().ne("").sum())
