"""Upgrade candidates: what is missing lifts a customer on whatever day of the month it is bought, and less does not."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.errors import ParamsError
from tierbook.insight import upgrades
from tierbook.params import Rfm
from tierbook.scores import maps, rfm
from tierbook.scores.lifecycle import STAGES

FOUR, SERVICE, BEHAVIOUR = (maps.find(name) for name in ("four_tier", "service_tier", "purchase_behaviour"))
SCALE = rfm.Scale(
    5,
    {"recency_days": [10, 30, 90, 180], "frequency": [1, 2, 3, 5], "monetary": [100.0, 200, 400, 1000]},
    "fixed",
    0,
    "2026-10-31",
)
COLUMNS = ["next_tier", "orders_missing", "spend_missing", "alt_orders", "alt_spend"]
NONE = [None, None, None, None, None]


def gap(tier, frequency, monetary, days_left=30, scale=SCALE, scheme=FOUR, **traits):
    """What is missing to one customer with a tier now, and so much frequency and money left at the deadline."""
    now = pd.DataFrame({"tier": [tier], **{trait: [value] for trait, value in traits.items()}}, index=[4])
    later = pd.DataFrame({"frequency": [frequency], "monetary": [monetary]}, dtype=float, index=[4])
    found = upgrades.next_tier(now, later, scale, scheme, days_left)
    assert list(found) == COLUMNS and found.index.tolist() == [4]
    return [None if pd.isna(value) else value for value in found.iloc[0]]


@pytest.mark.parametrize(
    ("tier", "frequency", "monetary", "expected"),
    [
        # r 4 (29 days silent at most); m 4 from 400.01 makes it potential: 400.01 − 350 = 50.01
        ("ordinary", 1, 350, ["potential", 1, 50.01, None, None]),
        # m 4 already: any order makes r 4 and with it potential
        ("low", 1, 500, ["potential", 1, 0, None, None]),
        # from potential only high is better: m 5 (1000.01 − 950) and f 4 (4 − 2 orders)
        ("potential", 2, 950, ["high", 2, 50.01, None, None]),
        ("potential", 3, 1000, ["high", 1, 0.01, None, None]),
        ("potential", 3, 2000, ["high", 1, 0, None, None]),
        # low with nothing to speak of: an order of any size makes r 4 and with it ordinary
        ("low", 1, 20, ["ordinary", 1, 0, None, None]),
        ("low", 1, -20, ["ordinary", 1, 0, None, None]),
        # all orders leave the window before the deadline: the new one is the only one
        ("ordinary", 0, 0, ["potential", 1, 400.01, None, None]),
        ("ordinary", np.nan, -30.5, ["potential", 1, 430.51, None, None]),
        ("high", 6, 5000, NONE),
        ("outside", 1, 350, NONE),
        (None, np.nan, np.nan, NONE),
    ],
)
def test_what_is_missing_by_hand(tier, frequency, monetary, expected):
    assert gap(tier, frequency, monetary) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("days_left", "expected"),
    [
        # potential asks r 4, silent for 30 days at most: an order on the first of 31 days still has it, of 32 no more
        (1, ["potential", 1, 0, None, None]),
        (31, ["potential", 1, 0, None, None]),
        # high asks no r: 1 + 3 orders are f 4, and 500 + 500.01 are m 5
        (32, ["high", 3, 500.01, None, None]),
    ],
)
def test_the_first_day_of_the_month_decides_what_can_be_promised(days_left, expected):
    assert gap("ordinary", 1, 500, days_left) == pytest.approx(expected)


def test_fewer_orders_or_less_money_are_two_ways():
    """Regular: f 3 and more whatever is spent, or m 3 and more whatever the orders. One order left, and 80.

    Fewest orders: 1 (f 2 then), with 200.01 − 80 = 120.01 in it. Least money: none, with 3 − 1 = 2 orders.
    """
    scheme = scheme_of({"f": "3-5"}, {"m": "3-5"})
    assert gap("slack", 1, 80, scheme=scheme) == pytest.approx(["regular", 1, 120.01, 2, 0])
    assert gap("slack", 2, 80, scheme=scheme) == ["regular", 1, 0, None, None], "the third order is enough"


def test_two_ways_to_different_tiers_promise_what_both_give():
    """Top: m 5. Middle: f 4 or more. From low with one order and 900: 1 order with 100.01 makes top, 3 orders of any
    size make middle. Both give middle or better."""
    words = {"en": "Name", "zh": "名"}
    rules = [{"name": "top", "m": 5}, {"name": "middle", "f": "4-5"}, {"name": "low"}]
    scheme = maps.parse({"names": dict.fromkeys(("top", "middle", "low"), words), "rules": rules}, "x.yaml")
    assert gap("low", 1, 900, scheme=scheme) == pytest.approx(["middle", 1, 100.01, 3, 0])


def test_where_spend_tells_nothing_of_m_only_orders_are_promised():
    """Average or margin: after an order m may be anything. At r 4 no m gives less than ordinary, so low can be lifted;
    ordinary needs m 4, which no order promises; f 4 alone is enough in a scheme that asks for no m."""
    assert gap("low", 1, np.nan) == ["ordinary", 1, 0, None, None]
    assert gap("ordinary", 9, np.nan) == NONE
    assert gap("slack", 1, np.nan, scheme=scheme_of({"f": "3-5"}, {"m": "3-5"})) == ["regular", 2, 0, None, None]
    assert gap("slack", 1, np.nan, scheme=scheme_of({"m": "2-5"})) == NONE


def test_a_score_that_coinciding_cuts_pass_over_is_not_asked_for():
    """With frequency cuts 1, 1, 1, 2 a second order scores 4 at once; nobody is asked to reach 2 or 3."""
    cuts = {"recency_days": [10, 30, 90, 180], "frequency": [1, 1, 1, 2], "monetary": [100, 200, 400, 1000]}
    scale = rfm.Scale(5, cuts, "quantile", 0, "2026-10-31")
    assert gap("potential", 1, 2000, scale=scale) == ["high", 1, 0, None, None]


def scheme_of(*rules):
    words = {"en": "Name", "zh": "名"}
    named = [*({"name": "regular", **rule} for rule in rules), {"name": "slack"}]
    return maps.parse({"names": {"regular": words, "slack": words}, "rules": named}, "x.yaml")


def test_a_score_that_nobody_has_does_not_make_the_way_dearer():
    """No frequency scores 3 where 2 and 3 share the cut 3: the fourth order scores 4, for which m 3 is enough. No money
    scores 3 where both cuts are 400: from 400.01 on m is 4, for which one order is enough."""
    cuts = {"recency_days": [10, 30, 90, 180], "frequency": [1, 3, 3, 5], "monetary": [100.0, 200, 400, 1000]}
    scale = rfm.Scale(5, cuts, "quantile", 0, "2026-10-31")
    scheme = scheme_of({"f": "3-5", "m": 5}, {"f": "4-5", "m": "3-5"})
    assert gap("slack", 1, 350, scale=scale, scheme=scheme) == ["regular", 3, 0, None, None]
    cuts = {"recency_days": [10, 30, 90, 180], "frequency": [1, 2, 3, 5], "monetary": [100.0, 400, 400, 1000]}
    scale = rfm.Scale(5, cuts, "quantile", 0, "2026-10-31")
    found = gap("slack", 1, 150, scale=scale, scheme=scheme_of({"m": "3-5", "f": 5}, {"m": "4-5"}))
    assert found == pytest.approx(["regular", 1, 250.01, None, None])


@pytest.mark.parametrize("rule", [{"f": "3-5", "m": "1-3"}, {"f": 3}, {"r": 4, "f": "2-5"}])
def test_what_a_larger_or_later_order_would_undo_is_not_promised(rule):
    assert gap("slack", 1, 80, scheme=scheme_of(rule)) == NONE


# --- traits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tier", "stage", "frequency", "monetary", "expected"),
    [
        ("lost", "lost", 0, 0, ["ordinary", 1, 0, None, None]),  # an order ends the loss
        ("lost", "lost", 1, 500, ["potential", 1, 0, None, None]),
        ("lost", None, 3, 1500, ["high", 1, 0, None, None]),
        ("ordinary", "at_risk", 1, 350, ["potential", 1, 50.01, None, None]),
        ("ordinary", "loyal", 1, 350, ["potential", 1, 50.01, None, None]),
    ],
)
def test_an_order_makes_the_stage_active(tier, stage, frequency, monetary, expected):
    assert gap(tier, frequency, monetary, scheme=BEHAVIOUR, stage=stage) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("requests", "satisfaction", "expected"),
    [
        # VIP by m 5 and f 4: 3 orders and 650.01; a big customer in trouble is VIP from m 4 on: 50.01
        (np.nan, np.nan, ["vip", 3, 650.01, None, None]),
        (3, 3, ["vip", 3, 650.01, None, None]),
        (2, 2, ["vip", 3, 650.01, None, None]),
        (3, 2, ["vip", 1, 50.01, None, None]),
    ],
)
def test_other_traits_stay(requests, satisfaction, expected):
    found = gap("standard", 1, 350, scheme=SERVICE, requests=requests, satisfaction=satisfaction)
    assert found == pytest.approx(expected)


# --- properties -------------------------------------------------------------------------------------------------

SCHEMES = [maps.find(n) for n in ("four_tier", "three_tier", "service_tier", "purchase_behaviour", "eight")]
customers = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.integers(-5_000, 200_000),
        st.sampled_from([None, *range(6)]),
        st.sampled_from([None, 1, 2, 3, 5]),
        st.sampled_from(STAGES),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=15,
)


def drawn_shop(drawn, scheme, refit):
    """now, later and the scale of drawn customers; the tier now is any, whatever the measures."""
    table = pd.DataFrame(drawn, columns=["frequency", "cents", "requests", "satisfaction", "stage", "tier"])
    table[["requests", "satisfaction"]] = table[["requests", "satisfaction"]].astype(float)
    names = [*scheme.order, maps.OUTSIDE, None]
    table["tier"] = pd.Series([names[n % len(names)] for n in table["tier"]], dtype=object)
    later = pd.DataFrame({"frequency": table["frequency"].astype(float), "monetary": table["cents"] / 100})
    fitted_on = later.assign(recency_days=np.arange(len(later)) * 7.0, frequency=later["frequency"] + 1)
    if scheme.scores == "mean":
        scale = rfm.mean_split(fitted_on, dt.date(2026, 10, 31))
    else:
        scale = rfm.fit_scale(fitted_on, Rfm(), dt.date(2026, 10, 31)) if refit else SCALE
    return table, later, scale


def ranks_at_deadline(table, scheme, scale, silent, bought):
    """The rank of each customer's tier, counted afresh: ``bought`` is (orders, cents) more, the last ``silent`` days ago."""
    measures = pd.DataFrame(
        {
            "recency_days": float(silent),
            "frequency": table["frequency"].to_numpy() + np.asarray(bought[0], dtype=float),
            "monetary": (table["cents"].to_numpy() + np.round(np.asarray(bought[1], dtype=float))) / 100,
        },
        index=table.index,
    )
    stage = table["stage"].where(table["stage"] == "loyal", "active")
    return scheme.rank(scheme.apply(scale.apply(measures).join(table.assign(stage=stage)[list(scheme.traits)])))


