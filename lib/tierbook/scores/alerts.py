"""Early warning: repeat customers silent beyond their own cadence, and what is at stake."""

from __future__ import annotations

import pandas as pd

MIN_DAYS = 3


def alerts(history: pd.DataFrame, stage: pd.Series, margin_rate: float | None) -> pd.DataFrame:
    """alert, alert_reason (code) and value_at_stake per customer.

    A customer with 3 or more purchase days and an order in the window is flagged while its stage is ``at_risk``: silent
    for more than twice its own interval, though not yet so long that few come back. value_at_stake is the net margin
    (net sales where no margin is known) of its window: what it was worth, not what can be won back; 0 when nothing is
    at stake, null for customers not flagged.
    """
    flagged = (stage == "at_risk") & (history["active_days"] >= MIN_DAYS) & (history["window_orders"] > 0)
    stake = history["window_net"].clip(lower=0) * (1.0 if margin_rate is None else margin_rate)
    return pd.DataFrame(
        {
            "alert": flagged.to_numpy(),
            "alert_reason": pd.Series("silent_beyond_cadence", index=history.index).where(flagged, None),
            "value_at_stake": stake.where(flagged),
        },
        index=history.index,
    )
