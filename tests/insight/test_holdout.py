"""The control arms of the lists: who is drawn, how large, how steady from month to month, and the list to be fed back."""

import datetime as dt
import hashlib
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.engine import Engine
from tierbook.insight import assignment, holdout


def listed(cells, prefix="c"):
    """(action, tier, customers) → one row each, with ids that no two share."""
    rows = [(a, t) for a, t, n in cells for _ in range(n)]
    frame = pd.DataFrame(rows, columns=["action", "tier"]).astype(object)
    return frame.assign(customer_id=[f"{prefix}{k}" for k in range(len(frame))])


def past(action="call", tier="high", spend=(0.0, 0.0, 0.0, 40.0), times=100):
    return pd.DataFrame({"action": action, "tier": tier, "spend": np.tile(np.asarray(spend, dtype=float), times)})


def test_the_lot_is_the_first_64_bits_of_the_salted_hash():
    """Of three customers a third is held out: the one whose sixteen hexadecimal digits come first."""
    lots = {name: hashlib.sha256(f"r:7|call|{name}".encode()).hexdigest()[:16] for name in ("c0", "c1", "c2")}
    assert holdout.hash64("r:7|call|c0") == int(lots["c0"], 16)
    people = listed([("call", "high", 3)])
    drawn = holdout.draw(people, 1 / 3, "r:7")
    assert people.loc[drawn, "customer_id"].tolist() == [min(lots, key=lots.get)]


@pytest.mark.parametrize(("n", "held_out"), [(1, 0), (4, 0), (5, 1), (14, 1), (15, 2), (100, 10)])
def test_a_tenth_rounds_halves_up(n, held_out):
    assert holdout.draw(listed([("call", "high", n)]), 0.10, "s").sum() == held_out


def test_tiers_share_the_action_s_total_by_largest_remainder():
    """Shares of 13, 16, 6 at 10 %: 1.3, 1.6, 0.6; 3.5 in all rounds to 4; 1 + 1 + 0 and the two largest remainders."""
    people = listed([("call", "a", 13), ("call", "b", 16), ("call", "c", 6), ("mail", "a", 20)])
    drawn = people.assign(held_out=holdout.draw(people, 0.10, "s")).groupby(["action", "tier"])["held_out"].sum()
    assert drawn.to_dict() == {("call", "a"): 1, ("call", "b"): 2, ("call", "c"): 1, ("mail", "a"): 2}


def test_each_action_has_its_own_share_and_no_tier_is_a_tier_of_its_own():
    people = listed([("call", None, 10), ("call", "high", 10), ("mail", "high", 10)])
    drawn = people.assign(held_out=holdout.draw(people, {"call": 0.3, "mail": 0.1}, "s"))
    assert drawn.groupby(["action", "tier"], dropna=False)["held_out"].sum().tolist() == [3, 3, 1]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=5), st.floats(0.01, 0.5), st.randoms(use_true_random=False))
def test_totals_are_exact_and_the_order_of_rows_changes_nothing(counts, share, shuffler):
    people = listed([("call", f"t{k}", n) for k, n in enumerate(counts)])
    drawn = holdout.draw(people, share, "s")
    assert drawn.sum() == math.floor(round(share * len(people), 9) + 0.5)
    by_tier = people.assign(held_out=drawn).groupby("tier")["held_out"].agg(["sum", "size"])
    assert ((by_tier["sum"] - share * by_tier["size"]).abs() < 1).all()
    order = list(range(len(people)))
    shuffler.shuffle(order)
    again = holdout.draw(people.iloc[order].reset_index(drop=True), share, "s")
    assert set(people["customer_id"][drawn]) == set(people.iloc[order]["customer_id"].to_numpy()[again.to_numpy()])


def test_who_stays_on_the_list_nearly_always_stays_on_his_side():
    """A tenth of 2,000 leave and 200 come: of 1,800 stayers the border moves past a few by chance (about √(180 × 0.2))."""
    people = listed([("call", "high", 2_000)])
    later = pd.concat([people.iloc[200:], listed([("call", "high", 200)], prefix="new")], ignore_index=True)
    sides = [p.set_index("customer_id").assign(h=holdout.draw(p, 0.2, "s").to_numpy())["h"] for p in (people, later)]
    before, after = sides[0].align(sides[1], join="inner")
    assert len(before) == 1_800 and (before != after).sum() <= 25
    fresh = holdout.draw(people, 0.2, "other").to_numpy()
    assert (fresh != sides[0].to_numpy()).sum() > 500, "another salt is another draw: 2 × 0.2 × 0.8 of 2,000 = 640"