shops = {
    "drawn": customers,
    "scheme": st.sampled_from(SCHEMES),
    "refit": st.booleans(),
    "days_left": st.integers(1, 40),
}


@settings(deadline=None, max_examples=60)
@given(**shops, day=st.integers(1, 40), more=st.integers(0, 90_000))
def test_what_is_missing_lifts_on_any_day_of_the_month(drawn, scheme, refit, days_left, day, more):
    table, later, scale = drawn_shop(drawn, scheme, refit)
    found = upgrades.next_tier(table, later, scale, scheme, days_left)
    named = scheme.rank(found["next_tier"])
    assert not found["next_tier"].where(~table["tier"].isin(scheme.order[1:])).notna().any()
    for orders, spend in (("orders_missing", "spend_missing"), ("alt_orders", "alt_spend")):
        asked = found[orders].notna()
        people, costs = table[asked], found[asked]
        assert (named[asked] < scheme.rank(people["tier"])).all(), "the next tier is a better one"
        assert (costs[orders] >= 1).all() and (costs[spend] >= 0).all()
        for silent, extra in ((days_left - 1, 0), (days_left - min(day, days_left), more), (0, 0)):
            bought = (costs[orders], costs[spend] * 100 + extra)
            assert (ranks_at_deadline(people, scheme, scale, silent, bought) <= named[asked]).all()


