"""One customer, one id: ids mapped across shops, and ids that lost their leading zeros."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tierbook import masking
from tierbook.engine import Engine, identifier, literal, path_literal
from tierbook.errors import InputError

_SUFFIX = r"(?i)\.(csv|tsv|txt|xls|xlsx|xlsm|xlsb|ods|parquet|pq|zip)$"
_ZEROS = r"^0+[1-9]\d*$"


@dataclass(frozen=True)
class IdMap:
    """A judged id_map, and whether some of its mappings hold for one source only."""

    path: Path
    sourced: bool

    def join(self, table: str, column: str, places: dict[str, str]) -> tuple[str, str]:
        """The id that counts for ``column`` of ``table``, and the joins it needs.

        A mapping with a source holds only for rows of that store, channel or file, where ``places`` (store, channel,
        file → expression) has them: the store's goes before the channel's, the channel's before the file's, and all
        before a mapping without a source. A file is named with or without its suffix, a workbook's sheet not at all.
        """
        own, found, joins = f"{table}.{identifier(column)}", [], []
        for place, expression in (places if self.sourced else {}).items():
            source = _bare_file("source") if place == "file" else "source"
            held = _bare_file(_unranked(expression)) if place == "file" else expression
            ids = f"{column}_by_{place}"
            joins.append(f"""LEFT JOIN (SELECT from_id AS f, {source} AS s, min(customer_id) AS c
                FROM read_parquet({path_literal(self.path)}) WHERE source IS NOT NULL GROUP BY ALL) AS {ids}
                ON {ids}.f = {own} AND {ids}.s = {held}""")
            found.append(f"{ids}.c")
        ids = f"{column}_anywhere"
        joins.append(f"""LEFT JOIN (SELECT from_id AS f, customer_id AS c FROM read_parquet({path_literal(self.path)})
            WHERE source IS NULL) AS {ids} ON {ids}.f = {own}""")
        return f"coalesce({', '.join([*found, f'{ids}.c', own])})", " ".join(joins)


def _unranked(part: str) -> str:
    """The file's own name of a part, without the rank before it and the sheet behind it."""
    return f"regexp_replace(regexp_replace({part}, '^\\d{{5}}\\.\\d{{3}} ', ''), '\\[[^\\]]*\\]$', '')"


def _bare_file(name: str) -> str:
    return f"regexp_replace({name}, {literal(_SUFFIX)}, '')"


def opened(engine: Engine, path: Path | None) -> IdMap | None:
    """The judged id_map of a month, or None where there is none."""
    if path is None:
        return None
    sourced = engine.execute(f"SELECT count(source) FROM read_parquet({path_literal(path)})").fetchone()[0]
    return IdMap(path, sourced > 0)


def refuse_chains(engine: Engine, path: Path, told: str, masks: bool = False) -> None:
    """An id mapped to one that is mapped on itself: whether both steps were meant, nobody can tell.

    Raises `InputError` with the count and the first chain, by masks where ids are masked; a → b → a is told as a circle.
    """
    ids = [masking.sql(name) if masks else name for name in ("a.from_id", "a.customer_id", "b.customer_id")]
    chains = engine.execute(f"""
        SELECT {", ".join(ids)} FROM read_parquet({path_literal(path)}) AS a
        JOIN read_parquet({path_literal(path)}) AS b ON b.from_id = a.customer_id AND b.customer_id <> b.from_id
        WHERE a.from_id <> a.customer_id AND (a.source IS NULL OR b.source IS NULL OR a.source = b.source)
        ORDER BY 1, 2, 3""").fetchall()
    if not chains:
        return
    circle = next((chain for chain in chains if chain[0] == chain[2]), None)
    shape = "go round in a circle" if circle else "lead to an id that is mapped on"
    raise InputError(
        f"{told}: {len(chains):,} mappings of from_id {shape}, first {' → '.join(circle or chains[0])}; "
        f"write beside every from_id the customer_id that counts in the end"
    )


def set_aside_lost_zeros(engine: Engine, path: Path, reason: str) -> None:
    """Give kept rows of 123 the reason ``lost_zeros`` where 0123 stands in the same column.

    Excel has eaten the zeros of some rows, or there are two customers; either way the two are not merged, and 123 does
    not become a customer of its own. ``path`` is a judged Parquet file with customer_id, rewritten only where needed.
    """
    rows = f"read_parquet({path_literal(path)})"
    whole = f"""SELECT DISTINCT ltrim(customer_id, '0') FROM {rows}
        WHERE starts_with(customer_id, '0') AND regexp_matches(customer_id, {literal(_ZEROS)})"""
    lost = f"coalesce(customer_id IN ({whole}), false) AND {reason} = 'kept'"
    if not engine.execute(f"SELECT count(*) FROM {rows} WHERE starts_with(customer_id, '0')").fetchone()[0]:
        return
    mended = path.with_suffix(".mended.parquet")
    engine.execute(f"""COPY (SELECT * REPLACE (CASE WHEN {lost} THEN 'lost_zeros' ELSE {reason} END AS {reason})
        FROM {rows}) TO {literal(mended)} (FORMAT parquet)""")
    mended.replace(path)
