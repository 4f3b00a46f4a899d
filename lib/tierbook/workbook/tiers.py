"""Tiers of a month: scores, the tier of every customer at every month's end, and the moves between them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tierbook import history
from tierbook.accounting import day_number
from tierbook.insight import movement, overrides, protection, sensitivity, tier_path, upgrades, year_path
from tierbook.months import months_before, months_between
from tierbook.scores import maps

if TYPE_CHECKING:
    from tierbook.workbook import Workbook


def scores(month: Workbook) -> pd.DataFrame:
    """r, f, m, segment, tier, stage and cluster of every customer."""
    measured, tiers = month.measures(), month.tier_path()
    now = tiers[tiers["end"] == month.end].set_index("customer_id")["tier"]
    cluster = month.cluster_path()["labels"].set_index("customer_id")["cluster"]
    return pd.concat([measured, month.scale.apply(measured)], axis=1).assign(
        segment=month.segment_map.apply(month.cells(month.segment_map)).astype(object),
        tier=measured["customer_id"].map(now).astype(object),
        stage=month.stage().astype(object),
        cluster=cluster.reindex(measured["customer_id"]).astype("Int8").array,
    )


def windows(month: Workbook, dates: list[dt.date], window_days: int | None = None) -> pd.DataFrame:
    """One row per date and customer with an order in the window before it (`history.windows`), with the traits that the
    tier scheme asks for."""
    length = window_days or month.params.rfm.window_days
    ends = pd.DataFrame({"end": [day_number(date) for date in dates]})
    found = month.tables.collect(lambda engine, days: history.windows(days, engine.frame(ends), length), "days")
    found = found.sort_values(["end", "customer_id"], kind="stable", ignore_index=True)
    wanted = list(month.tier_scheme.traits)
    # without a date, as of a contacts table without rows, the columns of the traits are still asked for
    asked = sorted(dates) or [month.as_of]
    return found if not wanted else pd.concat([_with_traits(month, found, date, wanted) for date in asked])


def _with_traits(month: Workbook, found: pd.DataFrame, date: dt.date, wanted: list[str]) -> pd.DataFrame:
    there = found[found["end"] == day_number(date)]
    known = month.traits(wanted, date).set_axis(month.history(date)["customer_id"])
    return there.assign(**{trait: known[trait].reindex(there["customer_id"]).array for trait in wanted})


def at(month: Workbook, windows: pd.DataFrame) -> pd.DataFrame:
    """The tier of every customer at each date of ``windows``, on this run's scale, as the scheme alone gives it."""
    tiers = movement.tiers_at(windows, month.tier_scale, month.tier_scheme, month.params.rfm)
    return tiers.assign(active_days=windows["window_active_days"].to_numpy())


def path(month: Workbook, dates: list[dt.date], windows: pd.DataFrame) -> pd.DataFrame:
    """The tier of every customer at ``dates`` (newest first, a month apart), with protection and overrides.

    ``windows`` reach ``tiers.hold_months`` further back than the dates.
    """
    hold = month.params.tiers.hold_months
    back = months_between(month.as_of, dates[0])
    all_dates = [months_before(month.as_of, back + k) for k in range(len(dates) + hold)]
    found = protection.protect(at(month, windows), all_dates, month.tier_scheme.order, hold)
    found = found[found["end"].isin([day_number(date) for date in dates])].assign(overridden=False)
    if month.overrides is None:
        return found.reset_index(drop=True)
    return overrides.override(found, month.overrides, dates, month.first_days)


def moved(month: Workbook) -> pd.DataFrame:
    """This month's move of every customer, and whether the customer or the scale moved."""
    first_days = month.first_days
    moved = movement.moves(month.tier_path(), first_days, day_number(month.dates[1]), month.end)
    moved["tier_change"] = movement.direction(moved, month.tier_scheme)
    moved["reported"] = _reported_last_month(month).reindex(moved.index)
    then, now = (_computed(month, date).reindex(moved.index) for date in (month.dates[1], month.as_of))
    stood = moved["from_tier"] == moved["to_tier"]
    # Where protection or an override decides, the scale does not.
    by_scheme = then.eq(moved["from_tier"]) & now.eq(moved["to_tier"])
    rescaled = by_scheme & moved["reported"].notna() & moved["reported"].ne(then)
    moved["change_cause"] = np.select([~stood, rescaled], ["customer", "scale"], "")
    return moved.replace({"change_cause": {"": None}}).rename_axis("customer_id").reset_index()


def margin_of_fallen(month: Workbook) -> float | None:
    """Yearly margin of those who fell from the best tier this month; None where no margin is known."""
    if month.margin_rate is None:
        return None
    found, best = month.moved(), month.tier_scheme.order[0]
    fallen = found.loc[(found["from_tier"] == best) & (found["to_tier"] != best), "customer_id"]
    return tier_path.margin_of(fallen, month.history(month.dates[1]), month.params.margin)


def _computed(month: Workbook, date: dt.date) -> pd.Series:
    """The tier at a date by the scheme alone on this run's scale; ``outside`` without an order in the window."""
    tiers = month.tier_path()
    at = tiers[tiers["end"] == day_number(date)].set_index("customer_id")["computed"].astype(object)
    return at.reindex(month.history(date)["customer_id"]).fillna(maps.OUTSIDE)


