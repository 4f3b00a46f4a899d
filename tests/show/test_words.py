"""Numbers, money, dates and terms in both languages."""

from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierbook.errors import ParamsError
from tierbook.show.words import Words

EN, ZH = Words("en"), Words("zh")


@pytest.mark.parametrize(
    ("x", "digits", "shown"),
    [
        (1204, 0, "1,204"),
        (0.5, 0, "1"),  # halves go away from zero, as in a spreadsheet
        (2.5, 0, "3"),
        (-0.4, 0, "0"),  # never "−0"
        (-3.14, 1, "−3.1"),
        (np.int64(7), 0, "7"),
        (Decimal("1234567.895"), 2, "1,234,567.90"),
        (None, 0, "–"),
        (np.nan, 0, "–"),
        (pd.NA, 0, "–"),
        (np.inf, 0, "–"),
    ],
)
def test_number(x, digits, shown):
    assert EN.number(x, digits) == shown
    assert ZH.number(x, digits) == shown


def test_percent_takes_a_share_and_rounds_its_decimal_form():
    assert EN.percent(0.46) == "46%"
    assert ZH.percent(0.285) == "29%"  # 28.5, not the float's 28.4999
    assert EN.percent(0.3824, 1) == "38.2%"


@pytest.mark.parametrize(
    ("x", "shown"), [(0.064, "+6.4%"), (-0.031, "−3.1%"), (0, "0.0%"), (0.0001, "0.0%"), (None, "–")]
)
def test_change_carries_a_true_sign(x, shown):
    assert EN.change(x) == shown


def test_points():
    assert ZH.points(0.004) == "+0.4个百分点"
    assert EN.points(-0.004) == "−0.4 pp"


@pytest.mark.parametrize(
    ("x", "zh", "en"),
    [
        (12_846_000, "1,284.6万元", "CN¥12.85M"),
        (9_999, "9,999元", "CN¥9,999"),
        (9_999.6, "1.0万元", "CN¥10,000"),  # 10,000 once rounded
        (10_000, "1.0万元", "CN¥10,000"),
        (8.1, "8.10元", "CN¥8.10"),
        (-20_500, "−2.1万元", "−CN¥20,500"),  # 2.05 rounds away from zero
        (999_999, "100.0万元", "CN¥999,999"),
        (1_000_000, "100.0万元", "CN¥1.00M"),
        (0, "0.00元", "CN¥0.00"),
        (None, "–", "–"),
    ],
)
def test_money_of_china(x, zh, en):
    assert ZH.money(x) == zh
    assert EN.money(x) == en


def test_money_of_elsewhere():
    assert Words("en", "USD").money(1234) == "$1,234"
    assert Words("zh", "USD").money(1_234_000) == "US$123.4万"
    assert Words("en", "XYZ").money(-12) == "−XYZ\u00a012.00"


@pytest.mark.parametrize(
    ("largest", "zh", "en"),
    [
        (99_999, (1, 0, "元"), (1, 0, "CN¥")),
        (100_000, (10_000, 1, "万元"), (1, 0, "CN¥")),
        (99, (1, 2, "元"), (1, 2, "CN¥")),
    ],
)
def test_a_column_of_money_shares_one_unit(largest, zh, en):
    assert ZH.money_unit(largest) == zh
    assert EN.money_unit(largest) == en


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 10, 31),
        datetime(2026, 10, 31, 23, 59),
        pd.Timestamp("2026-10-31"),
        np.datetime64("2026-10-31"),
        "2026-10-31",
    ],
)
def test_dates(day):
    assert EN.date(day) == "October 31, 2026"
    assert ZH.date(day) == "2026年10月31日"
    assert EN.date(day, "short") == "2026-10-31"
    assert EN.month(day) == "October 2026"
    assert ZH.month(day) == "2026年10月"


def test_missing_dates_and_bare_months():
    assert EN.date(pd.NaT) == "–"
    assert ZH.month("2026-10") == "2026年10月"


@pytest.mark.parametrize(
    ("low", "high", "kind", "shown"),
    [
        (35, 52, "number", "35–52"),
        (0.369, 0.39, "percent.1", "36.9–39.0%"),
        (38_900_000, 43_600_000, "money", "3,890.0–4,360.0万元"),
        (8_000, 12_000, "money", "8,000元–1.2万元"),  # different units stay
        (-9, 25, "number", "−9 – 25"),
        (None, 25, "number", "–"),
    ],
)
def test_span(low, high, kind, shown):
    assert ZH.span(low, high, kind) == shown


def test_sentences_take_formats_plurals_terms_and_functions():
    message = "{n:number|customer|customers}, {s:percent} of {tier:term.tier}, {gain:+money}, {f}, {range:span.percent}"
    said = EN.text(message, n=1, s=0.46, tier="high", gain=4.6, f=lambda w: w.language, range=(0.06, 0.12))
    assert said == "1 customer, 46% of High value, +CN¥4.60, en, 6–12%"
    assert EN.text("{n:number|customer|customers}", n=0) == "0 customers"
    assert ZH.text("{tiers:list.tier}", tiers=["high", "low"]) == "高价值和低价值"


def test_html_escapes_values_but_not_the_message():
    assert EN.html("<b>{name}</b>", name="<script>'&") == "<b>&lt;script&gt;&#x27;&amp;</b>"
    assert EN.html("{x:term.arm}", x="<i>") == "&lt;i&gt;"
    assert EN.text("{name}", name="{name} <b>") == "{name} <b>"


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="unknown format 'percentage'"):
        EN.text("{x:percentage}", x=1)


def test_terms():
    assert EN.term("stage", "at_risk") == "At risk"
    assert ZH.term("verdict", "no_difference") == "未检出差异"
    assert ZH.term("cluster", 3) == "3"
    assert ZH.term("tier", None) == "–"
    own = Words("zh", terms={"tier": {"gold": {"zh": "金卡"}}})
    assert (own.term("tier", "gold"), own.term("tier", "high"), own.term("tier", "silver")) == (
        "金卡",
        "高价值",
        "silver",
    )
    assert own.term_rank("tier", "gold") == 0
    assert own.term_rank("tier", "outside") > own.term_rank("tier", "high")
    assert EN.term_rank("tier", "high") < EN.term_rank("tier", "low")


def test_an_unknown_language_is_told_which_there_are():
    with pytest.raises(ParamsError, match="'fr'; there are en, zh"):
        Words("fr")


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
def test_money_mirrors_its_sign(x):
    for words in (EN, ZH):
        assert words.money(-x).replace("−", "") == words.money(x).replace("−", "")
        assert "-" not in words.money(x)


@given(st.integers(-(10**9), 10**9))
def test_whole_numbers_survive(x):
    assert int(EN.number(x).replace(",", "").replace("−", "-")) == x
