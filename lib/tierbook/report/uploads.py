"""Upload files for a CRM: each customer's tier, segment, stage and action under the CRM's own key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tierbook import lookup, masking
from tierbook.report import handoffs
from tierbook.report.handoffs import DANGEROUS, UNSEEN, harmless
from tierbook.report.lists import in_words
from tierbook.show.words import N_, Words
from tierbook.workbook import Workbook


class Form(NamedTuple):
    """One CRM's file: its name, the columns that may be its key (best first) and their headings there, the headings of
    the rest, encoding, the language of its values, and how sure its layout is."""

    file: str
    keys: dict[str, str]
    headings: tuple[str, ...]
    encoding: str
    language: str
    layout: str


COLUMNS = ("tier", "segment", "stage", "next_tier", "action", "as_of")
CHINESE = ("客户层级", "客户细分", "生命周期阶段", "下一层级", "本月动作", "数据截至")
ASSUMED = N_("Mapping assumed: check the headings against your own tenant before the first import.")
# Keys are named as in the export, so as params/sources/<crm>_customers.yaml reads them.
FORMS = {
    "zoho": Form(
        "zoho_accounts.csv",
        {"record_id": "Record Id"},
        ("Tier", "Segment", "Stage", "Next Tier", "Action", "As Of"),
        "utf-8",
        "en",
        N_("Zoho CRM, Accounts: updates the records found by Record Id; map the other columns to fields of your own."),
    ),
    "fxiaoke": Form(
        "fxiaoke_customers.csv",
        {"record_id": "客户编号", "customer_id": "客户名称"},
        CHINESE,
        "utf-8-sig",
        "zh",
        ASSUMED,
    ),
    "jiandaoyun": Form(
        "jiandaoyun_customers.csv",
        {"record_id": "数据ID", "customer_id": "客户编号"},
        CHINESE,
        "utf-8-sig",
        "zh",
        ASSUMED,
    ),
}
REASONS = {
    "no_key": N_("without a record id in the customers table"),
    "shared": N_("with a record id that several customers share"),
    "formula": N_("with an id that a spreadsheet would take for a formula"),
    "control": N_("with an id that holds control characters"),
}


class Keyed(NamedTuple):
    """One CRM's file being written: the column it is keyed on, and how many are in it and left out, by reason."""

    form: Form
    key: str
    out: IO[str]
    told: Counter


def write_uploads(month: Workbook, folder: Path, key: pd.Series | None = None) -> None:
    """``uploads/``: one file per CRM of ``report.uploads``, and README.txt, which tells whom each file leaves out and why.

    A row is a customer of the book: the CRM's key, tier, segment, stage, next tier and action in the CRM's language, and
    as_of. Keys are written digit by digit as the CRM gave them: import the file as it is.
    ``key`` (`Tables.key`) gives a masked report's customers their ids back. The action is the book's, so empty for do-not-contact, control arms and customers on the call list.
    """
    if not month.params.report.uploads:
        return
    target = folder / "uploads"
    target.mkdir(parents=True)
    people = month.table("customers", ["customer_id", "record_id"])
    records = record_ids(month.book(["customer_id"])["customer_id"], people)
    shared = unmask(repeated(records).to_frame("record_id"), key)["record_id"]
    known = {"customer_id"} | ({"record_id"} if records.notna().any() else set())
    with ExitStack() as files:
        forms = {name: _begun(FORMS[name], known, target, files) for name in month.params.report.uploads}
        for rows in _rows(month, records):
            real = unmask(rows, key)
            for keyed in forms.values():
                _add(month, keyed, real, shared)
    told = {name: (keyed.key, keyed.told) for name, keyed in forms.items()}
    readme = "\n\n".join(_readme(month.words(language), told) for language in ("zh", "en"))
    (target / "README.txt").write_text(readme + "\n", encoding="utf-8-sig", newline="\r\n")


def unmask(rows: pd.DataFrame, key: pd.Series | None) -> pd.DataFrame:
    """Rows with the real ids where the report masks them."""
    return rows if key is None else masking.unmasked(rows, key)


