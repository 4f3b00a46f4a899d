"""Drawings of the data's quality: empty cells by month, refunds by month, and how orders fall on the week and the year."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tierbook.insight.gates import MOST_MONTHS
from tierbook.show.figures import NEUTRAL, RISK_COLOUR, TIER_COLOURS, count_in_words, label, shade, write_cells
from tierbook.show.words import N_, Words

MONTHS_SHOWN = MOST_MONTHS + 1
YEAR_COLOURS = (TIER_COLOURS["high"], TIER_COLOURS["potential"], NEUTRAL)  # the newest first


def draw_missing(ax: Any, words: Words, missing: pd.DataFrame) -> str:
    """Share of empty cells by column of the orders and month: the last thirteen months, the emptiest column on top.

    ``missing``: `profile.missing_by_month` of the columns to show, not empty; a month under ten rows stays blank.
    """
    grid = missing.pivot(index="column", columns="month", values="missing_share").astype(float).iloc[:, -MONTHS_SHOWN:]
    grid = grid.loc[grid.mean(axis=1).sort_values(ascending=False, kind="stable").index]
    said = grid.mul(100).map(lambda x: "" if np.isnan(x) else words.number(x))
    shade(ax, grid, RISK_COLOUR)
    write_cells(ax, said.to_numpy(), fontsize=9.5)
    ax.set_yticks(np.arange(len(grid)) + 0.5, [label(words.term("column", name)) for name in grid.index], rotation=0)
    ax.set_xticks(np.arange(grid.shape[1]) + 0.5, list(grid.columns), rotation=35, ha="right")
    ax.tick_params(labelsize=9)
    ax.set(xlabel=words.text("Share of empty cells in the order lines that count, %"), ylabel="")
    ax.grid(visible=False)
    latest = grid.iloc[:, -1]
    values = {"column": words.term("column", grid.index[0]), "share": latest.iloc[0], "month": grid.columns[-1]}
    return words.text("The emptiest column is “{column}”: {share:percent.1} empty in {month:month}.", **values)


def draw_refund_share(ax: Any, words: Words, months: pd.DataFrame, usual: tuple[float, float]) -> str:
    """Refunds as a share of sales by month, the last thirteen months; the usual range as a band, none where null;
    the last bar is orange when above it."""
    shown = months.tail(MONTHS_SHOWN)
    places = np.arange(len(shown))
    if not np.isnan(usual[0]):
        ax.axhspan(*usual, color=TIER_COLOURS["high"], alpha=0.14, label=words.text("Usual range (P10–P90)"))
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    above = shown["refund_share"].iloc[-1] > usual[1]
    last_colour = RISK_COLOUR if above else TIER_COLOURS["high"]
    ax.bar(places, shown["refund_share"], color=[*[NEUTRAL] * (len(shown) - 1), last_colour], width=0.7)
    ax.set_xticks(places, list(shown["month"]), rotation=35, ha="right")
    ax.tick_params(axis="x", labelsize=9)
    ax.set_ylabel(words.text("Refunds, share of sales"))
    count_in_words(ax.yaxis, words, "percent.1")
    ax.grid(axis="x", visible=False)
    last = shown.iloc[-1]
    message = N_("In {month:month} {share:percent.1} of sales went back.")
    return words.text(message, month=last["month"], share=last["refund_share"])


def draw_rhythm(axes: Any, words: Words, weekdays: pd.DataFrame, years: pd.DataFrame) -> str:
    """Left the mean orders by weekday (`rhythm.weekdays`, not empty), right the orders by month of up to three years
    (`rhythm.years`)."""
    week, year = axes
    best = int(weekdays["index"].to_numpy().argmax())
    colours = [TIER_COLOURS["high"] if place == best else NEUTRAL for place in range(len(weekdays))]
    week.bar(range(len(weekdays)), weekdays["orders"], color=colours)
    week.set_xticks(range(len(weekdays)), [words.term("weekday", day) for day in weekdays["weekday"]])
    week.set_ylabel(words.text("Orders a day"))
    count_in_words(week.yaxis, words, "number")
    for place, (name, told) in enumerate(sorted(years.groupby("year"), reverse=True)):
        line = {"color": YEAR_COLOURS[place], "linewidth": 2.4 if place == 0 else 1.6, "marker": "o", "markersize": 4}
        year.plot(told["month_of_year"], told["orders"], label=str(name), **line)
    year.set_xticks(range(1, 13), [words.number(month) for month in range(1, 13)])
    year.set(xlabel=words.text("Month"), ylabel=words.text("Orders"), ylim=(0, None))
    count_in_words(year.yaxis, words)
    if len(years):
        year.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    for ax in axes:
        ax.grid(axis="x", visible=False)
    values = {"day": weekdays["weekday"].iloc[best], "change": weekdays["index"].iloc[best] - 1}
    return words.text("The busiest weekday is {day:term.weekday}, {change:change} against an average day.", **values)
