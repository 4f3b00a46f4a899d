"""Customer value of up to a million customers: fits, intervals and CLV against lifetimes, and pymc-marketing where it is there.

    .venv/bin/python tests/benchmarks/value.py [customers]

Customers are drawn from BG/NBD and Gamma-Gamma. The likelihoods are compared before anything is timed; all in one process,
medians of three rounds of ours, one of a peer that takes over five seconds. Peak memory is that of a fresh process each.
"""

import datetime as dt
import re
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
AS_OF, MONTHS, DISCOUNT = dt.date(2026, 10, 31), 12, 0.10
TRUTH = {"r": 0.6, "alpha": 60.0, "a": 0.8, "b": 2.5}
SPEND = {"p": 6.0, "q": 4.0, "v": 15.0}
ROUNDS, SLOW = 3, 5.0


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


def timed(call) -> tuple[float, object]:
    """Median seconds of three rounds (of one, where it takes over five seconds), and the result."""
    seconds = []
    while len(seconds) < ROUNDS and (not seconds or seconds[0] < SLOW):
        start = time.perf_counter()
        found = call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), found


def ours(customers: pd.DataFrame) -> dict[str, tuple]:
    """Seconds and result of each step with this library."""
    from tierbook.scores.value import BetaGeoNBD, GammaGamma, lifetime_value

    history = [customers[name] for name in ("repeats", "t_x", "T")]
    fit, model = timed(lambda: BetaGeoNBD().fit(*history))
    money, spend = timed(lambda: GammaGamma().fit(customers["repeats"], customers["mean_spend"]))
    steps = {"BG/NBD with standard errors": (fit, model.log_likelihood_), "Gamma-Gamma": (money, spend.log_likelihood_)}
    steps["intervals of the count"] = timed(lambda: model.count_interval(365, *history))
    whole, values = timed(lambda: lifetime_value(model, spend, customers, MONTHS, DISCOUNT, AS_OF))
    steps["CLV, 12 months, with intervals"] = (whole, values)
    # peers give no intervals: the CLV alone is what there is without them
    steps["CLV, 12 months"] = (max(whole - steps["intervals of the count"][0], 1e-9), values)
    return steps


def lifetimes(customers: pd.DataFrame) -> dict[str, tuple]:
    """The same with lifetimes, which fits without standard errors of the kind and gives no intervals."""
    from lifetimes import BetaGeoFitter, GammaGammaFitter

    x, t_x, T = (customers[name] for name in ("repeats", "t_x", "T"))
    repeat = customers[(customers["repeats"] > 0) & (customers["mean_spend"] > 0)]
    fit, model = timed(lambda: BetaGeoFitter().fit(x, t_x, T))
    money, spend = timed(lambda: GammaGammaFitter().fit(repeat["repeats"], repeat["mean_spend"]))
    value, found = timed(
        lambda: spend.customer_lifetime_value(model, x, t_x, T, customers["mean_spend"].fillna(0), MONTHS, 0.008, "D")
    )
    # its likelihood is a mean in scaled time
    likelihood = -model._negative_log_likelihood_ * len(x) + x.sum() * np.log(model._scale)
    return {
        "BG/NBD with standard errors": (fit, likelihood),
        "Gamma-Gamma": (money, -spend._negative_log_likelihood_ * len(repeat)),
        "CLV, 12 months": (value, found),
    }


def pymc_marketing(customers: pd.DataFrame) -> dict[str, tuple]:
    """The same with pymc-marketing by maximum a posteriori, with flat priors as far as it takes them."""
    from pymc_marketing.clv import BetaGeoModel, GammaGammaModel

    data = customers.rename(columns={"repeats": "frequency", "t_x": "recency", "mean_spend": "monetary_value"})
    data = data.assign(customer_id=np.arange(len(data)), monetary_value=data["monetary_value"].fillna(0))

    def fitted(model):
        model.fit(method="map", progressbar=False)
        return model

    fit, model = timed(lambda: fitted(BetaGeoModel(data=data)))
    money, spend = timed(lambda: fitted(GammaGammaModel(data=data[data["frequency"] > 0])))
    value, found = timed(
        lambda: spend.expected_customer_lifetime_value(
            transaction_model=model, data=data, future_t=MONTHS, discount_rate=0.008, time_unit="D"
        )
    )
    return {"BG/NBD with standard errors": (fit, None), "Gamma-Gamma": (money, None), "CLV, 12 months": (value, found)}


