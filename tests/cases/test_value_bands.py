"""Bands of a value and what they lose: cuts by hand, ties, the telephone company's and the bank's real tiers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierbook.cases.value_bands import LEVELS, bands, losses, thirds
from tierbook.errors import InputError, ParamsError
from tierbook.scores.rfm import quantile_cuts, score_values

TIERS = {"low": 0.5, "middle": 0.3, "high": 0.2}


@pytest.mark.parametrize(
    ("customers", "low", "middle"),
    [(10, 5, 3), (11, 6, 3), (9, 5, 3), (3, 2, 1), (2, 1, 1), (1, 1, 0)],
)
def test_a_band_reaches_at_least_its_share(customers, low, middle):
    """Of 11, 50 % is 5.5 and 80 % 8.8: the cuts are the 6th and the 9th; of 9 the 5th (4.5) and the 8th (7.2)."""
    found = bands(pd.Series(range(customers), dtype=float).sample(frac=1, random_state=1), TIERS).sort_index()
    assert found.astype(str).tolist() == ["low"] * low + ["middle"] * middle + ["high"] * (customers - low - middle)


def test_equal_values_stay_together_and_null_has_no_band():
    found = bands(pd.Series([1.0, 1, 1, 1, 2, None]), dict.fromkeys(LEVELS, 1 / 3))
    assert found.astype(object).tolist()[:5] == ["low"] * 4 + ["high"] and pd.isna(found.iloc[5])
    assert bands(pd.Series([np.nan, np.nan]), TIERS).isna().all() and bands(pd.Series([], dtype=float), TIERS).empty


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=60))
def test_thirds_are_the_scores_of_three_bins(values):
    values = pd.Series(values, dtype=float)
    score = score_values(values.to_numpy(), quantile_cuts(values, 3))
    assert thirds(values).cat.codes.tolist() == (score - 1).tolist()


@pytest.mark.parametrize("shares", [{}, {"a": 0.5, "b": 0.4}, {"a": 1.2, "b": -0.2}])
def test_shares_that_are_none(shares):
    with pytest.raises(ParamsError, match="positive and sum to 1"):
        bands(pd.Series([1.0]), shares)


def test_words_are_no_values():
    with pytest.raises(InputError, match=r"2 of 3 values of charge .*'x'"):
        bands(pd.Series(["1", "x", "y"], name="charge"), TIERS)


def test_losses_by_hand():
    """Low: 10 customers at 20 a month, 2 left: 40 of 200. Mid: 10 at 50, 5 left: 250 of 500. High: 4 at 90, 1 left."""
    band = pd.Series(pd.Categorical(["low"] * 10 + ["middle"] * 10 + ["high"] * 4, LEVELS, ordered=True))
    left = pd.Series([True] * 2 + [False] * 8 + [True] * 5 + [False] * 5 + [True] + [False] * 3)
    table = losses(band, left, pd.Series([20.0] * 10 + [50.0] * 10 + [90.0] * 4)).set_index("band")
    assert table.index.tolist() == list(LEVELS)
    assert table["left"].tolist() == [2, 5, 1] and table["revenue_lost"].tolist() == [40, 250, 90]
    assert table["churn"].tolist()[:2] == [0.2, 0.5] and table["lost_share"].tolist()[:2] == [0.2, 0.5]
    assert table.loc["high", ["churn", "low", "high", "lost_share"]].isna().all()  # four customers are too few
    assert table.loc["middle", "low"] < 0.5 < table.loc["middle", "high"]


def test_the_real_telephone_company(shared_data):
    """reference/campaigns.md: 15.8 / 29.7 / 34.1 %, 12,663 / 49,662 / 76,805 a month.

    The reference tears customers of one charge apart by their row in the file (rank, first come); `thirds` keeps them
    together, which moves two of the 1,869 who left: the one at 50.40 and one at 83.90.
    """
    real = pd.read_csv(shared_data("telco_ibm/Telco-Customer-Churn.csv"))
    left, monthly = real["Churn"] == "Yes", real["MonthlyCharges"]
    by_row = pd.qcut(monthly.rank(method="first"), 3, labels=list(LEVELS))
    reference = losses(by_row, left, monthly)
    assert (reference["churn"] * 100).round(1).tolist() == [15.8, 29.7, 34.1]
    assert reference["revenue_lost"].astype(int).tolist() == [12_663, 49_662, 76_805]
    ours = losses(thirds(monthly), left, monthly)
    assert ours["left"].sum() == reference["left"].sum() == 1_869
    assert ours["left"].tolist() == [373, 696, 800] and reference["left"].tolist() == [372, 696, 801]
    assert ours["revenue_lost"].sum() == pytest.approx(reference["revenue_lost"].sum())
    assert ours["revenue_lost"].iloc[0] - reference["revenue_lost"].iloc[0] == pytest.approx(50.40)
    assert reference["revenue_lost"].iloc[2] - ours["revenue_lost"].iloc[2] == pytest.approx(83.90)
