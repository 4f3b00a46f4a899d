"""RFM scores: cut points by value, their boundaries, and the invariances a score must have."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.errors import ParamsError
from tierbook.params import Rfm
from tierbook.scores import rfm

AS_OF = dt.date(2026, 10, 31)
MEASURES = list(rfm.MEASURES)


def measures(recency, frequency, monetary):
    return pd.DataFrame({"recency_days": recency, "frequency": frequency, "monetary": monetary}, dtype=float)


def scale(recency=(10, 20, 30, 40), frequency=(1, 2, 3, 5), monetary=(10, 20, 30, 40)):
    cuts = dict(zip(MEASURES, map(list, (recency, frequency, monetary)), strict=True))
    return rfm.Scale(5, cuts, "fixed", 0, "2026-10-31")


def every(value):
    """The same for each measure."""
    return dict.fromkeys(MEASURES, value)


def windows(orders, net, cost=None, days=None, recency=5):
    return pd.DataFrame(
        {
            "recency_days": recency,
            "window_orders": orders,
            "window_active_days": days or orders,
            "window_net": net,
            "window_cost": cost or [np.nan] * len(orders),
        }
    )


CUSTOMERS = st.lists(
    st.tuples(st.integers(0, 364), st.integers(1, 9), st.integers(-50_000, 500_000)), min_size=1, max_size=30
)
RULES = st.sampled_from([Rfm(), Rfm(bins=3), Rfm(bins=9), Rfm(method="mean")])


def of(customers, money=1.0):
    days, orders, cents = (np.array(column, dtype=float) for column in zip(*customers, strict=True))
    return measures(days, orders, cents * money / 100)


# --- boundaries -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recency", "score"),
    [(0, 5), (9, 5), (10, 5), (11, 4), (20, 4), (21, 3), (40, 2), (41, 1), (364, 1), (None, pd.NA)],
)
def test_recency_scores_high_when_the_last_purchase_is_near(recency, score):
    found = scale().apply(measures([recency], [1], [1]))["r"].iloc[0]
    assert found is score if score is pd.NA else found == score


@pytest.mark.parametrize(
    ("frequency", "score"), [(0, 1), (1, 1), (2, 2), (3, 3), (4, 4), (5, 4), (6, 5), (60, 5), (None, pd.NA)]
)
def test_fixed_frequency_cuts_are_1_2_3_4to5_6up(frequency, score):
    found = scale().apply(measures([1], [frequency], [1]))["f"].iloc[0]
    assert found is score if score is pd.NA else found == score


@pytest.mark.parametrize(
    ("monetary", "score"),
    [(-5, 1), (0, 1), (9.99, 1), (10, 1), (10.01, 2), (20, 2), (40, 4), (40.01, 5), (np.inf, 5), (None, pd.NA)],
)
def test_a_value_lies_above_a_cut_only_when_it_is_greater(monetary, score):
    found = scale().apply(measures([1], [1], [monetary]))["m"].iloc[0]
    assert found is score if score is pd.NA else found == score


def test_scores_are_whole_numbers_with_null_and_keep_the_rows_index():
    found = scale().apply(measures([1, None], [1, None], [1, None]).set_axis([7, 3]))
    assert (found.dtypes == "Int8").all() and found.index.tolist() == [7, 3]
    assert found.loc[3].isna().all() and found.loc[7].notna().all()
    assert scale().apply(measures([], [], [])).shape == (0, 3)


@pytest.mark.parametrize(
    ("values", "cuts"),
    [
        # ten customers: 20 % are reached by the 2nd, 40 % by the 4th, 60 % by the 6th, 80 % by the 8th
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [2, 4, 6, 8]),
        # 50 % have 1, so 20 and 40 % are reached at 1; 60 % at the sixth, 80 % at the eighth
        ([1, 1, 1, 1, 1, 2, 3, 4, 5, 6], [1, 1, 2, 4]),
        ([7], [7, 7, 7, 7]),
        # seven customers: 1/7 = 14 %, 2/7 = 29 %, 3/7 = 43 %, 5/7 = 71 %, 6/7 = 86 %
        ([10, 20, 30, 40, 50, 60, 70], [20, 30, 50, 60]),
    ],
)
def test_quantile_cuts_are_the_least_value_that_reaches_the_share(values, cuts):
    assert rfm.quantile_cuts(pd.Series(values, dtype=float), 5) == cuts


@pytest.mark.parametrize(("one_timers", "fixed"), [(7, False), (8, False), (9, True), (20, True)])
def test_fixed_frequency_cuts_where_more_than_40_percent_share_one(one_timers, fixed):
    # 8 of 20 are 40 % exactly: not more.
    frequencies = [1] * one_timers + list(range(10, 30 - one_timers))
    found = rfm.fit_scale(measures(range(20), frequencies, range(20)), Rfm(), AS_OF)
    assert ("frequency_fixed" in found.notes) is fixed
    assert (found.cuts["frequency"] == [1, 2, 3, 5]) is fixed
    assert found.top_frequency_share == one_timers / 20


def test_a_dominant_frequency_need_not_be_one():
    found = rfm.fit_scale(measures(range(10), [1, 1, 2, 2, 2, 2, 2, 3, 4, 5], range(10)), Rfm(), AS_OF)
    assert found.notes[0] == "frequency_fixed"


def test_a_second_order_is_no_top_frequency_among_one_timers():
    """Nine of ten bought once; quintiles of frequency would be 1, 1, 1, 1 and give the tenth customer a 5."""
    found = rfm.fit_scale(measures(range(10), [1] * 9 + [2], range(10)), Rfm(), AS_OF)
    assert found.apply(measures([0], [2], [0]))["f"].tolist() == [2]


def test_cuts_that_coincide_are_noted():
    found = rfm.fit_scale(measures([3] * 10, range(1, 11), range(10)), Rfm(), AS_OF)
    assert found.notes == ["cuts_coincide_recency_days"]


def test_mean_split_puts_the_mean_itself_below():
    # recency mean (0 + 10 + 20) / 3 = 10, frequency mean 2, monetary mean 20
    customers = measures([0, 10, 20], [1, 2, 3], [10, 20, 30])
    found = rfm.mean_split(customers, AS_OF)
    assert (found.bins, found.cuts) == (2, {"recency_days": [10], "frequency": [2], "monetary": [20]})
    assert found.apply(customers).to_numpy().tolist() == [[2, 1, 1], [2, 1, 1], [1, 2, 2]]


def test_the_mean_of_money_does_not_hang_on_the_order_of_rows():
    """Summed from the left, 1.1 + 2.2 + 3.3 is 6.6000000000000005, from the right 6.6: the customer at the mean, 2.2,
    would be above it in one order of rows only."""
    money = [1.1, 2.2, 3.3]
    for order in ([0, 1, 2], [2, 1, 0]):
        rows = measures([1] * 3, [1] * 3, money).iloc[order]
        assert rfm.mean_split(rows, AS_OF).apply(rows)["m"].sort_index().tolist() == [1, 1, 2]


@pytest.mark.parametrize("money", [0.1, 2.2, 19.99, 1234.56])
@pytest.mark.parametrize("customers", [3, 7, 49, 1000])
def test_customers_of_one_value_are_all_at_the_mean(money, customers):
    rows = measures([1] * customers, [1] * customers, [money] * customers)
    assert set(rfm.mean_split(rows, AS_OF).apply(rows)["m"]) == {1}


# --- how measures are taken -------------------------------------------------------------------------------------


def test_measures_by_hand():
    frame = windows(orders=[2, 3, 0], net=[30.0, 10.0, -5.0], cost=[20.0, np.nan, 1.0], days=[1, 3, 0])
    total = rfm.in_measures(frame, Rfm())
    assert total["frequency"].tolist()[:2] == [2, 3] and total["monetary"].tolist()[:2] == [30, 10]
    assert total.iloc[2].isna().all(), "no order in the window"
    assert rfm.in_measures(frame, Rfm(frequency="days"))["frequency"].tolist()[:2] == [1, 3]
    assert rfm.in_measures(frame, Rfm(monetary="average"))["monetary"].tolist()[:2] == [15, pytest.approx(10 / 3)]
    margin = rfm.in_measures(frame, Rfm(monetary="margin"))["monetary"]
    assert margin[0] == 10 and np.isnan(margin[1])


def test_equal_averages_and_margins_are_equal():
    """0.30 over three orders and 0.10 over one; 0.30 − 0.10 and 0.20 − 0: the floats differ, the money does not."""
    assert 0.3 / 3 != 0.1 and 0.3 - 0.1 != 0.2
    average = rfm.in_measures(windows([3, 1], [0.3, 0.1]), Rfm(monetary="average"))["monetary"]
    margin = rfm.in_measures(windows([1, 1], [0.3, 0.2], [0.1, 0.0]), Rfm(monetary="margin"))["monetary"]
    assert average[0] == average[1] and margin[0] == margin[1]


# --- fixed scales and thresholds --------------------------------------------------------------------------------


def test_fixed_scale_needs_no_distribution():
    # order values 10, 20 / 2 = 10, 90 / 3 = 30: the median is 10, the cuts 10, 20, 30, 50
    found = rfm.fit_scale(measures([1, 2, 3], [1, 2, 3], [10, 20, 90]), Rfm(), AS_OF, fixed=True)
    assert found.cuts == {
        "recency_days": [30, 90, 180, 270],
        "frequency": [1, 2, 3, 5],
        "monetary": [10, 20, 30, 50],
    }
    assert found.notes == ["scale_fixed_few_customers"]


def test_fixed_scale_of_averages_takes_them_as_order_values():
    # average orders 10, 12, 14: the median is 12
    found = rfm.fit_scale(measures([1, 2, 3], [1, 4, 5], [10, 12, 14]), Rfm(monetary="average"), AS_OF, fixed=True)
    assert found.cuts["monetary"] == [12, 24, 36, 60]


def test_three_median_orders_are_not_above_three_median_orders():
    """3 × 0.7 is 2.0999999999999996 in floats, below a customer's 2.10."""
    found = rfm.fit_scale(measures([1] * 3, [1, 1, 3], [0.7, 0.7, 2.1]), Rfm(), AS_OF, fixed=True)
    assert found.apply(measures([1], [3], [2.1]))["m"].tolist() == [3]


