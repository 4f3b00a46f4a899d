"""The demo's report, made once as a user makes it, opened in a real browser, every request recorded."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pandas as pd
import pytest

from page_audit import contrast_in_both_schemes, raw_python, violations
from tierbook.book import COLUMNS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    "index",
    "01_profile_data",
    "02_segment_customers",
    "03_estimate_value",
    "04_track_movement",
    "05_find_needs",
    "06_review_campaign",
]
TABLES = {
    "row_accounting": ["table", "reason", "rows", "amount", "example"],
    "tiers": ["scheme", "name", "customers", "share", "revenue", "revenue_share", "mean_recency_days", "mean_frequency", "mean_monetary", "mean_clv"],
    "movement": ["from_tier", "to_tier", "customers", "usual_low", "usual_high", "same_month_last_year", "revenue", "moved_by_customer", "moved_by_scale"],
    "clv_model": ["model", "parameter", "estimate", "std_error", "log_likelihood", "chosen"],
    "clv_backtest": ["slice", "customers", "actual_orders", "predicted_orders", "ratio", "past_rate_ratio", "mae", "log_score", "past_rate_log_score", "stated_80", "coverage_80"],
    "campaign_effects": ["campaign", "arm", "tier", "outcome", "n_treated", "n_control", "mean_treated", "mean_control", "effect", "low", "high", "p", "p_holm", "srm_p", "interaction_p", "verdict", "next_n"],
    "scorecard": ["chapter", "measure", "value", "previous", "year_ago", "target", "change", "low", "high", "unit", "n"],
}  # fmt: skip


@pytest.fixture(scope="module")
def outputs(tmp_path_factory, run_report):
    """The demo's report, run from another folder than the project's."""
    folder = tmp_path_factory.mktemp("demo") / "outputs"
    assert run_report(ROOT / "params" / "demo.yaml", folder) == folder / "demo" / "2026-10-31"
    return folder


@pytest.fixture(scope="module")
def report(outputs):
    return outputs / "demo" / "2026-10-31"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_figure_says_its_own_finding_with_a_number(report, language):
    for page in PAGES:
        figures = re.findall(r'<figure class="fig"[^>]*>', (report / language / f"{page}.html").read_text())
        said = [re.search(r'aria-label="([^"]*)"', figure)[1] for figure in figures]
        assert said and len(set(said)) == len(said), f"{page}: {said}"
        assert all('role="img"' in figure for figure in figures)
        assert all(re.search(r"\d", sentence) for sentence in said), f"{page}: {said}"


def test_the_folder_holds_what_the_contract_names(outputs, report):
    for language in ("en", "zh"):
        assert sorted(p.stem for p in (report / language).glob("*.html")) == sorted(PAGES)
    assert (report / "customers.xlsx").stat().st_size > 10_000
    assert (outputs / "index.html").exists()
    assert not (report / "notebooks").exists()
    for name, columns in TABLES.items():
        assert list(pd.read_csv(report / "tables" / f"{name}.csv").columns) == columns, name


def test_the_book_has_one_row_per_customer_and_the_contract_columns(report):
    book = pd.read_parquet(report / "tables" / "customers.parquet")
    assert list(book.columns) == COLUMNS
    assert book["customer_id"].is_unique
    written = pd.read_csv(report / "tables" / "customers.csv", dtype={"customer_id": str})
    assert list(written["customer_id"]) == list(book["customer_id"])


def test_sums_agree_from_the_export_to_the_book(report):
    """What the demo writes, counted by SQL that knows nothing of the library, is what the report says."""
    import duckdb

    work = next((report.parents[1] / ".work").glob("demo-*/tables"))
    orders = f"""(SELECT DISTINCT ON (line_id) * FROM read_csv('{work}/transactions.csv')
        WHERE status <> 'closed' AND customer_id IS NOT NULL AND customer_id <> 'WALK-IN')"""
    lines, money = duckdb.sql(f"SELECT count(*), round(sum(amount), 2) FROM {orders}").fetchone()
    accounting = pd.read_csv(report / "tables" / "row_accounting.csv")
    read = duckdb.sql(f"SELECT count(*), round(sum(amount), 2) FROM read_csv('{work}/transactions.csv')").fetchone()
    of_orders = accounting[accounting["table"] == "transactions"]
    kept = of_orders[of_orders["reason"] == "kept"].iloc[0]
    assert (kept["rows"], round(kept["amount"], 2)) == (lines, money)
    assert (of_orders["rows"].sum(), round(of_orders["amount"].sum(), 2)) == read
    book = pd.read_parquet(report / "tables" / "customers.parquet")
    window = duckdb.sql(f"""SELECT customer_id, round(sum(amount), 2) AS money FROM {orders}
        WHERE ordered_at::DATE > DATE '2026-10-31' - 365 GROUP BY ALL""").df().set_index("customer_id")["money"]  # fmt: skip
    scored = book.dropna(subset=["monetary"]).set_index("customer_id")["monetary"].round(2)
    assert (scored == window.reindex(scored.index)).all()


def test_the_manifest_says_where_the_figures_come_from(report):
    run = json.loads((report / "run.json").read_text())
    assert run["as_of"] == "2026-10-31"
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in run["inputs"].values())
    assert any(path.endswith("transactions.csv") for path in run["inputs"])
    jsonschema.validate(run, json.loads((ROOT / "docs" / "run.schema.json").read_text(encoding="utf-8")))
    assert set(run["headline"]) == {"en", "zh"} and len(run["measures"]) == 4


def test_the_harmful_and_the_working_campaign_are_told_apart(report):
    effects = pd.read_csv(report / "tables" / "campaign_effects.csv")
    profit = effects[effects["outcome"] == "profit"].set_index(["campaign", "tier"])["verdict"]
    assert profit["2026-04 new arrivals coupon", "all"] == "works_and_pays"
    assert profit["2026-09 winback calls", "high"] == "harmful"
    assert profit["2026-06 newsletter", "all"] in {"no_difference", "not_enough_data"}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("page", PAGES)
def test_pages_are_whole_small_and_in_one_language(report, language, page):
    path = report / language / f"{page}.html"
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_size < 2_000_000
    assert not re.search(r"""(src|href)=["']?https?://""", text)
    assert "Traceback" not in text and "Warning:" not in text and "<NA>" not in text
    shown = re.sub(r"<(script|style|details|pre|svg)\b.*?</\1>", "", text, flags=re.S)
    chinese = len(re.findall(r"[\u4e00-\u9fff]", shown))
    assert chinese > 200 if language == "zh" else chinese < 30
    assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in text
    assert raw_python(text) == []


