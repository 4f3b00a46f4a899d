"""Frozen scales: which one a date stands on, what a new one replaces, and files that are damaged."""

import datetime as dt
from dataclasses import replace

import pytest

from tierbook.errors import ParamsError
from tierbook.scores import scales
from tierbook.scores.rfm import Scale, read_scale

JULY, AUGUST, SEPTEMBER = "2026-07-31", "2026-08-31", "2026-09-30"
CUTS = {"recency_days": [10.0, 20.0], "frequency": [1.0, 2.0], "monetary": [5.0, 50.5]}


def scale(valid_from, customers=10):
    return Scale(3, CUTS, "quantile", customers, valid_from)


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_the_first_scale_makes_its_folder(tmp_path):
    path = scales.freeze(scale(JULY), tmp_path / "params" / "scales", "shop")
    assert names(path.parent) == ["shop.yaml"]
    assert read_scale(path) == replace(scale(JULY), source="shop.yaml", review_by="2027-07-31")


def test_a_review_date_of_ones_own_is_kept_and_an_older_file_has_none(tmp_path):
    path = scales.freeze(replace(scale(JULY), review_by="2026-12-31"), tmp_path, "shop")
    assert read_scale(path).review_by == "2026-12-31"
    text = path.read_text()
    path.write_text(text.replace("'2026-12-31'", "2027-01-15"))  # as a person edits it: YAML reads a date
    assert read_scale(path).review_by == "2027-01-15"
    path.write_text(text.replace("review_by: '2026-12-31'\n", ""))
    assert read_scale(path).review_by is None
    path.write_text(text.replace("'2026-12-31'", "next year"))
    with pytest.raises(ParamsError, match="next year"):
        read_scale(path)


def test_a_replaced_scale_is_kept_under_its_own_date(tmp_path):
    for day in (JULY, AUGUST, SEPTEMBER):
        scales.freeze(scale(day), tmp_path, "shop")
    assert names(tmp_path) == [f"shop.{JULY}.yaml", f"shop.{AUGUST}.yaml", "shop.yaml"]
    assert read_scale(tmp_path / f"shop.{JULY}.yaml").valid_from == JULY
    assert scales.current(tmp_path, "shop").valid_from == SEPTEMBER


def test_freezing_the_same_day_again_overwrites(tmp_path):
    for customers in (1, 2):
        scales.freeze(scale(JULY, customers), tmp_path, "shop")
    assert names(tmp_path) == ["shop.yaml"] and scales.current(tmp_path, "shop").customers == 2


def test_freezing_an_earlier_day_again_leaves_one_scale_a_day(tmp_path):
    for day, customers in ((JULY, 1), (AUGUST, 2), (JULY, 3)):
        scales.freeze(scale(day, customers), tmp_path, "shop")
    assert names(tmp_path) == [f"shop.{AUGUST}.yaml", "shop.yaml"]
    assert read_scale(scales.in_use(tmp_path, "shop", dt.date(2026, 8, 1))).customers == 3
    assert read_scale(scales.in_use(tmp_path, "shop", dt.date(2026, 9, 1))).customers == 2


@pytest.mark.parametrize(
    ("date", "valid_from"),
    [
        ("2026-01-31", JULY),  # before the first freeze: the earliest, and its age is below zero
        ("2026-07-30", JULY),
        ("2026-07-31", JULY),
        ("2026-08-30", JULY),
        ("2026-08-31", AUGUST),
        ("2026-09-01", AUGUST),
        ("2026-09-30", SEPTEMBER),
        ("2030-01-01", SEPTEMBER),
    ],
)
def test_a_date_stands_on_the_latest_scale_valid_then(tmp_path, date, valid_from):
    for day in (JULY, AUGUST, SEPTEMBER):
        scales.freeze(scale(day), tmp_path, "shop")
    assert read_scale(scales.in_use(tmp_path, "shop", dt.date.fromisoformat(date))).valid_from == valid_from


def test_other_reports_scales_are_not_this_ones(tmp_path):
    scales.freeze(scale(JULY), tmp_path, "shop.cn")
    scales.freeze(scale(JULY), tmp_path, "shop2")
    (tmp_path / "shop.old.yaml").write_text("not a scale")
    assert scales.in_use(tmp_path, "shop", dt.date(2026, 9, 30)) is None
    assert scales.in_use(tmp_path / "nowhere", "shop", dt.date(2026, 9, 30)) is None
    assert scales.current(tmp_path, "shop") is None
    assert scales.in_use(tmp_path, "shop.cn", dt.date(2026, 9, 30)).name == "shop.cn.yaml"


@pytest.mark.parametrize("text", ["", "bins: [", "bins: 3", "- 1", scale("yesterday").to_yaml()])
def test_a_damaged_file_is_one_line_and_stays(tmp_path, text):
    (tmp_path / "shop.yaml").write_text(text)
    for call in (lambda: scales.in_use(tmp_path, "shop", dt.date(2026, 9, 30)), lambda: scales.freeze(scale(JULY), tmp_path, "shop")):  # fmt: skip
        with pytest.raises(ParamsError, match=r"shop\.yaml") as told:
            call()
        assert "\n" not in str(told.value)
    assert (tmp_path / "shop.yaml").read_text() == text and names(tmp_path) == ["shop.yaml"]


def test_a_write_that_fails_leaves_the_old_scale(tmp_path, monkeypatch):
    scales.freeze(scale(JULY, 1), tmp_path, "shop")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scales.os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        scales.freeze(scale(JULY, 2), tmp_path, "shop")
    assert names(tmp_path) == ["shop.yaml"] and scales.current(tmp_path, "shop").customers == 1


def test_the_difference_is_one_line():
    new = replace(scale(AUGUST, 12), cuts={**CUTS, "monetary": [6.0, 50.5]})
    assert scales.difference(scale(JULY), None) == "first scale of this report, on 10 customers, valid from 2026-07-31"
    assert scales.difference(new, scale(JULY)) == (
        "against the scale of 2026-07-31 (10 customers, now 12): "
        "monetary 5/50.5 -> 6/50.5; recency_days unchanged; frequency unchanged"
    )
