"""What the tiers of one date foretold: who came back afterwards, and who brought the sales that followed."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook.accounting import day_number
from tierbook.insight.campaign import WORTHWHILE_LIFT, detectable, sample_size
from tierbook.insight.voice import share

SMALL = 10
COLUMNS = [
    "tier", "customers", "share", "came_back", "came_back_share", "low", "high", "next_sales", "next_share", "next_mean",
]  # fmt: skip


def sales_after(days: nw.LazyFrame, cut: dt.date, ahead_days: int) -> nw.LazyFrame:
    """Orders and net money of every customer in the ``ahead_days`` days after ``cut``: customer_id, orders, spend.

    ``days``: `history.customer_days`. Customers without a day in them have no row.
    """
    end = day_number(cut)
    ahead = days.filter(nw.col("day") > end, nw.col("day") <= end + ahead_days)
    return ahead.group_by("customer_id").agg(nw.col("orders").sum(), nw.col("net").sum().alias("spend"))


def followed(tiers: pd.Series, after: pd.DataFrame) -> pd.DataFrame:
    """One row per customer with a tier: tier, back (an order afterwards), spend (net money afterwards, 0 for none).

    ``tiers``: tier by customer_id at the cut, null for none; ``after``: `sales_after` it. Customers who first bought
    after the cut had no tier to be judged by and are left out.
    """
    known = tiers[tiers.notna()].astype(object)
    later = after.set_index("customer_id")[["orders", "spend"]].astype(float).reindex(known.index).fillna(0.0)
    return pd.DataFrame({"tier": known, "back": later["orders"] > 0, "spend": later["spend"]})


def tiers_ahead(customers: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """One row per tier, best first: how many, how many came back, and their part of the sales that followed.

    ``customers``: `followed`. Columns tier; customers and their share; came_back (customers), came_back_share with its
    95 % Wilson interval low to high; next_sales (net), next_share, next_mean per customer, who came back or not. Shares
    and means of fewer than 10 customers are null, next_share also where nothing was sold afterwards.
    """
    groups = customers.sort_values("spend").groupby("tier")
    table = pd.DataFrame(
        {"customers": groups.size(), "came_back": groups["back"].sum(), "next_sales": groups["spend"].sum()}
    ).reindex(order, fill_value=0)
    told, total = table["customers"] >= SMALL, table["next_sales"].sum()
    backs = [share(int(row.came_back), int(row.customers)) for row in table.itertuples()]
    table["share"] = (table["customers"] / max(len(customers), 1)).where(told)
    table["next_share"] = (table["next_sales"] / total).where(told) if total > 0 else np.nan
    table["next_mean"] = (table["next_sales"] / table["customers"]).where(told)
    for name, key in (("came_back_share", "value"), ("low", "low"), ("high", "high")):
        table[name] = [back[key] for back in backs]
    return table.astype({"customers": int, "came_back": int}).rename_axis("tier").reset_index()[COLUMNS]


def highest(values: pd.Series, customers: int) -> pd.Series:
    """Whether each customer is among the so many with the highest value; whoever equals the last one is in as well."""
    if customers < 1:
        return pd.Series(False, index=values.index)
    return values >= values.nlargest(customers).iloc[-1]


def sizes_by_tier(customers: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """How large a test of an action would have to be, tier by tier, on net money per customer in as long a time.

    ``customers``: `followed`. Columns tier, customers, mean and sd of the money; needed: customers per arm, both equal,
    to find a lift of 20 % of the mean in four of five tests (`campaign.sample_size`); smallest_lift: what the tier's own
    customers in two halves would find as often, as a share of the mean. Null below 10 customers, and where the mean is
    not above zero or all spent the same.
    """
    money = customers.sort_values("spend").groupby("tier")["spend"].agg(["size", "mean", "std"]).reindex(order)
    told = (money["size"] >= SMALL) & (money["mean"] > 0) & (money["std"] > 0)
    mean, sd = money["mean"].where(told), money["std"].where(told)
    return pd.DataFrame(
        {
            "tier": order,
            "customers": money["size"].fillna(0).astype(int).to_numpy(),
            "mean": mean.to_numpy(),
            "sd": sd.to_numpy(),
            "needed": pd.array(sample_size(WORTHWHILE_LIFT * mean.to_numpy(), sd.to_numpy()), dtype="Int64"),
            "smallest_lift": (detectable(2 * sd / np.sqrt(money["size"])) / mean).to_numpy(),
        }
    )
