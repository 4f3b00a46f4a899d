"""The early warning judged on its own past, beside the simple rules a shop would otherwise use."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook import history, lookup
from tierbook.accounting import day_number
from tierbook.insight.voice import share
from tierbook.scores.lifecycle import own_gap
from tierbook.scores.likelihood import ValueNotEstimable
from tierbook.scores.risk import BUDGET, RiskRule, is_candidate

if TYPE_CHECKING:
    from tierbook.scores.purchases import BetaGeoNBD

OURS = "ours"
RULES = (
    "both_fell_by_half", "either_fell", "silent_3x_gap", "recency_top_20", "p_alive_top_20", "expected_orders_top_20",
    OURS,
)  # fmt: skip
COLUMNS = [
    "rule", "alerted_share", "base_rate", "precision", "precision_low", "precision_high", "recall", "lift", "auc",
]  # fmt: skip
SILENT_GAPS = 3
SMALL = 10


def halves(days: nw.LazyFrame, as_of: dt.date, window_days: int) -> nw.LazyFrame:
    """Purchase days and net money in the window's recent half and in the half before it, per customer with a purchase in it.

    Columns customer_id, window_first_day (first purchase day within the window), recent_days, recent_net, earlier_days,
    earlier_net; recent are the last ``window_days // 2`` days up to as_of. One pass over `history.customer_days`.
    """
    end, day = day_number(as_of), nw.col("day")
    bought, recent = nw.col("orders") > 0, day > end - window_days // 2
    parts = {"recent": recent, "earlier": ~recent}
    return (
        days.filter(day <= end, day > end - window_days)
        .group_by("customer_id")
        .agg(
            nw.when(bought).then(day).min().alias("window_first_day"),
            *(nw.when(bought & part).then(1).otherwise(0).sum().alias(f"{name}_days") for name, part in parts.items()),
            *(nw.when(part).then("net").otherwise(0).sum().alias(f"{name}_net") for name, part in parts.items()),
        )
        .filter(~nw.col("window_first_day").is_null())
    )


def window_purchases(then: nw.LazyFrame, half: nw.LazyFrame) -> nw.LazyFrame:
    """The customers with a purchase in the window, those alike counted: x, t_x, T as if nothing were known of before it,
    and ``customers``.

    ``then``: a history at the cut; ``half``: `halves` of the window up to it.
    """
    first = nw.col("window_first_day")
    found = then.join(half, on="customer_id", how="inner").select(
        (nw.col("recent_days") + nw.col("earlier_days") - 1).alias("x"),
        (nw.col("last_day") - first).alias("t_x"),
        (nw.col("first_day") + nw.col("T") - first).alias("T"),
    )
    return history.distinct(found, ["x", "t_x", "T"])


def window_model(purchases: pd.DataFrame) -> BetaGeoNBD | None:
    """BG/NBD fitted on `window_purchases`; None where it cannot be."""
    from tierbook.scores.purchases import BetaGeoNBD

    purchases = purchases.sort_values(["x", "t_x", "T"], ignore_index=True)  # the order of rows moves last digits
    try:
        return BetaGeoNBD().fit(purchases["x"], purchases["t_x"], purchases["T"], weights=purchases["customers"])
    except ValueNotEstimable:
        return None


def rule_scores(then: pd.DataFrame, half: pd.DataFrame, rule: RiskRule, model: BetaGeoNBD | None) -> pd.DataFrame:
    """What each rule says of the candidates of ``then`` (a history at the cut): a column a rule, on their index.

    Yes/no rules are bool: both_fell_by_half, purchase days and money of the window's recent half (`halves`) both at
    most half of the earlier half's; either_fell, one of the two below the earlier half's; silent_3x_gap, silent for more
    than three own gaps. The others are scores, the highest warned of first: days silent; 1 - P(alive) and minus expected
    rate × P(alive), both by the ``model`` fitted on the window's purchases of all customers (`window_model`; null without
    one); our risk. ``rule`` must come from histories up to the cut (`risk.fit_risk`), else it knows the outcome.
    """
    window = lookup.rows(then["customer_id"], half)
    rows = is_candidate(then)
    people, part = then[rows], window[rows].drop(columns="customer_id").astype(float)
    alive, rate = _in_window(people, part, model)
    fewer, less = ((part[f"recent_{c}"], part[f"earlier_{c}"]) for c in ("days", "net"))
    columns = {
        "both_fell_by_half": (2 * fewer[0] <= fewer[1]) & (2 * less[0] <= less[1]),
        "either_fell": (fewer[0] < fewer[1]) | (less[0] < less[1]),
        "silent_3x_gap": people["recency_days"] > SILENT_GAPS * own_gap(people, rule.cadence),
        "recency_top_20": people["recency_days"].astype(float),
        "p_alive_top_20": 1 - alive,
        "expected_orders_top_20": -(alive * rate),
        OURS: rule.apply(people),
    }
    # Twelve digits: the last binary ones depend on where in the frame a row stands.
    return pd.DataFrame(columns, index=people.index).round(12)


def _in_window(people: pd.DataFrame, window: pd.DataFrame, model: BetaGeoNBD | None) -> tuple[pd.Series, pd.Series]:
    """P(alive) and expected purchase rate while alive, by purchases within the window alone."""
    if model is None:
        nothing = pd.Series(np.nan, index=people.index)
        return nothing, nothing
    first = window["window_first_day"]
    x, t_x = window["recent_days"] + window["earlier_days"] - 1, people["last_day"] - first
    span = people["first_day"] + people["T"] - first
    alive = pd.Series(model.probability_alive(x, t_x, span), index=people.index)
    return alive, (model.params_["r"] + x) / (model.params_["alpha"] + span)


def backtest(scores: pd.DataFrame, silent: pd.Series) -> pd.DataFrame:
    """alert_backtest.csv (DESIGN §6): each rule of ``scores`` (`rule_scores`) against who stayed ``silent`` (bool).

    alerted_share of the candidates; base_rate, the share of all who stayed silent; precision, the share of the alerted
    who did, with its 95 % Wilson interval; recall, the share of the silent who were alerted; lift, precision over base
    rate; auc, the probability that a silent customer scores above one who came back, ties half. Scores alert 20 % of the
    candidates, rounded up; where equal scores meet at that edge, each counts for the part of the places left, so the
    order of rows decides nothing. Precision, recall and lift are null on fewer than 10 alerted, recall and lift where nobody
    stayed silent, auc for yes/no rules and where all ended alike, all on fewer than 10 candidates or without a score.
    """
    outcome = silent.reindex(scores.index).to_numpy(dtype=bool)
    return pd.DataFrame([{"rule": name, **_judged(scores[name], outcome)} for name in scores], columns=COLUMNS)


def _judged(score: pd.Series, silent: np.ndarray) -> dict[str, float]:
    n, yes_no = len(silent), score.dtype == bool
    if n < SMALL or score.isna().any():
        return dict.fromkeys(COLUMNS[1:], np.nan)
    alerted = int(score.sum()) if yes_no else places(n)
    hits = float(silent[score.to_numpy()].sum()) if yes_no else _hits(*_by_score(score, silent), alerted)
    hit = share(hits, alerted)
    base = silent.mean()
    told = alerted >= SMALL and base > 0
    numbers = (
        alerted / n, base, hit["value"], hit["low"], hit["high"], hits / silent.sum() if told else np.nan,
        hit["value"] / base if told else np.nan, np.nan if yes_no else auc(score, silent),
    )  # fmt: skip
    return dict(zip(COLUMNS[1:], numbers, strict=True))


def places(candidates: int) -> int:
    """How many a 20 % budget alerts, rounded up."""
    return int(np.ceil(BUDGET * candidates - 1e-9))


def auc(score: pd.Series, silent: np.ndarray) -> float:
    """P(a silent customer scores above one who came back), ties half (Mann-Whitney); null where all ended alike."""
    positive, negative = int(silent.sum()), int((~silent).sum())
    if not positive or not negative:
        return np.nan
    ranks = score.rank().to_numpy()[silent].sum()
    return float((ranks - positive * (positive + 1) / 2) / (positive * negative))


def _by_score(score: pd.Series, silent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Customers and silent ones of each distinct score, the highest first."""
    groups = pd.factorize(-score.to_numpy(dtype=float), sort=True)[0]
    return np.bincount(groups), np.bincount(groups, weights=silent)


