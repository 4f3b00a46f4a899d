"""Cells of Excel: values, number formats, widths and headers."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from tierbook.report.handoffs import harmless
from tierbook.report.lists import FORMATS

LONGEST = 32_767
"""UTF-16 units that a cell of Excel holds."""
NARROWEST, WIDEST = 8, 46
SAMPLED = 500
DAY_ZERO = pd.Timestamp("1899-12-30")
"""Day 0 of Excel's dates, which are numbers with a format."""
TEXT, DATE, COUNT, MONEY = "@", "yyyy-mm-dd", "#,##0", "#,##0.00"


def write_header(book: Any, sheet: Any, heads: list[str], told: list[str]) -> None:
    """The first row: column names, each with what the column says as a comment (none where empty)."""
    style = book.add_format({"bold": True, "bottom": 1, "bg_color": "#E8EDF2", "text_wrap": True, "valign": "top"})
    sheet.set_row(0, 32)  # two lines, as `width` lets a head wrap once
    for n, (head, comment) in enumerate(zip(heads, told, strict=True)):
        sheet.write_string(0, n, head, style)
        if comment:
            lines = 2 + _columns_wide(comment) // 38
            sheet.write_comment(0, n, comment, {"author": "Tierbook", "width": 260, "height": 17 * lines})


def on_paper(sheet: Any) -> None:
    """All columns beside each other on a sheet of paper laid across."""
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)


def cells(frame: pd.DataFrame) -> pd.DataFrame:
    """What goes into the cells: numbers, Excel's day numbers, harmless text of a length that fits, None for null."""
    shown = harmless(frame)
    return pd.DataFrame({column: _cells(values) for column, values in shown.items()}, shown.index, dtype=object)


def _cells(values: pd.Series) -> np.ndarray:
    if _is_date(values):
        values = (pd.to_datetime(values) - DAY_ZERO) / pd.Timedelta(days=1)
    empty = (values.isna() | values.isin([np.inf, -np.inf])).to_numpy(dtype=bool)
    plain = values.astype(object).to_numpy(copy=True)
    plain[empty] = None
    return plain if types.is_numeric_dtype(values) else np.array([*map(_fitting, plain), None], dtype=object)[:-1]


def _fitting(value: Any) -> Any:
    if not isinstance(value, str) or len(value) <= LONGEST // 2:
        return value
    units = value.encode("utf-16-le", "replace")
    return value if len(units) <= 2 * LONGEST else units[: 2 * (LONGEST - 1)].decode("utf-16-le", "ignore") + "…"


def _is_date(values: pd.Series) -> bool:
    return types.is_datetime64_any_dtype(values) or types.infer_dtype(values, skipna=True) == "date"


def number_format(values: pd.Series) -> str:
    """The format of a column by its name and type."""
    kind, _, digits = FORMATS.get(str(values.name), "").partition(".")
    if _is_date(values):
        return DATE
    if not types.is_numeric_dtype(values) or types.is_bool_dtype(values):
        return TEXT
    decimals = "." + "0" * int(digits or 0) if digits else ""
    shapes = {"percent": f"0{decimals}%", "money": MONEY, "chance": "0.000", "number": f"#,##0{decimals}"}
    return shapes.get(kind, COUNT if types.is_integer_dtype(values) else MONEY)


def width(values: pd.Series, head: str, shape: str) -> float:
    """Columns of the screen that a column's first rows and its head need; a Chinese character takes two."""
    shown = {DATE: 10, MONEY: 13}.get(shape, 0)
    if shape == TEXT:
        shown = max((_columns_wide(text) for text in values.head(SAMPLED) if text is not None), default=0)
    # a head may wrap once, and has the filter's button beside it
    return min(max(shown + 1, _columns_wide(head) / 2 + 4, NARROWEST), WIDEST)


def _columns_wide(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
