"""The form that a notebook must keep, as faults in words: of the committed ones there are none."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tierbook.params import KEYS

LONGEST = 20
"""Lines of a cell; what is longer belongs into lib/."""
ABSOLUTE = r"""["'](/\w+|~|[A-Za-z]:[\\/])"""


def cells(path: Path) -> list[dict]:
    """The notebook's cells."""
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def source(cell: dict) -> str:
    """A cell's text."""
    return "".join(cell["source"])


def tags(cell: dict) -> set[str]:
    """A cell's tags."""
    return set(cell["metadata"].get("tags", []))


def faults(path: Path) -> list[str]:
    """What is wrong with a notebook, one line each; empty for a good one."""
    code = [cell for cell in cells(path) if cell["cell_type"] == "code"]
    tagged = [cell for cell in code if "parameters" in tags(cell)]
    said = _of_parameters(tagged)
    for cell in code:
        said += [f"cell {cell['id']}: {fault}" for fault in _of_code(cell, cell in tagged)]
    if sum(source(cell).count("assert ") for cell in code) < 3:
        said.append("fewer than three assertions")
    return said + _of_text(cells(path)) + undefined(path)


def _of_parameters(tagged: list[dict]) -> list[str]:
    if len(tagged) != 1:
        return [f"{len(tagged)} cells tagged parameters"]
    found, wanted = source(tagged[0]).split("\n"), [f"{key} = None" for key in KEYS]
    return [f"the parameters cell lacks {line}" for line in wanted if line not in found] + [
        f"the parameters cell holds {line}" for line in found if line not in wanted
    ]


def _of_code(cell: dict, is_parameters: bool) -> list[str]:
    text = source(cell)
    found = {
        "outputs are committed": bool(cell["outputs"]) or cell["execution_count"] is not None,
        "defines a function or class, which belongs into lib/": re.search(r"^\s*(async def|def|class) ", text, re.M),
        "an absolute path": re.search(ABSOLUTE, text),
        "reads outputs/, which another run made": re.search(r"""["'][^"'\s]*outputs/""", text),
        f"more than {LONGEST} lines": len(text.splitlines()) > LONGEST and not is_parameters,
    }
    return [fault for fault, holds in found.items() if holds]


def _of_text(every: list[dict]) -> list[str]:
    told = [tags(cell) for cell in every if cell["cell_type"] == "markdown"]
    counts = {language: sum(f"lang-{language}" in tagged for tagged in told) for language in ("en", "zh")}
    alone = [] if counts["en"] == counts["zh"] > 1 else [f"texts in English {counts['en']}, in Chinese {counts['zh']}"]
    return alone + ["a text without a language"] * any(not tagged & {"lang-en", "lang-zh"} for tagged in told)


def undefined(path: Path) -> list[str]:
    """Names that no cell above sets: the notebook would stop when run alone, from its first cell on."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", "--output-format", "concise", str(path)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return re.findall(r"Undefined name `\w+`|SyntaxError.*|invalid-syntax.*", done.stdout)
