"""Every row accounted for: text becomes typed, each row is counted or set aside for one stated reason."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pandas as pd

from tierbook.engine import Engine, identifier, literal
from tierbook.errors import InputError, ParamsError
from tierbook.params import Params, Transactions, nearest
from tierbook.schema import DATED, ONE_PER, REQUIRED, SCHEMA
from tierbook.sources import Raw, first_line

EPOCH = dt.date(1970, 1, 1)
_DATES = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d",
    "%Y.%m.%d %H:%M:%S", "%Y.%m.%d", "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日", "%Y%m%d",
)  # fmt: skip
_MONEY = r"^[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d*)?$|^[+-]?\.\d+$"
_SIGNS = r"(?i)rmb|cny|[¥￥$£€元\s]"
_WIDE, _NARROW = "０１２３４５６７８９．，－＋", "0123456789.,-+"
_BLANKS = " \t\r\n\u00a0\u3000\ufeff"


def day_number(day: dt.date) -> int:
    """Days since 1970-01-01: the engine's whole days."""
    return (day - EPOCH).days


def day_date(number) -> dt.date | None:
    """The date of a day number; null stays null."""
    return None if pd.isna(number) else EPOCH + dt.timedelta(days=int(number))


def judge_transactions(engine: Engine, raw: Raw, params: Params, target: Path, id_map: Path | None) -> pd.DataFrame:
    """Type every order line, give it one reason, write them to ``target``, and count them.

    Columns written: customer_id, order_id, order_key, day (days since 1970-01-01), net and gross (DECIMAL, report
    currency), cost, quantity, product, category, channel, store, region, reason. ``reason`` is ``kept`` or the first
    that applies of: blank_row, overlap, repeated_line, bad_date, bad_amount, after_as_of, other_currency, status,
    no_customer, damaged_id, masked_id, excluded, not_a_sale, duplicate.

    Returns the accounting: table, reason, rows, amount, example; the rows sum to what was read.
    """
    rules = raw.spec if isinstance(raw.spec, Transactions) else Transactions()
    columns = {name: _typed(raw, name, kind, params) for name, kind in SCHEMA["transactions"].items()}
    typed = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in columns.items())
    whole = ", ".join(
        identifier(name) for name in sorted(raw.types) if name != "_part" and name != raw.columns.get("part")
    )
    sql = f"""
        WITH typed AS (SELECT {typed}, {_blank_row(raw)} AS blank, {_text_of(raw, "ordered_at")} AS said_date,
                              {_text_of(raw, "amount")} AS said_amount, hash({whole}) AS row_hash, ({_row(whole)}) AS whole
                       FROM {raw.sql}),
        known AS (SELECT typed.* {_mapped_id(id_map)}),
        rated AS (SELECT *, {_rate(params)} AS rate FROM known),
        worth AS (SELECT *, CAST((amount - coalesce(refund_amount, 0)) * rate AS DECIMAL(18, 4)) AS net FROM rated),
        copies AS (SELECT *, {_overlap(rules, raw)} AS overlapped FROM worth),
        lines AS (SELECT *, {_repeated(raw)} AS repeated FROM copies),
        first AS (SELECT *, {_first_reason(rules, raw, params)} AS early FROM lines),
        judged AS (SELECT *, {_last_reason(rules)} AS reason FROM first)
        SELECT customer_id, order_id, coalesce(order_id, strftime(ordered_at, '%Y%m%d%H%M%S%f')) AS order_key,
               CAST(ordered_at AS DATE) - DATE '1970-01-01' AS day, net,
               CAST(greatest(amount, 0) * rate AS DECIMAL(18, 4)) AS gross, CAST(cost * rate AS DECIMAL(18, 4)) AS cost,
               quantity, product, category, channel, store, region, reason, {_example()} AS example
        FROM judged"""
    _write(engine, sql, target, raw)
    counted = engine.execute(f"""
        SELECT 'transactions' AS "table", reason, count(*) AS rows, CAST(coalesce(sum(net), 0) AS DOUBLE) AS amount,
               min(example) AS example FROM read_parquet({literal(target)}) GROUP BY reason""").df()
    _refuse_unreadable(counted, raw)
    return _ordered(counted)


