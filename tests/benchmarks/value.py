"""Customer value of up to a million customers: fits and CLV beside lifetimes, and pymc-marketing by maximum a posteriori.

    .venv/bin/python tests/benchmarks value

Customers are drawn from BG/NBD and Gamma-Gamma. Ours gives standard errors with the fits. CLV is timed twice: alone, from
the same parts the library uses, and as the library gives it, with an 80 % interval of every customer's orders, which no
peer has. Outputs: our likelihood is at least the peer's, parameters agree to 2 % (the peers stop searching earlier;
pymc-marketing's priors are flat here). Peers' months have 30 days and ours those of the calendar, so CLV is held to a
correlation of 0.999 and a total within 3 %.
"""

import datetime as dt
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from rounds import Side, others, race
from table import Row

warnings.simplefilter("ignore")
AS_OF, MONTHS, DISCOUNT = dt.date(2026, 10, 31), 12, 0.10
MONTHLY = (1 + DISCOUNT) ** (1 / 12) - 1
TRUTH = {"r": 0.6, "alpha": 60.0, "a": 0.8, "b": 2.5}
SPEND = {"p": 6.0, "q": 4.0, "v": 15.0}
COLUMNS = ["repeats", "t_x", "T", "mean_spend"]
SIZES, ROUNDS, PARAMETERS, TOTAL = (2_357, 100_000, 1_000_000), 3, 0.02, 0.03
STEPS = {
    "purchases": "BG/NBD fit (ours with standard errors)",
    "spend": "Gamma-Gamma fit (ours with standard errors)",
    "clv": "CLV, 12 months",
    "intervals": "CLV, 12 months (ours with intervals)",
}


def draw(customers: int, seed: int = 5) -> pd.DataFrame:
    """repeats, t_x, T (days) and mean_spend of customers drawn from the two models, times rounded to whole days."""
    rng = np.random.default_rng(seed)
    T = rng.integers(30, 900, customers).astype(float)
    rate = rng.gamma(TRUTH["r"], 1 / TRUTH["alpha"], customers)
    dropout = rng.beta(TRUTH["a"], TRUTH["b"], customers)
    x, t_x, alive = np.zeros(customers), np.zeros(customers), np.ones(customers, dtype=bool)
    while alive.any():
        rows = np.flatnonzero(alive)
        day = np.floor(t_x[rows] + rng.exponential(1 / rate[rows])) + 1
        bought = day <= T[rows]
        x[rows[bought]] += 1
        t_x[rows[bought]] = day[bought]
        alive[rows] = bought & (rng.random(len(rows)) > dropout[rows])
    nu = rng.gamma(SPEND["q"], 1 / SPEND["v"], customers)
    mean = rng.gamma(SPEND["p"] * np.maximum(x, 1)) / (nu * np.maximum(x, 1))
    return pd.DataFrame({"repeats": x, "t_x": t_x, "T": T, "mean_spend": np.where(x > 0, mean, np.nan)})


def read(file: str) -> pd.DataFrame:
    """The customers; a numpy file, because what reads Parquet would weigh more than the fits."""
    return pd.DataFrame(np.load(file), columns=COLUMNS)


def ours(file: str) -> dict:
    """The library's steps."""
    from tierbook.scores.value import BetaGeoNBD, GammaGamma, lifetime_value

    people, fitted = read(file), {}
    history = [people[name] for name in COLUMNS[:3]]

    def purchases():
        fitted["purchases"] = model = BetaGeoNBD().fit(*history)
        return pd.DataFrame([{**model.params_, "likelihood": model.log_likelihood_}])

    def spend():
        fitted["spend"] = model = GammaGamma().fit(people["repeats"], people["mean_spend"])
        return pd.DataFrame([{**model.params_, "likelihood": model.log_likelihood_}])

    def intervals():
        return lifetime_value(fitted["purchases"], fitted["spend"], people, MONTHS, DISCOUNT, AS_OF)[["clv"]]

    return {
        "purchases": purchases,
        "spend": spend,
        "clv": lambda: _alone(fitted, people, history),
        "intervals": intervals,
    }


def _alone(fitted: dict, people: pd.DataFrame, history: list) -> pd.DataFrame:
    """CLV without intervals from the same public parts that lifetime_value puts together."""
    from tierbook.months import days_to_month_ends
    from tierbook.scores.likelihood import distinct
    from tierbook.scores.value import DAYS_PER_YEAR

    ends = np.array(days_to_month_ends(AS_OF, MONTHS), dtype=float)
    histories, inverse, _ = distinct(*history)
    by_month = np.diff(fitted["purchases"].expected_purchases(ends, *histories), axis=1, prepend=0)
    discounted = by_month @ (1 + DISCOUNT) ** (-ends / DAYS_PER_YEAR)
    value = fitted["spend"].expected_average_value(people["repeats"], people["mean_spend"])
    return pd.DataFrame({"clv": discounted[inverse] * value})


