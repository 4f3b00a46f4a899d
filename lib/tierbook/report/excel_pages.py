"""The two pages of the Excel workbook that are no list: the summary of the month, and the notes on every column."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd
import yaml

import tierbook
from tierbook import columns
from tierbook.report.excel_cells import COUNT, DATE, DAY_ZERO, MONEY, TEXT, on_paper, write_header
from tierbook.report.lists import MOST_IN_CSV, MOST_ROWS, Listing, headings
from tierbook.show import gates as gates_in_words
from tierbook.show.tables import MEASURED
from tierbook.show.words import N_, Words
from tierbook.workbook import Workbook

SCORED = ["chapter", "measure", "value", "previous", "year_ago", "target", "change", "low", "high", "n"]
SHAPES = {"share": "0.0%", "money": MONEY, "points": "#,##0.0", "ratio": MONEY, "days": "#,##0.0"}


def title(month: Workbook, words: Words) -> str:
    """The report's title in a language, else in the first given."""
    given = month.params.report.title
    return given.get(words.language) or next(iter(given.values()))


def write_summary(book: Any, month: Workbook, words: Words, made: list[Listing]) -> None:
    """What month, on what data, made how; what the other sheets hold; the scorecard."""
    sheet = book.add_worksheet(words.term("sheet", "summary"))
    bold, plain = book.add_format({"bold": True, "valign": "top"}), book.add_format({"valign": "top"})
    sheet.set_column(0, 1, 30, plain)
    sheet.set_column(2, len(SCORED) - 1, 14, plain)
    sheet.write_string(0, 0, title(month, words), book.add_format({"bold": True, "font_size": 15}))
    row = 2
    for label, value, number_format in [*_facts(month, words), *_contents(words, made)]:
        sheet.write_string(row, 0, label, bold)
        sheet.write(row, 1, value, book.add_format({"num_format": number_format, "align": "left", "valign": "top"}))
        row += 1
    sheet.write_string(row + 1, 0, words.text("Scorecard"), book.add_format({"bold": True, "font_size": 12}))
    _scorecard(book, sheet, row + 2, month.scorecard(), words)
    sheet.hide_gridlines(2)
    on_paper(sheet)


def _facts(month: Workbook, words: Words) -> list[tuple[str, Any, str]]:
    """Label, value and number format of what the first screen says of the month and its data."""
    rows = month.accounting().query("table == 'transactions'")
    kept = rows["reason"] == "kept"
    missed = month.gates().query("result != 'pass'")
    found = [
        (N_("Month"), words.month(month.as_of), TEXT),
        (N_("Data as of"), (pd.Timestamp(month.as_of) - DAY_ZERO).days, DATE),
        (N_("Currency"), month.params.currency, TEXT),
        (N_("Order lines read"), int(rows["rows"].sum()), COUNT),
        (N_("Order lines counted"), int(rows.loc[kept, "rows"].sum()), COUNT),
        (N_("Net sales counted"), float(rows.loc[kept, "amount"].sum()), MONEY),
        (N_("Order lines set aside"), int(rows.loc[~kept, "rows"].sum()), COUNT),
        (N_("Amount set aside"), float(rows.loc[~kept, "amount"].sum()), MONEY),
        (N_("Customers"), month.size, COUNT),
        (N_("May the data be believed?"), words.text("The data can be used.") if missed.empty else words.text("Read with care."), TEXT),
        *(("", gates_in_words.sentence(words, gate), TEXT) for gate in missed.itertuples()),
        (N_("Money on these sheets"), _kind_of_money(month, words), TEXT),
        (N_("Made by"), f"tierbook {tierbook.__version__}", TEXT),
        (N_("Fingerprint"), month.tables.cache.folder.name.removeprefix("step-"), TEXT),
    ]  # fmt: skip
    simulated = [words.term("table", table) for table in month.tables.specs if month.simulated(table)]
    if simulated:
        found.append((N_("Simulated, no real data"), words.list(simulated), TEXT))
    return [(words.text(label) if label else "", value, number_format) for label, value, number_format in found]


def _kind_of_money(month: Workbook, words: Words) -> str:
    if month.margin_rate is None:
        return words.text("Margin unknown: money is net sales, not profit.")
    return words.text("Margin on net sales: {rate:percent.1}.", rate=month.margin_rate)


