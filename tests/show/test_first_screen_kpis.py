"""The first screen's figures: each with its corner of the outcome triangle, what stands beside it, and its past."""

import numpy as np
import pandas as pd

from tierbook.show import first_screen
from tierbook.show.words import Words


def card(**values):
    units = {"net_sales": "money", "nps": "points", "high_value_customers": "customers"}
    rows = [
        (name, value, value, np.nan, np.nan, np.nan, 0.4, 0.6, units.get(name, "share"), 50)
        for name, value in values.items()
    ]
    columns = ["measure", "value", "previous", "year_ago", "target", "change", "low", "high", "unit", "n"]
    return pd.DataFrame(rows, columns=columns)


WHOLE = card(
    net_sales=1e6, identified_share=0.9, high_value_customers=554.0, high_value_share=0.59, high_value_margin_share=0.58,
    repeat_rate=0.5, retention_rate=0.44, nps=21.0, csat=0.75,
)  # fmt: skip


def test_every_box_names_its_corner_and_what_belongs_to_it():
    page = first_screen.kpis(Words("en", "USD"), WHOLE, {}, (40, (29.0, 52.0)))
    boxes = page.split('<div class="kpi">')[1:]
    for box, (corner, measure, beside) in zip(
        boxes,
        [
            ("Profit contribution", "Net sales", "identified customers 90%"),
            ("Profit contribution", "High-value customers", "58% of the year&#x27;s margin"),
            ("Loyalty", "Repeat purchase rate", "12-month retention 44%"),
            ("Satisfaction", "Net promoter score", "75% satisfied"),
        ],
        strict=True,
    ):
        assert f"<h2><small>{corner}</small><br>{measure}</h2>" in box
        assert beside in box.replace("'", "&#x27;"), beside


def test_without_a_margin_the_share_is_of_sales_and_what_is_unknown_is_left_out():
    some = WHOLE[~WHOLE["measure"].isin(["high_value_margin_share", "retention_rate", "csat", "identified_share"])]
    page = first_screen.kpis(Words("en", "USD"), some, {})
    assert "59% of the year's sales" in page and "retention" not in page and "satisfied" not in page
    unknown = WHOLE.assign(value=WHOLE["value"].where(WHOLE["measure"] != "retention_rate"))
    assert "retention" not in first_screen.kpis(Words("en", "USD"), unknown, {})
