"""The Tableau extract, read back by value; and the refusal where the extra is not installed."""

import datetime as dt
import importlib.util
from types import SimpleNamespace

import pandas as pd
import pytest

from tierbook import params
from tierbook.errors import ParamsError
from tierbook.report import tableau


def month(asked=True):
    """Three customers, every kind of column the book has, nulls among them."""
    book = pd.DataFrame(
        {
            "customer_id": ["001", "=cmd()", "110101199003071234"],
            "first_order": [dt.date(2026, 1, 31), dt.date(2025, 2, 28), dt.date(2024, 2, 29)],
            "orders": pd.array([3, 1, 2], dtype="int64"),
            "monetary": [12.34, None, -0.5],
            "r": pd.array([5, None, 1], dtype="Int8"),
            "tier": ["high", "outside", "低价值"],
            "alert": [True, False, False],
            "owner": [None, None, None],
        }
    )
    return SimpleNamespace(params=tree(asked), size=len(book), book=lambda: book)


def tree(asked):
    source = {"transactions": {"preset": "demo"}}
    return params.parse({"report": {"name": "x", "tableau": asked}, "as_of": "2026-10-31", "source": source})


def test_the_extract_holds_the_book_by_value(tmp_path, monkeypatch):
    pantab = pytest.importorskip("pantab", reason="the extra tableau (pantab) is not installed")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tables").mkdir()
    tableau.write_tableau(month(), tmp_path / "tables")
    path = tmp_path / "tables" / "customers.hyper"
    read = pantab.frame_from_hyper(path, table="customers", return_type="pyarrow")
    types = {field.name: str(field.type) for field in read.schema}
    assert types["first_order"].startswith("date32") and types["monetary"] == "double" and types["alert"] == "bool"
    assert types["orders"].startswith("int") and types["r"].startswith("int")
    found = sorted(read.to_pylist(), key=lambda row: row["customer_id"])
    assert found == sorted(
        [
            {"customer_id": "001", "first_order": dt.date(2026, 1, 31), "orders": 3, "monetary": 12.34, "r": 5, "tier": "high", "alert": True, "owner": None},
            {"customer_id": "=cmd()", "first_order": dt.date(2025, 2, 28), "orders": 1, "monetary": None, "r": None, "tier": "outside", "alert": False, "owner": None},
            {"customer_id": "110101199003071234", "first_order": dt.date(2024, 2, 29), "orders": 2, "monetary": -0.5, "r": 1, "tier": "低价值", "alert": False, "owner": None},
        ],
        key=lambda row: row["customer_id"],
    )  # fmt: skip
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["customers.hyper"], "no log is left"


def test_nothing_is_written_where_it_is_not_asked_for(tmp_path):
    tableau.write_tableau(month(asked=False), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_it_is_refused_in_one_line_before_anything_runs(monkeypatch):
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pantab" else known(name))
    with pytest.raises(ParamsError, match=r"pip install 'tierbook\[tableau\]'") as refused:
        tableau.check_extras(tree(True))
    assert "\n" not in str(refused.value)
    tableau.check_extras(tree(False))
