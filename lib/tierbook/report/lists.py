"""What leaves the report for people: tiers, upgrade candidates, alerts, actions and customers, in words, and as CSV for Excel."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api import types

from tierbook import masking
from tierbook.insight import holdout
from tierbook.report.handoffs import harmless
from tierbook.show.tables import COLUMN_FORMATS
from tierbook.show.words import N_, Words
from tierbook.workbook import Workbook, warning

MONEY = ("spend_missing", "alt_spend")
FORMATS = {
    **COLUMN_FORMATS,
    **dict.fromkeys(MONEY, "money"),
    "name": "term.tier",
    "action": "term.action",
    "change_reason": "term.change_reason",
    "channel": "term.channel",
    "own_gap_days": "number.1",
    **dict.fromkeys(("frequency", "orders_missing", "alt_orders"), "number"),
    "p_alive": "percent",
}
TO_WORK_FROM = ("upgrade_candidates", "alerts", "action_list")
GAP = ((r"orders \+(\d+)", N_("orders +{n}")), (r" \| ", N_(" | or ")), (r"; by ", N_("; by ")))
# What Excel, opening a CSV, takes for a number or a date and so alters: 12 digits or more, lost zeros, 3-1, 1E10, DEC1.
MISREAD = re.compile(
    r"0\d+|(?!\d{1,11}$)\d[\d.,:/-]*(e[+-]?\d+)?|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ -]?\d{1,4}",
    re.IGNORECASE,
)


class Listing(NamedTuple):
    """One sheet: its ``name``, the file under tables/ that has every row, codes as yet, and whom it leaves out."""

    name: str
    file: str
    frame: pd.DataFrame
    left_out: int = 0


def listings(month: Workbook, language: str) -> list[Listing]:
    """The sheets of one language in the order of reading.

    Lists to work from hold only who is to be contacted: no do-not-contact, no control arm, no hold-out of the early
    warning; ``left_out`` counts the rest. Alerts and actions are sorted by owner and channel, customers by net sales.
    """
    silent = _not_to_be_contacted(month)
    candidates = _candidates(month)
    reachable = ~candidates["customer_id"].isin(silent)
    called = month.call_list()["alerts"]
    listed = holdout.action_list(month.planned(), month.catalogue, month.as_of, month.params.campaign.control, language)
    treated = listed["arm"] == "treated"
    book = month.book().sort_values(["monetary", "customer_id"], ascending=[False, True], na_position="last")
    return [
        Listing("tiers", "tiers.csv", month.tiers().drop(columns="scheme")),
        Listing("upgrade_candidates", "upgrade_candidates.csv", candidates[reachable], int((~reachable).sum())),
        Listing("alerts", "alerts.csv", _alerts(called[~called["held_out"]]), int(called["held_out"].sum())),
        Listing("action_list", "action_list.csv", _actions(listed[treated]), int((~treated).sum())),
        Listing("customers", "customers.csv", book),
    ]


def _not_to_be_contacted(month: Workbook) -> set[str]:
    people, book, planned = month.table("customers"), month.book(), month.planned()
    flagged = book.loc[book["alert"], "customer_id"]
    barred = set() if people is None else set(people.loc[people["do_not_contact"].fillna(False), "customer_id"])
    control = planned.loc[planned["held_out"], "customer_id"]
    return barred | set(control) | set(flagged[warning.held_out(month, flagged)])


def _candidates(month: Workbook) -> pd.DataFrame:
    found = month.upgrade_candidates()
    return found.merge(month.book()[["customer_id", "owner", "action"]], on="customer_id", how="left")


def _alerts(called: pd.DataFrame) -> pd.DataFrame:
    columns = ["owner", "channel", "customer_id", "tier", "reason", "value_at_stake", "days_silent", "own_gap_days",
               "p_alive", "first_flagged"]  # fmt: skip
    order = ["owner", "channel", "value_at_stake", "customer_id"]
    found = called.sort_values(order, ascending=[True, True, False, True], na_position="last")
    return found[columns].rename(columns={"reason": "alert_reason"})


def _actions(listed: pd.DataFrame) -> pd.DataFrame:
    columns = ["owner", "channel", "customer_id", "action", "action_measure", "tier", "stage", "due", "campaign"]
    return listed.sort_values(["owner", "channel", "due", "customer_id"], na_position="last")[columns]


def in_words(frame: pd.DataFrame, words: Words, currency: str) -> pd.DataFrame:
    """Codes as the reader's language has them, null where null; numbers and dates untouched. Columns keep their names."""
    shown = frame.copy()
    for column in shown.columns:
        kind, _, group = FORMATS.get(column, "").partition(".")
        if types.is_bool_dtype(shown[column]):
            shown[column] = shown[column].map({True: words.text("yes"), False: words.text("no")})
        elif column == "next_tier_gap":
            shown[column] = _gap_in_words(shown[column], words, currency)
        elif kind == "term":
            codes = [code for code in shown[column].unique() if isinstance(code, str)]
            shown[column] = shown[column].astype(object).map({code: words.term(group, code) for code in codes})
    return shown


