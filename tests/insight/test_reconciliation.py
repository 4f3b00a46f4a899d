"""Our tiers and segments beside the CRM's label: counts by hand, shares from ten customers on, labels in many spellings."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.insight.reconciliation import COLUMNS, agreement, differences, reconcile, segment_of

NAMES = {
    "champions": ["Champions", "核心客户"],
    "at_risk": ["At risk", "流失风险客户"],
    "cannot_lose": ["Cannot lose them"],
}


def frames(rows):
    """Book and customers table from (tier, segment, label) per customer; a null tier: no order at all."""
    ids = [f"c{n}" for n in range(len(rows))]
    columns = {"customer_id": ids, "tier": [r[0] for r in rows], "segment": [r[1] for r in rows]}
    book = pd.DataFrame(columns, dtype="str")
    people = pd.DataFrame({"customer_id": ids, "crm_segment": [r[2] for r in rows]}, dtype="str")
    return book[book["tier"].notna()], people


# 10 labelled Champions: 6 are ours too, 3 at_risk, 1 without an order in the window; 2 "VIP", one of them without orders
ROWS = [("high", "champions", "Champions")] * 6
ROWS += [("low", "at_risk", "Champions")] * 3 + [("outside", None, "Champions")]
ROWS += [("high", "champions", "VIP"), (None, None, "VIP"), ("high", "champions", None)]


def test_counts_shares_and_agreement_by_hand():
    """6 + 3 + 1 of Champions, 1 + 1 of VIP; of all 12 labelled, 7 are our champions."""
    table = reconcile(*frames(ROWS), NAMES)
    assert list(table.columns) == COLUMNS
    segments = table[table["scheme"] == "segment"].set_index(["crm_segment", "name"])
    assert segments["customers"].to_dict() == {
        ("Champions", "champions"): 6, ("Champions", "at_risk"): 3, ("Champions", "outside"): 1,
        ("VIP", "champions"): 1, ("VIP", "no_order"): 1,
    }  # fmt: skip
    assert segments.loc[("Champions", "champions"), "share"] == pytest.approx(0.6)
    assert segments.loc[("Champions", "champions"), "share_of_all"] == pytest.approx(7 / 12)
    assert segments.loc["VIP", "share"].isna().all(), "two customers have no percentages"
    agrees = segments["agrees"]
    assert agrees["Champions"].tolist() == [True, False, pd.NA] and agrees["VIP"].isna().all()
    tiers = table[table["scheme"] == "tier"]
    assert tiers["agrees"].isna().all() and tiers["customers"].sum() == 12
    found = agreement(table)
    assert found[:2] == (9, 6) and pd.isna(found.share), "nine can be compared: too few for a share"
    assert differences(table)[["crm_segment", "name", "customers"]].values.tolist() == [["Champions", "at_risk", 3]]


@pytest.mark.parametrize(("n", "known"), [(9, False), (10, True), (11, True)])
def test_a_share_stands_on_ten_customers(n, known):
    table = reconcile(*frames([("high", "champions", "Champions")] * n), NAMES)
    assert table["share"].notna().all() == known and table["share_of_all"].notna().all() == known
    assert pd.notna(agreement(table).share) == known


@pytest.mark.parametrize(
    ("label", "code"),
    [("CHAMPIONS", "champions"), ("核心客户", "champions"), ("At-Risk", "at_risk"), ("Can't Lose Them", "cannot_lose"),
     ("Can’t lose them", "cannot_lose"), ("cannot_lose", "cannot_lose"), ("Gold", None), ("Hibernating", None)],
)  # fmt: skip
def test_labels_are_known_in_any_spelling(label, code):
    """Hibernating is none of this map's three segments."""
    assert segment_of([label], NAMES)[label] == code


@pytest.mark.parametrize("labels", [[None, None], ["", "  "]])
def test_without_a_label_the_table_is_empty(labels):
    table = reconcile(*frames([("high", "champions", label) for label in labels]), NAMES)
    assert table.empty and list(table.columns) == COLUMNS
    assert agreement(table)[:2] == (0, 0) and differences(table).empty


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["high", "low", None]), st.sampled_from(["champions", "at_risk", None]),
                          st.sampled_from(["Champions", "At risk", "Gold", None])), max_size=40), st.randoms())  # fmt: skip
def test_every_labelled_customer_is_counted_once_in_any_order(rows, random):
    table = reconcile(*frames(rows), NAMES)
    labelled = sum(row[2] is not None for row in rows)
    assert (
        table.groupby("scheme")["customers"].sum().reindex(["tier", "segment"], fill_value=0).tolist() == [labelled] * 2
    )
    shuffled = rows[:]
    random.shuffle(shuffled)
    pd.testing.assert_frame_equal(reconcile(*frames(shuffled), NAMES), table)
