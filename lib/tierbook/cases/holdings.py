"""Who holds what: the share of each tier's customers with each product. A description, never an effect."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.errors import InputError
from tierbook.insight.voice import share

COLUMNS = ["tier", "product", "customers", "holders", "share", "low", "high"]


def holdings(customers: pd.DataFrame, tier: str, products: list[str]) -> pd.DataFrame:
    """One row per tier and product: tier, product, customers, holders, share with its 95 % Wilson interval low, high.

    ``customers``: one row each; ``tier`` names its tier column (an ordered categorical keeps its order, else by name;
    null: not counted), ``products`` columns of bool, 0/1 or yes/no (null: not known, not counted for that product).
    share is null below 10 customers. Where nobody was held out this says who holds a product, not what would make them:
    affinity, no effect.

    Raises
    ------
    InputError : a column is missing, or a product's values are neither yes nor no
    """
    missing = [name for name in [tier, *products] if name not in customers]
    if missing:
        raise InputError(f"holdings: no column {missing}; there are {list(customers.columns)}")
    named = customers[customers[tier].notna()]
    parts = []
    for product in products:
        held = _held(named[product])
        known = held.notna()
        groups = held[known].astype(int).groupby(named.loc[known, tier], observed=False)
        counts = pd.DataFrame({"customers": groups.size(), "holders": groups.sum()}).rename_axis("tier").reset_index()
        parts.append(counts.astype({"tier": str}).assign(product=product))
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    found = [share(int(k), int(n)) for k, n in zip(table["holders"], table["customers"], strict=True)]
    for name, key in (("share", "value"), ("low", "low"), ("high", "high")):
        table[name] = np.array([row[key] for row in found], dtype=float)
    return table[COLUMNS]


def _held(column: pd.Series) -> pd.Series:
    words = {"yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}
    held = column.astype(str).str.strip().str.lower().map(words).where(column.notna())
    bad = held.isna() & column.notna()
    if bad.any():
        first = column[bad].head(3).tolist()
        raise InputError(f"holdings: {bad.sum()} values of {column.name} are neither yes nor no, as {first}")
    return held.astype(float)