def _begun(form: Form, known: set[str], target: Path, files: ExitStack) -> Keyed:
    """A form's file with its first line."""
    key = key_of(form, known)
    out = files.enter_context((target / form.file).open("w", encoding=form.encoding, newline=""))
    head = pd.DataFrame(columns=[form.keys[key], *form.headings])
    head.to_csv(out, index=False, lineterminator="\r\n")
    return Keyed(form, key, out, Counter())


def _rows(month: Workbook, records: pd.Series) -> Iterator[pd.DataFrame]:
    """The book with record_id and as_of, some rows at a time."""
    start = 0
    for piece in handoffs.pieces(month, "book"):
        own = records.iloc[start : start + len(piece)].set_axis(piece.index)
        yield piece.assign(record_id=own, as_of=month.as_of)
        start += len(piece)


def _add(month: Workbook, keyed: Keyed, rows: pd.DataFrame, shared: pd.Series) -> None:
    """Rows of the book written into a file, as far as they belong there, and counted."""
    form = keyed.form
    out = left_out(rows[keyed.key], shared if keyed.key == "record_id" else shared.head(0))
    shown = rows.loc[out.isna(), [keyed.key, *COLUMNS]]
    shown = harmless(in_words(shown, month.words(form.language), month.params.currency))
    shown.to_csv(keyed.out, index=False, header=False, lineterminator="\r\n")
    keyed.told.update({"in": len(shown), **out.value_counts()})


def key_of(form: Form, known: set[str]) -> str:
    """The column that the file is keyed on: the CRM's own record id where anybody's is ``known``, else what it knows besides.

    One key for the whole file: an import finds its records by one column, and makes a new record of a row without it.
    """
    return next((key for key in form.keys if key in known), next(iter(form.keys)))


def record_ids(customer_ids: pd.Series, people: pd.DataFrame | None) -> pd.Series:
    """The record_id of the customers table of each customer; null where there is none."""
    if people is None:
        return pd.Series(None, index=customer_ids.index, dtype=object)
    return lookup.of(customer_ids, people["customer_id"], people["record_id"])


def repeated(values: pd.Series) -> pd.Series:
    """The values that stand more than once; null is none."""
    counts = pc.value_counts(pa.array(values.dropna(), pa.large_string()))
    twice = pc.greater(counts.field("counts"), 1)
    return counts.field("values").filter(twice).to_pandas().astype("str")


def left_out(keys: pd.Series, shared: pd.Series) -> pd.Series:
    """Why a customer is not in a file, null where it is: ``no_key``, ``shared``, ``formula``, ``control``.

    ``shared``: the keys of several customers. A key that looks like a formula is not defused as text elsewhere is:
    changed, it would name nobody, or somebody else.
    """
    text = keys.astype("str").where(keys.notna(), "")
    defused = harmless(text.to_frame("key"))["key"]
    reason = pd.Series(None, index=keys.index, dtype=object)
    reason = reason.mask(defused != text, "control").mask(text.str.lstrip(UNSEEN).str.startswith(DANGEROUS), "formula")
    reason = reason.mask(text.isin(shared), "shared")
    return reason.mask(text.str.strip() == "", "no_key")


def _readme(words: Words, told: dict[str, tuple[str, Counter]]) -> str:
    lines = [
        words.text("Upload files: who is in them, and who is not"),
        words.text("Import each file as it is: opened and saved in a spreadsheet, long ids lose their last digits."),
    ]
    for name, (key, out) in told.items():
        form = FORMS[name]
        lines += ["", words.text("{file}: {n:number|customer|customers}.", file=form.file, n=out["in"])]
        lines += [words.text(form.layout)]
        lines += [words.text("Records are found by “{heading}” (here: {key}).", heading=form.keys[key], key=key)]
        lines += [
            words.text("Left out: {n:number|customer|customers} {why:text}.", n=out[code], why=words.text(why))
            for code, why in REASONS.items()
            if code in out
        ]
    return "\n".join(lines)
