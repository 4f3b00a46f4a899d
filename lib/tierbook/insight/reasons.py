"""Reasons that customers at risk or lost gave, beside those of the rest: from reason codes alone, never inferred."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.insight.arms import holm
from tierbook.insight.shares import newcombe
from tierbook.insight.voice import MIN_ANSWERS, share

OTHER = "other"
COLUMNS = [
    "source", "reason", "n_leaving", "leaving", "leaving_share", "leaving_low", "leaving_high", "n_rest", "rest",
    "rest_share", "difference", "low", "high", "p_holm", "verdict",
]  # fmt: skip
LEVEL = 0.05


def reasons(told: pd.DataFrame, source: str) -> pd.DataFrame:
    """One row per reason code of one table, the most named by those leaving first; empty where no code is given.

    n_leaving and n_rest: customers at risk or lost, and the others, who gave any reason; leaving and rest: those of them
    who gave this one (once each, however often); leaving_share with its 95 % Wilson interval, rest_share; difference of
    the two with its 95 % Newcombe interval low, high; p_holm: Holm over the table's reasons of the pooled z test;
    verdict: ``more_often``, ``less_often`` (p_holm below 0.05), ``no_difference``, ``too_few`` (fewer than 10 customers
    in either group: no share). Reasons that fewer than 10 customers gave stand together as ``other``, so that free text
    is no list of codes. A reason given is not the cause of leaving: that would take asking who left.

    ``told``: customer_id, reason (null: none given), leaving (whether the customer is at risk or lost; null for who has no
    order: those reasons do not count).
    """
    given = told.dropna(subset=["reason", "leaving"])
    named = given[["customer_id", "reason", "leaving"]].astype({"reason": object, "leaving": bool}).drop_duplicates()
    common = named["reason"].map(named["reason"].value_counts()) >= MIN_ANSWERS
    named = named.assign(reason=named["reason"].where(common, OTHER)).drop_duplicates()
    base = named.drop_duplicates("customer_id")["leaving"].value_counts()
    counts = named.groupby("reason")["leaving"].agg(leaving="sum", gave="size")
    table = counts.assign(rest=counts["gave"] - counts["leaving"], source=source).reset_index()
    table = table.sort_values(["leaving", "rest", "reason"], ascending=[False, False, True], ignore_index=True)
    return _compared(table.assign(n_leaving=int(base.get(True, 0)), n_rest=int(base.get(False, 0))))[COLUMNS]


def _compared(table: pd.DataFrame) -> pd.DataFrame:
    sides = {
        side: pd.DataFrame(
            [share(int(k), int(n)) for k, n in zip(table[side], table[f"n_{side}"], strict=True)],
            columns=["value", "low", "high"],
            dtype=float,
        )
        for side in ("leaving", "rest")
    }
    for name, key in (("share", "value"), ("low", "low"), ("high", "high")):
        table[f"leaving_{name}"] = sides["leaving"][key]
    table["rest_share"] = sides["rest"]["value"]
    table["difference"] = table["leaving_share"] - table["rest_share"]
    ends = [tuple(side[key].to_numpy() for key in ("value", "low", "high")) for side in sides.values()]
    table["low"], table["high"] = newcombe(*ends)
    table["p_holm"] = holm(_p(table))
    told = [table["difference"].isna(), ~(table["p_holm"] < LEVEL), table["difference"] > 0]
    verdict = np.select(told, ["too_few", "no_difference", "more_often"], "less_often")
    return table.assign(verdict=verdict.astype(object))


def _p(table: pd.DataFrame) -> np.ndarray:
    from scipy.special import ndtr

    pooled = (table["leaving"] + table["rest"]) / (table["n_leaving"] + table["n_rest"])
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(pooled * (1 - pooled) * (1 / table["n_leaving"] + 1 / table["n_rest"]))
        return (2 * ndtr(-np.abs(table["difference"] / error.where(error > 0)))).to_numpy()
