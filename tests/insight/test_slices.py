"""Slices: every customer in one value, sums that reconcile, boundaries of tenure, and cells that cannot be got back."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.accounting import day_number
from tierbook.engine import Engine
from tierbook.history import customer_days
from tierbook.insight import slices

TIERS, STAGES = ["high", "low"], ["active", "at_risk", "lost"]
DAY = day_number(dt.date(2026, 10, 31))


def book(*rows):
    """A book of (customer_id, tier, stage, monetary)."""
    return pd.DataFrame(rows, columns=["customer_id", "tier", "stage", "monetary"])


def many(*rows):
    """A book and its values from (value, customers, tier, stage, monetary of each)."""
    full = [row[:1] + row[2:] for row in rows for _ in range(row[1])]
    frame = pd.DataFrame(full, columns=["value", "tier", "stage", "monetary"])
    frame["customer_id"] = [f"c{n:05d}" for n in range(len(frame))]
    return frame.drop(columns="value"), frame.set_index("customer_id")["value"].astype(object)


def coded(values):
    """The values of customers in the order in which slices show them."""
    return slices.valued(pd.DataFrame({"value": values, "customers": 1}))[0]


def beside(frame, values, best):
    """The values beside each other, counted in two parts of the customers."""
    middle = len(frame) // 2
    parts = [slices.tallied(part, values) for part in (frame.iloc[:middle], frame.iloc[middle:])]
    return slices.side_by_side(pd.concat(parts, ignore_index=True), best)


def attributes(history, customers=None, first=None):
    """The attributes by customer_id, each from the table that `slices.origins` names."""
    tables = {"customers": customers, "first_orders": first}
    return slices.attributes(history, tables, slices.origins(customers, first)).set_index("customer_id")


EIGHT = book(
    ("a", "high", "active", 100.0), ("b", "high", "active", 50.0), ("c", "low", "lost", 5.0), ("d", "low", "at_risk", 15.0),
    ("e", "low", "at_risk", -5.0), ("f", "outside", "lost", np.nan), ("g", "high", "at_risk", 40.0), ("h", "low", "active", 1.0),
)  # fmt: skip
REGION = pd.Series({"h": "N", "g": "S", "f": None, "e": "N", "d": "N", "c": "S", "b": "N", "a": "S"}, dtype=object)


def test_the_long_table_by_hand():
    # N: b high active 50, d low at_risk 15, e low at_risk −5, h low active 1; S: a high active 100, c low lost 5,
    # g high at_risk 40; unknown: f
    table = slices.by_attribute(slices.tallied(EIGHT, REGION), TIERS, STAGES)
    assert len(table) == 3 * 3 * 3 and table["customers"].sum() == 8 and table["revenue"].sum() == 206
    cells = table.set_index(["value", "tier", "stage"])
    assert cells.loc[("N", "low", "at_risk")].tolist() == [2, 10]
    assert cells.loc[("S", "high", "at_risk")].tolist() == [1, 40]
    assert cells.loc[("unknown", "outside", "lost")].tolist() == [1, 0]
    assert table["value"].drop_duplicates().tolist() == ["N", "S", "unknown"]
    whole = table.groupby(["tier", "stage"])["customers"].sum()
    assert whole.loc[("high", "active")] == 2 and whole.loc[("low", "lost")] == 1


def test_side_by_side_by_hand():
    # N 40 customers: 12 of 30 in the window high; S 60: 6 of 60; unknown 9. Whole: 18 of 99 = 18.2 %.
    frame, values = many(
        ("N", 12, "high", "active", 100.0), ("N", 18, "low", "at_risk", 10.0), ("N", 10, "outside", "lost", np.nan),
        ("S", 6, "high", "active", 50.0), ("S", 54, "low", "active", 5.0), (None, 9, "low", "at_risk", 1.0),
    )  # fmt: skip
    table = beside(frame, values, "high").set_index("value")
    assert table.index.tolist() == ["S", "N", "unknown"]
    assert table["customers"].tolist() == [60, 40, 9] and table["pooled"].tolist() == [1, 1, 0]
    assert table["share"].tolist() == pytest.approx([60 / 109, 40 / 109, 9 / 109])
    assert table["revenue"].tolist() == [570, 1380, 9] and table["revenue_share"].sum() == pytest.approx(1)
    assert table.loc["N", ["in_window", "best_customers", "best_share"]].tolist() == [30, 12, 0.4]
    assert table.loc["N", "at_risk_share"] == 18 / 40 and table.loc["N", "mean_monetary"] == 46
    # Wilson (Brown, Cai & DasGupta 2001): 12 of 30 is 24.6 % to 57.7 %, 6 of 60 is 4.7 % to 20.1 %
    assert table.loc["N", ["best_low", "best_high"]].tolist() == pytest.approx([0.2459, 0.5768], abs=1e-4)
    assert table.loc["S", ["best_low", "best_high"]].tolist() == pytest.approx([0.0466, 0.2015], abs=1e-4)
    assert table["differs"].iloc[:2].tolist() == ["usual", "above"]
    assert table.loc["unknown", ["best_share", "best_low", "at_risk_share"]].isna().all()
    assert table.loc["unknown", "differs"] is None


def test_a_value_below_the_whole_is_told():
    frame, values = many(
        ("N", 50, "high", "active", 9.0), ("S", 2, "high", "active", 9.0), ("S", 60, "low", "lost", 1.0)
    )
    assert beside(frame, values, "high")["differs"].tolist() == ["below", "above"]


@pytest.mark.parametrize(("customers", "told"), [(9, False), (10, True), (11, True)])
def test_no_percentage_on_fewer_than_10_customers(customers, told):
    frame, values = many(("N", customers, "high", "at_risk", 5.0))
    table = beside(frame, values, "high")
    for share in ("share", "revenue_share", "best_share", "best_low", "best_high", "at_risk_share"):
        assert table[share].notna().all() == told, share
    assert table["customers"].tolist() == [customers]


def test_no_sales_and_nobody_in_the_window():
    frame, values = many(("N", 12, "outside", "lost", np.nan))
    table = beside(frame, values, "high")
    assert (
        table["revenue_share"].isna().all() and table["best_share"].isna().all() and table["in_window"].tolist() == [0]
    )


@pytest.mark.parametrize(
    ("days", "band"),
    [
        (0, "under_3_months"), (90, "under_3_months"), (91, "months_3_to_12"), (364, "months_3_to_12"),
        (365, "years_1_to_2"), (729, "years_1_to_2"), (730, "years_2_plus"), (731, "years_2_plus"), (4000, "years_2_plus"),
    ],
)  # fmt: skip
def test_tenure_bands(days, band):
    history = pd.DataFrame({"customer_id": ["a"], "T": [days]})
    assert attributes(history)["tenure"].tolist() == [band]


def test_a_customer_without_history_has_no_tenure_and_is_unknown():
    found = attributes(pd.DataFrame({"customer_id": ["b", "a", "c"], "T": [800, 10, None]}))
    assert found.loc["a", "tenure"] == "under_3_months" and found["tenure"].isna().tolist() == [False, False, True]
    assert beside(EIGHT, found["tenure"], "high")["value"].tolist() == [
        "under_3_months", "years_2_plus", "unknown",
    ]  # fmt: skip


def test_attributes_take_the_customers_table_first_and_never_mix():
    history = pd.DataFrame({"customer_id": list("abcdefgh"), "T": 5})
    customers = pd.DataFrame(
        {"customer_id": ["b", "zz", "a"], "region": ["N", "S", None], "industry": None, "channel": None}
    )
    first = pd.DataFrame({"customer_id": ["a", "b"], "region": ["E", "E"], "channel": ["web", "shop"], "store": None})
    found = attributes(history, customers, first)
    assert slices.origins(customers, first) == {"region": "customers", "channel": "first_orders"}
    assert list(found) == ["region", "channel", "tenure"] and found.index.tolist() == list("abcdefgh")
    assert found.loc["b", "region"] == "N" and pd.isna(found.loc["a", "region"]), "a's first order is no answer"
    assert found.loc["a", "channel"] == "web"
    assert list(attributes(history)) == ["tenure"]


def test_more_than_12_values_are_put_together():
    counts = {f"v{n:02d}": 20 - n for n in range(13)}
    values = pd.Series([v for v, n in counts.items() for _ in range(n)], dtype=object)
    order = list(coded(values).cat.categories)
    assert order == [*list(counts)[:11], "other"], "eleven keep their names, two make up other"
    frame = pd.DataFrame({"customer_id": values.index, "tier": "high", "stage": "lost", "monetary": 1.0})
    table = beside(frame, values, "high").set_index("value")
    assert table.loc["other", ["pooled", "customers"]].tolist() == [2, 9 + 8]
    assert table["customers"].sum() == len(values) and table.loc["v00", "pooled"] == 1


def test_twelve_values_stand_by_size_then_name_and_unknown_last():
    values = pd.Series([*"cab", *"cab", "z", None, None, None, *"defghijk"], dtype=object)
    assert list(coded(values).cat.categories) == [*"abc", *"defghijk", "z", "unknown"]


def test_a_value_called_other_or_unknown_in_the_data_is_one_with_ours():
    counts = {"other": 30, "unknown": 5, **{f"v{n:02d}": 20 for n in range(13)}}
    values = pd.Series([v for v, n in counts.items() for _ in range(n)] + [None] * 2, dtype=object)
    found = coded(values).value_counts()
    assert found["unknown"] == 7 and found["other"] == 30 + 20 * 2 and found.sum() == len(values)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([*"ABC", None]), st.sampled_from([*TIERS, "outside"]), st.sampled_from(STAGES)), min_size=1, max_size=40), st.randoms())  # fmt: skip
def test_rows_and_ids_do_not_matter_and_nobody_is_lost(rows, shuffle):
    frame = pd.DataFrame(rows, columns=["value", "tier", "stage"]).assign(monetary=7.0)
    frame["customer_id"] = [f"c{n}" for n in range(len(frame))]
    other = frame.sample(frac=1, random_state=shuffle.randrange(99)).assign(customer_id=lambda f: range(len(f)))
    tables = []
    for people in (frame, other):
        values = people.set_index("customer_id")["value"].astype(object)
        tables.append(
            [slices.by_attribute(slices.tallied(people, values), TIERS, STAGES), beside(people, values, "high")]
        )
    for one, two in zip(*tables, strict=True):
        pd.testing.assert_frame_equal(one, two)
        assert one["customers"].sum() == len(frame)


def test_the_published_table():
    frame, values = many(
        ("N", 40, "high", "active", 10.0), ("N", 3, "high", "lost", 10.0), ("N", 30, "low", "active", 1.0), ("N", 20, "low", "lost", 1.0),
        ("S", 25, "high", "active", 10.0), ("S", 35, "high", "lost", 10.0), ("S", 50, "low", "active", 1.0), ("S", 60, "low", "lost", 1.0),
    )  # fmt: skip
    known = pd.DataFrame({"region": values, "channel": "web"})
    tallies = {name: slices.tallied(frame, known[name]) for name in known}
    table = slices.published(tallies, TIERS, STAGES)
    assert list(table) == ["attribute", "value", "tier", "stage", "customers", "revenue", "suppressed"]
    assert set(table["attribute"]) == {"region", "channel"}
    region = table[table["attribute"] == "region"].set_index(["value", "tier", "stage"])
    assert region.loc[("N", "high", "lost"), "suppressed"] and not table["customers"].between(1, 9).any()
    for column in ("customers", "revenue"):
        assert (table[column].isna() == table["suppressed"]).all()
    assert region.loc[("S", "low", "at_risk"), "customers"] == 0
    whole = table[table["attribute"] == "channel"]
    assert whole["customers"].sum() == len(frame) and not whole["suppressed"].any()


def test_first_values_come_from_the_first_day_with_a_purchase(tmp_path):
    # a: refund line on DAY, first purchase DAY + 1 by web; b: two channels on its first day, the first by name; c: free
    rows = [
        ("a", "o0", DAY, -5, 0, "tmall", "N"), ("a", "o1", DAY + 1, 9, 9, "web", None), ("a", "o2", DAY + 2, 9, 9, "shop", "S"),
        ("b", "o3", DAY, 9, 9, "web", "S"), ("b", "o4", DAY, 9, 9, "app", "S"), ("c", "o5", DAY, 0, 0, "gift", "W"),
        ("d", "o6", DAY, 9, 9, None, None),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["customer_id", "order_key", "day", "net", "gross", "channel", "region"])
    frame = frame.assign(cost=Decimal("1.0"), reason="kept")
    engine = Engine(tmp_path)
    lines = engine.frame(frame.sample(frac=1, random_state=3))
    found = engine.collect(slices.first_values(lines, customer_days(lines), ["channel", "region"]))
    engine.close()
    found = found.set_index("customer_id").sort_index()
    assert found["channel"].tolist()[:3] == ["web", "app", "gift"] and pd.isna(found.loc["d", "channel"])
    assert pd.isna(found.loc["a", "region"]) and found["region"].tolist()[1:3] == ["S", "W"]


def test_company_sizes_in_numbers_stand_in_bands():
    # edges 20 and 300: 19 below, 20 at, 299 just below, 300 at; null stays null
    sizes = pd.Series(["19", "20", "299", "300", None], dtype=object)
    assert slices.size_bands(sizes, []) is sizes
    banded = slices.size_bands(sizes, [20, 300])
    assert banded.astype(object).where(banded.notna(), None).tolist() == ["<20", "20–299", "20–299", "300+", None]
    assert coded(banded).cat.categories.tolist() == ["<20", "20–299", "300+", "unknown"]


@pytest.mark.parametrize(
    ("sizes", "numbers"),
    [
        (["19", "300", None], True),
        (["7.5"], True),
        (["19", "1,000"], False),  # a word here: nothing is put into bands
        (["small", "large", None], False),
        ([None, None], False),
        ([], False),
    ],
)
def test_company_sizes_are_numbers_or_words(sizes, numbers):
    assert slices.are_numbers(pd.Series(sizes, dtype=object)) is numbers


AS_OF = dt.date(2026, 10, 31)


@pytest.mark.parametrize(("born", "band"), [
    ("2001-11-01", "age_under_25"), ("2001-10-31", "age_25_34"), ("1991-11-01", "age_25_34"), ("1991-10-31", "age_35_44"),
    ("1981-11-01", "age_35_44"), ("1981-10-31", "age_45_54"), ("1971-11-01", "age_45_54"), ("1971-10-31", "age_55_plus"),
    ("1905-01-01", "age_55_plus"), ("2026-10-31", "age_under_25"),
    ("1904-12-31", None), ("1900-01-01", None), ("2026-11-01", None), (None, None),
])  # fmt: skip
def test_age_bands(born, band):
    """The day before the birthday and the birthday itself; unknown and impossible birthdays are no age."""
    people = pd.DataFrame({"customer_id": ["a"], "birthday": pd.to_datetime(pd.Series([born]))})
    found = slices.age_bands(people, AS_OF)
    assert found.astype(object).where(found.notna(), None).tolist() == [band]
    assert found.cat.categories.tolist() == list(slices.AGES)


@pytest.mark.parametrize(("as_of", "band"), [
    (dt.date(2025, 2, 28), "age_under_25"), (dt.date(2025, 3, 1), "age_25_34"),
])  # fmt: skip
def test_born_on_29_february(as_of, band):
    people = pd.DataFrame({"birthday": pd.to_datetime(["2000-02-29"])})
    assert slices.age_bands(people, as_of).tolist() == [band]


def test_gender_and_age_are_attributes_in_their_own_order():
    """Ages stand from young to old, not by size; a table without a single birthday has no age."""
    history = pd.DataFrame({"customer_id": list("abcdefgh"), "T": 100})
    born = pd.to_datetime(pd.Series(["1960-01-01", "1961-01-01", "2010-01-01", None]))
    people = pd.DataFrame({"customer_id": list("abcd"), "gender": ["female", "male", "female", None], "birthday": born})
    known = attributes(history, people.assign(age=slices.age_bands(people, AS_OF)))
    assert list(known) == ["gender", "age", "tenure"]
    ages = beside(EIGHT, known["age"], "high")
    assert ages["value"].tolist() == ["age_under_25", "age_55_plus", "unknown"] and ages["customers"].tolist() == [
        1,
        2,
        5,
    ]
    assert beside(EIGHT, known["gender"], "high")["value"].tolist() == ["female", "male", "unknown"]
    nobody = people.assign(birthday=pd.NaT)
    without = attributes(history, nobody.assign(age=slices.age_bands(nobody, AS_OF)))
    assert list(without) == ["gender", "tenure"]


def test_small_cells_of_age_are_suppressed():
    frame, values = many(("age_under_25", 5, "high", "active", 9.0), ("age_25_34", 40, "high", "active", 9.0))
    bands = pd.Series(pd.Categorical(values, list(slices.AGES), ordered=True), index=values.index)
    table = slices.published({"age": slices.tallied(frame, bands)}, TIERS, STAGES)
    assert not table["customers"].between(1, 9).any() and table["suppressed"].any()
