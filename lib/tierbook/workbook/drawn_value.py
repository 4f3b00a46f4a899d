"""What the page of expected value draws and tells of customers: sums, counts per bin, and the few rows that it lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from tierbook.insight import concentration, forecast, value_spread, worth
from tierbook.scores.maps import OUTSIDE
from tierbook.workbook.top_rows import top_rows

if TYPE_CHECKING:
    from tierbook.workbook import Workbook
    from tierbook.workbook.customers import Customers

BEST, BELIED = 15, 10
"""Rows listed: of the highest expected value, and of those whose value belies their tier."""
RECENT = "recent_money"
"""The step that holds the last days' money of every customer."""
_BEST = ["customer_id", "tier", "stage", "p_alive", "expected_orders", "orders_low", "orders_high"]
_BEST += ["clv", "clv_low", "clv_high"]
_BELIED = ["customer_id", "tier", "monetary", "recency_days", "p_alive", "expected_orders", "clv"]


def held(month: Workbook) -> dict[str, Any]:
    """Who holds the expected value.

    ``totals`` (`forecast.totals`, with ``hundredth``, the share of the best hundredth of customers, null under ten of
    them), ``tops`` (`concentration.top_shares`), ``spread_bins``, ``spread_examples``, ``middle`` and ``mean``
    (`value_spread.spread`), ``tiers`` (`forecast.by_tier`), ``without`` (customers by the reason for no value), ``best``
    (the rows of the highest value), ``grid`` (`forecast.by_recency_frequency`, its bands of silence in the column
    ``silent``), ``faults``: customers of whom the forecast says what cannot be.
    """
    expected = month.forecast(["clv", "expected_orders"])
    tops, totals = concentration.top_shares(expected["clv"]), forecast.totals(expected)
    hundredth = tops.loc[tops["top"] == 0.01, "revenue_share"].iloc[0]
    totals["hundredth"] = float(hundredth) if pd.notna(hundredth) else None
    spread = value_spread.spread(*(column for _, column in month.forecast(["clv", "clv_low", "clv_high"]).items()))
    notes = month.forecast(["value_note"])["value_note"].dropna().value_counts()
    return {
        "totals": totals,
        "tops": tops,
        **{f"spread_{name}" if name in ("bins", "examples") else name: found for name, found in spread.items()},
        "tiers": forecast.by_tier(month.book(["tier", "clv"]), [*month.tier_scheme.order, OUTSIDE]),
        "without": notes.rename_axis("value_note").reset_index(name="customers"),
        "best": top_rows(month, "book", "clv", BEST, _BEST).dropna(subset="clv"),
        "grid": _grid(month),
        "faults": _faults(month),
    }


def spread_of(found: dict[str, Any]) -> dict[str, Any]:
    """The spread in what `held` gave, to draw."""
    return {
        "bins": found["spread_bins"],
        "examples": found["spread_examples"],
        **{n: found[n] for n in ("middle", "mean")},
    }


def _grid(month: Workbook) -> pd.DataFrame:
    history = month.history(columns=["recency_days", "active_days"])
    expected = month.forecast(["expected_orders"])["expected_orders"]
    grid = forecast.by_recency_frequency(history, expected)
    return grid.rename_axis(index="silent", columns=None).reset_index()


def _faults(month: Workbook) -> dict[str, int]:
    """Customers of whom the forecast says what cannot be."""
    found = month.forecast(["p_alive", "orders_low", "orders_high"])
    alive = found["p_alive"].dropna()
    return {
        "p_alive": int((~alive.between(0, 1)).sum()),
        "orders_range": int((found["orders_low"] > found["orders_high"]).sum()),
    }


def belied(month: Workbook) -> dict[str, Any]:
    """Expected value beside tier and stage.

    ``thirds`` (`worth.thirds`), ``looks`` (`worth.belied`), ``more`` and ``less``: the first rows of whom it counts;
    ``valued``: customers with a value tier.
    """
    order = month.tier_scheme.order
    counts, looks, valued = zip(*month.by_part(_belied), strict=True)
    thirds = pd.concat(counts, ignore_index=True).groupby(["tier", "stage", "value_tier"])[["customers", "clv"]].sum()
    lists = {
        name: top_rows(month, "book", by, BELIED, _BELIED, holds) for name, (holds, by) in worth.looks(order).items()
    }
    looks = pd.concat(looks, ignore_index=True).groupby("looks").sum().reset_index()
    return {"thirds": thirds.reset_index(), "looks": looks, **lists, "valued": sum(valued)}


def _belied(part: Customers) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    book = part.book(["tier", "stage", "value_tier", "clv", "monetary"])
    return worth.thirds(book), worth.belied(book, part.whole.tier_scheme.order), int(book["value_tier"].notna().sum())


def recent_beside_expected(month: Workbook) -> pd.DataFrame:
    """The last ninety days' money, and that of as many months as the forecast, beside the months expected, by tier."""
    months = month.params.value.horizon_months
    month.tables.keep(
        RECENT, lambda _, days: worth.recent_money(days, month.as_of, months), "days", order=["customer_id"]
    )
    sums = pd.concat(month.by_part(_brought), ignore_index=True)
    return worth.recent_beside_expected(sums, month.tier_scheme.order)


def _brought(part: Customers) -> pd.DataFrame:
    return worth.brought(part.book(worth.SET_BESIDE), part.read(RECENT), part.whole.margin_rate)
