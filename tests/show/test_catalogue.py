"""Every message has its Chinese; every term has both languages."""

import ast
import json
import string
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from babel.messages.pofile import read_po

from tierbook.show import catalogue

ROOT = Path(__file__).resolve().parents[2]
SHOW = ROOT / "lib" / "tierbook" / "show"


def project(tmp_path, source="", cell=""):
    library = tmp_path / "lib" / "tierbook"
    library.mkdir(parents=True)
    (library / "page.py").write_text(source, encoding="utf-8")
    (tmp_path / "notebooks").mkdir()
    notebook = {"cells": [{"cell_type": "code", "source": [cell]}, {"cell_type": "markdown", "source": ["{"]}]}
    (tmp_path / "notebooks" / "01_x.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return tmp_path


def test_nothing_is_left_untranslated():
    missing = catalogue.untranslated(ROOT, "zh")
    assert not missing, "add to lib/tierbook/show/locale/zh.po:\n" + "\n".join(
        f"{m!r} ({p[0]})" for m, p in missing.items()
    )


def test_an_untranslated_message_is_found_with_its_place(tmp_path):
    source = 'words.text("Contents")\nwords.text("Nobody translated this", n=1)\n'
    root = project(tmp_path, source, "%matplotlib inline\nshow.say('Nor this' if x else 'Nor that')")
    assert catalogue.untranslated(root, "zh") == {
        "Nobody translated this": ["lib/tierbook/page.py:2"],
        "Nor this": ["notebooks/01_x.ipynb:2"],
        "Nor that": ["notebooks/01_x.ipynb:2"],
    }


def test_captions_labels_and_marked_messages_are_messages(tmp_path):
    root = project(
        tmp_path, 'A = N_("a")\nax.text(0, 1, "no message")', "show.table(f, caption='c', labels={'x': 'l'})"
    )
    assert set(catalogue.extract_messages(root)) == {"a", "c", "l"}


def test_an_f_string_is_no_message(tmp_path):
    with pytest.raises(ValueError, match="an f-string cannot be translated"):
        catalogue.extract_messages(project(tmp_path, 'words.text(f"{n} customers")'))


def test_a_translation_uses_no_value_its_message_lacks():
    with (SHOW / "locale" / "zh.po").open("rb") as file:
        entries = [entry for entry in read_po(file, locale="zh") if entry.id]

    def values(message):
        return {name for _, name, _, _ in string.Formatter().parse(message) if name}

    assert entries
    assert [entry.id for entry in entries if values(entry.string) - values(entry.id)] == []


def test_every_term_is_named_in_both_languages_once():
    groups = yaml.safe_load((SHOW / "terms.yaml").read_text(encoding="utf-8"))
    for group, terms in groups.items():
        for code, names in terms.items():
            assert isinstance(code, str), (group, code)
            assert set(names) == {"en", "zh"}, (group, code)
    # two codes of one group with one name could not be told apart on a page
    for group in ("stage", "verdict", "trend", "tier_change", "reason", "chapter", "measure"):
        for language in ("en", "zh"):
            names = [term[language] for term in groups[group].values()]
            assert len(names) == len(set(names)), (group, language)


def test_the_terms_are_those_of_the_sources():
    groups = yaml.safe_load((SHOW / "terms.yaml").read_text(encoding="utf-8"))
    segments = """核心客户 忠诚客户 潜力忠诚客户 新客户 待培育客户 需关注客户 即将沉睡客户 流失风险客户 重点挽回客户
        沉睡客户 已流失客户 重要价值 重要发展 重要保持 重要挽留 一般价值 一般发展 一般保持 一般挽留"""
    named = [term["zh"] for code, term in groups["segment"].items() if code not in {"outside", "no_order"}]
    assert named == segments.split()
    tiers = [groups["tier"][code]["zh"] for code in ("high", "potential", "ordinary", "low")]
    assert tiers == ["高价值", "潜力", "普通", "低价值"]
    forbidden = {"冠军", "不能失去", "潜在忠诚", "有望", "量表", "无差异", "赚钱"}
    said = {names["zh"] for terms in groups.values() for names in terms.values()}
    assert not forbidden & said


def test_words_and_pages_import_nothing_heavy():
    code = """
import sys, tierbook.show.display, tierbook.report.export, tierbook.report.archive
sys.exit(bool({"matplotlib", "seaborn", "nbformat", "IPython"} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_sentence_of_a_notebook_escapes_the_catalogue():
    """Labels gathered in a variable and messages handed on in a tuple are not seen where they are spoken: every text of a
    code cell that reads like a sentence has its Chinese, assertions and code's own names aside."""
    done = {entry.id for entry in catalogue._catalogue("zh") if entry.id and entry.string}
    told = {}
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code" and "hide" not in cell["metadata"].get("tags", []):
                told |= dict.fromkeys(_sentences("".join(cell["source"])), path.name)
    assert len(told) > 200
    assert {text: place for text, place in told.items() if text not in done} == {"Fiber optic": FIBER}, (
        "a cell of the data"
    )


FIBER = "06_serve_telecom_tiers.ipynb"


def _sentences(source):
    tree = ast.parse(source)
    aside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Assert) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in aside:
            text = node.value
            if " " in text.strip() and (text[0].isupper() or "{" in text):
                yield text
