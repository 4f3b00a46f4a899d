"""How the pages were made: inputs, params, scale, gates, versions, notebooks, in the words of their footer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tierbook import databases, sources
from tierbook.params import Params
from tierbook.scores import drift
from tierbook.show.words import N_, Words
from tierbook.workbook import Workbook

SHORT = 12
"""Signs of a SHA-256 that a page shows; run.json has all 64."""
MOST_FILES = 20
_TOLD_AS_INPUTS = {"path", "database", "table", "query"}

Section = tuple[str, tuple[str, ...]]


def sections(month: Workbook, words: Words, facts: dict[str, Any]) -> tuple[Section, ...]:
    """Heading and lines of plain text, in the order of reading; ``facts``: `manifest.facts`. The same in every run."""
    gates = _gates(words, facts["gates"])
    return (
        (words.text("Data"), tuple(_inputs(month, words, facts))),
        (words.text("Parameters"), tuple(_parameters(month.params, words, facts))),
        *(((words.text("Cut points"), tuple(_scale(words, month))),) if facts["scale"] else ()),
        *(((words.text("Requirements on the data"), gates),) if gates else ()),
        (words.text("Notebooks"), tuple(_notebooks(words, facts))),
        (words.text("Versions"), (_versions(facts),)),
        (words.text("To make it again"), _again(words, facts)),
    )


def _inputs(month: Workbook, words: Words, facts: dict[str, Any]) -> Iterator[str]:
    """Per table: rows read and counted, whether simulated, its files with the beginning of their SHA-256."""
    files = _files(month)
    for table, named in files.items():
        rows = [row for row in facts["row_accounting"] if row["table"] == table]
        yield (
            words.text(
                "{table:term.table}: {read:number} rows read, {kept:number} counted",
                table=table,
                read=sum(row["rows"] for row in rows),
                kept=sum(row["rows"] for row in rows if row["reason"] == "kept"),
            )
            + (" · " + words.text("simulated, no real data") if table in facts["simulated"] else "")
            + _named(words, named)
        )
    rules = {path.name: facts["inputs"][month.tables.named(path)] for path in month.tables.rules}
    yield words.text("Rules") + _named(words, rules)


def _files(month: Workbook) -> dict[str, dict[str, str]]:
    """Table → name of each of its inputs → SHA-256; a database goes by its label. Folders are the machine's own affair."""
    inputs, found = month.tables.inputs, {}
    lying = {table: databases.label(spec) for table, spec in databases.given(month.params).items()}
    for table, spec in month.tables.specs.items():
        if table in lying:
            found[table] = {lying[table]: inputs[f"{table}, {lying[table]}"]}
        else:
            found[table] = {path.name: inputs[month.tables.named(path)] for path in sources.files_of(spec, table)}
    return found


def _named(words: Words, files: dict[str, str]) -> str:
    shown = [f"{name} (sha256 {digest[:SHORT]})" for name, digest in files.items()][:MOST_FILES]
    if len(files) > MOST_FILES:
        shown.append(words.text("{n:number} more files in run.json", n=len(files) - MOST_FILES))
    return " · " + ", ".join(shown) if shown else ""


def _parameters(tree: Params, words: Words, facts: dict[str, Any]) -> Iterator[str]:
    yield words.text("File {file}; what differs from the defaults:", file=Path(facts["params_file"]).name)
    shown = facts["params"]
    for place in changed(tree):
        value = shown
        for key in place:
            value = value[key]
        yield f"{'.'.join(place)} = {json.dumps(value, ensure_ascii=False, default=str)}"


def changed(tree: BaseModel, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where params are required or differ from their defaults, as places in the tree, in its order.

    What a table is read from is left out: the inputs tell it.
    """
    for name, field in type(tree).model_fields.items():
        value, place = getattr(tree, name), (*above, name)
        if isinstance(value, BaseModel):
            yield from changed(value, place)
        elif above[:1] == ("source",) and name in _TOLD_AS_INPUTS:
            continue
        elif field.is_required() or value != field.get_default(call_default_factory=True):
            yield place


def _scale(words: Words, month: Workbook) -> Iterator[str]:
    """Which scale is in use; of a frozen one its age and its review, as the page on segments tells them."""
    scale, path = month.scale, month.scale_path
    if path is None:
        yield words.text(
            "Fitted on the {n:number|customer|customers} of this month; no scale is frozen.", n=scale.customers
        )
        return
    used = {
        "file": path.name,
        "day": scale.valid_from,
        "n": scale.customers,
        "age": drift.age_months(scale, month.as_of),
    }
    yield words.text(_AFTER if used["age"] < 0 else _OLD, **used)
    due = drift.review_by(scale)
    yield words.text(_OVERDUE if month.as_of > due else _DUE, due=due)


_AFTER = N_("The frozen scale {file} is valid from {day:date} only, after this report: freeze one as of this date.")
_OLD = N_(
    "The frozen scale {file} is {age:number|month|months} old: in use since {day:date}, fitted on {n:number} customers."
)
_DUE = N_("The cut points are to be reviewed by {due:date}.")
_OVERDUE = N_("The review of the cut points was due on {due:date}.")


def _gates(words: Words, gates: list[dict[str, Any]]) -> tuple[str, ...]:
    if not gates:
        return ()
    missed = [gate["gate"] for gate in gates if gate["result"] != "pass"]
    told = words.text("{n:number} of {all:number} met", n=len(gates) - len(missed), all=len(gates))
    return (told, *([words.text("Missed: {gates:list.gate}", gates=missed)] if missed else []))


def _notebooks(words: Words, facts: dict[str, Any]) -> Iterator[str]:
    """Which notebooks differ from the committed ones, and by how many cells."""
    for name, n in facts["changed_notebooks"].items():
        yield words.text("{name}: {n:number|cell differs|cells differ} from the committed notebook", name=name, n=n)
    unknown = facts["uncommitted_notebooks"]
    if unknown:
        yield words.text("No commit to compare with: {names:list}", names=unknown)
    same = len(facts["notebooks"]) - len(facts["changed_notebooks"]) - len(unknown)
    if same:
        yield words.text("{n:number} as committed", n=same)


def _versions(facts: dict[str, Any]) -> str:
    versions = {"tierbook": facts["code"]["tierbook"], **facts["versions"]}
    return " · ".join(f"{name} {version}" for name, version in versions.items())


def _again(words: Words, facts: dict[str, Any]) -> tuple[str, ...]:
    return (
        words.text("Fingerprint of inputs, params and code: {code}", code=facts["fingerprint"]),
        words.text("Code sha256 {code}, seed {seed}", code=facts["code"]["sha256"][:SHORT], seed=facts["seed"]),
    )


def summary(month: Workbook, words: Words, facts: dict[str, Any]) -> tuple[str, ...]:
    """The same in three lines, that stand there unfolded."""
    table = "transactions" if month.on_orders else "trial"
    rows = [row for row in facts["row_accounting"] if row["table"] == table]
    read, kept = sum(r["rows"] for r in rows), sum(r["rows"] for r in rows if r["reason"] == "kept")
    return (
        words.text(
            "tierbook {version}, params {file}",
            version=facts["code"]["tierbook"],
            file=Path(facts["params_file"]).name,
        ),
        words.text("Order lines read {read:number}, counted {kept:number}", read=read, kept=kept)
        if month.on_orders
        else words.text("Customers of the trial read {read:number}, counted {kept:number}", read=read, kept=kept),
        words.text("Fingerprint of inputs, params and code: {code}", code=facts["fingerprint"]),
    )
