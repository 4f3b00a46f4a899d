"""Files in object storage (s3a://, hdfs://, gs://, abfs://, file://): read by Spark once a run into a snapshot."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import narwhals as nw

from tierbook import sources
from tierbook.errors import InputError, ParamsError, TierbookError
from tierbook.params import Params, TableSource
from tierbook.tree import SCHEME

if TYPE_CHECKING:
    from tierbook.spark import SparkEngine

Opened = Callable[[], AbstractContextManager["SparkEngine"]]
_WRITTEN_BY_SPARK = re.compile(r"part-\d+")
_WITH_PASSWORD = re.compile(r"[^/]*//[^/@]*:[^/@]*@")
_PARQUET = {".parquet", ".pq"}
_TEXT = {".csv", ".tsv", ".txt", ".gz"}


def given(params: Params) -> dict[str, TableSource]:
    """The input tables whose paths have a scheme; `ParamsError` where the engine cannot read them."""
    source = {table: getattr(params.source, table) for table in type(params.source).model_fields}
    found = {
        table: spec for table, spec in source.items() if spec is not None and any(map(SCHEME.match, spec.path or ()))
    }
    for table, spec in found.items():
        if any(map(_WITH_PASSWORD.match, spec.path)):
            raise ParamsError(
                f"source.{table}.path: an address holds a password in clear; give it to Spark by engine.conf, as ${{NAME}}"
            )
        if params.engine.name != "spark":
            raise ParamsError(f"source.{table}.path: {label(spec)} is read by Spark; write engine: {{name: spark}}")
        if not all(map(SCHEME.match, spec.path)):
            raise ParamsError(f"source.{table}.path: write paths with a scheme (s3a://, …) or local ones, not both")
    return found


def label(spec: TableSource) -> str:
    """The name of a source in run.json: its paths as the params write them."""
    return ", ".join(spec.path)


def snapshot(spec: TableSource, table: str, folder: Path, opened: Opened) -> list[str]:
    """Patterns of the landed Parquet files, one for each path in its order: those kept, or read now where none are."""
    kept = place(spec, folder)
    if not kept.exists():
        _read(spec, table, kept, opened)
    return [str(kept / f"{n:03d}" / "*.parquet") for n in range(len(spec.path))]


def refresh(params: Params, folder: Path, opened: Opened) -> None:
    """Read every table of the params anew; snapshots of what the params no longer name go."""
    wanted = {place(spec, folder): (spec, table) for table, spec in given(params).items()}
    for kept, (spec, table) in wanted.items():
        _read(spec, table, kept, opened)
    for left in set(folder.glob("*")) - set(wanted):
        shutil.rmtree(left, ignore_errors=True)


def place(spec: TableSource, folder: Path) -> Path:
    """Where the snapshot of a source lies."""
    written = json.dumps([spec.path, spec.delimiter, spec.encoding, spec.names])
    return folder / hashlib.sha256(written.encode()).hexdigest()[:16]


def _read(spec: TableSource, table: str, target: Path, opened: Opened) -> None:
    """Write beside the place, then move: a page that is being made sees the old rows or the new, never half."""
    spec = sources.with_preset(spec)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent, ignore_cleanup_errors=True) as scratch:
        new = Path(scratch) / target.name
        with opened() as engine:
            for n, path in enumerate(spec.path):
                _land_all(engine, spec, f"source.{table}.path: {path}", new / f"{n:03d}", path)
        shutil.rmtree(target, ignore_errors=True)
        os.replace(new, target)
    target.chmod(0o700)  # as the storage gave them: ids that a report may show masked only


def _land_all(engine: SparkEngine, spec: TableSource, told: str, target: Path, path: str) -> None:
    target.mkdir(parents=True)
    try:
        for number, files in enumerate(_files(engine, path)):
            _land(engine, spec, files, target / f"{number:05d} {_name(files)}")
    except TierbookError as error:
        raise type(error)(f"{told}: {error}") from None
    except Exception as error:  # what a file system's client raises shares no base class
        raise InputError(f"{told}: {engine.scrub(_said(str(error)))}") from None
    if not any(target.iterdir()):
        raise InputError(f"{told}: no file there")


def _files(engine: SparkEngine, path: str) -> list[list[str]]:
    """The addresses behind a path, in order; what Spark itself wrote in parts into one folder stands together."""
    listed = engine.session.read.format("binaryFile").load(path).select("path").collect()
    addresses = sorted(row["path"] for row in listed)

    def together(address: str) -> str:
        folder, _, name = address.rpartition("/")
        return folder if _WRITTEN_BY_SPARK.match(name) else address

    return [list(group) for _, group in itertools.groupby(addresses, together)]


def _name(files: list[str]) -> str:
    file = PurePosixPath(files[0])
    return file.parent.name if _WRITTEN_BY_SPARK.match(file.name) else file.name


def _land(engine: SparkEngine, spec: TableSource, files: list[str], target: Path) -> None:
    """The rows as Parquet under the file's own name, in one file, or in several where Spark wrote it so."""
    kind = PurePosixPath(files[0]).suffix.lower()
    if kind not in _PARQUET | _TEXT:
        raise ParamsError(f"{kind or 'a file without an ending'} is not read from there; write Parquet or CSV")
    read, paths = engine.session.read, [re.sub(r"([\\*?\[\]{}])", r"\\\1", file) for file in files]
    rows = read.parquet(*paths) if kind in _PARQUET else read.options(**_csv(spec, files[0])).csv(paths)
    made = target.with_name(f".{target.name}")
    (rows if len(files) > 1 else rows.coalesce(1)).write.parquet(f"file://{made.absolute()}")
    for k, part in enumerate(sorted(made.glob("part-*.parquet"))):
        part.rename(place := target.with_name(f"{target.name}.{k:05d}.parquet"))
        if kind in _TEXT:
            _refuse_other_encoding(engine, place)
    shutil.rmtree(made)


