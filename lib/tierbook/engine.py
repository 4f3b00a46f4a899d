"""The engine that holds what is per order: DuckDB, embedded, larger than memory, closed when the work is done."""

from __future__ import annotations

import glob
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import narwhals as nw
import pandas as pd

from tierbook.errors import ParamsError
from tierbook.params import EngineParams


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
        """A Parquet file as a lazy frame."""
        return nw.from_native(self._connection.read_parquet(glob.escape(str(path))))

    def frame(self, small: pd.DataFrame) -> nw.LazyFrame:
        """A small pandas frame as a lazy frame of this engine, to join with."""
        return nw.from_native(self._connection.from_df(small))

    def execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Run SQL that only reading and cleaning of raw text needs (parsing that may fail row by row)."""
        return self._connection.execute(sql)

    def collect(self, frame: nw.LazyFrame) -> pd.DataFrame:
        """The rows of a lazy frame as pandas; DECIMAL sums become floats here, once, after adding up exactly."""
        return frame.to_native().df()

    def write(self, frame: nw.LazyFrame, path: Path) -> None:
        """Write a lazy frame as Parquet without bringing it into memory."""
        frame.to_native().write_parquet(str(path))

    def close(self) -> None:
        """Close the connection; lazy frames taken from it are of no more use."""
        self._connection.close()


@contextmanager
def open_engine(params: EngineParams, spill_under: Path) -> Iterator[Engine]:
    """An engine for the length of a ``with`` block, with a spill folder that goes when it closes."""
    if params.name != "duckdb":
        raise ParamsError(
            f"engine.name = {params.name!r}: this version runs on duckdb only; write engine: {{name: duckdb}}"
        )
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
