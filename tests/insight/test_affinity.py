"""Affinity: counts by hand, the expectation against enumeration and simulation, planted pairs found and no others."""

import itertools
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tierbook import demo
from tierbook.insight import affinity, lift, next_best
from tierbook.workbook.needs import count_pairs, write_bought


def judged(*rows):
    """Judged lines from (customer_id, product, category, day, net[, reason])."""
    full = [(c, p, k, d, net, *(rest or ["kept"])) for c, p, k, d, net, *rest in rows]
    frame = pd.DataFrame(full, columns=["customer_id", "product", "category", "day", "net", "reason"])
    return frame.assign(net=pd.Series([Decimal(str(x)) for x in frame["net"]], dtype=object))


def counted(engine, folder, frame, have="category", following="category"):
    """The pairs of judged lines with names, as the workbook counts them."""
    path = folder / "lines.parquet"
    engine.write(engine.frame(frame), path)
    ids = pd.DataFrame({"customer_id": sorted(frame["customer_id"].unique())})
    for column in dict.fromkeys([have, following]):
        write_bought(engine, path, column, engine.frame(ids.assign(customer=range(len(ids)))), folder / column)
    return count_pairs(engine, folder / have / "bought.parquet", folder / following / "bought.parquet")


def measured(engine, folder, frame):
    found = counted(engine, folder, frame)
    pairs, _ = affinity.measured(*(found[name] for name in ("pairs", "have", "next", "lines")))
    names = pd.read_parquet(folder / "category" / "items.parquet").set_index("item")["name"]
    both = affinity.turned(pairs.assign(have=pairs["have"].map(names), next=pairs["next"].map(names)))
    return both.assign(level="category", recommended=affinity.recommended(both))


def test_bought_is_what_was_kept_and_paid_for(engine):
    frame = judged(
        ("a", "p", "TV", 5, 10), ("a", "q", "TV", 3, 20), ("a", "q", "TV", 9, -20),  # one of two sent back: day 3, 2 lines
        ("a", "r", "Stand", 4, 7), ("a", "r", "Stand", 6, -7),  # wholly back
        ("b", "g", "Gift", 1, 0),  # free
        ("b", "p", "TV", 2, 5, "status"),  # not counted
        ("b", "s", None, 2, 5),  # no category
        ("b", "s", "Stand", 8, 1),
    )  # fmt: skip
    found = engine.collect(affinity.bought(engine.frame(frame), "category")).sort_values("customer_id")
    assert found[["customer_id", "item", "first_day", "lines"]].to_numpy().tolist() == [
        ["a", "TV", 3, 2],
        ["b", "Stand", 8, 1],
    ]


def test_pairs_by_hand(engine, tmp_path):
    # 12 buy TV on day 1 and Stand: 7 later, 2 the same day, 3 before; 5 more a TV only, 3 a Stand only
    days = [2] * 7 + [1] * 2 + [0] * 3
    rows = [(f"b{n}", "t", "TV", 1, 9) for n in range(12)] + [
        (f"b{n}", "s", "Stand", day, 1) for n, day in enumerate(days)
    ]
    rows += [(f"t{n}", "t", "TV", 1, 9) for n in range(5)] + [(f"s{n}", "s", "Stand", 1, 9) for n in range(3)]
    found = measured(engine, tmp_path, judged(*rows)).set_index(["have", "next"])
    assert found["customers_both"].tolist() == [12, 12]
    row = found.loc[("TV", "Stand")]
    assert (row["customers_have"], row["customers_after"], row["customers_before"]) == (17, 7, 3)
    assert row["confidence"] == pytest.approx(12 / 17) and found.loc[("Stand", "TV"), "confidence"] == pytest.approx(
        12 / 15
    )
    assert row["lift"] == pytest.approx((12 / 17) / (15 / 20)) == found.loc[("Stand", "TV"), "lift"]
    assert found.loc[("Stand", "TV"), "customers_after"] == 3


@pytest.mark.parametrize(("both", "there"), [(9, False), (10, True), (11, True)])
def test_a_pair_is_told_from_ten_customers_on(engine, tmp_path, both, there):
    rows = [(f"b{n}", "x", item, 1, 9) for n in range(both) for item in ("A", "B")]
    rows += [(f"c{n}", "x", item, 1, 9) for n in range(20) for item in "A"] + [
        (f"d{n}", "x", "B", 1, 9) for n in range(20)
    ]
    assert (len(counted(engine, tmp_path, judged(*rows))["pairs"]) == 1) is there


