"""The committed notebooks: their form, and that each runs alone and notices when its figures are wrong."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from notebook_form import cells, faults, source, tags

from tierbook import params
from tierbook.report import form

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
CASES = sorted((ROOT / "notebooks" / "cases").glob("*.ipynb"))
TEMPLATE = ROOT / "docs" / "how-to" / "new_notebook.ipynb"
# What is spoiled before the workbook is opened: tables lose their first row, so that sums no longer agree.
SPOIL = """
from tierbook.workbook import Workbook
def _less(step):
    return lambda self, *given, **named: step(self, *given, **named).iloc[1:].reset_index(drop=True)
for _name in ("movement", "accounting", "tiers"):
    setattr(Workbook, _name, _less(getattr(Workbook, _name)))
_belied, _campaigns, _counts = Workbook.value_belied, Workbook.campaigns_counted, Workbook.counts
Workbook.value_belied = lambda self: {**_belied(self), "thirds": _belied(self)["thirds"].iloc[1:]}
_fewer = lambda people: people.assign(customers=people["customers"] - 1)
Workbook.counts = lambda self: _fewer(_counts(self))
Workbook.campaigns_counted = lambda self: {**_campaigns(self), "people": _fewer(_campaigns(self)["people"])}
"""


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Kept steps shared by the runs of this file."""
    return tmp_path_factory.mktemp("notebooks")


def test_all_the_notebooks_of_the_report_are_here():
    """An analyst's own may stand beside them."""
    assert {path.stem for path in NOTEBOOKS} >= {
        "01_profile_data", "02_segment_customers", "03_estimate_value", "04_track_movement", "05_find_needs", "06_review_campaign", "07_summarise_month",
    }  # fmt: skip


def test_each_case_has_its_params_and_each_params_file_its_case():
    named = {params.load(path).report.notebooks[0]: path for path in (ROOT / "params" / "cases").glob("*.yaml")}
    assert sorted(named) == [f"cases/{path.stem}" for path in CASES] and len(CASES) >= 6
    for notebook, path in named.items():
        text = (ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8")
        assert f"params/cases/{path.name}" in text, "Run All without params opens the case's own"


@pytest.mark.parametrize("path", [*NOTEBOOKS, *CASES, TEMPLATE], ids=lambda p: p.stem)
def test_form(path):
    assert faults(path) == []
    assert form.checked(path) == path, "a run takes it"


@pytest.mark.parametrize("path", [*NOTEBOOKS, *CASES, TEMPLATE], ids=lambda p: p.stem)
def test_each_opens_with_a_question_and_how_to_change_it(path):
    """First what the page is about, then, off the page, how to work in JupyterLab; the wall of None is folded there."""
    opening = list(itertools.takewhile(lambda cell: cell["cell_type"] == "markdown", cells(path)))
    assert [tags(cell) for cell in opening] == [{"lang-en"}, {"lang-zh"}, {"lang-en", "hide"}, {"lang-zh", "hide"}]
    assert all("?" in source(cell) or "？" in source(cell) for cell in opening[:2])
    assert all("docs/how-to" in source(cell) and len(source(cell)) < 500 for cell in opening[2:])
    parameters = cells(path)[len(opening)]
    assert "parameters" in tags(parameters) and parameters["metadata"]["jupyter"] == {"source_hidden": True}


def nbval(paths, outputs, cwd):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider", "-n0", "--rootdir", str(paths[0].parent), *map(str, paths)],
        capture_output=True, text=True, cwd=cwd, env={**os.environ, "TIERBOOK_OUTPUTS": str(outputs)}, timeout=600,
    )  # fmt: skip


@pytest.mark.long
def test_each_notebook_runs_alone_under_nbval(outputs):
    done = nbval(NOTEBOOKS, outputs, outputs)
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"{sum(c['cell_type'] == 'code' for p in NOTEBOOKS for c in cells(p))} passed" in done.stdout


@pytest.mark.long
@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_each_case_runs_alone_under_nbval(path, outputs):
    """On the real file where it is there, else on the simulator; the case's own assertions hold published figures."""
    done = nbval([path], outputs, outputs)
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"{sum(c['cell_type'] == 'code' for c in cells(path))} passed" in done.stdout


@pytest.mark.long
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_notices_wrong_figures(path, outputs, tmp_path):
    """A copy whose counts, movement and accounting lose a customer or a row must fail on its own assertions, not otherwise."""
    notebook = nbformat.read(path, as_version=4)
    place = next(n for n, cell in enumerate(notebook.cells) if cell.get("id") == "open")
    notebook.cells.insert(place, nbformat.v4.new_code_cell(SPOIL))
    copy = tmp_path / path.name
    nbformat.write(notebook, copy)
    done = nbval([copy], outputs, tmp_path)
    assert done.returncode == 1
    assert "AssertionError" in done.stdout


@pytest.mark.long
def test_papermill_alone_runs_a_notebook_from_any_folder(outputs, tmp_path):
    """The operator's way: a params file is a papermill parameters file, whatever folder the shell is in."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "papermill",
            "--no-progress-bar",
            str(NOTEBOOKS[0]),
            "out.ipynb",
            "-f",
            str(ROOT / "params" / "demo.yaml"),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "TIERBOOK_OUTPUTS": str(outputs)},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    shown = [output for cell in cells(tmp_path / "out.ipynb") for output in cell.get("outputs", [])]
    assert all(output["output_type"] != "error" for output in shown)
    assert any("All requirements are met" in json.dumps(output) for output in shown)
