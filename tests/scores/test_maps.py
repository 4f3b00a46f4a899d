"""Maps: every scheme a partition, faults told in one line, and the tiers of a real shop against what came after."""

import datetime as dt
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook import accounting, params, sources
from tierbook.accounting import day_number
from tierbook.engine import Engine
from tierbook.errors import ParamsError
from tierbook.history import customer_days, history
from tierbook.params import ROOT, Rfm
from tierbook.scores import maps, rfm
from tierbook.scores.lifecycle import STAGES

SHIPPED = ["eight", "eleven", "four_tier", "purchase_behaviour", "service_tier", "three_tier"]
WORDS = {"en": "Name", "zh": "名"}


def every_cell(bins):
    cells = list(itertools.product(range(1, bins + 1), repeat=3))
    return pd.DataFrame(cells, columns=list("rfm"), dtype="Int8")


VALUES = {
    "stage": [None, *STAGES],
    "requests": [None, 0, 1, 2, 3, 4, 9],
    "satisfaction": [None, 1, 2, 3, 4, 5],
    "referrals": [None, 0, 1, 2, 40],
    "nps": [None, *range(11)],
}


def everybody(scheme):
    """Every cell with every value of the traits that the scheme asks for."""
    people = every_cell(scheme.bins)
    for trait in scheme.traits:
        people = people.merge(pd.DataFrame({trait: pd.Series(VALUES[trait])}), how="cross")
    return people


def names_of(scheme, *cells):
    scores = pd.DataFrame([[int(digit) for digit in str(cell)] for cell in cells], columns=list("rfm"), dtype="Int8")
    return scheme.apply(scores).astype(object).tolist()


# --- the shipped schemes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_scheme_is_a_partition_named_in_both_languages(name):
    scheme = maps.find(name)
    cells = everybody(scheme)
    assert scheme.apply(cells).notna().all() and set(scheme.apply(cells)) == set(scheme.order)
    assert all(set(words) >= {"en", "zh"} for words in scheme.words.values())
    assert maps.OUTSIDE not in scheme.order


def test_four_tiers_agree_with_their_definition_on_all_125_cells():
    """高价值 m = 5 and f ≥ 4 · 潜力 r ≥ 4 and m ≥ 4 · 低价值 r ≤ 2 and m ≤ 2 · 普通 the rest (DESIGN §8)."""
    for cell, name in zip(every_cell(5).itertuples(), maps.find("four_tier").apply(every_cell(5)), strict=True):
        if cell.m == 5 and cell.f >= 4:
            assert name == "high", "also when silent"
        elif cell.r >= 4 and cell.m >= 4:
            assert name == "potential"
        elif cell.r <= 2 and cell.m <= 2:
            assert name == "low"
        else:
            assert name == "ordinary"


@pytest.mark.parametrize(
    ("cell", "name"),
    [(145, "high"), (155, "high"), (135, "ordinary"), (154, "ordinary"), (444, "potential"), (344, "ordinary"),
     (443, "ordinary"), (445, "high"), (435, "potential"), (222, "low"), (322, "ordinary"), (223, "ordinary"),
     (152, "low")],
)  # fmt: skip
def test_four_tiers_at_their_boundaries(cell, name):
    assert names_of(maps.find("four_tier"), cell) == [name]


def test_eleven_segments_are_the_published_cells():
    """Counts from reference/segment_maps.md: 125 of 125 cells, none twice."""
    counts = maps.find("eleven").apply(every_cell(5)).value_counts()
    assert counts[["champions", "loyal", "potential_loyalist", "new", "promising", "need_attention"]].tolist() == [
        7, 8, 24, 7, 16, 8,
    ]  # fmt: skip
    assert counts[["about_to_sleep", "at_risk", "cannot_lose", "hibernating", "lost"]].tolist() == [8, 22, 8, 11, 6]
    assert names_of(maps.find("eleven"), 555, 411, 111, 155) == ["champions", "new", "lost", "cannot_lose"]


