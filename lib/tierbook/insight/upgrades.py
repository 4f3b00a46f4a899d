"""Upgrade candidates (升级候选名单): what is missing to a better tier at the next report, and until when."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.params import Rfm
from tierbook.scores.maps import Scheme, require_bins
from tierbook.scores.rfm import Scale

_LIVELY = ("active", "loyal")


def left_over(history: pd.DataFrame, rules: Rfm) -> pd.DataFrame:
    """frequency and monetary that each customer keeps in the window of a later date without a further order.

    ``history``: `history.history` at that date of the orders known now (window_orders, window_active_days, window_net).
    Money of refunds stays when the order they belong to has left. monetary is null where it is an average or a margin:
    what is spent then does not tell what it becomes.
    """
    frequency = history["window_orders" if rules.frequency == "orders" else "window_active_days"].astype(float)
    money = history["window_net"].astype(float) if rules.monetary == "total" else np.nan
    return pd.DataFrame({"frequency": frequency, "monetary": money}, index=history.index)


def next_tier(now: pd.DataFrame, later: pd.DataFrame, scale: Scale, scheme: Scheme, days_left: int) -> pd.DataFrame:
    """What is missing to a better tier: next_tier, orders_missing, spend_missing, alt_orders, alt_spend.

    ``now``: tier (code; null or ``outside`` has no next tier) and the columns of ``scheme.traits``. ``later``:
    frequency and monetary in the window that ends ``days_left`` days on, at the next report, if nothing more is bought
    (see `left_over`), same rows.

    Placing orders_missing further orders (at least 1; days with a purchase where frequency counts days) with
    spend_missing money or more in them (0: any amount) on any days of those ``days_left`` gives next_tier or better on
    ``scale`` at their end: recency is taken as after an order on the first of these days, and no higher score of r, f
    or m may lower the tier. An order makes the stage ``active`` unless it is that or ``loyal``; other traits stay.

    There may be two ways to a tier better than the present one: the fewest orders with the least money in so many, and
    the least money (alt_orders, alt_spend) with the fewest orders for it; alt is null where they coincide. next_tier is
    the tier that both give. All null where no better tier can be promised. Where monetary is null nothing is known of
    m, and only what holds for every m is promised.
    """
    require_bins(scheme, scale.bins)
    frequency = later["frequency"].fillna(0).to_numpy(dtype=float)
    monetary = later["monetary"].to_numpy(dtype=float, na_value=np.nan)
    rank, combination = scheme.rank(now["tier"]).to_numpy(), scheme.trait_cell(_after_an_order(now, scheme))
    f = np.searchsorted(scale.cuts["frequency"], frequency + 1)
    m = np.where(np.isnan(monetary), scale.bins, np.searchsorted(scale.cuts["monetary"], monetary))
    sure, stand = _sure(scheme, scale, days_left), (np.minimum(rank, len(scheme.order) - 1), combination, f, m)
    found, tiers, costs = rank < len(scheme.order), [], []
    for money_first in (False, True):
        to_f, to_m = _goals(sure, len(scheme.order), scale, money_first)[stand].T
        found = found & (to_f >= 0)
        tiers.append(sure[combination, to_f, to_m])
        costs += [_orders(scale, frequency, f, to_f), _spend(scale, monetary, m, to_m)]
    names = np.asarray(scheme.order, dtype=object)[np.maximum(*tiers)]
    return _told(pd.Series(np.where(found, names, None), index=now.index, dtype=object), costs)


def _told(names: pd.Series, costs: list[np.ndarray]) -> pd.DataFrame:
    orders, spend, alt_orders, alt_spend = (np.where(names.notna(), cost, np.nan) for cost in costs)
    same = (orders == alt_orders) & (spend == alt_spend)
    return pd.DataFrame(
        {
            "next_tier": names,
            "orders_missing": orders,
            "spend_missing": spend,
            "alt_orders": np.where(same, np.nan, alt_orders),
            "alt_spend": np.where(same, np.nan, alt_spend),
        }
    )


def _after_an_order(now: pd.DataFrame, scheme: Scheme) -> pd.DataFrame:
    if "stage" not in scheme.traits:
        return now
    stage = now["stage"].astype(object)
    return now.assign(stage=stage.where(stage.isin(_LIVELY), "active"))


def _sure(scheme: Scheme, scale: Scale, days_left: int) -> np.ndarray:
    """By combination of traits, f and m: the worst tier of all cells with that f and m or more, and r as it is
    ``days_left`` − 1 days after an order, or more."""
    least_r = scheme.bins - 1 - np.searchsorted(scale.cuts["recency_days"], days_left - 1)
    worst = scheme.table.reshape(scheme.bins, scheme.bins, scheme.bins, -1)[least_r:].max(axis=0)
    for axis in (0, 1):
        worst = np.flip(np.maximum.accumulate(np.flip(worst, axis), axis), axis)
    return np.moveaxis(worst, -1, 0)


def _goals(sure: np.ndarray, tiers: int, scale: Scale, money_first: bool) -> np.ndarray:
    """By tier, combination of traits, f after one order and m (``bins``: unknown): f and m of the cheapest cell with a
    better tier, −1 for none. Both costs rise with their score, so the order of the cells is that of the costs."""
    better = sure < np.arange(tiers)[:, None, None, None]
    goal = np.full((*better.shape[:2], scale.bins, scale.bins + 1, 2), -1)
    lands_f, lands_m = _lands(scale)
    dearest_first = sorted(
        np.ndindex(scale.bins, scale.bins), key=lambda c: c[::-1] if money_first else c, reverse=True
    )
    for f, m in dearest_first:
        from_f = slice(0 if lands_f[f] else f, f + 1)
        from_m = [*range(0 if lands_m[m] else m, m + 1), *([scale.bins] if m == 0 else [])]
        there = better[:, :, f, m][:, :, None, None, None]
        goal[:, :, from_f, from_m] = np.where(there, (f, m), goal[:, :, from_f, from_m])
    return goal


def _lands(scale: Scale) -> tuple[np.ndarray, np.ndarray]:
    """Which scores the least value above their cut point has. Scores whose cut points coincide are passed over by every
    customer, so nobody can be asked to reach them."""
    least = (np.floor(scale.cuts["frequency"]) + 1, _cents_above(np.asarray(scale.cuts["monetary"])))
    cuts = (scale.cuts["frequency"], scale.cuts["monetary"])
    scores = np.arange(1, scale.bins)
    f, m = (np.searchsorted(at, values) == scores for at, values in zip(cuts, least, strict=True))
    return np.concatenate([[True], f]), np.concatenate([[True], m])


def _orders(scale: Scale, frequency: np.ndarray, f: np.ndarray, to_f: np.ndarray) -> np.ndarray:
    needed = np.floor(np.asarray(scale.cuts["frequency"])[np.maximum(to_f, 1) - 1]) + 1 - frequency
    return np.where(to_f > f, needed, 1.0)


def _spend(scale: Scale, monetary: np.ndarray, m: np.ndarray, to_m: np.ndarray) -> np.ndarray:
    needed = _cents_above(np.asarray(scale.cuts["monetary"])[np.maximum(to_m, 1) - 1] - monetary)
    return np.where(to_m > m, needed, 0.0)


def _cents_above(money: np.ndarray) -> np.ndarray:
    """The least whole cents above an amount; a hair is added, as 0.30 − 0.10 must not count as less than 0.20."""
    return (np.floor(money * 100 + 1e-6) + 1) / 100


def upgrade_candidates(book: pd.DataFrame, missing: pd.DataFrame, most: int = 20) -> pd.DataFrame:
    """Customers short of a better tier, the highest net sales of the window first (then by id).

    ``missing``: customer_id, the columns of `next_tier` and deadline (the date of the next report). Columns:
    customer_id, tier, stage, monetary, next_tier, orders_missing, spend_missing, alt_orders, alt_spend (further net
    sales; null where orders of any size will do, and alt null where there is one way only), deadline.
    """
    people = book[["customer_id", "tier", "stage", "monetary"]].merge(missing, on="customer_id", validate="one_to_one")
    candidates = people[people["next_tier"].notna()]
    spend = {name: candidates[name].where(candidates[name] > 0) for name in ("spend_missing", "alt_spend")}
    ordered = candidates.assign(**spend).sort_values(
        ["monetary", "customer_id"], ascending=[False, True], kind="stable"
    )
    return ordered.head(most).reset_index(drop=True)


def steps(candidates: pd.DataFrame) -> pd.DataFrame:
    """`upgrade_candidates` counted from which tier to which: tier, next_tier, customers, one (of them those whom one
    further order of any size is enough for), median_spend (of those who lack money) and monetary (sum)."""
    one = (candidates["orders_missing"] == 1) & candidates["spend_missing"].isna()
    groups = candidates.assign(one=one).groupby(["tier", "next_tier"])
    return groups.agg(
        customers=("one", "size"),
        one=("one", "sum"),
        median_spend=("spend_missing", "median"),
        monetary=("monetary", "sum"),
    ).reset_index()
