"""Segmentation: where the cut points fall, which cell has which name, who comes back after how long a silence."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd

from tierbook import lookup
from tierbook.insight.groups import SMALL
from tierbook.scores.maps import Scheme
from tierbook.scores.rfm import MEASURES, Scale

SILENCES = (0, 30, 60, 90, 120, 150, 180, 240, 300, 360, 480)
CELL = ["r", "f", "m"]
MONEY_BINS = 30


def cells(scores: pd.DataFrame) -> pd.DataFrame:
    """Customers by r, f and m: r, f, m, customers; those without a score stand in rows with nulls, so nobody is lost.

    ``scores``: r, f, m per customer, or such counts of parts of them, which are added up.
    """
    counted = scores if "customers" in scores else scores.assign(customers=1)
    found = counted.groupby(CELL, dropna=False, as_index=False)["customers"].sum()
    return found.astype({**dict.fromkeys(CELL, "Int8"), "customers": "int64"})


def spread(measures: pd.DataFrame) -> dict[str, Any]:
    """How customers spread over the three measures, counted; ``measures`` (per customer) with a null are left out.

    ``recency_days`` and ``frequency``: customers by value. ``money``: those with money above zero in 30 bins as wide as
    each other on a log scale (low, high, customers; empty where there are none). ``customers`` in all, and with money of
    zero or below, ``without_money``.
    """
    known = measures[list(MEASURES)].dropna()
    by_value = {name: known[name].value_counts().sort_index() for name in MEASURES[:2]}
    found = {name: counts.rename_axis(name).rename("customers").reset_index() for name, counts in by_value.items()}
    positive = known.loc[known["monetary"] > 0, "monetary"].to_numpy(dtype=float)
    without = len(known) - len(positive)
    return {**found, "money": _money_bins(positive), "customers": len(known), "without_money": without}


def _money_bins(positive: np.ndarray) -> pd.DataFrame:
    if not len(positive):
        return pd.DataFrame({"low": [], "high": [], "customers": []}, dtype=float)
    low, high = np.log10(positive.min()), np.log10(positive.max())
    edges = np.logspace(low - 0.01, high + 0.01, MONEY_BINS + 1)
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "customers": np.histogram(positive, edges)[0]})


def cut_table(scale: Scale, counted: pd.DataFrame) -> pd.DataFrame:
    """The scale as a reader reads it, one row per score, best first.

    recency_at_most (days; null for the worst score, which has no end), frequency_at_least, monetary_above (null for the
    worst) and the customers with that r, f and m (``customers_r`` …). ``counted``: `cells`.
    """
    best_first = list(range(scale.bins, 0, -1))
    table = pd.DataFrame({"score": best_first})
    table["recency_at_most"] = [*scale.cuts["recency_days"], np.nan]
    table["frequency_at_least"] = [*(np.floor(scale.cuts["frequency"]) + 1)[::-1], 1.0]
    table["monetary_above"] = [*scale.cuts["monetary"][::-1], np.nan]
    for letter in "rfm":
        counts = counted[counted[letter].notna()].groupby(letter)["customers"].sum()
        table[f"customers_{letter}"] = counts.reindex(best_first, fill_value=0).to_numpy()
    return table


def cell_map(scheme: Scheme, counted: pd.DataFrame) -> pd.DataFrame:
    """Every r × f × m cell with its name in the scheme and its customers: r, f, m, name, customers.

    ``counted``: `cells`, of which rows with a null are left out.
    """
    scores = range(1, scheme.bins + 1)
    table = pd.DataFrame(list(itertools.product(scores, scores, scores)), columns=["r", "f", "m"])
    counts = counted.dropna().astype(int).groupby(CELL)["customers"].sum()
    found = counts.reindex(pd.MultiIndex.from_frame(table), fill_value=0)
    return table.assign(name=[scheme.order[place] for place in scheme.table], customers=found.to_numpy())


def silences(history: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """Customers by how long they had been silent at the earlier date, one row per band: silent_from, customers, back (of
    them, with a purchase day since).

    ``history`` and ``earlier``: one row per customer now and then (customer_id, active_days; then recency_days too).
    """
    now = lookup.of(earlier["customer_id"], history["customer_id"], history["active_days"]).to_numpy(dtype=float)
    back = now > earlier["active_days"].to_numpy(dtype=float)
    band = np.searchsorted(SILENCES, earlier["recency_days"].to_numpy(dtype=float), side="right") - 1
    counts = {"customers": np.bincount(band, minlength=len(SILENCES))}
    return pd.DataFrame({"silent_from": SILENCES, **counts, "back": np.bincount(band[back], minlength=len(SILENCES))})


def comeback(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Who came back, by how long they had been silent at the earlier date: silent_from, silent_to, customers, came_back.

    ``parts``: `silences` of each part of the customers. came_back is the share with a purchase day since, null on fewer
    than 10 customers; silent_to is null for the last, open band. These are the bands apart; the rule of the stages adds
    up everything beyond a silence.
    """
    table = pd.concat(parts).groupby("silent_from", as_index=False)[["customers", "back"]].sum()
    shares = table["back"] / table["customers"].where(table["customers"] >= SMALL)
    ends = [*(start - 1 for start in SILENCES[1:]), np.nan]
    return table[["silent_from"]].assign(silent_to=ends, customers=table["customers"], came_back=shares)