def test_eight_cells_ask_near_high_high():
    """R near, F high, M high: 近高高 重要价值 · 近低高 重要发展 · 远高高 重要保持 · 远低高 重要挽留, and 一般 with M low."""
    eight = maps.find("eight")
    found = names_of(eight, 222, 212, 122, 112, 221, 211, 121, 111)
    chinese = [eight.words[name]["zh"] for name in found]
    assert chinese == ["重要价值", "重要发展", "重要保持", "重要挽留", "一般价值", "一般发展", "一般保持", "一般挽留"]
    assert (eight.bins, eight.scores) == (2, "mean")


def test_every_scheme_under_params_is_tested():
    files = {path.stem for path in maps.SCHEMES.glob("*.yaml")}
    assert files - {"value_customer"} == set(SHIPPED), "value_customer is a checklist (test_checklist.py)"


def test_service_tiers_agree_with_their_definition():
    """VIP: m 5 and f ≥ 4, or m ≥ 4 with 3 requests and a 1 or 2 · 潜在: f 1, m ≤ 3, neither often asking nor known to be
    dissatisfied · 常规 the rest."""
    people = everybody(maps.find("service_tier"))
    assert len(people) == 125 * 7 * 6
    for one, name in zip(people.itertuples(), maps.find("service_tier").apply(people), strict=True):
        asks, unhappy = one.requests >= 3, one.satisfaction <= 2
        if (one.m == 5 and one.f >= 4) or (one.m >= 4 and asks and unhappy):
            assert name == "vip"
        elif one.f == 1 and one.m <= 3 and not asks and not unhappy:
            assert name == "prospect"
        else:
            assert name == "standard"


def test_purchase_behaviour_agrees_with_its_definition():
    """流失 by stage, whatever was bought · then 高价值 and 潜在 as 高价值 and 潜力 of the four tiers · 普通 the rest."""
    people = everybody(maps.find("purchase_behaviour"))
    found = maps.find("purchase_behaviour").apply(people).astype(object)
    four = maps.find("four_tier").apply(people).astype(object).replace("low", "ordinary")
    assert found.tolist() == four.where(people["stage"] != "lost", "lost").tolist()
    assert maps.find("purchase_behaviour").order == ["high", "potential", "ordinary", "lost"]


@pytest.mark.parametrize(
    ("requests", "satisfaction", "name"),
    [(3, 2, "vip"), (2, 2, "standard"), (3, 3, "standard"), (None, 1, "standard"), (3, None, "standard"), (99, 1, "vip"),
     (3, 2.5, "vip"), (3, 3.0, "standard")],
)  # fmt: skip
def test_a_big_customer_in_trouble_is_vip_at_its_boundaries(requests, satisfaction, name):
    one = pd.DataFrame({"r": [1], "f": [2], "m": [4], "requests": [requests], "satisfaction": [satisfaction]})
    assert maps.find("service_tier").apply(one).tolist() == [name]


# --- applying ---------------------------------------------------------------------------------------------------


def test_a_null_score_has_no_name_and_the_order_is_best_first():
    scheme = maps.find("four_tier")
    scores = pd.DataFrame({"r": [5, None, 1], "f": [5, 5, 1], "m": [5, 5, 1]}, dtype="Int8", index=[9, 4, 2])
    found = scheme.apply(scores)
    assert found.index.tolist() == [9, 4, 2] and found.isna().tolist() == [False, True, False]
    assert found[9] < found[2], "high stands before low"
    assert scheme.rank(found).tolist() == [0, 4, 3]
    assert scheme.rank(pd.Series(["outside", "high", None])).tolist() == [4, 0, 4]
    assert len(scheme.apply(scores.head(0))) == 0


def test_scores_above_the_schemes_are_refused():
    with pytest.raises(ParamsError, match="2 scores"):
        maps.find("eight").apply(pd.DataFrame({"r": [3], "f": [1], "m": [1]}, dtype="Int8"))


def trait_scheme(*rules, names=("a", "b")):
    return maps.parse({"bins": 2, "names": dict.fromkeys(names, WORDS), "rules": list(rules)}, "x.yaml")


