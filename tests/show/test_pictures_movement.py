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


YEAR = [dt.date(2025, 10, 31) + pd.offsets.MonthEnd(k) for k in range(13)]
YEAR = [end.date() if hasattr(end, "date") else end for end in YEAR]
EVENTS = {
    "event": {
        "national": {"en": "National Day", "zh": "国庆"},
        "double_11": {"en": "Double 11", "zh": "双11"},
        "double_12": {"en": "Double 12", "zh": "双12"},
        "spring": {"en": "Spring Festival", "zh": "春节"},
    }
}
MARKS = {
    YEAR[0]: ["national"], YEAR[1]: ["double_11"], YEAR[2]: ["double_12", "spring"], YEAR[3]: ["spring"],
    YEAR[4]: ["spring"], YEAR[5]: [], YEAR[12]: ["national"],
}  # fmt: skip
CROWDED = {
    draw_falls: (pd.DataFrame({"end": YEAR, "customers": 20, "fallen": range(13)}), (1.0, 4.0)),
    draw_sizes: (pd.DataFrame({"high": range(13), "low": range(13)}, index=pd.Index(YEAR, name="end")),),
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("draw", CROWDED)
def test_holidays_stand_beneath_their_months_and_do_not_overlap(draw, language):
    from matplotlib.figure import Figure

    figures.setup()
    words = Words(language, terms=EVENTS)
    figure = Figure(figsize=(8.0, 4.2), layout="constrained")
    ax = figure.subplots()
    draw(ax, words, *CROWDED[draw], marks=MARKS)
    figure.draw_without_rendering()
    names = {words.term("event", code) for codes in MARKS.values() for code in codes}
    found = [text for text in ax.texts if any(name in text.get_text() for name in names)]
    assert [text.xy[0] for text in found] == [0, 1, 2, 3, 4, 12]
    assert found[2].get_text() == words.list(["double_12", "spring"], "event")
    months = [label.get_window_extent() for label in ax.get_xticklabels()]
    boxes = [text.get_window_extent() for text in found]
    for place, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in [*boxes[:place], *months])
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1


@pytest.mark.parametrize("marks", [None, {}, {dt.date(2020, 1, 31): ["spring"]}])
def test_without_holidays_the_picture_is_as_before(marks):
    words = Words("en", terms=EVENTS)
    assert figures.render(draw_falls, words, FALLS, (1.0, 4.0), marks=marks) == figures.render(
        draw_falls, words, FALLS, (1.0, 4.0)
    )
