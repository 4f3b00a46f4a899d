"""The call list: order, channels, hold-out, who is left out and why, and since when a customer has been flagged."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.insight.alert_list import COLUMNS, LEFT_OUT, first_flagged, in_holdout, listed
from tierbook.params import parse

AS_OF = 20_000  # 2024-10-04


def rules(holdout=0.0, cooldown_days=60, **capacity):
    tree = {"holdout": holdout, "cooldown_days": cooldown_days, "capacity": capacity}
    return parse({"as_of": "2024-10-04", "report": {"name": "t"}, "source": {}, "alerts": tree}).alerts


def flagged(values, ids=None, **columns):
    n = len(values)
    return pd.DataFrame(
        {
            "customer_id": ids or [f"c{k}" for k in range(n)],
            "tier": "high",
            "previous_tier": "potential",
            "owner": "team 1",
            "do_not_contact": False,
            "alert_reason": "spend_falling",
            "alert_reasons": "spend_falling+silent_beyond_cadence",
            "own_gap_days": 20.0,
            "recency_days": 90,
            "p_alive": 0.5,
            "value_at_stake": np.asarray(values, dtype=float),
            "first_flagged": AS_OF,
            **columns,
        }
    )


def contacts(*rows):
    """(customer_id, contacted_at, opted_out)"""
    table = pd.DataFrame(rows, columns=["customer_id", "contacted_at", "opted_out"])
    return table.assign(contacted_at=pd.to_datetime(table["contacted_at"]))


def test_the_list_is_ordered_by_value_then_id_and_fills_the_channels_in_their_order():
    """Five customers, three calls, one message: the fifth by value is beyond capacity, with 5 at stake."""
    found = listed(flagged([5, 50, 20, 50, 10]), None, rules(phone=3, sms=1), AS_OF, "r:7")
    assert list(found.alerts.columns) == COLUMNS
    assert found.alerts["customer_id"].tolist() == ["c1", "c3", "c2", "c4"]
    assert found.alerts["channel"].tolist() == ["phone", "phone", "phone", "sms"]
    assert found.alerts.iloc[0].drop(["customer_id", "channel"]).to_dict() == {
        "tier": "high",
        "owner": "team 1",
        "reason": "spend_falling",
        "own_gap_days": 20.0,
        "days_silent": 90,
        "p_alive": 0.5,
        "value_at_stake": 50.0,
        "first_flagged": pd.Timestamp("2024-10-04").date(),
        "held_out": False,
        "previous_tier": "potential",
        "days_overdue": 70.0,
        "reasons": "spend_falling+silent_beyond_cadence",
    }
    assert found.left_out.to_dict("list") == {
        "reason": list(LEFT_OUT),
        "customers": [0, 0, 0, 1],
        "value_at_stake": [0.0, 0.0, 0.0, 5.0],
    }


@pytest.mark.parametrize(("silent", "overdue"), [(19, 0), (20, 0), (21, 1), (90, 70)])
def test_days_overdue_count_from_the_own_gap_on(silent, overdue):
    """The own gap is 20 days."""
    found = listed(flagged([5], recency_days=silent), None, rules(phone=1), AS_OF, "r").alerts
    assert found["days_overdue"].tolist() == [overdue]


def test_the_contracts_columns_come_first():
    """DESIGN §6, in its order."""
    contract = "customer_id, tier, owner, channel, reason, own_gap_days, days_silent, p_alive, value_at_stake, first_flagged, held_out"
    assert COLUMNS[:11] == contract.split(", ") and COLUMNS[11:] == ["previous_tier", "days_overdue", "reasons"]


def test_a_channel_without_room_is_passed_over():
    found = listed(flagged([3, 2, 1]), None, rules(phone=0, visit=1, sms=0, mail=1), AS_OF, "r")
    assert found.alerts["channel"].tolist() == ["visit", "mail"]
    assert listed(flagged([3, 2]), None, rules(phone=0), AS_OF, "r").alerts.empty


def test_left_out_under_the_first_reason_and_no_place_is_taken():
    """c0 may not be contacted (and was, lately); c1 opted out; c2 lately; c3, c4 take the two places; c5 comes too late."""
    people = flagged([60, 50, 40, 30, 20, 10], do_not_contact=[True, False, False, False, False, False])
    told = contacts(("c0", "2024-10-01", True), ("c1", "2020-01-01", True), ("c2", "2024-10-04", False))
    found = listed(people, told, rules(phone=2), AS_OF, "r")
    assert found.alerts["customer_id"].tolist() == ["c3", "c4"]
    assert found.left_out["customers"].tolist() == [1, 1, 1, 1]
    assert found.left_out["value_at_stake"].tolist() == [60, 50, 40, 10]


@pytest.mark.parametrize(
    ("contacted_at", "cooldown_days", "left_out"),
    [
        ("2024-08-05", 60, False),  # 60 days before: the cooldown is over
        ("2024-08-06 23:59", 60, True),
        ("2024-10-04 18:00", 60, True),
        ("2024-10-05", 60, False),  # after as_of: not known then
        ("2024-10-04", 0, False),
        (None, 60, False),  # a control was assigned, not contacted
    ],
)
def test_cooldown_counts_back_from_as_of(contacted_at, cooldown_days, left_out):
    told = contacts(("c0", contacted_at, None))
    found = listed(flagged([1]), told, rules(cooldown_days=cooldown_days, phone=9), AS_OF, "r")
    assert found.alerts.empty == left_out
    assert found.left_out.set_index("reason")["customers"]["contacted_lately"] == left_out


def test_the_held_out_have_the_channel_they_would_have_had_and_take_no_place():
    """Of many customers with a call for each tenth: as many are called as there is room, whoever is held out between."""
    people = flagged(range(1000))
    found = listed(people, None, rules(holdout=0.3, phone=100, sms=200), AS_OF, "r:7").alerts
    assert found[~found["held_out"]]["channel"].value_counts().to_dict() == {"phone": 100, "sms": 200}
    by_value = found["channel"].tolist()
    assert by_value == sorted(by_value), "phone comes first: no held-out customer breaks the order of the channels"
    assert 0.2 < found["held_out"].mean() < 0.4
    assert found["held_out"].equals(in_holdout(found["customer_id"], "r:7", 0.3))


def test_the_draw_is_the_first_64_bits_of_the_salted_hash():
    share = int(hashlib.sha256(b"demo:7|C1").hexdigest()[:16], 16) / 2**64
    ids = pd.Series(["C1"])
    assert not in_holdout(ids, "demo:7", share - 1e-9)[0] and in_holdout(ids, "demo:7", share + 1e-9)[0]
    many = pd.Series([f"客户{k}" for k in range(20_000)])
    drawn = in_holdout(many, "demo:7", 0.10)
    assert drawn.mean() == pytest.approx(0.10, abs=0.01)  # sd 0.002
    assert (drawn & in_holdout(many, "demo:8", 0.10)).mean() == pytest.approx(0.01, abs=0.004)
    assert not in_holdout(many, "r", 0.0).any()


@settings(max_examples=30, deadline=None)
@given(values=st.lists(st.integers(0, 5), min_size=1, max_size=30), seed=st.integers(0, 9))
def test_row_order_changes_nothing_and_everyone_is_listed_or_counted(values, seed):
    people = flagged(values)
    found = listed(people, None, rules(holdout=0.2, phone=4, sms=6), AS_OF, "r")
    again = listed(people.sample(frac=1, random_state=seed), None, rules(holdout=0.2, phone=4, sms=6), AS_OF, "r")
    pd.testing.assert_frame_equal(found.alerts, again.alerts)
    pd.testing.assert_frame_equal(found.left_out, again.left_out)
    assert len(found.alerts) + found.left_out["customers"].sum() == len(values)
    assert found.alerts["value_at_stake"].sum() + found.left_out["value_at_stake"].sum() == sum(values)


def test_others_coming_or_going_change_nobodys_side():
    people = flagged(range(200))
    all_of_them = listed(people, None, rules(holdout=0.2, phone=500), AS_OF, "r").alerts.set_index("customer_id")
    half = listed(people.iloc[::2], None, rules(holdout=0.2, phone=500), AS_OF, "r").alerts.set_index("customer_id")
    assert half["held_out"].equals(all_of_them["held_out"].reindex(half.index))


def test_nobody_flagged():
    found = listed(flagged([]), contacts(), rules(holdout=0.1, phone=3), AS_OF, "r")
    assert list(found.alerts.columns) == COLUMNS and found.alerts.empty
    assert found.left_out["customers"].tolist() == [0, 0, 0, 0]


# --- first flagged --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "first"),
    [
        ("YYYY", 10),
        ("NYYY", 20),
        ("YNYY", 30),  # only the present run counts
        ("YYNY", 40),
        ("YYYN", None),
        ("NNNN", None),
        ("Y.YY", 30),  # a month without a row breaks the run
        ("...Y", 40),
        ("YYY.", None),
    ],
)
def test_first_flagged_is_the_start_of_the_unbroken_run(flags, first):
    rows = [("a", 10 * (k + 1), f == "Y") for k, f in enumerate(flags) if f != "."]
    others = [("other", end, False) for end in (10, 20, 30, 40)]
    table = pd.DataFrame([*rows, *others], columns=["customer_id", "end", "flagged"])
    for order in (table, table.iloc[::-1]):
        found = first_flagged(order)
        assert pd.isna(found["a"]) if first is None else found["a"] == first
        assert pd.isna(found["other"])
