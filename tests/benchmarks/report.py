"""The demo report in one language against as many notebooks that only import, executed and exported the same way.

    .venv/bin/python tests/benchmarks/report.py

Both start from nothing kept: `tierbook run` as a user calls it, and the same pool of workers over notebooks whose one
cell imports pandas, seaborn, scikit-learn and duckdb.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import yaml

from tierbook import params
from tierbook.report import runner
from tierbook.report.execute import Job, execute
from tierbook.report.export import Page

IMPORTS = "import duckdb\nimport pandas\nimport seaborn\nimport sklearn.cluster"


def imports_only(folder: Path, jobs: int, count: int) -> None:
    """Execute and export notebooks that only import."""
    tree = params.load(params.ROOT / "params" / "demo.yaml")
    run = runner.Run(tree, "demo.yaml", folder, jobs)
    page = Page(report_title="imports", month_label="", as_of=tree.as_of, notebook_stem="imports")
    with runner._workers(run) as workers:
        waiting = []
        for n in range(count):
            path = folder / f"{n}.ipynb"
            notebook = nbformat.v4.new_notebook(
                cells=[
                    nbformat.v4.new_code_cell("x = None", metadata={"tags": ["parameters"]}),
                    nbformat.v4.new_code_cell(IMPORTS),
                ]
            )
            notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
            nbformat.write(notebook, path)
            job = Job(path, {"x": 1}, folder / f"{n}.out.ipynb", {"en": (folder / f"{n}.html", page)})
            waiting.append(workers.submit(execute, job))
        for future in waiting:
            future.result()


def demo(folder: Path, languages: list[str]) -> None:
    """The demo report as the command line makes it."""
    tree = yaml.safe_load((params.ROOT / "params" / "demo.yaml").read_text())
    tree["report"]["languages"], tree["as_of"] = languages, str(tree["as_of"])
    file = folder / "demo.yaml"
    file.write_text(yaml.safe_dump(tree, allow_unicode=True))
    subprocess.run(
        [sys.executable, "-m", "tierbook.cli", "run", str(file), "--outputs", str(folder / "outputs")],
        check=True,
        capture_output=True,
    )


def main() -> None:
    """Print the seconds and the ratios."""
    jobs = runner.jobs_available()
    count = len(runner.chosen(params.load(params.ROOT / "params" / "demo.yaml")))
    seconds = {}
    for name, work in (
        ("imports only", lambda folder: imports_only(folder, jobs, count)),
        ("demo, one language", lambda folder: demo(folder, ["en"])),
        ("demo, two languages", lambda folder: demo(folder, ["en", "zh"])),
    ):
        taken = []
        for _ in range(2):
            with tempfile.TemporaryDirectory() as folder:
                started = time.perf_counter()
                work(Path(folder))
                taken.append(time.perf_counter() - started)
        seconds[name] = min(taken)
        print(f"{name}: {seconds[name]:.1f} s", flush=True)
    base = seconds["imports only"]
    print(
        f"ratios: one language {seconds['demo, one language'] / base:.2f}, two {seconds['demo, two languages'] / base:.2f}"
    )


if __name__ == "__main__":
    main()