def _gap_in_words(gaps: pd.Series, words: Words, currency: str) -> pd.Series:
    """The book's gap by its few fixed pieces: a sentence for each of a million customers would take minutes."""
    said = gaps.astype("str")
    for piece, message in (*GAP, (rf"; {currency} \+([\d.]+)", N_("; {currency} +{money}"))):
        said = said.str.replace(piece, words.text(message, n=r"\1", money=r"\1", currency=currency), regex=True)
    return said.astype(object).where(gaps.notna(), None)


def headings(columns: pd.Index, words: Words) -> list[str]:
    """Column names in words; columns of money name the unit."""
    unit = words.money_unit(0)[2]
    around = "（{}）" if words.language == "zh" else " ({})"
    suffix = {column: around.format(unit) for column in columns if FORMATS.get(column) == "money"}
    return [words.term("column", column) + suffix.get(column, "") for column in columns]


def write_csv(month: Workbook, folder: Path, key: pd.Series | None = None) -> None:
    """The same lists for those who open CSV in Excel: ``excel/<name>.csv``, in the report's first language.

    UTF-8 with a byte order mark, without which Excel reads Chinese as gibberish. An id that Excel would read as a number
    or a date (12 digits or more, a leading zero, 3-1) is followed by a tab: it then stays text, digit by digit. The tab
    is part of the cell, so for look-ups against other files customers.xlsx is the better one, and tools read tables/.
    With a ``key`` (`Tables.key`): the lists to work from alone, under the real ids of a masked report's customers.
    """
    language = month.params.report.languages[0]
    words = month.words(language)
    folder.mkdir(parents=True)
    wanted = [own for own in listings(month, language) if key is None or own.name in TO_WORK_FROM]
    for listing in wanted:
        frame = listing.frame if key is None else masking.unmasked(listing.frame, key)
        shown = harmless(_rounded(in_words(frame, words, month.params.currency)))
        if "customer_id" in shown:
            shown["customer_id"] = _kept_as_text(shown["customer_id"])
        shown = shown.set_axis(headings(shown.columns, words), axis=1)
        shown.to_csv(folder / f"{listing.name}.csv", index=False, encoding="utf-8-sig", lineterminator="\r\n")


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """A CSV has no formats: money with two decimals, other fractions with four."""
    floats = frame.select_dtypes("float").columns
    return frame.round({column: 2 if FORMATS.get(column) == "money" else 4 for column in floats})


def _kept_as_text(ids: pd.Series) -> pd.Series:
    text = ids.astype(object)
    misread = np.array([MISREAD.fullmatch(name) is not None for name in text], dtype=bool)
    return text.mask(misread, text + "\t")
