"""Drawing of the early warning beside simple rules: how many of each rule's alerts were right, shop by shop."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tierbook.insight.alert_backtest import OURS
from tierbook.show.figures import NEUTRAL, RISK_COLOUR, TIER_COLOURS, count_in_words
from tierbook.show.words import N_, Words


def draw_rules(axes, words: Words, backtests: Mapping[str, pd.DataFrame]) -> str:
    """One panel a shop, one row a rule: precision with its 95 % interval, and in brackets the share of customers alerted.

    ``backtests``: code of the shop (group ``case_shop``) → alert_backtest.csv. The dashed line is the base rate: a rule
    that alerts by lot. Rules without a precision have no row.
    """
    axes = np.atleast_1d(axes)
    for ax, (shop, table) in zip(axes, backtests.items(), strict=True):
        known = table[table["precision"].notna()].iloc[::-1].reset_index(drop=True)
        colours = [TIER_COLOURS["high"] if rule == OURS else NEUTRAL for rule in known["rule"]]
        ax.hlines(known.index, known["precision_low"], known["precision_high"], color=colours, linewidth=2)
        ax.scatter(known["precision"], known.index, color=colours, s=34, zorder=3)
        for row in known.itertuples():
            said = f"{words.percent(row.precision)} ({words.percent(row.alerted_share)})"
            ax.annotate(said, (row.precision_high, row.Index), xytext=(6, 0), textcoords="offset points", va="center",
                        fontsize=9.5)  # fmt: skip
        ax.axvline(
            known["base_rate"].iloc[0] if len(known) else np.nan, color=RISK_COLOUR, linestyle="--", linewidth=1.2
        )
        ax.set_title(words.term("case_shop", shop))
        ax.set_yticks(known.index, [words.term("alert_rule", rule) for rule in known["rule"]] if ax is axes[0] else [])
        ax.set_ylim(-0.6, max(len(known), 1) - 0.4)
        ax.set_xlim(0, 1.15)
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1])
        count_in_words(ax.xaxis, words, "percent")
        ax.grid(axis="y", visible=False)
    axes[0].figure.supxlabel(words.text("Of those alerted, who bought nothing for half a year (in brackets: share alerted)"), fontsize=10)  # fmt: skip
    shop, table = next(iter(backtests.items()))
    ours = table[table["rule"] == OURS].iloc[0]
    message = N_(
        "{shop:term.case_shop}: {hit:percent} of this report's alerts were right, {base:percent} would be by lot."
    )
    return words.text(message, shop=shop, hit=ours["precision"], base=ours["base_rate"])


def shop_column(words: Words, code: str, name: str) -> str:
    """Heading of a table that sets shops side by side: the shop's name and the column's."""
    return f"{words.term('case_shop', code)} · {words.term('column', name)}"
