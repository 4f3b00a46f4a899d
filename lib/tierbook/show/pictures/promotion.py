"""Drawings of the case studies' trials: planted effects beside those found, and what a coupon nets."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from tierbook.show.figures import RISK_COLOUR, SOFT, TIER_COLOURS, count_in_words
from tierbook.show.pictures.campaign import draw_forest
from tierbook.show.words import Words

PAYS_COLOUR = TIER_COLOURS["high"]
UNCLEAR_COLOUR = SOFT
SMALLEST_P = 0.001


def chance(p: float) -> Callable[[Words], str]:
    """A p value for a sentence: ``p 0.121``, or ``p below 0.001``."""
    return lambda words: words.text("p below 0.001") if p < SMALLEST_P else words.text("p {p:number.3}", p=p)


def draw_truth(ax: Any, words: Words, rows: pd.DataFrame) -> str:
    """Effects with their intervals (`draw_forest`) and, as open diamonds, the effects that were planted.

    ``rows``: `rehearsal.beside_truth` of one arm.
    """
    draw_forest(ax, words, rows)
    ax.plot(rows["truth"], range(len(rows)), linestyle="", marker="D", markersize=9, markerfacecolor="none",
            markeredgecolor=RISK_COLOUR, markeredgewidth=1.8, zorder=5, label=words.text("Planted effect"))  # fmt: skip
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1))
    inside = rows["truth"].between(rows["low"], rows["high"]).sum()
    return words.text(
        "The interval holds the planted effect in {inside:number} of {n:number} tiers.", inside=inside, n=len(rows)
    )


def draw_net_per_coupon(ax: Any, words: Words, rows: pd.DataFrame) -> str:
    """What a coupon nets with its 95 % interval, one line a row.

    ``rows``: who (term group ``promotion_to``), half (group ``trial_half``), net_per_coupon, net_per_coupon_low,
    net_per_coupon_high, in the report's currency; rows without a number are left out.
    """
    shown = rows.dropna(subset=["net_per_coupon"]).reset_index(drop=True)
    ax.axvline(0, color=UNCLEAR_COLOUR, linewidth=1)
    for place, row in shown.iterrows():
        low, high = row["net_per_coupon_low"], row["net_per_coupon_high"]
        colour = PAYS_COLOUR if low > 0 else RISK_COLOUR if high < 0 else UNCLEAR_COLOUR
        ax.hlines(place, low, high, color=colour, linewidth=2.6)
        ax.plot(row["net_per_coupon"], place, marker="o", markersize=8, color=colour)
    named = [words.text("{who:term.promotion_to}\n{half:term.trial_half}", **row) for _, row in shown.iterrows()]
    ax.set_yticks(range(len(shown)), named)
    ax.set_ylim(max(len(shown), 1) - 0.4, -0.6)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(words.text("Net per coupon given, 95 % interval"))
    count_in_words(ax.xaxis, words, "+money.2")
    if shown.empty:
        return words.text("No effect can be given.")
    last = shown.iloc[-1]
    return words.text(
        "{who:term.promotion_to}, {half:term.trial_half}: {net_per_coupon:money.3} a coupon, interval {span:span.money.3}.",
        span=(last["net_per_coupon_low"], last["net_per_coupon_high"]),
        **last[["who", "half", "net_per_coupon"]],
    )
