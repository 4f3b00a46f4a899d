"""A finished experiment as a table: one row per customer assigned, with the outcomes and covariates that params name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tierbook import cells
from tierbook.engine import Engine, identifier
from tierbook.errors import InputError, ParamsError
from tierbook.params import Campaign, Params, nearest
from tierbook.sources import Raw

OWN = ("campaign", "arm", "customer_id", "cost", "contacted")
_FILE = "regexp_replace(_part, '^\\S+ ', '') AS file"
COMPUTED = "profit"  # from spend, margin and contact cost, where the table does not bring it


def read(engine: Engine, raw: Raw, params: Params, target: Path) -> pd.DataFrame:
    """Type every row of a trial, write the kept ones to ``target`` and count them all (`records.judge_table`).

    Columns written: campaign, arm, customer_id (the row's number where the table has none: rows that agree in all
    cells are different customers), tier (text), cost, contacted (who is not in the control arm, where the table does
    not say), file (the row came from), the outcomes, guardrails (numbers; yes/no is 1/0; null: not observed) and covariates (numbers where every
    cell is one, else text). A row without an arm is set aside as ``no_arm``.

    Raises
    ------
    InputError : an outcome's cell is no number, or not one outcome is there
    ParamsError : an outcome or covariate that params name is no column
    """
    rules = params.campaign
    found = _columns(raw, rules)
    numbers = [name for name in found if name in _measured(rules) or name == "cost"]
    texts = [f"{_text(raw, header)} AS {identifier(name)}" for name, header in found.items()]
    typed = [f"{_number(raw, found[name])} AS {identifier(f'{name} as number')}" for name in found]
    # In the file's own order, so that a row's number is always the same.
    engine.execute("SET preserve_insertion_order = true")
    frame = engine.execute(f"SELECT {', '.join([*texts, *typed, _FILE])} FROM {raw.sql}").df()
    engine.execute("SET preserve_insertion_order = false")
    for name in numbers:
        _refuse_unreadable(frame, name, found[name], raw)
    named = {name: _typed(frame, name, name in numbers, name in rules.covariates) for name in found}
    rows = _completed(pd.DataFrame({**named, "file": frame["file"]}), params)
    kept = rows["arm"].notna()
    rows[kept].to_parquet(target, index=False)
    return _counted(rows, kept)


def _measured(rules: Campaign) -> list[str]:
    return list(dict.fromkeys([*rules.outcomes, *rules.guardrails, "spend", "orders", "response"]))


def _columns(raw: Raw, rules: Campaign) -> dict[str, str | tuple[str, str]]:
    """Canonical name → header of every column that params name and the file has."""
    headers = {name.strip().lower(): name for name in raw.types if name != "_part"}
    tier = {"tier": raw.columns.get("tier") or headers.get(rules.tier.strip().lower())}
    wanted = dict.fromkeys([*OWN, *_measured(rules), *rules.covariates])
    # A column that happens to be called campaign or cost may mean anything: those count where params map them.
    found = {n: raw.columns.get(n) or (headers.get(n.strip().lower()) if n not in OWN else None) for n in wanted} | tier
    named = [*rules.covariates, *(rules.outcomes if "outcomes" in rules.model_fields_set else [])]
    named += [rules.tier] if rules.tier != "tier" and not tier["tier"] else []
    lost = [name for name in named if not found.get(name) and name != COMPUTED]
    if lost:
        raise ParamsError(f"campaign: the trial has no column {lost[0]!r}; {nearest(lost[0], headers.values())}")
    if not any(found.get("spend" if name == COMPUTED else name) for name in rules.outcomes):
        raise InputError(
            f"{raw.files[0].name}: no outcome column, none of {rules.outcomes}; write source.trial.columns or "
            f"campaign.outcomes; the file has {list(headers.values())}"
        )
    return {name: header for name, header in found.items() if header}


def _text(raw: Raw, header: str | tuple[str, str]) -> str:
    if isinstance(header, tuple):
        return f"CAST({_number(raw, header)} AS VARCHAR)"
    return cells.identity(identifier(header), raw.types[header])


def _number(raw: Raw, header: str | tuple[str, str]) -> str:
    if isinstance(header, tuple):
        return " * ".join(f"({_number(raw, factor)})" for factor in header)
    column, kept_as = identifier(header), raw.types[header]
    number, flag = cells.money(column, kept_as, "DOUBLE"), cells.typed(column, kept_as, "flag", "UTC")
    read = f"coalesce({number}, CAST({flag} AS DOUBLE))"
    return f"CASE WHEN isfinite({read}) THEN {read} END"


def _refuse_unreadable(frame: pd.DataFrame, name: str, header: str | tuple[str, str], raw: Raw) -> None:
    said, read = frame[name], frame[f"{name} as number"]
    bad = said.notna() & read.isna() & ~said.astype("str").str.lower().eq("nan")
    if bad.any():
        raise InputError(
            f"{raw.files[0].name}, column {header!r}: {bad.sum():,} of {len(frame):,} cells are no number, as "
            f"{said[bad].head(3).tolist()}; give numbers or yes/no for {name}"
        )


def _typed(frame: pd.DataFrame, name: str, is_number: bool, may_be_number: bool) -> pd.Series:
    said, read = frame[name], frame[f"{name} as number"]
    if is_number or (may_be_number and not (said.notna() & read.isna()).any()):
        return read.astype(float)
    return said.astype("str").where(said.notna(), None)


def _completed(rows: pd.DataFrame, params: Params) -> pd.DataFrame:
    """``rows`` with campaign, customer_id and contacted where the table has none, and tiers as params group them."""
    rules = params.campaign
    numbered = np.char.add("row ", np.char.zfill(np.arange(1, len(rows) + 1).astype(str), len(str(len(rows)))))
    filled = {
        "campaign": rows.get("campaign", pd.Series(None, rows.index, dtype=object)).fillna(params.report.name),
        "customer_id": rows["customer_id"] if "customer_id" in rows else pd.Series(numbered, rows.index),
        "contacted": _flag(rows["contacted"]) if "contacted" in rows else rows["arm"] != rules.control,
        "cost": rows.get("cost", pd.Series(np.nan, rows.index)),
    }
    out = rows.assign(**filled)
    return out.assign(tier=grouped(out["tier"], rules.tiers)) if "tier" in out else out


def _flag(said: pd.Series) -> pd.Series:
    return said.str.lower().isin(["true", "1", "yes", "y", "t", "是"])


def grouped(values: pd.Series, tiers: dict[str, list[str]]) -> pd.Series:
    """The tier of each value by ``campaign.tiers`` (tier → values); the values themselves where none are given.

    Raises
    ------
    ParamsError : a value stands under two tiers, or under none
    """
    if not tiers:
        return values
    listed = [(str(value), tier) for tier, members in tiers.items() for value in members]
    names = dict(listed)
    if len(names) < len(listed):
        twice = next(value for value, tier in listed if names[value] != tier or listed.count((value, tier)) > 1)
        raise ParamsError(f"campaign.tiers: the value {twice!r} stands twice; a value belongs to one tier")
    unknown = values[values.notna() & ~values.isin(list(names))]
    if len(unknown):
        first = unknown.drop_duplicates().head(3).tolist()
        raise ParamsError(f"campaign.tiers: {len(unknown):,} rows have a value under no tier, as {first}; list it")
    return values.map(names)


def _counted(rows: pd.DataFrame, kept: pd.Series) -> pd.DataFrame:
    spend = rows["spend"].fillna(0.0) if "spend" in rows else pd.Series(np.nan, rows.index)
    counts = [("kept", kept, None), ("no_arm", ~kept, rows["customer_id"][~kept].min())]
    found = [
        ("trial", reason, int(holds.sum()), float(spend[holds].sum(min_count=1)), example)
        for reason, holds, example in counts
        if holds.any()
    ]
    return pd.DataFrame(found, columns=["table", "reason", "rows", "amount", "example"])
