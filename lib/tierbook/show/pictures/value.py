"""Drawings of customer value: forecast against what happened, value by tier and customer, expected orders by behaviour."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tierbook.accounting import day_date
from tierbook.show.figures import (
    INK,
    PAPER,
    RISK_COLOUR,
    TIER_COLOURS,
    WARNING,
    count_in_words,
    shade,
    tier_colours,
    write_cells,
)
from tierbook.show.words import NONE, Words

FORECAST_COLOUR = TIER_COLOURS["high"]


def draw_calibration(ax: Any, words: Words, bands: pd.DataFrame) -> str:
    """Orders per customer in the held-out period by earlier repeats: forecast, actual and past rate.

    ``bands``: slice, customers, actual, predicted, past_rate (``forecast.calibration``); bands without numbers are
    left out.
    """
    shown = bands.dropna(subset=["actual", "predicted"]).reset_index(drop=True)
    places = list(range(len(shown)))
    ax.hlines(places, shown["actual"], shown["predicted"], color=FORECAST_COLOUR, linewidth=2, alpha=0.5)
    ax.scatter(shown["past_rate"], places, marker="x", s=45, color=RISK_COLOUR, label=words.text("Past rate"))
    ax.scatter(
        shown["predicted"],
        places,
        s=60,
        facecolor=PAPER,
        edgecolor=FORECAST_COLOUR,
        linewidth=2,
        zorder=3,
        label=words.text("Forecast"),
    )
    ax.scatter(shown["actual"], places, s=60, color=INK, zorder=2, label=words.text("Actual"))
    ax.set_yticks(places, [words.term("slice", code) for code in shown["slice"]])
    ax.set_xlabel(words.text("Orders per customer in the held-out period"))
    # a cross at nil stands whole
    ax.set_xlim(left=-0.02 * ax.get_xlim()[1])
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    count_in_words(ax.xaxis, words, "number.1")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.14), ncols=3)
    orders = shown[["predicted", "actual"]].mul(shown["customers"], axis=0).sum()
    return words.text("{predicted:number} orders were forecast and {actual:number} placed.", **orders)


def draw_value_by_tier(ax: Any, words: Words, table: pd.DataFrame) -> str:
    """Total expected value by tier, with each tier's share (``forecast.by_tier``)."""
    places, tiers = list(range(len(table))), table["tier"].tolist()
    colours = tier_colours(tiers, words)
    ax.barh(places, table["total_clv"], height=0.62, color=[colours[tier] for tier in tiers])
    for place, amount, share in zip(places, table["total_clv"], table["clv_share"], strict=True):
        said = words.text("{amount:money} · {share:percent}", amount=amount, share=share)
        ax.annotate(said, (max(amount, 0), place), (6, 0), textcoords="offset points", va="center")
    ax.set_yticks(places, [words.term("tier", tier) for tier in tiers])
    ax.invert_yaxis()
    ax.xaxis.set_visible(False)
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    # room for the amount beside the longest bar
    ax.set_xlim(0, max(table["total_clv"].max() * 1.35, 1) if len(table) else 1)
    best = table.loc[table["total_clv"].idxmax()] if len(table) else {"tier": None, "clv_share": None}
    return words.text(
        "The tier {tier:term.tier} holds {share:percent} of the expected value.",
        tier=best["tier"],
        share=best["clv_share"],
    )


def draw_expected_orders(ax: Any, words: Words, grid: pd.DataFrame) -> str:
    """Mean expected orders by days since the last order and purchase days (``forecast.by_recency_frequency``)."""
    known = grid.astype(float)
    said = known.map(lambda x: words.format(x, "number.1")).replace(NONE, "")
    shade(ax, known / max(known.max(axis=None), 1e-9))
    write_cells(ax, said.to_numpy())
    ax.set_xticks([place + 0.5 for place in range(grid.shape[1])], list(grid.columns))
    ax.set_yticks([place + 0.5 for place in range(grid.shape[0])], list(grid.index), rotation=0)
    ax.set_xlabel(words.text("Purchase days so far"))
    ax.set_ylabel(words.text("Days since the last order"))
    return words.text("Expected orders reach {most:number.1} where they are highest.", most=known.max(axis=None))


