"""Drawing of the stages: from which stage to which within a month."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd

from tierbook.insight.stages import NONE
from tierbook.scores.lifecycle import STAGES
from tierbook.show.figures import INK, NEUTRAL, RISK_COLOUR, SOFT, STRONGEST, TIER_COLOURS
from tierbook.show.words import N_, Words

SILENT = ("at_risk", "lost")


def draw_transitions(ax, words: Words, table: pd.DataFrame) -> str:
    """Customers by stage a month ago (rows) and now (columns): the share of the row, the number beneath.

    ``table``: `insight.stages.transitions` or `compare`. Moves are shaded by their rate, orange into the silent stages,
    blue into the others; who stayed is not shaded. A row without a rate (newcomers, under 10 customers) has numbers only.
    """
    made = table[table["customers"] > 0]
    rows = [stage for stage in (*STAGES, NONE) if stage in set(made["from_stage"])]
    for cell in made.itertuples():
        _cell(ax, words, cell, (STAGES.index(cell.to_stage), rows.index(cell.from_stage)))
    sizes = made.groupby("from_stage")["customers"].sum()
    ax.set(xlim=(0, len(STAGES)), ylim=(max(len(rows), 1), 0))
    ax.set_xticks(np.arange(len(STAGES)) + 0.5, [_wrapped(words.term("stage", stage)) for stage in STAGES])
    labels = [f"{_wrapped(words.term('stage', row))}\n{words.number(sizes[row])}" for row in rows]
    ax.set_yticks(np.arange(len(rows)) + 0.5, labels)
    ax.set_xlabel(words.text("Stage now"))
    ax.set_ylabel(words.text("Stage a month ago, customers"))
    ax.grid(visible=False)
    known = made[made["from_stage"] != NONE]
    moved = int(known.loc[known["from_stage"] != known["to_stage"], "customers"].sum())
    message = N_("{n:number|customer|customers} of {base:number} are in another stage than a month ago.")
    return words.text(message, n=moved, base=known["customers"].sum())


def _cell(ax, words: Words, cell, place: tuple[int, int]) -> None:
    from matplotlib.patches import Rectangle

    x, y = place
    moved, rate = cell.from_stage not in (NONE, cell.to_stage), cell.rate
    shade = float(np.sqrt(rate)) if moved and not np.isnan(rate) else 0.0
    hue = RISK_COLOUR if cell.to_stage in SILENT else TIER_COLOURS["high"]
    ax.add_patch(Rectangle((x + 0.03, y + 0.04), 0.94, 0.92, facecolor=hue if moved else NEUTRAL,
                           alpha=STRONGEST * shade if moved else 0.14, linewidth=0))  # fmt: skip
    ink = INK if moved else SOFT
    number = words.number(cell.customers)
    if np.isnan(rate):
        ax.text(x + 0.5, y + 0.5, number, ha="center", va="center", color=ink)
        return
    ax.text(x + 0.5, y + 0.38, words.percent(rate, 1), ha="center", va="center", color=ink)
    ax.text(x + 0.5, y + 0.72, number, ha="center", va="center", color=ink, fontsize=8.5)


def _wrapped(name: str) -> str:
    return "\n".join(textwrap.wrap(name, 14, break_long_words=False))
