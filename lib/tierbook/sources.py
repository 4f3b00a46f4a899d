"""Reading files: CSV and Parquet through the engine, Excel through calamine; nothing is judged here."""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import glob
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tierbook.engine import Engine, identifier, literal
from tierbook.errors import InputError, ParamsError
from tierbook.params import ROOT, TableSource, nearest, read_yaml, resolve
from tierbook.schema import REQUIRED, SCHEMA

PRESETS = ROOT / "params" / "sources"
EXCEL = {".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"}
_SAMPLE = 1 << 16


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
    given = spec.model_dump(exclude_unset=True)
    given["columns"] = {**base.get("columns", {}), **given.get("columns", {})}
    try:
        return type(spec).model_validate({**base, **given})
    except ValueError as error:
        raise ParamsError(f"preset {path.name}: {' '.join(str(error).split())[:200]}") from None


def files_of(spec: TableSource, table: str) -> list[Path]:
    """The files a source names: paths, lists and globs, each file once, globs in order of name."""
    if not spec.path:
        raise ParamsError(f"source.{table} names no path; write source.{table}.path: <file, list or glob>")
    found: dict[Path, None] = {}
    for pattern in spec.path:
        path = resolve(pattern)
        hits = [path] if path.exists() else [Path(p) for p in sorted(glob.glob(str(path), recursive=True))]
        if not hits:
            raise InputError(f"source.{table}: no file {path}; write an absolute path, or one seen from {ROOT}")
        found.update(dict.fromkeys(hits))
    folder = next((p for p in found if p.is_dir()), None)
    if folder:
        raise InputError(f"source.{table}: {folder} is a folder; name its files, for example {folder}/*.csv")
    return list(found)


def read(engine: Engine, table: str, spec: TableSource, scratch: Path) -> Raw:
    """Open one input table.

    Each file is read by its own header; files are put under each other by column name. The column ``_part`` holds the
    rank and the name of the file, or of the sheet in an Excel file.
    Raises `InputError` naming the file where it is missing, empty, binary or lacks a column.
    """
    files = files_of(spec, table)
    parts = []
    for n, file in enumerate(files):
        if not file.stat().st_size:
            raise InputError(f"{file}: the file is empty (0 bytes)")
        for name, sql in _relations(file, spec, scratch / f"{table}_{n}"):
            parts.append(f"SELECT *, {literal(f'{n:05d} {name}')} AS _part FROM {sql}")
    sql = "(" + " UNION ALL BY NAME ".join(parts) + ")"
    try:
        types = {row[0]: row[1] for row in engine.execute(f"DESCRIBE SELECT * FROM {sql}").fetchall()}
    except duckdb.Error as error:
        raise InputError(f"{_names(files)}: {first_line(error)}") from None
    return Raw(sql, types, _map_columns(table, spec, types, files), files, spec)


def first_line(error: Exception) -> str:
    """The engine's message without its hints, as one line."""
    text = re.split(r"\n\s*\n|Possible fixes|Possible solutions|LINE 1:|Candidate bindings", str(error))[0]
    return " ".join(text.split())[:300]


def _relations(file: Path, spec: TableSource, scratch: Path):
    """The (name, SQL) pairs of one file; several for the sheets of an Excel file."""
    if file.suffix.lower() in EXCEL:
        yield from _excel(file, spec, scratch)
    elif file.suffix.lower() in {".parquet", ".pq"} or file.open("rb").read(4) == b"PAR1":
        yield file.name, f"read_parquet({literal(_plain(file, scratch))})"
    else:
        yield file.name, _text(file, spec, scratch)


def _plain(file: Path, scratch: Path) -> Path:
    """The engine reads * ? [ in a name as a pattern: such a file is read through a link with a plain name."""
    if not set("*?[") & set(str(file)):
        return file
    scratch.mkdir(parents=True, exist_ok=True)
    link = scratch / f"link{file.suffix}"
    link.symlink_to(file.resolve())
    return link


def _text(file: Path, spec: TableSource, scratch: Path) -> str:
    encoding = _encoding(file) if spec.encoding == "auto" else _known_encoding(spec.encoding)
    readable = _plain(file, scratch) if encoding == "utf-8" else _transcode(file, encoding, scratch)
    if spec.delimiter == "whitespace":
        return _split_on_blanks(file, readable, spec)
    header, delimiter = _header(readable, file, spec)
    names = spec.names or header
    has_header = [h.lower() for h in header] == [n.lower() for n in names]
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in _unique(names))
    options = f"auto_detect = false, header = {str(has_header).lower()}, columns = {{{columns}}}, delim = {literal(delimiter)}"
    sql = f"""read_csv({literal(readable)}, {options}, quote = '"', escape = '"')"""
    return sql


def _split_on_blanks(file: Path, readable: Path, spec: TableSource) -> str:
    """Columns set apart by runs of blanks, as in the classic research files; a header line is told by its words."""
    if not spec.names:
        raise ParamsError(f"{file.name}: delimiter: whitespace needs names: [the columns in order]")
    line = f"""read_csv({literal(readable)}, auto_detect = false, header = false, columns = {{'line': 'VARCHAR'}},
        delim = '\x1f', quote = '', escape = '')"""
    cells = (
        f"(SELECT string_split_regex(trim(line, ' \t\r'), '\\s+') AS cells FROM {line} WHERE trim(line, ' \t\r') <> '')"
    )
    picked = ", ".join(f"cells[{n}] AS {identifier(name)}" for n, name in enumerate(spec.names, 1))
    header = literal(" ".join(spec.names).lower())
    return f"(SELECT {picked} FROM {cells} WHERE lower(array_to_string(cells, ' ')) <> {header})"


