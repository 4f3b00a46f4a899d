"""Maps from r × f × m cells to names: segments and tiers, each proven a partition when it is loaded."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tierbook.errors import ParamsError
from tierbook.params import ROOT, nearest, read_yaml, resolve

SCHEMES = ROOT / "params" / "schemes"
OUTSIDE = "outside"
_KEYS = {"name", "about", "bins", "scores", "names", "cells", "rules"}
_RULE_KEYS = {"name", "r", "f", "m", "sum"}


@dataclass(frozen=True)
class Scheme:
    """A named partition of the r × f × m cells.

    ``order`` lists the names best first, ``words`` their names per language, ``table`` the position in ``order`` of
    every cell, r slowest. ``scores`` is ``rfm`` (the report's scores) or ``mean`` (split at the mean, two bins).
    """

    name: str
    bins: int
    scores: str
    order: list[str]
    words: dict[str, dict[str, str]]
    table: np.ndarray

    def apply(self, scores: pd.DataFrame) -> pd.Series:
        """The name of each customer's cell, a categorical ordered best first; null where a score is null."""
        known = scores[["r", "f", "m"]].notna().all(axis=1).to_numpy()
        r, f, m = (scores[c].to_numpy(dtype=int, na_value=1) - 1 for c in "rfm")
        if len(scores) and max(r.max(), f.max(), m.max()) >= self.bins:
            raise ParamsError(f"scheme {self.name} has {self.bins} scores a measure; a score above that was given")
        codes = np.where(known, self.table[(r * self.bins + f) * self.bins + m], -1)
        return pd.Series(pd.Categorical.from_codes(codes, self.order, ordered=True), index=scores.index)

    def rank(self, names: pd.Series) -> pd.Series:
        """Position of each name, 0 the best; ``outside`` and null come after the last."""
        return (
            names.astype(object).map({name: n for n, name in enumerate(self.order)}).fillna(len(self.order)).astype(int)
        )


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
    the first that matches names the cell; a rule gives r, f, m or sum as a number or a range such as 4-5.
    """
    unknown = set(tree) - _KEYS
    if unknown:
        raise ParamsError(f"scheme {where}: unknown key {min(unknown)!r}; {nearest(min(unknown), sorted(_KEYS))}")
    if not isinstance(tree.get("names"), dict) or ("cells" in tree) == ("rules" in tree):
        raise ParamsError(f"scheme {where}: give names: {{code: {{en: …, zh: …}}}} and either cells or rules")
    bins = tree.get("bins", 5)
    if not isinstance(bins, int) or not 2 <= bins <= 9:
        raise ParamsError(f"scheme {where}: bins = {bins!r} is not a whole number from 2 to 9")
    if OUTSIDE in tree["names"]:
        raise ParamsError(f"scheme {where}: the code 'outside' is kept for customers without an order in the window")
    cells = list(itertools.product(range(1, bins + 1), repeat=3))
    order = [str(name) for name in tree["names"]]
    named = _from_cells(tree["cells"], where) if "cells" in tree else _from_rules(tree["rules"], cells, where)
    used = [str(name) for name in tree["cells"]] if "cells" in tree else [str(rule["name"]) for rule in tree["rules"]]
    strange = sorted(set(used) - set(order))
    if strange:
        raise ParamsError(f"scheme {where}: {strange[0]!r} has no entry under names; {nearest(strange[0], order)}")
    holes = [cell for cell in cells if cell not in named]
    outside = [cell for cell in named if cell not in set(cells)]
    if holes or outside:
        what, some = ("no name", holes) if holes else (f"not three scores from 1 to {bins}", outside)
        raise ParamsError(
            f"scheme {where}: {len(some)} cells have {what}, first {_spell(some)}; every cell needs exactly one name"
        )
    table = np.array([order.index(named[cell]) for cell in cells])
    wordless = [code for code, entry in tree["names"].items() if not isinstance(entry, dict)]
    if wordless:
        raise ParamsError(f"scheme {where}: {wordless[0]!r} needs its words, such as {{en: High value, zh: 高价值}}")
    words = {str(code): {k: str(v) for k, v in entry.items()} for code, entry in tree["names"].items()}
    return Scheme(str(tree.get("name", Path(where).stem)), bins, str(tree.get("scores", "rfm")), order, words, table)


def _from_cells(cells: dict, where: str) -> dict:
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


def _from_rules(rules: list[dict], cells: list[tuple], where: str) -> dict:
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise ParamsError(f"scheme {where}: rules is a list such as [{{name: high, m: 5}}, {{name: low}}]")
    unnamed = [rule for rule in rules if "name" not in rule or set(rule) - _RULE_KEYS]
    if unnamed:
        raise ParamsError(f"scheme {where}: a rule holds name and any of r, f, m, sum; found {sorted(unnamed[0])}")
    named = {}
    for cell in cells:
        values = dict(zip("rfm", cell, strict=True), sum=sum(cell))
        match = next((rule for rule in rules if _matches(rule, values, where)), None)
        if match is not None:
            named[cell] = str(match["name"])
    return named


def _matches(rule: dict, values: dict[str, int], where: str) -> bool:
    return all(low <= values[key] <= high for key in rule if key != "name" for low, high in [_range(rule[key], where)])


def _range(text, where: str) -> tuple[int, int]:
    try:
        low, _, high = str(text).partition("-")
        found = int(low), int(high or low)
        if found[0] > found[1]:
            raise ValueError
        return found
    except ValueError:
        raise ParamsError(f"scheme {where}: {text!r} is not a score or a rising range such as 4-5") from None


def _spell(cells: list[tuple]) -> str:
    return ", ".join("".join(map(str, cell)) for cell in cells[:5])