def test_ten_million_pairs_of_one_wholesaler_are_left_out():
    # 100 customers of 10 items: 10,000 to join; one of 3,000: 9,000,000
    found = pd.DataFrame({"lines": [10, 3000], "items": [10, 3000], "customers": [100, 1]})
    assert affinity.most_items(found, 10_000) == 10 and affinity.most_items(found, 9_009_999) == 10
    assert affinity.most_items(found, 9_010_000) == 3000 and affinity.most_items(found, 5) == 10


def test_expected_both_agrees_with_enumeration():
    # one, two and three draws from A (1/5), B (3/10) and the rest: every outcome listed
    chances = {"A": 0.2, "B": 0.3, "C": 0.5}

    def having(n, *wanted):
        outcomes = itertools.product(chances, repeat=n)
        return sum(np.prod([chances[x] for x in o]) for o in outcomes if set(wanted) <= set(o))

    lines = pd.Series([40.0, 30.0, 20.0], index=[1, 2, 3])
    a, b, both = (sum(c * having(n, *w) for n, c in lines.items()) for w in ("A", "B", "AB"))
    found = lift.expected_both(np.array([a]), np.array([b]), lines)
    assert found[0] == pytest.approx(both, rel=1e-6)


def test_many_lines_are_squashed_without_a_visible_change():
    lines = pd.Series(np.arange(1, 401)[::-1].astype(float), index=np.arange(1, 401))
    draws, customers = lift.squashed(lines)
    assert len(draws) < 70 and customers.sum() == lines.sum()
    assert draws @ customers == pytest.approx(lines.index.to_numpy() @ lines.to_numpy())
    exact = ((1 - 0.02) ** lines.index.to_numpy(dtype=float)) @ lines.to_numpy()
    assert (1 - 0.02) ** draws @ customers == pytest.approx(exact, rel=1e-3)


def test_shrunk_lift_and_its_low_end_by_the_gamma_distribution():
    like, low = lift.lift_low(np.array([30.0]), np.array([20.0]), lift.Prior(10.0))
    assert like[0] == pytest.approx(40 / 30)
    assert low[0] == pytest.approx(stats.gamma(a=40, scale=1 / 30).ppf(0.025))


def test_each_low_end_bounds_its_own_lift():
    """200 customers of one line each would never have two items: what is expected is then share × share for both lifts.

    A and B: 40 and 50 of 200, both 20; expected 40 × 50/200 = 10, lift 2. One pair of the three is far off, so a prior
    of strength a gives (a + 20)/(a + 10), and the 2.5 % quantile of Gamma(a + 20, a + 10) below it.
    """
    pairs = pd.DataFrame({"have": [0, 0, 1], "next": [1, 2, 2], "customers_both": [20, 10, 13]})
    pairs = pairs.assign(customers_after=0, customers_before=0)
    sizes, lines = pd.Series([40, 50, 50]), pd.Series([200], index=[1])
    found, prior = affinity.measured(pairs, sizes, sizes, lines)
    assert found["lift"].tolist() == pytest.approx([20 / 10, 10 / 10, 13 / 12.5])
    a, both, expected = prior.strength, np.array([20, 10, 13]), np.array([10, 10, 12.5])
    assert found["lift_beyond"].to_numpy() == pytest.approx((a + both) / (a + expected))
    by_hand = np.minimum(stats.gamma(a=a + both, scale=1 / (a + expected)).ppf(0.025), both / expected)
    assert found["lift_low"].to_numpy() == pytest.approx(by_hand)
    assert found["lift_beyond_low"].to_numpy() == pytest.approx(by_hand)


def test_the_textbook_lift_is_sure_of_pairs_that_volume_explains(engine, tmp_path):
    found = measured(engine, tmp_path, shop(1))
    assert (found["lift_low"] > 1).any() and not (found["lift_beyond_low"] > 1).any()
    assert (found["lift_beyond_low"] <= found["lift_beyond"]).all()


def test_the_prior_is_found_again_from_counts_cut_off_below_ten():
    rng = np.random.default_rng(3)
    expected = rng.uniform(5, 60, 20_000)
    both = rng.poisson(expected * rng.gamma(25, 1 / 25, len(expected)))
    seen = both >= 10
    assert lift.fit_prior(both[seen], expected[seen], 10).strength == pytest.approx(25, rel=0.15)
    assert lift.fit_prior(np.array([]), np.array([]), 10) == lift.Prior(1.0)


