"""Conditions of schemes and checklists: what a rule may ask of r, f, m, their sum, and of further traits."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.errors import ParamsError
from tierbook.params import nearest
from tierbook.scores.lifecycle import STAGES

UNKNOWN = "unknown"
SCORES = ("r", "f", "m")
LIMITS = {"requests": (0, np.inf), "satisfaction": (1, 5), "referrals": (0, np.inf), "nps": (0, 10)}
"""The least and the greatest value of each numeric trait; insight.traits says what each counts."""
TRAITS = ("stage", *LIMITS)
CONDITIONS = (*SCORES, "sum", *TRAITS)


def read_bins(tree: dict, where: str) -> int:
    """The number of scores a measure that a file stands on (default 5), refused unless a whole number from 2 to 9."""
    bins = tree.get("bins", 5)
    if not isinstance(bins, int) or not 2 <= bins <= 9:
        raise ParamsError(f"{where}: bins = {bins!r} is not a whole number from 2 to 9")
    return bins


def levels(rules: list[dict], where: str) -> dict[str, list]:
    """For every trait that rules name, where its levels begin: the steps that the rules' ranges cut it into."""
    named = [trait for trait in TRAITS if any(trait in rule for rule in rules)]
    asked = {trait: [rule[trait] for rule in rules if trait in rule] for trait in named}
    return {trait: list(STAGES) if trait == "stage" else _starts(trait, asked[trait], where) for trait in named}


def _starts(trait: str, asked: list, where: str) -> list:
    least, most = LIMITS[trait]
    ranges = [_range(text, where) for text in asked if text != UNKNOWN]
    ends = {end for low, high in ranges for end in (low, high + 1)}
    return [least, *sorted(end for end in ends if least < end <= most and np.isfinite(end))]


def axes(bins: int, traits: dict[str, list]) -> dict[str, np.ndarray]:
    """A value of every score and of every level of the traits (null for unknown), as axes that broadcast; and ``sum``."""
    nothing = {trait: None if trait == "stage" else np.nan for trait in traits}
    points = {letter: np.arange(1, bins + 1) for letter in SCORES}
    points |= {trait: np.array([nothing[trait], *starts]) for trait, starts in traits.items()}
    grid = dict(zip(points, np.meshgrid(*points.values(), indexing="ij", sparse=True), strict=True))
    return {**grid, "sum": grid["r"] + grid["f"] + grid["m"]}


def meets(key: str, asked, values: np.ndarray, where: str) -> np.ndarray:
    """Whether each value meets what a rule asks of a score or a trait.

    ``asked`` is a whole number, a range such as 4-5 or 3+ (a value between two whole ones counts as the lower), for
    ``stage`` a code or a list of codes, for any trait ``unknown``. Null meets ``unknown`` alone. ParamsError otherwise.
    """
    if key in TRAITS and asked == UNKNOWN:
        return pd.isna(values)
    if key == "stage":
        codes = [str(code) for code in asked] if isinstance(asked, list) else [str(asked)]
        strange = [code for code in codes if code not in STAGES]
        if strange:
            raise ParamsError(f"{where}: {strange[0]!r} is not a stage; {nearest(strange[0], list(STAGES))}")
        return np.isin(values, codes)
    low, high = _range(asked, where)
    least, most = LIMITS.get(key, (-np.inf, np.inf))
    if low < least or most < (low if np.isinf(high) else high):
        raise ParamsError(f"{where}: {key} {asked!r} lies outside {least} to {most}")
    whole = np.floor(values)
    return (whole >= low) & (whole <= high)


def _range(text, where: str) -> tuple[float, float]:
    try:
        if str(text).endswith("+"):
            return int(str(text)[:-1]), np.inf
        low, _, high = str(text).partition("-")
        found = int(low), int(high or low)
        if found[0] > found[1]:
            raise ValueError
        return found
    except ValueError:
        raise ParamsError(f"{where}: {text!r} is not a score or a rising range such as 4-5 or 3+") from None


def spell_level(trait: str, starts: list, place: int) -> str:
    """A level of a trait as a rule would write it: unknown, a stage, 2, 3-4 or 3+."""
    if place == 0:
        return UNKNOWN
    if trait == "stage":
        return starts[place - 1]
    low, high = starts[place - 1], ([*starts, LIMITS[trait][1] + 1][place]) - 1
    return f"{low}+" if np.isinf(high) else str(low) if low == high else f"{low}-{high}"
