"""RFMScorer: a scikit-learn transformer in every respect the library checks, and the same scale as `fit_scale`."""

import datetime as dt
import doctest

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from tierbook.params import Rfm
from tierbook.scores import rfm, rfm_scorer
from tierbook.scores.rfm_scorer import RFMScorer

AS_OF = dt.date(2026, 10, 31)
MEASURES = list(rfm.MEASURES)

CUSTOMERS = st.lists(
    st.tuples(st.integers(0, 364), st.integers(1, 9), st.integers(-50_000, 500_000), st.integers(0, 4)),
    min_size=1,
    max_size=30,
).filter(lambda rows: any(row[3] for row in rows))
METHODS = st.sampled_from([{}, {"bins": 3}, {"bins": 9}, {"method": "mean"}])


def standard_checks():
    """All of scikit-learn's checks but the one that only says that SCIPY_ARRAY_API is not set: it would be a skip."""
    found = parametrize_with_checks([RFMScorer(), RFMScorer(bins=3), RFMScorer(method="mean")]).args[1]
    named = [(estimator, check, getattr(check, "func", check).__name__) for estimator, check in found]
    return [pytest.param(e, check, id=f"{e}-{name}") for e, check, name in named if "array_api" not in name]


@pytest.mark.parametrize(("estimator", "check"), standard_checks())
def test_the_standard_estimator_checks(estimator, check):
    check(estimator)


def of(rows):
    days, orders, cents, weights = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return pd.DataFrame(dict(zip(MEASURES, (days, orders, cents / 100), strict=True))), weights


def test_scores_by_hand():
    # ten customers, cuts at the 2nd, 4th, 6th, 8th value; four of ten bought once: 40 % exactly is not dominant
    days, orders, money = range(10), [1, 1, 1, 1, 2, 3, 4, 5, 6, 7], range(100, 0, -10)
    X = np.column_stack([days, orders, money])
    scorer = RFMScorer().fit(X)
    assert [cuts.tolist() for cuts in scorer.cut_points_] == [[1, 3, 5, 7], [1, 1, 3, 5], [20, 40, 60, 80]]
    assert scorer.notes_ == ["cuts_coincide_frequency"]
    assert scorer.transform(X).tolist() == [
        [5, 1, 5], [5, 1, 5], [4, 1, 4], [4, 1, 4], [3, 3, 3], [3, 3, 3], [2, 4, 2], [2, 4, 2], [1, 5, 1], [1, 5, 1],
    ]  # fmt: skip
    # f: four of score 1, none of 2, two each of 3, 4, 5
    assert scorer.shares_ == [[0.2] * 5, [0.4, 0, 0.2, 0.2, 0.2], [0.2] * 5]


def test_a_dominant_frequency_is_cut_at_one_two_three_and_five():
    X = np.column_stack([range(10), [1] * 5 + [2, 3, 4, 5, 6], range(10)])
    scorer = RFMScorer().fit(X)
    assert scorer.cut_points_[1].tolist() == [1, 2, 3, 5] and scorer.notes_ == ["frequency_fixed"]
    assert scorer.top_frequency_share_ == 0.5
    # six of eleven once the first counts twice; five of eleven when the last does
    assert RFMScorer().fit(X, sample_weight=[2] + [1] * 9).top_frequency_share_ == pytest.approx(6 / 11)


def test_further_columns_count_more_as_better():
    X = np.column_stack([np.arange(4)] * 4)
    scores = RFMScorer(bins=4).fit_transform(X)
    assert scores[:, 0].tolist() == [4, 3, 2, 1] and scores[:, 3].tolist() == [1, 2, 3, 4]


@settings(deadline=None, max_examples=60)
@given(rows=CUSTOMERS, options=METHODS)
def test_it_is_the_scale_of_fit_scale(rows, options):
    table, _ = of(rows)
    scale = rfm.fit_scale(table, Rfm(**options), AS_OF)
    scorer = RFMScorer(**options).fit(table)
    assert scorer.to_scale("2026-10-31") == scale
    expected = scale.apply(table).astype("int8").to_numpy()
    np.testing.assert_array_equal(scorer.transform(table), expected)
    np.testing.assert_array_equal(RFMScorer.from_scale(scale).transform(table), expected)


@settings(deadline=None, max_examples=60)
@given(rows=CUSTOMERS, options=METHODS)
def test_weights_are_customers(rows, options):
    table, weights = of(rows)
    repeated = table.loc[table.index.repeat(weights.astype(int))]
    weighted, plain = RFMScorer(**options).fit(table, sample_weight=weights), RFMScorer(**options).fit(repeated)
    assert weighted.to_scale("2026-10-31") == plain.to_scale("2026-10-31")


