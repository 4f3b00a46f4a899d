"""Customers part by part: a report made so is the report made of all at once, and nobody is lost between two parts."""

import datetime as dt
import pickle
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tierbook import masking, params
from tierbook.cache import FRAME, Cache, save_part
from tierbook.errors import TierbookError
from tierbook.params import EngineParams
from tierbook.report import handoffs
from tierbook.scores import clusters, maps, scales
from tierbook.workbook import (
    Workbook,
    drawn_movement,
    drawn_value,
    loop,
    needs,
    other_rules,
    people,
    summary,
    tallies,
    tiers,
    value,
    voice,
    warning,
)
from tierbook.workbook.memory import Memory
from tierbook.workbook.parts import of_part

AS_OF = dt.date(2026, 10, 31)
SIZE, PART = 300, 60
NEW, LOST = 60, 60
"""How many stand first, whose first order is of this month, and after them, who have not bought for two years: where
parts go by plain ids the first part knows nothing of last month and the second nobody of any window."""
IDS = [
    "!0", *(f"#{n:02d}" for n in range(NEW - 1)), *(f"A{n:02d}" for n in range(LOST)),
    *(f"K{n:03d}" for n in range(100)), *(f"k{n:02d}" for n in range(40)), *(f"Ä{n:02d}" for n in range(19)),
    *(f"客户{n:02d}" for n in range(20)), "🛒",
]  # fmt: skip
SCHEME = {
    "bins": 5,
    "names": {name: {"en": name, "zh": name} for name in ("top", "care", "base")},
    "rules": [
        {"name": "top", "m": "4-5", "f": "3-5"},
        {"name": "care", "requests": "2+"},
        {"name": "care", "stage": "at_risk", "satisfaction": "1-2"},
        {"name": "base"},
    ],
}
SALT = "a salt that nobody guesses"


def day(ago):
    return (AS_OF - dt.timedelta(days=int(ago))).isoformat()


def orders():
    """The orders of 300 customers: 60 of this month, 60 of long ago, 180 of three years who come at a pace of their own."""
    rng = np.random.default_rng(20)
    rows = []
    for place, name in enumerate(IDS):
        if place < NEW:
            ago = rng.integers(0, 30, rng.integers(1, 4))
        elif place < NEW + LOST:
            ago = rng.integers(760, 1100, rng.integers(1, 7))
        else:
            gap = rng.gamma(2, 60)
            born, gone = rng.integers(60, 1100), rng.choice([0, 0, 0, 90, 300])
            ago = born - np.cumsum([0, *rng.exponential(gap, 40)])
            ago = ago[(ago >= min(gone, born)) | (ago == born)]
        price = rng.gamma(3, 40)
        for k, days in enumerate(ago):
            amount = round(price * rng.uniform(0.5, 1.5), 2) * (-0.4 if k and rng.random() < 0.03 else 1)
            rows.append(
                (name, f"{name}-{k}", day(days), round(amount, 2), f"p{rng.integers(6)}", rng.choice(["a", "b"]))
            )
    return pd.DataFrame(rows, columns=["customer_id", "order_id", "ordered_at", "amount", "product", "channel"])


def customers():
    rng = np.random.default_rng(21)
    maybe = lambda values: np.where(rng.random(SIZE) < 0.2, None, rng.choice(values, SIZE))  # noqa: E731
    born = [f"{rng.integers(1940, 2008)}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}" for _ in IDS]
    table = pd.DataFrame(
        {"customer_id": IDS, "region": maybe(["north", "south"]), "company_size": maybe(["5", "20", "900"])}
    )
    table = table.assign(
        gender=maybe(["female", "male"]), birthday=born, owner=maybe(["ann", "bo"]), joined_at=day(1100),
        do_not_contact=rng.choice(["true", "false", "false"], SIZE), referred_by=maybe(IDS),
    )  # fmt: skip
    return table.sample(frac=0.9, random_state=1)  # whom the table does not know is null


def answers(rows, seed, **columns):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"customer_id": rng.choice(IDS, rows), "on": [day(k) for k in rng.integers(0, 400, rows)]})
    return frame.assign(**{name: rng.choice(values, rows) for name, values in columns.items()})


def tables():
    return {
        "transactions": orders(),
        "customers": customers(),
        "surveys": answers(300, 22, csat=list("12345"), nps=list("0369"), reason=["price", "late"]).rename(
            columns={"on": "answered_at"}
        ),
        "tickets": answers(300, 23, topic=["late", "broken"], reason=["late", None]).rename(columns={"on": "opened_at"}),
        "contacts": answers(150, 24, campaign=["autumn"], arm=["sms", "control"], channel=["sms"]).assign(
            contacted_at=lambda made: made["on"]
        ).rename(columns={"on": "assigned_at"}),
        "visits": answers(400, 25, sessions=list("123"), page_views=list("2468"), source=["app", "search"]).rename(
            columns={"on": "visited_at"}
        ),
    }  # fmt: skip


