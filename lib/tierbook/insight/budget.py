"""Budget against profit: who was contacted at what cost, beside what they brought in the same months, by tier."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook.insight.groups import SMALL
from tierbook.insight.movement import NEW
from tierbook.scores.maps import OUTSIDE

OVER, UNDER = 2.0, 0.5
COLUMNS = [
    "tier", "customers", "customer_share", "contacts", "contact_share", "cost", "cost_share", "net", "profit",
    "profit_share", "basis", "budget_index", "verdict",
]  # fmt: skip


def brought(days: nw.LazyFrame, months: nw.LazyFrame, tiers: nw.LazyFrame, firsts: nw.LazyFrame) -> nw.LazyFrame:
    """Money by the tier that customers had when a month began: tier, net, cost (null where any day has none).

    ``days``: `history.customer_days`; ``months``: `retention.calendar`; ``tiers``: ago (the month that begins after the
    tier's date), customer_id, tier; ``firsts``: customer_id, first_ago (the month of the first purchase); all in the
    engine. ``outside``: known, but without a tier then; ``new``: first bought in that month.
    """
    placed = (
        days.join(months, on="day", how="inner")
        .join(firsts, on="customer_id", how="left")
        .join(tiers, on=["ago", "customer_id"], how="left")
        .with_columns(
            # first bought in this month, or money booked before a first purchase
            nw.when(nw.col("first_ago") <= nw.col("ago")).then(nw.lit(NEW)).otherwise(nw.col("tier")).alias("tier"),
            nw.col("cost").is_null().alias("uncosted"),
        )
        .with_columns(nw.col("tier").fill_null(OUTSIDE))
    )
    totals = placed.group_by("tier").agg(nw.col("net", "cost").sum(), nw.col("uncosted").any())
    return totals.with_columns(nw.when(~nw.col("uncosted")).then(nw.col("cost")).alias("cost")).drop("uncosted")


def contacted(contacts: pd.DataFrame, ends: list[int], tiers: pd.DataFrame, firsts: pd.Series) -> pd.DataFrame:
    """Contacts by the tier that the customer had when the month of the contact began: index tier; contacts, cost.

    ``contacts``: customer_id, contacted_at (null: not contacted), cost (null: unknown); ``ends``: the months' ends, newest
    first; ``tiers``: ago, customer_id, tier; ``firsts``: first_ago by customer_id. Customers without any order are
    ``new``. cost is null where no contact of the tier has one.
    """
    at = pd.to_datetime(contacts["contacted_at"]).to_numpy().astype("datetime64[D]")
    day = np.where(np.isnat(at), ends[-1], at.astype("int64"))
    ago = len(ends) - 1 - np.searchsorted(ends[::-1], day, side="left")
    within = (day > ends[-1]) & (day <= ends[0])
    asked = pd.DataFrame(
        {"customer_id": contacts["customer_id"].array, "ago": ago, "cost": contacts["cost"].astype(float)}
    )
    asked = asked[within].merge(tiers, on=["ago", "customer_id"], how="left")
    first = firsts.reindex(asked["customer_id"]).to_numpy(dtype=float)
    unknown = np.isnan(first) | (first <= asked["ago"].to_numpy())
    tier = asked["tier"].astype(object).where(asked["tier"].notna(), OUTSIDE).mask(unknown, NEW)
    groups = asked["cost"].groupby(tier)
    return pd.DataFrame({"contacts": groups.size(), "cost": groups.sum(min_count=1)})


def budget(money: pd.DataFrame, spent: pd.DataFrame, people: pd.Series, margin: float | None = None) -> pd.DataFrame:
    """Budget share beside profit share by tier (budget.csv), tiers best first, ``outside`` and ``new`` last.

    tier, customers (mean number at the months' beginnings), contacts, cost, net, profit; each with its share of all but
    ``new``, whom no budget for customers could reach. basis: what profit is: ``margin`` (net × margin, or net less the
    cost of goods), else ``net_sales``. budget_index: budget share over profit share; the budget is the cost of contacts, or
    their number where no cost is known. verdict: ``over`` from 2 upward, ``under`` up to 0.5, else ``level``; both
    and shares are null under 10 customers and where the whole is not above zero.

    ``money``: `brought`, collected; ``spent``: `contacted`; ``people``: mean customers by tier, which gives the order.
    """
    table = pd.DataFrame({"customers": people}).join(money.set_index("tier")[["net", "cost"]].astype(float), how="left")
    net, goods = table["net"].fillna(0.0), table.pop("cost")
    bare = margin is None and goods.where(net != 0, 0.0).isna().any()
    profit = net if bare else net - goods.fillna(0.0) if margin is None else net * margin
    table = table.assign(net=net, profit=profit, basis="net_sales" if bare else "margin")
    table = table.join(spent.astype(float)).fillna({"contacts": 0.0})
    if spent["cost"].notna().any():
        table["cost"] = table["cost"].fillna(0.0)
    counted = (table.index != NEW) & (table["customers"] >= SMALL)
    names = {"customers": "customer_share", "contacts": "contact_share", "cost": "cost_share", "profit": "profit_share"}
    for column, share in names.items():
        total = table.loc[table.index != NEW, column].sum()
        table[share] = (table[column] / total).where(counted) if total > 0 else np.nan
    budget_share = table["cost_share"].fillna(table["contact_share"])
    index = budget_share / table["profit_share"].where(table["profit_share"] > 0)
    verdict = np.select([index.isna(), index >= OVER, index <= UNDER], [None, "over", "under"], "level")
    return table.assign(budget_index=index, verdict=verdict).rename_axis("tier").reset_index()[COLUMNS]
