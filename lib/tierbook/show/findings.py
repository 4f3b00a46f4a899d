"""The month's findings: sentences built from computed values, each with the smaller line that it stands on.

A finding is (message, note, values); `first_screen.finds` says it in each language. Which of two messages is chosen
depends on the numbers, never on the language.
"""

from __future__ import annotations

import datetime as dt

import pandas as pd

from tierbook.insight.forecast_verdict import LOSES
from tierbook.insight.tier_path import judgement
from tierbook.show.words import N_

Finding = tuple[str, str, dict]
FEW_HOLD = 0.01


def of_best_tier(
    now: pd.Series, usual: tuple[float, float], best: str, moved_by_scale: int, margin: float | None = None
) -> Finding | None:
    """How many fell from the best tier, whether that is usual, and the yearly money in it.

    ``now``: this month's row of `tier_path.falls`; ``usual``: `tier_path.usual_falls`; ``margin``: of those who fell,
    `tier_path.margin_of`: without it the money is their net sales.
    """
    if not now["customers"]:
        return None
    values = {"n": now["fallen"], "base": now["customers"], "tier": best, "usual": usual, "scale": moved_by_scale}
    values |= {"money": now["net"], "basis": "net_sales"} if margin is None else {"money": margin, "basis": "margin"}
    note = N_(
        "Of {base:number} customers there a month ago; {basis:term.money_basis} of the twelve months until then. "
        "{scale:number} customers changed tier only because the scale moved."
    )
    told = {
        "above": N_(
            "{n:number} customers fell from tier “{tier:term.tier}”, more than usual ({usual:span}), with {money:money} of yearly {basis:term.money_basis}."
        ),
        "below": N_(
            "{n:number} customers fell from tier “{tier:term.tier}”, fewer than usual ({usual:span}), with {money:money} of yearly {basis:term.money_basis}."
        ),
        "usual": N_(
            "{n:number} customers fell from tier “{tier:term.tier}”, within the usual range ({usual:span}), with {money:money} of yearly {basis:term.money_basis}."
        ),
        "no_history": N_(
            "{n:number} customers fell from tier “{tier:term.tier}”, with {money:money} of yearly {basis:term.money_basis}: history too short to judge."
        ),
        "too_few": N_(
            "{n:number} customers fell from tier “{tier:term.tier}”, with {money:money} of yearly {basis:term.money_basis}: too few to judge."
        ),
    }
    return told[judgement(now["fallen"], now["customers"], *usual)], note, values


def of_newcomers(card: pd.DataFrame) -> Finding | None:
    """New customers against last month and the year before."""
    rows = card.set_index("measure")
    if "new_customers" not in rows.index:
        return None
    row = rows.loc["new_customers"]
    values = {"n": row["value"], "previous": row["previous"], "year_ago": row["year_ago"]}
    if pd.isna(row["previous"]):
        return N_("{n:number} customers bought for the first time this month."), "", values
    if "acquisition_cost" in rows.index:
        values["cost"] = rows.loc["acquisition_cost", "value"]
        note = N_("A year ago {year_ago:number}. Acquisition spending per new customer: {cost:money}.")
    else:
        note = N_("A year ago {year_ago:number}.")
    return (
        N_("{n:number} customers bought for the first time this month, {previous:number} the month before."),
        note,
        values,
    )


def of_value(value: dict, totals: dict, horizon_months: int, margin_known: bool) -> Finding:
    """The expected value of the months ahead and what its test says of it (`forecast_verdict.judge`); or why there is none.

    ``totals``: total, and the shares of the ten most valuable customers (top) and of the best hundredth of all
    (hundredth), which is told where the ten are too few to hold a hundredth of the value.
    """
    if value["note"]:
        note = _tested(value) if value["note"] == LOSES else ("", {})
        return N_("No lifetime value is given: {note:term.value_note}."), note[0], {"note": value["note"], **note[1]}
    values = {"months": horizon_months, "total": totals["total"], "ten": totals["top"], "best": totals["hundredth"]}
    note, tested = _tested(value)
    return _HELD[margin_known, few_hold_little(totals)], note, values | tested


def few_hold_little(totals: dict) -> bool:
    """Whether the ten most valuable customers hold less than a hundredth of the value: of so many nothing is told by ten."""
    return totals["top"] < FEW_HOLD