def shop(seed, customers=3000, planted=0.0):
    """Customers who buy at very different rates what is nobody's preference; with ``planted``, A brings B."""
    rng = np.random.default_rng(seed)
    lines = 1 + rng.poisson(rng.gamma(0.8, 6, customers))
    who = np.repeat(np.arange(customers), lines)
    item = rng.choice(list("ABCDEFGH"), len(who), p=[0.05, 0.04, 0.11, 0.1, 0.1, 0.2, 0.2, 0.2])
    day = rng.integers(0, 900, len(who))
    brought = (item == "A") & (rng.random(len(who)) < planted)
    frame = pd.DataFrame({"who": who, "item": item, "day": day})
    further = frame[brought].assign(item="B", day=day[brought] + 20)
    frame = pd.concat([frame, further])
    return judged(*[(f"{c:05d}", "p", i, int(d), 5) for c, i, d in frame.itertuples(index=False)])


def test_who_buys_much_makes_no_affinity(engine, tmp_path):
    found = measured(engine, tmp_path, shop(1))
    assert len(found) == 56 and (found["lift"] > 1).all(), "the plain lift would name every pair"
    assert not found["recommended"].any()


def test_a_planted_pair_comes_out_in_its_direction_alone(engine, tmp_path):
    found = affinity.table(measured(engine, tmp_path, shop(2, planted=0.6)))
    told = found[found["recommended"]]
    assert told[["have", "next"]].to_numpy().tolist() == [["A", "B"]]
    assert (found["lift_beyond_low"] <= found["lift"] + 1e-9).all() and (found["lift_low"] <= found["lift"]).all()


def test_neither_the_order_of_rows_nor_the_names_of_customers_matter(engine, tmp_path):
    frame = shop(3, customers=600, planted=0.6)
    other = frame.sample(frac=1, random_state=1).assign(customer_id=lambda f: f["customer_id"].str[::-1] + "x")
    tables = []
    for name, one in (("one", frame), ("other", other)):
        (tmp_path / name).mkdir()
        tables.append(affinity.table(measured(engine, tmp_path / name, one)))
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.parametrize(
    ("after", "before", "told"), [(0, 0, True), (5, 5, True), (2, 8, True), (1, 8, False), (0, 30, False), (8, 1, True)]
)
def test_what_is_bought_first_is_not_next(after, before, told):
    # Wilson's upper limit: 0.510 for 2 of 10, 0.435 for 1 of 9
    pairs = pd.DataFrame({"customers_after": [after], "customers_before": [before], "lift_beyond_low": [1.2]})
    assert affinity.recommended(pairs).tolist() == [told]
    assert affinity.recommended(pairs.assign(lift_beyond_low=1.0)).tolist() == [False]


def test_a_product_is_told_only_where_it_says_more_than_its_category():
    homes = pd.DataFrame({"product": ["base", "plus"], "category": ["Vacuums", "Vacuums"]})
    categories = pd.DataFrame({"have": ["Vacuums"], "next": ["Options"], "lift_beyond": [1.3]})
    products = pd.DataFrame(
        [("base", "Options", 1.5), ("plus", "Options", 1.2), ("base", "Vacuums", 9.0), ("plus", "Lamps", 1.1), ("plus", "Desks", 0.9)],
        columns=["have", "next", "lift_beyond_low"],
    )  # fmt: skip
    assert affinity.says_more(products, categories, homes).tolist() == [True, False, False, True, False]


@pytest.mark.parametrize(
    ("category", "product", "level"), [(0, 100, "category"), (50, 0, "category"), (51, 0, "product"), (60, 100, "category"), (100, 100, None)]
)  # fmt: skip
def test_the_level_is_category_where_half_the_lines_have_one(category, product, level):
    rows = [("transactions", "category", 100, category), ("transactions", "product", 100, product)]
    assert affinity.level(pd.DataFrame(rows, columns=["table", "column", "rows", "missing"])) == level


@pytest.mark.parametrize("seed", [7, pytest.param(11, marks=pytest.mark.long)])
def test_the_demo_yields_its_planted_pairs_and_what_follows_from_them(engine, tmp_path, seed):
    shopped = demo.simulate(seed)
    sold = shopped.tables["transactions"].drop_duplicates("line_id")
    sold = sold[
        sold["customer_id"].notna() & (sold["customer_id"] != "WALK-IN") & sold["status"].isin(["paid", "refunded"])
    ]
    day = (sold["ordered_at"].dt.normalize() - pd.Timestamp(0)).dt.days
    frame = sold[["customer_id", "product", "category"]].assign(day=day, net=sold["amount"], reason="kept")
    found = affinity.table(measured(engine, tmp_path, frame))
    told = {(row.have, row.next) for row in found[found["recommended"]].itertuples()}
    truth = {(row.have, row.next) for row in shopped.truth["affinity"].itertuples() if row.level == "category"}
    # TVs bring both speakers and stands, so these two stand together; Glide Base is a robot vacuum
    follow = {("Speakers", "TV stands"), ("TV stands", "Speakers"), ("Robot vacuums", "Vacuum options")}
    assert truth | {("Robot vacuums", "Vacuum options")} <= told <= truth | follow
    assert {tuple(pair) for pair in found[["have", "next"]].head(2).to_numpy()} == truth


