"""How much tiers depend on the rules: shares by hand, four and six scores read on five, variants from real windows."""

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import sensitivity
from tierbook.insight.sensitivity import read_on, tiers_of
from tierbook.params import Rfm
from tierbook.scores import maps

FOUR, EIGHT = maps.find("four_tier"), maps.find("eight")


def tiers(text):
    """Tiers by customer from letters: h high, l low, o outside, - none; the customers are 0, 1, 2 …"""
    names = {"h": "high", "l": "low", "o": "outside", "-": None}
    return pd.Series([names[letter] for letter in text], dtype=object)


def windows(days, orders, net, active=None):
    """History.windows at one date; customers are named a, b, c …"""
    return pd.DataFrame(
        {
            "customer_id": [f"c{n:03d}" for n in range(len(days))],
            "recency_days": days,
            "window_orders": orders,
            "window_active_days": orders if active is None else active,
            "window_net": net,
            "window_cost": np.nan,
        }
    )


def tiers_with_bins(windows, bins, rules, scheme):
    return sensitivity.fitted(windows, 365, rules, scheme, bins).tiers(windows)


def told(base, variants):
    """`sensitivity` of tiers by customer, all in one part."""
    return sensitivity.sensitivity((name, sensitivity.beside(base, found, "high")) for name, found in variants)


def row(base, variant):
    found = told(tiers(base), {"v": tiers(variant)}.items())
    assert found["variant"].tolist() == ["v"]
    return found.iloc[0]


def test_shares_by_hand():
    # twelve in the base, ten of them high; the variant lacks customer 0 (outside), moves 1 down and 11 up, adds 12
    found = row("hhhhhhhhhhll-", "olhhhhhhhhlhl")
    assert found["customers"] == 13
    assert found["same_tier"] == pytest.approx(9 / 11)  # eleven have both: 1 and 11 differ
    assert found["best_customers"] == 9
    assert found["best_kept"] == pytest.approx(8 / 10)  # 2 … 9 of 0 … 9


@pytest.mark.parametrize(("both", "share"), [(9, None), (10, 1.0)])
def test_no_share_of_fewer_than_ten(both, share):
    found = row("h" * both + "l", "h" * both + "o")
    for column in ("same_tier", "best_kept"):
        assert found[column] == share if share else np.isnan(found[column])
    assert found["customers"] == both + 1 and found["best_customers"] == both


def test_customers_meet_by_id_whatever_the_order_and_nobody_is_no_error():
    base, same = tiers("hhhhhhhhhhllll"), tiers("hhhhhhhhhhllll").sample(frac=1, random_state=3)
    found = told(base, {"a": same, "none": tiers("")}.items()).set_index("variant")
    assert found.loc["a"].tolist() == [14, 1, 10, 1]
    assert found.loc["none", "best_kept"] == 0 and np.isnan(found.loc["none", "same_tier"])
    assert told(base, []).empty


@pytest.mark.parametrize(
    ("bins", "read"),
    [
        # 5(s − ½)/4: .625, 1.875, 3.125, 4.375
        (4, [1, 2, 4, 5]),
        (5, [1, 2, 3, 4, 5]),
        # 5(s − ½)/6: .42, 1.25, 2.08, 2.92, 3.75, 4.58
        (6, [1, 2, 3, 3, 4, 5]),
        # 5(s − ½)/7: .36, 1.07, 1.79, 2.5, 3.21, 3.93, 4.64
        (7, [1, 2, 2, 3, 4, 4, 5]),
        # 5(s − ½)/2: 1.25, 3.75
        (2, [2, 4]),
    ],
)
def test_scores_are_read_where_the_middle_of_their_quantile_lies(bins, read):
    found = read_on(pd.Series([*range(1, bins + 1), pd.NA], dtype="Int8"), bins, 5)
    assert found.tolist()[:-1] == read and found.isna().tolist() == [False] * bins + [True]


def twelve():
    """Recency, frequency and money all rise together: customer n is n-th in each, the last the best."""
    n = np.arange(12)
    return windows(days=(11 - n) * 10, orders=n + 1, net=(n + 1) * 100.0)


def test_tiers_with_four_scores_by_hand():
    # quarters of twelve: customers 0–2 score 1, 3–5 score 2, 6–8 score 3 read as 4, 9–11 score 4 read as 5.
    # r too: the most recent quarter, days 0–20 (9–11), scores 4; 30–50 (6–8) 3; 60–80 (3–5) 2.
    found = tiers_with_bins(twelve(), 4, Rfm(), FOUR)
    # 111 and 222 low; 444: r and m of 4 potential; 555 high
    assert found.tolist() == ["low"] * 6 + ["potential"] * 3 + ["high"] * 3
    assert found.index.tolist() == twelve()["customer_id"].tolist()


def test_tiers_of_the_base_by_hand():
    # fifths of twelve: cuts reached by the 3rd (25 %), 5th (42 %), 8th (67 %), 10th (83 %): money scores 1: 0–2,
    # 2: 3–4, 3: 5–7, 4: 8–9, 5: 10–11. Recency the other way: days 0–20 (9–11) 5, to 40 (7–8) 4, to 70 (4–6) 3,
    # to 90 (2–3) 2, beyond (0–1) 1.
    # 0, 1: 111; 2: 211; 3: 222 low; 4: 322, 5, 6: 333, 7: 433 ordinary; 8: 444, 9: 544 potential; 10, 11: 555 high
    found = tiers_of(twelve(), Rfm(), FOUR)
    assert found.tolist() == ["low"] * 4 + ["ordinary"] * 4 + ["potential"] * 2 + ["high"] * 2


