"""The gates in words: every one has its sentence and its advice in both languages, and numbers read by their unit."""

import string

import pandas as pd
import pytest

from tierbook.insight.gates import COLUMNS, NAMES, judged
from tierbook.params import Gate
from tierbook.show import gates as told
from tierbook.show.first_screen import trust
from tierbook.show.words import Words

TERMS = {
    "gate": {name: {"en": f"Gate {name}", "zh": f"要求 {name}"} for name in NAMES},
    "impossible": {"price_far_off": {"en": "Price far off", "zh": "单价过高"}},
}
EN, ZH = Words("en", "USD", TERMS), Words("zh", "CNY", TERMS)
ABOUT = {
    "min_month_share": "2026-10",
    "max_finance_gap": "2026-10",
    "max_missing_change": "store",
    "max_impossible_share": "price_far_off",
    "max_damaged_share": "masked_id",
    "max_other_currency_share": "USD",
}


def missed(**values):
    """Every gate named missed by the value given."""
    return judged({name: (value, ABOUT.get(name)) for name, value in values.items()}, Gate())


def test_every_gate_has_its_words():
    assert set(told.FOUND) == set(told.ADVICE) == set(NAMES)
    values = {name: 0.0 if name.startswith("min_") else 7e3 for name in NAMES}
    for gate in missed(**values).itertuples():
        assert gate.result != "pass"
        for words in (EN, ZH):
            for said in (told.sentence(words, gate), told.advice(words, gate)):
                assert said and "{" not in said.replace("{USD: 7.1}", "")
    for message in told.FOUND.values():
        assert {name for _, name, _, _ in string.Formatter().parse(message) if name} <= {"value", "limit", "about"}


@pytest.mark.parametrize(
    ("gate", "value", "said"),
    [
        ("min_customers", 499, "Only 499 customers (at least 500 are asked for)"),
        ("max_duplicate_share", 0.031, "3.1% of order lines are copies of another (at most 2.0% are expected)"),
        ("max_impossible_share", 0.0012, "0.12% of the lines counted hold a value that cannot be (at most 0.10%"),
        ("max_impossible_share", 0.5, "most often: Price far off."),
        ("min_month_share", 0.25, "The orders of October 2026 come to 25.0% of a usual month (at least 50.0%"),
        ("max_missing_change", 0.5, "empty cells in “Store” changed by 50.0%"),
        ("max_finance_gap", 0.012, "Net sales of October 2026 differ from finance's figure by 1.20% (at most 0.50%"),
        ("max_other_currency_share", 0.03, "another currency without a rate (USD; limit 20.0%)"),
        ("stated_total", 12.5, "differ from their lines by $12.50."),
    ],
)
def test_sentences_carry_value_and_limit(gate, value, said):
    assert said in told.sentence(EN, next(missed(**{gate: value}).itertuples()))


def test_lines_name_the_gate_of_the_params_and_what_to_do():
    lines = told.lines(EN, missed(max_duplicate_share=0.5, max_damaged_share=0.0, max_other_currency_share=0.1))
    assert [line.split(":")[0] for line in lines] == ["max_duplicate_share", "max_other_currency_share"]
    assert "overlap_by: order_id" in lines[0] and "rates: {USD: 7.1}" in lines[1]


def test_the_table_escapes_what_comes_from_data():
    page = told.table(EN, missed(max_other_currency_share=0.1).assign(about="<script>"))
    assert "<script>" not in page and "&lt;script&gt;" in page and "≤ 20.0%" in page and "Gate max_other" in page
    assert "≥ 500" in told.table(ZH, missed(min_customers=1))


def test_what_was_not_judged_is_named():
    assert told.unjudged(pd.DataFrame(columns=COLUMNS)) == list(NAMES)
    assert "min_customers" not in told.unjudged(missed(min_customers=1))


ROWS = pd.DataFrame(
    {
        "table": "transactions",
        "reason": ["kept", "status"],
        "rows": [90, 10],
        "amount": [1000.0, 50.0],
        "example": [None, "closed"],
    }
)


def test_the_first_screen_trusts_what_passes():
    page = trust(EN, ROWS, missed(max_duplicate_share=0.0, min_customers=500))
    assert "The data can be used." in page and "doubt" not in page and "finance" not in page
    assert "100 order lines read, 90 counted for known customers, worth $1,000." in page


@pytest.mark.parametrize(("gap", "is_missed"), [(0.0, False), (0.005, False), (0.012, True)])
def test_the_first_screen_always_tells_the_difference_to_finance(gap, is_missed):
    page = trust(EN, ROWS, missed(max_finance_gap=gap))
    assert ("doubt" in page) == is_missed == ("Read with care." in page)
    assert EN.percent(gap, 2) in page and "October 2026" in page and page.count("finance") == 1


def test_the_first_screen_tells_every_gate_missed():
    page = trust(EN, ROWS, missed(max_duplicate_share=0.5, min_customers=3, max_days_since_last_order=5))
    assert "Read with care." in page and "copies of another" in page and "fixed thresholds" in page
    assert "as-of date" not in page
