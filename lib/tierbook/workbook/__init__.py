"""The workbook of one month: its steps, computed once from the tables and the params, each a plain library call."""

from __future__ import annotations

import datetime as dt
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from tierbook import history
from tierbook.accounting import day_number
from tierbook.errors import GateRefused, ParamsError
from tierbook.insight import groups, movement, profile, scorecard
from tierbook.params import ROOT, Params, resolve
from tierbook.scores import lifecycle, maps, rfm
from tierbook.show.display import Show
from tierbook.show.words import Words
from tierbook.tables import Tables
from tierbook.workbook import campaigns, summary, tiers, value


def outputs_folder() -> Path:
    """Where reports and kept steps go: the runner's choice, else outputs/ of the project."""
    return Path(os.environ.get("TIERBOOK_OUTPUTS") or ROOT / "outputs")


def refuse_unbuilt(params: Params) -> None:
    """Keys that a later version honours are refused in words; taking them and doing nothing would be worse."""
    asked = {
        "report.mask_customer_ids": params.report.mask_customer_ids,
        "tiers.hold_months": params.tiers.hold_months > 0,
        "overrides": params.overrides is not None,
        "source.trial": params.source.trial is not None,
        "engine.name: spark": params.engine.name == "spark",
    }
    unbuilt = next((key for key, wanted in asked.items() if wanted), None)
    if unbuilt:
        raise ParamsError(f"{unbuilt} is not part of this version, which would ignore it; take it out of the params")
    if params.source.transactions is None:
        raise ParamsError("source.transactions is missing; write source: {transactions: {path: <your orders file>}}")


