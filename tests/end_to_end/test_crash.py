"""Whatever kills a run, the published folder is one whole report, the old or the new; the next run cleans up and succeeds.

``TIERBOOK_KILLS`` says how many random kills there are (6; ``make verify`` asks for 50).
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import numpy as np
import pandas as pd
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tierbook import params

pytestmark = pytest.mark.long
KILLS = int(os.environ.get("TIERBOOK_KILLS", "6"))
# A finished experiment and a notebook that does little: the quickest of reports, by the same runner.
RUN = """
import sys
from pathlib import Path
from tierbook import cli
from tierbook.report import runner
runner.NOTEBOOKS = Path(sys.argv.pop(1))
sys.exit(cli.main(sys.argv[1:]))
"""
PARAMS = """version: 1
report: {{name: crash, languages: [en], title: {{en: "Report {number}"}}}}
as_of: 2026-10-31
source: {{trial: {{path: {rows}}}}}
campaign: {{outcomes: [spend], covariates: [past], tier: tier}}
margin: 0.4
"""


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """600 customers of an experiment."""
    chance = np.random.default_rng(7)
    path = tmp_path_factory.mktemp("crash") / "trial.csv"
    drawn = {
        "arm": np.where(chance.random(600) < 0.5, "mail", "control"),
        "tier": np.where(chance.random(600) < 0.4, "high", "low"),
    }
    drawn |= {
        "past": chance.gamma(2, 50, 600).round(2),
        "spend": (chance.gamma(2, 40, 600) * (chance.random(600) < 0.4)).round(2),
    }
    pd.DataFrame(drawn).to_csv(path, index=False)
    return path


class Shop:
    """One report of one outputs folder, run again and again under a new title each time."""

    def __init__(self, folder, rows):
        self.params, self.rows, self.outputs = folder / "crash.yaml", rows, folder / "outputs"
        self.place = self.outputs / "crash" / "2026-10-31"
        self.number = 0
        notebook = new_notebook(
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        )
        listed = "\n".join(f"{key} = None" for key in params.KEYS)
        notebook.cells = [
            new_markdown_cell("# Review", metadata={"tags": ["lang-en"]}),
            new_code_cell(listed, metadata={"tags": ["parameters"]}),
            new_code_cell("import time\nprint(report['title']['en'])\ntime.sleep(0.5)"),
        ]
        nbformat.write(notebook, folder / "06_review_campaign.ipynb")

    def at(self, folder, outputs):
        """The same shop in another folder."""
        other = Shop(folder, self.rows)
        shutil.copytree(self.outputs, outputs)
        other.outputs, other.place, other.number = outputs, outputs / "crash" / "2026-10-31", self.number
        return other

    def start(self):
        self.number += 1
        self.params.write_text(PARAMS.format(number=self.number, rows=self.rows))
        command = [
            sys.executable,
            "-c",
            RUN,
            str(self.params.parent),
            "run",
            str(self.params),
            "--outputs",
            str(self.outputs),
        ]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, cwd="/", start_new_session=True, **pipes)

    def run(self):
        """A run that nothing disturbs; the report stands under its number afterwards."""
        process = self.start()
        told = process.communicate(timeout=300)[1]
        assert process.returncode == 0, told
        assert self.published() == self.number
        return told

    def published(self):
        """Number of the report that stands in its place, which must be whole: every file there, all of one run."""
        files = {str(file.relative_to(self.place)) for file in self.place.rglob("*") if file.is_file()}
        assert {"run.json", "en/index.html", "tables/row_accounting.csv", "tables/campaign_effects.csv"} <= files
        self.files = getattr(self, "files", files)
        assert files == self.files
        number = json.loads((self.place / "run.json").read_text())["params"]["report"]["title"]["en"]
        assert f"<title>{number} " in (self.place / "en" / "index.html").read_text()
        return int(number.removeprefix("Report "))


@pytest.fixture(scope="module")
def published(tmp_path_factory, rows):
    """An outputs folder with one report published, made once."""
    shop = Shop(tmp_path_factory.mktemp("first"), rows)
    shop.run()
    return shop


@pytest.fixture
def shop(tmp_path, published):
    """A shop of the test's own, with the report published."""
    return published.at(tmp_path, tmp_path / "outputs")


def is_kernel(process):
    try:
        return any("ipykernel_launcher" in part for part in process.cmdline())
    except psutil.Error:
        return False


def kernels_of(runner, within):
    """The kernels of a run, waited for; none where the run ended first."""
    until = time.monotonic() + within
    while time.monotonic() < until and runner.is_running() and runner.status() != psutil.STATUS_ZOMBIE:
        if found := [process for process in runner.children(recursive=True) if is_kernel(process)]:
            return found
        time.sleep(0.02)
    return []


