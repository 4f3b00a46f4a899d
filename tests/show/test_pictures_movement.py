"""Drawings of movement: the sentence holds the computed value, both languages draw, thin frames do not crash."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from tierbook.show import figures
from tierbook.show.pictures.movement import draw_falls, draw_moves, draw_sizes
from tierbook.show.words import Words

ORDER = ["high", "potential", "ordinary", "low"]
MOVES = pd.DataFrame(
    {
        "from_tier": ["high", "high", "low", "new", "outside"],
        "to_tier": ["high", "low", "outside", "ordinary", "outside"],
        "customers": [10, 3, 2, 4, 50],
    }
)
FALLS = pd.DataFrame(
    {"end": [dt.date(2026, 8, 31), dt.date(2026, 9, 30), dt.date(2026, 10, 31)], "customers": 20, "fallen": [2, 5, 7]}
)
SIZES = pd.DataFrame({"high": [3, 4, 5], "low": [3, 4, 5]}, index=FALLS["end"])


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.filterwarnings("error")
def test_full_one_row_and_empty_frames_draw_in_both_languages(language):
    words = Words(language)
    for rows in (None, 1, 0):
        assert "<svg" in figures.render(draw_moves, words, MOVES.iloc[:rows], ORDER)
        assert "<svg" in figures.render(draw_falls, words, FALLS.iloc[:rows], (1.0, 4.0))
        assert "<svg" in figures.render(draw_falls, words, FALLS.iloc[:rows], (np.nan, np.nan))
        assert "<svg" in figures.render(draw_sizes, words, SIZES.iloc[:rows])


def test_the_sentences_count_who_moved_and_who_fell():
    # moved: 3 high → low, 2 low → outside, 4 new → ordinary; who stayed (10 and 50) is not counted
    assert "9 customers have another tier" in figures.render(draw_moves, Words("en"), MOVES, ORDER)
    assert "7 customers left the best tier" in figures.render(draw_falls, Words("en"), FALLS, (1.0, 4.0))
    assert "期末最高层级有5名客户。" in figures.render(draw_sizes, Words("zh"), SIZES)


def test_names_at_equal_heights_do_not_overlap():
    from matplotlib.figure import Figure

    figures.setup()
    ax = Figure().subplots()
    draw_sizes(ax, Words("en"), SIZES)
    low, high = sorted(note.xy[1] for note in ax.texts)
    assert high - low >= 0.06 * ax.get_ylim()[1]
