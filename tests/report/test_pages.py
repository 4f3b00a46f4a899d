"""What pages say of themselves, asked once for the whole run; and what a worker brings along to write them."""

import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from tierbook.report import execute, pages


@pytest.mark.parametrize(
    ("name", "changed"), [("01_new.ipynb", None), ("02_changed.ipynb", 3), ("03_as_committed.ipynb", 0)]
)
def test_cells_that_differ_are_those_of_the_manifest(name, changed):
    facts = {"changed_notebooks": {"02_changed.ipynb": 3}, "uncommitted_notebooks": ["01_new.ipynb"]}
    assert pages._changed(facts, Path("notebooks") / name) == changed


def test_a_worker_is_ready_without_pandas_and_without_a_grammar_of_addresses():
    code = """
import os, sys
from tierbook.report.execute import prepare
prepare("o", "r", os.getppid())
print(*(name for name in ("papermill", "nbconvert", "pandas", "lark", "matplotlib") if name in sys.modules))
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(told.split()) == {"papermill", "nbconvert"}


@pytest.mark.parametrize("failure", [None, RuntimeError("the kernel died")])
def test_the_notebook_is_written_at_the_end_and_not_between_cells(monkeypatch, failure):
    from papermill import engines

    during = []

    def cells(cls, nb_man, kernel_name, **settings):
        during.append((nb_man.output_path, kernel_name, settings))
        if failure:
            raise failure

    monkeypatch.setattr(engines.NBClientEngine, "execute_managed_notebook", classmethod(cells))
    engine, nb_man = engines.papermill_engines.get_engine(execute._engine()), SimpleNamespace(output_path="out.ipynb")
    with pytest.raises(RuntimeError) if failure else nullcontext():
        engine.execute_managed_notebook(nb_man, "python3", start_timeout=60)
    assert during == [(None, "python3", {"start_timeout": 60})] and nb_man.output_path == "out.ipynb"
