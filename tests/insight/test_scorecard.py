"""The scorecard: measures of a month by hand, what is not told, targets, and changes."""

import numpy as np
import pandas as pd
import pytest

from tierbook.errors import ParamsError
from tierbook.insight import scorecard

AGO = pd.RangeIndex(2, name="ago")


def frame(**columns):
    return pd.DataFrame({name: pd.Series(values, AGO, dtype=float) for name, values in columns.items()})


def facts(**given):
    nothing = [np.nan, np.nan]
    warned = {f"{who}_{what}": nothing for who in ("flagged", "listed", "held_out") for what in ("before", "bought")}
    known = {
        "sales": frame(net_sales=[500, 400], identified=[350, 400]),
        "newcomers": frame(newcomers=[2, 0], ripe=[12, 9], again=[3, 9]),
        "trade": frame(buyers=[4, 0], orders=[5, 0], net=[350, 0], cost=[250, 0], first_net=[60, 0]),
        "base": frame(
            customers=[12, 9], repeaters=[3, 9], orders=[18, 9], net=[1500, 90], cost=[900, np.nan],
            best=[10, 9], best_net=[600, 90], best_cost=[300, np.nan],
        ),
        "changes": frame(placed=[20, 9], up=[5, 1], down=[4, 1], left=[2, 1], best=[10, 0], fallen=[3, 0]),
        "retention": frame(base=[20, np.nan], kept=[5, np.nan]),
        "breadth": frame(customers=[10, 0], broad=[5, 0], categories=[16, 0]),
        "warning": frame(flagged=[4, np.nan], value_at_stake=[90, np.nan], **warned),
        "spent": None, "leads": None, "voice": None, "margin": None,
    }  # fmt: skip
    return scorecard.Facts(**{**known, **given})


def of(found, measure, ago=0):
    rows = found[(found["measure"] == measure) & (found.get("months_ago", ago) == ago)]
    assert len(rows) == 1, measure
    return rows.iloc[0]


def test_a_month_by_hand():
    found = scorecard.measures(facts())
    values = found[found["months_ago"] == 0].set_index("measure")["value"]
    assert values["new_customers"] == 2 and values["first_order_value"] == 30
    assert values["net_sales"] == 500 and values["identified_share"] == pytest.approx(0.7)
    assert values["gross_margin"] == 350 - 250
    assert values["high_value_customers"] == 10 and values["high_value_fallen"] == 3
    assert values["high_value_share"] == pytest.approx(0.4)
    assert values["high_value_margin_share"] == pytest.approx((600 - 300) / (1500 - 900))
    assert values["retention_rate"] == 0.25 and values["churn_rate"] == 0.75
    assert values["upgrade_rate"] == 0.25 and values["downgrade_rate"] == 0.2 and values["left_window"] == 2
    assert values["revenue_per_buyer"] == 87.5 and values["average_order_value"] == 70
    assert values["revenue_per_customer"] == 125 and values["orders_per_customer"] == 1.5
    assert values["margin_per_customer"] == 50
    assert values["cross_sell_rate"] == 0.5 and values["categories_per_customer"] == 1.6
    assert values["customers_at_risk"] == 4 and values["value_at_stake"] == 90
    assert not {"nps", "csat", "acquisition_cost", "leads", "flagged_bought"} & set(found["measure"])
    assert not found.duplicated(["months_ago", "measure"]).any()


def test_a_share_has_the_interval_of_wilson():
    # 3 of 12: (0.25 + 1.9208/12) / 1.32013 = 0.31062, half 1.96 × √(0.25 × 0.75/12 + 3.8416/576) / 1.32013 = 0.22170
    repeat = of(scorecard.measures(facts()), "repeat_rate")
    assert repeat[["value", "n"]].tolist() == [0.25, 12]
    assert (repeat["low"], repeat["high"]) == (pytest.approx(0.0889, abs=2e-4), pytest.approx(0.5323, abs=2e-4))


