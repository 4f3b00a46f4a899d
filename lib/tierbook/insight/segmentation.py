"""Segmentation: where the cut points fall, which cell has which name, who comes back after how long a silence."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from tierbook.insight.groups import SMALL
from tierbook.scores.maps import Scheme
from tierbook.scores.rfm import Scale

SILENCES = (0, 30, 60, 90, 120, 150, 180, 240, 300, 360, 480)


def cut_table(scale: Scale, scores: pd.DataFrame) -> pd.DataFrame:
    """The scale as a reader reads it, one row per score, best first.

    recency_at_most (days; null for the worst score, which has no end), frequency_at_least, monetary_above (null for the
    worst) and the customers with that r, f and m (``customers_r`` …). ``scores`` holds r, f, m per customer.
    """
    best_first = list(range(scale.bins, 0, -1))
    table = pd.DataFrame({"score": best_first})
    table["recency_at_most"] = [*scale.cuts["recency_days"], np.nan]
    table["frequency_at_least"] = [*(np.floor(scale.cuts["frequency"]) + 1)[::-1], 1.0]
    table["monetary_above"] = [*scale.cuts["monetary"][::-1], np.nan]
    for letter in "rfm":
        counts = scores[letter].dropna().astype(int).value_counts()
        table[f"customers_{letter}"] = counts.reindex(best_first, fill_value=0).to_numpy()
    return table


def cell_map(scheme: Scheme, cells: pd.DataFrame) -> pd.DataFrame:
    """Every r × f × m cell with its name in the scheme and its customers: r, f, m, name, customers.

    ``cells``: r, f, m per customer, nulls are left out.
    """
    scores = range(1, scheme.bins + 1)
    table = pd.DataFrame(list(itertools.product(scores, scores, scores)), columns=["r", "f", "m"])
    counts = cells[["r", "f", "m"]].dropna().astype(int).value_counts()
    found = counts.reindex(pd.MultiIndex.from_frame(table), fill_value=0)
    return table.assign(name=[scheme.order[place] for place in scheme.table], customers=found.to_numpy())


def comeback(history: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """Who came back, by how long they had been silent at the earlier date: silent_from, silent_to, customers, came_back.

    ``history`` and ``earlier``: one row per customer now and then (recency_days, active_days). came_back is the share
    with a purchase day since, null on fewer than 10 customers; silent_to is null for the last, open band. These are the
    bands apart; the rule of the stages adds up everything beyond a silence.
    """
    now = history.set_index("customer_id")["active_days"].reindex(earlier["customer_id"]).to_numpy(dtype=float)
    back = pd.Series(now > earlier["active_days"].to_numpy(dtype=float))
    band = np.searchsorted(SILENCES, earlier["recency_days"].to_numpy(dtype=float), side="right") - 1
    table = back.groupby(band).agg(["size", "mean"]).reindex(range(len(SILENCES)))
    ends = [*(start - 1 for start in SILENCES[1:]), np.nan]
    shown = pd.DataFrame({"silent_from": SILENCES, "silent_to": ends})
    customers = table["size"].fillna(0).astype(int)
    return shown.assign(customers=customers, came_back=table["mean"].astype(float).where(customers >= SMALL))