GIVEN = [IDS[place] for place in (0, PART - 1, PART, 2 * PART, SIZE - 1)]
"""Who has a tier by hand: the first and the last of all, and either side of where a part ends; one has been lost long."""


@pytest.fixture(scope="module", autouse=True)
def quick():
    """One salt throughout; five resamples say as well as two hundred whether two workbooks agree."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(masking.ENVIRONMENT, SALT)
        patch.setattr(clusters, "RESAMPLES", 5)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    for name, frame in tables().items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    (folder / "scheme.yaml").write_text(yaml.safe_dump(SCHEME, allow_unicode=True, sort_keys=False), encoding="utf-8")
    given = pd.DataFrame({"customer_id": GIVEN, "tier": "top", "reason": "contract", "until": "2026-12-31"})
    given.to_csv(folder / "overrides.csv", index=False)
    return folder


def month(folder, part, outputs="outputs", masks=False, **tree):
    """The shop's workbook, its customers in parts of at most so many."""
    source = {path.stem: {"path": str(path)} for path in sorted(folder.glob("*.csv")) if path.stem != "overrides"}
    tree = {
        "report": {"name": "shop", "mask_customer_ids": masks},
        "as_of": AS_OF.isoformat(),
        "source": source,
        "tiers": {"hold_months": 2, "scheme": str(folder / "scheme.yaml")},
        "overrides": str(folder / "overrides.csv"),
        "gate": {"min_customers": 100},
        "alerts": {"capacity": {"phone": 5, "sms": 5}},
        "clusters": {"k": 3},
        **tree,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tierbook.workbook.parts.PART", part)
        found = Workbook(params.parse(tree), folder / outputs)
        assert len(list(found.parts())) == -(-SIZE // part)
    return found


@pytest.fixture(scope="module")
def whole(folder):
    """All customers as one part; every step of its own is kept."""
    return month(folder, SIZE + 1)


ROWS = {
    "book": summary.assemble,
    "scores": tiers.scores,
    "cluster_labels": people.cluster_labels,
    "checklist": people.value_checklist,
    "attributes": people.attributes,
    "moved": tiers.moved,
    "next_tier": tiers.next_tier,
    "flags_last_month": warning.flags_last_month,
    "tiers_on": lambda part: tiers.on(part, AS_OF),
    "computed_tiers": lambda part: part.computed_tiers(AS_OF),
}
"""What is computed of each customer, beside the step that keeps it."""


def keep_parts(kept, name, parts):
    """A frame kept as a workbook keeps it, part after part."""
    kept.keep_written(name, lambda folder: len([save_part(part, folder, n) for n, part in enumerate(parts())]))


def rows(whole, name):
    return getattr(whole, name)(*([AS_OF] if name == "computed_tiers" else []))


@pytest.mark.parametrize("size", [pytest.param(PART, marks=pytest.mark.long), SIZE - 1], ids=["five", "the_last_alone"])
def test_what_is_computed_part_by_part_and_kept_is_what_all_together_give(whole, folder, tmp_path, size):
    """Written as the workbook writes it: kinds of columns too, though a part may know less than another."""
    expected = {name: rows(whole, name) for name in ROWS}
    parted, kept = month(folder, size), Cache(tmp_path / "kept")
    for name, compute in ROWS.items():
        keep_parts(kept, name, lambda compute=compute: (compute(part) for part in parted.parts()))
        pd.testing.assert_frame_equal(kept.read_frame(name), expected[name], obj=name)


def test_the_shop_is_no_easy_case(whole, folder):
    """Its first part had not bought a month ago, its second has no order in any window; all that is asked for is there."""
    first, second, *others = month(folder, PART).parts()
    assert first.history(whole.dates[1]).empty and second.window().empty and len(others) == 3
    book = whole.book()
    assert book["customer_id"].tolist() == IDS and book["tier"].nunique() == 4 and book["stage"].nunique() == 5
    assert book["alert"].sum() >= 10 and book["action"].notna().sum() >= 10 and book["clv"].notna().all()
    assert set(book["tier_change"]) >= {"up", "down", "new", "left", "same"} and book["cluster"].nunique() == 3
    assert whole.overridden()["status"].eq("in_use").all() and len(whole.protected()) >= 5
    assert whole.attribute_names == ["region", "company_size", "channel", "gender", "age", "tenure"]
    assert (whole.computed_tiers(AS_OF)["tier"] == "care").any()


WHOLE = {
    "protected": tiers.all_protected,
    "stage_transitions": people.stage_transitions,
    "slices": people.published_slices,
    "planned": loop.planned,
    "experience": loop.experience,
    "call_list": warning.call_list,
    "cohorts": value.cohort_table,
    "price_bands": needs.price_bands,
    "sensitivity": other_rules.tiers_under_other_rules,
    "alert_backtest": warning.past,
    "voice": voice.voice_table,
    "behaviour": voice.behaviour_table,
    "birthdays": voice.birthdays,
    "churn_reasons": voice.churn_reasons,
}
"""What is computed of all customers, beside the step that keeps it."""
YEAR = {
    "past_moves": tiers.past_moves,
    "movement": tiers.moves_between_tiers,
    "over_year": tiers.over_year,
    "measures_by_month": summary.measures_by_month,
    "tier_sizes": lambda month: tiers.sizes(month).reset_index(),
}
"""What takes the tiers of fourteen months."""
DRAWN = {
    "value_held": drawn_value.held,
    "value_belied": drawn_value.belied,
    "upgrade_steps": drawn_movement.upgrade_steps,
    "kept_tiers": drawn_movement.kept_tiers,
    "fallen": drawn_movement.fallen,
    "flagged": drawn_movement.flagged,
    "called": drawn_movement.called,
    "row_counts": tallies.row_counts,
    "planned_counts": tallies.planned_counts,
}
"""What pages draw and list of customers."""


def same(found, expected, name):
    """Equal; sums of money, put together in another order, to their last digits."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), name
        for key, value in expected.items():
            same(found[key], value, f"{name}, {key}")
    elif isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected, check_exact=False, rtol=0, atol=1e-9, obj=name)
    else:
        assert found == expected, name


@pytest.mark.parametrize(
    "asked", [WHOLE, DRAWN, pytest.param(YEAR, marks=pytest.mark.long)], ids=["now", "drawn", "over_the_year"]
)
def test_what_is_told_of_the_whole_does_not_depend_on_the_parts(whole, folder, tmp_path, asked):
    expected = {name: getattr(whole, name)() for name in asked}
    if asked is WHOLE:
        told = expected["behaviour"].dropna(subset="value")["measure"]
        assert {"contact_gap_days", "referred_share", "birthdays", "visits_per_visitor", "browsed_90d"} <= set(told)
        assert {"tickets_per_customer", "nps"} <= set(expected["voice"].dropna(subset="value")["measure"])
        assert len(expected["churn_reasons"]) >= 3 and len(expected["birthdays"]) >= 5
    if "tier_sizes" in expected:
        expected["tier_sizes"] = expected["tier_sizes"].reset_index()
    parted, kept = month(folder, PART), Cache(tmp_path / "kept")
    for name, compute in asked.items():
        same(kept.step(name, lambda compute=compute: compute(parted)), expected[name], name)
    for name in ("tiers", "segments", "stages", "clusters"):
        same(getattr(parted, name)(), getattr(whole, name)(), name)


def test_the_rows_that_pages_list_are_the_first_of_the_whole_frames(whole):
    book, best = whole.book(), whole.tier_scheme.order[0]
    held, belied, steps, fallen = whole.value_held(), whole.value_belied(), whole.upgrade_steps(), whole.fallen()
    listed = held["best"]
    first = book.sort_values(["clv", "customer_id"], ascending=[False, True]).head(15)[listed.columns]
    pd.testing.assert_frame_equal(listed, first.reset_index(drop=True), check_dtype=False)
    looked = book[book["tier"].isin(["base", "outside"]) & (book["value_tier"] == "high")]  # of three tiers the lower
    looked = looked.sort_values(["clv", "customer_id"], ascending=[False, True])["customer_id"]
    assert belied["more"]["customer_id"].tolist() == looked.head(10).tolist() and len(looked) > 10
    assert belied["looks"].set_index("looks").loc["more", "customers"] == len(looked)
    for name, asked in (
        ("listed", lambda frame: frame.head(20)),
        ("with_money", lambda frame: frame[frame["spend_missing"].notna()].head(10)),
    ):
        expected = asked(whole.upgrade_candidates())
        assert steps[name]["customer_id"].tolist() == expected["customer_id"].tolist() and len(expected) >= 5
        assert set(steps[name]["deadline"].astype(str)) == {str(whole.deadline)}
    left = book[(book["previous_tier"] == best) & (book["tier"] != best)]
    assert set(fallen["listed"]["customer_id"]) == set(left["customer_id"]) and fallen["customers"] == len(left) > 0
    assert fallen["listed"]["net"].is_monotonic_decreasing and fallen["owned"] == left["owner"].notna().sum()


def test_what_pages_count_is_what_the_whole_frames_hold(whole):
    book, flagged, rows = whole.book(), whole.flagged(), whole.row_counts().set_index("frame")
    warned = book[book["alert"]]
    assert flagged["counts"]["customers"].sum() == len(warned) and flagged["faults"] == 0
    assert flagged["counts"]["value_at_stake"].sum() == pytest.approx(warned["value_at_stake"].sum())
    assert rows["rows"].drop("planned").drop("tiers").eq(SIZE).all() and rows["rows"].equals(rows["customers"])
    assert rows.loc["planned", "rows"] == len(whole.planned()) and (rows["strangers"] == 0).all()
    planned, lists = whole.planned_counts().set_index("action"), whole.planned()
    assert planned["in_book"].to_dict() == book["action"].value_counts().reindex(planned.index, fill_value=0).to_dict()
    assert (
        planned["held_out"].sum() == lists["held_out"].sum()
        and planned["customers"].sum() == (~lists["held_out"]).sum()
    )
    called, listed = whole.called(), whole.call_list()["alerts"]
    assert called["customer_id"].tolist() == listed["customer_id"].tolist() and called["alert"].all()
    known = whole.flags().set_index("customer_id")["risk"]
    assert called["risk"].tolist() == known.loc[listed["customer_id"]].tolist()


def test_candidates_stand_in_one_order_whatever_the_parts(whole, folder):
    expected, parted = whole.upgrade_candidates(), month(folder, PART)
    keep_parts(parted.tables.cache, "apart", lambda: (tiers.upgrade_candidates(part) for part in parted.parts()))
    parted.tables.sort("in_order", "apart", ["monetary", "customer_id"], [True, False])
    pd.testing.assert_frame_equal(parted.read("in_order"), expected)
    money = expected["monetary"]
    assert len(expected) >= 20 and money.is_monotonic_decreasing


def test_columns_asked_for_are_those_of_the_whole_frame(whole, folder):
    parted = month(folder, PART)
    for at in (whole, parted, *parted.parts()):
        book = at.book()
        pd.testing.assert_frame_equal(at.book(["tier", "customer_id"]), book[["tier", "customer_id"]])
        assert at.history(columns=["T"]).columns.tolist() == ["T"] and len(at.history(columns=["T"])) == len(book)


@pytest.mark.long
@pytest.mark.parametrize("name", ["!0", IDS[PART - 1], IDS[PART], IDS[2 * PART], "🛒"])
def test_a_customers_card_is_the_same_where_its_part_begins_and_ends(whole, folder, name):
    parted = month(folder, PART)
    found, expected = parted.card(name), whole.card(name)
    assert found.keys() == expected.keys()
    assert repr(found) == repr(expected)


@pytest.mark.long
@pytest.mark.parametrize("name", ["!", "K0000", "🛒🛒"])
def test_who_is_no_customer_has_no_card_in_any_part(whole, folder, name):
    told = []
    for at in (whole, month(folder, PART)):
        with pytest.raises(TierbookError, match=r"none of the book's 300 customers") as refusal:
            at.card(name)
        told.append(str(refusal.value))
    assert told[0] == told[1] and len(told[0].splitlines()) == 1


def test_without_clusters_or_a_forecast_the_columns_are_there_and_null(folder):
    """Fewer customers than the gate asks for: no rule is fitted, in any of the parts."""
    few = month(folder, PART, "few", gate={"min_customers": 9_999}, tiers={"scheme": "four_tier"}, overrides=None)
    labels, forecast = few.cluster_labels(), few.forecast()
    assert labels["customer_id"].tolist() == forecast["customer_id"].tolist() == IDS
    assert labels[["cluster", "cluster_before"]].isna().all(axis=None) and labels["cluster"].dtype == "Int8"
    assert forecast["value_note"].eq("too_few_customers").all() and forecast["clv"].isna().all()


def test_labels_are_those_of_the_kept_rule(whole):
    rule, found = clusters.ClusterRule(**whole.cluster_path()["rule"]), whole.cluster_labels().set_index("customer_id")
    for column, date in (("cluster", AS_OF), ("cluster_before", whole.dates[1])):
        measures = whole.measures(date).set_index("customer_id")
        expected = rule.apply(measures).reindex(IDS)
        pd.testing.assert_series_equal(found[column], expected, check_names=False)
    assert found["cluster"].notna().sum() > found["cluster_before"].notna().sum() > 50, "60 are new"


@pytest.mark.long
def test_every_table_of_a_report_is_the_same_whatever_the_parts(folder):
    """With masked ids, in whose order new and lost customers are mixed: every step from the reading on."""
    alone, parted = (month(folder, part, f"masked-{part}", masks=True) for part in (SIZE, 2 * PART))
    found = dict(handoffs.tables(parted))
    assert found["customers"]["customer_id"].str.startswith("K-").all()
    for name, expected in handoffs.tables(alone):
        same(found.pop(name), expected, name)
    assert not found


# --- nobody is lost between two parts -------------------------------------------------------------------------------


def workbook(kept, ids, engine):
    """A workbook of nothing but a kept history of these customers, sorted as the engine sorts."""
    shop = object.__new__(Workbook)
    shop.tables, shop._memory, shop.whole = SimpleNamespace(cache=kept), Memory(), shop
    shop.params = SimpleNamespace(engine=EngineParams())
    shop.kept_history = lambda as_of=None: "history"
    frame = engine.frame(pd.DataFrame({"customer_id": pd.Series(ids, dtype="str"), "n": range(len(ids))}))
    (kept.folder / "history").mkdir()
    engine.write(frame.sort("customer_id"), kept.folder / "history" / FRAME)
    return shop


ODD = [
    "客户1",
    "客户10",
    "客户2",
    "Ä",
    "Ä",
    "a",
    "B",
    "b",
    "Z",
    "é",
    "ß",
    "😀",
    "🛒",
    "￮",
    "0",
    "00",
    "~",
    " x",
    "'",
    '"',
    "%",
    "_",
]
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=4) | st.sampled_from(ODD)


@settings(deadline=None, max_examples=40)
@given(ids=st.lists(texts, min_size=1, max_size=30, unique=True), size=st.integers(1, 12))
@example(ids=ODD, size=1)
@example(ids=ODD, size=5)
@example(ids=ODD, size=len(ODD) - 1)
@example(ids=ODD, size=len(ODD))
@example(ids=ODD, size=len(ODD) + 1)
def test_the_parts_hold_every_customer_once_in_the_order_of_ids(ids, size, engine, tmp_path_factory):
    shop = workbook(Cache(tmp_path_factory.mktemp("kept") / "it"), ids, engine)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tierbook.workbook.parts.PART", size)
        parts = [part.read("history")["customer_id"].tolist() for part in shop.parts()]
    assert all(0 < len(part) <= size for part in parts) and len(parts) == -(-len(ids) // size)
    together = [name for part in parts for name in part]
    assert together == sorted(ids, key=str.encode), "bytes of UTF-8: the order of DuckDB, Spark, Arrow and Python alike"
    assert shop.alone(ids[0]).read("history")["customer_id"].tolist() == ids[:1]


@settings(deadline=None, max_examples=40)
@given(name=texts)
@example(name="客户")
@example(name="客户1")
@example(name="A")
def test_one_customer_alone_is_that_one_or_nobody(name, odd_shop):
    found = odd_shop.alone(name).read("history")["customer_id"].tolist()
    assert found == [name for known in ODD if known == name]


@pytest.fixture(scope="module")
def odd_shop(engine, tmp_path_factory):
    return workbook(Cache(tmp_path_factory.mktemp("odd") / "it"), ODD, engine)


def test_a_part_elsewhere_asks_for_no_file_of_rules(folder, tmp_path, monkeypatch):
    """As on a node that has the library and sees the outputs, and no folder of params: what the first part has read here
    goes along with the month."""
    frozen = scales.freeze(month(folder, SIZE).scale, tmp_path / "scales", "frozen")
    parted = month(folder, PART, "elsewhere", rfm={"scale": str(frozen)})
    asked = {"checklist": people.value_checklist, "moved": tiers.moved, "book": summary.assemble}
    expected = {name: list(parted.by_part(compute)) for name, compute in asked.items()}
    sent = pickle.loads(pickle.dumps(parted))
    monkeypatch.setattr(maps, "SCHEMES", tmp_path / "nowhere")
    frozen.unlink()
    bounds = [None, *parted._starts, None]
    for name, compute in asked.items():
        for number, (low, high) in enumerate(pairwise(bounds)):
            done, found = of_part(sent, lambda _, part, compute=compute: compute(part), (number, low, high))
            assert done, f"{name}: part {number} asks for a step that is not kept"
            pd.testing.assert_frame_equal(found, expected[name][number])
