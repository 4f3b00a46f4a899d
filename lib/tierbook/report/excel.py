"""The Excel workbook: this month's sheets in each language, with real dates and numbers and a note on every column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from tierbook.report.excel_cells import cells, number_format, on_paper, width, write_header
from tierbook.report.excel_pages import note, pointer, title, write_notes, write_summary
from tierbook.report.lists import MOST_ROWS, Listing, headings, in_words, listings
from tierbook.show.words import Words
from tierbook.workbook import Workbook

OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def write_excel(month: Workbook, folder: Path) -> None:
    """``customers.xlsx`` in the report's first language, ``customers.<language>.xlsx`` in each further one.

    Sheets: summary, tiers, upgrade candidates, alerts and actions by owner (of these three only who is to be contacted,
    see `lists.listings`), customers, notes. A sheet carries at most `MOST_ROWS` rows, of customers those with the highest
    net sales; the summary and its last line then say how many there are, and which file has them all. Text that a
    spreadsheet would take for a formula gets an apostrophe, as in the CSV files; text beyond the 32,767 characters of a cell is cut. The same month gives the same file.
    """
    for place, language in enumerate(month.params.report.languages):
        name = "customers.xlsx" if place == 0 else f"customers.{language}.xlsx"
        _write(month, month.words(language), folder / name)


def _write(month: Workbook, words: Words, path: Path) -> None:
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    made = listings(month, words.language)
    try:
        with xlsxwriter.Workbook(path, OPTIONS) as book:
            # The date of creation is the month's, so that nothing in the file depends on when it was made.
            book.set_properties({"created": pd.Timestamp(month.as_of).to_pydatetime(), "title": title(month, words)})
            write_summary(book, month, words, made)
            for listing in made:
                _write_sheet(book, listing, words, month.params.currency)
            write_notes(book, words, made)
    except FileCreateError as failure:
        raise failure.args[0] from None  # the OSError within


def _write_sheet(book: Any, listing: Listing, words: Words, currency: str) -> None:
    from xlsxwriter.utility import xl_col_to_name

    sheet = book.add_worksheet(words.term("sheet", listing.name))
    first, heads = listing.frame.head(MOST_ROWS), headings(listing.frame.columns, words)
    shown = cells(in_words(first, words, currency))
    for n, column in enumerate(first.columns):
        shape = number_format(first[column])
        sheet.set_column(n, n, width(shown[column], heads[n], shape), book.add_format({"num_format": shape}))
    write_header(book, sheet, heads, [note(listing, column, words.language) for column in first.columns])
    for n, row in enumerate(zip(*(shown[column] for column in first.columns), strict=True), start=1):
        sheet.write_row(n, 0, row)
    sheet.freeze_panes(1, 1)
    on_paper(sheet)
    sheet.repeat_rows(0)
    sheet.autofilter(0, 0, len(shown), len(heads) - 1)
    if len(shown):
        # an id of digits is text on purpose; Excel would mark every one of them with a green corner
        sheet.ignore_errors({"number_stored_as_text": f"A2:{xl_col_to_name(len(heads) - 1)}{len(shown) + 1}"})
    if listing.rows > len(shown):
        sheet.write_string(len(shown) + 1, 0, pointer(words, listing))