def lifetimes(file: str) -> dict:
    """The same with lifetimes, which gives no intervals."""
    from lifetimes import BetaGeoFitter, GammaGammaFitter

    people, fitted = read(file), {}
    x, t_x, T, mean = (people[name] for name in COLUMNS)
    paid = (x > 0) & (mean > 0)

    def purchases():
        fitted["purchases"] = model = BetaGeoFitter().fit(x, t_x, T)
        # its likelihood is a mean in scaled time
        likelihood = -model._negative_log_likelihood_ * len(x) + x.sum() * np.log(model._scale)
        return pd.DataFrame([{**model.params_, "likelihood": likelihood}])

    def spend():
        fitted["spend"] = model = GammaGammaFitter().fit(x[paid], mean[paid])
        return pd.DataFrame([{**model.params_, "likelihood": -model._negative_log_likelihood_ * paid.sum()}])

    def clv():
        found = fitted["spend"].customer_lifetime_value(
            fitted["purchases"], x, t_x, T, mean.fillna(0), MONTHS, MONTHLY, "D"
        )
        return pd.DataFrame({"clv": found.to_numpy()})

    return {"purchases": purchases, "spend": spend, "clv": clv, "intervals": clv}


def pymc(file: str) -> dict:
    """The same with pymc-marketing by maximum a posteriori, its priors made flat."""
    from pymc_extras.prior import Prior
    from pymc_marketing.clv import BetaGeoModel, GammaGammaModel

    people, fitted = read(file), {}
    data = people.set_axis(["frequency", "recency", "T", "monetary_value"], axis=1).fillna({"monetary_value": 0.0})
    data["customer_id"] = np.arange(len(data))
    paid = data[data["frequency"] > 0]

    def fit(name, kind, rows, parameters):
        model = kind(data=rows, model_config={parameter: Prior("HalfFlat") for parameter in parameters})
        model.fit(method="map", progressbar=False)
        fitted[name] = model
        posterior = model.fit_result if hasattr(model, "fit_result") else model.idata.posterior
        return pd.DataFrame([{parameter: float(posterior[parameter].to_numpy().squeeze()) for parameter in parameters}])

    def clv():
        found = fitted["spend"].expected_customer_lifetime_value(
            transaction_model=fitted["purchases"], data=data, future_t=MONTHS, discount_rate=MONTHLY, time_unit="D"
        )
        return pd.DataFrame({"clv": found.to_numpy().reshape(-1)})

    return {
        "purchases": lambda: fit("purchases", BetaGeoModel, data, ("a", "b", "alpha", "r")),
        "spend": lambda: fit("spend", GammaGammaModel, paid, ("p", "q", "v")),
        "clv": clv,
        "intervals": clv,
    }


def alike(mine: pd.DataFrame, theirs: pd.DataFrame) -> str:
    """Fail unless parameters, or the values of all customers, agree; in words how closely."""
    if "clv" in mine:
        correlation = np.corrcoef(mine["clv"], theirs["clv"])[0, 1]
        ratio = mine["clv"].sum() / theirs["clv"].sum()
        assert correlation > 0.999 and abs(ratio - 1) < TOTAL, f"CLV: correlation {correlation}, totals {ratio}"
        return f"correlation {correlation:.5f}, total {ratio:.3f} of its"
    names = [name for name in mine if name != "likelihood"]
    apart = max(abs(float(theirs[name].iloc[0] / mine[name].iloc[0]) - 1) for name in names)
    assert apart < PARAMETERS, (
        f"parameters differ by {apart:.2%}: {mine.iloc[0].to_dict()} and {theirs.iloc[0].to_dict()}"
    )
    if "likelihood" in theirs:
        ahead = float(mine["likelihood"].iloc[0] - theirs["likelihood"].iloc[0])
        assert ahead > -1e-7 * abs(float(mine["likelihood"].iloc[0])), f"our likelihood is lower by {-ahead}"
        return f"parameters to {apart:.1e}, likelihood higher by {ahead:.3f}"
    return f"parameters to {apart:.1e}"


def rows(quick: bool, peers: dict) -> list[Row]:
    """Each step at each size beside each peer."""
    return [row for size in ((1_000,) if quick else SIZES) for row in _of(size, peers, 1 if quick else ROUNDS)]


def _of(customers: int, peers: dict, rounds: int) -> list[Row]:
    names, words = ("lifetimes", "pymc"), {}

    def agree(step, results):
        mine = results.pop("ours")
        words.update({(step, name): alike(mine, theirs) for name, theirs in results.items()})

    with tempfile.TemporaryDirectory(prefix="tierbook-") as folder:
        file = str(Path(folder) / "customers.npy")
        np.save(file, draw(customers).to_numpy())
        sides = {"ours": Side("value", "ours", {"file": file})}
        sides |= others("value", peers, names, {"file": file})
        found = race(sides, list(STEPS), rounds, agree)
    rows = []
    for step, task in STEPS.items():
        for name in names:
            row = Row(task, f"{customers:,} customers", found["ours"][step], equal=words.get((step, name), ""))
            rows.append(row.against(peers[name], found.get(name), step))
    return rows
