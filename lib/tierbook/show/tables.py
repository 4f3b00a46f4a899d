"""Frames as accessible HTML tables, in the reader's language."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
from pandas.api import types

from tierbook.show.figures import TIER_COLOURS, tier_colours
from tierbook.show.words import N_, NONE, Words, on_page

MOST_ROWS = 200
STRONGEST_SHADE = 60
LONG = 24  # characters from which on a column keeps its width on a narrow screen
SPAN = "span"  # two numbers of an interval: set like numbers, sorted by the lower one
NUMERIC = ("number", "percent", "money", "chance", "change", "points")


def _same(format_: str, *columns: str) -> dict[str, str]:
    return dict.fromkeys(columns, format_)


# How the columns of DESIGN §6 read: a caller's `formats` come first, then these, then the column's own type.
COLUMN_FORMATS = {
    **_same("term.tier", "tier", "previous_tier", "next_tier", "value_tier", "from_tier", "to_tier"),
    **{group: f"term.{group}" for group in ("segment", "stage", "trend", "tier_change", "change_cause", "value_note")},
    "alert_reason": "term.alert_reason",
    **{group: f"term.{group}" for group in ("chapter", "measure", "table", "arm", "outcome", "verdict", "reason")},
    **_same("percent", "share", "revenue_share", "alerted_share", "p_alive", "stated_80", "coverage_80"),
    **_same("percent.1", "base_rate", "precision", "precision_low", "precision_high", "recall", "confidence"),
    **_same("money", "monetary", "revenue", "mean_monetary", "mean_clv", "amount", "value_at_stake"),
    **_same("money", "expected_value", "clv", "clv_low", "clv_high"),
    **_same("chance", "p", "p_holm", "srm_p", "balance_p", "interaction_p"),
    **_same("number.3", "log_score", "past_rate_log_score", "mae"),
    **_same("number.3", "estimate", "std_error", "auc"),
    **_same("number.2", "ratio", "past_rate_ratio", "lift", "lift_low", "expected_orders", "mean_frequency"),
    **_same("number.1", "mean_recency_days", "log_likelihood"),
    **_same("text", "customer_id"),
    **_same("change", "change"),
}

# In a table whose rows measure different things, the column `unit` says how each row reads.
UNIT_FORMATS = {
    "share": "percent.1",
    "money": "money",
    "points": "number.1",
    "customers": "number",
    "orders": "number",
    "ratio": "number.2",
}
UNIT_CHANGES = {"share": "points", "points": "+number.1"}
MEASURED = ("value", "previous", "year_ago", "target", "low", "high")


def html(
    frame: pd.DataFrame,
    words: Words,
    *,
    labels: Mapping[str, str | Callable[[Words], str]] | str | None = None,
    formats: Mapping[str, str] | None = None,
    terms: Mapping[str, str] | None = None,
    caption: str | Callable[[Words], str] | None = None,
    rows: int = MOST_ROWS,
    heat: Sequence[str] = (),
    file: str | None = None,
    total: int | None = None,
) -> str:
    """The frame as one self-contained table; whatever stands in it is harmless (`on_page`), null is ``–`` and sorts last.

    Parameters
    ----------
    frame : DataFrame
        A named index becomes the first column(s); an unnamed one is left out. A column ``unit`` (share, money, points,
        customers, orders) is not shown itself: each row's value, previous, target… and change are written in it.
    labels : mapping or str, optional
        Column → message or function of the words; or one group of terms (a tier × stage table: ``"stage"``). Columns
        not named there are looked up in the group ``column``.
    formats : mapping, optional
        Column → format of ``Words.format``: ``percent.1``, ``money``, ``term.stage``, ``date.short``. The amounts of a
        money column share one unit, which its heading names.
    terms : mapping, optional
        Column → group of terms: short for a ``term.`` format.
    caption : str or function of the words, optional
    rows : int
        Rows the page carries; a line beneath says how many there are in all, and in which `file`.
    total : int, optional
        Rows there are in all, where the frame holds only the first of them.
    heat : sequence of str
        Columns shaded by size, all on one scale; negative values take the second colour.
    """
    frame = frame.reset_index() if any(name is not None for name in frame.index.names) else frame
    formats = {**(formats or {}), **{name: f"term.{group}" for name, group in (terms or {}).items()}}
    top = frame.head(rows)
    units = top.get("unit")
    strongest = _strongest(top, heat)
    heads, columns = [], []
    for place, name in enumerate(top.columns):
        if name == "unit":
            continue
        values = top.iloc[:, place]
        spec, shown = _read(values, formats, units, words)
        heads.append(_head(values, spec, _label(name, labels, words), words))
        columns.append(_cells(values, shown, spec, words, strongest if name in heat else 0.0))
    return _framed(heads, columns, _said(caption, words), words) + _rest(total or len(frame), rows, file, words)


def _read(values: pd.Series, formats: Mapping, units: pd.Series | None, words: Words) -> tuple[str, list[str]]:
    name = values.name
    if units is not None and name in (*MEASURED, "change") and name not in formats:
        by_unit, otherwise = (UNIT_CHANGES, "change") if name == "change" else (UNIT_FORMATS, "number")
        specs = [by_unit.get(unit, otherwise) for unit in units]
        return "number", [words.format(value, spec) for value, spec in zip(values, specs, strict=True)]
    spec = (formats.get(name) or COLUMN_FORMATS.get(name) or _format_of(values)).replace(":", ".")
    return spec, _shown(values, spec, words)


def _framed(heads: list[str], columns: list[list[str]], caption: str, words: Words) -> str:
    # the first column names the row, which a screen reader repeats before each value
    names = [f'<th scope="row"{cell}</th>' for cell in columns[0]] if columns else []
    others = [[f"<td{cell}</td>" for cell in column] for column in columns[1:]]
    body = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in zip(names, *others, strict=True))
    title = f"<caption>{on_page(caption)}</caption>" if caption else ""
    return (
        f'<div class="wide" role="group" tabindex="0" aria-label="{on_page(caption or words.text("Table"))}">'
        f'<table class="tb" data-sortable>{title}<thead><tr>{"".join(heads)}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _head(values: pd.Series, spec: str, label: str, words: Words) -> str:
    kind = "n" if _is_numeric(spec) or spec.startswith(("term.", SPAN)) else "t"
    css = ' class="n"' if _is_numeric(spec) or spec.startswith(SPAN) else ""
    unit = f" <small>({on_page(_unit(values, words)[2])})</small>" if _is_money(spec) else ""
    return f'<th scope="col" data-k="{kind}"{css}>{on_page(label)}{unit}</th>'


def _cells(values: pd.Series, shown: list[str], spec: str, words: Words, strongest: float) -> list[str]:
    css = (
        ' class="n"'
        if _is_numeric(spec) or spec.startswith(SPAN)
        else ' class="long"'
        if max(map(len, shown), default=0) > LONG
        else ""
    )
    return [
        f"{css}{_sort_value(value, spec, words)}{_shade(value, strongest)}>{_dot(value, spec, words)}{on_page(text)}"
        for value, text in zip(values, shown, strict=True)
    ]


def _shown(values: pd.Series, spec: str, words: Words) -> list[str]:
    if types.is_bool_dtype(values.dtype):
        said = {True: words.text("yes"), False: words.text("no")}
        return [NONE if pd.isna(value) else said[bool(value)] for value in values]
    if _is_money(spec):
        divisor, digits, _ = _unit(values, words)
        sign = "+" if spec.startswith("+") else ""
        return [words.format(None if pd.isna(x) else x / divisor, f"{sign}number.{digits}") for x in values]
    return [words.format(value, spec) for value in values]


def _sort_value(value: Any, spec: str, words: Words) -> str:
    value = value[0] if spec.startswith(SPAN) and isinstance(value, tuple) else value
    if pd.isna(value):
        return ' data-v=""'
    if spec.startswith("term."):
        rank = words.term_rank(spec.removeprefix("term."), value)
        return f' data-v="{999 if rank is None else rank}"'
    if _is_numeric(spec) or spec.startswith(SPAN):
        return f' data-v="{float(value):.10g}"'
    return f' data-v="{on_page(str(value))}"' if spec.startswith(("date", "month")) else ""


def _shade(value: Any, strongest: float) -> str:
    if not strongest or pd.isna(value) or not value:
        return ""
    colour = "var(--heat-below,#0072B2)" if value < 0 else "var(--heat,#D55E00)"
    percent = round(STRONGEST_SHADE * abs(float(value)) / strongest)
    return f' style="background:color-mix(in srgb,{colour} {percent}%,transparent)"'


def _dot(value: Any, spec: str, words: Words) -> str:
    known = (
        spec == "term.tier" and not pd.isna(value) and (value in TIER_COLOURS or value in words.terms.get("tier", ()))
    )
    return f'<i class="dot" style="background:{tier_colours([value], words)[value]}"></i>' if known else ""


def _strongest(frame: pd.DataFrame, heat: Sequence[str]) -> float:
    return max((float(abs(value)) for name in heat for value in frame[name].dropna()), default=0.0)


def _format_of(values: pd.Series) -> str:
    if types.is_datetime64_any_dtype(values.dtype) or types.infer_dtype(values, skipna=True) == "date":
        return "date.short"
    if types.is_bool_dtype(values.dtype):
        return "text"
    if types.is_integer_dtype(values.dtype):
        return "number"
    if types.is_float_dtype(values.dtype):
        return "number" if (values.dropna() % 1 == 0).all() else "number.2"
    return "number.2" if types.infer_dtype(values, skipna=True) == "decimal" else "text"


def _label(name: Any, labels: Any, words: Words) -> str:
    if isinstance(labels, str) and words.term_rank(labels, name) is not None:
        return words.term(labels, name)
    if isinstance(labels, Mapping) and name in labels:
        return _said(labels[name], words)
    return words.term("column", name)


def _said(text: Any, words: Words) -> str:
    return text(words) if callable(text) else words.gettext(text or "")


def _rest(total: int, rows: int, file: str | None, words: Words) -> str:
    if total <= rows:
        return ""
    if file is None:
        said = words.html("{shown:number} of {total:number} rows shown.", shown=rows, total=total)
    else:
        message = N_("{shown:number} of {total:number} rows shown; all of them are in <code>{file}</code>.")
        said = words.html(message, shown=rows, total=total, file=file)
    return f'<p class="note">{said}</p>'


def _unit(values: pd.Series, words: Words) -> tuple[int, int, str]:
    return words.money_unit(max((abs(value) for value in values.dropna()), default=None))


def _is_numeric(spec: str) -> bool:
    return spec.removeprefix("+").startswith(NUMERIC)


def _is_money(spec: str) -> bool:
    return spec.removeprefix("+") == "money"
