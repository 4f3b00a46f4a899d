"""Drawings of the profile: the sentence carries the computed value, both languages draw, little data does not break."""

import warnings

import numpy as np
import pandas as pd

from tierbook.insight import profile
from tierbook.show import figures
from tierbook.show.pictures import profile as pictures
from tierbook.show.words import Words

EN, ZH = Words("en", "USD"), Words("zh", "CNY")

# read 1000 = status 300 + not a sale −50 (a refund kept apart) + no customer 150 + kept 600
ACCOUNTING = pd.DataFrame(
    {
        "table": "transactions",
        "reason": ["kept", "no_customer", "not_a_sale", "status"],
        "rows": [60, 15, 5, 30],
        "amount": [600.0, 150.0, -50.0, 300.0],
        "example": [None, "o1", "o2", "closed"],
    }
)
MONTHS = pd.DataFrame(
    {
        "month": ["2026-01", "2026-02", "2026-03"],
        "net_sales": [100.0, 0.0, 400.0],
        "identified": [90.0, 0.0, 400.0],
        "refunds": [5.0, 0.0, 0.0],
        "orders": [3, 0, 9],
    }
)


def drawn(draw, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pages = [figures.render(draw, words, *args, **options) for words in (EN, ZH)]
    return pages[0].split('aria-label="')[1].split('"')[0]


def test_the_bridge_says_what_was_read_and_what_counts():
    said = drawn(pictures.draw_bridge, profile.bridge(ACCOUNTING))
    assert said == "Of $1,000 read, $600 count for customers."


def test_a_bridge_with_nothing_set_aside_draws():
    drawn(pictures.draw_bridge, profile.bridge(ACCOUNTING.head(1)))


def test_the_months_name_the_highest():
    assert "3 months" in drawn(pictures.draw_months, MONTHS, panels=(2, 1))
    assert "March 2026 with $400" in drawn(pictures.draw_months, MONTHS, panels=(2, 1))
    drawn(pictures.draw_months, MONTHS.head(1), panels=(2, 1))


def test_many_months_do_not_crowd_the_axis():
    months = [str(p) for p in pd.period_range("2020-01", periods=40, freq="M")]
    long = pd.DataFrame({"month": months, "net_sales": 1.0, "identified": 1.0, "refunds": 0.0, "orders": 1})
    figures.setup()
    from matplotlib.figure import Figure

    axes = Figure().subplots(2, 1)
    pictures.draw_months(axes, EN, long)
    assert len(axes[1].get_xticks()) <= pictures.MOST_MONTH_LABELS
    assert axes[1].get_xticklabels()[0].get_text() == "2023-04", "the newest month always has its label"


def test_purchase_days_say_the_share_of_one_timers():
    # three of four customers bought on one day
    days = profile.purchase_days(pd.DataFrame({"active_days": [1, 12], "customers": [3, 1]}))
    assert drawn(pictures.draw_purchase_days, days) == "75% of customers bought on one day only."


def test_colours_follow_the_direction_of_a_step():
    assert pictures._step_colour("status", 3.0) != pictures._step_colour("not_a_sale", -3.0)
    assert pictures._step_colour("no_customer", 3.0) == pictures.UNKNOWN
    assert np.isfinite(profile.bridge(ACCOUNTING)["after"]).all()
