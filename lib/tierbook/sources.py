"""Reading files: text and Parquet through the engine, Excel by its sheets; nothing is judged here."""

from __future__ import annotations

import glob
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tierbook import excel, texts
from tierbook.engine import Engine, identifier, literal, path_literal
from tierbook.errors import InputError, ParamsError
from tierbook.params import ROOT, Constant, Product, TableSource, check, nearest, read_yaml, resolve
from tierbook.schema import REQUIRED, SCHEMA

PRESETS = ROOT / "params" / "sources"
_FAULTS = {
    "state machine": "lines end in different ways (CRLF and LF), or a quote stands alone; save the file anew",
    "Value with unterminated quote": "a quote is opened and not closed",
    "Invalid unicode": "the text is not UTF-8; give its encoding in the params",
}
_FACTORS = {"money", "number"}


@dataclass(frozen=True)
class Raw:
    """One input table as read: a SQL relation, its columns with their engine types, and the files it came from."""

    sql: str
    types: dict[str, str]
    columns: dict[str, str | tuple[str, str]]  # canonical name → header, or the two headers to multiply
    files: list[Path]
    spec: TableSource


def with_preset(spec: TableSource, presets: Path = PRESETS) -> TableSource:
    """The source with its preset's column map and rules filled in; what the params file says wins."""
    if spec.preset is None or spec.preset == "demo":
        return spec
    path = presets / f"{spec.preset}.yaml"
    if not path.exists():
        known = [*sorted(p.stem for p in presets.glob("*.yaml")), "demo"]
        raise ParamsError(f"source preset {spec.preset!r} is not in params/sources; {nearest(spec.preset, known)}")
    base = {key: value for key, value in read_yaml(path, "preset").items() if key != "about"}
    check(type(spec), base, f"preset {path.name}")
    given = spec.model_dump(exclude_unset=True)
    given["columns"] = {**base.get("columns", {}), **given.get("columns", {})}
    return check(type(spec), {**base, **given}, f"preset {path.name}")


def files_of(spec: TableSource, table: str) -> list[Path]:
    """The files a source names: paths, lists and globs, each file once, globs in order of name."""
    if not spec.path:
        raise ParamsError(f"source.{table} names no path; write source.{table}.path: <file, list or glob>")
    files: dict[Path, Path] = {}
    for pattern in spec.path:
        path = resolve(pattern)
        hits = [path] if path.exists() else [Path(p) for p in sorted(glob.glob(str(path), recursive=True))]
        if not hits:
            raise InputError(f"source.{table}: no file {path}; write an absolute path, or one seen from {ROOT}")
        for hit in hits:
            files.setdefault(hit.resolve(), hit)
    folder = next((p for p in files.values() if p.is_dir()), None)
    if folder:
        raise InputError(f"source.{table}: {folder} is a folder; name its files, for example {folder}/*.csv")
    return list(files.values())


def read(engine: Engine, table: str, spec: TableSource, scratch: Path) -> Raw:
    """Open one input table.

    Each file is read by its own header; files are put under each other by column name. The column ``_part`` holds the
    rank and the name of the file, or of the sheet in an Excel file, so that a later part sorts after an earlier one.
    Raises `InputError` naming the file where it is missing, empty, binary or lacks a required column.
    """
    files = files_of(spec, table)
    parts = []
    for n, file in enumerate(files):
        for k, (name, relation, repeats) in enumerate(_relations(file, spec, scratch / f"{table}_{n}")):
            sql = f"SELECT *{_constants(spec)}, {literal(f'{n:05d}.{k:03d} {name}')} AS _part FROM {relation}"
            mapped = _map_columns(table, spec, _types(engine, f"({sql})", name), name, whole=False)
            _refuse_repeats(table, mapped, repeats, name)
            parts.append(sql)
    sql = "(" + " UNION ALL BY NAME ".join(parts) + ")"
    told = files[0].name + (f" (and {len(files) - 1} more files)" if len(files) > 1 else "")
    types = _types(engine, sql, told)
    return Raw(sql, types, _map_columns(table, spec, types, told), files, spec)


def _constants(spec: TableSource) -> str:
    """Columns that no file holds: what params give for every row, and numbers to multiply by, each under its own name."""
    given = {name: wanted.value for name, wanted in spec.columns.items() if isinstance(wanted, Constant)}
    factors = {f: f for w in spec.columns.values() if isinstance(w, Product) for f in w.multiply if _is_number(f)}
    return "".join(f", {literal(value)} AS {identifier(name)}" for name, value in {**given, **factors}.items())


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d+(\.\d+)?", text) is not None


def _types(engine: Engine, sql: str, told: str) -> dict[str, str]:
    try:
        return {row[0]: row[1] for row in engine.execute(f"DESCRIBE SELECT * FROM {sql}").fetchall()}
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise InputError(f"{told}: {first_line(error)}") from None