def _header(readable: Path, file: Path, spec: TableSource) -> tuple[list[str], str]:
    with readable.open(encoding="utf-8-sig", newline="") as lines:
        first = next((line for line in lines if line.strip()), "")
    if not first.strip():
        raise InputError(f"{file}: the file holds no header line")
    delimiter = spec.delimiter
    if delimiter == "auto":
        delimiter = max([",", "\t", ";", "|"], key=first.count)
    return [cell.strip() for cell in next(csv.reader([first.strip("\r\n")], delimiter=delimiter))], delimiter


def _unique(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    out = []
    for n, name in enumerate(names, 1):
        name = name or f"column_{n}"
        seen[name.lower()] = seen.get(name.lower(), 0) + 1
        out.append(name if seen[name.lower()] == 1 else f"{name}_{seen[name.lower()]}")
    return out


def _known_encoding(name: str) -> str:
    try:
        found = codecs.lookup(name).name
    except LookupError:
        raise ParamsError(f"encoding {name!r} is unknown; use utf-8, gb18030 or utf-16") from None
    return "utf-8" if found in {"utf-8", "utf-8-sig", "ascii"} else found


def _encoding(file: Path) -> str:
    """UTF-8, UTF-16 (by its mark) or GB18030, judged from blocks spread over the whole file, not read twice."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        head = stream.read(_SAMPLE)
        blocks = [head]
        for share in range(1, 16):
            stream.seek(min(size, size * share // 16))
            blocks.append(stream.read(_SAMPLE) if size > _SAMPLE else b"")
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if any(b"\x00" in block for block in blocks):
        raise InputError(f"{file}: this is not a text file (it holds NUL bytes); give CSV, TSV, Excel or Parquet")
    if all(_decodes(block, "utf-8", n > 0) for n, block in enumerate(blocks)):
        return "utf-8"
    if all(_decodes(block, "gb18030", n > 0) for n, block in enumerate(blocks)):
        return "gb18030"
    raise InputError(f"{file}: the text is neither UTF-8, UTF-16 nor GB18030; give its encoding in the params")


def _decodes(block: bytes, encoding: str, cut: bool) -> bool:
    """Whether a block is text in the encoding; a block cut from the middle may begin inside a character."""
    starts = range(4) if cut else range(1)
    for start in starts:
        try:
            codecs.getincrementaldecoder(encoding)().decode(block[start:], final=False)
            return True
        except UnicodeDecodeError:
            continue
    return False


def _transcode(file: Path, encoding: str, scratch: Path) -> Path:
    scratch.mkdir(parents=True, exist_ok=True)
    target = scratch / "utf8.csv"
    try:
        with file.open(encoding=encoding, newline="") as source, target.open("w", encoding="utf-8", newline="") as out:
            shutil.copyfileobj(source, out, 1 << 20)
    except (UnicodeDecodeError, UnicodeError) as error:
        raise InputError(
            f"{file}: not readable as {encoding} ({first_line(error)}); give its encoding in the params"
        ) from None
    return target


def _excel(file: Path, spec: TableSource, scratch: Path):
    import pandas as pd

    try:
        sheets = pd.read_excel(file, sheet_name=spec.sheet or None, engine="calamine", dtype=object, na_filter=False)
    except Exception as error:  # calamine's own errors share no base class
        raise InputError(f"{file}: cannot be read as an Excel file: {first_line(error)}") from None
    scratch.mkdir(parents=True, exist_ok=True)
    for n, (sheet, frame) in enumerate(sheets.items()):
        if frame.empty:
            continue
        frame.columns = _unique([str(name).strip() for name in frame.columns])
        path = scratch / f"sheet_{n}.parquet"
        frame.map(_cell_text).astype("str").to_parquet(path, index=False)
        yield f"{file.name}[{sheet}]", f"read_parquet({literal(path)})"


def _cell_text(cell) -> str:
    """An Excel cell as the text a CSV would hold: whole numbers without .0, dates in ISO form."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime | dt.date):
        return cell.isoformat(sep=" ") if isinstance(cell, dt.datetime) else cell.isoformat()
    return "" if cell is None else str(cell)


def _map_columns(table: str, spec: TableSource, types: dict[str, str], files: list[Path]) -> dict:
    headers = {name.strip().lower(): name for name in types if name != "_part"}
    known = SCHEMA[table]
    mapped = {}
    for canonical, wanted in spec.columns.items():
        if canonical not in known and table != "trial":
            raise ParamsError(f"source.{table}.columns: unknown column {canonical!r}; {nearest(canonical, known)}")
        pair = (wanted,) if isinstance(wanted, str) else tuple(wanted.multiply)
        for header in pair:
            if header.strip().lower() not in headers:
                raise InputError(_no_column(table, canonical, header, headers, files))
        found = tuple(headers[h.strip().lower()] for h in pair)
        mapped[canonical] = found[0] if len(found) == 1 else found
    for canonical in known:
        if canonical not in mapped and canonical in headers:
            mapped[canonical] = headers[canonical]
    for canonical in REQUIRED[table]:
        if canonical not in mapped:
            raise InputError(_no_column(table, canonical, canonical, headers, files))
    return mapped


def _no_column(table: str, canonical: str, header: str, headers: dict, files: list[Path]) -> str:
    has = ", ".join(repr(h) for h in list(headers.values())[:30])
    close = nearest(header, headers.values())
    hint = close if close.startswith("nearest") else "none is near"
    return (
        f"{_names(files)}: no column {header!r} for {table}.{canonical}; the file has {has}; {hint}; "
        f"write source.{table}.columns: {{{canonical}: <column of the file>}}"
    )


def _names(files: list[Path]) -> str:
    return files[0].name + (f" (and {len(files) - 1} more files)" if len(files) > 1 else "")
