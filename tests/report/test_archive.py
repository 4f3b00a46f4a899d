"""The list of all reports."""

import json
import re

import pytest

from tierbook.errors import PublishError
from tierbook.report.archive import write_index


def publish(outputs, name, as_of, languages=("en", "zh"), title=None, manifest=None):
    folder = outputs / name / as_of
    for language in languages:
        (folder / language).mkdir(parents=True)
        (folder / language / "index.html").touch()
    run = {"params": {"report": {"title": title or {"en": "Tiers", "zh": "月报"}}}}
    (folder / "run.json").write_text(manifest or json.dumps(run), encoding="utf-8")


def test_newest_first_with_a_link_to_each_language(tmp_path):
    publish(tmp_path, "demo", "2026-09-30")
    publish(tmp_path, "demo", "2026-10-31")
    publish(tmp_path, "cdnow", "1997-09-30", ["en"])
    page = write_index(tmp_path).read_text(encoding="utf-8")
    links = re.findall(r'<a href="([^"]+)"', page)
    assert links == [
        "demo/2026-10-31/en/index.html",
        "demo/2026-10-31/zh/index.html",
        "demo/2026-09-30/en/index.html",
        "demo/2026-09-30/zh/index.html",
        "cdnow/1997-09-30/en/index.html",
    ]
    assert all((tmp_path / link).exists() for link in links)
    assert "Tiers · 月报" in page


def test_hidden_folders_and_unfinished_ones_are_no_reports(tmp_path):
    publish(tmp_path, ".superseded", "2026-10-31")
    publish(tmp_path, "demo", ".2026-10-31")
    (tmp_path / "demo" / "2026-09-30").mkdir()
    assert "No report has been published yet." in write_index(tmp_path).read_text(encoding="utf-8")


@pytest.mark.parametrize("manifest", ["not json", "[]", "{}", '{"params": null}'])
def test_a_damaged_manifest_still_lists_the_report(tmp_path, manifest):
    publish(tmp_path, "demo", "2026-10-31", manifest=manifest)
    assert "demo/2026-10-31/en/index.html" in write_index(tmp_path).read_text(encoding="utf-8")


def test_names_are_quoted_in_links_and_escaped_in_text(tmp_path):
    publish(tmp_path, "月报 #1", "2026-10-31", title={"en": "<script>"})
    page = write_index(tmp_path).read_text(encoding="utf-8")
    assert "%E6%9C%88%E6%8A%A5%20%231/2026-10-31/en/index.html" in page
    assert "<script>" not in page


def test_the_index_is_replaced_whole_and_leaves_nothing_behind(tmp_path):
    publish(tmp_path, "demo", "2026-10-31")
    first = write_index(tmp_path).read_bytes()
    assert write_index(tmp_path).read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo", "index.html"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "outputs").touch()
    with pytest.raises(PublishError, match="cannot write the list of reports"):
        write_index(tmp_path / "outputs")
