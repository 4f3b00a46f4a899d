"""The chapters' sentences: which one is said, and with which values."""

import numpy as np
import pandas as pd

from tierbook.show import chapters
from tierbook.show.words import Words

EN = Words("en", "USD", {"period": {"month": {"en": "This month"}}})


def card(*rows):
    columns = ["chapter", "measure", "value", "low", "high", "n"]
    known = pd.DataFrame(rows, columns=columns)
    return known.assign(previous=np.nan, year_ago=np.nan, target=np.nan, change=np.nan, unit="share")


def said(sentences):
    return [EN.html(message, **values) for message, values in sentences]


CHANNELS = pd.DataFrame({"channel": ["all", "web", "<b>", "radio"], "cost_per_newcomer": [14.0, 20.0, 5.0, np.nan]})


def test_acquire():
    rows = card(
        ("acquire", "new_customers", 128.0, np.nan, np.nan, np.nan), ("acquire", "acquisition_cost", 88.9, np.nan, np.nan, 128),
        ("acquire", "second_order_rate", 0.42, 0.34, 0.5, 134),
    )  # fmt: skip
    assert said(chapters.acquire(rows, CHANNELS)) == [
        "<b>128 customers bought for the first time</b> this month; to win one cost $88.90.",
        "Of those won three months earlier 42% bought again within 90 days (95% interval 34–50%, 134 customers).",
        "In twelve months a new customer cost least through the channel “&lt;b&gt;” ($5.00) and most through “Web” ($20.00).",
    ]
    assert said(chapters.acquire(rows.head(1), CHANNELS.head(2))) == [
        "<b>128 customers bought for the first time</b> this month."
    ]
    assert chapters.acquire(rows.head(0), CHANNELS.head(0)) == []


def test_keep_says_why_there_is_no_retention_rate():
    rows = card(("keep", "retention_rate", 0.44, 0.42, 0.46, 2650), ("keep", "flagged_bought", 0.04, 0.02, 0.07, 223))
    first, second = said(chapters.keep(rows))
    assert first.startswith("<b>44% of the year before's customers bought again</b>") and "42–46%" in first
    assert second == "Of the 223 customers flagged a month ago, 4% have bought since."
    small = card(("keep", "retention_rate", np.nan, np.nan, np.nan, 9))
    assert said(chapters.keep(small)) == [
        "No retention rate is told: it needs two whole years of orders and 10 customers of the first."
    ]


def test_develop():
    rows = card(
        ("develop", "upgrades", 106.0, np.nan, np.nan, 2960), ("develop", "upgrade_rate", 0.0358, 0.0297, 0.0431, 2960),
        ("develop", "downgrades", 251.0, np.nan, np.nan, 2960), ("develop", "cross_sell_rate", 0.698, 0.68, 0.71, 2960),
        ("develop", "categories_per_customer", 3.37, np.nan, np.nan, 2960),
    )  # fmt: skip
    first, second = said(chapters.develop(rows))
    assert first.startswith("<b>106 customers moved up a tier, 251 moved down</b>; 3.6%") and "3.0–4.3%" in first
    assert second == "70% of customers buy from two or more categories, 3.4 categories each on average."
    assert chapters.develop(rows.head(0)) == []


def test_the_bridge():
    table = pd.DataFrame(
        {
            "period": "month",
            "step": ["year_ago", "new", "kept_more", "kept_less", "lost", "now"],
            "amount": [1000.0, 300, 200, -150, -250, 1100],
        }
    )
    assert said(chapters.bridge(table)) == [
        "<b>This month: net sales $1,100, +10.0% against a year before.</b> New customers +$300, won back $0.00, kept +$50.00, lost −$250."
    ]
    assert said(chapters.bridge(table.head(0))) == [
        "The data do not reach back a year before this month: there is no bridge."
    ]


def test_the_budget_tells_of_tiers_beyond_the_bounds_alone():
    table = pd.DataFrame(
        {
            "tier": ["high", "low", "outside"], "cost_share": [0.2, 0.5, 0.3], "contact_share": [0.3, 0.3, 0.3],
            "profit_share": [0.6, 0.2, 0.01], "basis": "net_sales", "verdict": ["under", "over", "over"],
        }
    )  # fmt: skip
    assert said(chapters.budget(table)) == [
        "Tier “High value” takes 20% of the contact budget and brings 60% of net sales: under half its share.",
        "Tier “Low value” takes 50% of the contact budget and brings 20% of net sales: over twice its share.",
    ]
    assert said(chapters.budget(table.assign(verdict="level"))) == [
        "No tier takes over twice or under half of its share of profit from the contact budget."
    ]
    assert "Nobody was contacted" in said(chapters.budget(table.head(0)))[0]


def test_rows_leave_out_columns_that_nobody_fills():
    rows = card(
        ("keep", "retention_rate", 0.44, 0.42, 0.46, 2650), ("acquire", "new_customers", 1.0, np.nan, np.nan, np.nan)
    )
    assert "target" not in chapters.rows(rows, "keep") and "low" in chapters.rows(rows, "keep")
    assert "low" not in chapters.rows(rows, "acquire") and len(chapters.rows(rows, "acquire", "keep")) == 2
