"""Properties of a whole month, from order lines to tier, on random shops: what must not matter, what may only help, and
what must add up.

tests/scores holds each score by itself and tests/test_book.py one shop through the workbook; here the steps stand in
their row (history, scale, maps, stage, movement), as the workbook calls them, on shops full of ties.
"""

import datetime as dt
import itertools

import narwhals as nw
import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tierbook import book
from tierbook.accounting import day_number
from tierbook.history import customer_days, history, windows
from tierbook.insight import groups, movement
from tierbook.params import Rfm
from tierbook.scores import lifecycle, maps, rfm

AS_OF = dt.date(2026, 10, 31)
MONTH, WINDOW = 31, 365
SEEDS = range(8)
LABELS = ["r", "f", "m", "segment", "eight", "tier", "previous_tier", "stage", "trend"]
ELEVEN, EIGHT, FOUR = (maps.find(name) for name in ("eleven", "eight", "four_tier"))
# A shop is drawn by its number: there is nothing to shrink.
few = settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


def shop(seed, customers=140):
    """Order lines (owner, order, days ago, cents): few prices and round gaps, so that ties abound, and late refunds.

    Owners 900 to 902 are twins of the owners 0 to 2.
    """
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(customers), rng.choice([1, 1, 2, 3, 5, 8], customers))
    size, every = len(owner), rng.choice([7, 30, 120], customers)[owner]
    ago = rng.choice([0, 4, 5, 30, 90, 200, 400, 500, 600], customers)[owner] + every * rng.integers(0, 5, size)
    cents = rng.choice([1, 990, 1000, 2500, 2500, 9999], size) * rng.integers(1, 4, size)
    sold = pd.DataFrame({"owner": owner, "order": np.arange(size), "ago": ago, "cents": cents})
    back = sold[rng.random(size) < 0.15]
    back = back.assign(ago=(back["ago"] - 14).clip(lower=0), cents=-back["cents"])
    sold = pd.concat([sold, back], ignore_index=True)
    twins = sold[sold["owner"] < 3]
    twins = twins.assign(owner=twins["owner"] + 900, order=twins["order"] + 10_000)
    return pd.concat([twins, sold], ignore_index=True)


def split(sold):
    """The same orders, each line written as two."""
    half = sold["cents"] // 2
    return pd.concat([sold.assign(cents=half), sold.assign(cents=sold["cents"] - half)], ignore_index=True)


def lines(sold, prefix, as_of, name, times):
    """The kept order lines of a shop, money in cents, ids behind a prefix."""
    return pd.DataFrame(
        {
            "customer_id": [f"{prefix}/{name.format(owner)}" for owner in sold["owner"]],
            "order_key": sold["order"].astype(str),
            "day": day_number(as_of) - sold["ago"],
            "net": sold["cents"] * times,
            "gross": sold["cents"].clip(lower=0) * times,
            "cost": 0,
            "reason": "kept",
        }
    )


def months(engine, shops, as_of=AS_OF, name="c{:03d}", times=1):
    """What is said of every customer of each of some shops, in one pass through the engine."""
    rows = pd.concat([lines(sold, prefix, as_of, name, times) for prefix, sold in shops.items()], ignore_index=True)
    money = ", ".join(f"CAST({column} / 100 AS DECIMAL(18, 2)) AS {column}" for column in ("net", "gross", "cost"))
    exact = engine.frame(rows).to_native().project(f"* REPLACE ({money})")
    days = customer_days(nw.from_native(exact))
    dates = [as_of - dt.timedelta(days=ago) for ago in (0, lifecycle.COMEBACK_DAYS, MONTH)]
    ends = engine.frame(pd.DataFrame({"end": [day_number(dates[-1]), day_number(as_of)]}))
    tables = [engine.collect(history(days, date, WINDOW)) for date in dates]
    tables.append(engine.collect(windows(days, ends, WINDOW)))
    return {prefix: month(*(of_shop(table, prefix) for table in tables), as_of) for prefix in shops}


def of_shop(table, prefix):
    """One shop's rows of a table, by the ids the shop gave."""
    mine = table[table["customer_id"].str.startswith(f"{prefix}/")]
    ids = mine["customer_id"].str.removeprefix(f"{prefix}/")
    return mine.assign(customer_id=ids).sort_values("customer_id", ignore_index=True)


