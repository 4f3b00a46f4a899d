"""Seeded ways to break a YAML text, a tree of parameters and the bytes of a file."""

from __future__ import annotations

import copy
import random

import yaml

SCALARS = [
    "", " ", "0", "-1", "1e999", "-1e999", ".nan", ".inf", "-.inf", "NaN", "null", "~", "true", "yes", "[]", "{}", "[[]]", "{a: {b: [c]}}", "[1, two, ~]",
    "9" * 400, "-" + "9" * 30, "0x1F", "0o17", "1_000", "12:30:45", "2026-13-45", "2026-02-30", "0000-00-00", "9999-12-31", "0001-01-01", "20261031", "2026-10-31T00:00:00Z",
    "!!python/object/apply:os.system ['touch /tmp/pwned']", "!!binary aGk=", "!!set {a, b}", "!!float x", "!!int x", "!!timestamp x", "!unknown x", "&a [*a]", "*nowhere",
    "'; DROP TABLE x; --", '"\\"; DROP TABLE x; --"', "\"'\"", "../../etc/passwd", "/etc/passwd", "/dev/null", "/", ".", "~/x", "${HOME}", "{{ 1 }}", "{% raw %}",
    "'\\x00'", '"\\0"', '"a\\nb"', '"\\uD800"', '"\\u202E"', '"\\u2028"', "\U0001f600", "\u0661\u0662", "\uff11\uff12", "e\u0301", "a" * 5000, "|\n  a\n  b", ">-\n  a", "<<: {a: 1}", "? [x]\n: y",
]  # fmt: skip
"""What a wrong value may look like, as YAML."""
INSERTED = ["\t", "\x00", "\x07", "\u00a0", "\u2028", "\ufeff", "\r", "\n", ":", ": ", "- ", "{", "}", "[", "]", "'", '"', "#", "&a ", "*a", "!x ", "|", ">", "%", "@", "`", ",", "\U0001f600", "<<: *a"]  # fmt: skip


def scalar(rng: random.Random):
    """One of `SCALARS` as YAML understands it, or as its bare text."""
    text = rng.choice(SCALARS)
    try:
        return text if "*" in text else yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, TypeError, AttributeError):  # as PyYAML tells of a !!timestamp that is none
        return text


def text(rng: random.Random, whole: str) -> str:
    """A text with one to three faults: a character or a line lost, doubled, moved or put in; a value replaced; cut short."""
    for _ in range(rng.randint(1, 3)):
        whole = rng.choice(_TEXT)(rng, whole)
    return whole


def _put_in(rng, whole):
    at = rng.randrange(len(whole) + 1)
    return whole[:at] + rng.choice(INSERTED) + whole[at:]


def _lose(rng, whole):
    at = rng.randrange(len(whole) + 1)
    return whole[:at] + whole[at + rng.randint(1, 8) :]


def _cut(rng, whole):
    return whole[: rng.randrange(len(whole) + 1)]


def _lines(change):
    def apply(rng, whole):
        lines = whole.split("\n")
        at = rng.randrange(len(lines))
        lines[at : at + 1] = change(rng, lines[at])
        return "\n".join(lines)

    return apply


def _other_value(rng, line):
    key, mark, _ = line.partition(":")
    return [f"{key}: {rng.choice(SCALARS)}" if mark else rng.choice(SCALARS)]


_TEXT = [
    _put_in,
    _lose,
    _cut,
    _lines(lambda rng, line: []),
    _lines(lambda rng, line: [line, line]),
    _lines(lambda rng, line: [" " * rng.randint(1, 5) + line]),
    _lines(lambda rng, line: ["\t" + line]),
    _lines(lambda rng, line: [line.lstrip()]),
    *3 * [_lines(_other_value)],
]


def tree(rng: random.Random, whole: dict) -> dict:
    """A copy of a tree with one to three faults: a key lost, renamed or put in, a value replaced, nested, moved."""
    whole = copy.deepcopy(whole)
    for _ in range(rng.randint(1, 3)):
        branch = rng.choice(list(_branches(whole)))
        if isinstance(branch, list):
            branch.insert(rng.randrange(len(branch) + 1), scalar(rng))
        else:
            rng.choice(_TREE)(rng, branch, whole)
    return whole


def _branches(node):
    yield node
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            yield from _branches(child)


def _key(rng, branch):
    return rng.choice(list(branch)) if branch else "x"


def _take_out(rng, branch, whole):
    branch.pop(_key(rng, branch), None)


def _rename(rng, branch, whole):
    key = _key(rng, branch)
    branch[str(key)[:-1] or rng.choice(["x", 1, None, True, 2.5])] = branch.pop(key, None)


def _replace(rng, branch, whole):
    branch[_key(rng, branch)] = scalar(rng)


def _nest(rng, branch, whole):
    key = _key(rng, branch)
    value = branch.get(key)
    for _ in range(rng.choice([1, 2, 40])):
        value = rng.choice([{key: value}, [value]])
    branch[key] = value


def _add(rng, branch, whole):
    key = rng.choice(["x", "__class__", "model_config", "", " ", 0, None, True, 1.5, "a" * 300, "名", "'; --"])
    branch[key] = scalar(rng)


def _move(rng, branch, whole):
    branch[_key(rng, branch)] = copy.deepcopy(rng.choice(list(_branches(whole))))


_TREE = [_take_out, _rename, *4 * [_replace], _nest, _add, _move]


def raw(rng: random.Random, whole: bytes) -> bytes:
    """Bytes with one to four faults: flipped, lost, put in, a stretch doubled, moved or blanked, cut short."""
    for _ in range(rng.randint(1, 4)):
        if not whole:
            return whole
        whole = rng.choice(_RAW)(rng, whole, rng.randrange(len(whole)), rng.randint(1, 12))
    return whole


BYTES = [b"\x00", b"\xff", b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\xd5\xc5", "张".encode(), "張".encode("big5"), b'"', b'""', b"'", b",", b";", b"\t", b"\r", b"\n", b"\r\n", b"\n\n", b"\\", b"\x1a", b"\x1b[31m", b"\x1f", b"=1+1", b"1e400", b"nan", b"inf", b"-", b"999999999999999999999", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", "\u202e".encode(), "\u0000\u0001".encode("utf-16")]  # fmt: skip

_RAW = [
    lambda rng, b, at, n: b[:at] + bytes([b[at] ^ (1 << rng.randrange(8))]) + b[at + 1 :],
    lambda rng, b, at, n: b[:at] + b[at + n :],
    lambda rng, b, at, n: b[:at] + rng.choice(BYTES) + b[at:],
    lambda rng, b, at, n: b[:at] + rng.choice(BYTES) + b[at:],
    lambda rng, b, at, n: b[:at] + rng.choice(BYTES) * n + b[at + n :],
    lambda rng, b, at, n: b[:at] + b[at : at + 8 * n] + b[at:],
    lambda rng, b, at, n: b[at:] + b[:at],
    lambda rng, b, at, n: b[:at],
    lambda rng, b, at, n: b[:at] + rng.randbytes(n) + b[at:],
]
