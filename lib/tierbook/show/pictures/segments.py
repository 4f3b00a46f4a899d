"""Drawings of the segmentation: shares by tier, cut points, the segment map, and who comes back."""

from __future__ import annotations

import textwrap
from string import ascii_uppercase
from typing import Any

import numpy as np
import pandas as pd

from tierbook.scores.rfm import Scale
from tierbook.show.figures import (
    PAPER,
    RISK_COLOUR,
    SOFT,
    TIER_COLOURS,
    WARNING,
    count_in_words,
    shade,
    tier_colours,
)
from tierbook.show.words import N_, Words

BAR = TIER_COLOURS["potential"]
FAINT = TIER_COLOURS["outside"]
NAME_SIZE = 8.5
MOST_ORDERS = 15


def draw_shares(ax, words: Words, tiers: pd.DataFrame) -> str:
    """Per tier its share of net sales (coloured) above its share of customers (grey)."""
    places = np.arange(len(tiers))
    colours = tier_colours(tiers["name"], words)
    sales = tiers["revenue_share"].fillna(0.0)
    for shares, shift, colour in ((sales, -0.2, [colours[n] for n in tiers["name"]]), (tiers["share"], 0.2, FAINT)):
        bars = ax.barh(places + shift, shares, height=0.36, color=colour)
        ax.bar_label(bars, [words.percent(share) for share in shares], padding=4, fontsize=10)
    ax.set_yticks(places, [words.term("tier", name) for name in tiers["name"]])
    ax.invert_yaxis()
    ax.margins(x=0.12)
    ax.set_xlabel(words.text("Share of net sales (coloured) and of customers (grey)"))
    count_in_words(ax.xaxis, words, "percent")
    ax.grid(axis="y", visible=False)
    best = tiers.iloc[0]
    message = N_("{tier:term.tier}: {share:percent} of customers, {sales:percent} of net sales.")
    return words.text(message, tier=best["name"], share=best["share"], sales=best["revenue_share"])


def draw_cuts(axes, words: Words, spread: dict[str, Any], scale: Scale) -> str:
    """How customers spread over recency, frequency and monetary value (`segmentation.spread`), the cut points as lines."""
    from matplotlib.ticker import LogLocator

    recency, frequency, money = axes
    silent = spread["recency_days"]
    recency.hist(silent["recency_days"], bins=30, weights=silent["customers"], color=BAR)
    _cut_lines(recency, words, scale.cuts["recency_days"], "number")
    orders = spread["frequency"]
    counts = orders["customers"].groupby(orders["frequency"].clip(upper=MOST_ORDERS)).sum()
    frequency.bar(counts.index, counts, color=BAR, width=0.8)
    _cut_lines(frequency, words, [cut + 0.5 for cut in scale.cuts["frequency"] if cut < MOST_ORDERS], "")
    _frequency_ticks(frequency, words, counts)
    bins = spread["money"]
    if len(bins):
        money.hist(bins["low"], bins=[*bins["low"], bins["high"].iloc[-1]], weights=bins["customers"], color=BAR)
        money.set_xscale("log")
        money.xaxis.set_major_locator(LogLocator(numticks=3))
        money.minorticks_off()
        _cut_lines(money, words, [cut for cut in scale.cuts["monetary"] if cut > 0], "money.0", slant=32)
    count_in_words(money.xaxis, words, "money.0")
    labels = (
        words.text("Days since last order"),
        words.text("Orders in the window"),
        words.text("Net sales (log scale)"),
    )
    for ax, label in zip(axes, labels, strict=True):
        ax.set_xlabel(label)
        count_in_words(ax.yaxis, words)
        ax.grid(axis="x", visible=False)
        ax.tick_params(labelsize=9)
    money.tick_params(axis="x", labelsize=8.5)  # amounts are the longest labels, and must not touch
    recency.set_ylabel(words.text("Number of customers"))
    message = N_("The worst recency score begins after {days:number} days without an order.")
    return words.text(message, days=scale.cuts["recency_days"][-1])


