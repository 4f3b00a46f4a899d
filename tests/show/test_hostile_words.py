"""Hostile text stands on a page, in a figure and in a cell, and does nothing there."""

import csv
import io
import warnings
import zipfile
from html.parser import HTMLParser
from xml.etree.ElementTree import fromstring

import pandas as pd
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from hostile.shop import LONG, TEXTS
from tierbook.report.excel import OPTIONS
from tierbook.report.excel_cells import LONGEST, cells
from tierbook.report.handoffs import harmless
from tierbook.show import figures, tables
from tierbook.show.words import LONGEST as SHOWN
from tierbook.show.words import Words, on_page

TERMS = {"known": {"a": {"en": "A", "zh": "甲"}}}
PAGES = [Words(language, "CNY", TERMS) for language in ("en", "zh")]
RULING = "\x00\x01\x07\x0b\x1b\x7f\x85\u2028\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffe"


class Markup(HTMLParser):
    """The elements of a page, its attributes, and its text."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.elements, self.attributes, self.text = set(), [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text.append(data)


def shown(text):
    """What a reader is to see of a text: cut to 300 signs, each ruling sign a �."""
    told = text if len(text) <= 300 else text[:299] + "…"
    return "".join("�" if sign in RULING else sign for sign in told)


@pytest.mark.parametrize("words", PAGES, ids=["en", "zh"])
def test_a_sentence_holds_any_text_as_it_is(words):
    for text in TEXTS:
        for message in ("<b>{x}</b>", "<b>{x:text}</b>", "<b>{x:term.known}</b>", "<b>{x:list}</b>"):
            page = Markup(words.html(message, x=[text] if "list" in message else text))
            assert page.elements <= {"b", "bdi"} and page.attributes == []
            assert "".join(page.text) == shown(text)


def test_a_value_is_never_read_as_a_message_again():
    assert Words("en").html("{x} of {n:number}", x="{n:number}{", n=3) == "{n:number}{ of 3"
    assert Words("en").text("{x}", x="{y!r} %s ${HOME} {{7*7}}") == "{y!r} %s ${HOME} {{7*7}}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("שלום", "<bdi>שלום</bdi>"),
        ("a\u200fb", "<bdi>a\u200fb</bdi>"),
        ("a\u202eb", "a�b"),
        ("\ud800", "�"),
        ("a\tb", "a\tb"),
        ("名", "名"),
    ],
)
def test_text_from_the_right_stands_apart_and_ruling_signs_are_seen(text, said):
    assert Words("en").html("{x}", x=text) == said


@pytest.mark.parametrize(("length", "cut"), [(299, False), (300, False), (301, True), (LONG, True)])
def test_a_page_carries_300_signs_of_a_name(length, cut):
    assert on_page("x" * length) == ("x" * 299 + "…" if cut else "x" * length) and SHOWN == 300


@pytest.mark.parametrize("words", PAGES, ids=["en", "zh"])
def test_a_table_holds_any_text_in_cells_headings_and_caption(words):
    frame = pd.DataFrame({"customer_id": TEXTS, "tier": TEXTS, "stage": TEXTS, "n": range(len(TEXTS))})
    frame = frame.rename(columns={"stage": TEXTS[0]})
    for text in (TEXTS[1], TEXTS[3], TEXTS[17]):
        page = Markup(tables.html(frame, words, caption=lambda _, said=text: said, file=text, rows=40))
        assert page.elements == {"div", "table", "caption", "thead", "tr", "th", "tbody", "td", "p", "code"}
        assert {name for name, _ in page.attributes} <= {
            "class", "role", "tabindex", "aria-label", "data-sortable", "scope", "data-k", "data-v",
        }  # fmt: skip
        assert not set("".join(page.text)) & set(RULING)


def test_a_figure_draws_any_text():
    def draw(ax, words, names):
        ax.barh(range(len(names)), 1)
        ax.set_yticks(range(len(names)), [figures.label(name) for name in names])
        ax.set_title(figures.label(names[0], 60))
        return words.text("{names:list}", names=names)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = figures.render(draw, Words("zh"), list(TEXTS), size=(8, 16))
    assert Markup(page).elements <= {"figure", "svg", "g", "defs", "path", "use", "rect", "clippath", "style"}


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("a\x00b", "a?b"),
        ("a\u202eb\u200d", "ab"),
        ("👍🏽", "??"),
        ("a\r\n\tb", "a b"),
        ("x" * 24, "x" * 24),
        ("x" * 25, "x" * 23 + "…"),
        ("\ue000", "?"),
        ("名𠮷", "名𠮷"),
    ],
)
def test_a_name_in_a_figure_has_only_signs_that_are_seen(text, drawn):
    assert figures.label(text) == drawn


def spreadsheet_text(value):
    """What a text must not be in a CSV: begin as a formula, seen or unseen, or hold a sign that rules."""
    return value.lstrip("\u200b\u200c\u200d\ufeff\u2060").startswith(tuple("=+-@\t\r＝＋－＠")) or set(value) & set(
        RULING
    )


def test_a_csv_cell_is_never_a_formula_and_rules_nothing():
    frame = pd.DataFrame({"x": [*TEXTS, None], "n": [-1.5] * len(TEXTS) + [None]})
    written = harmless(frame).to_csv(index=False)
    rows = list(csv.DictReader(io.StringIO(written, newline="")))
    assert len(rows) == len(TEXTS) + 1 and rows[0]["n"] == "-1.5" and rows[-1] == {"x": "", "n": ""}
    assert not [row["x"] for row in rows if spreadsheet_text(row["x"])]
    for text, row in zip(TEXTS, rows, strict=False):
        assert row["x"].removeprefix("'" if not text.startswith("'") else "") == "".join(
            "�" if sign in RULING else sign for sign in text
        ), "and nothing is lost"
    assert frame["x"].tolist()[:-1] == list(TEXTS), "the frame itself is untouched"


def test_an_excel_cell_is_text_that_fits(tmp_path):
    texts = [*TEXTS, "名" * LONGEST, "x" * (LONGEST + 1), "𠮷" * LONGEST]
    path = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(path, OPTIONS) as book:
        sheet = book.add_worksheet()
        for row, text in enumerate(cells(pd.DataFrame({"x": texts}))["x"]):
            sheet.write_row(row, 0, [text])
    with zipfile.ZipFile(path) as whole:
        elements = {node.tag.rpartition("}")[2] for node in fromstring(whole.read("xl/worksheets/sheet1.xml")).iter()}
    assert "is" in elements and not elements & {"f", "hyperlinks"}, "no formula, no link, and well-formed"
    read = [value for (value,) in CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()]
    assert all(isinstance(value, str) for value in read) and len(read) == len(texts)
    assert max(len(value.encode("utf-16-le")) // 2 for value in read) <= 32_767
    assert [value[:9] for value in read[:6]] == [text[:9] for text in TEXTS[:6]]
    assert sum(len(value) in (LONG, LONG - 1) for value in read) == 3, "10,000 characters are kept whole"
