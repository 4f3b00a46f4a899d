"""Affinity: what customers who bought one thing buy next, beyond what their sheer number of purchases explains."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook.insight.lift import Prior, expected_both, fit_prior, lift_low
from tierbook.insight.shares import wilson

LEVELS = ("category", "product")
MIN_BOTH = 10
MOST_JOINED = 2_000_000_000
MOST_PAIRS, MOST_MEASURED = 10_000, 200_000
COLUMNS = ["have", "next", "customers_have", "customers_both", "confidence", "lift", "lift_low", "level", "expected",
           "lift_beyond", "lift_beyond_low", "customers_after", "customers_before", "recommended"]  # fmt: skip


def level(missing: pd.DataFrame) -> str | None:
    """The column whose values are what customers buy next: ``category`` where at least half of the order lines have
    one, else the fuller of category and product; None where the orders have neither.

    ``missing``: `profile.missing_by_column`.
    """
    lines = missing[missing["table"] == "transactions"].set_index("column")
    filled = 1 - lines["missing"].reindex(LEVELS) / lines["rows"].reindex(LEVELS)
    if filled["category"] >= 0.5:
        return "category"
    return filled.idxmax() if filled.max() > 0 else None


def bought(lines: nw.LazyFrame, column: str) -> nw.LazyFrame:
    """One row per customer and item bought and not wholly given back: customer_id, item, first_day, lines.

    ``lines``: judged order lines; ``item``: the value of ``column``. Bought is what has net money above zero in sum over
    all days; ``lines`` counts the lines above zero, ``first_day`` is the first of them. Free items are not bought.
    """
    paid = nw.when(nw.col("net") > 0)
    return (
        lines.filter(nw.col("reason") == "kept", ~nw.col(column).is_null())
        .group_by("customer_id", nw.col(column).alias("item"))
        .agg(nw.col("net").sum(), paid.then(nw.col("day")).min().alias("first_day"), paid.then(1).sum().alias("lines"))
        .filter(nw.col("net") > 0)
        .drop("net")
    )


def numbered(found: nw.LazyFrame, customers: nw.LazyFrame, items: nw.LazyFrame) -> nw.LazyFrame:
    """`bought` with whole numbers for names, which join faster: customer, item, first_day, lines.

    ``customers``: customer_id, customer; ``items``: name, item. Customers that are not listed drop out.
    """
    named = found.rename({"item": "name"}).join(customers, on="customer_id", how="inner")
    return named.join(items, on="name", how="inner").select("customer", "item", "first_day", "lines")


def activity(found: nw.LazyFrame) -> nw.LazyFrame:
    """Customers by how much they bought: ``lines``, ``items`` (different ones), ``customers``."""
    each = found.group_by("customer").agg(nw.col("lines").sum(), nw.len().alias("items"))
    return each.group_by("lines", "items").agg(nw.len().alias("customers"))


def most_items(found: pd.DataFrame, most: int = MOST_JOINED) -> int:
    """The number of different items up to which a customer is read, so that the pairs to join stay under ``most``.

    ``found``: `activity`. A wholesaler with thousands of items makes millions of pairs and says nothing of anybody's
    next item; in an ordinary shop this is the largest number there is.
    """
    by_items = found.groupby("items")["customers"].sum().sort_index()
    joined = (by_items * by_items.index.to_numpy(dtype=float) ** 2).cumsum()
    within = joined[joined <= most]
    return int(within.index.max()) if len(within) else int(by_items.index.min())


def by_customer(found: nw.LazyFrame, most: int) -> nw.LazyFrame:
    """The customers of `numbered` with no more than ``most`` different items: customer."""
    sizes = found.group_by("customer").agg(nw.len().alias("items"))
    return sizes.filter(nw.col("items") <= most).select("customer")


def by_item(found: nw.LazyFrame) -> nw.LazyFrame:
    """Customers by ``item``."""
    return found.group_by("item").agg(nw.len().alias("customers"))


def homes(lines: nw.LazyFrame) -> nw.LazyFrame:
    """Which categories each product was sold in: product, category."""
    named = ~nw.col("product").is_null() & ~nw.col("category").is_null()
    sold = lines.filter(nw.col("reason") == "kept", nw.col("net") > 0, named)
    return sold.group_by("product", "category").agg(nw.len().alias("lines")).select("product", "category")


def together(have: nw.LazyFrame, following: nw.LazyFrame, same: bool) -> nw.LazyFrame:
    """Customers who bought both of two items: have, next, customers_both, and how many bought ``next`` on a later
    (customers_after) or an earlier day (customers_before); pairs of at least `MIN_BOTH` customers.

    ``have``, ``following``: `numbered`. ``same``: both number the same items; each pair is then there once, the lower
    number first (`mirrored` adds the other direction).
    """
    left = have.select("customer", nw.col("item").alias("have"), nw.col("first_day").alias("have_day"))
    right = following.select("customer", nw.col("item").alias("next"), nw.col("first_day").alias("next_day"))
    pairs = left.join(right, on="customer", how="inner")
    if same:
        pairs = pairs.filter(nw.col("have") < nw.col("next"))
    later, earlier = nw.col("have_day") < nw.col("next_day"), nw.col("have_day") > nw.col("next_day")
    counted = pairs.group_by("have", "next").agg(
        nw.len().alias("customers_both"),
        nw.when(later).then(1).otherwise(0).sum().alias("customers_after"),
        nw.when(earlier).then(1).otherwise(0).sum().alias("customers_before"),
    )
    return counted.filter(nw.col("customers_both") >= MIN_BOTH)


def mirrored(pairs: pd.DataFrame) -> pd.DataFrame:
    """Both directions of pairs that stand once."""
    turned = {
        "have": "next",
        "next": "have",
        "customers_after": "customers_before",
        "customers_before": "customers_after",
    }
    return pd.concat([pairs, pairs.rename(columns=turned)], ignore_index=True)


def measured(
    pairs: pd.DataFrame, have: pd.Series, following: pd.Series, lines: pd.Series
) -> tuple[pd.DataFrame, Prior]:
    """Confidence and lift of each pair, and the prior that shrank them.

    Parameters
    ----------
    pairs : DataFrame
        `together`, each pair once.
    have, following : Series
        Customers by number of the item.
    lines : Series
        Customers by how many lines they bought (index: lines).

    Columns added: customers_have, customers_next, confidence (both over have), lift (confidence over the share of all
    customers with ``next``) and lift_low, the low end of its 95 % interval; expected (both, were every line drawn at
    random, see `lift.expected_both`), lift_beyond (both over expected, shrunk) and lift_beyond_low, the low end of its
    interval. Each low end is shrunk by a prior of its own and never above the lift. The prior returned is the second's.
    Of more than 200,000 pairs only those above expected come back.
    """
    total = int(lines.sum())
    whole = dict.fromkeys(["customers_both", "customers_after", "customers_before"], "int64")
    # A product of matrices rounds a row by where it stands: in one order, the same pairs give the same digits.
    at = pairs.astype(whole).sort_values(["have", "next"], ignore_index=True)
    at = at.assign(customers_have=at["have"].map(have), customers_next=at["next"].map(following))
    plain = (at["customers_have"] * at["customers_next"] / total).to_numpy(dtype=float)
    expected = expected_both(at["customers_have"].to_numpy(), at["customers_next"].to_numpy(), lines)
    # What is told is never more than what either way of expecting allows.
    at = at.assign(plain=plain, expected=np.maximum(expected, plain))
    both = at["customers_both"].to_numpy()
    of_plain, prior = (fit_prior(both, at[column].to_numpy(), MIN_BOTH) for column in ("plain", "expected"))
    if len(at) > MOST_MEASURED:
        at = at[at["customers_both"] > at["expected"]]
    return _lifted(at, of_plain, prior), prior


def _lifted(at: pd.DataFrame, of_plain: Prior, prior: Prior) -> pd.DataFrame:
    """Both lifts of pairs with their expected counts, and the low ends."""
    both, lift = at["customers_both"].to_numpy(), at["customers_both"] / at["plain"]
    _, low = lift_low(both, at["plain"].to_numpy(), of_plain)
    beyond, beyond_low = lift_low(both, at["expected"].to_numpy(), prior)
    found = at.assign(confidence=both / at["customers_have"], lift=lift, lift_low=np.minimum(low, lift))
    return found.assign(lift_beyond=beyond, lift_beyond_low=np.minimum(beyond_low, lift)).drop(columns="plain")


def turned(pairs: pd.DataFrame) -> pd.DataFrame:
    """`measured` in both directions: what depends on ``have`` is computed anew."""
    both = mirrored(pairs)
    half = len(pairs)
    both.loc[half:, ["customers_have", "customers_next"]] = pairs[["customers_next", "customers_have"]].to_numpy()
    return both.assign(confidence=both["customers_both"] / both["customers_have"])


def recommended(pairs: pd.DataFrame) -> pd.Series:
    """Which pairs are worth telling: lift_beyond_low above 1, and ``next`` not clearly the one that is bought first.

    Clearly: of those who bought both on different days, the 95 % Wilson interval of who bought ``next`` later lies
    below a half.
    """
    apart = pairs["customers_after"] + pairs["customers_before"]
    share = pairs["customers_after"] / apart.where(apart > 0)
    _, high = wilson(share, apart)
    return (pairs["lift_beyond_low"] > 1) & ~(pd.Series(high, index=pairs.index) < 0.5)


def says_more(products: pd.DataFrame, categories: pd.DataFrame, homes: pd.DataFrame) -> pd.Series:
    """Which pairs product → category tell more than their own category's pair: lift_beyond_low above its lift_beyond.

    ``homes``: product, category, as they stand together on order lines; a product's own categories are never its next.
    """
    of_category = categories.set_index(["have", "next"])["lift_beyond"]
    there = products[["have", "next"]].merge(homes.rename(columns={"product": "have"}), on="have")
    keys = pd.MultiIndex.from_frame(there[["category", "next"]])
    bar = there.assign(bar=of_category.reindex(keys).fillna(1.0).to_numpy(), own=there["category"] == there["next"])
    bars = bar.groupby(["have", "next"]).agg(bar=("bar", "max"), own=("own", "any"))
    at = bars.reindex(pd.MultiIndex.from_frame(products[["have", "next"]]))
    own = at["own"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    return pd.Series(
        ~own & (products["lift_beyond_low"].to_numpy() > at["bar"].fillna(1.0).to_numpy()), index=products.index
    )


def table(pairs: pd.DataFrame, most: int = MOST_PAIRS) -> pd.DataFrame:
    """affinity.csv: the recommended pairs first, then by lift_beyond_low, no more than ``most``."""
    keys, ways = (
        ["recommended", "lift_beyond_low", "confidence", "level", "have", "next"],
        [False, False, False, True, True, True],
    )
    return pairs.sort_values(keys, ascending=ways, ignore_index=True)[COLUMNS].head(most)
