"""Actions: the first that fits, nobody who must not be contacted, and faults in one line."""

import datetime as dt
from itertools import product

import pandas as pd
import pytest
import yaml

from tierbook.errors import ParamsError
from tierbook.insight.actions import (
    CHAPTERS,
    assign,
    counted,
    drawn,
    due_lists,
    listed,
    read_actions,
    with_actions,
)
from tierbook.params import ROOT

BOOK = pd.DataFrame(
    {
        "tier": ["high", "high", "low", "outside", None],
        "stage": ["at_risk", "active", "new", "lost", "active"],
        "segment": ["champions", None, "new", None, None],
        "alert": [True, False, False, False, False],
    },
    index=[5, 6, 7, 8, 9],
)
NOBODY = pd.Series(False, index=BOOK.index)
ACTIONS = [
    {"code": "call", "when": {"tier": "high", "stage": "at_risk"}},
    {"code": "visit", "when": {"tier": ["high", "low"]}},
    {"code": "greet", "when": {"stage": "new"}},
    {"code": "mail"},
]


def test_the_first_action_that_fits_is_taken():
    calm = BOOK.assign(alert=False)
    found = assign(calm, ACTIONS, NOBODY)
    assert found.tolist() == ["call", "visit", "visit", "mail", "mail"]
    assert found.index.equals(BOOK.index)
    assert assign(calm, ACTIONS[::-1], NOBODY).tolist() == ["mail"] * 5
    assert assign(calm.drop(columns="alert"), ACTIONS, NOBODY).tolist() == found.tolist()


def test_whom_the_early_warning_flags_is_its_own():
    assert assign(BOOK, ACTIONS, NOBODY).tolist() == [None, "visit", "visit", "mail", "mail"]
    asked = [*ACTIONS, {"code": "ring", "when": {"alert": True, "tier": "high"}}]
    assert assign(BOOK, asked, NOBODY).tolist() == ["ring", "visit", "visit", "mail", "mail"]


def test_every_condition_must_hold():
    assert assign(BOOK.assign(alert=False), ACTIONS[:1], NOBODY).notna().tolist() == [True, False, False, False, False]


@pytest.mark.parametrize(("wanted", "fits"), [(True, [5]), ("true", [5]), (False, [6, 7, 8, 9])])
def test_alert_is_true_or_false(wanted, fits):
    found = assign(BOOK, [{"code": "call", "when": {"alert": wanted}}], NOBODY)
    assert found.index[found.notna()].tolist() == fits


@pytest.mark.parametrize(("wanted", "fits"), [(True, [6]), ("true", [6]), (False, [7, 8, 9])])
def test_a_birthday_is_true_or_false_and_not_the_flagged_ones(wanted, fits):
    """5 and 6 have a birthday; 5 is on the call list. Without birthdays in the book nobody has one."""
    born = BOOK.assign(birthday=[True, True, False, False, False])
    action = [{"code": "greet", "when": {"birthday": wanted}}]
    found = assign(born, action, NOBODY)
    assert found.index[found.notna()].tolist() == fits
    assert assign(BOOK, action, NOBODY).notna().any() == (wanted is False)


def test_who_must_not_be_contacted_gets_no_action_whatever_the_index():
    silent = pd.Series([True, False, True, False, False], index=[0, 1, 2, 3, 4], dtype="boolean")
    assert assign(BOOK, ACTIONS, silent).tolist() == [None, "visit", None, "mail", "mail"]


def test_no_actions_and_no_customers():
    assert assign(BOOK, [], NOBODY).isna().all()
    assert len(assign(BOOK.head(0), ACTIONS, NOBODY.head(0))) == 0


SCHEMES = ("four_tier", "three_tier", "service_tier", "purchase_behaviour")


def shipped():
    return read_actions(ROOT / "params" / "actions.yaml")


