"""The book as a Tableau extract: tables/customers.hyper, with real dates and numbers."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from tierbook.errors import ParamsError
from tierbook.params import Params
from tierbook.report.handoffs import as_arrow, pieces
from tierbook.workbook import Workbook

TABLE = "customers"


def check_extras(params: Params) -> None:
    """What the params ask for must be installed, and be told before anything is computed.

    Raises
    ------
    ParamsError
        Where ``report.tableau`` is true and the extra ``tableau`` (pantab) is not installed.
    """
    if params.report.tableau and importlib.util.find_spec("pantab") is None:
        raise ParamsError(
            "report.tableau needs the package pantab, which is not installed: pip install 'tierbook[tableau]', "
            "or set tableau: false"
        )


def write_tableau(month: Workbook, folder: Path) -> None:
    """``customers.hyper`` with the one table ``customers``: the columns and codes of customers.parquet, nulls as nulls.

    Written only where ``report.tableau`` asks for it. Rows have no order in an extract.
    """
    if not month.params.report.tableau:
        return
    check_extras(month.params)
    import pantab

    pantab.frame_to_hyper(as_arrow(pieces(month, "book")), folder / f"{TABLE}.hyper", table=TABLE)
