"""Whom to target next: an uplift score judged on customers it was not learned on, by tenths and by its Qini curve."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from tierbook.insight.arms import welch_interval
from tierbook.insight.uplift_score import MIN_RESPONDERS

SMALL = 10  # no share on fewer customers
POINTS = 100  # of the curve that is resampled


def versus(assigned: pd.DataFrame, arm: str, control: str) -> pd.DataFrame:
    """The customers of one arm and of the control, with ``treated`` (bool); neither arm need be there."""
    named = assigned["arm"].astype(str)
    rows = named.isin([str(arm), str(control)])
    return assigned[rows].assign(treated=named[rows] == str(arm))


class Ranked(NamedTuple):
    """Customers by score, the highest first: arrays by side (0 control, 1 treated) and distinct score.

    ``usual``: the median outcome of each side (0 where few buy, minus the contact's cost for their profit). ``n``:
    customers; ``off``: those whose outcome is not the usual one; ``excess`` and ``squares``: sums of (outcome - usual)
    and of its square.
    """

    usual: np.ndarray
    n: np.ndarray
    off: np.ndarray
    excess: np.ndarray
    squares: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """Sum of the outcome by side and score."""
        return self.usual[:, None] * self.n + self.excess

    def grouped(self, parts: int) -> tuple[Ranked, np.ndarray]:
        """Scores put together in at most so many parts of equal size, and the number (from 0) of each part.

        A score belongs where the share of customers above it begins: equal scores stay together, parts may be skipped.
        """
        people = self.n.sum(axis=0)
        part = parts * (np.cumsum(people) - people) // max(int(people.sum()), 1)
        starts = np.flatnonzero(np.diff(part, prepend=-1))
        sums = (np.add.reduceat(cells, starts, axis=1) if len(starts) else cells for cells in self[1:])
        return Ranked(self.usual, *sums), part[starts]


def ranked(people: pd.DataFrame, score: pd.Series, outcome: str) -> Ranked:
    """Count customers (`versus`) by their ``score``, the highest first; without a score or an outcome they drop out."""
    value = pd.to_numeric(people[outcome]).to_numpy(dtype=float, na_value=np.nan)
    marks = score.to_numpy(dtype=float, na_value=np.nan)
    known = ~np.isnan(value) & ~np.isnan(marks)
    value, treated = value[known], people["treated"].to_numpy(dtype=bool)[known].astype(np.int64)
    distinct, place = np.unique(-marks[known], return_inverse=True)
    usual = np.array([_median(value[treated == side]) for side in (0, 1)])
    cell, beyond = treated * len(distinct) + place, value - usual[treated]
    off = np.flatnonzero(beyond)
    # summed in the order of values, so that the last digit does not depend on the order of rows
    off = off[np.argsort(beyond[off])]
    counts = [np.bincount(cell, minlength=2 * len(distinct)), np.bincount(cell[off], minlength=2 * len(distinct))]
    sums = [np.bincount(cell[off], beyond[off] ** power, minlength=2 * len(distinct)) for power in (1, 2)]
    return Ranked(usual, *(cells.reshape(2, -1) for cells in counts + sums))


def _median(values: np.ndarray) -> float:
    """The lower median, a value that occurs; where more than half share one value, that one."""
    middle = (len(values) - 1) // 2
    return float(np.partition(values, middle)[middle]) if len(values) else 0.0


def deciles(judged: Ranked) -> pd.DataFrame:
    """Uplift by tenth of the score: mean outcome treated less control, with its 95 % Welch interval.

    Columns decile (1 = the highest scores; equal scores stay together, so a decile may be larger or missing),
    n_treated, n_control, mean_treated, mean_control, uplift, low, high: null on fewer than 10 customers of either side;
    low and high also where no outcome varies.
    """
    tenths, part = judged.grouped(10)
    n = tenths.n.astype(float)
    n[:, n.min(axis=0) < SMALL] = np.nan
    mean = tenths.usual[:, None] + tenths.excess / n
    error = (tenths.squares - tenths.excess**2 / n) / (n - 1) / n
    uplift = mean[1] - mean[0]
    low, high = welch_interval(uplift, error[1], n[1], error[0], n[0])
    table = {"decile": part + 1, "n_treated": tenths.n[1], "n_control": tenths.n[0], "mean_treated": mean[1],
             "mean_control": mean[0], "uplift": uplift, "low": low, "high": high}  # fmt: skip
    return pd.DataFrame(table)


class Qini(NamedTuple):
    """How much better the score picks than chance (`qini`); amounts in the outcome's unit per customer.

    ``verdict``: ``can_target``, ``cannot_target`` or ``not_enough_data``. ``curve``: share, value, low, high, random.
    ``plans``: plan, share, value, low, high: whom to treat, and what it gains.
    """

    verdict: str
    coefficient: float
    low: float
    high: float
    gain: float
    gain_low: float
    gain_high: float
    n_treated: int
    n_control: int
    curve: pd.DataFrame
    plans: pd.DataFrame


def qini(judged: Ranked, seed: int, resamples: int = 1000) -> Qini:
    """Judge a ranking by its Qini curve, with 95 % bootstrap intervals (percentiles of the resamples).

    The curve's value at share s is what is gained per customer when the s with the highest scores are treated:
    (Y_t - Y_c · n_t / n_c) / N_t, Y sums of the outcome and n customers among them, t treated and c control (Y_c counts
    as 0 while n_c is 0), N_t all treated. The random line runs from 0 to its end, the effect of treating all. ``gain``
    is the area between the two; ``coefficient`` is gain / \\|effect of treating all\\|, as causalml's normalised
    ``qini_score``; null, with its interval, while the interval of that effect covers zero. (scikit-uplift instead
    divides by the area of a ranking that knows the outcomes: a smaller number for the same curve.) ``can_target`` when
    the whole interval of gain is above zero; ``not_enough_data`` when fewer than 30 of either side have another outcome
    than the usual one: then all intervals are null.

    ``plans``: ``nobody``, ``all`` and, only where it can target, two shares in tenths: ``above_average``, where the curve
    is farthest above the random line (for outcomes that know no cost), and, unless that is nobody or all, ``best``, where
    it is highest (for profit), with ``best_less_all``, its gain over treating all. Their values are lessened by what
    choosing the share on the same customers makes it look better (the resamples' mean optimism).

    gain and coefficient use every distinct score. Resampled is the curve at 100 points, at most N/100 customers apart
    unless their scores are equal; between points it is taken as straight, which on Hillstrom's e-mails moves
    the area by less than a hundredth of its interval's width. Drawn are the numbers of customers with the usual and another outcome in each cell:
    for 0/1 outcomes the exact bootstrap over customers; else the sum over the others is drawn as normal given their number.

    Source: Radcliffe (2007), Direct Marketing Analytics Journal 1, 14-21; optimism: Efron (1983), JASA 78, 316-331.
    """
    share, value = _curve(judged.n, judged.total)
    points, _ = judged.grouped(POINTS)
    at, there = _curve(points.n, points.total)
    curve = pd.DataFrame({"share": at, "value": there, "low": np.nan, "high": np.nan, "random": at * there[-1]})
    gain, n_control, n_treated = float(_gain(share, value)), *(int(side) for side in judged.n.sum(axis=1))
    if judged.off.sum(axis=1).min() < MIN_RESPONDERS:
        plans = pd.DataFrame([("nobody", 0.0, 0.0, 0.0, 0.0), ("all", 1.0, there[-1], np.nan, np.nan)], columns=_PLANS)
        unknown = (np.nan,) * 3
        return Qini("not_enough_data", *unknown, gain, *unknown[:2], n_treated, n_control, curve, plans)
    shares, values = _resampled(points, seed, resamples)
    gains, ends = _gain(shares, values), values[:, -1]
    curve[["low", "high"]] = _percentiles(values).T
    bounds = _percentiles(gains)
    verdict = "can_target" if bounds[0] > 0 else "cannot_target"
    relative = gains / np.maximum(np.abs(ends), 1e-12 * abs(value[-1]))
    numbers = (gain / abs(value[-1]), *_percentiles(relative)) if _clear(ends) else (np.nan,) * 3
    plans = _plans(at, there, values, verdict == "can_target")
    return Qini(verdict, *map(float, numbers), gain, *map(float, bounds), n_treated, n_control, curve, plans)


_PLANS = ["plan", "share", "value", "low", "high"]


def _curve(n: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share treated and value, from 0 on, of cells (…, side, score); one curve for each leading index."""
    n, total = np.cumsum(n, axis=-1, dtype=float), np.cumsum(total, axis=-1)
    everyone = n.sum(axis=-2)
    n_control, n_treated = n[..., 0, :], n[..., 1, :]
    of_control = total[..., 0, :] * n_treated / np.where(n_control > 0, n_control, np.inf)
    value = (total[..., 1, :] - of_control) / np.maximum(n_treated[..., -1:], 1)
    start = [(0, 0)] * (value.ndim - 1) + [(1, 0)]
    return np.pad(everyone / np.maximum(everyone[..., -1:], 1), start), np.pad(value, start)


def _gain(share: np.ndarray, value: np.ndarray) -> np.ndarray:
    return np.trapezoid(value, share, axis=-1) - value[..., -1] / 2


def _resampled(points: Ranked, seed: int, resamples: int) -> tuple[np.ndarray, np.ndarray]:
    """Curves of customers drawn with replacement: shares and values, a row a resample."""
    generator = np.random.default_rng(seed)
    cells = np.stack([points.n - points.off, points.off])
    drawn = generator.multinomial(cells.sum(), cells.ravel() / cells.sum(), size=resamples).reshape(-1, *cells.shape)
    n, off = drawn.sum(axis=1), drawn[:, 1]
    mean = points.excess / np.maximum(points.off, 1)
    spread = np.maximum(points.squares / np.maximum(points.off, 1) - mean**2, 0)
    excess = off * mean
    # a cell's outcomes that are all alike leave a rounding error, which is no spread
    if (spread > 1e-12 * mean**2).any():
        excess = excess + np.sqrt(off * spread) * generator.standard_normal(off.shape)
    return _curve(n, points.usual[:, None] * n + excess)


def _percentiles(draws: np.ndarray) -> np.ndarray:
    return np.quantile(draws, [0.025, 0.975], axis=0)


def _clear(draws: np.ndarray) -> bool:
    low, high = _percentiles(draws)
    return bool(low > 0 or high < 0)


def _plans(at: np.ndarray, value: np.ndarray, values: np.ndarray, can_target: bool) -> pd.DataFrame:
    rows = [("nobody", 0.0, 0.0, 0.0, 0.0), ("all", 1.0, value[-1], *_percentiles(values[:, -1]))]
    if can_target:
        tenths = np.unique(np.abs(at - np.linspace(0, 1, 11)[:, None]).argmin(axis=1))
        shares, value, values = at[tenths], value[tenths], values[:, tenths]
        end, ends = value[-1], values[:, -1:]
        rows.append(("above_average", *_chosen(shares, value, values, (shares * end, shares * ends))))
        best = _chosen(shares, value, values, (0, 0))
        if 0 < best[0] < 1:
            rows.append(("best", *best))
            rows.append(("best_less_all", *_chosen(shares, value - end, values - ends, (0, 0))))
    return pd.DataFrame(rows, columns=_PLANS)


def _chosen(shares: np.ndarray, value: np.ndarray, values: np.ndarray, baselines: tuple) -> tuple[float, ...]:
    """The share where the value is farthest above its baseline; the value there less its mean optimism, low, high."""
    best, drawn = (value - baselines[0]).argmax(), (values - baselines[1]).argmax(axis=1)
    optimism = (values[np.arange(len(values)), drawn] - value[drawn]).mean()
    return (shares[best], *(number - optimism for number in (value[best], *_percentiles(values[:, best]))))
