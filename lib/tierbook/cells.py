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
_DIGITS = r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d*)?"
_NUMBER, _IN_UNITS = rf"^{_DIGITS}$|^[+-]?\.\d+$", rf"^{_DIGITS}\s*[万亿]$"
_MARK = r"(rmb|cny|usd|eur|gbp|人民币|[¥￥$£€元])"
_FRONT, _BACK = rf"(?i)^([+-]?)\s*{_MARK}\s*", rf"(?i)\s*{_MARK}$"
_IN_BRACKETS, _MINUS_BEHIND = rf"(?i)^({_MARK}?)\s*\(([^()+-]+)\)$", r"^([^+-].*)-$"
_WIDE, _NARROW = "０１２３４５６７８９．，＋：／（）−－﹣　", "0123456789.,+:/()--- "
_WIDE_ID = "０１２３４５６７８９" + "".join(map(chr, [*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B)]))
_NARROW_ID = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BLANKS = " \t\r\n\u00a0\u3000\u200b\ufeff"
_EXACT = 2**53
_DAMAGED, _CROSSED = r"^\d+(\.\d+)?[eE]\+?\d+$|^\d{15}0+$", r"^\d+[xX]{3,}\d*$"
_FAULT = r"^#+$|^#(N/A|REF!|NAME\?|VALUE!|DIV/0!|NUM!|NULL!)$"
_DAY = r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?[T\s]*"
_NOON = r"\s*(上午|早上|凌晨|下午|中午|晚上)\s*"
_ODD_FORMS = (
    "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %I:%M:%S %p",
    "%Y-%m-%d %I:%M %p", "%Y-%m-%d %I %p", "%Y%m%d %H:%M:%S", "%Y%m%d %H:%M",
)  # fmt: skip
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

    Full-width digits and letters, and the apostrophe by which Excel marks digits as text and our own lists what would
    be a formula (+86 139…), make no other id. A floating-point number too long to be exact is written with its
    exponent, so that `damaged` knows it.
    """
    if kept_as in {"DOUBLE", "FLOAT"}:
        exact = f"abs({column}) < {_EXACT} AND {column} = floor({column})"
        return f"""CASE WHEN isnan({column}) THEN NULL WHEN {exact} THEN CAST(CAST({column} AS BIGINT) AS VARCHAR)
            WHEN abs({column}) >= {_EXACT} THEN format('{{:.15e}}', {column}) ELSE CAST({column} AS VARCHAR) END"""
    bare = text(column)
    if kept_as != "VARCHAR" and not kept_as.startswith("DECIMAL"):
        return bare
    narrow = f"translate({bare}, {literal(_WIDE_ID)}, {literal(_NARROW_ID)})"
    odd = f"strlen({bare}) <> length({bare}) OR contains({bare}, '.') OR contains({bare}, '''')"
    plain = f"regexp_replace({narrow}, '^''?(\\d+)(\\.0+)?$', '\\1')"
    tidy = f"CASE WHEN {odd} THEN regexp_replace({plain}, '^''([=+@-])', '\\1') ELSE {bare} END"
    if kept_as != "VARCHAR":
        return tidy
    # Most ids are plain letters and digits: one look at the cell as it is spares them the rest.
    return f"CASE WHEN regexp_matches({column}, '[^0-9A-Za-z_-]') THEN {tidy} ELSE nullif({column}, '') END"


def damaged(column: str) -> str:
    """Whether an id was damaged on its way. Never null.

    By Excel: 1.38E+10, more than 15 digits that end in zeros, #### or an error value; or cut: it ends in "…" or "...".
    """
    cut = f"ends_with({column}, '…') OR ends_with({column}, '...')"
    fault = f"starts_with({column}, '#') AND regexp_matches({column}, {literal(_FAULT)})"
    return f"coalesce(regexp_matches({column}, {literal(_DAMAGED)}) OR {cut} OR {fault}, false)"


def masked(column: str) -> str:
    """Whether part of an id is hidden: 138****1234, 王＊, 138••••1234 or 138xxxx1234. Never null."""
    starred = (
        f"contains({column}, '*') OR (strlen({column}) <> length({column}) AND regexp_matches({column}, '[＊•●]'))"
    )
    crossed = (
        f"(contains({column}, 'xxx') OR contains({column}, 'XXX')) AND regexp_matches({column}, {literal(_CROSSED)})"
    )
    return f"coalesce({starred} OR {crossed}, false)"


def money(column: str, kept_as: str, kind: str = "DECIMAL(18, 4)") -> str:
    """DECIMAL from numbers and from what people write; 1.234,56, which could be read in two ways, is null.

    ￥1,234.00, ¥1234, 1234元, RMB 1,234, full-width digits, 1.2万, 1.2万元, 3亿, with an apostrophe in front; below zero
    -5, −5, (5) or 5-.
    """
    if kept_as != "VARCHAR":
        return f"TRY_CAST({column} AS {kind})" if _is_numeric(kept_as) else f"CAST(NULL AS {kind})"
    bare = f"ltrim(translate({text(column)}, {literal(_WIDE)}, {literal(_NARROW)}), '''')"
    for pattern, kept in ((_IN_BRACKETS, "-\\1\\3"), (_MINUS_BEHIND, "-\\1"), (_FRONT, "\\1"), (_BACK, "")):
        bare = f"trim(regexp_replace({bare}, {literal(pattern)}, {literal(kept)}))"
    digits, unit = (
        "replace(rtrim(said, ' 万亿'), ',', '')",
        "CASE right(said, 1) WHEN '万' THEN 10000 ELSE 100000000 END",
    )
    number = f"""CASE WHEN regexp_matches(said, {literal(_NUMBER)}) THEN TRY_CAST({digits} AS {kind})
        WHEN regexp_matches(said, {literal(_IN_UNITS)})
        THEN TRY_CAST(TRY_CAST({digits} AS DECIMAL(24, 10)) * ({unit}) AS {kind}) END"""
    # Named once in a lambda: an expression that stood here several times would be computed for every cell beforehand.
    plain = f"list_transform([{bare}], said -> {number})[1]"
    return f"coalesce(TRY_CAST({column} AS {kind}), {plain})"


def time(column: str, kept_as: str, zone: str, form: str | None = None) -> str:
    """Wall-clock time in the zone. A text with an offset is moved there; one without is taken as it stands.

    ``form`` is a strptime format, tried before the usual forms (`DATE_FORMS`).
    """
    if kept_as == "TIMESTAMP WITH TIME ZONE":
        return f"timezone({literal(zone)}, {column})"
    if kept_as == "DATE" or kept_as.startswith("TIMESTAMP"):
        return f"CAST({column} AS TIMESTAMP)"
    if kept_as == "VARCHAR":
        said = text(column)
        usual = f"coalesce({_usual_time(said, zone)}, {_odd_time(said)})"
    else:
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
        WHEN regexp_matches({said}, '^\\d+(\\.\\d+)?$') THEN {_digits_alone(said)}
        WHEN regexp_matches({said}, '^\\d')
        THEN coalesce(TRY_CAST({said} AS TIMESTAMP), try_strptime({said}, [{forms}])) END"""


