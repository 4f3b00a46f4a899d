"""Three campaigns of the demo shop with random hold-outs, and what each truly did.

An effect is made by adding or removing orders of treated customers in the 29 days after the day of assignment, so that
both ways of counting a 30-day window see it whole.
"""

import numpy as np
import pandas as pd

from tierbook.demo import catalog, orders, season

LOOK_BACK, WINDOW_DAYS, BLOCK = 365, 30, 20
HIGH_SHARE = 0.20  # high value: the top 20 % of eligible customers by net spend in the 365 days before assignment

# campaign: day, customers, share held out, channel, cost of a contact in CNY, share of treated who open, who opt out
CAMPAIGNS = {
    "2026-04 new arrivals coupon": ("2026-04-10", 2_200, 0.30, "sms", 0.50, 0.55, 0.010),
    "2026-06 newsletter": ("2026-06-05", 2_400, 0.25, "email", 0.02, 0.25, 0.015),
    "2026-09 winback calls": ("2026-09-10", 2_400, 0.30, "phone", 6.00, 0.60, 0.040),
}
COUPON, NEWSLETTER, CALLS = CAMPAIGNS
EXTRA_ORDER = 0.45  # probability that the coupon brings a living treated customer one more order
THINNED = 0.70  # share of a treated high-value customer's orders that the calls cost


def eligible(sales: pd.DataFrame, reachable: np.ndarray, day: int) -> pd.DataFrame:
    """Reachable customers with an order in the 365 days before ``day``: customer, spend_before, high (top 20 %)."""
    since, until = (day - LOOK_BACK) * orders.DAY_SECONDS, day * orders.DAY_SECONDS
    counted = sales[
        (sales["status"] != "closed") & (sales["customer"] >= 0) & sales["moment"].between(since, until - 1)
    ]
    spend = counted.groupby("customer")["amount"].sum()
    buyers = counted.loc[counted["status"] == "paid", "customer"].unique()
    spend = spend[np.sort(buyers[reachable[buyers]])]
    return spend.rename("spend_before").reset_index().assign(high=(spend >= spend.quantile(1 - HIGH_SHARE)).to_numpy())


