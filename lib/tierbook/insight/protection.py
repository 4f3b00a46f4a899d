"""Protection period (保级期): a tier that fell is kept for some months, so that one quiet month costs nobody a tier."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from tierbook.accounting import day_number
from tierbook.months import months_before


def protect(tiers: pd.DataFrame, dates: list[dt.date], order: list[str], months: int) -> pd.DataFrame:
    """The tier of every customer at every date with protection: ``tiers`` with ``computed``, ``tier`` and ``held_since``.

    ``tiers``: end, customer_id, tier at each of ``dates`` (a month apart, newest first); customers without an order in
    the window have no row, and protection cannot give them one. A customer's tier at a date is the best computed at
    that date or in the ``months`` before it: it rises at once and falls when the computed tier has been lower for more
    than ``months`` months. An unknown tier (null) is below all others. held_since is the day number of the last date
    at which the tier was earned; null where it is the computed one. The oldest dates have fewer months before them to
    look at.
    """
    if not months:
        return tiers.assign(computed=tiers["tier"], held_since=np.nan)
    rank = {name: place for place, name in enumerate(order)}
    customers, _ = pd.factorize(tiers["customer_id"])
    ends = [day_number(date) for date in dates]
    place = tiers["end"].map({end: n for n, end in enumerate(ends)}).to_numpy()
    computed = np.full((customers.max(initial=-1) + 1, len(dates) + months), len(order), dtype=np.int8)
    computed[customers, place] = tiers["tier"].map(rank).fillna(len(order)).to_numpy(dtype=np.int8)
    looked_at = np.lib.stride_tricks.sliding_window_view(computed, months + 1, axis=1)
    earned = looked_at.argmin(axis=2)[customers, place]  # the first of equals: the latest month that earned it
    best = looked_at.min(axis=2)[customers, place]
    held = best < computed[customers, place]
    since = np.asarray(ends, dtype=float)[np.minimum(place + earned, len(ends) - 1)]
    return tiers.assign(
        computed=tiers["tier"],
        tier=np.asarray([*order, None], dtype=object)[best],
        held_since=np.where(held, since, np.nan),
    )


def protected(tiers: pd.DataFrame, as_of: dt.date, months: int) -> pd.DataFrame:
    """The customers whose tier is held at ``as_of``: customer_id, tier, computed, held_since, held_until, net.

    ``tiers``: what `protect` gave. Both dates are dates; held_until is the last month's end at which the tier is still
    kept if the customer does nothing. Most money first, then by id.
    """
    held = tiers[(tiers["end"] == day_number(as_of)) & tiers["held_since"].notna()]
    dates = {day_number(date): date for date in (months_before(as_of, k) for k in range(months + 1))}
    until = {end: months_before(as_of, k - months) for k, end in enumerate(dates)}
    listed = held[["customer_id", "tier", "computed", "net"]].assign(
        held_since=held["held_since"].map(dates), held_until=held["held_since"].map(until)
    )
    return listed.sort_values(["net", "customer_id"], ascending=[False, True], ignore_index=True)
