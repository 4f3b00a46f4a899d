"""Holdings by tier: shares by hand, what is not known, and the bank's published affinity."""

import io
import zipfile

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from tierbook.cases.holdings import COLUMNS, holdings
from tierbook.cases.value_bands import bands
from tierbook.errors import InputError

# 10 low: 3 with a loan, one unknown, so 3 of 9; 12 high: 6 of 12 with a loan; card: 2 of 10 and 12 of 12
PEOPLE = pd.DataFrame(
    {
        "tier": pd.Categorical(["low"] * 10 + ["high"] * 12 + [None], ["low", "high"], ordered=True),
        "loan": ["yes"] * 3 + ["no"] * 6 + [None] + ["yes", "no"] * 6 + ["yes"],
        "card": [1] * 2 + [0] * 8 + [1] * 13,
    }
)


def test_by_hand():
    table = holdings(PEOPLE, "tier", ["loan", "card"])
    assert list(table) == COLUMNS
    assert table["tier"].tolist() == ["low", "high"] * 2 and table["product"].tolist() == ["loan"] * 2 + ["card"] * 2
    assert table["customers"].tolist() == [9, 12, 10, 12] and table["holders"].tolist() == [3, 6, 2, 12]
    assert np.isnan(table["share"].iloc[0]) and table["share"].tolist()[1:] == [0.5, 0.2, 1.0]  # 9 known are too few
    wilson = binomtest(6, 12).proportion_ci(method="wilson")
    assert table.loc[1, ["low", "high"]].tolist() == pytest.approx([wilson.low, wilson.high], abs=1e-6)


def test_a_tier_without_customers_and_the_order_of_rows():
    empty = holdings(PEOPLE[PEOPLE["tier"] == "low"], "tier", ["card"])
    assert empty["customers"].tolist() == [10, 0] and np.isnan(empty["share"].iloc[1])
    pd.testing.assert_frame_equal(holdings(PEOPLE.iloc[::-1], "tier", ["loan"]), holdings(PEOPLE, "tier", ["loan"]))
    assert holdings(PEOPLE, "tier", []).empty


@pytest.mark.parametrize("values", [[True, False], ["YES", " no "], [1.0, 0.0], ["1", "0"]])
def test_ways_to_say_yes(values):
    people = pd.DataFrame({"tier": "a", "x": values * 5})
    assert holdings(people, "tier", ["x"])["holders"].tolist() == [5]


def test_refusals():
    with pytest.raises(InputError, match=r"no column \['fund'\]"):
        holdings(PEOPLE, "tier", ["fund"])
    with pytest.raises(InputError, match=r"1 values of loan are neither yes nor no, as \['maybe'\]"):
        holdings(PEOPLE.assign(loan=["maybe", *["no"] * 22]), "tier", ["loan"])


def test_the_real_bank(shared_data):
    """reference/campaigns.md: deposit 9.06 / 12.98 / 16.37, loan 19.6 / 14.3 / 9.8, housing 57.7 / 56.9 / 48.4,
    default 3.4 / 0.3 / 0.07 %."""
    with zipfile.ZipFile(shared_data("bank_marketing/bank.zip")) as files:
        real = pd.read_csv(io.BytesIO(files.read("bank-full.csv")), sep=";")
    real["tier"] = bands(real["balance"], {"low": 0.5, "middle": 0.3, "high": 0.2})
    shares = holdings(real, "tier", ["y", "loan", "housing", "default"]).groupby("product")["share"].agg(list)
    published = {"y": ([9.06, 12.98, 16.37], 2), "loan": ([19.6, 14.3, 9.8], 1), "housing": ([57.7, 56.9, 48.4], 1)}
    for product, (expected, digits) in published.items():
        assert [round(100 * share, digits) for share in shares[product]] == expected
    low, mid, high = (100 * share for share in shares["default"])
    assert (round(low, 1), round(mid, 1), round(high, 2)) == (3.4, 0.3, 0.07)