def judge_table(engine: Engine, raw: Raw, table: str, params: Params, target: Path) -> pd.DataFrame:
    """Type every row of an optional table, give it one reason, write the kept rows to ``target``, and count them all.

    A row is set aside when a required column is missing or unreadable, when its day lies after as_of, or when a key
    that may stand once stands again (the last row of the last file counts).
    """
    columns = {name: _typed(raw, name, kind, params) for name, kind in SCHEMA[table].items()}
    typed = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in columns.items())
    missing = [
        f"WHEN {identifier(c)} IS NULL THEN 'no_{c}'"
        for c in REQUIRED[table]
        if (table, c) != ("surveys", "answered_at")
    ]
    if table in DATED:
        missing.append(f"WHEN CAST({DATED[table]} AS DATE) > DATE '{params.as_of}' THEN 'after_as_of'")
    if table in ONE_PER:
        everything = ", ".join(identifier(c) for c in columns)
        key = ", ".join(ONE_PER[table])
        missing.append(
            f"WHEN row_number() OVER (PARTITION BY {key} ORDER BY _part DESC, {everything}) > 1 THEN 'duplicate'"
        )
    kept = target.with_suffix(".judged.parquet")
    _write(
        engine,
        f"SELECT *, CASE {' '.join(missing)} ELSE 'kept' END AS _judged FROM (SELECT {typed}, _part FROM {raw.sql})",
        kept,
        raw,
    )
    example = identifier(REQUIRED[table][0])
    money = "CAST(sum(amount) AS DOUBLE)" if "amount" in columns else "NULL::DOUBLE"
    counted = engine.execute(f"""SELECT {literal(table)} AS "table", _judged AS reason, count(*) AS rows, {money} AS amount,
        min({example}) AS example FROM read_parquet({literal(kept)}) GROUP BY _judged""").df()
    engine.execute(f"""COPY (SELECT * EXCLUDE (_judged, _part) FROM read_parquet({literal(kept)}) WHERE _judged = 'kept')
        TO {literal(target)} (FORMAT parquet)""")
    kept.unlink()
    return _ordered(counted)


def _write(engine: Engine, sql: str, target: Path, raw: Raw) -> None:
    try:
        engine.execute(f"COPY ({sql}) TO {literal(target)} (FORMAT parquet)")
    except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
        names = ", ".join(f.name for f in raw.files[:3])
        raise InputError(f"{names}: {first_line(error)}") from None


def _ordered(counted: pd.DataFrame) -> pd.DataFrame:
    order = counted["reason"].map({"kept": -1}).fillna(0)
    return counted.assign(_o=order).sort_values(["_o", "reason"]).drop(columns="_o").reset_index(drop=True)


def _refuse_unreadable(counted: pd.DataFrame, raw: Raw) -> None:
    """A column in which not one value could be read is a wrong column or a wrong form, not a heap of bad rows."""
    rows = counted.set_index("reason")["rows"]
    for reason, column, hint in (
        ("bad_date", "ordered_at", "date_format: '%d/%m/%Y'"),
        ("bad_amount", "amount", "columns: {amount: …}"),
    ):
        if rows.get(reason, 0) and rows.get(reason, 0) == rows.drop(["blank_row"], errors="ignore").sum():
            example = counted.loc[counted["reason"] == reason, "example"].iloc[0]
            raise InputError(
                f"{raw.files[0].name}, column {raw.columns[column]!r}: none of {rows[reason]:,} values could be read as "
                f"{column}, for example {example!r}; if the column is right, write source.transactions.{hint}"
            )


def _row(columns: str) -> str:
    return f"concat_ws(chr(31), {', '.join(f'coalesce(CAST({c} AS VARCHAR), chr(30))' for c in columns.split(', '))})"


def _source(raw: Raw, name: str) -> tuple[str, str] | None:
    """The engine expression and type behind a canonical column; None where the file has no such column."""
    header = raw.columns.get(name)
    if header is None:
        return None
    if isinstance(header, tuple):
        factors = " * ".join(_money(identifier(h), raw.types[h]) for h in header)
        return f"CAST({factors} AS DECIMAL(18, 4))", "DECIMAL(18,4)"
    return identifier(header), raw.types[header]


