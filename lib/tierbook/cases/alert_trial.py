"""The early warning put to further tests: against a yes/no rule at equal length, and what a test of calling would need."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.insight.alert_backtest import SMALL, Paired
from tierbook.insight.campaign import detectable, sample_size

EFFECTS = (0.05, 0.10, 0.20)
SHARES = (0.10, 0.30, 0.50)


def as_many(score: pd.Series, alerted: pd.Series, silent: pd.Series, seed: int, draws: int = 1000) -> Paired:
    """Precision of a score that alerts as many as a yes/no rule does, less that rule's, with its 95 % bootstrap interval.

    ``score`` (the highest first), ``alerted`` (bool) and ``silent`` (bool, who bought nothing afterwards) are on one
    index. Customers are drawn with replacement, both judged on the same draw; of equal scores at the edge each counts in
    proportion. Row order and ids change nothing. Null where the rule alerts fewer than 10.
    """
    pairs = pd.DataFrame({"score": score, "rule": alerted, "silent": silent.reindex(score.index)})
    pairs = pairs.sort_values(["score", "rule", "silent"], ascending=[False, True, True], ignore_index=True)
    rule, hit = pairs["rule"].to_numpy(dtype=bool), pairs["silent"].to_numpy(dtype=bool)
    if rule.sum() < SMALL:
        return Paired(np.nan, np.nan, np.nan)
    group = pd.factorize(pairs["score"])[0]

    def difference(times: np.ndarray) -> float:
        places = times[rule].sum()
        customers, silent_ones = np.bincount(group, times), np.bincount(group, times * hit)
        taken = np.clip(places - (np.cumsum(customers) - customers), 0, customers)
        hits = (silent_ones * taken / np.maximum(customers, 1)).sum()
        return float((hits - times[rule & hit].sum()) / max(places, 1))

    n, generator = len(pairs), np.random.default_rng(seed)
    drawn = [difference(np.bincount(generator.integers(n, size=n), minlength=n)) for _ in range(draws)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Paired(difference(np.ones(n)), float(low), float(high))


def trial_sizes(returning: float, new_a_month: int) -> pd.DataFrame:
    """How many warned customers a test of contacting them needs, by what contacting adds and by the share held out.

    ``returning``: the share of the warned who come back by themselves, from 0 to 1; ``new_a_month``: customers warned of for the first
    time in a month. Columns effect (added to that share); held_out_share; needed, warned customers in both arms for 80 %
    power at 5 % two-sided (`campaign.sample_size` at equal arms, its variances weighed by the arms' sizes otherwise);
    held_out of them; months until so many are warned of. Null where the effect would lift the share above all, months
    also where nobody is new.
    """
    rows = pd.DataFrame(
        [(effect, share) for effect in EFFECTS for share in SHARES], columns=["effect", "held_out_share"]
    )
    contacted = returning + rows["effect"]
    # Weighed so that two halves give sample_size's own arms: n per arm = z² (v_t + v_c) / effect², twice that in all.
    weight = 0.5 / rows["held_out_share"], 0.5 / (1 - rows["held_out_share"])
    variance = returning * (1 - returning), (contacted * (1 - contacted)).where(contacted < 1)
    sd = [np.sqrt(v * w) for v, w in zip(variance, weight, strict=True)]
    rows["needed"] = pd.array(2 * sample_size(rows["effect"].to_numpy(), *(s.to_numpy() for s in sd)), dtype="Int64")
    rows["held_out"] = (rows["needed"] * rows["held_out_share"]).round().astype("Int64")
    months = np.ceil(rows["needed"] / new_a_month) if new_a_month > 0 else pd.Series(pd.NA, index=rows.index)
    return rows.assign(months=months.astype("Int64"))


def smallest_effect(returning: float, customers: int, held_out: int) -> float:
    """What contacting must add to the share coming back for one list to find it in four of five tests; null without arms."""
    if not 0 < held_out < customers:
        return np.nan
    error = np.sqrt(returning * (1 - returning) * (1 / held_out + 1 / (customers - held_out)))
    return float(detectable(error))
