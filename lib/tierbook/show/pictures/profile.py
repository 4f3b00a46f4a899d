"""Drawings of the profile: the bridge of rows, the months, how often customers buy, how sales concentrate."""

from __future__ import annotations

import pandas as pd

from tierbook.show.figures import FURTHER_COLOURS, INK, NEUTRAL, RISK_COLOUR, TIER_COLOURS, count_in_words
from tierbook.show.words import N_, Words

SOLD = TIER_COLOURS["high"]
UNKNOWN = TIER_COLOURS["potential"]
FAINT = NEUTRAL
TOTALS = ("read", "net_sales", "kept")
MOST_MONTH_LABELS = 15


def draw_bridge(ax, words: Words, bridge: pd.DataFrame) -> str:
    """The money from what was read to what counts: totals as marks, each reason as the piece it takes away."""
    total = bridge["step"].isin(TOTALS)
    before = bridge["after"].where(total, bridge["after"] + bridge["amount"])
    colours = [_step_colour(step, amount) for step, amount in zip(bridge["step"], bridge["amount"], strict=True)]
    places = range(len(bridge))
    ax.barh(places, bridge["after"] - before, left=before, color=colours, height=0.55)
    ax.plot(bridge.loc[total, "after"], bridge.index[total], "|", color=INK, markersize=17, markeredgewidth=3)
    low, high = min(bridge["after"].min(), before.min()), max(bridge["after"].max(), before.max())
    room = max(high - low, abs(high) * 0.01, 1.0)
    for place, (_, row) in zip(places, bridge.iterrows(), strict=True):
        said = words.money(row["amount"] if total[place] else -row["amount"])
        ax.text(max(row["after"], before[place]) + room * 0.02, place, said, va="center", fontsize=10)
    ax.set_yticks(places, [words.term("reason", step) for step in bridge["step"]])
    ax.set(xlim=(low - room * 0.05, high + room * 0.2), ylim=(len(bridge) - 0.4, -0.6))
    ax.set_xlabel(words.text("Money left (the axis does not begin at zero)"))
    ax.locator_params(axis="x", nbins=5)
    count_in_words(ax.xaxis, words, "money")
    ax.grid(axis="y", visible=False)
    ends = {"read": bridge["amount"].iloc[0], "kept": bridge["amount"].iloc[-1]}
    return words.text("Of {read:money} read, {kept:money} count for customers.", **ends)


def _step_colour(step: str, amount: float) -> str:
    if step == "no_customer":
        return UNKNOWN
    return RISK_COLOUR if amount >= 0 else FURTHER_COLOURS[0]


def draw_months(axes, words: Words, months: pd.DataFrame) -> str:
    """Net sales by month, identified and not, with refunds below zero; orders by month underneath."""
    money, orders = axes
    places = range(len(months))
    unknown = months["net_sales"] - months["identified"]
    money.bar(places, months["identified"], color=SOLD, label=words.text("Identified customers"))
    money.bar(places, unknown, bottom=months["identified"], color=UNKNOWN, label=words.text("Buyers without an id"))
    money.bar(places, -months["refunds"], color=RISK_COLOUR, label=words.text("Refunds (already taken off)"))
    count_in_words(money.yaxis, words, "money.0")
    money.set_ylabel(words.text("Net sales"))
    money.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    orders.bar(places, months["orders"], color=FAINT)
    count_in_words(orders.yaxis, words)
    orders.set_ylabel(words.text("Orders"))
    step = -(-len(months) // MOST_MONTH_LABELS)
    shown = list(places)[::-1][::step]
    for ax in axes:
        ax.set_xticks(shown, [months["month"].iloc[place] for place in shown], rotation=35, ha="right")
        ax.tick_params(axis="x", labelsize=9)
        ax.grid(axis="x", visible=False)
        ax.set_xlim(-0.7, len(months) - 0.3)
    money.tick_params(axis="x", labelbottom=False)
    best = months.loc[months["net_sales"].idxmax()]
    message = N_("{n:number|month|months} of net sales; the highest is {month:month} with {sales:money}.")
    return words.text(message, n=len(months), month=best["month"], sales=best["net_sales"])


def draw_purchase_days(ax, words: Words, days: pd.DataFrame) -> str:
    """Customers by number of purchase days; the last bar stands for that many or more."""
    bars = ax.bar(days["active_days"], days["share"], color=[SOLD, *[FAINT] * (len(days) - 1)])
    ax.bar_label(bars, [words.percent(share) for share in days["share"]], padding=2, fontsize=10)
    last = days["active_days"].iloc[-1]
    ax.set_xticks(days["active_days"], [words.number(n) + ("+" if n == last else "") for n in days["active_days"]])
    ax.set_xlabel(words.text("Days with a purchase"))
    ax.set_ylabel(words.text("Share of customers"))
    count_in_words(ax.yaxis, words, "percent")
    ax.margins(y=0.12)
    ax.grid(axis="x", visible=False)
    return words.text("{share:percent} of customers bought on one day only.", share=days["share"].iloc[0])
