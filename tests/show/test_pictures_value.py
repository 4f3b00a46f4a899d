"""Drawings of value: the sentence holds the computed value, both languages draw, empty and one-row frames do not crash."""

import numpy as np
import pandas as pd
import pytest

from tierbook.show import figures
from tierbook.show.pictures.value import draw_calibration, draw_expected_orders, draw_value_by_tier
from tierbook.show.words import Words

BANDS = pd.DataFrame(
    {
        "slice": ["frequency_0", "frequency_1", "frequency_2"],
        "customers": [100, 50, 4],
        "actual": [0.25, 2.0, np.nan],
        "predicted": [0.75, 1.5, np.nan],
        "past_rate": [0.0, 3.0, np.nan],
    }
)
TIERS = pd.DataFrame({"tier": ["high", "low"], "total_clv": [300.0, 100.0], "clv_share": [0.75, 0.25]})
GRID = pd.DataFrame([[1.0, 2.5], [0.5, np.nan]], index=["0–30", "31–90"], columns=["1", "2"])


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("draw", "frame"), [(draw_calibration, BANDS), (draw_value_by_tier, TIERS), (draw_expected_orders, GRID)]
)
def test_full_one_row_and_empty_frames_draw_in_both_languages(draw, frame, language):
    for part in (frame, frame.head(1), frame.head(0)):
        assert "<svg" in figures.render(draw, Words(language), part)


def test_the_calibration_sentence_counts_orders_not_customers():
    # forecast 100 × 0.75 + 50 × 1.5 = 150; actual 100 × 0.25 + 50 × 2 = 125; the band of 4 customers has no numbers
    assert 'aria-label="150 orders were forecast and 125 placed."' in figures.render(
        draw_calibration, Words("en"), BANDS
    )


def test_the_value_sentence_names_the_largest_tier():
    assert "The tier High value holds 75% of the expected value." in figures.render(
        draw_value_by_tier, Words("en"), TIERS
    )


def test_the_expected_orders_sentence_names_the_highest_cell():
    assert "预期订单数最高的一组为2.5单。" in figures.render(draw_expected_orders, Words("zh"), GRID)
