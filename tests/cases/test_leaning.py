"""Where a middle tier lies: Newcombe's published differences, each code at its boundary, the bank's real middle tier."""

import io
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierbook.cases.holdings import holdings
from tierbook.cases.leaning import COLUMNS, difference, leaning
from tierbook.cases.value_bands import bands
from tierbook.errors import InputError
from tierbook.insight.voice import share


def held(**counts):
    """A holdings table of one product ``x``: tier -> (holders, customers)."""
    found = {tier: share(*pair) for tier, pair in counts.items()}
    return pd.DataFrame(
        [("x", tier, row["value"], row["low"], row["high"]) for tier, row in found.items()],
        columns=["product", "tier", "share", "low", "high"],
    )


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17:873, table II, method 10: a, b, g, h
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_the_published_intervals(one, other, low, high):
    table = held(a=one, b=other).set_index("tier")
    rows = (table.loc[[name]].set_index("product") for name in ("a", "b"))
    value, found_low, found_high = (column["x"] for column in difference(*rows))
    assert value == pytest.approx(one[0] / one[1] - other[0] / other[1])
    assert (found_low, found_high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@pytest.mark.parametrize(
    ("low", "middle", "high", "code", "place"),
    [  # of 1,000 each a difference of 5 points around 20 % is seen, of 1 point is not
        (100, 200, 300, "between", 0.5),
        (300, 200, 100, "between", 0.5),
        (100, 110, 300, "as_below", 0.05),
        (100, 290, 300, "as_above", 0.95),
        (200, 100, 210, "outside", None),
        (100, 400, 300, "outside", 1.5),
        (200, 205, 210, "as_either", None),
    ],
)
def test_every_code(low, middle, high, code, place):
    row = leaning(held(low=(low, 1000), mid=(middle, 1000), top=(high, 1000)), "mid", "low", "top").iloc[0]
    assert list(row.index) == COLUMNS
    assert row["leaning"] == code
    assert np.isnan(row["place"]) if place is None else row["place"] == pytest.approx(place)
    assert row["over_below"] == pytest.approx((middle - low) / 1000)
    assert row["over_above"] == pytest.approx((middle - high) / 1000)


def test_the_verdict_turns_where_the_interval_leaves_zero():
    """Against 100 of 1,000, growing shares are first as low, then apart; the turn is where over_below_low passes 0."""
    found = [leaning(held(a=(100, 1000), b=(n, 1000), c=(900, 1000)), "b", "a", "c").iloc[0] for n in range(100, 160)]
    codes = [row["leaning"] for row in found]
    turn = codes.index("between")
    assert 0 < turn < 59 and set(codes[:turn]) == {"as_below"} and set(codes[turn:]) == {"between"}
    assert found[turn - 1]["over_below_low"] <= 0 < found[turn]["over_below_low"]


def test_too_few_customers_say_nothing_and_the_order_of_products_stays():
    few = held(low=(1, 9), mid=(20, 100), top=(30, 100))
    row = leaning(few, "mid", "low", "top").iloc[0]
    assert pd.isna(row["leaning"]) and np.isnan(row["place"]) and np.isnan(row["over_below"])
    table = pd.concat([held(low=(9, 50), mid=(9, 50), top=(9, 50)).assign(product=name) for name in ("y", "a")])
    assert leaning(table, "mid", "low", "top")["product"].tolist() == ["y", "a"]
    with pytest.raises(InputError, match=r"no tier \['top'\]; there are \['low', 'mid'\]"):
        leaning(held(low=(1, 20), mid=(2, 20)), "mid", "low", "top")


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_turning_the_tiers_round_turns_the_leaning_round(low, middle, high):
    table = held(a=(low, 60), b=(middle, 60), c=(high, 60))
    one, other = leaning(table, "b", "a", "c").iloc[0], leaning(table, "b", "c", "a").iloc[0]
    turned = {"as_below": "as_above", "as_above": "as_below"}
    assert other["leaning"] == turned.get(one["leaning"], one["leaning"])
    assert np.isnan(one["place"]) or one["place"] + other["place"] == pytest.approx(1)


def test_the_real_bank(shared_data):
    """The middle tier's 12.98 % deposits lie between 9.06 and 16.37 %: (12.98 - 9.06) / (16.37 - 9.06) = 0.536; its
    housing loans (56.9 %) are those of the low tier (57.7 %), not of the high one (48.4 %)."""
    with zipfile.ZipFile(shared_data("bank_marketing/bank.zip")) as files:
        real = pd.read_csv(io.BytesIO(files.read("bank-full.csv")), sep=";")
    real["tier"] = bands(real["balance"], {"low": 0.5, "middle": 0.3, "high": 0.2})
    table = leaning(holdings(real, "tier", ["y", "housing", "loan"]), "middle", "low", "high").set_index("product")
    assert table["leaning"].to_dict() == {"y": "between", "housing": "as_below", "loan": "between"}
    assert table.loc["y", "place"] == pytest.approx(3.92 / 7.31, abs=0.002)
