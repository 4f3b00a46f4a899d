"""The checklist: each criterion true, false or open by hand, one count for everybody, faults told in one line."""

import itertools

import numpy as np
import pandas as pd
import pytest
import yaml

from tierbook.errors import ParamsError
from tierbook.scores import checklist, maps

VALUE = checklist.find("value_customer")
CODES = ["frequency", "spend", "loyalty", "referral"]
WORDS = {"en": "Name", "zh": "名"}


def people(*rows):
    table = pd.DataFrame(rows, columns=["r", "f", "m", "stage", "referrals", "nps"], index=range(10, 10 + len(rows)))
    return table.astype({"r": "Int8", "f": "Int8", "m": "Int8", "referrals": float, "nps": float})


def judged(found):
    """Criteria as T, F and ? for open, with met and known."""
    letters = found[CODES].astype(object).map(lambda v: "?" if pd.isna(v) else "TF"[not v])
    return [(("".join(row)), met, known) for row, met, known in zip(letters.to_numpy(), found["met"], found["known"], strict=True)]  # fmt: skip


def test_the_value_customer_by_hand():
    found = VALUE.apply(
        people(
            (5, 5, 5, "loyal", 2, 10),
            (1, 4, 4, "at_risk", 0, 8),  # f and m at their least; no referral and no promoter is a no
            (5, 3, 3, "active", 1, 0),  # one referral is enough, whatever the answer
            (5, 1, 1, "new", 0, 9),  # and so is a 9
            (5, 5, 5, "loyal", np.nan, np.nan),  # nothing is known of referral: open
            (5, 5, 5, "loyal", 0, np.nan),  # 0 referrals and no answer: a promoter could be, open
            (5, 5, 5, "loyal", np.nan, 3),
            (5, 5, 5, "loyal", np.nan, 9),  # one of any is met: true, the other may stay unknown
            (5, 2, None, "active", 0, 0),  # bought, the margin unknown: spend is open
            (None, None, None, "lost", 3, np.nan),  # bought nothing in the window: frequency and spend are a no
            (None, None, None, None, np.nan, np.nan),
        )
    )
    assert judged(found) == [
        ("TTTT", 4, 4), ("TTFF", 2, 4), ("FFFT", 1, 4), ("FFFT", 1, 4), ("TTT?", 3, 3), ("TTT?", 3, 3), ("TTT?", 3, 3),
        ("TTTT", 4, 4), ("F?FF", 0, 3), ("FFFT", 1, 4), ("FF??", 0, 2),
    ]  # fmt: skip
    assert found.index.tolist() == list(range(10, 21)) and list(found) == [*CODES, "met", "known"]
    assert found[CODES].dtypes.astype(str).tolist() == ["boolean"] * 4


def test_everybody_has_exactly_one_count_between_none_and_what_is_known():
    scores = [(r, f, m) for r, f, m in itertools.product(range(1, 6), repeat=3)] + [(None, None, None)]
    stages, referrals, nps = ("new", "loyal", "lost"), (None, 0, 1), (None, 0, 8, 9, 10)
    everybody = people(*[(*s, *rest) for s in scores for rest in itertools.product(stages, referrals, nps)])
    found = VALUE.apply(everybody)
    assert ((found["met"] >= 0) & (found["met"] <= found["known"]) & (found["known"] <= 4)).all()
    assert found[["met", "known"]].notna().all().all()
    shuffled = VALUE.apply(everybody.sample(frac=1, random_state=7)).reindex(everybody.index)
    pd.testing.assert_frame_equal(shuffled, found)


def test_nobody_has_an_empty_list():
    assert VALUE.apply(people()).shape == (0, 6)


def test_its_words_stand_in_both_languages():
    assert list(VALUE.words) == list(VALUE.criteria) == CODES
    assert [VALUE.words[code]["zh"] for code in CODES] == ["高频次", "高消费", "高忠诚", "高推荐"]
    assert (VALUE.name, VALUE.bins, VALUE.traits) == ("value_customer", 5, ["stage", "referrals", "nps"])
    maps.require_bins(VALUE, 5)
    with pytest.raises(ParamsError, match="stands on 5 scores a measure, the scale has 2"):
        maps.require_bins(VALUE, 2)


