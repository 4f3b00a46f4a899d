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
    assert "NotoSansCJKsc" in page, "the CJK font drew the glyphs"


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


def test_a_tier_keeps_its_colour_and_clusters_get_their_own():
    assert figures.tier_colours(["low", "high"]) == {"low": "#E69F00", "high": "#0072B2"}
    colours = figures.tier_colours([0, 1, 2])
    assert len(set(colours.values())) == 3


def test_no_figure_is_left_open():
    import matplotlib.pyplot as plt

    figures.render(bars, EN)
    assert plt.get_fignums() == []
