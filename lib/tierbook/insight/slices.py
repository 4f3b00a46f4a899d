"""Slices: tiers and stages by region, industry, company size, channel, store, gender, age or tenure; small cells suppressed."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook import lookup
from tierbook.insight.behaviour import possible_birthdays
from tierbook.insight.groups import SMALL
from tierbook.insight.suppression import suppressed
from tierbook.insight.voice import share
from tierbook.scores.maps import OUTSIDE

ATTRIBUTES = ("region", "industry", "company_size", "channel", "store", "gender")
AGES = {"age_under_25": 0, "age_25_34": 25, "age_35_44": 35, "age_45_54": 45, "age_55_plus": 55}
"""Bands of full years of age, each by the year it begins."""
TENURE = {"under_3_months": 0, "months_3_to_12": 91, "years_1_to_2": 365, "years_2_plus": 730}
"""Bands of days since the first order, each by the day it begins."""
AGE = "age"
MOST_VALUES = 12
UNKNOWN, OTHER = "unknown", "other"


def first_values(lines: nw.LazyFrame, days: nw.LazyFrame, columns: list[str]) -> nw.LazyFrame:
    """One row per customer: customer_id and the ``columns`` (channel, store, region) as its first order has them.

    ``lines``: judged order lines; ``days``: `history.customer_days`. Read are the lines sold on the first day with a
    purchase; where they differ the first by name is taken. Null where none of them says.
    """
    bought = days.filter(nw.col("orders") > 0)
    first = bought.group_by("customer_id").agg(nw.col("day").min())
    sold = (nw.col("reason") == "kept") & ((nw.col("net") > 0) | (nw.col("gross") == 0) & (nw.col("net") == 0))
    on_it = lines.filter(sold).join(first, on=["customer_id", "day"], how="inner")
    return on_it.group_by("customer_id").agg(*[nw.col(column).min() for column in columns])


def origins(customers: pd.DataFrame | None, first_orders: pd.DataFrame | None) -> dict[str, str]:
    """Attribute → ``customers`` or ``first_orders``, the table it comes from: the first of them that knows any value.

    One attribute never mixes both: the region of a customer and the region of an order are two things.
    """
    given = {"customers": customers, "first_orders": first_orders}
    held = {name: table for name, table in given.items() if table is not None}
    found = {
        attribute: next((name for name, table in held.items() if _says(table, attribute)), None)
        for attribute in (*ATTRIBUTES, AGE)
    }
    return {attribute: name for attribute, name in found.items() if name}


def _says(table: pd.DataFrame, attribute: str) -> bool:
    return attribute in table and bool(table[attribute].notna().any())


def are_numbers(sizes: pd.Series) -> bool:
    """Whether every company size that is told is a number of employees; false where none is told."""
    told = sizes.dropna().drop_duplicates().astype(object)
    return len(told) > 0 and bool(pd.to_numeric(told, errors="coerce").notna().all())


def size_bands(sizes: pd.Series, edges: list[float]) -> pd.Series:
    """Company sizes, all numbers of employees (`are_numbers`), in bands: with the edges 20 and 300 they are ``<20``,
    ``20–299`` and ``300+``, an ordered categorical. Null stays null; without edges the sizes stay as they are.
    """
    if not edges:
        return sizes
    numbers = pd.to_numeric(sizes.astype(object).where(sizes.notna(), None), errors="coerce").astype(float)
    inner = [f"{low:g}–{high - 1:g}" for low, high in itertools.pairwise(edges)]
    names = [f"<{edges[0]:g}", *inner, f"{edges[-1]:g}+"]
    places = np.where(numbers.isna(), -1, np.searchsorted(edges, numbers, side="right"))
    return pd.Series(pd.Categorical.from_codes(places, names, ordered=True), index=sizes.index)


def age_bands(people: pd.DataFrame, as_of: dt.date) -> pd.Series:
    """Age at ``as_of`` in the bands of `AGES`, an ordered categorical; null without a birthday or for an impossible one.

    Counted in full years: a year more on the birthday, for who was born on 29 February on 1 March of a common year.
    ``people``: birthday; impossible as of `behaviour.birthday_faults` (before 1905, after ``as_of``).
    """
    born = pd.to_datetime(possible_birthdays(people, as_of))
    still_to_come = born.dt.month * 100 + born.dt.day > as_of.month * 100 + as_of.day
    years = (as_of.year - born.dt.year - still_to_come).to_numpy(dtype=float)
    place = np.where(np.isnan(years), 0, np.searchsorted(list(AGES.values()), years, side="right")) - 1
    return pd.Series(pd.Categorical.from_codes(place, list(AGES), ordered=True), index=people.index)


def attributes(history: pd.DataFrame, tables: dict[str, pd.DataFrame | None], origin: dict[str, str]) -> pd.DataFrame:
    """The attributes of every customer of a history, in its order: customer_id, those of `ATTRIBUTES` and ``age`` that are
    known, and ``tenure``.

    ``history``: customer_id, T. ``origin``: `origins`, which table to take an attribute from. ``tables``: by its names
    the customers table, sizes as `size_bands` leaves them, ``age`` as of `age_bands`; and `first_values`. Null where a
    customer has no value. tenure, by days since the first order (``T``): under 91, 91–364, 365–729, 730 and more; an
    ordered categorical.
    """
    ids = history["customer_id"]
    given = {
        table: lookup.rows(ids, tables[table][["customer_id", *(name for name in origin if origin[name] == table)]])
        for table in dict.fromkeys(origin.values())
    }
    found = {name: _plain(given[table][name]) for name, table in origin.items()}
    days = history["T"].to_numpy(dtype=float)
    band = np.where(np.isnan(days), 0, np.searchsorted(list(TENURE.values()), days, side="right")) - 1
    return history[["customer_id"]].assign(**found, tenure=pd.Categorical.from_codes(band, list(TENURE), ordered=True))


def _plain(values: pd.Series) -> pd.Series:
    return values if isinstance(values.dtype, pd.CategoricalDtype) else values.astype(object)


def _in_order(dtype: Any, sizes: pd.Series, places: np.ndarray) -> pd.Categorical:
    """`valued`: for each the place in ``sizes`` (customers by value), -1 for null."""
    counts = sizes.groupby(level=0).sum().drop(UNKNOWN, errors="ignore")
    by_size = sorted(counts.index, key=lambda name: (-counts[name], name))
    own_order = [str(v) for v in dtype.categories] if isinstance(dtype, pd.CategoricalDtype) else by_size
    named = [name for name in by_size if name != OTHER]
    if len(by_size) > MOST_VALUES:
        named = named[: MOST_VALUES - 1]
    to = [name if name in named else UNKNOWN if name == UNKNOWN else OTHER for name in sizes.index] + [UNKNOWN]
    held = {*to[:-1], *([UNKNOWN] if (places < 0).any() else [])}
    order = [name for name in own_order if name in named] + [code for code in (OTHER, UNKNOWN) if code in held]
    codes = pd.Index(order).get_indexer(to)[places]
    return pd.Categorical.from_codes(codes, order, ordered=True)


def _of(book: pd.DataFrame, values: pd.Series) -> pd.Series:
    """The values by customer_id in the order of the book, in which they mostly stand already."""
    return values if values.index.equals(pd.Index(book["customer_id"])) else values.reindex(book["customer_id"])


def by_attribute(tally: pd.DataFrame, tiers: list[str], stages: list[str]) -> pd.DataFrame:
    """Tier × stage of every value: value, tier, stage, customers, revenue (the window's monetary), empty cells included.

    ``tally``: `tallied` of one attribute, of all parts; ``tiers``: best first, ``outside`` is added. Over the values each
    tier × stage cell sums to all customers. Before anything of it is handed out: `published`.
    """
    value, _ = valued(tally)
    order = [list(value.cat.categories), [*tiers, OUTSIDE], list(stages)]
    placed = tally.assign(value=value).astype({"value": object, "stage": object})
    table = placed.groupby(["value", "tier", "stage"])[["customers", "revenue"]].sum()
    every = pd.MultiIndex.from_product(order, names=["value", "tier", "stage"])
    return table.reindex(every, fill_value=0).reset_index().astype({"customers": "int64", "revenue": float})


def tallied(book: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    """Customers by value, tier and stage, of all or of a part of them: value (null: unknown), tier, stage, customers,
    revenue (the window's monetary) and measured (customers who have one).

    ``book``: customer_id, tier, stage, monetary; ``values``: one attribute by customer_id.
    """
    tier = book["tier"].astype(object).fillna(OUTSIDE)
    placed = book[["stage", "monetary"]].assign(value=_of(book, values).array, tier=tier)
    groups = placed.groupby(["value", "tier", "stage"], observed=True, dropna=False)
    table = groups.agg(customers=("monetary", "size"), revenue=("monetary", "sum"), measured=("monetary", "count"))
    return table.reset_index()


def valued(tally: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """The values of a tally as an ordered categorical of at most 12 and ``unknown``, the order in which slices are shown; and
    the customers by value before any are put together.

    ``tally``: value, customers (`tallied`, of all parts). Null is ``unknown``, never dropped. An ordered categorical keeps its
    order (tenure); else the values stand by customers, most first, then by name. Of more than 12 the smallest are put
    together as ``other``, so that 11 keep their names. ``other`` and ``unknown`` come last.
    """
    places, distinct = pd.factorize(tally["value"])
    sizes = tally["customers"].groupby(places).sum().drop(-1, errors="ignore").set_axis([str(v) for v in distinct])
    return pd.Series(_in_order(tally["value"].dtype, sizes, places), index=tally.index), sizes


def side_by_side(tally: pd.DataFrame, best: str) -> pd.DataFrame:
    """The values of one attribute beside each other, in the order of `valued`; ``tally``: `tallied`, of all parts.

    Columns: value, pooled (how many values of the data stand together in the row: 1, more for ``other``, 0 for
    ``unknown``), customers and share of all; revenue (the window's monetary) and revenue_share; in_window (customers
    with an order in it), best_customers, best_share of those in the window (as in tiers.csv) with its 95 % Wilson
    interval best_low, best_high; differs: ``above`` or ``below`` where the whole's share lies outside that interval,
    else ``usual`` (one slice in twenty differs by chance alone); at_risk_share of customers; mean_monetary of those in
    the window. No share has a base under 10 customers: null.
    """
    value, sizes = valued(tally)
    of = {
        "in_window": tally["tier"] != OUTSIDE,
        "best_customers": tally["tier"] == best,
        "at_risk": tally["stage"] == "at_risk",
    }
    counts = {name: tally["customers"].where(there, 0) for name, there in of.items()}
    sums = tally[["customers", "revenue", "measured"]].assign(**counts)
    table = sums.groupby(value.rename("value"), observed=False).sum()
    table["mean_monetary"] = table["revenue"] / table["measured"].where(table["measured"] > 0)
    total, money = table["customers"].sum(), table["revenue"].sum()
    table["pooled"] = _pooled(set(sizes.index), table.index)
    table["share"] = table["customers"] / total if total >= SMALL else np.nan
    table["revenue_share"] = table["revenue"] / money if total >= SMALL and money > 0 else np.nan
    table["at_risk_share"] = (table["at_risk"] / table["customers"]).where(table["customers"] >= SMALL)
    shares = [share(int(k), int(n)) for k, n in zip(table["best_customers"], table["in_window"], strict=True)]
    for name, key in (("best_share", "value"), ("best_low", "low"), ("best_high", "high")):
        table[name] = np.array([found[key] for found in shares], dtype=float)
    table["differs"] = _differs(table)
    return table.astype({"in_window": "int64", "best_customers": "int64"}).reset_index().astype({"value": str})[_SIDE]


_SIDE = [
    "value", "pooled", "customers", "share", "revenue", "revenue_share", "in_window", "best_customers", "best_share",
    "best_low", "best_high", "differs", "at_risk_share", "mean_monetary",
]  # fmt: skip


def _pooled(distinct: set[str], names: pd.Index) -> np.ndarray:
    apart = distinct & (set(names) - {OTHER, UNKNOWN})
    rest = len(distinct - apart - {UNKNOWN})
    return np.array([{OTHER: rest, UNKNOWN: 0}.get(name, 1) for name in names], dtype=int)


def _differs(table: pd.DataFrame) -> pd.Series:
    inside = table["in_window"].sum()
    whole = table["best_customers"].sum() / inside if inside else np.nan
    codes = np.select([table["best_low"] > whole, table["best_high"] < whole], ["above", "below"], "usual")
    return pd.Series(codes, index=table.index, dtype=object).where(table["best_share"].notna(), None)


def published(tallies: dict[str, pd.DataFrame], tiers: list[str], stages: list[str]) -> pd.DataFrame:
    """slices.csv: attribute, value, tier, stage, customers, revenue, suppressed, for every attribute of ``tallies``.

    ``tallies``: by attribute as of `tallied`, of all parts. Counts of 1–9 customers and their revenue are null,
    ``suppressed`` is true, and so are the further cells that `suppressed` hides with them.
    """
    tables = []
    for tally in tallies.values():
        table = by_attribute(tally, tiers, stages)
        shape = [table[name].nunique() for name in ("value", "tier", "stage")]
        hidden = suppressed(table["customers"].to_numpy().reshape(shape)).ravel()
        table["customers"] = table["customers"].astype("Int64").mask(hidden)
        table["revenue"] = table["revenue"].mask(hidden)
        tables.append(table.assign(suppressed=hidden))
    return pd.concat(tables, keys=list(tallies), names=["attribute"]).reset_index("attribute").reset_index(drop=True)
