"""Clusters month after month: one rule a year, so that cluster 2 stays cluster 2, held against a fit of this month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from tierbook.params import Rfm
from tierbook.scores import clusters
from tierbook.scores.cluster_traits import set_apart
from tierbook.scores.rfm import in_measures

JANUARY = 1


def path(
    at: Callable[[dt.date], pd.DataFrame], ends: list[dt.date], k: int | str, seed: int, rules: Rfm
) -> dict[str, Any]:
    """Clusters at every date under one rule, fitted on the customers of the *anchor*.

    The anchor is the latest January among ``ends``, else, or where that has fewer than 50 customers, the first date
    with 50: there the number of clusters (where ``k`` is ``auto``), their centroids and their numbers are settled for
    the calendar year, so that all its reports give a customer's month the same number. A fit of the last date's own
    customers, its numbers matched to these by the Hungarian method, says how far the rule still fits.

    ``at``: gives customer_id, recency_days, window_orders, window_active_days, window_net, window_cost of a date, as of
    ``history.windows``; one date is held at a time. ``ends``: dates, in any order.

    Returns frames and plain values: ``months`` (`_month_by_month`), ``profile`` (`set_apart` with the last
    date's customers), ``k_table`` (`choose_k` at the anchor), and ``k``, ``anchor`` (ISO date), ``rule``
    (``ClusterRule(**rule)``), ``stability`` (of the last date's fit, under resampling), ``refit_ari`` and ``refit_same``:
    adjusted Rand index of rule and fit on the last date's customers, and the share of them with the same number. They
    are None where nothing could be fitted, the last three also where the last date has fewer than 50 customers.
    """
    dates = sorted(ends)

    def measures(date: dt.date) -> pd.DataFrame:
        return _measures(at(date), rules)

    anchor = _anchor(dates, measures)
    learned = measures(anchor)
    k_table = clusters.choose_k(learned, seed, clusters.TRIED if k == "auto" else [int(k)])
    chosen = int(k_table.loc[k_table["chosen"], "k"].iloc[0]) if len(k_table) else None
    rule = clusters.fit(learned, chosen, seed) if chosen else None
    months, now = _month_by_month(dates, measures, rule)
    return {
        "months": months,
        "profile": _profile(rule, now),
        "k_table": k_table,
        "k": chosen,
        "anchor": anchor.isoformat() if rule else None,
        "rule": asdict(rule) if rule else None,
        **_against_a_new_fit(rule, measures(dates[-1]), seed),
    }


def _against_a_new_fit(rule: clusters.ClusterRule | None, measures: pd.DataFrame, seed: int) -> dict[str, float | None]:
    fresh = clusters.fit(measures, len(rule.numbers), seed) if rule else None
    if fresh is None:
        return dict.fromkeys(("stability", "refit_ari", "refit_same"))
    held = rule.apply(measures)
    anew = clusters.matched(fresh, held, fresh.apply(measures)).apply(measures)
    return {
        "stability": clusters.stability(measures, len(rule.numbers), seed),
        "refit_ari": clusters.adjusted_rand(held, anew),
        "refit_same": clusters.share_same(held, anew),
    }


def _measures(window: pd.DataFrame, rules: Rfm) -> pd.DataFrame:
    return in_measures(window, rules).set_axis(window["customer_id"]).dropna()


def _anchor(dates: list[dt.date], measures: Callable[[dt.date], pd.DataFrame]) -> dt.date:
    january = [date for date in dates if date.month == JANUARY][-1:]
    enough = (date for date in [*january, *dates] if len(measures(date)) >= clusters.MIN_CUSTOMERS)
    return next(enough, dates[-1])


def _month_by_month(
    dates: list[dt.date], measures: Callable[[dt.date], pd.DataFrame], rule: clusters.ClusterRule | None
) -> tuple[pd.DataFrame, pd.Series | None]:
    """One row a date, oldest first: end, customers, ari, share_same; with the labels of the last date.

    ari: adjusted Rand index with the date before, on customers in both; share_same: share of those who keep their
    cluster. Both say what customers did, for the rule is the same; null on fewer than 10 of them or without a rule.
    """
    rows, then, now = [], None, None
    for date in dates:
        found = measures(date)
        then, now = now, rule.apply(found) if rule else None
        compared = [np.nan] * 2 if then is None else [clusters.adjusted_rand(then, now), clusters.share_same(then, now)]
        rows.append((date, len(found), *compared))
    return pd.DataFrame(rows, columns=["end", "customers", "ari", "share_same"]), now


def _profile(rule: clusters.ClusterRule | None, labels: pd.Series | None) -> pd.DataFrame:
    columns = ["cluster", "code", "recency_z", "frequency_z", "monetary_z", "customers"]
    if rule is None:
        return pd.DataFrame(columns=columns)
    table = set_apart(rule)
    return table.assign(customers=labels.value_counts().reindex(table["cluster"], fill_value=0).to_numpy(dtype=int))
