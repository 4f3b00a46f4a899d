"""Publishing: a report appears whole or not at all, and what it replaces is kept."""

from __future__ import annotations

import os
import shutil
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
        lock = (outputs / ".locks" / f"{name}.lock").open("w")
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
        shutil.rmtree(left, ignore_errors=True)
    for kept in sorted((outputs / ".superseded" / name).glob("????-??-??/*")):
        place = outputs / name / kept.parent.name
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            os.rename(kept, place)


def publish(folder: Path, outputs: Path, name: str, as_of: str) -> Path:
    """Put a finished folder in its place; the report that stood there moves to ``.superseded/<name>/<as_of>/<n>``."""
    place = outputs / name / as_of
    kept = None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():
            shelf = outputs / ".superseded" / name / as_of
            shelf.mkdir(parents=True, exist_ok=True)
            kept = shelf / f"{len(list(shelf.iterdir())) + 1:03d}"
            os.rename(place, kept)
        os.rename(folder, place)
    except OSError as error:
        if kept is not None and kept.exists() and not place.exists():
            os.rename(kept, place)
        raise PublishError(f"cannot publish {place}: {error.strerror}; the earlier report is untouched") from None
    return place


def keep_failure(folder: Path, outputs: Path, name: str, as_of: str) -> Path:
    """Move what a failed run made to ``.failed/<name>/<as_of>``, for whoever looks for the cause."""
    target = outputs / ".failed" / name / as_of
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.rename(folder, target)
    return target
