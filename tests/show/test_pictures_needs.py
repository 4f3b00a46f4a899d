"""Drawings of needs: the sentence carries the computed value, both languages draw, little data does not break."""

import warnings

import numpy as np
import pandas as pd

from tierbook.insight import upsell
from tierbook.show import figures
from tierbook.show.pictures import needs as pictures
from tierbook.show.words import Words

TERMS = {
    "price_band": {
        "entry": {"en": "Entry", "zh": "入门"},
        "middle": {"en": "Middle", "zh": "中间"},
        "top": {"en": "Top", "zh": "高"},
    }
}
EN, ZH = Words("en", "USD", TERMS), Words("zh", "CNY", TERMS)

# of 100 with a TV, 40 bought a stand, 25 were expected; the second pair is not recommended
PAIRS = pd.DataFrame(
    {
        "have": ["TV", "音响"], "next": ["Stand $5 $x", "TV"], "customers_have": [100, 50], "customers_both": [40, 20],
        "confidence": [0.4, 0.4], "expected": [25.0, 25.0], "recommended": [True, False],
    }
)  # fmt: skip
# of the high tier 60 % have a TV where 30 % were expected; of the low 10 % where 20 % were
LIKES = pd.DataFrame(
    {
        "item": ["TV"] * 3, "tier": ["all", "high", "low"], "share": [0.3, 0.6, 0.1], "expected": [0.3, 0.3, 0.2],
        "differs": [None, "above", "below"],
    }
)  # fmt: skip


def drawn(draw, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pages = [figures.render(draw, words, *args, **options) for words in (EN, ZH)]
    return pages[0].split('aria-label="')[1].split('"')[0]


def test_the_pairs_say_what_was_bought_and_what_was_to_be_expected():
    said = drawn(pictures.draw_pairs, PAIRS)
    assert said == "Of the buyers of “TV”, 40% also bought “Stand $5 $x”; 25% were to be expected."


def test_only_recommended_pairs_are_drawn_and_no_more_than_twelve():
    figures.setup()
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    pictures.draw_pairs(ax, EN, pd.concat([PAIRS] * 20, ignore_index=True))
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["TV → Stand $5 $x"] * 12


def test_preferences_name_the_strongest():
    said = drawn(pictures.draw_preferences, LIKES, ["high", "low"])
    assert said.startswith("“High value” prefers “TV” most: 60% bought it; 1 cells lie above") and "1 below" in said


def test_no_preference_and_an_unknown_share_draw():
    even = LIKES.assign(differs=[None, "usual", None], share=[0.3, 0.3, np.nan])
    assert drawn(pictures.draw_preferences, even, ["high", "low"]) == "No tier prefers any of 1 items beyond chance."


def test_bands_say_how_many_of_the_entry_band_moved_up():
    # of 20 in the entry band 5 went to the middle and 3 to the top: 40 %
    counts = pd.DataFrame([(0, 0, 12), (0, 1, 5), (0, 2, 3), (1, 1, 4)], columns=["from_band", "to_band", "customers"])
    moves = upsell.table(counts.assign(item="all", tier="low"), "windows", ["low"])
    assert drawn(pictures.draw_bands, moves[moves["tier"] == "all"]) == (
        "Of those who began in the entry band, 40% went to a dearer one."
    )
    few = moves[(moves["tier"] == "all") & (moves["from_band"] == "middle")]
    assert drawn(pictures.draw_bands, few) == "Too few customers to tell shares of the entry band."
