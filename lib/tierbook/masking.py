"""Masking: every customer's id replaced by a salted hash where tables are read, so that nothing after them knows it."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path

import pandas as pd

from tierbook.engine import Engine, identifier, literal, path_literal
from tierbook.errors import InputError, ParamsError
from tierbook.params import Params

NAMES = ("customer_id", "referred_by", "record_id", "lead_id", "from_id")
"""The columns that name a person, in whichever input table they stand."""
ENVIRONMENT = "TIERBOOK_SALT"
LENGTH = 16  # 64 bits: among ten million customers two share a mask once in 370,000 reports
SHORTEST_SALT = 16
_VARIABLE = "tierbook_salt"
_WITHIN = 6  # an id shorter than this stands within other texts by chance
_PERSONAL = re.compile(r"@|\d{9,}")


def folder(outputs: Path, report: str) -> Path:
    """Where the salt and everything with real ids lies: ``outputs/.keys/<report>``, beside the reports, in none."""
    return outputs / ".keys" / report


def salt(params: Params, outputs: Path) -> str | None:
    """The salt of a report whose ids are masked, None for the others: `TIERBOOK_SALT`, else the one kept, made once.

    Raises `ParamsError` for a salt too short to be safe (phone numbers are few enough to try them all), or a kept one that
    is damaged: another in its place would change every mask.
    """
    if not params.report.mask_customer_ids:
        return None
    given = os.environ.get(ENVIRONMENT)
    if given is None:
        return _kept(folder(outputs, params.report.name))
    if len(given) < SHORTEST_SALT:
        raise ParamsError(f"{ENVIRONMENT} has {len(given)} characters; give at least {SHORTEST_SALT}, or unset it")
    return given


def _kept(place: Path) -> str:
    for private in (place.parent, place):
        private.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = place / "salt"
    try:
        new = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        found = path.read_text().strip()
        if len(found) < SHORTEST_SALT:
            told = f"{path} holds no salt of {SHORTEST_SALT} characters"
            raise ParamsError(f"{told}; bring it back from a backup, or delete it, which changes every mask") from None
        return found
    with os.fdopen(new, "w") as out:
        made = secrets.token_hex(32)
        out.write(made)
    return made


def mark(used: str | None) -> str | None:
    """What may be known of a salt: the same for the same salt, and nothing to find it by."""
    return None if used is None else hashlib.sha256(f"mark of {used}".encode(errors="replace")).hexdigest()


def _form() -> str:
    return f"K-[0-9a-f]{{{LENGTH}}}"


def masked(ids: pd.Series, used: str | None) -> pd.Series:
    """The masks of a short list of ids: ``K-`` and 16 hex digits of SHA-256(salt ‖ id); null stays null.

    A text that has a mask's form is taken for one and stays, so that a list with masks may be given back. Without a salt
    nothing changes.
    """
    if used is None:
        return ids
    return ids.map(lambda name: _mask(str(name), used), na_action="ignore")


def _mask(name: str, used: str) -> str:
    if re.fullmatch(_form(), name):
        return name
    return "K-" + hashlib.sha256((used + name).encode(errors="replace")).hexdigest()[:LENGTH]


def sql(expression: str) -> str:
    """`masked` as SQL, on an engine that knows the salt (`arm`)."""
    hashed = f"'K-' || substr(sha256(getvariable('{_VARIABLE}') || {expression}), 1, {LENGTH})"
    return f"CASE WHEN regexp_full_match({expression}, '{_form()}') THEN {expression} ELSE {hashed} END"


def arm(engine: Engine, used: str | None) -> None:
    """Tell an engine the salt; as a variable, so that no text of a query, which an error may quote, holds it."""
    if used is not None:
        engine.execute(f"SET VARIABLE {_VARIABLE} = {literal(used)}")


def hidden(params: Params, used: str | None) -> Params:
    """The params with the customers they exclude by their masks: params go to notebooks, pages and run.json."""
    orders = params.source.transactions
    if used is None or orders is None or "customer_id" not in orders.exclude:
        return params
    ids = masked(pd.Series(orders.exclude["customer_id"], dtype=object), used).tolist()
    orders = orders.model_copy(update={"exclude": {**orders.exclude, "customer_id": ids}})
    return params.model_copy(update={"source": params.source.model_copy(update={"transactions": orders})})


def hide(engine: Engine, tables: list[Path], key: Path) -> None:
    """Replace the ids of judged tables (Parquet) by their masks, and write ``key``: mask, customer_id of every id read.

    Raises `InputError` where two ids would share one mask.
    """
    named = {path: columns for path in tables if (columns := _naming(engine, path))}
    every = " UNION ALL ".join(
        f"SELECT CAST({column} AS VARCHAR) AS id FROM read_parquet({path_literal(path)})"
        for path, columns in named.items()
        for column in columns
    )
    engine.execute(f"""COPY (SELECT {sql("id")} AS mask, id AS customer_id FROM (SELECT DISTINCT id FROM ({every}))
        WHERE id IS NOT NULL AND NOT regexp_full_match(id, '{_form()}') ORDER BY 1, 2) TO {literal(key)} (FORMAT parquet)""")
    _refuse_collisions(engine, key)
    engine.execute("SET preserve_insertion_order = true")  # a trial's rows go by their number
    for path, columns in named.items():
        _rewrite(engine, path, columns)
    engine.execute("SET preserve_insertion_order = false")


def _naming(engine: Engine, path: Path) -> list[str]:
    found = engine.execute(f"DESCRIBE SELECT * FROM read_parquet({path_literal(path)})").fetchall()
    return [row[0] for row in found if row[0] in NAMES]


def _refuse_collisions(engine: Engine, key: Path) -> None:
    shared = engine.execute(
        f"SELECT mask FROM read_parquet({path_literal(key)}) GROUP BY mask HAVING count(*) > 1 ORDER BY mask"
    ).fetchall()
    if shared:
        raise InputError(
            f"report.mask_customer_ids: several customers would share one mask ({len(shared):,} masks, first "
            f"{shared[0][0]!r}); set another {ENVIRONMENT}, which changes every mask"
        )


def _rewrite(engine: Engine, path: Path, columns: list[str]) -> None:
    told = [f"{sql(f'CAST({identifier(name)} AS VARCHAR)')} AS {identifier(name)}" for name in columns]
    if path.stem == "transactions":
        told += _OF_LINES
    new = path.with_suffix(".masked.parquet")
    engine.execute(f"""COPY (SELECT * REPLACE ({", ".join(told)}) FROM read_parquet({path_literal(path)}))
        TO {literal(new)} (FORMAT parquet)""")
    new.replace(path)


def _order(column: str) -> str:
    """An order's number with the mask in it where it is made of the customer's id."""
    made_of = f"length(customer_id) >= {_WITHIN} AND contains({column}, customer_id)"
    return (
        f"CASE WHEN {made_of} THEN replace({column}, customer_id, {sql('customer_id')}) ELSE {column} END AS {column}"
    )


_OF_LINES = (
    _order("order_id"),
    _order("order_key"),
    f"CASE WHEN excluded_column = 'customer_id' THEN {sql('excluded_value')} ELSE excluded_value END AS excluded_value",
    "CAST(NULL AS VARCHAR) AS example",  # of one line, and counted by now
)


def examples(engine: Engine, counted: pd.DataFrame, key: Path, used: str) -> pd.DataFrame:
    """An accounting whose examples name nobody: masked is what is an id of the key, holds one of six characters or more,
    or holds an @ or nine digits in a cell that should be something else (a row whose cells have slipped aside)."""
    found = counted["example"].astype(object)
    told = pd.DataFrame({"example": found.dropna().astype("str").unique()}, dtype="str")
    holding = f"""SELECT DISTINCT example FROM told, read_parquet({path_literal(key)})
        WHERE example = customer_id OR (length(customer_id) >= {_WITHIN} AND contains(example, customer_id))"""
    holds = engine.frame(told).to_native().query("told", holding).df()
    misplaced = counted["reason"].isin(["bad_date", "bad_amount", "other_currency", "status", "note_row"])
    personal = misplaced & found.map(lambda text: bool(_PERSONAL.search(str(text))), na_action="ignore").eq(True)
    return counted.assign(example=found.mask(found.isin(holds["example"]) | personal, masked(found, used)))


def unmasked(frame: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    """A table with the real ids again; ``key``: real id by mask. A mask that the key does not know stays."""
    real = {}
    for name in (name for name in NAMES if name in frame):
        own, place = frame[name].astype(object), key.index.get_indexer(frame[name])
        known = pd.Series(key.astype(object).to_numpy()[place] if len(key) else None, frame.index, dtype=object)
        real[name] = known.where(place >= 0, own).astype(frame[name].dtype)
    return frame.assign(**real)
