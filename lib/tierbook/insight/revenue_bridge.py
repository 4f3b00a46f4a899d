"""Revenue bridge: net sales of a month and of twelve months against a year before, by what became of the customers."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import narwhals as nw
import pandas as pd

from tierbook.accounting import day_number
from tierbook.months import months_before

PERIODS = {"month": 1, "year": 12}
STEPS = ("year_ago", "new", "won_back", "kept_more", "kept_less", "kept_same", "lost", "earlier", "no_customer", "now")
COLUMNS = ["period", "step", "customers", "before", "since", "amount", "after"]


class Span(NamedTuple):
    """The days after ``start`` up to ``end`` and, a year before, those after ``start_then`` up to ``end_then``."""

    start: int
    end: int
    start_then: int
    end_then: int


def span(as_of: dt.date, period: str) -> Span:
    """The days of a period that ends on as_of: ``month`` or ``year`` (twelve months)."""
    months = PERIODS[period]
    return Span(*(day_number(months_before(as_of, back)) for back in (months, 0, 12 + months, 12)))


def moves(days: nw.LazyFrame, as_of: dt.date) -> nw.LazyFrame:
    """Identified customers by what became of them in a year: step_month, step_year; month_now, month_then, year_now,
    year_then (net money of the periods), month_customers, year_customers (those with money in either).

    ``days``: `history.customer_days`; one pass. A customer is

    - ``new``: first purchase after the day a year before as_of;
    - ``won_back``: known then, without a purchase in the twelve months to that day, with one in the twelve since;
    - ``lost``: with a purchase in those twelve months and none since;
    - ``kept``: with a purchase in both; ``kept_more``, ``kept_less``, ``kept_same`` by the period's money in both years;
    - ``earlier``: with a purchase in neither: only refunds and the like.

    The same customers are new, lost or kept in both periods; a month's money is that of the month alone.
    """
    year, day = span(as_of, "year"), nw.col("day")
    bought = nw.when(nw.col("orders") > 0).then(day)
    money = {
        f"{period}_{when}": nw.when(day > start, day <= end).then(nw.col("net"))
        for period in PERIODS
        for when, (start, end) in zip(("now", "then"), _halves(span(as_of, period)), strict=True)
    }
    totals = [expression.sum().alias(name) for name, expression in money.items()]
    own = (
        days.filter(day <= year.end)
        .with_columns(bought.alias("bought"))
        .with_columns(
            nw.when(nw.col("bought") > year.start).then(1).otherwise(0).alias("active"),
            nw.when(nw.col("bought") > year.start_then, nw.col("bought") <= year.end_then)
            .then(1)
            .otherwise(0)
            .alias("active_then"),
        )
        .group_by("customer_id")
        .agg(nw.col("bought").min().alias("first"), nw.col("active", "active_then").max(), *totals)
    )
    steps = [_step(period, year.end_then).alias(f"step_{period}") for period in PERIODS]
    steps += [_has_money(period).alias(f"{period}_customers") for period in PERIODS]
    filled = own.with_columns(*(nw.col(name).fill_null(0) for name in money)).with_columns(*steps)
    counts = [nw.col(f"{period}_customers").sum() for period in PERIODS]
    return filled.group_by("step_month", "step_year").agg(*counts, nw.col(*money).sum())


def _halves(span: Span) -> tuple[tuple[int, int], tuple[int, int]]:
    return (span.start, span.end), (span.start_then, span.end_then)


def _has_money(period: str) -> nw.Expr:
    return nw.when((nw.col(f"{period}_now") != 0) | (nw.col(f"{period}_then") != 0)).then(1).otherwise(0)


def _step(period: str, end_then: int) -> nw.Expr:
    active, active_then = nw.col("active") > 0, nw.col("active_then") > 0
    now, then = nw.col(f"{period}_now"), nw.col(f"{period}_then")
    return _chosen(
        [
            (nw.col("first") > end_then, "new"),
            (active & active_then & (now > then), "kept_more"),
            (active & active_then & (now < then), "kept_less"),
            (active & active_then, "kept_same"),
            (active, "won_back"),
            (active_then, "lost"),
        ],
        "earlier",
    )


def _chosen(cases: list[tuple[nw.Expr, str]], otherwise: str) -> nw.Expr:
    """The word of the first case that holds."""
    found = nw.lit(otherwise)
    for holds, word in reversed(cases):
        found = nw.when(holds).then(nw.lit(word)).otherwise(found)
    return found


def bridge(found: pd.DataFrame, sales: pd.DataFrame, as_of: dt.date, first_day: int) -> pd.DataFrame:
    """Net sales a year ago, what each kind of customer added or took, and net sales now (revenue_bridge.csv).

    Columns: period (month, year), step, customers (with money in the period or a year before it), before and since (their
    net money a year ago and now), amount (since less before; of ``year_ago`` and ``now`` the whole), after (the running
    sum, which reaches ``now``).
    ``no_customer``: buyers without an id. ``found``: `moves`, collected; ``sales``: `profile.daily_sales`;
    ``first_day``: the first day in the data. A period whose year before is not wholly in the data has no rows: of the
    month the month, of the year the twelve months. Who had last bought before the data begin is counted as new.
    """
    tables, found = [], found.sort_values(["step_month", "step_year"])  # sums do not hang on the engine's order
    for period in PERIODS:
        days = span(as_of, period)
        if first_day > days.start_then + 1:
            continue
        sums = found.groupby(f"step_{period}")[[f"{period}_{part}" for part in ("customers", "then", "now")]].sum()
        table = sums.set_axis(["customers", "before", "since"], axis=1).astype(float)
        table.loc["no_customer"] = [float("nan"), *(_sold(sales, *half) for half in reversed(_halves(days)))]
        tables.append(_with_ends(table).assign(period=period))
    # the engine's money has four digits after the point, and so have its sums
    return pd.concat(tables)[COLUMNS].round(4).reset_index(drop=True) if tables else pd.DataFrame(columns=COLUMNS)


def _sold(sales: pd.DataFrame, start: int, end: int) -> float:
    within = (sales["day"] > start) & (sales["day"] <= end) & (sales["reason"] == "no_customer")
    return float(sales.loc[within, "net"].sum())


def _with_ends(table: pd.DataFrame) -> pd.DataFrame:
    """The steps in their order between both totals; a step without money or customers is left out."""
    there = table[(table["before"] != 0) | (table["since"] != 0)]
    total = table[["before", "since"]].sum()
    steps = there.assign(amount=there["since"] - there["before"]).reindex([s for s in STEPS if s in there.index])
    ends = pd.DataFrame({"amount": [total["before"], total["since"]]}, index=["year_ago", "now"])
    whole = pd.concat([ends.loc[["year_ago"]], steps, ends.loc[["now"]]]).rename_axis("step").reset_index()
    return whole.assign(after=whole["amount"].iloc[:-1].cumsum().reindex(whole.index).fillna(total["since"]))
