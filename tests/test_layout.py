"""Where a table begins: titles above a header, at half its width and just over it; the delimiter of the first lines."""

import pytest

from tierbook import layout

HEAD, ROW = ["订单", "买家", "日期", "金额"], ["o1", "张三", "2026-01-01", "5"]


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ([HEAD, ROW], 0),
        ([HEAD], 0),
        ([["title"], HEAD, ROW], 1),
        ([["title"], [], ["导出时间：2026-01-01"], HEAD], 3),
        ([["a", "b", "", ""], HEAD, ROW], 1),  # two of four cells: a title
        ([["a", "b", "c", ""], ROW, ROW], 0),  # three of four: a header with a gap
        (
            [["店铺", "张三", "2026-01-01", ""], HEAD, ROW],
            1,
        ),  # three of four, but a date among them and a fuller row below
        ([ROW, ROW], 0),  # no header at all: the first row stands for it, and its cells are told
        ([["title"], ["id", "day"], ["a", "2026-01-01"]], 1),
        ([["id"], ["a"], ["b"]], 0),
        ([[], ["", " "]], None),
        ([], None),
    ],
)
def test_the_header_is_the_first_row_that_is_no_title(rows, place):
    assert layout.header_row(rows) == place


@pytest.mark.parametrize("mark", layout.DELIMITERS)
def test_the_delimiter_is_judged_on_several_lines(mark):
    title = "Shop, all orders; a|b\tc, d; e, f, g\n"  # more commas than the table has columns
    lines = [title, *(mark.join(["id", "day", "amount"]) + "\n" for _ in range(4))]
    assert layout.delimiter(lines) == mark


def test_a_decimal_comma_makes_no_columns():
    assert layout.delimiter(["id;day;amount\n", "a;2026-01-01;1,50\n", "b;2026-01-02;2,50\n"]) == ";"


def test_names_that_stand_twice():
    assert layout.repeats(["a", " A ", "", "", "b"]) == {"a"}
