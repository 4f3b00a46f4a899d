"""Drawings of the segmentation: the sentence carries the computed value, both languages draw, one customer draws too."""

import warnings

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import segmentation
from tierbook.scores import maps
from tierbook.scores.rfm import Scale
from tierbook.show import figures
from tierbook.show.pictures import segments as pictures
from tierbook.show.words import Words

EN, ZH = Words("en", "USD"), Words("zh", "CNY")
SCALE = Scale(
    5,
    {"recency_days": [10.0, 20.0, 40.0, 80.0], "frequency": [1.0, 2.0, 3.0, 5.0], "monetary": [5.0, 10.0, 50.0, 90.0]},
    "fixed",
    6,
    "2026-10-31",
)
TIERS = pd.DataFrame(
    {
        "name": ["high", "ordinary", "low"],
        "customers": [2, 5, 3],
        "share": [0.2, 0.5, 0.3],
        "revenue_share": [0.7, 0.3, 0],
    }
)
MEASURES = pd.DataFrame({"recency_days": [1.0, 15, 300], "frequency": [1.0, 3, 40], "monetary": [9.0, -4, 900]})


def drawn(draw, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pages = [figures.render(draw, words, *args, **options) for words in (EN, ZH)]
    return pages[0].split('aria-label="')[1].split('"')[0]


def test_shares_name_the_best_tier():
    assert drawn(pictures.draw_shares, TIERS) == "High value: 20% of customers, 70% of net sales."
    drawn(pictures.draw_shares, TIERS.assign(revenue_share=np.nan).head(1))


@pytest.mark.parametrize("rows", [MEASURES, MEASURES.head(1), MEASURES.iloc[[1]], MEASURES.head(0)])
def test_cuts_draw_for_many_one_and_no_customers(rows):
    said = drawn(pictures.draw_cuts, segmentation.spread(rows), SCALE, panels=(1, 3))
    assert said == "The worst recency score begins after 80 days without an order."


def test_cuts_draw_what_the_customers_themselves_would():
    """The bars of counts are those of the customers: 30 bins of days, orders up to 15, 30 bins of money above zero."""
    from matplotlib.figure import Figure

    rng = np.random.default_rng(5)
    rows = {
        "recency_days": rng.integers(0, 365, 400),
        "frequency": rng.geometric(0.2, 400),
        "monetary": rng.normal(50, 40, 400),
    }
    rows = pd.DataFrame(rows, dtype=float)
    figures.setup()
    axes = Figure().subplots(1, 3)
    pictures.draw_cuts(axes, EN, segmentation.spread(rows), SCALE)
    heights = [[bar.get_height() for bar in ax.patches] for ax in axes]
    assert heights[0] == np.histogram(rows["recency_days"], 30)[0].tolist()
    assert heights[1] == [int((rows["frequency"].clip(upper=15) == n).sum()) for n in range(1, 16)]
    assert len(heights[2]) == 30 and sum(heights[2]) == (rows["monetary"] > 0).sum()


@pytest.mark.parametrize("name", ["eleven", "eight"])
def test_the_map_names_the_fullest_cell(name):
    scheme = maps.find(name)
    top = scheme.bins
    counted = pd.DataFrame({"r": [top, 1], "f": [top, 1], "m": [top, 1], "customers": [2, 1]})
    cells = segmentation.cell_map(scheme, counted)
    said = drawn(pictures.draw_map, cells)
    assert said.startswith(f"Most customers, 2, are in cell {top}{top}{top}: ")
    assert said.endswith(("Champions.", "Important – value."))


def test_the_map_writes_names_where_they_fit_and_letters_elsewhere():
    from matplotlib.figure import Figure

    # two rows of r, f and m of 1 and 2: one segment holds the left half, the other three cells of the right
    names = [["left", "left", "right", "right"], ["left", "left", "right", "left"]]
    figures.setup()
    ax = Figure(figsize=(8, 4)).subplots()
    named = pictures._name_regions(ax, EN, np.array(names, dtype=object))
    assert named.tolist() == [[True, True, True, True], [True, True, False, False]]
    # the middle of the largest blocks: two by two cells, then, of two equal ones, the wider
    assert [(text.get_text(), text.get_position()) for text in ax.texts] == [
        ("left", (1.0, 1.0)),
        ("right", (3.0, 0.5)),
    ]
    assert (
        pictures._fitted("An endless name", 30, 40) is None
        and pictures._fitted("潜力忠诚客户", 40, 40) == "潜力忠诚\n客户"
    )


def test_the_map_draws_without_customers():
    nobody = segmentation.cells(pd.DataFrame(columns=["r", "f", "m"]))
    drawn(pictures.draw_map, segmentation.cell_map(maps.find("eleven"), nobody))


@pytest.mark.parametrize("lost_days", [None, 82.0, 500.0])
def test_comeback_says_both_ends(lost_days):
    bands = pd.DataFrame({"silent_from": [0, 30], "silent_to": [29.0, np.nan], "came_back": [0.8, 0.1]})
    said = drawn(pictures.draw_comeback, bands, lost_days)
    assert said == "80% of those silent under 30 days came back, 10% of the longest silent."
