"""Tables: accessible, sortable, harmless."""

import re
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from tierbook.show import tables
from tierbook.show.words import Words

EN, ZH = Words("en"), Words("zh")


def cells(page, row=0):
    body = re.search(r"<tbody>\n(.*)\n</tbody>", page, flags=re.DOTALL)[1]
    return [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", body.split("\n")[row])]


def test_headings_and_cells_speak_the_language():
    frame = pd.DataFrame({"name": ["high"], "customers": [1204], "share": [0.084], "revenue": [5_900_000.0]})
    page = tables.html(frame, ZH, terms={"name": "tier"}, caption="Contents")
    assert cells(page) == ["高价值", "1,204", "8%", "590.0"]
    assert "净销售额 <small>(万元)</small>" in page
    assert "<caption>目录</caption>" in page
    assert cells(tables.html(frame, EN, terms={"name": "tier"})) == ["High value", "1,204", "8%", "5,900,000"]


def test_headers_have_scope_and_numbers_are_marked():
    page = tables.html(pd.DataFrame({"tier": ["low"], "customers": [7]}), EN)
    assert '<th scope="col" data-k="n">Tier</th><th scope="col" data-k="n" class="n">Customers</th>' in page
    assert '<th scope="row" data-v="4">' in page  # low is the fifth name of the group, whose order tables sort by
    assert '<td class="n" data-v="7">7</td>' in page


def test_hostile_text_does_no_harm():
    evil = '"><script>alert(1)</script>'
    frame = pd.DataFrame({"customer_id": [evil], evil: [evil]})
    page = tables.html(frame, EN, caption=evil, rows=0, file=evil) + tables.html(frame, EN, caption=lambda words: evil)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_null_is_a_dash_that_sorts_last():
    frame = pd.DataFrame(
        {"name": ["a", None], "clv": [np.nan, 2.0], "last_order": [pd.NaT, pd.Timestamp("2026-10-31")]}
    )
    page = tables.html(frame, EN)
    assert cells(page) == ["a", "–", "–"]
    assert cells(page, 1) == ["–", "2.00", "2026-10-31"]
    assert page.count('data-v=""') == 3


def test_types_choose_formats():
    frame = pd.DataFrame(
        {
            "whole": [3.0, None],
            "part": [3.5, 1.0],
            "day": [date(2026, 10, 31), None],
            "exact": [Decimal("1.5"), Decimal(2)],
            "yes": [True, False],
            "count": pd.array([1, None], dtype="Int64"),
        }
    )
    assert cells(tables.html(frame, EN)) == ["3", "3.50", "2026-10-31", "1.50", "yes", "1"]
    assert cells(tables.html(frame, EN), 1) == ["–", "1.00", "–", "2.00", "no", "–"]


def test_formats_of_the_caller_win_and_take_a_colon():
    frame = pd.DataFrame({"share": [0.1234], "x": ["lost"], "gain": [4.61], "loss": [-2.0]})
    page = tables.html(
        frame, EN, formats={"share": "percent.1", "x": "term:stage", "gain": "+money", "loss": "+number"}
    )
    assert cells(page) == ["12.3%", "Lost", "+4.61", "−2"]


def test_a_unit_column_says_how_each_row_reads():
    frame = pd.DataFrame(
        {
            "measure": ["net_sales", "repeat_rate", "nps", "new_customers"],
            "value": [12_846_000.0, 0.382, 31.2, 1310.0],
            "change": [-0.031, 0.004, -2.0, 0.12],
            "unit": ["money", "share", "points", "customers"],
        }
    )
    page = tables.html(frame, ZH)
    assert [cells(page, row) for row in range(4)] == [
        ["净销售额", "1,284.6万元", "−3.1%"],
        ["复购率", "38.2%", "+0.4个百分点"],
        ["净推荐值（NPS）", "31.2", "−2.0"],
        ["新客数", "1,310", "+12.0%"],
    ]
    assert "unit" not in page


def test_null_truth_is_neither_yes_nor_no():
    frame = pd.DataFrame({"x": ["a", "b", "c"], "chosen": pd.array([True, False, None], dtype="boolean")})
    assert [cells(tables.html(frame, EN), row)[1] for row in range(3)] == ["yes", "no", "–"]


@pytest.mark.parametrize(("rows", "said"), [(2, True), (3, False), (4, False)])
def test_a_long_table_says_where_the_rest_is(rows, said):
    page = tables.html(pd.DataFrame({"customer_id": list("abc")}), EN, rows=rows, file="tables/alerts.csv")
    assert page.count("<tr>") == 1 + min(rows, 3)
    assert ("2 of 3 rows shown; all of them are in <code>tables/alerts.csv</code>" in page) is said


def test_a_named_index_is_a_column_and_labels_can_be_terms():
    frame = pd.DataFrame({"new": [15], "lost": [0]}, index=pd.Index(["high"], name="tier"))
    page = tables.html(frame, ZH, labels="stage")
    assert re.findall(r'<th scope="col"[^>]*>([^<]*)', page) == ["层级", "新客", "流失"]
    assert cells(page) == ["高价值", "15", "0"]


def test_lift_has_a_word_of_its_own_in_each_table():
    frame = pd.DataFrame({"lift": [2.0]})
    assert "命中倍数" in tables.html(frame, ZH)
    assert "提升度" in tables.html(frame, ZH, labels="affinity")


def test_heat_is_one_scale_over_its_columns():
    # largest 30 gets the full 60 %, 15 half of it, nothing for 0, the other colour for −30
    frame = pd.DataFrame({"tier": ["a", "b"], "new": [15, 0], "lost": [30, -30]})
    shades = re.findall(r"var\((--[a-z-]+),#\w+\) (\d+)%", tables.html(frame, EN, heat=["new", "lost"]))
    assert shades == [("--heat", "30"), ("--heat", "60"), ("--heat-below", "60")]


@pytest.mark.parametrize("frame", [pd.DataFrame(), pd.DataFrame({"clv": []}), pd.DataFrame({"clv": [None]})])
def test_empty_frames_are_tables_too(frame):
    page = tables.html(frame, EN, heat=list(frame.columns))
    assert page.count("<table") == page.count("</table>") == 1


def test_an_interval_sorts_by_its_lower_end_and_does_not_wrap():
    frame = pd.DataFrame(
        {"tier": ["high", "low", "ordinary"], "interval": [(0.1, 0.25), (0.05, 0.5), (np.nan, np.nan)]}
    )
    page = tables.html(frame, Words("en"), formats={"interval": "span.percent"})
    assert 'data-k="n" class="n">' in page.split("</thead>")[0]
    cells = re.findall(r'<td class="n" data-v="([^"]*)">([^<]*)</td>', page)
    assert cells == [("0.1", "10–25%"), ("0.05", "5–50%"), ("", "–")]