def _refuse_other_encoding(engine: SparkEngine, file: Path) -> None:
    """Bytes that are not of the encoding come out as the sign U+FFFD, which no export holds of itself."""
    rows = engine.scan(file)
    broken = [nw.col(name).str.contains("\ufffd", literal=True).fill_null(False) for name in rows.collect_schema()]
    found = engine.collect(rows.filter(nw.any_horizontal(*broken, ignore_nulls=True)).head(1))
    if len(found):
        cell = next(value for value in found.iloc[0] if "\ufffd" in str(value))
        raise InputError(
            f"{file.name.split(' ', 1)[1].rsplit('.', 2)[0]}: {str(cell)[:40]!r} is not in the encoding read; write encoding: gb18030, or the one it was saved in"
        )


def _said(whole: str) -> str:
    """What went wrong, less the trace; what a user meets first, in words."""
    if re.search(r"No FileSystem for scheme|Class [\w.]+FileSystem not found", whole):
        return "Spark lacks the jar for this kind of storage; name it under engine.conf, spark.jars.packages or spark.jars (docs/how-to/spark.md)"
    if "MALFORMED_RECORD" in whole:
        return "a line has more or fewer cells than the header; mend the file, or write it as Parquet"
    caused = re.findall(r"(?:[\w.]+\.)?(\w+(?:Exception|Error)): ([^\n]+)", whole)
    return " ".join((": ".join(caused[-1]) if caused else whole.split("\n")[0]).split())[:400]


def _csv(spec: TableSource, file: str) -> dict[str, str]:
    """Every cell as text; a line that does not fit its header stops the run, for Spark would drop what is too much."""
    between = "\t" if spec.delimiter == "auto" and ".tsv" in file else ","
    return {
        "header": "true", "inferSchema": "false", "multiLine": "true", "escape": '"', "mode": "FAILFAST",
        "sep": between if spec.delimiter == "auto" else spec.delimiter,
        "encoding": "UTF-8" if spec.encoding == "auto" else spec.encoding,
    }  # fmt: skip
