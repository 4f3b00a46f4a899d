"""Acquisition: leads and newcomers as each month knew them, and channels, by hand."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from tierbook.accounting import day_number
from tierbook.insight import acquisition


def on(text):
    return day_number(dt.date.fromisoformat(text))


ENDS = [on("2026-10-31"), on("2026-09-30")]


def leads(*rows):
    table = pd.DataFrame(rows, columns=["lead_id", "created_at", "channel", "customer_id"])
    return table.assign(created_at=pd.to_datetime(table["created_at"]))


def firsts(**days):
    return pd.Series({name: on(day) for name, day in days.items()}, dtype="int64")


def test_leads_that_count():
    table = leads(
        ("l3", "2026-06-01", "web", "a"),
        ("l1", "2026-05-01", "web", "a"),  # the first lead of a
        ("l2", "2026-05-02", "shop", "b"),  # b had bought before
        ("l4", "2026-05-03", None, None),
        ("l5", "2026-05-04", "web", "c"),  # a customer in name, without a purchase
        ("l6", "2026-05-05", "web", "d"),  # bought on the day of the lead
    )
    steps = acquisition.lead_steps(table, firsts(a="2026-07-01", b="2026-05-01", d="2026-05-05"))
    assert steps["created"].tolist() == [on(f"2026-05-0{n}") for n in (1, 3, 4, 5)]
    assert steps["bought"].fillna(0).tolist() == [on("2026-07-01"), 0, 0, on("2026-05-05")]


@pytest.mark.parametrize(
    ("created", "bought", "ripe", "converted"),
    [
        ("2026-08-02", None, 1, 0),  # 90 days before 31 October: the last that is judged
        ("2026-08-03", None, 0, 0),
        ("2026-07-03", None, 1, 0),  # the first of the month that ended 90 days ago
        ("2026-07-02", None, 0, 0),
        ("2026-08-02", "2026-10-31", 1, 1),  # within 90 days
        ("2026-07-03", "2026-10-01", 1, 1),
        ("2026-07-03", "2026-10-02", 1, 0),  # on day 91
    ],
)
def test_leads_are_judged_after_ninety_days(created, bought, ripe, converted):
    first = firsts(a=bought) if bought else firsts()
    steps = acquisition.lead_steps(leads(("l1", created, "web", "a" if bought else None)), first)
    found = acquisition.leads_by_month(steps, ENDS)
    assert found.loc[0, ["ripe", "ripe_converted"]].tolist() == [ripe, converted]


def test_leads_of_the_month_and_the_days_they_took():
    table = leads(
        ("l1", "2026-10-01", "web", "a"), ("l2", "2026-10-31", "web", None), ("l3", "2026-09-30", "web", "b"),
        ("l4", "2026-11-01", "web", None), ("l5", "2026-09-20", "web", "c"),
    )  # fmt: skip
    first = firsts(a="2026-10-05", b="2026-10-31", c="2026-11-01")
    found = acquisition.leads_by_month(acquisition.lead_steps(table, first), ENDS).loc[0]
    assert found[["leads", "converted", "days"]].tolist() == [2, 2, (4 + 31) / 2]
    nobody = acquisition.leads_by_month(acquisition.lead_steps(table.head(0), first), ENDS).loc[0]
    assert nobody[["leads", "converted"]].tolist() == [0, 0] and np.isnan(nobody["days"])


def test_newcomers_and_their_second_purchase():
    history = pd.DataFrame(
        [(on("2026-09-30"), np.nan), (on("2026-10-01"), 1.0), (on("2026-10-31"), np.nan),
         (on("2026-07-03"), 90.0), (on("2026-08-02"), 91.0), (on("2026-08-02"), np.nan), (on("2026-08-03"), 5.0)],
        columns=["first_day", "first_gap_days"],
    )  # fmt: skip
    found = acquisition.newcomers_by_month(history, ENDS).loc[0]
    assert found.to_dict() == {"newcomers": 2, "ripe": 3, "again": 1}


def cohorts(rows):
    """Cells of `cohorts.table`: cohort, channel, month, customers, net, margin; all over."""
    table = pd.DataFrame(rows, columns=["cohort", "channel", "month", "customers", "net", "margin"])
    zero = dict.fromkeys(["active", "purchases", "orders", "first_net"], 0)
    return table.assign(over=True, **zero)


WON = cohorts(
    [
        ("2025-10", "web", 0, 10, 500.0, 200.0), ("2025-10", "web", 1, 10, 100.0, 40.0), ("2025-10", "web", 2, 10, 50.0, 20.0),
        ("2026-10", "web", 0, 10, 300.0, 120.0), ("2026-10", "shop", 0, 9, 90.0, 36.0),
    ]
)  # fmt: skip
COSTS = pd.DataFrame(
    [("2025-10", 200.0, "web"), ("2026-10", 160.0, "web"), ("2026-10", 45.0, "shop"), ("2026-10", 30.0, "radio"), ("2026-10", 5.0, None)],
    columns=["month", "amount", "channel"],
)  # fmt: skip


def test_channels_by_hand():
    steps = pd.DataFrame(
        {"channel": ["web"] * 10 + [None], "created": on("2026-10-05"), "bought": [on("2026-10-09")] * 4 + [np.nan] * 7}
    )
    found = acquisition.channels(WON, COSTS, steps, ["2026-09", "2026-10"]).set_index("channel")
    assert found.index.tolist() == ["all", "web", "shop", "radio", "unknown"]
    assert found["newcomers"].tolist() == [19, 10, 9, 0, 0]
    assert found["cost"].tolist() == [240, 160, 45, 30, 5], "the costs of the months asked for"
    assert found["cost_per_newcomer"].round(4).fillna(0).tolist() == [12.6316, 16, 0, 0, 0], "under ten newcomers: none"
    assert found.loc["web", ["leads", "converted", "conversion_rate"]].tolist() == [10, 4, 0.4]
    assert found.loc["unknown", ["leads", "converted"]].tolist() == [1, 0] and np.isnan(
        found.loc["unknown", "conversion_rate"]
    )
    # web: 20 customers brought 800 in the first month, ten of them 100 and 50 in the next two: 40 + 10 + 5 each
    assert found.loc["web", "revenue_90"] == pytest.approx(55) and np.isnan(found.loc["web", "revenue_365"])
    # margin of web: (200 + 120) / 20 = 16 in the first month, 20 in the second, against (200 + 160) / 20 = 18
    assert found.loc["web", ["payback_months", "payback", "basis"]].tolist() == [2, "paid_back", "margin"]
    assert found.loc["shop", "payback"] == "too_few_customers"


def test_without_a_margin_payback_is_of_net_sales_and_says_so():
    found = acquisition.channels(WON.assign(margin=np.nan), COSTS, None, ["2026-10"]).set_index("channel")
    # net of web: 800 / 20 = 40 against 18
    assert found.loc["web", ["payback_months", "basis"]].tolist() == [1, "net_sales"]
    assert found["leads"].isna().all()


def test_not_yet_is_null_and_said():
    dear = COSTS.assign(amount=COSTS["amount"] * 100)
    found = acquisition.channels(WON, dear, None, ["2026-10"]).set_index("channel")
    assert np.isnan(found.loc["web", "payback_months"]) and found.loc["web", "payback"] == "not_yet"


def test_without_costs_channels_still_tell_what_newcomers_bring():
    found = acquisition.channels(WON, None, None, ["2026-10"])
    assert list(found) == acquisition.COLUMNS and found["newcomers"].tolist() == [19, 10, 9]
    assert found[["cost", "cost_per_newcomer", "payback_months", "payback"]].isna().all(axis=None)
    empty = acquisition.channels(WON.head(0), COSTS.head(0), None, ["2026-10"])
    assert list(empty) == acquisition.COLUMNS
