"""The demo shop's customers: personas, lives that end on their own, and the days on which each of them orders."""

import numpy as np
import pandas as pd

from tierbook.demo import season

NEWCOMERS, EARLIER = 4_150, 1_050

# persona: share of newcomers, of the earlier base, median orders (bursty: bursts) a year, mean life in days, taste
PERSONAS = {
    "one_time": (0.53, 0.00, 0.0, 0, 0.5),
    "steady": (0.14, 0.34, 8.5, 1000, -0.1),
    "bursty": (0.07, 0.15, 1.8, 500, 0.0),
    "seasonal": (0.08, 0.12, 2.6, 900, 0.2),
    "growing": (0.07, 0.11, 5.0, 1200, 0.2),
    "fading": (0.07, 0.14, 11.0, 700, 0.0),
    "habit_change": (0.07, 0.14, 6.0, 900, 0.1),
}
STORES = {
    "Beijing Chaoyang": ("North", 0.18),
    "Tianjin Heping": ("North", 0.10),
    "Shanghai Xuhui": ("East", 0.22),
    "Hangzhou Binjiang": ("East", 0.14),
    "Guangzhou Tianhe": ("South", 0.16),
    "Chengdu Jinjiang": ("West", 0.12),
    "Wuhan Hongshan": ("Central", 0.08),
}
REGION_OF_STORE = np.array([region for region, _ in STORES.values()])
CHANNELS = np.array(["store", "web", "live_stream"])
STEEPEST = 2.5  # the most a growing customer's rate or a changed habit's rate rises above its start


