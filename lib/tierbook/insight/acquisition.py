"""Acquisition: leads and newcomers by channel, what winning them cost, what they have brought since, when it is back."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from tierbook import lookup
from tierbook.insight import cohorts
from tierbook.insight.groups import SMALL, apart
from tierbook.insight.shares import wilson
from tierbook.insight.slices import UNKNOWN

ALL = "all"
RIPE_DAYS = 90
"""A lead or a newcomer is judged when it has had this long: younger ones would look worse for being young."""
QUARTER, YEAR = 2, 11
"""Months since the first purchase (`cohorts`) whose ends are 91 and 365 days after it."""
COLUMNS = [
    "channel", "newcomers", "cost", "cost_per_newcomer", "leads", "converted", "conversion_rate", "low", "high",
    "revenue_90", "revenue_365", "payback_months", "payback", "basis", "horizon",
]  # fmt: skip


def lead_steps(leads: pd.DataFrame, first_days: pd.Series) -> pd.DataFrame:
    """One row per lead that counts: channel, created and bought (day numbers; bought is null where not yet).

    ``leads``: lead_id, created_at, channel, customer_id (null: no customer yet); ``first_days``: first purchase by
    customer_id. A customer's second and later leads, and leads of who had bought before, are not leads.
    """
    made = leads.assign(created=leads["created_at"].to_numpy().astype("datetime64[D]").astype("int64"))
    made = made.sort_values(["created", "lead_id"], kind="stable")
    made = made[made["customer_id"].isna() | ~made.duplicated("customer_id")]
    bought = lookup.of(made["customer_id"], first_days.index, first_days).to_numpy(dtype=float)
    channel = made["channel"].to_numpy() if "channel" in made else None
    found = pd.DataFrame({"channel": channel, "created": made["created"].to_numpy(), "bought": bought})
    return found[~(found["bought"] < found["created"])].reset_index(drop=True)


def leads_by_month(steps: pd.DataFrame, ends: list[int]) -> pd.DataFrame:
    """The funnel of leads as each month knew it: index ago, and

    leads (made in the month), converted (first purchase in the month), days (median from lead to purchase of these;
    null without one), ripe (leads made in the month that ended 90 days before) and ripe_converted (those of them who
    bought within 90 days). ``steps``: `lead_steps`; ``ends``: day numbers of the months' ends, newest first.
    """
    created, bought = steps["created"].to_numpy(dtype=float), steps["bought"].to_numpy(dtype=float)
    waited = bought - created
    rows = []
    for end, start in pairwise(ends):
        in_month = (bought > start) & (bought <= end)
        ripe = (created > start - RIPE_DAYS) & (created <= end - RIPE_DAYS)
        rows.append(
            {
                "leads": int(((created > start) & (created <= end)).sum()),
                "converted": int(in_month.sum()),
                "days": float(np.median(waited[in_month])) if in_month.any() else np.nan,
                "ripe": int(ripe.sum()),
                "ripe_converted": int((ripe & (waited <= RIPE_DAYS)).sum()),
            }
        )
    return pd.DataFrame(rows, index=pd.RangeIndex(len(rows), name="ago"), dtype=float)


def newcomers_by_month(history: pd.DataFrame, ends: list[int]) -> pd.DataFrame:
    """New customers as each month knew them: index ago; newcomers (first purchase in the month), ripe (first purchase in
    the month that ended 90 days before) and again (those of them with a second purchase day within 90 days).

    ``history``: first_day, first_gap_days (days to the second purchase day, null without one).
    """
    first, gap = history["first_day"].to_numpy(), history["first_gap_days"].to_numpy(dtype=float)
    rows = []
    for end, start in pairwise(ends):
        ripe = (first > start - RIPE_DAYS) & (first <= end - RIPE_DAYS)
        newcomers = ((first > start) & (first <= end)).sum()
        rows.append((newcomers, ripe.sum(), (ripe & (gap <= RIPE_DAYS)).sum()))
    return pd.DataFrame(
        rows, columns=["newcomers", "ripe", "again"], index=pd.RangeIndex(len(rows), name="ago"), dtype=float
    )


def channels(
    found: pd.DataFrame, costs: pd.DataFrame | None, steps: pd.DataFrame | None, months: list[str]
) -> pd.DataFrame:
    """Acquisition by channel (channels.csv): a row for ``all``, then one per channel, the most newcomers first.

    Of the calendar months named in ``months``: newcomers, cost, cost_per_newcomer (null under 10), leads made, converted
    (of these, those who have bought up to now) and conversion_rate with its 95 % Wilson interval (null under 10 leads).
    Of all cohorts old enough: revenue_90 and revenue_365, net sales per newcomer in the first 91 and 365 days
    (`cohorts.cumulative_value`). payback_months, payback and horizon as of `cohorts.payback`, from the cohorts of every
    month with costs; basis: ``margin``, or ``net_sales`` where no margin is known, which pays back later than it looks.

    ``found``: `cohorts.table`; ``costs``: month, amount, channel, or None; ``steps``: `lead_steps`, or None. A channel
    that costs or leads alone know stands here too; costs without a channel are of the channel ``unknown``.
    """
    parts = [_of(found, _named(costs, "amount"), steps, months, by_channel) for by_channel in (False, True)]
    rest = parts[1].sort_values(["newcomers", "channel"], ascending=[False, True], kind="stable")
    return pd.concat([parts[0], rest], ignore_index=True)[COLUMNS]


def _named(costs: pd.DataFrame | None, column: str) -> pd.DataFrame | None:
    if costs is None or costs.empty:
        return None
    channel = (
        costs["channel"].astype(object).where(costs["channel"].notna(), UNKNOWN) if "channel" in costs else UNKNOWN
    )
    return costs.assign(channel=channel, **{column: costs[column].astype(float)})


def _of(found, costs, steps, months: list[str], by_channel: bool) -> pd.DataFrame:
    """Every column, by channel or for all channels as one."""
    found, costs, steps = (
        None if part is None else part.assign(channel=apart(part["channel"]) if by_channel else ALL)
        for part in (found, costs, steps)
    )
    sums = [
        _newcomers(found, months),
        _costs(costs, months),
        _leads(steps, months),
        _revenue(found),
        _payback(found, costs),
    ]
    table = pd.concat(sums, axis=1).rename_axis("channel").reset_index()
    table["newcomers"] = table["newcomers"].fillna(0).astype(int)
    table["cost_per_newcomer"] = (table["cost"] / table["newcomers"]).where(table["newcomers"] >= SMALL)
    enough = (table["leads"] >= SMALL).to_numpy()
    rate = (table["converted"] / table["leads"]).where(enough)
    low, high = wilson(rate, table["leads"].where(enough, 0))
    return table.assign(conversion_rate=rate, low=low, high=high)


def _newcomers(found: pd.DataFrame, months: list[str]) -> pd.Series:
    first = found[found["month"] == 0]
    return first["customers"].where(first["cohort"].isin(months), 0).groupby(first["channel"]).sum().rename("newcomers")


def _costs(costs: pd.DataFrame | None, months: list[str]) -> pd.Series:
    if costs is None:
        return pd.Series(dtype=float, name="cost")
    return costs[costs["month"].isin(months)].groupby("channel")["amount"].sum().rename("cost")


def _leads(steps: pd.DataFrame | None, months: list[str]) -> pd.DataFrame:
    if steps is None:
        return pd.DataFrame({"leads": pd.Series(dtype=float), "converted": pd.Series(dtype=float)})
    made = pd.to_datetime(steps["created"], unit="D").dt.strftime("%Y-%m")
    asked = steps[made.isin(months)]
    channel = asked["channel"].astype(object).where(asked["channel"].notna(), UNKNOWN)
    return asked["bought"].groupby(channel).agg(leads="size", converted="count")


def _revenue(found: pd.DataFrame) -> pd.DataFrame:
    curves = cohorts.cumulative_value(found, ["channel"])
    wide = curves[curves["month"].isin([QUARTER, YEAR])].pivot(index="channel", columns="month", values="net")
    return wide.reindex(columns=[QUARTER, YEAR]).set_axis(["revenue_90", "revenue_365"], axis=1)


def _payback(found: pd.DataFrame, costs: pd.DataFrame | None) -> pd.DataFrame:
    columns = {"months_to_payback": "payback_months", "payback": "payback", "horizon": "horizon"}
    if costs is None:
        return pd.DataFrame(columns=[*columns.values(), "basis"])
    by_margin = found["margin"].notna().all()
    told = cohorts.payback(found if by_margin else found.assign(margin=found["net"]), costs, ["channel"])
    told = told.set_index("channel")[[*columns]].rename(columns=columns)
    return told.assign(basis="margin" if by_margin else "net_sales")
