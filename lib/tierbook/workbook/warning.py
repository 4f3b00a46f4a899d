"""Early warning of a month: the learned rule, who is flagged, the call list, and the rule's own past."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pandas as pd

from tierbook import history, lookup
from tierbook.accounting import day_number
from tierbook.insight import alert_backtest, alert_list
from tierbook.insight.actions import PEOPLE, with_people
from tierbook.scores import alerts, lifecycle
from tierbook.scores.likelihood import ValueNotEstimable
from tierbook.scores.maps import OUTSIDE
from tierbook.scores.risk import HORIZON_DAYS, MIN_DAYS, RiskRule, fit_risk, forecast_alone, stayed_silent

if TYPE_CHECKING:
    from tierbook.scores.purchases import BetaGeoNBD
    from tierbook.workbook import Workbook
    from tierbook.workbook.customers import Customers

LESSONS = 2
"""Earlier half-years that the rule may learn from."""


LEARNED_FROM = ["first_day", "repeats", "t_x", "T", "recency_days", "window_active_days", "own_gap_days"]
"""The columns of the candidates' histories that the rule is learned from and applied to."""


def learned(month: Workbook, date: dt.date) -> dict[str, Any]:
    """``rule``: what can be learned from everything known at a date, None where nothing can; ``note``: the code of why."""
    if month.degraded("min_customers"):
        return {"rule": None, "note": "too_few_customers"}
    bought = month.distinct_histories(["repeats", "t_x", "T"], date)
    if bought.empty:
        return {"rule": None, "note": "history_too_short"}
    cadence = lifecycle.fit_cadence(month.distinct_histories(["first_gap_days", "own_gap_days"], date), None)
    cuts = [date - dt.timedelta(days=k * HORIZON_DAYS) for k in range(LESSONS + 1)]
    candidates = [_candidates(month, cut, later) for later, cut in pairwise([None, *cuts])]
    try:
        return {"rule": asdict(fit_risk(candidates, forecast_alone(bought, cadence))), "note": None}
    except ValueNotEstimable as refusal:
        return {"rule": None, "note": refusal.reason_code}


def _candidates(month: Workbook, date: dt.date, later: dt.date | None) -> pd.DataFrame:
    """The distinct histories of the candidates at a date, and where there is a ``later`` one what they bought until then."""
    columns = [*LEARNED_FROM, "since"] if later else LEARNED_FROM
    return month.distinct_histories(columns, date, later, only=nw.col("window_active_days") >= MIN_DAYS)


def rule_at(month: Workbook, date: dt.date) -> RiskRule | None:
    """The rule learned on everything known at a date; None where there is none."""
    kept = month.risk_rule_at(date)["rule"]
    return None if kept is None else RiskRule(**{**kept, "cadence": lifecycle.Cadence(**kept["cadence"])})


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


def flag_rule(month: Workbook) -> FlagRule:
    """Who is flagged this month."""
    return FlagRule(rule_at(month, month.as_of), month.cadence(), month.margin_rate)


def call_list(month: Workbook) -> dict[str, pd.DataFrame]:
    """``alerts`` (alerts.csv) and ``left_out``: flagged customers who are not on it, by reason."""
    flagged = pd.concat(month.by_part(_flagged), ignore_index=True)
    known = flagged.assign(first_flagged=_first_flagged(month, flagged["customer_id"]).to_numpy())
    people = with_people(known, month.table("customers", PEOPLE))
    return alert_list.listed(
        people, month.table("contacts", alert_list.CONTACTS), month.params.alerts, month.end, _salt(month)
    )._asdict()


def _flagged(part: Customers) -> pd.DataFrame:
    """The flagged customers with what the call list tells of them."""
    warned = part.flags().assign(
        recency_days=part.history(columns=["recency_days"])["recency_days"],
        tier=part.scores(["tier"])["tier"].fillna(OUTSIDE),
        p_alive=part.forecast(["p_alive"])["p_alive"],
    )
    flagged = warned[warned["alert"]]
    return flagged.assign(previous_tier=tier_at(part, flagged["customer_id"], part.whole.dates[1]))


