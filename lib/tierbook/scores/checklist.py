"""The value-customer checklist: which of a few criteria each customer meets, where what is missing is not failed."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tierbook.errors import ParamsError
from tierbook.params import nearest, read_yaml, resolve
from tierbook.scores import conditions, maps

_KEYS = {"name", "about", "bins", "criteria"}
_LISTS = ("any", "all")


@dataclass(frozen=True)
class Checklist:
    """Criteria by code, each a rule over r, f, m, sum and traits, with their words per language.

    A rule holds conditions that must all be met, under ``any`` a list of rules of which one must be, under ``all`` a
    list of rules of which each must be. ``traits`` names the traits that `apply` needs as columns.
    """

    name: str
    bins: int
    criteria: dict[str, dict]
    words: dict[str, dict[str, str]]
    traits: list[str]

    def apply(self, customers: pd.DataFrame) -> pd.DataFrame:
        """One nullable boolean column per criterion, with ``met`` and ``known``: how many are true, how many not null.

        ``customers``: r, f, m and the columns of ``traits``, null where unknown. A criterion is null where a needed
        trait is unknown and the known ones do not decide it: an ``any`` with one met is true, an ``all`` with one not
        met is false. A customer without f bought nothing in the window: whatever asks for r, f, m or sum is false. A
        null m beside a known f is a margin without its cost: unknown.
        """
        missing = [trait for trait in self.traits if trait not in customers]
        if missing:
            raise ParamsError(f"checklist {self.name} asks for {', '.join(missing)}, which is not given here")
        values = {key: _values(customers, key) for key in (*conditions.SCORES, "sum", *self.traits)}
        found = {code: _judge(rule, values, self.name) for code, rule in self.criteria.items()}
        table = pd.DataFrame(found, index=customers.index)
        return table.assign(met=table.sum(axis=1).astype(int), known=table.notna().sum(axis=1))


def _values(customers: pd.DataFrame, key: str) -> np.ndarray:
    if key == "stage":
        return customers[key].astype(object).to_numpy()
    columns = customers[list(conditions.SCORES) if key == "sum" else [key]]
    numbers = columns.to_numpy(dtype=float, na_value=np.nan).sum(axis=1)
    if key in (*conditions.SCORES, "sum"):
        # 0 is no score: who bought nothing meets no condition on scores, instead of leaving it open.
        numbers[customers["f"].isna().to_numpy()] = 0
    return numbers


def _judge(rule: dict, values: dict[str, np.ndarray], where: str) -> pd.arrays.BooleanArray:
    """True, false or null by Kleene's logic, which pandas' nullable booleans follow."""
    judged = []
    for key, asked in rule.items():
        if key in _LISTS:
            parts = [_judge(part, values, where) for part in asked]
            judged.append(_joined(parts, key))
        else:
            holds = conditions.meets(key, asked, values[key], where)
            judged.append(pd.arrays.BooleanArray(holds, pd.isna(values[key])))
    return _joined(judged, "all")


def _joined(parts: list, how: str):
    result = parts[0]
    for part in parts[1:]:
        result = result | part if how == "any" else result & part
    return result


def find(name: str) -> Checklist:
    """A checklist by its name under params/schemes, or a YAML file of the user's."""
    path = maps.SCHEMES / f"{name}.yaml"
    path = path if path.exists() else resolve(name)
    return parse(read_yaml(path, "checklist"), path.name)


def parse(tree: dict, file: str) -> Checklist:
    """Build a checklist from its YAML and prove that every criterion can be met and can be failed.

    Each criterion is judged at every cell and every combination of the levels of its traits, unknown among them; one
    that is true nowhere, or false nowhere, tells nothing and is refused. ParamsError (one line) for what means nothing.
    """
    where = f"checklist {file}"
    unknown = min(map(str, set(tree) - _KEYS), default=None)
    if unknown is not None:
        raise ParamsError(f"{where}: unknown key {unknown!r}; {nearest(unknown, sorted(_KEYS))}")
    criteria, bins = tree.get("criteria"), conditions.read_bins(tree, where)
    if not isinstance(criteria, dict) or not criteria:
        raise ParamsError(f"{where}: give criteria: {{code: {{words: {{en: …, zh: …}}, f: 4-5}}}}")
    words, rules = {}, {}
    for code, entry in criteria.items():
        words[str(code)], rules[str(code)] = _criterion(str(code), entry, where)
        _prove(rules[str(code)], bins, f"{where}, {code}")
    used = {key for rule in rules.values() for condition in _conditions(rule) for key in condition}
    traits = [trait for trait in conditions.TRAITS if trait in used]
    return Checklist(str(tree.get("name", Path(file).stem)), bins, rules, words, traits)


def _criterion(code: str, entry, where: str) -> tuple[dict[str, str], dict]:
    if code in {"met", "known", *conditions.CONDITIONS}:
        raise ParamsError(f"{where}: the code {code!r} is kept for a column beside the criteria; rename it")
    if not isinstance(entry, dict) or not isinstance(entry.get("words"), dict):
        raise ParamsError(f"{where}: {code!r} needs its words, such as {{en: High frequency, zh: 高频次}}")
    rule = {key: asked for key, asked in entry.items() if key != "words"}
    _check(rule, f"{where}, {code}")
    return {language: str(said) for language, said in entry["words"].items()}, rule


def _check(rule, where: str) -> None:
    if not isinstance(rule, dict) or not rule or set(rule) - {*conditions.CONDITIONS, *_LISTS}:
        found = sorted(map(str, rule)) if isinstance(rule, dict) else rule
        known = ", ".join((*conditions.CONDITIONS, *_LISTS))
        raise ParamsError(f"{where}: a criterion holds one or more of {known}; found {found}")
    for key, asked in rule.items():
        if key in _LISTS and (not isinstance(asked, list) or not asked):
            raise ParamsError(f"{where}: {key} is a list such as [{{referrals: 1+}}, {{nps: 9-10}}]")
        if asked == conditions.UNKNOWN:
            raise ParamsError(f"{where}: {key} cannot be asked to be unknown; what is missing is not failed here")
        for part in asked if key in _LISTS else []:
            _check(part, where)


def _conditions(rule: dict) -> list[dict]:
    """The rule and all rules within it, each without its lists."""
    own = {key: asked for key, asked in rule.items() if key not in _LISTS}
    return [own, *itertools.chain.from_iterable(_conditions(part) for key in _LISTS for part in rule.get(key, []))]


def _prove(rule: dict, bins: int, where: str) -> None:
    grid = conditions.axes(bins, conditions.levels(_conditions(rule), where))
    every = dict(zip(grid, (axis.reshape(-1) for axis in np.broadcast_arrays(*grid.values())), strict=True))
    judged = _judge(rule, every, where)
    if not judged.any() or judged.all():
        raise ParamsError(
            f"{where}: the criterion is {'always' if judged.any() else 'never'} met; change its conditions"
        )