def _digits_alone(said: str) -> str:
    """20190101, 20190101100007, or the serial number of a day, which Excel counts from 1899-12-30."""
    return f"""CASE WHEN regexp_matches({said}, '^\\d{{8}}(\\.0+)?$') THEN try_strptime(left({said}, 8), '%Y%m%d')
        WHEN regexp_matches({said}, '^\\d{{14}}(\\.0+)?$') THEN try_strptime(left({said}, 14), '%Y%m%d%H%M%S')
        WHEN regexp_matches({said}, '^[2-6]\\d{{4}}(\\.\\d+)?$')
        THEN TIMESTAMP '1899-12-30' + to_seconds(CAST(round(CAST({said} AS DOUBLE) * 86400) AS BIGINT)) END"""


def _odd_time(said: str) -> str:
    """Forms that few files hold, tried where the usual ones fail: full-width digits, an apostrophe in front, a weekday,
    10时05分, 上午 and 下午, AM and PM."""
    narrow = f"ltrim(translate({said}, {literal(_WIDE)}, {literal(_NARROW)}), '''')"
    day = (
        f"regexp_replace(regexp_replace({narrow}, '(星期|周)[一二三四五六日天]', ' '), {literal(_DAY)}, '\\1-\\2-\\3 ')"
    )
    clock = f"rtrim(regexp_replace(replace({day}, '秒', ''), '[时点分]', ':', 'g'), ' :')"
    half = f"""CASE WHEN regexp_matches({clock}, '(下午|中午|晚上)\\s*(1[3-9]|2[0-3])') THEN ''
        WHEN regexp_matches({clock}, '下午|中午|晚上') THEN ' PM' WHEN regexp_matches({clock}, '上午|早上|凌晨') THEN ' AM' ELSE '' END"""
    forms = ", ".join(literal(form) for form in _ODD_FORMS)
    told = f"rtrim(regexp_replace({clock}, {literal(_NOON)}, ' ')) || {half}"
    return f"CASE WHEN {said} IS NOT NULL THEN coalesce({_digits_alone(narrow)}, try_strptime({told}, [{forms}])) END"


def _month(column: str, kept_as: str, zone: str, form: str | None) -> str:
    """A month as YYYY-MM, from 2026-10, 2026/10, 2026年10月, 202610 or any date within it."""
    said = text(column)
    short = f"""CASE WHEN regexp_matches({said}, '^\\d{{6}}$') THEN try_strptime({said}, '%Y%m')
        ELSE try_strptime({said}, ['%Y-%m', '%Y/%m', '%Y.%m', '%Y年%m月']) END"""
    return f"strftime(coalesce({short}, {time(column, kept_as, zone, form)}), '%Y-%m')"


def _number(column: str, kept_as: str) -> str:
    number = f"TRY_CAST({column if _is_numeric(kept_as) else text(column)} AS DOUBLE)"
    if kept_as == "VARCHAR":
        number = f"coalesce({number}, CAST({money(column, kept_as)} AS DOUBLE))"
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def _flag(column: str, kept_as: str) -> str:
    if kept_as == "BOOLEAN":
        return column
    word = f"lower({identity(column, kept_as)})"
    return f"CASE WHEN {word} IN ('true','1','yes','y','t','是') THEN true WHEN {word} IN ('false','0','no','n','f','否') THEN false END"


def _is_numeric(kept_as: str) -> bool:
    return kept_as.startswith(_NUMERIC)
