"""Upload files for a CRM: each customer's tier, segment, stage and action under the CRM's own key."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from tierbook import masking
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
    rows = rows_of(month.book(), month.table("customers"), month.as_of)
    rows = rows if key is None else masking.unmasked(rows, key)
    told = {}
    for name in month.params.report.uploads:
        form = FORMS[name]
        key = key_of(form, rows)
        out = left_out(rows[key])
        shown = rows.loc[out.isna(), [key, *COLUMNS]]
        shown = harmless(in_words(shown, month.words(form.language), month.params.currency))
        shown.set_axis([form.keys[key], *form.headings], axis=1).to_csv(
            target / form.file, index=False, encoding=form.encoding, lineterminator="\r\n"
        )
        told[name] = (key, len(shown), out.value_counts())
    readme = "\n\n".join(_readme(month.words(language), told) for language in ("zh", "en"))
    (target / "README.txt").write_text(readme + "\n", encoding="utf-8-sig", newline="\r\n")


def key_of(form: Form, rows: pd.DataFrame) -> str:
    """The column that the file is keyed on: the CRM's own record id where anybody's is known, else what it knows besides.

    One key for the whole file: an import finds its records by one column, and makes a new record of a row without it.
    """
    known = (key for key in form.keys if rows[key].notna().any())
    return next(known, next(iter(form.keys)))


def rows_of(book: pd.DataFrame, people: pd.DataFrame | None, as_of: object) -> pd.DataFrame:
    """The book's customers with the record_id of the customers table (null where there is none) and as_of."""
    known = pd.Series(dtype=object) if people is None else people.set_index("customer_id")["record_id"]
    return book.assign(record_id=book["customer_id"].map(known).astype(object), as_of=as_of)


def left_out(keys: pd.Series) -> pd.Series:
    """Why a customer is not in a file, null where it is: ``no_key``, ``shared``, ``formula``, ``control``.

    A key that looks like a formula is not defused as text elsewhere is: changed, it would name nobody, or somebody else.
    """
    text = keys.astype("str").where(keys.notna(), "")
    defused = harmless(text.to_frame("key"))["key"]
    reason = pd.Series(None, index=keys.index, dtype=object)
    reason = reason.mask(defused != text, "control").mask(text.str.lstrip(UNSEEN).str.startswith(DANGEROUS), "formula")
    reason = reason.mask(keys.duplicated(keep=False), "shared")
    return reason.mask(text.str.strip() == "", "no_key")


def _readme(words: Words, told: dict[str, tuple[str, int, pd.Series]]) -> str:
    lines = [
        words.text("Upload files: who is in them, and who is not"),
        words.text("Import each file as it is: opened and saved in a spreadsheet, long ids lose their last digits."),
    ]
    for name, (key, rows, out) in told.items():
        form = FORMS[name]
        lines += ["", words.text("{file}: {n:number|customer|customers}.", file=form.file, n=rows)]
        lines += [words.text(form.layout)]
        lines += [words.text("Records are found by “{heading}” (here: {key}).", heading=form.keys[key], key=key)]
        lines += [
            words.text("Left out: {n:number|customer|customers} {why:text}.", n=out[code], why=words.text(why))
            for code, why in REASONS.items()
            if code in out
        ]
    return "\n".join(lines)
