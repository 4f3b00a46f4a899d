"""A small shop whose every text column holds, in turn, every text that has broken a page, a workbook or a CSV before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tierbook import demo
from tierbook.params import ROOT, read_yaml
from tierbook.schema import SCHEMA

LONG = 10_000
TEXTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!-- <svg/onload=alert(1)> ]]></style></title></textarea>",
    "</td></tr></table><iframe src=//x.invalid></iframe>",
    "&amp;&lt;b&gt;",
    "javascript:alert(1)",
    "http://x.invalid/a",
    "=cmd|' /C calc'!A0",
    "\u200b=1+1",
    "\u202e=1+1",
    "＝1+1",
    "+1+1",
    "-1-1",
    "@SUM(1)",
    "{=1+1}",
    "a\tb",
    "a\r\nb\rc",
    "\x00nul\x01\x07\x0b\x1b[31m\x7f\x85\ufffe",
    "\u202egnp.exe\u2066\u200f\u061c",
    "\u2067\u202dleft open",
    "שלום عربى",
    "a\u200bb\u200c\u200d\ufeff\u2060\u00ad",
    "Z\u0335\u0321\u0489\u0300\u0301" * 8,
    "👩‍👩‍👧‍👦 👍🏽 🇨🇳 ☃️",
    "𠮷野家 \U0010fffd \ue000",
    "{{7*7}}{% raw %}",
    "${HOME}",
    "{n:number}{",
    "$x_{1}$ $",
    "%s %(x)s %",
    "\\frac{1}{0} \\u202e \\1",
    "'; DROP TABLE customers; --",
    "_x000D_ _x0041_",
    "__proto__",
    "constructor",
    "nan",
    "None",
    "all",
    "-",
    "x" * LONG,
    "名" * LONG,
    "<b>" * (LONG // 3),
)
IDS = ("customer_id", "referred_by", "record_id")
CODES = ("status", "currency", "line_id", "part")  # the params name their values, or none comes to a page
BY_VALUE = ("order_id", "lead_id", "product", "category", "campaign", "arm")  # one value, one text; else row by row
UNIQUE = ("order_id", "lead_id", "product")
OF_CUSTOMERS = ("transactions", "customers", "leads", "contacts", "surveys", "tickets", "visits")


def write(folder: Path, customers: int, shift: int = 0, hostile: bool = True) -> dict:
    """Write the demo's tables of ``customers`` people as Parquet (CSV cannot hold all of these texts); their params tree.

    Row n of a text column holds text n + ``shift``, every third customer's id one more; gates let so few people pass.
    """
    tables = demo.simulate().tables
    everyone = tables["customers"]["customer_id"]
    people = everyone.iloc[:: len(everyone) // customers].head(customers)
    names = {name: f"{_text(n + shift)}{name}" for n, name in enumerate(people) if n % 3 == 0}
    tree = read_yaml(ROOT / "params" / "demo.yaml") | {"gate": {"min_customers": 10}, "targets": {}}
    for table, frame in tables.items():
        if table in OF_CUSTOMERS:
            frame = frame[frame["customer_id"].isin(people) | frame["customer_id"].isna()].reset_index(drop=True)
        path = folder / f"{table}.parquet"
        (_hostile(table, frame, names, shift) if hostile else frame).to_parquet(path, index=False)
        tree["source"][table] = tree["source"][table] | {"preset": None, "path": str(path)}
    if hostile:
        tree["campaign"] = {"control": _text(shift)}
    return tree


def _text(n: int) -> str:
    return TEXTS[n % len(TEXTS)]


def _hostile(table: str, frame: pd.DataFrame, names: dict[str, str], shift: int) -> pd.DataFrame:
    out = frame.copy()
    for column, kind in SCHEMA[table].items():
        if kind not in ("text", "id") or column in CODES:
            continue
        if column in IDS:
            if column in out:
                out[column] = out[column].astype(object).map(lambda name: names.get(name, name), na_action="ignore")
            continue
        known = out[column].notna() if column in out else pd.Series(True, out.index)
        place = pd.factorize(out[column], sort=True)[0] if column in BY_VALUE else np.arange(len(out))
        texts = pd.Series([_text(n + shift) for n in place], out.index, dtype=object)
        out[column] = (texts + pd.Series(place, out.index).astype(str) if column in UNIQUE else texts).where(
            known, None
        )
    return out
