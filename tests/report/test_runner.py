"""The runner over small notebooks of the test's own: what is published, and what a failure leaves as it was."""

import json
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tierbook import params
from tierbook.errors import NotebookFailed, ParamsError, PublishError
from tierbook.report import handoffs, runner
from tierbook.report.pages import page_name
from tierbook.workbook import Workbook

ORDERS = "customer_id,ordered_at,amount\n" + "".join(f"c{n % 9},2026-{1 + n % 10:02d}-15,{10 + n}\n" for n in range(90))


def notebook(folder, stem, *code):
    """A notebook in the committed form, with the given code cells after its opening."""
    opening = "import tierbook\nmonth = tierbook.open(globals())\nshow = month.show"
    book = new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})
    book.cells = [
        new_markdown_cell(f"# {stem} in English", metadata={"tags": ["lang-en"]}),
        new_markdown_cell(f"# {stem} 中文", metadata={"tags": ["lang-zh"]}),
        new_code_cell("\n".join(f"{key} = None" for key in params.KEYS), metadata={"tags": ["parameters"]}),
        new_code_cell(opening),
        *map(new_code_cell, code),
    ]
    nbformat.write(book, folder / f"{stem}.ipynb")


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A run over two notebooks and a small orders file."""
    monkeypatch.setattr(runner, "NOTEBOOKS", tmp_path)
    monkeypatch.setenv("TIERBOOK_OUTPUTS", str(tmp_path / "out"))
    notebook(tmp_path, "01_count", "show.say('{n:number} lines', n=int(month.accounting()['rows'].sum()))")
    notebook(tmp_path, "07_summarise_month", "show.say('{d:date}', d=month.as_of)")
    (tmp_path / "orders.csv").write_text(ORDERS)
    tree = {
        "report": {"name": "shop"},
        "as_of": "2026-10-31",
        "source": {"transactions": {"path": str(tmp_path / "orders.csv")}},
    }
    return runner.Run(params.parse(tree), "shop.yaml", tmp_path / "out", jobs=2)


@pytest.mark.long
def test_a_good_run_is_published_and_a_failing_one_leaves_it_as_it_was(shop, tmp_path):
    page = runner.run(shop)
    report = shop.outputs / "shop" / "2026-10-31"
    assert page == report / "en" / "index.html"
    assert "90 lines" in (report / "en" / "01_count.html").read_text()
    assert "01_count 中文" in (report / "zh" / "index.html").read_text(), "pages link to each other in their language"
    assert "2026年10月31日" in (report / "zh" / "index.html").read_text()
    manifest = json.loads((report / "run.json").read_text())
    assert manifest["row_accounting"] == [{"table": "transactions", "reason": "kept", "rows": 90, "amount": 4905.0}]
    # 10 + 11 + … + 99 = 90 × 109 / 2 = 4,905
    assert manifest["notebooks"] == ["01_count", "07_summarise_month"]
    before = {path: path.read_bytes() for path in report.rglob("*") if path.is_file()}
    notebook(tmp_path, "01_count", "show.say('begun')", "raise ValueError('the figure is wrong')")
    with pytest.raises(
        NotebookFailed, match=r"01_count\.ipynb, cell \[4\] .*ValueError: the figure is wrong"
    ) as failed:
        runner.run(shop)
    assert "\n" not in str(failed.value)
    assert {path: path.read_bytes() for path in report.rglob("*") if path.is_file()} == before
    executed = shop.outputs / ".failed" / "shop" / "2026-10-31" / "notebooks" / "01_count.ipynb"
    assert "the figure is wrong" in executed.read_text()
    assert not list((shop.outputs / ".staging").iterdir())


@pytest.mark.long
def test_a_kernel_that_dies_is_a_failure_of_one_line(shop, tmp_path):
    notebook(tmp_path, "01_count", "import os; os._exit(9)")
    with pytest.raises(NotebookFailed, match=r"01_count\.ipynb") as failed:
        runner.run(shop)
    assert "\n" not in str(failed.value)
    assert not (shop.outputs / "shop").exists()


def test_only_one_notebook_is_a_preview_and_publishes_nothing(shop):
    shop.only = "01_count"
    page = runner.run(shop)
    assert page.is_file() and ".preview" in page.parts
    assert not (shop.outputs / "shop").exists() and not (shop.outputs / "index.html").exists()


def test_chosen_notebooks_are_those_of_the_params_in_their_order(shop):
    tree = params.dump(shop.params)
    tree["report"]["notebooks"] = ["07_summarise_month"]
    assert [path.stem for path in runner.chosen(params.parse(tree))] == ["07_summarise_month"]
    tree["report"]["notebooks"] = ["02_segment"]
    with pytest.raises(ParamsError, match="02_segment"):
        runner.chosen(params.parse(tree))


def test_without_the_summary_the_first_notebook_is_the_front(tmp_path):
    paths = [tmp_path / "01_a.ipynb", tmp_path / "02_b.ipynb"]
    assert [page_name(path.stem, paths) for path in paths] == ["index.html", "02_b.html"]


@pytest.mark.long
def test_tables_that_cannot_be_written_publish_nothing(shop, monkeypatch):
    def full(month, folder):
        raise OSError(28, "No space left on device", str(folder))

    monkeypatch.setattr(handoffs, "write_tables", full)
    with pytest.raises(PublishError, match="No space left on device; nothing was published"):
        runner.run(shop)
    assert not (shop.outputs / "shop").exists()


def test_formulas_in_ids_are_harmless_in_csv(tmp_path, monkeypatch):
    """A customer named =cmd() stays text; a negative amount stays a number."""
    monkeypatch.setenv("TIERBOOK_OUTPUTS", str(tmp_path / "out"))
    (tmp_path / "orders.csv").write_text(
        "customer_id,ordered_at,amount\n=cmd(),2026-10-01,5\n@x,2026-10-02,7\nplain,2026-10-03,9\n"
    )
    tree = {
        "report": {"name": "shop"},
        "as_of": "2026-10-31",
        "source": {"transactions": {"path": str(tmp_path / "orders.csv")}},
    }
    month = Workbook(params.parse(tree))
    handoffs.write_tables(month, tmp_path / "tables")
    lines = (tmp_path / "tables" / "customers.csv").read_text().splitlines()[1:]
    assert [line.split(",")[0] for line in lines] == ["'=cmd()", "'@x", "plain"]


@pytest.mark.parametrize(
    ("engine", "customers", "dear"),
    [("duckdb", 200_000, False), ("duckdb", 200_001, True), ("spark", 1, True), ("duckdb", None, False)],
)
def test_tables_come_before_the_pages_where_two_processes_would_compute_one_step(engine, customers, dear):
    """A trial alone (no customers) has no step of orders."""
    params = SimpleNamespace(engine=SimpleNamespace(name=engine))
    month = SimpleNamespace(params=params, on_orders=customers is not None, size=customers)
    assert runner._is_dear(month) is dear
