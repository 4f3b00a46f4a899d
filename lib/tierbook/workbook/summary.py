"""The month as a whole: its measures month by month, the bridge, channels and budget, and the book of all customers."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook import book, lookup
from tierbook.accounting import day_number
from tierbook.insight import (
    acquisition,
    actions,
    budget,
    buying,
    profile,
    retention,
    revenue_bridge,
    scorecard,
    tier_changes,
)
from tierbook.insight.movement import NEW
from tierbook.scores.maps import OUTSIDE

if TYPE_CHECKING:
    from tierbook.workbook import Workbook
    from tierbook.workbook.customers import Customers

MONTHS = 13
"""Months told: this one and the twelve before."""


def measures_by_month(month: Workbook) -> pd.DataFrame:
    """The scorecard's measures of this month and the twelve before, as far as the history reaches."""
    found, first = scorecard.measures(_facts(month)), month.first_day
    known = [k for k in range(MONTHS) if k == 0 or day_number(month.dates[k + 1]) >= first]
    return found[found["months_ago"].isin(known)].reset_index(drop=True)


def _facts(month: Workbook) -> scorecard.Facts:
    ends = [day_number(date) for date in month.dates]
    surveys, leads, costs = (month.table(name) for name in ("surveys", "leads", "costs"))
    steps = None if leads is None else acquisition.lead_steps(leads, month.first_days)
    return scorecard.Facts(
        sales=_sales(month),
        newcomers=acquisition.newcomers_by_month(month.history(columns=["first_day", "first_gap_days"]), ends),
        base=_base(month),
        changes=tier_changes.by_month(month.past_moves(), ends, month.tier_scheme.order),
        warning=_warning(month),
        spent=None if costs is None else _spent(month, costs),
        leads=None if steps is None else acquisition.leads_by_month(steps, ends),
        voice=None if surveys is None else scorecard.voice_by_month(surveys, ends),
        margin=month.params.margin,
        **_of_orders(month, ends[:MONTHS]),
    )


def _base(month: Workbook) -> pd.DataFrame:
    """Customers of the window and of the best tier at each month's end (`buying.base`)."""
    return buying.together(month.by_part(_base_of))


def _base_of(part: Customers) -> pd.DataFrame:
    best, dates = part.whole.tier_scheme.order[0], part.whole.dates[:MONTHS]
    columns = ["end", "customer_id", "window_active_days", "window_orders", "window_net", "window_cost"]
    tiers = ["end", "customer_id", "tier"]
    rows = [
        buying.base(part.window(date, columns=columns), part.tiers_on(date, tiers), [day_number(date)], best)
        for date in dates
    ]
    return pd.concat(rows, ignore_index=True).rename_axis("ago")


def _of_orders(month: Workbook, ends: list[int]) -> dict[str, pd.DataFrame]:
    """What takes a pass over the orders: trade, retention, breadth."""
    every = MONTHS - 1 + 2 * retention.YEAR
    calendar, known = retention.calendar(month.as_of, every), month.kept_history()
    window = month.params.rfm.window_days
    with month.tables.engine() as engine:
        days, lines = (engine.scan(month.tables.folder / f"{name}.parquet") for name in ("days", "transactions"))
        asked = engine.frame(calendar[calendar["ago"] < MONTHS])
        firsts = month.tables.scan_step(engine, known).select("customer_id", "first_day")
        traded = engine.collect(buying.trade(days, asked, firsts)).set_index("ago").astype(float)
        bought = engine.collect(retention.patterns(days, engine.frame(calendar)))
        broad = engine.collect(buying.breadth(lines, ends, window))
    counts = ["buyers", "orders", "net", "first_net"]
    return {
        "trade": traded.reindex(range(MONTHS)).fillna(dict.fromkeys(counts, 0.0)),
        "retention": retention.by_month(bought, month.first_day, month.as_of, MONTHS),
        "breadth": buying.breadth_by_month(broad, MONTHS),
    }