def test_a_larger_share_keeps_the_controls_there_were():
    people = listed([("call", "high", 500)])
    few, many = (holdout.draw(people, share, "s") for share in (0.1, 0.3))
    assert (few <= many).all() and few.sum() == 50 and many.sum() == 150


def test_actions_are_drawn_apart_and_arms_are_alike():
    people = listed([("call", "high", 4_000)])
    other = holdout.draw(people.assign(action="mail"), 0.3, "s")
    both = (holdout.draw(people, 0.3, "s") & other).mean()
    assert both == pytest.approx(0.09, abs=0.015)
    assert np.arange(4_000)[other].mean() == pytest.approx(2_000, abs=100), "no side for older ids: se 28"


def test_nobody_is_drawn_from_nobody():
    assert holdout.draw(listed([]), 0.3, "s").tolist() == []
    assert holdout.shares(listed([]), past(), "auto") == {}


def test_spend_within_takes_the_days_of_the_window(tmp_path):
    """Window of 30 days to day 100: days 71 to 100; a refund counts against."""
    days = pd.DataFrame(
        [("a", 70, 9.0), ("a", 71, 5.0), ("a", 100, -2.0), ("b", 101, 7.0)], columns=["customer_id", "day", "net"]
    )
    engine = Engine(tmp_path)
    found = engine.collect(holdout.spend_within(engine.frame(days), 100, 30))
    engine.close()
    assert found.set_index("customer_id")["spend"].to_dict() == {"a": 3.0}


def test_experience_is_what_the_earlier_list_spent_since():
    then = listed([("call", "high", 2), ("mail", None, 1)])
    spent = pd.DataFrame({"customer_id": ["c1", "c2", "x"], "spend": [5.0, 7.0, 9.0]})
    found = holdout.experience(then, spent)
    assert found["spend"].tolist() == [0.0, 5.0, 7.0] and found["action"].tolist() == ["call", "call", "mail"]


def test_sizes_by_hand():
    """Spend 0, 0, 0, 40: mean 10, variance 300 × 400/399 = 300.752, sd 17.3422. 300 against 100: error
    17.3422 √(1/300 + 1/100) = 2.00251; detectable (1.959964 + 0.841621) × it = 5.61019. A lift of 2 needs
    2.801585² × 2 × 300.752 / 4 = 1,180.3 an arm, and has power Φ(0.998747 − 1.959964) + Φ(−2.958711) = 0.16823 + 0.00154.
    """
    people = listed([("call", "high", 400)])
    people = people.assign(held_out=[True] * 100 + [False] * 300)
    table = holdout.sizes(people, past())
    assert list(table.columns) == holdout.COLUMNS and table["tier"].tolist() == ["all", "high"]
    row = table.iloc[0]
    assert (row["customers"], row["held_out"], row["unit"], row["mean"]) == (400, 100, "spend", 10)
    assert row["sd"] == pytest.approx(17.3422, abs=1e-4)
    assert row["detectable"] == pytest.approx(5.61019, abs=2e-4)
    assert row["needed"] == 1181
    assert row["power"] == pytest.approx(0.16977, abs=2e-4)
    with_margin = holdout.sizes(people, past(), margin=0.4).iloc[0]
    assert (with_margin["unit"], with_margin["mean"], with_margin["needed"]) == ("profit", 4, 1181)
    assert with_margin["detectable"] == pytest.approx(0.4 * 5.61019, abs=1e-4)


def test_power_agrees_with_a_simulated_test():
    """Normal money 100 ± 50, 200 against 100, lift 20: error 50 √0.015 = 6.1237, so power is Φ(3.266 − 1.96) = 0.904."""
    rng = np.random.default_rng(7)
    base = rng.normal(100, 50, 40_000)
    people = listed([("call", "high", 300)]).assign(held_out=[True] * 100 + [False] * 200)
    power = holdout.sizes(people, past(spend=base, times=1)).loc[0, "power"]
    treated = rng.normal(120, 50, (4_000, 200)).mean(axis=1)
    control = rng.normal(100, 50, (4_000, 100)).mean(axis=1)
    assert power == pytest.approx((np.abs(treated - control) > 1.959964 * 6.1237).mean(), abs=0.02)


@pytest.mark.parametrize("spend", [(0.0,), (5.0,), (-3.0, 1.0)])
def test_what_cannot_be_sized_is_null_and_takes_the_largest_share(spend):
    people = listed([("call", "high", 400)]).assign(held_out=[True] * 100 + [False] * 300)
    row = holdout.sizes(people, past(spend=spend)).iloc[0]
    assert pd.isna(row["needed"]) and pd.isna(row["power"]) and pd.isna(row["detectable"]) == (len(spend) == 1)
    assert holdout.shares(people, past(spend=spend), "auto") == {"call": 0.30}


