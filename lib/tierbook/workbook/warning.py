"""Early warning of a month: the learned rule, who is flagged, the call list, and the rule's own past."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from tierbook import history, lookup
from tierbook.accounting import day_number
from tierbook.insight import alert_backtest, alert_list
from tierbook.insight.actions import with_people
from tierbook.scores import alerts, lifecycle
from tierbook.scores.likelihood import ValueNotEstimable
from tierbook.scores.maps import OUTSIDE
from tierbook.scores.risk import HORIZON_DAYS, RiskRule, fit_risk, stayed_silent

if TYPE_CHECKING:
    from tierbook.workbook import Workbook

LESSONS = 2
"""Earlier half-years that the rule may learn from."""


def rule_at(month: Workbook, date: dt.date) -> tuple[RiskRule | None, str | None]:
    """The rule learned on everything known at a date; or None and the code of why there is none."""
    histories = [month.history(date - dt.timedelta(days=k * HORIZON_DAYS)) for k in range(LESSONS + 1)]
    if histories[0].empty:
        return None, "history_too_short"
    try:
        return fit_risk(histories), None
    except ValueNotEstimable as refusal:
        return None, refusal.reason_code


def warned(month: Workbook) -> dict[str, Any]:
    """``customers`` (customer_id, risk, own_gap_days and the columns of `scores.alerts`), ``rule`` and ``note``."""
    rule, note = (None, "too_few_customers") if month.degraded("min_customers") else rule_at(month, month.as_of)
    customers = _flagged(month, month.as_of, FlagRule(rule, month.cadence(), month.margin_rate), month.as_of)
    return {"customers": customers, "rule": rule and asdict(rule), "note": note}


KINDS = {"customer_id": "str", "risk": "float64", "own_gap_days": "float64", "alert": "bool"} | {
    "alert_reason": "str", "alert_reasons": "str", "value_at_stake": "float64"
}  # fmt: skip


@dataclass(frozen=True)
class FlagRule:
    """Who is flagged, by a learned risk, the cadence and the margin rate of a date; without a risk nobody is."""

    risk: RiskRule | None
    cadence: lifecycle.Cadence
    margin_rate: float | None

    def apply(self, found: pd.DataFrame) -> pd.DataFrame:
        """``KINDS`` of any customers of a history."""
        risk = pd.Series(float("nan"), index=found.index) if self.risk is None else self.risk.apply(found)
        own_gap = lifecycle.own_gap(found, self.cadence)
        flags = alerts.alerts(found, risk, self.risk and self.risk.threshold, own_gap, self.margin_rate)
        return pd.concat([found[["customer_id"]], risk.rename("risk"), own_gap.rename("own_gap_days"), flags], axis=1)


def _flagged(month: Workbook, date: dt.date, rule: FlagRule, learned: dt.date) -> pd.DataFrame:
    """The customers of a date under the rule learned at another."""
    return month.applied_to_history(f"flagged-{date}-by-{learned}", date, rule.apply, KINDS)


def call_list(month: Workbook) -> dict[str, pd.DataFrame]:
    """``alerts`` (alerts.csv) and ``left_out``: flagged customers who are not on it, by reason."""
    warned = month.warned()["customers"].assign(
        recency_days=month.history()["recency_days"],
        tier=month.scores()["tier"].fillna(OUTSIDE),
        previous_tier=tier_at(month, month.history()["customer_id"], month.dates[1]),
        p_alive=month.value()["customers"]["p_alive"].to_numpy(),
    )
    flagged = warned[warned["alert"]]
    known = flagged.assign(first_flagged=_first_flagged(month, flagged["customer_id"]).to_numpy())
    people = with_people(known, month.table("customers"))
    return alert_list.listed(people, month.table("contacts"), month.params.alerts, month.end, _salt(month))._asdict()


def flags_last_month(month: Workbook) -> pd.DataFrame:
    """Who was flagged a month ago, by the rule of then: ``warned``'s columns, tier, previous_tier, recency_days, and
    first_flagged: that day for who was not flagged the month before, else that month's (day numbers)."""
    date, before = month.dates[1], month.dates[2]
    rule, _ = (None, "") if month.degraded("min_customers") else rule_at(month, date)
    cadence = month.cadence() if rule is None else rule.cadence
    flagging = FlagRule(rule, cadence, month.margin_rate)
    flags, earlier = (_flagged(month, then, flagging, date) for then in (date, before))
    known = flags["customer_id"].isin(earlier.loc[earlier["alert"], "customer_id"])
    return flags.assign(
        tier=tier_at(month, flags["customer_id"], date),
        previous_tier=tier_at(month, flags["customer_id"], before),
        recency_days=month.history(date)["recency_days"],
        first_flagged=known.map({True: day_number(before), False: day_number(date)}),
    )


