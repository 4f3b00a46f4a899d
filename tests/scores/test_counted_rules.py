"""Rules fitted on counted rows: as on the rows repeated; thresholds and refusals count customers, not rows."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from tierbook.params import Rfm
from tierbook.scores import agreement, clusters, lifecycle, rfm
from tierbook.scores.counted import customers_of, median
from tierbook.scores.risk import HORIZON_DAYS, budget_threshold, fit_risk, forecast_alone, is_candidate

AS_OF = dt.date(2026, 10, 31)
WEIGHTS = st.integers(1, 40)


def repeated(rows):
    return rows.loc[rows.index.repeat(rows["customers"])].drop(columns="customers").reset_index(drop=True)


# --- how many, and the middle -----------------------------------------------------------------------------------------


def test_without_a_column_each_row_is_one_customer():
    assert customers_of(pd.DataFrame({"x": [1, 2, 3]})).tolist() == [1, 1, 1]
    assert customers_of(pd.DataFrame({"x": [1, 2], "customers": [4, 1]})).tolist() == [4, 1]


@pytest.mark.parametrize(
    ("customers", "middle"),
    # 1, 2 and 10: of five the third; of six the mean of the third and the fourth
    [([2, 1, 2], 2), ([3, 1, 2], 1.5), ([2, 1, 3], 6), ([9, 1, 1], 1)],
)
def test_the_median_by_hand(customers, middle):
    assert median(pd.Series([2, 10, 1]), np.array(customers)[[1, 2, 0]]) == middle
    assert np.isnan(median(pd.Series(dtype=float), np.array([], dtype=int)))


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), WEIGHTS), min_size=1, max_size=30))
def test_the_median_is_that_of_the_rows_repeated(rows):
    values, customers = (np.array(column) for column in zip(*rows, strict=True))
    assert median(values, customers) == pd.Series(np.repeat(values, customers)).median()


# --- cadence ----------------------------------------------------------------------------------------------------------

GAPS = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(1, 200)), st.integers(0, 3), WEIGHTS), min_size=1, max_size=25
)
SILENCES = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 2), WEIGHTS), min_size=1, max_size=25)


def two_dates(gaps, silences):
    """Counted rows at as_of and 180 days before."""
    now = pd.DataFrame(gaps, columns=["first_gap_days", "more", "customers"]).astype({"first_gap_days": float})
    now["own_gap_days"] = now["first_gap_days"] + now.pop("more") / 2
    return now, pd.DataFrame(silences, columns=["recency_days", "since", "customers"])


def by_customer(then):
    """The same customers one a row, whose purchase days at both dates are looked up by id."""
    each = repeated(then)
    ids = [f"c{n}" for n in range(len(each))]
    later = pd.DataFrame({"customer_id": ids, "active_days": 2 + each["since"], "own_gap_days": np.nan})
    earlier = pd.DataFrame({"customer_id": ids, "active_days": 2, "recency_days": each["recency_days"]})
    return later.assign(first_gap_days=np.nan).iloc[::-1], earlier


@settings(deadline=None, max_examples=60)
@given(gaps=GAPS, silences=SILENCES)
def test_a_cadence_of_counted_rows_is_that_of_the_customers(gaps, silences):
    now, then = two_dates(gaps, silences)
    found = lifecycle.fit_cadence(now, then)
    assert found == lifecycle.fit_cadence(repeated(now), repeated(then))
    looked_up = lifecycle.fit_cadence(*by_customer(then))
    backtest = ["lost_days", "comeback_rate", "comeback_customers"]
    assert [getattr(found, name) for name in backtest] == [getattr(looked_up, name) for name in backtest]


def test_a_cadence_counts_customers_not_rows():
    # firsts: 79 of 100 within 10 days, so 30 it is; own gaps: the 50th is 10, the 51st too. Of 49 who were silent 200 days
    # nobody came back, too few to tell; of 50 they are enough
    now = pd.DataFrame(
        {"first_gap_days": [10.0, 30, np.nan], "own_gap_days": [10.0, 30, np.nan], "customers": [79, 21, 500]}
    )
    then = pd.DataFrame({"recency_days": [10, 200], "since": [1, 0], "customers": [30, 49]})
    assert lifecycle.fit_cadence(now, then) == lifecycle.Cadence(30, 10, None, None, 0)
    more = then.assign(customers=[30, 50])
    assert lifecycle.fit_cadence(now, more) == lifecycle.Cadence(30, 10, 200, 0.0, 50)
    assert lifecycle.fit_cadence(now.assign(customers=[80, 20, 1]), None).new_days == 10


# --- risk -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cuts():
    """Counted histories of one shop at three dates 182 days apart, the latest first, with what was bought since each."""
    draw, found = np.random.default_rng(5), []
    for k in range(3):
        size = 700
        repeats = draw.poisson(draw.gamma(1.2, 3, size))
        T = draw.integers(30, 600, size)
        t_x = np.where(repeats > 0, np.round(T * draw.beta(3, 1.5, size)).clip(1), 0).astype(int)
        gap = np.where(repeats > 0, np.round(t_x / np.maximum(repeats, 1) * draw.uniform(0.6, 1.2, size)) + 1, np.nan)
        active = draw.random(size) < 1 / (1 + np.exp((T - t_x) / 60 - 1.5))
        frame = {
            "first_day": 1000 - HORIZON_DAYS * k - T,
            "repeats": repeats,
            "t_x": t_x,
            "T": T,
            "recency_days": T - t_x,
        }
        frame |= {"window_active_days": repeats + 1, "own_gap_days": gap, "first_gap_days": gap}
        frame |= {"since": np.where(active, draw.integers(1, 4, size), 0), "customers": draw.integers(1, 6, size)}
        found.append(pd.DataFrame(frame))
    return found


def assert_same_rule(one, other):
    assert one.purchases == pytest.approx(other.purchases, rel=1e-9)
    assert one.weights == pytest.approx(other.weights, rel=1e-9)
    assert one.threshold == pytest.approx(other.threshold, rel=1e-9)
    assert one.cadence == other.cadence
    assert (one.source, one.cuts, one.customers, one.silent) == (
        other.source,
        other.cuts,
        other.customers,
        other.silent,
    )


@pytest.mark.parametrize("dates", [1, 3])
def test_a_risk_of_counted_histories_is_that_of_the_customers(cuts, dates):
    whole = fit_risk([repeated(cut) for cut in cuts[:dates]])
    assert whole.source == ("past_cuts" if dates == 3 else "forecast_alone")
    assert_same_rule(fit_risk(cuts[:dates]), whole)
    alone = forecast_alone(cuts[0], lifecycle.fit_cadence(cuts[0], None))
    candidates = [cut[is_candidate(cut)] for cut in cuts[:dates]]
    assert_same_rule(fit_risk(candidates, alone), whole)


@pytest.mark.parametrize(
    ("silent", "back", "counts"), [(50, 150, True), (49, 151, False), (50, 149, False), (151, 49, False)]
)
def test_lessons_are_counted_in_customers(cuts, silent, back, counts):
    """Two rows of candidates at the earlier date, who stand for so many customers."""
    then = cuts[1][is_candidate(cuts[1])].head(2).assign(since=[0, 2], customers=[silent, back])
    found = fit_risk([cuts[0], then])
    assert (found.source == "past_cuts") == counts
    assert (found.customers, found.silent) == ((silent + back, silent) if counts else (0, 0))


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from([None, 0.1, 0.25, 0.3, 0.9]), WEIGHTS), min_size=1, max_size=25))
def test_the_threshold_of_counted_risks_is_that_of_the_customers(rows):
    risk, customers = pd.Series([r for r, _ in rows], dtype=float), np.array([n for _, n in rows])
    each = risk.repeat(customers).dropna().sort_values(ascending=False).to_numpy()
    # the plain rule: the risk of the customer who brings the share of the alerted to 20 %
    plain = next((r for n, r in enumerate(each, 1) if n >= 0.20 * len(each) - 1e-9), None)
    assert budget_threshold(risk, weights=customers) == budget_threshold(risk.repeat(customers)) == plain


# --- scores -----------------------------------------------------------------------------------------------------------

CELLS = st.lists(
    st.tuples(st.integers(0, 364), st.integers(1, 9), st.integers(-50_000, 500_000), WEIGHTS), min_size=1, max_size=25
)
RULES = st.sampled_from([
    Rfm(), Rfm(bins=3), Rfm(bins=9), Rfm(method="mean"), Rfm(monetary="average"),
    Rfm(bins=2, method="fixed", thresholds={measure: [3] for measure in rfm.MEASURES}),
])  # fmt: skip


def of(cells):
    frame = pd.DataFrame(cells, columns=[*rfm.MEASURES, "customers"]).astype(dict.fromkeys(rfm.MEASURES, float))
    return frame.assign(monetary=frame["monetary"] / 100)


@settings(deadline=None, max_examples=80)
@given(cells=CELLS, rules=RULES, fixed=st.booleans())
def test_a_scale_of_counted_values_is_that_of_the_customers(cells, rules, fixed):
    rows = of(cells)
    assert rfm.fit_scale(rows, rules, AS_OF, fixed) == rfm.fit_scale(repeated(rows), rules, AS_OF, fixed)
    assert rfm.mean_split(rows, AS_OF) == rfm.mean_split(repeated(rows), AS_OF)


def test_a_scale_counts_customers_not_rows():
    # ten customers: recency 1 for eight, 2 and 3 for one each; 80 % share the frequency 1
    rows = of([(1, 1, 100, 8), (2, 2, 200, 1), (3, 3, 300, 1)])
    found = rfm.fit_scale(rows, Rfm(), AS_OF)
    assert (found.customers, found.top_frequency_share, found.cuts["recency_days"]) == (10, 0.8, [1, 1, 1, 1])
    assert "frequency_fixed" in found.notes
    assert found.shares["recency_days"] == [0.2, 0, 0, 0, 0.8]
    assert rfm.mean_split(rows, AS_OF).cuts["recency_days"] == [1.3]  # (8 + 2 + 3) / 10
    # order values 1 for eight, 10 and 30 for one each: steps of 1, 2, 3 and 5 times the median, 1 (10 it is of the rows)
    dear = of([(1, 1, 100, 8), (2, 2, 2000, 1), (3, 3, 9000, 1)])
    assert rfm.fit_scale(dear, Rfm(), AS_OF, fixed=True).cuts["monetary"] == [1, 2, 3, 5]


def test_measures_take_the_customers_along():
    windows = pd.DataFrame(
        {"recency_days": [3, 4], "window_orders": [2, 0], "window_active_days": [1, 0], "window_net": [8.0, -1],
         "window_cost": [5.0, None], "customers": [6, 7]}
    )  # fmt: skip
    found = rfm.in_measures(windows, Rfm())
    assert found["customers"].tolist() == [6, 7] and found["frequency"].isna().tolist() == [False, True]
    assert "customers" not in rfm.in_measures(windows.drop(columns="customers"), Rfm())


# --- clusters ---------------------------------------------------------------------------------------------------------


def shop(size=90, seed=2):
    rng = np.random.default_rng(seed)
    centre = np.array([[300, 1.5, 20], [90, 6, 400], [5, 40, 9000]])[np.arange(size) % 3]
    frame = pd.DataFrame(centre * rng.lognormal(0, 0.3, centre.shape), columns=list(rfm.MEASURES)).round()
    return frame.clip(lower=1).assign(customers=rng.integers(1, 30, size) * (1 + np.arange(size) % 3))


def test_clusters_of_counted_rows_are_those_of_the_customers(monkeypatch):
    monkeypatch.setattr(clusters, "RESAMPLES", 3)
    rows = shop()
    rows.loc[4, "monetary"] = np.nan
    each = repeated(rows)
    assert clusters.fit(rows, 3, 7) == clusters.fit(each, 3, 7)
    pd.testing.assert_frame_equal(clusters.choose_k(rows, 7, [3, 4]), clusters.choose_k(each, 7, [3, 4]))
    assert clusters.stability(rows, 4, 7) == clusters.stability(each, 4, 7)
    unweighted, counted = clusters.fit(rows.drop(columns="customers"), 3, 7), clusters.fit(rows, 3, 7)
    assert unweighted.money_unit != counted.money_unit and unweighted.mean != counted.mean


@pytest.mark.parametrize(("last", "fitted"), [(19, False), (20, True)])
def test_fifty_customers_in_few_rows_are_clustered(last, fitted):
    assert (clusters.fit(shop(4).assign(customers=[10, 10, 10, last]), 3, 7) is not None) == fitted


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from([1, 2, 3, None]), WEIGHTS), min_size=1, max_size=25))
def test_agreement_of_counted_labels_is_that_of_the_customers(rows):
    a, b = (pd.Series([row[side] for row in rows], dtype="Int8") for side in (0, 1))
    customers = np.array([row[2] for row in rows])
    each = [labels.repeat(customers).reset_index(drop=True) for labels in (a, b)]
    known = each[1].notna()
    for measure in (agreement.adjusted_rand, agreement.share_same):
        assert measure(a, b, customers) == pytest.approx(measure(*each), rel=1e-12, nan_ok=True)
    if known.sum() >= 10:
        peer = adjusted_rand_score(*(labels[known].astype(int) for labels in each))
        assert agreement.adjusted_rand(a, b, customers) == pytest.approx(peer, rel=1e-12)
    rule = clusters.ClusterRule([[float(n)] * 3 for n in range(3)], [0.0] * 3, [1.0] * 3, 1.0, [1, 2, 3])
    assert clusters.matched(rule, b, a, customers) == clusters.matched(rule, each[1], each[0])


def test_ten_million_customers_in_few_rows_do_not_overflow():
    # equal halves crossed at random: no more agreement than chance, to the last of 10,000,000
    a, b = pd.Series([1, 1, 2, 2]), pd.Series([1, 2, 1, 2])
    assert agreement.adjusted_rand(a, b, np.full(4, 2_500_000)) == pytest.approx(0, abs=1e-6)
    assert agreement.adjusted_rand(a, a, np.full(4, 25_000_000)) == 1.0