def _reported_last_month(month: Workbook) -> pd.Series:
    """The tier by the scheme alone as last month's report gave it, on the scale of then; empty where that is this one."""
    last = month.dates[1]
    then, scale = month.history(last), month.scale_of(last)
    if scale is month.scale or then["window_orders"].le(0).all():
        return pd.Series(dtype=object)
    cells = month.cells(month.tier_scheme, last, scale)
    return month.tier_scheme.apply(cells).astype(object).fillna(maps.OUTSIDE).set_axis(then["customer_id"])


def moves_between_tiers(month: Workbook) -> pd.DataFrame:
    """Tier × tier since last month beside the usual range (DESIGN §6)."""
    moved, tiers = month.moved(), month.tier_path()
    first_days = month.first_days
    ends = [day_number(d) for d in month.dates]
    known = [k for k in range(1, 13) if ends[k + 1] >= first_days.min()]
    past = {k: movement.moves(tiers, first_days, ends[k + 1], ends[k]) for k in known}
    by_scale = moved[moved["change_cause"] == "scale"].assign(from_tier=lambda m: m["reported"])
    return movement.movement(list(past.values()), moved, by_scale, past.get(12))


def over_year(month: Workbook) -> dict[str, Any]:
    """Tier twelve months ago by tier now (``moves``), and upgrade and downgrade rates (``rates``), beside the year before.

    Null where the whole window of a year ago is not in the data: ``reaches`` says so.
    """
    dates = [months_before(month.as_of, k) for k in (0, 12, 24)]
    ends, first = [day_number(date) for date in dates], int(month.first_days.min())
    reaches = [year_path.reaches(first, end, month.params.rfm.window_days) for end in ends]
    moves = [
        year_path.moves_of_year(tiers, month.first_days, start, end) if enough else None
        for tiers, start, end, enough in (
            (month.tier_path(), ends[1], ends[0], reaches[1]),
            (_two_years(month) if reaches[2] else None, ends[2], ends[1], reaches[2]),
        )
    ]
    now = moves[0] if moves[0] is not None else pd.DataFrame(columns=["from_tier", "to_tier", "net", "net_now"])
    return {
        "moves": year_path.over_year(now, moves[1], month.tier_scheme.order),
        "rates": year_path.rates_of_change(now, moves[1], month.tier_scheme),
        "reaches": reaches[1],
    }


def _two_years(month: Workbook) -> pd.DataFrame:
    """The tier path with the date two years ago added."""
    hold = month.params.tiers.hold_months
    dates = [months_before(month.as_of, 24 + k) for k in range(hold + 1)]
    return pd.concat([month.tier_path(), path(month, dates[:1], windows(month, dates))], ignore_index=True)


def next_tier(month: Workbook) -> pd.DataFrame:
    """What each customer lacks to a better tier at the next report, in the order of the history."""
    now = _now(month)
    found = _missing(month, now["tier"])
    by_hand = now["overridden"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    found.loc[by_hand] = None  # where a person decides, no order does
    return found.assign(deadline=month.deadline, customer_id=now.index)


def _now(month: Workbook) -> pd.DataFrame:
    """The tier path at as_of, a row for every customer of the history."""
    tiers = month.tier_path()
    return tiers[tiers["end"] == month.end].set_index("customer_id").reindex(month.history()["customer_id"])


def _missing(month: Workbook, tier: pd.Series) -> pd.DataFrame:
    """What is missing to a tier better than the one given, in the order of the history."""
    left = upgrades.left_over(month.history(month.deadline), month.params.rfm)
    known = month.traits(list(month.tier_scheme.traits)).assign(tier=tier.to_numpy(dtype=object))
    days = (month.deadline - month.as_of).days
    return upgrades.next_tier(known, left, month.tier_scale, month.tier_scheme, days)


def protected(month: Workbook) -> pd.DataFrame:
    """Customers whose tier is held (`insight.protection`), with keep_orders and keep_spend: what would earn it again."""
    listed = protection.protected(month.tier_path(), month.as_of, month.params.tiers.hold_months)
    order = month.tier_scheme.order
    below = dict(zip(order, [*order[1:], None], strict=True))  # a tier better than the one below is earned again
    found = _missing(month, _now(month)["tier"].map(below)).set_axis(month.history()["customer_id"])
    names = {"orders_missing": "keep_orders", "spend_missing": "keep_spend"}
    return listed.join(found[[*names]].rename(columns=names), on="customer_id")


def tiers_under_other_rules(month: Workbook) -> pd.DataFrame:
    """How much the tiers depend on the window and the scores (`insight.sensitivity`).

    Nothing where customers are too few: the tiers then stand on fixed thresholds, and the variants would fit quantiles.
    """
    rules, own = month.params.rfm, month.windows()
    by_length = {rules.window_days: own[own["end"] == month.end]}
    base, others = sensitivity.tiers_of(by_length[rules.window_days], rules, month.tier_scheme), {}
    if not month.degraded("min_customers"):
        for length in {max(rules.window_days // 2, 1), 2 * rules.window_days} - {rules.window_days}:
            by_length[length] = windows(month, [month.as_of], length)
        others = sensitivity.variants(by_length, rules, month.tier_scheme)
    return sensitivity.sensitivity(base, others, month.tier_scheme.order[0])
