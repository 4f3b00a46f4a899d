"""Tables of PostgreSQL, SQLite and DuckDB: streamed once a run into a snapshot that every page stands on."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from tqdm import tqdm

from tierbook.addresses import Address, open_address, shown
from tierbook.engine import identifier
from tierbook.errors import InputError, ParamsError, TierbookError
from tierbook.params import Params, TableSource

_ROWS = 50_000
_SELECT = re.compile(r"(\s|--[^\n]*\n|/\*.*?\*/|\()*(select|with)\b", re.IGNORECASE | re.DOTALL)
_NAME = re.compile(r'"((?:[^"]|"")+)"|([^."]+)')
_CONNECTION = {"connect_timeout": "15", "application_name": "tierbook", "client_encoding": "UTF8"}
# Times as ISO text in UTC; and unchanged rows in an unchanged order, which PostgreSQL does not keep by itself. All of it
# ends with the transaction: behind a pooler the session is somebody else's next.
_SESSION = {
    "default_transaction_read_only": "on",
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "synchronize_seqscans": "off",
    "max_parallel_workers_per_gather": "0",
}


def snapshot(spec: TableSource, table: str, folder: Path) -> Path:
    """The rows of a database's table or query, as Parquet: those kept, or read now where none are kept.

    Every column is text, as an export of the database would hold it (digits as the server writes them, times with an
    offset in UTC), null where the database says null; `cells` understands it like a file. A query without ORDER BY may
    give its rows in another order tomorrow: the file's bytes, and so the fingerprint, then differ, the figures do not.
    """
    kept = _place(spec, folder)
    return kept if kept.exists() else _read(spec, table, kept)


def refresh(params: Params, folder: Path) -> None:
    """Read every table of the params anew, each once; snapshots of what the params no longer name go."""
    wanted = {_place(spec, folder): (spec, table) for table, spec in given(params).items()}
    for place, (spec, table) in wanted.items():
        _read(spec, table, place)
    for left in set(folder.glob("*")) - {place.parent for place in wanted}:
        shutil.rmtree(left, ignore_errors=True)


def given(params: Params) -> dict[str, TableSource]:
    """The input tables that lie in a database."""
    source = {table: getattr(params.source, table) for table in type(params.source).model_fields}
    return {table: spec for table, spec in source.items() if spec is not None and spec.database}


def label(spec: TableSource) -> str:
    """The name of a source in run.json: the place and the table as the params write them, without user and password."""
    return f"database {shown(spec.database)}: {_asked(spec)}"


def _asked(spec: TableSource) -> str:
    return spec.table or f"query {hashlib.sha256(spec.query.encode()).hexdigest()[:8]}"


def _place(spec: TableSource, folder: Path) -> Path:
    """Named by what the params write, ${NAME} unexpanded, so that no secret can be guessed from it."""
    written = json.dumps([spec.database, spec.table, spec.query])
    name = re.sub(r"[^\w.-]+", "_", _asked(spec))[:80]
    return folder / hashlib.sha256(written.encode()).hexdigest()[:16] / f"{name}.parquet"


def _read(spec: TableSource, table: str, target: Path) -> Path:
    """Write beside the place, then move: a page that is being made sees the old rows or the new, never half."""
    where = f"source.{table}.database"
    address = open_address(spec.database, where)
    query = _query(spec, table)
    told = f"source.{table}: {address.scheme} database {address.told}, {_asked(spec)}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent) as scratch:
        new = Path(scratch) / target.name
        _write(_told_in_one_line(_READERS[address.scheme], address, query, told), new, label(spec))
        new.chmod(0o600)  # as the database gave them: ids that a report may show masked only
        target.parent.chmod(0o700)
        os.replace(new, target)
    return target


def _query(spec: TableSource, table: str) -> str:
    """The SELECT to run; the parts of a table's name are quoted, so that a name is a name whatever it holds."""
    if spec.table:
        parts = [whole.replace('""', '"') or plain for whole, plain in _NAME.findall(spec.table)]
        if not parts or _NAME.sub("", spec.table).strip(".") or len(parts) > 3:
            raise ParamsError(f"source.{table}.table = {spec.table!r}: write <table> or <schema>.<table>")
        return f"SELECT * FROM {'.'.join(map(identifier, parts))}"
    query = spec.query.strip().rstrip(";")
    if not _SELECT.match(query):
        raise ParamsError(f"source.{table}.query: write one SELECT (or WITH … SELECT); a database is only read")
    return query


