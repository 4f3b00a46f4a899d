"""Figures: Chinese that draws, alternative text, the same bytes every time."""

import re
import warnings

import pytest

from tierbook.show import figures
from tierbook.show.words import Words

EN, ZH = Words("en"), Words("zh")


def bars(ax, words, title="层级"):
    ax.bar([words.term("tier", code) for code in ("high", "low")], [1204.123456, 3720])
    figures.count_in_words(ax.yaxis, words)
    ax.set_title(title)
    return words.text("{n:number} <b>", n=1204)


def test_chinese_draws_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = figures.render(bars, ZH)
    assert page.startswith('<figure class="fig" role="img" aria-label="1,204 &lt;b&gt;"')
    # each glyph, Chinese ones too, is drawn once and placed by its id
    placed = re.findall(r'<use href="#([^"]+)"', page)
    assert placed and set(placed) <= set(re.findall(r'<path id="([^"]+)"', page))


def test_a_missing_glyph_is_an_error():
    with pytest.raises(UserWarning, match="missing"):
        figures.render(bars, EN, "\U00012000")


def test_labels_from_data_always_draw():
    hostile = "\U00012000 A $5 $x_{ <b>\n" + "很长" * 20
    assert figures.label(hostile) == "? A $5 $x_{ <b> 很长很长很长很…"
    assert len(figures.label(hostile)) == 24
    figures.render(bars, EN, figures.label(hostile))


def test_the_same_figure_has_the_same_bytes_and_no_prolog():
    first, second = figures.render(bars, ZH), figures.render(bars, ZH)
    assert first == second
    for unwanted in ("<?xml", "<!DOCTYPE", "<metadata", "<!--", "<text"):
        assert unwanted not in first


def test_ids_of_two_figures_on_one_page_do_not_clash():
    one, two = figures.render(bars, EN, "one"), figures.render(bars, EN, "two")
    ids = [set(re.findall(r'\bid="([^"]+)"', page)) for page in (one, two)]
    assert ids[0] and not ids[0] & ids[1]
    for page, own in zip((one, two), ids, strict=True):
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', page)) <= own


def test_coordinates_are_short_but_scales_are_whole():
    page = figures.render(bars, EN)
    paths = "".join(re.findall(r'\bd="([^"]*)"', page))
    assert not re.search(r"\d\.\d{3}", paths)
    assert all(float(scale) for scale in re.findall(r"scale\((-?[\d.]+)", page))


def test_a_drawing_without_a_sentence_is_refused():
    with pytest.raises(ValueError, match="must return the figure's alternative text"):
        figures.render(lambda ax, words: None, EN)


def test_panels_give_an_array_of_axes():
    def two(axes, words):
        assert axes.shape == (2,)
        return "two"

    assert 'aria-label="two"' in figures.render(two, EN, panels=(1, 2))


def test_what_is_not_data_follows_the_page_and_stays_dark_on_white_without_one():
    page = figures.render(bars, EN)
    head, svg = page.split("<svg", 1)
    assert "--f-ink:var(--ink,var(--jp-content-font-color1,#1c2430))" in head
    assert "var(--f-ink)" in svg and "var(--f-line)" in svg
    for fixed in (figures.INK, figures.SOFT, figures.GRID, figures.PAPER, "#262626", "#000000"):
        assert fixed not in svg


def test_clusters_get_colours_of_their_own():
    assert len(set(figures.tier_colours([0, 1, 2]).values())) == 3


@pytest.mark.parametrize(
    ("amounts", "spec", "said"),
    [
        ([0, 1e6, 2e6], "money", ["0元", "100万元", "200万元"]),
        ([0, 1.505e6, 3e6], "money", ["0.00元", "150.5万元", "300.0万元"]),
        ([0, 0.05, 0.1], "percent.1", ["0%", "5%", "10%"]),
        ([0, 0.025, 0.05], "percent.1", ["0.0%", "2.5%", "5.0%"]),
        ([-0.1, 0, 0.1], "points", ["−10个百分点", "0个百分点", "+10个百分点"]),
    ],
)
def test_ticks_have_decimals_only_where_one_of_them_needs_them(amounts, spec, said):
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    ax.set_xticks(amounts)
    figures.count_in_words(ax.xaxis, Words("zh", "CNY"), spec)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == said


def test_cells_of_a_table_are_one_picture_and_carry_colour_by_strength():
    import numpy as np
    from matplotlib.colors import to_rgba
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    figures.shade(ax, [[1.0, -0.5, np.nan], [0.0, 2.0, -1.0]])
    cells = np.asarray(ax.images[0].get_array())
    assert list(cells[0, 0]) == pytest.approx(to_rgba(figures.TIER_COLOURS["high"], figures.STRONGEST))
    assert list(cells[0, 1]) == pytest.approx(to_rgba(figures.TIER_COLOURS["low"], figures.STRONGEST / 2))
    assert cells[0, 2, 3] == cells[1, 0, 3] == 0, "null and nought leave the paper"
    assert cells[1, 1, 3] == pytest.approx(figures.STRONGEST), "more than full is full"
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 3), (2, 0))


def test_no_figure_is_left_open():
    import matplotlib.pyplot as plt

    figures.render(bars, EN)
    assert plt.get_fignums() == []
