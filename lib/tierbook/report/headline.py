"""The one sentence that the archive says of a month, and the main measures that it draws."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tierbook.insight import tier_path
from tierbook.insight.campaign import headline as spokesmen
from tierbook.insight.groups import SMALL
from tierbook.show import verdict_line
from tierbook.workbook import Workbook

MAIN = ("net_sales", "high_value_customers", "repeat_rate", "nps")
"""Measures that the archive draws: those of the first screen's outcome triangle."""


def headline(month: Workbook, language: str) -> str:
    """The month's verdict in one sentence of a language; plain text.

    On orders: net sales, the falls from the best tier, what the latest action did. A trial alone: its verdicts.
    """
    words = month.words(language)
    if not month.on_orders:
        effects = month.campaigns()["effects"]
        judged = [spokesmen(rows) for _, rows in effects.groupby("campaign")]
        return verdict_line.of_trial(words, pd.concat(judged, ignore_index=True) if judged else effects)
    best = month.tier_scheme.order[0]
    falls = month.falls()
    usual = tier_path.usual_falls(falls)
    return verdict_line.of_orders(words, month.scorecard(), (best, falls.iloc[-1], usual), month.loop()["ledger"])


def measures(month: Workbook) -> list[dict[str, Any]]:
    """The main measures: measure, value, unit, n, previous, year_ago, target, and ``path``, oldest month first.

    ``path`` holds month (YYYY-MM, of the day up to which it is counted) and value. Shares and points that stand on
    fewer than 10 customers or answers are null. A trial alone has none.
    """
    if not month.on_orders:
        return []
    card, by_month = month.scorecard().set_index("measure"), month.measures_by_month()
    return [
        _measure(month, card.loc[name], by_month[by_month["measure"] == name]) for name in MAIN if name in card.index
    ]


def _measure(month: Workbook, row: pd.Series, path: pd.DataFrame) -> dict[str, Any]:
    of = row["unit"] in ("share", "points")
    values = path["value"].astype(float).mask(of & (path["n"] < SMALL))
    by_ago = dict(zip(path["months_ago"], values, strict=True))
    told = {name: _number(row[name]) for name in ("n", "previous", "year_ago", "target")}
    return {
        "measure": str(row.name),
        "value": _number(by_ago.get(0)),
        "unit": row["unit"],
        **told,
        "path": [
            {"month": f"{month.dates[ago]:%Y-%m}", "value": _number(by_ago[ago])}
            for ago in sorted(by_ago, reverse=True)
        ],
    }


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
