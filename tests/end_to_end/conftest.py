"""Running the command line as a user does, from a folder that is not the project's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def tierbook(*arguments, **environment):
    """One call of the command line; returns the finished process."""
    return subprocess.run(
        [sys.executable, "-m", "tierbook.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd="/",
        env={**os.environ, **environment},
        timeout=600,
    )


@pytest.fixture(scope="session")
def run_report():
    """Run a params file into an outputs folder; returns the folder of the published report."""

    def run(params, outputs, *more, **environment):
        done = tierbook("run", params, "--outputs", outputs, *more, **environment)
        assert done.returncode == 0, done.stderr[-2000:]
        page = Path(done.stdout.strip())
        assert page.is_file()
        return page.parents[1]

    return run
