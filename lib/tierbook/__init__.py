"""Tierbook: a customer-tiering workbook (客户分层). Orders in, a dated report out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tierbook.workbook import Workbook

__version__ = "0.1.0"


def open(names: dict[str, Any], otherwise: str | None = None) -> Workbook:
    """The workbook of one month, from a notebook's ``globals()``.

    The notebook's ``parameters`` cell lists every top-level key of the params tree as ``None``; papermill or the
    analyst sets them. All ``None`` means the params file ``otherwise``, the case study's own; without it the one that
    ``make lab PARAMS=…`` named in ``TIERBOOK_PARAMS``, else the demo.
    """
    import os

    from tierbook.params import from_notebook
    from tierbook.workbook import Workbook

    return Workbook(from_notebook(names, otherwise or os.environ.get("TIERBOOK_PARAMS") or "params/demo.yaml"))
