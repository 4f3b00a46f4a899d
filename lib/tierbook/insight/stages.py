"""Stages between two dates: who went from which stage to which, and how leads become customers (潜在 → 首购 → 复购)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.insight.groups import SMALL, apart
from tierbook.insight.voice import share
from tierbook.scores.lifecycle import STAGES

NONE = "none"
ALL = "all"
KEYS = ["from_stage", "to_stage"]


def transitions(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Customers by stage at two dates, one row per move somebody made: from_stage, to_stage, customers, rate, low, high.

    ``before`` and ``after``: customer_id, stage, of everyone with a purchase up to the earlier and the later date; give
    both by one and the same cadence, else the rule's own change moves customers too. Every customer of ``after`` stands
    in exactly one row; who first bought in between comes from ``none``. rate is over the customers of from_stage at the
    earlier date, low and high its 95 % Wilson interval; null under 10 of them, and for ``none``, which has no base.
    Raises ValueError where a customer stands twice, has no known stage, or of ``before`` is missing from ``after``.
    """
    then, now = _codes(before), _codes(after)
    known = pd.Index(after["customer_id"])
    if not known.is_unique:
        raise ValueError(f"customer {known[known.duplicated()][0]!r} stands more than once at the later date")
    place = known.get_indexer(before["customer_id"])
    _require_once(before["customer_id"], place)
    source = np.full(len(known), len(STAGES))
    source[place] = then
    counts = np.bincount(source * len(STAGES) + now, minlength=(len(STAGES) + 1) * len(STAGES))
    moves = pd.MultiIndex.from_product([(*STAGES, NONE), STAGES], names=KEYS)
    return _rated(pd.Series(counts, moves, name="customers")[counts > 0].reset_index())


def together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """`transitions` of several parts of the customers as one."""
    if len(parts) == 1:
        return parts[0]
    return _rated(pd.concat(parts, ignore_index=True).groupby(KEYS, as_index=False)["customers"].sum())


def _codes(frame: pd.DataFrame) -> np.ndarray:
    codes = pd.Index(STAGES).get_indexer(frame["stage"])
    if (codes < 0).any():
        raise ValueError(f"{frame['stage'][codes < 0].iloc[0]!r} is no stage; known: {', '.join(STAGES)}")
    return codes


def _require_once(customers: pd.Series, place: np.ndarray) -> None:
    gone = customers[place < 0]
    if len(gone):
        raise ValueError(f"{len(gone)} customers have a stage before and none after, first {gone.iloc[0]!r}")
    if len(place) and np.bincount(place).max() > 1:
        raise ValueError(f"customer {customers[customers.duplicated()].iloc[0]!r} stands more than once before")


def compare(now: pd.DataFrame, year_ago: pd.DataFrame | None) -> pd.DataFrame:
    """``transitions`` of this month with rate_year_ago, the same move's rate in the same month last year.

    A move made in only one of them is there too, with a rate of zero in the other; rate_year_ago is null under 10
    customers in from_stage a year ago, and throughout where ``year_ago`` is None (the history does not reach).
    """
    if year_ago is None:
        return now.assign(rate_year_ago=np.nan)
    moves = [*KEYS, "customers"]
    both = now[moves].merge(year_ago[moves], on=KEYS, how="outer", suffixes=("", "_year_ago"))
    counted = both.fillna({"customers": 0, "customers_year_ago": 0})
    then = counted[[*KEYS, "customers_year_ago"]].rename(columns={"customers_year_ago": "customers"})
    rates = _rated(then)[[*KEYS, "rate"]].rename(columns={"rate": "rate_year_ago"})
    return _rated(counted[moves]).merge(rates, on=KEYS, how="left", validate="one_to_one")


def _rated(counts: pd.DataFrame) -> pd.DataFrame:
    base = counts.groupby("from_stage")["customers"].transform("sum").where(counts["from_stage"] != NONE, 0)
    shares = pd.DataFrame(
        [share(int(k), int(n)) for k, n in zip(counts["customers"], base, strict=True)],
        columns=["value", "low", "high"],
        index=counts.index,
    )
    table = counts.astype({"customers": int}).assign(rate=shares["value"], low=shares["low"], high=shares["high"])
    place = {stage: n for n, stage in enumerate((*STAGES, NONE))}
    return table.sort_values(KEYS, key=lambda stage: stage.map(place), ignore_index=True)


def leads(table: pd.DataFrame, history: pd.DataFrame, start: int, end: int) -> pd.DataFrame:
    """The funnel of leads at ``end``: one row for ``all``, then one per channel, most leads first.

    ``table``: lead_id, created_at, channel, customer_id (null: no customer yet); ``history``: customer_id, first_day,
    active_days at ``end``; ``start`` and ``end`` are day numbers, the month is the days after start up to end. Leads
    created after end do not exist yet; a customer's second and later leads, and leads of who had bought before the first
    one was made, are not leads.

    Columns: channel; created; open (potential customers now, 潜在: not bought up to end); converted (首购: first purchase
    up to end); repeated (复购: a second purchase day up to end); created_month; converted_month (first purchase in the
    month, whenever created); conversion_rate (converted over created; young leads had little time), low, high (95 %
    Wilson), repeat_rate (repeated over converted), both null on a base under 10; median_days from creation to first
    purchase, null without one.
    """
    funnel = _funnel(table, history, start, end)
    rows = [(ALL, funnel), *funnel.groupby("channel", observed=True)]
    found = pd.DataFrame([{"channel": name, **_counts(group)} for name, group in rows])
    order = [0, *(found.index[1:][np.lexsort((found["channel"][1:], -found["created"][1:]))])]
    return found.loc[order].reset_index(drop=True)


def _funnel(table: pd.DataFrame, history: pd.DataFrame, start: int, end: int) -> pd.DataFrame:
    """One row per lead that counts: channel, the steps it has taken (open, converted …) and days to first purchase."""
    created = table["created_at"].to_numpy().astype("datetime64[D]").astype("int64")
    made = table.assign(created=created).sort_values(["created", "lead_id"], kind="stable")
    made = made[made["created"] <= end]
    made = made[made["customer_id"].isna() | ~made.duplicated("customer_id")]
    known = history.set_index("customer_id")[["first_day", "active_days"]].reindex(made["customer_id"])
    first, days = known["first_day"].to_numpy(dtype=float), known["active_days"].to_numpy(dtype=float)
    bought = first <= end
    steps = {
        "open": ~bought,
        "converted": bought,
        "repeated": bought & (days >= 2),
        "created_month": made["created"].to_numpy() > start,
        "converted_month": bought & (first > start),
        "waited": np.where(bought, first - made["created"], np.nan),
    }
    channel = made["channel"] if "channel" in made else pd.Series(None, index=made.index, dtype=object)
    found = pd.DataFrame({"channel": apart(channel).to_numpy(), **steps})
    return found[~(found["waited"] < 0)]


def _counts(group: pd.DataFrame) -> dict:
    n, converted, repeated = len(group), int(group["converted"].sum()), int(group["repeated"].sum())
    rate = share(converted, n)
    return {
        "created": n,
        "open": int(group["open"].sum()),
        "converted": converted,
        "repeated": repeated,
        "created_month": int(group["created_month"].sum()),
        "converted_month": int(group["converted_month"].sum()),
        "conversion_rate": rate["value"],
        "low": rate["low"],
        "high": rate["high"],
        "repeat_rate": repeated / converted if converted >= SMALL else np.nan,
        "median_days": float(group["waited"].median()) if converted else np.nan,
    }
