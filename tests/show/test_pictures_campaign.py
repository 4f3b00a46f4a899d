"""The forest plot: the sentence holds effect and interval in the outcome's unit; thin frames do not crash."""

import numpy as np
import pandas as pd
import pytest

from tierbook.show import figures
from tierbook.show.pictures.campaign import draw_forest, effect, interval
from tierbook.show.words import Words

ROWS = pd.DataFrame(
    {
        "tier": ["all", "high", "low"],
        "outcome": "profit",
        "n_treated": [1500, 300, 5],
        "n_control": [500, 100, 1],
        "effect": [8.1, 138.2, np.nan],
        "low": [-9.25, -9.13, np.nan],
        "high": [25.5, 285.4, np.nan],
    }
)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("outcome", ["response", "orders", "spend", "profit"])
@pytest.mark.filterwarnings("error")
def test_full_one_row_and_empty_frames_draw_in_both_languages(language, outcome):
    for rows in (ROWS, ROWS.head(1), ROWS.tail(1), ROWS.head(0)):
        assert "<svg" in figures.render(draw_forest, Words(language), rows.assign(outcome=outcome))


def test_the_sentence_is_the_totals_effect_with_its_interval():
    assert 'aria-label="全部客户：增量+8元，区间−9 – 26元。"' in figures.render(draw_forest, Words("zh"), ROWS)
    assert "No effect can be given." in figures.render(draw_forest, Words("en"), ROWS.tail(1))


@pytest.mark.parametrize(
    ("outcome", "amount", "said"),
    [
        ("response", 0.157, "+15.7 pp"),
        ("orders", -0.2355, "−0.236"),
        ("profit", 9.994, "+CN¥9.99"),
        ("spend", 10, "+CN¥10"),
    ],
)
def test_an_effect_is_written_in_its_unit(outcome, amount, said):
    assert effect(outcome, amount)(Words("en")) == said


def test_both_ends_of_an_interval_are_written_alike():
    assert interval("profit", -9.13, 285.4)(Words("zh")) == "−9 – 285元"
    assert interval("profit", 0.123, 0.456)(Words("zh")) == "0.12–0.46元"
