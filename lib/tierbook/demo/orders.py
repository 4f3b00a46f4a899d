"""The demo shop's till: orders with their lines, follow-up purchases, refunds, and the dirt an export really has."""

import numpy as np
import pandas as pd

from tierbook.demo import catalog, season
from tierbook.demo.people import CHANNELS, REGION_OF_STORE, STORES

DAY_SECONDS = 86_400
WALK_IN, TILL_ID = -1, -2  # customer numbers of buyers without an id, and of the till's own id
TILL_CUSTOMER = "WALK-IN"
BLANK_SHARE, TILL_SHARE = 0.155, 0.03  # of store orders before follow-ups, which dilute them
CLOSED_SHARE, REPEATED_SHARE, REFUND_SHARE = 0.029, 0.003, 0.045
GIFTS = 90
COLUMNS = ["status", "amount", "quantity", "product", "category", "cost", "channel", "store", "region"]
LAST_CLOCKS = (23 * 3600 + 59 * 60, 23 * 3600 + 41 * 60, 22 * 3600 + 5 * 60, 21 * 3600 + 12 * 60)
# channel: hour around which orders gather, spread in hours, first and last hour
HOURS = {"store": (15.5, 3.0, 10.0, 21.9), "web": (19.0, 4.5, 0.0, 23.9), "live_stream": (20.8, 1.2, 18.0, 23.9)}


