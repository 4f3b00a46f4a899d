"""The alert map: its sentence, both languages, the held-out hollow, and no dot too many."""

import numpy as np
import pandas as pd
import pytest

from tierbook.show import figures
from tierbook.show.pictures.alerts import MOST_POINTS, draw_alert_map
from tierbook.show.words import Words

ALERTS = pd.DataFrame(
    {
        "customer_id": ["a", "b", "c", "d"],
        "tier": ["high", "low", "high", "A <b> $x"],
        "value_at_stake": [5000.0, 0.0, 800.0, 20.0],
        "risk": [0.6, 0.8, 0.9, 0.55],
        "held_out": [False, False, True, False],
    }
)


def axes():
    from matplotlib.figure import Figure

    figures.setup()
    return Figure().subplots()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.filterwarnings("error")
def test_full_one_row_and_empty_frames_draw_in_both_languages(language):
    for part in (ALERTS, ALERTS.head(1), ALERTS.head(0)):
        assert "<svg" in figures.render(draw_alert_map, Words(language), part, threshold=0.5)


def test_the_sentence_counts_money_and_held_out():
    said = draw_alert_map(axes(), Words("en"), ALERTS)
    assert said == "4 customers are on the list with CN¥5,820 at stake; 1 of them held out."
    assert draw_alert_map(axes(), Words("en"), ALERTS.head(1)).startswith("1 customer is on the list")


def test_held_out_dots_are_hollow_and_every_customer_has_one():
    ax = axes()
    draw_alert_map(ax, Words("en"), ALERTS)
    dots = [(len(dots.get_offsets()), len(dots.get_facecolor()) == 0) for dots in ax.collections]
    assert sum(n for n, _ in dots) == 4 and sum(n for n, hollow in dots if hollow) == 1
    assert min(dots.get_offsets()[:, 1].min() for dots in ax.collections if len(dots.get_offsets())) == 1, (
        "on a log scale"
    )


@pytest.mark.parametrize(("n", "cut"), [(MOST_POINTS, False), (MOST_POINTS + 1, True)])
def test_the_axis_says_when_only_the_highest_are_drawn(n, cut):
    many = pd.DataFrame(
        {
            "customer_id": [f"c{k:04}" for k in range(n)],
            "tier": "high",
            "value_at_stake": np.arange(n) + 1.0,
            "risk": 0.5,
            "held_out": False,
        }
    )
    ax = axes()
    draw_alert_map(ax, Words("en"), many)
    assert sum(len(dots.get_offsets()) for dots in ax.collections) == MOST_POINTS
    assert ("the 600 highest" in ax.get_ylabel()) == cut
