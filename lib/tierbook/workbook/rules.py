"""The rules of a month: what the params and the files that they name say, before any figure is computed."""

from __future__ import annotations

import datetime as dt
import os
from functools import cached_property
from pathlib import Path

import pandas as pd

from tierbook import masking
from tierbook.accounting import day_number
from tierbook.errors import ParamsError
from tierbook.insight import actions, overrides, scorecard, seasons
from tierbook.insight.gates import check_names
from tierbook.months import months_before
from tierbook.params import ROOT, Params, resolve
from tierbook.scores import checklist, maps, scales
from tierbook.show.display import Show
from tierbook.show.words import Words
from tierbook.tables import Tables
from tierbook.workbook import people


def outputs_folder() -> Path:
    """Where reports and kept steps go: the runner's choice, else outputs/ of the project."""
    return Path(os.environ.get("TIERBOOK_OUTPUTS") or ROOT / "outputs")


def refuse_empty(params: Params) -> None:
    """Params that name neither orders nor a trial are refused in words."""
    if params.source.transactions is None and params.source.trial is None:
        raise ParamsError(
            "source.transactions is missing; write source: {transactions: {path: <your orders file>}}, or trial: for a "
            "finished experiment"
        )


class Rules:
    """Schemes, scale files, calendar, actions and words of one month of one report; dates and tables it stands on."""

    def __init__(self, params: Params, outputs: Path | None = None):
        refuse_empty(params)
        outputs = outputs or outputs_folder()
        self.params = params = masking.hidden(params, masking.salt(params, outputs))
        self.as_of = params.as_of
        self.end = day_number(params.as_of)
        self.tables = Tables(params, outputs / ".work", self._rule_files())

    def _rule_files(self) -> list[Path]:
        given = [self.params.segments.map, self.params.tiers.scheme, self.params.actions]
        files = [path for name in given for path in (maps.SCHEMES / f"{name}.yaml", resolve(name)) if path.is_file()]
        last_month = months_before(self.as_of, 1)
        named = [self._scale_path(self.as_of), self._scale_path(last_month), maps.SCHEMES / f"{people.CHECKLIST}.yaml"]
        named += [resolve(name) for name in (self.params.overrides, self.params.report.calendar) if name]
        return [*files, *dict.fromkeys(path for path in named if path and path.is_file())]

    @property
    def on_orders(self) -> bool:
        """Whether there are orders; a report on a finished trial alone has none, and none of what stands on them."""
        return "transactions" in self.tables.specs

    def simulated(self, table: str) -> bool:
        """Whether a simulator stands in for a table because no file lies where the params point."""
        return self.tables.is_simulated(table)

    def check_rules(self) -> None:
        """Read every file of rules, so that a fault is told in one line before anything is computed."""
        check_names(self.params.gate)
        for rules in ("segment_map", "tier_scheme", "scale_path", "overrides", "events", "_criteria", "catalogue"):
            getattr(self, rules)
        scorecard.known_targets(self.params.targets)

    def has(self, table: str) -> bool:
        """Whether the params name this optional table."""
        return table in self.tables.specs

    @cached_property
    def scale_path(self) -> Path | None:
        """The frozen scale in use: the params' file, or under ``auto`` the report's own in params/scales, if any."""
        return self._scale_path(self.as_of)

    def _scale_path(self, date: dt.date) -> Path | None:
        given = self.params.rfm.scale
        return scales.in_use(scales.FOLDER, self.params.report.name, date) if given == "auto" else resolve(given)

    @cached_property
    def tier_scheme(self) -> maps.Scheme:
        """The tier scheme in use."""
        return maps.find(self.params.tiers.scheme)

    @cached_property
    def segment_map(self) -> maps.Scheme:
        """The segment map in use: one of r, f and m alone, for its cells are drawn."""
        found = maps.find(self.params.segments.map)
        if found.traits:
            asked = ", ".join(found.traits)
            raise ParamsError(
                f"segments.map {found.name} asks for {asked}; name a map of r, f and m, or use it as tiers.scheme"
            )
        return found

    @cached_property
    def dates(self) -> list[dt.date]:
        """as_of and the thirteen months before it."""
        return [months_before(self.as_of, k) for k in range(14)]

    @cached_property
    def deadline(self) -> dt.date:
        """The date of the next report: until then an order counts for the next tier."""
        return months_before(self.as_of, -1)

    @cached_property
    def events(self) -> list[seasons.Event]:
        """Holidays and sales of the report's calendar; none where the params name no calendar."""
        path = self.params.report.calendar
        return [] if path is None else seasons.read(resolve(path))

    @cached_property
    def overrides(self) -> pd.DataFrame | None:
        """Tiers given by hand (`insight.overrides`); None where the params name no such file."""
        path = self.params.overrides
        if path is None:
            return None
        return overrides.read_overrides(resolve(path), self.tier_scheme.order, self.tables.salt)

    @cached_property
    def catalogue(self) -> list[dict]:
        """The action list of the params."""
        return actions.read_actions(resolve(self.params.actions))

    @property
    def terms(self) -> dict[str, dict]:
        """The names of this report's own tiers and segments, per language."""
        actions_named = {str(action["code"]): action.get("words") for action in self.catalogue}
        actions_named = {
            code: words if isinstance(words, dict) else {"en": words or code} for code, words in actions_named.items()
        }
        names = {
            "action": actions_named,
            "tier": self.tier_scheme.words,
            "segment": self.segment_map.words,
            "criterion": self._criteria,
        }
        return {**names, **seasons.terms(self.events)}

    @cached_property
    def value_customers(self) -> checklist.Checklist:
        """The checklist of the value customer."""
        return checklist.find(people.CHECKLIST)

    @cached_property
    def _criteria(self) -> dict[str, dict[str, str]]:
        return self.value_customers.words

    def words(self, language: str) -> Words:
        """Words, numbers and money of one language."""
        return Words(language, self.params.currency, self.terms)

    @cached_property
    def show(self) -> Show:
        """The month's voice: say, note, warn, table, figure in every language of the report."""
        return Show(self.params.report.languages, self.params.currency, self.terms)
