"""How a forecast of purchases fared on days held out, by slice and beside naive rules."""

import numpy as np
import pandas as pd
from scipy.special import gammaln, xlogy

from tierbook.scores.counted import customers_of, mean, standard_error
from tierbook.scores.value import FEWEST_FOR_A_RATE

PIT_BINS = 10
_MEANS = ("log_score", "past_rate_log_score", "stated_80", "coverage_80")
RULES = ("past_rate", "last_period", "nothing")
_FREQUENCY_BANDS = {"0": (0, 0), "1": (1, 1), "2": (2, 2), "3": (3, 3), "4-6": (4, 6), "7+": (7, np.inf)}


def score_customers(history, actual_counts, holdout_days, model, last_period=None):
    """Forecast, what happened and the naive rules of each customer.

    Parameters
    ----------
    history : DataFrame
        ``repeats``, ``t_x``, ``T`` (days) at the cut, by customer; or by any index with ``customers``, how many share
        the row, by which all that follows is counted.
    actual_counts : Series on that index
        Purchase days in the held-out period; a customer who is not there had none.
    holdout_days : float
        Length of the held-out period.
    model : BetaGeoNBD or ModifiedBetaGeoNBD
        Fitted on ``history``.
    last_period : Series on that index, optional
        Purchase days, the first included, in the equally long period before the cut; missing is none.

    Returns
    -------
    DataFrame
        On the index of ``history``: ``customers``; ``repeats``, ``actual``; ``predicted``, ``log_score`` (log probability of
        the actual count), ``stated_80`` and ``coverage_80`` of the model; ``past_rate`` (repeats / T going on, nil on the
        first day), ``last_period`` (where given) and ``nothing`` (nil). ``<rule>_log_score`` is that of a Poisson count at
        the rule's pace with one purchase at the population's pace added to the customer's own: (count + 1) / (days +
        the population's days per purchase). ``nothing`` has none: it holds a purchase impossible.
    """
    days = float(holdout_days)
    past = [history[column].to_numpy(dtype=float) for column in ("repeats", "t_x", "T")]
    repeats, _, T = past
    customers = customers_of(history)
    actual = actual_counts.reindex(history.index, fill_value=0).to_numpy(dtype=float)
    low, high, stated = model.count_interval(days, *past)
    scored = {
        "customers": customers,
        "repeats": repeats,
        "actual": actual,
        "predicted": model.expected_purchases(days, *past),
        "log_score": model.log_count_probability(actual, days, *past),
        "stated_80": stated,
        "coverage_80": ((actual >= low) & (actual <= high)).astype(float),
        "past_rate": np.divide(repeats, T, out=np.zeros_like(T), where=T > 0) * days,
        "past_rate_log_score": _log_poisson(actual, _pace(repeats, T, customers) * days),
        "nothing": 0.0,
    }
    if last_period is not None:
        count = last_period.reindex(history.index, fill_value=0).to_numpy(dtype=float)
        pace = _pace(count, np.full_like(count, days), customers)
        scored |= {"last_period": count, "last_period_log_score": _log_poisson(actual, pace * days)}
    return pd.DataFrame(scored, index=history.index)


def _pace(counts, days, customers):
    """Purchases a day of each customer, one at the population's pace added.

    Without the added one a second purchase would be impossible. No pace is faster than a purchase a day.
    """
    of_all = (days * customers).sum() / max((counts * customers).sum(), 1)
    return (counts + 1) / (days + max(of_all, 1.0))


def _log_poisson(n, mean):
    return xlogy(n, mean) - mean - gammaln(n + 1)


def by_slice(scored, labels=None):
    """The backtest by slice.

    Parameters
    ----------
    scored : DataFrame
        From ``score_customers``.
    labels : Series on the index of ``scored``, optional
        Tier at the cut; null belongs to no tier.

    Returns
    -------
    DataFrame
        One row per ``slice``: ``all``, each label, and ``frequency_0`` ... ``frequency_7+`` by repeats.
        ``customers``, ``actual_orders``, ``predicted_orders`` (sums); ``ratio`` predicted to actual;
        ``past_rate_ratio`` the same for the past rate; ``mae`` mean absolute error per customer; ``log_score`` and
        ``past_rate_log_score``, means; ``stated_80`` mean stated probability of the 80 % interval; ``coverage_80``
        share of customers within it. Rates are null on fewer than 10 customers, ratios also where nothing was ordered.
    """
    slices = {"all": np.ones(len(scored), dtype=bool)}
    if labels is not None:
        labels = labels.reindex(scored.index)
        slices |= {str(label): (labels == label).to_numpy() for label in _ordered(labels)}
    repeats = scored["repeats"].to_numpy()
    slices |= {
        f"frequency_{band}": (repeats >= least) & (repeats <= most) for band, (least, most) in _FREQUENCY_BANDS.items()
    }
    return pd.DataFrame([{"slice": name} | _slice_scores(scored[rows]) for name, rows in slices.items()])


