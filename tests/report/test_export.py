"""An executed notebook as a page: one language, nothing fetched, code folded, the same bytes."""

import base64
import hashlib
import re

import pandas as pd
import pytest
from nbformat import v4

from tierbook.report.export import Page, page_html
from tierbook.show import tables
from tierbook.show.display import MIME
from tierbook.show.words import Words


def markdown(text, *tags):
    return v4.new_markdown_cell(text, metadata={"tags": list(tags)})


def displayed(**pages):
    return v4.new_output("display_data", data={"text/html": next(iter(pages.values())), MIME: pages})


def code(source, *outputs, tags=()):
    return v4.new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)})


@pytest.fixture
def notebook():
    return v4.new_notebook(
        cells=[
            markdown("# Segment *customers*\n\nEnglish prose with [a link](https://example.org).", "lang-en"),
            markdown("# 客户细分\n\n中文说明。", "lang-zh"),
            markdown("Every reader sees **this**."),
            code("as_of = 'PARAMETER'", tags=["parameters"]),
            code("as_of = 'INJECTED'", tags=["injected-parameters"]),
            code("HIDDEN = 1", displayed(en="HIDDEN", zh="HIDDEN"), tags=["hide"]),
            markdown("## Tiers & stages", "lang-en"),
            markdown("## 层级与阶段", "lang-zh"),
            code("show.table(tiers) # <tag>", displayed(en="<p>EN table</p>", zh="<p>中文表格</p>")),
            markdown("### Detail", "lang-en"),
            markdown("### 细节", "lang-zh"),
            code(
                "print('rows')",
                v4.new_output("stream", name="stdout", text="\x1b[31m7 rows\x1b[0m <&\n"),
                v4.new_output("stream", name="stderr", text="FutureWarning SECRET\n"),
                v4.new_output("error", ename="ValueError", evalue="SECRET", traceback=["SECRET"]),
            ),
            code(
                "axes",
                displayed(en="<p>figure</p>", zh="<p>图</p>"),
                v4.new_output("execute_result", data={"text/plain": "<Axes: >"}, execution_count=1),
            ),
            code("image", v4.new_output("display_data", data={"image/png": "aGk=\n", "text/plain": "<Figure>"})),
            markdown("## Last", "lang-en"),
            markdown("## 最后", "lang-zh"),
        ]
    )


def page(**changes):
    given = {
        "report_title": "Customer tiers",
        "month_label": "October 2026",
        "as_of": "2026-10-31",
        "notebook_stem": "02_segment_customers",
        "links": (("index.html", "Summary", False), ("02_segment_customers.html", "Segments", True)),
        "other_languages": (("zh", "../zh/02_segment_customers.html"),),
        "made": ("tierbook 0.1.0 <script>",),
    }
    return Page(**{**given, **changes})


def test_a_page_keeps_its_own_language_only(notebook):
    english, chinese = page_html(notebook, "en", page()), page_html(notebook, "zh", page())
    assert '<html lang="en">' in english and '<html lang="zh-CN">' in chinese
    assert "EN table" in english and "中文表格" not in english and "中文说明" not in english
    assert "中文表格" in chinese and "EN table" not in chinese and "English prose" not in chinese
    assert "<strong>this</strong>" in english and "<strong>this</strong>" in chinese
    assert "<title>客户细分 · Customer tiers · October 2026</title>" in chinese


def test_headings_make_the_contents_with_the_same_ascii_anchors(notebook):
    def contents(text):
        return re.findall(r'<li class="(h\d)"><a href="#([^"]+)">([^<]+)</a>', text)

    english, chinese = page_html(notebook, "en", page()), page_html(notebook, "zh", page())
    assert contents(english) == [("h2", "s1", "Tiers &amp; stages"), ("h3", "s1-1", "Detail"), ("h2", "s2", "Last")]
    assert contents(chinese) == [("h2", "s1", "层级与阶段"), ("h3", "s1-1", "细节"), ("h2", "s2", "最后")]
    assert '<h3 id="s1-1">细节</h3>' in chinese
    assert english.count("<h1") == 1 and "<h1>Segment customers</h1>" in english


