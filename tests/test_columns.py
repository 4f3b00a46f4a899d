"""Every column of the book has a definition, and the docs say the same."""

from pathlib import Path

from tierbook import book, columns

DOCS = Path(__file__).resolve().parents[1] / "docs" / "definitions.md"


def test_every_column_of_the_book_is_defined():
    assert list(columns.BOOK) == book.COLUMNS


def test_the_docs_are_made_from_the_registry():
    assert DOCS.read_text(encoding="utf-8") == columns.definitions()
