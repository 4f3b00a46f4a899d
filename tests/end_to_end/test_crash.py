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

import numpy as np
import pandas as pd
import psutil
import pytest

pytestmark = pytest.mark.long
KILLS = int(os.environ.get("TIERBOOK_KILLS", "6"))
PARAMS = """version: 1
report: {{name: crash, languages: [en], notebooks: [01_profile_data], title: {{en: "Report {number}"}}}}
as_of: 2026-10-31
source: {{transactions: {{path: {orders}}}}}
"""


@pytest.fixture(scope="module")
def orders(tmp_path_factory):
    """700 customers, 4,000 orders over two years."""
    chance = np.random.default_rng(7)
    days = pd.Timestamp("2026-10-31") - pd.to_timedelta(chance.integers(0, 700, 4000), unit="D")
    path = tmp_path_factory.mktemp("crash") / "orders.csv"
    names = [f"K{number:03d}" for number in chance.integers(0, 700, 4000)]
    rows = {"customer_id": names, "ordered_at": days.strftime("%Y-%m-%d"), "amount": chance.gamma(2, 50, 4000).round(2)}
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


class Shop:
    """One report of one outputs folder, run again and again under a new title each time."""

    def __init__(self, folder, orders):
        self.params, self.orders, self.outputs = folder / "crash.yaml", orders, folder / "outputs"
        self.place = self.outputs / "crash" / "2026-10-31"
        self.number = 0

    def start(self):
        self.number += 1
        self.params.write_text(PARAMS.format(number=self.number, orders=self.orders))
        command = [sys.executable, "-m", "tierbook.cli", "run", str(self.params), "--outputs", str(self.outputs)]
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
        assert {"run.json", "customers.xlsx", "en/index.html", "tables/customers.parquet", "tables/tiers.csv"} <= files
        self.files = getattr(self, "files", files)
        assert files == self.files
        number = json.loads((self.place / "run.json").read_text())["params"]["report"]["title"]["en"]
        assert f"<title>{number} " in (self.place / "en" / "index.html").read_text()
        return int(number.removeprefix("Report "))


@pytest.fixture
def shop(tmp_path, orders):
    shop = Shop(tmp_path, orders)
    shop.run()
    return shop


def is_kernel(process):
    try:
        return any("ipykernel_launcher" in part for part in process.cmdline())
    except psutil.Error:
        return False


def test_a_killed_runner_or_kernel_leaves_a_whole_report_and_no_process(shop):
    """A kill at a random moment of the time that a run takes; every third hits a kernel, the others the runner."""
    chance = random.Random(7)
    started = time.monotonic()
    shop.run()
    lasts, seen = time.monotonic() - started, shop.number
    for kill in range(KILLS):
        run = shop.start()
        time.sleep(chance.uniform(0.2, 1.05) * lasts)
        if run.poll() is not None:  # it was quicker this time
            seen = shop.published()
            continue
        runner = psutil.Process(run.pid)
        family = runner.children(recursive=True)
        kernels = [process for process in family if is_kernel(process)]
        victim = kernels[0] if kernels and kill % 3 == 2 else runner
        victim.send_signal(signal.SIGKILL)
        told = run.communicate(timeout=120)[1]
        if victim is not runner:
            assert run.returncode == 1 and "Traceback" not in told and "01_profile_data" in told.splitlines()[-1], told
        assert shop.published() in (seen, shop.number)
        seen = shop.published()
        left = psutil.wait_procs(family, timeout=20)[1]
        assert not left, f"still running after the kill: {[process.cmdline()[:4] for process in left]}"
    told = shop.run()
    assert "Traceback" not in told
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
def disk(tmp_path, orders):
    """A shop whose outputs lie on a disk of 60 MB, with one report published."""
    folder = tmp_path / "disk"
    mounted(folder, "60m")
    try:
        shop = Shop(tmp_path, orders)
        shop.outputs = folder / "outputs"
        shop.place = shop.outputs / "crash" / "2026-10-31"
        shop.run()
        yield shop
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def refused(process, what):
    """The one line that a run ends with where it cannot write: exit 4, no traceback."""
    told = process.communicate(timeout=300)[1]
    last = [line for line in told.splitlines() if line.startswith("tierbook: ")]
    assert process.returncode == 4 and "Traceback" not in told, told
    assert len(last) == 1 and what in last[0], told


@pytest.mark.parametrize(("left_kb", "steps_kept"), [(0, True), (300, True), (1500, False)])
def test_a_full_disk_is_told_in_one_line_and_the_next_run_succeeds(disk, left_kb, steps_kept):
    if not steps_kept:
        shutil.rmtree(disk.outputs / ".work")
    free = os.statvfs(disk.outputs)
    filler = disk.outputs.parent / "filler"
    filler.write_bytes(b"\0" * max(0, free.f_bavail * free.f_frsize - left_kb * 1024))
    refused(disk.start(), "No space left on device")
    assert disk.published() == 1
    filler.unlink()
    disk.run()
    assert not list((disk.outputs / ".staging").iterdir())


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_disk_that_turns_read_only_under_a_run_is_told_in_one_line(disk, share):
    started = time.monotonic()
    disk.run()
    lasts = time.monotonic() - started
    process = disk.start()
    time.sleep(share * lasts)
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