def test_the_shipped_list_is_sound_and_names_real_tiers_and_segments():
    from tierbook.scores import lifecycle, maps

    tiers = {name for scheme in SCHEMES for name in maps.find(scheme).order}
    segments = {name for scheme in ("eleven", "eight") for name in maps.find(scheme).order}
    known = {
        "tier": tiers | {maps.OUTSIDE},
        "stage": set(lifecycle.STAGES),
        "segment": segments,
        "alert": {True, False},
        "birthday": {True, False},
    }
    listed = shipped()
    for action in listed:
        for key in ("words", "measure", "channel", "owner"):
            assert set(action[key]) == {"en", "zh"}, (action["code"], key)
        for column, wanted in action["when"].items():
            values = wanted if isinstance(wanted, list) else [wanted]
            assert set(values) <= known[column], action["code"]
    assert {action["chapter"] for action in listed} == set(CHAPTERS)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_tier_at_every_stage_has_an_action_and_the_best_keep_theirs(scheme):
    """Whatever the segment. A customer of the tier lost is lost; outside (no order in the window) nothing is done."""
    from tierbook.scores import lifecycle, maps

    order = maps.find(scheme).order
    stages = [stage for stage in lifecycle.STAGES if stage != "lead"]
    cells = [(t, s, g) for t, s, g in product(order, stages, ["x", "at_risk"]) if t != "lost" or s == "lost"]
    book = pd.DataFrame(cells, columns=["tier", "stage", "segment"]).assign(alert=False)
    action = assign(book, shipped(), pd.Series(False, index=book.index))
    assert action.notna().all(), book[action.isna()]
    best = book["tier"] == order[0]
    assert set(action[best]) == {"care_call", "vip_care", "recall"}
    assert (action[best & (book["stage"] == "at_risk")] == "care_call").all()
    assert (action[~best & (book["stage"] == "new")] == "welcome").all()
    outside = book.assign(tier=maps.OUTSIDE, stage="lost", segment=None)
    assert assign(outside, shipped(), pd.Series(False, index=book.index)).isna().all()


@pytest.mark.parametrize(
    ("tier", "stage", "segment", "action"),
    [
        ("high", "at_risk", "champions", "care_call"),  # about to be lost: called, not greeted
        ("high", "loyal", "champions", "birthday"),
        ("ordinary", "active", "x", "birthday"),
        ("low", "lost", "x", "reactivate"),
        ("ordinary", "new", "promising", "education"),
        ("ordinary", "new", "new", "welcome"),
    ],
)
def test_on_a_birthday_the_urgent_comes_first_and_the_general_waits(tier, stage, segment, action):
    book = pd.DataFrame({"tier": [tier], "stage": [stage], "segment": [segment], "alert": [False], "birthday": [True]})
    assert assign(book, shipped(), pd.Series([False])).tolist() == [action]


def test_every_shipped_action_is_somebody_s():
    from tierbook.scores import lifecycle, maps

    tiers = {name for scheme in SCHEMES for name in maps.find(scheme).order}
    segments = [name for scheme in ("eleven", "eight") for name in maps.find(scheme).order]
    cells = product(sorted(tiers), lifecycle.STAGES, segments, [True, False])
    book = pd.DataFrame(cells, columns=["tier", "stage", "segment", "birthday"]).assign(alert=False)
    found = assign(book, shipped(), pd.Series(False, index=book.index))
    assert set(found.dropna()) == {action["code"] for action in shipped()}


def parts():
    """Ten high at risk; one of them must not be contacted, one is in the early warning's hold-out; one without a tier."""
    frame = pd.DataFrame({"customer_id": [f"c{k}" for k in range(11)], "tier": ["high"] * 10 + [None]})
    return frame.assign(
        stage="at_risk",
        segment=None,
        alert=False,
        owner=None,
        do_not_contact=[True] + [False] * 10,
        held_out=[False, True] + [False] * 9,
    )


NO_PAST = pd.DataFrame({"action": [], "tier": [], "spend": []})


def planned(frame, actions, holdout):
    """Those listed, and drawn from them whom to leave alone."""
    return drawn(listed(frame, actions), NO_PAST, holdout, "s")


