"""Behaviour by tier, counted by hand: silence, responses, referrals, birthdays, channels."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import behaviour

END = 20_757  # 2026-10-31
WINDOW = (END - 365, END)
AS_OF = dt.date(2026, 10, 31)


def day(number):
    return pd.Timestamp("1970-01-01") + pd.Timedelta(days=number)


def people(n, tier="high", **columns):
    ids = [f"C{k:02d}" for k in range(n)]
    return pd.DataFrame({"customer_id": ids, "tier": tier, "owner": "Wang", "do_not_contact": False} | columns)


def by_key(rows):
    keys = ["measure", "tier", "channel"] if rows and "channel" in rows[0] else ["measure", "tier"]
    return pd.DataFrame(rows).set_index(keys)


def contact_gap(customers, contacts, tiers):
    """As a workbook asks: nothing of a shop that keeps no record of contacts."""
    gaps = behaviour.contact_gaps(customers, contacts, END)
    recorded = contacts["contacted_at"].notna().any()
    return by_key(behaviour.contact_gap(gaps if recorded else gaps.head(0), tiers))


def test_contact_gap_by_hand():
    """Ten customers contacted 10, 20 … 100 days ago and five never: the median gap is 55 (20 to 90), and five of the
    fifteen had no contact in 180 days."""
    contacts = pd.DataFrame(
        {"customer_id": people(10)["customer_id"], "contacted_at": [day(END - 10 * k) for k in range(1, 11)]}
    )
    old = contacts.assign(contacted_at=day(END - 300))  # an earlier contact is not the last one
    rows = contact_gap(people(15), pd.concat([contacts, old]), ["high"])
    assert rows.loc[("contact_gap_days", "high"), ["n", "value", "low", "high"]].tolist() == [10, 55, 20, 90]
    assert rows.loc[("no_contact_180d", "all"), ["n", "value"]].tolist() == [15, pytest.approx(5 / 15)]


@pytest.mark.parametrize(("days_ago", "silent"), [(-1, 1), (0, 0), (179, 0), (180, 1), (181, 1), (None, 1)])
def test_silence_at_its_boundary(days_ago, silent):
    """A contact after the month's end has not happened yet; never contacted is silence too (a stranger was, today)."""
    at = pd.NaT if days_ago is None else day(END - days_ago)
    moments = pd.Series([at] * 10 + [day(END)], dtype="datetime64[us]")
    contacts = pd.DataFrame({"customer_id": [*people(10)["customer_id"], "S"], "contacted_at": moments})
    rows = contact_gap(people(10), contacts, [])
    assert rows.loc[("no_contact_180d", "all"), "value"] == silent


def test_who_is_not_to_be_contacted_is_no_gap():
    contacts = pd.DataFrame({"customer_id": ["S"], "contacted_at": [day(END)]})
    customers = people(12, do_not_contact=[True] * 2 + [False] * 10)
    rows = contact_gap(customers, contacts, [])
    assert rows.loc[("no_contact_180d", "all"), ["n", "value"]].tolist() == [10, 1]
    assert rows.loc[("contact_gap_days", "all"), "n"] == 0


def test_a_shop_that_keeps_no_record_of_contacts_is_not_called_silent():
    contacts = pd.DataFrame({"customer_id": ["C01"], "contacted_at": pd.to_datetime([None])})
    rows = contact_gap(people(12), contacts, [])
    assert rows["n"].tolist() == [0, 0] and rows["value"].isna().all()


def test_responses_per_channel():
    """Of 12 e-mails 10 say whether they were opened, 4 were; of 10 text messages none; one before the window."""
    made = pd.DataFrame(
        {
            "tier": ["high"] * 12 + ["low"] * 11,
            "channel": ["email"] * 12 + ["sms"] * 10 + [None],
            "contacted_at": [day(END)] * 22 + [day(END - 365)],
            "opened": [True] * 4 + [False] * 6 + [None] * 2 + [False] * 11,
            "clicked": False,
            "opted_out": False,
        }
    )
    rows = by_key(behaviour.responses(made, ["high", "low"], WINDOW))
    assert rows.loc[("open_rate", "all", "email"), ["n", "value"]].tolist() == [10, 0.4]
    assert rows.loc[("open_rate", "high", "all"), ["n", "value"]].tolist() == [10, 0.4]
    assert rows.loc[("open_rate", "all", "all"), ["n", "value"]].tolist() == [20, 0.2]
    assert rows.loc[("opt_out_rate", "low", "sms"), ["n", "value"]].tolist() == [10, 0]
    assert rows.loc[("open_rate", "low", "email"), "n"] == 0
    assert "unknown" not in rows.index.get_level_values("channel"), (
        "what was sent before the window is no channel of it"
    )


def test_referrals():
    """Of ten customers the table knows, C00 brought three and C01 itself (which is nobody); two brought nobody known."""
    customers = people(11)
    table = pd.DataFrame({"customer_id": customers["customer_id"][:10], "referred_by": None})
    table.loc[[1, 2, 3], "referred_by"] = ["C01", "C00", "C00"]
    brought = pd.Series([2.0] + [0.0] * 10)
    rows = by_key(behaviour.referrals(behaviour.brought(customers, table, brought), ["high"]))
    assert rows.loc[("referred_share", "all"), ["n", "value"]].tolist() == [10, 0.2]
    assert rows.loc[("referrer_share", "all"), ["n", "value"]].tolist() == [11, pytest.approx(1 / 11)]