class Workbook:
    """One month of one report.

    Every step is computed on first use and kept under ``outputs/.work``; calling it again, here or in another
    notebook, reads what was kept. Nothing here writes a report.
    """

    def __init__(self, params: Params, outputs: Path | None = None):
        refuse_unbuilt(params)
        self.params = params
        self.as_of = params.as_of
        self.end = day_number(params.as_of)
        self.tables = Tables(params, (outputs or outputs_folder()) / ".work", self._rule_files())
        self._memory: dict[str, Any] = {}

    def _rule_files(self) -> list[Path]:
        given = [self.params.segments.map, self.params.tiers.scheme, self.params.actions]
        files = [path for name in given for path in (maps.SCHEMES / f"{name}.yaml", resolve(name)) if path.is_file()]
        return [*files, *([self.scale_path] if self.scale_path and self.scale_path.is_file() else [])]

    def _step(self, name: str, compute) -> Any:
        if name not in self._memory:
            self._memory[name] = self.tables.cache.step(name, compute)
        return self._memory[name]

    def accounting(self) -> pd.DataFrame:
        """Every row accounted for: table, reason, rows, amount, example."""
        return self.tables.accounting()

    def has(self, table: str) -> bool:
        """Whether the params name this optional table."""
        return table in self.tables.specs

    def table(self, name: str) -> pd.DataFrame | None:
        """The counted rows of an optional table; None where it was not given."""
        return self.tables.table(name)

    # --- history and profile ------------------------------------------------------------------------------------

    def history(self, as_of: dt.date | None = None) -> pd.DataFrame:
        """One row per customer with an order up to the date (default: the report's as_of)."""
        date = as_of or self.as_of
        return self._step(f"history-{date}", lambda: self._history(date))

    def _history(self, date: dt.date) -> pd.DataFrame:
        window = self.params.rfm.window_days
        found = self.tables.collect(lambda _, days: history.history(days, date, window), "days")
        found = found.sort_values("customer_id", kind="stable", ignore_index=True)
        if date == self.as_of and found.empty:
            raise GateRefused(self._nothing_left())
        return found.astype({"orders": "int64", "window_orders": "int64", "previous_orders": "int64"})

    def _nothing_left(self) -> str:
        rows = self.accounting().query("table == 'transactions'").sort_values("rows", ascending=False)
        told = ", ".join(f"{row.reason} {row.rows:,} (e.g. {row.example!r})" for row in rows.itertuples())
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
        return self._step("missing", self._missing)

    def _missing(self) -> pd.DataFrame:
        lines = self.tables.collect(lambda _, lines: profile.missing_cells(lines, profile.LINE_COLUMNS), "transactions")
        return profile.missing_by_column(lines.iloc[0], self.tables.optional())

    def profile(self) -> dict:
        """The counts a reader asks for first."""
        return profile.summary(self.history(), self.sales()["sales"], self.as_of)

    def gates(self) -> pd.DataFrame:
        """The base gate: what degrades, and by how much it was missed."""
        return profile.gates(self.history(), self.as_of, self.params.gate)

    def degraded(self, gate: str) -> bool:
        """Whether a gate was missed."""
        return bool((self.gates().set_index("gate")["result"] == "degrade").get(gate, False))

    @cached_property
    def margin_rate(self) -> float | None:
        """Margin as a share of net sales: the params', else the window's where every line has its cost, else unknown."""
        return profile.margin_rate(self.history()) if self.params.margin is None else self.params.margin

    # --- scores -------------------------------------------------------------------------------------------------

    def measures(self, as_of: dt.date | None = None) -> pd.DataFrame:
        """recency_days, frequency, monetary per customer at a date; null without an order in the window."""
        found = self.history(as_of)
        return pd.concat([found["customer_id"], rfm.in_measures(found, self.params.rfm)], axis=1)

    @cached_property
    def scale_path(self) -> Path | None:
        """The frozen scale in use: the params' file, or params/scales/<report>.yaml where it is there."""
        auto = ROOT / "params" / "scales" / f"{self.params.report.name}.yaml"
        given = self.params.rfm.scale
        return (auto if auto.exists() else None) if given == "auto" else resolve(given)

    @cached_property
    def scale(self) -> rfm.Scale:
        """The cut points in use: the frozen ones, else fitted on this month."""
        return rfm.read_scale(self.scale_path) if self.scale_path else self.fit_scale(self.as_of)

    def fit_scale(self, as_of: dt.date) -> rfm.Scale:
        """The cut points that a date's own customers would give."""
        inside = self.measures(as_of).dropna()
        return rfm.fit_scale(inside, self.params.rfm, as_of, fixed=self.degraded("min_customers"))

    @cached_property
    def tier_scheme(self) -> maps.Scheme:
        """The tier scheme in use."""
        return maps.find(self.params.tiers.scheme)

    @cached_property
    def segment_map(self) -> maps.Scheme:
        """The segment map in use."""
        return maps.find(self.params.segments.map)

    def cells(self, scheme: maps.Scheme, as_of: dt.date | None = None, scale: rfm.Scale | None = None) -> pd.DataFrame:
        """r, f, m at a date as a scheme reads them: on the report's scale, or split at the mean where it says so."""
        found = self.measures(as_of)
        if scheme.scores == "mean":
            return rfm.mean_split(self.measures().dropna(), self.as_of).apply(found)
        used = scale or self.scale
        maps.require_bins(scheme, used.bins)
        return used.apply(found)

    def cadence(self) -> lifecycle.Cadence:
        """What the population teaches about silence."""
        earlier = self.as_of - dt.timedelta(days=lifecycle.COMEBACK_DAYS)
        then = self.history(earlier)
        return lifecycle.fit_cadence(self.history(), then)

    def scores(self) -> dict[str, Any]:
        """``customers``: r, f, m, segment, tier, stage, cluster per customer; ``silhouette`` by number of clusters."""
        return self._step("scores", lambda: tiers.scores(self))

    # --- value --------------------------------------------------------------------------------------------------

    def value(self) -> dict[str, Any]:
        """``customers``, ``model`` and ``note`` of the forecast; ``backtest`` with its hold-out; see insight.forecast."""
        return self._step("value", lambda: value.value(self))

    # --- movement -----------------------------------------------------------------------------------------------

    @cached_property
    def dates(self) -> list[dt.date]:
        """as_of and the thirteen months before it."""
        return [movement.months_before(self.as_of, k) for k in range(14)]

    def tier_path(self) -> pd.DataFrame:
        """The tier of every customer at as_of and each of the thirteen months before, on this run's scale."""
        return self._step("tier_path", lambda: tiers.at(self, self.dates))

    def moved(self) -> pd.DataFrame:
        """This month's move of every customer, on one scale: customer_id, from_tier, to_tier, net, change, cause."""
        return self._step("moved", lambda: tiers.moved(self))

    def movement(self) -> pd.DataFrame:
        """Tier × tier since last month beside the usual range (DESIGN §6)."""
        return self._step("movement", lambda: tiers.moves_between_tiers(self))

    # --- campaigns ----------------------------------------------------------------------------------------------

    def campaigns(self) -> dict[str, Any]:
        """``assigned``: one row per campaign and customer with outcomes; ``effects`` (campaign_effects.csv); ``open``: not
        over yet. Empty without a contacts table."""
        if not self.has("contacts"):
            return {}
        return self._step("campaigns", lambda: campaigns.campaigns(self))

    # --- the month as a whole -----------------------------------------------------------------------------------

    def scorecard(self) -> pd.DataFrame:
        """The month's measures beside last month, a year ago and the target."""
        return self._step("scorecard", self._scorecard)

    def _scorecard(self) -> pd.DataFrame:
        by_month = self.measures_by_month()
        return scorecard.scorecard(*(by_month[by_month["months_ago"] == k] for k in (0, 1, 12)), self.params.targets)

    def measures_by_month(self) -> pd.DataFrame:
        """The scorecard's measures of this month and the twelve before, as far as the history reaches: months_ago 0 to 12."""
        return self._step("measures_by_month", lambda: summary.measures_by_month(self))

    def book(self) -> pd.DataFrame:
        """One row per customer, every score beside its reason (DESIGN §6)."""
        return self._step("book", lambda: summary.assemble(self))

    def next_tier(self) -> pd.DataFrame:
        """What each customer, in the order of the scores, lacks to a better tier: next_tier, orders_missing, spend_missing."""
        measured = self.measures()
        return movement.next_tier(self.cells(self.tier_scheme), measured, self.tier_scale, self.tier_scheme)

    @cached_property
    def tier_scale(self) -> rfm.Scale:
        """The cut points that the tier scheme stands on: the scale's, or the mean split."""
        return rfm.mean_split(self.measures().dropna(), self.as_of) if self.tier_scheme.scores == "mean" else self.scale

    def tiers(self) -> pd.DataFrame:
        """Tiers side by side (tiers.csv)."""
        return groups.summary(self.book(), "tier", self.tier_scheme.name, self.tier_scheme.order)

    def segments(self) -> pd.DataFrame:
        """Segments side by side (segments.csv)."""
        return groups.summary(self.book(), "segment", self.segment_map.name, self.segment_map.order)

    def stages(self) -> pd.DataFrame:
        """Stages side by side (stages.csv)."""
        return groups.summary(self.book(), "stage", "stage", list(lifecycle.STAGES))

    def clusters(self) -> pd.DataFrame:
        """Clusters side by side (clusters.csv), the most valuable first; empty where none were fitted."""
        numbers = self.book()["cluster"].dropna()
        return groups.summary(self.book(), "cluster", "k_means", [str(n) for n in sorted(numbers.unique())])

    @property
    def terms(self) -> dict[str, dict]:
        """The names of this report's own tiers and segments, per language."""
        return {"tier": self.tier_scheme.words, "segment": self.segment_map.words}

    def words(self, language: str) -> Words:
        """Words, numbers and money of one language."""
        return Words(language, self.params.currency, self.terms)

    @cached_property
    def show(self) -> Show:
        """The month's voice: say, note, warn, table, figure in every language of the report."""
        return Show(self.params.report.languages, self.params.currency, self.terms)
