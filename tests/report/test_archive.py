"""The list of all reports, and the links from month to month."""

import json
import re

import pytest

from tierbook.errors import PublishError
from tierbook.report.archive import UNFOLDED, neighbours, published, write_index

PATH = [{"month": f"2026-{n:02d}", "value": 1000.0 * n} for n in range(1, 10)]
SALES = {"measure": "net_sales", "value": 9000.0, "unit": "money", "n": None, "path": PATH}


def publish(outputs, name, as_of, languages=("en", "zh"), title=None, manifest=None, **told):
    folder = outputs / name / as_of
    for language in languages:
        (folder / language).mkdir(parents=True)
        (folder / language / "index.html").touch()
    run = {"params": {"currency": "CNY", "report": {"title": title or {"en": "Tiers", "zh": "月报"}}}, **told}
    (folder / "run.json").write_text(manifest or json.dumps(run), encoding="utf-8")


def index(outputs):
    return write_index(outputs).read_text(encoding="utf-8")


def reports(page):
    """Addresses of the reports' own pages, in the order of the list."""
    return [link for link in re.findall(r'<a href="([^"]+)"', page) if not link.startswith("#")]


def test_newest_first_with_a_link_to_each_language(tmp_path):
    publish(tmp_path, "demo", "2026-09-30")
    publish(tmp_path, "demo", "2026-10-31")
    publish(tmp_path, "cdnow", "1997-09-30", ["en"])
    page = index(tmp_path)
    assert reports(page) == [
        "demo/2026-10-31/en/index.html",
        "demo/2026-10-31/zh/index.html",
        "demo/2026-09-30/en/index.html",
        "demo/2026-09-30/zh/index.html",
        "cdnow/1997-09-30/en/index.html",
    ]
    assert all((tmp_path / link).exists() for link in reports(page))
    assert set(re.findall(r'href="#([^"]+)"', page)) == {"report-demo", "report-cdnow"}
    assert all(f'<section class="report" id="{name}">' in page for name in ("report-demo", "report-cdnow"))


def test_reports_stay_together_the_one_with_the_newest_month_first(tmp_path):
    for name, as_of in (("a", "2026-08-31"), ("b", "2026-09-30"), ("a", "2026-10-31"), ("b", "2026-07-31")):
        publish(tmp_path, name, as_of, ["en"])
    shown = [link.removesuffix("/en/index.html") for link in reports(index(tmp_path))]
    assert shown == ["a/2026-10-31", "a/2026-08-31", "b/2026-09-30", "b/2026-07-31"]


def test_verdict_and_measures_stand_in_both_languages(tmp_path):
    said = {"en": "Sales rose by 5%.", "zh": "销售额增长5%。"}
    publish(tmp_path, "demo", "2026-09-30", headline=said, measures=[SALES])
    page = index(tmp_path)
    assert (
        '<span class="t" lang="en">Sales rose by 5%.</span><span class="t" lang="zh-CN">销售额增长5%。</span>' in page
    )
    assert "CN¥9,000" in page and "9,000元" in page and "September 2026" in page and "2026年9月" in page
    assert page.count("<svg") == 2 and "2026-01 – 2026-09" in page  # one line in each language


def test_a_headline_in_one_language_is_shown_to_every_reader(tmp_path):
    publish(tmp_path, "demo", "2026-09-30", ["zh"], title={"zh": "月报"}, headline={"zh": "销售额增长。"})
    page = index(tmp_path)
    assert '<span lang="zh-CN">销售额增长。</span>' in page and '<span lang="zh-CN">月报</span>' in page


def test_older_reports_lengthen_the_line_and_the_newest_has_the_last_word(tmp_path):
    old = SALES | {"path": [{"month": "2025-12", "value": 500.0}, {"month": "2026-01", "value": 1.0}]}
    publish(tmp_path, "demo", "2026-01-31", measures=[old])
    publish(tmp_path, "demo", "2026-09-30", measures=[SALES])
    page = index(tmp_path)
    # ten months: 500 of December, then 1,000 to 9,000; the 1 that January once had is restated
    assert "2025-12 – 2026-09" in page
    assert "last 10 months: now CN¥9,000, before CN¥8,000, lowest CN¥500, highest CN¥9,000" in page


@pytest.mark.parametrize(
    "measures",
    [
        "none",
        [1, None, {}],
        [{"measure": "net_sales", "unit": "money", "path": "x"}],
        [{"measure": "net_sales", "unit": "furlongs", "path": []}],
        [{"measure": ["x"], "unit": "money", "value": "much", "path": [7, {"month": "then", "value": 1}]}],
        [{"measure": "nps", "unit": "points", "value": None, "path": [{"month": "2026-09", "value": None}]}],
    ],
)
def test_measures_of_another_form_lose_no_report(tmp_path, measures):
    publish(tmp_path, "demo", "2026-09-30", measures=measures, headline=["not", "a", "mapping"])
    page = index(tmp_path)
    assert "demo/2026-09-30/en/index.html" in page and "<svg" not in page and "furlongs" not in page