def test_a_shop_that_keeps_no_record_of_referrals_is_told_nothing():
    table = pd.DataFrame({"customer_id": people(10)["customer_id"], "referred_by": pd.Series([None] * 10, dtype="str")})
    told = behaviour.brought(people(10), table, pd.Series([np.nan] * 10))
    assert told["known"].all() and not told["brought"].any()
    rows = by_key(behaviour.referrals(told.assign(known=False), []))
    assert rows["n"].tolist() == [0, 0] and rows["value"].isna().all()


def greeted(born, after, until, **columns):
    customers = people(len(born), **columns)
    table = pd.DataFrame({"customer_id": customers["customer_id"], "birthday": pd.to_datetime(pd.Series(born))})
    return behaviour.birthdays(customers, table, after, until)


def test_birthdays_of_the_days_until_the_next_report():
    born = ["1980-10-31", "1981-11-01", "1990-11-30", "1990-12-01", None, "1975-11-15", "1900-11-11", "2026-11-12"]
    found = greeted(born, AS_OF, dt.date(2026, 11, 30))
    assert found.columns.tolist() == behaviour.BIRTHDAYS
    assert found["customer_id"].tolist() == ["C01", "C05", "C02"], (
        "by birthday; 1900 and a day to come are no birthdays"
    )
    assert found["birthday"].tolist() == [dt.date(2026, 11, 1), dt.date(2026, 11, 15), dt.date(2026, 11, 30)]


def test_birthdays_leave_do_not_contact_out():
    found = greeted(["1981-11-01"] * 2, AS_OF, dt.date(2026, 11, 30), do_not_contact=[True, False])
    assert found["customer_id"].tolist() == ["C01"]


@pytest.mark.parametrize(
    ("after", "until", "on"),
    [
        (dt.date(2027, 1, 31), dt.date(2027, 2, 28), dt.date(2027, 2, 28)),
        (dt.date(2028, 1, 31), dt.date(2028, 2, 29), dt.date(2028, 2, 29)),
        (dt.date(2028, 1, 28), dt.date(2028, 2, 28), None),
        (dt.date(2027, 2, 28), dt.date(2027, 3, 31), None),
    ],
)
def test_born_on_29_february(after, until, on):
    assert greeted(["1992-02-29"], after, until)["birthday"].tolist() == ([] if on is None else [on])


def test_birthdays_over_the_turn_of_the_year():
    found = greeted(["1990-01-03", "1990-12-20"], dt.date(2026, 12, 15), dt.date(2027, 1, 15))
    assert found["birthday"].tolist() == [dt.date(2026, 12, 20), dt.date(2027, 1, 3)]


def test_impossible_birthdays_are_told():
    table = pd.DataFrame(
        {
            "customer_id": list("ABCDE"),
            "birthday": pd.to_datetime(["1904-12-31", "1905-01-01", "2026-10-31", "2026-11-01", None]),
        }
    )
    assert behaviour.birthday_faults(table, AS_OF) == [("customers", "birthday_impossible", 2, "A")]


def test_channel_orders_by_hand(engine):
    """Order 1 has two lines, online by name before store; order 2 is cancelled by a refund that day; order 3 was bought
    before the window and refunded in it; order 4 is free; order 5 says no channel; 6 was set aside."""
    lines = pd.DataFrame(
        [
            ("A", "1", 50, 10, 10, "store", "kept"),
            ("A", "1", 50, 20, 20, "online", "kept"),
            ("A", "2", 50, 10, 10, "store", "kept"),
            ("A", "2", 50, -10, 0, "store", "kept"),
            ("B", "3", 10, 10, 10, "store", "kept"),
            ("B", "3", 60, -5, 0, "store", "kept"),
            ("B", "4", 60, 0, 0, "store", "kept"),
            ("B", "5", 60, 5, 5, None, "kept"),
            ("B", "6", 60, 5, 5, "store", "status"),
            ("C", "7", 60, 5, 5, "store", "kept"),
        ],
        columns=["customer_id", "order_key", "day", "net", "gross", "channel", "reason"],
    )
    tiers = pd.DataFrame({"customer_id": ["A", "B"], "tier": ["high", "low"]})
    found = engine.collect(behaviour.channel_orders(engine.frame(lines), engine.frame(tiers), 20, 60))
    told = {(row.tier, None if pd.isna(row.channel) else row.channel): row.orders for row in found.itertuples()}
    assert told == {("high", "online"): 1, ("low", "store"): 1, ("low", None): 1}


def test_channel_shares_by_hand():
    orders = pd.DataFrame(
        [("high", "online", 15), ("high", "store", 5), ("low", "store", 9), ("low", None, 1)],
        columns=["tier", "channel", "orders"],
    )
    buyers = pd.Series({"high": 12, "low": 10})
    rows = by_key(behaviour.channel_shares(orders, buyers, ["high", "low", "outside"]))
    assert rows.loc[("order_share", "high", "online"), ["n", "value"]].tolist() == [20, 0.75]
    assert rows.loc[("order_share", "low", "unknown"), ["n", "value"]].tolist() == [10, 0.1]
    assert rows.loc[("order_share", "all", "store"), ["n", "value"]].tolist() == [30, pytest.approx(14 / 30)]
    assert rows.loc[("order_share", "outside", "store"), "n"] == 0
    few = by_key(behaviour.channel_shares(orders, pd.Series({"high": 9, "low": 10}), ["high", "low"]))
    assert few.loc[("order_share", "high", "online"), "n"] == 20, "the orders of nine customers are counted,"
    assert np.isnan(few.loc[("order_share", "high", "online"), "value"]), "but make no percentage"
    assert few.loc[("order_share", "low", "store"), "value"] == 0.9
