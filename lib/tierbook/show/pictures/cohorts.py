"""Drawings of cohorts: who still buys, what a customer brings month after month, when the cost of winning him is back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tierbook.show.figures import (
    FURTHER_COLOURS,
    INK,
    RISK_COLOUR,
    TIER_COLOURS,
    count_in_words,
    label,
    shade,
    write_cells,
)
from tierbook.show.words import Words

PAID_COLOUR = TIER_COLOURS["high"]
CHANNEL_COLOURS = (*(TIER_COLOURS[tier] for tier in ("high", "low", "potential", "ordinary")), *FURTHER_COLOURS[:2])
MOST_COHORTS, MOST_MONTHS = 30, 24


def draw_retention(ax: Any, words: Words, table: pd.DataFrame) -> str:
    """Share of each cohort with a purchase, month by month since the first: the newest 30 cohorts, months 1 to 24.

    ``table``: `insight.cohorts.retention` by cohort. Month 0, 100 % by definition, is left out; a month that is not over
    and a cohort under 10 customers stay blank; a cohort whose month 0 is not over has no row. The size of the cohort
    stands beside it. Figure size about 12 x 8.5.
    """
    sizes = table[table["month"] == 0].set_index("cohort")["customers"].dropna()
    later = table[table["month"].between(1, MOST_MONTHS)]
    grid = later.pivot(index="cohort", columns="month", values="share").astype(float)
    grid = grid.reindex(index=sorted(sizes.index)[-MOST_COHORTS:], columns=range(1, MOST_MONTHS + 1))
    grid = grid.loc[:, : max(later.loc[later["share"].notna(), "month"], default=1)]
    said = grid.mul(100).map(lambda x: "" if np.isnan(x) else words.number(x))
    shade(ax, grid / max(grid.max(axis=None), 1e-9) if grid.notna().any(axis=None) else grid)
    write_cells(ax, said.to_numpy(), fontsize=9)
    names = [f"{cohort}  ({words.number(sizes[cohort])})" for cohort in grid.index]
    ax.set_xticks(np.arange(grid.shape[1]) + 0.5, [words.number(month) for month in grid.columns], rotation=0)
    ax.set_yticks(np.arange(len(grid)) + 0.5, names, rotation=0)
    ax.tick_params(labelsize=9)
    ax.set_xlabel(words.text("Month after the first purchase (figures: share of customers who bought in it, %)"))
    ax.set_ylabel(words.text("Month of first purchase (customers)"))
    ax.grid(visible=False)
    first = later[(later["month"] == 1) & later["share"].notna()]
    back = (first["active"].sum() / first["customers"].sum()) if len(first) else None
    return words.text("{share:percent} of new customers buy again in the month after the first.", share=back)


def draw_cumulative_value(
    ax: Any, words: Words, curves: pd.DataFrame, whole: pd.DataFrame, expected: pd.DataFrame, measure: str = "net"
) -> str:
    """Money per customer won by months since the first purchase: each cohort or channel, all, and the model's expectation.

    ``curves``: `insight.cohorts.cumulative_value` by cohort (shaded from old to new) or by channel (one colour each);
    ``whole``: the same by nothing; ``expected``: `insight.cohorts.expected` in the same money, may be empty;
    ``measure``: ``net`` or ``margin``.
    """
    name = "channel" if "channel" in curves else "cohort"
    groups = dict(list(curves.dropna(subset=[measure]).groupby(name)))
    for place, ((group, told), colour) in enumerate(zip(groups.items(), _colours(name, len(groups)), strict=True)):
        dash = ":" if name == "channel" and place >= len(CHANNEL_COLOURS) else "-"
        named = {"label": label(words.term("slice", group))} if name == "channel" else {}
        ax.plot(told["month"] + 1, told[measure], color=colour, linestyle=dash, linewidth=1.4, **named)
    if groups and name == "cohort":
        ends = [words.format(group, "month") for group in (min(groups), max(groups))]
        for colour, end in zip(_colours(name, len(groups))[[0, -1]], ends, strict=True):
            ax.plot([], [], color=colour, label=end)
    everyone = whole.dropna(subset=[measure])
    ax.plot(everyone["month"] + 1, everyone[measure], color=INK, linewidth=3, label=words.text("All customers"))
    beside = expected[expected["month"] <= everyone["month"].max()]
    if len(beside):
        ax.plot(beside["month"] + 1, beside["money"], color=RISK_COLOUR, linewidth=2, linestyle=(0, (4, 2)),
                label=words.text("Expected of a new customer"))  # fmt: skip
    ax.set_xlabel(words.text("Months since the first purchase"))
    said = words.text("Margin per customer won") if measure == "margin" else words.text("Net sales per customer won")
    ax.set_ylabel(said)
    ax.set(xlim=(0, max(everyone["month"].max() + 1.5, 2) if len(everyone) else 2))
    ax.set_ylim(bottom=min(0, ax.get_ylim()[0]))
    ax.xaxis.get_major_locator().set_params(integer=True)
    count_in_words(ax.xaxis, words)
    count_in_words(ax.yaxis, words, "money.0")
    ax.legend(loc="lower right")
    if name == "channel" and len(groups) > 1:
        return _best_channel(words, curves, measure)
    last = everyone.iloc[-1] if len(everyone) else {"month": -1, measure: None}
    found = {"money": last[measure], "n": int(last["month"]) + 1}
    return words.text("A customer has brought {money:money} after {n:number|month|months}.", **found)


def _best_channel(words: Words, curves: pd.DataFrame, measure: str) -> str:
    told = curves.dropna(subset=[measure])
    month = told.groupby("channel")["month"].max().min()
    ends = told[told["month"] == month].set_index("channel")[measure].astype(float)
    return words.text(
        "After {n:number|month|months} customers from {best:term.slice} have brought most, {most:money} each, and from "
        "{worst:term.slice} least, {least:money}.",
        n=int(month) + 1,
        best=ends.idxmax(),
        most=ends.max(),
        worst=ends.idxmin(),
        least=ends.min(),
    )


def _colours(name: str, number: int) -> np.ndarray:
    if name == "channel":
        return np.array([CHANNEL_COLOURS[place % len(CHANNEL_COLOURS)] for place in range(number)])
    from matplotlib.colors import LinearSegmentedColormap

    # both ends stand out from light paper and from dark
    ramp = LinearSegmentedColormap.from_list("old_to_new", [TIER_COLOURS["outside"], TIER_COLOURS["high"]])
    return ramp(np.linspace(0, 1, max(number, 1)))[:number]


def draw_payback(ax: Any, words: Words, table: pd.DataFrame) -> str:
    """Cost of winning a customer (cross) and what he has brought since (dot), by cohort or channel, with the months it took.

    ``table``: `insight.cohorts.payback` by cohort or by channel; rows without a cost or a margin are left out. Height:
    about a third of an inch a row.
    """
    name = "channel" if "channel" in table else "cohort"
    shown = table.dropna(subset=["cost_per_customer", "margin_to_date"]).tail(MOST_COHORTS).reset_index(drop=True)
    paid = shown["payback"] == "paid_back"
    colours = np.where(paid, PAID_COLOUR, RISK_COLOUR)
    ax.hlines(shown.index, shown["cost_per_customer"], shown["margin_to_date"], color=colours, linewidth=2, alpha=0.5)
    ax.scatter(shown["margin_to_date"], shown.index, s=55, color=colours, zorder=3)
    ax.scatter(shown["cost_per_customer"], shown.index, marker="x", s=45, color=INK, zorder=4)
    _payback_legend(ax, words)
    high = max(shown[["cost_per_customer", "margin_to_date"]].max(axis=None), 1) if len(shown) else 1
    low = min(shown["margin_to_date"].min(), 0) if len(shown) else 0
    for place, row in shown.iterrows():
        at = max(row["margin_to_date"], row["cost_per_customer"])
        ax.annotate(_told(words, row), (at, place), (8, 0), textcoords="offset points", va="center", fontsize=9)
    names = [label(words.term("slice", group)) for group in shown[name]]
    ax.set_yticks(
        shown.index, [f"{group}  ({words.number(n)})" for group, n in zip(names, shown["customers"], strict=True)]
    )
    ax.set(xlim=(low - 0.03 * (high - low), high + 0.3 * (high - low)), ylim=(len(shown) - 0.4, -0.6))
    ax.set_xlabel(words.text("Money per customer won"))
    ax.locator_params(axis="x", nbins=5)
    count_in_words(ax.xaxis, words, "money.0")
    ax.grid(axis="y", visible=False)
    return words.text("The cost of winning a customer is back in {n:number} of {base:number} groups.", n=int(paid.sum()), base=len(shown))  # fmt: skip


def _told(words: Words, row: pd.Series) -> str:
    if row["payback"] == "paid_back":
        return words.text("back after {n:number|month|months}", n=int(row["months_to_payback"]))
    return words.text("not yet after {n:number|month|months}", n=int(row["horizon"]))


def _payback_legend(ax: Any, words: Words) -> None:
    ax.scatter([], [], marker="x", s=45, color=INK, label=words.text("Cost to win"))
    ax.scatter([], [], s=55, color=PAID_COLOUR, label=words.text("Margin, cost back"))
    ax.scatter([], [], s=55, color=RISK_COLOUR, label=words.text("Margin, cost not yet back"))
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
