"""The words of `tierbook new`, from words.yaml, in the language of whoever runs it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tierbook.params import read_yaml

WORDS = Path(__file__).with_name("words.yaml")


class Speech:
    """``speech(code, **values)`` is a sentence in one language; ``speech.name(group, code)`` a word, or the code itself."""

    def __init__(self, language: str):
        self.language = language
        self._words = _words()

    def __call__(self, code: str, /, **values) -> str:
        return self._words[code][self.language].format(**values)

    def name(self, group: str, code: str) -> str:
        """The word of a code, such as the reason of setting a row aside; the code where no word is known."""
        return self._words.get(f"{group}_{code}", {}).get(self.language, code)


@cache
def _words() -> dict[str, dict[str, str]]:
    return read_yaml(WORDS, "words")


def language_of(headers: Iterable[str]) -> str:
    """``zh`` where most headers are Chinese, else ``en``."""
    chinese = [any("\u4e00" <= c <= "\u9fff" for c in header) for header in headers]
    return "zh" if sum(chinese) * 2 > len(chinese) else "en"


def aligned(rows: list[list[str]]) -> list[str]:
    """Rows as lines whose columns stand under each other; a Chinese character is two places wide."""
    widths = [max(_width(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = [
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)) for row in rows
    ]
    return [f"  {line.rstrip()}" for line in lines]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