def watch(tab):
    """Addresses the page asks for, and what it complains of, as they come."""
    requests, troubles = [], []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("console", lambda message: troubles.append(message.text))
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    return requests, troubles


@pytest.mark.browser
@pytest.mark.parametrize("language", [pytest.param("en", marks=pytest.mark.long), "zh"])
def test_no_request_leaves_a_page_and_its_links_lead_somewhere(browser, report, language):
    for page in PAGES:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        tab = context.new_page()
        requests, troubles = watch(tab)
        address = (report / language / f"{page}.html").as_uri()
        tab.goto(address)
        tab.wait_for_timeout(100)
        assert requests == [address]
        assert troubles == []
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{page} scrolls sideways"
        links = tab.eval_on_selector_all("a[href]", "links => links.map(a => a.href)")
        files = {link.split("#")[0].removeprefix("file://") for link in links if link.startswith("file://")}
        assert files and all(Path(name).exists() for name in files)
        context.close()


def is_accessible(browser, address):
    """Open one page: no table is cut, and axe-core finds nothing at all, light or dark."""
    tab = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
    tab.goto(address.as_uri())
    boxes = "Array.from(document.querySelectorAll('.wide'))"
    assert tab.evaluate(f"{boxes}.filter((box) => box.scrollWidth > box.clientWidth + 1).length") == 0, address.name
    assert violations(tab, besides=["color-contrast"]) == [], address.name
    assert contrast_in_both_schemes(tab) == [], address.name
    tab.close()


# One style sheet and one set of builders make all pages; the long suite opens the others.
EVERY_DAY = ["en/index.html", "zh/02_segment_customers.html"]


@pytest.mark.browser
def test_axe_finds_nothing(browser, outputs, report):
    for address in [*(report / page for page in EVERY_DAY), outputs / "index.html"]:
        is_accessible(browser, address)


@pytest.mark.long
@pytest.mark.browser
def test_axe_finds_nothing_on_the_other_pages_either(browser, report):
    for language in ("en", "zh"):
        for page in PAGES:
            if f"{language}/{page}.html" not in EVERY_DAY:
                is_accessible(browser, report / language / f"{page}.html")


TABLES_AGAIN = """
import sys
from pathlib import Path
from tierbook import params
from tierbook.report import handoffs
from tierbook.workbook import Workbook
month = Workbook(params.load(Path(sys.argv[1])), Path(sys.argv[2]))
handoffs.write_tables(month, Path(sys.argv[2]) / "tables")
"""


@pytest.mark.long
def test_the_tables_are_the_same_in_another_place_zone_and_locale(report, tmp_path):
    elsewhere = {**os.environ, "TZ": "America/New_York", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    given = [str(ROOT / "params" / "demo.yaml"), str(tmp_path)]
    subprocess.run([sys.executable, "-c", TABLES_AGAIN, *given], check=True, env=elsewhere, timeout=300)
    first, again = ({p.name: p.read_bytes() for p in (at / "tables").iterdir()} for at in (report, tmp_path))
    assert first == again