def named(scheme, trait, *values):
    people = pd.DataFrame({"r": 1, "f": 1, "m": 1, trait: pd.Series(values, dtype=object)})
    return "".join(scheme.apply(people))


@pytest.mark.parametrize(
    ("trait", "asked", "values", "expected"),
    [
        ("requests", 2, [1, 2, 3, None], "babb"),
        ("requests", "0-2", [0, 2, 3, None], "aabb"),
        ("requests", "3+", [2, 3, 4, 1000, None], "baaab"),
        ("requests", "0+", [0, 7, None], "aab"),
        ("requests", "unknown", [0, 7, None, np.nan], "bbaa"),
        ("satisfaction", "4-5", [3, 3.9, 4, 4.5, 5, None], "bbaaab"),
        ("satisfaction", 1, [1, 1.5, 2, None], "aabb"),
        ("nps", "0-6", [0, 6, 7, 10, None], "aabbb"),
        ("nps", "9+", [8, 9, 10, None], "baab"),
        ("referrals", "1-1", [0, 1, 2, None], "babb"),
        ("stage", "loyal", ["loyal", "active", None], "abb"),
        ("stage", ["new", "active"], ["new", "active", "lost", None], "aabb"),
        ("stage", "unknown", ["new", None], "ba"),
    ],
)
def test_what_a_rule_asks_of_a_trait_at_its_boundaries(trait, asked, values, expected):
    scheme = trait_scheme({"name": "a", trait: asked}, {"name": "b"})
    assert named(scheme, trait, *values) == expected
    assert list(scheme.traits) == [trait]


def test_missing_is_not_failed():
    """Unknown passes by the rules that name the trait and meets those that do not, in their order."""
    scheme = trait_scheme({"name": "a", "nps": "9-10"}, {"name": "b", "nps": "0-8"}, {"name": "a"})
    assert named(scheme, "nps", 9, 8, None) == "aba"


def test_traits_may_come_as_any_type_and_in_any_order_of_columns():
    scheme = maps.find("purchase_behaviour")
    people = every_cell(5).assign(stage="lost")
    for stage in (people["stage"].astype("category"), people["stage"].astype(object), people["stage"].astype(str)):
        assert set(scheme.apply(people.assign(stage=stage)[["stage", "m", "f", "r"]])) == {"lost"}
    service = maps.find("service_tier")
    one = pd.DataFrame({"satisfaction": [1], "requests": [3], "m": [4], "f": [1], "r": [1]}, dtype="Int64")
    assert service.apply(one).tolist() == service.apply(one.astype(float)).tolist() == ["vip"]


def test_plain_schemes_stay_plain_and_a_trait_that_is_not_given_is_told():
    assert [name for name in SHIPPED if maps.find(name).traits] == ["purchase_behaviour", "service_tier"]
    assert maps.find("four_tier").table.shape == (125,)
    assert maps.find("purchase_behaviour").table.shape == (125, 6), "unknown and five stages"
    assert maps.find("service_tier").table.shape == (125, 3, 3), "unknown, 0–2, 3+ × unknown, 1–2, 3–5"
    with pytest.raises(ParamsError, match="service_tier asks for requests, satisfaction, which is not given here"):
        maps.find("service_tier").apply(every_cell(5))


trait_rules = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("ab")},
        optional={
            "r": st.sampled_from([1, 2, "1-2"]),
            "stage": st.sampled_from(["lost", ["new", "active"], "unknown"]),
            "requests": st.sampled_from([0, "0-2", "1-3", "3+", "unknown"]),
            "nps": st.sampled_from(["0-6", "7-8", "9-10", 3, "unknown"]),
        },
    ),
    max_size=4,
)


@settings(deadline=None, max_examples=25)
@given(rules=trait_rules)
def test_the_first_rule_that_matches_names_everybody_in_exactly_one_way(rules):
    """Each rule tried on each customer, one after the other, gives the same names; without the catch-all, a scheme is
    refused exactly where somebody among all values would have none."""
    scheme = trait_scheme(*rules, {"name": "b"})
    people = everybody(scheme)
    first = [next((rule["name"] for rule in rules if _fits(rule, one)), None) for one in people.to_dict("records")]
    assert scheme.apply(people).tolist() == [name or "b" for name in first]
    if None in first:
        with pytest.raises(ParamsError, match="have no name"):
            trait_scheme(*rules)
    else:
        assert trait_scheme(*rules).apply(people).tolist() == first