def test_a_dominant_frequency_keeps_its_fixed_cuts():
    """Nine of twelve bought once: by quarters the second order alone would score 4 of 4."""
    n = np.arange(12)
    frame = windows(days=(11 - n) * 10, orders=[1] * 9 + [2, 2, 4], net=(n + 1) * 100.0)
    # the best quarter by r and m: 5 5; f of two orders 2, of four 4
    assert tiers_with_bins(frame, 4, Rfm(), FOUR).tolist()[-3:] == ["potential", "potential", "high"]


@pytest.mark.parametrize("cut", [0, 1, 5, 13])
def test_parts_of_the_customers_say_what_all_say(cut):
    base, variant = tiers("hhhhhhhhhhll-"), tiers("olhhhhhhhhlhl")
    counts = [
        ("v", sensitivity.beside(base.iloc[part], variant.iloc[part], "high"))
        for part in (slice(cut), slice(cut, None))
    ]
    pd.testing.assert_frame_equal(sensitivity.sensitivity(counts), told(base, {"v": variant}.items()))


def test_a_scale_fitted_on_counted_customers_is_that_of_all_of_them():
    each = pd.concat([twelve(), twelve().tail(3)], ignore_index=True)
    counted = twelve().assign(customers=[1] * 9 + [2] * 3)
    for bins in (None, 4):
        found = [sensitivity.fitted(frame, 365, Rfm(), FOUR, bins) for frame in (counted, each)]
        pd.testing.assert_series_equal(*(rules.tiers(twelve()) for rules in found))


def variants(frames, rules, scheme):
    found = sensitivity.variants(frames.__getitem__, frames, rules, scheme)
    return {code: other.tiers(frames[other.window_days]) for code, other in found.items()}


def test_variants_of_a_plain_scheme():
    frames = {182: twelve().iloc[6:], 365: twelve(), 730: twelve()}
    found = variants(frames, Rfm(), FOUR)
    assert list(found) == ["window_182", "window_730", "bins_4", "bins_6", "frequency_days"]
    assert found["window_182"].index.tolist() == twelve()["customer_id"].tolist()[6:]
    pd.testing.assert_series_equal(found["window_730"], tiers_of(twelve(), Rfm(), FOUR))
    pd.testing.assert_series_equal(found["bins_4"], tiers_with_bins(twelve(), 4, Rfm(), FOUR))


def test_frequency_counts_the_other_thing():
    frame = twelve().assign(window_active_days=1)
    by_days = variants({365: frame}, Rfm(), FOUR)["frequency_days"]
    assert "high" not in set(by_days)  # everybody bought on one day: f is 1
    by_orders = variants({365: frame}, Rfm(frequency="days"), FOUR)["frequency_orders"]
    pd.testing.assert_series_equal(by_orders, tiers_of(frame, Rfm(), FOUR))


@pytest.mark.parametrize("rules", [Rfm(method="fixed", thresholds={"recency_days": [30, 60, 90, 100], "frequency": [1, 2, 3, 5], "monetary": [1, 2, 3, 4]})])  # fmt: skip
def test_no_variant_of_bins_where_nothing_is_cut_at_quantiles(rules):
    assert list(variants({365: twelve()}, rules, FOUR)) == ["frequency_days"]
    assert list(variants({365: twelve(), 182: twelve()}, Rfm(), EIGHT)) == ["window_182", "frequency_days"]


def test_a_scheme_with_traits_reads_them_beside_the_window():
    scheme = maps.parse(
        {
            "names": {"lost": {"en": "Lost"}, "kept": {"en": "Kept"}},
            "rules": [{"name": "lost", "stage": "lost"}, {"name": "kept"}],
        },
        "mine.yaml",
    )
    frame = twelve().assign(stage=["lost"] * 3 + ["active"] * 9)
    found = variants({182: frame, 365: frame}, Rfm(), scheme)
    assert list(found) == ["window_182", "frequency_days"]
    assert found["window_182"].tolist() == ["lost"] * 3 + ["kept"] * 9


def test_unknown_margins_and_an_empty_window_have_no_tier():
    rules = Rfm(monetary="margin")
    frame = twelve()
    frame.loc[2:, "window_cost"] = 10.0
    found = variants({182: frame.head(0), 365: frame, 730: twelve()}, rules, FOUR)
    assert found["window_182"].empty and found["window_730"].isna().all()
    assert all(found[code].isna().tolist() == [True] * 2 + [False] * 10 for code in ("bins_4", "bins_6", "frequency_days"))  # fmt: skip


def test_row_order_and_numbering_change_nothing():
    frame = twelve()
    shuffled = frame.sample(frac=1, random_state=5)
    for code, found in variants({182: shuffled, 365: shuffled}, Rfm(), FOUR).items():
        expected = variants({182: frame, 365: frame}, Rfm(), FOUR)[code]
        pd.testing.assert_series_equal(found.sort_index(), expected)
