"""A points rule and what it costs: points earned, redeemed, expired and still owed, oldest points first.

The simulation replays real orders under a rule that need not have been in force: what the rule would have cost had
nobody changed how they buy. It says nothing about sales the points would have brought; that takes a hold-out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tierbook.errors import InputError, ParamsError

MOVEMENTS = ["earned", "redeemed", "taken_back", "expired", "outstanding"]


@dataclass(frozen=True)
class PointsRule:
    """How points come and go.

    Attributes
    ----------
    per_unit : points earned per unit of currency paid; fractions of a point are kept
    multipliers : tier → factor on ``per_unit``; a tier not named (or unknown) has 1
    point_value : what a redeemed point is worth, in the report's currency
    redeem_share : share of the balance that is redeemed at an order, where the balance reaches ``threshold``
    threshold : smallest balance, in points, that may be redeemed
    valid_days : points can be redeemed up to this many days after the day they were earned; None: for ever
    """

    per_unit: float = 1.0
    multipliers: dict[str, float] = field(default_factory=dict)
    point_value: float = 0.01
    redeem_share: float = 0.5
    threshold: float = 0.0
    valid_days: int | None = 365

    def __post_init__(self):
        amounts = {name: getattr(self, name) for name in ("per_unit", "point_value", "threshold")}
        amounts |= {f"multipliers.{tier}": factor for tier, factor in self.multipliers.items()}
        below = {name: amount for name, amount in amounts.items() if amount < 0}
        if below:
            raise ParamsError(f"points: {below} must not be negative")
        if not 0 <= self.redeem_share <= 1:
            raise ParamsError(f"points.redeem_share: {self.redeem_share} is not a share from 0 to 1")
        if self.valid_days is not None and self.valid_days < 1:
            raise ParamsError(f"points.valid_days: {self.valid_days}; give at least one day, or null for no expiry")


def ledger(orders: pd.DataFrame, rule: PointsRule, as_of: int, tiers: pd.Series | None = None) -> pd.DataFrame:
    """Points of every customer from the first order up to and including ``as_of``, sorted by customer_id.

    customer_id, tier (null where unknown), sales (net of refunds, the report's currency), earned, redeemed, taken_back
    (for refunds), expired, outstanding, in points: earned = redeemed + taken_back + expired + outstanding.

    ``orders``: customer_id, day (whole days, any origin), net; a customer's rows of one day are one. Days after
    ``as_of`` are not read. ``tiers``: tier by customer_id, today's for all the time. On a day with net above zero the
    customer first redeems ``redeem_share`` of the balance, if it reaches the threshold, at most the worth of the order,
    and then earns on the whole net. On a day with net below zero the points of that money are taken back, as far as
    the balance goes. Redemption and refunds use the oldest points first.

    Raises
    ------
    InputError : a column is missing, or a customer, day or net is null
    """
    days = _customer_days(orders, as_of)
    customer, names = pd.factorize(days["customer_id"])  # sorted, since the rows are
    tier = pd.Series(index=names, dtype=object) if tiers is None else tiers.reindex(names)
    factor = tier.map(rule.multipliers).astype(float).fillna(1.0).to_numpy()
    points = days["net"].to_numpy() * rule.per_unit * factor[customer]
    moved = _replay(customer, days, points, rule, as_of)
    sales = np.bincount(customer, days["net"], len(names))
    table = pd.DataFrame({"customer_id": names, "tier": tier.to_numpy(), "sales": sales, **moved})
    return table[["customer_id", "tier", "sales", *MOVEMENTS]]


def cost(points: pd.DataFrame, rule: PointsRule) -> pd.DataFrame:
    """What a rule costs, from its `ledger`: one row per tier (by name, unknown tiers left to ``all``), ``all`` first.

    tier, customers, sales, then the ledger's points; cost: points redeemed at their value; cost_share of sales;
    liability: points outstanding at their value, owed if every one were redeemed; full_share: cost and liability, of
    sales. Money in the report's currency; shares are null where sales are not above zero or under 10 customers.
    """
    columns = ["sales", *MOVEMENTS]
    by_tier = points.groupby(points["tier"].astype(object))[columns].sum()
    by_tier.insert(0, "customers", points.groupby(points["tier"].astype(object)).size())
    total = points[columns].sum().to_frame("all").T
    total.insert(0, "customers", len(points))
    table = pd.concat([total, by_tier]).rename_axis("tier").reset_index().astype({"tier": str, "customers": "int64"})
    table["cost"] = table["redeemed"] * rule.point_value
    told = (table["sales"] > 0) & (table["customers"] >= 10)
    table["cost_share"] = (table["cost"] / table["sales"]).where(told)
    table["liability"] = table["outstanding"] * rule.point_value
    table["full_share"] = ((table["cost"] + table["liability"]) / table["sales"]).where(told)
    return table


def _customer_days(orders, as_of):
    needed = ["customer_id", "day", "net"]
    missing = [name for name in needed if name not in orders]
    if missing:
        raise InputError(f"points: orders have no column {missing}; there are {list(orders.columns)}")
    empty = orders[needed].isna().any(axis=1)
    if empty.any():
        raise InputError(f"points: {empty.sum()} of {len(orders)} orders lack customer_id, day or net")
    until = orders.loc[orders["day"] <= as_of, needed]
    # Sorted by money too, so that sums have the same last digit whatever the order of the rows.
    return until.sort_values(needed).groupby(["customer_id", "day"], as_index=False)["net"].sum()


def _replay(customer, days, points, rule, as_of):
    """Points moved by customer, one array per movement.

    With the oldest points leaving first, all that has left by a day is at least all that was earned more than
    ``valid_days`` before it: what is missing to that has expired. So one running number per customer is enough, and
    the k-th days of all customers are worked through together.
    """
    day, net = days["day"].to_numpy(dtype=np.int64), days["net"].to_numpy()
    customers = int(customer[-1]) + 1 if len(customer) else 0
    gained = np.maximum(points, 0.0)
    earned = pd.Series(gained).groupby(customer).cumsum().to_numpy()  # within a customer, the day's own included
    stale = _earned_before(customer, day, earned, customer, day - (rule.valid_days or 0), rule)
    gone, moved = np.zeros(customers), {name: np.zeros(customers) for name in MOVEMENTS}
    for rows in _by_turn(customer):
        who = customer[rows]
        expired = np.maximum(stale[rows] - gone[who], 0.0)
        balance = np.maximum(earned[rows] - gained[rows] - gone[who] - expired, 0.0)
        redeemed, taken = _used(balance, net[rows], points[rows], rule)
        gone[who] += expired + redeemed + taken
        for name, amount in (("expired", expired), ("redeemed", redeemed), ("taken_back", taken)):
            moved[name][who] += amount
    limit = np.full(customers, as_of - (rule.valid_days or 0), dtype=np.int64)
    last = np.maximum(_earned_before(customer, day, earned, np.arange(customers), limit, rule) - gone, 0.0)
    moved["earned"] = earned[np.append(np.flatnonzero(np.diff(customer)), len(customer) - 1)] if customers else gone
    moved["expired"] += last
    moved["outstanding"] = np.maximum(moved["earned"] - gone - last, 0.0)
    return moved


def _by_turn(customer):
    """Rows of everybody's first day, then of everybody's second, and so on."""
    if not len(customer):
        return []
    turn = np.arange(len(customer)) - np.searchsorted(customer, customer)
    return np.split(np.argsort(turn, kind="stable"), np.cumsum(np.bincount(turn))[:-1])


def _used(balance, net, points, rule):
    """Points redeemed by an order, and points taken back for a refund."""
    may = (balance > 0) & (balance >= rule.threshold - 1e-9) & (net > 0)
    worth = net / rule.point_value if rule.point_value > 0 else np.full(len(net), np.inf)
    redeemed = np.where(may, np.minimum(rule.redeem_share * balance, worth), 0.0)
    return redeemed, np.minimum(np.maximum(-points, 0.0), balance)


def _earned_before(customer, day, earned, who, limit, rule):
    """Points that customers ``who`` earned before the days ``limit``; none where points are for ever."""
    if rule.valid_days is None or not len(day):
        return np.zeros(len(who))
    first, span = day.min(), day.max() - day.min() + 1
    at = np.searchsorted(
        customer * (span + 1) + (day - first), who * (span + 1) + np.clip(limit - first, 0, span), side="left"
    )
    return np.where(at > np.searchsorted(customer, who), earned[at - 1], 0.0)
