"""The control arm of every action's list: drawn before anybody is contacted, as large as a test of it needs."""

from __future__ import annotations

import datetime as dt
import hashlib

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook import lookup
from tierbook.insight.arms import ALL
from tierbook.insight.campaign import POWER, WORTHWHILE_LIFT, detectable, power, sample_size

SHARES = (0.10, 0.15, 0.20, 0.25, 0.30)
"""What ``holdout: auto`` chooses among. Beyond 30 % a control adds little: 30 to 70 already has 84 % of the information
of equal arms (n_t n_c / n²: 0.21 of 0.25), 10 to 90 only 36 %."""
SMALLEST_SIZED = 100
COLUMNS = ["action", "tier", "customers", "held_out", "unit", "mean", "sd", "detectable", "needed", "power"]
LIST_COLUMNS = [
    "campaign", "customer_id", "arm", "assigned_at", "contacted_at", "tier", "stage", "action", "action_measure",
    "owner", "channel", "due",
]  # fmt: skip


def hash64(text: str) -> int:
    """The first 64 bits of SHA-256: the lot of every draw, the same on every machine and in every month."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def draw(listed: pd.DataFrame, share: float | dict[str, float], salt: str) -> pd.Series:
    """Whether each listed customer is held out as his action's control.

    Parameters
    ----------
    listed : customer_id, tier (null is a tier of its own), action; one row per customer on a list, whom nothing bars
        from being contacted: do-not-contact is on no list
    share : held out of every action, or action → share
    salt : names the report and its seed, and no month

    Within action × tier customers stand in the order of `hash64` of ``salt|action|id`` and the first are the control.
    An action's control has round(share × customers) of them (halves up), shared among its tiers by largest remainder.
    So who stays on a list stays on his side, but for those next to the border when a tier's list grows or shrinks.
    That cuts both ways: whom the action has won leaves the list, so a later month's stayers are no longer a random
    split. A campaign's effect is to be read from who came on the list anew, or from its first month.
    """
    action, actions = pd.factorize(listed["action"], sort=True)
    tier, tiers = pd.factorize(listed["tier"].astype(object).fillna(""), sort=True)
    rate = np.asarray([share[name] for name in actions] if isinstance(share, dict) else [share] * len(actions))
    prefixes = [f"{salt}|{name}|" for name in actions]
    lots = (hash64(f"{prefixes[of]}{name}") for of, name in zip(action.tolist(), listed["customer_id"], strict=True))
    lot = np.fromiter(lots, dtype=np.uint64, count=len(listed))
    cell = action * max(len(tiers), 1) + tier
    size = np.bincount(cell, minlength=len(actions) * len(tiers)).reshape(len(actions), len(tiers))
    order = np.lexsort((lot, cell))
    place = np.empty(len(listed), dtype=int)
    place[order] = np.arange(len(listed)) - np.repeat(np.cumsum(size) - size.ravel(), size.ravel())
    return pd.Series(place < _quotas(size, rate).ravel()[cell], index=listed.index, dtype=bool, name="held_out")


def _quotas(size: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """How many of each action × tier are held out; equal remainders go to the tiers in the order of their names."""
    exact = np.round(size * rate[:, None], 9)
    whole = np.floor(exact)
    seats = np.floor(exact.sum(axis=1) + 0.5) - whole.sum(axis=1)
    turn = np.argsort(np.argsort(whole - exact, axis=1, kind="stable"), axis=1, kind="stable")
    return (whole + (turn < seats[:, None])).astype(int)


def spend_within(days: nw.LazyFrame, end: int, window_days: int) -> nw.LazyFrame:
    """Net money of every customer in the ``window_days`` days up to and including ``end``: customer_id, spend.

    ``days``: `history.customer_days`. Customers without a day in the window have no row: they spent nothing.
    """
    window = days.filter(nw.col("day") > end - window_days, nw.col("day") <= end)
    return window.group_by("customer_id").agg(nw.col("net").sum().alias("spend"))


def experience(listed_then: pd.DataFrame, spent: pd.DataFrame) -> pd.DataFrame:
    """What a list is to be sized by: action, tier and spend of those who would have been on it a window ago, since then.

    The listed customers' own last window would mislead: who is on a list for being silent has spent nothing in it.
    ``listed_then``: customer_id, tier, action as of the window's start; ``spent``: `spend_within` the window.
    """
    found = lookup.of(listed_then["customer_id"], spent["customer_id"], spent["spend"].astype(float))
    spend = found.astype(float).fillna(0.0).to_numpy()
    return listed_then[["action", "tier"]].astype("category").assign(spend=spend)


def shares(listed: pd.DataFrame, past: pd.DataFrame, holdout: float | str) -> dict[str, float]:
    """The share to hold out of every action: ``holdout``, or where it is ``auto`` one of `SHARES`.

    That is the smallest which finds a lift of 20 % in money per customer with 80 % power, if the window to come is like
    the one before; else the largest, because every customer held out is one the action cannot reach, yet an untested
    action earns nobody knows what. Where fewer than 100 customers are listed, or were a window ago, it is the largest as
    well: their spread rests on too few buyers to choose by, and little is withheld from so few. ``past``: `experience`.
    """
    count = listed["action"].value_counts().sort_index()
    if holdout != "auto":
        return dict.fromkeys(count.index, float(holdout))
    known = _moments(past, ["action"]).reindex(count.index)
    n = count.to_numpy(dtype=float)[:, None]
    controls = np.floor(n * SHARES + 0.5)
    lift = WORTHWHILE_LIFT * known["mean"].to_numpy()[:, None]
    chance = power(lift, _error(known["sd"].to_numpy()[:, None], n - controls, controls))
    sized = np.minimum(n, known["n"].fillna(0).to_numpy()[:, None]) >= SMALLEST_SIZED
    enough = (chance >= POWER) & (lift > 0) & sized
    first = np.where(enough.any(axis=1), enough.argmax(axis=1), len(SHARES) - 1)
    return dict(zip(count.index, np.asarray(SHARES)[first].tolist(), strict=True))


def sizes(drawn: pd.DataFrame, past: pd.DataFrame, margin: float | None = None) -> pd.DataFrame:
    """How much a test of each action at this split can tell, by action (tier ``all`` first) and tier.

    Columns: action, tier, customers, held_out; unit: ``profit`` where a ``margin`` (share of net sales) is given, else
    ``spend``; mean and sd of that money per customer in the last window, as `experience` has it; detectable: the smallest
    effect per customer that 80 % of such tests would find at 5 % two-sided; needed: customers per arm, both equal, to
    find a lift of 20 % of the mean (`campaign.sample_size`); power for that lift at this split. Null where a side has
    nobody, nobody's money differs, or (needed, power) the mean is not above zero.

    Parameters
    ----------
    drawn : customer_id, tier, action, held_out
    past : `experience`
    """
    money = past.assign(spend=past["spend"] * (1.0 if margin is None else margin))
    table = _by_tier(drawn[["action", "tier", "held_out"]].astype({"action": "category", "tier": "category"}), _counts)
    known = _by_tier(money, _moments).drop(columns="n")
    table = table.merge(known, on=["action", "tier"], how="left").sort_values(
        "action", kind="stable", ignore_index=True
    )
    sd, mean = table["sd"].where(table["sd"] > 0), table["mean"].where(table["mean"] > 0)
    error = _error(sd, table["customers"] - table["held_out"], table["held_out"])
    table["detectable"] = detectable(error)
    table["needed"] = pd.Series(sample_size(WORTHWHILE_LIFT * mean, sd), index=table.index).astype("Int64")
    table["power"] = power(WORTHWHILE_LIFT * mean, error)
    return table.assign(unit="spend" if margin is None else "profit")[COLUMNS]


def _by_tier(rows: pd.DataFrame, counted) -> pd.DataFrame:
    """``counted`` of rows by action, then by action and tier; customers of no known tier are in the total alone."""
    total = counted(rows, ["action"]).reset_index().assign(tier=ALL)
    by_tier = counted(rows, ["action", "tier"]).reset_index()
    return pd.concat([t.astype({"action": object, "tier": object}) for t in (total, by_tier)], ignore_index=True)


def _counts(drawn: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return drawn.groupby(keys, observed=True)["held_out"].agg(customers="size", held_out="sum")


def _moments(past: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    # Sorted by value, so that sums have the same last digit whatever the order of the rows.
    spend = past.sort_values("spend").groupby(keys, observed=True)["spend"]
    return pd.DataFrame({"n": spend.size(), "mean": spend.mean(), "sd": spend.std()})


def _error(sd, n_treated, n_control):
    """Standard error of the difference of two means with one standard deviation; null where an arm has nobody."""
    with np.errstate(divide="ignore", invalid="ignore"):
        error = sd * np.sqrt(1.0 / n_treated + 1.0 / n_control)
    return np.where(np.isfinite(error) & (error > 0), error, np.nan)


def action_list(
    drawn: pd.DataFrame, catalogue: list[dict], as_of: dt.date, control: str, language: str
) -> pd.DataFrame:
    """Who is on which list and in which arm: action_list.csv, in the form of the contacts table.

    With contacted_at filled in for those who were contacted, the file is next month's contacts: campaign
    (``<YYYY-MM> <action's code>``), customer_id, arm (``treated``, or the name of the control), assigned_at (as_of),
    contacted_at (null), tier, stage, action, action_measure (what is to become better), owner (the customer's own, else
    the action's), channel, due. What the catalogue gives per language is in ``language``. By catalogue order, then
    customer_id.

    Parameters
    ----------
    drawn : customer_id, tier, stage, owner, action, held_out, as `actions.planned` gives them
    catalogue : the actions, as `actions.read_actions` gives them
    """
    by_code = {str(action["code"]): action for action in catalogue}
    code = drawn["action"].astype(pd.CategoricalDtype([*by_code]))

    def of_each(value) -> pd.Series:
        """What ``value`` gives for the action of each row."""
        given = np.array([value(action) for action in by_code.values()], dtype=object)
        return pd.Series(given[code.cat.codes], index=drawn.index, dtype=object)

    own = drawn["owner"].astype(object)
    table = drawn.assign(
        campaign=of_each(lambda action: f"{as_of:%Y-%m} {action['code']}"),
        arm=np.where(drawn["held_out"], control, "treated"),
        assigned_at=as_of,
        contacted_at=None,
        owner=own.where(own.notna(), of_each(lambda action: _named(action.get("owner"), language))),
        action_measure=of_each(lambda action: _named(action.get("measure"), language)),
        channel=of_each(lambda action: _named(action.get("channel"), language)),
        due=of_each(lambda action: as_of + dt.timedelta(days=int(action.get("days", 30)))),
    )
    order = np.lexsort((pd.factorize(drawn["customer_id"], sort=True)[0], code.cat.codes))
    return table.iloc[order][LIST_COLUMNS].reset_index(drop=True)


def _named(value, language: str) -> str | None:
    """A catalogue may give a name per language, or one for all."""
    return value.get(language) or next(iter(value.values()), None) if isinstance(value, dict) else value
