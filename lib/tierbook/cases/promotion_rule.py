"""Whom to give a promotion: a rule on at most two columns, chosen on one half of a trial and judged on the other.

A promotion can raise sales and still lose money on everyone who would have bought, or never will. The rule is chosen
where its profit is surest, not where it looks largest, and whether it pays is asked of customers that had no part in
the choice: a lucky rule has no luck left there.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from tierbook.errors import InputError, ParamsError
from tierbook.insight.campaign import MIN_BUYERS, effects

MOST_VALUES = 8
_Z = 1.959964


@dataclass(frozen=True)
class Promotion:
    """What was tried and what it costs: the trial's columns and the money of one sale and one promotion.

    ``arm`` is the column of the draw and ``control`` its value for those held out (every other value got it);
    ``outcome`` counts purchases (0/1 or more); ``price``: money earned by a purchase, ``cost``: of one promotion given,
    both in the report's currency, not negative.
    """

    arm: str = "Promotion"
    control: str = "No"
    outcome: str = "purchase"
    price: float = 10.0
    cost: float = 0.15

    def __post_init__(self):
        if self.price < 0 or self.cost < 0:
            raise ParamsError(f"promotion: price {self.price} and cost {self.cost} must not be negative")


class Rule(NamedTuple):
    """Give it to customers whose columns have one of these values, in every column named; no column: to everybody."""

    values: dict[str, tuple]

    def covers(self, customers: pd.DataFrame) -> pd.Series:
        """Whether the rule names each customer; a null value is never named."""
        inside = pd.Series(True, index=customers.index)
        for column, values in self.values.items():
            inside &= customers[column].isin(values)
        return inside

    def __str__(self) -> str:
        return " & ".join(f"{column} = {', '.join(map(str, values))}" for column, values in self.values.items())


class Advice(NamedTuple):
    """The rule chosen (None: none has a sure profit on the training half), `judge` of both halves, and whether to use it.

    ``everyone`` is `judge` of the other half without a rule. ``recommended``: the chosen rule's profit is shown above 0
    on the other half.
    """

    rule: Rule | None
    training: dict | None
    other: dict | None
    everyone: dict
    recommended: bool


def judge(trial: pd.DataFrame, promotion: Promotion, rule: Rule | None = None) -> dict:
    """What the promotion did among the customers a rule names (None: all), by the draw.

    customers, treated, control; effect: purchases per customer given it, less per customer held out, with its Welch
    95 % interval effect_low, effect_high; net_incremental: treated revenue less the promotions given less control revenue, as
    they stand, which compares only arms of about equal size; net_per_coupon: ``price × effect − cost``, with
    net_per_coupon_low, net_per_coupon_high; verdict: `campaign.effects` of the profit. Effect and the rest are null where
    an arm has nobody.
    """
    given, bought = _arms(trial, promotion)
    inside = np.ones(len(trial), dtype=bool) if rule is None else rule.covers(trial).to_numpy()
    given, bought = given[inside], bought[inside]
    n, control = int(given.sum()), int((~given).sum())
    found = {"customers": n + control, "treated": n, "control": control}
    if not n or not control:
        names = [f"{measure}{end}" for measure in ("effect", "net_per_coupon") for end in ("", "_low", "_high")]
        return {**found, **dict.fromkeys([*names, "net_incremental"], np.nan), "verdict": "not_enough_data"}
    profit = promotion.price * bought - promotion.cost * given
    arms = pd.DataFrame({"arm": np.where(given, "treated", "control"), "response": bought, "profit": profit})
    table = effects(arms, "control", ["response", "profit"]).set_index("outcome")
    for name, outcome in (("effect", "response"), ("net_per_coupon", "profit")):
        row = table.loc[outcome]
        found |= {f"{name}{end}": float(row[key]) for end, key in (("", "effect"), ("_low", "low"), ("_high", "high"))}
    revenue = promotion.price * float(bought[given].sum() - bought[~given].sum())
    return {**found, "net_incremental": revenue - promotion.cost * n, "verdict": table.loc["profit", "verdict"]}


def choose(trial: pd.DataFrame, promotion: Promotion, columns: list[str]) -> Rule | None:
    """The rule on at most two of ``columns`` whose total profit has the largest lower bound; None where none is above 0.

    Every subset of a column's values is tried, alone and with every subset of another's. The total is the customers a
    rule names times ``price × effect − cost``; its lower bound is the Welch interval's (normal, 95 %), which holds back
    small and lucky groups. A rule needs 30 purchases in each arm. Of equal rules the one with fewer columns is taken,
    then the first in the order of ``columns`` and values. The bound is that of one rule, and the best of hundreds is
    flattered: judge it on other customers.

    Raises
    ------
    InputError : a column is missing, or has more than 8 values (cut it into bands first)
    """
    given, bought = _arms(trial, promotion)
    values = {column: _values(trial, column) for column in columns}
    arm = given.astype(int)
    best, best_bound = None, 0.0
    for names in [(), *((name,) for name in columns), *combinations(columns, 2)]:
        codes = [values[name].get_indexer(trial[name]) for name in names]
        sums = _moments(codes, [len(values[name]) for name in names], arm, bought)
        subsets = [_proper_subsets(len(values[name])) for name in names]
        for axis, masks in enumerate(subsets):
            sums = np.moveaxis(np.tensordot(masks, sums, axes=(1, axis)), 0, axis)
        bounds = _lower_bound(sums, promotion)
        if bounds.size and bounds.max() > best_bound * (1 + 1e-12):
            at = np.unravel_index(bounds.argmax(), bounds.shape)
            picked = [masks[i] for masks, i in zip(subsets, at, strict=True)]
            best = Rule({c: tuple(values[c][m > 0].tolist()) for c, m in zip(names, picked, strict=True)})
            best_bound = bounds.max()
    return best


def advise(training: pd.DataFrame, other: pd.DataFrame, promotion: Promotion, columns: list[str]) -> Advice:
    """`choose` on the training half, `judge` on the other: recommended only where the other half shows that it pays."""
    rule, everyone = choose(training, promotion, columns), judge(other, promotion)
    if rule is None:
        return Advice(None, None, None, everyone, False)
    proof = judge(other, promotion, rule)
    return Advice(rule, judge(training, promotion, rule), proof, everyone, proof["verdict"] == "works_and_pays")


def _arms(trial, promotion):
    """Who was given it, and the purchases, as arrays."""
    missing = [name for name in (promotion.arm, promotion.outcome) if name not in trial]
    if missing:
        raise InputError(f"promotion trial: no column {missing}; there are {list(trial.columns)}")
    empty = trial[promotion.arm].isna() | trial[promotion.outcome].isna()
    if empty.any():
        raise InputError(f"promotion trial: {empty.sum()} of {len(trial)} rows lack the arm or the outcome; fill them")
    given = (trial[promotion.arm].astype(str) != promotion.control).to_numpy()
    return given, trial[promotion.outcome].to_numpy(dtype=float)


def _values(trial, column):
    if column not in trial:
        raise InputError(f"promotion trial: no column {column!r}; there are {list(trial.columns)}")
    values = pd.Index(np.sort(trial[column].dropna().unique()))
    if len(values) > MOST_VALUES:
        raise InputError(
            f"promotion trial: {column} has {len(values)} values; a rule takes at most {MOST_VALUES}: cut it into bands"
        )
    return values


def _proper_subsets(size):
    """One row of 0 and 1 per subset of ``size`` values that is neither empty nor whole, small subsets first."""
    number = np.arange(1, 2**size - 1)
    masks = (number[:, None] >> np.arange(size)) & 1
    return masks[np.argsort(masks.sum(axis=1), kind="stable")].astype(float)


def _moments(codes, sizes, arm, bought):
    """Customers, purchases and squared purchases by the columns' values and arm: shape (*sizes, 2, 3)."""
    known = np.all([code >= 0 for code in codes], axis=0) if codes else np.ones(len(arm), dtype=bool)
    cell = np.ravel_multi_index([*[code[known] for code in codes], arm[known]], (*sizes, 2))
    weights = [None, bought[known], bought[known] ** 2]
    sums = [np.bincount(cell, weight, int(np.prod(sizes, dtype=int)) * 2) for weight in weights]
    return np.stack(sums, axis=-1).astype(float).reshape(*sizes, 2, 3)


def _lower_bound(sums, promotion):
    n, total, squares = np.moveaxis(sums, -1, 0)
    enough = (total >= MIN_BUYERS).all(axis=-1) & (n > 1).all(axis=-1)
    n = np.maximum(n, 2)
    mean = total / n
    se = np.sqrt(((squares - n * mean**2) / (n - 1) / n).sum(axis=-1))
    lift = mean[..., 1] - mean[..., 0]
    bound = n.sum(axis=-1) * (promotion.price * (lift - _Z * se) - promotion.cost)
    return np.where(enough, bound, -np.inf)