@pytest.mark.parametrize("manifest", ["not json", "[]", "{}", '{"params": null}', '{"params": {"report": 3}}'])
def test_a_damaged_manifest_still_lists_the_report(tmp_path, manifest):
    publish(tmp_path, "demo", "2026-10-31", manifest=manifest)
    assert "demo/2026-10-31/en/index.html" in index(tmp_path)


def test_hidden_folders_and_unfinished_ones_are_no_reports(tmp_path):
    publish(tmp_path, ".superseded", "2026-10-31")
    publish(tmp_path, "demo", ".2026-10-31")
    (tmp_path / "demo" / "2026-09-30").mkdir()
    assert published(tmp_path) == []
    assert "No report has been published yet." in index(tmp_path)


HOSTILE = "</span><script>alert(1)</script>\"'<img src=x onerror=alert(1)>"


def test_names_are_quoted_in_links_and_every_text_is_escaped(tmp_path):
    measure = SALES | {"measure": HOSTILE}
    hostile = {"title": {"en": HOSTILE, "zh": HOSTILE}, "headline": {"en": HOSTILE}, "measures": [measure]}
    publish(tmp_path, '月报 #1"', "2026-10-31", **hostile)
    publish(tmp_path, "月报 #1", "<b>then</b>".replace("/", "_"), **hostile)
    page = index(tmp_path)
    assert "%E6%9C%88%E6%8A%A5%20%231/" in page and 'id="report-%E6%9C%88%E6%8A%A5%20%231%22"' in page
    assert page.count("<script>") == 1 and "<img" not in page and "<b>then" not in page
    assert page.count("&lt;script&gt;") >= 5


def test_the_page_fetches_nothing_and_runs_no_script_but_its_own(tmp_path):
    import base64
    import hashlib

    publish(tmp_path, "demo", "2026-10-31", measures=[SALES])
    page = index(tmp_path)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)[1]
    assert policy.startswith("default-src 'none'") and f"script-src 'sha256-{digest}'" in policy.replace("&#39;", "'")
    assert not re.search(r"https?://|src=|url\(", page)


def test_many_months_are_folded_and_all_there(tmp_path):
    months = [f"{year}-{month:02d}-28" for year in (2025, 2026) for month in range(1, 11)]
    for name in ("a", "b", "c"):
        for as_of in months:
            publish(tmp_path, name, as_of, ["en"])
    page = index(tmp_path)
    assert len(reports(page)) == len(set(reports(page))) == 60
    assert page.count("<details") == 3 and f"{20 - UNFOLDED} earlier reports" in page
    open_part = page.split("<details")[0]
    assert len(reports(open_part)) == UNFOLDED


def test_the_index_is_replaced_whole_and_leaves_nothing_behind(tmp_path):
    publish(tmp_path, "demo", "2026-10-31", measures=[SALES])
    first = write_index(tmp_path).read_bytes()
    assert write_index(tmp_path).read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo", "index.html"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "outputs").touch()
    with pytest.raises(PublishError, match="cannot write the list of reports"):
        write_index(tmp_path / "outputs")


@pytest.mark.parametrize(
    ("as_of", "links"),
    [
        ("2026-05-31", [("next", "2026-06-30")]),
        ("2026-06-30", [("next", "2026-08-31")]),  # a month made again does not lead to itself
        ("2026-07-31", [("prev", "2026-06-30"), ("next", "2026-08-31")]),
        ("2026-09-30", [("prev", "2026-08-31")]),
    ],
)
def test_links_lead_to_the_nearest_months_on_either_side(tmp_path, as_of, links):
    for day in ("2026-06-30", "2026-08-31"):
        publish(tmp_path, "demo", day)
    publish(tmp_path, "other", "2026-07-30")
    publish(tmp_path, "demo", "2026-07-15", ["zh"])  # not in this language
    found = neighbours(tmp_path, "demo", as_of, "en/index.html")
    assert found == tuple((rel, f"../../{day}/en/index.html", day) for rel, day in links)


def test_a_month_without_the_page_is_met_at_its_first(tmp_path):
    publish(tmp_path, "demo", "2026-09-30")
    (tmp_path / "demo" / "2026-09-30" / "zh" / "02_b.html").touch()
    assert neighbours(tmp_path, "demo", "2026-10-31", "zh/02_b.html")[0][1] == "../../2026-09-30/zh/02_b.html"
    assert neighbours(tmp_path, "demo", "2026-10-31", "zh/03_c.html")[0][1] == "../../2026-09-30/zh/index.html"


def test_the_first_report_has_no_links(tmp_path):
    assert neighbours(tmp_path, "demo", "2026-10-31", "en/index.html") == ()
