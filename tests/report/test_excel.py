"""customers.xlsx read back by another library: values, dates, formats, notes, whom the lists leave out, hostile text."""

import datetime as dt
import re
import zipfile
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook
from xlsxwriter.utility import xl_col_to_name

from tierbook import params
from tierbook.report import excel, excel_cells, excel_pages, lists
from tierbook.show.words import Words
from tierbook.workbook import Workbook

LONG_ID = "110101199003071234"  # 18 digits: Excel keeps 15 of a number
ACTIONS = """actions:
  - {code: call, when: {stage: [new, active, loyal, at_risk, lost]}, words: {en: Call, zh: 外呼}, channel: {en: phone, zh: 电话},
     owner: {en: service, zh: 客服}, days: 10, measure: {en: orders, zh: 订单数}}
"""


def shop(tmp_path, **report):
    """24 customers of one to five orders; one asked not to be contacted, one is called like a formula."""
    ids = [f"c{n:02d}" for n in range(22)] + ["=cmd()", LONG_ID]
    days = [dt.date(2026, 10, 30) - dt.timedelta(days=37 * k) for k in range(5)]
    lines = [f"{who},{day},{10 + 7 * n}.25" for n, who in enumerate(ids) for day in days[: 1 + n % 5]]
    (tmp_path / "orders.csv").write_text("customer_id,ordered_at,amount\n" + "\n".join(lines) + "\n")
    people = [
        f"{who},{'yes' if who == 'c03' else 'no'},{'@owner' if n % 2 else 'Li'},R{n}" for n, who in enumerate(ids)
    ]
    (tmp_path / "people.csv").write_text("customer_id,do_not_contact,owner,record_id\n" + "\n".join(people) + "\n")
    (tmp_path / "actions.yaml").write_text(ACTIONS, encoding="utf-8")
    tree = {
        "report": {"name": "shop", **report},
        "as_of": "2026-10-31",
        "source": {
            "transactions": {"path": str(tmp_path / "orders.csv")},
            "customers": {"path": str(tmp_path / "people.csv")},
        },
        "actions": str(tmp_path / "actions.yaml"),
        "campaign": {"holdout": 0.25},
    }
    return Workbook(params.parse(tree), tmp_path / "out")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The month and the folder of its Excel files and CSV lists."""
    folder = tmp_path_factory.mktemp("excel")
    month = shop(folder)
    excel.write_excel(month, folder)
    lists.write_csv(month, folder / "excel")
    return month, folder


def sheet(path, place):
    """Header and rows of a sheet as another reader sees them; calamine gives dates as dates and numbers as floats."""
    rows = CalamineWorkbook.from_path(path).get_sheet_by_index(place).to_python()
    return rows[0], rows[1:]


def part(path, name):
    with zipfile.ZipFile(path) as parts:
        return parts.read(name).decode()


BUILT_IN = {"3": "#,##0", "4": "#,##0.00", "49": "@"}
"""Number formats that every Excel knows by number (ECMA-376 part 1, 18.8.30)."""
SUMMARY, TIERS, UPGRADES, ALERTS, ACTIONS_SHEET, CUSTOMERS, NOTES = range(7)


def test_the_customers_sheet_holds_the_book_by_value(written):
    month, folder = written
    book = month.book().sort_values(["monetary", "customer_id"], ascending=[False, True])
    head, rows = sheet(folder / "customers.xlsx", CUSTOMERS)
    found = pd.DataFrame(rows, columns=book.columns)
    assert len(head) == len(book.columns) and len(rows) == 24
    plain = [
        c for c in book.columns if pd.api.types.is_numeric_dtype(book[c]) and book[c].notna().any() and c != "alert"
    ]
    for column in plain:
        expected = book[column].astype(float).to_numpy()
        read = pd.to_numeric(found[column].replace("", np.nan)).astype(float).to_numpy()
        np.testing.assert_allclose(read, expected, rtol=1e-12, err_msg=column)
    assert found["first_order"].tolist() == book["first_order"].tolist(), "dates are dates"
    ids = [name if name != "=cmd()" else "'=cmd()" for name in book["customer_id"]]
    assert found["customer_id"].tolist() == ids, "an id of 18 digits is text, digit by digit"
    words = Words("en", "CNY", month.terms)
    assert found["tier"].tolist() == [words.term("tier", tier) for tier in book["tier"]]
    assert set(found["alert"]) == {words.text("no")}


def test_money_dates_and_shares_carry_formats_and_the_head_stays(written):
    month, folder = written
    path = folder / "customers.xlsx"
    shapes = {**BUILT_IN, **dict(re.findall(r'numFmtId="(\d+)" formatCode="([^"]+)"', part(path, "xl/styles.xml")))}
    cell_styles = re.findall(r'<xf numFmtId="(\d+)"', part(path, "xl/styles.xml").split("<cellXfs")[1])
    body = part(path, f"xl/worksheets/sheet{CUSTOMERS + 1}.xml")
    second_row = dict(re.findall(r'<c r="([A-Z]+)2" s="(\d+)"', body))
    columns = list(month.book().columns)
    for column, shape in (("first_order", "yyyy-mm-dd"), ("monetary", "#,##0.00"), ("orders", "#,##0"), ("tier", "@")):
        letter = xl_col_to_name(columns.index(column))
        assert shapes[cell_styles[int(second_row[letter])]] == shape, column
    assert '<pane xSplit="1" ySplit="1"' in body and 'state="frozen"' in body
    assert re.search(r'<autoFilter ref="A1:[A-Z]+25"/>', body), "24 customers and the head"
    assert "<f>" not in body and "numberStoredAsText" in body


def test_every_column_of_every_sheet_has_a_note_in_both_languages(written):
    month, folder = written
    for listing in lists.listings(month, "en"):
        for language in ("en", "zh"):
            bare = [c for c in listing.frame.columns if not excel_pages.note(listing, c, language)]
            assert not bare, (listing.name, language)
    _, rows = sheet(folder / "customers.xlsx", NOTES)
    assert len(rows) == sum(len(listing.frame.columns) for listing in lists.listings(month, "en"))
    comments = part(folder / "customers.xlsx", "xl/comments5.xml")
    assert comments.count("<comment ") == len(month.book().columns)
    assert "as_of less last_order" in comments


def test_lists_hold_only_who_is_to_be_contacted(written):
    """c03 asked not to be contacted, a quarter of the list is held out; everyone left is on the actions sheet."""
    month, folder = written
    planned = month.planned()
    treated = set(planned.loc[~planned["held_out"], "customer_id"])
    assert "c03" not in set(planned["customer_id"]) and planned["held_out"].sum() == 6  # 23 / 4 = 5.75
    _, rows = sheet(folder / "customers.xlsx", ACTIONS_SHEET)
    assert {row[2].removeprefix("'") for row in rows} == treated
    assert [row[0] for row in rows] == sorted(row[0] for row in rows), "by owner"
    assert {row[4] for row in rows} == {"orders"}, "what it is measured by"
    assert {row[7] for row in rows} == {dt.date(2026, 11, 10)}, "ten days after as_of"
    _, candidates = sheet(folder / "customers.xlsx", UPGRADES)
    assert {row[0].removeprefix("'") for row in candidates} <= treated
    everybody = set(month.upgrade_candidates()["customer_id"])
    listing = lists.listings(month, "en")[1]
    assert listing.left_out == len(everybody - treated) == len(everybody) - len(candidates)


def test_each_language_has_its_own_file_the_first_at_the_root(written):
    _, folder = written
    assert sorted(path.name for path in folder.glob("*.xlsx")) == ["customers.xlsx", "customers.zh.xlsx"]
    _, english = sheet(folder / "customers.xlsx", ACTIONS_SHEET)
    _, chinese = sheet(folder / "customers.zh.xlsx", ACTIONS_SHEET)
    assert english[0][1] == Words("en", "CNY").term("channel", "phone") and chinese[0][1] == "电话"
    assert {row[3] for row in chinese} == {"外呼"} and {row[3] for row in english} == {"Call"}
    heads = sheet(folder / "customers.zh.xlsx", CUSTOMERS)[0]
    assert heads[0] == "客户编号" and "窗口期净销售额（元）" in heads


def test_the_summary_says_what_month_and_on_what_data(written):
    month, folder = written
    pairs = [row[:2] for row in CalamineWorkbook.from_path(folder / "customers.xlsx").get_sheet_by_index(0).to_python()]
    told = dict(pairs)
    assert told["Data as of"] == dt.date(2026, 10, 31) and told["Currency"] == "CNY"
    # orders 1 + n % 5 of customer n = 0 … 23: four times 1 + 2 + 3 + 4 + 5, then 1 + 2 + 3 + 4
    assert told["Order lines read"] == told["Order lines counted"] == 70
    assert told["Net sales counted"] == pytest.approx(sum((10.25 + 7 * n) * (1 + n % 5) for n in range(24)))
    assert told["Made by"].startswith("tierbook ") and ["Customers", 24] in pairs
    card = month.scorecard().set_index("measure")["value"]
    words = Words("en", "CNY")
    scored = {
        row[1]: row[2]
        for row in CalamineWorkbook.from_path(folder / "customers.xlsx").get_sheet_by_index(0).to_python()
    }
    assert scored[words.term("measure", "net_sales")] == pytest.approx(card["net_sales"])


def test_the_same_month_gives_the_same_file(written, tmp_path):
    month, folder = written
    excel.write_excel(month, tmp_path)
    assert (tmp_path / "customers.xlsx").read_bytes() == (folder / "customers.xlsx").read_bytes()


def test_a_sheet_beyond_the_cap_points_to_the_whole_table(written, tmp_path, monkeypatch):
    month, _ = written
    for module in (excel, excel_pages, lists):
        monkeypatch.setattr(module, "MOST_ROWS", 5)
    excel.write_excel(month, tmp_path)
    _, rows = sheet(tmp_path / "customers.xlsx", CUSTOMERS)
    assert len(rows) == 6 and rows[-1][0] == "5 of 24 rows shown; all of them are in tables/customers.csv."
    best = month.book().nlargest(5, "monetary")["monetary"].tolist()
    assert [row[6] for row in rows[:5]] == best, "the highest net sales"


def test_csv_for_excel_keeps_long_ids_and_reads_as_utf8(written):
    _, folder = written
    raw = (folder / "excel" / "customers.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    ids = pd.read_csv(folder / "excel" / "customers.csv", dtype=str, encoding="utf-8-sig").iloc[:, 0].tolist()
    assert LONG_ID + "\t" in ids and "c00" in ids and "'=cmd()" in ids
    owners = pd.read_csv(folder / "excel" / "action_list.csv", encoding="utf-8-sig").iloc[:, 0]
    assert set(owners) == {"'@owner", "Li"}


@pytest.mark.parametrize(
    ("name", "misread"),
    [
        ("12345678901", False),
        ("123456789012", True),
        ("007", True),
        ("0", False),
        ("3-1", True),
        ("1E10", True),
        ("1.50", True),
        ("DEC1", True),
        ("2026/10", True),
        ("C00042", False),
        ("中123", False),
        ("marble", False),
    ],
)
def test_ids_that_excel_would_alter_are_known(name, misread):
    """Eleven digits stand as they are, the twelfth turns them into 1.23457E+11."""
    assert (lists.MISREAD.fullmatch(name) is not None) is misread


HOSTILE = [
    "=cmd()",
    "+1",
    "-1",
    "@x",
    "\t=1",
    "＝1+1",
    "<script>alert(1)</script>",
    "\u202eabc",
    "🙂" * 9,
    "a\x00\x08b",
    "名" * 10_000,
]


def test_hostile_text_is_harmless_in_every_text_column(tmp_path):
    """Written and read back: no formula, no markup, nothing lost but what cannot stand in a cell."""
    import xlsxwriter

    frame = pd.DataFrame({"customer_id": HOSTILE, "owner": HOSTILE[::-1], "monetary": np.arange(len(HOSTILE)) - 3.5})
    with xlsxwriter.Workbook(tmp_path / "x.xlsx", excel.OPTIONS) as book:
        excel._write_sheet(book, lists.Listing("customers", frame, len(frame)), Words("en"), "CNY")
    _, rows = sheet(tmp_path / "x.xlsx", 0)
    shown = {"\u202eabc": "\ufffdabc", "a\x00\x08b": "a\ufffd\ufffdb"}
    expected = [("'" + text) if text[0] in "=+-@\t＝" else shown.get(text, text) for text in HOSTILE]
    for column, wanted in ((0, expected), (1, expected[::-1])):
        assert [row[column] for row in rows] == wanted
    assert [row[2] for row in rows] == frame["monetary"].tolist(), "a negative amount stays a number"
    with zipfile.ZipFile(tmp_path / "x.xlsx") as parts:
        assert all(b"<f>" not in parts.read(name) for name in parts.namelist() if "worksheets" in name)


def test_text_longer_than_a_cell_is_cut_and_never_lost():
    """A cell holds 32,767 UTF-16 units; an emoji takes two."""
    texts = ["x" * 32_767, "x" * 32_768, "🙂" * 16_383, "🙂" * 16_384]
    shown = excel_cells.cells(pd.DataFrame({"owner": texts}))["owner"].tolist()
    assert shown[0] == texts[0] and shown[2] == texts[2]
    assert shown[1] == "x" * 32_766 + "…" and shown[3] == "🙂" * 16_383 + "…"


def test_nulls_and_infinities_are_empty_cells_and_dates_are_day_numbers():
    frame = pd.DataFrame({
        "p_alive": [0.5, np.nan, np.inf], "cluster": pd.array([1, None, 3], dtype="Int8"),
        "due": [dt.date(2026, 10, 31), None, dt.date(1900, 3, 1)], "owner": ["a", None, ""],
    })  # fmt: skip
    shown = excel_cells.cells(frame)
    assert shown["p_alive"].tolist() == [0.5, None, None] and shown["cluster"].tolist() == [1, None, 3]
    # Excel's serial numbers: 1900-03-01 is 61, 2026-10-31 is 46,326 (2026-01-01 is 46,023; 303 days later)
    assert shown["due"].tolist() == [46_326, None, 61]
    assert shown["owner"].tolist() == ["a", None, ""]


@pytest.mark.parametrize(
    ("values", "head", "expected"),
    [
        (["abcdefghij"], "x", 11),
        (["客户客户客户"], "x", 13),
        (["x" * 200], "x", 46),
        ([None], "x", 8),
        (["a"], "距下一层级还差多少天数", 15),
    ],
)
def test_widths_count_a_chinese_character_as_two(values, head, expected):
    """The head of eleven characters is 22 wide; it wraps once and has a button: 22 / 2 + 4."""
    assert excel_cells.width(pd.Series(values, dtype=object), head, excel_cells.TEXT) == expected


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [
        ({"unit": "share", "value": 0.25}, "value", (0.25, "0.0%")),
        ({"unit": "share", "change": -0.031}, "change", (-3.1, '+0.0" pp";-0.0" pp";0.0" pp"')),
        ({"unit": "money", "change": 0.064}, "change", (0.064, "+0.0%;-0.0%;0.0%")),
        ({"unit": "leads", "value": 102.0}, "value", (102.0, "#,##0")),
        ({"unit": "days", "value": 18.5}, "value", (18.5, "#,##0.0")),
        ({"unit": "ratio", "value": 3.37}, "value", (3.37, "#,##0.00")),
        ({"unit": "points", "change": 4.0}, "change", (4.0, "+0.0;-0.0;0.0")),
        ({"unit": "money", "n": 12.0}, "n", (12.0, "#,##0")),
    ],
)
def test_the_scorecard_writes_each_row_in_its_unit(row, column, expected):
    value, shape = excel_pages._scored(row, column, Words("en"))
    assert (pytest.approx(value), shape) == expected


def test_the_gap_to_the_next_tier_is_said_in_words_by_its_pieces():
    gaps = pd.Series(["orders +1; CNY +230.00 | orders +3; by 2026-11-30", None])
    pieces = {
        "orders +{n}": "再下单{n}笔",
        "; {currency} +{money}": "，再消费{money} {currency}",
        " | or ": "，或",
        "; by ": "；截至",
    }
    words = SimpleNamespace(text=lambda message, **v: pieces[message].format(**v))
    said = lists._gap_in_words(gaps, words, "CNY").tolist()
    assert said == ["再下单1笔，再消费230.00 CNY，或再下单3笔；截至2026-11-30", None]
