"""Every row of an optional table accounted for: customers, leads, contacts, surveys, tickets, visits, costs, id_map."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tierbook import cells, identities, masking, noise, typed
from tierbook.engine import Engine, identifier, literal, path_literal
from tierbook.identities import IdMap
from tierbook.params import Params
from tierbook.schema import DATED, ONE_PER, REQUIRED, SCHEMA
from tierbook.sources import Raw


def judge_table(
    engine: Engine, raw: Raw, table: str, params: Params, target: Path, id_map: Path | None = None
) -> pd.DataFrame:
    """Type every row of an optional table, give it one reason, write the kept rows to ``target``, and count them all.

    A row is set aside when it is no record (`noise`), when a required column is missing or unreadable
    (``no_<column>``), when its customer's id is damaged, masked or has lost its zeros, when its day lies after as_of, or
    when a key that may stand once stands again (`ONE_PER` says which row counts). Ids are
    mapped first. Raises `InputError` where the mappings of an id_map lead on to each other.
    """
    judged = target.with_suffix(".judged.parquet")
    typed.write(engine, _judged_table_sql(raw, table, params, identities.opened(engine, id_map)), judged, raw)
    if _names_customers(table):
        identities.set_aside_lost_zeros(engine, judged, "_reason")
    money = "CAST(coalesce(sum(amount), 0) AS DOUBLE)" if "amount" in SCHEMA[table] else "NULL::DOUBLE"
    counted = engine.execute(f"""
        SELECT {literal(table)} AS "table", _reason AS reason, count(*) AS rows, {money} AS amount,
               min({_shown(REQUIRED[table][0], params)}) AS example FROM read_parquet({path_literal(judged)}) GROUP BY _reason""").df()
    engine.execute(f"""COPY (SELECT * EXCLUDE (_reason) FROM read_parquet({path_literal(judged)}) WHERE _reason = 'kept')
        TO {literal(target)} (FORMAT parquet)""")
    judged.unlink()
    if table == "id_map":
        identities.refuse_chains(engine, target, raw.files[0].name, params.report.mask_customer_ids)
    return typed.kept_first(counted)


def _shown(column: str, params: Params) -> str:
    """A cell as an example may show it: a mask where it is somebody's id and ids are masked."""
    masks = params.report.mask_customer_ids and column in masking.NAMES
    return masking.sql(identifier(column)) if masks else identifier(column)


def _names_customers(table: str) -> bool:
    """Whether every row of a table is about a customer; id_map is about ids as they stand."""
    return "customer_id" in REQUIRED[table] and table != "id_map"


def _judged_table_sql(raw: Raw, table: str, params: Params, id_map: IdMap | None) -> str:
    required = [c for c in REQUIRED[table] if (table, c) != ("surveys", "answered_at")]
    early = ["WHEN noise IS NOT NULL THEN noise", *(f"WHEN {c} IS NULL THEN 'no_{c}'" for c in required)]
    if _names_customers(table):
        early.append(f"WHEN {cells.damaged('customer_id')} THEN 'damaged_id'")
        early.append(f"WHEN {cells.masked('customer_id')} THEN 'masked_id'")
    if table in DATED:
        early.append(f"WHEN CAST({DATED[table]} AS DATE) > DATE '{params.as_of}' THEN 'after_as_of'")
    if table == "costs":
        early.append(f"WHEN month > '{params.as_of:%Y-%m}' THEN 'after_as_of'")
    copy = "false"
    if table in ONE_PER:
        order = ", ".join(f"{identifier(c)} DESC NULLS LAST" for c in ["_part", *SCHEMA[table]])
        copy = f"row_number() OVER (PARTITION BY early IS NULL, {', '.join(ONE_PER[table])} ORDER BY {order}) > 1"
    mapped, joins = typed.mapped(id_map, table, "_part")
    return f"""
        WITH typed AS (SELECT {typed.columns(raw, table, params)}, _part,
                              {noise.table_reason(raw, required)} AS noise FROM {raw.sql}),
        known AS (SELECT * {_as_known(table, params)} FROM (SELECT typed.* {mapped} FROM typed {joins})),
        judged AS (SELECT *, CASE {" ".join(early)} END AS early FROM known)
        SELECT * EXCLUDE (_part, noise, early), coalesce(early, CASE WHEN {copy} THEN 'duplicate' ELSE 'kept' END) AS _reason
        FROM judged"""


def _as_known(table: str, params: Params) -> str:
    """A survey sent by as_of and answered after it was, at as_of, sent and not yet answered: it counts as that."""
    if table != "surveys":
        return ""
    day = f"DATE '{params.as_of}'"
    later = f"CAST(answered_at AS DATE) > {day} AND CAST(sent_at AS DATE) <= {day}"
    answers = [column for column in SCHEMA[table] if column not in {"customer_id", "sent_at"}]
    told = ", ".join(f"CASE WHEN {later} THEN NULL ELSE {c} END AS {c}" for c in answers)
    return f"REPLACE ({told})"
