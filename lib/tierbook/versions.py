"""The version of a params file: which one is read, and what is told of any other before its keys are looked at."""

from __future__ import annotations

from typing import Any

READ = 1
"""The version that this tierbook reads; a file without ``version:`` is one of this version."""

CHANGES: dict[int, str] = {
    0: "no release ever read version 0; version 1 is the first",
}
"""Older version → what has to be changed in a file of it, in words; whoever renames a key adds a line."""


def refusal(tree: dict[str, Any], where: str) -> str | None:
    """One line that says why a params file of its ``version`` is not read, and what to do; None where it is."""
    given = tree.get("version", READ)
    if isinstance(given, bool) or not isinstance(given, int):
        return f"{where}: version = {str(given)[:40]!r} is not a whole number; write version: {READ}"
    if given > READ:
        return f"{where}: version = {given}: this tierbook reads version {READ}; upgrade tierbook, or write its keys as version {READ} has them"
    if given < READ:
        change = CHANGES.get(given, f"versions begin with {READ}")
        return f"{where}: version = {given}: this tierbook reads version {READ} ({change}); change the keys, then write version: {READ}"
    return None
