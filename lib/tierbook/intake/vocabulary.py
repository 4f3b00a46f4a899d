"""What a header means: the words of headers.yaml, and how a header is compared with them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path

from tierbook.params import read_yaml
from tierbook.schema import SCHEMA

HEADERS = Path(__file__).with_name("headers.yaml")
ASIDE = ("personal", "unused")
_UNITS = {"万元": 10_000, "万": 10_000, "千元": 1_000, "百万元": 1_000_000, "亿元": 100_000_000, "亿": 100_000_000,
          "角": Decimal("0.1"), "分": Decimal("0.01"), "cent": Decimal("0.01"), "cents": Decimal("0.01")}  # fmt: skip
NAMES = {"元": "CNY", "人民币": "CNY", "人民币元": "CNY", "RMB": "CNY", "¥": "CNY", "万元": "CNY", "分": "CNY", "千元": "CNY", "亿元": "CNY", "$": "USD",
         "美元": "USD", "€": "EUR", "欧元": "EUR", "£": "GBP", "英镑": "GBP", "港币": "HKD", "日元": "JPY"}  # fmt: skip
"""What a currency is called in headers and in currency columns."""

_CODES = {"CNY", "USD", "EUR", "GBP", "HKD", "JPY", "AUD", "SGD", "TWD"}
_LEAST_CHINESE, _LEAST_ENGLISH = 2, 5


@dataclass(frozen=True)
class Meaning:
    """What a header says: its role in a table, the kind within the role, the word it was known by, exact or within."""

    role: str
    kind: str
    word: str
    exact: bool
    rank: int


@cache
def words() -> dict[str, dict[str, dict[str, list[str]]]]:
    """Table → role → kind → words; a role without kinds has one, named as itself. ``personal`` and ``unused`` beside."""
    found = read_yaml(HEADERS, "vocabulary")
    tables = {
        table: {role: _kinds(role, said) for role, said in found[table].items()}
        for table in found
        if table not in ASIDE
    }
    return tables | {name: {name: {name: found[name]}} for name in ASIDE}


def _kinds(role: str, said) -> dict[str, list[str]]:
    return said if isinstance(said, dict) else {role: said}


@lru_cache(maxsize=10_000)
def plain(header: str) -> str:
    """A header without case, width, blanks, marks and what stands in brackets."""
    text = unicodedata.normalize("NFKC", header).lower()
    bare = re.sub(r"[(\[【{].*?[)\]】}]", "", text)
    return re.sub(r"[\s_\-./:：*#='\"\ufeff]+", "", bare or text)


def unit(header: str) -> int | Decimal:
    """What one of the column's units is worth: 10,000 where the header says 万元, a hundredth where it says 分 or cents."""
    return _UNITS.get(_bracket(header), 1)


def currency(header: str) -> str | None:
    """The currency that a header names in brackets, as in 金额（元） or Total (USD)."""
    said = _bracket(header).upper()
    return said if said in _CODES else NAMES.get(said)


def _bracket(header: str) -> str:
    found = re.search(r"[(\[【]\s*(?:单位[:：]?)?\s*(.*?)\s*[)\]】]", unicodedata.normalize("NFKC", header).lower())
    return found[1] if found else ""


def meaning(header: str, table: str) -> Meaning | None:
    """The role of a header in a table: named as in the contract, by a word of the vocabulary, or by one within it.

    Words of the table go before personal and unused ones where all of the header is the word; else the longest word
    within it wins, and of equal ones the personal.
    """
    bare = plain(header)
    if header.strip().lower() in SCHEMA[table] and header.strip().lower() != "part":  # that may be a spare part
        return Meaning(header.strip().lower(), "contract", header.strip(), True, 0)
    listed = _listed(table)
    exact = next((m for m in listed if plain(m.word) == bare), None)
    if exact:
        return Meaning(exact.role, exact.kind, exact.word, True, exact.rank)
    within = [m for m in listed if _may_be_part(m.word) and plain(m.word) in bare]
    return max(within, key=lambda m: (len(plain(m.word)), m.role == "personal"), default=None)


def _may_be_part(word: str) -> bool:
    return not word.startswith("=") and len(plain(word)) >= (_LEAST_ENGLISH if word.isascii() else _LEAST_CHINESE)


@cache
def _listed(table: str) -> tuple[Meaning, ...]:
    groups = [*words()[table].items(), *words()["personal"].items(), *words()["unused"].items()]
    said = [(role, kind, w) for role, kinds in groups for kind, of_kind in kinds.items() for w in of_kind]
    return tuple(Meaning(role, kind, word, False, n) for n, (role, kind, word) in enumerate(said, 1))


def is_personal(header: str) -> bool:
    """Whether a header says who a person is, where they live or what they wrote."""
    bare = plain(header)
    return any(plain(word) == bare for word in words()["personal"]["personal"]["personal"])
