"""The params file as text: valid for `tierbook run`, each line with where it comes from, open lines as FILL_IN."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tierbook.fill_in import MARK
from tierbook.intake.as_of import AsOf
from tierbook.intake.choices import ZONE
from tierbook.intake.money import Money
from tierbook.intake.plan import Plan
from tierbook.intake.speech import Speech
from tierbook.params import ROOT

_WIDE = 10**6


def safe_name(stem: str) -> str:
    """A report's name from a file's: what is no letter, digit, _ . or - becomes _; 2026年订单（1） → 2026年订单_1."""
    return re.sub(r"[^\w.-]+", "_", stem).strip("_.-")[:80] or "orders"


def tree(name: str, plans: list[Plan], as_of: str, money: Money, likely: bool = False) -> dict[str, Any]:
    """The params as a mapping; ``likely``: open lines take their first choice, so that rows can be counted."""
    source = {plan.table: _source(plan, likely) for plan in plans}
    rates = {code: float(rate) for code, rate in money.rates.items() if rate != MARK}
    found: dict[str, Any] = {"version": 1, "report": {"name": name}, "as_of": as_of}
    found["currency"] = money.likely if likely else money.code
    rates = rates if likely else {code: rate if rate == MARK else float(rate) for code, rate in money.rates.items()}
    return {**found, **({"rates": rates} if rates else {}), "source": source}


def _source(plan: Plan, likely: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"path": [_path(path) for path in dict.fromkeys(part.file for part in plan.parts)]}
    if plan.preset:
        found["preset"] = plan.preset.name
    rules = {**plan.rules, **(plan.reckoned if likely else {})}
    said = plan.likely if likely else plan.columns
    columns = {name: wanted for name, wanted in said.items() if wanted != name}  # the contract's names need no map
    return {**found, **({"columns": columns} if columns else {}), **rules}


def _path(path: Path) -> str:
    """As seen from the project's root where it lies within, else in full."""
    path = path.resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def text(name: str, plans: list[Plan], as_of: AsOf, money: Money, speech: Speech) -> str:
    """The params file, commented in the speaker's language."""
    values = tree(name, plans, as_of.day.isoformat(), money)
    lines = [f"# {speech('draft_head')}", "version: 1", _report(name, plans[0].personal, speech)]
    lines.append(f"as_of: {as_of.day}  # {told_as_of(as_of, speech)}")
    lines.append(_line(0, "currency", money.code, money.why))
    zone = plans[0].notes.get("timezone")
    lines += [_line(0, "timezone", ZONE, zone)] if zone else []
    if money.rates:
        lines += [
            "rates:",
            *(_line(1, code, values["rates"][code], f"1 {code} = ? {money.code}") for code in money.rates),
        ]
    lines.append("source:")
    for plan in plans:
        lines += [f"  {plan.table}:", *_table_lines(plan, values["source"][plan.table], speech)]
    lines.append(f"# {speech('draft_others')}")
    return "\n".join(lines) + "\n"


def _report(name: str, personal: str | None, speech: Speech) -> str:
    own = {"name": name, **({"languages": ["zh", "en"]} if speech.language == "zh" else {})}
    if personal is None:
        return _line(0, "report", own, "")
    return _line(0, "report", {**own, "mask_customer_ids": True}, speech("draft_masked", header=personal))


def told_as_of(as_of: AsOf, speech: Speech) -> str:
    """Why as_of is the day it is."""
    if not as_of.full_month:
        return speech("as_of_last")
    past = speech("as_of_past", month=f"{as_of.last:%Y-%m}", last=as_of.last) if as_of.last > as_of.day else ""
    return speech("as_of_full", last=as_of.last) + past


def _table_lines(plan: Plan, source: dict[str, Any], speech: Speech) -> list[str]:
    lines = ["    path:", *(f"      - {_flow(path)}" for path in source["path"])]
    if plan.preset:
        lines.append(_line(2, "preset", plan.preset.name, plan.preset.about.get(speech.language, "")))
    own = [name for name, wanted in plan.columns.items() if wanted == name]
    if own:
        lines.append(f"    # {speech('draft_contract', columns=', '.join(own))}")
    mapped = source.get("columns", {})
    lines += ["    columns:"] if mapped else []
    lines += [_line(3, name, wanted, plan.notes.get(name, "")) for name, wanted in mapped.items()]
    lines += [_line(2, key, value, plan.notes.get(key, "")) for key, value in plan.rules.items()]
    personal = [role.header.strip() for role in plan.roles if role.sure == "personal" and role.header not in plan.used]
    return lines + ([f"    # {_flat(speech('draft_personal', headers=', '.join(personal)))}"] if personal else [])


def _line(depth: int, key: str, value: Any, note: str) -> str:
    return f"{'  ' * depth}{key}: {_flow(value)}" + (f"  # {_flat(note)}" if note else "")


def _flat(note: str) -> str:
    """A comment on one line, whatever a header or a status held."""
    return " ".join(re.sub(r"[^\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", " ", note).split())


def _flow(value: Any) -> str:
    """A value as YAML on one line."""
    told = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=_WIDE, sort_keys=False)
    return told.strip()[1:-1]