@pytest.mark.parametrize("method", ["quantile", "mean"])
def test_a_date_without_customers_in_the_window_still_has_a_scale(method):
    found = rfm.fit_scale(measures([], [], []), Rfm(method=method), AS_OF)
    assert found.source == "too_few_customers" and found.apply(measures([5], [2], [1])).notna().all(axis=None)


def test_margin_without_a_cost_is_told():
    with pytest.raises(ParamsError, match="cost") as told:
        rfm.fit_scale(measures([], [], []), Rfm(monetary="margin"), AS_OF)
    assert "\n" not in str(told.value)


def test_thresholds_are_taken_as_given_in_any_order():
    points = {"recency_days": [90, 30], "frequency": [1, 3], "monetary": [100, 500]}
    found = rfm.fit_scale(measures([1], [1], [1]), Rfm(bins=3, method="fixed", thresholds=points), AS_OF)
    assert found.cuts == {**points, "recency_days": [30, 90]} and found.source == "params"


@pytest.mark.parametrize(
    "points",
    [
        {"recency_days": [30], "frequency": [1, 3], "monetary": [100, 500]},
        {"recency_days": [30, 90], "frequency": [1, 3]},
    ],
)
def test_thresholds_that_do_not_fit_the_bins_are_a_one_line_error(points):
    with pytest.raises(ParamsError, match=r"rfm\.thresholds\.(recency_days|monetary): 3 bins need 2") as told:
        rfm.fit_scale(measures([1], [1], [1]), Rfm(bins=3, method="fixed", thresholds=points), AS_OF)
    assert "\n" not in str(told.value)


