"""Drawings of needs: what is bought after what, what each tier prefers, and who moves to a dearer price band."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tierbook.insight.upsell import BANDS
from tierbook.show.figures import (
    DARK_ON_COLOUR,
    INK,
    NEUTRAL,
    ON_COLOUR,
    PAPER,
    RISK_COLOUR,
    STRONGEST,
    TIER_COLOURS,
    count_in_words,
    label,
)
from tierbook.show.words import N_, Words

BAND_COLOURS = (TIER_COLOURS["outside"], TIER_COLOURS["potential"], TIER_COLOURS["high"])
MOST_PAIRS, MOST_ITEMS = 12, 12


def draw_pairs(ax: Any, words: Words, pairs: pd.DataFrame) -> str:
    """Recommended pairs (`affinity.table`, not empty), the surest on top: of the buyers of ``have`` the share who bought
    ``next`` (dot), beside what customers who buy as much would have (ring)."""
    shown = pairs[pairs["recommended"]].head(MOST_PAIRS).reset_index(drop=True)
    chance = shown["expected"] / shown["customers_have"]
    ax.hlines(shown.index, chance, shown["confidence"], color=TIER_COLOURS["potential"], linewidth=3)
    ring = {"markerfacecolor": PAPER, "markeredgecolor": NEUTRAL, "markeredgewidth": 1.6}
    ax.plot(chance, shown.index, "o", markersize=7, label=words.text("Expected of customers who buy as much"), **ring)
    said = words.text("Bought it too")
    ax.plot(shown["confidence"], shown.index, "o", markersize=8, color=TIER_COLOURS["high"], label=said)
    for row in shown.itertuples():
        ax.annotate(words.percent(row.confidence), (row.confidence, row.Index), (8, 0), textcoords="offset points",
                    va="center", fontsize=10, color=INK)  # fmt: skip
    ax.set_yticks(shown.index, [f"{label(row.have)} → {label(row.next)}" for row in shown.itertuples()])
    ax.set(ylim=(len(shown) - 0.4, -0.6), xlim=(0, min(1.0, shown["confidence"].max()) * 1.14))
    ax.set_xlabel(words.text("Share of the buyers of the first"))
    count_in_words(ax.xaxis, words, "percent")
    ax.grid(axis="y", visible=False)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    first = {"have": shown.loc[0, "have"], "next": shown.loc[0, "next"], "share": shown.loc[0, "confidence"]}
    message = N_(
        "Of the buyers of “{have}”, {share:percent} also bought “{next}”; {chance:percent} were to be expected."
    )
    return words.text(message, chance=chance[0], **first)


def draw_preferences(ax: Any, words: Words, preferences: pd.DataFrame, order: list[str]) -> str:
    """Items × tiers: the share of the tier who bought the item; coloured where it lies above (blue) or below (orange)
    what customers who buy as much would have, by more than chance, the stronger the further.

    ``preferences``: `preference.table` (not empty); ``order``: the tiers, best first.
    """
    items = list(dict.fromkeys(preferences["item"]))[:MOST_ITEMS]
    cells = preferences[preferences["item"].isin(items)].set_index(["item", "tier"])
    ratio = np.log2((cells["share"] / cells["expected"]).clip(0.25, 4)).where(cells["differs"].isin(["above", "below"]))
    for (item, tier), row in cells.iterrows():
        if tier in order:
            _tile(ax, words, (order.index(tier), items.index(item)), row["share"], ratio[(item, tier)])
    ax.set_xticks(range(len(order)), [label(words.term("tier", tier)) for tier in order])
    ax.set_yticks(range(len(items)), [label(item) for item in items])
    ax.xaxis.tick_top()
    ax.set(xlim=(-0.5, len(order) - 0.5), ylim=(len(items) - 0.5, -0.5))
    ax.grid(visible=False)
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    told = cells["differs"].value_counts()
    best = ratio[ratio.index.get_level_values("tier").isin(order)].dropna()
    if best.empty or best.max() <= 0:
        return words.text("No tier prefers any of {n:number} items beyond chance.", n=len(items))
    item, tier = best.idxmax()
    message = N_(
        "“{tier:term.tier}” prefers “{item}” most: {share:percent} bought it; {above:number} cells lie above what was to "
        "be expected, {below:number} below."
    )
    return words.text(message, tier=tier, item=item, share=cells.loc[(item, tier), "share"], above=told.get("above", 0),
                      below=told.get("below", 0))  # fmt: skip


def _tile(ax: Any, words: Words, place: tuple[int, int], share: float, ratio: float) -> None:
    from matplotlib.patches import Rectangle

    x, y = place
    if ratio == ratio:
        colour = TIER_COLOURS["high"] if ratio > 0 else RISK_COLOUR
        depth = 0.12 + (STRONGEST - 0.12) * min(abs(ratio), 1.5) / 1.5
        ax.add_patch(Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, facecolor=colour, alpha=depth, linewidth=0))
    mark = "" if ratio != ratio else "▲ " if ratio > 0 else "▼ "
    ax.text(x, y, mark + words.percent(share), ha="center", va="center", fontsize=10, color=INK)


def draw_bands(ax: Any, words: Words, moves: pd.DataFrame) -> str:
    """From each price band (a bar) to which: `upsell.table` rows of one basis, item and tier; bars below 10 are empty."""
    shares = moves.set_index(["from_band", "to_band"])["share"]
    sizes = moves.drop_duplicates("from_band").set_index("from_band")["base"]
    for y, start in enumerate(BANDS):
        left = 0.0
        for colour, end in zip(BAND_COLOURS, BANDS, strict=True):
            share = shares.get((start, end), np.nan)
            share = 0.0 if np.isnan(share) else float(share)
            ax.barh(
                y, share, left=left, color=colour, height=0.62, label=words.term("price_band", end) if y == 0 else None
            )
            if share >= 0.06:
                ink = ON_COLOUR if end == "top" else DARK_ON_COLOUR
                ax.text(left + share / 2, y, words.percent(share), ha="center", va="center", color=ink, fontsize=10)
            left += share
    named = [words.text("{band:term.price_band} ({n:number})", band=band, n=int(sizes.get(band, 0))) for band in BANDS]
    ax.set_yticks(range(len(BANDS)), named)
    ax.set(ylim=(len(BANDS) - 0.5, -0.5), xlim=(0, 1))
    count_in_words(ax.xaxis, words, "percent")
    ax.set_xlabel(words.text("Share of those who began in the band, by the band they went to"))
    ax.grid(axis="y", visible=False)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    rose = shares.reindex([("entry", "middle"), ("entry", "top")]).sum(min_count=1)
    if np.isnan(rose):
        return words.text("Too few customers to tell shares of the entry band.")
    return words.text("Of those who began in the entry band, {share:percent} went to a dearer one.", share=rose)
