"""A report appears whole or not at all, and what it replaces is kept."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tierbook.errors import PublishError
from tierbook.report import publish

MADE = {"one": "2026-11-01T08:00:00+0800", "two": "2026-11-01T01:00:00+0000", "three": "2026-11-02T08:00:00+0800"}


def _write(folder, text):
    (folder / "page.html").write_text(text)
    (folder / "run.json").write_text(json.dumps({"generated_at": MADE[text]}))


def _build(outputs, text):
    with publish.staging(outputs, "demo", "2026-10-31") as folder:
        _write(folder, text)
        return publish.publish(folder, outputs, "demo", "2026-10-31")


def _texts(folder):
    return sorted(page.read_text() for page in folder.rglob("page.html"))


def test_a_report_is_moved_into_its_place(tmp_path):
    place = _build(tmp_path, "one")
    assert place == tmp_path / "demo" / "2026-10-31"
    assert (place / "page.html").read_text() == "one"
    assert not list((tmp_path / ".staging").iterdir())


def test_the_replaced_reports_are_kept_in_order(tmp_path):
    for text in ("one", "two", "three"):
        place = _build(tmp_path, text)
    assert (place / "page.html").read_text() == "three"
    shelf = tmp_path / ".superseded" / "demo" / "2026-10-31"
    assert [(p.name, (p / "page.html").read_text()) for p in sorted(shelf.iterdir())] == [
        ("001", "one"),
        ("002", "two"),
    ]


@pytest.mark.parametrize("swaps", [True, False])
def test_a_failed_move_puts_the_earlier_report_back(tmp_path, monkeypatch, swaps):
    place = _build(tmp_path, "one")
    monkeypatch.setattr(publish, "_swap", publish._swap if swaps else lambda *_: False)
    real = os.rename

    def full_disk(source, target):
        if ".staging" in str(source):
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "rename", full_disk)
    with pytest.raises(PublishError, match="No space left on device; the earlier report is untouched"):
        _build(tmp_path, "two")
    assert (place / "page.html").read_text() == "one"


def test_a_run_stopped_between_the_two_moves_is_mended_by_the_next(tmp_path):
    place = _build(tmp_path, "one")
    shelf = tmp_path / ".superseded" / "demo" / "2026-10-31"
    shelf.mkdir(parents=True)
    os.rename(place, shelf / "001")  # as a kill between the moves leaves it
    left = tmp_path / ".staging" / "demo-2026-10-31-abc"
    left.mkdir()
    with publish.staging(tmp_path, "demo", "2026-11-30"):
        assert (place / "page.html").read_text() == "one"
        assert not left.exists()


DYING = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_publish import _write
from tierbook.report import publish

outputs, moment, swaps = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "True"
calls = 0

def dying(real):
    def call(*arguments):
        global calls
        calls += 1
        if calls == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)
    return call

publish._swap = dying(publish._swap if swaps else lambda *_: False)
os.rename = dying(os.rename)
with publish.staging(outputs, "demo", "2026-10-31") as folder:
    _write(folder, "two")
    publish.publish(folder, outputs, "demo", "2026-10-31")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    ("moment", "swaps", "seen"),
    # swapping: before the swap, before the old report is shelved, after all; else before and between the two moves
    [(1, True, "one"), (2, True, "two"), (3, True, "two"), (2, False, "one"), (3, False, None), (4, False, "two")],
)  # fmt: skip
def test_whenever_a_run_is_killed_a_whole_report_stands_and_none_is_lost(tmp_path, moment, swaps, seen):
    """Seen by a reader right after the kill; null: between the two moves of a system that cannot swap."""
    place = _build(tmp_path, "one")
    code = DYING.format(tests=str(Path(__file__).parent))
    died = subprocess.run([sys.executable, "-c", code, str(tmp_path), str(moment), str(swaps)], capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert (_texts(place) if place.exists() else [None]) == [seen]
    with publish.staging(tmp_path, "demo", "2026-11-30"):  # the next run cleans up
        assert _texts(place) == [seen or "one"]
    assert _texts(tmp_path / ".superseded") == (["one"] if seen == "two" else [])
    assert not list((tmp_path / ".staging").iterdir())


def test_what_comes_back_is_the_report_replaced_last(tmp_path):
    """Of 999 and 1000 on the shelf, 1000; the names are numbers and not texts."""
    place = _build(tmp_path, "one")
    shelf = tmp_path / ".superseded" / "demo" / "2026-10-31"
    for name, text in (("001", "one"), ("999", "two"), ("1000", "three")):
        (shelf / name).mkdir(parents=True)
        _write(shelf / name, text)
    shutil.rmtree(place)
    with publish.staging(tmp_path, "demo", "2026-11-30"):
        assert _texts(place) == ["three"]
    assert sorted(kept.name for kept in shelf.iterdir()) == ["001", "999"]


def test_a_shelf_that_somebody_pruned_goes_on_counting(tmp_path):
    for text in ("one", "two", "three"):
        _build(tmp_path, text)
    shelf = tmp_path / ".superseded" / "demo" / "2026-10-31"
    shutil.rmtree(shelf / "001")
    _build(tmp_path, "three")
    assert sorted(kept.name for kept in shelf.iterdir()) == ["002", "003"]


def test_a_second_run_of_the_same_report_is_refused(tmp_path):
    hold = f"""
import sys
from pathlib import Path
from tierbook.report import publish
with publish.staging(Path({str(tmp_path)!r}), "demo", "2026-10-31"):
    print("held", flush=True)
    sys.stdin.read()
"""
    other = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline().strip() == "held"
        with (
            pytest.raises(PublishError, match="another run of report demo"),
            publish.staging(tmp_path, "demo", "2026-09-30"),
        ):
            pass
        with publish.staging(tmp_path, "other", "2026-09-30"):
            pass  # another report is free to run
    finally:
        other.communicate()
    with publish.staging(tmp_path, "demo", "2026-09-30"):
        pass


def test_a_file_where_the_folder_should_be_is_told(tmp_path):
    (tmp_path / "outputs").write_text("not a folder")
    with (
        pytest.raises(PublishError, match=r"cannot write to .*outputs"),
        publish.staging(tmp_path / "outputs", "demo", "x"),
    ):
        pass


def test_a_failure_is_kept_for_whoever_looks_for_the_cause(tmp_path):
    with publish.staging(tmp_path, "demo", "2026-10-31") as folder:
        (folder / "notebooks").mkdir()
        kept = publish.keep_failure(folder, tmp_path, "demo", "2026-10-31")
    assert (kept / "notebooks").is_dir()
    assert kept == tmp_path / ".failed" / "demo" / "2026-10-31"
