"""The how-tos: what they show loads, what they name is there, and both languages show the same."""

import re
from pathlib import Path

import pytest
import yaml

from tierbook import params
from tierbook.insight.actions import read_actions
from tierbook.scores import maps

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "how-to"
PAGES = sorted(page for page in FOLDER.glob("*.md") if page.stem != "README") + sorted(FOLDER.glob("zh/*.md"))
ORDERS = {"as_of": "2026-10-31", "source": {"transactions": {"preset": "demo"}}}
YOURS = r"mine|my_|orders\.csv|params/orders\.yaml|who_came_back|data/|NN_"  # what the reader makes


def blocks(page):
    """File named in the first line → YAML, for every YAML block of a page."""
    fenced = re.findall(r"^ *```yaml\n(.*?)^ *```$", page.read_text(encoding="utf-8"), re.M | re.S)
    return {re.match(r"\s*# (\S+)\n", text)[1]: text for text in fenced}


def load(name, text, folder):
    """Read a block by the loader of its kind; a params fragment stands on the demo's orders."""
    path = folder / Path(name).name
    path.write_text(text, encoding="utf-8")
    if name.startswith("params/schemes/"):
        return maps.find(str(path))
    if name.endswith("actions.yaml"):
        return read_actions(path)
    return params.parse({"report": {"name": "x"}, **ORDERS, **params.read_yaml(path)}, name)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_what_a_page_shows_loads(page, tmp_path):
    assert all(load(name, text, tmp_path) for name, text in blocks(page).items())


def test_a_fault_in_a_block_would_be_found(tmp_path):
    """The test above can fail: a hole in a scheme, an unknown key of an action and of the params."""
    for name, text in {
        "params/schemes/my.yaml": "names: {big: {en: Big}}\nrules: [{name: big, m: 5}]\n",
        "params/my_actions.yaml": "actions: [{code: a, wen: {tier: high}}]\n",
        "params/mine.yaml": "tiers: {skeme: my}\n",
    }.items():
        with pytest.raises(params.ParamsError):
            load(name, text, tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_what_a_page_names_is_there(page):
    text = page.read_text(encoding="utf-8")
    linked = [page.parent / target for target in re.findall(r"\]\(([^)#]+)\)", text)]
    named = re.findall(r"(?:notebooks|params|docs|lib)/[\w./-]*\w", text)
    given = [ROOT / name for name in named if not re.search(YOURS, name)]
    assert [str(path) for path in linked + given if not path.exists()] == []


@pytest.mark.parametrize("name", sorted({page.name for page in PAGES}))
def test_both_languages_show_the_same(name):
    english, chinese = blocks(FOLDER / name), blocks(FOLDER / "zh" / name)
    values = [{file: yaml.safe_load(text) for file, text in found.items()} for found in (english, chinese)]
    assert values[0] == values[1]


def test_make_targets_and_commands_named_are_there():
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = set(re.findall(r"tierbook (run|check|new|scale|demo|archive)\b", text))
    assert commands >= {"run", "check", "new", "demo"}
    assert {target for target in re.findall(r"make ([a-z-]+)", text) if f"\n{target}:" not in makefile} == set()
