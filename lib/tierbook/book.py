"""The book: one row per customer with an order up to as_of, every score beside its reason."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.accounting import EPOCH
from tierbook.insight.movement import NEW
from tierbook.scores.maps import OUTSIDE
from tierbook.scores.rfm import quantile_cuts

COLUMNS = [
    "customer_id", "first_order", "last_order", "orders", "recency_days", "frequency", "monetary", "r", "f", "m",
    "segment", "tier", "trend", "previous_tier", "tier_change", "change_cause", "change_reason", "next_tier",
    "next_tier_gap", "stage", "cluster", "p_alive", "expected_orders", "orders_low", "orders_high", "expected_value",
    "clv", "clv_low", "clv_high", "value_tier", "value_note", "alert", "alert_reason", "value_at_stake", "owner", "action",
]  # fmt: skip
TREND_STEP = 0.20


def trend(history: pd.DataFrame) -> pd.Series:
    """up, down or steady: net money of the window against the window before, beyond 20 %; null for who has neither."""
    now, before = history["window_net"].fillna(0.0), history["previous_net"].fillna(0.0)
    # Refunds may leave a window below zero; a hair is added so that exactly 20 % is steady in any currency.
    step = TREND_STEP * before.abs() + 1e-9 * now.abs()
    names = np.select([now - before > step, before - now > step], ["up", "down"], "steady")
    nothing = (history["window_orders"] == 0) & (history["previous_orders"] == 0)
    return pd.Series(names, index=history.index, dtype=object, name="trend").mask(nothing, None)


def change_reason(scores: pd.DataFrame, before: pd.DataFrame, moved: pd.Series) -> pd.Series:
    """Which scores rose or fell, such as ``m_up+r_down``, for customers whose tier moved; null for the others."""
    code = np.zeros(len(scores), dtype=int)
    for place, letter in enumerate("fmr"):
        step = scores[letter].astype(float).fillna(0).to_numpy() - before[letter].astype(float).fillna(0).to_numpy()
        code += (np.sign(step).astype(int) % 3) * 3**place
    names = [
        [f"{c}_{('', 'up', 'down')[code // 3**n % 3]}" for n, c in enumerate("fmr") if code // 3**n % 3]
        for code in range(27)
    ]
    reason = pd.Series(np.array(["+".join(parts) for parts in names], dtype=object)[code], index=scores.index)
    return reason.where(moved & (reason != ""), None)


def changes(scored: pd.DataFrame, before: pd.DataFrame, moved: pd.DataFrame) -> pd.DataFrame:
    """previous_tier, tier_change, change_cause and change_reason of each row of ``scored`` (customer_id, r, f, m).

    ``before``: r, f, m a month ago by customer_id; ``moved``: this month's moves (customer_id, from_tier, tier_change,
    change_cause).
    """
    by_id = moved.set_index("customer_id").reindex(scored["customer_id"]).set_axis(scored.index)
    then = before.reindex(scored["customer_id"]).set_axis(scored.index)
    changed = by_id["tier_change"].isin(["up", "down", "left"])
    return pd.DataFrame(
        {
            "previous_tier": by_id["from_tier"].where(by_id["from_tier"] != NEW, None),
            "tier_change": by_id["tier_change"],
            "change_cause": by_id["change_cause"],
            "change_reason": change_reason(scored, then, changed),
        }
    )


def gaps(missing: pd.DataFrame, currency: str) -> pd.DataFrame:
    """next_tier and next_tier_gap from what `upgrades.next_tier` found."""
    return pd.DataFrame({"next_tier": missing["next_tier"], "next_tier_gap": next_tier_gap(missing, currency)})


def next_tier_gap(missing: pd.DataFrame, currency: str) -> pd.Series:
    """What is missing as one text without a language, such as ``orders +1; CNY +230.00 | orders +3; by 2026-11-30``.

    The bar parts two ways to the tier; null where there is no next tier.
    """
    first = _way(missing["orders_missing"], missing["spend_missing"], currency)
    second = _way(missing["alt_orders"], missing["alt_spend"], currency)
    both = np.where(missing["alt_orders"].notna(), np.char.add(np.char.add(first, " | "), second), first)
    text = np.char.add(both, np.char.add("; by ", missing["deadline"].astype(str).to_numpy(dtype=str)))
    return pd.Series(text.astype(object), index=missing.index).where(missing["orders_missing"].notna(), None)


def _way(orders: pd.Series, spend: pd.Series, currency: str) -> np.ndarray:
    told = np.char.mod("orders +%.0f", orders.fillna(0).to_numpy(dtype=float))
    money = np.char.mod(f"; {currency} +%.2f", spend.fillna(0).to_numpy(dtype=float))
    return np.where(spend.to_numpy(dtype=float, na_value=0) > 0, np.char.add(told, money), told)


def value_thirds(clv: pd.Series) -> list[float] | None:
    """The cut points of `value_tier`: thirds of the customers with a value; None where fewer than three values differ."""
    known = clv.dropna()
    return quantile_cuts(known, 3) if known.nunique() >= 3 else None


def value_tier(clv: pd.Series, thirds: list[float] | None) -> pd.Series:
    """Thirds of expected value by value: high, middle, low; equal values share a third; null without a value."""
    if thirds is None:
        return pd.Series(None, index=clv.index, dtype=object)
    low, high = thirds
    names = np.select([clv > high, clv > low], ["high", "middle"], "low")
    return pd.Series(names, index=clv.index, dtype=object).where(clv.notna(), None)


def dates(days: pd.Series) -> pd.Series:
    """Day numbers as dates."""
    return pd.to_datetime(pd.Timestamp(EPOCH) + pd.to_timedelta(days.astype("int64"), unit="D")).dt.date


def assemble(parts: pd.DataFrame) -> pd.DataFrame:
    """The book's columns in their order, sorted by customer_id; tier ``outside`` where there was no order in the window."""
    book = parts.assign(
        first_order=dates(parts["first_day"]),
        last_order=dates(parts["last_day"]),
        orders=parts["orders"].astype("int64"),
        tier=parts["tier"].astype(object).fillna(OUTSIDE),
        segment=parts["segment"].astype(object),
        stage=parts["stage"].astype(object),
    )
    return book[COLUMNS].sort_values("customer_id", kind="stable").reset_index(drop=True)
