"""What surrounds the demo shop's orders: who the customers are, leads, acquisition costs, surveys, tickets, visits."""

import numpy as np
import pandas as pd

from tierbook.demo import orders, season
from tierbook.demo.people import REGION_OF_STORE, STORES

SOURCES = np.array(["search", "social", "live_stream", "store", "referral"])
SOURCE_SHARE = (0.32, 0.22, 0.18, 0.16, 0.12)
COST_OF_NEW = np.array([95.0, 60.0, 120.0, 45.0, 25.0])  # CNY spent for a newcomer of each source
INDUSTRIES = np.array(["Manufacturing", "Education", "Catering", "Finance", "Retail", "Healthcare"])
ACCOUNT_OWNERS = np.array(["Chen Wei", "Liu Fang", "Zhao Lei", "Sun Yan"])
SATISFACTION = {
    "one_time": 3.6,
    "steady": 4.5,
    "bursty": 4.0,
    "seasonal": 3.9,
    "growing": 4.5,
    "fading": 3.2,
    "habit_change": 3.9,
}
TOPICS = np.array(["delivery", "installation", "defect", "return", "invoice", "how to use"])
TICKET_REASONS = np.array(
    ["late", "technician no-show", "does not start", "changed mind", "wrong title", "app pairing"]
)
SURVEY_REASONS = np.array(["delivery", "price", "product quality", "service", "installation"])
COMMENTS = np.array(
    ["Nobody called back", "Slow, and the box was damaged", "It works", "Good value", "Would buy here again"]
)
UNCONVERTED_LEADS = 2_600
# The CRM's own RFM: days since the last order, orders and CNY of the last 365 days; orders and money make one score.
CRM_RECENCY, CRM_ORDERS, CRM_SPEND = (74, 141, 241, 365), (2, 4), (1_650, 3_950)
CRM_LABELS = np.array(
    [
        ["New Customers", "Promising", "Potential Loyalist", "Need Attention", "Champions"],
        ["New Customers", "Hibernating", "Potential Loyalist", "Need Attention", "Loyal Customers"],
        ["Hibernating", "About To Sleep", "Hibernating", "At Risk", "At Risk"],
        ["Lost", "Can't Lose Them", "At Risk", "At Risk", "Can't Lose Them"],
        ["Lost"] * 5,
    ]
)


def _some(values: np.ndarray, given: np.ndarray) -> pd.Series:
    """``values`` where ``given``, else null."""
    return pd.Series(values).where(given)