def test_a_frozen_scale_is_the_scale(tmp_path):
    fitted = rfm.fit_scale(measures(range(10), range(1, 11), range(10)), Rfm(), AS_OF)
    (tmp_path / "shop.yaml").write_text(fitted.to_yaml())
    frozen = rfm.read_scale(tmp_path / "shop.yaml")
    assert frozen.cuts == fitted.cuts and frozen.valid_from == "2026-10-31" and frozen.source == "shop.yaml"


def test_a_scale_keeps_the_shares_of_its_scores():
    # ten customers, cuts at 2, 4, 6, 8 of recency and money: two each; six of ten bought once: cuts 1, 2, 3, 5 give
    # six with f = 1, one each with 2 and 3, two (4 and 5 orders) with 4, none with 5
    rows = measures(range(1, 11), [1] * 6 + [2, 3, 4, 5], range(1, 11))
    fitted = rfm.fit_scale(rows, Rfm(), AS_OF)
    assert fitted.shares == {"recency_days": [0.2] * 5, "frequency": [0.6, 0.1, 0.1, 0.2, 0], "monetary": [0.2] * 5}
    # the mean frequency is (6 + 2 + 3 + 4 + 5) / 10 = 2: seven are not above it
    assert rfm.mean_split(rows, AS_OF).shares["frequency"] == [0.7, 0.3]
    # the mean of 1, 2 and 6 days is 3: one is above it and has r = 1; a third to six digits
    assert rfm.mean_split(measures([1, 2, 6], [1] * 3, [1] * 3), AS_OF).shares["recency_days"] == [0.333333, 0.666667]
    assert rfm.mean_split(rows.head(0), AS_OF).shares == rfm.fit_scale(rows.head(0), Rfm(), AS_OF).shares == {}