def _ordered(labels):
    """Labels that occur: in the order of the scheme where they are categorical, else alphabetical."""
    if isinstance(labels.dtype, pd.CategoricalDtype):
        return [label for label in labels.cat.categories if (labels == label).any()]
    return sorted(labels.dropna().unique())


def _slice_scores(scored):
    return {
        "customers": int(scored["customers"].sum()),
        "actual_orders": int(_sum(scored, "actual")),
        "predicted_orders": _sum(scored, "predicted"),
        "ratio": _ratio(scored, "predicted"),
        "past_rate_ratio": _ratio(scored, "past_rate"),
        "mae": _rate(scored, (scored["predicted"] - scored["actual"]).abs()),
        **{name: _rate(scored, scored[name]) for name in _MEANS},
    }


def _sum(scored, column):
    return (scored[column] * scored["customers"]).sum()


def _enough(scored):
    return scored["customers"].sum() >= FEWEST_FOR_A_RATE


def _rate(scored, values):
    return mean(values, scored["customers"]) if _enough(scored) else np.nan


def _ratio(scored, predicted):
    actual = _sum(scored, "actual")
    return _sum(scored, predicted) / actual if _enough(scored) and actual > 0 else np.nan


def beside_rules(scored):
    """The model beside the naive rules, over all customers.

    Parameters
    ----------
    scored : DataFrame
        From ``score_customers``.

    Returns
    -------
    DataFrame
        One row per ``rule``: ``model`` first, then ``past_rate`` (everybody goes on as often as before), ``last_period``
        (as many purchase days as in the equally long period before the cut; no row where that is unknown) and
        ``nothing`` (nobody buys). ``predicted_orders``, ``ratio`` to the actual orders, ``log_score``, ``mae``; ``gain``, by
        how much the model's log score is above the rule's, mean over customers, and ``gain_error``, the standard
        error of that paired mean; ``verdict`` on the model: ``better`` or ``worse`` where the gain is beyond two standard
        errors, else ``level``. Null on fewer than 10 customers; log scores and verdict also for ``nothing``.
    """
    rules = [rule for rule in RULES if rule in scored]
    return pd.DataFrame([_rule_scores(scored, rule) for rule in ("model", *rules)])


def _rule_scores(scored, rule):
    predicted, name = ("predicted", "log_score") if rule == "model" else (rule, f"{rule}_log_score")
    gain = error = np.nan
    if rule != "model" and name in scored and _enough(scored):
        gains = scored["log_score"] - scored[name]
        gain, error = mean(gains, scored["customers"]), standard_error(gains, scored["customers"])
    return {
        "rule": rule,
        "predicted_orders": _sum(scored, predicted),
        "ratio": _ratio(scored, predicted),
        "log_score": _rate(scored, scored[name]) if name in scored else np.nan,
        "mae": _rate(scored, (scored[predicted] - scored["actual"]).abs()),
        "gain": gain,
        "gain_error": error,
        "verdict": _verdict(gain, error),
    }


def _verdict(gain, error):
    if np.isnan(gain):
        return None
    return "level" if abs(gain) <= 2 * error else "better" if gain > 0 else "worse"


def pit_histogram(history, actual_counts, holdout_days, model):
    """Probability integral transform of the actual counts: ten bins that hold 0.1 each where the forecast is calibrated.

    `BetaGeoNBD.pit_histogram`, over customers. High outer bins say that the intervals are too narrow, high bins at the
    left that too much was forecast, at the right too little.

    Parameters
    ----------
    history, actual_counts, holdout_days, model
        As for ``score_customers``.

    Returns
    -------
    DataFrame
        ``low``, ``high`` (bounds of the bin), ``share`` (they sum to 1; null on fewer than 10 customers).
    """
    edges = np.linspace(0, 1, PIT_BINS + 1)
    bins = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "share": np.nan})
    customers = customers_of(history)
    if customers.sum() < FEWEST_FOR_A_RATE:
        return bins
    actual = actual_counts.reindex(history.index, fill_value=0).to_numpy(dtype=float)
    past = [history[column].to_numpy(dtype=float) for column in ("repeats", "t_x", "T")]
    return bins.assign(share=model.pit_histogram(actual, float(holdout_days), *past, bins=PIT_BINS, weights=customers))
