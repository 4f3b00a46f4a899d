"""The same inputs, params and code give the same bytes: on other machines' settings, in any order, whatever was there before."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fuzz import shops

ROOT = Path(__file__).resolve().parents[2]
PAGE = "02_segment_customers"
GENERATED = re.compile(rb'<meta name="generated[^>]*>')
TABLES = """
import sys
from pathlib import Path
from tierbook import params
from tierbook.report import handoffs
from tierbook.workbook import Workbook
handoffs.write_tables(Workbook(params.load(Path(sys.argv[1])), Path(sys.argv[2])), Path(sys.argv[3]))
"""
ELSEWHERE = {
    "plain": {"TZ": "Asia/Shanghai", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"},
    "far": {"TZ": "America/New_York", "LC_ALL": "C", "PYTHONHASHSEED": "2", "OMP_NUM_THREADS": "1"},
    "german": {"TZ": "Pacific/Kiritimati", "LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8", "PYTHONHASHSEED": "3"},
    "chinese": {"TZ": "UTC", "LC_ALL": "zh_CN.GB18030", "LANG": "zh_CN.GB18030", "PYTHONHASHSEED": "4", "TERM": "dumb"},
}  # a locale that the machine lacks falls back to C, which is a test too


def python(*arguments, **environment):
    done = subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, cwd="/", env={**os.environ, **environment}, timeout=600)  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def params_of(folder, found):
    tree = shops.write(found, folder / "in", shops.settings(0))
    tree["report"]["languages"] = ["zh", "en"]
    (folder / "shop.yaml").write_text(yaml.safe_dump(tree, allow_unicode=True))
    return folder / "shop.yaml"


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def reversed_rows(text):
    header, *lines = text.splitlines()
    return "\n".join([header, *reversed(lines)]) + "\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The params of a small shop with all tables, and its tables as written once."""
    folder = tmp_path_factory.mktemp("shop")
    file = params_of(folder, shops.tables("mixed", 0))
    python("-c", TABLES, file, folder / "work", folder / "tables", **ELSEWHERE["plain"])
    return file, folder / "work", files(folder / "tables")


@pytest.mark.long
def test_tables_are_the_same_bytes_in_another_zone_and_locale(shop, tmp_path):
    file, _, tables = shop
    python("-c", TABLES, file, tmp_path / "work", tmp_path / "tables", **ELSEWHERE["far"])
    assert files(tmp_path / "tables") == tables


@pytest.mark.long
def test_tables_do_not_depend_on_the_order_of_rows(shop, tmp_path):
    _, _, tables = shop
    other = {name: reversed_rows(text) for name, text in shops.tables("mixed", 0).items()}
    python("-c", TABLES, params_of(tmp_path, other), tmp_path / "work", tmp_path / "tables", **ELSEWHERE["plain"])
    assert files(tmp_path / "tables") == tables


@pytest.mark.long
def test_pages_are_the_same_bytes_in_every_zone_and_locale(shop, tmp_path):
    """Each page on the steps kept before, so that the page alone is tested: executed and exported anew in each place."""
    file, work, _ = shop
    pages = {}
    for name, environment in ELSEWHERE.items():
        page = Path(python("-m", "tierbook.cli", "run", file, "--outputs", work, "--only", PAGE, **environment))
        pages[name] = [
            GENERATED.sub(b"", (page.parents[1] / language / page.name).read_bytes()) for language in ("zh", "en")
        ]
    assert all(found == pages["plain"] for found in pages.values()), [
        n for n, p in pages.items() if p != pages["plain"]
    ]
