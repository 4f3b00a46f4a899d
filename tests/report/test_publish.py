"""A report appears whole or not at all, and what it replaces is kept."""

import os
import subprocess
import sys

import pytest

from tierbook.errors import PublishError
from tierbook.report import publish


def _build(outputs, text):
    with publish.staging(outputs, "demo", "2026-10-31") as folder:
        (folder / "page.html").write_text(text)
        return publish.publish(folder, outputs, "demo", "2026-10-31")


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


def test_a_failed_move_puts_the_earlier_report_back(tmp_path, monkeypatch):
    place = _build(tmp_path, "one")
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