def _pick(shares, n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(len(shares), size=n, p=np.array(shares) / np.sum(shares))


def _arrivals(seasonal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Days on which newcomers first buy: growing by a third over the period, milder seasons than orders have."""
    weights = season.day_weights() ** 0.6 * np.linspace(0.85, 1.15, season.DAYS)
    festive = season.festival_weights()
    u = rng.random(len(seasonal))
    return np.where(
        seasonal,
        season.calendar_day(u * festive.cumsum()[-1], festive),
        season.calendar_day(u * weights.sum(), weights),
    )


def _invite(rng: np.random.Generator) -> pd.DataFrame:
    """Draw the population, one row per person: persona, start, churn_day, habit_day, habit_factor, rate, taste, …

    ``start`` is the day of a newcomer's first order, 0 for the earlier base. ``churn_day`` is the first day
    on which the person no longer buys, whatever was bought before; a ``one_time`` person is gone the day after.
    """
    names, table = np.array(list(PERSONAS)), np.array(list(PERSONAS.values()))
    kind = np.concatenate([_pick(table[:, 1], EARLIER, rng), _pick(table[:, 0], NEWCOMERS, rng)])
    n = len(kind)
    earlier = np.arange(n) < EARLIER
    start = np.where(earlier, 0, _arrivals(names[kind] == "seasonal", rng))
    life = np.floor(rng.exponential(1.0, n) * table[kind, 3]).astype(int)
    changes = names[kind] == "habit_change"
    business = rng.random(n) < np.where(names[kind] == "one_time", 0.05, 0.105)
    people = pd.DataFrame(
        {
            "persona": names[kind],
            "earlier": earlier,
            "start": start,
            "churn_day": start + 1 + life,
            "habit_day": np.where(changes, start + rng.integers(120, 400, n), season.DAYS),
            "habit_factor": np.where(changes, rng.choice([0.2, STEEPEST], n), 1.0),
            "rate": table[kind, 2] * rng.lognormal(0, 0.35, n),
            "taste": table[kind, 4] + rng.normal(0, 0.5, n) + 0.3 * business,
            "business": business,
            "store": _pick([weight for _, weight in STORES.values()], n, rng),
            "home_channel": np.where(business, 1, _pick([0.40, 0.42, 0.18], n, rng)),
        }
    )
    return people.sort_values("start", kind="stable", ignore_index=True)


def _rate_now(people: pd.DataFrame, day: np.ndarray) -> np.ndarray:
    """Rate on ``day`` as a multiple of the person's rate at the start, one row of ``people`` for each day."""
    age = day - people["start"].to_numpy()
    return np.select(
        [people["persona"] == "growing", people["persona"] == "fading", day >= people["habit_day"]],
        [np.minimum(0.6 + age / 365, STEEPEST), np.exp(-age / 220), people["habit_factor"]],
        1.0,
    )


def _changing(people: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Orders at random moments of busy time, thinned to the rate of the day: growing, fading and changed habits."""
    weights = season.day_weights()
    begin = season.busy_time(people["start"].to_numpy(), weights)
    count = rng.poisson(people["rate"] / 365 * STEEPEST * (season.DAYS - begin))
    who = np.repeat(np.arange(len(people)), count)
    busy = begin[who] + rng.random(len(who)) * (season.DAYS - begin[who])
    day = season.calendar_day(busy, weights)
    kept = rng.random(len(who)) * STEEPEST < _rate_now(people.iloc[who], day)
    return pd.DataFrame({"customer": people.index.to_numpy()[who[kept]], "day": day[kept]})


def _steady(people: pd.DataFrame, rng: np.random.Generator, most: int = 90) -> pd.DataFrame:
    """Even gaps (gamma with shape 3) in busy time; the earlier base is met in the middle of a gap."""
    weights = season.day_weights()
    gaps = rng.gamma(3.0, 1 / 3, (len(people), most)) * (365 / people["rate"].to_numpy())[:, None]
    gaps[:, 0] *= np.where(people["earlier"], rng.random(len(people)), 1.0)
    busy = season.busy_time(people["start"].to_numpy(), weights)[:, None] + gaps.cumsum(axis=1)
    who, nth = np.nonzero(busy < season.DAYS)
    return pd.DataFrame({"customer": people.index.to_numpy()[who], "day": season.calendar_day(busy[who, nth], weights)})


def _bursts(people: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Bursts of two to a dozen orders within some three weeks, months apart; a newcomer's first order opens one."""
    weights = season.day_weights()
    begin = season.busy_time(people["start"].to_numpy(), weights)
    count = rng.poisson(people["rate"] / 365 * (season.DAYS - begin))
    who = np.repeat(np.arange(len(people)), count)
    opens = season.calendar_day(begin[who] + rng.random(len(who)) * (season.DAYS - begin[who]), weights)
    newcomers = np.flatnonzero(~people["earlier"])
    who = np.concatenate([who, newcomers])
    opens = np.concatenate([opens, people["start"].to_numpy()[newcomers]])
    orders = 1 + rng.geometric(0.4, len(who))
    day = np.repeat(opens, orders) + np.floor(rng.exponential(8, orders.sum())).astype(int)
    return pd.DataFrame({"customer": people.index.to_numpy()[np.repeat(who, orders)], "day": day})


def _festive(people: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Orders on the days of 618 and Double 11 only; ``rate`` counts orders a year, two festivals make one."""
    weights = season.festival_weights()
    begin = season.busy_time(people["start"].to_numpy() + 1, weights)
    total = weights.cumsum()[-1]
    a_year = total / 2.5
    count = rng.poisson(people["rate"] * (total - begin) / a_year)
    who = np.repeat(np.arange(len(people)), count)
    busy = begin[who] + rng.random(len(who)) * (total - begin[who])
    return pd.DataFrame({"customer": people.index.to_numpy()[who], "day": season.calendar_day(busy, weights)})


def _order_days(people: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """All order days of all people: customer (row of ``people``), day; none on or after ``churn_day``."""
    persona = people["persona"]
    newcomers = people.loc[~people["earlier"], "start"]
    first = pd.DataFrame({"customer": newcomers.index.to_numpy(), "day": newcomers.to_numpy()})
    later = [
        _steady(people[persona == "steady"], rng),
        _changing(people[persona.isin(["growing", "fading", "habit_change"])], rng),
        _bursts(people[persona == "bursty"], rng),
        _festive(people[persona == "seasonal"], rng),
    ]
    days = pd.concat([first, *later], ignore_index=True)
    alive = days["day"].to_numpy() < people["churn_day"].to_numpy()[days["customer"]]
    return days[alive & (days["day"] < season.DAYS)].reset_index(drop=True)


def populate(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Everyone who orders at least once, numbered by arrival, with ``first_day``; and their orders (customer, day)."""
    people = _invite(rng)
    days = _order_days(people, rng)
    first = days.groupby("customer")["day"].min()
    new_number = pd.Series(np.arange(len(first)), index=first.index)
    people = people.loc[first.index].assign(first_day=first).reset_index(drop=True)
    return people, days.assign(customer=new_number[days["customer"]].to_numpy())
