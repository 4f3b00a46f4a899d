"""What a workbook holds in memory of its kept steps: the latest ones, up to a limit; the rest is read again from disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

LIMIT = 1 << 29
"""Bytes of frames that one workbook holds on to. Several notebooks run side by side, each with its own."""


class Memory:
    """Results by name; the ones asked for longest ago go first when frames weigh more than ``limit`` bytes together."""

    def __init__(self, limit: int = LIMIT):
        self._limit = limit
        self._held: dict[str, Any] = {}
        self._weights: dict[str, int] = {}

    def get(self, name: str, read: Callable[[], Any]) -> Any:
        """The result held under a name, or what ``read`` gives, held for the next caller."""
        if name in self._held:
            self._held[name] = self._held.pop(name)  # asked for last, so it goes last
            return self._held[name]
        found = read()
        self._held[name], self._weights[name] = found, weight(found)
        while sum(self._weights.values()) > self._limit and len(self._held) > 1:
            oldest = next(iter(self._held))
            del self._held[oldest], self._weights[oldest]
        return found


def weight(result: Any) -> int:
    """Bytes of the frames of a step's result."""
    frames = [result] if isinstance(result, pd.DataFrame) else result.values() if isinstance(result, dict) else []
    return sum(int(frame.memory_usage().sum()) for frame in frames if isinstance(frame, pd.DataFrame))
