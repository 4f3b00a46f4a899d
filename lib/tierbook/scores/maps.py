"""Maps from r × f × m cells, and from further traits, to names: segments and tiers, each proven a partition on load."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from tierbook.errors import ParamsError
from tierbook.params import ROOT, nearest, read_yaml, resolve
from tierbook.scores import conditions

SCHEMES = ROOT / "params" / "schemes"
OUTSIDE = "outside"
_KEYS = {"name", "about", "bins", "scores", "names", "cells", "rules"}


@dataclass(frozen=True)
class Scheme:
    """A named partition of the r × f × m cells, or of these and further traits.

    ``order`` lists the names best first, ``words`` their names per language, ``table`` the position in ``order`` of
    every cell, r slowest. ``scores`` is ``rfm`` (the report's scores) or ``mean`` (split at the mean, two bins).
    ``traits`` holds for every trait the rules name where its levels begin (of ``stage``, the codes); it is empty for a
    plain scheme. Each trait is a further axis of ``table``: unknown first, then the levels.
    """

    name: str
    bins: int
    scores: str
    order: list[str]
    words: dict[str, dict[str, str]]
    table: np.ndarray
    traits: dict[str, list] = field(default_factory=dict)

    def apply(self, scores: pd.DataFrame) -> pd.Series:
        """The name of each customer's cell, a categorical ordered best first; null where a score is null.

        ``scores``: r, f, m and the columns of ``traits``; a null trait is unknown, which is a level of its own.
        """
        known = scores[["r", "f", "m"]].notna().all(axis=1).to_numpy()
        r, f, m = (scores[c].to_numpy(dtype=int, na_value=1) - 1 for c in conditions.SCORES)
        if len(scores) and max(r.max(), f.max(), m.max()) >= self.bins:
            raise ParamsError(f"scheme {self.name} has {self.bins} scores a measure; a score above that was given")
        place = (r * self.bins + f) * self.bins + m
        if self.traits:
            place = place * self.table[0].size + self.trait_cell(scores)
        codes = np.where(known, self.table.reshape(-1)[place], -1)
        return pd.Series(pd.Categorical.from_codes(codes, self.order, ordered=True), index=scores.index)

    def trait_cell(self, traits: pd.DataFrame) -> np.ndarray:
        """The position of each row among the combinations of trait levels, the last trait fastest; 0 without traits."""
        missing = [trait for trait in self.traits if trait not in traits]
        if missing:
            raise ParamsError(
                f"scheme {self.name} asks for {', '.join(missing)}, which is not given here; name one of r, f and m"
            )
        place = np.zeros(len(traits), dtype=int)
        for trait, starts in self.traits.items():
            place = place * (len(starts) + 1) + _level(trait, starts, traits[trait])
        return place

    def rank(self, names: pd.Series) -> pd.Series:
        """Position of each name, 0 the best; ``outside`` and null come after the last."""
        return (
            names.astype(object).map({name: n for n, name in enumerate(self.order)}).fillna(len(self.order)).astype(int)
        )


def _level(trait: str, starts: list, values: pd.Series) -> np.ndarray:
    """0 for unknown, else 1 plus the number of levels below."""
    if trait == "stage":
        return pd.Index(starts).get_indexer(values.astype(object)) + 1
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isnan(numbers), 0, 1 + np.searchsorted(starts[1:], numbers, side="right"))


def require_bins(scheme: Scheme, bins: int) -> None:
    """Refuse a scheme that stands on another number of scores than the scale gives."""
    if scheme.bins != bins:
        raise ParamsError(
            f"scheme {scheme.name} stands on {scheme.bins} scores a measure, the scale has {bins}; "
            f"write rfm: {{method: quantile, bins: {scheme.bins}}}, or name a scheme with bins: {bins}"
        )


def find(name: str) -> Scheme:
    """A scheme by its name under params/schemes, or a YAML file of the user's."""
    path = SCHEMES / f"{name}.yaml"
    if not path.exists():
        path = resolve(name)
        if not path.is_file():
            known = sorted(p.stem for p in SCHEMES.glob("*.yaml"))
            raise ParamsError(f"scheme {name!r} is neither a file nor in params/schemes; {nearest(name, known)}")
    return parse(read_yaml(path, "scheme"), path.name)


def parse(tree: dict, where: str) -> Scheme:
    """Build a scheme from its YAML and prove that it gives every cell exactly one name.

    ``cells`` lists the cells of each name (a cell named twice, or never, is an error). ``rules`` are read in order and
    the first that matches names the cell; see `conditions.meets` for what a rule may ask. Where rules name traits, every cell must
    have its name at every combination of the traits' levels, unknown among them.
    """
    if "criteria" in tree:
        raise ParamsError(f"scheme {where}: this is a checklist of criteria, not a scheme; name one that has names")
    _refuse_keys(tree, where)
    order, bins = [str(name) for name in tree["names"]], conditions.read_bins(tree, f"scheme {where}")
    if "cells" in tree:
        traits, table = {}, _from_cells(tree["cells"], order, bins, where)
    else:
        traits, table = _from_rules(tree["rules"], order, bins, where)
    words = {str(code): {k: str(v) for k, v in entry.items()} for code, entry in tree["names"].items()}
    name = str(tree.get("name", Path(where).stem))
    return Scheme(name, bins, str(tree.get("scores", "rfm")), order, words, table, traits)


def _refuse_keys(tree: dict, where: str) -> None:
    unknown = min(map(str, set(tree) - _KEYS), default=None)
    if unknown is not None:
        raise ParamsError(f"scheme {where}: unknown key {unknown!r}; {nearest(unknown, sorted(_KEYS))}")
    if not isinstance(tree.get("names"), dict) or ("cells" in tree) == ("rules" in tree):
        raise ParamsError(f"scheme {where}: give names: {{code: {{en: …, zh: …}}}} and either cells or rules")
    if OUTSIDE in tree["names"]:
        raise ParamsError(f"scheme {where}: the code 'outside' is kept for customers without an order in the window")
    wordless = [code for code, entry in tree["names"].items() if not isinstance(entry, dict)]
    if wordless:
        raise ParamsError(f"scheme {where}: {wordless[0]!r} needs its words, such as {{en: High value, zh: 高价值}}")


def _require_names(used, order: list[str], where: str) -> None:
    strange = sorted({str(name) for name in used} - set(order))
    if strange:
        raise ParamsError(f"scheme {where}: {strange[0]!r} has no entry under names; {nearest(strange[0], order)}")


def _from_cells(cells: dict, order: list[str], bins: int, where: str) -> np.ndarray:
    named = _listed(cells, where)
    _require_names(cells, order, where)
    every = list(itertools.product(range(1, bins + 1), repeat=3))
    holes, outside = [c for c in every if c not in named], [c for c in named if c not in set(every)]
    if holes or outside:
        what, some = ("no name", holes) if holes else (f"not three scores from 1 to {bins}", outside)
        raise ParamsError(
            f"scheme {where}: {len(some)} cells have {what}, first {_spell(some)}; every cell needs exactly one name"
        )
    return np.array([order.index(named[cell]) for cell in every])


def _listed(cells: dict, where: str) -> dict[tuple, str]:
    if not isinstance(cells, dict) or not all(isinstance(listed, list) for listed in cells.values()):
        raise ParamsError(f"scheme {where}: cells lists the cells of each name, such as high: [555, 554]")
    named: dict[tuple, str] = {}
    twice = []
    for name, listed in cells.items():
        for cell in listed:
            if not str(cell).isdecimal():
                raise ParamsError(f"scheme {where}: {cell!r} under {name!r} is not a cell such as 554")
            key = tuple(int(digit) for digit in str(cell))
            twice += [key] if key in named else []
            named[key] = str(name)
    if twice:
        raise ParamsError(
            f"scheme {where}: {len(twice)} cells stand twice, first {_spell(twice)}; every cell needs exactly one name"
        )
    return named


def _from_rules(rules: list[dict], order: list[str], bins: int, where: str) -> tuple[dict[str, list], np.ndarray]:
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise ParamsError(f"scheme {where}: rules is a list such as [{{name: high, m: 5}}, {{name: low}}]")
    unnamed = [rule for rule in rules if "name" not in rule or set(rule) - {"name", *conditions.CONDITIONS}]
    if unnamed:
        known = ", ".join(conditions.CONDITIONS)
        raise ParamsError(f"scheme {where}: a rule holds name and any of {known}; found {sorted(map(str, unnamed[0]))}")
    _require_names((rule["name"] for rule in rules), order, where)
    traits = conditions.levels(rules, f"scheme {where}")
    grid = conditions.axes(bins, traits)
    table = np.full(np.broadcast_shapes(*(axis.shape for axis in grid.values())), -1)
    for rule in reversed(rules):
        fits = np.ones(table.shape, dtype=bool)
        for key in rule.keys() - {"name"}:
            fits &= conditions.meets(key, rule[key], grid[key], f"scheme {where}")
        table[fits] = order.index(str(rule["name"]))
    _refuse_holes(np.argwhere(table < 0), traits, where)
    return traits, table.reshape(-1, *table.shape[3:])


def _refuse_holes(holes: np.ndarray, traits: dict[str, list], where: str) -> None:
    if not len(holes):
        return
    told = _spell(holes[: 1 if traits else 5, :3] + 1)
    if traits:
        level = zip(traits.items(), holes[0, 3:], strict=True)
        told += " with " + ", ".join(
            f"{trait} {conditions.spell_level(trait, starts, at)}" for (trait, starts), at in level
        )
    raise ParamsError(
        f"scheme {where}: {len(holes)} cells have no name, first {told}; every cell needs exactly one name"
    )


def _spell(cells) -> str:
    return ", ".join("".join(map(str, cell)) for cell in cells[:5])
