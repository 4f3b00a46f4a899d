"""The closed loop: what finished campaigns and the early warning's calls have earned, beside the action each one tried."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from tierbook.accounting import day_date
from tierbook.insight.arms import ALL
from tierbook.insight.campaign import CLAIMS, effects, headline

EARLY_WARNING = "early_warning"
CARRIED_OUT = 0.05
"""With fewer of the listed contacted than this, the calls were not made: a record or two is somebody else's contact."""
COLUMNS = [
    "campaign", "arm", "action", "assigned_on", "n_treated", "n_control", "unit", "effect", "low", "high", "total",
    "total_low", "total_high", "verdict", "tiers",
]  # fmt: skip
_NUMBERS = ["effect", "low", "high", "total", "total_low", "total_high"]


def matched(campaigns: list[str], catalogue: list[dict]) -> dict[str, str | None]:
    """Campaign → code of the action it tried, or None.

    The first action that claims the campaign's name by its ``campaigns`` patterns; else the action whose code is a word
    of the name: at its end before elsewhere, the longer code before the shorter. Capitals do not matter.
    """
    return {name: _claimed(name.lower(), catalogue) or _named_in(name.lower(), catalogue) for name in campaigns}


def _claimed(name: str, catalogue: list[dict]) -> str | None:
    claims = (str(a["code"]) for a in catalogue for p in a.get("campaigns") or [] if fnmatchcase(name, p.lower()))
    return next(claims, None)


def _named_in(name: str, catalogue: list[dict]) -> str | None:
    codes = [str(action["code"]) for action in catalogue]
    held = [c for c in codes if re.search(rf"(?<![a-z0-9_]){re.escape(c.lower())}(?![a-z0-9_])", name)]
    return max(held, key=lambda code: (name.endswith(code.lower()), len(code)), default=None)


def first_time(assigned: pd.DataFrame, catalogue: list[dict]) -> pd.Series:
    """Whether each row of ``assigned`` is the customer's first assignment to a campaign of its action; true without one.

    Where an action's list is drawn every month and who is held out stays so, the later months are no random split:
    customers whom the action won have left the treated arm, and nobody has left the control for that. Only the first
    assignment compares like with like.
    """
    action = assigned["campaign"].map(matched(sorted(assigned["campaign"].unique()), catalogue))
    rows = assigned[["customer_id", "assigned_day"]].assign(action=action)
    earliest = rows.groupby(["customer_id", "action"])["assigned_day"].transform("min")
    return (rows["assigned_day"] == earliest) | action.isna()


def ledger(
    effects: pd.DataFrame, assigned: pd.DataFrame, catalogue: list[dict], warning: pd.DataFrame | None = None
) -> pd.DataFrame:
    """What every finished campaign did: one row per campaign and arm, by date, the early warning's calls last.

    Columns: campaign, arm, action (`matched`; null for none), assigned_on (first day), n_treated, n_control; unit:
    ``profit`` where known, else ``spend``; effect of it per customer assigned with low and high; total: effect ×
    n_treated, with its interval; verdict, and tiers: those it is true of, where they differ. All numbers are null where
    no effect may be read (no control, broken split).

    Where tiers speak for the campaign (`campaign.headline`), the verdict is what was shown of any of them: ``mixed``
    where that is help and harm, or pays and does not; else the one thing shown.

    Parameters
    ----------
    effects : `campaign.review` of finished campaigns
    assigned : campaign and assigned_day of everybody assigned
    catalogue : the actions
    warning : `alerts_outcome`, or None
    """
    days = assigned.groupby("campaign")["assigned_day"].min()
    action = matched(sorted(effects["campaign"].unique()), catalogue)
    rows = [
        {"campaign": name, "action": action[name], "assigned_on": day_date(days[name]), **told}
        for name, table in effects.groupby("campaign")
        for told in _told(table)
    ]
    table = pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(_NUMBERS, float))
    table = table.sort_values(["assigned_on", "campaign", "arm"], ignore_index=True)
    return table if warning is None or warning.empty else pd.concat([table, warning[COLUMNS]], ignore_index=True)