def month(found, earlier, before, seen, as_of):
    """Everything that is said of each customer, by customer_id, on the scale fitted to this month."""
    measures, start, end = rfm.in_measures(found, Rfm()), day_number(as_of) - MONTH, day_number(as_of)
    scale = rfm.fit_scale(measures.dropna(), Rfm(), as_of)
    scores, halves = scale.apply(measures), rfm.mean_split(measures.dropna(), as_of).apply(measures)
    tiers = movement.tiers_at(seen, scale, FOUR, Rfm())
    moved = movement.moves(tiers, found.set_index("customer_id")["first_day"], start, end)
    stood = FOUR.apply(scale.apply(rfm.in_measures(before, Rfm()))).astype(object).set_axis(before["customer_id"])
    stage = lifecycle.stage(found, lifecycle.fit_cadence(found, earlier))
    said = pd.concat([found, measures[["frequency", "monetary"]], scores], axis=1).assign(
        segment=ELEVEN.apply(scores).astype(object),
        eight=EIGHT.apply(halves).astype(object),
        stage=stage.astype(object),
    )
    said = said.assign(trend=book.trend(found)).set_index("customer_id")
    said["tier_then"] = stood.fillna(maps.OUTSIDE).reindex(said.index)
    return said.assign(tier=moved["to_tier"], previous_tier=moved["from_tier"], money_moved=moved["net"])


@pytest.fixture(scope="module")
def shops():
    """Random shops by seed."""
    return {seed: shop(seed) for seed in SEEDS}


@pytest.fixture(scope="module")
def plain(engine, shops):
    """The months of the shops as they are."""
    return months(engine, shops)


# --- what must not matter ---------------------------------------------------------------------------------------


@few
@given(seed=st.sampled_from(SEEDS), shift=st.integers(-3000, 3000), times=st.sampled_from([7, 100]))
def test_order_of_rows_numbering_currency_and_calendar_change_no_label(engine, shops, plain, seed, shift, times):
    sold, date = shops[seed], AS_OF + dt.timedelta(days=shift)
    other = sold.assign(owner=999 - sold["owner"], order=20_000 - sold["order"]).sample(frac=1, random_state=seed)
    found = months(engine, {"other": other}, date, "x{:03d}", times)["other"][LABELS]
    found.index = [f"c{999 - int(name[1:]):03d}" for name in found.index]
    pd.testing.assert_frame_equal(found.sort_index(), plain[seed][LABELS], check_names=False)


def test_customers_with_the_same_orders_are_the_same_in_everything(plain):
    for found in plain.values():
        twins, owners = found.loc["c900":"c902"], found.loc["c000":"c002"]
        pd.testing.assert_frame_equal(twins.reset_index(drop=True), owners.reset_index(drop=True))


def test_an_order_written_on_several_lines_is_one_order(engine, shops, plain):
    for seed, found in months(engine, {seed: split(sold) for seed, sold in shops.items()}).items():
        pd.testing.assert_frame_equal(found, plain[seed])


# --- what may only help -----------------------------------------------------------------------------------------


@few
@given(seed=st.sampled_from(SEEDS), data=st.data())
def test_buying_later_never_lowers_r_and_spending_more_never_lowers_m(engine, shops, plain, seed, data):
    """Even though the scale is fitted anew. An order comes later with its refund, which would cancel it on one day."""
    sold, changed = shops[seed], {}
    inside = plain[seed].index[plain[seed]["r"].notna()]
    sales = sold[
        (sold["cents"] > 0) & (sold["ago"] < WINDOW) & ("c" + sold["owner"].astype(str).str.zfill(3)).isin(inside)
    ]
    last = sales.loc[sales.groupby("owner")["ago"].idxmin()]
    for _ in range(3):  # three customers, each in a shop of its own where all others stay as they are
        line = data.draw(st.sampled_from(last.index.tolist()))
        order = sold["order"] == sold.loc[line, "order"]
        who, later, more = f"c{sold.loc[line, 'owner']:03d}", sold.copy(), sold.copy()
        later.loc[order, "ago"] -= data.draw(st.integers(0, int(sold.loc[order, "ago"].min())))
        more.loc[line, "cents"] += data.draw(st.integers(1, 100_000))
        changed |= {f"{len(changed)}-r-{who}": later, f"{len(changed)}-m-{who}": more}
    for name, found in months(engine, changed).items():
        _, letter, who = name.split("-")
        assert found.loc[who, letter] >= plain[seed].loc[who, letter], name


