"""The first rows of a kept frame, found by the engine: nothing else of it comes into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw
import pandas as pd

if TYPE_CHECKING:
    from tierbook.workbook import Workbook


def top_rows(
    month: Workbook, step: str, by: str, rows: int, columns: list[str], where: nw.Expr | None = None
) -> pd.DataFrame:
    """So many rows of a kept step with the most in ``by`` (nulls last), then by customer_id.

    ``columns``: those wanted; ``where``: a condition on the rows.
    """
    with month.tables.reader() as engine:
        found = month.tables.scan_step(engine, step)
        found = found if where is None else found.filter(where)
        found = found.select(*dict.fromkeys([*columns, by, "customer_id"]))
        found = engine.collect(found.sort(by, "customer_id", descending=[True, False], nulls_last=True).head(rows))
    # what an engine gives is in no order that it promises
    return found.sort_values([by, "customer_id"], ascending=[False, True], ignore_index=True)[columns]
