"""Fixtures that every room's tests share."""

import os
from pathlib import Path

import pytest

from tierbook import params
from tierbook.workbook import Workbook

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("TIERBOOK_SHARED_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data():
    """Path of a real data file under ../shared/data; the test skips with a reason where the file is not there."""

    def find(name):
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"real data {name} is not on this machine (looked in {SHARED})")
        return path

    return find


@pytest.fixture(scope="session")
def demo_month(tmp_path_factory):
    """The workbook of the demo; its steps are computed once for all processes that the tests run in."""
    together = tmp_path_factory.getbasetemp()
    together = together.parent if "PYTEST_XDIST_WORKER" in os.environ else together
    return Workbook(params.load(ROOT / "params" / "demo.yaml"), together / "demo_month")
