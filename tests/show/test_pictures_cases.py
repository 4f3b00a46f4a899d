"""The case studies' drawings: both languages, null shares, and sentences that carry the figures."""

import numpy as np
import pandas as pd
import pytest

from tierbook.cases import tiers_ahead
from tierbook.insight import alert_backtest
from tierbook.show import figures
from tierbook.show.pictures.alert_rules import draw_rules, shop_column
from tierbook.show.pictures.tiers_ahead import draw_tiers_ahead
from tierbook.show.words import Words

SHOPS = {"case_shop": {"one": {"en": "Shop one", "zh": "一号店"}, "two": {"en": "Shop two", "zh": "二号店"}}}
TIERS = pd.DataFrame(
    [("high", 20, 0.2, 18, 0.9, 0.70, 0.97, 680.0, 0.68, 34.0), ("ordinary", 75, 0.75, 30, 0.4, 0.3, 0.51, 300.0, 0.30, 4.0),
     ("low", 5, np.nan, 1, np.nan, np.nan, np.nan, 20.0, np.nan, np.nan)],
    columns=tiers_ahead.COLUMNS,
)  # fmt: skip
RULES = pd.DataFrame(
    [("both_fell_by_half", 0.38, 0.2, 0.32, 0.29, 0.36, 0.6, 1.6, np.nan), ("silent_3x_gap", 0.01, 0.2, *[np.nan] * 6),
     ("ours", 0.2, 0.2, 0.48, 0.43, 0.53, 0.48, 2.4, 0.78)],
    columns=alert_backtest.COLUMNS,
)  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.filterwarnings("error")
def test_both_drawings_in_both_languages(language):
    words = Words(language, "CNY", SHOPS)
    assert "<svg" in figures.render(draw_tiers_ahead, words, TIERS, panels=(1, 3))
    for shops in ({"one": RULES}, {"one": RULES, "two": RULES}):
        assert "<svg" in figures.render(draw_rules, words, shops, panels=(1, len(shops)))


def axes(columns):
    from matplotlib.figure import Figure

    figures.setup()
    return Figure().subplots(1, columns)


def test_tiers_stand_best_on_top_with_their_figures():
    drawn = axes(3)
    said = draw_tiers_ahead(drawn, Words("en"), TIERS)
    assert said.startswith("20% of customers are High value; 90% of them came back and brought 68% of the next sales.")
    assert [label.get_text() for label in drawn[0].get_yticklabels()] == ["High value", "Ordinary", "Low value"]
    assert drawn[0].yaxis_inverted()
    assert [text.get_text() for text in drawn[1].texts] == ["90%", "40%", "–"]


def test_rules_without_precision_have_no_row_and_ours_is_told():
    drawn = axes(2)
    said = draw_rules(drawn, Words("en", "CNY", SHOPS), {"one": RULES, "two": RULES})
    assert said == "Shop one: 48% of this report's alerts were right, 20% would be by lot."
    assert [text.get_text() for text in drawn[0].texts] == ["48% (20%)", "32% (38%)"]
    assert [ax.get_title(loc="left") or ax.get_title() for ax in drawn] == ["Shop one", "Shop two"]


def test_a_heading_names_the_shop_and_the_column():
    assert shop_column(Words("zh", "CNY", SHOPS), code="one", name="precision") == "一号店 · 命中率"
