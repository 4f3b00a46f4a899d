"""Where a middle tier lies: as the tier below it, as the one above, between the two, or outside both."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.errors import InputError
from tierbook.insight.shares import newcombe

COLUMNS = ["product", "share_below", "share", "share_above", "over_below", "over_below_low", "over_below_high"]
COLUMNS += ["over_above", "over_above_low", "over_above_high", "place", "leaning"]


def leaning(held: pd.DataFrame, tier: str, below: str, above: str) -> pd.DataFrame:
    """One row per product of `holdings.holdings`: the share in ``tier`` beside those of two other tiers.

    share, share_below, share_above; over_below and over_above: share less the other tier's, with the 95 % interval of
    `difference`. place: 0 where the share equals that of ``below``, 1 where that of ``above``; null where those two cannot
    be told apart. leaning, by which differences exclude zero:

    ============  ===================================================================
    between       from both, in opposite directions
    outside       from both, in the same direction
    as_below      from ``above`` only
    as_above      from ``below`` only
    as_either     from neither
    ============  ===================================================================

    Null where a tier has fewer than 10 customers. "As" says that no difference was found, not that there is none.

    Raises
    ------
    InputError : a tier that ``held`` does not have
    """
    lost = [name for name in (tier, below, above) if name not in set(held["tier"])]
    if lost:
        raise InputError(f"leaning: no tier {lost}; there are {list(dict.fromkeys(held['tier']))}")
    order = list(dict.fromkeys(held["product"]))
    here, lower, upper = (held[held["tier"] == name].set_index("product").loc[order] for name in (tier, below, above))
    table = pd.DataFrame({"share_below": lower["share"], "share": here["share"], "share_above": upper["share"]})
    for name, other in (("over_below", lower), ("over_above", upper)):
        table[name], table[f"{name}_low"], table[f"{name}_high"] = difference(here, other)
    apart, apart_low, apart_high = difference(upper, lower)
    table["place"] = (table["over_below"] / apart).where((apart_low > 0) | (apart_high < 0))
    table["leaning"] = _codes(_side(table, "over_below"), _side(table, "over_above"))
    table["leaning"] = table["leaning"].where(table[["share_below", "share", "share_above"]].notna().all(axis=1), None)
    return table.rename_axis("product").reset_index()[COLUMNS]


def difference(one: pd.DataFrame, other: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Difference of two independent shares and its 95 % interval: ``one`` less ``other``, each with share, low, high.

    The interval is `shares.newcombe`'s. Rows match by index.
    """
    ends = ["share", "low", "high"]
    return one["share"] - other["share"], *newcombe(*([rows[name] for name in ends] for rows in (one, other)))


def _side(table: pd.DataFrame, name: str) -> np.ndarray:
    """1 or -1 where the difference excludes zero, by its sign, else 0."""
    return (table[f"{name}_low"] > 0).to_numpy().astype(int) - (table[f"{name}_high"] < 0).to_numpy().astype(int)


def _codes(from_below: np.ndarray, from_above: np.ndarray) -> np.ndarray:
    product = from_below * from_above
    conditions = [product < 0, product > 0, from_above != 0, from_below != 0]
    return np.select(conditions, ["between", "outside", "as_below", "as_above"], "as_either").astype(object)
