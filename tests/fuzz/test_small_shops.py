"""Every table of a whole month on small shops, ordinary and odd: nothing fails, sums reconcile, bounds hold, nulls are
those that the registry of columns explains."""

import datetime as dt
import random

import pandas as pd
import pytest

from fuzz import shops
from fuzz.faults import faults
from tierbook import params
from tierbook.errors import GateRefused
from tierbook.report import handoffs
from tierbook.workbook import Workbook

# seeds that have found faults, or that draw odd params; 0 elsewhere
SEEDS = {"empty_tables": 3, "negative_total": 2, "huge": 1, "future": 5}
SLOW = {"ten_years"}
# a shop of refunds alone is refused, see below
FIRST = {kind: SEEDS.get(kind, 0) for kind in shops.KINDS if kind != "only_refunds"}
SHOPS = [
    pytest.param(kind, seed, marks=pytest.mark.verify if seed != first or kind in SLOW else pytest.mark.long)
    for kind, first in FIRST.items()
    for seed in (first, *(more for more in range(1, 5) if more != first))[:4]
]
MONEY = ["monetary", "expected_value", "clv", "clv_low", "clv_high", "value_at_stake"]


def month(found, folder, more):
    return Workbook(params.parse(shops.write(found, folder / "in", more)), folder / "out")


@pytest.mark.parametrize(("kind", "seed"), SHOPS)
def test_a_small_shop_has_every_table_without_a_fault(kind, seed, tmp_path):
    found = month(shops.tables(kind, seed), tmp_path, shops.settings(seed))
    found.check_rules()
    assert faults(found, dict(handoffs.tables(found))) == []


def test_the_checks_can_fail(tmp_path):
    """A count that is one too low, a share above 1, a score outside its bins, an unexplained null: each is told."""
    found = month(shops.tables("bare", 0), tmp_path, shops.settings(0))
    few = ("tiers", "segments", "stages", "movement", "months", "row_accounting", "customers")
    good = {"tiers": found.tiers(), "segments": found.segments(), "stages": found.stages(), "movement": found.movement(),
            "months": found.months(), "row_accounting": found.accounting(), "customers": found.book()}  # fmt: skip
    assert faults(found, good) == [] and set(good) == set(few)
    broken = {
        "tiers hold": {"tiers": good["tiers"].iloc[1:]},
        "share is no share": {"tiers": good["tiers"].assign(share=1.5)},
        "r is not 1 to bins": {"customers": good["customers"].assign(r=6)},
        "stage is null": {"customers": good["customers"].assign(stage=None)},
        "orders_low stands above": {"customers": good["customers"].assign(orders_low=2.0, orders_high=1.0)},
        "kept rows come to": {"months": good["months"].assign(identified=0.0)},
    }
    for told, changed in broken.items():
        assert any(told in line for line in faults(found, {**good, **changed})), told


def test_a_shop_of_refunds_alone_is_refused_with_its_rows(tmp_path):
    with pytest.raises(GateRefused, match=r"of the rows read, kept \d+; check as_of"):
        month(shops.tables("only_refunds", 0), tmp_path, {}).history()


# --- what must not matter to a whole month -----------------------------------------------------------------------


def changed_lines(text, change):
    header, *lines = text.splitlines()
    at = header.split(",").index
    return "\n".join([header, *(",".join(change(line.split(","), at)) for line in lines)]) + "\n"


def times_seven(cells, at):
    cells[at("amount")] = str(round(float(cells[at("amount")]) * 7, 2))
    return cells


def four_weeks_later(cells, at):
    day = dt.date.fromisoformat(cells[at("ordered_at")]) + dt.timedelta(weeks=4)
    cells[at("ordered_at")] = day.isoformat()
    return cells


def shuffled(text):
    header, *lines = text.splitlines()
    random.Random(1).shuffle(lines)
    return "\n".join([header, *lines]) + "\n"


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The orders of an ordinary shop and its book; the hold-outs, drawn by a hash of the id, are left out."""
    orders = {"transactions": shops.tables("bare", 4)["transactions"]}
    more = {**shops.settings(0), "alerts": {"holdout": 0}, "campaign": {"holdout": 0}}
    return orders, more, month(orders, tmp_path_factory.mktemp("plain"), more).book()


def test_rows_in_another_order_and_in_several_files_give_the_same_book(plain, tmp_path):
    orders, more, book = plain
    header, *lines = shuffled(orders["transactions"]).splitlines()
    tree = shops.write(orders, tmp_path / "in", more)
    for part in range(3):
        (tmp_path / f"part_{part}.csv").write_text("\n".join([header, *lines[part::3]]) + "\n")
    tree["source"]["transactions"]["path"] = str(tmp_path / "part_*.csv")
    pd.testing.assert_frame_equal(Workbook(params.parse(tree), tmp_path / "out").book(), book)


@pytest.mark.long
def test_money_times_seven_changes_money_alone(plain, tmp_path):
    orders, more, book = plain
    seven = {"transactions": changed_lines(orders["transactions"], times_seven)}
    found = month(seven, tmp_path, more).book()
    other = ["next_tier_gap"]  # tells money in words
    pd.testing.assert_frame_equal(found.drop(columns=MONEY + other), book.drop(columns=MONEY + other))
    for column in MONEY:
        assert found[column].astype(float).to_numpy() == pytest.approx(
            book[column].astype(float).to_numpy() * 7, rel=1e-4, nan_ok=True
        )


@pytest.mark.long
def test_dates_and_as_of_four_weeks_later_change_no_label(plain, tmp_path):
    """All labels but those that look at calendar months (last month's tier, the year's clusters)."""
    orders, more, book = plain
    later = {"transactions": changed_lines(orders["transactions"], four_weeks_later)}
    found = month(later, tmp_path, {**more, "as_of": "2026-11-28"}).book()
    same = [
        "customer_id",
        "orders",
        "recency_days",
        "frequency",
        "monetary",
        "r",
        "f",
        "m",
        "segment",
        "tier",
        "trend",
        "stage",
    ]
    pd.testing.assert_frame_equal(found[same], book[same])


@pytest.mark.long
def test_customers_left_out_change_no_score_of_the_others_on_a_frozen_scale(plain, tmp_path):
    orders, more, book = plain
    whole = month(orders, tmp_path / "whole", more)
    scale = tmp_path / "scale.yaml"
    scale.write_text(whole.scale.to_yaml())
    header, *lines = orders["transactions"].splitlines()
    kept = [line for line in lines if int(line[1:3]) % 2]
    more = {**more, "rfm": {"scale": str(scale)}}
    found = month({"transactions": "\n".join([header, *kept]) + "\n"}, tmp_path / "half", more).book()
    own = [
        "first_order",
        "last_order",
        "orders",
        "recency_days",
        "frequency",
        "monetary",
        "r",
        "f",
        "m",
        "segment",
        "tier",
        "trend",
    ]
    there = book.set_index("customer_id")[own].loc[found["customer_id"]]
    assert 10 < len(found) < len(book)
    pd.testing.assert_frame_equal(found.set_index("customer_id")[own], there)
