"""Drawings of value: the sentence holds the computed value, both languages draw, empty and one-row frames do not crash."""

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import value_spread
from tierbook.show import figures
from tierbook.show.pictures.value import (
    draw_calibration,
    draw_cumulative_orders,
    draw_expected_orders,
    draw_value_by_tier,
    draw_value_distribution,
)
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


def drawn(draw, language, frame, *more, panels=1):
    from matplotlib.figure import Figure

    figures.setup()
    axes = Figure().subplots(panels)
    return axes, draw(axes, Words(language), frame, *more)


ADDED_UP = pd.DataFrame(
    {"day": [20000, 20007, 20010, 20014], "actual": [5, 9, 12, 20], "expected": [4.0, 8.0, 10.0, 15.0]}
)
VALUED = pd.DataFrame(
    {"clv": [5.0, np.nan, 100, *np.arange(18)], "clv_low": 0.0, "clv_high": [0.0, np.nan, 250, *np.arange(18) * 2]}
)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.filterwarnings("error")
def test_added_drawings_of_full_one_row_and_empty_frames(language):
    for rows in (None, 1, 0):
        assert "<svg" in figures.render(draw_cumulative_orders, Words(language), ADDED_UP.iloc[:rows], 20010)
        assert "<svg" in figures.render(
            draw_value_distribution, Words(language), spread_of(VALUED.iloc[:rows]), panels=(2, 1)
        )


def spread_of(customers):
    return value_spread.spread(customers["clv"], customers["clv_low"], customers["clv_high"])


def test_the_cumulative_sentence_counts_from_the_cut():
    # 15 - 10 forecast, 20 - 12 made
    ax, sentence = drawn(draw_cumulative_orders, "en", ADDED_UP, 20010)
    assert sentence == "5 repeat purchases were forecast and 8 made." and len(ax.texts) == 1
    # a model of the last day forecasts nothing: what it fits is told
    ax, sentence = drawn(draw_cumulative_orders, "en", ADDED_UP, 20014)
    assert sentence == "15 repeat purchases were forecast and 20 made." and not ax.texts


def test_the_distribution_says_middle_and_mean_and_shows_ten_customers():
    (counts, examples), sentence = drawn(draw_value_distribution, "en", spread_of(VALUED), panels=2)
    # 5, 100 and 0 to 17: the tenth and eleventh of twenty are 8 and 9, the sum is 258
    assert sentence == "Half of the customers are worth CN¥8.50 or less, the mean is CN¥12.90."
    assert sum(bar.get_height() for bar in counts.patches) == 20
    shares = [label.get_text() for label in examples.get_yticklabels()]
    # places 1, 3 … 19 of 0 to 19: 1.5 of 20 is 8 % (7.5 rounded away from zero)
    assert shares == ["8%", "18%", "28%", "38%", "48%", "58%", "68%", "78%", "88%", "98%"]
    shown = examples.collections[-1].get_offsets()[:, 0]
    # in order 0 1 2 3 4 5 5 6 7 8 9 10 11 12 13 14 15 16 17 100
    assert shown.tolist() == [1, 3, 5, 6, 8, 10, 12, 14, 16, 100]
    shuffled = VALUED.sample(frac=1, random_state=1)
    assert drawn(draw_value_distribution, "en", spread_of(shuffled), panels=2)[1] == sentence
