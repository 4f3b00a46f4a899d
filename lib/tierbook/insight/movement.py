"""Movement between tiers: who moved since last month, whether that is usual, and what is missing to the next tier."""

from __future__ import annotations

import calendar
import datetime as dt

import numpy as np
import pandas as pd

from tierbook.errors import ParamsError
from tierbook.params import Rfm
from tierbook.scores.maps import OUTSIDE, Scheme, require_bins
from tierbook.scores.rfm import Scale, in_measures

KEYS = ["from_tier", "to_tier"]
NEW = "new"
MONTHS_NEEDED = 6


def months_before(as_of: dt.date, months: int) -> dt.date:
    """The same day some months earlier; the last day of a month stays a last day."""
    year, month = divmod(as_of.year * 12 + as_of.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    is_last = as_of.day == calendar.monthrange(as_of.year, as_of.month)[1]
    return dt.date(year, month + 1, last if is_last else min(as_of.day, last))


def tiers_at(windows: pd.DataFrame, scale: Scale, scheme: Scheme, rules: Rfm) -> pd.DataFrame:
    """The tier of every customer at every date of ``windows`` on one scale.

    ``windows``: end, customer_id, recency_days, window_orders, window_active_days, window_net, window_cost. Returns
    end, customer_id, tier (code), net; customers without an order in the window before a date have no row.
    Raises ParamsError where scheme and scale have different numbers of scores, or the scheme a tier called ``new``.
    """
    require_bins(scheme, scale.bins)
    if NEW in scheme.order:
        raise ParamsError(
            f"tiers.scheme {scheme.name}: the code 'new' is kept for who first bought this month; rename it"
        )
    measures = in_measures(windows, rules)
    tier = scheme.apply(scale.apply(measures)).astype(str)
    return pd.DataFrame(
        {"end": windows["end"], "customer_id": windows["customer_id"], "tier": tier, "net": windows["window_net"]}
    )


def moves(tiers: pd.DataFrame, first_days: pd.Series, start: int, end: int) -> pd.DataFrame:
    """One row per customer known at ``end``: from_tier, to_tier and the money of its window.

    ``first_days``: day of the first purchase by customer_id. A customer whose first purchase came after ``start`` moves
    from ``new``; one without an order in the window is ``outside``. ``net`` is the window's money at ``start``, of a
    newcomer at ``end``.
    """
    known = first_days[first_days <= end]
    before = tiers[tiers["end"] == start].set_index("customer_id")
    after = tiers[tiers["end"] == end].set_index("customer_id")
    moved = pd.DataFrame(
        {"from_tier": before["tier"].reindex(known.index), "to_tier": after["tier"].reindex(known.index)}
    ).fillna(OUTSIDE)
    newcomer = known > start
    moved.loc[newcomer, "from_tier"] = NEW
    moved["net"] = before["net"].reindex(known.index).where(~newcomer, after["net"].reindex(known.index)).fillna(0.0)
    return moved


def rates(moved: pd.DataFrame) -> pd.Series:
    """Customers of a move over customers in its from_tier; newcomers over all customers known before."""
    counts = moved.groupby(KEYS).size()
    return counts / counts.index.get_level_values("from_tier").map(_base(moved))


def _base(moved: pd.DataFrame) -> pd.Series:
    base = moved.groupby("from_tier").size()
    base[NEW] = max(len(moved) - base.get(NEW, 0), 1)
    return base


def movement(
    past: list[pd.DataFrame], now: pd.DataFrame, by_scale: pd.DataFrame, year_ago: pd.DataFrame | None
) -> pd.DataFrame:
    """The movement table (DESIGN §6), a row for every move of this month or of the past ones.

    ``past``: the moves of the earlier months, up to twelve. ``now``: this month's moves on one scale. ``by_scale``: one
    row per customer whose tier as reported last month, on last month's own scale, differs from now although it did not
    move on one scale (from_tier, to_tier). usual_low and usual_high are customers: P10 and P90 of the move's past rates
    times this month's base; null where fewer than six months had a customer who could make the move.
    """
    cells = _cells([now, by_scale, *past])
    base = _base(now)
    customers, by_rule = _count(now, cells), _count(by_scale, cells)
    changed = cells.get_level_values(0) != cells.get_level_values(1)
    table = pd.DataFrame({"customers": customers}, index=cells)
    table["usual_low"], table["usual_high"] = _usual(past, cells, base)
    table["same_month_last_year"] = np.nan if year_ago is None else _count(year_ago, cells)
    table["revenue"] = now.groupby(KEYS)["net"].sum().reindex(cells).fillna(0.0)
    table["moved_by_customer"] = customers.where(changed, 0)
    table["moved_by_scale"] = by_rule
    return table.reset_index()


def _cells(frames: list[pd.DataFrame]) -> pd.MultiIndex:
    pairs = pd.concat([frame[KEYS].astype(object) for frame in frames], ignore_index=True).drop_duplicates()
    return pd.MultiIndex.from_frame(pairs.sort_values(KEYS, ignore_index=True))


def _count(moved: pd.DataFrame, cells: pd.MultiIndex) -> pd.Series:
    return moved.groupby(KEYS).size().reindex(cells).fillna(0).astype(int)


def _usual(past: list[pd.DataFrame], cells: pd.MultiIndex, base: pd.Series) -> tuple[pd.Series, pd.Series]:
    months = pd.concat([_rates_of(moved, cells) for moved in past] or [pd.Series(np.nan, cells)], axis=1)
    judged = months.count(axis=1) >= MONTHS_NEEDED
    people = cells.get_level_values("from_tier").map(base).fillna(0).to_numpy(dtype=float)
    low, high = (months.quantile(q, axis=1).where(judged) * people for q in (0.10, 0.90))
    return low.round(1), high.round(1)


def _rates_of(moved: pd.DataFrame, cells: pd.MultiIndex) -> pd.Series:
    """A month's rates: nil for a move nobody made, null where nobody stood in the tier to make it."""
    possible = cells.get_level_values("from_tier").isin(_base(moved).index)
    return rates(moved).reindex(cells).fillna(0.0).where(possible)


def direction(moved: pd.DataFrame, scheme: Scheme) -> pd.Series:
    """up, same, down, new or left (no order in the window any more), from a customer's move."""
    before, after = scheme.rank(moved["from_tier"]), scheme.rank(moved["to_tier"])
    left = (moved["to_tier"] == OUTSIDE) & (moved["from_tier"] != OUTSIDE)
    names = np.select(
        [moved["from_tier"] == NEW, left, after < before, after > before], ["new", "left", "up", "down"], "same"
    )
    return pd.Series(names, index=moved.index)


def next_tier(scores: pd.DataFrame, measures: pd.DataFrame, scale: Scale, scheme: Scheme) -> pd.DataFrame:
    """What is missing to a better tier: next_tier, orders_missing (at least 1), spend_missing (money, 0 for none).

    Placing the missing orders now, with the missing spend in them, gives exactly next_tier: recency is then at its best
    and frequency one order further. From there the better cell with the fewest steps of f and m is sought, among equals
    the smaller step up. Null for the best tier and for customers without scores. ``measures``: frequency and monetary
    (a total, so that spend adds to it).
    """
    known = scores[["r", "f", "m"]].notna().all(axis=1).to_numpy()
    frequency, monetary = (measures[c].to_numpy(dtype=float, na_value=np.nan) for c in ("frequency", "monetary"))
    orders_from, spend_from = _thresholds(scale)
    tier = scheme.rank(scheme.apply(scores)).to_numpy()
    after_one = np.searchsorted(scale.cuts["frequency"], np.where(known, frequency, 0) + 1, side="left")
    m = scores["m"].to_numpy(dtype=int, na_value=1) - 1
    goal = _nearest_better(scheme, orders_from, spend_from)
    better, to_f, to_m = goal[np.minimum(tier, len(scheme.order) - 1), after_one, m].T
    found = known & (better >= 0)
    orders = np.where(to_f > after_one, orders_from[to_f] - frequency, 1.0)
    spend = np.where(to_m > m, np.ceil((spend_from[to_m] - monetary) * 100 - 1e-6) / 100, 0.0)
    names = pd.Series(np.asarray(scheme.order, dtype=object)[better], index=scores.index)
    return pd.DataFrame(
        {
            "next_tier": names.where(found, None),
            "orders_missing": np.where(found, orders, np.nan),
            "spend_missing": np.where(found, spend, np.nan),
        },
        index=scores.index,
    )


def _thresholds(scale: Scale) -> tuple[np.ndarray, np.ndarray]:
    """The least whole frequency and the least money (to the cent) of each score; null for a score no value has.

    Scores whose cut points coincide are passed over by every customer, so nobody can be asked to reach them.
    """
    least = {"frequency": np.floor(scale.cuts["frequency"]) + 1, "monetary": np.add(scale.cuts["monetary"], 0.01)}
    for measure, values in least.items():
        lands = np.searchsorted(scale.cuts[measure], values, side="left")
        least[measure] = np.where(lands == np.arange(1, scale.bins), values, np.nan)
    return np.concatenate([[0.0], least["frequency"]]), np.concatenate([[-np.inf], least["monetary"]])


def _nearest_better(scheme: Scheme, orders_from: np.ndarray, spend_from: np.ndarray) -> np.ndarray:
    """By tier, f and m after one order: the better tier, f and m of the nearest cell at the best r; −1 for none."""
    bins = scheme.bins
    at_best_r = scheme.table.reshape(bins, bins, bins)[-1]
    goal = np.full((len(scheme.order), bins, bins, 3), -1)
    for tier, f, m in np.ndindex(goal.shape[:3]):
        rows = [a for a in range(f, bins) if a == f or not np.isnan(orders_from[a])]
        columns = [b for b in range(m, bins) if b == m or not np.isnan(spend_from[b])]
        ahead = [(a, b) for a in rows for b in columns if at_best_r[a, b] < tier]
        if ahead:
            a, b = min(ahead, key=lambda s, at=(f, m): (s[0] + s[1] - sum(at), -at_best_r[s], s))
            goal[tier, f, m] = at_best_r[a, b], a, b
    return goal
