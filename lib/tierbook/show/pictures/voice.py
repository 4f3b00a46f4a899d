"""Drawing of one measure of the voice of customers: tier by tier, with intervals and the target."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tierbook.insight.voice import ALL
from tierbook.show.figures import INK, SOFT, WARNING, count_in_words, tier_colours
from tierbook.show.words import N_, Words


def draw_measure(ax: Any, words: Words, table: pd.DataFrame, measure: str, spec: str = "percent") -> str:
    """One measure as dots with their 95 % intervals, all customers first, the target as a dashed line.

    ``table``: voice.csv or a part of it; ``measure``: whose rows are drawn; ``spec``: how its values read (a format of
    ``Words.format``). A tier of which nothing can be said keeps its place, with its n; a bound not known runs to the edge.
    """
    rows = table[table["measure"] == measure].reset_index(drop=True)
    told = rows.dropna(subset="value")
    target = rows["target"].dropna().iloc[0] if rows["target"].notna().any() else None
    ends = [*told["value"], *told["low"].dropna(), *told["high"].dropna(), *([] if target is None else [target])]
    least, most = min([*ends, 0.0]), max([*ends, 0.0]) or 1.0
    colours = tier_colours([tier for tier in rows["tier"] if tier != ALL], words) | {ALL: INK}
    for row in told.itertuples():
        low, high = (edge if pd.isna(end) else end for end, edge in ((row.low, least), (row.high, most)))
        ax.hlines(row.Index, low, high, color=colours[row.tier], linewidth=2.4)
        ax.plot(row.value, row.Index, marker="o", markersize=8, color=colours[row.tier])
        _beside(ax, words, row, spec)
    for row in rows[rows["value"].isna()].itertuples():
        said = N_("too few to say") if row.verdict == "too_few" else N_("not known yet: half are still open")
        ax.text(least, row.Index, words.text(said), color=SOFT, fontsize=9.5, va="center")
    if target is not None:
        _target(ax, words, target, spec)
    ax.set_yticks(rows.index, [_named(words, row) for row in rows.itertuples()])
    ax.set(ylim=(max(len(rows), 1) - 0.5, -0.5), xlim=(least - 0.02 * (most - least), most + 0.04 * (most - least)))
    ax.set_xlabel(words.text("With 95 % interval"))
    count_in_words(ax.xaxis, words, spec)
    ax.set_title(words.term("measure", measure), pad=18)
    ax.grid(axis="y", visible=False)
    return _said(words, told, measure, target, spec)


def _beside(ax: Any, words: Words, row: Any, spec: str) -> None:
    verdict = "" if row.verdict == "no_target" else f"  {words.term('target_verdict', row.verdict)}"
    colour = WARNING if row.verdict == "missed" else INK
    ax.annotate(words.format(row.value, spec) + verdict, (1, row.Index), xycoords=("axes fraction", "data"),
                xytext=(8, 0), textcoords="offset points", va="center", fontsize=10, color=colour)  # fmt: skip


def _target(ax: Any, words: Words, target: float, spec: str) -> None:
    ax.axvline(target, color=SOFT, linestyle="--", linewidth=1.2)
    said = words.text("target {target}", target=words.format(target, spec))
    ax.annotate(said, (target, 1), xycoords=("data", "axes fraction"), xytext=(0, 3), textcoords="offset points",
                ha="center", fontsize=9.5, color=SOFT)  # fmt: skip


def _named(words: Words, row: Any) -> str:
    return words.text("{tier:term.tier} ({n:number})", tier=row.tier, n=row.n)


def _said(words: Words, told: pd.DataFrame, measure: str, target: float | None, spec: str) -> str:
    if told.empty:
        return words.text("{measure:term.measure}: too few answers to say.", measure=measure)
    values = [f"{words.term('tier', row.tier)} {words.format(row.value, spec)}" for row in told.itertuples()]
    if target is None:
        return words.text("{measure:term.measure}: {values:list}.", measure=measure, values=values)
    message = N_("{measure:term.measure}: {values:list}; target {target}.")
    return words.text(message, measure=measure, values=values, target=words.format(target, spec))
