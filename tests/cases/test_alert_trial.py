"""A score against a yes/no rule at equal length, and what a test of contacting would need: by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.cases.alert_trial import EFFECTS, SHARES, as_many, smallest_effect, trial_sizes
from tierbook.insight.campaign import sample_size


def test_equal_length_by_hand():
    """40 customers, 20 of them silent. The rule alerts 20, 10 of them silent: 50 %. The score puts 15 silent ones first.

    Scores 39 down to 0: the first twenty hold 15 silent ones: 75 %. Difference 25 points.
    """
    silent = pd.Series([True] * 15 + [False] * 5 + [True] * 5 + [False] * 15)
    score = pd.Series(np.arange(40)[::-1], dtype=float)
    rule = pd.Series([True] * 10 + [False] * 5 + [True] * 5 + [False] * 15 + [True] * 5)
    assert (rule.sum(), (rule & silent).sum()) == (20, 10)
    found = as_many(score, rule, silent, seed=1)
    assert found.difference == pytest.approx(0.25)
    assert found.low < 0.25 < found.high and found.low > -0.25


def test_ties_at_the_edge_count_in_proportion():
    """All scores alike: as good as a lot, 20 of 40 silent. The rule alerts ten, all silent: −50 points."""
    silent = pd.Series([True] * 20 + [False] * 20)
    rule = pd.Series([True] * 10 + [False] * 30)
    assert as_many(pd.Series(1.0, index=rule.index), rule, silent, seed=1).difference == pytest.approx(-0.5)


@pytest.mark.parametrize(("alerted", "told"), [(9, False), (10, True)])
def test_fewer_than_ten_alerts_are_not_judged(alerted, told):
    rule = pd.Series([True] * alerted + [False] * (30 - alerted))
    silent = pd.Series([True, False] * 15)
    assert np.isfinite(as_many(pd.Series(np.arange(30.0)), rule, silent, seed=1)).all() == told


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(24)))
def test_neither_row_order_nor_ids_matter(order):
    frame = pd.DataFrame(
        {"score": [1.0, 2.0, 3.0] * 8, "rule": [True, False] * 12, "silent": [True] * 7 + [False] * 17}
    )
    shuffled = frame.iloc[list(order)]
    renumbered = shuffled.set_axis([f"x{k}" for k in range(24)])
    expected = as_many(*frame.to_dict("series").values(), seed=5, draws=50)
    assert as_many(*shuffled.to_dict("series").values(), seed=5, draws=50) == expected
    assert as_many(*renumbered.to_dict("series").values(), seed=5, draws=50) == expected


def test_a_rule_against_itself_differs_by_nothing():
    rule = pd.Series([True] * 12 + [False] * 18)
    found = as_many(rule.astype(float), rule, pd.Series([True, False, False] * 10), seed=1)
    assert found == pytest.approx((0, 0, 0))


def test_trial_sizes_by_hand():
    """Half come back, +10 points: variances 0.25 and 0.24; equal arms 7.8489 × 0.49 / 0.01 = 384.6 → 385 each, 770.

    30 % held out: z² (0.25 / 0.3 + 0.24 / 0.7) / 0.01 = 784.9 × 1.17619 = 923.2 in all; computed per half and rounded up: 924.
    Of 924 30 % are 277; 71 a month: 13.01 → 14 months.
    """
    found = trial_sizes(0.5, 71).set_index(["effect", "held_out_share"])
    assert list(found.index) == [(e, s) for e in EFFECTS for s in SHARES]
    assert found.loc[(0.10, 0.50)].tolist()[:2] == [770, 385]
    assert found.loc[(0.10, 0.30)].tolist() == [924, 277, 14]
    assert found.loc[(0.10, 0.50), "needed"] == 2 * sample_size(0.1, np.sqrt(0.25), np.sqrt(0.24))


def test_no_room_above_all_and_nobody_new():
    """Nine in ten come back: +5 points can be tested, +10 would be everybody and +20 more than that."""
    found = trial_sizes(0.9, 0)
    assert found["needed"].notna().tolist() == [True] * 3 + [False] * 6
    assert found["months"].isna().all()


def test_what_one_list_can_show():
    """100 on the list, half come back. 10 held out: 2.8016 × sqrt(0.25 (1/10 + 1/90)) = 46.7 points; 50: 28.0 points."""
    assert smallest_effect(0.5, 100, 10) == pytest.approx(0.4669, abs=1e-4)
    assert smallest_effect(0.5, 100, 50) == pytest.approx(0.2802, abs=1e-4)
    assert np.isnan([smallest_effect(0.5, 100, 0), smallest_effect(0.5, 100, 100), smallest_effect(0.5, 0, 0)]).all()
