"""The scorecard: every measure of a month by hand, and its change."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from tierbook.accounting import day_number
from tierbook.insight import scorecard

START, END = dt.date(2026, 9, 30), dt.date(2026, 10, 31)


def day(text):
    return day_number(dt.date.fromisoformat(text))


def month(**given):
    sales = pd.DataFrame(
        [(day("2026-09-30"), "kept", 1000.0), (day("2026-10-01"), "kept", 300.0), (day("2026-10-31"), "kept", 50.0),
         (day("2026-10-31"), "no_customer", 150.0), (day("2026-11-01"), "kept", 7000.0)],
        columns=["day", "reason", "net"],
    )  # fmt: skip
    tiers = pd.DataFrame(
        {
            "end": [day_number(END)] * 12 + [day_number(START)],
            "customer_id": [f"c{n}" for n in range(13)],
            "tier": ["high"] * 3 + ["low"] * 9 + ["high"],
            "net": [200.0] * 3 + [100.0] * 9 + [9.0],
            "active_days": [2, 2, 5, 1] + [1] * 8 + [1],
        }
    )
    first_days = pd.Series([day("2026-09-30"), day("2026-10-01"), day("2026-10-31"), day("2026-11-01")])
    tables = {"surveys": None, "costs": None, "leads": None}
    known = {"end": END, "start": START, "sales": sales, "first_days": first_days, "tiers": tiers, "best": "high"}
    return scorecard.Month(**{**known, **tables, **given})


def of(found, measure):
    return found.set_index("measure").loc[measure]


def test_a_month_by_hand():
    found = scorecard.measures(month())
    assert of(found, "new_customers")["value"] == 2, "first purchases on 1 and 31 October"
    assert of(found, "net_sales")["value"] == 300 + 50 + 150
    assert of(found, "identified_share")["value"] == pytest.approx(350 / 500)
    assert of(found, "high_value_customers")[["value", "n"]].tolist() == [3, 12]
    assert of(found, "high_value_share")["value"] == pytest.approx(600 / 1500)
    # 3 of 12 bought on two days or more; Wilson: (0.25 + 1.9208/12) / 1.32013 = 0.31062, half
    # 1.96 × √(0.25 × 0.75/12 + 3.8416/576) / 1.32013 = 0.22170
    repeat = of(found, "repeat_rate")
    assert repeat[["value", "n"]].tolist() == [0.25, 12]
    assert (repeat["low"], repeat["high"]) == (pytest.approx(0.0889, abs=2e-4), pytest.approx(0.5323, abs=2e-4))
    assert not found["measure"].isin(["nps", "csat", "acquisition_cost", "conversion_rate"]).any()
    assert found["measure"].is_unique


def test_a_repeat_rate_of_nil_has_a_width_and_one_of_nine_customers_is_not_told():
    tiers = month().tiers.assign(active_days=1)
    nil = of(scorecard.measures(month(tiers=tiers)), "repeat_rate")
    assert nil["value"] == 0 == nil["low"] and nil["high"] > 0.2
    nine = of(scorecard.measures(month(tiers=tiers.head(9))), "repeat_rate")
    assert np.isnan(nine["value"]) and nine["n"] == 9


def test_surveys_costs_and_leads_of_the_month():
    surveys = pd.DataFrame(
        {
            "answered_at": pd.to_datetime(
                ["2026-09-30 23:59"] + ["2026-10-01 00:00"] * 5 + ["2026-10-31 23:59"] * 5 + ["2026-11-01 00:00", None]
            ),
            "nps": [0] + [10] * 10 + [0, 0],
            "csat": [1] + [5] * 5 + [2] * 5 + [1, 1],
        }
    )
    costs = pd.DataFrame({"month": ["2026-09", "2026-10", "2026-10"], "amount": [999.0, 30.0, 20.0]})
    leads = pd.DataFrame(
        {
            "created_at": pd.to_datetime(["2026-10-05"] * 10 + ["2026-09-05"]),
            "customer_id": ["c1", "c2", "c3"] + [None] * 7 + ["c9"],
        }
    )
    found = scorecard.measures(month(surveys=surveys, costs=costs, leads=leads))
    assert of(found, "nps")[["value", "n"]].tolist() == [100, 10]
    assert of(found, "csat")[["value", "n"]].tolist() == [0.5, 10]
    assert of(found, "acquisition_cost")["value"] == 50 / 2
    assert of(found, "conversion_rate")[["value", "n"]].tolist() == [pytest.approx(0.3), 10]
    few = scorecard.measures(month(leads=leads.iloc[1:]))
    assert not few["measure"].eq("conversion_rate").any(), "nine leads carry no percentage"


def test_a_month_without_anything_does_not_crash():
    empty = month(
        sales=month().sales.head(0),
        tiers=month().tiers.head(0),
        first_days=pd.Series(dtype="int64"),
        surveys=pd.DataFrame({"answered_at": pd.to_datetime([]), "nps": [], "csat": []}),
        costs=pd.DataFrame({"month": pd.Series(dtype=str), "amount": pd.Series(dtype=float)}),
        leads=pd.DataFrame({"created_at": pd.to_datetime([]), "customer_id": pd.Series(dtype=str)}),
    )
    found = scorecard.measures(empty)
    assert of(found, "net_sales")["value"] == 0 and np.isnan(of(found, "identified_share")["value"])
    table = scorecard.scorecard(found, pd.DataFrame(columns=["measure", "value"]), found, {})
    assert list(table) == scorecard.COLUMNS


def told(**values):
    units = {"net_sales": "money", "identified_share": "share", "nps": "points"}
    rows = [("x", name, value, units[name], 1, np.nan, np.nan) for name, value in values.items()]
    return pd.DataFrame(rows, columns=["chapter", "measure", "value", "unit", "n", "low", "high"])


def test_change_is_relative_for_money_and_a_difference_for_shares_and_points():
    found = scorecard.scorecard(
        told(net_sales=110.0, identified_share=0.6, nps=20.0), told(net_sales=100.0, identified_share=0.5, nps=30.0),
        told(net_sales=55.0), {"net_sales": 120.0},
    )  # fmt: skip
    assert of(found, "net_sales")[["previous", "year_ago", "target"]].tolist() == [100, 55, 120]
    assert found["change"].tolist() == pytest.approx([0.10, 0.10, -10])
    assert found["target"].isna().tolist() == [False, True, True]


@pytest.mark.parametrize("previous", [0.0, -5.0, np.nan])
def test_no_relative_change_from_nothing(previous):
    found = scorecard.scorecard(told(net_sales=110.0), told(net_sales=previous), told(), {})
    assert found["change"].isna().all() and found["year_ago"].isna().all()
