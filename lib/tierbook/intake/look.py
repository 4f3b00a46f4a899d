"""Looking at files: what each is, which have one header, and what the cells of each column read as."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import python_calamine

from tierbook import cells, excel, sources, texts
from tierbook.engine import Engine, identifier, literal, path_literal
from tierbook.params import Constant, TableSource, check

SAMPLE = 4_000
_SLASHED = r"^\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}(\s.*)?$"


@dataclass(frozen=True)
class Part:
    """One file, or one sheet of an Excel file: its relation in the engine and what it was understood to be."""

    file: Path
    sheet: str | None
    sql: str
    types: dict[str, str]
    rows: int
    form: str

    @property
    def name(self) -> str:
        return self.file.name + (f"[{self.sheet}]" if self.sheet else "")

    @property
    def columns(self) -> list[str]:
        return list(self.types)


def open_parts(engine: Engine, file: Path, given: dict, scratch: Path) -> list[Part]:
    """The parts of one file. Raises `InputError` naming the file where it cannot be read."""
    sheets = _sheets(file) if not given.get("sheet") else [given["sheet"]]
    parts = []
    for n, sheet in enumerate(sheets):
        spec = check(TableSource, {"path": str(file), **given, **({"sheet": sheet} if sheet else {})}, file.name)
        # A trial needs no column but its arm: the one table that any file can be read as.
        spec = spec.model_copy(update={"columns": {"arm": Constant(value="-")}})
        raw = sources.read(engine, "trial", spec, scratch / str(n))
        types = {name: kind for name, kind in raw.types.items() if name not in {"_part", raw.columns["arm"], "arm_1"}}
        if "arm_1" in raw.types:  # the file's own column, and the constant beside it
            types["arm"] = raw.types["arm"]
        rows = engine.execute(f"SELECT count(*) FROM {raw.sql}").fetchone()[0]
        parts.append(Part(file, sheet, raw.sql, types, rows, _form(file, given)))
    filled = [part for part in parts if part.rows and part.columns]
    return filled or parts[:1]


def _sheets(file: Path) -> list[str | None]:
    """The sheets of an Excel file that hold a header line; a single one needs no name."""
    if file.suffix.lower() not in excel.SUFFIXES:
        return [None]
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(file))
        held = [name for name in book.sheet_names if book.get_sheet_by_name(name).height]
    except Exception:  # sources.read says in words what is wrong with the file
        return [None]
    return list(held) if len(held) > 1 else [None]


def _form(file: Path, given: dict) -> str:
    kind = file.suffix.lower().lstrip(".")
    if f".{kind}" in excel.SUFFIXES or kind in {"zip", "parquet", "pq"}:
        return kind
    encoding = given.get("encoding") or texts.encoding_of(file)
    return f"{encoding} {kind}".strip()


def relation(engine: Engine, parts: list[Part], target: Path) -> str:
    """The parts under each other by column name, kept as Parquet: read once, measured often."""
    sql = " UNION ALL BY NAME ".join(
        f"SELECT {', '.join(map(identifier, part.types))}, {literal(f'{n:05d} {part.name}')} AS _part FROM {part.sql}"
        for n, part in enumerate(parts)
    )
    engine.execute(f"COPY ({sql}) TO {literal(target)} (FORMAT parquet)")
    return f"read_parquet({path_literal(target)})"


def types_of(engine: Engine, sql: str) -> dict[str, str]:
    """Column → engine type of a relation of `relation`."""
    return {row[0]: row[1] for row in engine.execute(f"DESCRIBE SELECT * EXCLUDE (_part) FROM {sql}").fetchall()}


def measure(engine: Engine, sql: str, types: dict[str, str], kinds: dict[str, str | None]) -> pd.DataFrame:
    """Per header: filled and distinct cells (of all rows), and of about 4,000 rows the shares of filled cells that read
    as its kind: time, slashed (01/02/2019), money, id (short, without blanks), phone, email.

    ``kinds``: what each header should hold, as in `schema.SCHEMA`; None where nothing is known of it. The sample is
    drawn by the hash of the row, so that it is the same in any order of rows.
    """
    rows = engine.execute(f"SELECT count(*) FROM {sql}").fetchone()[0]
    whole = {h: f"count({cells.text(identifier(h))}), approx_count_distinct({identifier(h)})" for h in types}
    every = _rows(engine, whole, sql, ["filled", "distinct"])
    picked = f"{sql} WHERE hash({', '.join(map(identifier, types))}) % {max(1, rows // SAMPLE)} = 0"
    tests = {h: _tests(h, types[h], kinds[h]) for h in types}
    names = list(next(iter(tests.values())))
    found = _rows(engine, {h: ", ".join(test.values()) for h, test in tests.items()}, picked, names).astype(float)
    shares = found.div(found["seen"].where(found["seen"] > 0), axis=0).fillna(0.0)
    return pd.concat([every, shares.drop(columns="seen")], axis=1)


def _tests(header: str, kept_as: str, kind: str | None) -> dict[str, str]:
    column = identifier(header)
    said = cells.text(column)
    tests = dict.fromkeys(("seen", "time", "slashed", "money", "id", "phone", "email"), "0")
    tests["seen"] = f"count({said})"
    if kind == "time":
        tests["time"] = f"count({cells.typed(column, kept_as, 'time', 'UTC')})"
        tests["slashed"] = f"count(*) FILTER (regexp_matches({said}, {literal(_SLASHED)}))"
    if kind in {"money", "number"}:
        tests["money"] = f"count({cells.typed(column, kept_as, 'money', 'UTC')})"
    if kind in {"id", None}:
        tests["id"] = f"count(*) FILTER (regexp_matches({said}, '^[^\\s]{{1,40}}$'))"
        tests["phone"] = f"count(*) FILTER (regexp_matches({said}, '^(\\+?86)?1[3-9][\\d*]{{9}}$'))"
        tests["email"] = f"count(*) FILTER (regexp_matches({said}, '^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$'))"
    return tests


def _rows(engine: Engine, expressions: dict[str, str], sql: str, names: list[str]) -> pd.DataFrame:
    found = engine.execute(f"SELECT {', '.join(expressions.values())} FROM {sql}").fetchone()
    width = len(names)
    return pd.DataFrame([found[n * width : (n + 1) * width] for n in range(len(expressions))], list(expressions), names)
