"""Concentration: the Gini coefficient against its own definition, the curve's ends, and groups too small to tell of."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierbook.insight import concentration

TEN = pd.Series([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 55])
MONEY = st.lists(st.integers(-50, 10_000), min_size=10, max_size=60)


def by_definition(amounts):
    x = np.clip(np.asarray(amounts, dtype=float), 0, None)
    return np.abs(x[:, None] - x[None, :]).sum() / (2 * len(x) ** 2 * x.mean())


def test_ten_customers_by_hand():
    # Σ i·x = 1·1 + 2·2 + … + 9·9 + 10·55 = 285 + 550 = 835; Σ x = 100; 2·835 / (10·100) − 11/10 = 0.57
    assert concentration.gini(TEN) == pytest.approx(0.57)


def test_equal_is_zero_and_one_holder_is_one_less_a_share():
    assert concentration.gini(pd.Series([0.1] * 12)) == pytest.approx(0, abs=1e-12)
    assert concentration.gini(pd.Series([0.0] * 19 + [5.0])) == pytest.approx(1 - 1 / 20)


@given(MONEY.filter(lambda x: max(x) > 0))
def test_as_the_double_sum_defines_it(amounts):
    found = concentration.gini(pd.Series(amounts))
    assert found == pytest.approx(by_definition(amounts), abs=1e-9) and 0 <= found <= 1
    assert concentration.gini(pd.Series(amounts) * 7) == pytest.approx(found, abs=1e-9)
    assert concentration.gini(pd.Series(amounts[::-1])) == found, "to the last digit, whatever the order"


def test_below_zero_counts_as_zero_and_null_as_nobody():
    assert concentration.gini(pd.Series([*TEN, -40.0])) == concentration.gini(pd.Series([*TEN, 0.0]))
    assert concentration.gini(pd.Series([*TEN, np.nan])) == concentration.gini(TEN)


@pytest.mark.parametrize("amounts", [[5.0] * 9, [0.0] * 12, [-1.0] * 12, [], [5.0] * 9 + [np.nan]])
def test_too_few_or_nothing_is_null(amounts):
    amounts = pd.Series(amounts, dtype=float)
    assert np.isnan(concentration.gini(amounts)) and concentration.pareto(amounts).empty
    assert concentration.top_shares(amounts)["revenue_share"].isna().all()


def test_the_curve_by_hand():
    curve = concentration.pareto(TEN).set_index("customers_share")["revenue_share"]
    assert curve.index.tolist() == pytest.approx([n / 10 for n in range(11)])
    assert curve.iloc[[0, 1, 2, 10]].tolist() == pytest.approx([0, 0.55, 0.64, 1])


@given(MONEY.filter(lambda x: max(x) > 0))
def test_the_curve_rises_ever_more_slowly(amounts):
    curve = concentration.pareto(pd.Series(amounts))
    steps = curve["revenue_share"].diff().iloc[1:].to_numpy()
    assert (steps >= 0).all() and (np.diff(steps) <= 1e-9).all()
    assert curve.iloc[0].tolist() == [0, 0] and curve.iloc[-1].tolist() == [1, 1]


def test_top_shares_by_hand():
    # 100 customers of 1 to 100, in all 5,050: the best 10 bring 91 + … + 100 = 955, 20 bring 1,810, 50 bring 3,775
    table = concentration.top_shares(pd.Series(range(1, 101)))
    assert table["customers"].tolist() == [1, 10, 20, 50]
    assert np.isnan(table["revenue"].iloc[0]) and table["revenue"].tolist()[1:] == [955, 1810, 3775]
    assert table["revenue_share"].tolist()[1:] == pytest.approx([955 / 5050, 1810 / 5050, 3775 / 5050])


@pytest.mark.parametrize(("n", "customers"), [(89, 9), (90, 9), (91, 10), (100, 10), (101, 11)])
def test_a_part_of_a_customer_counts_whole(n, customers):
    row = concentration.top_shares(pd.Series([1.0] * n)).iloc[1]
    assert row["customers"] == customers and pd.notna(row["revenue_share"]) == (customers >= 10)


def test_a_million_customers_in_a_blink():
    amounts = pd.Series(np.random.default_rng(1).lognormal(5, 1.5, 1_000_000))
    start = time.perf_counter()
    found = concentration.gini(amounts)
    assert len(concentration.pareto(amounts)) == 101
    assert time.perf_counter() - start < 3
    # a lognormal's Gini is 2 Φ(σ/√2) − 1 (Aitchison & Brown 1957); σ = 1.5: 0.7111
    assert found == pytest.approx(0.7111, abs=0.005)
