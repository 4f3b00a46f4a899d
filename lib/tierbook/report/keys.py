"""What must carry real ids where a report masks them: the key, the lists to work from and the CRM's files, beside the report."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from tierbook import lookup, masking
from tierbook.errors import PublishError
from tierbook.report import lists, publish, uploads
from tierbook.report.handoffs import PIECE, harmless, pieces, write_csv
from tierbook.show.words import N_
from tierbook.workbook import Workbook

README = (
    N_("This folder names real customers: keep it to those who work the lists, and pass on the report instead."),
    N_("key.csv: whom each mask of the report stands for; key_others.csv: other ids that were read."),
    N_("action_list.csv with the day of contact filled in is next month's contacts table."),
    N_("excel/ holds the lists to call or write from, in words."),
)


@contextmanager
def beside(month: Workbook, outputs: Path) -> Iterator[None]:
    """Make the folder of real ids before the report is published and put it in its place after: a run that fails
    leaves the former one, one that ends well moves it to ``.superseded/<as_of>/<n>`` beside it.
    ``outputs/.keys/<report>/<as_of>``, for its owner alone; nothing where ids are not masked.

    Raises `PublishError` where it cannot be written.
    """
    if month.tables.salt is None:
        yield
        return
    place = masking.folder(outputs, month.params.report.name) / month.as_of.isoformat()
    new = place.with_name(".new")
    try:
        shutil.rmtree(new, ignore_errors=True)  # of a run that was killed
        with _told("nothing was published"):
            new.mkdir(mode=0o700, parents=True)
            write(month, new)
        yield
        with _told("the report is there, its lists with real ids are not"):
            if place.exists():  # somebody may have filled the day of contact in
                shelf = place.parent / ".superseded" / place.name
                for private in (shelf.parent, shelf):
                    private.mkdir(mode=0o700, exist_ok=True)
                os.rename(place, publish.next_on_shelf(shelf))
            os.rename(new, place)
    finally:
        shutil.rmtree(new, ignore_errors=True)


@contextmanager
def _told(outcome: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PublishError(f"cannot write {error.filename}: {error.strerror}; {outcome}") from None


def write(month: Workbook, folder: Path) -> None:
    """Write into ``folder``: key.csv (mask, customer_id of the report's customers), key_others.csv (the other ids read),
    the lists to work from as under ``tables/``, ``excel/`` and ``uploads/``; every file for its owner alone."""
    key = month.tables.key()
    everyone = month.history(columns=["customer_id"]) if month.on_orders else month.table("trial", ["customer_id"])
    named = lookup.places(key.index, everyone["customer_id"].drop_duplicates()) >= 0
    for name, part in (("key", key[named]), ("key_others", key[~named])):
        starts = range(0, max(len(part), 1), PIECE)
        some = (harmless(part.iloc[start : start + PIECE].reset_index()) for start in starts)
        write_csv(folder / f"{name}.csv", some)
    if month.on_orders:
        _write_lists(month, folder, key)
    told = "\n\n".join("\n".join(month.words(language).text(line) for line in README) for language in ("zh", "en"))
    (folder / "README.txt").write_text(told + "\n", encoding="utf-8-sig", newline="\r\n")
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _write_lists(month: Workbook, folder: Path, key: pd.Series) -> None:
    found = {
        "action_list": pieces(month, "action_list"),
        "alerts": [month.call_list()["alerts"]],
        "upgrade_candidates": pieces(month, "upgrade_candidates"),
        "next_best": pieces(month, "next_best"),
        "birthdays": [month.birthdays()],
    }
    for name, frames in found.items():
        write_csv(folder / f"{name}.csv", (harmless(masking.unmasked(frame, key)) for frame in frames))
    lists.write_csv(month, folder / "excel", key)
    uploads.write_uploads(month, folder, key)
