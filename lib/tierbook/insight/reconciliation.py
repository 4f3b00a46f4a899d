"""Our tiers and segments beside the label that the CRM gives the same customers (Zoho's RFM segmentation)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from tierbook.scores.maps import OUTSIDE

COLUMNS = ["scheme", "name", "crm_segment", "customers", "label_customers", "share", "share_of_all", "agrees"]
NO_ORDER = "no_order"
FEWEST = 10
"""No share on fewer customers."""
ALIASES = {
    "champions": ("champion",),
    "loyal": ("loyal customers", "loyal customer", "loyalists"),
    "potential_loyalist": ("potential loyalists",),
    "new": ("new customers", "new customer", "recent customers", "recent users"),
    "need_attention": ("needs attention", "needing attention", "customers needing attention"),
    "at_risk": ("at risk customers",),
    "cannot_lose": ("can't lose them", "can't lose", "cannot lose"),
    "lost": ("lost customers",),
}
"""Further ways in which CRMs write the eleven segments, as they are commonly published."""


class Agreement(NamedTuple):
    """Labelled customers whose label is a segment of ours, how many stand in it, and their share (null under 10)."""

    comparable: int
    agreeing: int
    share: float


def reconcile(book: pd.DataFrame, people: pd.DataFrame, names: Mapping[str, Iterable[str]]) -> pd.DataFrame:
    """Customers by our name and the CRM's label: reconciliation.csv.

    One row per scheme (``tier``, then ``segment``), label and name that occur together: customers; label_customers (of
    the label); share: customers over label_customers, null under 10 of these; share_of_all: of all labelled customers the
    share in the name, which a label without meaning would have too; agrees: whether the label is the segment's own name,
    null for tiers, for labels that are none of our segments, and where we have no segment to compare. ``outside`` is no
    order in the window, ``no_order`` none at all. Labels by their customers, most first; empty where nobody has one.

    Parameters
    ----------
    book : customer_id, tier, segment
    people : customers table with crm_segment; customers without a label are left out
    names : segment code → names it goes by, in any language
    """
    labels = people["crm_segment"].astype("str").str.strip()
    given = people["crm_segment"].notna() & (labels != "")
    labelled = people[["customer_id"]].assign(crm_segment=labels)[given]
    joined = labelled.merge(book[["customer_id", "tier", "segment"]], on="customer_id", how="left")
    known = joined["tier"].notna()
    segment = joined["segment"].astype(object).where(joined["segment"].notna(), OUTSIDE)
    found = {"tier": joined["tier"].astype(object).where(known, NO_ORDER), "segment": segment.where(known, NO_ORDER)}
    tables = [_counted(joined["crm_segment"], name).assign(scheme=scheme) for scheme, name in found.items()]
    table = pd.concat(tables, ignore_index=True)
    return table.assign(agrees=_agrees(table, names))[COLUMNS]


def _counted(label: pd.Series, name: pd.Series) -> pd.DataFrame:
    rows = pd.DataFrame({"crm_segment": label, "name": name})
    table = rows.groupby(["crm_segment", "name"], as_index=False).size().rename(columns={"size": "customers"})
    table["label_customers"] = table.groupby("crm_segment")["customers"].transform("sum")
    of_name, everybody = table.groupby("name")["customers"].transform("sum"), table["customers"].sum()
    table["share"] = (table["customers"] / table["label_customers"]).where(table["label_customers"] >= FEWEST)
    table["share_of_all"] = of_name / everybody if everybody >= FEWEST else np.nan
    order = ["label_customers", "crm_segment", "customers", "name"]
    return table.sort_values(order, ascending=[False, True, False, True], ignore_index=True)


def _agrees(table: pd.DataFrame, names: Mapping[str, Iterable[str]]) -> pd.Series:
    code = table["crm_segment"].map(segment_of(table["crm_segment"].unique(), names))
    ours = (table["scheme"] == "segment") & ~table["name"].isin([OUTSIDE, NO_ORDER]) & code.notna()
    return (code == table["name"]).astype("boolean").where(ours, pd.NA)


def segment_of(labels: Iterable[str], names: Mapping[str, Iterable[str]]) -> dict[str, str | None]:
    """The segment that each label names, null for none; letters and digits alone count: ``Can't Lose Them`` is cannot_lose."""
    written = {_plain(name): code for code, given in names.items() for name in (code, *given, *ALIASES.get(code, ()))}
    return {label: written.get(_plain(label)) for label in labels}


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def agreement(table: pd.DataFrame) -> Agreement:
    """How far label and segment agree, of the customers for whom both say something."""
    judged = table[table["agrees"].notna()]
    comparable = int(judged["customers"].sum())
    agreeing = int(judged.loc[judged["agrees"].astype(bool), "customers"].sum())
    return Agreement(comparable, agreeing, agreeing / comparable if comparable >= FEWEST else np.nan)


def differences(table: pd.DataFrame) -> pd.DataFrame:
    """Where the two differ, most customers first: the rows of `reconcile` in which a label names another segment."""
    differ = table[~table["agrees"].astype("boolean").fillna(True)]
    return differ.sort_values(["customers", "crm_segment", "name"], ascending=[False, True, True], ignore_index=True)
