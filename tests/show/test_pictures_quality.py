"""Drawings of the data's quality: the sentence carries the computed value, both languages draw, little data draws."""

import warnings

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import profile, rhythm
from tierbook.show import figures
from tierbook.show.pictures import quality as pictures
from tierbook.show.words import Words

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TERMS = {
    "weekday": {
        code: {"en": name, "zh": f"周{n}"} for n, (code, name) in enumerate(zip(rhythm.WEEKDAYS, DAYS, strict=True))
    }
}
EN, ZH = Words("en", "USD", TERMS), Words("zh", "CNY", TERMS)


def drawn(draw, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pages = [figures.render(draw, words, *args, **options) for words in (EN, ZH)]
    return pages[0].split('aria-label="')[1].split('"')[0]


def empty_cells(months):
    # 20 lines a month: store empty in 10, cost in 15, of the last month in 20
    days = pd.DataFrame({"day": [31 * n + 3 for n in range(months)], "rows": 20, "store": 10, "cost": 15})
    days.loc[months - 1, "cost"] = 20
    return profile.missing_by_month(days)


def test_the_emptiest_column_is_named():
    assert drawn(pictures.draw_missing, empty_cells(3)) == "The emptiest column is “Cost”: 100.0% empty in March 1970."
    drawn(pictures.draw_missing, empty_cells(1))


def test_a_month_under_ten_rows_stays_blank():
    drawn(pictures.draw_missing, empty_cells(3).assign(missing_share=[0.5, np.nan, 0.5, 0.75, np.nan, 1.0]))


def test_thirteen_months_are_shown_and_the_newest_is_among_them():
    figures.setup()
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    pictures.draw_missing(ax, EN, empty_cells(20))
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert len(labels) == pictures.MONTHS_SHOWN and labels[-1] == empty_cells(20)["month"].max()


@pytest.mark.parametrize("usual", [(0.02, 0.04), (np.nan, np.nan)], ids=["judged", "too short"])
def test_refunds_of_the_last_month(usual):
    months = pd.DataFrame({"month": ["2026-09", "2026-10"], "refund_share": [0.03, 0.055]})
    assert drawn(pictures.draw_refund_share, months, usual) == "In October 2026 5.5% of sales went back."
    drawn(pictures.draw_refund_share, months.tail(1), usual)


def test_the_busiest_weekday_is_named():
    week = pd.DataFrame({"weekday": rhythm.WEEKDAYS, "orders": [1.0] * 5 + [2.0, 1.5]})
    week["index"] = week["orders"] / week["orders"].mean()  # 2 / (8.5 / 7) = 1.647
    names = [str(p) for p in pd.period_range("2024-01", periods=30, freq="M")]
    years = rhythm.years(pd.DataFrame({"month": names, "orders": range(30)}), names[-1])
    said = "The busiest weekday is Saturday, +64.7% against an average day."
    assert drawn(pictures.draw_rhythm, week, years, panels=(1, 2)) == said
    assert drawn(pictures.draw_rhythm, week, years.head(0), panels=(1, 2)) == said
