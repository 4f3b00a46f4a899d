"""What leaves the report for people: tiers, upgrade candidates, alerts, actions and customers, in words, and as CSV for Excel."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd
from pandas.api import types

from tierbook import masking
from tierbook.cache import FRAME
from tierbook.insight import holdout
from tierbook.report import handoffs
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
MOST_ROWS = 50_000
"""Rows of a sheet: a larger one takes minutes to write and to open; the table under tables/ has all of them."""
MOST_IN_CSV = 1_048_575
"""Customers of excel/customers.csv: with the heads, as many rows as Excel opens of any file."""
TO_WORK_FROM = ("upgrade_candidates", "alerts", "action_list")
GAP = ((r"orders \+(\d+)", N_("orders +{n}")), (r" \| ", N_(" | or ")), (r"; by ", N_("; by ")))
# What Excel, opening a CSV, takes for a number or a date and so alters: 12 digits or more, lost zeros, 3-1, 1E10, DEC1.
MISREAD = re.compile(
    r"0\d+|(?!\d{1,11}$)\d[\d.,:/-]*(e[+-]?\d+)?|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ -]?\d{1,4}",
    re.IGNORECASE,
)


class Listing(NamedTuple):
    """One sheet: its ``name``, its first rows (``frame``, of which a sheet shows at most `MOST_ROWS`), codes as yet; how many
    ``rows`` there are in all, and how many are left out; ``step``: what holds those that ``frame`` does not."""

    name: str
    frame: pd.DataFrame
    rows: int
    left_out: int = 0
    step: str | None = None

    @property
    def file(self) -> str:
        """The file under tables/ that has every row."""
        return f"{self.name}.csv"

    def pieces(self, month: Workbook) -> Iterable[pd.DataFrame]:
        """The rows of the CSV for Excel, some at a time."""
        return [self.frame] if self.step is None else month.tables.cache.batches(self.step, handoffs.PIECE)


def listings(month: Workbook, language: str) -> list[Listing]:
    """The sheets of one language in the order of reading.

    Lists to work from hold only who is to be contacted: no do-not-contact, no control arm, no hold-out of the early
    warning; ``left_out`` counts the rest. Alerts and actions are sorted by owner and channel, customers by net sales.
    """
    tiers, called = month.tiers().drop(columns="scheme"), month.call_list()["alerts"]
    alerts, held_out = _alerts(called[~called["held_out"]]), int(called["held_out"].sum())
    return [
        Listing("tiers", tiers, len(tiers)),
        _kept(month, "upgrade_candidates", _candidates(month), "upgrade_candidates"),
        Listing("alerts", alerts, len(alerts), held_out),
        _kept(month, "action_list", _actions(month, language), "planned"),
        _kept(month, "customers", _customers(month))._replace(rows=month.size),
    ]


def _kept(month: Workbook, name: str, step: str, everybody: str | None = None) -> Listing:
    """The listing of a kept step; who is in the step ``everybody`` and not in it is left out."""
    cache = month.tables.cache
    rows, first = cache.rows(step), _first(cache.batches(step, MOST_ROWS))
    return Listing(name, first, rows, cache.rows(everybody) - rows if everybody else 0, step)


def _first(pieces: Iterator[pd.DataFrame]) -> pd.DataFrame:
    found = [next(pieces)]
    while sum(map(len, found)) < MOST_ROWS and (more := next(pieces, None)) is not None:
        found.append(more)
    return pd.concat(found, ignore_index=True).head(MOST_ROWS)


def _ordered(month: Workbook, step: str, build: Callable[[Any], Any], by: dict[str, bool]) -> str:
    """Rows that an engine's expression gives, kept in the order of ``by`` (column: whether descending; nulls last)."""
    month.tables.keep(step, build, order=[*by], descending=[*by.values()])
    return step


def _not_to_be_contacted(month: Workbook) -> pd.DataFrame:
    """customer_id of who asked not to be contacted, is a control of an action, or held out of the early warning."""
    people, planned = (
        month.table("customers", ["customer_id", "do_not_contact"]),
        month.planned(["customer_id", "held_out"]),
    )
    book = month.book(["customer_id", "alert"])
    flagged = book.loc[book["alert"], "customer_id"]
    barred = [planned.loc[planned["held_out"], "customer_id"], flagged[warning.held_out(month, flagged)]]
    if people is not None:
        barred.append(people.loc[people["do_not_contact"].fillna(False), "customer_id"])
    return pd.concat(barred).astype("str").to_frame("customer_id")


def _candidates(month: Workbook) -> str:
    """The step of the upgrade candidates to be contacted, the highest net sales first."""
    month.upgrade_candidates(["customer_id"])
    month.book(["customer_id"])

    def build(engine):
        scan = month.tables.scan_step
        known = scan(engine, "book").select("customer_id", *_texts("owner", "action"))
        barred = engine.frame(_not_to_be_contacted(month))
        found = scan(engine, "upgrade_candidates").join(barred, on="customer_id", how="anti")
        return found.join(known, on="customer_id", how="left")

    return _ordered(month, "candidates_to_contact", build, {"monetary": True, "customer_id": False})


