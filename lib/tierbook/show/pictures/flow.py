"""Drawing of the flow of customers between last month's tiers and this month's: who moved, from where to where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tierbook.show.figures import NEUTRAL, PAPER, SOFT, tier_colours
from tierbook.show.words import N_, Words

APART = 0.045
"""Between two tiers, of the height of all bands."""
LEAST = 0.042
"""Height that the number of the smallest band needs, of the height of all."""
NODE = 0.035
THINNEST = 0.004
"""Height of the band of a single customer, to be seen among any number."""


def draw_flow(ax: Any, words: Words, table: pd.DataFrame, order: Sequence[str]) -> str:
    """Customers who changed their tier as bands from last month's tier (left) to this month's (right).

    ``table``: the movement table (from_tier, to_tier, customers); ``order``: tiers best first. A band's height is its
    customers; who stayed is a number beside the tier, not a band, or the few who moved could not be seen. Figure size
    about 9 x 5.
    """
    moves = _moves(table, order)
    colours = tier_colours([*order, "outside"], words) | {"new": NEUTRAL}
    left, right = (_places(moves, order, side) for side in ("from_tier", "to_tier"))
    for row in moves.itertuples():
        _band(ax, left["bands"][row.Index], right["bands"][row.Index], row.height, colours[row.from_tier])
        ax.text(NODE + 0.012, left["bands"][row.Index], words.number(row.customers), va="center", fontsize=9)
        ax.text(1 - NODE - 0.012, right["bands"][row.Index], words.number(row.customers), va="center", ha="right",
                fontsize=9)  # fmt: skip
    for x, side, tiers in ((0.0, "from_tier", left["tiers"]), (1.0, "to_tier", right["tiers"])):
        for tier, (top, bottom) in tiers.items():
            _node(ax, (x, top, bottom), colours[tier])
            told = _told(words, table, tier, side)
            ax.text(-0.02 if x == 0 else 1.02, (top + bottom) / 2, told, va="center", ha="right" if x == 0 else "left",
                    linespacing=1.35)  # fmt: skip
    _frame(ax, words, max([bottom for side in (left, right) for _, bottom in side["tiers"].values()], default=1.0))
    return _said(words, moves, order)


def _moves(table: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    rank = {tier: place for place, tier in enumerate([*order, "outside", "new"])}
    moved = table[(table["from_tier"] != table["to_tier"]) & (table["customers"] > 0)]
    moved = moved[moved["from_tier"].isin(rank) & moved["to_tier"].isin(rank)]
    ranks = pd.DataFrame({side: moved[side].map(rank) for side in ("from_tier", "to_tier")}, dtype="int64")
    moved = moved.loc[ranks.sort_values(["from_tier", "to_tier"]).index].reset_index(drop=True)
    return moved.assign(height=moved["customers"] / max(moved["customers"].sum(), 1))


def _places(moves: pd.DataFrame, order: Sequence[str], side: str) -> dict[str, Any]:
    """Middle of each band at one side, and top and bottom of each tier; downwards, best tier first."""
    other = "to_tier" if side == "from_tier" else "from_tier"
    bands, tiers, y = np.zeros(len(moves)), {}, 0.0
    for tier in [tier for tier in [*order, "outside", "new"] if tier in set(moves[side])]:
        top = y
        rank = [*order, "outside", "new"].index
        for place in sorted(moves.index[moves[side] == tier], key=lambda place: rank(moves.loc[place, other])):
            slot = max(moves.loc[place, "height"], LEAST)
            bands[place], y = y + slot / 2, y + slot
        tiers[tier], y = (top, y), y + APART
    return {"bands": bands, "tiers": tiers}


def _band(ax: Any, start: float, end: float, height: float, colour: str) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    x, half = (NODE, 0.5, 0.5, 1 - NODE), max(height, THINNEST) / 2
    upper = [(x[0], start - half), (x[1], start - half), (x[2], end - half), (x[3], end - half)]
    lower = [(x[3], end + half), (x[2], end + half), (x[1], start + half), (x[0], start + half)]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3]
    ax.add_patch(PathPatch(Path([*upper, *lower], codes), facecolor=(colour, 0.55), linewidth=0))


def _node(ax: Any, place: tuple[float, float, float], colour: str) -> None:
    from matplotlib.patches import Rectangle

    x, top, bottom = place
    left = x if x == 0 else x - NODE
    ax.add_patch(Rectangle((left, top), NODE, bottom - top, facecolor=colour, edgecolor=PAPER, linewidth=0.8))


def _told(words: Words, table: pd.DataFrame, tier: str, side: str) -> str:
    here = table[table[side] == tier]
    stayed = int(here.loc[here["from_tier"] == here["to_tier"], "customers"].sum())
    moved = int(here["customers"].sum()) - stayed
    name = words.term("tier", tier)
    if tier in ("outside", "new"):
        return f"{name}\n{words.number(moved)}"
    message = N_("−{moved:number}, {stayed:number} stayed") if side == "from_tier" else N_("+{moved:number}")
    return f"{name}\n{words.text(message, moved=moved, stayed=stayed)}"


def _frame(ax: Any, words: Words, height: float) -> None:
    ax.set(xlim=(-0.3, 1.3), ylim=(height, -0.02))
    ax.set_axis_off()
    for x, said, side in ((0.0, words.text("Tier last month"), "left"), (1.0, words.text("Tier now"), "right")):
        ax.text(x, -0.035, said, ha=side, va="bottom", color=SOFT)


def _said(words: Words, moves: pd.DataFrame, order: Sequence[str]) -> str:
    if moves.empty:
        return words.text("Nobody moved since last month: 0 customers.")
    rank = {tier: place for place, tier in enumerate([*order, "outside"])}
    known = moves[moves["from_tier"] != "new"]
    down = known["to_tier"].map(rank) > known["from_tier"].map(rank)
    largest = moves.loc[moves["customers"].idxmax()]
    return words.text(
        "{up:number} customers moved up and {down:number} down; the largest move, {n:number}, is from {source:term.tier} to {target:term.tier}.",
        up=known.loc[~down, "customers"].sum(),
        down=known.loc[down, "customers"].sum(),
        n=largest["customers"],
        source=largest["from_tier"],
        target=largest["to_tier"],
    )
