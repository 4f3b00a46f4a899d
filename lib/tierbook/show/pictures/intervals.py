"""Drawings of shares by tier and of odds ratios: a dot with its 95 % interval."""

from typing import Any

import pandas as pd

from tierbook.show.figures import INK, SOFT, count_in_words, tier_colours
from tierbook.show.words import Words

TICKS = (0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5, 10, 20, 50)  # of a logarithmic axis, as a reader would count


def draw_shares(ax: Any, words: Words, table: pd.DataFrame, column: str, group: str) -> str:
    """Shares by tier, one band of dots for each value of ``column``, whose names are the terms of ``group``.

    ``table``: ``column``, tier, share, low, high (`holdings`, `service_levels`); rows without a share are left out.
    Within a band tiers stand in the table's order, the first at the bottom.
    """
    shown = table.dropna(subset=["share"])
    bands, tiers = list(dict.fromkeys(shown[column])), list(dict.fromkeys(shown["tier"]))
    colours, step = tier_colours(tiers, words), 0.78 / max(len(tiers), 1)
    for row in shown.itertuples():
        place = bands.index(getattr(row, column)) + (len(tiers) / 2 - 0.5 - tiers.index(row.tier)) * step
        ax.hlines(place, row.low, row.high, color=colours[row.tier], linewidth=2.2)
        ax.plot(row.share, place, marker="o", markersize=6.5, color=colours[row.tier])
        ax.annotate(words.percent(row.share, 1), (row.high, place), (6, 0), textcoords="offset points", va="center",
                    fontsize=9, color=INK)  # fmt: skip
    ax.set_yticks(range(len(bands)), [words.term(group, code) for code in bands])
    widest = max([*shown["high"], 0.05])
    ax.set(ylim=(max(len(bands), 1) - 0.5, -0.5), xlim=(0, widest * 1.14))
    ax.xaxis.set_major_locator(_steps(min(widest, 1.0)))
    count_in_words(ax.xaxis, words, "percent")
    ax.set_xlabel(words.text("Share of the tier, with 95 % interval"))
    ax.grid(axis="y", visible=False)
    _key(ax, words, tiers)
    if shown.empty:
        return words.text("No share can be given.")
    first = shown[shown[column] == bands[0]]
    said = [f"{words.term('tier', row.tier)} {words.percent(row.share, 1)}" for row in first.itertuples()]
    return words.text("{name}: {shares:list}.", name=words.term(group, bands[0]), shares=said)


def _steps(widest: float) -> Any:
    from matplotlib.ticker import FixedLocator

    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if widest / step < 7)
    return FixedLocator([n * step for n in range(int(widest / step + 1e-9) + 1)])


def _key(ax: Any, words: Words, tiers: list[str]) -> None:
    from matplotlib.lines import Line2D

    colours = tier_colours(tiers, words)
    marks = [
        Line2D([], [], linestyle="", marker="o", markersize=6.5, color=colours[tier], label=words.term("tier", tier))
        for tier in reversed(tiers)
    ]
    if marks:
        ax.legend(handles=marks, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(marks), borderaxespad=0.2)


def draw_odds(ax: Any, words: Words, table: pd.DataFrame) -> str:
    """Odds ratios on a logarithmic axis, the line of no difference at 1; rows without a ratio are left out.

    ``table``: group and code (the row's name is that term; a row of group ``tier`` has the tier's colour), value, low,
    high. The first row is the crude ratio, the second the adjusted one: the alternative text compares the two.
    """
    shown = table.dropna(subset=["value"]).reset_index(drop=True)
    colours = tier_colours(shown.loc[shown["group"] == "tier", "code"], words)
    ax.set_xscale("log")
    ax.axvline(1, color=SOFT, linewidth=1)
    for row in shown.itertuples():
        colour = colours.get(row.code, INK) if row.group == "tier" else INK
        ax.hlines(row.Index, row.low, row.high, color=colour, linewidth=2.2)
        ax.plot(row.value, row.Index, marker="D" if row.Index < 2 else "o", markersize=7, color=colour)
        ax.annotate(words.number(row.value, 2), (row.high, row.Index), (6, 0), textcoords="offset points", va="center",
                    fontsize=9, color=INK)  # fmt: skip
    ax.set_yticks(shown.index, [words.term(row.group, row.code) for row in shown.itertuples()])
    ends = [*shown["low"], *shown["high"], 1.0]
    ax.set(ylim=(max(len(shown), 1) - 0.5, -0.5), xlim=(min(ends) / 1.15, max(ends) * 1.35))
    _count_in_ratios(ax, words)
    ax.set_xlabel(words.text("Odds ratio, with 95 % interval; 1: no difference"))
    ax.grid(axis="y", visible=False)
    if len(shown) < 2:
        return words.text("No odds ratio can be compared.")
    said = {"crude": shown.loc[0, "value"], "adjusted": shown.loc[1, "value"]}
    return words.text("Odds ratio {crude:number.2} over all, {adjusted:number.2} comparing like with like.", **said)


def _count_in_ratios(ax: Any, words: Words) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    ax.xaxis.set_major_locator(FixedLocator(TICKS))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(lambda x, _: words.number(x, 0 if x >= 1 else 1))
