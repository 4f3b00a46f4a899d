"""Second opinions on an effect: adjusted for what was known before (CUPED), and resampled for heavy tails (bootstrap).

Both stand beside the Welch interval of `campaign.effects`, never in its place: what a covariate gained is reported, not
promised, and where bootstrap and Welch fall on different sides of zero a reader should trust neither.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pandas as pd

from tierbook.errors import InputError
from tierbook.insight.arms import ALL, check, welch_interval

LEVEL = 0.05
RESAMPLES, FEWEST = 2000, 200
DRAWS = 20_000_000  # values drawn per arm and outcome; beyond it there are fewer resamples, down to FEWEST
WORDS = 20
_CHUNK = 2_000_000
_FEW = 100

COLUMNS = ["arm", "outcome", "n_treated", "n_control", "effect", "low", "high", "cuped_effect", "cuped_low"]
COLUMNS += ["cuped_high", "variance_gained", "filled", "boot_low", "boot_high", "resamples", "agree"]


def review(assigned, effects, control, covariates, seed) -> pd.DataFrame:
    """`adjusted` of every campaign and arm that has an effect in ``effects`` (`campaign.review`), with its campaign.

    A campaign without control or with a broken split has no effect, and so no row: adjusting cannot mend a split.
    """
    sound = effects[effects["effect"].notna() & (effects["tier"] == ALL)]
    tables = []
    for campaign, rows in sound.groupby("campaign"):
        people = assigned[assigned["campaign"] == campaign]
        table = adjusted(people, control, list(dict.fromkeys(rows["outcome"])), covariates, seed)
        told = rows[["campaign", "arm", "outcome"]].astype({"arm": str})
        tables.append(told.merge(table, on=["arm", "outcome"]))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["campaign", *COLUMNS])


def adjusted(assigned, control, outcomes, covariates=(), seed=7) -> pd.DataFrame:
    """Effect per customer assigned of each arm and outcome, all customers together: plain, adjusted, resampled.

    effect, low, high: difference of means with its Welch 95 % interval, as `campaign.effects` has it.
    cuped_effect, cuped_low, cuped_high: the same of ``y - theta'(x - mean of x)``, theta by least squares within the two
    arms compared, pooled over both, so that cuped_effect is the arm's coefficient in ``y ~ 1 + arm + x``; variance and
    degrees of freedom pay for the coefficients as there. Null without covariates. variance_gained: share of the variance of the effect
    that this removed; a little below 0 where the covariates knew nothing. filled: customers with an empty covariate,
    which was set to its mean over the two arms. boot_low, boot_high: percentile 95 % interval of the difference of means
    over ``resamples`` resamples of each arm (2,000; fewer, down to 200, where over 10,000 customers of an arm differ
    from its most frequent value in over 100 ways). agree: whether Welch and bootstrap both lie above, both below or both over zero.
    Null, apart from the effect, where an arm has fewer than two customers or nobody varies.

    ``covariates``: columns known before assignment; one that is no column is left out, one of text is taken as its 20
    most frequent words, yes or no each. Source of CUPED: Deng, Xu, Kohavi & Walker (2013), WSDM, section 3.

    Raises
    ------
    InputError : an outcome is missing or not numeric, a customer has no arm or stands twice
    """
    check(assigned, list(outcomes), by=None)
    known = _known_before(assigned, covariates)
    numbers = pd.DataFrame({name: _numbers(assigned, name) for name in outcomes} | known)
    # Sorted by value, so that sums have the same last digit whatever the order of the rows.
    numbers = numbers.assign(arm=assigned["arm"].astype(str).array)
    numbers = numbers.sort_values(list(numbers), kind="stable", ignore_index=True)
    held_out = numbers[numbers["arm"] == str(control)]
    rows = [
        {"arm": arm, "outcome": outcome, **_compared(treated, held_out, outcome, list(known), seed)}
        for outcome in outcomes
        for arm, treated in numbers[numbers["arm"] != str(control)].groupby("arm")
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _numbers(assigned, name):
    numbers = pd.to_numeric(assigned[name], errors="coerce").astype(float)
    bad = numbers.isna() & assigned[name].notna()
    if bad.any():
        first = assigned.loc[bad, name].head(3).tolist()
        raise InputError(f"assigned customers: {bad.sum()} values of {name} are not numbers, as {first}")
    return numbers.to_numpy()


def _known_before(assigned, covariates):
    """Column → numbers: a covariate of numbers as it is, one of text as an indicator for each frequent word."""
    found = {}
    for name in dict.fromkeys(covariates):
        values = assigned.get(name)
        if values is None or values.isna().all():
            continue
        if pd.to_numeric(values, errors="coerce").notna().equals(values.notna()):
            found[f"{name} before"] = _numbers(assigned, name)
        else:
            counts = values.astype(str).where(values.notna()).value_counts().sort_index()
            frequent = counts.sort_values(ascending=False, kind="stable").index[:WORDS]
            found |= {f"{name} {word}": (values.astype(str) == word).to_numpy(dtype=float) for word in frequent}
    return found


def _compared(treated, control, outcome, covariates, seed):
    treated, control = treated.dropna(subset=outcome), control.dropna(subset=outcome)
    y, z = treated[outcome].to_numpy(), control[outcome].to_numpy()
    row = {"n_treated": len(y), "n_control": len(z)}
    if min(len(y), len(z)) == 0:
        return row
    row["effect"] = y.mean() - z.mean()
    if min(len(y), len(z)) < 2 or max(np.ptp(y), np.ptp(z)) == 0:
        return row
    of_treated, of_control = y.var(ddof=1) / len(y), z.var(ddof=1) / len(z)
    row["low"], row["high"] = welch_interval(row["effect"], of_treated, len(y), of_control, len(z))
    if covariates:
        row |= _cuped(treated, control, outcome, covariates, of_treated + of_control)
    return row | _bootstrap(treated, control, outcome, seed, _side(row["low"], row["high"]))


def _cuped(treated, control, outcome, covariates, variance):
    """The difference of means of the adjusted values, with its interval and what it gained over ``variance``."""
    y, z = treated[outcome].to_numpy(), control[outcome].to_numpy()
    x = pd.concat([treated[covariates], control[covariates]])
    told = {"filled": int(x.isna().any(axis=1).sum())}
    x = x.fillna(x.mean()).fillna(0.0).to_numpy()
    spread = x.std(axis=0)
    x = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    of_arm, of_rest = x[: len(y)], x[len(y) :]
    within = np.concatenate([of_arm - of_arm.mean(axis=0), of_rest - of_rest.mean(axis=0)])
    residual = np.concatenate([y - y.mean(), z - z.mean()])
    squares = within.T @ within
    theta, _, rank, _ = np.linalg.lstsq(squares, within.T @ residual, rcond=1e-10)
    n_treated, n_control, n = len(y), len(z), len(residual)
    if n - 2 - rank < 1:
        return told
    apart = of_arm.mean(axis=0) - of_rest.mean(axis=0)
    effect = y.mean() - z.mean() - apart @ theta
    left = residual - within @ theta
    # Theta was fitted to these very values, and its own doubt counts by how far the arms lie apart: as in least squares.
    # In a large sample neither matters; without them the intervals of small arms would be too short.
    spent = (n - 2) / (n - 2 - rank)
    spent *= 1 + apart @ np.linalg.pinv(squares, rcond=1e-10, hermitian=True) @ apart / (1 / n_treated + 1 / n_control)
    of_treated = spent * left[:n_treated].var(ddof=1) / n_treated
    of_control = spent * left[n_treated:].var(ddof=1) / n_control
    free = 1 - rank / n
    low, high = welch_interval(effect, of_treated, n_treated * free, of_control, n_control * free)
    gained = 1 - (of_treated + of_control) / variance
    return told | {"cuped_effect": effect, "cuped_low": low, "cuped_high": high, "variance_gained": gained}


def _bootstrap(treated, control, outcome, seed, side):
    samples = [np.unique(arm[outcome].to_numpy(), return_counts=True) for arm in (treated, control)]
    resamples = min(_affordable(*sample) for sample in samples)
    names = [arm["arm"].iloc[0] for arm in (treated, control)]
    of_treated, of_control = (
        _resampled_means(*sample, resamples, np.random.default_rng([seed, crc32(f"{name} {outcome}".encode())]))
        for sample, name in zip(samples, names, strict=True)
    )
    low, high = np.quantile(of_treated - of_control, [LEVEL / 2, 1 - LEVEL / 2])
    return {"boot_low": low, "boot_high": high, "resamples": resamples, "agree": side == _side(low, high)}


def _affordable(distinct, counts):
    drawn = min(counts.sum() - counts.max(), len(distinct) if len(distinct) <= _FEW else np.inf)
    return int(np.clip(DRAWS // max(drawn, 1), FEWEST, RESAMPLES))


def _resampled_means(distinct, counts, resamples, rng):
    """Means of resamples with replacement of a sample given as distinct values with counts.

    This is the bootstrap itself, not an approximation: how often each value is drawn is multinomial; where values are
    many, how many draws differ from the most frequent one is binomial, and of 1 % buyers only the buyers are drawn.
    """
    n = counts.sum()
    if len(distinct) <= _FEW:
        return rng.multinomial(n, counts / n, resamples) @ distinct / n
    usual = distinct[counts.argmax()]
    unusual = np.repeat(distinct, np.where(distinct == usual, 0, counts)) - usual
    drawn = rng.binomial(n, len(unusual) / n, resamples)
    sums, step = np.zeros(resamples), max(1, _CHUNK // len(unusual))
    for at in range(0, resamples, step):
        ends = np.append(0, drawn[at : at + step].cumsum())
        running = np.append(0.0, unusual[rng.integers(0, len(unusual), ends[-1], dtype=np.int32)].cumsum())
        sums[at : at + step] = np.diff(running[ends])
    return usual + sums / n


def _side(low, high):
    return int(low > 0) - int(high < 0)