@settings(deadline=None, max_examples=50)
@given(**shops)
def test_one_order_or_one_cent_less_is_not_enough(drawn, scheme, refit, days_left):
    table, later, scale = drawn_shop(drawn, scheme, refit)
    found = upgrades.next_tier(table, later, scale, scheme, days_left)
    for orders, spend in (("orders_missing", "spend_missing"), ("alt_orders", "alt_spend")):
        for less, short in (((1, 0), found[orders] > 1), ((0, 1), found[spend] > 0)):
            people, costs = table[short], found[short]
            bought = (costs[orders] - less[0], costs[spend] * 100 - less[1])
            after = ranks_at_deadline(people, scheme, scale, days_left - 1, bought)
            assert (after >= scheme.rank(people["tier"])).all()


@settings(deadline=None, max_examples=40)
@given(**shops)
def test_the_ways_are_the_cheapest_of_all_that_could_be_tried(drawn, scheme, refit, days_left):
    """Every number of orders up to 12, with the least cents that pass each cut point: fewest orders, then least money;
    and least money, then fewest orders."""
    table, later, scale = drawn_shop(drawn, scheme, refit)
    found = upgrades.next_tier(table, later, scale, scheme, days_left)
    passing = [next(c for c in range(round(cut * 100) - 1, 10**9) if c / 100 > cut) for cut in scale.cuts["monetary"]]
    inside = table[table["tier"].isin(scheme.order)]
    tried = inside.rename_axis("place").reset_index().merge(pd.DataFrame({"to": [-(10**9), *passing]}), how="cross")
    tried = tried.merge(pd.DataFrame({"orders": range(1, 13)}), how="cross")
    tried["cents"] = tried["cents"].astype("int64")
    tried["spend"] = (tried["to"] - tried["cents"]).clip(lower=0)
    after = ranks_at_deadline(tried, scheme, scale, days_left - 1, (tried["orders"], tried["spend"]))
    lifts = tried[after < scheme.rank(tried["tier"])]
    assert set(lifts["place"]) == set(found.index[found["next_tier"].notna()])
    for place, bags in lifts.groupby("place"):
        bags = list(zip(bags["orders"], bags["spend"], strict=True))
        first, second, row = min(bags), min(bags, key=lambda bag: bag[::-1]), found.loc[place]
        assert (row["orders_missing"], round(row["spend_missing"] * 100)) == first
        told = (row["alt_orders"], row["alt_spend"])
        assert np.isnan(told).all() if first == second else (told[0], round(told[1] * 100)) == second


