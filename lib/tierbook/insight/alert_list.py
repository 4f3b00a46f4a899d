"""The call list of the early warning: who is called through which channel, who is held out, who is left out and why."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from tierbook.accounting import EPOCH
from tierbook.insight.holdout import hash64
from tierbook.tree import Alerts

COLUMNS = [
    "customer_id", "tier", "owner", "channel", "reason", "own_gap_days", "days_silent", "p_alive", "value_at_stake",
    "first_flagged", "held_out", "previous_tier", "days_overdue", "reasons",
]  # fmt: skip
LEFT_OUT = ("do_not_contact", "opted_out", "contacted_lately", "beyond_capacity")


class Listed(NamedTuple):
    """``alerts``: alerts.csv (DESIGN §6). ``left_out``: reason, customers, value_at_stake of flagged customers not on it."""

    alerts: pd.DataFrame
    left_out: pd.DataFrame


CONTACTS = ["customer_id", "assigned_at", "contacted_at", "opted_out"]
"""What the call list asks of the contacts table."""


def listed(flagged: pd.DataFrame, contacts: pd.DataFrame | None, rules: Alerts, as_of_day: int, salt: str) -> Listed:
    """Put the flagged customers on the list, the highest value at stake first, then by customer_id.

    ``flagged``: one row per flagged customer: customer_id, tier, previous_tier, owner, do_not_contact (bool),
    alert_reason, alert_reasons, own_gap_days, recency_days, p_alive, value_at_stake, first_flagged (day number).
    days_overdue is the silence beyond the own gap, never below zero. ``contacts``: the contacts table, or null. Left out, under the first reason that holds: do-not-contact; ever opted out; contacted within the
    ``cooldown_days`` that end on as_of; beyond the capacity of all channels. Channels fill in the order of
    ``rules.capacity``. held_out customers (`in_holdout`) are not to be contacted: they have the channel they would have
    had and take no place in it.
    """
    ordered = flagged.sort_values(["value_at_stake", "customer_id"], ascending=[False, True], ignore_index=True)
    reason = _barred(ordered, contacts, (as_of_day - rules.cooldown_days, as_of_day))
    eligible = reason.isna()
    held_out = eligible & in_holdout(ordered["customer_id"], salt, rules.holdout)
    channel = _channels(eligible, held_out, rules.capacity)
    reason = reason.mask(eligible & channel.isna(), "beyond_capacity")
    found = ordered.assign(
        channel=channel,
        reason=ordered["alert_reason"],
        reasons=ordered["alert_reasons"],
        days_silent=ordered["recency_days"],
        days_overdue=(ordered["recency_days"] - ordered["own_gap_days"]).clip(lower=0),
        first_flagged=_dates(ordered["first_flagged"]),
        held_out=held_out,
    )
    return Listed(found.loc[channel.notna(), COLUMNS].reset_index(drop=True), _left_out(ordered, reason))


def in_holdout(customer_ids: pd.Series, salt: str, share: float) -> pd.Series:
    """Whether each id falls into the hold-out: the first 64 bits of SHA-256 of ``salt|id`` lie in the lowest share.

    Depends on salt and id alone: nobody changes sides when others come and go, or from month to month.
    """
    limit = round(share * 2**64)
    drawn = [hash64(f"{salt}|{customer}") < limit for customer in customer_ids]
    return pd.Series(drawn, index=customer_ids.index, dtype=bool)


def _barred(flagged: pd.DataFrame, contacts: pd.DataFrame | None, cooling: tuple[int, int]) -> pd.Series:
    """Why a flagged customer may not be contacted; null where he may. ``cooling``: days after the first up to the last."""
    opted_out = lately = pd.Series(dtype=object)
    if contacts is not None:
        day = pd.to_datetime(contacts["contacted_at"]).to_numpy().astype("datetime64[D]")
        recent = ~np.isnat(day) & (day.astype("int64") > cooling[0]) & (day.astype("int64") <= cooling[1])
        lately = contacts["customer_id"][recent]
        opted_out = contacts["customer_id"][contacts["opted_out"].astype("boolean").fillna(False).to_numpy(dtype=bool)]
    holds = [
        flagged["do_not_contact"].to_numpy(dtype=bool),
        flagged["customer_id"].isin(opted_out).to_numpy(),
        flagged["customer_id"].isin(lately).to_numpy(),
    ]
    return pd.Series(np.select(holds, LEFT_OUT[:3], ""), index=flagged.index, dtype=object).replace("", None)


def _channels(eligible: pd.Series, held_out: pd.Series, capacity: dict[str, int]) -> pd.Series:
    """The channel of each row in the order of the list; null for who is not eligible or comes too late for any."""
    called = (eligible & ~held_out).to_numpy()
    ahead = called.cumsum() - called
    names = np.array([*capacity, None], dtype=object)
    channel = names[np.searchsorted(np.cumsum([*capacity.values()]), ahead, side="right")]
    return pd.Series(channel, index=eligible.index, dtype=object).where(eligible, None)


def _dates(days: pd.Series) -> pd.Series:
    return pd.Series(np.datetime64(EPOCH) + days.to_numpy(dtype="timedelta64[D]"), index=days.index).dt.date


def _left_out(flagged: pd.DataFrame, reason: pd.Series) -> pd.DataFrame:
    counted = flagged.groupby(reason)["value_at_stake"].agg(["size", "sum"]).reindex(LEFT_OUT, fill_value=0)
    counted = counted.set_axis(["customers", "value_at_stake"], axis=1).rename_axis("reason").reset_index()
    return counted.astype({"customers": int, "value_at_stake": float})


def first_flagged(flags: pd.DataFrame) -> pd.Series:
    """By customer_id the first ``end`` of the unbroken run of flags that reaches the last ``end``; null without one.

    ``flags``: customer_id, end (day number of a month's end), flagged (bool); a customer without a row at an end was
    not flagged then. Every end asked about must occur.
    """
    by_month = flags.pivot_table(index="customer_id", columns="end", values="flagged", aggfunc="any", fill_value=False)
    ends = by_month.columns.to_numpy()
    backwards = by_month.to_numpy(dtype=bool)[:, ::-1]
    run = np.logical_and.accumulate(backwards, axis=1).sum(axis=1)
    first = pd.Series(ends[len(ends) - np.maximum(run, 1)], index=by_month.index, dtype="Int64", name="first_flagged")
    return first.mask(run == 0)
