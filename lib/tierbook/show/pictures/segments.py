"""Drawings of the segmentation: shares by tier, cut points, the segment map, and who comes back."""

from __future__ import annotations

from string import ascii_uppercase

import numpy as np
import pandas as pd

from tierbook.scores.rfm import Scale
from tierbook.show.figures import RISK_COLOUR, TIER_COLOURS, count_in_words, tier_colours
from tierbook.show.words import N_, Words

BAR = TIER_COLOURS["potential"]
FAINT = TIER_COLOURS["outside"]
MOST_ORDERS = 15


def draw_shares(ax, words: Words, tiers: pd.DataFrame) -> str:
    """Per tier its share of net sales (coloured) above its share of customers (grey)."""
    places = np.arange(len(tiers))
    colours = tier_colours(tiers["name"])
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


def draw_cuts(axes, words: Words, measures: pd.DataFrame, scale: Scale) -> str:
    """How customers spread over recency, frequency and monetary value, with the cut points as lines."""
    from matplotlib.ticker import LogLocator

    recency, frequency, money = axes
    recency.hist(measures["recency_days"], bins=30, color=BAR)
    _cut_lines(recency, words, scale.cuts["recency_days"], "number")
    counts = measures["frequency"].clip(upper=MOST_ORDERS).value_counts().sort_index()
    frequency.bar(counts.index, counts, color=BAR, width=0.8)
    _cut_lines(frequency, words, [cut + 0.5 for cut in scale.cuts["frequency"] if cut < MOST_ORDERS], "")
    _frequency_ticks(frequency, words, counts)
    positive = measures.loc[measures["monetary"] > 0, "monetary"]
    if len(positive):
        money.hist(positive, bins=_log_bins(positive), color=BAR)
        money.set_xscale("log")
        money.xaxis.set_major_locator(LogLocator(numticks=4))
        money.minorticks_off()
        _cut_lines(money, words, [cut for cut in scale.cuts["monetary"] if cut > 0], "")
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
    money.tick_params(axis="x", labelsize=7.5)  # amounts are the longest labels, and must not touch
    recency.set_ylabel(words.text("Customers"))
    message = N_("The worst recency score begins after {days:number} days without an order.")
    return words.text(message, days=scale.cuts["recency_days"][-1])


def _log_bins(positive: pd.Series) -> np.ndarray:
    low, high = np.log10(positive.min()), np.log10(positive.max())
    return np.logspace(low - 0.01, high + 0.01, 31)


def _cut_lines(ax, words: Words, cuts: list[float], spec: str) -> None:
    for cut in sorted(set(cuts)):
        ax.axvline(cut, color=RISK_COLOUR, linewidth=1.2, linestyle="--")
        if spec:
            ax.annotate(
                words.format(cut, spec), (cut, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3),
                textcoords="offset points", ha="center", fontsize=8.5, color=RISK_COLOUR,
            )  # fmt: skip


def _frequency_ticks(ax, words: Words, counts: pd.Series) -> None:
    last = int(counts.index.max()) if len(counts) else 1
    shown = sorted({*range(1, last + 1, 2), last} - ({last - 1} if last > 2 else set()))
    ax.set_xticks(shown, [words.number(n) + ("+" if n == MOST_ORDERS else "") for n in shown])


def draw_map(ax, words: Words, cells: pd.DataFrame) -> str:
    """Every r × f × m cell: its segment as a letter, its customers as shade; the columns count m within f."""
    bins = int(cells["r"].max())
    order = cells.groupby("name", sort=False)["customers"].sum().sort_values(ascending=False, kind="stable").index
    letters = dict(zip(order, ascii_uppercase, strict=False))
    grid = cells.sort_values(["r", "f", "m"], ascending=[False, True, True])
    counts = grid["customers"].to_numpy().reshape(bins, bins * bins)
    ax.imshow(np.sqrt(counts), cmap="Blues", aspect="auto", vmin=0, vmax=max(1.0, 1.6 * np.sqrt(counts.max())))
    for place, name in enumerate(grid["name"]):
        ax.text(place % bins**2, place // bins**2, letters.get(name, "?"), ha="center", va="center", fontsize=9.5)
    for edge in range(1, bins):
        ax.axvline(edge * bins - 0.5, color="white", linewidth=4)
    ax.set_yticks(range(bins), [f"R {r}" for r in range(bins, 0, -1)])
    ax.set_xticks(range(bins**2), [str(m) for _ in range(bins) for m in range(1, bins + 1)], fontsize=8.5)
    for f in range(bins):
        ax.annotate(f"F {f + 1}", (f * bins + (bins - 1) / 2, 1), xycoords=("data", "axes fraction"), xytext=(0, 5),
                    textcoords="offset points", ha="center")  # fmt: skip
    ax.set_xlabel(words.text("M within each F"))
    ax.grid(visible=False)
    _key_of_letters(ax, words, letters)
    largest = cells.loc[cells["customers"].idxmax()]
    values = {"n": largest["customers"], "cell": "{r}{f}{m}".format(**largest), "name": largest["name"]}
    return words.text("Most customers, {n:number}, are in cell {cell}: {name:term.segment}.", **values)


def _key_of_letters(ax, words: Words, letters: dict[str, str]) -> None:
    from matplotlib.lines import Line2D

    names = [f"{letter}  {words.term('segment', name)}" for name, letter in letters.items()]
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
                    textcoords="offset points", color=RISK_COLOUR)  # fmt: skip
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
