"""Parameters found again: estimates on customers drawn from known parameters."""

import numpy as np
import pytest
from test_value_spend import simulate as simulate_spend

from tierbook.scores.mbgnbd import ModifiedBetaGeoNBD
from tierbook.scores.purchases import BetaGeoNBD
from tierbook.scores.spend import GammaGamma

pytestmark = pytest.mark.verify
SEEDS, SIZE = 400, 3000


def told(figures, model, names, errors, stated):
    """Bias, scatter and coverage of each parameter; ``errors`` and ``stated``: seeds × parameters, on the scale of the fit.

    Over 400 seeds a bias has a sampling error of 0.05 standard errors, a ratio of spreads one of 0.035, a coverage one of
    1.1 points. Maximum likelihood on 3,000 customers is not without bias: a third of a standard error is let pass.
    """
    how = f"{model}, {SEEDS} seeds of {SIZE:,} customers"
    for name, off, error in zip(names, errors.T, stated.T, strict=True):
        figures.between(f"{name}: bias, in standard errors", how, -1 / 3, 1 / 3, off.mean() / np.median(error), aim=0)
        honest = np.sqrt((error**2).mean())
        what = f"{name}: root mean square error (expected: the stated error)"
        figures.near(what, how, round(honest, 4), np.sqrt((off**2).mean()), round(0.15 * honest, 4))
        inside = (np.abs(off) < 1.959964 * error).mean()
        figures.between(f"{name}: coverage of the 95 % interval", how, 0.92, 0.98, inside, aim=0.95)


@pytest.mark.parametrize("kind", [BetaGeoNBD, ModifiedBetaGeoNBD])
@pytest.mark.parametrize("truth", [(0.6, 50.0, 0.6, 2.5), (1.5, 60.0, 0.4, 4.0)])
def test_purchases(kind, truth, simulate, figures):
    at_first, errors, stated = kind is ModifiedBetaGeoNBD, [], []
    for seed in range(SEEDS):
        model = kind().fit(*simulate(SIZE, seed, truth, at_first=at_first)[:3])
        errors.append(np.log(list(model.params_.values())) - np.log(truth))
        stated.append(np.sqrt(np.diag(model.covariance_)))
    kept = ~np.isnan(stated).any(axis=1)
    name = f"{'MBG' if at_first else 'BG'}/NBD {truth}"
    figures.between("estimates inside the boundary", f"{name}, {SEEDS} seeds", 0.95, 1, kept.mean())
    told(figures, name, [f"log {n}" for n in ("r", "α", "a", "b")], np.array(errors)[kept], np.array(stated)[kept])


def test_spend(figures):
    truth, errors, stated = np.array([6.0, 3.7, 15.0]), [], []
    for seed in range(SEEDS):
        model = GammaGamma().fit(*simulate_spend(SIZE, seed, *truth))
        estimate = np.array(list(model.params_.values()))
        errors.append(np.log(estimate / truth))
        stated.append(np.array(list(model.std_errors_.values())) / estimate)
    told(figures, "Gamma-Gamma (6, 3.7, 15)", ["log p", "log q", "log v"], np.array(errors), np.array(stated))