def _write(batches: Iterator, target: Path, what: str) -> None:
    """One row group for each batch: what is in memory is one batch, however many rows there are."""
    import pyarrow.parquet as parquet

    first = next(batches)
    with (
        parquet.ParquetWriter(target, first.schema, compression="zstd") as out,
        tqdm(desc=what, unit=" rows", unit_scale=True, delay=2, leave=False, file=sys.stderr) as bar,
    ):
        for batch in batches:
            out.write_batch(batch)
            bar.update(batch.num_rows)


def _told_in_one_line(read: Callable, address: Address, query: str, told: str) -> Iterator:
    """The batches of a reader; whatever the driver says comes out as one line without secrets."""
    try:
        yield from read(address, query)
    except TierbookError as error:
        raise type(error)(f"{told}: {error}") from None
    except Exception as error:  # the drivers' errors share no base class
        raise InputError(f"{told}: {address.scrub(_said(error))}") from None


def _said(error: Exception) -> str:
    """What the server says, with its hint, less the query that it repeats."""
    whole = str(error)
    hint = re.search(r"HINT: +(.+)", whole)
    said = re.split(r"\n+LINE \d+:|\n+Query was:|\. SQLSTATE:|\n+(?:DETAIL|HINT|CONTEXT):", whole)[0]
    said = re.sub(r"^.*?(ERROR|FATAL): +|^[A-Z_]+: (\[libpq\] )?", "", said, flags=re.DOTALL)
    return " ".join(f"{said} {hint[1] if hint else ''}".split())[:400]


def _as_text(names: list[str], query: str) -> str:
    """The query with every column as text; inside another SELECT, nothing but one SELECT can stand."""
    seen: set[str] = set()
    twice = next((n for n in names if n.lower() in seen or seen.add(n.lower())), None)
    if twice is not None or not names:
        raise InputError(
            f"column {twice!r} stands twice; give one of them another name with AS" if names else "no column"
        )
    columns = ", ".join(f"CAST({identifier(name)} AS TEXT) AS {identifier(name)}" for name in names)
    return f"SELECT {columns} FROM ({query}\n) AS asked"


def _no_rows(query: str) -> str:
    return f"SELECT * FROM ({query}\n) AS asked LIMIT 0"


def _batch(columns: list, names: list[str]):
    import pyarrow as pa

    batch = pa.RecordBatch.from_arrays(columns, schema=pa.schema([(name, pa.string()) for name in names]))
    batch.validate(full=True)  # text that is not UTF-8 is refused here, where the database can be named
    return batch


def _empty(names: list[str]):
    import pyarrow as pa

    return _batch([pa.array([], pa.string()) for _ in names], names)


def _postgresql(address: Address, query: str) -> Iterator:
    """In a read-only transaction, which a statement cannot leave; the driver prepares, so that there is one statement."""
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise ParamsError("PostgreSQL needs its driver: pip install 'tierbook[postgres]'") from None
    options = {**_CONNECTION, **address.options}
    words = " ".join(f"{name}='{_escaped(value)}'" for name, value in options.items())
    with dbapi.connect(words, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN READ ONLY")
        for name, value in _SESSION.items():
            cursor.execute(f"SET LOCAL {name} = '{value}'")
        cursor.execute(_no_rows(query))
        names = [column[0] for column in cursor.description]
        yield _empty(names)
        cursor.execute(_as_text(names, query))
        for batch in cursor.fetch_record_batch():
            yield _batch(batch.columns, names)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _sqlite(address: Address, query: str) -> Iterator:
    import pyarrow as pa

    with closing(sqlite3.connect(f"{_file(address).as_uri()}?mode=ro", uri=True)) as connection:
        names = [column[0] for column in connection.execute(_no_rows(query)).description]
        yield _empty(names)
        rows = connection.execute(_as_text(names, query))
        while some := rows.fetchmany(_ROWS):
            yield _batch([pa.array(column, pa.string()) for column in zip(*some, strict=True)], names)


def _duckdb(address: Address, query: str) -> Iterator:
    import duckdb

    config = {"autoinstall_known_extensions": "false"}
    with duckdb.connect(str(_file(address)), read_only=True, config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        if len(connection.extract_statements(_no_rows(query))) != 1:
            raise InputError("one query is run, and this holds several")
        names = [column[0] for column in connection.execute(_no_rows(query)).description]
        yield _empty(names)
        for batch in connection.execute(_as_text(names, query)).arrow(_ROWS):
            yield _batch(batch.columns, names)


def _file(address: Address) -> Path:
    path = Path(address.options["path"])
    if not path.is_file():
        raise InputError("there is no such file")
    return path


_READERS = {"postgresql": _postgresql, "sqlite": _sqlite, "duckdb": _duckdb}
