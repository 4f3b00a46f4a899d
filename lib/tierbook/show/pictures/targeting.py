"""Drawings of whom to target next: the Qini curve beside chance, and the effect by tenth of the score."""

from typing import Any

import pandas as pd

from tierbook.insight.targeting import Qini
from tierbook.show.figures import INK, RISK_COLOUR, SOFT, TIER_COLOURS, count_in_words
from tierbook.show.pictures.campaign import effect, effect_format, interval
from tierbook.show.words import N_, Words

CURVE_COLOUR = TIER_COLOURS["high"]
CHANCE_COLOUR = SOFT

DEFINITION = N_(
    "Qini here: the area between the curve and the random line, as a share of the effect of treating everybody; 0 is no "
    "better than chance. Other programs divide by other areas: compare numbers of one definition only."
)


def draw_qini(ax: Any, words: Words, found: Qini, outcome: str) -> str:
    """The gain per customer when the share with the highest scores is treated, its 95 % band, and the random line.

    ``outcome``: response, orders, spend or profit. The dot is the share that the finding names.
    """
    curve = found.curve
    ax.fill_between(curve["share"], curve["low"].astype(float), curve["high"].astype(float), color=CURVE_COLOUR,
                    alpha=0.16, linewidth=0)  # fmt: skip
    ax.plot(curve["share"], curve["random"], color=CHANCE_COLOUR, linestyle="--", linewidth=1.3)
    ax.plot(curve["share"], curve["value"], color=CURVE_COLOUR, linewidth=2.2)
    ax.axhline(0, color=CHANCE_COLOUR, linewidth=0.8)
    plan = _plan(found, outcome)
    if plan is not None:
        ax.plot(plan["share"], plan["value"], marker="o", markersize=8, color=RISK_COLOUR, zorder=4)
    ax.set_xlim(0, 1)
    ax.set_xlabel(words.text("Share of customers treated, the highest scores first"))
    ax.set_ylabel(words.text("Gain per customer: {outcome:term.outcome}", outcome=outcome))
    count_in_words(ax.xaxis, words, "percent")
    count_in_words(ax.yaxis, words, effect_format(outcome))
    _key(ax, words, plan)
    return finding(words, found, outcome)


def finding(words: Words, found: Qini, outcome: str) -> str:
    """What the ranking is worth, in one sentence: whom to treat and what it brings, or that it picks no better than chance."""
    if found.verdict == "not_enough_data":
        return words.text(
            "Too few answers to judge whom to target: {treated:number} treated, {control:number} control.",
            treated=found.n_treated,
            control=found.n_control,
        )
    plan, known = _plan(found, outcome), not pd.isna(found.coefficient)
    if plan is not None:
        message = N_(
            "Treating the {share:percent} with the highest scores brings {top} (interval {span}) per customer of the whole list, treating all {all}; {judged}."
        )
    else:
        message = N_("The score picks no better than chance can: treat all or nobody; {judged}.")
    qini = N_("Qini {qini:number.3}, interval {span}")
    gain = N_("area above chance {gain}, interval {span}")
    span = (found.low, found.high) if known else (found.gain_low, found.gain_high)
    judged = words.text(
        qini if known else gain,
        qini=found.coefficient,
        gain=effect(outcome, found.gain, *span),
        span=words.span(*span, "number.3") if known else interval(outcome, *span),
    )
    everybody = found.plans.set_index("plan").loc["all", "value"]
    amounts = {} if plan is None else _amounts(plan, outcome)
    return words.text(message, judged=judged, all=effect(outcome, everybody), **amounts)


def _amounts(plan: pd.Series, outcome: str) -> dict[str, Any]:
    bounds = plan["low"], plan["high"]
    top = effect(outcome, plan["value"], *bounds)
    return {"share": plan["share"], "top": top, "span": interval(outcome, *bounds)}


def _plan(found: Qini, outcome: str) -> pd.Series | None:
    """The plan to be named: for profit, which knows costs, the best share; else who gains more than the average."""
    plans = found.plans.set_index("plan")
    wanted = ["best", "above_average"] if outcome == "profit" else ["above_average"]
    return next((plans.loc[name] for name in wanted if name in plans.index), None)


def _key(ax: Any, words: Words, plan: pd.Series | None) -> None:
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], color=CURVE_COLOUR, linewidth=2.2, label=words.text("By score, with its 95 % band")),
        Line2D([], [], color=CHANCE_COLOUR, linestyle="--", label=words.text("At random")),
    ]
    if plan is not None:
        label = words.text("The first {share:percent}, optimism taken off", share=plan["share"])
        marks.append(Line2D([], [], linestyle="", marker="o", markersize=8, color=RISK_COLOUR, label=label))
    ax.legend(handles=marks, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)


def draw_deciles(ax: Any, words: Words, rows: pd.DataFrame, outcome: str) -> str:
    """The effect in each tenth of the score with its 95 % interval; tenths without one (`deciles`) are left out."""
    shown = rows.dropna(subset=["uplift"])
    ax.axhline(0, color=CHANCE_COLOUR, linewidth=1)
    ax.vlines(shown["decile"], shown["low"], shown["high"], color=CURVE_COLOUR, linewidth=2.2)
    ax.plot(shown["decile"], shown["uplift"], linestyle="", marker="o", markersize=8, color=INK)
    ax.set_xticks(range(1, 11))
    ax.set_xlim(0.4, 10.6)
    ax.grid(axis="x", visible=False)
    ax.set_xlabel(words.text("Tenth of the score (1: the highest)"))
    ax.set_ylabel(words.text("Effect per customer: {outcome:term.outcome}", outcome=outcome))
    count_in_words(ax.yaxis, words, effect_format(outcome))
    if shown.empty:
        return words.text("No effect can be given.")
    first, last = shown.iloc[0], shown.iloc[-1]
    return words.text(
        "Tenth {first:number}: effect {highest} (interval {highest_span}); tenth {last:number}: {lowest} ({lowest_span}).",
        first=first["decile"],
        highest=effect(outcome, first["uplift"], first["low"], first["high"]),
        highest_span=interval(outcome, first["low"], first["high"]),
        last=last["decile"],
        lowest=effect(outcome, last["uplift"], last["low"], last["high"]),
        lowest_span=interval(outcome, last["low"], last["high"]),
    )
