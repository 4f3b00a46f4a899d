"""Drawings of cohorts: sentences hold computed values, blank cells stay blank, both languages draw, thin frames too."""

import numpy as np
import pandas as pd
import pytest

from tierbook.show import figures
from tierbook.show.pictures.cohorts import draw_cumulative_value, draw_payback, draw_retention
from tierbook.show.words import Words

KEPT = pd.DataFrame(
    [
        ("2026-01", 0, 100, 100, 1.0), ("2026-01", 1, 100, 30, 0.3), ("2026-01", 2, 100, 0, 0.0),
        ("2026-02", 0, 60, 60, 1.0), ("2026-02", 1, 60, 10, 10 / 60), ("2026-02", 2, np.nan, np.nan, np.nan),
        ("2026-03", 0, 9, 9, np.nan), ("2026-03", 1, 9, 9, np.nan),
        ("2026-04", 0, np.nan, np.nan, np.nan),
    ],
    columns=["cohort", "month", "customers", "active", "share"],
)  # fmt: skip
CURVES = pd.DataFrame(
    {"cohort": ["2026-01"] * 3 + ["2026-02"], "month": [0, 1, 2, 0], "net": [10, 20, np.nan, 12.0], "margin": [4, 8, np.nan, 5.0]}
)  # fmt: skip
WHOLE = pd.DataFrame({"month": [0, 1, 2], "net": [11.0, 21.0, np.nan], "margin": [4.5, 8.5, np.nan]})
EXPECTED = pd.DataFrame({"month": [0, 1, 2, 3], "money": [12.0, 19.0, 25.0, 30.0]})
PAID = pd.DataFrame(
    [
        ("2026-01", 100, 7.0, 8.5, 2.0, 3, "paid_back"), ("2026-02", 60, 9.0, 5.0, np.nan, 2, "not_yet"),
        ("2026-03", 9, np.nan, np.nan, np.nan, 0, "too_few_customers"), ("2026-04", 50, 3.0, np.nan, np.nan, 0, "not_yet"),
    ],
    columns=["cohort", "customers", "cost_per_customer", "margin_to_date", "months_to_payback", "horizon", "payback"],
)  # fmt: skip


def drawn(draw, language, *frames, **options):
    from matplotlib.figure import Figure

    figures.setup()
    ax = Figure().subplots()
    return ax, draw(ax, Words(language), *frames, **options)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("draw", "frames"),
    [(draw_retention, [KEPT]), (draw_payback, [PAID]), (draw_cumulative_value, [CURVES, WHOLE, EXPECTED])],
)
def test_full_one_row_and_empty_frames_draw_in_both_languages(draw, frames, language):
    for rows in (None, 1, 0):
        assert "<svg" in figures.render(draw, Words(language), *[frame.iloc[:rows] for frame in frames])


def test_retention_leaves_blank_what_is_not_known():
    ax, sentence = drawn(draw_retention, "en", KEPT)
    # of the cohorts with a share: 30 of 100 and 10 of 60 bought in month 1
    assert sentence == "25% of new customers buy again in the month after the first."
    assert [text.get_text() for text in ax.texts] == ["30", "0", "17"]
    rows = [label.get_text() for label in ax.get_yticklabels()]
    assert rows == ["2026-01  (100)", "2026-02  (60)", "2026-03  (9)"], "April's month 0 is not over"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2"]


def test_retention_shows_the_newest_30_cohorts_and_24_months():
    months = [str(month) for month in pd.period_range("2022-01", periods=36, freq="M")]
    rows = [(cohort, k, 50, 5, 0.1) for n, cohort in enumerate(months) for k in range(36 - n)]
    ax, _ = drawn(draw_retention, "zh", pd.DataFrame(rows, columns=list(KEPT)))
    # the newest 30 have 1 to 30 months: 0 to 29 after the first, of which at most 24 are drawn
    assert len(ax.get_yticklabels()) == 30 and len(ax.get_xticklabels()) == 24
    assert len(ax.texts) == sum(min(k, 24) for k in range(30))


def test_cumulative_value_ends_where_everyone_ends():
    ax, sentence = drawn(draw_cumulative_value, "en", CURVES, WHOLE, EXPECTED, measure="margin")
    assert sentence == "A customer has brought CN¥8.50 after 2 months."
    lines = {line.get_label(): line for line in ax.lines}
    assert lines["Expected of a new customer"].get_xydata().tolist() == [[1, 12], [2, 19]]
    assert lines["All customers"].get_xydata().tolist() == [[1, 4.5], [2, 8.5]]
    assert ax.get_ylabel() == "Margin per customer won"
    assert "Expected of a new customer" not in {
        line.get_label() for line in drawn(draw_cumulative_value, "en", CURVES, WHOLE, EXPECTED.head(0))[0].lines
    }


def test_channels_have_names_and_their_own_look():
    channels = [f"c{n}" for n in range(9)] + ["unknown"]
    curves = pd.DataFrame({"channel": channels * 2, "month": [0] * 10 + [1] * 10, "net": np.arange(20.0)})
    ax, _ = drawn(draw_cumulative_value, "en", curves, WHOLE, EXPECTED)
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == [*channels[:9], "Unknown", "All customers", "Expected of a new customer"]
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.lines}) == 12


def test_payback_says_how_many_are_back_and_leaves_out_what_is_not_known():
    ax, sentence = drawn(draw_payback, "en", PAID)
    assert sentence == "The cost of winning a customer is back in 1 of 2 groups."
    assert [text.get_text() for text in ax.texts] == ["back after 2 months", "not yet after 2 months"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["2026-01  (100)", "2026-02  (60)"]


def test_cumulative_value_by_channel_names_the_best_and_the_worst_channel_at_a_month_all_have_reached():
    curves = pd.DataFrame({"channel": ["store", "store", "web"], "month": [0, 1, 0], "net": [10.0, 20.0, 12.0]})
    _, said = drawn(draw_cumulative_value, "en", curves, WHOLE, EXPECTED)
    # web has month 0 only: there 12 beside 10
    assert said.startswith("After 1 month customers from ") and "most, CN¥12.00 each" in said and "CN¥10.00." in said