def first_line(error: Exception) -> str:
    """The engine's message without its hints, as one line; for a text file, the file, the line and what is wrong."""
    said = str(error)
    file = re.search(r"^ *file = (.+)$", said, re.MULTILINE)
    line = re.search(r"CSV Error on Line: (\d+)", said)
    fault = re.search(r"Expected Number of Columns.*|Value with unterminated quote|Invalid unicode|state machine", said)
    if file and fault:
        told = _FAULTS.get(fault[0], fault[0])
        return f"{file[1]}{f', line {line[1]}' if line else ''}: {told}"
    told = re.split(r"\n\s*\n|Possible [Ff]ix|Possible [Ss]olution|LINE 1:|Candidate bindings|Original Line:", said)[0]
    return " ".join(told.split())[:400]


def _relations(file: Path, spec: TableSource, scratch: Path):
    """The (name, SQL, repeated headers) of one file; several for the sheets of an Excel file."""
    try:
        with file.open("rb") as stream:
            head = stream.read(4096)
        if not head:
            raise InputError(f"{file}: the file is empty (0 bytes)")
        if file.suffix.lower() == ".zip":
            file = _unzipped(file, spec, scratch)
        if file.suffix.lower() in excel.SUFFIXES and not excel.is_text(head):
            yield from excel.sheets(file, spec, scratch)
        elif file.suffix.lower() in {".parquet", ".pq"} or head.startswith(b"PAR1"):
            yield file.name, f"read_parquet({path_literal(file)})", frozenset()
        else:
            yield file.name, *texts.relation(file, spec, scratch)
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from None


def _unzipped(file: Path, spec: TableSource, scratch: Path) -> Path:
    """The one file wanted of an archive, unpacked under ``scratch``."""
    try:
        with zipfile.ZipFile(file) as archive:
            held = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX")]
            wanted = spec.member or (held[0] if len(held) == 1 else None)
            if wanted not in held:
                raise InputError(f"{file}: holds {', '.join(held[:10])}; write member: <one of them>")
            return Path(archive.extract(wanted, scratch))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise InputError(f"{file}: cannot be unpacked: {error}") from None


def _map_columns(table: str, spec: TableSource, types: dict[str, str], told: str, whole: bool = True) -> dict:
    """Canonical column → header. Each file must hold the required columns; the others, one file of several."""
    headers = {name.strip().lower(): name for name in types if name != "_part"}
    known = SCHEMA[table]
    mapped = {}
    for canonical, wanted in spec.columns.items():
        if canonical not in known and table != "trial":
            raise ParamsError(f"source.{table}.columns: unknown column {canonical!r}; {nearest(canonical, known)}")
        pair = (canonical,) if isinstance(wanted, Constant) else (wanted,)
        pair = tuple(wanted.multiply) if isinstance(wanted, Product) else pair
        if len(pair) > 1 and table != "trial" and known.get(canonical) not in _FACTORS:
            raise ParamsError(f"source.{table}.columns.{canonical}: only amounts and quantities can be multiplied")
        absent = next((h for h in pair if h.strip().lower() not in headers), None)
        if absent is None:
            found = tuple(headers[h.strip().lower()] for h in pair)
            mapped[canonical] = found[0] if len(found) == 1 else found
        elif whole or canonical in REQUIRED[table]:
            raise InputError(_no_column(table, canonical, absent, headers, told))
    for canonical in known:
        # A column that happens to be called part may be a spare part: it names a download only where params say so.
        if canonical not in mapped and canonical in headers and canonical != "part":
            mapped[canonical] = headers[canonical]
    for canonical in REQUIRED[table]:
        if canonical not in mapped:
            raise InputError(_no_column(table, canonical, canonical, headers, told))
    return mapped


def _refuse_repeats(table: str, mapped: dict, repeats: frozenset[str], told: str) -> None:
    """A header that stands twice may not be used: which of the two columns is meant, nobody can tell."""
    for canonical, header in mapped.items():
        twice = next((h for h in ([header] if isinstance(header, str) else header) if h.lower() in repeats), None)
        if twice:
            raise InputError(
                f"{told}: column {twice!r} for {table}.{canonical} stands twice in the header; rename one of them in the file"
            )


def _no_column(table: str, canonical: str, header: str, headers: dict, told: str) -> str:
    has = ", ".join(repr(h) for h in list(headers.values())[:30])
    close = nearest(header, headers.values())
    hint = close if close.startswith("nearest") else "none is near"
    if (table, canonical) == ("transactions", "customer_id"):
        hint += "; tiering needs a buyer id in every row, so an export without one cannot be tiered"
    return (
        f"{told}: no column {header!r} for {table}.{canonical}; the file has {has}; {hint}; "
        f"write source.{table}.columns: {{{canonical}: <column of the file>}}"
    )
