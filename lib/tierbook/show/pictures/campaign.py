"""Drawings of campaigns: the effect per customer assigned with its interval, for all and by tier."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from tierbook.show.figures import INK, SOFT, count_in_words, tier_colours
from tierbook.show.words import Words

_MEANS = {"response": "percent.1", "orders": "number.3", "spend": "money", "profit": "money"}
_EFFECTS = {"response": "points", "orders": "+number.3", "spend": "+money", "profit": "+money"}


def mean_format(outcome: str) -> str:
    """How an outcome's mean is written; one that only a trial has, as a plain number."""
    return _MEANS.get(outcome, "number.3")


def effect_format(outcome: str) -> str:
    """How an effect on an outcome is written."""
    return _EFFECTS.get(outcome, "+number.3")


def effect(outcome: str, amount: float, *bounds: float) -> Callable[[Words], str]:
    """An effect on an outcome, to be written in its unit for each language, as finely as the interval beside it."""
    return lambda words: words.format(amount, _written(outcome, amount, *bounds))


def interval(outcome: str, low: float, high: float) -> Callable[[Words], str]:
    """An effect's interval, both ends to be written alike in the outcome's unit for each language."""
    spec = _written(outcome, low, high).removeprefix("+")
    return lambda words: words.span(low, high, spec)


def _written(outcome: str, *amounts: float) -> str:
    # whole units of money once an end has two digits before the point: 285 beside 9.13 promises too much
    written = effect_format(outcome)
    return "+money.0" if written == "+money" and max(map(abs, amounts)) >= 10 else written


def draw_forest(ax: Any, words: Words, rows: pd.DataFrame) -> str:
    """Effects with 95 % intervals, one line for all customers and one a tier; rows without an effect are left out.

    ``rows``: tier, outcome (one only), n_treated, n_control, effect, low, high of one campaign and arm.
    """
    shown = rows.dropna(subset=["effect"]).reset_index(drop=True)
    colours = {**tier_colours(shown["tier"], words), "all": INK}
    ax.axvline(0, color=SOFT, linewidth=1)
    for place, row in shown.iterrows():
        colour = colours[row["tier"]]
        ax.hlines(place, row["low"], row["high"], color=colour, linewidth=3 if row["tier"] == "all" else 2.2)
        ax.plot(row["effect"], place, marker="D" if row["tier"] == "all" else "o", markersize=8, color=colour)
    ax.set_yticks(range(len(shown)), [_name(words, row) for _, row in shown.iterrows()])
    ax.set_ylim(max(len(shown), 1) - 0.4, -0.6)
    ax.grid(axis="y", visible=False)
    if shown.empty:
        return words.text("No effect can be given.")
    outcome, total = shown["outcome"].iloc[0], shown.iloc[0]
    ax.set_xlabel(_axis(words, outcome))
    count_in_words(ax.xaxis, words, _written(outcome, *ax.get_xlim()))
    ax.xaxis.get_major_locator().set_params(nbins=6)
    return words.text(
        "{tier:term.tier}: effect {effect}, interval {interval}.",
        tier=total["tier"],
        effect=effect(outcome, total["effect"], total["low"], total["high"]),
        interval=interval(outcome, total["low"], total["high"]),
    )


def _name(words: Words, row: pd.Series) -> str:
    return words.text(
        "{tier:term.tier}\n{treated:number} treated, {control:number} control",
        tier=row["tier"],
        treated=row["n_treated"],
        control=row["n_control"],
    )


def _axis(words: Words, outcome: str) -> str:
    return words.text("Effect on {outcome:term.outcome} per customer assigned, 95 % interval", outcome=outcome)