def _clock(channel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Second of the day of each order, by channel."""
    hour = np.array([HOURS[name] for name in CHANNELS])[channel]
    moment = np.clip(rng.normal(hour[:, 0], hour[:, 1]), hour[:, 2], hour[:, 3])
    return (moment * 3600).astype(int) + rng.integers(0, 300, len(channel))


def place(people: pd.DataFrame, customer: np.ndarray, day: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Orders of known customers: customer, day, second, channel and store numbers, taste, business."""
    buyer = people.iloc[customer]
    strays = rng.random(len(customer)) < 0.2
    channel = np.where(strays, rng.integers(0, len(CHANNELS), len(customer)), buyer["home_channel"])
    columns = {"customer": customer, "day": day, "second": _clock(channel, rng), "channel": channel}
    return pd.DataFrame(columns | {name: buyer[name].to_numpy() for name in ("store", "taste", "business")})


def walk_ins(orders: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Store orders of buyers nobody identified: about 15 % of store orders without an id, 3 % under the till's."""
    store_orders = (orders["channel"] == 0).sum() / (1 - BLANK_SHARE - TILL_SHARE)
    blank, till = int(store_orders * BLANK_SHARE), int(store_orders * TILL_SHARE)
    weights, n = season.day_weights(), blank + till
    share = np.array([weight for _, weight in STORES.values()])
    channel = np.zeros(n, dtype=int)
    return pd.DataFrame(
        {
            "customer": np.repeat([WALK_IN, TILL_ID], [blank, till]),
            "day": season.calendar_day(rng.random(n) * weights.sum(), weights),
            "second": _clock(channel, rng),
            "channel": channel,
            "store": rng.choice(len(share), size=n, p=share / share.sum()),
            "taste": rng.normal(-0.2, 0.7, n),
            "business": False,
        }
    )


def follow_up(
    orders: pd.DataFrame, lines: pd.DataFrame, people: pd.DataFrame, rng
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Orders and lines with the planted follow-ups: three in five in a later order if the buyer lives."""
    known = lines[orders["customer"].to_numpy()[lines["order"]] >= 0]
    brought = catalog.followers(known, rng)
    buyer = orders.iloc[brought["order"]]
    customer, day = buyer["customer"].to_numpy(), buyer["day"].to_numpy() + brought["days_later"].to_numpy()
    alive = day < np.minimum(people["churn_day"].to_numpy()[customer], season.DAYS)
    later = alive & (rng.random(len(brought)) < 0.6)
    new = place(people, customer[later], day[later], rng)
    order = brought["order"].to_numpy().copy()
    order[later] = len(orders) + np.arange(len(new))
    orders = pd.concat([orders, new], ignore_index=True)
    product = catalog.choose_product(brought["category"].to_numpy(), orders["taste"].to_numpy()[order], rng)
    return orders, pd.concat([lines, catalog.price_lines(order, product, orders, rng)], ignore_index=True)


def closed_orders(orders: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Which orders were placed but never paid: no customer's first, none without a customer."""
    moment = orders["day"] * DAY_SECONDS + orders["second"]
    first = moment.groupby(orders["customer"]).rank(method="first").to_numpy() == 1
    return (rng.random(len(orders)) < CLOSED_SHARE) & ~first & (orders["customer"].to_numpy() >= 0)


def stay_open_late(orders: pd.DataFrame) -> pd.DataFrame:
    """Move some known customers' orders of the last day into its last hours, one to 23:59:00."""
    last = orders.index[(orders["day"] == season.DAYS - 1) & (orders["customer"] >= 0) & ~orders["closed"]]
    orders = orders.copy()
    orders.loc[last[: len(LAST_CLOCKS)], "second"] = LAST_CLOCKS[: len(last)]
    orders.loc[last[: len(LAST_CLOCKS)], "channel"] = 1
    return orders


def ring_up(orders: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """One row per line with all that the export says of it; ``moment`` counts seconds from the first day's midnight."""
    sold, product = orders.iloc[lines["order"]], catalog.PRODUCTS.iloc[lines["product"]]
    store, channel = sold["store"].to_numpy(), CHANNELS[sold["channel"]]
    return pd.DataFrame(
        {
            "order": lines["order"].to_numpy(),
            "customer": sold["customer"].to_numpy(),
            "moment": (sold["day"] * DAY_SECONDS + sold["second"]).to_numpy(),
            "status": np.where(sold["closed"], "closed", "paid"),
            "amount": lines["amount"].to_numpy(),
            "quantity": lines["quantity"].to_numpy(),
            "product": product["product"].to_numpy(),
            "category": product["category"].to_numpy(),
            "cost": lines["cost"].to_numpy(),
            "channel": channel,
            "store": np.where(channel == "store", np.array(list(STORES))[store], None),
            "region": REGION_OF_STORE[store],
        }
    )


def refunds(sales: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Negative rows 1-21 days after some paid lines: three in four with the goods, else a fifth of the price alone."""
    back = sales[(sales["status"] == "paid") & (rng.random(len(sales)) < REFUND_SHARE)]
    goods = rng.random(len(back)) < 0.75
    moment = back["moment"] + rng.integers(1, 22, len(back)) * DAY_SECONDS
    refunded = back.assign(
        status="refunded",
        moment=moment // DAY_SECONDS * DAY_SECONDS + rng.integers(9 * 3600, 18 * 3600, len(back)),
        amount=-(back["amount"] * np.where(goods, 1.0, 0.2)).round(2),
        quantity=np.where(goods, -back["quantity"], 0),
        cost=np.where(goods, -back["cost"], 0.0),
    )
    return refunded[refunded["moment"] < season.DAYS * DAY_SECONDS]


def gifts(sales: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Zero-amount lines that came free with some known customers' paid orders; the shop bore their cost."""
    paid = sales[(sales["status"] == "paid") & (sales["customer"] >= 0)].drop_duplicates("order")
    chosen = paid.iloc[np.sort(rng.choice(len(paid), GIFTS, replace=False))]
    return chosen.assign(amount=0.0, quantity=1, product="Gift Tote", category="Gifts", cost=12.0)


def number(sales: pd.DataFrame, names: np.ndarray) -> pd.DataFrame:
    """The transactions table of ``sales`` in time order: with no customer id where nobody was identified."""
    customer = sales["customer"].to_numpy()
    ids = np.where(customer >= 0, names[np.maximum(customer, 0)], np.where(customer == TILL_ID, TILL_CUSTOMER, None))
    keys = {
        "order_id": np.char.mod("O%06d", pd.factorize(sales["order"])[0] + 1),
        "line_id": np.char.mod("L%06d", np.arange(len(sales)) + 1),
        "customer_id": ids,
        "ordered_at": season.dates(np.zeros(1)) + sales["moment"].to_numpy().astype("timedelta64[s]"),
    }
    table = pd.concat([pd.DataFrame(keys), sales[COLUMNS]], axis=1)
    return table.astype(dict.fromkeys(table.columns.difference(["ordered_at", "amount", "quantity", "cost"]), "str"))


def export_twice(sales: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Row positions of known customers' paid lines that the export holds twice."""
    plain = (sales["customer"] >= 0) & (sales["status"] == "paid") & (sales["amount"] > 0)
    return rng.choice(np.flatnonzero(plain), int(len(sales) * REPEATED_SHARE), replace=False)


def planted_dirt(sales: pd.DataFrame, repeated: pd.Series) -> pd.DataFrame:
    """Rows and money of each kind of planted dirt, one row per reason; no row is of two kinds.

    A refund counts only where its buyer is known; those of unidentified buyers stand under the missing id. ``repeated``
    holds the amounts of the lines that the export repeats: one surplus row each.
    """
    known, amount = sales["customer"] >= 0, sales["amount"]
    planted = {
        "repeated_line_id": repeated,
        "missing_customer_id": amount[sales["customer"] == WALK_IN],
        "walk_in_id": amount[sales["customer"] == TILL_ID],
        "closed": amount[known & (sales["status"] == "closed")],
        "refunded": amount[known & (sales["status"] == "refunded")],
        "gift": amount[known & (sales["category"] == "Gifts")],
    }
    counts = {reason: (len(rows), round(rows.sum(), 2)) for reason, rows in planted.items()}
    return pd.DataFrame.from_dict(counts, orient="index", columns=["rows", "amount"]).rename_axis("reason")
