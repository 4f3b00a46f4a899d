"""What is shown of the files: what they are, each column's role, the bridge from read to counted, the first rows."""

from __future__ import annotations

import pandas as pd

from tierbook import sources
from tierbook.accounting import day_date
from tierbook.insight import profile
from tierbook.intake.look import Part
from tierbook.intake.plan import Plan, headers_of
from tierbook.intake.roles import Role
from tierbook.intake.speech import Speech, aligned
from tierbook.tables import Tables

ROWS = 5
_SHOWN = ("customer_id", "order_id", "day", "net", "status", "product")
_WIDEST = 60


def files(plan: Plan, speech: Speech) -> list[str]:
    """One line per part of a table, and the preset whose header it has."""
    table = speech.name("table", plan.table)
    lines = [
        "  " + speech("file", name=part.name, table=table, form=part.form, rows=part.rows, columns=len(part.columns))
        for part in plan.parts
    ]
    if plan.preset:
        about, seen = plan.preset.about.get(speech.language, ""), speech(plan.preset.about["header"])
        lines.append("  " + speech("preset", name=plan.parts[0].name, preset=plan.preset.name, about=about, seen=seen))
    return lines


def left_out(part: Part, speech: Speech) -> str:
    """A part that is no table known here."""
    return "  " + speech("file_left_out", name=part.name, headers=_short(", ".join(part.columns)))


def columns(plan: Plan, speech: Speech) -> list[str]:
    """Each column with its role, how sure that is, and why."""
    read_as = {
        h: name
        for name, wanted in plan.likely.items()
        for h in ([wanted] if isinstance(wanted, str) else wanted["multiply"])
    }
    if plan.preset:
        read_as = {
            **{h: n for n, w in plan.preset.columns.items() if n not in plan.likely for h in headers_of(w)},
            **read_as,
        }
    rows = [speech("head_columns").split(" | ")]
    for role in plan.roles:
        rows.append(
            [_short(role.header.strip()), read_as.get(role.header, "-"), *_sureness(role, read_as, plan, speech)]
        )
    return [f"\n{speech('title_columns', table=speech.name('table', plan.table))}", *aligned(rows)]


def _sureness(role: Role, read_as: dict[str, str], plan: Plan, speech: Speech) -> list[str]:
    canonical = read_as.get(role.header)
    if canonical and plan.columns.get(canonical) == "FILL_IN":
        return ["FILL_IN", speech(f"ask_{canonical}")]
    if canonical and plan.notes.get(canonical) == speech("answered"):
        return [speech("answered"), speech(role.why[0], **role.why[1])]
    if canonical and plan.preset and canonical in plan.preset.columns and canonical not in plan.columns:
        return [speech("sure"), f"preset {plan.preset.name}"]
    if role.sure == "personal" and not canonical:
        return [speech("personal"), speech("why_personal")]
    code = "unused" if role.role and not canonical and role.sure != "personal" else role.sure
    return [speech(code), speech(role.why[0], **role.why[1])]


def personal(plan: Plan, speech: Speech) -> list[str]:
    """That personal data are not read, and which columns they are."""
    found = [role.header.strip() for role in plan.roles if role.sure == "personal" and role.header not in plan.used]
    return [speech("personal_note", count=len(found), headers=", ".join(found))] if found else []


def bridge(tables: Tables, speech: Speech) -> list[str]:
    """The bridge 读入 → 剔除 → 计入 of the orders in rows and money, and the counts of the other tables."""
    account = tables.accounting()
    table = profile.bridge(account)
    totals = table["step"].isin(["read", "net_sales", "kept"])
    rows = [speech("head_bridge").split(" | ")]
    for line, total in zip(table.itertuples(), totals, strict=True):
        sign = "" if total else "- "
        example = "" if pd.isna(line.example) else _short(str(line.example))
        rows.append([sign + speech.name("step", line.step), f"{line.rows:,}", f"{line.amount:,.2f}", example])
    lines = [f"\n{speech('title_bridge')}", *aligned(rows)]
    for found in profile.read_tables(account).itertuples():
        if found.table != "transactions":
            lines.append(
                "  "
                + speech("title_other", table=speech.name("table", found.table), kept=found.counted, rows=found.rows)
            )
    return lines


def first_rows(tables: Tables, speech: Speech) -> list[str]:
    """The five earliest order lines that count."""
    path = tables.folder / "transactions.parquet"
    with tables.engine() as engine:
        held = [name for name in _SHOWN if name in engine.scan(path).collect_schema().names()]
        found = engine.execute(f"""SELECT {", ".join(held)} FROM read_parquet({sources.path_literal(path)})
            WHERE reason = 'kept' ORDER BY day, customer_id, order_key, net LIMIT {ROWS}""").df()
    found = found.dropna(axis=1, how="all")
    if found.empty:
        return [f"\n{speech('title_rows')}", f"  {speech('no_rows')}"]
    shown = found.assign(day=found["day"].map(day_date), net=found["net"].map("{:,.2f}".format))
    rows = [list(shown.columns), *([_short(str(cell)) for cell in row] for row in shown.itertuples(index=False))]
    return [f"\n{speech('title_rows')}", *aligned(rows)]


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
