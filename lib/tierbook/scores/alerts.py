"""Early warning: who is warned of, why by the customer's own figures, and what is at stake."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.scores.lifecycle import MIN_SILENCE

REASONS = ("silent_beyond_cadence", "orders_falling", "low_expected_orders")
SILENT_GAPS = 2


def alerts(
    history: pd.DataFrame, risk: pd.Series, threshold: float | None, own_gap: pd.Series, margin_rate: float | None
) -> pd.DataFrame:
    """alert (bool), alert_reason (code) and value_at_stake per customer, on the index of ``history``.

    ``risk``: P(silent for the next 182 days), null for no candidate (`risk.RiskRule.apply`); a customer is flagged from
    ``threshold`` on, nobody without one. The reason is the first that holds: ``silent_beyond_cadence``, silent for more
    than twice the own gap (days, `lifecycle.own_gap`) and more than 30 days; ``orders_falling``, fewer than half the
    orders of the window before; ``low_expected_orders``, the rest. value_at_stake is the net margin of the window (net
    sales where no margin rate is known, and the page says so), never below zero: what the customer was worth, not what
    can be won back. Reason and value are null where not flagged.
    """
    flagged = risk.notna() & (risk >= (np.inf if threshold is None else threshold))
    silent = history["recency_days"] > np.maximum(MIN_SILENCE, SILENT_GAPS * own_gap)
    falling = 2 * history["window_orders"] < history["previous_orders"]
    reason = np.select([silent.to_numpy(), falling.to_numpy()], REASONS[:2], REASONS[2])
    stake = history["window_net"].astype(float).clip(lower=0) * (1.0 if margin_rate is None else margin_rate)
    return pd.DataFrame(
        {
            "alert": flagged.to_numpy(dtype=bool),
            "alert_reason": pd.Series(reason, index=history.index, dtype=object).where(flagged, None),
            "value_at_stake": stake.where(flagged),
        },
        index=history.index,
    )
