"""Movement between tiers: who moved since last month, and whether that is usual."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.errors import ParamsError
from tierbook.lookup import places
from tierbook.params import Rfm
from tierbook.scores.maps import OUTSIDE, Scheme, require_bins
from tierbook.scores.rfm import Scale, in_measures

KEYS = ["from_tier", "to_tier"]
NEW = "new"
MONTHS_NEEDED = 6


def tiers_at(windows: pd.DataFrame, scale: Scale, scheme: Scheme, rules: Rfm) -> pd.DataFrame:
    """The tier of every customer at every date of ``windows`` on one scale.

    ``windows``: end, customer_id, recency_days, window_orders, window_active_days, window_net, window_cost, and the
    traits the scheme asks for. Returns end, customer_id, tier (code), net; customers without an order in the window
    before a date have no row.
    Raises ParamsError as `refuse_scheme` does.
    """
    refuse_scheme(scheme, scale)
    measures = in_measures(windows, rules)
    cells = pd.concat([scale.apply(measures), windows[list(scheme.traits)]], axis=1)
    tier = scheme.apply(cells).astype(str)
    return pd.DataFrame(
        {"end": windows["end"], "customer_id": windows["customer_id"], "tier": tier, "net": windows["window_net"]}
    )


def refuse_scheme(scheme: Scheme, scale: Scale) -> None:
    """Refuse a scheme with another number of scores than the scale, or with a tier called ``new``."""
    require_bins(scheme, scale.bins)
    if NEW in scheme.order:
        raise ParamsError(
            f"tiers.scheme {scheme.name}: the code 'new' is kept for who first bought this month; rename it"
        )


def moves(tiers: pd.DataFrame, first_days: pd.Series, start: int, end: int) -> pd.DataFrame:
    """One row per customer known at ``end``: from_tier, to_tier and the money of its window.

    ``first_days``: day of the first purchase by customer_id. A customer whose first purchase came after ``start`` moves
    from ``new``; one without an order in the window is ``outside``. ``net`` is the window's money at ``start``, of a
    newcomer at ``end``.
    """
    known = first_days[first_days <= end]
    newcomer = (known > start).to_numpy()
    (from_tier, net_then), (to_tier, net_now) = (_at(tiers[tiers["end"] == date], known.index) for date in (start, end))
    from_tier = from_tier.add_categories([NEW])
    from_tier[newcomer] = NEW
    moved = {"from_tier": from_tier, "to_tier": to_tier, "net": np.where(newcomer, net_now, net_then)}
    return pd.DataFrame(moved, index=known.index).astype(dict.fromkeys(KEYS, "str"))


def _at(tiers: pd.DataFrame, customers: pd.Index) -> tuple[pd.Categorical, np.ndarray]:
    """Tier and money of each customer at one date; ``outside`` and 0 for who has no row."""
    place = places(customers, tiers["customer_id"])  # -1, for nobody there, is the last of what follows
    names = pd.Categorical(tiers["tier"])
    if OUTSIDE not in names.categories:
        names = names.add_categories([OUTSIDE])
    codes = np.append(names.codes, names.categories.get_loc(OUTSIDE))[place]
    net = np.append(tiers["net"].to_numpy(dtype=float), 0.0)[place]
    return pd.Categorical.from_codes(codes, names.categories), np.nan_to_num(net)


def counted(moved: pd.DataFrame) -> pd.DataFrame:
    """Moves counted: from_tier, to_tier, customers, net (their money together); a row for every move that was made."""
    groups = moved.groupby(KEYS)
    return groups.agg(customers=("net", "size"), net=("net", "sum")).reset_index()


def together(counts: list[pd.DataFrame], by: list[str]) -> pd.DataFrame:
    """`counted` moves of several parts of the customers, added up within ``by`` (further columns)."""
    if len(counts) == 0:
        return pd.DataFrame(columns=[*KEYS, "customers", "net", *by])
    found = pd.concat(counts, ignore_index=True)
    return found.groupby([*by, *KEYS])[["customers", "net"]].sum().reset_index()[list(found.columns)]


def rates(counts: pd.DataFrame) -> pd.Series:
    """Customers of a move over customers in its from_tier; newcomers over all customers known before (`counted`)."""
    customers = counts.set_index(KEYS)["customers"]
    return customers / customers.index.get_level_values("from_tier").map(_base(counts))


def _base(counts: pd.DataFrame) -> pd.Series:
    base = counts.groupby("from_tier")["customers"].sum()
    base[NEW] = max(base.sum() - base.get(NEW, 0), 1)
    return base


def movement(
    past: list[pd.DataFrame], now: pd.DataFrame, by_scale: pd.DataFrame, year_ago: pd.DataFrame | None
) -> pd.DataFrame:
    """The movement table (DESIGN §6), a row for every move of this month or of the past ones; all are `counted` moves.

    ``past``: the moves of the earlier months, up to twelve. ``now``: this month's moves on one scale. ``by_scale``: the
    customers whose tier as reported last month, on last month's own scale, differs from now although it did not
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
    table["revenue"] = now.set_index(KEYS)["net"].reindex(cells).fillna(0.0)
    table["moved_by_customer"] = customers.where(changed, 0)
    table["moved_by_scale"] = by_rule
    return table.reset_index()


def _cells(counts: list[pd.DataFrame]) -> pd.MultiIndex:
    pairs = pd.concat([of[KEYS].astype(object) for of in counts], ignore_index=True).drop_duplicates()
    return pd.MultiIndex.from_frame(pairs.sort_values(KEYS, ignore_index=True))


def _count(counts: pd.DataFrame, cells: pd.MultiIndex) -> pd.Series:
    return counts.set_index(KEYS)["customers"].reindex(cells).fillna(0).astype(int)


def _usual(past: list[pd.DataFrame], cells: pd.MultiIndex, base: pd.Series) -> tuple[pd.Series, pd.Series]:
    months = pd.concat([_rates_of(counts, cells) for counts in past] or [pd.Series(np.nan, cells)], axis=1)
    judged = months.count(axis=1) >= MONTHS_NEEDED
    people = cells.get_level_values("from_tier").map(base).fillna(0).to_numpy(dtype=float)
    low, high = (months.quantile(q, axis=1).where(judged) * people for q in (0.10, 0.90))
    return low.round(1), high.round(1)


def _rates_of(counts: pd.DataFrame, cells: pd.MultiIndex) -> pd.Series:
    """A month's rates: nil for a move nobody made, null where nobody stood in the tier to make it."""
    possible = cells.get_level_values("from_tier").isin(_base(counts).index)
    return rates(counts).reindex(cells).fillna(0.0).where(possible)


def direction(moved: pd.DataFrame, scheme: Scheme) -> pd.Series:
    """up, same, down, new or left (no order in the window any more), from a customer's move."""
    before, after = scheme.rank(moved["from_tier"]), scheme.rank(moved["to_tier"])
    left = (moved["to_tier"] == OUTSIDE) & (moved["from_tier"] != OUTSIDE)
    names = np.select(
        [moved["from_tier"] == NEW, left, after < before, after > before], ["new", "left", "up", "down"], "same"
    )
    return pd.Series(names, index=moved.index)
