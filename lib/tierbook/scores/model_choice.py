"""BG/NBD or MBG/NBD: which of the two speaks for a month, and why."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from tierbook.scores.likelihood import ValueNotEstimable
from tierbook.scores.mbgnbd import ModifiedBetaGeoNBD
from tierbook.scores.purchases import BetaGeoNBD

MODELS = {"BG/NBD": BetaGeoNBD, "MBG/NBD": ModifiedBetaGeoNBD}
_HISTORY = ["repeats", "t_x", "T"]


class Choice(NamedTuple):
    """The chosen purchase model.

    Attributes
    ----------
    name : str
        ``BG/NBD`` or ``MBG/NBD``.
    model : BetaGeoNBD or ModifiedBetaGeoNBD
        Fitted on the whole history.
    model_then : the same, or None
        Fitted on the history at the start of the hold-out, for the backtest; None where that cannot be estimated.
    table : DataFrame
        One row per model: ``model``, ``log_likelihood`` (whole history), ``holdout_log_score`` (mean log probability of
        the actual count), ``holdout_ratio`` (predicted to actual), ``chosen``; null where it was not estimable.
    reason : str
        ``both_agree``, ``holdout_decides``, ``likelihood_decides`` or ``only_one_estimable``.
    """

    name: str
    model: object
    model_then: object
    table: pd.DataFrame
    reason: str


def choose(history, then=None, actual=None, holdout_days=0):
    """Fit both models and take one.

    Both have four parameters, so the log-likelihood on the whole history ranks them as AIC would. Where it and the
    log score of the hold-out name the same model, that is it. Where they disagree, the hold-out decides if the mean
    difference between the customers' scores is beyond its standard error, else the likelihood, which stands on more.

    Parameters
    ----------
    history : DataFrame
        ``repeats``, ``t_x``, ``T`` (days) of each customer at the date of the estimate.
    then : DataFrame, optional
        The same at the start of the hold-out. Without it the likelihood decides.
    actual : array-like, optional
        Purchase days within the hold-out, one per row of ``then``, in its order.
    holdout_days : float

    Returns
    -------
    Choice

    Raises
    ------
    ValueNotEstimable
        Neither model can be estimated on ``history``; the reason is that of BG/NBD.
    """
    fitted, refusal = _fits(history)
    if not fitted:
        raise refusal
    scored = None if then is None or not len(then) or holdout_days <= 0 else _fits(then)[0]
    scores = {} if not scored else _holdout(scored, then, np.asarray(actual, dtype=float), float(holdout_days))
    name, reason = _decide({name: model.log_likelihood_ for name, model in fitted.items()}, scores)
    table = pd.DataFrame({"model": list(MODELS)})
    table["log_likelihood"] = [getattr(fitted.get(model), "log_likelihood_", np.nan) for model in MODELS]
    table["holdout_log_score"] = [scores[model][0].mean() if model in scores else np.nan for model in MODELS]
    table["holdout_ratio"] = [scores[model][1] if model in scores else np.nan for model in MODELS]
    table["chosen"] = table["model"] == name
    return Choice(name, fitted[name], (scored or {}).get(name), table, reason)


def _fits(history):
    fitted, refusal = {}, None
    for name, model in MODELS.items():
        try:
            fitted[name] = model().fit(*(history[column] for column in _HISTORY))
        except ValueNotEstimable as reason:
            refusal = refusal or reason
    return fitted, refusal


def _holdout(fitted, then, actual, days):
    """Per model: each customer's log score, and predicted to actual purchases (null where nothing was bought)."""
    past, bought = [then[column].to_numpy(dtype=float) for column in _HISTORY], actual.sum()
    return {
        name: (
            model.log_count_probability(actual, days, *past),
            float(model.expected_purchases(days, *past).sum() / bought) if bought else np.nan,
        )
        for name, model in fitted.items()
    }


def _decide(likelihoods, scores):
    likelier = max(likelihoods, key=likelihoods.get)
    if len(likelihoods) == 1:
        return likelier, "only_one_estimable"
    if len(scores) < 2:
        return likelier, "likelihood_decides"
    first, second = MODELS
    difference = scores[first][0] - scores[second][0]
    better = first if difference.mean() >= 0 else second
    if better == likelier:
        return likelier, "both_agree"
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    return (better, "holdout_decides") if abs(difference.mean()) > error else (likelier, "likelihood_decides")