def test_no_customers_have_no_gaps():
    nobody = pd.DataFrame({"tier": pd.Series(dtype=object), "frequency": [], "monetary": []})
    found = upgrades.next_tier(nobody, nobody, SCALE, FOUR, 30)
    assert found.shape == (0, 5) and list(found) == COLUMNS


def test_a_scheme_that_does_not_fit_the_scale_is_told():
    with pytest.raises(ParamsError, match="2 scores a measure, the scale has 5"):
        gap("general_value", 1, 1, scheme=maps.find("eight"))


# --- what is left at the deadline -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (Rfm(), [[2.0, 300.5], [0.0, -20.0]]),
        (Rfm(frequency="days"), [[1.0, 300.5], [0.0, -20.0]]),
        (Rfm(monetary="average"), [[2.0, np.nan], [0.0, np.nan]]),
        (Rfm(monetary="margin"), [[2.0, np.nan], [0.0, np.nan]]),
    ],
)
def test_what_is_left_without_a_further_order(rules, expected):
    """The second customer's order has left the window, its refund has not: 20 more must be spent to come to nothing."""
    history = pd.DataFrame({"window_orders": [2, 0], "window_active_days": [1, 0], "window_net": [300.5, -20.0]})
    found = upgrades.left_over(history, rules)
    np.testing.assert_array_equal(found.to_numpy(), expected)


# --- candidates -------------------------------------------------------------------------------------------------


def test_candidates_are_the_highest_that_have_a_next_tier():
    book = pd.DataFrame(
        {"customer_id": ["a", "b", "c", "d"], "tier": "ordinary", "stage": "active", "monetary": [5.0, 9.0, 9.0, 20.0]}
    )
    missing = pd.DataFrame(
        {
            "customer_id": ["d", "c", "b", "a"],
            "next_tier": [None, "high", "high", "high"],
            "orders_missing": [np.nan, 1.0, 2.0, 1.0],
            "spend_missing": [np.nan, 0.0, 3.0, 1.0],
            "alt_orders": [np.nan, np.nan, 4.0, np.nan],
            "alt_spend": [np.nan, np.nan, 0.0, np.nan],
            "deadline": dt.date(2026, 11, 30),
        }
    )
    found = upgrades.upgrade_candidates(book, missing, most=2)
    assert list(found) == ["customer_id", "tier", "stage", "monetary", *COLUMNS, "deadline"]
    assert found["customer_id"].tolist() == ["b", "c"], "equal sales in the order of ids, the best tier left out"
    assert found.loc[0, "spend_missing"] == 3.0 and np.isnan(found.loc[1, "spend_missing"])
    assert found.loc[0, "alt_orders"] == 4 and np.isnan(found.loc[0, "alt_spend"]), "four orders of any size"
    assert (found["deadline"] == dt.date(2026, 11, 30)).all()


def test_candidates_are_counted_from_tier_to_tier():
    """Of three from low to high one order is enough for the first; the others lack 10 and 30: 20 in the middle."""
    rows = [("low", "high", 1, np.nan, 5.0), ("low", "high", 1, 10.0, 7.0), ("low", "high", 2, 30.0, 9.0)]
    rows += [("low", "potential", 2, np.nan, 1.0)]
    candidates = pd.DataFrame(rows, columns=["tier", "next_tier", "orders_missing", "spend_missing", "monetary"])
    found = upgrades.steps(candidates)
    assert found.drop(columns="median_spend").to_numpy().tolist() == [
        ["low", "high", 3, 1, 21.0],
        ["low", "potential", 1, 0, 1.0],
    ]
    assert found["median_spend"].tolist()[0] == 20 and np.isnan(found["median_spend"][1])
    assert upgrades.steps(candidates.head(0)).empty