@pytest.mark.parametrize("rules", [Rfm(), Rfm(method="mean"), Rfm(bins=2, method="fixed", thresholds=every([2]))])  # fmt: skip
@pytest.mark.parametrize("fixed", [False, True])
def test_shares_are_those_of_the_scores_given(rules, fixed):
    rows = measures([0, 1, 1, 5, 9, 300], [1, 1, 2, 2, 3, 8], [-5, 0, 2, 2, 50, 900])
    fitted = rfm.fit_scale(rows, rules, AS_OF, fixed)
    scores = fitted.apply(rows)
    for measure, letter in zip(MEASURES, "rfm", strict=True):
        expected = [float((scores[letter] == score).mean()) for score in range(1, fitted.bins + 1)]
        assert fitted.shares[measure] == pytest.approx(expected, abs=1e-6)


def test_a_scale_of_an_earlier_version_is_read(tmp_path):
    import yaml

    fitted = rfm.fit_scale(measures(range(10), range(1, 11), range(10)), Rfm(), AS_OF)
    tree = yaml.safe_load(fitted.to_yaml())
    assert tree.pop("shares")
    (tmp_path / "old.yaml").write_text(yaml.safe_dump(tree))
    old = rfm.read_scale(tmp_path / "old.yaml")
    assert old.cuts == fitted.cuts and old.shares == {}
    (tmp_path / "new.yaml").write_text(fitted.to_yaml())
    assert rfm.read_scale(tmp_path / "new.yaml").shares == fitted.shares