def flags_last_month(part: Customers) -> pd.DataFrame:
    """Who was flagged a month ago, by the rule of then: `FlagRule`'s columns, tier, previous_tier, recency_days, and
    first_flagged: that day for who was not flagged the month before, else that month's (day numbers)."""
    month = part.whole
    date, before = month.dates[1], month.dates[2]
    rule = rule_at(month, date)
    flagging = FlagRule(rule, month.cadence() if rule is None else rule.cadence, month.margin_rate)
    flags, earlier = (
        part.applied_to_history(f"flags-{then}-by-{date}", then, flagging.apply, KINDS) for then in (date, before)
    )
    known = lookup.of(flags["customer_id"], earlier["customer_id"], earlier["alert"]).eq(True)
    return flags.assign(
        tier=tier_at(part, flags["customer_id"], date),
        previous_tier=tier_at(part, flags["customer_id"], before),
        recency_days=part.history(date, ["recency_days"])["recency_days"],
        first_flagged=known.map({True: day_number(before), False: day_number(date)}),
    )


def tier_at(part: Customers, customer_ids: pd.Series, date: dt.date) -> pd.Series:
    """The tier that customers had at one of ``month.dates``, on the index given; null for who had not bought by then."""
    then, known = part.tiers_on(date, ["customer_id", "tier"]), part.history(date, ["customer_id"])["customer_id"]
    tier = lookup.of(customer_ids, then["customer_id"], then["tier"].astype(object)).fillna(OUTSIDE)
    return tier.where(lookup.places(customer_ids, known) >= 0, None)


def listed_last_month(month: Workbook) -> pd.DataFrame:
    """The call list (alerts.csv) as of a month ago, by the rule and the contacts of then; p_alive is not known of then."""
    date = month.dates[1]
    flags = pd.concat(month.by_part(_flagged_last_month))
    contacts = month.table("contacts", alert_list.CONTACTS)
    if contacts is not None:
        contacts = contacts[pd.to_datetime(contacts["assigned_at"]) < pd.Timestamp(date) + pd.Timedelta(days=1)]
    people = with_people(flags.assign(p_alive=float("nan")), month.table("customers", PEOPLE))
    return alert_list.listed(people, contacts, month.params.alerts, day_number(date), _salt(month)).alerts


def _flagged_last_month(part: Customers) -> pd.DataFrame:
    then = part.flags_last_month()
    return then[then["alert"]]


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
    rule, note = rule_at(month, cut), month.risk_rule_at(cut)["note"]
    empty = {"backtest": pd.DataFrame(columns=alert_backtest.COLUMNS), "simple": None, "better": None}
    if rule is None:
        return {**empty, "note": note, "cut": str(cut)}
    told = month.alert_scores()
    scores, silent = told.drop(columns="silent"), told["silent"]
    table = alert_backtest.backtest(scores, silent)
    simple = alert_backtest.best_simple(table)
    ours = alert_backtest.OURS
    better = simple and alert_backtest.paired(scores[ours], scores[simple], silent, month.params.seed)._asdict()
    return {"backtest": table, "simple": simple, "better": better, "note": None, "cut": str(cut)}


def scores_then(month: Workbook) -> pd.DataFrame:
    """What each rule said of the candidates half a year ago (`alert_backtest.rule_scores`), and who has been ``silent`` since;
    a row each, in the order of ids, none where no rule could be learned."""
    cut = month.as_of - dt.timedelta(days=HORIZON_DAYS)
    rule = rule_at(month, cut)
    if rule is None:
        return pd.DataFrame(columns=[*alert_backtest.RULES, "silent"])
    known, half = month.kept_history(cut), _kept_halves(month, cut)
    with month.tables.engine() as engine:
        then, halved = (month.tables.scan_step(engine, step) for step in (known, half))
        model = alert_backtest.window_model(engine.collect(alert_backtest.window_purchases(then, halved)))
    return pd.concat(month.by_part(partial(_told_then, cut, half, rule, model)), ignore_index=True)


def _kept_halves(month: Workbook, cut: dt.date) -> str:
    """The step that holds `alert_backtest.halves` of the window before a date."""
    step, window = f"halves-{cut}", month.params.rfm.window_days
    month.tables.keep(step, lambda _, days: alert_backtest.halves(days, cut, window), "days", order=["customer_id"])
    return step


def _told_then(cut: dt.date, half: str, rule: RiskRule, model: BetaGeoNBD | None, part: Customers) -> pd.DataFrame:
    """What each rule said of the candidates at the cut (`alert_backtest.rule_scores`), and who has been ``silent`` since."""
    then = part.history(cut, ["customer_id", "active_days", "last_day", *LEARNED_FROM])
    scores = alert_backtest.rule_scores(then, part.read(half), rule, model)
    silent = stayed_silent(then, part.history(columns=["customer_id", "active_days"]))
    return scores.assign(silent=silent[scores.index])
