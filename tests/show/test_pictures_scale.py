"""Drawing of drift: the sentence carries the largest change, both languages draw, nulls are left out."""

import warnings

import pandas as pd

from tierbook.scores.rfm import MEASURES, Scale
from tierbook.show import figures
from tierbook.show.pictures.scale import draw_drift
from tierbook.show.words import Words


def drawn(scale, scores):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        languages = (Words("en", "USD"), Words("zh", "CNY"))
        pages = [figures.render(draw_drift, words, scale, scores, panels=(1, 3)) for words in languages]
    return pages[0].split('aria-label="')[1].split('"')[0]


def test_drift_names_the_score_that_changed_most():
    shares = {"recency_days": [0.5, 0.5], "frequency": [0.5, 0.5], "monetary": [0.9, 0.1]}
    scale = Scale(2, {measure: [10.0] for measure in MEASURES}, "mean", 500, "2026-09-30", shares=shares)
    # of four with all three scores: r 2 and 2, f 3 and 1 (0.25 apart), m 2 and 2 (0.40 apart); the fifth has no m
    rows = {"r": [1, 2, 2, 2], "f": [1, 1, 2, 2], "m": [1, 2, 2, None], "customers": [2, 1, 1, 1]}
    said = drawn(scale, pd.DataFrame(rows, dtype="Int8"))
    assert said == "The largest change: score 1 of M held 90% of customers when frozen, 50% now."
