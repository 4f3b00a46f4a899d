"""docs/references.md lists what docstrings cite, no more and no less."""

import ast
import calendar
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "references.md").read_text(encoding="utf-8")
NAME = r"[A-Z][\wü'’-]*[a-zü]"
CITED = re.compile(rf"({NAME})(?:(?:,| &| and|, &) (?:von )?{NAME})*(?: et al\.)?,? \(?((?:19|20)\d\d)\b[),;]")


def cited() -> dict[tuple[str, str], str]:
    """First author and year of every source that a docstring names, with its module."""
    found = {}
    for path in sorted((ROOT / "lib" / "tierbook").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        parts = (node for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)))
        for text in (" ".join(told.split()) for told in map(ast.get_docstring, parts) if told):
            found |= {
                match.groups(): path.stem for match in CITED.finditer(text) if match[1] not in calendar.month_name
            }
    return found


def test_every_source_of_a_docstring_is_listed():
    listed = [line for line in TEXT.splitlines() if line.startswith("| ")]
    missing = {
        key: module for key, module in cited().items()
        if not any(key[0] in line and f"({key[1]})" in line for line in listed)
    }  # fmt: skip
    assert missing == {} and len(cited()) > 15


def test_every_source_listed_is_cited_in_the_modules_it_names():
    rows = [line.split(" | ") for line in TEXT.splitlines() if re.match(rf"\| {NAME}.* \| .*`", line)]
    assert len(rows) > 20
    for source, where in rows:
        author = re.match(rf"\| ({NAME})", source)[1]
        for room, module in re.findall(r"`(\w+)\.(\w+)`", where):
            said = (ROOT / "lib" / "tierbook" / room / f"{module}.py").read_text(encoding="utf-8")
            assert author in said, (source, module)