@pytest.mark.parametrize("name", ["four_tier", "three_tier"])
def test_a_better_score_never_gives_a_worse_tier(name):
    scheme = maps.find(name)
    cells = pd.DataFrame(itertools.product(range(1, 6), repeat=3), columns=list("rfm"))
    for letter in "rfm":
        better = cells.assign(**{letter: (cells[letter] + 1).clip(upper=5)})
        assert (scheme.rank(scheme.apply(better)) <= scheme.rank(scheme.apply(cells))).all(), letter


# --- what must add up -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_every_customer_has_one_name_in_every_partition(shops, plain, seed):
    found, outside = plain[seed], plain[seed]["frequency"].isna()
    by_day = shops[seed].groupby(["owner", "order", "ago"])["cents"].sum()
    assert found.index.is_unique and set(found.index) == {f"c{who:03d}" for who, *_ in by_day[by_day > 0].index}
    assert found["tier"].isin([*FOUR.order, maps.OUTSIDE]).all() and found["stage"].isin(lifecycle.STAGES).all()
    assert ((found["tier"] == maps.OUTSIDE) == outside).all()
    for name, scheme in (("segment", ELEVEN), ("eight", EIGHT)):
        assert (found[name].isna() == outside).all() and found[name].dropna().isin(scheme.order).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_money_orders_and_customers_add_up(shops, plain, seed):
    """An order refunded on a later day stays an order; one refunded on its own day never was, and its buyer no customer."""
    found, sold = plain[seed], shops[seed]
    by_day = sold.groupby(["owner", "order", "ago"])["cents"].sum()
    assert found["orders"].sum() == (by_day > 0).sum()
    ago = by_day.index.get_level_values("ago")
    inside = {"net": ago >= 0, "window_net": ago < WINDOW, "previous_net": (ago >= WINDOW) & (ago < 2 * WINDOW)}
    for column, rows in inside.items():
        assert round(found[column].sum() * 100) == by_day[rows].sum(), column
    tiers = groups.summary([groups.sums(found.reset_index().assign(clv=np.nan), "tier")], "four_tier", FOUR.order)
    assert tiers["customers"].sum() == len(found)
    assert tiers["revenue"].sum() == pytest.approx(found["monetary"].sum())


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_of_the_movement_are_last_months_tiers_and_columns_this_months(plain, seed):
    """Last month's tiers come from its own history here, those of the matrix from the windows of both dates."""
    found = plain[seed]
    moved = found[["previous_tier", "tier", "money_moved"]].set_axis(["from_tier", "to_tier", "net"], axis=1)
    table = movement.movement([], movement.counted(moved), movement.counted(moved.iloc[:0]), None)
    then, now = (table[table["customers"] > 0].groupby(key)["customers"].sum() for key in ("from_tier", "to_tier"))
    assert then.drop(movement.NEW, errors="ignore").to_dict() == found["tier_then"].value_counts().to_dict()
    assert then.get(movement.NEW, 0) == found["tier_then"].isna().sum()
    assert now.to_dict() == found["tier"].value_counts().to_dict()
    assert table["revenue"].sum() == pytest.approx(moved["net"].sum())


def test_the_shops_are_worth_it(shops, plain):
    """Between them they hold every tier, stage and trend, all eight cells, and orders refunded late and at once."""
    found, sold = pd.concat(plain.values()), pd.concat(shops.values())
    for label, names in (("tier", [*FOUR.order, maps.OUTSIDE]), ("stage", lifecycle.STAGES), ("eight", EIGHT.order)):
        assert set(found[label].dropna()) == set(names), label
    assert found["segment"].nunique() >= 9 and set(found["trend"].dropna()) == {"up", "steady", "down"}
    assert (sold["cents"] < 0).sum() > 100 and found["tier_then"].isna().any()
