"""Drawing of the flow between tiers: bands as high as their customers, each number readable, both languages."""

import itertools

import pandas as pd
import pytest

from tierbook.show import figures
from tierbook.show.pictures.flow import LEAST, draw_flow
from tierbook.show.words import Words

ORDER = ["high", "potential", "ordinary", "low"]
MOVES = pd.DataFrame(
    [
        ("high", "high", 500),
        ("high", "low", 1),
        ("high", "ordinary", 39),
        ("ordinary", "high", 20),
        ("low", "outside", 60),
        ("outside", "ordinary", 10),
        ("outside", "outside", 2000),
        ("new", "ordinary", 70),
    ],
    columns=["from_tier", "to_tier", "customers"],
)
EN = Words("en")


def drawn(table, words=EN):
    from matplotlib.figure import Figure

    figures.setup()
    ax = Figure(figsize=(9, 5.2)).subplots()
    return ax, draw_flow(ax, words, table, ORDER)


def bands(ax):
    from matplotlib.patches import PathPatch

    return [patch.get_path().vertices for patch in ax.patches if isinstance(patch, PathPatch)]


def test_the_sentence_counts_up_down_and_the_largest():
    # up: 20 + 10 = 30; down: 1 + 39 + 60 = 100; newcomers (70) rise from nowhere; the largest move is theirs
    _, said = drawn(MOVES)
    assert said == "30 customers moved up and 100 down; the largest move, 70, is from New this month to Ordinary."


def test_a_band_is_as_high_as_its_customers():
    # 200 moved; who stayed (500 and 2,000) has no band
    ax, _ = drawn(MOVES)
    heights = sorted(vertices[-1][1] - vertices[0][1] for vertices in bands(ax))
    assert heights == pytest.approx([1 / 200, 10 / 200, 20 / 200, 39 / 200, 60 / 200, 70 / 200])


def test_numbers_of_small_bands_do_not_overlap_and_stay_at_both_ends():
    ax, _ = drawn(MOVES)
    for side in (lambda x: 0 < x < 0.3, lambda x: 0.7 < x < 1):
        places = sorted(text.get_position()[1] for text in ax.texts if side(text.get_position()[0]))
        assert len(places) == 6
        assert min(b - a for a, b in itertools.pairwise(places)) >= LEAST * 0.99


def test_tiers_say_who_stayed_and_who_came():
    ax, _ = drawn(MOVES)
    said = [text.get_text() for text in ax.texts]
    assert "High value\n−40, 500 stayed" in said and "High value\n+20" in said
    assert "No order in the window\n60" in said, "of those outside only who moved is told"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.filterwarnings("error")
def test_one_move_none_and_an_empty_table_draw(language):
    for rows in (8, 2, 1, 0):
        page = figures.render(draw_flow, Words(language), MOVES.iloc[:rows], ORDER, size=(9, 5.2))
        assert "<svg" in page and any(sign.isdigit() for sign in page.split('aria-label="')[1].split('"')[0])


def test_order_of_rows_changes_nothing():
    first = figures.render(draw_flow, EN, MOVES, ORDER)
    assert figures.render(draw_flow, EN, MOVES.sample(frac=1, random_state=3), ORDER) == first