def _told(table: pd.DataFrame) -> list[dict]:
    """Per arm of one campaign: size, money and verdict."""
    money = table[(table["tier"] == ALL) & table["outcome"].isin(["profit", "spend"])].sort_values("outcome")
    money = money.drop_duplicates("arm").set_index("arm")
    told = []
    for arm, rows in headline(table).groupby("arm"):
        total = table[(table["arm"] == arm) & (table["tier"] == ALL)].iloc[0]
        found = money.loc[arm, ["effect", "low", "high"]].to_dict() if arm in money.index else {}
        totals = {f"total{end}": value * total["n_treated"] for end, value in zip(_ENDS, found.values(), strict=False)}
        unit = money.loc[arm, "outcome"] if arm in money.index else None
        sized = {"arm": arm, "n_treated": int(total["n_treated"]), "n_control": int(total["n_control"]), "unit": unit}
        told.append({**sized, **found, **totals, **_spoken(rows)})
    return told


_ENDS = ("", "_low", "_high")


def _spoken(rows: pd.DataFrame) -> dict[str, str | None]:
    """The verdict of an arm's headline rows, and the tiers it is true of."""
    if (rows["tier"] == ALL).all():
        return {"verdict": rows["verdict"].iloc[0], "tiers": None}
    shown = rows[rows["verdict"].isin(CLAIMS)]
    if shown.empty:
        told = rows["verdict"].unique()
        return {"verdict": told[0] if len(told) == 1 else "not_enough_data", "tiers": None}
    kinds = shown["verdict"].unique()
    return {"verdict": kinds[0] if len(kinds) == 1 else "mixed", "tiers": ", ".join(sorted(shown["tier"]))}


def earned(catalogue: list[dict], ledger: pd.DataFrame) -> pd.DataFrame:
    """What each action has earned so far, in catalogue order.

    Columns: action, tests (finished campaigns of it whose effect may be read), treated (customers of those, each time
    counted), unit, earned (sum of their totals), low, high; verdict: ``untested`` without a test, ``earned`` or
    ``lost`` where the interval lies above or below zero, else ``unclear``; latest: the verdict of the last of them (of
    its first arm), and tiers: those it is true of. A sum may hide what that one shows of a tier.

    The half widths of campaigns are added as of independent draws (root of the sum of squares); those of the arms of
    one campaign plainly, because they share a control. Where the same customers are tested again and again, the campaigns
    are less independent than that.
    """
    read = ledger[ledger["action"].notna() & ledger["total"].notna()]
    read = read.assign(half=(read["total_high"] - read["total_low"]) / 2)
    keys = {
        "treated": ("n_treated", "sum"),
        "earned": ("total", "sum"),
        "half": ("half", "sum"),
        "unit": ("unit", "min"),
    }
    tests = read.groupby(["action", "campaign"], as_index=False).agg(**keys)
    tests["half"] **= 2
    summed = {"tests": ("campaign", "size"), "treated": ("treated", "sum"), "unit": ("unit", "min")}
    table = tests.groupby("action").agg(**summed, earned=("earned", "sum"), square=("half", "sum"))
    table = table.reindex(pd.Index([str(action["code"]) for action in catalogue], name="action", dtype=object))
    half = np.sqrt(table.pop("square"))
    table["low"], table["high"] = table["earned"] - half, table["earned"] + half
    told = [table["earned"].isna(), table["low"] > 0, table["high"] < 0]
    table["verdict"] = np.select(told, ["untested", "earned", "lost"], "unclear")
    last = read.sort_values(["assigned_on", "campaign", "arm"], ascending=[False, False, True]).drop_duplicates(
        "action"
    )
    table[["latest", "tiers"]] = last.set_index("action")[["verdict", "tiers"]].astype(object).reindex(table.index)
    return table.fillna({"tests": 0, "treated": 0}).astype({"tests": int, "treated": int}).reset_index()