def test_planned_lists_everybody_an_action_is_for_and_draws_their_control():
    """Eight of the ten high are free: at 25 % two are held out. Do-not-contact and the alert's hold-out are on no list."""
    found = planned(parts(), ACTIONS[:1], 0.25)
    assert found["customer_id"].tolist() == [f"c{k}" for k in range(2, 10)]
    assert found["held_out"].sum() == 2 and set(found["action"]) == {"call"}
    assert list(found) == ["customer_id", "tier", "stage", "owner", "action", "held_out"]


@pytest.mark.parametrize("cut", [0, 1, 5, 10, 11])
def test_customers_are_listed_one_by_one_so_that_parts_of_them_are_listed_alike(cut):
    two = pd.concat([listed(parts().iloc[:cut], ACTIONS), listed(parts().iloc[cut:], ACTIONS)])
    pd.testing.assert_frame_equal(two, listed(parts(), ACTIONS), check_dtype=False)


def test_the_control_arm_has_no_action_in_the_book():
    plan = planned(parts(), ACTIONS[:1], 0.25)
    book = with_actions(parts(), ACTIONS[:1], plan).set_index("customer_id")
    assert set(book.index[book["action"] == "call"]) == set(plan.loc[~plan["held_out"], "customer_id"])
    assert book["tier"].tolist()[-1] == "outside"
    before = with_actions(parts(), ACTIONS[:1])
    assert (before["action"] == "call").sum() == 8


def test_due_lists_count_who_is_contacted_and_who_is_held_out():
    actions = [ACTIONS[0] | {"chapter": "keep", "days": 10, "measure": {"en": "orders"}}, ACTIONS[3]]
    plan = planned(parts(), actions, 0.25)
    told = due_lists(counted(plan), actions, dt.date(2026, 10, 31))
    assert told["chapter"].tolist()[0] == "keep" and pd.isna(told["chapter"][1])
    assert told["action_measure"].tolist() == [{"en": "orders"}, None]
    assert told[["code", "due", "customers", "held_out"]].to_dict("list") == {
        "code": ["call", "mail"],
        "due": [dt.date(2026, 11, 10), dt.date(2026, 11, 30)],
        "customers": [6, 1],
        "held_out": [2, 0],
    }
    half = [counted(plan.iloc[:5]), counted(plan.iloc[5:])]
    pd.testing.assert_frame_equal(due_lists(pd.concat(half), actions, dt.date(2026, 10, 31)), told)
    book = with_actions(parts(), ACTIONS[:1], plan)
    assert (book["action"] == "call").sum() == 6


def test_no_customer_no_list():
    nobody = planned(parts().head(0), ACTIONS, "auto")
    assert nobody.empty and due_lists(counted(nobody), ACTIONS, dt.date(2026, 10, 31)).empty


def test_a_plain_text_is_a_measure(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("actions: [{code: call, measure: orders, chapter: keep, campaigns: ['*call*']}]")
    assert read_actions(path)[0]["measure"] == "orders"


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        ({"actions": "call"}, "give actions"),
        ({"action": []}, "give actions"),
        ({"actions": ["call"]}, "give actions"),
        ({"actions": [{"when": {"tier": "high"}}]}, "give actions"),
        ({"actions": [{"code": "call", "chanel": "sms"}]}, "call: unknown key 'chanel'; nearest is 'channel'"),
        ({"actions": [{"code": "call", "when": {"tiers": "high"}}]}, "call: unknown key 'tiers'; nearest is 'tier'"),
        ({"actions": [{"code": "call", "chapter": "retain"}]}, "chapter 'retain'; one of acquire, keep, develop"),
        ({"actions": [{"code": "call", "campaigns": "2026-04 coupon"}]}, "give a list of campaign names"),
        ({"actions": [{"code": "call", "campaigns": [4]}]}, "give a list of campaign names"),
        ({"actions": [{"code": 4}, {"code": "4"}]}, "4: its code stands twice"),
    ],
)
def test_a_fault_is_one_line(tmp_path, tree, told):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(tree))
    with pytest.raises(ParamsError, match=told) as error:
        read_actions(path)
    assert "mine.yaml" in str(error.value) and "\n" not in str(error.value)
