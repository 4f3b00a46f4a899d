"""Spark: the same expressions as on DuckDB, on a cluster or on this machine's processors."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import narwhals as nw
import pandas as pd

from tierbook import spark_session
from tierbook.chunks import ROWS, Applied, as_pandas, chunked
from tierbook.errors import ParamsError, TierbookError
from tierbook.params import EngineParams

_IN_MEMORY = 10_000  # rows of a pandas frame that travel within the query; more go by a file


class SparkEngine:
    """A Spark session with the methods of `engine.Engine`; files are written as folders of Parquet."""

    def __init__(self, session: Any, spill: Path, secrets: tuple[str, ...] = ()):
        self.session = session
        self._spill = spill
        self._secrets = secrets

    def scrub(self, message: str) -> str:
        """Spark's message without what came from the environment."""
        for secret in self._secrets:
            message = message.replace(secret, "…")
        return message

    def scan(self, path: Path) -> nw.LazyFrame:
        """A Parquet file, or a folder of them, as a lazy frame."""
        return nw.from_native(self.session.read.parquet(_uri(path, pattern=True)))

    def frame(self, small: pd.DataFrame) -> nw.LazyFrame:
        """A pandas frame as a lazy frame of this engine, to join with; NaN is null."""
        import pyarrow as pa

        table = pa.Table.from_pandas(small, preserve_index=False).replace_schema_metadata()
        if len(small) <= _IN_MEMORY:
            return nw.from_native(self.session.createDataFrame(table))
        import pyarrow.parquet as parquet

        self._spill.mkdir(parents=True, exist_ok=True)
        place = self._spill / f"{uuid4().hex}.parquet"
        parquet.write_table(table, place, row_group_size=ROWS)
        return self.scan(place)

    def collect(self, frame: nw.LazyFrame) -> pd.DataFrame:
        """The rows of a lazy frame as pandas, of the types that DuckDB gives."""
        return _like_duckdb(_plain(frame).toArrow())

    def write(self, frame: nw.LazyFrame, path: Path) -> None:
        """Write a lazy frame as a folder of Parquet files; every node must see the place."""
        frame.to_native().write.mode("overwrite").parquet(_uri(path))

    def apply(
        self, source: Path, target: Path, function: Applied, columns: Mapping[str, str], order: list[str]
    ) -> None:
        """Write what a pandas function makes of Parquet files, chunk by chunk in the executors (`chunks.chunked`), in the
        order of ``order``."""
        from pyspark.sql.pandas.types import from_arrow_schema

        schema, each = chunked(function, columns)
        made = _plain(self.scan(source)).mapInArrow(each, from_arrow_schema(schema))
        self.write(nw.from_native(made).sort(*order), target)

    def each(self, function: Callable[[Any], Any], items: list) -> Iterator[Any]:
        """What a function gives of each item, in their order; the executors work at them side by side.

        The function is sent to other processes: what it holds, and what it gives, must pickle.
        """
        return iter(self.session.sparkContext.parallelize(items, len(items) or None).map(function).collect())

    def close(self) -> None:
        """Take away what was kept beside the queries; the session stays for the process's next step."""
        shutil.rmtree(self._spill, ignore_errors=True)


def _plain(frame: nw.LazyFrame) -> Any:
    """DECIMAL as the nearest double, after adding up exactly."""
    native = frame.to_native()
    money = [field.name for field in native.schema if field.dataType.typeName() == "decimal"]
    return native.withColumns({name: native[f"`{name}`"].cast("double") for name in money}) if money else native


def _like_duckdb(table: Any) -> pd.DataFrame:
    """As DuckDB gives it: whole numbers and truth values are nullable where one is null, text without any is object."""
    import pyarrow as pa

    nullable = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype(), pa.bool_(): pd.BooleanDtype()}
    found = as_pandas(table)
    for field, column in zip(table.schema, table.columns, strict=True):
        if field.type in nullable and column.null_count:
            found[field.name] = column.to_pandas(types_mapper=nullable.get)
        elif pa.types.is_string(field.type) and column.null_count == len(column):
            found[field.name] = pd.Series([None] * len(column), dtype=object)
    return found


def _uri(path: Path, pattern: bool = False) -> str:
    """A local path for Spark, whose own default may be another file system; a name's * ? [ { \\ stand for themselves."""
    place = str(Path(path).absolute())
    return "file://" + (re.sub(r"([\\*?\[\]{}])", r"\\\1", place) if pattern else place)


@contextmanager
def opened(params: EngineParams, spill_under: Path) -> Iterator[SparkEngine]:
    """An engine on the process's one session, which is started when it is first asked for."""
    spill = spill_under / f"spill-{uuid4().hex[:8]}"
    engine = SparkEngine(spark_session.session(params, spill_under), spill, spark_session.secrets(params))
    try:
        yield engine
    except TierbookError:
        raise
    except Exception as error:
        line = spark_session.told(error, params)
        if line is None:
            raise
        raise ParamsError(line) from None
    finally:
        engine.close()