def called(alerts: pd.DataFrame, contacts: pd.DataFrame | None, days: tuple[int, int], control: str) -> pd.DataFrame:
    """The early warning's list of a month ago as a campaign: the frame that `assignment` reviews, one row per customer.

    Columns: campaign, customer_id, arm (``listed``, or the name of the control for who was held out), tier,
    assigned_day, contacted (whoever contacted him after the list's day for whatever reason), cost of those contacts.
    Who was listed counts as treated, called or not. Only customers first flagged on that day: those called before are
    barred from a later list by the cool-down and those held out are not, so that among the others the control would be
    the longer silent.

    Parameters
    ----------
    alerts : alerts.csv as of the earlier day, drawn up from the contacts of that day: who has opted out since was listed
    contacts : the contacts table, or None
    days : day numbers of that day and of as_of
    control : params.campaign.control
    """
    day, end = days
    fresh = pd.to_datetime(alerts["first_flagged"]).to_numpy().astype("datetime64[D]").astype("int64") == day
    found = alerts.loc[fresh, ["customer_id", "tier"]].reset_index(drop=True)
    made = _made(contacts, day, end).reindex(found["customer_id"]) if contacts is not None else None
    return found.assign(
        campaign=EARLY_WARNING,
        arm=np.where(alerts.loc[fresh, "held_out"].astype(bool), control, "listed"),
        assigned_day=day,
        contacted=False if made is None else made["n"].notna().to_numpy(),
        cost=np.nan if made is None else made["cost"].to_numpy(),
    )


def _made(contacts: pd.DataFrame, day: int, end: int) -> pd.DataFrame:
    at = pd.to_datetime(contacts["contacted_at"]).to_numpy().astype("datetime64[D]")
    since = ~np.isnat(at) & (at.astype("int64") > day) & (at.astype("int64") <= end)
    by_id = contacts[since].astype({"cost": float}).groupby("customer_id")["cost"]
    return pd.DataFrame({"n": by_id.size(), "cost": by_id.sum(min_count=1)})


def alerts_outcome(
    reviewed: pd.DataFrame, control: str, outcomes: list[str], contacts_known: bool
) -> dict[str, pd.DataFrame]:
    """What last month's call list did: ``effects`` (`campaign.effects`) and ``outcome``, one row, or none without a list.

    ``outcome`` has the columns of `ledger` and: contacted (of the listed), control_contacted, buyers_listed,
    buyers_held_out. Its verdict is `ledger`'s, but ``no_contacts_table`` where nothing says whether anybody was called
    and ``not_carried_out`` where fewer than 5 % of the listed were; nothing is then credited to the calls: effect and
    total are null, and what was seen stands in ``effects`` alone.

    ``reviewed``: `called`, with what `assignment.outcomes` adds.
    """
    if not (reviewed["arm"] != control).any():
        return {"effects": pd.DataFrame(), "outcome": pd.DataFrame(columns=COLUMNS)}
    listed = reviewed[reviewed["arm"] != control]
    held_out = reviewed[reviewed["arm"] == control]
    table = effects(reviewed, control, [name for name in outcomes if name in reviewed])
    (row,) = _told(table)
    carried_out = listed["contacted"].mean() >= CARRIED_OUT
    if not (contacts_known and carried_out):
        told = "not_carried_out" if contacts_known else "no_contacts_table"
        row |= dict.fromkeys(_NUMBERS, np.nan) | {"verdict": told, "tiers": None}
    row |= {
        "campaign": EARLY_WARNING,
        "assigned_on": day_date(int(listed["assigned_day"].iloc[0])),
        "contacted": int(listed["contacted"].sum()),
        "control_contacted": int(held_out["contacted"].sum()),
        "buyers_listed": int((listed["orders"] > 0).sum()),
        "buyers_held_out": int((held_out["orders"] > 0).sum()),
    }
    extra = ["contacted", "control_contacted", "buyers_listed", "buyers_held_out"]
    return {"effects": table, "outcome": pd.DataFrame([row], columns=[*COLUMNS, *extra])}
