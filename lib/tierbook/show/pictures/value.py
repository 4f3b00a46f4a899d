"""Drawings of customer value: forecast against what happened, value by tier, expected orders by past behaviour."""

from typing import Any

import pandas as pd

from tierbook.show.figures import RISK_COLOUR, count_in_words, tier_colours
from tierbook.show.words import NONE, Words

FORECAST_COLOUR = "#0072B2"
INK = "#1c2430"


def draw_calibration(ax: Any, words: Words, bands: pd.DataFrame) -> str:
    """Orders per customer in the held-out period by earlier repeats: forecast, actual and past rate.

    ``bands``: slice, customers, actual, predicted, past_rate (``forecast.calibration``); bands without numbers are
    left out.
    """
    shown = bands.dropna(subset=["actual", "predicted"]).reset_index(drop=True)
    places = list(range(len(shown)))
    ax.hlines(places, shown["actual"], shown["predicted"], color=FORECAST_COLOUR, linewidth=2, alpha=0.35)
    ax.scatter(shown["past_rate"], places, marker="x", s=45, color=RISK_COLOUR, label=words.text("Past rate"))
    ax.scatter(
        shown["predicted"],
        places,
        s=60,
        facecolor="white",
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
    colours = tier_colours(tiers)
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
    import seaborn

    known = grid.astype(float)
    said = known.map(lambda x: words.format(x, "number.1")).replace(NONE, "")
    if known.notna().any(axis=None):
        seaborn.heatmap(known, ax=ax, annot=said, fmt="", cmap="Blues", vmin=0, cbar=False, linewidths=2)
    ax.set_xticks([place + 0.5 for place in range(grid.shape[1])], list(grid.columns))
    ax.set_yticks([place + 0.5 for place in range(grid.shape[0])], list(grid.index), rotation=0)
    ax.set_xlabel(words.text("Purchase days so far"))
    ax.set_ylabel(words.text("Days since the last order"))
    return words.text("Expected orders reach {most:number.1} where they are highest.", most=known.max(axis=None))