def _contents(words: Words, made: list[Listing]) -> list[tuple[str, str, str]]:
    return [(words.term("sheet", listing.name), _content(words, listing), TEXT) for listing in made]


def _content(words: Words, listing: Listing) -> str:
    told = words.text("{n:number|row|rows}", n=listing.rows)
    if listing.rows > MOST_ROWS:
        told = pointer(words, listing).rstrip(".。")
    if listing.name == "customers" and listing.rows > MOST_IN_CSV:
        file = f"excel/{listing.file}"
        first = words.text("{file} has the first {n:number}, as many as Excel opens", file=file, n=MOST_IN_CSV)
        told = words.text("{told:text}; {out:text}", told=told, out=first)
    if not listing.left_out:
        return told
    out = words.text(
        "left out: {n:number|customer who is|customers who are} not to be contacted or in a control group",
        n=listing.left_out,
    )
    return words.text("{told:text}; {out:text}", told=told, out=out)


def _scorecard(book: Any, sheet: Any, top: int, card: pd.DataFrame, words: Words) -> None:
    """The scorecard from row ``top`` on; every row's numbers in the measure's own unit."""
    head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#E8EDF2"})
    sheet.write_row(top, 0, [words.term("column", column) for column in SCORED], head)
    for n, row in enumerate(card.to_dict("records"), start=top + 1):
        sheet.write_row(n, 0, [words.term("chapter", row["chapter"]), words.term("measure", row["measure"])])
        for place, column in enumerate(SCORED[2:], start=2):
            if pd.notna(row[column]):
                value, shape = _scored(row, column, words)
                sheet.write_number(n, place, value, book.add_format({"num_format": shape}))


def _scored(row: dict, column: str, words: Words) -> tuple[float, str]:
    """Value and number format; the change of a share is in percentage points."""
    if column == "change" and row["unit"] == "share":
        unit = " 个百分点" if words.language == "zh" else " pp"
        return 100 * row[column], f'+0.0"{unit}";-0.0"{unit}";0.0"{unit}"'
    if column == "change":
        return row[column], "+0.0;-0.0;0.0" if row["unit"] == "points" else "+0.0%;-0.0%;0.0%"
    return row[column], SHAPES.get(row["unit"], COUNT) if column in MEASURED else COUNT


def write_notes(book: Any, words: Words, made: list[Listing]) -> None:
    """Every column of every sheet: what it says."""
    sheet = book.add_worksheet(words.term("sheet", "notes"))
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for place, size in enumerate((20, 30, 110)):
        sheet.set_column(place, place, size, wrapped)
    heads = [words.text("Sheet"), words.text("Column"), words.text("What it says")]
    write_header(book, sheet, heads, ["", "", ""])
    row = 1
    for listing in made:
        for column, head in zip(listing.frame.columns, headings(listing.frame.columns, words), strict=True):
            sheet.write_row(row, 0, [words.term("sheet", listing.name), head, note(listing, column, words.language)])
            row += 1
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, row - 1, 2)


def note(listing: Listing, column: str, language: str) -> str:
    """What a column says: in English the definition of `tierbook.columns`, in Chinese a shorter one beside this module."""
    if language == "zh":
        notes = _chinese()
        return {**notes["customers"], **notes.get(listing.name, {})}.get(column, "")
    tables = (told for name, told in columns.TABLES.items() if listing.file in name.split(" · "))
    defined = {**columns.BOOK, **next(tables, {})}.get(column)
    if defined is None:
        return ""
    empty = f" Empty: {defined.null}." if defined.null else ""
    return f"{defined.definition} Unit: {defined.unit}.{empty}".replace("`", "")


@cache
def _chinese() -> dict[str, dict[str, str]]:
    text = files("tierbook.report").joinpath("column_notes.zh.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def pointer(words: Words, listing: Listing) -> str:
    """How many rows a capped sheet shows, and which file has them all."""
    return words.text(
        "{shown:number} of {total:number} rows shown; all of them are in {file}.",
        shown=min(MOST_ROWS, listing.rows), total=listing.rows, file=f"tables/{listing.file}",
    )  # fmt: skip
