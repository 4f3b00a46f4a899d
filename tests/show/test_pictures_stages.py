"""The picture of stage transitions: the sentence counts who moved, cells say rate and number, thin frames draw."""

import numpy as np
import pandas as pd
import pytest

from tierbook.show import figures
from tierbook.show.pictures.stages import draw_transitions
from tierbook.show.words import Words

TERMS = {"stage": {"none": {"en": "First bought since", "zh": "本月首购"}}}
TABLE = pd.DataFrame(
    [
        ("active", "active", 70, 0.7),
        ("active", "at_risk", 30, 0.3),
        ("loyal", "lost", 4, np.nan),
        ("at_risk", "loyal", 0, 0.0),  # made only a year ago
        ("lost", "lost", 20, 1.0),
        ("none", "new", 5, np.nan),
    ],
    columns=["from_stage", "to_stage", "customers", "rate"],
)


def drawn(language, table=TABLE):
    from matplotlib.figure import Figure

    figures.setup()
    ax = Figure().subplots()
    return ax, draw_transitions(ax, Words(language, terms=TERMS), table)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.filterwarnings("error")
def test_full_one_row_and_empty_frames_draw_in_both_languages(language):
    words = Words(language, terms=TERMS)
    for rows in (None, 1, 0):
        assert "<svg" in figures.render(draw_transitions, words, TABLE.iloc[:rows], size=(8, 5))


def test_the_sentence_counts_who_moved_of_those_known_before():
    # moved: 30 to at risk, 4 to lost; known before 70 + 30 + 4 + 20; the five newcomers count in neither
    assert drawn("en")[1] == "34 customers of 124 are in another stage than a month ago."


def test_cells_say_rate_and_number_and_rows_their_size():
    ax, _ = drawn("en")
    assert [text.get_text() for text in ax.texts] == ["70.0%", "70", "30.0%", "30", "4", "100.0%", "20", "5"]
    rows = [label.get_text().replace("\n", " ") for label in ax.get_yticklabels()]
    assert rows == ["Active 100", "Loyal 4", "Lost 20", "First bought since 5"]
    assert [label.get_text() for label in drawn("zh")[0].get_xticklabels()] == [
        "新客",
        "活跃",
        "忠诚",
        "流失风险",
        "流失",
    ]