def _fits(rule, one):
    return all(_has(rule[key], one[key]) for key in rule if key != "name")


def _has(asked, value):
    if pd.isna(value):
        return asked == "unknown"
    if isinstance(value, str):
        return value in asked if isinstance(asked, list) else value == asked
    low, _, high = str(asked).rstrip("+").partition("-")
    return low != "unknown" and int(low) <= value <= (np.inf if "+" in str(asked) else int(high or low))


# --- faults -----------------------------------------------------------------------------------------------------

GOOD = {"bins": 2, "names": {"a": WORDS, "b": WORDS}, "rules": [{"name": "a", "r": 2}, {"name": "b"}]}
CELLS = {"a": [222, 221, 212, 211], "b": [122, 121, 112, 111]}


def test_a_small_scheme_by_cells_and_by_rules_is_the_same():
    by_rules = maps.parse(GOOD, "x.yaml")
    by_cells = maps.parse({"bins": 2, "names": GOOD["names"], "cells": CELLS}, "x.yaml")
    assert by_rules.table.tolist() == by_cells.table.tolist() == [1, 1, 1, 1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rules": [{"name": "a", "r": 2}]}, "4 cells have no name, first 111, 112, 121, 122"),
        ({"rules": [{"name": "a", "r": "2-1"}, {"name": "b"}]}, "'2-1' is not a score or a rising range"),
        ({"rules": [{"name": "a", "r": "high"}, {"name": "b"}]}, "'high' is not a score"),
        ({"rules": [{"name": "a", "x": 2}, {"name": "b"}]}, r"found \['name', 'x'\]"),
        ({"rules": [{"r": 2}, {"name": "b"}]}, "a rule holds name"),
        ({"rules": [{"name": "aa", "r": 2}, {"name": "b"}]}, "'aa' has no entry under names"),
        ({"rules": [{"name": "b"}, {"name": "never"}]}, "'never' has no entry"),
        ({"rules": "all"}, "rules is a list"),
        ({"names": ["a", "b"]}, "give names"),
        ({"names": {"a": "Name", "b": WORDS}}, "'a' needs its words"),
        ({"names": {"a": WORDS, "b": WORDS, "outside": WORDS}}, "'outside' is kept"),
        ({"bins": "two"}, "bins = 'two'"),
        ({"bins": 10}, "bins = 10"),
        ({"cells": CELLS}, "either cells or rules"),
        ({"rule": []}, "unknown key 'rule'; nearest is 'rules'"),
        ({"criteria": {}}, "is a checklist of criteria, not a scheme"),
        ({"rules": [{"name": "a", "stage": "loyl"}, {"name": "b"}]}, "'loyl' is not a stage; nearest is 'loyal'"),
        ({"rules": [{"name": "a", "nps": "9-11"}, {"name": "b"}]}, "nps '9-11' lies outside 0 to 10"),
        ({"rules": [{"name": "a", "satisfaction": 0}, {"name": "b"}]}, "satisfaction 0 lies outside 1 to 5"),
        ({"rules": [{"name": "a", "nps": "11+"}, {"name": "b"}]}, r"nps '11\+' lies outside 0 to 10"),
        ({"rules": [{"name": "a", "requests": "many"}, {"name": "b"}]}, "'many' is not a score or a rising range"),
        ({"rules": [{"name": "a", "r": "unknown"}, {"name": "b"}]}, "'unknown' is not a score"),
        (
            {"rules": [{"name": "a", "requests": "0-2"}, {"name": "b", "requests": "3+", "r": 2}]},
            "12 cells have no name, first 111 with requests unknown;",
        ),
        (
            {"rules": [{"name": "a", "nps": "unknown"}, {"name": "a", "nps": "0-8"}, {"name": "b", "nps": 10}]},
            "8 cells have no name, first 111 with nps 9;",
        ),
        (
            {
                "rules": [
                    {"name": "a", "requests": "0-2"},
                    {"name": "a", "requests": "unknown"},
                    {"name": "b", "f": 2},
                    {"name": "b", "stage": ["new", "active", "loyal", "at_risk"]},
                    {"name": "b", "stage": "unknown"},
                ]
            },
            r"4 cells have no name, first 111 with stage lost, requests 3\+;",
        ),
    ],
)
def test_a_fault_in_a_scheme_by_rules_is_one_line(change, told):
    with pytest.raises(ParamsError, match=told) as error:
        maps.parse({**GOOD, **change}, "x.yaml")
    assert "x.yaml" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({**CELLS, "b": [122, 121, 112]}, "1 cells have no name, first 111"),
        ({**CELLS, "b": [122, 121, 112, 111, 222]}, "1 cells stand twice, first 222"),
        ({**CELLS, "b": [122, 121, 112, 111, 111]}, "1 cells stand twice, first 111"),
        ({**CELLS, "b": [122, 121, 112, 111, 311]}, "not three scores from 1 to 2, first 311"),
        ({**CELLS, "b": [122, 121, 112, 111, 11]}, "not three scores from 1 to 2, first 11"),
        ({**CELLS, "b": [122, 121, 112, 111, "x11"]}, "'x11' under 'b' is not a cell"),
        ({**CELLS, "b": 122}, "cells lists"),
        ({**CELLS, "c": []}, "'c' has no entry"),
        ([222], "cells lists"),
    ],
)
def test_holes_overlaps_and_strange_cells_are_one_line(cells, told):
    with pytest.raises(ParamsError, match=told) as error:
        maps.parse({"bins": 2, "names": GOOD["names"], "cells": cells}, "x.yaml")
    assert "x.yaml" in str(error.value) and "\n" not in str(error.value)


