"""The review of a month's campaigns beside their effects: draw, faults, money, guardrails, and whom to target next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from tierbook.insight import (
    adjusted,
    assignment,
    contact_faults,
    described,
    guardrails,
    returns,
    split,
    targeting,
    uplift_score,
)
from tierbook.insight.arms import ALL
from tierbook.insight.split import PAST

if TYPE_CHECKING:
    from tierbook.workbook import Workbook

JUDGED = ("response", "profit")
"""What whom to target is judged by: whether a customer responds, and what the contact leaves."""


def review(month: Workbook) -> dict[str, pd.DataFrame]:
    """``draws``, ``faults``, ``adjusted``, ``returns``, ``guardrails`` and ``described``: see the rooms of those names."""
    rules, found = month.params.campaign, month.campaigns()
    effects = found["effects"]
    over = _reviewed(month)
    stopped = {
        code: set(effects.loc[effects["verdict"] == code, "campaign"]) for code in ("broken_split", "no_control")
    }
    covariates = [*PAST, *rules.covariates]
    return {
        "draws": split.draws(over, rules.control, covariates=covariates, shares=rules.shares),
        "faults": _faults(month, found["assigned"]),
        "adjusted": adjusted.review(over, effects, rules.control, covariates, month.params.seed),
        "returns": returns.returns(over, effects, rules.control, month.margin_rate),
        "guardrails": guardrails.guardrails(over, rules.control, rules.guardrails, stopped["broken_split"]),
        "described": _described(month, found["assigned"], stopped["broken_split"] | stopped["no_control"]),
    }


def _reviewed(month: Workbook) -> pd.DataFrame:
    assigned = month.campaigns()["assigned"]
    return assigned[assigned["reviewed"].astype(bool)]


def _faults(month: Workbook, assigned: pd.DataFrame) -> pd.DataFrame:
    contacts = month.table("contacts")
    if contacts is None:
        return pd.DataFrame(columns=contact_faults.COLUMNS)
    rules, people = month.params.campaign, month.table("customers", ["customer_id"])
    known = [
        month.history(columns=["customer_id"])["customer_id"],
        *([] if people is None else [people["customer_id"]]),
    ]
    ours = assigned[assigned["campaign"].isin(contacts["campaign"])]
    return contact_faults.faults(contacts, ours, pd.concat(known), rules.control, rules.window_days)


def _described(month: Workbook, assigned: pd.DataFrame, campaigns: set[str]) -> pd.DataFrame:
    """Campaigns without an effect, described; beside customers of no campaign where there are orders."""
    rows = assigned[assigned["campaign"].isin(campaigns) & assigned["reviewed"].astype(bool)]
    if rows.empty or "spend" not in rows:
        return pd.DataFrame(columns=described.COLUMNS)
    others = None
    if month.on_orders and rows["assigned_day"].notna().all():
        rules, everybody = month.params.campaign, assigned[["campaign", "customer_id", "assigned_day"]]
        others = month.tables.collect(
            lambda engine, days: assignment.others(
                days, engine.frame(everybody), engine.frame(assignment.starts(rows)), rules
            ),
            "days",
        )
    return described.described(rows, others, month.params.campaign.control)


def whom_next(month: Workbook) -> dict[str, pd.DataFrame]:
    """Whether a score can pick whom to treat next: ``found`` (one row per campaign, arm and outcome judged, with why there
    is no score), ``deciles``, ``curve`` and ``plans`` (`insight.targeting`)."""
    effects, assigned = month.campaigns()["effects"], _reviewed(month)
    sound = effects[(effects["tier"] == ALL) & effects["effect"].notna()]
    parts = [
        _judged(month, assigned[assigned["campaign"] == name], arm, sorted(rows["outcome"]))
        for (name, arm), rows in sound.groupby(["campaign", "arm"])
    ]
    found = [part for parts_of_arm in parts for part in parts_of_arm]
    return {
        name: pd.concat([part[name] for part in found], ignore_index=True) if found else pd.DataFrame(columns=columns)
        for name, columns in FRAMES.items()
    }


_KEYS = ["campaign", "arm", "outcome"]
NUMBERS = [name for name in targeting.Qini._fields if name not in ("curve", "plans")]
FRAMES = {
    "found": [*_KEYS, "why", *NUMBERS],
    "deciles": [*_KEYS, "decile", "n_treated", "n_control", "mean_treated", "mean_control", "uplift", "low", "high"],
    "curve": [*_KEYS, "share", "value", "low", "high", "random"],
    "plans": [*_KEYS, "plan", "share", "value", "low", "high"],
}


def _judged(month: Workbook, people: pd.DataFrame, arm: str, outcomes: list[str]) -> list[dict[str, pd.DataFrame]]:
    rules, seed = month.params.campaign, month.params.seed
    rows = targeting.versus(people, arm, rules.control)
    asked = [name for name in JUDGED if name in outcomes] or outcomes[:1]
    known = dict.fromkeys([*PAST, *rules.covariates, "tier"])
    learned = uplift_score.learned(rows, [name for name in known if name in rows], asked[0], seed)
    name = people["campaign"].iloc[0]
    return [
        _told(rows, learned, outcome, {"campaign": name, "arm": arm, "outcome": outcome}, seed) for outcome in asked
    ]


def _told(
    rows: pd.DataFrame, learned: uplift_score.Learned, outcome: str, keys: dict[str, str], seed: int
) -> dict[str, pd.DataFrame]:
    if learned.why is not None:
        told = [keys | {"why": learned.why, "verdict": "not_enough_data"}]
        return {name: pd.DataFrame(told if name == "found" else [], columns=FRAMES[name]) for name in FRAMES}
    judged = targeting.ranked(rows, learned.score, outcome)
    qini = targeting.qini(judged, seed)
    numbers = {name: getattr(qini, name) for name in NUMBERS}
    found = pd.DataFrame([keys | {"why": None} | numbers], columns=FRAMES["found"])
    frames = {"deciles": targeting.deciles(judged), "curve": qini.curve, "plans": qini.plans}
    return {"found": found} | {name: frame.assign(**keys) for name, frame in frames.items()}


def qini_of(whom: dict[str, pd.DataFrame], campaign: str, arm: str, outcome: str) -> targeting.Qini:
    """One ranking of `whom_next` as `targeting.qini` gave it, to draw."""
    frames = {
        name: frame[(frame["campaign"] == campaign) & (frame["arm"] == arm) & (frame["outcome"] == outcome)]
        for name, frame in whom.items()
    }
    return targeting.Qini(**frames["found"].iloc[0][NUMBERS].to_dict(), curve=frames["curve"], plans=frames["plans"])
