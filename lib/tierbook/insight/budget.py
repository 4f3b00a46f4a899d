"""Budget against profit: who was contacted at what cost, beside what they brought in the same months, by tier."""

from __future__ import annotations

from collections.abc import Callable

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook import lookup
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


def months_ago(days: pd.Series, ends: list[int]) -> np.ndarray:
    """In which month a day lies: 0 the latest, one less than there are ``ends`` (day numbers, newest first) for any before."""
    return len(ends) - 1 - np.searchsorted(ends[::-1], days.to_numpy(), side="left")


def first_months(history: nw.LazyFrame, ends: list[int]) -> nw.LazyFrame:
    """customer_id and first_ago, `months_ago` of the first purchase, in the engine. ``history``: `history.history`."""
    later = nw.sum_horizontal(*[nw.when(nw.col("first_day") > end).then(1).otherwise(0) for end in ends])
    return history.select("customer_id", (len(ends) - 1 - later).alias("first_ago"))


def contacted(
    contacts: pd.DataFrame, ends: list[int], tiers: Callable[[int], pd.DataFrame], firsts: pd.DataFrame
) -> pd.DataFrame:
    """Contacts by the tier that the customer had when the month of the contact began: index tier; contacts, cost.

    ``contacts``: customer_id, contacted_at (null: not contacted), cost (null: unknown); ``ends``: the months' ends, newest
    first; ``tiers``: gives customer_id, tier at the beginning of the month so long ago; ``firsts``: customer_id,
    first_ago. Customers without any order are ``new``. cost is null where no contact of the tier has one.
    """
    at = pd.to_datetime(contacts["contacted_at"]).to_numpy().astype("datetime64[D]")
    day = pd.Series(np.where(np.isnat(at), ends[-1], at.astype("int64")))
    within = ((day > ends[-1]) & (day <= ends[0])).to_numpy()
    asked = contacts.loc[within, ["customer_id", "cost"]].astype({"cost": float})
    asked = asked.assign(ago=months_ago(day, ends)[within]).reset_index(drop=True)
    placed = [_tier_of(people, tiers(ago)) for ago, people in asked.groupby("ago")["customer_id"]]
    tier = pd.concat([pd.Series(dtype=object), *placed]).reindex(asked.index)
    first = lookup.of(asked["customer_id"], firsts["customer_id"], firsts["first_ago"]).to_numpy(dtype=float)
    unknown = np.isnan(first) | (first <= asked["ago"].to_numpy())
    groups = asked["cost"].groupby(tier.where(tier.notna(), OUTSIDE).mask(unknown, NEW))
    return pd.DataFrame({"contacts": groups.size(), "cost": groups.sum(min_count=1)})


def _tier_of(people: pd.Series, then: pd.DataFrame) -> pd.Series:
    return lookup.of(people, then["customer_id"], then["tier"].astype(object))


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