def draw_cumulative_orders(ax: Any, words: Words, table: pd.DataFrame, cut: int) -> str:
    """Repeat purchases as they added up beside what the model expected of the same customers.

    ``table``: `insight.tracking.tracking` of the customers known at ``cut`` (day number), the date the model was fitted
    at: left of the line the fit, right of it the forecast.
    """
    days = pd.to_datetime(table["day"], unit="D")
    ax.plot(days, table["actual"], color=INK, linewidth=2.5, label=words.text("Actual"))
    ax.plot(
        days, table["expected"], color=FORECAST_COLOUR, linewidth=2, linestyle=(0, (4, 2)), label=words.text("Forecast")
    )
    inside = cut in table["day"].to_numpy()[:-1]
    if inside:
        ax.axvline(pd.Timestamp(day_date(cut)), color=RISK_COLOUR, linewidth=1)
        said = words.text("forecast from here")
        ax.annotate(said, (pd.Timestamp(day_date(cut)), 0.02), (5, 0), xycoords=("data", "axes fraction"),
                    textcoords="offset points", color=WARNING, fontsize=9.5)  # fmt: skip
    _months_in_words(ax, days)
    ax.set_ylabel(words.text("Repeat purchases so far"))
    ax.set_ylim(bottom=0)
    count_in_words(ax.yaxis, words)
    ax.legend(loc="upper left")
    sums = table.set_index("day")[["actual", "expected"]]
    since = sums.iloc[-1] - (sums.loc[cut] if inside else 0) if len(sums) else {"actual": None, "expected": None}
    found = {"predicted": since["expected"], "actual": since["actual"]}
    return words.text("{predicted:number} repeat purchases were forecast and {actual:number} made.", **found)


def _months_in_words(ax: Any, days: pd.Series) -> None:
    from matplotlib.dates import AutoDateLocator, DateFormatter

    if days.empty:
        ax.set_xticks([])
        return
    ax.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=8))
    ax.xaxis.set_major_formatter(DateFormatter("%Y-%m"))


def draw_value_distribution(axes: Any, words: Words, spread: Mapping[str, Any]) -> str:
    """How expected value is spread over customers: their number by value, and ten customers with their 80 % intervals.

    ``spread``: `insight.value_spread.spread`. The ten stand in the middle of each tenth of the customers, least value
    first; a mean may lie outside its skewed interval. Two rows of panels on one axis of square roots, on which small
    amounts keep apart; the last bar holds all above it.
    """
    counts, examples = axes
    bins, rows = spread["bins"], spread["examples"]
    top = bins["high"].iloc[-1]
    edges = [*bins["low"], top]
    counts.hist(bins["low"], bins=edges, weights=bins["customers"], color=FORECAST_COLOUR, alpha=0.75, edgecolor="none")
    counts.set_ylabel(words.text("Number of customers"))
    count_in_words(counts.yaxis, words)
    places = np.arange(len(rows))
    examples.hlines(
        places, rows["clv_low"].clip(lower=0), rows["clv_high"], color=FORECAST_COLOUR, linewidth=4, alpha=0.45
    )
    for bound in ("clv_low", "clv_high"):
        examples.scatter(rows[bound].clip(lower=0), places, marker="|", s=60, color=FORECAST_COLOUR, clip_on=False)
    examples.scatter(rows["clv"].clip(lower=0), places, s=45, color=FORECAST_COLOUR, zorder=3)
    examples.set_yticks(places, [words.percent(share) for share in rows["share"]])
    examples.set_ylabel(words.text("Customers with less"))
    examples.set_xlabel(words.text("Expected value with 80% range (square-root axis)"))
    for ax in axes:
        ax.set_xscale("function", functions=(lambda x: np.sqrt(np.maximum(x, 0)), np.square))
        ax.set_xlim(0, top * 1.02)
        ax.set_xticks(_round_amounts(top))
        count_in_words(ax.xaxis, words, "money.0")
        ax.grid(axis="y", visible=False)
    counts.tick_params(axis="x", labelbottom=False)
    return words.text("Half of the customers are worth {middle:money} or less, the mean is {mean:money}.",
                      middle=spread["middle"], mean=spread["mean"])  # fmt: skip


def _round_amounts(top: float) -> list[float]:
    """Amounts of 1, 2 and 5 that stand apart on an axis of square roots."""
    unit = 10 ** np.floor(np.log10(top))
    ladder = [float(unit * step / shrink) for shrink in (1, 10, 100) for step in (5, 2, 1)]
    chosen = [0.0]
    for amount in ladder:
        roots = np.sqrt(np.array([*chosen, amount]) / top)
        if amount <= top and np.abs(roots[:-1] - roots[-1]).min() >= 0.13:
            chosen.append(amount)
    return sorted(chosen)
