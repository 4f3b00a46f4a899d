"""Preferences: shares by hand, and that buying more is no preference."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import preference

END, WINDOW = 1000, 100


def found_of(engine, frame, tiers):
    frame = frame.assign(net=pd.Series([Decimal(str(x)) for x in frame["net"]], dtype=object), reason="kept")
    spent = preference.spent(engine.frame(frame), "category", END, WINDOW)
    return [engine.collect(read(spent, engine.frame(tiers))) for read in (preference.by_tier, preference.activity)]


def test_shares_by_hand(engine):
    # 20 high, 30 low. TV: 15 high and 6 low bought one at 10; 1 more high gave hers back. Fan: 10 low at 2.
    rows = [(f"h{n}", "TV", END, 10) for n in range(15)] + [(f"l{n}", "TV", END - WINDOW + 1, 10) for n in range(6)]
    rows += [("h15", "TV", END, 10), ("h15", "TV", END, -10), ("h16", "TV", END - WINDOW, 10), ("h17", None, END, 10)]
    rows += [(f"l{n}", "Fan", END, 2) for n in range(10)]
    frame = pd.DataFrame(rows, columns=["customer_id", "category", "day", "net"])
    ids = [f"h{n}" for n in range(20)] + [f"l{n}" for n in range(30)]
    tiers = pd.DataFrame({"customer_id": ids, "tier": ["high"] * 20 + ["low"] * 30})
    counts, lines = found_of(engine, frame, tiers)
    found = preference.table(counts, lines, tiers.groupby("tier").size(), ["high", "low"]).set_index(["item", "tier"])
    assert found.index.get_level_values(0).unique().tolist() == ["TV", "Fan"]
    tv = found.loc["TV"]
    assert tv["customers"].to_dict() == {"all": 21, "high": 15, "low": 6} and tv["base"].tolist() == [50, 20, 30]
    assert tv["share"].tolist() == [0.42, 0.75, 0.2] and tv["index"].tolist() == pytest.approx(
        [1, 0.75 / 0.42, 0.2 / 0.42]
    )
    assert found.loc[("TV", "high"), "spend_share"] == 1.0
    assert np.isnan(found.loc[("TV", "low"), "spend_share"]), "six buyers"
    assert found.loc[("Fan", "low"), "spend_share"] == pytest.approx(20 / 80)
    assert found.loc[("Fan", "low"), "spend_index"] == pytest.approx((20 / 80) / (20 / 230))
    assert found.loc[("TV", "high"), "differs"] == "above" and found.loc[("Fan", "high"), "differs"] == "below"
    assert found.loc[("TV", "all"), "differs"] is None


@pytest.mark.parametrize(("size", "known"), [(9, False), (10, True), (11, True)])
def test_no_share_of_a_tier_below_ten(size, known):
    counts = pd.DataFrame({"item": "TV", "tier": ["high", "low"], "customers": [20, 5], "spend": [20.0, 5.0]})
    lines = pd.DataFrame({"tier": ["high", "low"], "lines": [1, 1], "customers": [20, 5]})
    found = preference.table(counts, lines, pd.Series({"high": 40, "low": size}), ["high", "low"]).set_index("tier")
    assert (found["share"].notna()["low"], found["expected"].notna()["low"]) == (known, known)
    assert (found.loc["low", "differs"] is None) is not known


def test_an_item_of_nine_customers_is_not_told():
    counts = pd.DataFrame({"item": ["TV", "Fan"], "tier": "low", "customers": [9, 10], "spend": 1.0})
    lines = pd.DataFrame({"tier": ["low"], "lines": [1], "customers": [19]})
    assert preference.table(counts, lines, pd.Series({"low": 30}), ["low"])["item"].unique().tolist() == ["Fan"]


def test_buying_more_is_no_preference():
    """Two tiers of one taste, one of which buys eight times as much."""
    rng = np.random.default_rng(5)
    parts, activity = [], []
    for tier, each in (("high", 16), ("low", 2)):
        taken = rng.choice(5, size=(800, each), p=[0.4, 0.3, 0.15, 0.1, 0.05])
        parts += [(f"item{k}", tier, int((taken == k).any(axis=1).sum()), float((taken == k).sum())) for k in range(5)]
        activity.append((tier, each, 800))
    counts = pd.DataFrame(parts, columns=["item", "tier", "customers", "spend"])
    lines = pd.DataFrame(activity, columns=["tier", "lines", "customers"])
    found = preference.table(counts, lines, pd.Series({"high": 800, "low": 800}), ["high", "low"])
    assert (found.loc[found["tier"] == "high", "index"] > 1).all(), (
        "by the plain index the best tier prefers everything"
    )
    assert found["differs"].dropna().eq("usual").sum() >= 9  # one in twenty lies outside by chance
    assert preference.strongest(found).shape[0] <= 1


def test_nothing_bought_is_an_empty_table():
    counts = pd.DataFrame({"item": [], "tier": [], "customers": [], "spend": []})
    counts = counts.astype({"item": "str", "tier": "str", "customers": "int64", "spend": float})
    lines = pd.DataFrame({"tier": [], "lines": [], "customers": []}).astype({"tier": "str", "lines": float})
    found = preference.table(counts, lines, pd.Series({"low": 30}), ["low"])
    assert found.empty and list(found) == preference.COLUMNS