def _cut_lines(ax, words: Words, cuts: list[float], spec: str, slant: float = 0) -> None:
    for cut in sorted(set(cuts)):
        ax.axvline(cut, color=RISK_COLOUR, linewidth=1.2, linestyle="--")
        if spec:
            ax.annotate(
                words.format(cut, spec), (cut, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3),
                textcoords="offset points", ha="left" if slant else "center", rotation=slant, fontsize=8.5, color=WARNING,
            )  # fmt: skip


def _frequency_ticks(ax, words: Words, counts: pd.Series) -> None:
    last = int(counts.index.max()) if len(counts) else 1
    shown = sorted({*range(1, last + 1, 2), last} - ({last - 1} if last > 2 else set()))
    ax.set_xticks(shown, [words.number(n) + ("+" if n == MOST_ORDERS else "") for n in shown])


def draw_map(ax, words: Words, cells: pd.DataFrame) -> str:
    """Every r × f × m cell: its segment by name where it has room, else by letter, its customers as shade.

    ``cells``: r, f, m, name (a segment), customers; every cell once. Columns count m within f; lines part the segments.
    """
    bins = int(cells["r"].max())
    sums = cells.groupby("name", sort=False)["customers"].sum().sort_values(ascending=False, kind="stable")
    letters = dict(zip(sums.index, ascii_uppercase, strict=False))
    grid = cells.sort_values(["r", "f", "m"], ascending=[False, True, True])
    counts, names = (grid[column].to_numpy().reshape(bins, bins**2) for column in ("customers", "name"))
    shade(ax, np.sqrt(counts / max(counts.max(), 1)) * 0.9)
    ax.vlines(range(bins, bins**2, bins), 0, bins, color=PAPER, linewidth=5)
    _borders(ax, names)
    named = _name_regions(ax, words, names)
    for y, x in np.argwhere(~named):
        ax.text(x + 0.5, y + 0.5, letters.get(names[y, x], "?"), ha="center", va="center", fontsize=9)
    ax.set_yticks(np.arange(bins) + 0.5, [f"R {r}" for r in range(bins, 0, -1)])
    ax.set_xticks(np.arange(bins**2) + 0.5, [str(m) for _ in range(bins) for m in range(1, bins + 1)], fontsize=8.5)
    for f in range(bins):
        ax.annotate(f"F {f + 1}", ((f + 0.5) * bins, 1), xycoords=("data", "axes fraction"), xytext=(0, 5),
                    textcoords="offset points", ha="center")  # fmt: skip
    ax.set_xlabel(words.text("M within each F"))
    _key_of_letters(ax, words, letters, sums)
    largest = cells.loc[cells["customers"].idxmax()]
    values = {"n": largest["customers"], "cell": "{r}{f}{m}".format(**largest), "name": largest["name"]}
    return words.text("Most customers, {n:number}, are in cell {cell}: {name:term.segment}.", **values)


def _borders(ax, names: np.ndarray) -> None:
    line = {"color": SOFT, "linewidth": 0.9}
    for y, x in np.argwhere(names[:, 1:] != names[:, :-1]):
        ax.plot([x + 1] * 2, [y, y + 1], **line)
    for y, x in np.argwhere(names[1:] != names[:-1]):
        ax.plot([x, x + 1], [y + 1] * 2, **line)


def _name_regions(ax, words: Words, names: np.ndarray) -> np.ndarray:
    """Write each segment's name into its largest blocks of cells; True where a cell needs no letter any more."""
    # the layout is made later: about 0.93 of the width and 0.6 of the height will be the map
    width = 0.93 * ax.figure.get_figwidth() * 72 / names.shape[1]
    height = 0.6 * ax.figure.get_figheight() * 72 / names.shape[0]
    named, tried = np.zeros((2, *names.shape), dtype=bool)
    while True:
        y, x, down, across = _largest_block(names, tried)
        if down * across < 2:
            return named
        tried[y : y + down, x : x + across] = True
        text = _fitted(words.term("segment", names[y, x]), across * width, down * height)
        if text is not None:
            ax.text(x + across / 2, y + down / 2, text, ha="center", va="center", fontsize=NAME_SIZE, linespacing=1.1)
            named[y : y + down, x : x + across] = True


