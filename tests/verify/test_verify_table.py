"""The judge of figures and its page: bounds at their edges, and that nothing that is off, skipped or broken is lost."""

from types import SimpleNamespace

import pytest
from verify_table import Figures, page


@pytest.mark.parametrize(
    ("got", "within", "held"),
    [(5.0, 0.0, True), (5.001, 0.0, False), (5.25, 0.25, True), (4.75, 0.25, True), (5.26, 0.25, False)],
)
def test_near_holds_up_to_its_tolerance(got, within, held):
    figures = Figures()
    figures.near("r", "by hand", 5, got, within)
    assert figures.rows[0].held is held


@pytest.mark.parametrize(
    ("got", "held"), [(0.93, True), (0.9299, False), (0.97, True), (0.9701, False), (float("nan"), False)]
)
def test_between_holds_on_both_bounds_and_never_for_null(got, held):
    figures = Figures()
    figures.between("coverage", "by hand", 0.93, 0.97, got, aim=0.95)
    assert figures.rows[0].held is held and figures.rows[0].expected == "0.95"


def test_null_is_near_nothing():
    figures = Figures()
    figures.near("r", "by hand", 5, float("nan"), 100)
    assert figures.rows[0].held is False


def test_digits_are_shown_as_far_as_the_tolerance_reaches():
    figures = Figures()
    figures.near("log-likelihood", "paper", -9582.4256, -9582.42563, 5e-5)
    figures.near("rows", "file", 1_067_370, 1_067_370)
    assert [(row.expected, row.got) for row in figures.rows] == [
        ("-9,582.4256", "-9,582.425630"),
        ("1,067,370", "1,067,370"),
    ]


def report(when="teardown", outcome="passed", rows=(), longrepr=None):
    figures = [("figure", list(row)) for row in rows]
    return SimpleNamespace(
        when=when, skipped=outcome == "skipped", nodeid=f"tests/verify/t.py::{outcome}", user_properties=figures,
        longrepr=longrepr,
    )  # fmt: skip


def test_the_page_tells_every_figure_in_the_order_of_tests_and_what_gave_none():
    late, early = (9, "B", "x|y", "how", "1", "2", "exact", False), (2, "A", "z", "how", "1", "1", "exact", True)
    reports = [
        report(rows=[late]), report(rows=[early]), report("call", "failed"),
        report("setup", "skipped", longrepr=("f.py", 1, "Skipped: no data")),
    ]  # fmt: skip
    text = page(reports, 12.4)
    assert "1 of 2 figures hold; 2 tests gave none (below)." in text and ", 12 s on " in text
    assert text.index("| z | how | 1 | 1 | exact | ✓ |") < text.index("| x/y | how | 1 | 2 | exact | **off** |")
    assert "- skipped: tests/verify/t.py::skipped: no data" in text
    assert "- **broken**: tests/verify/t.py::failed (call)" in text
