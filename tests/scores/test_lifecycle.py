"""Stages: the population's cadence by hand, every boundary, and the backtest behind ``lost``."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.scores.lifecycle import STAGES, Cadence, fit_cadence, own_gap, stage

CADENCE = Cadence(new_days=60, typical_gap=40, lost_days=300, comeback_rate=0.08, comeback_customers=200)


def customers(active_days, silent, own_gap_days=np.nan, t_x=0):
    """One customer a value of any of the arguments; the rest are broadcast."""
    found = np.broadcast_arrays(active_days, silent, np.asarray(own_gap_days, dtype=float), t_x)
    frame = pd.DataFrame(dict(zip(["active_days", "recency_days", "own_gap_days", "t_x"], found, strict=True)))
    return frame.assign(
        customer_id=[f"c{n}" for n in range(len(frame))],
        repeats=frame["active_days"] - 1,
        first_gap_days=frame["own_gap_days"],
    )


def only(name, **given):
    return stage(customers(**{key: [value] for key, value in given.items()}), CADENCE).iloc[0] == name


# --- stages -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("silent", "name"),
    # new up to P80 = 60 days; then the population's gap: active up to 2 × 40 = 80; at risk until lost at 300
    [(0, "new"), (59, "new"), (60, "new"), (61, "active"), (80, "active"), (81, "at_risk"), (299, "at_risk"),
     (300, "lost"), (301, "lost")],
)  # fmt: skip
def test_one_timers_go_by_the_populations_gaps(silent, name):
    assert only(name, active_days=1, silent=silent)


@pytest.mark.parametrize(
    ("silent", "name"),
    # two repeats, own gap 20: (20 × 2 + 40 × 2) / 4 = 30, twice is 60
    [(0, "active"), (59, "active"), (60, "active"), (61, "at_risk"), (299, "at_risk"), (300, "lost")],
)
def test_active_up_to_twice_the_own_shrunk_gap(silent, name):
    assert only(name, active_days=3, silent=silent, own_gap_days=20, t_x=40)


@pytest.mark.parametrize(("silent", "name"), [(29, "active"), (30, "active"), (31, "at_risk")])
def test_no_one_is_at_risk_within_30_days(silent, name):
    # eight repeats, own gap 2: (2 × 8 + 40 × 2) / 10 = 9.6; twice is under 30
    assert only(name, active_days=9, silent=silent, own_gap_days=2, t_x=16)


@pytest.mark.parametrize(
    ("active_days", "t_x", "name"),
    [(4, 365, "loyal"), (4, 364, "active"), (3, 365, "active"), (5, 366, "loyal"), (2, 2000, "active")],
)
def test_loyal_is_active_with_four_days_over_a_year(active_days, t_x, name):
    assert only(name, active_days=active_days, silent=10, own_gap_days=100, t_x=t_x)


def test_a_loyal_past_does_not_hide_a_silence():
    # four repeats at 50: (50 × 4 + 40 × 2) / 6 = 46.67; twice is 93.3
    assert only("loyal", active_days=5, silent=93, own_gap_days=50, t_x=800)
    assert only("at_risk", active_days=5, silent=94, own_gap_days=50, t_x=800)


def test_a_slow_buyer_within_its_cadence_is_not_lost():
    # one repeat at 400: (400 + 80) / 3 = 160, twice 320: beyond lost_days 300, yet within its own cadence
    assert only("active", active_days=2, silent=310, own_gap_days=400, t_x=400)
    assert only("lost", active_days=2, silent=321, own_gap_days=400, t_x=400)


def test_without_a_backtest_nobody_is_lost():
    unknown = Cadence(60, 40, None, None, 0)
    assert stage(customers([1, 3], [5000, 5000], [np.nan, 20]), unknown).tolist() == ["at_risk", "at_risk"]


def test_stages_are_ordered_and_keep_the_rows_index():
    found = stage(customers([1, 3], [0, 0], [np.nan, 20]).set_axis([8, 3]), CADENCE)
    assert found.index.tolist() == [8, 3] and tuple(found.cat.categories) == STAGES
    assert len(stage(customers([1], [0]).head(0), CADENCE)) == 0


@settings(deadline=None, max_examples=60)
@given(days=st.integers(1, 12), gap=st.integers(1, 700), silent=st.integers(0, 1500), more=st.integers(1, 200))
def test_a_longer_silence_never_makes_a_stage_better(days, gap, silent, more):
    one = customers([days, days], [silent, silent + more], [gap if days > 1 else np.nan] * 2, gap * (days - 1))
    found = stage(one, CADENCE).astype(object).replace({"loyal": "active"}).map(STAGES.index)
    assert found[0] <= found[1]


# --- what the population teaches --------------------------------------------------------------------------------


def test_own_gap_is_shrunk_by_two_gaps_weight():
    # none: 40; one repeat at 10: (10 + 80) / 3 = 30; four at 10: (40 + 80) / 6 = 20
    found = own_gap(customers([1, 2, 5], 0, [np.nan, 10, 10]), CADENCE)
    assert found.tolist() == [40, 30, 20]


@pytest.mark.parametrize(
    ("gaps", "new_days", "typical"),
    [
        ([10, 20, 30, 40, 50], 40, 30),  # four of five came back within 40 days
        ([10, 20, 30, 40], 40, 25),  # three of four are 75 %: too few
        ([10, 20, 30, 40, 50, 60, 70, 80, 90, 100], 80, 55),
        ([5, 5, 5, 5], 5, 5),
        ([7], 7, 7),
    ],
)
def test_new_is_the_least_number_of_days_within_which_80_percent_came_back(gaps, new_days, typical):
    repeaters = customers([2] * len(gaps) + [1], 0, [*gaps, np.nan])
    cadence = fit_cadence(repeaters, None)
    assert (cadence.new_days, cadence.typical_gap, cadence.lost_days) == (new_days, typical, None)


def test_a_shop_of_one_time_buyers_takes_90_days():
    cadence = fit_cadence(customers([1, 1, 1], [0, 90, 91]), None)
    assert (cadence.new_days, cadence.typical_gap, cadence.lost_days) == (90, 90, None)
    assert stage(customers([1, 1, 1], [90, 180, 181]), cadence).tolist() == ["new", "active", "at_risk"]


def backtest(groups):
    """(now, earlier) of groups (silence at the earlier date, customers, of whom came back)."""
    silent = np.repeat([s for s, _, _ in groups], [n for _, n, _ in groups])
    back = np.concatenate([np.arange(n) < b for _, n, b in groups])
    earlier = customers(np.ones(len(silent), dtype=int), silent)
    return customers(1 + back.astype(int), silent), earlier


@pytest.mark.parametrize(
    ("groups", "lost_days", "rate", "n"),
    [
        # silent 100+: 30 of 200 came back, 15 %; silent 200+: 5 of 100, 5 %
        ([(100, 100, 25), (200, 100, 5)], 200, 0.05, 100),
        ([(100, 100, 25), (200, 100, 9)], 200, 0.09, 100),
        ([(100, 100, 25), (200, 100, 10)], None, None, 0),  # 10 % is not under 10 %
        # 49 customers are too few to tell, 50 are enough
        ([(100, 100, 25), (200, 49, 1)], None, None, 0),
        ([(100, 100, 25), (200, 50, 1)], 200, 0.02, 50),
        # the rate is of everyone beyond: a quiet 150 in front of a lively 300 tells nothing: 0 + 40 of 160 is 25 %
        ([(100, 100, 50), (150, 60, 0), (300, 100, 40)], None, None, 0),
        # of those silent 82 days every third came back: the many long gone do not make them lost
        ([(82, 100, 32), (300, 1000, 10)], 300, 0.01, 1000),
        # 100 silent 200 days: 5 %, yet with the 100 at 210 days, 20 %, the stretch from 200 on has 12.5 %: lost at 300
        ([(100, 100, 40), (200, 100, 5), (210, 100, 20), (300, 100, 2)], 300, 0.02, 100),
        # all are quiet: from the shortest silence on
        ([(10, 60, 0), (20, 60, 0)], 10, 0.0, 120),
    ],
)
def test_lost_begins_where_fewer_than_one_in_ten_of_all_beyond_came_back(groups, lost_days, rate, n):
    cadence = fit_cadence(*backtest(groups))
    assert (cadence.lost_days, cadence.comeback_rate, cadence.comeback_customers) == (lost_days, rate, n)


@pytest.mark.parametrize("earlier", [None, customers([1], [0]).head(0), customers([1] * 49, 500)])
def test_too_few_customers_180_days_ago_give_no_backtest(earlier):
    assert fit_cadence(customers([1] * 60, 500), earlier).lost_days is None


def test_cadence_and_stages_do_not_hang_on_the_order_of_rows():
    now, earlier = backtest([(100, 100, 25), (200, 100, 5)])
    now.loc[: len(now) // 2, ["own_gap_days", "first_gap_days"]] = 33.0
    shuffled = fit_cadence(now.sample(frac=1, random_state=1), earlier.sample(frac=1, random_state=2))
    assert shuffled == fit_cadence(now, earlier)


# --- from the cadence learned to the stage, at every line -------------------------------------------------------------


def learned():
    """New up to 80 days (P80 of 10 … 100), typical gap 55 (twice: 110), lost from 200 days on (5 of 100 came back)."""
    now, earlier = backtest([(100, 100, 25), (200, 100, 5)])
    gaps = np.full(len(now), np.nan)
    gaps[:10] = np.arange(10, 101, 10)
    return fit_cadence(now.assign(own_gap_days=gaps, first_gap_days=gaps), earlier)


@pytest.mark.parametrize(
    ("silent", "name"),
    [(0, "new"), (79, "new"), (80, "new"), (81, "active"), (109, "active"), (110, "active"), (111, "at_risk"),
     (199, "at_risk"), (200, "lost"), (201, "lost")],
)  # fmt: skip
def test_a_one_timer_at_the_p80_day_and_at_every_line_after_it(silent, name):
    assert stage(customers([1], [silent]), learned()).tolist() == [name]


@pytest.mark.parametrize(
    ("active_days", "silent", "name"),
    # own gap 100: with two repeats (200 + 80) / 4 = 70, twice 140; with three (300 + 80) / 5 = 76, twice 152
    [(3, 139, "active"), (3, 140, "active"), (3, 141, "at_risk"), (3, 299, "at_risk"), (3, 300, "lost"), (3, 301, "lost"),
     (4, 151, "loyal"), (4, 152, "loyal"), (4, 153, "at_risk"), (4, 299, "at_risk"), (4, 300, "lost"), (4, 301, "lost")],
)  # fmt: skip
def test_every_line_of_who_came_back(active_days, silent, name):
    assert only(name, active_days=active_days, silent=silent, own_gap_days=100, t_x=400)


@pytest.mark.parametrize(
    ("active_days", "silent", "name"), [(1, 60, "new"), (1, 61, "active"), (2, 80, "active"), (2, 81, "at_risk")]
)
@pytest.mark.parametrize("missing", [np.nan, pd.NA, None])
def test_a_null_gap_takes_the_populations_whatever_null_it_is(active_days, silent, name, missing):
    # no gap known: (40 × repeats + 40 × 2) / (repeats + 2) = 40, twice 80
    one = customers([active_days], [silent]).assign(own_gap_days=pd.array([missing], dtype="Float64"))
    assert stage(one, CADENCE).tolist() == [name]


@pytest.mark.parametrize("at_most", [30, 31])
def test_the_least_silence_counts_up_to_its_30_days_and_no_further(at_most):
    # a typical gap of 15 or 15.5 days: twice is 30 or 31
    cadence = Cadence(0, at_most / 2, None, None, 0)
    assert stage(customers([1, 1], [at_most, at_most + 1]), cadence).tolist() == ["active", "at_risk"]
