"""The columns of an input table as SQL: each typed, ids mapped; and the judged rows written and counted."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

from tierbook import cells
from tierbook.engine import Engine, identifier, literal
from tierbook.errors import InputError
from tierbook.identities import IdMap
from tierbook.params import Params
from tierbook.schema import SCHEMA
from tierbook.sources import Raw, first_line

_FACTOR = "DECIMAL(18, 6)"


def _source(raw: Raw, name: str) -> tuple[str, str] | None:
    """The engine expression and type behind a canonical column; None where the file has no such column."""
    header = raw.columns.get(name)
    if header is None:
        return None
    if isinstance(header, tuple):
        factors = " * ".join(f"CAST({cells.money(identifier(h), raw.types[h], _FACTOR)} AS DOUBLE)" for h in header)
        return f"TRY_CAST({factors} AS DECIMAL(18, 4))", "DECIMAL(18,4)"
    return identifier(header), raw.types[header]


def columns(raw: Raw, table: str, params: Params) -> str:
    """Every canonical column of a table, typed, under its name."""
    return ", ".join(f"{column(raw, name, kind, params)} AS {identifier(name)}" for name, kind in SCHEMA[table].items())


def column(raw: Raw, name: str, kind: str, params: Params) -> str:
    """One canonical column, typed; the null of its kind where the file does not have it."""
    found = _source(raw, name)
    if name == "part":
        return f"coalesce(CAST({found[0]} AS VARCHAR), '')" if found else "_part"
    return cells.typed(*found, kind, params.timezone, raw.spec.date_format) if found else cells.missing(kind)


def mapped(id_map: IdMap | None, table: str, part: str) -> tuple[str, str]:
    """The ids of a typed table replaced by those that count, and the joins this takes."""
    columns = [c for c in ("customer_id", "referred_by") if c in SCHEMA[table] and table != "id_map"]
    if id_map is None or not columns:
        return "", ""
    places = {c: f"typed.{c}" for c in ("store", "channel") if c in SCHEMA[table]} | {"file": f"typed.{part}"}
    found = {column: id_map.join("typed", column, places) for column in columns}
    told = ", ".join(f"{expression} AS {column}" for column, (expression, _) in found.items())
    return f"REPLACE ({told})", " ".join(joins for _, joins in found.values())


def write(engine: Engine, sql: str, target: Path, raw: Raw) -> None:
    """Write a query as Parquet; a fault of the engine is told as one of the files read."""
    try:
        engine.execute(f"COPY ({sql}) TO {literal(target)} (FORMAT parquet)")
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        names = ", ".join(f.name for f in raw.files[:3])
        raise InputError(f"{names}: {first_line(error)}") from None


def kept_first(counted: pd.DataFrame) -> pd.DataFrame:
    """Kept rows first, the reasons after them by name."""
    return counted.sort_values("reason", key=lambda reason: reason.mask(reason == "kept", ""), ignore_index=True)
