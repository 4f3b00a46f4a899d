"""Drawings of slices and concentration: the best tier's share by value, and what the best customers hold."""

from __future__ import annotations

import pandas as pd

from tierbook.show.figures import INK, NEUTRAL, RISK_COLOUR, SOFT, TIER_COLOURS, count_in_words, label
from tierbook.show.words import N_, Words

COLOURS = {"above": TIER_COLOURS["high"], "below": RISK_COLOUR, "usual": NEUTRAL}
MARKS = {"above": "▲ ", "below": "▼ ", "usual": ""}
FIFTH = 0.20


def draw_pareto(ax, words: Words, curve: pd.DataFrame, gini: float) -> str:
    """The Pareto curve (`concentration.pareto`, not empty) beside the line of equal customers, with the Gini coefficient."""
    ax.plot([0, 1], [0, 1], color=SOFT, linestyle="--", linewidth=1.2)
    ax.text(0.6, 0.54, words.text("All customers alike"), color=SOFT, fontsize=9.5)
    ax.plot(curve["customers_share"], curve["revenue_share"], color=TIER_COLOURS["high"], linewidth=2.4)
    fifth = curve.iloc[(curve["customers_share"] - FIFTH).abs().argmin()]
    values = {"share": fifth["customers_share"], "held": fifth["revenue_share"], "gini": gini}
    point = (fifth["customers_share"], fifth["revenue_share"])
    ax.plot(*point, "o", color=RISK_COLOUR)
    said = words.text("the best {share:percent} bring {held:percent}", **values)
    ax.annotate(said, point, xytext=(10, -14), textcoords="offset points")
    about = words.text("Gini coefficient {gini:number.2} (0: all alike, 1: one buys everything)", **values)
    ax.text(0.98, 0.04, about, ha="right", color=SOFT, fontsize=9.5)
    ax.set_xlabel(words.text("Customers, best first"))
    ax.set_ylabel(words.text("Share of net sales"))
    count_in_words(ax.xaxis, words, "percent")
    count_in_words(ax.yaxis, words, "percent")
    ax.set(xlim=(0, 1), ylim=(0, 1.02))
    message = N_(
        "The best {share:percent} of customers bring {held:percent} of net sales; Gini coefficient {gini:number.2}."
    )
    return words.text(message, **values)


def draw_slices(ax, words: Words, table: pd.DataFrame, best: str) -> str:
    """The best tier's share by value as bars with 95 % intervals, the whole's share as a line (`slices.side_by_side`).

    Values that differ from the whole by more than chance are coloured and marked ▲ or ▼; those with fewer than 10
    customers in the window have no bar.
    """
    places, shares = range(len(table)), table["best_share"].fillna(0.0)
    told = table["differs"].fillna("usual")
    whole = table["best_customers"].sum() / max(table["in_window"].sum(), 1)
    ax.barh(places, shares, height=0.6, color=[COLOURS[code] for code in told])
    ends = table[["best_low", "best_high"]]
    ax.hlines(places, ends["best_low"], ends["best_high"], color=INK, linewidth=1.3)
    for place, (share, end, code) in enumerate(zip(table["best_share"], ends["best_high"], told, strict=True)):
        text = MARKS[code] + words.percent(share)
        ax.annotate(
            text, (0 if pd.isna(end) else end, place), (5, 0), textcoords="offset points", va="center", fontsize=10
        )
    ax.axvline(whole, color=SOFT, linestyle="--", linewidth=1.1)
    ax.annotate(words.text("all {whole:percent}", whole=whole), (whole, 1), xycoords=("data", "axes fraction"),
                xytext=(0, 3), textcoords="offset points", ha="center", fontsize=9.5, color=SOFT)  # fmt: skip
    ax.set_yticks(places, [_named(words, row) for row in table.itertuples()])
    widest = max([*ends["best_high"].dropna(), whole, 0.05])
    ax.set(ylim=(len(table) - 0.4, -0.6), xlim=(0, widest * 1.16))
    about = N_("“{tier}” among buyers of the window, with 95% interval")
    ax.set_xlabel(words.text(about, tier=label(words.term("tier", best))))
    count_in_words(ax.xaxis, words, "percent")
    ax.grid(axis="y", visible=False)
    message = N_(
        "Of {n:number|slice|slices}, {differ:number} differ from the whole ({whole:percent}) by more than chance."
    )
    return words.text(message, n=len(table), differ=int(told.ne("usual").sum()), whole=whole)


def _named(words: Words, row) -> str:
    return words.text("{value} ({n:number})", value=label(words.term("slice", row.value), 22), n=row.in_window)
