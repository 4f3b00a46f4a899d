"""What was read and what was left out of it: the exclusions of the params, with their money."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from tierbook import accounting

if TYPE_CHECKING:
    from tierbook.workbook import Workbook


def excluded(month: Workbook) -> pd.DataFrame:
    """Every value that the params exclude: column, value, rows, amount, customers; 0 where nothing had it.

    In the order of the params; the rows and the amounts sum to the reason ``excluded`` of the accounting.
    """
    found = month.tables.collect(lambda _, lines: accounting.excluded(lines), "transactions")
    rules = month.tables.specs["transactions"].exclude
    named = [(column, value) for column, values in rules.items() for value in values]
    listed = pd.DataFrame(named, columns=["column", "value"], dtype="str").drop_duplicates(ignore_index=True)
    listed = listed.merge(found.astype({"column": "str", "value": "str"}), on=["column", "value"], how="left")
    return listed.fillna({"rows": 0, "amount": 0.0, "customers": 0}).astype({"rows": "int64", "customers": "int64"})