def test_an_empty_arm_and_a_list_without_a_past_have_no_power():
    people = listed([("call", "high", 4), ("mail", "low", 4)]).assign(held_out=[False] * 4 + [True] + [False] * 3)
    table = holdout.sizes(people, past()).set_index(["action", "tier"])
    assert table[["detectable", "power"]].isna().all(axis=None)
    assert table.loc[("call", "all"), "mean"] == 10 and pd.isna(table.loc[("mail", "all"), "mean"])
    assert table.loc[("mail", "all"), "held_out"] == 1


def test_auto_takes_the_smallest_share_with_enough_power():
    """n needed per equal arm 2 × 2.801585² sd²/effect²; at share s of n: s (1 − s) n ≥ 2.801585² sd²/effect² = 590.2 with
    sd² = 300.752 and effect 2. At 3,000: 590.2/3,000 = 0.1967, which 0.25 (0.1875) misses and 0.30 (0.21) has."""
    for n, share in [(7_000, 0.10), (6_400, 0.15), (4_500, 0.20), (3_300, 0.25), (3_000, 0.30), (2_000, 0.30)]:
        assert holdout.shares(listed([("call", "high", n)]), past(), "auto") == {"call": share}, n


@pytest.mark.parametrize(("customers", "earlier", "share"), [(99, 100, 0.30), (100, 100, 0.10), (100, 96, 0.30)])
def test_under_a_hundred_customers_no_share_is_chosen(customers, earlier, share):
    """Everybody spends about 100, so that a tenth would do."""
    calm = past(spend=(99.0, 101.0), times=earlier // 2)
    assert holdout.shares(listed([("call", "high", customers)]), calm, "auto") == {"call": share}
    assert holdout.shares(listed([("call", "high", customers)]), calm, 0.2) == {"call": 0.2}


CATALOGUE = [
    {
        "code": "call",
        "owner": {"en": "team 1", "zh": "一组"},
        "channel": {"en": "phone", "zh": "电话"},
        "days": 10,
        "measure": {"en": "orders", "zh": "订单数"},
    },
    {"code": "mail", "channel": "email"},
]


def drawn():
    return pd.DataFrame(
        {
            "customer_id": ["c3", "c2", "c1"],
            "tier": ["low", "high", "high"],
            "stage": ["active", "at_risk", "at_risk"],
            "owner": [None, "Li", None],
            "action": ["mail", "call", "call"],
            "held_out": [False, False, True],
        }
    )


def test_the_list_names_campaign_arm_owner_and_due_day():
    table = holdout.action_list(drawn(), CATALOGUE, dt.date(2026, 10, 31), "holdback", "zh")
    assert list(table.columns) == holdout.LIST_COLUMNS
    assert table["campaign"].tolist() == ["2026-10 call", "2026-10 call", "2026-10 mail"]
    assert table["customer_id"].tolist() == ["c1", "c2", "c3"]
    assert table["arm"].tolist() == ["holdback", "treated", "treated"]
    assert table["owner"].where(table["owner"].notna(), None).tolist() == ["一组", "Li", None]
    assert table["channel"].tolist() == ["电话", "电话", "email"]
    assert table["action_measure"].tolist() == ["订单数", "订单数", None]
    assert table["due"].tolist() == [dt.date(2026, 11, 10), dt.date(2026, 11, 10), dt.date(2026, 11, 30)]
    assert set(table["assigned_at"]) == {dt.date(2026, 10, 31)} and table["contacted_at"].isna().all()


def test_the_list_filled_in_is_a_contacts_table():
    """Read as contacts it gives back arms and the day; who was called is contacted, controls are not."""
    table = holdout.action_list(drawn(), CATALOGUE, dt.date(2026, 10, 31), "control", "en")
    table["contacted_at"] = ["", "2026-11-03", ""]
    table = table.assign(cost=None, opted_out=None)
    for column in ("assigned_at", "contacted_at"):
        table[column] = pd.to_datetime(table[column])
    found = assignment.first_assignments(table).set_index("customer_id")
    assert found["arm"].to_dict() == {"c1": "control", "c2": "treated", "c3": "treated"}
    assert found["contacted"].to_dict() == {"c1": False, "c2": True, "c3": False}


def test_an_empty_list_has_its_columns():
    table = holdout.action_list(drawn().head(0), CATALOGUE, dt.date(2026, 10, 31), "control", "en")
    assert table.empty and list(table.columns) == holdout.LIST_COLUMNS
