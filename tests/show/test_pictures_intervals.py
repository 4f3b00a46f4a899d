"""Dots with intervals: both languages, empty tables, and the sentence for who cannot see them."""

import numpy as np
import pandas as pd
import pytest

from tierbook.show import figures
from tierbook.show.pictures.intervals import draw_odds, draw_shares
from tierbook.show.words import Words

TERMS = {
    "holding": {"loan": {"en": "Personal loan", "zh": "个人贷款"}, "card": {"en": "Card", "zh": "银行卡"}},
    "compared": {"crude": {"en": "All", "zh": "全部"}, "adjusted": {"en": "Like with like", "zh": "同类相比"}},
}
SHARES = pd.DataFrame(
    {
        "product": ["loan", "loan", "card", "card"],
        "tier": ["low", "high"] * 2,
        "share": [0.2, 0.104, np.nan, 0.5],
        "low": [0.19, 0.09, np.nan, 0.4],
        "high": [0.21, 0.12, np.nan, 0.6],
    }
)
ODDS = pd.DataFrame(
    {
        "group": ["compared", "compared", "tier"],
        "code": ["crude", "adjusted", "high"],
        "value": [3.99, 1.617, 0.9],
        "low": [3.5, 1.4, 0.5],
        "high": [4.6, 1.9, 1.6],
    }
)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.filterwarnings("error")
def test_they_draw_in_both_languages_and_without_rows(language):
    words = Words(language, terms=TERMS)
    for rows in (SHARES, SHARES.head(1), SHARES.head(0), SHARES.assign(share=np.nan)):
        assert "<svg" in figures.render(draw_shares, words, rows, "product", "holding")
    for rows in (ODDS, ODDS.head(1), ODDS.head(0), ODDS.assign(value=np.nan)):
        assert "<svg" in figures.render(draw_odds, words, rows)


def test_the_sentences_hold_the_values():
    words = Words("en", terms=TERMS)
    drawn = figures.render(draw_shares, words, SHARES, "product", "holding")
    assert 'aria-label="Personal loan: Low value 20.0% and High value 10.4%."' in drawn
    drawn = figures.render(draw_odds, words, ODDS)
    assert 'aria-label="Odds ratio 3.99 over all, 1.62 comparing like with like."' in drawn
    assert "No odds ratio can be compared." in figures.render(draw_odds, words, ODDS.head(1))


def test_tiers_have_their_own_colours_and_the_first_lies_lowest():
    figures.setup()
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    draw_shares(ax, Words("en", terms=TERMS), SHARES, "product", "holding")
    dots = {line.get_color(): line.get_ydata()[0] for line in ax.lines if line.get_xdata()[0] in (0.2, 0.104)}
    low, high = figures.TIER_COLOURS["low"], figures.TIER_COLOURS["high"]
    bottom, top = ax.get_ylim()
    assert set(dots) == {low, high} and bottom > dots[low] > dots[high] > top
    assert [text.get_text() for text in ax.get_yticklabels()] == ["Personal loan", "Card"]


def test_a_ratio_axis_is_logarithmic_and_holds_every_interval():
    figures.setup()
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    draw_odds(ax, Words("en", terms=TERMS), ODDS)
    first, last = ax.get_xlim()
    assert ax.get_xscale() == "log" and 0 < first < ODDS["low"].min() and last > ODDS["high"].max()
