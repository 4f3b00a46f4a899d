"""The demo report in one language and in two, against as many notebooks that only import, executed and exported the same way.

    .venv/bin/python tests/benchmarks report

All start from nothing kept: `tierbook run` as a user calls it, and the same pool of workers over notebooks whose one
cell imports pandas, seaborn, scikit-learn and duckdb.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
import yaml
from rounds import in_turns
from table import Row

from tierbook import params
from tierbook.report import runner
from tierbook.report.execute import Job, execute
from tierbook.report.export import Page

IMPORTS = "import duckdb\nimport pandas\nimport seaborn\nimport sklearn.cluster"
ROUNDS, ONE, SECOND = 2, 2.0, 1.6


def imports_only(jobs: int, count: int) -> None:
    """Execute and export ``count`` notebooks that only import."""
    tree = params.load(params.ROOT / "params" / "demo.yaml")
    page = Page(report_title="imports", month_label="", as_of=tree.as_of, notebook_stem="imports")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with runner._workers(runner.Run(tree, "demo.yaml", folder, jobs)) as workers:
            waiting = [workers.submit(execute, _job(folder, n, page)) for n in range(count)]
            for future in waiting:
                future.result()


def _job(folder: Path, number: int, page: Page) -> Job:
    path = folder / f"{number}.ipynb"
    parameters = nbformat.v4.new_code_cell("x = None", metadata={"tags": ["parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[parameters, nbformat.v4.new_code_cell(IMPORTS)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
    return Job(path, {"x": 1}, folder / f"{number}.out.ipynb", {"en": (folder / f"{number}.html", page)})


def demo(languages: list[str]) -> None:
    """The demo report as the command line makes it."""
    tree = yaml.safe_load((params.ROOT / "params" / "demo.yaml").read_text())
    tree["report"]["languages"], tree["as_of"] = languages, str(tree["as_of"])
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "demo.yaml"
        file.write_text(yaml.safe_dump(tree, allow_unicode=True))
        command = [sys.executable, "-m", "tierbook.cli", "run", str(file), "--outputs", f"{name}/outputs"]
        subprocess.run(command, check=True, capture_output=True)


def rows(quick: bool, peers: dict) -> list[Row]:
    """One language beside imports, two beside one; quick: imports of one notebook only."""
    jobs = runner.jobs_available()
    count = 1 if quick else len(runner.chosen(params.load(params.ROOT / "params" / "demo.yaml")))
    works = {"imports": lambda: imports_only(jobs, count)}
    if quick:
        return [Row("demo report", "imports only", in_turns(works, 1)["imports"], "nothing: quick")]
    works |= {"one": lambda: demo(["en"]), "two": lambda: demo(["en", "zh"])}
    taken = in_turns(works, ROUNDS)
    size = f"{count} notebooks, {jobs} at once"
    return [
        Row("demo report, one language", size, taken["one"], "notebooks that only import", taken["imports"], most=ONE),
        Row("demo report, two languages", size, taken["two"], "the same in one language", taken["one"], most=SECOND),
    ]