def _sales(month: Workbook) -> pd.DataFrame:
    sales = month.sales()["sales"]
    rows = [profile.sales_between(sales, month.dates[k + 1], month.dates[k]) for k in range(MONTHS)]
    return pd.DataFrame(rows, index=pd.RangeIndex(MONTHS, name="ago"))


def _spent(month: Workbook, costs: pd.DataFrame) -> pd.Series:
    """The month's costs; those of the calendar month in which a month of the report ends."""
    by_month = costs["amount"].astype(float).groupby(costs["month"]).sum()
    labels = _labels(month.dates[:MONTHS])
    return by_month.reindex(labels).fillna(0.0).set_axis(pd.RangeIndex(MONTHS, name="ago"))


def _labels(dates: list[dt.date]) -> list[str]:
    return [f"{date:%Y-%m}" for date in dates]


_WARNED = ["flagged", "value_at_stake"] + [
    f"{who}_{what}" for who in ("flagged", "listed", "held_out") for what in ("before", "bought")
]


def _warning(month: Workbook) -> pd.DataFrame:
    """The early warning now and a month ago, by the rule of each date; what became of who was flagged a month ago."""
    table = pd.DataFrame(np.nan, index=pd.RangeIndex(MONTHS, name="ago"), columns=_WARNED)
    sums = pd.DataFrame(month.by_part(_warned)).sum()
    for ago, which in enumerate(("now", "then")):
        if sums[f"judged_{which}"]:
            table.loc[ago, ["flagged", "value_at_stake"]] = [sums[f"flagged_{which}"], sums[f"at_stake_{which}"]]
    table.loc[1, "value_at_stake"] *= _margin_then_over_now(month)
    table.loc[0, ["flagged_before", "flagged_bought"]] = [sums["flagged_then"], sums["bought"]]
    for called in month.loop()["called"].itertuples():
        outcome = [called.n_treated, called.buyers_listed, called.n_control, called.buyers_held_out]
        table.loc[0, ["listed_before", "listed_bought", "held_out_before", "held_out_bought"]] = outcome
    return table


def _warned(part: Customers) -> dict[str, float]:
    """Customers whom the rule could judge and whom it flags with what is at stake, now and a month ago; of those flagged
    then, how many have bought since."""
    columns, sums = ["customer_id", "risk", "alert", "value_at_stake"], {}
    found, then = part.history(columns=["customer_id", "last_day"]), part.flags_last_month(columns)
    for which, flags in (("now", part.flags(columns)), ("then", then)):
        sums[f"judged_{which}"] = int(flags["risk"].notna().sum())
        sums[f"flagged_{which}"] = int(flags["alert"].sum())
        sums[f"at_stake_{which}"] = float(flags["value_at_stake"].sum())
    last_day = lookup.of(then.loc[then["alert"], "customer_id"], found["customer_id"], found["last_day"])
    return {**sums, "bought": int((last_day > day_number(part.whole.dates[1])).sum())}


def _margin_then_over_now(month: Workbook) -> float:
    """What brings money at this month's margin to last month's; null where only one of them is known."""
    if month.params.margin is not None:
        return 1.0
    now, then = month.margin_rate, profile.margin_rate(month.totals(month.dates[1]))
    if now is None and then is None:
        return 1.0
    return then / now if now and then is not None else np.nan


def bridge(month: Workbook) -> pd.DataFrame:
    """Net sales against a year before, by what became of the customers (`insight.revenue_bridge`)."""
    found = month.tables.collect(lambda _, days: revenue_bridge.moves(days, month.as_of), "days")
    sales = month.sales()["sales"]
    return revenue_bridge.bridge(found, sales, month.as_of, int(sales["day"].min()))


def channels(month: Workbook) -> pd.DataFrame:
    """Acquisition by channel over the twelve months to as_of (`insight.acquisition.channels`)."""
    leads = month.table("leads")
    steps = None if leads is None else acquisition.lead_steps(leads, month.first_days)
    return acquisition.channels(month.cohorts(), month.table("costs"), steps, _labels(month.dates[:12]))