def _typed(raw: Raw, name: str, kind: str, params: Params) -> str:
    found = _source(raw, name)
    if name == "part":
        return f"CAST({found[0]} AS VARCHAR)" if found else "_part"
    if found is None:
        return {"money": "CAST(NULL AS DECIMAL(18, 4))", "number": "CAST(NULL AS DOUBLE)", "time": "CAST(NULL AS TIMESTAMP)",
                "flag": "CAST(NULL AS BOOLEAN)"}.get(kind, "CAST(NULL AS VARCHAR)")  # fmt: skip
    column, kept_as = found
    make = {"money": _money, "number": _number, "id": _id, "text": _text, "flag": _flag, "month": _month}
    return _time(column, kept_as, params, raw.spec.date_format) if kind == "time" else make[kind](column, kept_as)


def _text(column: str, kept_as: str = "VARCHAR") -> str:
    return f"nullif(trim(CAST({column} AS VARCHAR), {literal(_BLANKS)}), '')"


def _id(column: str, kept_as: str) -> str:
    """Whole numbers that a file keeps as floating point (13085.0) are the id 13085."""
    if kept_as in {"DOUBLE", "FLOAT"}:
        return f"CASE WHEN {column} = floor({column}) THEN CAST(CAST({column} AS BIGINT) AS VARCHAR) ELSE CAST({column} AS VARCHAR) END"
    return _text(column)


def _money(column: str, kept_as: str) -> str:
    if kept_as != "VARCHAR":
        return f"TRY_CAST({column} AS DECIMAL(18, 4))"
    bare = (
        f"regexp_replace(translate({_text(column)}, {literal(_WIDE)}, {literal(_NARROW)}), {literal(_SIGNS)}, '', 'g')"
    )
    plain = f"CASE WHEN regexp_matches({bare}, {literal(_MONEY)}) THEN TRY_CAST(replace({bare}, ',', '') AS DECIMAL(18, 4)) END"
    return f"coalesce(TRY_CAST({column} AS DECIMAL(18, 4)), {plain})"


def _number(column: str, kept_as: str) -> str:
    return f"TRY_CAST({_text(column)} AS DOUBLE)" if kept_as == "VARCHAR" else f"CAST({column} AS DOUBLE)"


def _flag(column: str, kept_as: str) -> str:
    if kept_as == "BOOLEAN":
        return column
    word = f"lower({_text(column)})"
    return f"CASE WHEN {word} IN ('true','1','yes','y','t','是') THEN true WHEN {word} IN ('false','0','no','n','f','否') THEN false END"


def _month(column: str, kept_as: str) -> str:
    """A month as YYYY-MM, from YYYY-MM or any date within it."""
    return f"CASE WHEN regexp_matches({_text(column)}, '^\\d{{4}}-\\d{{2}}') THEN left({_text(column)}, 7) END"


def _time(column: str, kept_as: str, params: Params, form: str | None) -> str:
    """Wall-clock time in the report's zone. A text with an offset is moved there; one without is taken as it stands."""
    zone = literal(params.timezone)
    if kept_as.startswith("TIMESTAMP WITH TIME ZONE"):
        return f"timezone({zone}, {column})"
    if kept_as != "VARCHAR" and not kept_as.endswith("INT") and kept_as not in {"BIGINT", "INTEGER", "DOUBLE"}:
        return f"CAST({column} AS TIMESTAMP)"
    text = _text(column)
    if form:
        return f"try_strptime({text}, {literal(form)})"
    forms = ", ".join(literal(f) for f in _DATES)
    offset = f"""CASE WHEN regexp_matches({text}, ':.*(Z|[+-]\\d{{2}}(:?\\d{{2}})?)$')
        THEN timezone({zone}, TRY_CAST({text} AS TIMESTAMPTZ))"""
    serial = f"""CASE WHEN regexp_matches({text}, '^[2-6]\\d{{4}}(\\.\\d+)?$')
        THEN TIMESTAMP '1899-12-30' + to_seconds(round(CAST({text} AS DOUBLE) * 86400)) END"""
    return f"{offset} ELSE coalesce(TRY_CAST({text} AS TIMESTAMP), try_strptime({text}, [{forms}]), {serial}) END"


def _text_of(raw: Raw, name: str) -> str:
    found = _source(raw, name)
    return f"CAST({found[0]} AS VARCHAR)" if found else "NULL"


def _blank_row(raw: Raw) -> str:
    return " AND ".join(f"{_text(identifier(c))} IS NULL" for c in raw.types if c != "_part")