def test_a_killed_runner_or_kernel_leaves_a_whole_report_and_no_process(shop):
    """The runner is killed at a random moment of the time that a run takes, a kernel some moment after it has come up;
    every third kill is a kernel's."""
    chance = random.Random(7)
    started = time.monotonic()
    shop.run()
    lasts, seen, hits = time.monotonic() - started, shop.number, {"runner": 0, "kernel": 0}
    for kill in range(KILLS):
        run = shop.start()
        runner = psutil.Process(run.pid)
        if kill % 3 == 2:
            victims = kernels_of(runner, lasts * 2)
            time.sleep(chance.uniform(0, 0.3) * lasts)
        else:
            victims = [runner]
            time.sleep(chance.uniform(0.1, 1.0) * lasts)
        family = runner.children(recursive=True) if run.poll() is None else []
        if run.poll() is None and victims and victims[0].is_running():
            victims[0].send_signal(signal.SIGKILL)
            hits["kernel" if kill % 3 == 2 else "runner"] += 1
        told = run.communicate(timeout=120)[1]
        assert "Traceback" not in told, told
        if run.returncode == 1:
            assert "06_review_campaign" in told.splitlines()[-1], told
        assert shop.published() in (seen, shop.number)
        seen = shop.published()
        left = psutil.wait_procs(family, timeout=20)[1]
        assert not left, f"still running after the kill: {[process.cmdline()[:4] for process in left]}"
    assert hits["kernel"] >= KILLS // 6 and hits["runner"] >= KILLS // 3, hits
    run = shop.start()
    while not list((shop.outputs / ".staging").glob("crash-*")):
        time.sleep(0.02)
    run.kill()
    run.communicate()
    assert "crash 2026-10-31: an earlier run was interrupted" in shop.run()
    assert not list((shop.outputs / ".staging").iterdir())


def mounted(folder, size):
    """A disk of its own, which takes the right to mount one."""
    folder.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(options, capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"no disk of its own for this test: {error}")
    if done.returncode:
        pytest.skip(f"no disk of its own for this test: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path, published):
    """A shop whose outputs lie on a disk of 30 MB, with one report published."""
    folder = tmp_path / "disk"
    mounted(folder, "30m")
    try:
        yield published.at(tmp_path, folder / "outputs")
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def refused(process, what):
    """The one line that a run ends with where it cannot write: exit 4, no traceback."""
    told = process.communicate(timeout=300)[1]
    last = [line for line in told.splitlines() if line.startswith("tierbook: ")]
    assert process.returncode == 4 and "Traceback" not in told, told
    assert len(last) == 1 and what in last[0], told


@pytest.mark.parametrize(("left_kb", "steps_kept"), [(0, True), (60, False)])
def test_a_full_disk_is_told_in_one_line_and_the_next_run_succeeds(disk, left_kb, steps_kept):
    if not steps_kept:
        shutil.rmtree(disk.outputs / ".work")
    free = os.statvfs(disk.outputs)
    filler = disk.outputs.parent / "filler"
    filler.write_bytes(b"\0" * (free.f_bavail * free.f_frsize - left_kb * 1024))
    refused(disk.start(), "No space left on device")
    assert disk.published() == 1
    filler.unlink()
    disk.run()
    assert not list((disk.outputs / ".staging").iterdir())


def test_a_disk_that_turns_read_only_under_a_run_is_told_in_one_line(disk):
    started = time.monotonic()
    disk.run()
    lasts = time.monotonic() - started
    process = disk.start()
    time.sleep(0.5 * lasts)
    # while a file is open for writing the disk is busy
    while subprocess.run(["mount", "-o", "remount,ro", str(disk.outputs.parent)], capture_output=True).returncode:
        assert process.poll() is None, "the run ended before its disk turned read-only"
    refused(process, "Read-only file system")
    subprocess.run(["mount", "-o", "remount,rw", str(disk.outputs.parent)], check=True)
    assert disk.published() == 2
    disk.run()


def test_of_two_runs_at_once_one_publishes_and_the_other_is_told(shop):
    first = shop.start()
    time.sleep(0.2)
    second = subprocess.Popen(first.args, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    told = [process.communicate(timeout=300)[1] for process in (first, second)]
    codes = [first.returncode, second.returncode]
    assert sorted(codes) == [0, 4]
    assert "another run of report crash is under way" in told[codes.index(4)]
    assert shop.published() == shop.number


def test_a_worker_whose_runner_was_gone_before_it_came_up_ends():
    code = "import os, time\nfrom tierbook.report.execute import prepare\nprepare('o', 'r', os.getppid() + 1)\ntime.sleep(60)"
    assert subprocess.run([sys.executable, "-c", code], timeout=30).returncode == 1
