"""A broken notebook: each fault of form is found, and whoever breaks a cell is told which one and why, in one line."""

import json
from pathlib import Path

import pytest
from notebook_form import cells, faults, source, tags

from tierbook.errors import NotebookFailed
from tierbook.report import form

TEMPLATE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "new_notebook.ipynb"


def broken(tmp_path, change):
    """A copy of the template after ``change(cells by id)``."""
    notebook = json.loads(TEMPLATE.read_text(encoding="utf-8"))
    change({cell["id"]: cell for cell in notebook["cells"]})
    path = tmp_path / "08_broken.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def writes(cell, text):
    """A change that gives one cell another text."""
    return lambda by_id: by_id[cell].update(source=text)


def more(cell, text):
    """A change that adds lines to a cell."""
    return lambda by_id: by_id[cell].update(source=[*by_id[cell]["source"], "\n", text])


FAULTS = {
    "no parameters cell": (lambda c: c["parameters"]["metadata"].update(tags=[]), "0 cells tagged parameters"),
    "two of them": (lambda c: c["open"]["metadata"].update(tags=["parameters"]), "2 cells tagged parameters"),
    "a key is missing": (
        lambda c: c["parameters"].update(source=source(c["parameters"]).replace("margin = None\n", "")),
        "the parameters cell lacks margin = None",
    ),
    "a key is set": (
        lambda c: c["parameters"].update(source=source(c["parameters"]).replace("margin = None", "margin = 0.3")),
        "the parameters cell holds margin = 0.3",
    ),
    "outputs": (
        lambda c: c["said"].update(outputs=[{"output_type": "stream", "name": "stdout", "text": "5"}]),
        "cell said: outputs are committed",
    ),
    "a count": (lambda c: c["said"].update(execution_count=3), "cell said: outputs are committed"),
    "a function": (
        more("said", "def f():\n    pass"),
        "cell said: defines a function or class, which belongs into lib/",
    ),
    "an absolute path": (more("said", "open('/home/li/orders.csv')"), "cell said: an absolute path"),
    "a home path": (more("said", "open('~/orders.csv')"), "cell said: an absolute path"),
    "a Windows path": (more("said", r"open('C:\\orders.csv')"), "cell said: an absolute path"),
    "another run's file": (
        more("said", "open('../outputs/a.csv')"),
        "cell said: reads outputs/, which another run made",
    ),
    "another notebook's name": (more("said", "print(tier_table)"), "Undefined name `tier_table`"),
    "a name set below": (more("open", "print(known)"), "Undefined name `known`"),
    "no Python": (more("said", "show.say("), "invalid-syntax"),
    "a long cell": (writes("table", "pass\n" * 21), "cell table: more than 20 lines"),
    "nothing checked": (writes("checks", ""), "fewer than three assertions"),
    "one language": (lambda c: c["s1-zh"]["metadata"].update(tags=["lang-en"]), "texts in English 4, in Chinese 2"),
    "no language": (lambda c: c["s1-zh"]["metadata"].update(tags=[]), "a text without a language"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_form_is_found(fault, tmp_path):
    change, told = FAULTS[fault]
    assert any(told in found for found in faults(broken(tmp_path, change)))


def test_a_cell_of_the_longest_length_is_no_fault(tmp_path):
    assert faults(broken(tmp_path, writes("table", "pass\n" * 20))) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda c: c["parameters"]["metadata"].update(tags=[]), "no cells are tagged parameters"),
        (lambda c: c["open"]["metadata"].update(tags=["parameters"]), "2 cells are tagged parameters"),
        (
            lambda c: (c["parameters"]["metadata"].update(tags=[]), c["said"]["metadata"].update(tags=["parameters"])),
            "must stand above the one with tierbook.open",
        ),
        (
            lambda c: (c["parameters"]["metadata"].update(tags=[]), c["open"]["metadata"].update(tags=["parameters"])),
            "apart from it",
        ),
    ],
)
def test_a_notebook_that_would_silently_read_the_demo_is_refused(change, told, tmp_path):
    with pytest.raises(NotebookFailed, match=r"08_broken\.ipynb") as refused:
        form.checked(broken(tmp_path, change))
    assert told in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"cells": [\n<<<<<<< HEAD\n', "08.ipynb, line 2: holds a merge conflict of git"),
        ("{", "is no notebook"),
        ("[1]", "is no notebook"),
        ('{"cells": 5}', "is no notebook"),
    ],
)
def test_a_file_that_is_no_notebook_is_told_in_one_line(text, told, tmp_path):
    (tmp_path / "08.ipynb").write_text(text)
    with pytest.raises(NotebookFailed) as refused:
        form.checked(tmp_path / "08.ipynb")
    assert told in str(refused.value) and "\n" not in str(refused.value)


CELL = "best = month.tier_scheme.order[0]\n\nshow.say('{n}', n=bset)\n"


@pytest.mark.parametrize(
    ("number", "source", "error", "told"),
    [
        (
            4, CELL, ("NameError", "name 'bset' is not defined", "Cell \x1b[32mIn[5]\x1b[39m, line 3\n ..."),
            "04.ipynb, cell [4] that begins “best = month.tier_scheme.order[0]”, line 3 (show.say('{n}', n=bset)): NameError: "
            "name 'bset' is not defined; the cell above that sets it is missing, comes later or was changed; Restart "
            "Kernel and Run All shows it too",
        ),
        (
            2, "x = 1 / 0", ("ZeroDivisionError", "division by zero", "Cell In[3], line 1"),
            "04.ipynb, cell [2] that begins “x = 1 / 0”: ZeroDivisionError: division by zero",
        ),
        (
            9, "\nassert a == b", ("AssertionError", "", "Cell In[10], line 2"),
            "04.ipynb, cell [9] that begins “assert a == b”, line 2 (assert a == b): AssertionError; a check of the "
            "notebook's own does not hold",
        ),
        (None, "", ("KeyError", "'a\nb'", "no place"), "04.ipynb, a cell that begins “”: KeyError: 'a b'; no such column or key"),
    ],
)  # fmt: skip
def test_who_breaks_a_cell_is_told_which_and_why(number, source, error, told):
    assert form.told("04.ipynb", number, source, error) == told


def test_the_templates_own_checks_are_real(tmp_path):
    """Its last cell asks about what its first ones computed, so a wrong table would stop the page."""
    last = cells(TEMPLATE)[-1]
    assert tags(last) == {"hide"} and "again" in source(last)
