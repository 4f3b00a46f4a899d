"""Manual overrides: a person gives a customer a tier, with a reason and an end; the computed tier stays in sight."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd

from tierbook import masking, texts
from tierbook.accounting import day_number
from tierbook.errors import ParamsError
from tierbook.params import nearest

REQUIRED = ["customer_id", "tier", "reason", "until"]
OPTIONAL = "since"
LISTED = ["customer_id", "tier", "computed", "reason", "until", "status"]


def read_overrides(path: Path, order: list[str], salt: str | None = None) -> pd.DataFrame:
    """The overrides of a CSV file: customer_id, tier (code), reason, since and until (day numbers, both days included).

    ``since`` is an optional column; without it an override holds for every earlier date too, so that beginning one
    shows no move. With a ``salt`` ids are masked (`masking`), in what is raised too. Raises ParamsError (one line) for a missing file or column, an empty cell, a tier that is not in
    ``order``, a date that is none, or a customer who stands twice.
    """
    table = _cells(path)
    missing = [column for column in REQUIRED if column not in table.columns]
    if missing:
        known = nearest(missing[0], table.columns)
        raise ParamsError(f"overrides {path.name}: no column {missing[0]!r} ({known}); it needs {', '.join(REQUIRED)}")
    names = table["customer_id"]
    table["customer_id"] = masking.masked(names, salt).where(names != "", names)
    for column in REQUIRED:
        _refuse(path, column, table[table[column] == ""], "customer_id", "is empty; fill it in, or take the row out")
    strange = table[~table["tier"].isin(order)]
    _refuse(path, "tier", strange, "tier", f"is not in the tier scheme; write one of {', '.join(order)}")
    _refuse(path, "customer_id", table[table["customer_id"].duplicated()], "customer_id", "stands twice; keep one row")
    since = _days(path, table, OPTIONAL) if OPTIONAL in table.columns else float("-inf")
    return table[REQUIRED[:3]].assign(since=since, until=_days(path, table, "until"))


def _cells(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise ParamsError(f"overrides {path} does not exist; write a CSV with {', '.join(REQUIRED)}")
    encoding = texts.encoding_of(path).replace("utf-8", "utf-8-sig")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding=encoding, skip_blank_lines=True)
    except (ValueError, pd.errors.ParserError) as error:
        told = " ".join(str(error).split())
        raise ParamsError(f"overrides {path.name} cannot be read as CSV: {told}") from None
    return table.rename(columns=str.strip).apply(lambda column: column.str.strip())


def _refuse(path: Path, column: str, rows: pd.DataFrame, shown: str, fault: str) -> None:
    if len(rows):
        first = ", ".join(repr(value) for value in rows[shown].head(3))
        raise ParamsError(f"overrides {path.name}, column {column}: {len(rows)} rows, first {first}: {fault}")


def _days(path: Path, table: pd.DataFrame, column: str) -> pd.Series:
    told = table[column].str.replace("/", "-")
    found = pd.to_datetime(told, format="%Y-%m-%d", errors="coerce")
    _refuse(path, column, table[found.isna() & (told != "")], column, "is not a date; write YYYY-MM-DD")
    days = (found - pd.Timestamp(0)).dt.days
    return days.fillna(float("-inf")).astype(float)


def override(tiers: pd.DataFrame, given: pd.DataFrame, dates: list[dt.date], first_days: pd.Series) -> pd.DataFrame:
    """``tiers`` (end, customer_id, tier, computed, net, …) with the given tiers where an override holds at the date.

    A customer known at a date (``first_days`` by customer_id) who has no order in the window gets a row there: a person
    asked for it. ``computed`` keeps what the scheme gave, null for such a row; its other numbers are 0.
    """
    by_id = given.set_index("customer_id").reindex(tiers["customer_id"]).set_axis(tiers.index)
    holds = (by_id["since"] <= tiers["end"]) & (tiers["end"] <= by_id["until"])
    changed = tiers.assign(tier=tiers["tier"].astype(object).mask(holds, by_id["tier"].astype(object)))
    changed["overridden"] = holds
    ends = pd.DataFrame({"end": [day_number(date) for date in dates]})
    first = given["customer_id"].map(first_days)
    wanted = given.assign(first=first).merge(ends, how="cross")
    wanted = wanted[(wanted["since"] <= wanted["end"]) & (wanted["end"] <= wanted["until"])]
    wanted = wanted[wanted["first"] <= wanted["end"]]
    there = pd.MultiIndex.from_frame(tiers[["end", "customer_id"]])
    absent = wanted[~pd.MultiIndex.from_frame(wanted[["end", "customer_id"]]).isin(there)]
    rows = absent[["end", "customer_id", "tier"]].assign(overridden=True)
    added = pd.concat([changed, rows], ignore_index=True)
    numbers = [column for column in ("net", "active_days") if column in tiers.columns]
    return added.fillna(dict.fromkeys(numbers, 0)).sort_values(["end", "customer_id"], ignore_index=True)


def listed(given: pd.DataFrame, tiers: pd.DataFrame, as_of: dt.date, first_days: pd.Series) -> pd.DataFrame:
    """Every override with what became of it: customer_id, tier, computed, reason, until (a date), status.

    status: ``in_use``, ``expired`` (until has passed), ``not_yet`` (since is to come) or ``unknown_customer`` (no
    order up to as_of). ``tiers``: what `override` gave.
    """
    end = day_number(as_of)
    now = tiers[tiers["end"] == end].set_index("customer_id")
    status = pd.Series("in_use", index=given.index).mask(given["until"] < end, "expired")
    status = status.mask(given["since"] > end, "not_yet")
    status = status.mask(~given["customer_id"].isin(first_days.index[first_days <= end]), "unknown_customer")
    until = (pd.Timestamp(0) + pd.to_timedelta(given["until"], unit="D")).dt.date
    computed = given["customer_id"].map(now["computed"])
    return given.assign(computed=computed, until=until, status=status)[LISTED]