def tier_at(month: Workbook, customer_ids: pd.Series, date: dt.date) -> pd.Series:
    """The tier that customers had at one of ``month.dates``, on the index given; null for who had not bought by then."""
    then = month.tiers_on(date)
    tier = lookup.of(customer_ids, then["customer_id"], then["tier"].astype(object)).fillna(OUTSIDE)
    return tier.where(lookup.places(customer_ids, month.history(date)["customer_id"]) >= 0, None)


def listed_last_month(month: Workbook) -> pd.DataFrame:
    """The call list (alerts.csv) as of a month ago, by the rule and the contacts of then; p_alive is not known of then."""
    date, flags = month.dates[1], month.flags_last_month().assign(p_alive=float("nan"))
    contacts = month.table("contacts")
    if contacts is not None:
        contacts = contacts[pd.to_datetime(contacts["assigned_at"]) < pd.Timestamp(date) + pd.Timedelta(days=1)]
    people = with_people(flags[flags["alert"]], month.table("customers"))
    return alert_list.listed(people, contacts, month.params.alerts, day_number(date), _salt(month)).alerts


def held_out(month: Workbook, customer_ids: pd.Series) -> pd.Series:
    """Whether each customer, once flagged, is in the hold-out, and so to be left alone by every action."""
    return alert_list.in_holdout(customer_ids, _salt(month), month.params.alerts.holdout)


def _salt(month: Workbook) -> str:
    return f"{month.params.report.name}|alerts|{month.params.seed}"


def _first_flagged(month: Workbook, customer_ids: pd.Series) -> pd.Series:
    """Since which month's end this month's rule has flagged each of these customers without a break (a day number)."""
    rule = month.risk_rule
    if rule is None or customer_ids.empty:
        return pd.Series(pd.NA, index=customer_ids, dtype="Int64")
    flags = [pd.DataFrame({"customer_id": customer_ids, "end": month.end, "flagged": True})]
    for date, then in _histories_of(month, customer_ids).items():
        flagged = (rule.apply(then) >= rule.threshold).to_numpy()
        flags.append(pd.DataFrame({"customer_id": then["customer_id"], "end": day_number(date), "flagged": flagged}))
    return alert_list.first_flagged(pd.concat(flags, ignore_index=True)).reindex(customer_ids)


def _histories_of(month: Workbook, customer_ids: pd.Series) -> dict[dt.date, pd.DataFrame]:
    """The histories of some customers at the twelve months' ends before as_of; their days are read once."""
    window = month.params.rfm.window_days
    with month.tables.engine() as engine:
        days = engine.scan(month.tables.folder / "days.parquet")
        asked = engine.frame(pd.DataFrame({"customer_id": customer_ids}))
        own = engine.frame(engine.collect(days.join(asked, on="customer_id", how="inner")))
        return {date: engine.collect(history.history(own, date, window)) for date in month.dates[1:13]}


def past(month: Workbook) -> dict[str, Any]:
    """The rule as it was learned half a year ago against what happened since: ``backtest`` (alert_backtest.csv),
    ``simple`` (the best simple rule), ``better``: low and high of precision above that rule's, ``note``, ``cut``."""
    cut = month.as_of - dt.timedelta(days=HORIZON_DAYS)
    then, (rule, note) = month.history(cut), rule_at(month, cut)
    empty = {"backtest": pd.DataFrame(columns=alert_backtest.COLUMNS), "simple": None, "better": None}
    if rule is None or month.degraded("min_customers"):
        return {**empty, "note": note or "too_few_customers", "cut": str(cut)}
    window = month.params.rfm.window_days
    half = month.tables.collect(lambda _, days: alert_backtest.halves(days, cut, window), "days")
    scores, silent = alert_backtest.rule_scores(then, half, rule), stayed_silent(then, month.history())
    table = alert_backtest.backtest(scores, silent)
    simple = alert_backtest.best_simple(table)
    ours = alert_backtest.OURS
    better = simple and alert_backtest.paired(scores[ours], scores[simple], silent, month.params.seed)._asdict()
    return {"backtest": table, "simple": simple, "better": better, "note": None, "cut": str(cut)}