def _joined_days(people: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Day on which each customer registered: never after the first order; the earlier base up to three years before."""
    lag = np.where(rng.random(len(people)) < 0.6, 0, rng.integers(1, 15, len(people)))
    return np.where(people["earlier"], -rng.integers(1, 1_000, len(people)), people["first_day"] - lag)


def customers(people: pd.DataFrame, names: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """The customers table; ``channel`` is how a customer was won, in the words of leads and costs."""
    n, business = len(people), people["business"].to_numpy()
    region = REGION_OF_STORE[people["store"]]
    source = SOURCES[rng.choice(len(SOURCES), n, p=SOURCE_SHARE)]
    referrer = np.floor(rng.random(n) * np.arange(n)).astype(int)
    joined = _joined_days(people, rng)
    referred = (source == "referral") & (joined[referrer] <= joined) & (np.arange(n) > 0)
    birthday = np.datetime64("1955-01-01", "D") + rng.integers(0, 18_000, n)
    return pd.DataFrame(
        {
            "customer_id": names,
            "joined_at": season.dates(joined),
            "region": region,
            "industry": _some(rng.choice(INDUSTRIES, n), business),
            "company_size": _some(rng.choice(["small", "medium", "large"], n, p=[0.6, 0.3, 0.1]), business),
            "channel": source,
            "owner": np.where(business, rng.choice(ACCOUNT_OWNERS, n), np.char.add("Team ", region)),
            "store": np.array(list(STORES))[people["store"]],
            "referred_by": _some(names[referrer], referred),
            "do_not_contact": rng.random(n) < 0.03,
            "birthday": _some(birthday.astype("datetime64[s]"), ~business & (rng.random(n) < 0.8)),
            "gender": _some(rng.choice(["female", "male"], n), ~business & (rng.random(n) < 0.9)),
        }
    )


def in_the_crm(table: pd.DataFrame, sales: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The customers table with what the CRM keeps of each: record_id, and crm_segment, its own RFM label.

    Three in a hundred customers were never entered and have neither. The CRM's cut points are its own, it takes no
    refund off, and one label in twelve is a quarter old: most labels agree with a report's segments, not all.
    """
    n = len(table)
    number = 100_000_000_000 + rng.permutation(n) * 7_919 + rng.integers(0, 7_919, n)
    entered, stale = rng.random(n) < 0.97, rng.random(n) < 1 / 12
    now, before = _labels(sales, n, season.DAYS), _labels(sales, n, season.DAYS - 91)
    label = np.where(stale & (before != ""), before, now)
    record = np.char.add("zcrm_", number.astype(str))
    return table.assign(record_id=_some(record, entered), crm_segment=_some(label, entered & (label != "")))


def _labels(sales: pd.DataFrame, n: int, until: int) -> np.ndarray:
    """The CRM's label of each of ``n`` customers before day ``until``; empty without a paid line by then."""
    day = sales["moment"] // orders.DAY_SECONDS
    by_then = sales.assign(day=day)[(sales["customer"] >= 0) & (sales["status"] == "paid") & (day < until)]
    last = by_then.groupby("customer")["day"].max()
    year = by_then[by_then["day"] >= until - 365].groupby("customer")
    bought, spent = (
        found.reindex(last.index, fill_value=0) for found in (year["order"].nunique(), year["amount"].sum())
    )
    worth = np.digitize(bought, CRM_ORDERS) + np.digitize(spent, CRM_SPEND)
    label = np.full(n, "", dtype=CRM_LABELS.dtype)
    label[last.index] = CRM_LABELS[np.digitize(until - 1 - last, CRM_RECENCY), worth]
    return label


def leads(people: pd.DataFrame, table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The leads table: about 40 % of newcomers came as a lead, up to 40 days earlier; others never bought."""
    joined = (table["joined_at"].to_numpy().astype("datetime64[D]") - season.FIRST_DAY).astype(int)
    created = joined - rng.integers(0, 41, len(people))
    won = ~people["earlier"].to_numpy() & (created >= 0) & (rng.random(len(people)) < 0.42)
    converted = pd.DataFrame(
        {"created_at": created[won], "channel": table["channel"][won], "customer_id": table["customer_id"][won]}
    )
    weights = season.day_weights()
    lost_day = season.calendar_day(rng.random(UNCONVERTED_LEADS) * weights.sum(), weights)
    lost = pd.DataFrame({"created_at": lost_day, "channel": rng.choice(SOURCES, UNCONVERTED_LEADS, p=SOURCE_SHARE)})
    both = pd.concat([converted, lost], ignore_index=True).sort_values("created_at", kind="stable", ignore_index=True)
    both.insert(0, "lead_id", np.char.mod("D%05d", np.arange(len(both)) + 1))
    return both.assign(created_at=season.dates(both["created_at"]))


def costs(people: pd.DataFrame, table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The costs table: acquisition spending by month and source, about ``COST_OF_NEW`` for each newcomer."""
    months = np.arange(season.FIRST_DAY.astype("datetime64[M]"), season.LAST_DAY.astype("datetime64[M]") + 1)
    month = season.dates(people["first_day"]).astype("datetime64[M]")
    newcomers = pd.DataFrame({"month": month.astype(str), "channel": table["channel"]})[~people["earlier"].to_numpy()]
    won = (
        newcomers.value_counts().unstack(fill_value=0).reindex(index=months.astype(str), columns=SOURCES, fill_value=0)
    )
    spent = (won + 3) * COST_OF_NEW * rng.uniform(0.85, 1.15, won.shape)
    long = spent.round(2).rename_axis(index="month", columns="channel").stack().rename("amount").reset_index()
    return long[["month", "amount", "channel"]].astype({"month": "str", "channel": "str"})


def _known_orders(sales: pd.DataFrame) -> pd.DataFrame:
    """One row per paid order of a known customer: customer, day, and whether any of it was refunded."""
    known = sales[(sales["customer"] >= 0) & (sales["status"] != "closed")]
    first = known.sort_values(["moment", "order"], kind="stable").drop_duplicates("order")
    returned = known.loc[known["status"] == "refunded", "order"].unique()
    day = first["moment"] // orders.DAY_SECONDS
    return pd.DataFrame({"customer": first["customer"], "day": day, "returned": first["order"].isin(returned)})


def surveys(sales: pd.DataFrame, people: pd.DataFrame, names: np.ndarray, rng) -> pd.DataFrame:
    """The surveys table: sent the day after one order in eight; four in ten answer, the rest are null."""
    asked = _known_orders(sales)
    asked = asked[(rng.random(len(asked)) < 0.125) & (asked["day"] < season.DAYS - 1)]
    n, sent = len(asked), asked["day"].to_numpy() + 1
    answered = sent + rng.integers(0, 11, n)
    answers = (rng.random(n) < 0.4) & (answered < season.DAYS)
    mood = people["persona"].map(SATISFACTION).to_numpy()[asked["customer"]] - 0.8 * asked["returned"].to_numpy()
    mood = mood + rng.normal(0, 0.8, n)
    csat = np.clip(np.round(mood), 1, 5).astype(int)
    nps = np.clip(np.round(2.6 * mood - 2.6 + rng.normal(0, 1.0, n)), 0, 10).astype(int)
    talks = answers & (rng.random(n) < 0.35)
    return pd.DataFrame(
        {
            "customer_id": names[asked["customer"]],
            "sent_at": season.dates(sent),
            "answered_at": _some(season.dates(answered), answers),
            "csat": pd.Series(csat, dtype="Int64").where(answers),
            "nps": pd.Series(nps, dtype="Int64").where(answers),
            "reason": _some(rng.choice(SURVEY_REASONS, n), answers),
            "comment": _some(COMMENTS[csat - 1], talks),
        }
    )


def tickets(sales: pd.DataFrame, people: pd.DataFrame, names: np.ndarray, rng) -> pd.DataFrame:
    """The tickets table: 5 % of orders, more of those returned or of the fading; a few are open at the end (null)."""
    bought = _known_orders(sales)
    fading = people["persona"].to_numpy()[bought["customer"]] == "fading"
    bought = bought[rng.random(len(bought)) < 0.045 + 0.20 * bought["returned"] + 0.05 * fading]
    n = len(bought)
    opened = (bought["day"].to_numpy() + rng.integers(0, 15, n)) * orders.DAY_SECONDS
    opened += rng.integers(9 * 3600, 21 * 3600, n)
    responded = opened + (rng.lognormal(1.0, 1.0, n) * 3600).astype(int)
    resolved = responded + (rng.lognormal(3.6, 1.1, n) * 3600).astype(int)
    end, topic = season.DAYS * orders.DAY_SECONDS, rng.integers(0, len(TOPICS), n)
    midnight = season.dates(np.zeros(1))
    table = pd.DataFrame(
        {
            "customer_id": names[bought["customer"]],
            "opened_at": midnight + opened.astype("timedelta64[s]"),
            "first_response_at": _some(midnight + responded.astype("timedelta64[s]"), responded < end),
            "resolved_at": _some(midnight + resolved.astype("timedelta64[s]"), resolved < end),
            "topic": TOPICS[topic],
            "reason": TICKET_REASONS[topic],
            "priority": rng.choice(["low", "normal", "high"], n, p=[0.3, 0.55, 0.15]),
        }
    )
    return table[opened < end].sort_values("opened_at", kind="stable", ignore_index=True)


def visits(sales: pd.DataFrame, people: pd.DataFrame, names: np.ndarray, rng) -> pd.DataFrame:
    """The visits table, one row per customer and day online: in the three weeks up to an order, and now and then."""
    bought = _known_orders(sales).sample(frac=0.75, random_state=rng)
    ends = np.minimum(people["churn_day"].to_numpy(), season.DAYS)
    idle = np.repeat(np.arange(len(people)), rng.poisson(3.0, len(people)))
    first = people["first_day"].to_numpy()[idle]
    looked = first + np.floor(rng.random(len(idle)) * (ends[idle] - first)).astype(int)
    before = np.floor(rng.exponential(5, len(bought))).astype(int)
    customer = np.concatenate([bought["customer"], idle])
    day = np.concatenate([np.maximum(bought["day"] - before, 0), looked])
    seen = pd.DataFrame({"customer": customer, "day": day}).drop_duplicates().sort_values(["day", "customer"])
    sessions = 1 + rng.poisson(0.4, len(seen))
    return pd.DataFrame(
        {
            "customer_id": names[seen["customer"]],
            "visited_at": season.dates(seen["day"]),
            "sessions": sessions,
            "page_views": sessions * (1 + rng.poisson(4, len(seen))),
            "source": rng.choice(["app", "search", "ads", "mail"], len(seen), p=[0.5, 0.25, 0.15, 0.1]),
        }
    )
