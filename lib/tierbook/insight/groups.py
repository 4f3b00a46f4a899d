"""Groups of customers side by side: how many, what they bring, how they buy."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from tierbook.scores.maps import OUTSIDE

SMALL = 10
ALL = "all"
SUMMED = ["monetary", "recency_days", "frequency", "clv"]
"""The columns of the book that `sums` adds up."""


def sums(book: pd.DataFrame, column: str) -> pd.DataFrame:
    """The customers with a name in a grouping, of all or of a part of them: name, customers, and of each of `SUMMED` its
    sum and, as ``<column>_known``, how many have one."""
    named = book[book[column].notna()]
    groups = named.groupby(named[column].astype(str).rename("name"), observed=True)[SUMMED]
    known = groups.count().add_suffix("_known")
    return groups.sum().join(known).assign(customers=groups.size()).astype(dict.fromkeys(SUMMED, float)).reset_index()


def summary(parts: Iterable[pd.DataFrame], scheme: str, order: list[str]) -> pd.DataFrame:
    """One row per name of a grouping, in the scheme's order (names without customers included).

    ``parts``: `sums`. Columns as in tiers.csv (DESIGN §6). customers counts those with a name; share is theirs of all so
    named; ``outside`` (no order in the window), where present, comes last and is not part of the shares' base, which is null
    below 10 customers. revenue is the window's ``monetary``. Means are null for a group without customers; mean_clv
    where no value was computed.
    """
    found = pd.concat(parts, ignore_index=True).groupby("name").sum()
    table = found[["customers"]].assign(revenue=found["monetary"])
    for name in ("recency_days", "frequency", "monetary", "clv"):
        table[f"mean_{name}"] = found[name] / found[f"{name}_known"].where(found[f"{name}_known"] > 0)
    names = [*order, OUTSIDE] if OUTSIDE in table.index else list(order)
    table = table.reindex(names)
    table[["customers", "revenue"]] = table[["customers", "revenue"]].fillna(0)
    inside = table.drop(index=OUTSIDE, errors="ignore")
    enough = inside["customers"].sum() >= SMALL
    total = inside["revenue"].sum()
    table["share"] = inside["customers"] / inside["customers"].sum() if enough else float("nan")
    table["revenue_share"] = inside["revenue"] / total if enough and total > 0 else float("nan")
    table = table.rename_axis("name").reset_index().assign(scheme=scheme).astype({"customers": int})
    measures = ["mean_recency_days", "mean_frequency", "mean_monetary", "mean_clv"]
    return table[["scheme", "name", "customers", "share", "revenue", "revenue_share", *measures]]


def apart(names: pd.Series) -> pd.Series:
    """Names from data that stand beside a total: one that is itself called ``all`` becomes ``“all”``."""
    return names.mask(names == ALL, f"“{ALL}”")


def crossed(
    counts: pd.DataFrame, rows: str, columns: str, row_order: list[str], column_order: list[str]
) -> pd.DataFrame:
    """Customers by two groupings, with totals; rows and columns in the given order, empty ones included.

    ``counts``: ``customers`` counted by the two groupings, and maybe by others.
    """
    table = counts.pivot_table(index=rows, columns=columns, values="customers", aggfunc="sum", fill_value=0)
    table = table.reindex(index=row_order, columns=column_order, fill_value=0).astype(int)
    table["total"] = table.sum(axis=1)
    return table.rename_axis(rows).reset_index().rename_axis(columns=None)
