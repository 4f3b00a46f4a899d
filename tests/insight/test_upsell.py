"""Up-sell: prices, bands and moves by hand, with ties, returns and small groups."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import upsell
from tierbook.insight.shares import wilson

END, WINDOW = 1000, 100


def lines(*rows):
    """Judged lines from (customer_id, category, day, net, quantity[, reason])."""
    full = [(c, k, d, net, q, *(rest or ["kept"])) for c, k, d, net, q, *rest in rows]
    frame = pd.DataFrame(full, columns=["customer_id", "category", "day", "net", "quantity", "reason"])
    return frame.assign(net=pd.Series([Decimal(str(x)) for x in frame["net"]], dtype=object))


def test_a_price_is_of_one_piece_paid_for(engine):
    frame = lines(
        ("a", "TV", 1, 30, 3), ("a", "TV", 1, 10, None), ("a", "TV", 1, 9, 0), ("a", "TV", 1, 9, -1),
        ("a", "TV", 1, -30, 3), ("a", "TV", 1, 0, 1), ("a", None, 1, 8, 1), ("a", "TV", 1, 7, 1, "status"),
    )  # fmt: skip
    found = engine.collect(upsell.prices(engine.frame(frame), "category"))
    assert found["price"].tolist() == [10.0, 10.0]
    overall = engine.collect(upsell.prices(engine.frame(frame), None))
    assert sorted(overall["price"]) == [8.0, 10.0, 10.0] and set(overall["item"]) == {"all"}


def counts(item="TV", **lines_by_price):
    return pd.DataFrame(
        [(item, float(p[1:]), n) for p, n in lines_by_price.items()], columns=["item", "price", "lines"]
    )


def test_cuts_part_the_lines_in_thirds_and_keep_ties_together():
    # 10 lines at each of 1, 2, 3: entry is 1, middle 2, top 3
    assert upsell.cuts(counts(p1=10, p2=10, p3=10)).to_numpy().tolist() == [["TV", 1.0, 2.0]]
    # a third is reached within the 20 lines at 1, two thirds (23 1/3) at 2
    assert upsell.cuts(counts(p1=20, p2=5, p3=10)).to_numpy().tolist() == [["TV", 1.0, 2.0]]


@pytest.mark.parametrize(
    "given",
    [counts(p1=10, p2=10, p3=9), counts(p5=99), counts(p1=20, p2=20), counts(p1=29, p2=1, p3=1), counts(p1=0).head(0)],
    ids=["29 lines", "one price", "two prices", "over two thirds at one price", "nothing"],
)
def test_no_bands_where_lines_are_few_or_prices_alike(given):
    assert upsell.cuts(given).empty


BOUNDS = pd.DataFrame({"item": ["TV"], "middle_from": [100.0], "top_from": [200.0]})


def found_lines(*rows):
    return pd.DataFrame(rows, columns=["customer_id", "item", "day", "price"])


@pytest.mark.parametrize(("price", "band"), [(99.99, 0), (100.0, 0), (100.01, 1), (200.0, 1), (200.01, 2)])
def test_a_band_holds_what_lies_above_its_bound(engine, price, band):
    frame = found_lines(("a", "TV", END - WINDOW, 1.0), ("a", "TV", END, price))
    found = engine.collect(upsell.between_windows(engine.frame(frame), engine.frame(BOUNDS), END, WINDOW))
    assert found[["from_band", "to_band"]].astype(int).to_numpy().tolist() == [[0, band]]


def test_windows_end_where_they_say_and_the_median_decides(engine):
    frame = found_lines(
        ("in", "TV", END - WINDOW + 1, 150), ("in", "TV", END - 2 * WINDOW + 1, 50),
        ("old", "TV", END - 2 * WINDOW, 50), ("old", "TV", END, 50),  # the first lies before both windows
        ("new", "TV", END + 1, 50), ("new", "TV", END - WINDOW, 50),  # the second after them
        ("mid", "TV", END - WINDOW, 150), *[("mid", "TV", END - n, price) for n, price in enumerate((50, 250, 300))],
        ("else", "Fan", END, 1), ("else", "Fan", END - WINDOW, 1),  # no bands of its own
    )  # fmt: skip
    found = engine.collect(upsell.between_windows(engine.frame(frame), engine.frame(BOUNDS), END, WINDOW))
    found = found.sort_values("customer_id")[["customer_id", "from_band", "to_band"]]
    assert found.to_numpy().tolist() == [["in", 0, 1], ["mid", 1, 2]]


def test_next_purchase_is_the_second_day_of_the_same_goods(engine):
    frame = found_lines(
        ("a", "TV", 1, 50),
        ("a", "TV", 1, 60),
        ("a", "TV", 5, 250),
        ("a", "TV", 9, 150),
        ("b", "TV", 1, 50),
        ("b", "Fan", 2, 50),
    )
    found = engine.collect(upsell.next_purchases(engine.frame(frame), engine.frame(BOUNDS)))
    assert found[["customer_id", "from_band", "to_band"]].to_numpy().tolist() == [["a", 0, 2]]


def moved(*rows):
    return pd.DataFrame(rows, columns=["item", "tier", "from_band", "to_band", "customers"])


def test_the_table_adds_up_over_items_and_tiers():
    found = upsell.table(
        moved(("TV", "high", 0, 2, 6), ("TV", "low", 0, 0, 4), ("Fan", "high", 1, 1, 9)), "windows", ["high", "low"]
    )
    rows = found.set_index(["item", "tier", "from_band", "to_band"])
    assert rows.loc[("TV", "all", "entry", "top"), "share"] == 0.6
    assert rows.loc[("TV", "all", "entry", "top"), ["low", "high"]].tolist() == pytest.approx(list(wilson(0.6, 10)))
    assert rows.loc[("all", "all", "entry", "entry"), "customers"] == 4
    assert np.isnan(rows.loc[("Fan", "high", "middle", "middle"), "share"]), "nine customers"
    assert rows["customers"].groupby(["item", "tier"]).sum()["all"].to_dict() == {"all": 19, "high": 15, "low": 4}
    single = upsell.table(moved(("all", "high", 0, 2, 6)), "windows", ["high"])
    assert single.groupby("tier")["customers"].sum().to_dict() == {"all": 6, "high": 6}, "nobody counts twice"


@pytest.mark.parametrize(
    ("up", "down", "verdict"), [(40, 20, "up"), (20, 40, "down"), (30, 25, "even"), (9, 0, "too_few"), (10, 0, "up")]
)
def test_more_up_than_down_is_judged_against_a_half(up, down, verdict):
    found = upsell.risen(upsell.table(moved(("all", "low", 0, 1, up), ("all", "low", 2, 1, down)), "windows", ["low"]))
    row = found.set_index("tier").loc["all"]
    assert row["verdict"] == verdict and (row["rose"], row["fell"]) == (up, down)
    assert (row["could_rise"], row["could_fall"]) == (up, down)
