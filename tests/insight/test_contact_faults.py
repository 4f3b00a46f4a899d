"""Faults of the contacts table: each planted alone and found alone, its edges, and none in a sound table."""

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import assignment
from tierbook.insight.contact_faults import COLUMNS, FAULTS, faults

DAY = 20_544  # 2026-04-01
SOUND = (
    ("spring", "a", "mail", "2026-04-01 09:00", "2026-04-02", 0.1), ("spring", "b", "mail", "2026-04-01", "2026-04-02", 0.1),
    ("spring", "c", "control", "2026-04-01", None, None), ("spring", "d", "control", "2026-04-01", None, None),
)  # fmt: skip


def contacts(*rows):
    frame = pd.DataFrame(rows, columns=["campaign", "customer_id", "arm", "assigned_at", "contacted_at", "cost"])
    return frame.astype({"assigned_at": "datetime64[us]", "contacted_at": "datetime64[us]", "cost": float})


def found(*rows, known="abcdez", purchases=None, window_days=30):
    """Faults of the rows; ``purchases``: customer → day of the first purchase in the window (a on day 5 by default)."""
    table = contacts(*rows)
    assigned = assignment.first_assignments(table)
    bought = {"a": DAY + 5} if purchases is None else purchases
    assigned["first_purchase"] = assigned["customer_id"].map(bought).astype(float)
    return faults(table, assigned, list(known), "control", window_days)


def told(*rows, **options):
    return [tuple(row) for row in found(*rows, **options)[["fault", "customers", "example"]].to_numpy().tolist()]


def test_a_sound_table_has_no_fault():
    none = found(*SOUND)
    assert none.empty and list(none.columns) == COLUMNS


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([("spring", "a", "control", "2026-04-02", None, None)], ("two_arms", 1, "a")),
        ([("spring", "a", "mail", "2026-04-03", None, None)], ("assigned_twice", 1, "a")),
        ([SOUND[1]], ("assigned_twice", 1, "b")),
        ([("spring", "x", "mail", "2026-04-01", "2026-04-01", 0.1)], ("unknown_customer", 1, "x")),
        ([("spring", "e", "control", "2026-04-01", "2026-04-02", 0.1)], ("control_contacted", 1, "e")),
        ([("spring", "e", "mail", "2026-04-01", None, None)], ("never_contacted", 1, "e")),
        (
            [("spring", "e", "mail", "2026-04-02 00:00", "2026-04-01 23:59", 0.1)],
            ("contacted_before_assignment", 1, "e"),
        ),
        ([("spring", "e", "mail", "2026-04-01", "2026-04-02", -0.01)], ("negative_cost", 1, "e")),
        ([("spring", "e", "phone", "2026-04-01", "2026-04-02", 3.0)], ("arm_of_one", 1, "e")),
    ],
)
def test_each_fault_alone(rows, fault):
    assert told(*SOUND, *rows) == [fault]


def test_several_contacts_of_one_assignment_and_free_ones_are_no_fault():
    assert told(*SOUND, ("spring", "b", "mail", "2026-04-01", "2026-04-03", 0.0)) == []


@pytest.mark.parametrize(("first_purchase", "late"), [(DAY, True), (DAY + 1, False), (DAY + 2, False), (None, False)])
def test_contacted_after_purchase_is_a_later_day_of_the_first_contact(first_purchase, late):
    # b's contacts are on day 1 and day 20
    rows = [*SOUND, ("spring", "b", "mail", "2026-04-01", "2026-04-21", 0.1)]
    expected = [("contacted_after_purchase", 1, "b")] if late else []
    assert told(*rows, purchases={"a": DAY + 5, "b": first_purchase}) == expected


@pytest.mark.parametrize(("days", "overlapping"), [(-30, False), (-29, True), (0, True), (29, True), (30, False)])
def test_campaigns_overlap_where_both_windows_hold_a_day(days, overlapping):
    # windows of 30 days from day 0: days 1 … 30; from day 29: days 30 … 59; from day 30: days 31 …
    at = pd.Timestamp("2026-04-01") + pd.Timedelta(days=days)
    other = [("other", name, arm, at, contact, None) for name, arm, contact in
             (("a", "mail", at), ("z", "mail", at), ("c", "control", None), ("e", "control", None))]  # fmt: skip
    table = found(*SOUND, *other, purchases={"a": DAY + 40, "z": DAY + 40})
    table = table[table["fault"] == "overlapping"]
    expected = [["other", "overlapping", 2, "a"], ["spring", "overlapping", 2, "a"]] if overlapping else []
    assert table.to_numpy().tolist() == expected


def test_no_control_and_no_buyers_concern_everybody_and_name_the_arms():
    rows = [(c, n, {"mail": "email"}.get(arm, "holdout"), *rest) for c, n, arm, *rest in SOUND]
    everyone = told(*rows, purchases={})
    # who was not contacted is, without a control's name, treated and never contacted
    assert everyone == [("no_such_control", 4, "email, holdout"), ("never_contacted", 2, "c"), ("no_buyers", 4, "a")]


def test_who_is_known_may_not_be_known():
    table = contacts(*SOUND)
    assigned = assignment.first_assignments(table).assign(first_purchase=float(DAY + 9))
    assert faults(table, assigned, None, "control", 30).empty


def test_order_of_rows_changes_nothing_and_names_only_the_example():
    rng = np.random.default_rng(1)
    rows = [
        (f"k{rng.integers(3)}", f"c{rng.integers(40):02d}", ["mail", "control"][rng.integers(2)],
         f"2026-04-{rng.integers(1, 29):02d}", [None, "2026-04-15"][rng.integers(2)], [-1.0, 0.5][rng.integers(2)])
        for _ in range(150)
    ]  # fmt: skip
    known = [f"c{n:02d}" for n in range(30)]
    expected = found(*rows, known=known, purchases=dict.fromkeys(known, DAY + 3))
    assert set(expected["fault"]) >= set(FAULTS) - {"no_such_control", "arm_of_one", "no_buyers"}
    pd.testing.assert_frame_equal(found(*rows[::-1], known=known, purchases=dict.fromkeys(known, DAY + 3)), expected)
    renamed = [(c, f"z{99 - int(name[1:])}", *rest) for c, name, *rest in rows]
    known = [f"z{99 - n}" for n in range(30)]
    table = found(*renamed, known=known, purchases=dict.fromkeys(known, DAY + 3))
    pd.testing.assert_frame_equal(table.drop(columns="example"), expected.drop(columns="example"))


def test_an_empty_table_is_told_of_nothing():
    assert found().empty
