"""The verdict line: what a manager would want to know of a month, in one sentence of plain text."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from tierbook.insight.tier_path import judgement
from tierbook.show.words import N_, Words

MOST = 3
"""Verdicts of a trial that one line names."""

_FELL = {
    "above": N_("{n:number} customers fell from tier “{tier:term.tier}”, more than usual ({usual:span})"),
    "below": N_("{n:number} customers fell from tier “{tier:term.tier}”, fewer than usual ({usual:span})"),
    "usual": N_("{n:number} customers fell from tier “{tier:term.tier}”, within the usual range ({usual:span})"),
    "no_history": N_("{n:number} customers fell from tier “{tier:term.tier}”, history too short to judge"),
    "too_few": N_("{n:number} customers fell from tier “{tier:term.tier}”, too few to judge"),
}
_UNJUDGED = ("not_enough_data", "not_carried_out", "no_control")


def of_orders(words: Words, card: pd.DataFrame, fell: tuple[str, pd.Series, tuple], ledger: pd.DataFrame) -> str:
    """Net sales beside last month, the year before and the target; the best tier's falls; what the latest action did.

    ``card``: the scorecard; ``fell``: the best tier, this month's row of `tier_path.falls`, `tier_path.usual_falls`;
    ``ledger``: `insight.ledger.ledger`. What is not known is left out.
    """
    best, now, usual = fell
    parts = [_sales(words, card), _action(words, ledger)]
    if now["customers"]:
        said = _FELL[judgement(now["fallen"], now["customers"], *usual)]
        parts.insert(1, words.text(said, n=now["fallen"], tier=best, usual=usual))
    return _sentence(words, [part for part in parts if part])


def of_trial(words: Words, judged: pd.DataFrame) -> str:
    """The verdicts of a finished experiment, the largest groups first; ``judged``: rows of `campaign.headline`."""
    rows = judged.sort_values("n_treated", ascending=False, kind="stable")
    parts = [
        words.text("{arm:term.arm}: {verdict:term.verdict}", arm=row.arm, verdict=row.verdict)
        if row.tier == "all"
        else words.text(
            "{arm:term.arm}, {tier:term.tier}: {verdict:term.verdict}", arm=row.arm, tier=row.tier, verdict=row.verdict
        )
        for row in rows.head(MOST).itertuples()
    ]
    if len(rows) > MOST:
        parts.append(words.text("{n:number} further verdicts", n=len(rows) - MOST))
    return _sentence(words, parts or [words.text("No effect to give.")])


def _sales(words: Words, card: pd.DataFrame) -> str:
    rows = card.set_index("measure")
    if "net_sales" not in rows.index:
        return ""
    row = rows.loc["net_sales"]
    beside = [
        words.text(message, change=row["value"] / row[past] - 1)
        for past, message in (
            ("previous", N_("{change:change} on last month")),
            ("year_ago", N_("{change:change} on last year")),
        )
        if pd.notna(row[past]) and row[past] > 0
    ]
    if pd.notna(row["target"]) and row["target"] > 0:
        beside.append(words.text("target reached {share:percent}", share=row["value"] / row["target"]))
    told = words.text("Net sales {sales:money}", sales=row["value"])
    return words.text("{told} ({beside})", told=told, beside=_and(words, beside)) if beside else told


def _action(words: Words, ledger: pd.DataFrame) -> str:
    """The latest action with a verdict that says something; else that none has one."""
    rows = ledger[ledger["verdict"].notna()].sort_values("assigned_on", key=pd.to_datetime, kind="stable")
    if rows.empty:
        return ""
    clear = rows[~rows["verdict"].isin(_UNJUDGED)]
    if clear.empty:
        return words.text("no action has a clear verdict yet")
    row = clear.iloc[-1]
    name = row["campaign"] if pd.isna(row["action"]) else words.term("action", row["action"])
    told = words.text("latest action judged, “{name}”: {verdict:term.verdict}", name=name, verdict=row["verdict"])
    if pd.isna(row["total"]) or row["verdict"] == "no_difference":
        return told
    money = {"profit": N_("{told}, {total:+money} of profit"), "spend": N_("{told}, {total:+money} of sales")}
    return words.text(money[row["unit"]], told=told, total=row["total"]) if row["unit"] in money else told


def _and(words: Words, parts: Sequence[str]) -> str:
    return ("，" if words.language == "zh" else ", ").join(parts)


def _sentence(words: Words, parts: Sequence[str]) -> str:
    chinese = words.language == "zh"
    whole = ("；" if chinese else "; ").join(parts).rstrip("。.")
    return whole + ("。" if chinese else ".")
