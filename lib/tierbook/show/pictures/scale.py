"""Drawing of a frozen scale's drift: how many customers have each score, at freezing and now."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.scores.drift import shares_now
from tierbook.scores.rfm import MEASURES, Scale
from tierbook.show.figures import NEUTRAL, TIER_COLOURS, count_in_words
from tierbook.show.words import N_, Words

THEN, NOW = NEUTRAL, TIER_COLOURS["high"]
TITLES = (N_("Recency (R)"), N_("Frequency (F)"), N_("Monetary value (M)"))


def draw_drift(axes, words: Words, scale: Scale, cells: pd.DataFrame) -> str:
    """Share of customers with each score of r, f and m, one panel a measure: grey at freezing, blue now.

    ``cells``: r, f, m on the scale and customers, one known customer at least; the scale keeps its shares.
    """
    now = shares_now(scale, cells)
    places = np.arange(1, scale.bins + 1)
    for ax, measure, title in zip(axes, MEASURES, TITLES, strict=True):
        for shares, shift, colour, label in (
            (scale.shares[measure], -0.2, THEN, words.text("When frozen")),
            (now[measure], 0.2, NOW, words.text("Now")),
        ):
            ax.bar(places + shift, shares, width=0.38, color=colour, label=label)
        ax.set_title(words.text(title))
        ax.set_xticks(places, [words.number(score) for score in places])
        ax.set_xlabel(words.text("Score"))
        count_in_words(ax.yaxis, words, "percent")
        ax.grid(axis="x", visible=False)
    axes[0].set_ylabel(words.text("Share of customers"))
    axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return _largest_change(words, scale, now)


def _largest_change(words: Words, scale: Scale, now: dict[str, list[float]]) -> str:
    change = np.array([now[m] for m in MEASURES]) - np.array([scale.shares[m] for m in MEASURES])
    row, score = np.unravel_index(np.abs(change).argmax(), change.shape)
    message = N_(
        "The largest change: score {score} of {measure} held {then:percent} of customers when frozen, {now:percent} now."
    )
    measure = MEASURES[row]
    shares = {"then": scale.shares[measure][score], "now": now[measure][score]}
    return words.text(message, score=int(score) + 1, measure="RFM"[row], **shares)
