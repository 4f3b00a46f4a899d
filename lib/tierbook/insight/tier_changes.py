"""Changes of tier month by month: how many moved up, down or out, and how many fell from the best tier."""

from __future__ import annotations

import pandas as pd

COLUMNS = ["placed", "up", "down", "left", "best", "fallen"]


def by_month(moves: pd.DataFrame, ends: list[int], order: list[str]) -> pd.DataFrame:
    """Changes of tier from each date to the one before it in ``ends`` (newest first): index ago, and

    placed (customers in a tier a month earlier), up and down (in a better or a lower one now), left (no order in the
    window now); best (in the best tier a month earlier) and fallen (in any other place now). Who was in no tier a month
    earlier is in none of them. ``moves``: end, from_tier, to_tier, customers (the workbook's past_moves); ``order``: best
    first.
    """
    before, now = (pd.Index(order).get_indexer(moves[side]) for side in ("from_tier", "to_tier"))
    placed, out, best = before >= 0, now < 0, before == 0
    kinds = {
        "placed": placed,
        "up": placed & ~out & (now < before),
        "down": placed & ~out & (now > before),
        "left": placed & out,
        "best": best,
        "fallen": best & (now != 0),
    }
    counts = pd.DataFrame({name: moves["customers"].where(where, 0) for name, where in kinds.items()})
    sums = counts.groupby(moves["end"]).sum().reindex(ends[:-1], fill_value=0)
    return sums.astype(float).set_axis(pd.RangeIndex(len(ends) - 1, name="ago"))[COLUMNS]