def _alerts(called: pd.DataFrame) -> pd.DataFrame:
    columns = ["owner", "channel", "customer_id", "tier", "reason", "value_at_stake", "days_silent", "own_gap_days",
               "p_alive", "first_flagged"]  # fmt: skip
    order = ["owner", "channel", "value_at_stake", "customer_id"]
    found = called.sort_values(order, ascending=[True, True, False, True], na_position="last")
    return found[columns].rename(columns={"reason": "alert_reason"})


def _actions(month: Workbook, language: str) -> str:
    """The step of who is to be contacted by an action, in a language, by owner and channel."""
    month.planned(["customer_id"])
    columns = ["owner", "channel", "customer_id", "action", "action_measure", "tier", "stage", "due", "campaign"]

    def build(engine):
        planned = month.tables.scan_step(engine, "planned").filter(~nw.col("held_out"))
        listed = planned.select(*_texts("customer_id", "tier", "stage", "owner", "action"))
        found = listed.join(engine.frame(_told(month, language)), on="action", how="left")
        return found.with_columns(nw.coalesce("owner", "owner_of_action").alias("owner")).select(*columns)

    return _ordered(
        month, f"actions-{language}", build, dict.fromkeys(["owner", "channel", "due", "customer_id"], False)
    )


def _texts(*columns: str) -> list[nw.Expr]:
    """Columns of text; without a single value they would have no type."""
    return [nw.col(column).cast(nw.String) for column in columns]


def _told(month: Workbook, language: str) -> pd.DataFrame:
    """What the catalogue says of each action in a language, as the action list has it: a list of one customer each."""
    codes = pd.Series([str(action["code"]) for action in month.catalogue], dtype="str")
    each = pd.DataFrame({"customer_id": codes, "action": codes, "held_out": False})
    each = each.assign(**dict.fromkeys(("tier", "stage", "owner")))
    found = holdout.action_list(each, month.catalogue, month.as_of, month.params.campaign.control, language)
    texts = found[["action", "action_measure", "owner", "channel", "campaign"]].astype("str")
    return texts.rename(columns={"owner": "owner_of_action"}).assign(due=found["due"])


def _customers(month: Workbook) -> str:
    """The step of the book's rows with the highest net sales, as many as Excel opens."""
    sales = month.book(["monetary"])["monetary"].to_numpy(dtype=float, na_value=np.nan)
    step, cache = "customers_by_sales", month.tables.cache

    def write(target: Path) -> None:
        import pyarrow.parquet as parquet

        target.mkdir()
        # the book stands in the order of ids, which decide where sales are equal; NaN comes last
        best = np.argsort(-sales, kind="stable")[:MOST_IN_CSV]
        found = _taken(cache.arrow_batches("book", handoffs.PIECE), best)
        parquet.write_table(found, target / FRAME, row_group_size=handoffs.PIECE)

    cache.file(step, write)
    return step


def _taken(batches: Iterable, places: np.ndarray) -> Any:
    """Some rows of Arrow batches that follow on each other, in the order of ``places``."""
    import pyarrow as pa

    wanted, start, found = np.sort(places), 0, []
    for batch in batches:
        low, high = np.searchsorted(wanted, [start, start + batch.num_rows])
        found.append(batch.take(pa.array(wanted[low:high] - start)))
        start += batch.num_rows
    return pa.Table.from_batches(found).take(pa.array(np.searchsorted(wanted, places)))


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
    customers.csv has the `MOST_IN_CSV` customers with the highest net sales; a larger file Excel would cut itself.
    With a ``key`` (`Tables.key`): the lists to work from alone, under the real ids of a masked report's customers.
    """
    language = month.params.report.languages[0]
    folder.mkdir(parents=True)
    for listing in listings(month, language):
        if key is None or listing.name in TO_WORK_FROM:
            shown = _for_excel(month, listing, month.words(language), key)
            handoffs.write_csv(folder / f"{listing.name}.csv", shown, "utf-8-sig", "\r\n")


def _for_excel(month: Workbook, listing: Listing, words: Words, key: pd.Series | None) -> Iterator[pd.DataFrame]:
    for piece in listing.pieces(month):
        frame = piece if key is None else masking.unmasked(piece, key)
        shown = harmless(_rounded(in_words(frame, words, month.params.currency)))
        if "customer_id" in shown:
            shown["customer_id"] = _kept_as_text(shown["customer_id"])
        yield shown.set_axis(headings(shown.columns, words), axis=1)


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """A CSV has no formats: money with two decimals, other fractions with four."""
    floats = frame.select_dtypes("float").columns
    return frame.round({column: 2 if FORMATS.get(column) == "money" else 4 for column in floats})


def _kept_as_text(ids: pd.Series) -> pd.Series:
    text = ids.astype(object)
    misread = np.array([MISREAD.fullmatch(name) is not None for name in text], dtype=bool)
    return text.mask(misread, text + "\t")