def _mapped_id(id_map: Path | None) -> str:
    if id_map is None:
        return "FROM typed"
    return f"""REPLACE (coalesce(ids.customer_id, typed.customer_id) AS customer_id)
        FROM typed LEFT JOIN read_parquet({literal(id_map)}) AS ids ON ids.from_id = typed.customer_id"""


def _rate(params: Params) -> str:
    whens = [f"WHEN upper(currency) = {literal(code)} THEN {rate!r}" for code, rate in params.rates.items()]
    return f"CASE WHEN currency IS NULL OR upper(currency) = {literal(params.currency)} THEN 1 {' '.join(whens)} END"


def _overlap(rules: Transactions, raw: Raw) -> str:
    """An order that stands in several files counts once, as in the last of them (the newest download)."""
    if rules.overlap_by is None:
        return "false"
    if rules.overlap_by not in raw.columns:
        raise ParamsError(
            f"source.transactions.overlap_by: no column {rules.overlap_by!r}; {nearest(rules.overlap_by, raw.columns)}"
        )
    key = identifier(rules.overlap_by)
    return f"({key} IS NOT NULL AND part < max(part) OVER (PARTITION BY {key}))"


def _repeated(raw: Raw) -> str:
    """A line number that repeats within its order is one line exported twice."""
    if "line_id" not in raw.columns:
        return "false"
    return """(line_id IS NOT NULL AND NOT overlapped AND
        row_number() OVER (PARTITION BY overlapped, order_id, line_id ORDER BY part DESC, row_hash) > 1)"""


def _first_reason(rules: Transactions, raw: Raw, params: Params) -> str:
    excluded = " OR ".join(_among(column, values, raw) for column, values in rules.exclude.items()) or "false"
    status = "false"
    if rules.count_status:
        status = f"NOT coalesce({_among('status', rules.count_status, raw, 'count_status')}, false)"
    not_a_sale = "net <= 0" if rules.refunds == "set_aside" else "false"
    return f"""CASE WHEN blank THEN 'blank_row' WHEN overlapped THEN 'overlap' WHEN repeated THEN 'repeated_line'
        WHEN ordered_at IS NULL OR ordered_at < TIMESTAMP '1970-01-01' THEN 'bad_date' WHEN amount IS NULL THEN 'bad_amount'
        WHEN CAST(ordered_at AS DATE) > DATE '{params.as_of}' THEN 'after_as_of' WHEN rate IS NULL THEN 'other_currency'
        WHEN {status} THEN 'status' WHEN customer_id IS NULL THEN 'no_customer'
        WHEN regexp_matches(customer_id, '^\\d+(\\.\\d+)?[eE]\\+?\\d+$|^\\d{{15}}0+$') THEN 'damaged_id'
        WHEN contains(customer_id, '*') THEN 'masked_id' WHEN {excluded} THEN 'excluded' WHEN {not_a_sale} THEN 'not_a_sale' END"""


def _last_reason(rules: Transactions) -> str:
    """Only rows that would count are compared for being exact copies of each other."""
    if rules.duplicates == "keep":
        return "coalesce(early, 'kept')"
    copy = "row_number() OVER (PARTITION BY early IS NULL, row_hash, whole ORDER BY part DESC) > 1"
    return f"coalesce(early, CASE WHEN {copy} THEN 'duplicate' ELSE 'kept' END)"


def _among(column: str, values: list[str], raw: Raw, rule: str = "exclude") -> str:
    if column not in raw.columns:
        raise ParamsError(
            f"source.transactions.{rule}: the file has no column {column!r}; {nearest(column, raw.columns)}"
        )
    return f"coalesce({identifier(column)} IN ({', '.join(literal(v) for v in values)}), false)"


def _example() -> str:
    return """CASE reason WHEN 'bad_date' THEN said_date WHEN 'bad_amount' THEN said_amount WHEN 'status' THEN status
        WHEN 'other_currency' THEN currency WHEN 'repeated_line' THEN line_id WHEN 'kept' THEN NULL
        WHEN 'no_customer' THEN coalesce(order_id, said_date) WHEN 'after_as_of' THEN said_date
        WHEN 'excluded' THEN customer_id WHEN 'damaged_id' THEN customer_id WHEN 'masked_id' THEN customer_id
        ELSE coalesce(order_id, customer_id) END"""