def _hits(customers: np.ndarray, silent: np.ndarray, budget: int) -> float:
    """Silent customers among the first ``budget``: of the score at its edge, in proportion."""
    taken = np.clip(budget - (np.cumsum(customers) - customers), 0, customers)
    return float((silent * taken / np.maximum(customers, 1)).sum())


class Paired(NamedTuple):
    """Precision of one score less that of another at the 20 % budget, with its 95 % bootstrap interval."""

    difference: float
    low: float
    high: float


def paired(ours: pd.Series, other: pd.Series, silent: pd.Series, seed: int, draws: int = 1000) -> Paired:
    """Compare two scores of the same candidates: customers are drawn with replacement, both judged on the same draw.

    The interval is the 2.5 to 97.5 % range of the draws. Rows are put in the order of their values first, so row order
    and ids change nothing. All null on fewer than 10 alerted.
    """
    pairs = pd.DataFrame({"ours": ours, "other": other, "silent": silent.reindex(ours.index)}).sort_values(
        ["ours", "other", "silent"], ignore_index=True
    )
    n, hit = len(pairs), pairs["silent"].to_numpy(dtype=bool)
    budget = places(n)
    if budget < SMALL:
        return Paired(np.nan, np.nan, np.nan)
    groups = [pd.factorize(-pairs[name].to_numpy(dtype=float), sort=True)[0] for name in ("ours", "other")]

    def difference(times: np.ndarray) -> float:
        first, second = (_hits(np.bincount(g, times), np.bincount(g, times * hit), budget) for g in groups)
        return (first - second) / budget

    generator = np.random.default_rng(seed)
    drawn = [difference(np.bincount(generator.integers(n, size=n), minlength=n)) for _ in range(draws)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Paired(difference(np.ones(n)), float(low), float(high))


def best_simple(table: pd.DataFrame) -> str | None:
    """The simple rule with the highest precision at the same budget (the first of equal ones); null where none has one."""
    simple = table[table["auc"].notna() & (table["rule"] != OURS) & table["precision"].notna()]
    return None if simple.empty else str(simple.loc[simple["precision"].idxmax(), "rule"])
