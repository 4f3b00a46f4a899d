"""Up-sell: who moves to a dearer price band, from one window to the next and from a first purchase to the one after."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook.insight.groups import SMALL, apart
from tierbook.insight.shares import wilson

BANDS = ("entry", "middle", "top")
ALL = "all"
WINDOWS, NEXT_PURCHASE = "windows", "next_purchase"
MIN_LINES = 30
COLUMNS = ["basis", "item", "tier", "from_band", "to_band", "customers", "base", "share", "low", "high"]


def prices(lines: nw.LazyFrame, column: str | None) -> nw.LazyFrame:
    """The order lines that were paid for: customer_id, item, day, price (net money over quantity, of one piece).

    ``item``: the value of ``column`` (category), within which bands are cut; ``all`` where there is none. Lines given
    back, free lines and lines of quantity zero or below have no price. A line without a quantity is one piece; where a
    file has no quantities a price is a line's money.
    """
    pieces = nw.when(nw.col("quantity").is_null()).then(1.0).otherwise(nw.col("quantity"))
    item = nw.lit(ALL) if column is None else nw.col(column)
    sold = lines.filter(nw.col("reason") == "kept", nw.col("net") > 0).with_columns(
        pieces.alias("pieces"), item.alias("item")
    )
    priced = sold.filter(nw.col("pieces") > 0, ~nw.col("item").is_null())
    # Written out, for the engines' own rounding of 5.025 differs.
    price = (nw.col("net").cast(nw.Float64) / nw.col("pieces") * 100 + 0.5).floor() / 100
    return priced.select("customer_id", "item", "day", price.alias("price"))


def counted(found: nw.LazyFrame) -> nw.LazyFrame:
    """Lines by item and price: item, price, lines."""
    return found.group_by("item", "price").agg(nw.len().alias("lines"))


def cuts(counts: pd.DataFrame) -> pd.DataFrame:
    """The two prices that part an item's lines in three bands: item, middle_from, top_from (a band holds what lies
    *above* its bound); equal prices share a band.

    Left out are items with fewer than 30 lines, and those whose prices are so alike that a band would be empty.
    """
    ordered = counts.sort_values(["item", "price"], ignore_index=True)
    reached = ordered.groupby("item")["lines"].cumsum() / ordered.groupby("item")["lines"].transform("sum")
    bounds = {
        name: ordered[reached >= share - 1e-12].groupby("item")["price"].first()
        for name, share in (("middle_from", 1 / 3), ("top_from", 2 / 3))
    }
    facts = ordered.groupby("item").agg(lines=("lines", "sum"), dearest=("price", "max"))
    found = facts.assign(**bounds)
    parted = (found["middle_from"] < found["top_from"]) & (found["top_from"] < found["dearest"])
    return found[parted & (found["lines"] >= MIN_LINES)].reset_index()[["item", "middle_from", "top_from"]]


def between_windows(found: nw.LazyFrame, bounds: nw.LazyFrame, end: int, window_days: int) -> nw.LazyFrame:
    """One row per customer and item bought in the window up to ``end`` and in the one before: customer_id, item,
    from_band, to_band (0 to 2): the bands of the median price paid in either."""
    age = end - nw.col("day")
    dated = found.filter(age >= 0, age < 2 * window_days).with_columns(
        nw.when(age < window_days).then("price").alias("now"), nw.when(age >= window_days).then("price").alias("before")
    )
    each = dated.group_by("customer_id", "item").agg(nw.col("before").median(), nw.col("now").median())
    both = each.filter(~nw.col("before").is_null(), ~nw.col("now").is_null())
    return _banded(both, bounds)


def next_purchases(found: nw.LazyFrame, bounds: nw.LazyFrame) -> nw.LazyFrame:
    """One row per customer and item bought on two days or more: the bands of the median price paid on the first day
    (from_band) and on the second (to_band)."""
    daily = found.group_by("customer_id", "item", "day").agg(nw.col("price").median())
    own = {"order_by": "day"}
    beside = daily.with_columns(
        nw.col("price").shift(1).over("customer_id", "item", **own).alias("before"),
        nw.col("price").shift(2).over("customer_id", "item", **own).alias("earlier"),
    )
    second = beside.filter(~nw.col("before").is_null(), nw.col("earlier").is_null())
    return _banded(second.with_columns(nw.col("price").alias("now")), bounds)


def _banded(pairs: nw.LazyFrame, bounds: nw.LazyFrame) -> nw.LazyFrame:
    joined = pairs.join(bounds, on="item", how="inner")
    return joined.select("customer_id", "item", _band("before").alias("from_band"), _band("now").alias("to_band"))


def _band(price: str) -> nw.Expr:
    above = nw.when(nw.col(price) > nw.col("top_from")).then(2)
    return above.otherwise(nw.when(nw.col(price) > nw.col("middle_from")).then(1).otherwise(0))


def by_tier(moves: nw.LazyFrame, tiers: nw.LazyFrame) -> nw.LazyFrame:
    """Customers by item, tier and move: item, tier, from_band, to_band, customers. ``tiers``: customer_id, tier."""
    joined = moves.join(tiers, on="customer_id", how="inner")
    return joined.group_by("item", "tier", "from_band", "to_band").agg(nw.len().alias("customers"))


def table(counts: pd.DataFrame, basis: str, order: list[str]) -> pd.DataFrame:
    """price_bands.csv: for every item, and ``all`` of them, by tier and over all tiers, who went from which band where.

    ``counts``: `by_tier`; a customer counts once for each item bought twice. share: customers over ``base``, those of
    the same item, tier and from_band; low and high its 95 % Wilson interval; null below 10.
    """
    keys = ["item", "tier", "from_band", "to_band"]
    single = counts["item"].nunique() <= 1
    counts = counts if single else counts.assign(item=apart(counts["item"]))
    parts = [
        counts.assign(**over)
        for over in ({}, {"tier": ALL}, *([] if single else [{"item": ALL}, {"item": ALL, "tier": ALL}]))
    ]
    found = pd.concat(parts).groupby(keys)["customers"].sum()
    items, tiers = dict.fromkeys([ALL, *sorted(counts["item"].unique())]), [ALL, *order]
    cells = pd.MultiIndex.from_product([[*items], tiers, range(3), range(3)], names=keys)
    wide = found.reindex(cells, fill_value=0).reset_index()
    base = wide.groupby(keys[:3])["customers"].transform("sum")
    share = (wide["customers"] / base.where(base >= SMALL)).astype(float)
    low, high = wilson(share, base)
    names = dict(enumerate(BANDS))
    wide = wide.assign(basis=basis, base=base, share=share, low=low, high=high)
    return wide[base > 0].replace({"from_band": names, "to_band": names})[COLUMNS].reset_index(drop=True)


def risen(moves: pd.DataFrame) -> pd.DataFrame:
    """Who could rise and did, and who could fall and did, by basis, item and tier. ``moves``: `table`.

    could_rise (began below the top band), rose, rose_share with rose_low and rose_high; could_fall, fell, fell_share;
    shares are null below 10. ``verdict``: ``up`` or ``down`` where, of those who changed band, more rose or fell than
    chance allows (95 % Wilson interval of the risen against a half), else ``even``; ``too_few`` below 10. As many rise
    as fall where prices and tastes stand still, for who pays little once mostly pays more the next time.
    """
    place = {band: n for n, band in enumerate(BANDS)}
    start, end, n = moves["from_band"].map(place), moves["to_band"].map(place), moves["customers"]
    marks = {"could_rise": start < 2, "rose": end > start, "could_fall": start > 0, "fell": end < start}
    counts = moves[["basis", "item", "tier"]].assign(**{name: n.where(mark, 0) for name, mark in marks.items()})
    found = counts.groupby(["basis", "item", "tier"], sort=False).sum().reset_index()
    for could, did in (("could_rise", "rose"), ("could_fall", "fell")):
        found[f"{did}_share"] = (found[did] / found[could].where(found[could] >= SMALL)).astype(float)
    low, high = wilson(found["rose_share"], found["could_rise"])
    moved = found["rose"] + found["fell"]
    least, most = wilson(found["rose"] / moved.where(moved > 0), moved)
    verdict = np.select([moved < SMALL, least > 0.5, most < 0.5], ["too_few", "up", "down"], "even")
    return found.assign(rose_low=low, rose_high=high, verdict=verdict.astype(object))
