"""A pandas function applied to any number of rows, chunk by chunk, the same on every engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from tierbook.errors import ParamsError

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 200_000  # of a chunk: some tens of megabytes of a history's columns
Applied = Callable[[pd.DataFrame], pd.DataFrame]
_TYPES = {"str": "string", "float64": "float64", "int64": "int64", "bool": "bool"}


def chunked(function: Applied, columns: Mapping[str, str]) -> tuple[pa.Schema, Callable[[Iterable], Iterator]]:
    """The schema of the results, and a function from record batches to record batches of results.

    ``function`` gets up to `ROWS` rows as pandas, money as float64, null as NaN, and gives any number of rows with the
    ``columns``, a name to ``str``, ``float64``, ``int64`` or ``bool``; NaN and None come out as null. Chunks have no fixed
    bounds: the result of a row may hang on this row alone. On Spark the function is sent
    to other processes: what it holds must pickle.
    """
    import pyarrow as pa

    unknown = sorted(set(columns.values()) - set(_TYPES))
    if unknown:
        raise ParamsError(f"apply: {unknown[0]!r} is no type of a result; write one of {', '.join(_TYPES)}")
    schema = pa.schema([(name, pa.type_for_alias(_TYPES[kind])) for name, kind in columns.items()])

    def each(batches: Iterable) -> Iterator:
        for batch in batches:
            result = function(as_pandas(pa.Table.from_batches([batch])))
            yield from pa.Table.from_pandas(result[schema.names], schema, preserve_index=False).to_batches()

    return schema, each


def as_pandas(table: Any) -> pd.DataFrame:
    """An Arrow table as pandas: DECIMAL as float64, null in a column of whole numbers makes it float64."""
    import pyarrow as pa

    plain = [pa.float64() if pa.types.is_decimal(field.type) else field.type for field in table.schema]
    return table.cast(pa.schema(list(zip(table.schema.names, plain, strict=True)))).to_pandas()
