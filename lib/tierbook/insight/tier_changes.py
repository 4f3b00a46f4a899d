"""Changes of tier month by month: how many moved up, down or out, and how many fell from the best tier."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

COLUMNS = ["placed", "up", "down", "left", "best", "fallen"]


def by_month(tiers: pd.DataFrame, customers: pd.Index, ends: list[int], order: list[str]) -> pd.DataFrame:
    """Changes of tier from each date to the one before it in ``ends`` (newest first): index ago, and

    placed (customers in a tier a month earlier), up and down (in a better or a lower one now), left (no order in the
    window now); best (in the best tier a month earlier) and fallen (in any other place now). Who was in no tier a month
    earlier is in none of them. ``tiers``: end, customer_id, tier; ``customers``: everybody; ``order``: best first.
    """
    ranks = _ranks(tiers, customers, ends, order)
    out, rows = len(order), []
    for now, before in pairwise(ranks):
        placed, best = before < out, before == 0
        moved = {"up": now < before, "down": (now > before) & (now < out), "left": now == out}
        rows.append(
            (
                placed.sum(),
                *(int((placed & where).sum()) for where in moved.values()),
                best.sum(),
                (best & (now > 0)).sum(),
            )
        )
    return pd.DataFrame(rows, columns=COLUMNS, index=pd.RangeIndex(len(rows), name="ago"), dtype=float)


def _ranks(tiers: pd.DataFrame, customers: pd.Index, ends: list[int], order: list[str]) -> np.ndarray:
    """Dates × customers: the place of the tier, 0 the best; ``len(order)`` for no tier."""
    there = tiers[tiers["end"].isin(ends)]
    known = pa.array(customers)
    place = pc.index_in(pa.array(there["customer_id"]).cast(known.type), value_set=known).to_numpy()
    ranks = np.full((len(ends), len(customers)), len(order), dtype="int16")
    tier = pd.Index(order).get_indexer(there["tier"])
    ranks[pd.Index(ends).get_indexer(there["end"]), place] = np.where(tier < 0, len(order), tier)
    return ranks