def fits(library: str, customers: pd.DataFrame) -> None:
    """Both models once, as each library does it."""
    x, t_x, T, mean = (customers[name] for name in ("repeats", "t_x", "T", "mean_spend"))
    repeat = (x > 0) & (mean > 0)
    if library == "ours":
        from tierbook.scores.value import BetaGeoNBD, GammaGamma

        BetaGeoNBD().fit(x, t_x, T)
        GammaGamma().fit(x, mean)
    elif library == "lifetimes":
        from lifetimes import BetaGeoFitter, GammaGammaFitter

        BetaGeoFitter().fit(x, t_x, T)
        GammaGammaFitter().fit(x[repeat], mean[repeat])
    else:
        from pymc_marketing.clv import BetaGeoModel, GammaGammaModel

        data = pd.DataFrame({"frequency": x, "recency": t_x, "T": T, "monetary_value": mean.fillna(0)})
        data["customer_id"] = np.arange(len(data))
        BetaGeoModel(data=data).fit(method="map", progressbar=False)
        GammaGammaModel(data=data[repeat]).fit(method="map", progressbar=False)


def peak(library: str, file: str) -> float:
    """MiB that reading the customers and fitting both models takes at most, in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--peak", library, file], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def import_seconds(library: str) -> float:
    """Seconds to import a library in a fresh interpreter, less the interpreter's own start."""
    seconds = {}
    for what in ("pass", f"import {library}"):
        seconds[what], _ = timed(
            lambda what=what: subprocess.run([sys.executable, "-W", "ignore", "-c", what], check=True)
        )
    return seconds[f"import {library}"] - seconds["pass"]


def report(customers: int, peers: dict) -> None:
    """One table: our seconds, each peer's and how many times as long it takes."""
    people = draw(customers)
    found, others = ours(people), {name: peer(people) for name, peer in peers.items()}
    if "lifetimes" in others:
        theirs = others["lifetimes"]["BG/NBD with standard errors"][1]
        mine = found["BG/NBD with standard errors"][1]
        assert mine >= theirs - 1e-5 * abs(theirs), f"likelihoods differ: {mine} and {theirs}"
        print(f"{customers:,} customers; log-likelihood {mine:.3f}, lifetimes {theirs:.3f}")
    for step, (seconds, _) in found.items():
        beside = [
            f"{name} {o[step][0]:8.3f} s {o[step][0] / seconds:7.1f} x" for name, o in others.items() if step in o
        ]
        print(f"  {step:32} {seconds:8.3f} s   {'   '.join(beside)}")


def main() -> None:
    """The table for 2,357, 100,000 and a million customers; peak memory and import at the end."""
    peers = {}
    for name, peer in (("lifetimes", lifetimes), ("pymc_marketing", pymc_marketing)):
        try:
            __import__(name)
            peers[name] = peer
        except ImportError:
            print(f"{name} is not installed here")
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    for customers in (2_357, 100_000, most):
        report(customers, peers)
    names = {"ours": "tierbook.scores.value", **{name: name for name in peers}}
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "customers.npy")  # what reads Parquet would weigh more than the fits
        np.save(file, draw(most).to_numpy())
        for name, module in names.items():
            print(f"  {name:16} peak of the fits {peak(name, file):7.0f} MiB   import {import_seconds(module):5.2f} s")


if __name__ == "__main__":
    if "--peak" in sys.argv:
        columns = ["repeats", "t_x", "T", "mean_spend"]
        fits(sys.argv[2], pd.DataFrame(np.load(sys.argv[3]), columns=columns))
        # the highest memory of this very program; getrusage would report the parent's where that was larger
        print(int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024)
    else:
        main()