def assign(name: str, sales: pd.DataFrame, reachable: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the campaign's customers and its arms at random: campaign, customer, spend_before, high, treated, day.

    The hold-out is drawn within blocks of 20 customers of like spend, so that arms start alike in every tier.
    """
    date, size, held_out, *_ = CAMPAIGNS[name]
    day = season.day_number(date)
    pool = eligible(sales, reachable, day)
    drawn = pool.iloc[rng.permutation(len(pool))[:size]].sort_values("spend_before", kind="stable", ignore_index=True)
    lot, block = pd.Series(rng.random(len(drawn))), np.arange(len(drawn)) // BLOCK
    drawn.insert(0, "campaign", name)
    return drawn.assign(treated=lot.groupby(block).rank().to_numpy() > held_out * BLOCK, day=day)


def coupon_orders(assigned: pd.DataFrame, people: pd.DataFrame, next_order: int, rng) -> pd.DataFrame:
    """Sales that exist only because of the coupon: one more order of two in five of the living treated customers."""
    day = assigned["day"] + rng.integers(1, WINDOW_DAYS, len(assigned))
    lives = day.to_numpy() < people["churn_day"].to_numpy()[assigned["customer"]]
    takes = assigned["treated"].to_numpy() & lives & (rng.random(len(assigned)) < EXTRA_ORDER)
    extra = orders.place(people, assigned["customer"].to_numpy()[takes], day.to_numpy()[takes], rng)
    extra_sales = orders.ring_up(extra.assign(closed=False), catalog.fill_baskets(extra, rng))
    extra_sales["order"] += next_order
    return pd.concat([extra_sales, orders.refunds(extra_sales, rng)], ignore_index=True)


def lost_orders(assigned: pd.DataFrame, sales: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Keys of the orders that the calls cost: two in three of the treated high-value customers' in the window."""
    annoyed = assigned.loc[assigned["treated"] & assigned["high"], "customer"]
    days_after = sales["moment"] // orders.DAY_SECONDS - assigned["day"].iloc[0]
    bought = sales["customer"].isin(annoyed) & (sales["status"] != "refunded") & days_after.between(1, WINDOW_DAYS - 1)
    window = np.sort(sales.loc[bought, "order"].unique())
    return window[rng.random(len(window)) < THINNED]


def true_effects(assigned: pd.DataFrame, changed: pd.DataFrame, sign: int) -> pd.DataFrame:
    """What a campaign truly changed for each treated customer, by group (high, rest, all): orders and net spend.

    ``changed`` are the counted sales that exist (``sign`` 1) or are gone (``sign`` -1) because of it, with their
    refunds whenever those came: not an estimate.
    """
    per_customer = changed.groupby("customer").agg(
        orders=("order", "nunique"),
        net_spend=("amount", "sum"),
    )
    treated = assigned[assigned["treated"]].join(per_customer, on="customer").fillna({"orders": 0, "net_spend": 0.0})
    groups = {"high": treated[treated["high"]], "rest": treated[~treated["high"]], "all": treated}
    rows = [
        (group, len(rows), sign * rows["orders"].mean(), sign * rows["net_spend"].mean())
        for group, rows in groups.items()
    ]
    effects = pd.DataFrame(rows, columns=["group", "n_treated", "orders", "net_spend"])
    effects.insert(0, "campaign", assigned["campaign"].iloc[0])
    return effects


def run(sales: pd.DataFrame, people: pd.DataFrame, reachable: np.ndarray, rng) -> tuple[pd.DataFrame, ...]:
    """Carry out the three campaigns in turn: the sales as they came to be, all assignments, the true effects."""
    # a generator each, so that changing one campaign leaves the draws of the others alone
    of_coupon, of_newsletter, of_calls = rng.spawn(3)
    coupon = assign(COUPON, sales, reachable, of_coupon)
    gained = coupon_orders(coupon, people, int(sales["order"].max()) + 1, of_coupon)
    sales = pd.concat([sales, gained], ignore_index=True)
    newsletter = assign(NEWSLETTER, sales, reachable, of_newsletter)
    calls = assign(CALLS, sales, reachable, of_calls)
    gone = sales["order"].isin(lost_orders(calls, sales, of_calls))
    lost = sales[gone & (sales["status"] != "closed")]
    effects = [
        true_effects(coupon, gained, 1),
        true_effects(newsletter, sales.iloc[:0], 1),
        true_effects(calls, lost, -1),
    ]
    assigned = pd.concat([coupon, newsletter, calls], ignore_index=True)
    return sales[~gone], assigned, pd.concat(effects, ignore_index=True)


def contacts(assigned: pd.DataFrame, names: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """The contacts table; controls have the planned channel, but no contact, cost or answer (null)."""
    plan = pd.DataFrame([CAMPAIGNS[name] for name in assigned["campaign"]])
    treated, n = assigned["treated"].to_numpy(), len(assigned)
    delay = np.where(plan[3] == "phone", rng.integers(0, 3, n), 0)
    opened = rng.random(n) < plan[5]
    clicked = opened & (rng.random(n) < 0.2) & (plan[3] != "phone")
    opted_out = rng.random(n) < plan[6]
    table = pd.DataFrame(
        {
            "campaign": assigned["campaign"],
            "customer_id": names[assigned["customer"]],
            "arm": np.where(treated, "treated", "control"),
            "assigned_at": season.dates(assigned["day"]),
            "contacted_at": pd.Series(season.dates(assigned["day"] + delay)).where(treated),
            "channel": plan[3],
            "cost": plan[4].where(treated),
            "opened": opened.astype("boolean").where(treated),
            "clicked": clicked.astype("boolean").where(treated),
            "opted_out": opted_out.astype("boolean").where(treated),
        }
    )
    return table.sort_values(["assigned_at", "customer_id"], kind="stable", ignore_index=True).astype(
        {"customer_id": "str", "arm": "str"}
    )