def test_an_unknown_scheme_names_the_nearest():
    with pytest.raises(ParamsError, match=r"'four_tiers'.*nearest is 'four_tier'"):
        maps.find("four_tiers")


def test_a_scheme_of_the_users_is_found_by_its_path(tmp_path):
    import yaml

    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(GOOD, allow_unicode=True), encoding="utf-8")
    assert maps.find(str(path)).order == ["a", "b"]


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_rules_closed_by_a_catch_all_are_always_a_partition(data):
    score = st.integers(1, 3) | st.sampled_from(["1-2", "2-3", "1-3"])
    rule = st.fixed_dictionaries({"name": st.sampled_from("ab")}, optional={"r": score, "f": score, "m": score})
    rules = [*data.draw(st.lists(rule, max_size=4)), {"name": "b"}]
    scheme = maps.parse({"bins": 3, "names": GOOD["names"], "rules": rules}, "x.yaml")
    for cell, name in zip(every_cell(3).itertuples(), scheme.apply(every_cell(3)), strict=True):
        fits = [r for r in rules if all(str(getattr(cell, k)) in "123"[slice(*_ends(r[k]))] for k in "rfm" if k in r)]
        assert name == fits[0]["name"]


def _ends(score):
    low, _, high = str(score).partition("-")
    return int(low) - 1, int(high or low)


# --- a real shop, and what came after ---------------------------------------------------------------------------

REAL_AS_OF = dt.date(2011, 6, 9)
AHEAD = 183


