"""Customers of a month, one row each: of everybody, or of a part of them, so that they never stand in memory together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pandas as pd

from tierbook import history
from tierbook.accounting import day_number
from tierbook.engine import Engine
from tierbook.insight import traits
from tierbook.scores import lifecycle, maps, rfm
from tierbook.workbook import loop, needs, people, summary, tiers, value, warning

if TYPE_CHECKING:
    from tierbook.workbook import Workbook

Columns = list[str] | None


class Customers:
    """What a month says of each customer: frames of one row per customer, in the order of their ids.

    Every frame is kept as a step, written part by part, and read as far as it is asked for: ``columns`` names the
    columns wanted, and without it all are read. The rules that customers are scored by are those of the ``whole`` month.
    """

    whole: Workbook

    read: Callable[..., pd.DataFrame]
    """(step, columns): the rows and columns asked for of a frame that is kept."""
    table: Callable[..., pd.DataFrame | None]
    """(name, columns): the counted rows of an optional table, as `read` gives those of a frame; None without the table."""

    def only(self, frame: nw.LazyFrame) -> nw.LazyFrame:
        """The rows of an engine's frame that are of these customers."""
        return frame

    def _by_part(self, step: str, compute: Callable[[Any], pd.DataFrame], columns: Columns = None) -> pd.DataFrame:
        self.whole.keep_by_part(step, compute)
        return self.read(step, columns)

    def applied_to_history(
        self, step: str, date: dt.date, function, kinds: dict[str, str], columns: Columns = None
    ) -> pd.DataFrame:
        """What a fitted rule makes, row by row, of the history at a date, in its order."""
        self.whole.tables.apply(step, self.kept_history(date), function, kinds)
        return self.read(step, columns)

    # --- history ------------------------------------------------------------------------------------------------

    def history(self, as_of: dt.date | None = None, columns: Columns = None) -> pd.DataFrame:
        """One row per customer with an order up to the date (default: the report's as_of)."""
        return self.read(self.kept_history(as_of), columns)

    def kept_history(self, as_of: dt.date | None = None) -> str:
        """The step that holds the history at a date, written where it is not yet."""
        date, window = as_of or self.whole.as_of, self.whole.params.rfm.window_days
        step = f"history-{date}"
        self.whole.tables.keep(step, lambda _, days: history.history(days, date, window), "days", order=["customer_id"])
        return step

    @cached_property
    def first_days(self) -> pd.Series:
        """Day number of every customer's first purchase, by customer_id."""
        return self.history(columns=["customer_id", "first_day"]).set_index("customer_id")["first_day"]

    def measures(self, as_of: dt.date | None = None) -> pd.DataFrame:
        """recency_days, frequency, monetary per customer at a date; null without an order in the window."""
        found = self.history(as_of, ["customer_id", *rfm.MEASURED])
        return pd.concat([found["customer_id"], rfm.in_measures(found, self.whole.params.rfm)], axis=1)

    def window(
        self, as_of: dt.date | None = None, window_days: int | None = None, columns: Columns = None
    ) -> pd.DataFrame:
        """What the tiers at a date stand on: `history.windows` of that date, with the traits the tier scheme asks for; without
        them where ``columns`` are named."""
        date = as_of or self.whole.as_of
        found = self.read(self.kept_window(date, window_days), columns)
        return tiers.with_traits(self, found, date) if columns is None else found

    def kept_window(self, date: dt.date, window_days: int | None = None) -> str:
        """The step that holds the window before a date, without traits, written where it is not yet."""
        length = window_days or self.whole.params.rfm.window_days
        end, step = pd.DataFrame({"end": [day_number(date)]}), f"window-{date}-{length}"

        def build(engine: Engine, days):
            return history.windows(days, engine.frame(end), length)

        self.whole.tables.keep(step, build, "days", order=["customer_id"])
        return step

    # --- scores -------------------------------------------------------------------------------------------------

    def cells(self, scheme: maps.Scheme, as_of: dt.date | None = None, scale: rfm.Scale | None = None) -> pd.DataFrame:
        """r, f, m at a date as a scheme reads them, on the report's scale or split at the mean where it says so, and its
        traits."""
        if scheme.scores == "mean":
            used = self.whole.mean_split
        else:
            used = scale or self.whole.scale
            maps.require_bins(scheme, used.bins)
        return pd.concat([used.apply(self.measures(as_of)), self.traits(list(scheme.traits), as_of)], axis=1)

    def traits(self, wanted: list[str], as_of: dt.date | None = None) -> pd.DataFrame:
        """What schemes and checklists may ask of each customer beside r, f and m (`insight.traits`)."""
        date, month = as_of or self.whole.as_of, self.whole
        ids = self.history(date, ["customer_id"])["customer_id"]
        asked = dict(traits.READ[trait] for trait in wanted if trait in traits.READ)
        # whom a customer brought in may be of another part
        tables = {name: (month if name == "customers" else self).table(name, asked[name]) for name in asked}
        stage = self.stage(date) if "stage" in wanted else None
        return traits.traits(wanted, ids, day_number(date), month.params.rfm.window_days, tables, stage)

    def stage(self, as_of: dt.date | None = None) -> pd.Series:
        """The stage of each row of the history at a date, by this month's cadence."""
        return lifecycle.stage(self.history(as_of, list(lifecycle.STAGED_BY)), self.whole.cadence())

    def scores(self, columns: Columns = None) -> pd.DataFrame:
        """customer_id, recency_days, frequency, monetary, r, f, m, segment, tier, stage, cluster of every customer."""
        return self.read(self.kept_scores(), columns)

    def kept_scores(self) -> str:
        """The step that holds the scores, written where it is not yet."""
        self.whole.keep_by_part(step := "scores", tiers.scores)
        return step

    def cluster_labels(self) -> pd.DataFrame:
        """customer_id, cluster and cluster_before of every customer: now and a month ago, null outside of the window."""
        return self._by_part("cluster_labels", people.cluster_labels)

    def checklist(self, columns: Columns = None) -> pd.DataFrame:
        """The value-customer checklist of every customer: customer_id, its criteria, met, known."""
        return self._by_part("checklist", people.value_checklist, columns)

    def attributes(self, columns: Columns = None) -> pd.DataFrame:
        """customer_id with region, industry, company_size, channel, store, gender, age, tenure, as far as known."""
        return self.read(self.kept_attributes(), columns)

    def kept_attributes(self) -> str:
        """The step that holds the attributes, written where it is not yet."""
        self.whole.keep_by_part(step := "attributes", people.attributes)
        return step

    # --- value --------------------------------------------------------------------------------------------------

    def forecast(self, columns: Columns = None) -> pd.DataFrame:
        """What is expected of every customer: ``forecast.KINDS``; null, with the reason, where nothing could be."""
        self.whole.value()
        return self.read(value.FORECAST, columns)

    # --- movement -----------------------------------------------------------------------------------------------

    def tiers_on(self, as_of: dt.date | None = None, columns: Columns = None) -> pd.DataFrame:
        """The tier of every customer at a date, on this run's scale.

        end, customer_id, tier (with protection and overrides), computed (the scheme's own), held_since, overridden, net,
        active_days; no row for who has no order in the window before the date, unless a person gave the tier.
        """
        return self.read(self.tiers_step(as_of), columns)

    def tiers_step(self, as_of: dt.date | None = None) -> str:
        """The step that holds the tiers at a date, written where it is not yet."""
        date = as_of or self.whole.as_of
        step = f"tiers-{date}"
        self.whole.keep_by_part(step, lambda part: tiers.on(part, date))
        return step

    def computed_tiers(self, date: dt.date) -> pd.DataFrame:
        """The tier at a date as the scheme alone gives it: end, customer_id, tier, net, active_days."""
        if self.whole.tier_scheme.traits:
            return tiers.at(self.whole, self.window(date))
        step = f"computed-{date}"
        self.whole.tables.apply(step, self.kept_window(date), self.whole.tier_rule.apply, tiers.KINDS)
        return self.read(step)

    def moved(self, columns: Columns = None) -> pd.DataFrame:
        """This month's move of every customer, on one scale: customer_id, from_tier, to_tier, net, change, cause."""
        return self._by_part("moved", tiers.moved, columns)

    def next_tier(self, columns: Columns = None) -> pd.DataFrame:
        """What each customer, in the order of the scores, lacks to a better tier until the deadline (`insight.upgrades`)."""
        return self._by_part("next_tier", tiers.next_tier, columns)

    # --- early warning and actions ------------------------------------------------------------------------------

    def flags(self, columns: Columns = None) -> pd.DataFrame:
        """Who the early warning flags: customer_id, risk, own_gap_days and the columns of `scores.alerts`."""
        rule = warning.flag_rule(self.whole)
        as_of = self.whole.as_of
        return self.applied_to_history(f"flags-{as_of}", as_of, rule.apply, warning.KINDS, columns)

    def flags_last_month(self, columns: Columns = None) -> pd.DataFrame:
        """Who was flagged a month ago, by the rule of then (`warning.flags_last_month`)."""
        return self._by_part("flags_last_month", warning.flags_last_month, columns)

    def planned(self, columns: Columns = None) -> pd.DataFrame:
        """Everybody on a list this month, and who is held out as its control arm (`insight.actions.planned`)."""
        self.whole.keep("planned", lambda: loop.planned(self.whole))
        return self.read("planned", columns)

    def next_best(self, columns: Columns = None) -> pd.DataFrame:
        """The best recommendation of every customer of the window (next_best.csv)."""
        return self._by_part("next_best", needs.next_bests, columns)

    # --- the book -----------------------------------------------------------------------------------------------

    def book(self, columns: Columns = None) -> pd.DataFrame:
        """One row per customer, every score beside its reason (DESIGN §6)."""
        return self.read(self.kept_book(), columns)

    def kept_book(self) -> str:
        """The step that holds the book, written where it is not yet."""
        self.whole.keep_by_part(step := "book", summary.assemble)
        return step
