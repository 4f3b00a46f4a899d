"""The scorecard: the month's measures by chapter, beside last month, a year ago and the target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tierbook.accounting import day_number
from tierbook.insight import profile, voice

COLUMNS = ["chapter", "measure", "value", "previous", "year_ago", "target", "change", "low", "high", "unit", "n"]


@dataclass(frozen=True)
class Month:
    """What one month's measures are computed from: its last day, the last day before it, and the tables they need."""

    end: object
    start: object
    sales: pd.DataFrame
    first_days: pd.Series
    tiers: pd.DataFrame
    best: str
    surveys: pd.DataFrame | None
    costs: pd.DataFrame | None
    leads: pd.DataFrame | None


def measures(month: Month) -> pd.DataFrame:
    """The measures of one month: chapter, measure, value, low, high, unit, n; null where the data do not reach."""
    end, start = day_number(month.end), day_number(month.start)
    rows = [*_acquire(month, start, end), *_keep(month, end), *_develop(month), *_voice(month, start, end)]
    return pd.DataFrame(rows, columns=["chapter", "measure", "value", "unit", "n", "low", "high"])


def _row(
    chapter: str, measure: str, value: float, unit: str, n: float = np.nan, low: float = np.nan, high: float = np.nan
) -> tuple:
    return (chapter, measure, value, unit, n, low, high)


def _acquire(month: Month, start: int, end: int) -> list[tuple]:
    newcomers = int(((month.first_days > start) & (month.first_days <= end)).sum())
    rows = [_row("acquire", "new_customers", newcomers, "customers")]
    label = f"{month.end:%Y-%m}"
    spent = 0.0 if month.costs is None else float(month.costs.loc[month.costs["month"] == label, "amount"].sum())
    if spent > 0 and newcomers:
        rows.append(_row("acquire", "acquisition_cost", spent / newcomers, "money", newcomers))
    if month.leads is not None:
        created = _between(month.leads["created_at"], start, end)
        converted = int(month.leads.loc[created, "customer_id"].notna().sum())
        if created.sum() >= voice.MIN_ANSWERS:
            rows.append(_row("acquire", "conversion_rate", converted / int(created.sum()), "share", int(created.sum())))
    return rows


def _keep(month: Month, end: int) -> list[tuple]:
    at = month.tiers[month.tiers["end"] == end]
    if at.empty:
        return []
    repeat = voice.share(int((at["active_days"] >= 2).sum()), len(at))
    best = at["tier"] == month.best
    total = at["net"].sum()
    share = float(at.loc[best, "net"].sum() / total) if total > 0 else np.nan
    return [
        _row("loyalty", "repeat_rate", repeat["value"], "share", len(at), repeat["low"], repeat["high"]),
        _row("keep", "high_value_customers", int(best.sum()), "customers", len(at)),
        _row("profit", "high_value_share", share, "share", int(best.sum())),
    ]


def _develop(month: Month) -> list[tuple]:
    money = profile.sales_between(month.sales, month.start, month.end)
    share = money["identified"] / money["net_sales"] if money["net_sales"] > 0 else np.nan
    return [
        _row("profit", "net_sales", money["net_sales"], "money"),
        _row("profit", "identified_share", share, "share"),
    ]


def _voice(month: Month, start: int, end: int) -> list[tuple]:
    if month.surveys is None:
        return []
    answered = month.surveys[_between(month.surveys["answered_at"], start, end)]
    rows = []
    for measure, unit, judged in (
        ("nps", "points", voice.recommendation(answered["nps"])),
        ("csat", "share", voice.satisfied(answered["csat"])),
    ):
        rows.append(_row("satisfaction", measure, judged["value"], unit, judged["n"], judged["low"], judged["high"]))
    return rows


def _between(times: pd.Series, start: int, end: int) -> pd.Series:
    days = times.to_numpy().astype("datetime64[D]").astype("float")
    days[times.isna().to_numpy()] = np.nan
    return pd.Series((days > start) & (days <= end), index=times.index)


def scorecard(
    now: pd.DataFrame, previous: pd.DataFrame, year_ago: pd.DataFrame, targets: dict[str, float]
) -> pd.DataFrame:
    """The table of DESIGN §6. change is relative to the month before, in points (a difference) for shares and points."""
    table = now.copy()
    for name, past in (("previous", previous), ("year_ago", year_ago)):
        table[name] = table["measure"].map(past.set_index("measure")["value"]) if len(past) else np.nan
    table["target"] = table["measure"].map(targets).astype(float)
    relative = ~table["unit"].isin(["share", "points"])
    before = table["previous"].astype(float)
    change = (table["value"] - before).where(~relative, table["value"] / before.where(before > 0) - 1)
    return table.assign(change=change)[COLUMNS]
