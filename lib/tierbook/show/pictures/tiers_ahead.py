"""Drawing of what tiers foretold: their size, who came back, and their part of the sales that followed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.show.figures import INK, count_in_words, tier_colours
from tierbook.show.words import N_, Words

PANELS = (
    ("share", N_("Share of customers")),
    ("came_back_share", N_("Came back")),
    ("next_share", N_("Share of the next sales")),
)


def draw_tiers_ahead(axes, words: Words, table: pd.DataFrame) -> str:
    """Per tier, best on top, three panels on one scale: share of customers, who came back (95 % interval), next sales.

    ``table``: `cases.tiers_ahead.tiers_ahead`; a share that is null there has no bar.
    """
    places, colours = np.arange(len(table)), tier_colours(table["tier"], words)
    for ax, (column, title) in zip(axes, PANELS, strict=True):
        shares = table[column].astype(float)
        bars = ax.barh(places, shares.fillna(0.0), color=[colours[tier] for tier in table["tier"]], height=0.62)
        ends = shares
        if column == "came_back_share":
            ends = table["high"].astype(float)
            spread = [shares - table["low"], ends - shares]
            ax.errorbar(shares, places, xerr=spread, fmt="none", ecolor=INK, elinewidth=1.3, capsize=3)
        for bar, share, end in zip(bars, shares, ends, strict=True):
            ax.annotate(words.percent(share), (0.0 if np.isnan(share) else end, bar.get_y() + 0.31), xytext=(5, 0),
                        textcoords="offset points", va="center", fontsize=10)  # fmt: skip
        ax.set_title(words.text(title))
        ax.set_xlim(0, 1.18)
        ax.set_xticks([0, 0.5, 1])
        count_in_words(ax.xaxis, words, "percent")
        ax.set_yticks(places, [words.term("tier", tier) for tier in table["tier"]] if ax is axes[0] else [])
        ax.invert_yaxis()
        ax.grid(axis="y", visible=False)
    first, last = table.iloc[0], table.iloc[-1]
    message = N_(
        "{share:percent} of customers are {best:term.tier}; {back:percent} of them came back and brought {sales:percent} of "
        "the next sales. Of the tier {worst:term.tier} {low_back:percent} came back."
    )
    return words.text(
        message, share=first["share"], best=first["tier"], back=first["came_back_share"], sales=first["next_share"],
        worst=last["tier"], low_back=last["came_back_share"],
    )  # fmt: skip
