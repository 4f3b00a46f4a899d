"""Odds ratios: a table by hand, a textbook's eight cities, SciPy, and the telephone company's published 3.99 and 1.62."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats.contingency import odds_ratio

from tierbook.cases import odds
from tierbook.cases.value_bands import thirds

# Agresti 1996, An Introduction to Categorical Data Analysis, table 3.3, after Liu 1992. City: smokers with, smokers
# without, non-smokers with, non-smokers without lung cancer.
CITIES = {
    "Beijing": (126, 100, 35, 61),
    "Shanghai": (908, 688, 497, 807),
    "Shenyang": (913, 747, 336, 598),
    "Nanjing": (235, 172, 58, 121),
    "Harbin": (402, 308, 121, 215),
    "Zhengzhou": (182, 156, 72, 98),
    "Taiyuan": (60, 99, 11, 43),
    "Nanchang": (104, 89, 21, 36),
}
COUNTS = st.tuples(*[st.integers(1, 40)] * 4)


def people(tables):
    """exposed, event, strata of one customer per count."""
    rows = [
        (stratum, exposed, event)
        for stratum, counts in tables.items()
        for (exposed, event), count in zip([(True, True), (True, False), (False, True), (False, False)], counts, strict=True)
        for _ in range(count)
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["stratum", "exposed", "event"])
    return frame["exposed"], frame["event"], frame[["stratum"]]


def test_crude_by_hand():
    """20 of 50 exposed and 10 of 50 others: (20 × 40) / (30 × 10) = 2.6667; standard error of its logarithm
    √(1/20 + 1/30 + 1/10 + 1/40) = √0.208333 = 0.456435; e^(0.980829 ± 1.959964 × 0.456435) = 1.0900, 6.5241."""
    exposed, event, _ = people({"all": (20, 30, 10, 40)})
    found = odds.crude(exposed, event)
    assert (found["value"], found["n"]) == (pytest.approx(800 / 300), 100)
    assert (found["low"], found["high"]) == (pytest.approx(1.0900, abs=1e-3), pytest.approx(6.5241, abs=1e-3))


def test_two_strata_by_hand():
    """(10, 20, 5, 25) of n 60 and (30, 10, 15, 25) of n 80.

    Σ ad/n = 250/60 + 750/80 = 4.16667 + 9.375 = 13.54167; Σ bc/n = 100/60 + 150/80 = 1.66667 + 1.875 = 3.54167;
    ratio 3.82353. The crude table is (40, 30, 20, 50): 2000/600 = 3.3333.
    """
    exposed, event, strata = people({"a": (10, 20, 5, 25), "b": (30, 10, 15, 25)})
    found = odds.adjusted(exposed, event, strata)
    assert (found["value"], found["n"], found["strata"]) == (pytest.approx(13.541667 / 3.541667), 140, 2)
    assert odds.crude(exposed, event)["value"] == pytest.approx(10 / 3)
    table = odds.by_stratum(exposed, event, strata)
    assert table["odds_ratio"].tolist() == pytest.approx([2.5, 5.0])
    assert table["weight"].tolist() == pytest.approx([1.66667 / 3.54167, 1.875 / 3.54167], abs=1e-4)
    assert table[["exposed", "exposed_events", "unexposed", "unexposed_events"]].to_numpy().tolist() == [
        [30, 10, 30, 5],
        [40, 30, 40, 15],
    ]


def test_agrestis_eight_cities():
    """Published: common odds ratio 2.17 (1.98, 2.38), Breslow-Day 5.2 on 7 degrees of freedom, p 0.64."""
    found = odds.adjusted(*people(CITIES))
    assert [round(found[key], 2) for key in ("value", "low", "high", "homogeneity_p")] == [2.17, 1.98, 2.38, 0.64]
    assert found["strata"] == 8


@settings(max_examples=25)
@given(COUNTS)
def test_one_table_agrees_with_scipy_and_adjusting_for_nothing_changes_nothing(counts):
    exposed, event, strata = people({"all": counts})
    found, theirs = odds.crude(exposed, event), odds_ratio([counts[:2], counts[2:]], kind="sample")
    interval = theirs.confidence_interval()
    assert found["value"] == pytest.approx(theirs.statistic)
    assert (found["low"], found["high"]) == (pytest.approx(interval.low), pytest.approx(interval.high))
    one = odds.adjusted(exposed, event, strata)
    # with one stratum Robins, Breslow & Greenland's variance is Woolf's
    assert [one[key] for key in ("value", "low", "high")] == pytest.approx(
        [found[key] for key in ("value", "low", "high")]
    )


@settings(max_examples=25)
@given(st.lists(COUNTS, min_size=2, max_size=5))
def test_turning_the_question_round_inverts_the_ratio(tables):
    exposed, event, strata = people(dict(enumerate(tables)))
    found, other = odds.adjusted(exposed, event, strata), odds.adjusted(~exposed, event, strata)
    assert found["value"] * other["value"] == pytest.approx(1) and found["low"] * other["high"] == pytest.approx(1)
    assert found["homogeneity_p"] == pytest.approx(other["homogeneity_p"], abs=1e-6)
    shuffled = np.random.default_rng(1).permutation(len(exposed))
    assert odds.adjusted(exposed.iloc[shuffled], event.iloc[shuffled], strata.iloc[shuffled]) == found


def test_strata_that_differ_are_told():
    exposed, event, strata = people({"a": (60, 40, 20, 80), "b": (20, 80, 60, 40)})
    assert odds.adjusted(exposed, event, strata)["homogeneity_p"] < 1e-6


def test_equal_strata_have_nothing_between_them():
    assert odds.adjusted(*people({"a": (20, 30, 10, 40), "b": (20, 30, 10, 40)}))["homogeneity_p"] == pytest.approx(1)


def test_unknowns_are_left_out_and_empty_cells_tell_no_ratio():
    exposed, event, strata = people({"a": (20, 30, 10, 40), "b": (5, 5, 0, 20)})
    unknown = exposed.astype(object).where(np.arange(len(exposed)) % 7 > 0, None)
    kept = unknown.notna()
    assert odds.crude(unknown, event) == odds.crude(exposed[kept], event[kept])
    table = odds.by_stratum(exposed, event, strata)
    assert table["odds_ratio"].isna().tolist() == [False, True]
    assert np.isnan(odds.adjusted(exposed[100:], event[100:], strata[100:])["value"])
    # a stratum without an exposed customer changes nothing but the count
    lone = people({"a": (20, 30, 10, 40), "b": (0, 0, 5, 20)})
    assert odds.adjusted(*lone)["value"] == pytest.approx(800 / 300) and odds.adjusted(*lone)["strata"] == 1
    nobody = odds.crude(exposed[:0], event[:0])
    assert np.isnan(nobody["value"]) and nobody["n"] == 0


@pytest.mark.parametrize(("exposed_customers", "told"), [(9, False), (10, True)])
def test_small_strata_tell_no_ratio_of_their_own(exposed_customers, told):
    exposed, event, strata = people({"a": (4, exposed_customers - 4, 8, 12)})
    assert odds.by_stratum(exposed, event, strata)["odds_ratio"].notna().tolist() == [told]


def test_the_real_telephone_company(shared_data):
    """reference/campaigns.md: no tech support 3.99 crude, 1.62 after tier × contract × internet."""
    real = pd.read_csv(shared_data("telco_ibm/Telco-Customer-Churn.csv"))
    without = real["TechSupport"].map({"No": True, "Yes": False})
    left = real["Churn"] == "Yes"
    strata = real[["Contract", "InternetService"]].assign(tier=thirds(real["MonthlyCharges"]))
    assert round(odds.crude(without, left)["value"], 2) == 3.99
    found = odds.adjusted(without, left, strata)
    assert round(found["value"], 2) == 1.62 and 1 < found["low"] < 1.62 < found["high"] < 2
    assert odds.crude(without, left)["n"] == 5517  # the 1,526 without internet have no tech support to take