def test_no_share_on_nine_and_no_row_where_nothing_is_known():
    found = scorecard.measures(facts())
    for measure in ("repeat_rate", "second_order_rate", "upgrade_rate", "high_value_share"):
        row = of(found, measure, 1)
        assert np.isnan(row["value"]) and row["n"] == 9, measure
    told = set(found.loc[found["months_ago"] == 1, "measure"])
    unknown = {"retention_rate", "churn_rate", "margin_per_customer", "high_value_fallen", "customers_at_risk"}
    assert not told & {*unknown, "first_order_value", "revenue_per_buyer", "average_order_value", "cross_sell_rate"}
    assert of(found, "buyers", 1)["value"] == 0, "nobody is known to have bought: that is told"


def test_costs_leads_margin_and_last_months_calls():
    leads = frame(leads=[30, 5], converted=[4, 0], days=[21.5, np.nan], ripe=[20, 0], ripe_converted=[6, 0])
    warned = frame(
        flagged=[4, 2], value_at_stake=[90, 10], flagged_before=[40, np.nan], flagged_bought=[4, np.nan],
        listed_before=[10, np.nan], listed_bought=[2, np.nan], held_out_before=[3, np.nan], held_out_bought=[1, np.nan],
    )  # fmt: skip
    spent = pd.Series([50.0, 70.0], AGO)
    found = scorecard.measures(facts(leads=leads, warning=warned, spent=spent, margin=0.4))
    assert of(found, "acquisition_cost")["value"] == 25 and of(found, "acquisition_cost")["n"] == 2
    assert not ((found["measure"] == "acquisition_cost") & (found["months_ago"] == 1)).any(), "nobody was won"
    assert of(found, "conversion_rate")[["value", "n"]].tolist() == [0.3, 20]
    assert of(found, "days_to_convert")[["value", "n"]].tolist() == [21.5, 4]
    assert of(found, "flagged_bought")[["value", "n"]].tolist() == [0.1, 40]
    assert of(found, "listed_bought")["value"] == 0.2 and np.isnan(of(found, "held_out_bought")["value"])
    assert of(found, "gross_margin")["value"] == pytest.approx(140), "the margin of the params, not the goods"
    assert of(found, "high_value_margin_share")["value"] == pytest.approx(0.4)


def test_surveys_by_month_at_their_bounds():
    surveys = pd.DataFrame(
        {
            "answered_at": pd.to_datetime(
                ["2026-09-30 23:59"] + ["2026-10-01 00:00"] * 5 + ["2026-10-31 23:59"] * 5 + ["2026-11-01 00:00", None]
            ),
            "nps": [0] + [10] * 10 + [0, 0],
            "csat": [1] + [5] * 5 + [2] * 5 + [1, 1],
        }
    )
    ends = [20757, 20726, 20696]  # the ends of October, September and August 2026
    found = scorecard.measures(facts(voice=scorecard.voice_by_month(surveys, ends)))
    assert of(found, "nps")[["value", "n"]].tolist() == [100, 10]
    assert of(found, "csat")[["value", "n"]].tolist() == [0.5, 10]
    assert np.isnan(of(found, "nps", 1)["value"]) and of(found, "nps", 1)["n"] == 1


def test_every_measure_has_its_chapter_and_stands_in_the_order_of_reading():
    found = scorecard.measures(facts())
    now = found[found["months_ago"] == 0]
    assert now["measure"].tolist() == [name for name in scorecard.MEASURES if name in set(now["measure"])]
    assert set(found["chapter"]) <= {"acquire", "keep", "develop", "satisfaction", "loyalty", "profit"}


def test_a_target_for_an_unknown_measure_names_the_nearest():
    given = {"net_sales": 5.0, "first_response_hours": 4.0}
    assert scorecard.known_targets(given) == given, "service levels have targets too"
    with pytest.raises(ParamsError, match=r"targets: unknown measure 'retention'; nearest is 'retention_rate'"):
        scorecard.known_targets({"net_sales": 5.0, "retention": 0.4})


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
    assert found["target"].isna().tolist() == [False, True, True] and list(found) == scorecard.COLUMNS


@pytest.mark.parametrize("previous", [0.0, -5.0, np.nan])
def test_no_relative_change_from_nothing(previous):
    found = scorecard.scorecard(told(net_sales=110.0), told(net_sales=previous), told(), {})
    assert found["change"].isna().all() and found["year_ago"].isna().all()
