"""How old a frozen scale is, and how far this month's customers have moved away from those it was fitted on."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from tierbook.months import months_before
from tierbook.scores.rfm import MEASURES, Scale, score_shares

SHIFTED, REFIT = 0.10, 0.25
"""The usual rule of thumb of credit scoring: below 0.10 stable, from 0.10 watch, from 0.25 fit anew."""
FEWEST = 100
OLDEST_MONTHS = 24
REVIEW_MONTHS = 12


def drift(scale: Scale, cells: pd.DataFrame) -> pd.DataFrame:
    """Population stability index of each measure: measure, psi, verdict.

    Parameters
    ----------
    scale : Scale
        Its ``shares`` are what the scores are compared with.
    cells : DataFrame
        r, f, m on that scale and ``customers``, how many have them; rows with a null are left out, as they were when it
        was fitted.

    Returns
    -------
    DataFrame
        ``psi`` = Σ (a − e)·ln(a/e) over the scores, a the share of customers now and e at freezing. An empty score
        counts as half a customer, a score empty both times as nothing. ``verdict``: stable (psi under 0.10), shifted
        (under 0.25), refit (0.25 and over); with psi null, too_few (under 100 customers now or at freezing: chance
        alone reaches 0.10 there) or unknown (the scale keeps no shares).
    """
    customers = int(_known(cells)["customers"].sum())
    table = pd.DataFrame({"measure": MEASURES, "psi": np.nan, "verdict": "unknown"})
    if not scale.shares:
        return table
    if min(customers, scale.customers) < FEWEST:
        return table.assign(verdict="too_few")
    now = shares_now(scale, cells)
    table["psi"] = [psi((scale.shares[m], scale.customers), (now[m], customers)) for m in MEASURES]
    table["verdict"] = np.select([table["psi"] < SHIFTED, table["psi"] < REFIT], ["stable", "shifted"], "refit")
    return table.astype({"verdict": "str"})


def shares_now(scale: Scale, cells: pd.DataFrame) -> dict[str, list[float]]:
    """Share of this month's customers with score 1 … ``bins`` by measure; ``cells`` as in `drift`."""
    known = _known(cells)
    weights = known["customers"].to_numpy()
    return {
        m: score_shares(known[letter].to_numpy(), scale.bins, weights)
        for m, letter in zip(MEASURES, "rfm", strict=True)
    }


def _known(cells: pd.DataFrame) -> pd.DataFrame:
    return cells[["r", "f", "m", "customers"]].dropna().astype(int)


def psi(before: tuple[list[float], int], now: tuple[list[float], int]) -> float:
    """Population stability index of two (shares, customers); shares are floored at half a customer, not scaled again."""
    shares = np.array([before[0], now[0]], dtype=float)
    present = shares.max(axis=0) > 0
    e, a = np.maximum(shares[:, present], [[0.5 / before[1]], [0.5 / now[1]]])
    return float(((a - e) * np.log(a / e)).sum())


def age_months(scale: Scale, as_of: dt.date) -> int:
    """Whole months from the scale's valid_from to the report; below zero where it became valid after the report.

    From the last day of a month to the last day of a shorter one is a whole month.
    """
    since = dt.date.fromisoformat(scale.valid_from)
    months = (as_of.year - since.year) * 12 + as_of.month - since.month
    ends_month = (as_of + dt.timedelta(days=1)).day == 1
    return months if ends_month or as_of.day >= since.day else months - 1


def review_by(scale: Scale) -> dt.date:
    """The last day by which its cut points are to be reviewed: the scale's own, else twelve months after valid_from."""
    if scale.review_by is not None:
        return dt.date.fromisoformat(scale.review_by)
    return months_before(dt.date.fromisoformat(scale.valid_from), -REVIEW_MONTHS)


def advice(scale: Scale, cells: pd.DataFrame, as_of: dt.date) -> str:
    """What to do with a frozen scale: the gravest of refit_drift, refit_age, watch, unknown, keep.

    refit_drift: a measure's psi is 0.25 or over. refit_age: over 24 whole months old. watch: a psi is 0.10 or over.
    unknown: no psi, because the scale keeps no shares or customers are too few. ``cells`` as in `drift`.
    """
    verdicts = set(drift(scale, cells)["verdict"])
    if "refit" in verdicts:
        return "refit_drift"
    if age_months(scale, as_of) > OLDEST_MONTHS:
        return "refit_age"
    return "watch" if "shifted" in verdicts else "keep" if verdicts == {"stable"} else "unknown"
