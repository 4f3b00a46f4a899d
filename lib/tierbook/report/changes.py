"""Which notebooks differ from the committed ones, cell by cell."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path


def changed_cells(notebook: Path) -> int | None:
    """Cells whose source differs from the last commit, added and removed ones included; null without a commit."""
    try:
        shown = subprocess.run(
            ["git", "show", f"HEAD:./{notebook.name}"], cwd=notebook.parent, capture_output=True, check=True, timeout=20
        )
        committed, now = _cells(shown.stdout), _cells(notebook.read_bytes())
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return None
    return sum(committed.get(name) != now.get(name) for name in committed | now)


def _cells(notebook: bytes) -> dict[str, tuple]:
    cells = json.loads(notebook)["cells"]
    return {cell.get("id", str(n)): (cell["cell_type"], "".join(cell["source"])) for n, cell in enumerate(cells)}
