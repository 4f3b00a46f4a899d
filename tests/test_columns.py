"""Every column of every table that is written has a definition, and the docs say the same."""

from pathlib import Path

import pandas as pd
import pytest

from tierbook import book, columns
from tierbook.report import handoffs

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs" / "definitions.md"


@pytest.fixture(scope="module")
def written(demo_month) -> dict[str, pd.DataFrame]:
    """Every table of the demo's report, which has all the input tables but a trial."""
    return dict(handoffs.tables(demo_month))


def test_every_column_of_the_book_is_defined():
    assert list(columns.BOOK) == book.COLUMNS


def test_every_column_told_of_a_table_stands_in_it(written):
    for files, told in columns.TABLES.items():
        names = [name.removesuffix(".csv") for name in files.split(" · ") if name.endswith(".csv")]
        there = set().union(*(written[name].columns for name in names)) if names else set()
        if "scale.yaml" not in files:
            assert set(told) <= there, files


def test_every_table_that_is_written_is_told_column_by_column(written):
    others = {name: frame for name, frame in written.items() if name != "customers"}
    missing = {name: columns.undefined(name, frame.columns) for name, frame in others.items()}
    assert {name: found for name, found in missing.items() if found} == {}


def test_what_is_told_of_every_table_is_needed(written):
    there = set().union(*(frame.columns for frame in written.values()))
    assert set(columns.EVERYWHERE) <= there and not set(columns.EVERYWHERE) & set(columns.BOOK)


def test_a_column_or_a_table_without_a_definition_is_named():
    assert columns.undefined("affinity", ["have", "tier", "n", "lifft"]) == ["lifft"]
    assert columns.undefined("nowhere", ["customers"]) == ["customers"]


def test_the_docs_are_made_from_the_registry():
    assert DOCS.read_text(encoding="utf-8") == columns.definitions()
