"""The action catalogue: which tier or stage gets which action, through which channel, by whom, measured how."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd

from tierbook.errors import ParamsError
from tierbook.params import nearest, read_yaml
from tierbook.scores.maps import OUTSIDE

_FIELDS = {"code", "when", "words", "channel", "owner", "measure", "days"}
_WHEN = ("tier", "stage", "segment", "alert")


def read_actions(path: Path) -> list[dict]:
    """The actions of a catalogue file, in order; a fault is a one-line error that names the file and the action."""
    listed = read_yaml(path, "actions").get("actions")
    if not isinstance(listed, list) or not all(isinstance(a, dict) and "code" in a for a in listed):
        raise ParamsError(
            f"actions {path.name}: give actions: [{{code: …, when: {{tier: …}}, words: {{en: …, zh: …}}}}]"
        )
    for action in listed:
        unknown = (set(action) - _FIELDS) | (set(action.get("when") or {}) - set(_WHEN))
        if unknown:
            what = f"unknown key {min(unknown)!r}; {nearest(min(unknown), sorted(_FIELDS) + list(_WHEN))}"
            raise ParamsError(f"actions {path.name}, {action['code']}: {what}")
    return listed


def assign(book: pd.DataFrame, actions: list[dict], left_alone: pd.Series) -> pd.Series:
    """The code of the first action whose ``when`` holds for each customer; null for none, or who is to be left alone."""
    code = pd.Series(None, index=book.index, dtype=object)
    for action in reversed(actions):
        holds = np.ones(len(book), dtype=bool)
        for column, wanted in (action.get("when") or {}).items():
            values = [str(v).lower() for v in (wanted if isinstance(wanted, list) else [wanted])]
            holds &= book[column].astype(str).str.lower().isin(values).to_numpy()
        code = code.mask(holds, str(action["code"]))
    return code.where(~left_alone.to_numpy(dtype=bool), None)


def with_people(parts: pd.DataFrame, people: pd.DataFrame | None) -> pd.DataFrame:
    """``parts`` with owner and do_not_contact of the customers table; nobody's and false where there is none."""
    if people is None:
        return parts.assign(owner=None, do_not_contact=False)
    known = people.set_index("customer_id")[["owner", "do_not_contact"]].reindex(parts["customer_id"])
    silent = known["do_not_contact"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    return parts.assign(owner=known["owner"].to_numpy(), do_not_contact=silent)


def with_actions(parts: pd.DataFrame, actions: list[dict]) -> pd.DataFrame:
    """``parts`` with the action of the month; a tier without an order in the window is ``outside``.

    Left alone are do_not_contact, and held_out: an action would spoil the early warning's hold-out.
    """
    placed = parts.assign(tier=parts["tier"].astype(object).fillna(OUTSIDE))
    left_alone = placed["do_not_contact"] | placed["held_out"]
    return placed.assign(action=assign(placed, actions, left_alone))


def due_lists(book: pd.DataFrame, actions: list[dict], as_of: dt.date) -> pd.DataFrame:
    """One row per action with customers this month: code, action, channel, owner, due, customers, in catalogue order."""
    counts = book["action"].value_counts()
    rows = [
        {
            "code": action["code"],
            "action": action.get("words") or str(action["code"]),
            "channel": action.get("channel"),
            "owner": action.get("owner"),
            "due": as_of + dt.timedelta(days=int(action.get("days", 30))),
            "customers": int(counts[action["code"]]),
        }
        for action in actions
        if counts.get(action["code"], 0)
    ]
    return pd.DataFrame(rows, columns=["code", "action", "channel", "owner", "due", "customers"])
