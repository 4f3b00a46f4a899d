"""Publishing: a report appears whole or not at all, and what it replaces is kept."""

from __future__ import annotations

import ctypes
import datetime as dt
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tierbook.errors import PublishError


@contextmanager
def staging(outputs: Path, name: str, as_of: str) -> Iterator[Path]:
    """A folder to build the report in, on the same disk as its place, held by one run at a time.

    Raises `PublishError` when outputs cannot be written to, or another run of the same report holds the lock.
    """
    try:
        for folder in (".staging", ".locks"):
            (outputs / folder).mkdir(parents=True, exist_ok=True)
        held = outputs / ".locks" / f"{name}.lock"
        held.touch()
        lock = held.open()
    except OSError as error:
        raise PublishError(
            f"cannot write to {outputs}: {error.strerror}; give a folder that is yours with --outputs"
        ) from None
    with lock:
        _hold(lock, name)
        _sweep(outputs, name)
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-{as_of}-", dir=outputs / ".staging"))
        folder.chmod(0o755)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _hold(lock, name: str) -> None:
    try:
        import fcntl
    except ImportError:  # Windows has no flock; there two runs at once are the operator's to avoid
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise PublishError(f"another run of report {name} is under way; wait for it to end") from None


def _sweep(outputs: Path, name: str) -> None:
    """What an interrupted run of this report left behind: unfinished folders go, a report taken away comes back."""
    for left in (outputs / ".staging").glob(f"{name}-????-??-??-*"):
        as_of = left.name[len(name) + 1 :][:10]
        if _replaced(left, outputs / name / as_of):
            os.rename(left, next_on_shelf(outputs / ".superseded" / name / as_of))
        else:
            shutil.rmtree(left, ignore_errors=True)
        print(
            f"{name} {as_of}: an earlier run was interrupted; what it left unfinished is cleared away", file=sys.stderr
        )
    for shelf in (outputs / ".superseded" / name).glob("????-??-??"):
        place = outputs / name / shelf.name
        if not place.exists() and (kept := _shelved(shelf)):
            place.parent.mkdir(parents=True, exist_ok=True)
            os.rename(shelf / kept[-1], place)


def _replaced(left: Path, place: Path) -> bool:
    """Whether a folder left in staging is the report that the published one has just replaced: it is the older of the two."""
    then, now = _made_at(left), _made_at(place)
    return then is not None and now is not None and then < now


def _made_at(folder: Path) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(json.loads((folder / "run.json").read_bytes())["generated_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def publish(folder: Path, outputs: Path, name: str, as_of: str) -> Path:
    """Put a finished folder in its place; the report that stood there moves to ``.superseded/<name>/<as_of>/<n>``.

    Where the system can swap two folders (Linux), there is no moment without a report.
    """
    place = outputs / name / as_of
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():
            _replace(place, folder, next_on_shelf(outputs / ".superseded" / name / as_of))
        else:
            os.rename(folder, place)
    except OSError as error:
        raise PublishError(f"cannot publish {place}: {error.strerror}; the earlier report is untouched") from None
    return place


def next_on_shelf(shelf: Path) -> Path:
    """The place of what is replaced next: 001, 002, … after the highest that a folder, made where it is not there, holds."""
    shelf.mkdir(parents=True, exist_ok=True)
    return shelf / f"{int((_shelved(shelf) or ['0'])[-1]) + 1:03d}"


def _shelved(shelf: Path) -> list[str]:
    """Names on a shelf, the latest last."""
    return sorted((kept.name for kept in shelf.iterdir() if kept.name.isdigit()), key=int)


def _replace(place: Path, new: Path, kept: Path) -> None:
    """Put ``new`` in place of a report, which moves to ``kept``; where a move fails, the report is back in its place."""
    swapped = _swap(new, place)
    try:
        os.rename(new if swapped else place, kept)
        if not swapped:
            os.rename(new, place)
    except OSError:
        if swapped:
            _swap(new, place)
        elif kept.exists() and not place.exists():
            os.rename(kept, place)
        raise


def _swap(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where the system or its disk cannot."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if os.name == "posix" else None
    if renameat2 is None:
        return False
    here, exchange = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of linux/fs.h
    return renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0


def keep_failure(folder: Path, outputs: Path, name: str, as_of: str) -> Path:
    """Move what a failed run made to ``.failed/<name>/<as_of>``, for whoever looks for the cause."""
    target = outputs / ".failed" / name / as_of
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.rename(folder, target)
    return target
