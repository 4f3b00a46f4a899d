"""Preference (购买偏好): what each tier buys, beside what all customers of the window buy."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook.insight.groups import SMALL
from tierbook.insight.lift import chance_per_line, squashed
from tierbook.insight.shares import wilson

COLUMNS = ["item", "tier", "customers", "base", "share", "low", "high", "index", "expected", "differs", "spend",
           "spend_share", "spend_index"]  # fmt: skip
ALL = "all"


def spent(lines: nw.LazyFrame, column: str, end: int, window_days: int) -> nw.LazyFrame:
    """What each customer spent on each item in the window: customer_id, item, net, lines (those of money above zero).

    ``lines``: judged order lines; ``column``: category or product.
    """
    age = end - nw.col("day")
    inside = lines.filter(nw.col("reason") == "kept", age >= 0, age < window_days, ~nw.col(column).is_null())
    paid = nw.when(nw.col("net") > 0).then(1).otherwise(0)
    return inside.group_by("customer_id", nw.col(column).alias("item")).agg(
        nw.col("net").sum(), paid.sum().alias("lines")
    )


def by_tier(found: nw.LazyFrame, tiers: nw.LazyFrame) -> nw.LazyFrame:
    """Net money and customers by item and tier: item, tier, customers (with money left above zero), spend.

    ``found``: `spent`; ``tiers``: customer_id, tier of the window.
    """
    joined = found.join(tiers, on="customer_id", how="inner")
    buyer = nw.when(nw.col("net") > 0).then(1).otherwise(0)
    return joined.group_by("item", "tier").agg(buyer.sum().alias("customers"), nw.col("net").sum().alias("spend"))


def activity(found: nw.LazyFrame, tiers: nw.LazyFrame) -> nw.LazyFrame:
    """Customers by tier and number of lines of the items they kept: tier, lines, customers."""
    kept = found.filter(nw.col("net") > 0).group_by("customer_id").agg(nw.col("lines").sum())
    joined = kept.join(tiers, on="customer_id", how="inner")
    return joined.group_by("tier", "lines").agg(nw.len().alias("customers"))


def table(found: pd.DataFrame, lines: pd.DataFrame, sizes: pd.Series, order: list[str]) -> pd.DataFrame:
    """preferences.csv: every item bought by 10 customers of the window, the most bought first, by tier and over ``all``.

    ``found``: `by_tier`; ``lines``: `activity`; ``sizes``: customers of the window by tier; ``order``: the scheme's tiers.

    share: customers who bought the item over ``base``, all customers of the tier, with its 95 % Wilson interval; index:
    share over that of all customers. Who buys much buys more of everything: expected is the share that customers who
    buy as many lines would have, were each line drawn as over all tiers (`_expected`), and differs says whether the interval
    leaves it out (``above``, ``below``, else ``usual``). spend_share: the item's part of the tier's net money,
    spend_index the same over that of all. Null where the tier, or for spend_share the item's buyers in it, are fewer
    than 10, or money is not above zero.
    """
    found = found.sort_values(["item", "tier"])  # sums of money do not hang on the engine's order of rows
    base = pd.Series({ALL: sizes.sum(), **sizes.reindex(order, fill_value=0)})
    long = pd.concat([found, found.assign(tier=ALL)]).astype({"spend": float, "customers": "int64"})
    sums = long.groupby(["item", "tier"])[["customers", "spend"]].sum()
    whole = sums.xs(ALL, level="tier")["customers"] if len(sums) else pd.Series(dtype="int64")
    if (whole < SMALL).all():
        return pd.DataFrame(columns=COLUMNS)
    kept = whole[whole >= SMALL].sort_index().sort_values(ascending=False, kind="stable")
    cells = pd.MultiIndex.from_product([kept.index, [ALL, *order]], names=["item", "tier"])
    cell = sums.reindex(cells, fill_value=0).reset_index()
    cell = cell.assign(base=cell["tier"].map(base).astype("int64"))
    expected = _expected(kept, lines, sums).reindex(cells).to_numpy() / cell["base"].where(cell["base"] >= SMALL)
    return _shares(
        cell.assign(expected=expected.clip(upper=1.0)), cell["tier"].map(long.groupby("tier")["spend"].sum())
    )[COLUMNS]


def _expected(kept: pd.Series, lines: pd.DataFrame, sums: pd.DataFrame) -> pd.Series:
    """Customers expected by item and tier, were every line drawn as over all; in sum over the items those there are.

    The sum takes out that some tiers buy the same things again and again, so that fewer lines are of something new.
    """
    chance = chance_per_line(kept.to_numpy(dtype=float), *squashed(lines.groupby("lines")["customers"].sum()))
    found = {}
    for tier, part in pd.concat([lines, lines.assign(tier=ALL)]).groupby("tier"):
        draws, customers = squashed(part.groupby("lines")["customers"].sum())
        drawn = pd.Series((1 - (1 - chance[:, None]) ** draws) @ customers, index=kept.index)
        there = sums["customers"].xs(tier, level="tier").reindex(kept.index, fill_value=0)
        found[tier] = drawn * (there.sum() / drawn.sum() if drawn.sum() > 0 else 1.0)
    return pd.DataFrame(found).rename_axis(columns="tier", index="item").stack()


def _shares(cell: pd.DataFrame, money: pd.Series) -> pd.DataFrame:
    share = (cell["customers"] / cell["base"].where(cell["base"] >= SMALL)).astype(float)
    enough = (cell["customers"] >= SMALL) & (money > 0) & (cell["spend"] > 0)
    low, high = wilson(share, cell["base"])
    differs = np.select([low > cell["expected"], high < cell["expected"]], ["above", "below"], "usual")
    unknown = share.isna() | cell["tier"].eq(ALL)
    told = cell.assign(
        share=share,
        low=low,
        high=high,
        spend_share=(cell["spend"] / money).where(enough),
        differs=pd.Series(differs, index=cell.index).astype(object).mask(unknown, None),
    )
    return told.assign(
        index=share / _of_all(told, "share"), spend_index=told["spend_share"] / _of_all(told, "spend_share")
    )


def _of_all(told: pd.DataFrame, name: str) -> pd.Series:
    """The value of all customers beside each row of the same item."""
    return told["item"].map(told[told["tier"] == ALL].set_index("item")[name])


def strongest(preferences: pd.DataFrame) -> pd.DataFrame:
    """What each tier buys more than customers who buy as much do, beyond chance: one row per tier, of the largest
    share over expected."""
    there = preferences[preferences["differs"] == "above"]
    there = there.assign(beyond=there["share"] / there["expected"]).sort_values(
        ["beyond", "item"], ascending=[False, True]
    )
    return there.drop_duplicates("tier", ignore_index=True)
