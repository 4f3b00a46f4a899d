"""How one cell is understood: SQL that makes an id, money, a number, a time or a flag of what a file holds.

Each function takes a SQL expression and its engine type; what cannot be understood becomes null, and the accounting
tells how many.
"""

from __future__ import annotations

from tierbook.engine import literal

DATE_FORMS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d",
    "%Y.%m.%d %H:%M:%S", "%Y.%m.%d %H:%M", "%Y.%m.%d", "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日",
)  # fmt: skip
"""The forms in which a date may be written, beside ISO, 20190101 and Excel's serial numbers."""

_NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL")  # fmt: skip
_NUMBER = r"^[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d*)?$|^[+-]?\.\d+$"
_MARK = r"(rmb|cny|usd|eur|gbp|[¥￥$£€元])"
_FRONT, _BACK = rf"(?i)^([+-]?)\s*{_MARK}\s*", rf"(?i)\s*{_MARK}$"
_WIDE, _NARROW = "０１２３４５６７８９．，－＋", "0123456789.,-+"
_BLANKS = " \t\r\n\u00a0\u3000\ufeff"
_EXACT = 2**53
_DAMAGED = r"^\d+(\.\d+)?[eE]\+?\d+$|^\d{15}0+$"
_NULLS = {"money": "DECIMAL(18, 4)", "number": "DOUBLE", "time": "TIMESTAMP", "flag": "BOOLEAN"}


def typed(column: str, kept_as: str, kind: str, zone: str, form: str | None = None) -> str:
    """The expression of one column as id, text, money, number, flag, month or time (wall clock of ``zone``)."""
    if kind == "time":
        return time(column, kept_as, zone, form)
    if kind == "month":
        return _month(column, kept_as, zone, form)
    return {"money": money, "number": _number, "id": identity, "text": text, "flag": _flag}[kind](column, kept_as)


def missing(kind: str) -> str:
    """The null of a column that the file does not have."""
    return f"CAST(NULL AS {_NULLS.get(kind, 'VARCHAR')})"


def text(column: str, kept_as: str = "VARCHAR") -> str:
    """A trimmed text; an empty one is null."""
    return f"nullif(trim(CAST({column} AS VARCHAR), {literal(_BLANKS)}), '')"


def identity(column: str, kept_as: str) -> str:
    """An id as text: 13085 and 13085.0, as a file with gaps keeps it, are one.

    A floating-point number too long to be exact is written with its exponent, so that `damaged` knows it.
    """
    if kept_as in {"DOUBLE", "FLOAT"}:
        exact = f"abs({column}) < {_EXACT} AND {column} = floor({column})"
        return f"""CASE WHEN isnan({column}) THEN NULL WHEN {exact} THEN CAST(CAST({column} AS BIGINT) AS VARCHAR)
            WHEN abs({column}) >= {_EXACT} THEN format('{{:.15e}}', {column}) ELSE CAST({column} AS VARCHAR) END"""
    bare = text(column)
    if kept_as != "VARCHAR" and not kept_as.startswith("DECIMAL"):
        return bare
    whole = f"contains({bare}, '.') AND regexp_matches({bare}, '^\\d+\\.0+$')"
    return f"CASE WHEN {whole} THEN regexp_replace({bare}, '\\.0+$', '') ELSE {bare} END"


def damaged(column: str) -> str:
    """Whether Excel has damaged an id: 1.38E+10, or more than 15 digits that end in zeros. Never null."""
    return f"coalesce(regexp_matches({column}, {literal(_DAMAGED)}), false)"


def money(column: str, kept_as: str, kind: str = "DECIMAL(18, 4)") -> str:
    """DECIMAL from numbers and from ￥1,234.00, ¥1234, 1234元, RMB 1,234 and full-width digits; 1.234,56 is null."""
    if kept_as != "VARCHAR":
        return f"TRY_CAST({column} AS {kind})" if _is_numeric(kept_as) else f"CAST(NULL AS {kind})"
    narrow = f"translate({text(column)}, {literal(_WIDE)}, {literal(_NARROW)})"
    front = f"regexp_replace({narrow}, {literal(_FRONT)}, '\\1')"
    bare = f"regexp_replace({front}, {literal(_BACK)}, '')"
    plain = (
        f"CASE WHEN regexp_matches({bare}, {literal(_NUMBER)}) THEN TRY_CAST(replace({bare}, ',', '') AS {kind}) END"
    )
    return f"coalesce(TRY_CAST({column} AS {kind}), {plain})"


def time(column: str, kept_as: str, zone: str, form: str | None = None) -> str:
    """Wall-clock time in the zone. A text with an offset is moved there; one without is taken as it stands.

    ``form`` is a strptime format, tried before the usual forms (`DATE_FORMS`).
    """
    if kept_as == "TIMESTAMP WITH TIME ZONE":
        return f"timezone({literal(zone)}, {column})"
    if kept_as == "DATE" or kept_as.startswith("TIMESTAMP"):
        return f"CAST({column} AS TIMESTAMP)"
    said = identity(column, kept_as)
    usual = _usual_time(said, zone)
    if form is None:
        return usual
    own = f"try_strptime({said}, {literal(form)})"
    moved = f"timezone({literal(zone)}, {own})" if "%z" in form.lower() else own
    return f"coalesce({moved}, {usual})"


def _usual_time(said: str, zone: str) -> str:
    stamp = f"TRY_CAST(regexp_replace({said}, '\\s+([+-]\\d{{2}}:?\\d{{2}})$', '\\1') AS TIMESTAMPTZ)"
    forms = ", ".join(literal(form) for form in DATE_FORMS)
    return f"""CASE WHEN regexp_matches({said}, ':.*(Z|[+-]\\d{{2}}(:?\\d{{2}})?)$') THEN timezone({literal(zone)}, {stamp})
        WHEN regexp_matches({said}, '^\\d{{8}}$') THEN try_strptime({said}, '%Y%m%d')
        WHEN regexp_matches({said}, '^[2-6]\\d{{4}}(\\.\\d+)?$')
        THEN TIMESTAMP '1899-12-30' + to_seconds(CAST(round(CAST({said} AS DOUBLE) * 86400) AS BIGINT))
        WHEN regexp_matches({said}, '^\\d')
        THEN coalesce(TRY_CAST({said} AS TIMESTAMP), try_strptime({said}, [{forms}])) END"""


def _month(column: str, kept_as: str, zone: str, form: str | None) -> str:
    """A month as YYYY-MM, from 2026-10, 2026/10, 2026年10月, 202610 or any date within it."""
    said = text(column)
    short = f"""CASE WHEN regexp_matches({said}, '^\\d{{6}}$') THEN try_strptime({said}, '%Y%m')
        ELSE try_strptime({said}, ['%Y-%m', '%Y/%m', '%Y.%m', '%Y年%m月']) END"""
    return f"strftime(coalesce({short}, {time(column, kept_as, zone, form)}), '%Y-%m')"


def _number(column: str, kept_as: str) -> str:
    number = f"TRY_CAST({column if _is_numeric(kept_as) else text(column)} AS DOUBLE)"
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def _flag(column: str, kept_as: str) -> str:
    if kept_as == "BOOLEAN":
        return column
    word = f"lower({identity(column, kept_as)})"
    return f"CASE WHEN {word} IN ('true','1','yes','y','t','是') THEN true WHEN {word} IN ('false','0','no','n','f','否') THEN false END"


def _is_numeric(kept_as: str) -> bool:
    return kept_as.startswith(_NUMERIC)
