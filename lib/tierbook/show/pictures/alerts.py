"""Drawing of the early warning: what is at stake against how likely the customer stays away."""

from typing import Any

import pandas as pd

from tierbook.show.figures import RISK_COLOUR, SOFT, WARNING, count_in_words, tier_colours
from tierbook.show.words import N_, Words

MOST_POINTS = 600


def draw_alert_map(ax: Any, words: Words, alerts: pd.DataFrame, threshold: float | None = None) -> str:
    """One dot per listed customer: risk across, value at stake (log scale) up, tier as colour, the held-out hollow.

    ``alerts``: alerts.csv with ``risk``; of more than 600 the 600 with the most at stake are drawn, and the axis says
    so. What is at stake below one unit of money is drawn at one. ``threshold``: the risk from which on customers are
    warned of, a dashed line.
    """
    shown = alerts.sort_values(["value_at_stake", "customer_id"], ascending=[False, True]).head(MOST_POINTS)
    order = {tier: words.term_rank("tier", tier) for tier in shown["tier"].unique()}
    tiers = sorted(order, key=lambda tier: (order[tier] is None, order[tier] or 0, tier))
    for tier, colour in tier_colours(tiers, words).items():
        for held_out in (False, True):
            part = shown[(shown["tier"] == tier) & (shown["held_out"] == held_out)]
            ax.scatter(part["risk"], part["value_at_stake"].clip(lower=1), s=26, linewidth=1.3, edgecolor=colour,
                       facecolor="none" if held_out else colour, alpha=0.9)  # fmt: skip
    if threshold is not None:
        ax.axvline(threshold, color=RISK_COLOUR, linestyle="--", linewidth=1.2)
        said = words.text("warned from {risk:percent} on", risk=threshold)
        ax.annotate(said, (threshold, 0), xycoords=("data", "axes fraction"), xytext=(5, 5),
                    textcoords="offset points", fontsize=9, color=WARNING)  # fmt: skip
    _axes(ax, words, cut=len(alerts) > len(shown))
    _key(ax, words, tiers)
    message = N_(
        "{n:number|customer is|customers are} on the list with {money:money} at stake; {held:number} of them held out."
    )
    return words.text(message, n=len(alerts), money=alerts["value_at_stake"].sum(), held=int(alerts["held_out"].sum()))


def _axes(ax: Any, words: Words, cut: bool) -> None:
    from matplotlib.ticker import LogLocator

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(numticks=7))
    ax.minorticks_off()
    count_in_words(ax.xaxis, words, "percent")
    count_in_words(ax.yaxis, words, "money.0")
    ax.set_xlabel(words.text("Probability of no purchase in the next half-year"))
    label = words.text("Value at stake (log scale)")
    most = words.text("the {n:number} highest", n=MOST_POINTS)
    ax.set_ylabel(f"{label}\n{most}" if cut else label)


def _key(ax: Any, words: Words, tiers: list[str]) -> None:
    from matplotlib.lines import Line2D

    def dot(colour: str, face: str, label: str) -> Line2D:
        return Line2D([], [], linestyle="", marker="o", color=colour, markerfacecolor=face, label=label)

    colours = tier_colours(tiers, words)
    marks = [dot(colours[tier], colours[tier], words.term("tier", tier)) for tier in tiers]
    marks.append(dot(SOFT, "none", words.text("Held out, not to be contacted")))
    # the names of eight tiers need more than one row
    columns = len(marks) if len(marks) <= 5 else 3
    ax.legend(handles=marks, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=columns, handletextpad=0.1)
