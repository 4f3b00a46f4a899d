"""Actions: the first that fits, nobody who must not be contacted, and faults in one line."""

import pandas as pd
import pytest
import yaml

from tierbook.errors import ParamsError
from tierbook.insight.actions import assign, read_actions
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
    found = assign(BOOK, ACTIONS, NOBODY)
    assert found.tolist() == ["call", "visit", "visit", "mail", "mail"]
    assert found.index.equals(BOOK.index)
    assert assign(BOOK, ACTIONS[::-1], NOBODY).tolist() == ["mail"] * 5


def test_every_condition_must_hold():
    assert assign(BOOK, ACTIONS[:1], NOBODY).notna().tolist() == [True, False, False, False, False]


@pytest.mark.parametrize(("wanted", "fits"), [(True, [5]), ("true", [5]), (False, [6, 7, 8, 9])])
def test_alert_is_true_or_false(wanted, fits):
    found = assign(BOOK, [{"code": "call", "when": {"alert": wanted}}], NOBODY)
    assert found.index[found.notna()].tolist() == fits


def test_who_must_not_be_contacted_gets_no_action_whatever_the_index():
    silent = pd.Series([True, False, True, False, False], index=[0, 1, 2, 3, 4], dtype="boolean")
    assert assign(BOOK, ACTIONS, silent).tolist() == [None, "visit", None, "mail", "mail"]


def test_no_actions_and_no_customers():
    assert assign(BOOK, [], NOBODY).isna().all()
    assert len(assign(BOOK.head(0), ACTIONS, NOBODY.head(0))) == 0


def test_the_shipped_list_is_sound_and_names_real_tiers():
    from tierbook.scores import lifecycle, maps

    listed = read_actions(ROOT / "params" / "actions.yaml")
    schemes = ("four_tier", "three_tier", "service_tier", "purchase_behaviour")
    tiers = {name for scheme in schemes for name in maps.find(scheme).order}
    known = {"tier": tiers | {maps.OUTSIDE}, "stage": set(lifecycle.STAGES)}
    for action in listed:
        assert {"en", "zh"} <= set(action["words"]), action["code"]
        for column, wanted in action["when"].items():
            values = wanted if isinstance(wanted, list) else [wanted]
            assert set(values) <= known.get(column, set(values)), action["code"]
    assert len({action["code"] for action in listed}) == len(listed)


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        ({"actions": "call"}, "give actions"),
        ({"action": []}, "give actions"),
        ({"actions": ["call"]}, "give actions"),
        ({"actions": [{"when": {"tier": "high"}}]}, "give actions"),
        ({"actions": [{"code": "call", "chanel": "sms"}]}, "call: unknown key 'chanel'; nearest is 'channel'"),
        ({"actions": [{"code": "call", "when": {"tiers": "high"}}]}, "call: unknown key 'tiers'; nearest is 'tier'"),
    ],
)
def test_a_fault_is_one_line(tmp_path, tree, told):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(tree))
    with pytest.raises(ParamsError, match=told) as error:
        read_actions(path)
    assert "mine.yaml" in str(error.value) and "\n" not in str(error.value)
