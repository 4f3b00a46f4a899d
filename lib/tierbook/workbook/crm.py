"""Beside the CRM's own label: our tiers and segments of the same customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from tierbook.insight import reconciliation

if TYPE_CHECKING:
    from tierbook.workbook import Workbook


def reconcile(month: Workbook) -> pd.DataFrame:
    """Customers by our name and the CRM's label; empty where the customers table has no crm_segment."""
    people = month.table("customers", ["customer_id", "crm_segment"])
    if people is None:
        return pd.DataFrame(columns=reconciliation.COLUMNS)
    languages = [month.words(language) for language in ("en", "zh")]
    names = {code: [words.term("segment", code) for words in languages] for code in month.segment_map.order}
    return reconciliation.reconcile(month.book(["customer_id", "tier", "segment"]), people, names)
