"""The action catalogue: which tier or stage gets which action, through which channel, by whom, measured how."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tierbook.errors import ParamsError
from tierbook.insight.holdout import draw, shares
from tierbook.params import nearest, read_yaml
from tierbook.scores.maps import OUTSIDE

CHAPTERS = ("acquire", "keep", "develop")
_FIELDS = {"code", "when", "words", "channel", "owner", "measure", "days", "campaigns", "chapter"}
_SAID = ("words", "channel", "owner", "measure")
_FLAGS = ("alert", "birthday")
_WHEN = ("tier", "stage", "segment", *_FLAGS)


def read_actions(path: Path) -> list[dict]:
    """The actions of a catalogue file, in order; a fault is a one-line error that names the file and the action."""
    listed = read_yaml(path, "actions").get("actions")
    if not isinstance(listed, list) or not all(isinstance(a, dict) and "code" in a for a in listed):
        raise ParamsError(
            f"actions {path.name}: give actions: [{{code: …, when: {{tier: …}}, words: {{en: …, zh: …}}}}]"
        )
    codes = [str(action["code"]) for action in listed]
    for action, code in zip(listed, codes, strict=True):
        fault = "its code stands twice; give each action its own" if codes.count(code) > 1 else _fault(action)
        if fault:
            raise ParamsError(f"actions {path.name}, {code}: {fault}")
    return listed


def _fault(action: dict) -> str | None:
    """What is wrong with an action, or None."""
    when = action.get("when") or {}
    if not isinstance(when, dict):
        return f"when is {when!r}; write when: {{tier: …, stage: …}}"
    unknown = min(map(str, (set(action) - _FIELDS) | (set(when) - set(_WHEN))), default=None)
    if unknown is not None:
        return f"unknown key {unknown!r}; {nearest(unknown, sorted(_FIELDS) + list(_WHEN))}"
    days = action.get("days", 30)
    if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= 3650:
        return f"days is {days!r}; write a whole number of days from 0 to 3650"
    odd = next((key for key in _SAID if not _is_said(action.get(key))), None)
    if odd:
        return f"{odd} is {str(action[odd])[:80]!r}; write a text, or {{en: …, zh: …}}"
    if action.get("chapter") not in (None, *CHAPTERS):
        return f"chapter {action['chapter']!r}; one of {', '.join(CHAPTERS)}"
    names = action.get("campaigns") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return f"campaigns is {names!r}; give a list of campaign names, where * stands for anything"
    return None


def _is_said(told: Any) -> bool:
    """Whether a reader is told it: a text, or one in each language; nothing at all is none."""
    texts = list(told.values()) if isinstance(told, dict) else [told]
    return bool(texts) and all(not isinstance(text, dict | list) for text in texts)


def assign(book: pd.DataFrame, actions: list[dict], left_alone: pd.Series) -> pd.Series:
    """The code of the first action whose ``when`` holds for each customer; null for none, or who is to be left alone.

    Customers whom the early warning has flagged are its own: only an action that asks for ``alert`` is theirs, so that
    nobody is contacted twice and neither list spoils the other's control. Without a column ``alert`` or ``birthday`` in
    the book nobody has one.
    """
    book = book.assign(**{flag: False for flag in _FLAGS if flag not in book})
    code, flagged = pd.Series(None, index=book.index, dtype=object), book["alert"].to_numpy(dtype=bool)
    for action in reversed(actions):
        when = action.get("when") or {}
        holds = np.ones(len(book), dtype=bool) if "alert" in when else ~flagged
        for column, wanted in when.items():
            values = [str(v).lower() for v in (wanted if isinstance(wanted, list) else [wanted])]
            holds &= book[column].astype(str).str.lower().isin(values).to_numpy()
        code = code.mask(holds, str(action["code"]))
    return code.where(code.notna() & ~left_alone.to_numpy(dtype=bool), None)


PEOPLE = ["customer_id", "owner", "do_not_contact"]
"""What actions ask of the customers table."""


def with_people(parts: pd.DataFrame, people: pd.DataFrame | None) -> pd.DataFrame:
    """``parts`` with owner and do_not_contact of the customers table; nobody's and false where there is none."""
    if people is None:
        return parts.assign(owner=None, do_not_contact=False)
    known = people.set_index("customer_id")[["owner", "do_not_contact"]].reindex(parts["customer_id"])
    silent = known["do_not_contact"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    return parts.assign(owner=known["owner"].to_numpy(), do_not_contact=silent)


def listed(parts: pd.DataFrame, actions: list[dict]) -> pd.DataFrame:
    """Those whom an action is for this month: customer_id, tier, stage, owner, action. Nothing here looks at the contacts
    table, so that carrying the list out cannot change who is on it.

    ``parts``: book-to-be with customer_id, tier, stage, segment, alert, birthday, owner, do_not_contact, held_out (of the
    early warning: on no action's list).
    """
    everybody = with_actions(parts, actions)
    return everybody.loc[everybody["action"].notna(), ["customer_id", "tier", "stage", "owner", "action"]]


def drawn(found: pd.DataFrame, past: pd.DataFrame, holdout: float | str, salt: str) -> pd.DataFrame:
    """`listed` customers with held_out: who is in the control arm, not to be contacted.

    ``past``: `holdout.experience`, to size the control arms; those listed then are `listed` of the parts then.
    ``holdout``: params.campaign.holdout; ``salt``: see `holdout.draw`.
    """
    return found.assign(held_out=draw(found, shares(found, past, holdout), salt))


def with_actions(parts: pd.DataFrame, actions: list[dict], listed: pd.DataFrame | None = None) -> pd.DataFrame:
    """``parts`` with the action of the month; a tier without an order in the window is ``outside``.

    Left alone are do_not_contact, and held_out: an action would spoil the early warning's hold-out. So are the control
    arms of ``listed``, which `drawn` gave; without it the action is the one before the draw.
    """
    placed = parts.assign(tier=parts["tier"].astype(object).fillna(OUTSIDE))
    left_alone = placed["do_not_contact"] | placed["held_out"]
    if listed is not None:
        left_alone |= placed["customer_id"].isin(listed.loc[listed["held_out"], "customer_id"])
    return placed.assign(action=assign(placed, actions, left_alone))


def counted(listed: pd.DataFrame) -> pd.DataFrame:
    """Customers `drawn` counted by action: action, customers (to be contacted), held_out (the control arm)."""
    held = listed["held_out"].astype(bool)
    groups = pd.DataFrame({"customers": (~held).astype(int), "held_out": held.astype(int)}).groupby(listed["action"])
    return groups.sum().rename_axis("action").reset_index()


def due_lists(counts: pd.DataFrame, actions: list[dict], as_of: dt.date) -> pd.DataFrame:
    """One row per action with customers this month, in catalogue order.

    ``counts``: of `counted`. Columns: code, chapter, action, action_measure (what is to become better by it), channel,
    owner, due, customers (to be contacted), held_out (the control arm). Null is what the catalogue does not say.
    """
    by_code = counts.groupby(counts["action"].astype(str))[["customers", "held_out"]].sum()
    rows = [
        {
            "code": action["code"],
            "chapter": action.get("chapter"),
            "action": action.get("words") or str(action["code"]),
            "action_measure": action.get("measure"),
            "channel": action.get("channel"),
            "owner": action.get("owner"),
            "due": as_of + dt.timedelta(days=int(action.get("days", 30))),
            "customers": int(by_code.loc[str(action["code"]), "customers"]),
            "held_out": int(by_code.loc[str(action["code"]), "held_out"]),
        }
        for action in actions
        if str(action["code"]) in by_code.index
    ]
    columns = ["code", "chapter", "action", "action_measure", "channel", "owner", "due", "customers", "held_out"]
    return pd.DataFrame(rows, columns=columns).astype({"held_out": "Int64"})
