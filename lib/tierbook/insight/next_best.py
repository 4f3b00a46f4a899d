"""The next best item of each customer: the surest recommendation among those not bought yet."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from tierbook import lookup
from tierbook.insight.groups import SMALL

MOST_RULES = 5
COLUMNS = [
    "customer_id",
    "tier",
    "have",
    "next",
    "lift",
    "lift_beyond",
    "lift_beyond_low",
    "confidence",
    "segment_share",
]


def rules(pairs: pd.DataFrame) -> pd.DataFrame:
    """The recommended pairs (`affinity.table`) that one customer's list is made of: the five surest of each ``have``,
    ranked over all by lift_beyond_low, then confidence, then name."""
    told = pairs[pairs["recommended"]]
    order = told.sort_values(
        ["lift_beyond_low", "confidence", "level", "have", "next"],
        ascending=[False, False, True, True, True],
        ignore_index=True,
    )
    kept = order[order.groupby(["level", "have"]).cumcount() < MOST_RULES].reset_index(drop=True)
    return kept.assign(rank=range(len(kept)))


def proposed(found: nw.LazyFrame, ranked: nw.LazyFrame) -> nw.LazyFrame:
    """Every rule whose ``have`` a customer has bought: customer, item (the next one), rank.

    ``found``: `affinity.numbered`; ``ranked``: have and next as item numbers, rank.
    """
    by_item = ranked.rename({"have": "item"})
    joined = found.select("customer", "item").join(by_item, on="item", how="inner")
    return joined.select("customer", nw.col("next").alias("item"), "rank")


def best(proposals: list[nw.LazyFrame], found: nw.LazyFrame) -> nw.LazyFrame:
    """The best-ranked proposal of each customer that it has not bought yet: customer, rank.

    ``found``: what was bought, numbered as the proposals' items.
    """
    there = proposals[0] if len(proposals) == 1 else nw.concat(proposals)
    new = there.join(found.select("customer", "item"), on=["customer", "item"], how="anti")
    return new.group_by("customer").agg(nw.col("rank").min())


def by_segment(found: nw.LazyFrame, segments: nw.LazyFrame) -> nw.LazyFrame:
    """Customers of a segment who bought an item: segment, item, customers. ``segments``: customer, segment."""
    joined = found.select("customer", "item").join(segments, on="customer", how="inner")
    return joined.group_by("segment", "item").agg(nw.len().alias("customers"))


def shares(bought_by: pd.DataFrame, sizes: pd.Series) -> pd.DataFrame:
    """Of the customers of a segment, the share who bought an item: segment, next, segment_share; null below 10 of them.

    ``bought_by``: segment, next, customers; ``sizes``: customers by segment.
    """
    share = bought_by["customers"] / bought_by["segment"].map(sizes[sizes >= SMALL])
    return bought_by[["segment", "next"]].assign(segment_share=share)


def table(chosen: pd.DataFrame, ranked: pd.DataFrame, people: pd.DataFrame, shared: pd.DataFrame) -> pd.DataFrame:
    """next_best.csv: one row per customer with an order in the window and something to recommend, by customer_id.

    ``chosen``: customer_id, rank; ``ranked``: `rules`; ``people``: customer_id, tier, segment; ``shared``: `shares` of the
    window's customers, of whose segment segment_share is.
    """
    placed = chosen.assign(**lookup.rows(chosen["customer_id"], people)[["tier", "segment"]])
    listed = placed.merge(ranked, on="rank").merge(shared, on=["segment", "next"], how="left")
    return listed.sort_values("customer_id", ignore_index=True)[COLUMNS]


def decisions(counted: pd.DataFrame, pairs: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """What to offer each tier, and why: the two items that most of its customers have as their next best, in the tiers'
    order.

    ``counted``: tier, next, have and customers of `table`; ``pairs``: `affinity.table`. Columns: tier, next, customers
    (of the tier), have (what most of them bought), confidence and expected_share (of all buyers of ``have``: who also
    bought ``next``, and who would be expected to of customers who buy as much).
    """
    counts = counted[["tier", "next", "have", "customers"]].rename(columns={"customers": "of_have"})
    counts["customers"] = counts.groupby(["tier", "next"])["of_have"].transform("sum")
    counts["place"] = counts["tier"].map({tier: n for n, tier in enumerate(order)})
    ordered = counts.sort_values(
        ["place", "customers", "next", "of_have", "have"], ascending=[True, False, True, False, True]
    ).drop_duplicates(["tier", "next"])
    told = ordered[ordered.groupby("tier").cumcount() < 2]
    facts = pairs.drop_duplicates(["have", "next"]).assign(expected_share=lambda p: p["expected"] / p["customers_have"])
    joined = told.merge(facts[["have", "next", "confidence", "expected_share"]], on=["have", "next"], how="left")
    return joined[["tier", "next", "customers", "have", "confidence", "expected_share"]]