def budget_by_tier(month: Workbook) -> pd.DataFrame:
    """Budget share beside profit share over the twelve months to as_of (`insight.budget`); empty without contacts in them."""
    contacts = month.table("contacts", ["customer_id", "contacted_at", "cost"])
    if contacts is None:
        return pd.DataFrame(columns=budget.COLUMNS)
    ends = [day_number(date) for date in month.dates[:MONTHS]]
    first = month.history(columns=["customer_id", "first_day"])
    firsts = first[["customer_id"]].assign(first_ago=budget.months_ago(first["first_day"], ends))
    cost = contacts["cost"].astype(float)
    known = contacts.assign(cost=cost.mask(cost < 0).fillna(month.params.campaign.contact_cost))

    def began(ago: int) -> pd.DataFrame:
        return month.tiers_on(month.dates[ago + 1], ["customer_id", "tier"])

    spent = budget.contacted(known, ends, began, firsts)
    if spent.empty:
        return pd.DataFrame(columns=budget.COLUMNS)
    return budget.budget(_brought(month, ends), spent, _people(month, firsts["first_ago"]), month.params.margin)


def _brought(month: Workbook, ends: list[int]) -> pd.DataFrame:
    """`budget.brought` of the twelve months, from the kept tiers at the beginning of each."""
    calendar = retention.calendar(month.as_of, MONTHS - 1)[["day", "ago"]]
    history, began = month.kept_history(), [month.tiers_step(date) for date in month.dates[1:MONTHS]]
    with month.tables.engine() as engine:
        days = engine.scan(month.tables.folder / "days.parquet")
        firsts = budget.first_months(month.tables.scan_step(engine, history), ends)
        tiers = [month.tables.scan_step(engine, step).select("customer_id", "tier") for step in began]
        dated = nw.concat([found.with_columns(nw.lit(ago).alias("ago")) for ago, found in enumerate(tiers)])
        return engine.collect(budget.brought(days, engine.frame(calendar), dated, firsts))


def _people(month: Workbook, first_ago: pd.Series) -> pd.Series:
    """Mean number of customers by tier at the months' beginnings, and of newcomers in a month."""
    months = MONTHS - 1
    placed = month.tier_sizes().iloc[-MONTHS:-1].sum()
    known = sum(int((first_ago > ago).sum()) for ago in range(months))
    counts = {tier: int(placed.get(tier, 0)) for tier in month.tier_scheme.order}
    counts |= {OUTSIDE: known - sum(counts.values()), NEW: int((first_ago < months).sum())}
    return pd.Series(counts, dtype=float) / months


def assemble(part: Customers) -> pd.DataFrame:
    """The book: every score of each customer beside its reason."""
    month, found, scored = part.whole, part.history(), part.scores()
    last = month.dates[1]
    before = month.scale.apply(part.measures(last)).set_axis(part.history(last, ["customer_id"])["customer_id"])
    columns = [
        found.drop(columns="recency_days"),
        scored.drop(columns=["customer_id", "recency_days"]),
        found["recency_days"],
        book.trend(found),
        book.changes(scored, before, part.moved()),
        book.gaps(part.next_tier(), month.params.currency).set_axis(found.index),
        part.forecast().drop(columns="customer_id"),
        part.flags(["alert", "alert_reason", "value_at_stake"]),
    ]
    people = actions.with_people(pd.concat(columns, axis=1), part.table("customers", actions.PEOPLE))
    planned = part.planned(["customer_id", "action", "held_out"])
    chosen = planned[~planned["held_out"]]
    action = lookup.of(people["customer_id"], chosen["customer_id"], chosen["action"])
    thirds = month.value_thirds
    return book.assemble(people.assign(action=action, value_tier=book.value_tier(people["clv"], thirds)))
