"""Drawings of movement: tier by tier since last month, falls of the best tier, tier sizes over the months."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tierbook.show.figures import (
    INK,
    NEUTRAL,
    RISK_COLOUR,
    SOFT,
    TIER_COLOURS,
    count_in_words,
    label,
    shade,
    tier_colours,
)
from tierbook.show.words import Words

HOLIDAY_SIZE = 8.0
DOT_APART = 0.35


def draw_moves(ax: Any, words: Words, table: pd.DataFrame, order: Sequence[str]) -> str:
    """Customers by tier last month (rows) and tier now (columns), moves shaded by their share of the row.

    ``table``: the movement table; ``order``: tiers best first. Who stayed is written in grey and not shaded, nor are
    newcomers, who come from no tier.
    """
    rows = [tier for tier in [*order, "outside", "new"] if tier in set(table["from_tier"])]
    columns = [tier for tier in [*order, "outside"] if tier in set(table["to_tier"])]
    counts = table.pivot_table(index="from_tier", columns="to_tier", values="customers", aggfunc="sum", fill_value=0)
    counts = counts.reindex(index=rows, columns=columns, fill_value=0).astype(int)
    stayed = np.equal.outer(np.array(rows, dtype=object), np.array(columns, dtype=object))
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0).mask(stayed | (counts.to_numpy() == 0))
    shares.loc[shares.index == "new"] = 0.0
    shade(ax, shares / max(float(shares.fillna(0).max(axis=None)), 0.2) if shares.size else shares, RISK_COLOUR)
    for y, x in np.argwhere(counts.to_numpy() > 0):
        ink = SOFT if stayed[y, x] else INK
        ax.text(x + 0.5, y + 0.5, words.number(counts.iloc[y, x]), ha="center", va="center", color=ink)
    ax.set_xticks([x + 0.5 for x in range(len(columns))], [_wrapped(words, tier) for tier in columns])
    ax.set_yticks([y + 0.5 for y in range(len(rows))], [words.term("tier", tier) for tier in rows], rotation=0)
    ax.set_xlabel(words.text("Tier now"))
    ax.set_ylabel(words.text("Tier last month"))
    moved = int(table.loc[table["from_tier"] != table["to_tier"], "customers"].sum())
    return words.text("{n:number|customer has|customers have} another tier than a month ago.", n=moved)


def _wrapped(words: Words, tier: str) -> str:
    return "\n".join(textwrap.wrap(words.term("tier", tier), 14, break_long_words=False))


def draw_falls(
    ax: Any, words: Words, falls: pd.DataFrame, usual: tuple[float, float], marks: Mapping | None = None
) -> str:
    """Falls from the best tier month by month, the last one beside its usual range, orange when
    above it (``tier_path.falls``).

    ``marks``: codes of the holidays of each month by its end (``seasons.marks``), named beneath the months.
    """
    places = list(range(len(falls)))
    above = len(falls) and not pd.isna(usual[0]) and falls["fallen"].iloc[-1] > usual[1]
    last_colour = RISK_COLOUR if above else TIER_COLOURS["high"]
    ax.bar(places, falls["fallen"], width=0.66, color=[NEUTRAL] * (len(falls) - 1) + [last_colour])
    if not pd.isna(usual[0]) and places:
        ax.axhspan(
            *usual,
            color=TIER_COLOURS["high"],
            alpha=0.14,
            linewidth=0,
            zorder=0,
            label=words.text("Usual range this month"),
        )
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    for place, fallen in zip(places, falls["fallen"], strict=True):
        ax.annotate(words.number(fallen), (place, fallen), (0, 3), textcoords="offset points", ha="center")
    _months(ax, falls["end"])
    _holidays(ax, words, falls["end"], marks or {})
    ax.set_ylabel(words.text("Customers who left the best tier"))
    ax.grid(axis="x", visible=False)
    count_in_words(ax.yaxis, words)
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.margins(y=0.15)
    last = falls["fallen"].iloc[-1] if len(falls) else None
    return words.text("{n:number|customer|customers} left the best tier in the last month shown.", n=last)


def draw_sizes(ax: Any, words: Words, sizes: pd.DataFrame, marks: Mapping | None = None) -> str:
    """Customers per tier at each month's end (``tier_path.sizes``), one line a tier; ``marks`` as in ``draw_falls``."""
    places, tiers = list(range(len(sizes))), list(sizes.columns)
    colours = tier_colours(tiers, words)
    for tier in tiers:
        ax.plot(places, sizes[tier], color=colours[tier], linewidth=2.4)
    ax.set_ylim(0, max(sizes.max(axis=None) * 1.08, 1) if len(sizes) else 1)
    last = sizes.iloc[-1] if len(sizes) else pd.Series(0, index=tiers)
    for tier, height in _apart(last, ax.get_ylim()[1] * 0.065).items():
        said = words.text("{tier:term.tier} {n:number}", tier=tier, n=last[tier])
        # a dot carries the colour: small letters in it would be hard to read
        ax.plot(len(sizes) - 1 + DOT_APART, height, "o", markersize=7, color=colours[tier], clip_on=False)
        ax.annotate(said, (len(sizes) - 1 + DOT_APART, height), (8, 0), textcoords="offset points", va="center")
    _months(ax, sizes.index)
    # room for the names at the lines' ends
    ax.set_xlim(-0.3, max((len(sizes) - 1) * 1.26, 1))
    _holidays(ax, words, sizes.index, marks or {})
    ax.set_ylabel(words.text("Number of customers"))
    ax.grid(axis="x", visible=False)
    count_in_words(ax.yaxis, words)
    return words.text("The best tier has {n:number|customer|customers} at the end.", n=last.iloc[0])


def _apart(heights: pd.Series, least: float) -> dict[str, float]:
    """Heights moved up just so far that labels at them do not overlap."""
    placed: dict[str, float] = {}
    for tier, height in heights.sort_values(kind="stable").items():
        placed[tier] = max([float(height), *[below + least for below in placed.values()]])
    return placed


def _months(ax: Any, ends: Sequence) -> None:
    # every second month, counted back from the last, leaves room for the names
    shown = list(range(len(ends) - 1, -1, -2))
    ax.set_xticks(shown, [f"{pd.Timestamp(ends[place]):%Y-%m}" for place in shown])


def _holidays(ax: Any, words: Words, ends: Sequence, marks: Mapping) -> None:
    """Names of the months' holidays beneath the months, each in the first row where it has room."""
    found = [marks.get(pd.Timestamp(end).date()) for end in ends]
    slot = ax.get_position().width * ax.figure.get_figwidth() * 72 / abs(np.diff(ax.get_xlim())[0])
    taken: list[float] = []
    for place, codes in ((place, codes) for place, codes in enumerate(found) if codes):
        name = label(words.list(codes, "event"), 40)
        half, centre = _width(name) / 2, place * slot
        row = next((n for n, end in enumerate(taken) if end < centre - half), len(taken))
        taken[row : row + 1] = [centre + half + HOLIDAY_SIZE]
        ax.annotate(
            name, (place, 0), (0, -22 - 1.35 * HOLIDAY_SIZE * row), xycoords=("data", "axes fraction"),
            textcoords="offset points", ha="center", va="top", fontsize=HOLIDAY_SIZE, color=SOFT,
        )  # fmt: skip


def _width(name: str) -> float:
    """Points a text is wide at the size of holidays: Chinese signs are square, Latin ones two thirds of that."""
    return sum(HOLIDAY_SIZE * (1.0 if ord(sign) > 0x2E80 else 0.66) for sign in name)
