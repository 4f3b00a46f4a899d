"""Calibration: stated probabilities beside what came."""

import numpy as np
import pandas as pd
import pytest
from test_risk import population

from tierbook.scores.mbgnbd import ModifiedBetaGeoNBD
from tierbook.scores.purchases import BetaGeoNBD
from tierbook.scores.risk import fit_risk, is_candidate, stayed_silent

pytestmark = pytest.mark.verify


def tenths(stated, came):
    """Mean stated probability and share that came, by tenth of the stated."""
    frame = pd.DataFrame({"stated": stated, "came": came})
    return frame.groupby((frame["stated"].rank(method="first") * 10 / len(frame)).clip(upper=9.999).astype(int)).mean()


@pytest.mark.parametrize("kind", [BetaGeoNBD, ModifiedBetaGeoNBD])
def test_probability_alive(kind, simulate, figures):
    """Who is alive buys again, at these rates all but certainly within 3,000 days (mean over the rates: 1 in 1,500 not)."""
    at_first, stated, alive = kind is ModifiedBetaGeoNBD, [], []
    for seed in range(20):
        x, t_x, T, later = simulate(5000, 300 + seed, (2.0, 60.0, 2.0, 6.0), holdout=3000, at_first=at_first)
        stated.append(kind().fit(x, t_x, T).probability_alive(x, t_x, T))
        alive.append(later > 0)
    told = tenths(np.concatenate(stated), np.concatenate(alive))
    how = f"{'MBG' if at_first else 'BG'}/NBD, 20 seeds of 5,000 customers"
    for tenth, row in told.iterrows():
        what = f"P(alive), tenth {tenth + 1}: share alive (expected: the mean stated)"
        figures.near(what, how, round(row["stated"], 4), row["came"], 0.02)


@pytest.mark.parametrize("kind", [BetaGeoNBD, ModifiedBetaGeoNBD])
def test_the_whole_distribution_of_the_count(kind, simulate, figures):
    at_first, shares = kind is ModifiedBetaGeoNBD, []
    for seed in range(40):
        x, t_x, T, later = simulate(2000, 700 + seed, (0.6, 50, 0.6, 2.5), holdout=180, at_first=at_first)
        shares.append(kind().fit(x, t_x, T).pit_histogram(later, 180, x, t_x, T))
    off = np.abs(np.mean(shares, axis=0) - 0.1).max()
    how = f"{'MBG' if at_first else 'BG'}/NBD, 40 seeds of 2,000 customers"
    figures.between("probability transform: furthest tenth from 0.1", how, 0, 0.01, off, aim=0)


def steady(seed):
    """A shop that newcomers keep joining and old ones leaving."""
    return population(seed, cuts=4, size=5000, joining=1600, now=1600)


def ahead(crowds):
    """Stated risk and what came in the half-year after, by rules that were learned on the half-years before."""
    stated, silent = [], []
    for later, now, *past in crowds:
        rows = is_candidate(now)
        stated.append(fit_risk([now, *past]).apply(now)[rows])
        silent.append(stayed_silent(now, later)[rows])
    return pd.concat(stated).to_numpy(), pd.concat(silent).to_numpy()


def test_the_risk_of_half_a_years_silence(figures):
    """On crowds that are of no model's kind: exponential lives, gaps a gamma mixture, a first purchase on any day."""
    stated, silent = ahead(steady(1000 + seed) for seed in range(12))
    how = "12 steady shops of 5,000, the half-year after the rule was learned"
    figures.near("risk: share silent (expected: the mean stated)", how, round(stated.mean(), 4), silent.mean(), 0.02)
    for tenth, row in tenths(stated, silent).iterrows():
        what = f"risk, tenth {tenth + 1}: share silent (expected: the mean stated)"
        figures.near(what, how, round(row["stated"], 4), row["came"], 0.05)


def test_the_risk_where_nobody_joins_any_more(figures):
    """A rule learned on earlier half-years cannot know that its crowd has aged: it says too little, by some points."""
    stated, silent = ahead(population(1000 + seed, cuts=4) for seed in range(8))
    what = "risk in an ageing crowd: share silent (expected: the mean stated)"
    figures.near(what, "8 crowds of 3,000, no newcomers", round(stated.mean(), 4), silent.mean(), 0.05)
