"""The engine that holds what is per order: DuckDB, embedded, larger than memory, or Spark where a machine is outgrown.

Both have the same few methods: `scan`, `frame`, `collect`, `write`, `apply`, `each`, `close`. ``execute`` is DuckDB's alone:
raw text is read and judged by it on every engine.
"""

from __future__ import annotations

import glob
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import narwhals as nw
import pandas as pd

from tierbook.chunks import ROWS, Applied, chunked
from tierbook.errors import ParamsError
from tierbook.params import EngineParams

if TYPE_CHECKING:
    from tierbook.spark import SparkEngine


class Engine:
    """A DuckDB connection that spills into its own folder and hands out lazy Narwhals frames."""

    def __init__(self, spill: Path, memory_limit: str = "4GB"):
        self._connection = duckdb.connect(
            config={
                "memory_limit": memory_limit,
                "temp_directory": str(spill),
                "preserve_insertion_order": "false",
                # A path that looks like a URL must not send the engine to the network for an extension to read it with.
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "allow_community_extensions": "false",
            }
        )
        # Wall-clock times in the data carry no offset; a machine's own zone must not move them.
        self._connection.execute("SET TimeZone = 'UTC'")
        # A file written anew under the same name within a second would be read from memory, as it was before.
        self._connection.execute("SET enable_external_file_cache = false")

    def scan(self, path: Path) -> nw.LazyFrame:
        """A Parquet file, or a folder of them as Spark writes it, as a lazy frame."""
        pattern = glob.escape(str(path)) + ("/*.parquet" if path.is_dir() else "")
        return nw.from_native(self._connection.read_parquet(pattern))

    def frame(self, small: pd.DataFrame) -> nw.LazyFrame:
        """A small pandas frame as a lazy frame of this engine, to join with."""
        return nw.from_native(self._connection.from_df(small))

    def execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Run SQL that only reading and cleaning of raw text needs (parsing that may fail row by row)."""
        return self._connection.execute(sql)

    def collect(self, frame: nw.LazyFrame) -> pd.DataFrame:
        """The rows of a lazy frame as pandas: whole numbers as int64 (Int64 where one is null), text as ``str`` (object
        where all are null); DECIMAL sums become floats here, once, after adding up exactly."""
        return _whole(frame).df()

    def write(self, frame: nw.LazyFrame, path: Path) -> None:
        """Write a lazy frame as Parquet without bringing it into memory."""
        _whole(frame).write_parquet(str(path))

    def apply(
        self, source: Path, target: Path, function: Applied, columns: Mapping[str, str], order: list[str]
    ) -> None:
        """Write what a pandas function makes of a Parquet file, chunk by chunk (`chunks.chunked`), in the order of
        ``order``, in which the file's rows stand already."""
        import pyarrow.parquet as parquet

        schema, each = chunked(function, columns)
        with parquet.ParquetFile(source) as read, parquet.ParquetWriter(target, schema) as out:
            for batch in each(read.iter_batches(ROWS)):
                out.write_batch(batch)

    def each(self, function: Callable[[Any], Any], items: list) -> Iterator[Any]:
        """What a function gives of each item, in their order, one after the other."""
        return map(function, items)

    def close(self) -> None:
        """Close the connection; lazy frames taken from it are of no more use."""
        self._connection.close()


def _whole(frame: nw.LazyFrame) -> duckdb.DuckDBPyRelation:
    """Sums of whole numbers as 64 bits: in the 128 that DuckDB adds them up in they come out as floating point."""
    relation = frame.to_native()
    if "HUGEINT" not in map(str, relation.types):
        return relation
    return relation.project(
        ", ".join(
            f"CAST({name} AS BIGINT) AS {name}" if str(kind) == "HUGEINT" else name
            for name, kind in zip(map(identifier, relation.columns), relation.types, strict=True)
        )
    )


@contextmanager
def open_engine(params: EngineParams, spill_under: Path) -> Iterator[Engine | SparkEngine]:
    """The engine that the params name, for the length of a ``with`` block."""
    if params.name == "spark":
        from tierbook import spark

        with spark.opened(params, spill_under) as engine:
            yield engine
    else:
        with open_reader(params, spill_under) as engine:
            yield engine


@contextmanager
def open_reader(params: EngineParams, spill_under: Path) -> Iterator[Engine]:
    """DuckDB, whatever the params name, with a spill folder that goes when it closes."""
    spill_under.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="spill-", dir=spill_under, ignore_cleanup_errors=True) as spill:
        engine = Engine(Path(spill), params.memory_limit)
        try:
            yield engine
        except duckdb.OutOfMemoryException:
            raise ParamsError(
                f"engine.memory_limit: {params.memory_limit} is too little for these data; write a larger one"
            ) from None
        finally:
            engine.close()


def literal(text: str) -> str:
    """A SQL string literal."""
    return "'" + str(text).replace("'", "''") + "'"


def path_literal(path: Path) -> str:
    """A SQL string literal of a file to read, whose name may hold the * ? [ that the engine takes for a pattern."""
    return literal(glob.escape(str(path)))


def identifier(name: str) -> str:
    """A SQL identifier."""
    return '"' + str(name).replace('"', '""') + '"'
