"""What is wrong with a tree of params, in one line that a user can act on."""

from __future__ import annotations

import difflib
import re
from typing import Any

from pydantic import BaseModel, ValidationError

from tierbook.tree import CODE, MASTER, MEMORY, NAME, NOTEBOOK

_PATTERNS = {
    NAME: "write letters, digits, . _ and - only, a letter or digit first",
    NOTEBOOK: "write a notebook's name, such as 06_review_campaign or cases/01_…",
    CODE: "write the three capital letters of a currency, such as CNY",
    MASTER: "write local[2], spark://<host>:7077, yarn or k8s://<url>",
    MEMORY: "write an amount of memory, such as 4GB",
}
_SAID = {
    "model_type": "write keys and values",
    "model_attributes_type": "write keys and values",
    "dict_type": "write keys and values",
    "list_type": "write a list, [one, two]",
    "string_type": "write a text",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "finite_number": "write a number",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "invalid_key": "write the key as a text",
}


def nearest(word: str, known) -> str:
    """A clause that names the nearest known word, or all of them when none is near."""
    close = difflib.get_close_matches(str(word), [str(k) for k in known], n=1, cutoff=0.6)
    return f"nearest is {close[0]!r}" if close else f"known: {', '.join(map(str, known))}"


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """The first fault of a tree that was checked against `model`: its key, its value, and what to write there.

    A value that may hold a password is not told.
    """
    errors = error.errors(include_url=False)
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    spot = _spot(first)
    if first["type"] == "extra_forbidden":
        return f"unknown key {spot!r}; {nearest(first['loc'][-1], _known_keys(model, first['loc'][:-1]))}"
    if first["type"] == "missing":
        return f"key {spot!r} is missing"
    # A value that fits none of several forms has one fault per form, all at one spot.
    said = dict.fromkeys(_say(e) for e in errors if _spot(e) == spot)
    more = len({_spot(e) for e in errors}) - 1
    if not spot:  # a fault of the tree as a whole names its keys itself
        return " or ".join(said)
    value = one_line(repr(first["input"]))
    told = (
        "" if re.search("database|conf", spot + value) else f" = {value[:80]}"
    )  # a URL or setting may hold a password
    return f"{spot}{told}: {' or '.join(said)}{f' (and {more} more)' if more else ''}"


def _say(fault: Any) -> str:
    if fault["type"] == "string_pattern_mismatch":
        return _PATTERNS.get(fault["ctx"]["pattern"], fault["msg"])
    told = one_line(_SAID.get(fault["type"], fault["msg"]))
    return told.removeprefix("Value error, ").replace("Input should be", "must be")


def _spot(fault: Any) -> str:
    return ".".join(str(part) for part in fault["loc"] if not _is_type_name(part))


def _is_type_name(part: Any) -> bool:
    """Pydantic names the branch of a union in the location of a fault; a user never wrote it."""
    return isinstance(part, str) and bool(
        re.match(
            r"^((literal|list|dict|function-\w+)\[.*|constrained-\w+|str|int|float|Product|Constant|\[key\])$", part
        )
    )


def _known_keys(model: Any, location) -> list[str]:
    for part in location:
        if _is_type_name(part):
            continue
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            return ["multiply", "value"] if "columns" in location else []
        model = _model_in(field.annotation)
    return list(getattr(model, "model_fields", {}))


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for a in getattr(annotation, "__args__", ()) if (m := _model_in(a)) is not None), None)


def one_line(text: Any) -> str:
    """Any text with its line breaks and runs of blanks as one blank each."""
    return re.sub(r"\s+", " ", str(text)).strip()
