"""Purchase histories that the tests of customer value share: CDNOW, and customers drawn from the models themselves."""

import numpy as np
import pandas as pd
import pytest

CALIBRATION_END = pd.Timestamp("1997-09-30")


@pytest.fixture(scope="session")
def cdnow(shared_data):
    """CDNOW 1/10 sample at the end of week 39: repeats, t_x, T in days, mean_spend; later = days of weeks 40-78."""
    lines = pd.read_csv(
        shared_data("cdnow/CDNOW_sample.txt"), sep=r"\s+", header=None, names=["_", "id", "day", "cds", "money"]
    )
    lines["day"] = pd.to_datetime(lines["day"].astype(str))
    days = lines.groupby(["id", "day"], as_index=False)["money"].sum()
    calibration = days[days["day"] <= CALIBRATION_END]
    first, last = (calibration.groupby("id")["day"].agg(how) for how in ("min", "max"))
    repeat_days = calibration[calibration["day"] > calibration["id"].map(first)]
    later = days[days["day"] > CALIBRATION_END].groupby("id").size()
    return pd.DataFrame(
        {
            "repeats": calibration.groupby("id").size() - 1,
            "t_x": (last - first).dt.days,
            "T": (CALIBRATION_END - first).dt.days,
            "mean_spend": repeat_days.groupby("id")["money"].mean(),
            "later": later.reindex(first.index, fill_value=0),
        }
    )


@pytest.fixture(scope="session")
def simulate():
    """A function: x, t_x, T in continuous time drawn from BG/NBD, and the purchases of the hold-out after T.

    With ``at_first`` from MBG/NBD: customers may drop out right after the first purchase.
    """

    def draw(size, seed, parameters, holdout=0.0, at_first=False):
        r, alpha, a, b = parameters
        rng = np.random.default_rng(seed)
        T = rng.integers(30, 400, size).astype(float)
        rate, dropout = rng.gamma(r, 1 / alpha, size), rng.beta(a, b, size)
        x, t_x, later, clock = np.zeros((4, size))
        alive = rng.random(size) > dropout if at_first else np.ones(size, dtype=bool)
        while alive.any():
            rows = np.flatnonzero(alive)
            clock[rows] += rng.exponential(1 / rate[rows])
            within, after = rows[clock[rows] <= T[rows]], rows[clock[rows] > T[rows]]
            x[within] += 1
            t_x[within] = clock[within]
            later[after] += clock[after] <= T[after] + holdout
            alive[rows] = (clock[rows] <= T[rows] + holdout) & (rng.random(len(rows)) > dropout[rows])
        return x, t_x, T, later

    return draw
