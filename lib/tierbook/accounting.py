"""Every row accounted for: each is counted, or set aside for one stated reason, in rows and in money."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import narwhals as nw
import pandas as pd

from tierbook import cells, identities, masking, noise, repeats, typed
from tierbook.engine import Engine, identifier, literal, path_literal
from tierbook.errors import InputError, ParamsError
from tierbook.identities import IdMap
from tierbook.params import Params, Transactions, nearest
from tierbook.schema import SCHEMA
from tierbook.sources import Raw

EPOCH = dt.date(1970, 1, 1)
_DECIMAL_COMMA = re.compile(r"\d,\d{1,2}\D*$")
_BEFORE_DATE = (*noise.NOISE, "overlap", "repeated_line")


def day_number(day: dt.date) -> int:
    """Days since 1970-01-01: the engine's whole days."""
    return (day - EPOCH).days


def day_date(number) -> dt.date | None:
    """The date of a day number; null stays null."""
    return None if pd.isna(number) else EPOCH + dt.timedelta(days=int(number))


def judge_transactions(engine: Engine, raw: Raw, params: Params, target: Path, id_map: Path | None) -> pd.DataFrame:
    """Type every order line, give it one reason, write them to ``target``, and count them.

    Columns written: customer_id, order_id, order_key, day (days since 1970-01-01), net and gross (DECIMAL, report
    currency), cost, quantity, product, category, channel, store, region, reason, excluded_column, excluded_value.
    ``reason`` is ``kept`` or the first that applies of: blank_row, repeated_header, total_row, note_row (`noise`),
    overlap, repeated_line, bad_date, bad_amount, after_as_of, other_currency, status, no_customer, damaged_id,
    masked_id, excluded, not_a_sale, duplicate, lost_zeros.

    Returns the accounting: table, reason, rows, amount (net; 0 where it cannot be told), example; the rows sum to what
    was read. Exact copies agree in customer, time, amount and the 64-bit hash of all cells, the file's name left out.
    """
    rules = raw.spec if isinstance(raw.spec, Transactions) else Transactions()
    lines = _lines_sql(raw, params, rules, identities.opened(engine, id_map))
    scratch = target.with_suffix(".lines.parquet")
    if rules.overlap_by or rules.duplicates == "drop_exact" or "line_id" in raw.columns:
        # Lines are compared with each other: they are typed once, and each comparison reads the few columns it needs.
        typed.write(engine, lines, scratch, raw)
        lines = f"FROM read_parquet({path_literal(scratch)}, file_row_number = true)"
    try:
        typed.write(engine, _judged_sql(lines, rules, raw, params), target, raw)
    finally:
        scratch.unlink(missing_ok=True)
    identities.set_aside_lost_zeros(engine, target, "reason")
    counted = engine.execute(f"""
        SELECT 'transactions' AS "table", reason, count(*) AS rows, CAST(coalesce(sum(net), 0) AS DOUBLE) AS amount,
               min(CASE reason WHEN 'lost_zeros' THEN {_shown_id(params)} ELSE example END) AS example FROM read_parquet({path_literal(target)}) GROUP BY reason""").df()
    _refuse_unreadable(counted, raw, params.report.mask_customer_ids)
    return typed.kept_first(counted)


def excluded(lines: nw.LazyFrame) -> nw.LazyFrame:
    """What the params' ``exclude`` took out, by the column and value that did (the first named, where several apply).

    Columns: column, value, rows, amount (net, report currency), customers. They sum to the reason ``excluded``.
    """
    taken = lines.filter(nw.col("reason") == "excluded").rename(
        {"excluded_column": "column", "excluded_value": "value"}
    )
    return taken.group_by("column", "value").agg(
        rows=nw.len(), amount=nw.col("net").sum(), customers=nw.col("customer_id").n_unique()
    )


def _lines_sql(raw: Raw, params: Params, rules: Transactions, id_map: IdMap | None) -> str:
    """The typed lines with their worth in the report's currency, before any is judged.

    The cells are typed beside the columns of the file, under names that no file has, and looked at together after that:
    typing them once in the text of the query halves the time the engine takes to plan it.
    """
    kinds = SCHEMA["transactions"]
    cast = ", ".join(f"{typed.column(raw, name, kind, params)} AS {_beside(name)}" for name, kind in kinds.items())
    named = ", ".join(f"{_beside(name)} AS {identifier(name)}" for name in kinds)
    said = ", ".join(f"{_said(raw, name)} AS said_{name}" for name in ("ordered_at", "amount", "refund_amount"))
    told = noise.reason(raw, *map(_beside, ("ordered_at", "customer_id", "amount")))
    mapped, joins = typed.mapped(id_map, "transactions", "part")
    return f"""
        WITH beside AS (SELECT *, {cast} FROM {raw.sql}),
        typed AS (SELECT {named}, {said}, {told} AS noise, {repeats.row_key(raw, rules)} AS row_key FROM beside),
        known AS (SELECT typed.* {mapped} FROM typed {joins}),
        rated AS (SELECT *, {_rate(params)} AS rate FROM known)
        SELECT *, {_worth("amount - coalesce(refund_amount, 0)", raw)} AS net FROM rated"""


