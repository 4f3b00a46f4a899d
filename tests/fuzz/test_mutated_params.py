"""Broken params, schemes, checklists, action lists, calendars, scales and overrides: read, or refused in one line."""

import datetime as dt
import random

import pandas as pd
import pytest
import yaml

from fuzz import mutations
from tierbook import params, sources
from tierbook.insight import actions, overrides, seasons
from tierbook.params import ROOT
from tierbook.scores import checklist, maps, rfm

PARAMS = ROOT / "params"
FILES = [path for path in sorted(PARAMS.glob("**/*.yaml")) if path.parent.name in {"params", "cases"}]
TREES = [path for path in FILES if path.stem not in {"actions", "calendar"}]
OVERRIDES = "customer_id,tier,reason,until\nc1,high,contract,2026-12-31\nc2,low,fraud,2026/11/05\n"


def scale_text():
    measures = {"recency_days": range(100), "frequency": [1 + n % 7 for n in range(100)], "monetary": range(100)}
    return rfm.fit_scale(pd.DataFrame(measures).astype(float), params.Rfm(), dt.date(2026, 10, 31)).to_yaml()


def rules():
    """Every kind of file of rules: its text, the name it is written under, and what reads it."""
    named = [
        (path, "checklist" if path.stem == "value_customer" else "scheme")
        for path in sorted(PARAMS.glob("schemes/*.yaml"))
    ]
    find = {"scheme": lambda file: maps.find(str(file)), "checklist": lambda file: checklist.find(str(file))}
    yield from ((path.read_text(), f"{kind}.yaml", find[kind]) for path, kind in named)
    yield (PARAMS / "actions.yaml").read_text(), "actions.yaml", actions.read_actions
    yield (PARAMS / "calendar.yaml").read_text(), "calendar.yaml", seasons.read
    yield scale_text(), "scale.yaml", rfm.read_scale
    yield OVERRIDES, "overrides.csv", lambda file: overrides.read_overrides(file, ["high", "low"])
    preset = params.Transactions(preset="preset")
    yield (
        (PARAMS / "sources" / "taobao.yaml").read_text(),
        "preset.yaml",
        lambda file: sources.with_preset(preset, file.parent),
    )


def write(rng, text, file):
    """A mutated copy of a text: characters and lines of it, its bytes, or the tree that it holds."""
    how = rng.choice(["text", "raw"] if file.suffix == ".csv" else ["text", "raw", "tree"])
    if how == "raw":
        file.write_bytes(mutations.raw(rng, text.encode()))
        return
    told = (
        mutations.text(rng, text)
        if how == "text"
        else yaml.safe_dump(mutations.tree(rng, yaml.safe_load(text)), allow_unicode=True)
    )
    file.write_text(told, encoding="utf-8", errors="surrogatepass")


@pytest.mark.parametrize(
    "cases", [range(600), pytest.param(range(600, 6000), marks=pytest.mark.long)], ids=["some", "many"]
)
def test_a_broken_params_file_is_read_or_refused_in_one_line(cases, tmp_path, read_or_told):
    texts, file, read = [path.read_text() for path in TREES], tmp_path / "mutated.yaml", 0
    for case in cases:
        rng = random.Random(case)
        write(rng, rng.choice(texts), file)
        read += read_or_told(lambda: params.dump(params.load(file)), file.name, case)
    assert 0.05 < read / len(cases) < 0.5, "most must be broken, and not all beyond reading"


@pytest.mark.parametrize(
    "cases", [range(600), pytest.param(range(600, 3000), marks=pytest.mark.long)], ids=["some", "many"]
)
def test_a_broken_tree_from_a_notebook_is_read_or_refused_in_one_line(cases, read_or_told):
    trees = [params.read_yaml(path) for path in TREES]
    for case in cases:
        rng = random.Random(case)
        tree = mutations.tree(rng, rng.choice(trees))
        read_or_told(lambda tree=tree: params.parse(tree, "notebook parameters"), "notebook parameters", case)


@pytest.mark.parametrize(
    "cases", [range(150), pytest.param(range(150, 900), marks=pytest.mark.long)], ids=["some", "many"]
)
def test_a_broken_file_of_rules_is_read_or_refused_in_one_line(cases, tmp_path, read_or_told):
    kinds = list(rules())
    for case in cases:
        rng = random.Random(case)
        text, name, read = rng.choice(kinds)
        write(rng, text, tmp_path / name)
        read_or_told(lambda read=read, name=name: read(tmp_path / name), name, case)


@pytest.mark.parametrize(
    ("text", "name", "read"), list(rules()), ids=lambda part: part if isinstance(part, str) and len(part) < 20 else ""
)
def test_what_is_broken_here_is_good_as_it_stands(text, name, read, tmp_path):
    (tmp_path / name).write_text(text, encoding="utf-8")
    read(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &a [*a]\n", r"line 1 is not valid YAML: an alias .* within its own anchor"),
        ("a: &a {b: {c: [1, *a]}}\n", "within its own anchor"),
        ("a0: &a0 x\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)), "unfold"),
        ("a: !!timestamp x\n", "as_of is missing|unknown key"),
        ("a: " + "[" * 1000, "is not valid YAML"),
        ("a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
        ("report: {name: x}\nreport: {name: y}\n", "line 2 .*stands twice"),
        ("", "is empty"),
        ("- a\n", "holds no keys"),
    ],
    ids=["loop", "deep_loop", "bomb", "no_date", "nested", "python_tag", "twice", "empty", "list"],
)  # fmt: skip
def test_aliases_tags_and_depth_that_do_harm_are_refused(text, told, tmp_path):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(params.ParamsError, match=told):
        params.load(tmp_path / "p.yaml")


def test_aliases_that_spare_typing_are_read(tmp_path):
    (tmp_path / "p.yaml").write_text("a: &one {encoding: utf-8}\nb: *one\nc: {<<: *one, path: x}\n")
    assert params.read_yaml(tmp_path / "p.yaml")["c"] == {"encoding": "utf-8", "path": "x"}


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("{code: a, when: 5}", "when is 5"),
        ("{code: a, 1: x, b: y}", "unknown key '1'"),
        ("{code: a, days: soon}", "days is 'soon'"),
        ("{code: a, days: 3651}", "from 0 to 3650"),
        ("{code: a, days: -1}", "from 0 to 3650"),
        ("{code: a, words: [x]}", "words is"),
        ("{code: a, owner: {en: [x]}}", "owner is"),
    ],
)
def test_an_action_that_means_nothing_is_told_with_its_code(action, told, tmp_path):
    (tmp_path / "actions.yaml").write_text(f"actions: [{action}]\n")
    with pytest.raises(params.ParamsError, match=rf"actions\.yaml, a: .*{told}"):
        actions.read_actions(tmp_path / "actions.yaml")
