"""Fixtures that every room's tests share."""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from tierbook import params
from tierbook.engine import open_engine
from tierbook.workbook import Workbook

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
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


@pytest.fixture(scope="module")  # while it is open its event loop runs, and no kernel can be started in this process
def browser():
    """Chromium without a window, that asks for nothing of its own; the test skips with a reason where it is not there."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium, args=CHROMIUM)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """An open engine that spills to a folder of the test run."""
    with open_engine(params.EngineParams(), tmp_path_factory.mktemp("spill")) as engine:
        yield engine


@pytest.fixture(scope="session")
def demo_month(tmp_path_factory):
    """The workbook of the demo; its steps are computed once for all processes that the tests run in."""
    together = tmp_path_factory.getbasetemp()
    together = together.parent if "PYTEST_XDIST_WORKER" in os.environ else together
    return Workbook(params.load(ROOT / "params" / "demo.yaml"), together / "demo_month")


@pytest.fixture(scope="session")
def spark_here():
    """Skip where there is no PySpark or no Java."""
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed (pip install 'tierbook[spark]')")
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        pytest.skip("there is no Java on this machine (apt-get install openjdk-17-jre-headless)")
