"""Clusters month after month: one rule a year, so that cluster 2 stays cluster 2, held against a fit of this month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pandas as pd

from tierbook import lookup
from tierbook.params import Rfm
from tierbook.scores import agreement, clusters
from tierbook.scores.cluster_traits import set_apart
from tierbook.scores.counted import customers_of
from tierbook.scores.rfm import in_measures

JANUARY = 1


def path(
    measured: Callable[[dt.date], pd.DataFrame],
    moved: Callable[[clusters.ClusterRule | None], pd.DataFrame],
    ends: list[dt.date],
    k: int | str,
    seed: int,
) -> dict[str, Any]:
    """Clusters at every date under one rule, fitted on the customers of the *anchor*.

    The anchor is the latest January among ``ends``, else, or where that has fewer than 50 customers, the first date
    with 50: there the number of clusters (where ``k`` is ``auto``), their centroids and their numbers are settled for
    the calendar year, so that all its reports give a customer's month the same number. A fit of the last date's own
    customers, its numbers matched to these by the Hungarian method, says how far the rule still fits.

    ``measured``: gives recency_days, frequency and monetary of the customers in the window of a date, none null, a row
    for as many ``customers`` as it says, else for one. ``moved``: gives the `moves` under a rule at all dates. ``ends``:
    dates, in any order.

    Returns frames and plain values: ``months`` (`_month_by_month`), ``profile`` (`set_apart` with the last
    date's customers), ``k_table`` (`choose_k` at the anchor), and ``k``, ``anchor`` (ISO date), ``rule``
    (``ClusterRule(**rule)``), ``stability`` (of the last date's fit, under resampling), ``refit_ari`` and ``refit_same``:
    adjusted Rand index of rule and fit on the last date's customers, and the share of them with the same number. They
    are None where nothing could be fitted, the last three also where the last date has fewer than 50 customers.
    """
    dates = sorted(ends)
    anchor = _anchor(dates, measured)
    learned, latest = measured(anchor), measured(dates[-1])
    k_table = clusters.choose_k(learned, seed, clusters.TRIED if k == "auto" else [int(k)])
    chosen = int(k_table.loc[k_table["chosen"], "k"].iloc[0]) if len(k_table) else None
    rule = clusters.fit(learned, chosen, seed) if chosen else None
    return {
        "months": _month_by_month(dates, moved(rule)),
        "profile": _profile(rule, latest),
        "k_table": k_table,
        "k": chosen,
        "anchor": anchor.isoformat() if rule else None,
        "rule": asdict(rule) if rule else None,
        **_against_a_new_fit(rule, latest, seed),
    }


def moves(
    at: Callable[[dt.date], pd.DataFrame], ends: list[dt.date], rule: clusters.ClusterRule | None, rules: Rfm
) -> pd.DataFrame:
    """Customers by cluster at each date and at the date ``before``: end, before, cluster, customers.

    ``before`` is null at the first date and for who had no order in the window then, both are null without a rule.
    ``at``: gives customer_id, recency_days, window_orders, window_active_days, window_net, window_cost of all or some
    customers at a date, as of ``history.windows``; two dates are held at a time.
    """
    counts, then = [], pd.Series(dtype="Int8", index=pd.Index([], dtype="str"))
    for date in sorted(ends):
        window = at(date)
        found = in_measures(window, rules).set_axis(window["customer_id"]).dropna()
        now = rule.apply(found) if rule else pd.Series(pd.NA, index=found.index, dtype="Int8")
        both = pd.DataFrame({"before": lookup.of(now.index, then.index, then).astype("Int8"), "cluster": now})
        counted = both.groupby(["before", "cluster"], dropna=False).size().rename("customers").reset_index()
        counts.append(counted.assign(end=date))
        then = now
    return pd.concat(counts, ignore_index=True)


def _against_a_new_fit(rule: clusters.ClusterRule | None, latest: pd.DataFrame, seed: int) -> dict[str, float | None]:
    fresh = clusters.fit(latest, len(rule.numbers), seed) if rule else None
    if fresh is None:
        return dict.fromkeys(("stability", "refit_ari", "refit_same"))
    held, customers = rule.apply(latest), customers_of(latest)
    anew = clusters.matched(fresh, held, fresh.apply(latest), customers).apply(latest)
    return {
        "stability": clusters.stability(latest, len(rule.numbers), seed),
        "refit_ari": agreement.adjusted_rand(held, anew, customers),
        "refit_same": agreement.share_same(held, anew, customers),
    }


def _anchor(dates: list[dt.date], measured: Callable[[dt.date], pd.DataFrame]) -> dt.date:
    january = [date for date in dates if date.month == JANUARY][-1:]
    candidates = [*january, *dates]
    enough = (date for date in candidates if customers_of(measured(date)).sum() >= clusters.MIN_CUSTOMERS)
    return next(enough, dates[-1])


def _month_by_month(dates: list[dt.date], moved: pd.DataFrame) -> pd.DataFrame:
    """One row a date, oldest first: end, customers, ari, share_same.

    ari: adjusted Rand index with the date before, on customers in both; share_same: share of those who keep their
    cluster. Both say what customers did, for the rule is the same; null on fewer than 10 of them or without a rule.
    """
    rows = []
    for date in dates:
        found = moved[moved["end"] == date]
        labels = found["before"], found["cluster"], found["customers"].to_numpy()
        rows.append((date, labels[2].sum(), agreement.adjusted_rand(*labels), agreement.share_same(*labels)))
    return pd.DataFrame(rows, columns=["end", "customers", "ari", "share_same"])


def _profile(rule: clusters.ClusterRule | None, latest: pd.DataFrame) -> pd.DataFrame:
    columns = ["cluster", "code", "recency_z", "frequency_z", "monetary_z", "customers"]
    if rule is None:
        return pd.DataFrame(columns=columns)
    table = set_apart(rule)
    members = pd.Series(customers_of(latest)).groupby(rule.apply(latest).to_numpy(dtype=int)).sum()
    return table.assign(customers=members.reindex(table["cluster"], fill_value=0).to_numpy(dtype=int))