def _largest_block(names: np.ndarray, tried: np.ndarray) -> tuple[int, int, int, int]:
    """Row, column, rows and columns of the widest, then highest block of one name among the cells not tried yet."""
    free = [(int(y), int(x)) for y, x in np.argwhere(~tried)]
    best = (0, 0, 0, 0)
    for y, x in free:
        across = names.shape[1] - x
        for down in range(1, names.shape[0] - y + 1):
            row = (names[y + down - 1, x : x + across] == names[y, x]) & ~tried[y + down - 1, x : x + across]
            across = int(row.argmin()) if not row.all() else across
            if (across * down, across) > (best[2] * best[3], best[3]):
                best = (y, x, down, across)
    return best


def _fitted(name: str, width: float, height: float) -> str | None:
    """The name in lines that fit into so many points, null when it does not."""
    wide = any(ord(sign) > 0x2E80 for sign in name)
    signs = max(int((width - 3) / (NAME_SIZE * (1.02 if wide else 0.6))), 1)
    lines = textwrap.wrap(name, signs, break_long_words=wide)
    fits = all(len(line) <= signs for line in lines) and len(lines) * NAME_SIZE * 1.2 <= height
    return "\n".join(lines) if fits and len(lines) <= 2 else None


def _key_of_letters(ax, words: Words, letters: dict[str, str], sums: pd.Series) -> None:
    from matplotlib.lines import Line2D

    said = {name: words.text("{name:term.segment} ({n:number})", name=name, n=sums[name]) for name in letters}
    names = [f"{letter}  {said[name]}" for name, letter in letters.items()]
    marks = [Line2D([], [], linestyle="") for _ in names]
    ax.legend(marks, names, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=4, handlelength=0, handletextpad=0)


def draw_comeback(ax, words: Words, bands: pd.DataFrame, lost_days: float | None) -> str:
    """Share who came back within 180 days by length of silence; a line where the stage 'lost' begins."""
    known = bands[bands["came_back"].notna()].reset_index(drop=True)
    bars = ax.bar(known.index, known["came_back"], color=BAR)
    ax.bar_label(bars, [words.percent(share) for share in known["came_back"]], padding=2, fontsize=10)
    ax.set_xticks(known.index, [_silence(row, words) for row in known.itertuples()], fontsize=9)
    if lost_days is not None:
        place = np.interp(lost_days, [*known["silent_from"]], [*known.index]) - 0.5
        ax.axvline(place, color=RISK_COLOUR, linestyle="--", linewidth=1.4)
        ax.annotate(words.text("lost from here on"), (place, 1), xycoords=("data", "axes fraction"), xytext=(6, -10),
                    textcoords="offset points", color=WARNING)  # fmt: skip
    ax.set_xlabel(words.text("Days silent 180 days ago"))
    ax.set_ylabel(words.text("Came back since"))
    count_in_words(ax.yaxis, words, "percent")
    ax.margins(y=0.14)
    ax.grid(axis="x", visible=False)
    first, last = known.iloc[0], known.iloc[-1]
    message = N_(
        "{first:percent} of those silent under {days:number} days came back, {last:percent} of the longest silent."
    )
    days = first["silent_to"] + 1
    return words.text(message, first=first["came_back"], days=days, last=last["came_back"])


def _silence(band, words: Words) -> str:
    if np.isnan(band.silent_to):
        return f"{words.number(band.silent_from)}+"
    return words.span(band.silent_from, band.silent_to)