def test_nothing_is_fetched_and_scripts_are_named_by_their_hash(notebook):
    text = page_html(notebook, "en", page())
    assert not re.search(r'(?:src|srcset|action|poster)="(?!data:)', text)
    assert not re.search(r"<link|<iframe|@import|url\((?!#|data:)|mathjax|require\.js", text, flags=re.IGNORECASE)
    script = re.search(r"<script>(.*?)</script>", text, flags=re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert f"script-src 'sha256-{digest}'" in policy
    assert 'src="data:image/png;base64,aGk="' in text


def test_code_is_folded_but_there_and_set_up_is_left_out(notebook):
    text = page_html(notebook, "en", page())
    assert text.count('<details class="code">') == 4
    assert "<details open" not in text
    assert "&lt;tag&gt;" in text
    for left_out in ("PARAMETER", "INJECTED", "HIDDEN"):
        assert left_out not in text


def test_errors_and_standard_error_never_show_and_plain_text_only_alone(notebook):
    text = page_html(notebook, "en", page())
    assert "SECRET" not in text
    assert '<pre class="plain">7 rows &lt;&amp;\n</pre>' in text
    assert "Axes" not in text


@pytest.mark.parametrize(
    ("changed", "english", "chinese"),
    [
        (3, "3 cells differ from the committed notebook.", "3个单元格与已提交的版本不同。"),
        (1, "1 cell differs from the committed notebook.", "1个单元格与已提交的版本不同。"),
        (0, "The notebook is as committed.", "笔记本与已提交的版本一致。"),
    ],
)
def test_a_changed_notebook_says_so(notebook, changed, english, chinese):
    assert english in page_html(notebook, "en", page(changed_cells=changed))
    assert chinese in page_html(notebook, "zh", page(changed_cells=changed))


def test_without_a_commit_nothing_is_claimed(notebook):
    assert "committed" not in page_html(notebook, "en", page(changed_cells=None))


def test_the_header_names_report_month_and_other_pages(notebook):
    text = page_html(notebook, "en", page(report_title="A <b> & co", archive="../../../index.html"))
    assert "A &lt;b&gt; &amp; co · October 2026 · Data as of October 31, 2026" in text
    assert '<a href="02_segment_customers.html" aria-current="page">Segments</a>' in text
    assert '<a href="../zh/02_segment_customers.html" lang="zh-CN">中文</a>' in text
    assert '<a href="../../../index.html">All reports</a>' in text
    assert "<li>tierbook 0.1.0 &lt;script&gt;</li>" in text


def test_a_title_cannot_end_the_style_that_prints_it(notebook):
    text = page_html(notebook, "en", page(report_title='A"}</style><script>\\'))
    assert '@bottom-left{content:"A}/style>script> · October 2026"}' in text
    assert text.count("</style>") == 1 and "<script>\\" not in text


def test_the_front_page_carries_the_reports_title(notebook):
    text = page_html(notebook, "en", page(front=True))
    assert "<h1>Customer tiers</h1>" in text
    assert "<title>Customer tiers · October 2026</title>" in text


def test_a_language_that_was_not_rendered_falls_back_to_the_first():
    nb = v4.new_notebook(cells=[code("x", displayed(en="<p>only English</p>"))])
    assert "only English" in page_html(nb, "zh", page())


def test_the_sign_off_is_there_for_print(notebook):
    assert '<p class="sign"><span>审阅</span><span>日期</span></p>' in page_html(notebook, "zh", page())


def test_the_same_notebook_gives_the_same_bytes_and_is_not_touched(notebook):
    before = repr(notebook)
    assert page_html(notebook, "en", page()) == page_html(notebook, "en", page())
    assert repr(notebook) == before


def test_an_empty_notebook_is_a_page():
    assert "<h1>02_segment_customers</h1>" in page_html(v4.new_notebook(), "en", page())


@pytest.mark.browser
def test_a_reader_sorts_and_unfolds_without_any_request(browser, tmp_path):
    frame = pd.DataFrame({"customer_id": ["a", "b", "c", "d"], "orders": pd.array([10, 9, None, 100], dtype="Int64")})
    cell = code("show.table(frame)", displayed(en=tables.html(frame, Words("en"))))
    address = tmp_path / "page.html"
    address.write_text(page_html(v4.new_notebook(cells=[markdown("## Tiers"), cell]), "en", page()), encoding="utf-8")
    tab = browser.new_page(viewport={"width": 390, "height": 800})
    requests, complaints = [], []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("console", lambda message: complaints.append(message.text))
    tab.goto(address.as_uri())
    heading = tab.get_by_role("columnheader", name="Orders")
    heading.get_by_role("button").press("Enter")
    rising = tab.locator("tbody th").all_inner_texts()
    heading.get_by_role("button").click()
    falling = tab.locator("tbody th").all_inner_texts()
    folded = tab.locator("details.code pre").is_visible()
    tab.get_by_role("button", name="Show all code").first.click()
    unfolded = tab.locator("details.code pre").is_visible()
    width = tab.evaluate("document.documentElement.scrollWidth")
    tab.close()
    # by number and not by text, the empty one last either way
    assert (rising, falling) == (["b", "a", "d", "c"], ["d", "a", "b", "c"])
    assert (folded, unfolded) == (False, True)
    assert width == 390
    assert (requests, complaints) == ([address.as_uri()], [])


@pytest.mark.browser
def test_a_reader_filters_a_long_table_and_a_short_one_has_no_field(browser, tmp_path):
    # 10,000 rows, of which some hold "C77"; its case and blanks do not matter
    long = pd.DataFrame({"customer_id": [f"c{n}" for n in range(10_000)], "orders": range(10_000)})
    shown = [tables.html(frame, Words("en"), rows=10_000) for frame in (long, long.head(15))]
    cells = [code("show.table(frame)", displayed(en=table)) for table in shown]
    address = tmp_path / "page.html"
    address.write_text(page_html(v4.new_notebook(cells=[markdown("## Tiers"), *cells]), "en", page()), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(address.as_uri())
    field = tab.get_by_role("searchbox", name="Filter the rows")
    assert field.count() == 1
    field.fill(" C77 ")
    left = "document.querySelector('tbody').querySelectorAll('tr:not([hidden])').length"
    some, said = tab.evaluate(left), tab.get_by_role("status").inner_text()
    seconds = tab.evaluate("""() => {
        const field = document.querySelector("p.filter input"), started = performance.now();
        field.value = "c9"; field.dispatchEvent(new Event("input")); document.body.offsetHeight;
        return (performance.now() - started) / 1000; }""")
    field.fill("")
    every = tab.evaluate(left)
    tab.close()
    # c77, c770 to c779 and c7700 to c7799: 1 + 10 + 100
    assert (some, said, every) == (111, "111 / 10000", 10_000)
    assert seconds < 5, "a reader would notice"
