"""BG/NBD or MBG/NBD: which of the two speaks for a month, and why."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from tierbook.scores.counted import customers_of, mean, standard_error
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


def fitted(kind, history):
    """A purchase model of a kind (of `MODELS`), fitted on histories as `choose` takes them."""
    return kind().fit(*(history[column] for column in _HISTORY), weights=history.get("customers"))


def choose(history, then=None, actual=None, holdout_days=0):
    """Fit both models and take one.

    Both have four parameters, so the log-likelihood on the whole history ranks them as AIC would. Where it and the
    log score of the hold-out name the same model, that is it. Where they disagree, the hold-out decides if the mean
    difference between the customers' scores is beyond its standard error, else the likelihood, which stands on more.

    Parameters
    ----------
    history : DataFrame
        ``repeats``, ``t_x``, ``T`` (days) at the date of the estimate; ``customers``, how many share the history, where
        rows are not customers.
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
    now, refusal = _fits(history)
    if not now:
        raise refusal
    scored = None if then is None or not len(then) or holdout_days <= 0 else _fits(then)[0]
    scores = _holdout(scored, then, np.asarray(actual, dtype=float), float(holdout_days)) if scored else {}
    customers = None if then is None else customers_of(then)
    name, reason = _decide({name: model.log_likelihood_ for name, model in now.items()}, scores, customers)
    table = pd.DataFrame({"model": list(MODELS)})
    table["log_likelihood"] = [getattr(now.get(model), "log_likelihood_", np.nan) for model in MODELS]
    table["holdout_log_score"] = [mean(scores[model][0], customers) if model in scores else np.nan for model in MODELS]
    table["holdout_ratio"] = [scores[model][1] if model in scores else np.nan for model in MODELS]
    table["chosen"] = table["model"] == name
    return Choice(name, now[name], (scored or {}).get(name), table, reason)


def _fits(history):
    found, refusal = {}, None
    for name, kind in MODELS.items():
        try:
            found[name] = fitted(kind, history)
        except ValueNotEstimable as reason:
            refusal = refusal or reason
    return found, refusal


def _holdout(models, then, actual, days):
    """Per model: the log score of each row, and predicted to actual purchases (null where nothing was bought)."""
    past = [then[column].to_numpy(dtype=float) for column in _HISTORY]
    customers = customers_of(then)
    bought = (actual * customers).sum()
    return {
        name: (
            model.log_count_probability(actual, days, *past),
            float((model.expected_purchases(days, *past) * customers).sum() / bought) if bought else np.nan,
        )
        for name, model in models.items()
    }


def _decide(likelihoods, scores, customers):
    likelier = max(likelihoods, key=likelihoods.get)
    if len(likelihoods) == 1:
        return likelier, "only_one_estimable"
    if len(scores) < 2:
        return likelier, "likelihood_decides"
    first, second = MODELS
    difference = scores[first][0] - scores[second][0]
    gain, error = mean(difference, customers), standard_error(difference, customers)
    better = first if gain >= 0 else second
    if better == likelier:
        return likelier, "both_agree"
    return (better, "holdout_decides") if abs(gain) > error else (likelier, "likelihood_decides")