def _beside(name: str) -> str:
    return identifier(f"typed\u241f{name}")


def _judged_sql(lines: str, rules: Transactions, raw: Raw, params: Params) -> str:
    """The lines with their reason. Comparisons are small joins of the groups that stand more than once."""
    overlapped, newest = repeats.overlap(rules, raw)
    repeated, numbered = repeats.repeated_line(raw)
    copied, copies = repeats.copy(rules)
    return f"""
        WITH lines AS NOT MATERIALIZED ({lines}),
        placed AS NOT MATERIALIZED (SELECT *, {overlapped} AS overlapped FROM lines {newest}),
        compared AS NOT MATERIALIZED (SELECT *, {repeated} AS repeated FROM placed {numbered}),
        judged AS NOT MATERIALIZED (SELECT *, {_early_reason(rules, raw, params)} AS early FROM compared),
        final AS (SELECT *, coalesce(early, CASE WHEN {copied} THEN 'duplicate' ELSE 'kept' END) AS reason FROM judged {copies})
        SELECT customer_id, order_id, coalesce(order_id, strftime(ordered_at, '%Y%m%d%H%M%S%f')) AS order_key,
               CAST(ordered_at AS DATE) - DATE '1970-01-01' AS day, net,
               {_worth("greatest(amount, 0)", raw)} AS gross, {_worth("cost", raw)} AS cost,
               quantity, product, category, channel, store, region, reason, {_example(_shown_id(params))} AS example,
               {_excluded_by(rules, raw, params)}
        FROM final"""


def _refuse_unreadable(counted: pd.DataFrame, raw: Raw, masks: bool) -> None:
    """A column in which not one value could be read is a wrong column or a wrong form, not a heap of bad rows."""
    rows = counted.set_index("reason")["rows"].drop(list(_BEFORE_DATE), errors="ignore")
    for reason, column, hint in (
        ("bad_date", "ordered_at", "if the column is right, write source.transactions.date_format: '%d/%m/%Y'"),
        ("bad_amount", "amount", "if the column is wrong, write source.transactions.columns: {amount: …}"),
    ):
        if rows.get(reason, 0) and rows.get(reason, 0) == rows.sum():
            example = counted.loc[counted["reason"] == reason, "example"].iloc[0]
            if reason == "bad_amount" and _DECIMAL_COMMA.search(str(example)):
                hint = "a decimal comma is never guessed: save the amounts with a decimal point"
            raise InputError(
                f"{raw.files[0].name}, column {raw.columns[column]!r}: none of {rows[reason]:,} values could be read as "
                f"{column}{'' if masks else f', for example {example!r}'}; {hint}"
            )
        rows = rows.drop(reason, errors="ignore")


def _said(raw: Raw, name: str) -> str:
    """What the file says where it could not be understood, null where it could (texts of good cells cost time)."""
    header = raw.columns.get(name)
    if header is None:
        return "CAST(NULL AS VARCHAR)"
    factors = [cells.text(identifier(h)) for h in (header if isinstance(header, tuple) else [header])]
    told = f"concat_ws(' × ', {', '.join(factors)})" if len(factors) > 1 else factors[0]
    own, least = _beside(name), {"ordered_at": "TIMESTAMP '1970-01-01'", "refund_amount": "0"}.get(name)
    wrong = f"coalesce({own} < {least}, true)" if least else f"{own} IS NULL"
    return f"CASE WHEN {wrong} THEN {told} END"


def _worth(amount: str, raw: Raw) -> str:
    """An amount in the report's currency, null where there is no rate.

    Multiplied in floating point and rounded once to DECIMAL: the engine's own product of two DECIMALs either overflows
    at ordinary amounts or, in 38 digits, takes longer than all the rest. Without a currency column nothing is multiplied.
    """
    factor = f"CAST({amount} AS DOUBLE) * rate" if "currency" in raw.columns else amount
    return f"TRY_CAST({factor} AS DECIMAL(18, 4))"


