"""A page that everybody can use: axe-core, the keyboard, a narrow screen, both colour schemes, paper."""

import pandas as pd
import pytest
from nbformat import v4

from page_audit import contrast_in_both_schemes, raw_python, violations
from tierbook.report.export import Page, page_html
from tierbook.show import first_screen, tables
from tierbook.show.display import MIME, NOTE_STYLE, WARNING_STYLE
from tierbook.show.words import Words

WIDTH = 14 * ["a rather long heading for one number"]


def kpis(words):
    names = {"net_sales": "money", "high_value_customers": "customers", "repeat_rate": "share", "nps": "points"}
    card = pd.DataFrame(
        [
            {"measure": name, "value": 0.5, "previous": 0.6, "year_ago": 0.4, "target": 0.7, "low": 0.4, "high": 0.6, "n": 50, "unit": unit}
            for name, unit in names.items()
        ]
    )  # fmt: skip
    return first_screen.kpis(words, card, {"nps": [0.1, 0.4, 0.5]})


def shaded(words):
    frame = pd.DataFrame(
        {"tier": ["high", "low"], "more": [10, 1], "less": [-10, -5], "day": pd.Timestamp("2026-10-31")}
    )
    return tables.html(frame, words, heat=["more", "less"], caption="Shades")


def long_and_wide(words):
    frame = pd.DataFrame({"customer_id": [f"C{n:02}" for n in range(20)]})
    frame = pd.concat([frame, *(pd.Series(range(20), name=f"{name} {n}") for n, name in enumerate(WIDTH))], axis=1)
    return tables.html(frame, words, caption="Wide")


def boxes(words):
    marks = " ".join(f'<span class="verdict {kind}">verdict</span>' for kind in ("yes", "no", "wait", "bad"))
    return (
        f'<p class="trust"><b>Good.</b> 1</p><p class="trust doubt"><b>Doubt.</b> 2</p><p>{marks}</p>'
        f'<p class="note" style="{NOTE_STYLE}">n = 7 <code>tables/x.csv</code></p><p class="missing">missing</p>'
        f'<div class="warn" role="note" style="{WARNING_STYLE}">Careful: <a href="#s2">there</a></div>'
        + first_screen.finds(words, [("One thing", "what it stands on", {})])
    )


def code(source, build=None, *more):
    pages = {language: build(Words(language)) for language in ("en", "zh")} if build else {}
    shown = [v4.new_output("display_data", data={"text/html": "", MIME: pages})] if build else []
    return v4.new_code_cell(source, outputs=[*shown, *more])


def prose(english, chinese):
    pair = (("lang-en", english), ("lang-zh", chinese))
    return [v4.new_markdown_cell(text, metadata={"tags": [tag]}) for tag, text in pair]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """One page with one of everything that a page can hold, in each language."""
    printed = v4.new_output("stream", name="stdout", text=" ".join(["a long line of text"] * 30))
    cells = [
        *prose("# Everything", "# 全部"),
        code("first = kpis(card)  # what the manager sees", kpis),
        *prose("## Boxes", "## 提示"),
        code("boxes = 'text' if 1.5 else None\n" + "a_long_line = " + " + ".join(["another_name"] * 30), boxes),
        *prose("### Shades", "### 底色"),
        code("shaded()", shaded),
        code("no_output = 1"),
        *prose("## Tables", "## 表格"),
        code("wide()", long_and_wide),
        code("print(text)", None, printed),
    ]
    folder = tmp_path_factory.mktemp("pages")
    links = (("index.html", "Summary", False), ("02.html", "Segments", True))
    for language, other in (("en", "zh"), ("zh", "en")):
        page = Page(
            "Customer tiers", "October 2026", "2026-10-31", "02", links, ((other, f"{other}.html"),), 2, ("made",)
        )
        (folder / f"{language}.html").write_text(page_html(v4.new_notebook(cells=cells), language, page), "utf-8")
    return folder


@pytest.fixture
def at(browser, pages):
    """Open the page of a language in a tab of a width; all tabs are closed afterwards."""
    opened = []

    def page(language="en", width=1440, **media):
        opened.append(browser.new_page(viewport={"width": width, "height": 800}))
        opened[-1].emulate_media(**media)
        opened[-1].goto((pages / f"{language}.html").as_uri())
        return opened[-1]

    yield page
    for tab in opened:
        tab.close()


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
def test_axe_finds_nothing_in_either_scheme(at, language):
    tab = at(language, color_scheme="light")
    assert violations(tab, besides=["color-contrast"]) == []
    assert contrast_in_both_schemes(tab) == []


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_would_find_what_is_wrong(at, scheme):
    tab = at()
    faint = {"light": "#999", "dark": "#555"}[scheme]
    tab.evaluate(
        """([scheme, faint]) => {
            document.querySelector("h2").outerHTML = "<h4>skipped</h4>";
            document.head.insertAdjacentHTML("beforeend", `<style>@media (prefers-color-scheme:${scheme}){
              .note{color:${faint}!important}}</style>`); }""",
        [scheme, faint],
    )
    assert [(impact, rule) for impact, rule, *_ in violations(tab, "heading-order")] == [("moderate", "heading-order")]
    assert {(where, rule) for where, _, rule, *_ in contrast_in_both_schemes(tab)} == {(scheme, "color-contrast")}


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 390, 1024, 1440])
def test_the_page_never_scrolls_sideways_and_wide_tables_do_so_in_their_box(at, width):
    tab = at(width=width)
    tab.get_by_role("button", name="Show all code").first.click()
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    box = tab.locator(".wide:has(th:nth-child(14))")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")


