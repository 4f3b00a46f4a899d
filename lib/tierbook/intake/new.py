"""`tierbook new FILE…`: look, guess and say why, ask what cannot be known, show the account, write the params file."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pandas as pd

from tierbook import params as tree
from tierbook.engine import Engine, open_engine
from tierbook.errors import InputError, ParamsError
from tierbook.intake import as_of as last_day
from tierbook.intake import choices, draft, look, money, others, presets, preview, questions, roles, waiting
from tierbook.intake.choices import Orders
from tierbook.intake.look import Part
from tierbook.intake.orders import Settling
from tierbook.intake.plan import Plan
from tierbook.intake.questions import Desk
from tierbook.intake.speech import Speech, language_of
from tierbook.params import EngineParams
from tierbook.schema import SCHEMA
from tierbook.sources import first_line
from tierbook.tables import Tables


@dataclass(frozen=True)
class Order:
    """What was asked for: the files, where the params file goes, whether one there may go, language and answers."""

    files: list[Path]
    output: Path | None = None
    force: bool = False
    language: str | None = None
    answers: tuple[str, ...] = ()


def run(order: Order) -> Path:
    """Do it; returns the params file written. Raises a `TierbookError` of one line; nothing is then written."""
    try:
        return _run(order)
    except duckdb.Error as error:  # the engine reads a line only when it is asked for it
        raise InputError(f"{', '.join(path.name for path in order.files[:3])}: {first_line(error)}") from None


def _run(order: Order) -> Path:
    given = questions.answers(list(order.answers), SCHEMA["transactions"])
    name = draft.safe_name(order.files[0].stem)
    target = order.output or tree.ROOT / "params" / f"{name}.yaml"
    if target.exists() and not order.force:
        raise ParamsError(f"{target} exists already; write --output <another file>, or --force to write over it")
    with tempfile.TemporaryDirectory(prefix="tierbook-new-") as work, open_engine(EngineParams(), Path(work)) as engine:
        with waiting.told(", ".join(path.name for path in order.files[:3])):
            parts = _parts(engine, order.files, given, Path(work))
        speech = Speech(order.language or language_of(h for part in parts for h in part.columns))
        asks = sys.stdin.isatty() and sys.stdout.isatty()
        desk = Desk(given, questions.at_terminal(speech) if asks else None)
        text = _drafted(engine, parts, name, _Room(desk, speech, Path(work)))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    _say(f"\n{speech('written', path=target)}")
    _say(speech("next_fill" if desk.open else "next_run", count=len(desk.open), path=target))
    return target


@dataclass(frozen=True)
class _Room:
    desk: Desk
    speech: Speech
    work: Path


def _parts(engine: Engine, files: list[Path], given: dict[str, str], work: Path) -> list[Part]:
    form = {key: given[key] for key in questions.FORM if key in given}
    parts = []
    for n, file in enumerate(dict.fromkeys(path.resolve() for path in files)):
        if not file.exists():
            raise InputError(f"no file {file}")
        if file.is_dir():
            raise InputError(f"{file} is a folder; name its files, for example {file}/*.csv")
        found = look.open_parts(engine, file, form, work / f"look_{n}")
        preset = presets.split_on_blanks(found[0].columns)
        if preset:
            form_of = {key: preset.rules[key] for key in ("delimiter", "names")}
            found = look.open_parts(engine, file, form_of, work / f"look_{n}")
        parts += found
    return parts


def _drafted(engine: Engine, parts: list[Part], name: str, room: _Room) -> str:
    """Everything that is shown, and the text of the params file."""
    speech = room.speech
    plans, aside = _tables(engine, parts, room.work)
    _say(speech("title_files"))
    for plan in plans:
        _say(*preview.files(plan, speech))
    _say(*(preview.left_out(part, speech) for part in aside))
    orders, settled = None, []
    for n, plan in enumerate(plans):
        with waiting.told(plan.parts[0].name):
            lines, cells = _lines(engine, plan, room.work, n)
        if plan.table == "transactions":
            orders = lines
            settled.append(Settling(plan, lines, cells, room.desk, speech).settle())
        elif others.settle(plan, speech):
            settled.append(plan)
        else:
            _say(*(preview.left_out(part, speech) for part in plan.parts))
    found = money.of(orders, settled[0], room.desk, speech)
    room.desk.refuse_unused()
    days = choices.days(orders, settled[0].header("ordered_at"))
    as_of = _as_of(days, room.desk, settled[0])
    _say(
        *(
            line
            for plan in settled
            for line in [*preview.columns(plan, speech), *preview.personal(plan, speech), *plan.told]
        )
    )
    _say("", f"as_of: {as_of.day} ({draft.told_as_of(as_of, speech)})", f"currency: {found.code} ({found.why})")
    _account(name, settled, as_of, found, room)
    return draft.text(name, settled, as_of, found, speech)


def _tables(engine: Engine, parts: list[Part], work: Path) -> tuple[list[Plan], list[Part]]:
    """A plan per table, orders first; parts that are no table. Raises `InputError` where nothing holds orders."""
    groups: dict[str, list[Part]] = {}
    aside = []
    for part in parts:
        preset = presets.recognised(part.columns) or presets.split_on_blanks([" ".join(part.columns)])
        table = preset.table if preset else roles.table_of(part.columns)
        groups.setdefault(table, []).append(part) if table else aside.append(part)
    if "transactions" not in groups:
        seen = "; ".join(f"{part.name}: {', '.join(part.columns)}" for part in parts[:3])
        raise InputError(f"no file holds orders, with a date and an amount in each row; the header line reads {seen}")
    if not any(part.rows for part in groups["transactions"]):
        names = ", ".join(part.name for part in groups["transactions"])
        raise InputError(f"{names}: a header and not one row below it; export the orders again")
    ordered = sorted(groups, key=lambda table: (table != "transactions", tree.TABLES.index(table)))
    return [_plan(engine, table, groups[table]) for table in ordered], aside


def _plan(engine: Engine, table: str, parts: list[Part]) -> Plan:
    """The plan of one table: its preset, where all parts have that header, and the sheets read, where not all are."""
    parts = _one_export(table, parts)
    preset = presets.recognised(parts[0].columns) or presets.split_on_blanks([" ".join(parts[0].columns)])
    plan = Plan(table, parts, [], preset and _spelled(preset, parts[0].columns))
    if any(part.sheet for part in parts):
        plan.rules["sheet"] = list(dict.fromkeys(part.sheet for part in parts if part.sheet))
    return plan


def _one_export(table: str, parts: list[Part]) -> list[Part]:
    """Parts of one table must have the columns of the first, or be given apart."""
    first = {column.lower() for column in parts[0].columns}
    for part in parts[1:]:
        if {column.lower() for column in part.columns} != first:
            missing = sorted(first ^ {column.lower() for column in part.columns})[:5]
            raise InputError(
                f"{parts[0].name} and {part.name} both hold {table}, with different headers ({', '.join(missing)}); "
                "run tierbook new for one of them, and add the other by hand"
            )
    return parts


def _spelled(preset: presets.Preset, headers: list[str]) -> presets.Preset:
    """The preset with its headers as this file spells them."""
    own = {header.strip().lower(): header for header in headers}
    columns = {
        name: own[wanted.strip().lower()] if isinstance(wanted, str)
        else {**wanted, "multiply": [own.get(h.strip().lower(), h) for h in wanted["multiply"]]}
        for name, wanted in preset.columns.items()
    }  # fmt: skip
    return replace(preset, columns=columns)


def _lines(engine: Engine, plan: Plan, work: Path, n: int) -> tuple[Orders, pd.DataFrame]:
    """The rows of one table, measured: its roles are told by header and content."""
    sql = look.relation(engine, plan.parts, work / f"table_{n}.parquet")
    types = look.types_of(engine, sql)
    cells = look.measure(engine, sql, types, roles.kinds_of(list(types), plan.table))
    plan.roles = roles.of_columns(list(types), plan.table, cells)
    return Orders(engine, sql, types), cells


def _as_of(days, desk: Desk, plan: Plan) -> last_day.AsOf:
    given = desk.given.get("as_of")
    found = last_day.of(days)
    if given:
        day = tree.check(tree.Params, {"report": {"name": "x"}, "source": {}, "as_of": given}, "--answer").as_of
        return last_day.AsOf(day, False, day)
    if found is None:
        header = plan.header("ordered_at")
        raise InputError(
            f"{plan.parts[0].name}, column {header!r}: not one cell reads as a date; name the column: --answer ordered_at=<column>, or its form: --answer date_format=%d/%m/%Y"
        )
    return found


def _account(name: str, plans: list[Plan], as_of: last_day.AsOf, found: money.Money, room: _Room) -> None:
    """Read the files as the draft says, and show the bridge, the first rows and what is still open."""
    likely = draft.tree(name, plans, as_of.day.isoformat(), found, likely=True)
    with waiting.told(name):
        tables = Tables(tree.parse(likely, "draft"), room.work / "tables", [])
    _say(*preview.bridge(tables, room.speech))
    if room.desk.open:
        _say("  " + room.speech("provisional"))
    _say(*preview.first_rows(tables, room.speech))
    if room.desk.open:
        _say(f"\n{room.speech('title_open')}")
    for question in room.desk.open:
        _say("  " + room.speech("open_line", key=question.key, why=question.text))
        _say(*(f"    - {choice.told}" for choice in question.choices))


def _say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)
