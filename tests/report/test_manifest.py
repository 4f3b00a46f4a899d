"""run.json, its schema, and the footer that says how a page was made."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import nbformat
import pandas as pd
import pytest

from tierbook import params
from tierbook.params import ROOT
from tierbook.report import headline, made, manifest
from tierbook.report.export import Page, page_html
from tierbook.report.pages import pages
from tierbook.show.words import Words
from tierbook.workbook import Workbook

SCHEMA = json.loads((ROOT / "docs" / "run.schema.json").read_text(encoding="utf-8"))
# nine customers, one order each in ten months of 2026; the amounts run from 10 to 99
ORDERS = "customer_id,ordered_at,amount\n" + "".join(f"c{n % 9},2026-{1 + n % 10:02d}-15,{10 + n}\n" for n in range(90))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shop")


@pytest.fixture(scope="module")
def notebooks(folder):
    paths = [folder / "01_count.ipynb", folder / "07_summarise_month.ipynb"]
    for path in paths:
        book = nbformat.v4.new_notebook()
        book.cells = [nbformat.v4.new_markdown_cell(f"# {path.stem}", metadata={"tags": ["lang-en", "lang-zh"]})]
        nbformat.write(book, path)
    return paths


@pytest.fixture(scope="module")
def month(folder):
    (folder / "orders.csv").write_text(ORDERS)
    tree = {
        "report": {"name": "shop"},
        "as_of": "2026-10-31",
        "source": {"transactions": {"path": str(folder / "orders.csv"), "exclude": {"customer_id": ["c8"]}}},
        "targets": {"net_sales": 1000},
        "seed": 11,
    }
    return Workbook(params.parse(tree), folder / "out")


@pytest.fixture(scope="module")
def facts(month, notebooks):
    return manifest.facts(month, "params/shop.yaml", notebooks)


@pytest.fixture(scope="module")
def run(month, facts, folder):
    manifest.write(month, facts, {"accounting": 0.5}, folder)
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def test_the_schema_is_one_and_the_manifest_keeps_it(run):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(run, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert set(SCHEMA["properties"]) == set(run), "every key is described, and there is no other"


@pytest.mark.parametrize(
    "change",
    [
        {"fingerprint": None},
        {"as_of": "October"},
        {"inputs": {"orders.csv": "abc"}},
        {"row_accounting": [{"table": "transactions", "reason": "kept", "rows": -1, "amount": 1.0}]},
        {"headline": {"en": ""}},
        {"measures": [{"measure": "net_sales", "value": 1, "unit": "furlongs", "path": []}]},
        {"gates": None},
    ],
)
def test_the_schema_refuses_what_is_no_manifest(run, change):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(run | change, SCHEMA)


def test_every_key_of_the_contract_is_required():
    # DESIGN 6: params, row counts, input sha256, code and library versions, seed, timings, gates, changed notebooks
    contract = {
        "params",
        "row_accounting",
        "inputs",
        "code",
        "versions",
        "seed",
        "seconds",
        "gates",
        "changed_notebooks",
    }
    assert contract <= set(SCHEMA["required"])


def test_what_json_does_not_know_is_null_and_text_stays_text():
    told = {"a": math.nan, "b": [math.inf, "NaN", {"c": -math.inf}], "d": 1.5}
    assert manifest._plain(told) == {"a": None, "b": [None, "NaN", {"c": None}], "d": 1.5}


def test_the_measures_are_those_of_the_scorecard(month, run):
    sales = next(row for row in run["measures"] if row["measure"] == "net_sales")
    # October's lines are n = 9, 19, … 89, of which n % 9 == 8 (n = 89 alone) is customer c8, excluded:
    # amounts 19 + 29 + … + 89 = 432; September's are n = 8, 18, … 88 less n = 8: 28 + 38 + … + 98 = 504
    assert sales["value"] == 432 and sales["previous"] == 504 and sales["target"] == 1000
    assert sales["path"][-2:] == [{"month": "2026-09", "value": 504.0}, {"month": "2026-10", "value": 432.0}]
    assert [point["month"] for point in sales["path"]] == sorted(point["month"] for point in sales["path"])
    assert run["headline"]["en"].startswith("Net sales CN¥432 (−14.3% on last month, target reached 43%)")  # 432 / 504
    assert headline.headline(month, "zh").endswith("。")


def test_a_share_on_fewer_than_ten_is_null(run):
    # eight customers are left
    rate = next(row for row in run["measures"] if row["measure"] == "repeat_rate")
    assert rate["value"] is None and all(point["value"] is None for point in rate["path"])


def test_masked_ids_leave_no_id_in_the_params(month):
    assert manifest.shown_params(month.params)["source"]["transactions"]["exclude"] == {"customer_id": ["c8"]}
    report = month.params.report.model_copy(update={"mask_customer_ids": True})
    masked = month.params.model_copy(update={"report": report})
    assert "c8" not in json.dumps(manifest.shown_params(masked))


def test_the_params_that_differ_are_told_and_no_others(month):
    assert [".".join(place) for place in made.changed(month.params)] == [
        "report.name", "as_of", "source.transactions.exclude", "targets", "seed",
    ]  # fmt: skip


def test_the_footer_tells_inputs_params_scale_gates_and_versions(month, facts, folder):
    sections = dict(made.sections(month, Words("en"), facts))
    digest = facts["inputs"][str(folder / "orders.csv")]
    assert sections["Data"][0] == f"Orders: 90 rows read, 80 counted · orders.csv (sha256 {digest[:12]})"
    assert str(folder) not in json.dumps(list(sections.items())), "where files lie is the machine's affair"
    assert "seed = 11" in sections["Parameters"] and 'targets = {"net_sales": 1000.0}' in sections["Parameters"]
    assert sections["Cut points"] == ("Fitted on the 8 customers of this month; no scale is frozen.",)
    missed = sum(gate["result"] != "pass" for gate in facts["gates"])
    assert sections["Requirements on the data"][0] == f"{len(facts['gates']) - missed} of {len(facts['gates'])} met"
    assert sections["Notebooks"] == ("No commit to compare with: 01_count.ipynb and 07_summarise_month.ipynb",)
    assert f"pandas {pd.__version__}" in sections["Versions"][0] and "python 3." in sections["Versions"][0]
    assert facts["fingerprint"] in sections["To make it again"][0]


@pytest.mark.parametrize(
    ("valid_from", "review_by", "told"),
    [
        # twelve months after valid_from, where the file does not say another day
        ("2026-10-31", None, ["0 months old", "be reviewed by October 31, 2027."]),
        ("2026-09-30", None, ["1 month old", "be reviewed by September 30, 2027."]),
        ("2025-10-31", None, ["12 months old", "be reviewed by October 31, 2026."]),
        ("2025-10-30", None, ["12 months old", "was due on October 30, 2026."]),
        ("2025-10-30", "2027-01-31", ["12 months old", "be reviewed by January 31, 2027."]),
        ("2026-11-01", None, ["valid from November 1, 2026 only, after", "be reviewed by November 1, 2027."]),
    ],
)
def test_the_age_and_the_review_of_a_frozen_scale(month, valid_from, review_by, told):
    scale = replace(month.scale, valid_from=valid_from, review_by=review_by)
    frozen = SimpleNamespace(scale=scale, scale_path=Path("scales/shop.yaml"), as_of=month.as_of)
    lines = list(made._scale(Words("en"), frozen))
    assert [part in line for part, line in zip(told, lines, strict=True)] == [True, True], lines
    assert lines[0].startswith("The frozen scale shop.yaml is ")


def test_changed_notebooks_are_named_with_their_cells(facts):
    known = {"changed_notebooks": {"01_count.ipynb": 1}, "uncommitted_notebooks": []}
    told = list(made._notebooks(Words("en"), facts | known))
    assert told == ["01_count.ipynb: 1 cell differs from the committed notebook", "1 as committed"]


def test_many_files_are_cut_short_and_run_json_has_them_all():
    files = {f"{n:02d}.csv": "a" * 64 for n in range(made.MOST_FILES + 3)}
    told = made._named(Words("en"), files)
    assert told.count("sha256") == made.MOST_FILES and told.endswith("3 more files in run.json")


def test_pages_know_their_place_their_list_and_the_month_before(month, facts, notebooks, tmp_path):
    before = tmp_path / "shop" / "2026-09-30"
    (before / "en").mkdir(parents=True)
    for file in ("en/index.html", "run.json"):
        (before / file).touch()
    found = dict(pages(month, facts, notebooks, tmp_path))
    place, page = found[notebooks[0]]["en"]
    assert place == "en/01_count.html" and not page.front and page.archive == "../../../index.html#report-shop"
    assert page.months == (("prev", "../../2026-09-30/en/index.html", "September 2026"),)
    assert page.other_languages == (("zh", "../zh/01_count.html"),)
    assert [current for _, _, current in page.links] == [False, True]
    assert found[notebooks[0]]["zh"][1].months == (), "that month is not published in Chinese"
    assert found[notebooks[1]]["en"][0] == "en/index.html"
    preview = dict(pages(month, facts, notebooks, None))[notebooks[0]]["en"][1]
    assert preview.archive is None and preview.months == ()


def test_the_month_before_changes_its_link_and_nothing_else(notebooks):
    book = nbformat.read(notebooks[0], as_version=4)
    plain = {"report_title": "Tiers", "month_label": "October 2026", "as_of": "2026-10-31", "notebook_stem": "01_count"}
    alone = page_html(book, "en", Page(**plain))
    linked = page_html(book, "en", Page(**plain, months=(("prev", "../../2026-09-30/en/a.html", "September 2026"),)))
    nav = re.compile(r'\n<nav class="months".*?</nav>', re.DOTALL)
    assert nav.search(linked) and not nav.search(alone) and nav.sub("", linked) == alone


def test_the_footer_is_escaped_and_folded(notebooks):
    book = nbformat.read(notebooks[0], as_version=4)
    basis = (("Data", ("<script>alert(1)</script>.csv",)),)
    page = page_html(book, "en", Page("Tiers", "October 2026", "2026-10-31", "01_count", made=("x",), basis=basis))
    assert "<script>alert" not in page and "<dd>&lt;script&gt;alert(1)&lt;/script&gt;.csv</dd>" in page
    assert '<details class="made">' in page