@pytest.mark.parametrize(
    ("values", "weights"), [([3, 1, 2], [1, 4, 2]), ([5], [3]), ([1, 1, 2, 9, 9], [2, 1, 5, 1, 1])]
)
@pytest.mark.parametrize("bins", [2, 5, 9])
def test_weights_equal_repeated_values(values, weights, bins):
    plain, counts = pd.Series(values, dtype=float), pd.Series(weights, dtype=float)
    assert rfm.quantile_cuts(plain, bins, counts) == rfm.quantile_cuts(plain.repeat(weights), bins)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"bins": 4}, "3 cut points"),
        ({"cuts": {"recency_days": [4, 3, 2, 1], "frequency": [1, 2, 3, 5], "monetary": [1, 2, 3, 4]}}, "rising"),
        ({"cuts": {"recency_days": [1, 2, 3, 4], "frequency": [1, 2, 3, 5]}}, "monetary"),
        ({"cuts": {"recency_days": [1, 2, 3, "x"], "frequency": [1, 2, 3, 5], "monetary": [1, 2, 3, 4]}}, "'x'"),
        ({"cuts": {"recency_days": [1, 2, 3, None], "frequency": [1, 2, 3, 5], "monetary": [1, 2, 3, 4]}}, "NoneType"),
        ({"bins": "five"}, "int"),
        ({"surprise": 1}, "surprise"),
        ({"valid_from": "soon"}, "soon"),
        ({"shares": {"recency_days": [1, 0, 0, 0, 0]}}, "shares"),
        ({"shares": every([0.5, 0.5])}, "5 shares"),
        ({"shares": every([0.2, 0.2, 0.2, 0.2, 0.3])}, "sum to 1"),
        ({"shares": every([1.2, -0.2, 0, 0, 0])}, "shares"),
        ({"shares": every("all")}, "'a'"),
        ({"shares": [1]}, "list"),
        ({"cuts": [1]}, "list"),
        ({"customers": "many"}, "many"),
    ],
)
def test_a_damaged_scale_file_is_a_one_line_error(tmp_path, change, told):
    import yaml

    path = tmp_path / "shop.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(scale().to_yaml()), **change}))
    with pytest.raises(ParamsError, match=told) as error:
        rfm.read_scale(path)
    assert "shop.yaml" in str(error.value) and "\n" not in str(error.value)


# --- properties -------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(customers=CUSTOMERS, rules=RULES, seed=st.integers(0, 99))
def test_row_order_changes_no_score(customers, rules, seed):
    rows = of(customers)
    shuffled = rows.sample(frac=1, random_state=seed)
    found = rfm.fit_scale(shuffled, rules, AS_OF).apply(shuffled).sort_index()
    pd.testing.assert_frame_equal(found, rfm.fit_scale(rows, rules, AS_OF).apply(rows))


@settings(deadline=None, max_examples=60)
@given(customers=CUSTOMERS, rules=RULES, fixed=st.booleans())
def test_money_times_seven_changes_no_score(customers, rules, fixed):
    ones, sevens = of(customers), of(customers, 7)
    found = rfm.fit_scale(sevens, rules, AS_OF, fixed).apply(sevens)
    pd.testing.assert_frame_equal(found, rfm.fit_scale(ones, rules, AS_OF, fixed).apply(ones))


@settings(deadline=None, max_examples=60)
@given(customers=CUSTOMERS, rules=RULES)
def test_equal_customers_score_alike_and_better_ones_never_lower(customers, rules):
    rows = of(customers)
    scores = rfm.fit_scale(rows, rules, AS_OF).apply(rows).astype(int)
    for measure, letter, rising in zip(MEASURES, "rfm", (False, True, True), strict=True):
        ordered = pd.DataFrame({"value": rows[measure], "score": scores[letter]}).sort_values("value")
        assert (ordered.groupby("value")["score"].nunique() == 1).all()
        assert ordered["score"].is_monotonic_increasing if rising else ordered["score"].is_monotonic_decreasing


@settings(deadline=None, max_examples=60)
@given(customers=CUSTOMERS, more=st.integers(1, 100_000), data=st.data())
def test_spending_more_never_lowers_a_customers_m_even_when_refitted(customers, more, data):
    who = data.draw(st.integers(0, len(customers) - 1))
    before, after = of(customers), of(customers)
    after.loc[who, "monetary"] += more / 100
    scores = [rfm.fit_scale(rows, Rfm(), AS_OF).apply(rows)["m"][who] for rows in (before, after)]
    assert scores[1] >= scores[0]


@settings(deadline=None, max_examples=40)
@given(customers=CUSTOMERS, rules=RULES)
def test_a_chunk_scores_as_the_whole(customers, rules):
    rows = of(customers)
    fitted = rfm.fit_scale(rows, rules, AS_OF)
    chunks = [fitted.apply(rows.iloc[i : i + 4]) for i in range(0, len(rows), 4)]
    pd.testing.assert_frame_equal(pd.concat(chunks), fitted.apply(rows))