def test_the_best_rule_not_bought_yet_is_proposed(engine):
    pairs = pd.DataFrame(
        [("TV", "Stand", 1.5, 0.4), ("TV", "Speaker", 1.3, 0.5), ("Fan", "Stand", 1.5, 0.3), ("Fan", "Lamp", 1.1, 0.9)],
        columns=["have", "next", "lift_beyond_low", "confidence"],
    ).assign(level="category", recommended=[True, True, True, False], lift=2.0, lift_beyond=1.6)  # fmt: skip
    ranked = next_best.rules(pairs)
    assert ranked[["have", "next"]].to_numpy().tolist() == [["TV", "Stand"], ["Fan", "Stand"], ["TV", "Speaker"]]
    number = {name: n for n, name in enumerate(["TV", "Stand", "Speaker", "Fan", "Lamp"])}
    # 0 has a TV: Stand. 1 has TV and Stand: Speaker. 2 has all of it: nothing. 3 has a fan and TV: the surer rule, TV's
    had = {0: ["TV"], 1: ["TV", "Stand"], 2: ["TV", "Stand", "Speaker"], 3: ["Fan", "TV"], 4: ["Lamp"]}
    found = engine.frame(
        pd.DataFrame([(c, number[i]) for c, items in had.items() for i in items], columns=["customer", "item"])
    )
    coded = engine.frame(
        ranked.assign(have=ranked["have"].map(number), next=ranked["next"].map(number))[["have", "next", "rank"]]
    )
    chosen = engine.collect(next_best.best([next_best.proposed(found, coded)], found)).sort_values("customer")
    assert chosen.astype(int).to_numpy().tolist() == [[0, 0], [1, 2], [3, 0]]


def test_next_best_table_and_its_share_of_the_segment():
    people = pd.DataFrame({"customer_id": [f"c{n:02d}" for n in range(19)], "tier": "low"})
    people["segment"] = ["big"] * 10 + ["small"] * 9
    ranked = pd.DataFrame(
        {
            "have": ["TV"],
            "next": ["Stand"],
            "lift": [2.0],
            "lift_beyond": [1.4],
            "lift_beyond_low": [1.2],
            "confidence": [0.4],
            "rank": [0],
        }
    )
    bought_by = pd.DataFrame({"segment": ["big", "small"], "next": ["Stand", "Stand"], "customers": [3, 3]})
    shared = next_best.shares(bought_by, people.groupby("segment").size())
    chosen = pd.DataFrame({"customer_id": ["c18", "c00"], "rank": [0, 0]})
    found = next_best.table(chosen, ranked, people, shared)
    assert found["customer_id"].tolist() == ["c00", "c18"]
    assert found["segment_share"].tolist()[0] == 0.3 and np.isnan(found["segment_share"].tolist()[1]), "9 customers"


def test_decisions_name_the_two_most_frequent_offers_of_a_tier():
    rows = (
        [("high", "TV", "Stand")] * 3
        + [("high", "Fan", "Stand")]
        + [("high", "TV", "Speaker")] * 5
        + [("high", "Fan", "Lamp")]
    )
    listed = pd.DataFrame([*rows, ("low", "Fan", "Lamp")], columns=["tier", "have", "next"])
    listed = listed.groupby(["tier", "next", "have"]).size().rename("customers").reset_index()
    pairs = pd.DataFrame(
        {
            "have": ["TV", "TV"],
            "next": ["Stand", "Speaker"],
            "confidence": [0.4, 0.5],
            "expected": [20.0, 30.0],
            "customers_have": 100,
        }
    )
    found = next_best.decisions(listed, pairs, ["high", "low"])
    assert found[["tier", "next", "customers", "have"]].to_numpy().tolist() == [
        ["high", "Speaker", 5, "TV"], ["high", "Stand", 4, "TV"], ["low", "Lamp", 1, "Fan"],
    ]  # fmt: skip
    assert found["expected_share"].tolist()[:2] == [0.3, 0.2]
