"""Tiers of a month under rules other than the report's: how much they depend on the window and the scores."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import pandas as pd

from tierbook.insight import sensitivity
from tierbook.scores.rfm import MEASURED
from tierbook.workbook import people
from tierbook.workbook.tiers import with_traits

if TYPE_CHECKING:
    from tierbook.workbook import Workbook
    from tierbook.workbook.customers import Customers


def tiers_under_other_rules(month: Workbook) -> pd.DataFrame:
    """How much the tiers depend on the window and the scores (`insight.sensitivity`).

    Nothing where customers are too few: the tiers then stand on fixed thresholds, and the variants would fit quantiles.
    """
    rules, scheme = month.params.rfm, month.tier_scheme
    if month.degraded("min_customers"):
        return sensitivity.sensitivity([])

    def distinct(length: int) -> pd.DataFrame:
        return people.distinct_windows(month, month.as_of, length)

    half_and_double = [max(rules.window_days // 2, 1), 2 * rules.window_days]
    base = sensitivity.fitted(distinct(rules.window_days), rules.window_days, rules, scheme)
    others = sensitivity.variants(distinct, half_and_double, rules, scheme)
    return sensitivity.sensitivity(chain.from_iterable(month.by_part(partial(_beside, base, others))))


def _beside(
    base: sensitivity.OtherRules, others: dict[str, sensitivity.OtherRules], part: Customers
) -> list[tuple[str, dict[str, int]]]:
    def tiers(rules: sensitivity.OtherRules) -> pd.Series:
        window = part.window(window_days=rules.window_days, columns=["customer_id", *MEASURED])
        return rules.tiers(with_traits(part, window, part.whole.as_of))

    own, best = tiers(base), part.whole.tier_scheme.order[0]
    return [(code, sensitivity.beside(own, tiers(rules), best)) for code, rules in others.items()]
