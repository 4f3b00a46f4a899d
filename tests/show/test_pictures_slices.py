"""Drawings of slices and concentration: the sentence carries the computed value, and hostile or few data draw."""

import warnings

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import concentration
from tierbook.show import figures
from tierbook.show.pictures import slices as pictures
from tierbook.show.words import Words

TERMS = {"slice": {"unknown": {"en": "Unknown", "zh": "未知"}}}
EN, ZH = Words("en", "USD", TERMS), Words("zh", "CNY", TERMS)
TABLE = pd.DataFrame(
    {
        "value": ["East", "<b>北京</b> $x_{ \U00012000" * 3, "unknown"],
        "in_window": [100, 50, 9],
        "best_customers": [40, 5, 3],
        "best_share": [0.40, 0.10, np.nan],
        "best_low": [0.31, 0.04, np.nan],
        "best_high": [0.50, 0.21, np.nan],
        "differs": ["above", "below", None],
    }
)


def drawn(draw, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pages = [figures.render(draw, words, *args, **options) for words in (EN, ZH)]
    return pages[0].split('aria-label="')[1].split('"')[0]


def test_slices_count_what_differs():
    # 48 of 159 are 30 %
    said = drawn(pictures.draw_slices, TABLE, "high")
    assert said == "Of 3 slices, 2 differ from the whole (30%) by more than chance."


@pytest.mark.parametrize("rows", [[0], [2], []])
def test_one_slice_too_small_or_none_draws(rows):
    drawn(pictures.draw_slices, TABLE.iloc[rows], "high")


def test_the_curve_tells_a_fifth_and_the_coefficient():
    # ten customers, the best two bring 55 + 9 of 100; Gini 0.57 as in test_concentration
    amounts = pd.Series([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 55])
    said = drawn(pictures.draw_pareto, concentration.pareto(amounts), concentration.gini(amounts))
    assert said == "The best 20% of customers bring 64% of net sales; Gini coefficient 0.57."
