"""The workbook of one month: its steps, computed once from the tables and the params, each a plain library call."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd

from tierbook import book, history, masking
from tierbook.errors import GateRefused
from tierbook.insight import groups, overrides, profile, scorecard, tier_path
from tierbook.params import Params
from tierbook.scores import drift, lifecycle, maps, rfm
from tierbook.scores.risk import RiskRule
from tierbook.workbook import (
    campaigns,
    counted,
    crm,
    drawn_movement,
    drawn_value,
    loop,
    needs,
    other_rules,
    people,
    quality,
    reading,
    review,
    summary,
    tallies,
    tiers,
    value,
    voice,
    warning,
)
from tierbook.workbook.customers import Columns
from tierbook.workbook.memory import Memory
from tierbook.workbook.parts import Parted
from tierbook.workbook.rules import Rules


class Workbook(Rules, Parted):
    """One month of one report; as `Customers` all of them, worked through in parts.

    Every step is computed on first use and kept under ``outputs/.work``; calling it again, here or in another
    notebook, reads what was kept. Nothing here writes a report.
    """

    def __init__(self, params: Params, outputs: Path | None = None):
        super().__init__(params, outputs)
        self._memory = Memory()
        self.whole = self

    def _step(self, name: str, compute) -> Any:
        return self._memory.get(name, lambda: self.tables.cache.step(name, compute))

    def keep(self, name: str, compute: Callable[[], Any]) -> None:
        """Compute a step where it is not kept yet; what was kept is not read."""
        self.tables.cache.keep(name, compute)

    def accounting(self) -> pd.DataFrame:
        """Every row accounted for: table, reason, rows, amount, example."""
        return self.tables.accounting()

    def excluded(self) -> pd.DataFrame:
        """What the params' ``exclude`` took out: column, value, rows, amount, customers."""
        return self._step("excluded", lambda: reading.excluded(self))

    def table(self, name: str, columns: Columns = None) -> pd.DataFrame | None:
        """The counted rows of an optional table, some of its columns (default: all); None where it was not given."""
        return self.tables.table(name, columns)

    # --- history and profile ------------------------------------------------------------------------------------

    def history(self, as_of: dt.date | None = None, columns: Columns = None) -> pd.DataFrame:
        """As of `Customers`; refused in words where nobody has an order up to as_of."""
        found = super().history(as_of, columns)
        self.require_anybody(len(found), as_of)
        return found

    def require_anybody(self, customers: int, date: dt.date | None = None) -> None:
        """Refuse, in words, where nobody has an order up to as_of; at other dates there may be nobody yet."""
        if not customers and (date or self.as_of) == self.as_of:
            raise GateRefused(self._nothing_left())

    @cached_property
    def size(self) -> int:
        """How many customers have an order up to as_of."""
        return self.tables.cache.rows(self.kept_history())

    @cached_property
    def first_day(self) -> int:
        """Day number of the first purchase of all."""
        return int(self.totals()["first_day"])

    def totals(self, date: dt.date | None = None) -> pd.Series:
        """`insight.profile.totals` of the customers at a date (default: the report's as_of)."""
        found = self._step(f"totals-{date or self.as_of}", lambda: quality.totals(self, date)).iloc[0]
        self.require_anybody(found["customers"], date)
        return found

    def distinct_histories(
        self,
        columns: list[str],
        date: dt.date | None = None,
        until: dt.date | None = None,
        only: nw.Expr | None = None,
    ) -> pd.DataFrame:
        """The distinct rows of some columns of the history at a date, in rising order, with ``customers``: how many share each.

        ``until`` gives a column ``since`` to ask for: purchase days after the date, up to and including that one.
        ``only``: which customers of the history count; without it all.
        """
        then, now = self.kept_history(date), self.kept_history(until or date)
        self.require_anybody(self.tables.cache.rows(then), date)
        with self.tables.engine() as engine:
            found = self.tables.scan_step(engine, then)
            found = found if only is None else found.filter(only)
            if until:
                found = history.followed(found, self.tables.scan_step(engine, now))
            return engine.collect(history.distinct(found, columns)).sort_values(columns, ignore_index=True)

    def _nothing_left(self) -> str:
        rows = self.accounting().query("table == 'transactions'").sort_values("rows", ascending=False)
        examples = rows["example"].map("(e.g. {!r})".format, na_action="ignore").astype(object).fillna("")
        told = ", ".join((rows["reason"] + " " + rows["rows"].map("{:,} ".format) + examples).str.strip())
        return f"no customer with an order up to {self.as_of} is left: of the rows read, {told or 'none'}; check as_of and source"

    def sales(self) -> dict[str, pd.DataFrame]:
        """Net sales per day (``sales``: day, reason, net, refunds, lines, free_lines) and orders per day (``orders``)."""
        return self._step("sales", self._sales)

    def _sales(self) -> dict[str, pd.DataFrame]:
        sales = self.tables.collect(lambda _, lines: profile.daily_sales(lines), "transactions")
        orders = self.tables.collect(lambda _, days: profile.daily_orders(days), "days")
        return {
            "sales": sales.sort_values(["day", "reason"], ignore_index=True),
            "orders": orders.sort_values("day", ignore_index=True),
        }

    def months(self) -> pd.DataFrame:
        """Net sales, identified share, refunds and orders by calendar month."""
        return profile.monthly(self.sales()["sales"], self.sales()["orders"])

    def missing(self) -> pd.DataFrame:
        """Cells without a value in the tables given: table, column, rows, missing, missing_share; columns wholly empty too."""
        return self._step("missing", lambda: quality.empty(self))

    def missing_by_day(self) -> pd.DataFrame:
        """Empty cells of the order lines that count, by day and column."""
        return self._step("missing_by_day", lambda: quality.empty_by_day(self))

    def missing_by_month(self) -> pd.DataFrame:
        """Empty cells of the order lines that count: month, column, rows, missing, missing_share."""
        return profile.missing_by_month(self.missing_by_day())

    def impossible(self) -> pd.DataFrame:
        """Counted order lines with a value that cannot be (impossible.csv)."""
        return self._step("impossible", lambda: quality.impossible(self))

    def outliers(self) -> dict[str, pd.DataFrame]:
        """``summary`` and ``listed``: the window's orders and customers far beyond the others (outliers.csv)."""
        return self._step("outliers", lambda: quality.far_out(self))

    def profile(self) -> dict:
        """The counts a reader asks for first."""
        kept = self._step("profile", self._profile)
        days = {name: dt.date.fromisoformat(kept[name]) for name in ("first_order", "last_order", "as_of")}
        return {**kept, **days}

    def _profile(self) -> dict:
        return profile.summary(self.totals(), self.sales()["sales"], self.as_of)

    def purchases(self) -> dict[str, Any]:
        """Customers by days with a purchase, and what else is counted of all (`workbook.counted`)."""
        return self._step("purchases", lambda: counted.purchases(self))

    def sales_concentration(self) -> dict[str, Any]:
        """How the window's net sales concentrate on few customers (`workbook.counted.held`)."""
        return self._step("sales_concentration", lambda: counted.sales_concentration(self))

    def gates(self) -> pd.DataFrame:
        """The quality gates: gate, value, limit, result, about (gates.csv)."""
        return quality.all_gates(self)

    def degraded(self, gate: str) -> bool:
        """Whether a base gate was missed, so that the report says less."""
        return gate in self._missed

    @cached_property
    def _missed(self) -> set[str]:
        found = quality.base_gates(self)
        return set(found.loc[found["result"] != "pass", "gate"])

    @cached_property
    def margin_rate(self) -> float | None:
        """Margin as a share of net sales: the params', else the window's where every line has its cost, else unknown."""
        if self.params.margin is not None or not self.on_orders:
            return self.params.margin
        return profile.margin_rate(self.totals())

    # --- scores -------------------------------------------------------------------------------------------------

    @cached_property
    def scale(self) -> rfm.Scale:
        """The cut points in use: the frozen ones, else fitted on this month."""
        return rfm.read_scale(self.scale_path) if self.scale_path else self.fit_scale(self.as_of)

    def scale_of(self, date: dt.date) -> rfm.Scale:
        """The scale that the report of a date stood on: what was frozen by then, else what was fitted then."""
        path = self._scale_path(date)
        if path is not None and path == self.scale_path and self.scale.valid_from <= date.isoformat():
            return self.scale
        frozen = path and rfm.read_scale(path)
        if frozen and frozen.valid_from <= date.isoformat():
            return frozen
        return self.fit_scale(date) if self.tables.cache.rows(self.kept_window(date)) else self.scale

    @cached_property
    def scale_last_month(self) -> rfm.Scale:
        """The scale that last month's report stood on."""
        return self.scale_of(self.dates[1])

    def fit_scale(self, as_of: dt.date) -> rfm.Scale:
        """The cut points that a date's own customers would give."""

        def fit() -> dict[str, Any]:
            few, counted = self.degraded("min_customers"), people.distinct_measures(self, as_of)
            return asdict(rfm.fit_scale(counted, self.params.rfm, as_of, fixed=few))

        return rfm.Scale(**self._step(f"scale-{as_of}", fit))

    @cached_property
    def mean_split(self) -> rfm.Scale:
        """Cut points at the means of this month's customers."""
        counted = people.distinct_measures
        return rfm.Scale(**self._step("mean_split", lambda: asdict(rfm.mean_split(counted(self), self.as_of))))

    @cached_property
    def _cadence(self) -> lifecycle.Cadence:
        return lifecycle.Cadence(**self._step("cadence", lambda: asdict(self._fit_cadence())))

    def _fit_cadence(self) -> lifecycle.Cadence:
        earlier = self.as_of - dt.timedelta(days=lifecycle.COMEBACK_DAYS)
        now = self.distinct_histories(["first_gap_days", "own_gap_days"])
        return lifecycle.fit_cadence(now, self.distinct_histories(["recency_days", "since"], earlier, self.as_of))

    def cadence(self) -> lifecycle.Cadence:
        """What the population teaches about silence."""
        return self._cadence

    def drift(self) -> pd.DataFrame:
        """How far this month's customers have moved away from those the frozen scale was fitted on (`scores.drift`)."""
        return drift.drift(self.scale, self.score_cells())

    def score_cells(self) -> pd.DataFrame:
        """Customers by their scores: r, f, m, customers; who has none among them."""
        return self._step("score_cells", lambda: counted.score_cells(self))

    def segment_cells(self) -> pd.DataFrame:
        """The segment map with the customers of every cell: r, f, m, name, customers."""
        return self._step("segment_cells", lambda: counted.segment_cells(self))

    def spread(self) -> dict[str, Any]:
        """How customers spread over recency, frequency and money (`segmentation.spread`)."""
        return self._step("spread", lambda: counted.spread(self))

    def score_concentration(self) -> dict[str, Any]:
        """How the money that scores stand on concentrates on few customers (`workbook.counted.held`)."""
        return self._step("score_concentration", lambda: counted.score_concentration(self))

    def comeback(self) -> pd.DataFrame:
        """Who came back after how long a silence (comeback.csv)."""
        return self._step("comeback", lambda: counted.comeback(self))

    def checked(self) -> dict[str, pd.DataFrame]:
        """The checklist counted: ``by_tier`` and ``criteria`` (`workbook.counted.checked`)."""
        return self._step("checked", lambda: counted.checked(self))

    def sensitivity(self) -> pd.DataFrame:
        """How much the tiers depend on the window, the number of scores and what frequency counts."""
        return self._step("sensitivity", lambda: other_rules.tiers_under_other_rules(self))

    def cluster_path(self) -> dict[str, Any]:
        """Clusters month after month under numbers that hold (`insight.cluster_path`)."""
        return self._step("clusters", lambda: people.clusters(self))

    @cached_property
    def checklist_scale(self) -> rfm.Scale:
        """The scale that the checklist reads r, f and m on."""
        return people.checklist_scale(self)

    @cached_property
    def sizes_are_numbers(self) -> bool:
        """Whether the customers table tells company sizes in numbers of employees."""
        return people.sizes_are_numbers(self)

    @cached_property
    def origins(self) -> dict[str, str]:
        """Attribute → the table that says it, ``customers`` or ``first_orders``."""
        return people.origins(self)

    @property
    def attribute_names(self) -> list[str]:
        """The attributes known of customers, in the order of the slices."""
        return [*self.origins, "tenure"]

    def stage_transitions(self) -> pd.DataFrame:
        """Stage a month ago by stage now, beside the same month last year (`insight.stages`)."""
        return self._step("stage_transitions", lambda: people.stage_transitions(self))

    def leads(self) -> pd.DataFrame:
        """The funnel of leads by channel; asks for the leads table."""
        return self._step("leads", lambda: people.leads(self))

    def slices(self) -> pd.DataFrame:
        """Tier × stage by every attribute, small cells suppressed (slices.csv)."""
        return self._step("slices", lambda: people.published_slices(self))

    def attribute_tallies(self) -> dict[str, pd.DataFrame]:
        """Customers by value, tier and stage, by attribute (`workbook.counted.attribute_tallies`)."""
        found = self._step("attribute_tallies", lambda: counted.attribute_tallies(self))
        return {name: found[name] for name in self.attribute_names}

    def compared(self) -> pd.DataFrame:
        """The values of every attribute beside each other (`slices.side_by_side`), under each other by attribute."""
        return self._step("compared", lambda: counted.compared(self))

    def counts(self) -> pd.DataFrame:
        """Customers by tier, segment, stage, trend and cluster (`workbook.counted.counts`)."""
        return self._step("counts", lambda: counted.counts(self))

    def highest(self) -> dict[str, Any]:
        """Who brings the most among the called (`workbook.counted.highest`)."""
        return self._step("highest", lambda: counted.highest(self))

    def labelled(self) -> int:
        """Customers with a label of the CRM."""
        return self._step("labelled", lambda: {"customers": counted.labelled(self)})["customers"]

    def card(self, customer_id: str) -> dict[str, Any]:
        """Everything the month knows about one customer, asked for by id or, where ids are masked, by mask."""
        asked = masking.masked(pd.Series([str(customer_id)]), self.tables.salt)
        return people.one_card(self, asked[0])

    # --- value --------------------------------------------------------------------------------------------------

    def value(self) -> dict[str, Any]:
        """``model`` and ``note`` of the `forecast`; ``backtest`` with its hold-out; see insight.forecast."""
        return self._step("value", lambda: value.value(self))

    @cached_property
    def value_thirds(self) -> list[float] | None:
        """The cut points between the book's value tiers."""
        return book.value_thirds(self.forecast(["clv"])["clv"])

    def fared_since(self) -> pd.DataFrame:
        """How the forecasts as of three, six, nine and twelve months ago have fared since."""
        return self._step("fared_since", lambda: value.fared_since(self))

    def orders_over_time(self) -> pd.DataFrame:
        """Repeat purchases as they added up, beside what the model of the hold-out's start expected: day, actual, expected."""
        return self._step("orders_over_time", lambda: value.orders_over_time(self))

    def cohorts(self) -> pd.DataFrame:
        """Customers by month and channel of the first purchase, month by month since (`insight.cohorts`)."""
        return self._step("cohorts", lambda: value.cohort_table(self))

    def expected_of_newcomers(self) -> pd.DataFrame:
        """What the purchase model expects of a new customer, beside `cohorts`: month, purchases, money (net sales)."""
        return self._step("expected_of_newcomers", lambda: value.expected_of_newcomers(self))

    def recent_beside_expected(self) -> pd.DataFrame:
        """The last ninety days' money beside the months expected, by tier (`insight.worth`)."""
        return self._step("recent_beside_expected", lambda: drawn_value.recent_beside_expected(self))

    def value_held(self) -> dict[str, Any]:
        """Who holds the expected value: sums, counts per bin and the highest (`drawn_value.held`)."""
        return self._step("value_held", lambda: drawn_value.held(self))

    def value_belied(self) -> dict[str, Any]:
        """Expected value beside tier and stage, and whose belies the tier (`drawn_value.belied`)."""
        return self._step("value_belied", lambda: drawn_value.belied(self))

    # --- movement -----------------------------------------------------------------------------------------------

    def windows(self) -> pd.DataFrame:
        """`window` of as_of and each of the thirteen months before, under each other, oldest first."""
        return pd.concat([self.window(date) for date in sorted(self.dates)], ignore_index=True)

    def tier_path(self) -> pd.DataFrame:
        """`tiers_on` of as_of and each of the thirteen months before, under each other, oldest first."""
        return pd.concat([self.tiers_on(date) for date in sorted(self.dates)], ignore_index=True)

    def past_moves(self) -> pd.DataFrame:
        """Moves between tiers from each of `dates` to the next, counted: end, from_tier, to_tier, customers, net."""
        return self._step("past_moves", lambda: tiers.past_moves(self))

    def tier_sizes(self) -> pd.DataFrame:
        """Customers per tier (columns) at each of `dates` (index, oldest first): `insight.tier_path.sizes`."""
        return self._step("tier_sizes", lambda: tiers.sizes(self).reset_index()).set_index("end")

    def falls(self) -> pd.DataFrame:
        """Falls from the best tier month by month (`insight.tier_path.falls`)."""
        return tier_path.falls(self.past_moves(), self.dates, self.tier_scheme.order[0])

    def over_year(self) -> dict[str, Any]:
        """``moves`` and ``rates`` over twelve months; ``reaches``: whether the data reach back so far."""
        return self._step("over_year", lambda: tiers.over_year(self))

    def restated(self) -> pd.DataFrame:
        """What was booked since on the orders of the last three whole months (`insight.restated`)."""
        return self._step("restated", lambda: people.late_refunds(self))

    def overridden(self) -> pd.DataFrame:
        """Every override with its reason, its end and what became of it; empty without a file of overrides."""
        if self.overrides is None:
            return pd.DataFrame(columns=overrides.LISTED)
        columns = ["end", "customer_id", "computed"]
        return self._step(
            "overridden",
            lambda: overrides.listed(self.overrides, self.tiers_on(columns=columns), self.as_of, self.first_days),
        )

    def protected(self) -> pd.DataFrame:
        """Customers who keep a tier that they no longer earn, until when, and what would earn it again."""
        return self._step("protected", lambda: tiers.all_protected(self))

    def protection_counts(self) -> pd.DataFrame:
        """`protected` customers by tier, computed and held_until."""
        return self._step("protection_counts", lambda: counted.protection_counts(self))

    def margin_of_fallen(self) -> float | None:
        """Yearly margin of those who fell from the best tier this month; None where no margin is known."""
        return self._step("margin_of_fallen", lambda: {"margin": tiers.margin_of_fallen(self)})["margin"]

    def fallen(self) -> dict[str, Any]:
        """Who left the best tier since last month, counted, and the first rows (`drawn_movement.fallen`)."""
        return self._step("fallen", lambda: drawn_movement.fallen(self))

    def kept_tiers(self) -> dict[str, Any]:
        """Who keeps a tier that is no longer earned, counted, and the first rows (`drawn_movement.kept_tiers`)."""
        return self._step("kept_tiers", lambda: drawn_movement.kept_tiers(self))

    def upgrade_steps(self) -> dict[str, Any]:
        """`upgrade_candidates` counted, and the first rows (`drawn_movement.upgrade_steps`)."""
        return self._step("upgrade_steps", lambda: drawn_movement.upgrade_steps(self))

    def movement(self) -> pd.DataFrame:
        """Tier × tier since last month beside the usual range (DESIGN §6)."""
        return self._step("movement", lambda: tiers.moves_between_tiers(self))

    # --- early warning ------------------------------------------------------------------------------------------

    def warned(self) -> dict[str, Any]:
        """The ``rule`` that `flags` stands on; ``note``: why there is none."""
        return self.risk_rule_at(self.as_of)

    def risk_rule_at(self, date: dt.date) -> dict[str, Any]:
        """``rule`` and ``note`` of the early warning as it stood at a date (`workbook.warning.learned`)."""
        return self._step(f"risk-{date}", lambda: warning.learned(self, date))

    @property
    def risk_rule(self) -> RiskRule | None:
        """The learned rule of the early warning."""
        return warning.rule_at(self, self.as_of)

    def flagged(self) -> dict[str, Any]:
        """Whom the early warning flags, counted by tier and reason (`drawn_movement.flagged`)."""
        return self._step("flagged", lambda: drawn_movement.flagged(self))

    def called(self) -> pd.DataFrame:
        """alert, previous_tier and risk of those on the call list, in its order."""
        return self._step("called", lambda: drawn_movement.called(self))

    def call_list(self) -> dict[str, pd.DataFrame]:
        """``alerts`` (alerts.csv) and ``left_out``: flagged customers not on it, by reason."""
        return self._step("call_list", lambda: warning.call_list(self))

    def alert_backtest(self) -> dict[str, Any]:
        """The rule of half a year ago against what happened since, beside simple rules (alert_backtest.csv)."""
        return self._step("alert_backtest", lambda: warning.past(self))

    def alert_scores(self) -> pd.DataFrame:
        """What each rule said of the candidates half a year ago, and who has been silent since (`warning.scores_then`)."""
        return self._step("alert_scores", lambda: warning.scores_then(self))

    # --- campaigns ----------------------------------------------------------------------------------------------

    def campaigns(self) -> dict[str, Any]:
        """``assigned``: one row per campaign and customer with outcomes; ``effects`` (campaign_effects.csv); ``open``: not
        over yet. Empty without a contacts table or a trial."""
        return self._step("campaigns", lambda: campaigns.campaigns(self)) if self.has_campaigns else {}

    @property
    def has_campaigns(self) -> bool:
        """Whether there are campaigns to review."""
        return self.has("contacts") or self.has("trial")

    def campaigns_counted(self) -> dict[str, Any]:
        """`campaigns` without its customers (`tallies.campaigns`)."""
        return self._step("campaigns_counted", lambda: tallies.campaigns(self)) if self.has_campaigns else {}

    def campaign_tiers(self, found: pd.Series) -> list[str]:
        """``all`` and the tiers of a review in the order of reading: as campaign.tiers lists them, else the scheme's."""
        given = list(self.params.campaign.tiers) or [*(self.tier_scheme.order if self.on_orders else ()), maps.OUTSIDE]
        return list(dict.fromkeys(["all", *given, *sorted(found.unique())]))

    def campaign_review(self) -> dict[str, pd.DataFrame]:
        """What stands beside the effects: draws, faults, adjusted, returns, guardrails, described."""
        return self._step("campaign_review", lambda: review.review(self)) if self.has_campaigns else {}

    def whom_next(self) -> dict[str, pd.DataFrame]:
        """Whether a score can pick whom to treat next (`workbook.review.whom_next`)."""
        return self._step("whom_next", lambda: review.whom_next(self)) if self.has_campaigns else {}

    def experience(self) -> pd.DataFrame:
        """What those who would have been listed a month ago have spent since (`insight.holdout.experience`)."""
        return self._step("experience", lambda: loop.experience(self))

    def action_list(self, columns: Columns = None) -> pd.DataFrame:
        """This month's lists in the form of the contacts table (action_list.csv)."""
        step = self.action_step
        self.keep(step, lambda: loop.action_list(self))
        return self.read(step, columns)

    @property
    def action_step(self) -> str:
        """The step that holds `action_list`, whose words are of the report's first language."""
        return f"action_list-{self.params.report.languages[0]}"

    def action_sizes(self) -> pd.DataFrame:
        """How much a test of each of this month's actions can tell."""
        return self._step("action_sizes", lambda: loop.action_sizes(self))

    def loop(self) -> dict[str, Any]:
        """``ledger``, ``earned``, and what last month's call list did, ``called``."""
        return self._step("loop", lambda: loop.loop(self))

    # --- voice and behaviour ------------------------------------------------------------------------------------

    def voice(self) -> pd.DataFrame:
        """Satisfaction and service by tier, beside the targets (voice.csv)."""
        return self._step("voice", lambda: voice.voice_table(self))

    def ticket_topics(self) -> pd.DataFrame:
        """What tickets are about, by tier (ticket_topics.csv)."""
        return self._step("ticket_topics", lambda: voice.ticket_topics(self))

    def behaviour(self) -> pd.DataFrame:
        """Contacts, responses, referrals, birthdays, visits and channels by tier (behaviour.csv)."""
        return self._step("behaviour", lambda: voice.behaviour_table(self))

    def birthdays(self) -> pd.DataFrame:
        """Whom to greet until the next report: customer_id, tier, birthday, owner (birthdays.csv)."""
        return self._step("birthdays", lambda: voice.birthdays(self))

    def birthday_counts(self) -> dict[str, Any]:
        """How many `birthdays` by tier (`workbook.counted.birthday_counts`)."""
        return self._step("birthday_counts", lambda: counted.birthday_counts(self))

    def churn_reasons(self) -> pd.DataFrame:
        """Reason codes of customers at risk or lost beside those of the rest (`insight.reasons`)."""
        return self._step("churn_reasons", lambda: voice.churn_reasons(self))

    def touchpoints(self) -> pd.DataFrame:
        """What came next after a contact, a visit, an order or a ticket (`insight.touchpoints`)."""
        return self._step("touchpoints", lambda: voice.touchpoint_table(self))

    def voice_faults(self) -> pd.DataFrame:
        """Rows of surveys, tickets and customers that a measure could not use: table, fault, rows, example."""
        return self._step("voice_faults", lambda: voice.faults(self))

    # --- needs --------------------------------------------------------------------------------------------------

    def affinity(self) -> dict[str, Any]:
        """``pairs`` (affinity.csv): what is bought beside and after what; with what they stand on (`needs.affinities`)."""
        return self._step("affinity", lambda: needs.affinities(self))

    def next_best_rules(self) -> dict[str, pd.DataFrame]:
        """What is recommended, and what each segment has bought of it (`workbook.needs.next_best_rules`)."""
        return self._step("next_best_rules", lambda: needs.next_best_rules(self))

    def next_best_counts(self) -> dict[str, Any]:
        """How many customers have which next best offer, by tier (`workbook.counted.next_best_counts`)."""
        return self._step("next_best_counts", lambda: counted.next_best_counts(self))

    def price_bands(self) -> pd.DataFrame:
        """Who moved to a dearer price band (price_bands.csv)."""
        return self._step("price_bands", lambda: needs.price_bands(self))

    def preferences(self) -> pd.DataFrame:
        """What each tier buys beside what all buy (preferences.csv)."""
        return self._step("preferences", lambda: needs.preferences(self))

    # --- the month as a whole -----------------------------------------------------------------------------------

    def row_counts(self) -> pd.DataFrame:
        """Rows and customers of every frame of customers (`tallies.row_counts`)."""
        return self._step("row_counts", lambda: tallies.row_counts(self))

    def planned_counts(self) -> pd.DataFrame:
        """This month's lists counted (`tallies.planned_counts`)."""
        return self._step("planned_counts", lambda: tallies.planned_counts(self))

    def scorecard(self) -> pd.DataFrame:
        """The month's measures beside last month, a year ago and the target."""
        return self._step("scorecard", self._scorecard)

    def _scorecard(self) -> pd.DataFrame:
        by_month = self.measures_by_month()
        return scorecard.scorecard(*(by_month[by_month["months_ago"] == k] for k in (0, 1, 12)), self.params.targets)

    def measures_by_month(self) -> pd.DataFrame:
        """The scorecard's measures of this month and the twelve before, as far as the history reaches: months_ago 0 to 12."""
        return self._step("measures_by_month", lambda: summary.measures_by_month(self))

    def revenue_bridge(self) -> pd.DataFrame:
        """Net sales of the month and of twelve months against a year before (`insight.revenue_bridge`)."""
        return self._step("revenue_bridge", lambda: summary.bridge(self))

    def channels(self) -> pd.DataFrame:
        """Newcomers, cost, leads and payback by channel (`insight.acquisition.channels`)."""
        return self._step("channels", lambda: summary.channels(self))

    def budget(self) -> pd.DataFrame:
        """Budget share beside profit share by tier (`insight.budget`); empty without contacts."""
        return self._step("budget", lambda: summary.budget_by_tier(self))

    def upgrade_candidates(self, columns: Columns = None) -> pd.DataFrame:
        """Everybody who can reach a better tier until the deadline and is not lost, the highest net sales first."""
        self.keep_by_part("candidates", tiers.upgrade_candidates)
        self.tables.sort("upgrade_candidates", "candidates", ["monetary", "customer_id"], [True, False])
        return self.read("upgrade_candidates", columns)

    @cached_property
    def tier_scale(self) -> rfm.Scale:
        """The cut points that the tier scheme stands on: the scale's, or the mean split."""
        return self.mean_split if self.tier_scheme.scores == "mean" else self.scale

    @cached_property
    def tier_rule(self) -> tiers.TierRule:
        """What gives any customers of a window their tiers."""
        return tiers.TierRule(self.tier_scale, self.tier_scheme, self.params.rfm)

    def _groups(self, column: str, scheme: str, order: list[str]) -> pd.DataFrame:
        return self._step(
            f"groups-{column}",
            lambda: groups.summary(self.by_part(partial(counted.group_sums, column)), scheme, order),
        )

    def tiers(self) -> pd.DataFrame:
        """Tiers side by side (tiers.csv)."""
        return self._groups("tier", self.tier_scheme.name, self.tier_scheme.order)

    def segments(self) -> pd.DataFrame:
        """Segments side by side (segments.csv)."""
        return self._groups("segment", self.segment_map.name, self.segment_map.order)

    def reconciliation(self) -> pd.DataFrame:
        """Our tiers and segments beside the CRM's own label (`insight.reconciliation`); empty without crm_segment."""
        return self._step("reconciliation", lambda: crm.reconcile(self))

    def stages(self) -> pd.DataFrame:
        """Stages side by side (stages.csv)."""
        return self._groups("stage", "stage", list(lifecycle.STAGES))

    def clusters(self) -> pd.DataFrame:
        """Clusters side by side (clusters.csv), the most valuable first; empty where none were fitted."""
        numbers = self.counts()["cluster"].dropna().unique()
        return self._groups("cluster", "k_means", [str(n) for n in sorted(numbers)])