@pytest.fixture(scope="module")
def online_retail(shared_data, tmp_path_factory):
    """Customers of Online Retail II at 2011-06-09: r, f, m, whether they came back within 183 days, and for how much."""
    month = params.load(ROOT / "params" / "online_retail.yaml")
    path = shared_data("online_retail_ii/online_retail_ii_union.parquet")
    spec = sources.with_preset(month.source.transactions.model_copy(update={"path": [str(path)]}))
    folder, end = tmp_path_factory.mktemp("online_retail"), day_number(REAL_AS_OF)
    engine = Engine(folder / "spill")
    raw = sources.read(engine, "transactions", spec, folder / "scratch")
    accounting.judge_transactions(engine, raw, month, folder / "lines.parquet", None)
    days = customer_days(engine.scan(folder / "lines.parquet"))
    found = engine.collect(history(days, REAL_AS_OF, 365))
    later = engine.collect(days)
    engine.close()
    later = later[(later["day"] > end) & (later["day"] <= end + AHEAD)].set_index("customer_id").astype(float)
    measures = rfm.in_measures(found, Rfm()).dropna()
    scores = rfm.fit_scale(measures, Rfm(), REAL_AS_OF).apply(measures)
    ids = found.loc[measures.index, "customer_id"]
    spent = later.groupby(level=0)["net"].sum().reindex(ids).fillna(0).to_numpy()
    return scores.assign(back=ids.isin(later.index[later["orders"] > 0]), spent=spent)


def told_apart(customers, names):
    """Per name: share of customers, share that came back, share of the next sales; in percent."""
    groups = customers.groupby(names, observed=True)
    table = {"share": groups.size() / len(customers), "back": groups["back"].mean()}
    return 100 * pd.DataFrame({**table, "sales": groups["spent"].sum() / customers["spent"].sum()})


@pytest.mark.real_data
@pytest.mark.long
def test_four_tiers_of_online_retail_are_those_of_the_design(online_retail):
    """DESIGN §8: 17/11/47/24 % of customers, 93/81/52/31 % come back within 183 days, 68/8/21/3 % of the next sales."""
    assert len(online_retail) == 4337
    found = told_apart(online_retail, maps.find("four_tier").apply(online_retail))
    order = ["high", "potential", "ordinary", "low"]
    assert found.index.tolist() == order
    assert found["share"].tolist() == pytest.approx([17, 11, 47, 24], abs=1.5)
    assert found["back"].tolist() == pytest.approx([93, 81, 52, 31], abs=1.5)
    assert found["sales"].tolist() == pytest.approx([68, 8, 21, 3], abs=1.5)


def ladder(scores, shares):
    """A scheme of len(shares) rungs by r + f + m, lowest first, ties of the sum parted by r.

    The reference ranks single customers and so meets 40/70/90 % exactly. Equal customers must stand on one rung here,
    so whole cells are cut, at the steps of (sum, r) that come nearest: by sums alone (36/36/20/8 %) the top rung would
    hold 8 % of customers in place of 10 %. No outcome is looked at.
    """
    steps = (scores["r"] + scores["f"] + scores["m"]).astype(int) * 10 + scores["r"].astype(int)
    below = steps.value_counts(normalize=True).sort_index().cumsum()
    cuts = [(below - share).abs().idxmin() for share in np.cumsum(shares)[:-1]]
    rules = []
    for rung, cut in enumerate(cuts):
        total, r = divmod(cut, 10)
        rules += [
            {"name": f"rung{rung}", "sum": total, "r": f"1-{r}"},
            {"name": f"rung{rung}", "sum": f"3-{total - 1}"},
        ]
    rules.append({"name": f"rung{len(cuts)}"})
    names = {f"rung{n}": WORDS for n in range(len(shares))}
    return maps.parse({"names": names, "rules": rules}, "ladder.yaml")


@pytest.mark.real_data
@pytest.mark.long
def test_the_ladder_by_sum_comes_within_three_points_of_the_published_one(online_retail):
    """reference/retail.md: 33.0 / 58.2 / 84.9 / 96.5 % come back; 6.6 / 16.9 / 23.0 / 53.6 % of the next sales."""
    scheme = ladder(online_retail, [0.40, 0.30, 0.20, 0.10])
    found = told_apart(online_retail, scheme.apply(online_retail))
    assert found["share"].tolist() == pytest.approx([40, 30, 20, 10], abs=2)
    assert found["back"].tolist() == pytest.approx([33.0, 58.2, 84.9, 96.5], abs=3)
    assert found["sales"].tolist() == pytest.approx([6.6, 16.9, 23.0, 53.6], abs=3)
