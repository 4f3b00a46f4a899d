"""Drawings of the scorecard: the sentence holds the computed value, both languages draw, thin frames too."""

import numpy as np
import pandas as pd
import pytest

from tierbook.show import figures
from tierbook.show.pictures.scorecard import draw_budget, draw_revenue_bridge
from tierbook.show.words import Words

STEPS = ["year_ago", "new", "won_back", "kept_more", "kept_less", "lost", "no_customer", "now"]
BRIDGE = pd.DataFrame(
    {
        "step": STEPS,
        "amount": [491.0, 30, 25, 60, -250, -110, -3, 243],
        "after": [491.0, 521, 546, 606, 356, 246, 243, 243],
    }
)
BUDGET = pd.DataFrame(
    {
        "tier": ["high", "low", "outside", "new"],
        "contact_share": [0.1, 0.6, 0.3, np.nan],
        "cost_share": [0.2, 0.5, 0.3, np.nan],
        "profit_share": [0.6, 0.3, 0.1, np.nan],
        "basis": "margin",
        "budget_index": [1 / 3, 5 / 3, 3, np.nan],
    }
)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("draw", "frame"), [(draw_revenue_bridge, BRIDGE), (draw_budget, BUDGET)])
def test_both_languages_draw(draw, frame, language):
    assert "<svg" in figures.render(draw, Words(language, "CNY"), frame)


def said(draw, frame):
    from matplotlib.figure import Figure

    figures.setup()
    ax = Figure().subplots()
    return ax, draw(ax, Words("en", "USD", {"bridge_step": {"kept_less": {"en": "Buying less"}}}), frame)


def test_the_bridge_names_its_ends_and_the_largest_step_and_reaches_the_end():
    ax, alt = said(draw_revenue_bridge, BRIDGE)
    assert alt == "Net sales went from $491 to $243; the largest step is “Buying less” with −$250."
    bars = ax.patches
    assert [round(bar.get_x(), 6) for bar in bars] == [0, 491, 521, 546, 606, 356, 246, 0]
    assert bars[4].get_width() == -250 and bars[-1].get_width() == 243
    assert len({bars[k].get_facecolor() for k in (0, 1, 4)}) == 3, "a total, a gain, a loss"


def test_a_bridge_of_nothing_draws():
    nothing = pd.DataFrame({"step": ["year_ago", "now"], "amount": [0.0, 0.0], "after": [0.0, 0.0]})
    assert "$0.00" in said(draw_revenue_bridge, nothing)[1]


def test_the_budget_names_the_tier_furthest_from_its_share():
    ax, alt = said(draw_budget, BUDGET)
    # 1/3 and 3 are equally far; the first in the order of tiers is named
    assert alt == "Furthest apart is tier “High value”: 20% of the budget, 60% of the profit."
    assert len(ax.patches) == 6, "newcomers have no share"


def test_a_budget_without_shares_draws():
    alone = BUDGET.assign(budget_index=np.nan, profit_share=np.nan)
    assert said(draw_budget, alone)[1].startswith("No tier")
