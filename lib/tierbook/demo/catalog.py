"""What the demo shop sells, how a basket is filled, and which products bring others."""

import numpy as np
import pandas as pd

from tierbook.demo import season

# category: (weight of a consumer's line, of a business's, gross margin at list price, {product: list price in CNY})
CATEGORIES = {
    "TVs": (
        0.045,
        0.10,
        0.24,
        {"Aurora 43 TV": 1899, "Aurora 55 TV": 3299, "Aurora 65 TV": 4999, "Aurora 75 TV": 7999},
    ),
    "Speakers": (0.018, 0.02, 0.36, {"Sonora Mini": 399, "Sonora Soundbar": 1299, "Sonora Cinema": 2999}),
    "TV stands": (0.006, 0.01, 0.40, {"Birch Wall Mount": 299, "Birch Stand": 499, "Oak Stand": 899}),
    "Robot vacuums": (0.05, 0.04, 0.30, {"Glide Base": 1299, "Glide Plus": 1999, "Glide Max": 2999}),
    "Vacuum options": (0.02, 0.02, 0.48, {"Glide Brush Set": 89, "Glide Mop Kit": 249, "Glide Dust Dock": 699}),
    "Headphones": (0.15, 0.05, 0.35, {"Pico Earbuds": 199, "Pico Pro Earbuds": 599, "Calm Headphones": 1299}),
    "Kitchen": (
        0.20,
        0.10,
        0.32,
        {"Rise Kettle": 129, "Rise Rice Cooker": 399, "Rise Air Fryer": 549, "Rise Steam Oven": 1999},
    ),
    "Air care": (0.13, 0.22, 0.33, {"Breeze Fan": 199, "Breeze Humidifier": 329, "Breeze Purifier": 1299}),
    "Smart home": (0.16, 0.28, 0.38, {"Lumen Bulbs": 99, "Lumen Camera": 259, "Lumen Door Lock": 1099}),
    "Chargers": (0.221, 0.16, 0.45, {"Volt Cable": 39, "Volt Charger": 149, "Volt Power Bank": 229}),
}
PRODUCTS = pd.DataFrame(
    [(product, category, price, row[2]) for category, row in CATEGORIES.items() for product, price in row[3].items()],
    columns=["product", "category", "price", "margin"],
)
FIRST_PRODUCT = PRODUCTS.drop_duplicates("category").index.to_numpy()
SHELF_SIZE = np.array([len(row[3]) for row in CATEGORIES.values()])

FOLLOW_DAYS = 60
# level at which the pair is planted, what the customer has, the category that follows, probability for each line bought
PAIRS = (
    ("category", "TVs", "Speakers", 0.34),
    ("category", "TVs", "TV stands", 0.26),
    ("product", "Glide Base", "Vacuum options", 0.45),
)


def planted_pairs() -> pd.DataFrame:
    """The planted affinity pairs: level, have, next, probability within ``window_days`` days of a line of ``have``."""
    pairs = pd.DataFrame(PAIRS, columns=["level", "have", "next", "probability"])
    return pairs.assign(window_days=FOLLOW_DAYS)


def choose_product(category: np.ndarray, taste: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A product number for each line: the higher the taste, the dearer the choice on the category's shelf."""
    height = 1 / (1 + np.exp(-taste - rng.logistic(0, 0.9, len(taste))))
    return FIRST_PRODUCT[category] + (height * SHELF_SIZE[category]).astype(int)


def price_lines(order: np.ndarray, product: np.ndarray, orders: pd.DataFrame, rng) -> pd.DataFrame:
    """Lines with quantity, amount and cost (CNY): list price, less the day's discount, times a lognormal."""
    buyer = orders.iloc[order]
    quantity = 1 + rng.poisson(np.where(buyer["business"], 0.8, 0.05))
    list_price = PRODUCTS["price"].to_numpy()[product]
    paid = list_price * (1 - season.discounts()[buyer["day"]]) * rng.lognormal(-0.03, 0.10, len(product))
    cost = list_price * (1 - PRODUCTS["margin"].to_numpy()[product]) * quantity
    return pd.DataFrame(
        {
            "order": order,
            "product": product,
            "quantity": quantity,
            "amount": np.round(paid * quantity, 2),
            "cost": np.round(cost, 2),
        }
    )


def fill_baskets(orders: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """One to six lines for each row of ``orders`` (day, taste, business)."""
    order = np.repeat(np.arange(len(orders)), 1 + np.minimum(rng.poisson(0.42, len(orders)), 5))
    buyer = orders.iloc[order]
    share = np.array([row[:2] for row in CATEGORIES.values()]).T.cumsum(axis=1)
    share /= share[:, -1:]
    category = (rng.random((len(order), 1)) > share[buyer["business"].to_numpy().astype(int)]).sum(axis=1)
    return price_lines(order, choose_product(category, buyer["taste"].to_numpy(), rng), orders, rng)


def followers(lines: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Lines that the planted pairs bring: order of the line that brought it, category number, days later (1-55)."""
    names = list(CATEGORIES)
    brought = []
    for level, have, following, probability in PAIRS:
        held = (PRODUCTS[level].to_numpy() == have)[lines["product"]]
        order = lines["order"].to_numpy()[held & (rng.random(len(lines)) < probability)]
        brought.append(pd.DataFrame({"order": order, "category": names.index(following)}))
    brought = pd.concat(brought, ignore_index=True)
    return brought.assign(days_later=rng.integers(1, 56, len(brought)))
