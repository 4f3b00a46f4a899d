"""Drawing of a measure by tier: the sentence carries the values, and few, open or hostile data draw."""

import warnings

import numpy as np
import pytest

from tierbook.insight import voice
from tierbook.show import figures
from tierbook.show.pictures.voice import draw_measure
from tierbook.show.words import Words

TERMS = {
    "target_verdict": {"met": {"en": "met", "zh": "达标"}, "missed": {"en": "missed", "zh": "未达标"}},
    "tier": {"x": {"en": "<b>$x_{</b>", "zh": "北京"}},
}
EN, ZH = Words("en", "USD", TERMS), Words("zh", "CNY", TERMS)


def table(rows, target=None, measure="csat"):
    named = [{"tier": tier, "measure": measure, "n": n, **found} for tier, n, found in rows]
    return voice.judged(named, {} if target is None else {measure: target})


def found(value, low=np.nan, high=np.nan):
    return {"value": value, "low": low, "high": high}


def drawn(*args):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pages = [figures.render(draw_measure, words, *args) for words in (EN, ZH)]
    return pages[0].split('aria-label="')[1].split('"')[0]


ROWS = [("all", 40, found(0.75, 0.6, 0.86)), ("high", 30, found(0.9, 0.8, 0.96)), ("low", 4, found(np.nan))]


def test_the_sentence_tells_every_value_and_the_target():
    said = drawn(table(ROWS, 0.8), "csat")
    assert said == "Customer satisfaction (CSAT): All customers 75% and High value 90%; target 80%."


def test_without_a_target_none_is_told():
    assert drawn(table(ROWS), "csat") == "Customer satisfaction (CSAT): All customers 75% and High value 90%."


def test_nothing_to_say():
    assert drawn(table(ROWS[2:]), "csat") == "Customer satisfaction (CSAT): too few answers to say."


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("x", 12, found(4.0, 2.0, np.inf)), ("all", 12, found(np.inf, 5.0, np.inf))],
        [("all", 12, found(0.0, 0.0, 0.0))],
    ],
)
def test_open_ends_zeros_and_strange_names_draw(rows):
    drawn(table(rows, 24, "first_response_hours"), "first_response_hours", "number.1")


def test_below_zero_draws():
    said = drawn(table([("all", 40, found(-12.0, -30.0, 6.0))], measure="nps"), "nps", "number.0")
    assert "−12" in said
