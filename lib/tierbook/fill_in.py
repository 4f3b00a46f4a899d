"""Lines of a params file that still have to be filled in: `tierbook new` leaves them where nobody could be asked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

MARK = "FILL_IN"


def open_keys(tree: Any, at: str = "") -> list[str]:
    """The dotted keys whose value is still ``FILL_IN``, in the order of the file."""
    if isinstance(tree, dict):
        return [key for name, value in tree.items() for key in open_keys(value, f"{at}.{name}" if at else str(name))]
    if isinstance(tree, list):
        return [key for value in tree for key in open_keys(value, at)]
    return [at] if tree == MARK else []


def refusal(tree: Any, where: str) -> str | None:
    """One line that names the first open key, its choices as the file's comment lists them, and how many more; or None."""
    keys = open_keys(tree)
    if not keys:
        return None
    more = f" (and {len(keys) - 1} more: {', '.join(keys[1:])})" if len(keys) > 1 else ""
    choices = _choices(where, keys[0].rpartition(".")[2])
    told = f"; write one of: {choices}" if choices else "; write its value"
    return f"{where}: {keys[0]} is still {MARK}{told}{more}"


def _choices(where: str, key: str) -> str:
    try:
        text = Path(where).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""
    found = re.search(rf"^\s*{re.escape(key)}:.*\b{MARK}\b[^#\n]*#\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else ""
