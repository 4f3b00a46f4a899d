"""What fitting the cut points anew every month does to tiers, beside a scale frozen at the start."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd

from tierbook.accounting import day_date
from tierbook.insight.sensitivity import tiers_of
from tierbook.params import Rfm
from tierbook.scores.maps import Scheme
from tierbook.scores.rfm import fit_scale, in_measures

COLUMNS = ["end", "customers", "moved_frozen", "moved_refit", "by_refit", "otherwise"]


def refits(windows: pd.DataFrame, rules: Rfm, scheme: Scheme) -> pd.DataFrame:
    """Moves between tiers month by month on a scale frozen at the first date, and on one fitted anew at every date.

    ``windows``: the `history.windows` frame at several dates, with an order in the window of the first; ``scheme``: of
    r, f and m alone, on the scale's scores. Columns, a row for every date but the first: end (date); customers with a
    tier at it and at the date before; moved_frozen and moved_refit, of these in another tier than then; by_refit, of
    those moved by the refit, who stand where they stood on the frozen scale; otherwise, who stands at this date in
    another tier than on the frozen scale. Counts.
    """
    by_end = {end: rows.reset_index(drop=True) for end, rows in windows.groupby("end")}
    measures = {end: in_measures(rows, rules) for end, rows in by_end.items()}
    first = min(by_end)
    scale = fit_scale(measures[first].dropna(), rules, day_date(first))
    frozen = {end: _tiers(rows, scheme.apply(scale.apply(measures[end]))) for end, rows in by_end.items()}
    refit = {end: tiers_of(rows, rules, scheme).dropna() for end, rows in by_end.items()}
    rows = [_month(day_date(now), frozen[then], frozen[now], refit[then], refit[now]) for then, now in pairwise(by_end)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _tiers(rows: pd.DataFrame, names: pd.Series) -> pd.Series:
    return names.astype(object).set_axis(rows["customer_id"]).dropna()


def _month(end, frozen_then: pd.Series, frozen_now: pd.Series, refit_then: pd.Series, refit_now: pd.Series) -> tuple:
    both = frozen_now.index.intersection(frozen_then.index)
    moved = frozen_then.reindex(both) != frozen_now.reindex(both)
    moved_refit = refit_then.reindex(both) != refit_now.reindex(both)
    otherwise = frozen_now.reindex(both) != refit_now.reindex(both)
    return (
        end,
        len(both),
        int(moved.sum()),
        int(moved_refit.sum()),
        int((moved_refit & ~moved).sum()),
        int(otherwise.sum()),
    )
