"""The scorecard: the month's measures by chapter, beside last month, a year ago and the target."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from tierbook.errors import ParamsError
from tierbook.insight import voice
from tierbook.insight.groups import SMALL
from tierbook.insight.shares import wilson
from tierbook.params import nearest

COLUMNS = ["chapter", "measure", "value", "previous", "year_ago", "target", "change", "low", "high", "unit", "n"]
_TOLD = ["value", "n", "low", "high"]

MEASURES: dict[str, tuple[str, str]] = {
    "new_customers": ("acquire", "customers"),
    "acquisition_cost": ("acquire", "money"),
    "first_order_value": ("acquire", "money"),
    "second_order_rate": ("acquire", "share"),
    "leads": ("acquire", "leads"),
    "converted_leads": ("acquire", "leads"),
    "conversion_rate": ("acquire", "share"),
    "days_to_convert": ("acquire", "days"),
    "high_value_customers": ("keep", "customers"),
    "high_value_fallen": ("keep", "customers"),
    "retention_rate": ("keep", "share"),
    "churn_rate": ("keep", "share"),
    "left_window": ("keep", "customers"),
    "customers_at_risk": ("keep", "customers"),
    "value_at_stake": ("keep", "money"),
    "flagged_bought": ("keep", "share"),
    "listed_bought": ("keep", "share"),
    "held_out_bought": ("keep", "share"),
    "upgrades": ("develop", "customers"),
    "upgrade_rate": ("develop", "share"),
    "downgrades": ("develop", "customers"),
    "downgrade_rate": ("develop", "share"),
    "buyers": ("develop", "customers"),
    "revenue_per_buyer": ("develop", "money"),
    "average_order_value": ("develop", "money"),
    "revenue_per_customer": ("develop", "money"),
    "orders_per_customer": ("develop", "ratio"),
    "margin_per_customer": ("develop", "money"),
    "cross_sell_rate": ("develop", "share"),
    "categories_per_customer": ("develop", "ratio"),
    "csat": ("satisfaction", "share"),
    "nps": ("satisfaction", "points"),
    "repeat_rate": ("loyalty", "share"),
    "net_sales": ("profit", "money"),
    "identified_share": ("profit", "share"),
    "gross_margin": ("profit", "money"),
    "high_value_share": ("profit", "share"),
    "high_value_margin_share": ("profit", "share"),
}
"""Measure → chapter and unit, in the order of reading. docs/definitions.md says what each one is."""

BY_TIER = (
    "csat_mean", "response_rate", "first_response_hours", "resolution_hours", "resolution_rate", "first_response_on_time",
    "resolved_on_time", "tickets_per_customer", "contact_gap_days", "no_contact_180d", "open_rate", "click_rate",
    "opt_out_rate", "referred_share", "referrer_share", "birthdays", "browsed_30d", "browsed_90d", "order_share",
    "visited_share", "visits_per_visitor", "pages_per_session", "visit_gap_days", "visit_share",
)  # fmt: skip
"""Further measures that a target may be for: those of voice.csv and behaviour.csv alone."""


@dataclass(frozen=True)
class Facts:
    """What the measures are computed from, each a frame by ``ago``: 0 is the month that ends on as_of, 1 the one before.

    Every row holds what was known at the end of its month. A frame that is None (no such table), and a column that is
    null in a month, leave their measures out. ``margin``: as a share of net sales, else None: then the cost of goods.
    """

    sales: pd.DataFrame
    newcomers: pd.DataFrame
    trade: pd.DataFrame
    base: pd.DataFrame
    changes: pd.DataFrame
    retention: pd.DataFrame
    breadth: pd.DataFrame
    warning: pd.DataFrame
    spent: pd.Series | None
    leads: pd.DataFrame | None
    voice: pd.DataFrame | None
    margin: float | None


def known_targets(targets: dict[str, float]) -> dict[str, float]:
    """The targets of the params. Raises ParamsError, with the nearest, where one is for no measure."""
    known = [*MEASURES, *BY_TIER]
    unknown = next((name for name in targets if name not in known), None)
    if unknown is not None:
        raise ParamsError(f"targets: unknown measure {unknown!r}; {nearest(unknown, known)}")
    return targets


def measures(facts: Facts) -> pd.DataFrame:
    """The measures of every month: months_ago, chapter, measure, value, unit, n, low, high, in the order of `MEASURES`.

    n: what a share or mean stands on; low and high: the 95 % interval of a share (Wilson) or of points. A share on fewer
    than 10 has no value. What the data cannot tell of a month has no row in it.
    """
    told = {**_acquire(facts), **_keep(facts), **_develop(facts), **_outcome(facts)}
    frames = [
        told[name].rename_axis("months_ago").reset_index().assign(measure=name, chapter=chapter, unit=unit)
        for name, (chapter, unit) in MEASURES.items()
        if name in told
    ]
    found = pd.concat(frames, ignore_index=True)
    found = found[found["value"].notna() | found["n"].notna()].sort_values("months_ago", kind="stable")
    return found[["months_ago", "chapter", "measure", "value", "unit", "n", "low", "high"]].reset_index(drop=True)


def _acquire(facts: Facts) -> dict[str, pd.DataFrame]:
    won, first = facts.newcomers, facts.trade["first_net"]
    told = {
        "new_customers": _number(won["newcomers"]),
        "first_order_value": _mean(first, won["newcomers"]),
        "second_order_rate": _share(won["again"], won["ripe"]),
    }
    if facts.spent is not None:
        told["acquisition_cost"] = _mean(facts.spent.where(facts.spent > 0), won["newcomers"])
    if facts.leads is not None:
        told["leads"] = _number(facts.leads["leads"])
        told["converted_leads"] = _number(facts.leads["converted"])
        told["conversion_rate"] = _share(facts.leads["ripe_converted"], facts.leads["ripe"])
        told["days_to_convert"] = _number(facts.leads["days"], facts.leads["converted"])
    return told


def _keep(facts: Facts) -> dict[str, pd.DataFrame]:
    kept, warned, changes = facts.retention, facts.warning, facts.changes
    told = {
        "high_value_customers": _number(facts.base["best"], facts.base["customers"]),
        "high_value_fallen": _number(
            changes["fallen"].where(changes["best"] > 0), changes["best"].where(changes["best"] > 0)
        ),
        "retention_rate": _share(kept["kept"], kept["base"]),
        "churn_rate": _share(kept["base"] - kept["kept"], kept["base"]),
        "left_window": _number(changes["left"], changes["placed"]),
        "customers_at_risk": _number(warned["flagged"]),
        "value_at_stake": _number(warned["value_at_stake"], warned["flagged"]),
    }
    for who in ("flagged", "listed", "held_out"):
        told[f"{who}_bought"] = _share(warned[f"{who}_bought"], warned[f"{who}_before"])
    return told


def _develop(facts: Facts) -> dict[str, pd.DataFrame]:
    trade, base, changes, breadth = facts.trade, facts.base, facts.changes, facts.breadth
    return {
        "upgrades": _number(changes["up"], changes["placed"]),
        "upgrade_rate": _share(changes["up"], changes["placed"]),
        "downgrades": _number(changes["down"], changes["placed"]),
        "downgrade_rate": _share(changes["down"], changes["placed"]),
        "buyers": _number(trade["buyers"]),
        "revenue_per_buyer": _mean(trade["net"], trade["buyers"]),
        "average_order_value": _mean(trade["net"], trade["orders"]),
        "revenue_per_customer": _mean(base["net"], base["customers"]),
        "orders_per_customer": _mean(base["orders"], base["customers"]),
        "margin_per_customer": _mean(_margin(base["net"], base["cost"], facts.margin), base["customers"]),
        "cross_sell_rate": _share(breadth["broad"], breadth["customers"]),
        "categories_per_customer": _mean(breadth["categories"], breadth["customers"]),
    }


def _outcome(facts: Facts) -> dict[str, pd.DataFrame]:
    """Satisfaction, loyalty, profit contribution."""
    base, trade, sales = facts.base, facts.trade, facts.sales
    margin = _margin(base["net"], base["cost"], facts.margin)
    of_best = _margin(base["best_net"], base["best_cost"], facts.margin)
    told = {
        "repeat_rate": _share(base["repeaters"], base["customers"]),
        "net_sales": _number(sales["net_sales"]),
        "identified_share": _number(_part(sales["identified"], sales["net_sales"])),
        "gross_margin": _number(_margin(trade["net"], trade["cost"], facts.margin)),
        "high_value_share": _number(_part(base["best_net"], base["net"]).where(base["best"] >= SMALL), base["best"]),
        "high_value_margin_share": _number(_part(of_best, margin).where(base["best"] >= SMALL), base["best"]),
    }
    told["high_value_margin_share"] = told["high_value_margin_share"].where(margin.notna(), np.nan)
    return told if facts.voice is None else {**told, **_voice(facts.voice)}


def _voice(found: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {name: rows.set_index("ago")[_TOLD] for name, rows in found.groupby("measure")}


def voice_by_month(surveys: pd.DataFrame, ends: list[int]) -> pd.DataFrame:
    """csat and nps of the answers of each month: measure, ago, value, low, high, n. ``ends``: newest first."""
    answered = surveys["answered_at"].to_numpy().astype("datetime64[D]")
    day = np.where(np.isnat(answered), ends[-1], answered.astype("int64"))
    rows = []
    for ago, (end, start) in enumerate(pairwise(ends)):
        of_month = surveys[(day > start) & (day <= end)]
        for measure, judged in (
            ("csat", voice.satisfied(of_month["csat"])),
            ("nps", voice.recommendation(of_month["nps"])),
        ):
            rows.append({"measure": measure, "ago": ago, **judged})
    return pd.DataFrame(rows)


def _number(value: pd.Series, n: pd.Series | float = np.nan) -> pd.DataFrame:
    return pd.DataFrame({"value": value.astype(float), "n": n, "low": np.nan, "high": np.nan})[_TOLD]


def _mean(total: pd.Series, n: pd.Series) -> pd.DataFrame:
    """A total per head; no row where the total is unknown or there is nobody."""
    mean = total / n.where(n > 0)
    return _number(mean, n.where(mean.notna()))


def _share(part: pd.Series, whole: pd.Series) -> pd.DataFrame:
    """A share with its Wilson interval; null under 10, no row where there is nobody at all."""
    enough = whole.where(whole >= SMALL)
    value = part / enough
    low, high = wilson(value, enough.fillna(0))
    return pd.DataFrame({"value": value, "n": whole.where(whole > 0), "low": low, "high": high})[_TOLD]


def _part(part: pd.Series, whole: pd.Series) -> pd.Series:
    return part / whole.where(whole > 0)


def _margin(net: pd.Series, cost: pd.Series, margin: float | None) -> pd.Series:
    return net - cost if margin is None else net * margin


def scorecard(
    now: pd.DataFrame, previous: pd.DataFrame, year_ago: pd.DataFrame, targets: dict[str, float]
) -> pd.DataFrame:
    """The table of DESIGN §6. change is relative to the month before, in points (a difference) for shares and points.

    A measure that the month cannot tell, but has a target, has no row.
    """
    table = now.copy()
    for name, past in (("previous", previous), ("year_ago", year_ago)):
        table[name] = table["measure"].map(past.set_index("measure")["value"]) if len(past) else np.nan
    table["target"] = table["measure"].map(targets).astype(float)
    relative = ~table["unit"].isin(["share", "points"])
    before = table["previous"].astype(float)
    change = (table["value"] - before).where(~relative, table["value"] / before.where(before > 0) - 1)
    return table.assign(change=change)[COLUMNS]
