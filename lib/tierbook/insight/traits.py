"""Traits of customers at a date beside r, f and m: stage, service requests, satisfaction, referrals, recommendation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from tierbook.scores.conditions import LIMITS

_SURVEYS = ("surveys", ["customer_id", "answered_at", "csat", "nps"])
READ = {
    "satisfaction": _SURVEYS,
    "nps": _SURVEYS,
    "requests": ("tickets", ["customer_id", "opened_at"]),
    "referrals": ("customers", ["customer_id", "referred_by", "joined_at"]),
}
"""Trait → the optional table that it is read from, and what of it."""
_ANSWERS = {"satisfaction": "csat", "nps": "nps"}


def traits(
    wanted: Iterable[str],
    customer_ids: pd.Series,
    end_day: int,
    window_days: int,
    tables: Mapping[str, pd.DataFrame | None],
    stage: pd.Series | None = None,
) -> pd.DataFrame:
    """One column per wanted trait (codes of `scores.conditions.TRAITS`), a row per customer, indexed as ``customer_ids``.

    - ``stage``: as given, in the order of ``customer_ids``.
    - ``requests``: tickets opened in the window; 0 where the customer has none and the shop has the table.
    - ``satisfaction``, ``nps``: the latest answer of the window, csat 1–5 and nps 0–10; an answer off its scale does
      not count, of several at one moment the lowest does. Null for who gave none.
    - ``referrals``: other customers with this one in ``referred_by`` who joined up to ``end_day``, in the window or
      before. Null for everybody where no row tells both by whom and when: the shop then keeps no record of it.

    ``end_day`` is a day number (days since 1970-01-01), the last day counted; the window is the ``window_days`` up to
    and including it. ``tables``: those of `READ`, each optional; a table or column not given is null for everybody.
    """
    window = (end_day - window_days, end_day)
    found = {}
    for trait in wanted:
        if trait == "stage":
            found[trait] = np.full(len(customer_ids), None) if stage is None else stage.to_numpy()
        elif trait == "requests":
            found[trait] = _requests(customer_ids, window, tables.get("tickets"))
        elif trait == "referrals":
            found[trait] = _referrals(customer_ids, end_day, tables.get("customers"))
        else:
            found[trait] = _latest(trait, customer_ids, window, tables.get("surveys"))
    return pd.DataFrame(found, index=customer_ids.index)


def _requests(customer_ids: pd.Series, window: tuple[int, int], tickets: pd.DataFrame | None) -> np.ndarray:
    if not _has(tickets, "customer_id", "opened_at"):
        return _unknown(customer_ids)
    opened = tickets.loc[_within(tickets["opened_at"], window), "customer_id"]
    return _counted(opened, customer_ids)


def _referrals(customer_ids: pd.Series, end_day: int, customers: pd.DataFrame | None) -> np.ndarray:
    if not _has(customers, "customer_id", "referred_by", "joined_at"):
        return _unknown(customer_ids)
    told = customers[customers["referred_by"].notna() & customers["joined_at"].notna()]
    if told.empty:
        return _unknown(customer_ids)
    others = told[told["referred_by"] != told["customer_id"]]
    return _counted(others.loc[_day(others["joined_at"]) <= end_day, "referred_by"], customer_ids)


def _latest(trait: str, customer_ids: pd.Series, window: tuple[int, int], surveys: pd.DataFrame | None) -> np.ndarray:
    answer, (lowest, highest) = _ANSWERS[trait], LIMITS[trait]
    if not _has(surveys, "customer_id", "answered_at", answer):
        return _unknown(customer_ids)
    given = surveys[["customer_id", "answered_at"]].assign(answer=surveys[answer].astype(float))
    given = given[_within(given["answered_at"], window) & given["answer"].between(lowest, highest)]
    # Falling answers before rising moments: of equal moments the lowest answer stands last.
    ordered = given.sort_values("answer", ascending=False).sort_values("answered_at", kind="stable")
    last = ordered.drop_duplicates("customer_id", keep="last").set_index("customer_id")["answer"]
    return last.reindex(customer_ids).to_numpy(dtype=float)


def _counted(rows: pd.Series, customer_ids: pd.Series) -> np.ndarray:
    return rows.value_counts().reindex(customer_ids, fill_value=0).to_numpy(dtype=float)


def _unknown(customer_ids: pd.Series) -> np.ndarray:
    return np.full(len(customer_ids), np.nan)


def _has(table: pd.DataFrame | None, *columns: str) -> bool:
    return table is not None and set(columns) <= set(table.columns)


def _within(times: pd.Series, window: tuple[int, int]) -> np.ndarray:
    days = _day(times)
    return (days > window[0]) & (days <= window[1])


def _day(times: pd.Series) -> np.ndarray:
    """Day numbers; null where there is no time, which is neither before nor after any day."""
    days = times.to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), np.nan, days.astype(float))