@settings(deadline=None, max_examples=30)
@given(rows=CUSTOMERS)
def test_chunks_and_shuffles_score_alike(rows):
    table, _ = of(rows)
    scorer = RFMScorer().fit(table)
    scores = scorer.transform(table)
    chunks = [scorer.transform(table.iloc[n : n + 4]) for n in range(0, len(table), 4)]
    assert {chunk.dtype for chunk in chunks} == {np.dtype("int8")}
    np.testing.assert_array_equal(np.vstack(chunks), scores)
    np.testing.assert_array_equal(RFMScorer().fit(table[::-1]).transform(table), scores)


def test_fixed_thresholds_and_the_way_back_from_a_scale():
    points = [[90, 30], [1, 3], [100, 500]]
    X = [[30, 1, 100], [31, 4, 501], [91, 2, 500]]
    scorer = RFMScorer(bins=3, method="fixed", thresholds=points).fit(X)
    assert scorer.transform(X).tolist() == [[3, 1, 1], [2, 3, 3], [1, 2, 2]]
    named = pd.DataFrame(X, columns=MEASURES)
    again = clone(RFMScorer.from_scale(scorer.to_scale("2026-10-31"))).fit(named)
    assert again.to_scale("2026-10-31") == scorer.to_scale("2026-10-31")
    rules = Rfm(bins=3, method="fixed", thresholds=dict(zip(MEASURES, points, strict=True)))
    assert scorer.to_scale("2026-10-31") == rfm.fit_scale(named, rules, AS_OF)


def test_a_scale_without_shares_becomes_a_scorer():
    old = rfm.Scale(2, {measure: [5.0] for measure in MEASURES}, "mean", 9, "2026-10-31")
    scorer = RFMScorer.from_scale(old)
    assert scorer.transform(pd.DataFrame([[5, 5, 6]], columns=MEASURES)).tolist() == [[2, 1, 2]]


def test_names_and_frames_in_a_pipeline():
    table = pd.DataFrame([[3, 1, 5.0, 2], [9, 2, 7.0, 1]], columns=[*MEASURES, "visits"], index=["b", "a"])
    pipeline = make_pipeline(FunctionTransformer(feature_names_out="one-to-one"), RFMScorer(bins=2))
    found = pipeline.set_output(transform="pandas").fit_transform(table)
    assert list(found.columns) == ["r", "f", "m", "visits_score"] and list(found.index) == ["b", "a"]
    assert found.to_numpy().tolist() == [[2, 1, 1, 2], [1, 2, 2, 1]]
    assert RFMScorer().fit([[1.0], [2.0]]).get_feature_names_out().tolist() == ["r"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"bins": 1}, "from 2 to 9"),
        ({"bins": 10}, "from 2 to 9"),
        ({"bins": 2.5}, "from 2 to 9"),
        ({"method": "median"}, "write one of"),
        ({"method": "fixed"}, "needs thresholds"),
        ({"method": "fixed", "bins": 2, "thresholds": [[1], [2]]}, "for 2 columns were given, X has 3"),
        ({"method": "fixed", "bins": 3, "thresholds": [[1], [2], [3]]}, "3 bins need 2 cut points, not 1"),
        ({"method": "fixed", "bins": 2, "thresholds": [[1], [2], [np.nan]]}, "finite"),
    ],
)
def test_parameters_are_checked_when_fitted(options, told):
    with pytest.raises(ValueError, match=told):
        RFMScorer(**options).fit(np.ones((4, 3)))


@pytest.mark.parametrize(("weights", "told"), [([0, 0], "zero"), ([-1, 2], "(?i)negative"), ([1], "shape")])
def test_weights_are_checked(weights, told):
    with pytest.raises(ValueError, match=told):
        RFMScorer().fit([[1, 2, 3], [4, 5, 6]], sample_weight=weights)


def test_measures_in_another_place_and_nulls_are_refused():
    with pytest.raises(ValueError, match="'frequency' stands at place 0"):
        RFMScorer().fit(pd.DataFrame([[1, 2, 3.0]], columns=["frequency", "recency_days", "monetary"]))
    with pytest.raises(ValueError, match="NaN"):
        RFMScorer().fit([[1, 2, np.nan], [1, 2, 3]])
    with pytest.raises(ValueError, match="fitted on 4"):
        RFMScorer().fit(np.ones((3, 4))).to_scale("2026-10-31")


def test_the_example_of_the_docstring_runs():
    assert doctest.testmod(rfm_scorer).attempted > 3 and doctest.testmod(rfm_scorer).failed == 0