def _rate(params: Params) -> str:
    whens = [f"WHEN {literal(code)} THEN {rate!r}" for code, rate in params.rates.items()]
    own = f"currency IS NULL OR upper(currency) = {literal(params.currency)}"
    other = f"CASE upper(currency) {' '.join(whens)} END" if whens else "NULL"
    return f"CAST(CASE WHEN {own} THEN 1 ELSE {other} END AS DOUBLE)"


def _early_reason(rules: Transactions, raw: Raw, params: Params) -> str:
    taken = " OR ".join(_taken(column, values, raw, params) for column, values in rules.exclude.items()) or "false"
    status = f"NOT {_among('status', rules.count_status, raw, 'count_status')}" if rules.count_status else "false"
    not_a_sale = "net <= 0" if rules.refunds == "set_aside" else "false"
    return f"""CASE WHEN noise IS NOT NULL THEN noise WHEN overlapped THEN 'overlap' WHEN repeated THEN 'repeated_line'
        WHEN ordered_at IS NULL OR NOT isfinite(ordered_at) OR ordered_at < TIMESTAMP '1970-01-01' THEN 'bad_date'
        WHEN amount IS NULL OR said_refund_amount IS NOT NULL OR (rate IS NOT NULL AND net IS NULL) THEN 'bad_amount'
        WHEN CAST(ordered_at AS DATE) > DATE '{params.as_of}' THEN 'after_as_of' WHEN rate IS NULL THEN 'other_currency'
        WHEN {status} THEN 'status' WHEN customer_id IS NULL THEN 'no_customer'
        WHEN {cells.damaged("customer_id")} OR {cells.damaged("order_id")} THEN 'damaged_id'
        WHEN {cells.masked("customer_id")} THEN 'masked_id' WHEN {taken} THEN 'excluded' WHEN {not_a_sale} THEN 'not_a_sale' END"""


def _excluded_by(rules: Transactions, raw: Raw, params: Params) -> str:
    """The column and the value by which a row was excluded, null for the others."""
    whens = [(_taken(column, values, raw, params), column) for column, values in rules.exclude.items()]
    columns = " ".join(f"WHEN {hit} THEN {literal(column)}" for hit, column in whens)
    values = " ".join(f"WHEN {hit} THEN CAST({identifier(column)} AS VARCHAR)" for hit, column in whens)
    told = {"excluded_column": columns, "excluded_value": values}
    return ", ".join(
        f"CASE WHEN reason = 'excluded' THEN CASE {case} END END AS {name}"
        if case
        else f"CAST(NULL AS VARCHAR) AS {name}"
        for name, case in told.items()
    )


def _taken(column: str, values: list[str], raw: Raw, params: Params) -> str:
    """Whether ``exclude`` takes a row; where ids are masked, params may name customers by id or by mask."""
    plain = _among(column, values, raw)
    if column != "customer_id" or not params.report.mask_customer_ids:
        return plain
    return f"coalesce({_shown_id(params)} IN ({', '.join(masking.sql(literal(value)) for value in values)}), false)"


def _shown_id(params: Params) -> str:
    """The customer's id as an example may show it."""
    return masking.sql("customer_id") if params.report.mask_customer_ids else "customer_id"


def _among(column: str, values: list[str], raw: Raw, rule: str = "exclude") -> str:
    if column not in raw.columns:
        known = nearest(column, raw.columns)
        raise ParamsError(f"source.transactions.{rule}: the file has no column {column!r}; {known}")
    return f"coalesce(CAST({identifier(column)} AS VARCHAR) IN ({', '.join(literal(v) for v in values)}), false)"


def _example(who: str) -> str:
    return f"""CASE reason WHEN 'bad_date' THEN said_ordered_at WHEN 'status' THEN status
    WHEN 'bad_amount' THEN CASE WHEN amount IS NULL THEN said_amount ELSE coalesce(said_refund_amount, CAST(amount AS VARCHAR)) END
    WHEN 'other_currency' THEN currency WHEN 'repeated_line' THEN line_id WHEN 'kept' THEN NULL
    WHEN 'no_customer' THEN coalesce(order_id, CAST(ordered_at AS VARCHAR))
    WHEN 'after_as_of' THEN CAST(ordered_at AS VARCHAR)
    WHEN 'damaged_id' THEN CASE WHEN {cells.damaged("customer_id")} THEN {who} ELSE order_id END
    WHEN 'excluded' THEN {who} WHEN 'masked_id' THEN {who} ELSE coalesce(order_id, {who}) END"""
