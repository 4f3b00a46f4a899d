"""Customers of a month counted, part by part, for pages that tell no more of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from tierbook import lookup
from tierbook.insight import actions
from tierbook.insight.campaign import describe_without_control

if TYPE_CHECKING:
    from tierbook.workbook import Workbook
    from tierbook.workbook.customers import Customers

DRAWN = ("row_counts", "planned_counts", "value_held", "value_belied", "recent_beside_expected",
         "upgrade_steps", "kept_tiers", "fallen", "flagged", "called", "margin_of_fallen")  # fmt: skip
"""The workbook's steps that pages on orders ask for and that take a pass over all customers."""


def row_counts(month: Workbook) -> pd.DataFrame:
    """What stands in the frames of customers: frame, rows, customers (ids without repeats), strangers (rows of whom the
    history does not know)."""
    counts = pd.concat(month.by_part(_rows))
    return counts.groupby("frame", sort=False).sum().reset_index()


def _rows(part: Customers) -> pd.DataFrame:
    frames = {"history": part.history, "book": part.book, "moved": part.moved, "forecast": part.forecast}
    frames |= {"tiers": part.tiers_on, "planned": part.planned}
    known, rows = part.history(columns=["customer_id"])["customer_id"], []
    for name, frame in frames.items():
        ids = frame(columns=["customer_id"])["customer_id"]
        strangers = int((lookup.places(ids, known) < 0).sum())
        rows.append({"frame": name, "rows": len(ids), "customers": ids.nunique(), "strangers": strangers})
    return pd.DataFrame(rows)


def planned_counts(month: Workbook) -> pd.DataFrame:
    """This month's lists counted (`actions.counted`), and in_book: customers to whom the book gives the action."""
    return (
        pd.concat(month.by_part(_planned))
        .groupby("action")[["customers", "held_out", "in_book"]]
        .sum()
        .astype(int)
        .reset_index()
    )


def _planned(part: Customers) -> pd.DataFrame:
    in_book = part.book(["action"])["action"].value_counts().rename("in_book").rename_axis("action").reset_index()
    return pd.concat([actions.counted(part.planned(["action", "held_out"])), in_book])


def campaigns(month: Workbook) -> dict[str, Any]:
    """`Workbook.campaigns` without its customers: ``effects``, ``open``; ``people`` (campaign, arm, customers);
    ``twice``: rows beyond a customer's first of a campaign; ``again``: rows of campaigns that are over, left out of the
    effects; ``means`` of campaigns without a control group (campaign and `campaign.describe_without_control`, in all)."""
    found = month.campaigns()
    effects, assigned = found["effects"], found["assigned"]
    unjudged = effects.loc[effects["verdict"] == "no_control", "campaign"].unique()
    over = ~assigned["campaign"].isin(found["open"])
    means = [_means(assigned[assigned["campaign"] == name]).assign(campaign=name) for name in unjudged]
    return {
        "effects": effects,
        "open": found["open"],
        "people": assigned.groupby(["campaign", "arm"]).size().rename("customers").reset_index(),
        "twice": int(assigned.duplicated(["campaign", "customer_id"]).sum()),
        "again": int((over & ~assigned["reviewed"].astype(bool)).sum()),
        "means": pd.concat(means, ignore_index=True) if means else pd.DataFrame(columns=["campaign"]),
    }


def _means(assigned: pd.DataFrame) -> pd.DataFrame:
    means = describe_without_control(assigned[assigned["reviewed"].astype(bool)])
    return means[means["tier"] == "all"]
