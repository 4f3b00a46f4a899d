"""Drawings of the scorecard: what new, kept, won back and lost customers did to net sales; budget beside profit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tierbook.show.figures import FURTHER_COLOURS, NEUTRAL, RISK_COLOUR, SOFT, TIER_COLOURS, count_in_words
from tierbook.show.words import N_, Words

WHOLE, GAINED, TAKEN = NEUTRAL, TIER_COLOURS["high"], RISK_COLOUR
ENDS = ("year_ago", "now")


def draw_revenue_bridge(ax: Any, words: Words, bridge: pd.DataFrame) -> str:
    """Net sales from a year ago to now as a waterfall: both totals as bars, each kind of customer as the step it made.

    ``bridge``: the rows of one period of `insight.revenue_bridge.bridge`. Figure size about 8 x 4.
    """
    total = bridge["step"].isin(ENDS).to_numpy()
    after, amount = bridge["after"].to_numpy(dtype=float), bridge["amount"].to_numpy(dtype=float)
    left = np.where(total, 0.0, after - amount)
    colours = np.where(total, WHOLE, np.where(amount < 0, TAKEN, GAINED))
    places = range(len(bridge))
    # an edge of its own colour keeps the smallest step to be seen
    ax.barh(places, amount, left=left, color=colours, edgecolor=colours, linewidth=1.5, height=0.62)
    for place in list(places)[:-1]:
        ax.plot([after[place]] * 2, [place + 0.31, place + 0.69], color=SOFT, linewidth=1)
    low, high = min(0.0, after.min()), max(after.max(), (left + amount).max(), 1.0)
    for place in places:
        said = words.format(amount[place], "money" if total[place] else "+money")
        ax.text(max(after[place], left[place]) + (high - low) * 0.015, place, said, va="center", fontsize=10)
    ax.set_yticks(places, [words.term("bridge_step", step) for step in bridge["step"]])
    ax.set(xlim=(low, high + (high - low) * 0.2), ylim=(len(bridge) - 0.4, -0.6))
    ax.set_xlabel(words.text("Net sales"))
    ax.locator_params(axis="x", nbins=5)
    count_in_words(ax.xaxis, words, "money")
    ax.grid(axis="y", visible=False)
    message = N_(
        "Net sales went from {before:money} to {now:money}; the largest step is “{step:term.bridge_step}” with {money:+money}."
    )
    steps = bridge[~total]
    largest = steps.loc[steps["amount"].abs().idxmax()] if len(steps) else pd.Series({"step": None, "amount": None})
    return words.text(message, before=after[0], now=after[-1], step=largest["step"], money=largest["amount"])


def draw_budget(ax: Any, words: Words, budget: pd.DataFrame) -> str:
    """Share of the contact budget beside share of profit, tier by tier.

    ``budget``: `insight.budget.budget`; rows without shares are left out. Figure size about 8 x 3.6.
    """
    rows = budget[budget["profit_share"].notna()]
    spent = rows["cost_share"].fillna(rows["contact_share"])
    places = np.arange(len(rows))
    by_margin = (rows["basis"] == "margin").all()
    series = [
        (words.text("Share of contact budget"), spent, FURTHER_COLOURS[0], -0.19),
        (
            words.text("Share of margin") if by_margin else words.text("Share of net sales"),
            rows["profit_share"],
            GAINED,
            0.19,
        ),
    ]
    for name, values, colour, shift in series:
        bars = ax.barh(places + shift, values, height=0.36, color=colour, label=name)
        ax.bar_label(bars, [words.percent(value) for value in values], padding=3, fontsize=10)
    ax.set_yticks(places, [words.term("tier", tier) for tier in rows["tier"]])
    ax.invert_yaxis()
    ax.margins(x=0.12)
    count_in_words(ax.xaxis, words, "percent")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    ax.grid(axis="y", visible=False)
    off = np.log(rows["budget_index"].where(rows["budget_index"] > 0)).abs()
    if off.isna().all():
        return words.text("No tier's share of the budget can be set beside its share of profit.")
    worst = rows.loc[off.idxmax()]
    message = N_(
        "Furthest apart is tier “{tier:term.tier}”: {spent:percent} of the budget, {profit:percent} of the profit."
    )
    return words.text(message, tier=worst["tier"], spent=spent[worst.name], profit=worst["profit_share"])
