"""Early warning: who is warned of, why by the customer's own figures, and what is at stake."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.scores.lifecycle import MIN_SILENCE

REASONS = ("orders_falling", "spend_falling", "silent_beyond_cadence", "low_expected_orders")
SILENT_GAPS = 2


def alerts(
    history: pd.DataFrame, risk: pd.Series, threshold: float | None, own_gap: pd.Series, margin_rate: float | None
) -> pd.DataFrame:
    """alert (bool), alert_reason, alert_reasons (codes) and value_at_stake per customer, on the index of ``history``.

    ``risk``: P(silent for the next 182 days), null for no candidate (`risk.RiskRule.apply`); a customer is flagged from
    ``threshold`` on, nobody without one. alert_reason is the first of `reasons` that holds, alert_reasons all of them,
    joined by ``+``. value_at_stake is the net margin of the window (net sales where no margin rate is known, and the page
    says so), never below zero: what the customer was worth, not what can be won back. Reasons and value are null where
    not flagged.
    """
    flagged = risk.notna() & (risk >= (np.inf if threshold is None else threshold))
    holding = reasons(history, own_gap).where(flagged, None)
    stake = history["window_net"].astype(float).clip(lower=0) * (1.0 if margin_rate is None else margin_rate)
    return pd.DataFrame(
        {
            "alert": flagged.to_numpy(dtype=bool),
            "alert_reason": holding.map(lambda codes: codes.split("+")[0], na_action="ignore"),
            "alert_reasons": holding,
            "value_at_stake": stake.where(flagged),
        },
        index=history.index,
    )


def reasons(history: pd.DataFrame, own_gap: pd.Series) -> pd.Series:
    """Every reason to worry about a customer by his own figures, in the order of ``REASONS``, joined by ``+``.

    ``orders_falling``: fewer than half the orders of the window before (频率下降). ``spend_falling``: less than half of its
    net money, though orders have not fallen so (金额减少); not asked where that window brought nothing.
    ``silent_beyond_cadence``: silent for more than twice the own gap (days, `lifecycle.own_gap`) and more than 30 days.
    ``low_expected_orders``: none of these.
    """
    orders = 2 * history["window_orders"] < history["previous_orders"]
    before = history["previous_net"].astype(float)
    spend = (before > 0) & (2 * history["window_net"].astype(float) < before) & ~orders
    silent = history["recency_days"] > np.maximum(MIN_SILENCE, SILENT_GAPS * own_gap)
    joined = pd.Series("", index=history.index, dtype=object)
    for code, holds in zip(REASONS, (orders, spend, silent), strict=False):
        joined = joined.mask(holds, joined.where(joined == "", joined + "+") + code)
    return joined.mask(joined == "", REASONS[-1])
