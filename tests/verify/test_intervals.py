"""Intervals: how often they hold what is true."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, multinomial

from tierbook.insight import voice
from tierbook.insight.campaign import effects
from tierbook.insight.shares import newcombe, wilson
from tierbook.scores.mbgnbd import ModifiedBetaGeoNBD
from tierbook.scores.purchases import BetaGeoNBD
from tierbook.scores.value_backtest import by_slice, score_customers

pytestmark = pytest.mark.verify
TRUTH = (0.6, 50.0, 0.6, 2.5)


@pytest.mark.parametrize("kind", [BetaGeoNBD, ModifiedBetaGeoNBD])
@pytest.mark.parametrize(("size", "seeds"), [(300, 300), (2000, 100)])
def test_orders_of_the_next_half_year(kind, size, seeds, simulate, figures):
    """DESIGN §8: the stated probability equals the coverage within two points."""
    at_first = kind is ModifiedBetaGeoNBD
    name = f"{'MBG' if at_first else 'BG'}/NBD, {seeds} seeds of {size:,} customers"
    shops = [simulate(size, 5000 + seed, TRUTH, holdout=180, at_first=at_first) for seed in range(seeds)]
    models = [kind().fit(*shop[:3]) for shop in shops]
    for level in (0.5, 0.8, 0.95):
        stated, covered = [], []
        for model, (x, t_x, T, later) in zip(models, shops, strict=True):
            low, high, said = model.count_interval(180, x, t_x, T, level=level)
            stated.append(said.mean())
            covered.append(((later >= low) & (later <= high)).mean())
        what = f"orders, {100 * level:.0f} % interval: coverage (expected: what it states)"
        figures.near(what, name, round(np.mean(stated), 4), np.mean(covered), 0.02)
    forecast = [m.expected_purchases(180, *shop[:3]).sum() for m, shop in zip(models, shops, strict=True)]
    ratio = np.sum(forecast) / np.sum([shop[3].sum() for shop in shops])
    figures.between("orders forecast over orders that came", name, 0.98, 1.02, ratio, aim=1)


def test_the_backtest_of_every_report(simulate, figures):
    rows = []
    for seed in range(20):
        x, t_x, T, later = simulate(5000, 9000 + seed, (0.8, 50, 0.5, 3.0), holdout=180)
        history = pd.DataFrame({"repeats": x, "t_x": t_x, "T": T})
        rows.append(by_slice(score_customers(history, pd.Series(later), 180, BetaGeoNBD().fit(x, t_x, T))))
    how, mean = "20 seeds of 5,000 customers", pd.concat(rows).groupby("slice", sort=False).mean(numeric_only=True)
    for name, row in mean.iterrows():
        what = f"backtest, {name}: coverage of the 80 % interval (expected: what it states)"
        figures.near(what, how, round(row["stated_80"], 4), row["coverage_80"], 0.02)
        figures.between(f"backtest, {name}: forecast over actual orders", how, 0.95, 1.05, row["ratio"], aim=1)


@pytest.mark.parametrize("n", [10, 30, 100, 1000])
def test_a_share(n, figures):
    """Exact: the binomial probabilities of all counts whose interval holds the share, averaged over shares."""
    shares, counts = np.linspace(0.02, 0.98, 193), np.arange(n + 1)
    low, high = wilson(counts / n, n)
    covered = [binom.pmf(counts, n, p)[(low <= p) & (p <= high)].sum() for p in shares]
    figures.between("Wilson, 95 %: coverage over shares of 2 to 98 %", f"exact, n {n:,}", 0.94, 0.97, np.mean(covered), aim=0.95)  # fmt: skip


@pytest.mark.parametrize(("n", "other"), [(10, 30), (50, 50), (400, 100)])
def test_a_difference_of_shares(n, other, figures):
    rng, shares = np.random.default_rng(1), np.random.default_rng(0).uniform(0.02, 0.98, (2, 200_000))
    sides = []
    for p, size in zip(shares, (n, other), strict=True):
        found = rng.binomial(size, p) / size
        sides.append((found, *wilson(found, size)))
    low, high = newcombe(*sides)
    gap, how = shares[0] - shares[1], f"200,000 draws, n {n} and {other}"
    figures.between("Newcombe, 95 %: coverage", how, 0.94, 0.97, ((low <= gap) & (gap <= high)).mean(), aim=0.95)


@pytest.mark.parametrize(("n", "least"), [(10, 0.90), (30, 0.93), (100, 0.94)])
def test_the_net_promoter_score(n, least, figures):
    """Exact: the multinomial probabilities of all counts whose interval holds the score of 45 − 20 points.

    A normal interval falls short on few answers: by up to five points on ten, the fewest it speaks of.
    """
    counts = [(up, down, n - up - down) for up in range(n + 1) for down in range(n + 1 - up)]
    found = [voice.recommendation(pd.Series(np.repeat([10.0, 3.0, 8.0], each))) for each in counts]
    holds = [row["low"] <= 25 <= row["high"] for row in found]
    inside = multinomial(n, [0.45, 0.20, 0.35]).pmf(counts)[holds].sum()
    figures.between("NPS, 95 %: coverage", f"exact, {n} answers", least, 0.97, inside, aim=0.95)


@pytest.mark.parametrize("n", [10, 51, 400])
def test_a_median(n, figures):
    rng, draws = np.random.default_rng(3), 4000
    found = [voice.median(pd.Series(row)) for row in rng.lognormal(1, 1, (draws, n))]
    inside = np.mean([row["low"] <= np.exp(1) <= row["high"] for row in found])
    figures.between("median hours, 95 %: coverage", f"{draws:,} draws of {n}", 0.945, 0.985, inside)


@pytest.mark.parametrize(("treated", "control", "least"), [(3000, 3000, 0.93), (5400, 600, 0.93), (2700, 300, 0.90)])
def test_the_effect_of_a_campaign(treated, control, least, figures):
    """One customer in ten buys for 20 × lognormal(0, 1), the treated 12 %: an effect of 0.02 × 20 × exp(1/2).

    With 300 in the control 30 of them buy, the fewest on which a verdict is given; there skewed money costs the interval
    some points.
    """
    true, inside, arm = 0.02 * 20 * np.exp(0.5), [], np.repeat(["control", "mail"], [control, treated])
    for seed in range(8):
        draw = np.random.default_rng(seed)
        buys = draw.random((treated + control, 250)) < np.repeat([0.10, 0.12], [control, treated])[:, None]
        spend = pd.DataFrame(buys * 20 * draw.lognormal(0, 1, buys.shape)).add_prefix("campaign_")
        table = effects(spend.assign(arm=arm), "control", list(spend))
        inside += list((table["low"] <= true) & (table["high"] >= true))
    how = f"2,000 campaigns of {treated:,} treated, {control:,} control"
    figures.between("campaign effect on spend, 95 %: coverage", how, least, 0.97, np.mean(inside), aim=0.95)
