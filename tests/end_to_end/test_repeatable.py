"""The same inputs, params and code give the same bytes: wherever the project lies, on other machines' settings, with
more processes, in any order of rows, whatever was published before."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from python_calamine import CalamineWorkbook

from fuzz import shops
from tierbook.params import ROOT

NOTEBOOKS = ["01_profile_data", "07_summarise_month"]
PLAIN = {"TZ": "Asia/Shanghai", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"}
FAR = {"TZ": "America/New_York", "LC_ALL": "C", "PYTHONHASHSEED": "2", "OMP_NUM_THREADS": "1"}
# a locale that the machine lacks falls back to C, which is a test too
CHINESE = {"TZ": "Pacific/Kiritimati", "LC_ALL": "zh_CN.GB18030", "PYTHONHASHSEED": "3", "TERM": "dumb"}
OF_THE_RUN = ("generated_at", "seconds")
MADE = re.compile(r"<footer\b.*?</footer>", re.DOTALL)
MONTHS = re.compile(r'\n<nav class="months".*?</nav>', re.DOTALL)
FINGERPRINT = """
import sys
from pathlib import Path
from tierbook import params
from tierbook.workbook import Workbook
tables = Workbook(params.load(Path(sys.argv[1])), Path(sys.argv[2])).tables
print(Path(params.__file__).is_relative_to(params.ROOT), tables.cache.folder.name, *sorted(tables.inputs), sep="\\n")
"""

pytestmark = pytest.mark.long


class Project:
    """A copy of the project in a folder of its own, with a small shop among its files."""

    def __init__(self, origin, folder, change=lambda text: text):
        self.folder, self.outputs = folder, folder / "published" / "here"
        shutil.copytree(origin, folder)
        tree = shops.write(shops.tables("mixed", 0), folder / "data", shops.settings(0))
        for spec in tree["source"].values():
            path = Path(spec["path"])
            path.write_text(change(path.read_text()))
            spec["path"] = f"data/{path.name}"
        tree["report"] |= {"languages": ["zh", "en"], "notebooks": NOTEBOOKS}
        (folder / "shop.yaml").write_text(yaml.safe_dump(tree, allow_unicode=True))

    def python(self, *arguments, **environment):
        """What a call from this copy prints."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder / "lib"), **environment}
        call = [sys.executable, *map(str, arguments)]
        done = subprocess.run(call, capture_output=True, text=True, cwd=self.folder, env=environment, timeout=600)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout.strip()

    def run(self, jobs, **environment):
        """The folder of the published report."""
        call = ("-m", "tierbook.cli", "run", "shop.yaml", "--outputs", self.outputs, "--jobs", jobs)
        return Path(self.python(*call, **environment)).parents[1]


def reversed_rows(text):
    header, *lines = text.splitlines()
    return "\n".join([header, *reversed(lines)]) + "\n"


def files(report):
    """Path within the report → bytes, of all that is published."""
    return {path.relative_to(report).as_posix(): path.read_bytes() for path in report.rglob("*") if path.is_file()}


def those(found, *endings):
    return {name: content for name, content in found.items() if name.endswith(endings)}


def manifest(report, *less):
    found = json.loads((report / "run.json").read_text(encoding="utf-8"))
    return {key: value for key, value in found.items() if key not in less}


def values(report, name):
    """Every cell of a workbook by sheet, without the fingerprint."""
    book, fingerprint = CalamineWorkbook.from_path(str(report / name)), manifest(report)["fingerprint"]
    sheets = {sheet: book.get_sheet_by_name(sheet).to_python() for sheet in book.sheet_names}
    return {sheet: [[cell for cell in row if cell != fingerprint] for row in rows] for sheet, rows in sheets.items()}


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """The project as it stands now, for all copies; it may be edited meanwhile."""
    folder = tmp_path_factory.mktemp("origin")
    for part in ("lib", "notebooks", "params"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    return folder


@pytest.fixture(scope="module")
def report(origin, tmp_path_factory):
    return Project(origin, tmp_path_factory.mktemp("one") / "here").run(1, **PLAIN)


@pytest.fixture(scope="module")
def elsewhere(origin, tmp_path_factory):
    """The same project in another folder, in another time zone and locale, in two processes."""
    return Project(origin, tmp_path_factory.mktemp("another") / "place with spaces").run(2, **FAR)


@pytest.fixture(scope="module")
def reordered(origin, tmp_path_factory, report):
    """The rows of every table reversed, in a third place; a month before is already published."""
    project = Project(origin, tmp_path_factory.mktemp("third") / "there", reversed_rows)
    before = project.outputs / "shop" / "2026-09-30"
    shutil.copytree(report, before)
    (before / "run.json").write_text(json.dumps(manifest(report) | {"as_of": "2026-09-30"}), encoding="utf-8")
    return project.run(2, **CHINESE)


def test_every_file_is_the_same_bytes_in_another_folder_zone_and_locale_with_more_processes(report, elsewhere):
    """All but run.json, which alone knows when a run ended and how long it took."""
    one, other = files(report), files(elsewhere)
    assert {f"{language}/{page}.html" for language in ("zh", "en") for page in ("01_profile_data", "index")} <= set(one)
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name] and name != "run.json"] == []
    assert manifest(report, *OF_THE_RUN) == manifest(elsewhere, *OF_THE_RUN)
    assert set(manifest(report)) >= set(OF_THE_RUN)


def test_the_order_of_rows_changes_no_table_and_no_list(report, reordered):
    one, other = (those(files(folder), ".csv", ".parquet", ".txt", ".json") for folder in (report, reordered))
    assert one.keys() == other.keys() and len(one) > 40
    assert [name for name in one if one[name] != other[name] and name != "run.json"] == []
    known = (*OF_THE_RUN, "inputs", "fingerprint")
    assert manifest(report, *known) == manifest(reordered, *known)


@pytest.mark.parametrize("name", ["customers.xlsx", "customers.en.xlsx"])
def test_the_order_of_rows_changes_no_cell_of_a_workbook(name, report, reordered):
    assert values(report, name) == values(reordered, name)


def test_the_order_of_rows_changes_the_footer_of_a_page_and_a_month_before_its_link(report, reordered):
    """The footer says the inputs' SHA-256 and the fingerprint; nothing else on a page differs."""
    for name, page in those(files(report), ".html").items():
        page, other = page.decode(), (reordered / name).read_text(encoding="utf-8")
        assert "../../2026-09-30/" in MONTHS.search(other)[0] and not MONTHS.search(page)
        assert len(MADE.findall(page)) == 1 and MADE.search(page)[0] != MADE.search(other)[0]
        assert MADE.sub("", MONTHS.sub("", other)) == MADE.sub("", page), name


def test_the_demo_goes_by_the_same_fingerprint_wherever_project_and_outputs_lie(origin, tmp_path):
    """Its tables are generated under the outputs, which lie in one project and outside the other."""
    places = [Project(origin, tmp_path / name) for name in ("one", "other")]
    outputs = [places[0].folder / "outputs", tmp_path / "out"]
    told = [
        place.python("-c", FINGERPRINT, "params/demo.yaml", where) for place, where in zip(places, outputs, strict=True)
    ]
    assert told[0] == told[1] and told[0].startswith("True\nstep-")
    assert "params/actions.yaml" in told[0] and str(tmp_path) not in told[0]
