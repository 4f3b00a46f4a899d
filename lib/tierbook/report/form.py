"""What a notebook must look like to be run, and what is told of one that stops: in the words of whoever edits it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tierbook.errors import NotebookFailed

HINTS = {
    "AssertionError": "a check of the notebook's own does not hold",
    "ImportError": "the name imported is not there; compare with the committed notebook",
    "IndentationError": "the cell is not Python",
    "KeyError": "no such column or key",
    "ModuleNotFoundError": "the module imported is not there; compare with the committed notebook",
    "NameError": "the cell above that sets it is missing, comes later or was changed; Restart Kernel and Run All shows it too",
    "SyntaxError": "the cell is not Python",
}
"""What an error of Python's means to an analyst."""


def checked(notebook: Path) -> Path:
    """The notebook's path, if a run can hand it its params; else a `NotebookFailed` of one line, before any kernel starts.

    Without a cell tagged ``parameters`` ahead of ``tierbook.open`` the notebook would read the demo in silence.
    """
    cells = [cell for cell in _cells(notebook) if cell.get("cell_type") == "code"]
    tagged = [n for n, cell in enumerate(cells) if "parameters" in cell.get("metadata", {}).get("tags", [])]
    opens = [n for n, cell in enumerate(cells) if "tierbook.open(" in "".join(cell.get("source", ""))]
    if len(tagged) != 1:
        raise NotebookFailed(
            f"{notebook.name}: {len(tagged) or 'no'} cells are tagged parameters, it takes one; in JupyterLab select the "
            "cell that begins version = None, and add the tag parameters in the property inspector (the gears)"
        )
    if opens and opens[0] <= tagged[0]:
        raise NotebookFailed(
            f"{notebook.name}: the cell tagged parameters must stand above the one with tierbook.open, and apart from it; "
            "move it up"
        )
    return notebook


def _cells(notebook: Path) -> list[dict]:
    try:
        text = notebook.read_text(encoding="utf-8")
        cells = json.loads(text)["cells"]
        return [dict(cell) for cell in cells]
    except (OSError, UnicodeDecodeError) as error:
        raise NotebookFailed(f"{notebook.name} cannot be read: {error}") from None
    except (ValueError, KeyError, TypeError):
        conflict = re.search(r"^<<<<<<< ", text, re.M)
        line = f", line {text.count(chr(10), 0, conflict.start()) + 1}" if conflict else ""
        told = "holds a merge conflict of git" if conflict else "is no notebook (not valid JSON, or without cells)"
        raise NotebookFailed(
            f"{notebook.name}{line}: {told}; git checkout --ours or --theirs takes one side (docs/how-to/upgrade.md)"
        ) from None


def told(notebook: str, number: int | None, source: str, error: tuple[str, str, str]) -> str:
    """One line: which notebook, which cell and line, what went wrong, and what that means.

    Parameters
    ----------
    number : the cell's number as JupyterLab shows it after Run All, in brackets beside the cell; null if it never ran
    error : Python's name of the error, its message, and the traceback
    """
    name, message, traceback = error
    lines = source.splitlines() or [""]
    found = re.findall(r"Cell In\s*\[\d+\], line (\d+)", re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", traceback))
    line = min(int(found[0]), len(lines)) if found else 1
    begins = next((text for text in lines if text.strip()), "")
    place = f"cell [{number}]" if number else "a cell"
    at = f", line {line} ({_short(lines[line - 1])})" if line > 1 else ""
    why = f"; {HINTS[name]}" if name in HINTS else ""
    return f"{notebook}, {place} that begins “{_short(begins)}”{at}: {': '.join(filter(None, (name, _short(message, 300))))}{why}"


def _short(text: str, length: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"
