"""Every column of the book has a definition, and the docs say the same."""

from pathlib import Path

from tierbook import book, columns, params
from tierbook.report import handoffs
from tierbook.workbook import Workbook

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs" / "definitions.md"


def test_every_column_of_the_book_is_defined():
    assert list(columns.BOOK) == book.COLUMNS


def test_every_column_told_of_a_table_stands_in_it(tmp_path):
    month = Workbook(params.load(ROOT / "params" / "demo.yaml"), tmp_path)
    written = handoffs.tables(month)
    for files, told in columns.TABLES.items():
        names = [name.removesuffix(".csv") for name in files.split(" · ") if name.endswith(".csv")]
        there = set().union(*(written[name].columns for name in names)) if names else set()
        if "scale.yaml" not in files:
            assert set(told) <= there, files


def test_the_docs_are_made_from_the_registry():
    assert DOCS.read_text(encoding="utf-8") == columns.definitions()
