"""Tiers of a month: scores, the tier of every customer at every month's end, and the moves between them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tierbook import history
from tierbook.accounting import day_number
from tierbook.insight import movement
from tierbook.scores import clusters, lifecycle, maps

if TYPE_CHECKING:
    from tierbook.workbook import Workbook


def scores(month: Workbook) -> dict[str, Any]:
    """r, f, m, segment, tier, stage and cluster of every customer."""
    measured = month.measures()
    scored = pd.concat([measured, month.scale.apply(measured)], axis=1)
    scored["segment"] = month.segment_map.apply(month.cells(month.segment_map)).astype(object)
    scored["tier"] = month.tier_scheme.apply(month.cells(month.tier_scheme)).astype(object)
    scored["stage"] = lifecycle.stage(month.history(), month.cadence()).astype(object)
    rule = None
    if not month.degraded("min_customers"):
        rule = clusters.fit_clusters(measured.dropna(), month.params.clusters.k, month.params.seed)
    scored["cluster"] = pd.array([pd.NA] * len(scored), dtype="Int8") if rule is None else rule.apply(measured)
    return {"customers": scored, "silhouette": {} if rule is None else rule.silhouette}


def at(month: Workbook, dates: list[dt.date]) -> pd.DataFrame:
    """The tier of every customer at each date, on this run's scale."""
    rules = month.params.rfm
    ends = pd.DataFrame({"end": [day_number(date) for date in dates]})
    found = month.tables.collect(
        lambda engine, days: history.windows(days, engine.frame(ends), rules.window_days), "days"
    ).sort_values(["end", "customer_id"], kind="stable", ignore_index=True)
    tiers = movement.tiers_at(found, month.tier_scale, month.tier_scheme, rules)
    return tiers.assign(active_days=found["window_active_days"])


def moved(month: Workbook) -> pd.DataFrame:
    """This month's move of every customer, and whether the customer or the scale moved."""
    first_days = month.history().set_index("customer_id")["first_day"]
    moved = movement.moves(month.tier_path(), first_days, day_number(month.dates[1]), month.end)
    moved["tier_change"] = movement.direction(moved, month.tier_scheme)
    moved["reported"] = _reported_last_month(month).reindex(moved.index).fillna(moved["from_tier"])
    stood = moved["from_tier"] == moved["to_tier"]
    moved["change_cause"] = np.select([~stood, moved["reported"] != moved["to_tier"]], ["customer", "scale"], "")
    return moved.replace({"change_cause": {"": None}}).rename_axis("customer_id").reset_index()


def _reported_last_month(month: Workbook) -> pd.Series:
    """The tier as last month's report gave it, on the scale fitted then; a frozen scale gives the same as now."""
    last = month.dates[1]
    then = month.history(last)
    if month.scale_path is not None or then["window_orders"].le(0).all():
        return pd.Series(dtype=object)
    cells = month.cells(month.tier_scheme, last, month.fit_scale(last))
    return month.tier_scheme.apply(cells).astype(object).fillna(maps.OUTSIDE).set_axis(then["customer_id"])


def moves_between_tiers(month: Workbook) -> pd.DataFrame:
    """Tier × tier since last month beside the usual range (DESIGN §6)."""
    moved, tiers = month.moved(), month.tier_path()
    first_days = month.history().set_index("customer_id")["first_day"]
    ends = [day_number(d) for d in month.dates]
    known = [k for k in range(1, 13) if ends[k + 1] >= first_days.min()]
    past = {k: movement.moves(tiers, first_days, ends[k + 1], ends[k]) for k in known}
    by_scale = moved[moved["change_cause"] == "scale"].assign(from_tier=lambda m: m["reported"])
    return movement.movement(list(past.values()), moved, by_scale, past.get(12))
