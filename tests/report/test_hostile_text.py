"""A whole report of a shop whose every text is hostile: pages, workbook, lists and tables hold it, and nothing happens."""

import csv
import os
import re
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from xml.etree.ElementTree import fromstring

import pytest
import yaml

from hostile import shop

pytestmark = pytest.mark.long
FORBIDDEN = {"img", "iframe", "object", "embed", "base", "form", "video", "audio", "link", "textarea"}
RULING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufffe\uffff]")
UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u061c"
FORMULA = tuple("=+-@\t\r＝＋－＠")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|-inf", re.IGNORECASE)


class Page(HTMLParser):
    """The elements of a page with their attributes, and its longest text outside script and style."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.found, self.open, self.longest = [], None, ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.open = tag

    def handle_data(self, data):
        if self.open not in ("script", "style") and len(data) > len(self.longest):
            self.longest = data


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The published report of 150 people with hostile texts."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "hostile.yaml").write_text(yaml.safe_dump(shop.write(folder, 150), allow_unicode=True), encoding="utf-8")
    command = [sys.executable, "-m", "tierbook.cli", "run", folder / "hostile.yaml", "--outputs", folder / "out"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env={**os.environ}, timeout=1200)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder / "out" / "demo" / "2026-10-31"


def pages(report):
    found = sorted([*report.glob("en/*.html"), *report.glob("zh/*.html")])
    assert len(found) == 14
    return found


def test_no_element_and_no_attribute_of_a_page_comes_from_data(report):
    for path in pages(report):
        text = path.read_text(encoding="utf-8")
        page, tags = Page(text), None
        tags = [tag for tag, _ in page.found]
        assert not set(tags) & FORBIDDEN and tags.count("script") == 1, path.name
        assert not [attrs for _, attrs in page.found if any(name.startswith("on") for name in attrs)], path.name
        links = [attrs["href"] for tag, attrs in page.found if tag == "a"]
        assert not [href for href in links if re.match(r"(?!\.\./|#)[a-z]+:|//", href)], path.name
        assert not RULING.search(text) and "x" * 1_000 not in text and "名" * 1_000 not in text, path.name


def test_the_texts_are_there_to_be_read(report):
    """A test that would pass on empty pages is none: most of the texts stand on some page, escaped."""
    said = "".join(path.read_text(encoding="utf-8") for path in report.glob("en/*.html"))
    for text in ("&lt;script&gt;alert(1)&lt;/script&gt;", "{{7*7}}", "${HOME}", "x" * 299 + "…", "�gnp.exe", "“all”"):
        assert text in said


@pytest.mark.browser
def test_nothing_happens_in_a_browser_and_no_page_is_wider_than_its_window(browser, report):
    happened, wide = [], []
    tab = browser.new_page()
    tab.on("console", lambda message: happened.append(message.text))
    tab.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
    tab.on("pageerror", lambda error: happened.append(str(error)))
    tab.on("request", lambda request: request.url.startswith("file:") or happened.append(request.url))
    for path in pages(report):
        for width in (1280, 390):
            tab.set_viewport_size({"width": width, "height": 900})
            tab.goto(path.as_uri())
            if (across := tab.evaluate("document.documentElement.scrollWidth")) > width:
                wide.append((path.parent.name, path.name, width, across))
    tab.close()
    assert happened == [] and wide == []


def test_no_csv_cell_is_a_formula_or_rules_the_text(report):
    files = [path for folder in ("tables", "excel", "uploads") for path in sorted((report / folder).glob("*.csv"))]
    assert len(files) > 60
    csv.field_size_limit(10_000_000)
    for path in files:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            cells = {cell for row in csv.reader(lines) for cell in row}
        assert not [c for c in cells if RULING.search(c)], path.name
        assert not [c for c in cells if c.lstrip(UNSEEN).startswith(FORMULA) and not NUMBER.fullmatch(c)], path.name


def test_excel_holds_text_that_fits_and_no_formula(report):
    from python_calamine import CalamineWorkbook

    for path in (report / "customers.xlsx", report / "customers.zh.xlsx"):
        with zipfile.ZipFile(path) as whole:
            sheets = [name for name in whole.namelist() if name.startswith("xl/worksheets/sheet")]
            tags = {node.tag.rpartition("}")[2] for name in sheets for node in fromstring(whole.read(name)).iter()}
        assert not tags & {"f", "hyperlink"}
        book = CalamineWorkbook.from_path(path)
        cells = [c for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for c in row]
        texts = [c for c in cells if isinstance(c, str)]
        assert max(len(c.encode("utf-16-le")) // 2 for c in texts) <= 32_767
        assert any(len(c) >= shop.LONG for c in texts), "whole in the file"
        assert not [c for c in texts if RULING.search(c)]