_HELD = {
    (True, False): N_(
        "Expected margin of the next {months:number} months: {total:money}, of which the ten most valuable customers hold {ten:percent}."
    ),
    (False, False): N_(
        "Expected net sales (not profit) of the next {months:number} months: {total:money}, of which the ten most valuable customers hold {ten:percent}."
    ),
    (True, True): N_(
        "Expected margin of the next {months:number} months: {total:money}, of which the most valuable 1% of customers hold {best:percent}."
    ),
    (False, True): N_(
        "Expected net sales (not profit) of the next {months:number} months: {total:money}, of which the most valuable 1% of customers hold {best:percent}."
    ),
}


def _tested(value: dict) -> tuple[str, dict]:
    """The note that goes with a verdict, and its values."""
    told = {
        LOSES: N_(
            "On the last {days:number} days held out, a simple rule did better for single customers: {rule:term.naive_rule}."
        ),
        "level_with_naive_rule": N_(
            "Read with care: on the last {days:number} days held out it was no better than a simple rule: {rule:term.naive_rule}."
        ),
        "loses_total": N_(
            "Read the total with care: on the last {days:number} days held out, predicted ÷ actual orders {ratio:number.2}; a simple rule came closer: {rule:term.naive_rule}."
        ),
        "better": N_(
            "Tested on the last {days:number} days held out: predicted ÷ actual orders {ratio:number.2}; ahead of every simple rule."
        ),
        "untested": N_("There was too little history to test the model on the past."),
    }
    if value["verdict"] == "untested":
        return told["untested"], {}
    facts = {"days": value["holdout_days"], "rule": value["verdict_rule"], "ratio": value["naive"]["ratio"].iloc[0]}
    return told[value["verdict"]], facts


def of_actions(ledger: pd.DataFrame, since: dt.date) -> list[Finding]:
    """What the campaigns begun since a day have done, and the early warning's calls: one finding each, the latest first.

    ``ledger``: `insight.ledger.ledger`; totals are null where no effect may be read.
    """
    rows = ledger[pd.to_datetime(ledger["assigned_on"]) >= pd.Timestamp(since)].iloc[::-1]
    rows = rows.sort_values("total", key=lambda total: total.isna(), kind="stable")  # what nothing can be said of, last
    return [_of_action(row._asdict()) for row in rows.itertuples()]


def _of_action(row: dict) -> Finding:
    row = row | {"tiers": str(row["tiers"]).split(", ") if pd.notna(row["tiers"]) else []}
    told = (
        N_("“{campaign:term.campaign}”: {verdict:term.verdict} (tier {tiers:list.tier}).")
        if row["tiers"]
        else N_("“{campaign:term.campaign}”: {verdict:term.verdict}.")
    )
    if pd.isna(row["total"]):
        note = N_("Treated {n_treated:number}, held out {n_control:number}: no effect is credited to it.")
    else:
        note = N_(
            "All {n_treated:number} treated customers together: {unit:term.outcome} {total:+money.0} (95 % interval {span:span.money.0}), against {n_control:number} held out."
        )
    return told, note, row | {"span": (row["total_low"], row["total_high"])}


def of_alerts(warned: pd.DataFrame, listed: pd.DataFrame, past: pd.DataFrame, margin_known: bool) -> Finding | None:
    """The regular customers warned of, what is at stake, who is on the list, and how the warning fared.

    ``warned``: customers and value_at_stake of those flagged, in any groups; ``listed``: alerts.csv; ``past``:
    alert_backtest.csv, empty where the history is too short for one.
    """
    if warned.empty:
        return None
    held_out = int(listed["held_out"].sum())
    values = {"n": warned["customers"].sum(), "stake": warned["value_at_stake"].sum()}
    values |= {"called": len(listed) - held_out, "held": held_out}
    message = (
        N_(
            "{n:number} regular customers are at risk of half a year of silence; they brought {stake:money} of margin in twelve months."
        )
        if margin_known
        else N_(
            "{n:number} regular customers are at risk of half a year of silence; they brought {stake:money} of net sales in twelve months."
        )
    )
    ours = past[past["rule"] == "ours"].dropna(subset=["precision"])
    if ours.empty:
        return (
            message,
            N_(
                "{called:number} are on the call list, {held:number} are held out to show next month whether calling helped."
            ),
            values,
        )
    values |= {"silent": ours["precision"].iloc[0], "base": ours["base_rate"].iloc[0]}
    return (
        message,
        N_(
            "{called:number} are on the call list, {held:number} are held out to show next month whether calling helped. Of those the rule would have named half a year ago {silent:percent} stayed silent, of all regular customers {base:percent}."
        ),
        values,
    )
