"""What is missing to a better tier, in words: both languages, one way and two, and amounts that are enough."""

import datetime as dt
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierbook.show import upgrades
from tierbook.show.words import Words

EN, ZH, USD = Words("en", "CNY"), Words("zh", "CNY"), Words("en", "USD")
DEADLINE = dt.date(2026, 11, 30)
NONE_SUCH = (np.nan, np.nan)
EVIL = '"><script>alert(1)</script>'


@pytest.mark.parametrize(
    "ways, by_days, en, zh",
    [
        ([(1, np.nan)], False, "1 more order of any size, by November 30", "再下1单（金额不限），11月30日前"),
        ([(2, 0)], False, "2 more orders of any size, by November 30", "再下2单（金额不限），11月30日前"),
        ([(1, 230)], False, "CN¥230 more, by November 30", "再消费230元，11月30日前"),
        ([(3, 78.3)], False, "3 more orders with CN¥78.30 or more in all, by November 30", "再下3单且合计满78.30元，11月30日前"),
        ([(1, None), NONE_SUCH], False, "1 more order of any size, by November 30", "再下1单（金额不限），11月30日前"),
        (
            [(2, np.nan), (1, 230)],
            False,
            "2 more orders of any size, or CN¥230 more, by November 30",
            "再下2单（金额不限），或再消费230元，11月30日前",
        ),
        ([(1, np.nan)], True, "1 more day with a purchase of any size, by November 30", "再有1天购买（金额不限），11月30日前"),
        (
            [(3, 500), (2, 900)],
            True,
            "3 more days with a purchase, CN¥500 or more in all, or 2 more days with a purchase, CN¥900 or more in all, "
            "by November 30",
            "再有3天购买且合计满500元，或再有2天购买且合计满900元，11月30日前",
        ),
        ([NONE_SUCH, NONE_SUCH], False, "–", "–"),
        ([], True, "–", "–"),
    ],
)  # fmt: skip
def test_a_gap_in_words(ways, by_days, en, zh):
    assert upgrades.gap(EN, ways, DEADLINE, by_days) == en
    assert upgrades.gap(ZH, ways, DEADLINE, by_days) == zh


@pytest.mark.parametrize(
    "money, usd, zh",
    [  # cents below 100; whole units from there; as coarse as the language writes large amounts
        (99.99, "$99.99", "99.99元"),
        (100.01, "$101", "101元"),
        (230.0, "$230", "230元"),
        (9_999.0, "$9,999", "9,999元"),
        (9_999.01, "$10,000", "1.0万元"),
        (12_001.0, "$12,001", "1.3万元"),
        (12_000.0, "$12,000", "1.2万元"),
        (1_230_000.01, "$1.24M", "123.1万元"),
    ],
)
def test_money_is_rounded_up_as_far_as_it_is_written(money, usd, zh):
    assert upgrades.gap(USD, [(1, money)], DEADLINE) == f"{usd} more, by November 30"
    assert upgrades.gap(ZH, [(1, money)], DEADLINE) == f"再消费{zh}，11月30日前"


@given(st.integers(1, 3 * 10**8))
def test_who_spends_what_is_read_has_spent_enough(cents):
    """The amount read back from the page is the one needed or more, and at most 10 % or one unit too much."""
    needed = Decimal(cents) / 100
    english = re.search(r"\$([\d,.]+)(M?) more", upgrades.gap(USD, [(1, float(needed))], DEADLINE))
    chinese = re.search(r"再消费([\d,.]+)(万?)元", upgrades.gap(ZH, [(1, float(needed))], DEADLINE))
    for found, unit in ((english, 1_000_000), (chinese, 10_000)):
        read = Decimal(found[1].replace(",", "")) * (unit if found[2] else 1)
        assert needed <= read <= max(needed * Decimal("1.1"), needed + 1)


def candidates(**changed):
    row = {
        "customer_id": "C01", "tier": "potential", "stage": "active", "monetary": 5_000.0, "next_tier": "high",
        "orders_missing": 2.0, "spend_missing": np.nan, "alt_orders": 1.0, "alt_spend": 230.0, "deadline": DEADLINE,
    }  # fmt: skip
    return pd.DataFrame([{**row, **changed}, {**row, "customer_id": "C02", "alt_orders": np.nan, "alt_spend": np.nan}])


def rows_of(page):
    body = re.search(r"<tbody>\n(.*)\n</tbody>", page, flags=re.DOTALL)[1]
    return [[re.sub(r"<[^>]+>", "", c) for c in re.findall(r"<t[hd].*?</t[hd]>", line)] for line in body.split("\n")]


def test_the_table_says_in_words_what_is_missing():
    assert rows_of(upgrades.candidates_html(EN, candidates())) == [
        ["C01", "Potential", "High value", "2 more orders of any size, or CN¥230 more, by November 30", "Active", "5,000"],
        ["C02", "Potential", "High value", "2 more orders of any size, by November 30", "Active", "5,000"],
    ]  # fmt: skip
    chinese = upgrades.candidates_html(ZH, candidates())
    assert rows_of(chinese)[0][1:5] == ["潜力", "高价值", "再下2单（金额不限），或再消费230元，11月30日前", "活跃"]
    assert "距下一层级还差" in chinese


def test_rows_beyond_those_shown_are_counted_not_shown():
    page = upgrades.candidates_html(EN, candidates(), rows=1, file="tables/upgrade_candidates.csv")
    assert "1 of 2 rows shown" in page and "tables/upgrade_candidates.csv" in page
    assert "C02" not in page


def test_days_are_told_where_frequency_counts_days():
    page = upgrades.candidates_html(EN, candidates(), by_days=True)
    assert "2 more days with a purchase of any size" in page and "more order" not in page


def test_hostile_text_does_no_harm():
    for page in (
        upgrades.candidates_html(EN, candidates(customer_id=EVIL)),
        upgrades.kept_html(EN, kept(customer_id=EVIL), DEADLINE),
    ):
        assert "<script>" not in page and "&lt;script&gt;" in page


def kept(**changed):
    row = {
        "customer_id": "C01", "tier": "high", "computed": "ordinary", "net": 900.0, "held_since": dt.date(2026, 9, 30),
        "held_until": dt.date(2026, 12, 31), "keep_orders": 1.0, "keep_spend": 120.5,
    }  # fmt: skip
    return pd.DataFrame([{**row, **changed}, {**row, "customer_id": "C02", "keep_orders": np.nan}])


def test_kept_tiers_say_what_would_earn_them_again():
    """120.50 is written in whole units and rounded up; where nothing can be promised there is a dash."""
    assert rows_of(upgrades.kept_html(EN, kept(), DEADLINE)) == [
        ["C01", "High value", "Ordinary", "2026-12-31", "CN¥121 more, by November 30", "900"],
        ["C02", "High value", "Ordinary", "2026-12-31", "–", "900"],
    ]
    chinese = upgrades.kept_html(ZH, kept(), DEADLINE)
    assert "再消费121元，11月30日前" in chinese and "窗口期净销售额" in chinese and "保级至" in chinese


def test_nobody_is_an_empty_table():
    for frame, show in (
        (candidates(), upgrades.candidates_html),
        (kept(), lambda w, f: upgrades.kept_html(w, f, DEADLINE)),
    ):
        assert "<td" not in show(EN, frame.head(0))
