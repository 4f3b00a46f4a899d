"""Voice of the customer: satisfaction and recommendation from survey answers, by tier, with intervals and targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from tierbook.insight.assignment import as_days
from tierbook.insight.shares import wilson

MIN_ANSWERS = 10
ALL = "all"
COLUMNS = ["tier", "measure", "n", "value", "low", "high", "target", "verdict"]
FAULTS = ["table", "fault", "rows", "example"]
SCALES = {"csat": (1, 5), "nps": (0, 10)}
LOWER_IS_BETTER = frozenset({
    "first_response_hours", "resolution_hours", "tickets_per_customer", "contact_gap_days", "no_contact_180d",
    "opt_out_rate", "browsed_30d", "browsed_90d",
})  # fmt: skip
_Z = 1.959964


def recommendation(answers: pd.Series) -> dict:
    """Net promoter score of 0–10 answers: promoters (9–10) less detractors (0–6), in points from −100 to 100.

    value, low, high, n; the interval is the normal 95 % one of a mean of +100, 0 and −100. Answers off the scale (99
    for "no answer") do not count. Null below 10 answers; n always given.
    """
    votes = _on_scale(answers, *SCALES["nps"])
    return mean(100.0 * ((votes >= 9).astype(float) - (votes <= 6).astype(float)), -100.0, 100.0)


def satisfied(answers: pd.Series) -> dict:
    """Share of 1–5 answers that are 4 or 5, as `share`; answers off the scale do not count."""
    votes = _on_scale(answers, *SCALES["csat"])
    return share(int((votes >= 4).sum()), len(votes))


def satisfaction(answers: pd.Series) -> dict:
    """Mean of the 1–5 answers, as `mean`; answers off the scale do not count."""
    return mean(_on_scale(answers, *SCALES["csat"]), *SCALES["csat"])


def share(count: int, n: int) -> dict:
    """value, low, high, n of a share, with its 95 % Wilson interval. Null below 10; n always given."""
    if n < MIN_ANSWERS:
        return _unknown(n)
    low, high = wilson(count / n, n)
    return {"value": count / n, "low": float(low), "high": float(high), "n": n}


def mean(values: pd.Series, lowest: float = -np.inf, highest: float = np.inf) -> dict:
    """value, low, high, n of a mean with its normal 95 % interval, kept within the scale. Null below 10 values."""
    n = len(values)
    if n < MIN_ANSWERS:
        return _unknown(n)
    value, half = float(values.mean()), float(_Z * values.std(ddof=1) / np.sqrt(n))
    return {"value": value, "low": max(value - half, lowest), "high": min(value + half, highest), "n": n}


def median(values: pd.Series) -> dict:
    """value, low, high, n of a median; infinite values (not over yet) stand last, and so may the three.

    The interval is of two order statistics: the r-th from either end, r − 1 being the most of n fair coins that come up
    heads with a chance under 2.5 %, so that it holds the median in at least 95 % of samples, whatever the distribution.
    Null below 10 values. Source: Conover (1999), Practical Nonparametric Statistics, 3rd ed., 3.2.
    """
    from scipy.stats import binom

    n = len(values)
    if n < MIN_ANSWERS:
        return _unknown(n)
    ordered, rank = np.sort(values.to_numpy(dtype=float)), int(binom.ppf(0.025, n, 0.5))
    value = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return {"value": float(value), "low": float(ordered[rank - 1]), "high": float(ordered[n - rank]), "n": n}


def by_tier(
    rows: pd.DataFrame, tiers: Sequence[str], measure: str, judge: Callable, share: bool = True
) -> Iterator[dict]:
    """``judge`` (one of the above, of a frame) of ``all`` rows and of each tier's: tier, measure, n, value, low, high.

    ``rows`` have a column tier, null for people without an order, who count in ``all`` alone. A
    ``share`` of rows that name customers (customer_id) is not told of fewer than 10, however many answers they gave.
    """
    for tier in (ALL, *tiers):
        part = rows if tier == ALL else rows[rows["tier"] == tier]
        told = judge(part)
        few = share and "customer_id" in part and part["customer_id"].nunique() < MIN_ANSWERS
        yield {"tier": tier, "measure": measure, **(_unknown(told["n"]) if few else told)}


def judged(rows: Sequence[dict], targets: Mapping[str, float], further: Sequence[str] = ()) -> pd.DataFrame:
    """The table of DESIGN §6 (`COLUMNS`, ``further`` columns after measure), rows as of `by_tier`.

    verdict: ``too_few`` (nothing can be said of fewer than 10), ``no_target``, ``met`` (the whole interval reaches the
    target), ``missed`` (none of it does), ``uncertain`` (the interval covers it). Of the measures in `LOWER_IS_BETTER`
    less is better. A median that is not known yet (infinite) is judged, and then null.
    """
    names = [*COLUMNS[:2], *further, *COLUMNS[2:6]]
    table = pd.DataFrame(list(rows), columns=names).astype(dict.fromkeys(("value", "low", "high"), float))
    table["target"] = table["measure"].map(dict(targets)).astype(float)
    sign = np.where(table["measure"].isin(LOWER_IS_BETTER), -1.0, 1.0)
    worst = np.minimum(sign * table["low"], sign * table["high"])
    best = np.maximum(sign * table["low"], sign * table["high"])
    goal = sign * table["target"]
    told = [table["value"].isna(), goal.isna() | worst.isna(), worst >= goal, best < goal]
    table["verdict"] = np.select(told, ["too_few", "no_target", "met", "missed"], "uncertain").astype(object)
    ends = ["value", "low", "high"]
    table[ends] = table[ends].replace([np.inf, -np.inf], np.nan)
    return table.astype({"n": int})


def side_by_side(table: pd.DataFrame, measures: Sequence[str], by: str = "tier") -> pd.DataFrame:
    """Several measures beside each other, for a page: ``by`` (tier or channel) and for each measure ``<measure>``, its
    interval ``<measure>_interval``, n ``<measure>_n`` and ``<measure>_verdict``; rows of which there is none are left out.
    """
    order = table[by].drop_duplicates()
    found = {by: order.set_axis(order)}
    for measure in measures:
        rows = table[table["measure"] == measure].set_index(by).reindex(order)
        interval = pd.Series(list(zip(rows["low"], rows["high"], strict=True)), index=rows.index, dtype=object)
        found |= {
            measure: rows["value"],
            f"{measure}_interval": interval,
            f"{measure}_n": rows["n"].fillna(0).astype(int),
            f"{measure}_verdict": rows["verdict"],
        }
    wide = pd.DataFrame(found)
    return wide[wide[[f"{measure}_n" for measure in measures]].gt(0).any(axis=1)].reset_index(drop=True)


def surveys(table: pd.DataFrame, tiers: Sequence[str], window: tuple[int, int]) -> list[dict]:
    """csat, csat_mean and nps of the window's answers, response_rate of the surveys sent in it; rows as of `by_tier`.

    Every answer counts, so that a customer may count several times (no share is told of fewer than 10 customers); an answer
    without answered_at is in no window.
    response_rate is the share of those sent that are answered, those sent yesterday included.

    ``table``: tier, sent_at, answered_at, csat, nps; ``window``: day numbers, the days after the first up to the second.
    """
    answered = table[within(table["answered_at"], window)]
    scored = {name: answered.dropna(subset=name) for name in SCALES}
    sent = table[within(table["sent_at"], window)]
    return [
        *by_tier(scored["csat"], tiers, "csat", lambda rows: satisfied(rows["csat"])),
        *by_tier(scored["csat"], tiers, "csat_mean", lambda rows: satisfaction(rows["csat"]), share=False),
        *by_tier(scored["nps"], tiers, "nps", lambda rows: recommendation(rows["nps"])),
        *by_tier(sent, tiers, "response_rate", lambda rows: share(int(rows["answered_at"].notna().sum()), len(rows))),
    ]


def survey_faults(table: pd.DataFrame) -> list[tuple]:
    """Answers that cannot be used: off the scale, without a date, or before they were asked for (`fault`)."""
    answer = table[["csat", "nps"]].notna().any(axis=1)
    off = {
        f"{name}_off_scale": table[name].notna() & ~table[name].astype(float).between(*scale)
        for name, scale in SCALES.items()
    }
    wrong = off | {
        "answer_undated": answer & table["answered_at"].isna(),
        "answered_before_sent": as_days(table["answered_at"]) < as_days(table["sent_at"]),
    }
    return [fault("surveys", name, table, rows) for name, rows in wrong.items()]


def fault(name: str, said: str, table: pd.DataFrame, wrong: pd.Series) -> tuple:
    """One row of voice_faults.csv: table, fault, rows, example (the first id by name, so that row order says nothing)."""
    ids = table.loc[wrong.to_numpy(dtype=bool), "customer_id"]
    return (name, said, len(ids), min(ids, default=None))


def within(times: pd.Series, window: tuple[int, int]) -> np.ndarray:
    """Which times lie on the days after ``window[0]`` up to ``window[1]``, day numbers; null lies nowhere."""
    days = as_days(times).to_numpy(dtype=float)
    return (days > window[0]) & (days <= window[1])


def _on_scale(answers: pd.Series, lowest: int, highest: int) -> pd.Series:
    votes = answers.dropna().astype(float)
    return votes[votes.between(lowest, highest)]


def _unknown(n: int) -> dict:
    return {"value": np.nan, "low": np.nan, "high": np.nan, "n": n}