def test_any_and_all_nest():
    """Often and much, or loyal and (a promoter or a referrer); r 5 in any case."""
    parts = [{"all": [{"f": "4-5"}, {"m": "4-5"}]}, {"stage": "loyal", "any": [{"nps": "9+"}, {"referrals": "1+"}]}]
    found = one_criterion(r=5, any=parts).apply(
        people(
            (5, 4, 4, "new", 0, 0),
            (4, 4, 4, "new", 0, 0),
            (5, 4, 3, "loyal", 1, np.nan),
            (5, 4, 3, "loyal", np.nan, 0),
            (5, 4, 3, "new", np.nan, np.nan),
            (4, 4, 3, "loyal", np.nan, np.nan),
        )
    )
    assert [None if pd.isna(v) else bool(v) for v in found["x"]] == [True, False, True, None, False, False]


def test_a_sum_is_of_all_three_scores():
    found = one_criterion(sum="13+").apply(
        people((5, 4, 4, "new", 0, 0), (4, 4, 4, "new", 0, 0), (5, 5, None, "new", 0, 0))
    )
    assert [None if pd.isna(v) else bool(v) for v in found["x"]] == [True, False, None]


def one_criterion(**rule):
    return checklist.parse({"criteria": {"x": {"words": WORDS, **rule}}}, "x.yaml")


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        ({"criterias": {}}, "unknown key 'criterias'; nearest is 'criteria'"),
        ({}, "give criteria"),
        ({"criteria": []}, "give criteria"),
        ({"criteria": {"x": {"f": 5}}}, "'x' needs its words"),
        ({"criteria": {"met": {"words": WORDS, "f": 5}}}, "the code 'met' is kept"),
        ({"criteria": {"nps": {"words": WORDS, "f": 5}}}, "the code 'nps' is kept"),
        ({"criteria": {"x": {"words": WORDS}}}, r"x: a criterion holds one or more of r, f, m.*found \[\]"),
        ({"criteria": {"x": {"words": WORDS, "q": 1}}}, r"found \['q'\]"),
        ({"criteria": {"x": {"words": WORDS, "any": {"f": 5}}}}, "any is a list"),
        ({"criteria": {"x": {"words": WORDS, "all": []}}}, "all is a list"),
        ({"criteria": {"x": {"words": WORDS, "any": [{"f": 5}, "loyal"]}}}, "found loyal"),
        ({"criteria": {"x": {"words": WORDS, "f": "5-4"}}}, "'5-4' is not a score or a rising range"),
        ({"criteria": {"x": {"words": WORDS, "stage": "royal"}}}, "'royal' is not a stage; nearest is 'loyal'"),
        ({"criteria": {"x": {"words": WORDS, "nps": "unknown"}}}, "nps cannot be asked to be unknown"),
        ({"criteria": {"x": {"words": WORDS, "nps": 12}}}, "nps 12 lies outside 0 to 10"),
        ({"criteria": {"x": {"words": WORDS, "f": 6}}}, "x: the criterion is never met"),
        ({"criteria": {"x": {"words": WORDS, "all": [{"f": 1}, {"f": 5}]}}}, "never met"),
        ({"criteria": {"x": {"words": WORDS, "referrals": "0+"}}}, "always met"),
        ({"criteria": {"x": {"words": WORDS, "any": [{"f": "1-4"}, {"f": 5}]}}}, "always met"),
        ({"bins": 1, "criteria": {"x": {"words": WORDS, "f": 5}}}, "bins = 1"),
    ],
)  # fmt: skip
def test_a_fault_is_one_line(tree, told):
    with pytest.raises(ParamsError, match=told) as error:
        checklist.parse(tree, "x.yaml")
    assert "x.yaml" in str(error.value) and "\n" not in str(error.value)


def test_a_trait_that_is_not_given_and_a_file_that_is_not_there_are_told():
    with pytest.raises(ParamsError, match="value_customer asks for referrals, nps, which is not given here"):
        VALUE.apply(people((5, 5, 5, "new", 0, 0)).drop(columns=["referrals", "nps"]))
    with pytest.raises(ParamsError, match="does not exist"):
        checklist.find("value_customers")


def test_a_checklist_of_the_users_is_found_by_its_path(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"criteria": {"x": {"words": WORDS, "f": 5}}}), encoding="utf-8")
    assert checklist.find(str(path)).name == "mine"
