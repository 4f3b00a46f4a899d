"""An uplift score: what a contact is expected to change, learned on one half of the customers for the other half."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from tierbook.errors import ParamsError

MIN_RESPONDERS = 30  # as for any verdict on a campaign: fewer are not enough data
MIN_OF_LEVEL, MOST_LEVELS = 30, 20
SKEWED = 1.0
HALF = 2**63


class Learned(NamedTuple):
    """``score``: expected uplift of the judging half, null elsewhere; ``why`` there is none, else null.

    ``why`` is ``no_covariates`` or ``too_few_responders``.
    """

    score: pd.Series
    why: str | None


def learned(people: pd.DataFrame, covariates: Iterable[str], outcome: str, seed: int) -> Learned:
    """Score customers by a T-learner: P(outcome > 0 | treated) - P(outcome > 0 | control), two logistic regressions.

    ``people``: `versus`. Both are fitted on one half and score the other, so that no customer is judged by a score that
    knows the outcome. Halves are drawn by a salted hash of customer_id; without ids the second, fourth, … row is
    judged. ``covariates`` must be known before assignment; those not in the frame are passed over. Numbers are
    standardised (skewness above 1: after sign · log(1 + |x|)), null is the mean; text is one column for each of the 20
    most frequent values with 30 or more customers. Ridge penalty 1/2, scikit-learn's own.

    ``too_few_responders``: in the learning half fewer than 30 of an arm responded, or fewer than 30 did not.
    ParamsError where a covariate is the outcome or the arm.

    Source: Künzel, Sekhon, Bickel, Yu (2019), PNAS 116(10), 4156-4165, p. 4157.
    """
    draw = _draw(people, seed)
    # in the order of the draw, so that the last digit of the fit does not depend on the order of rows
    order = np.argsort(draw, kind="stable")
    rows, judging = people.iloc[order], (draw >= HALF)[order]
    value = pd.to_numeric(rows[outcome]).to_numpy(dtype=float, na_value=np.nan)
    learning, response = ~judging & ~np.isnan(value), (rows["treated"].to_numpy(dtype=bool), value > 0)
    score = np.full(len(people), np.nan)
    design = _design(rows, _known_before(covariates, people, outcome), learning)
    why = None if design.shape[1] else "no_covariates"
    why = why or ("too_few_responders" if _rarest(learning, *response) < MIN_RESPONDERS else None)
    if why is None:
        control, treated = (
            _chances(design, response[1], learning & (response[0] == s), judging) for s in (False, True)
        )
        # the last binary digits depend on where a row stands, twelve decimal ones do not: equal customers stay equal
        score[order[judging]] = np.round(treated - control, 12)
    return Learned(pd.Series(score, index=people.index, name="score"), why)


def _known_before(covariates: Iterable[str], people: pd.DataFrame, outcome: str) -> list[str]:
    after = [name for name in covariates if name in (outcome, "arm", "treated")]
    if after:
        raise ParamsError(f"campaign.covariates: {after} are no facts known before assignment; leave them out")
    return [name for name in dict.fromkeys(covariates) if name in people]


def _rarest(learning: np.ndarray, treated: np.ndarray, responded: np.ndarray) -> int:
    """Customers of the smallest of the four cells: either arm, responded or not."""
    return int(np.bincount(2 * treated[learning] + responded[learning], minlength=4).min())


def _draw(people: pd.DataFrame, seed: int) -> np.ndarray:
    """64 bits a customer, by salted hash of the id alone; below HALF is the learning half."""
    if "customer_id" not in people:
        place = np.arange(len(people), dtype=np.uint64)
        return place + (place % np.uint64(2)) * np.uint64(HALF)
    salt = hashlib.sha256(f"targeting|{seed}".encode()).hexdigest()[:16]
    ids = people["customer_id"].astype(str).to_numpy(dtype=object)
    return pd.util.hash_array(ids, hash_key=salt, categorize=False)


def _design(rows: pd.DataFrame, covariates: list[str], learning: np.ndarray) -> np.ndarray:
    columns = []
    for name in covariates:
        column = rows[name]
        is_number = pd.api.types.is_numeric_dtype(column)
        columns += _standardised(column, learning) if is_number else _one_hot(column, learning)
    return np.column_stack(columns) if columns else np.empty((len(rows), 0))


def _standardised(column: pd.Series, learning: np.ndarray) -> list[np.ndarray]:
    x = column.astype(float)
    if abs(x[learning].skew()) > SKEWED:
        x = np.sign(x) * np.log1p(np.abs(x))
    mean, sd = x[learning].mean(), x[learning].std(ddof=0)
    return [((x - mean) / sd).fillna(0).to_numpy()] if x[learning].nunique() > 1 else []


def _one_hot(column: pd.Series, learning: np.ndarray) -> list[np.ndarray]:
    text, known = column.astype(object).astype(str), column.notna().to_numpy()
    counts = text[learning & known].value_counts()
    frequent = counts[counts >= MIN_OF_LEVEL].rename_axis("level").reset_index(name="n")
    levels = frequent.sort_values(["n", "level"], ascending=[False, True])["level"].head(MOST_LEVELS)
    return [((text == level) & known).to_numpy(dtype=float) for level in levels]


def _chances(design: np.ndarray, responded: np.ndarray, fitted: np.ndarray, judging: np.ndarray) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        model = LogisticRegression(max_iter=1000).fit(design[fitted], responded[fitted])
        return model.predict_proba(design[judging])[:, 1]
