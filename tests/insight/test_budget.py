"""Budget beside profit: whose tier when, by hand; bounds of the verdict; nothing where there is nothing to share."""

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import budget

ENDS = [30, 20, 10]
TIERS = pd.DataFrame(
    [(0, "a", "high"), (1, "a", "low"), (0, "b", "low"), (1, "b", "low")], columns=["ago", "customer_id", "tier"]
).astype({"customer_id": "str"})
FIRSTS = pd.DataFrame({"customer_id": list("abcd"), "first_ago": [2, 2, 0, 2]}).astype({"customer_id": "str"})


def began(ago):
    return TIERS[TIERS["ago"] == ago]


def test_a_first_purchase_lies_in_the_month_that_it_ends(engine):
    days = pd.DataFrame({"customer_id": list("abcdef"), "first_day": [5, 10, 11, 20, 21, 30]})
    expected = [2, 2, 1, 1, 0, 0]  # months end on 10, 20 and 30, the last day being the month's own
    assert budget.months_ago(days["first_day"], ENDS).tolist() == expected
    found = engine.collect(budget.first_months(engine.frame(days), ENDS)).sort_values("customer_id")
    assert found["first_ago"].tolist() == expected


def test_money_counts_for_the_tier_the_month_began_with(engine):
    days = pd.DataFrame(
        [("a", 20, 10.0, 6.0), ("a", 21, 50.0, 20.0), ("b", 30, 7.0, 7.0), ("c", 25, 9.0, 1.0), ("d", 25, 3.0, np.nan),
         ("b", 10, 99.0, 1.0), ("b", 31, 99.0, 1.0)],
        columns=["customer_id", "day", "net", "cost"],
    ).astype({"customer_id": "str"})  # fmt: skip
    months = pd.DataFrame({"day": range(11, 31), "ago": [1] * 10 + [0] * 10})
    found = engine.collect(budget.brought(*(engine.frame(frame) for frame in (days, months, TIERS, FIRSTS))))
    found = found.set_index("tier").astype(float)
    assert found["net"].to_dict() == {"low": 17, "high": 50, "new": 9, "outside": 3}
    assert found.loc["low", "cost"] == 13 and np.isnan(found.loc["outside", "cost"])


def test_contacts_count_for_the_tier_the_month_began_with():
    at = pd.to_datetime([11, 20, 21, 30, 25, 25, 25, 10, 31, None], unit="D")
    who = ["a", "a", "a", "a", "c", "d", "nobody", "a", "a", "b"]
    contacts = pd.DataFrame({"customer_id": who, "contacted_at": at, "cost": [1.0, 1, 2, 2, 5, 7, 11, 100, 100, 100]})
    found = budget.contacted(contacts, ENDS, began, FIRSTS)
    assert found["contacts"].to_dict() == {"high": 2, "low": 2, "new": 2, "outside": 1}
    assert found["cost"].to_dict() == {"high": 4, "low": 2, "new": 16, "outside": 7}
    assert budget.contacted(contacts.head(0), ENDS, began, FIRSTS).empty


def shared(money, spent, people, margin=None):
    money = pd.DataFrame(money, columns=["tier", "net", "cost"])
    spent = pd.DataFrame(spent, columns=["tier", "contacts", "cost"]).set_index("tier")
    return budget.budget(money, spent, pd.Series(people, dtype=float), margin).set_index("tier")


def test_shares_index_and_verdict_by_hand():
    found = shared(
        [("high", 600.0, 300.0), ("low", 300.0, 200.0), ("new", 500.0, 100.0)],
        [("high", 10, 20.0), ("low", 30, 60.0), ("new", 5, 99.0)],
        {"high": 10, "low": 30, "outside": 60, "new": 12},
    )
    assert found["basis"].unique().tolist() == ["margin"]
    assert found["profit"].tolist() == [300, 100, 0, 400]
    assert found["profit_share"].fillna(-1).tolist() == [0.75, 0.25, 0, -1], "newcomers are no part of the whole"
    assert found["cost_share"].fillna(-1).tolist() == [0.25, 0.75, 0, -1]
    assert found["customer_share"].fillna(-1).tolist() == [0.1, 0.3, 0.6, -1]
    assert found["budget_index"].iloc[:2].tolist() == pytest.approx([1 / 3, 3])
    assert found["verdict"].iloc[:2].tolist() == ["under", "over"] and found["verdict"].iloc[2:].isna().all()


@pytest.mark.parametrize(
    ("spent", "verdict"), [(199, "level"), (200, "over"), (201, "over"), (51, "level"), (50, "under"), (49, "under")]
)
def test_the_bounds_of_the_verdict(spent, verdict):
    # high brings 100 of 1000; its share of a budget of 1000 is spent / 1000
    found = shared(
        [("high", 100.0, 0.0), ("low", 900.0, 0.0)],
        [("high", 1, float(spent)), ("low", 1, 1000.0 - spent)],
        {"high": 10, "low": 10},
    )
    assert found.loc["high", "verdict"] == verdict


def test_no_share_on_nine_customers_and_net_sales_where_a_cost_is_missing():
    found = shared(
        [("high", 100.0, np.nan), ("low", 900.0, 0.0)], [("high", 1, 5.0), ("low", 1, 5.0)], {"high": 9, "low": 10}
    )
    assert found["basis"].tolist() == ["net_sales"] * 2 and found["profit"].tolist() == [100, 900]
    assert found.loc["high", ["profit_share", "cost_share", "budget_index", "verdict"]].isna().all()
    assert found.loc["low", "profit_share"] == 0.9


def test_a_margin_of_the_params_and_contacts_in_place_of_costs():
    found = shared(
        [("high", 100.0, np.nan), ("low", 300.0, np.nan)],
        [("high", 1, 0.0), ("low", 3, 0.0)],
        {"high": 10, "low": 10},
        0.3,
    )
    assert found["profit"].tolist() == pytest.approx([30, 90]) and found["basis"].tolist() == ["margin"] * 2
    assert found["cost_share"].isna().all() and found["budget_index"].tolist() == pytest.approx([1, 1])