@pytest.mark.browser
def test_the_row_names_stay_in_sight_on_a_narrow_screen(at):
    tab = at(width=390)
    left = """() => { const box = document.querySelector(".wide:has(th:nth-child(14))"); box.scrollLeft = 500;
        return box.querySelector("tbody th").getBoundingClientRect().left - box.getBoundingClientRect().left; }"""
    assert abs(tab.evaluate(left)) < 1


FOCUSED = """() => { const it = document.activeElement, style = getComputedStyle(it);
  return [it.className || it.tagName.toLowerCase(), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0]; }"""


@pytest.mark.browser
def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(at):
    tab = at()
    steps = []
    for _ in range(60):
        tab.keyboard.press("Tab")
        steps.append(tab.evaluate(FOCUSED))
        if steps[-1][0] == "body":
            break
    names = [name for name, _ in steps if name != "body"]
    # skip link; other language; code button; 2 pages; 3 contents; a fold per code cell with its sort buttons and boxes before it
    assert names[:8] == ["skip", "a", "all-code", "a", "a", "a", "a", "a"]
    assert names[8:12] == ["summary", "a", "summary", "button"]
    assert names.count("summary") == 6 + 1 and names.count("button") == 4 + 15 and names.count("input") == 1
    assert names.count("wide") == 1, "only the box that scrolls is a stop"
    assert names.count("all-code") == 2
    assert all(visible for name, visible in steps if name != "body")


@pytest.mark.browser
def test_sorting_folding_and_skipping_work_by_keyboard(at):
    tab = at()
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "content"
    head = tab.locator("th", has_text="Customer").first
    for direction in ("ascending", "descending"):
        head.get_by_role("button").press("Enter")
        assert head.get_attribute("aria-sort") == direction
    fold = tab.locator("details.code").first
    fold.locator("summary").press("Enter")
    assert fold.locator("pre").is_visible()
    buttons = tab.locator(".all-code")
    buttons.last.press("Enter")
    assert buttons.all_inner_texts() == ["Hide all code", "Hide all code"]


@pytest.mark.browser
def test_folded_code_takes_next_to_no_room(at):
    heights = "Array.from(document.querySelectorAll('details.code'), (fold) => fold.offsetHeight)"
    assert max(at(width=1440).evaluate(heights)) == 0
    assert max(at(width=1024).evaluate(heights)) <= 22


@pytest.mark.browser
def test_the_contents_follow_the_scroll_and_motion_is_spared(at):
    tab = at(reduced_motion="reduce")
    assert tab.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    current = ".toc a[aria-current]"
    assert tab.locator(current).all_inner_texts() == ["Boxes"]
    tab.evaluate("document.getElementById('s2').scrollIntoView()")
    # a locator waits by itself; wait_for_function would ask again by eval, which the page's policy forbids
    tab.locator(current, has_text="Tables").wait_for(timeout=10_000)
    assert tab.locator(current).all_inner_texts() == ["Tables"]


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
def test_paper_shows_all_of_every_table_and_the_sign_off(at, language):
    # A4 less two margins of 14 mm is 688 px
    tab = at(language, width=688, media="print")
    right = "Math.max(...Array.from(document.querySelectorAll('table'), (t) => t.getBoundingClientRect().right))"
    assert tab.evaluate(right) <= 688
    shown = {name: tab.locator(name).first.is_visible() for name in (".code", ".all-code", ".toc", ".pages", ".sign")}
    assert shown == {".code": False, ".all-code": False, ".toc": False, ".pages": False, ".sign": True}
    assert tab.pdf(prefer_css_page_size=True).startswith(b"%PDF")


@pytest.mark.parametrize(
    "raw",
    [
        "<td>nan</td>", "<td> None </td>", '<td data-v="nan">–</td>', "<p>1.5e+06</p>", "<p>&lt;class &#x27;str&#x27;&gt;</p>",
        "<p>Timestamp(1)</p>", '<svg aria-label="up to NaT">', "<p>&lt;NA&gt;</p>", "<pre>FutureWarning: x</pre>",
        "<p>array([1])</p>", "<pre>Name: x, dtype: int64</pre>", "<p>Traceback (most recent call last)</p>",
    ],
)  # fmt: skip
def test_raw_python_is_found(raw):
    assert raw_python(raw)


def test_words_and_code_are_not_raw_python(pages):
    fine = "<p>None: every campaign has a control. finance, array of shops, 3E07, 2e5</p>"
    assert raw_python(f'{fine}<details class="code"><pre>x = None, pd.Timestamp(1)</pre></details>') == []
    for language in ("en", "zh"):
        assert raw_python((pages / f"{language}.html").read_text("utf-8")) == []
