"""Stages between two dates by hand, the same month last year beside them, and the funnel of leads."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.insight.stages import compare, leads, together, transitions
from tierbook.scores.lifecycle import STAGES

FIRST, LAST = 100, 130


def staged(**by_stage):
    """Customers from stage → ids."""
    rows = [(name, stage) for stage, names in by_stage.items() for name in names]
    return pd.DataFrame(rows, columns=["customer_id", "stage"])


def ids(prefix, n):
    return [f"{prefix}{k}" for k in range(n)]


def row(table, a, b):
    return table[(table["from_stage"] == a) & (table["to_stage"] == b)].iloc[0]


# --- transitions ------------------------------------------------------------------------------------------------


def test_ten_active_customers_and_what_became_of_them():
    # ten active: seven stay, two at risk, one loyal; nine lost stay; two first bought since
    active, lost = ids("a", 10), ids("l", 9)
    before = staged(active=active, lost=lost)
    after = staged(active=active[:7], at_risk=active[7:9], loyal=active[9:], lost=lost, new=["n0", "n1"])
    found = transitions(before, after)
    assert found[["from_stage", "to_stage", "customers"]].to_numpy().tolist() == [
        ["active", "active", 7],
        ["active", "loyal", 1],
        ["active", "at_risk", 2],
        ["lost", "lost", 9],
        ["none", "new", 2],
    ]
    risk = row(found, "active", "at_risk")
    # Wilson for 2 of 10, worked with z² = 3.8415: centre (0.2 + 0.19207) / 1.38415 = 0.28326,
    # half 1.95996 / 1.38415 × √(0.016 + 0.0096036) = 0.22657
    assert (risk["rate"], risk["low"], risk["high"]) == pytest.approx((0.2, 0.05668, 0.50984), abs=1e-4)
    # nine lost are too few for a percentage; those who first bought since have no base
    assert found.loc[found["from_stage"].isin(["lost", "none"]), ["rate", "low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize(("base", "judged"), [(9, False), (10, True), (11, True)])
def test_a_rate_needs_ten_customers(base, judged):
    everyone = staged(new=ids("c", base))
    assert transitions(everyone, everyone)["rate"].notna().tolist() == [judged]


def test_stages_as_ordered_categories_are_taken_too():
    before, after = staged(new=["a", "b"]), staged(active=["b"], new=["a", "c"])
    expected = transitions(before, after)
    typed = [f.assign(stage=pd.Categorical(f["stage"], STAGES, ordered=True)) for f in (before, after)]
    pd.testing.assert_frame_equal(transitions(*typed), expected)


def test_the_first_month_has_only_newcomers():
    found = transitions(staged(new=[]), staged(new=["a", "b"]))
    assert found[["from_stage", "to_stage", "customers"]].to_numpy().tolist() == [["none", "new", 2]]
    assert transitions(staged(new=[]), staged(new=[])).empty


def test_a_customer_who_vanished_or_stands_twice_is_an_error():
    with pytest.raises(ValueError, match="1 customers have a stage before and none after, first 'b'"):
        transitions(staged(new=["a", "b"]), staged(new=["a"]))
    for twice in ((["a", "a"], ["a"]), (["a"], ["a", "a"])):
        with pytest.raises(ValueError, match="customer 'a' stands more than once"):
            transitions(*(staged(new=names) for names in twice))


@pytest.mark.parametrize("stage", [None, np.nan, "gone"])
def test_a_stage_that_is_none_is_an_error(stage):
    frame = pd.DataFrame({"customer_id": ["a"], "stage": pd.Series([stage], dtype=object)})
    with pytest.raises(ValueError, match="is no stage; known: new, active, loyal, at_risk, lost"):
        transitions(frame, staged(new=["a"]))


people = st.lists(st.tuples(st.sampled_from([None, *STAGES]), st.sampled_from(STAGES)), max_size=40)


@settings(deadline=None, max_examples=25)
@given(people=people, seed=st.integers(0, 9))
def test_everyone_stands_in_one_row_rates_add_up_and_order_does_not_matter(people, seed):
    frame = pd.DataFrame(people, columns=["before", "after"], dtype=object).assign(customer_id=ids("c", len(people)))
    before = frame.loc[frame["before"].notna(), ["customer_id", "before"]].rename(columns={"before": "stage"})
    after = frame[["customer_id", "after"]].rename(columns={"after": "stage"})
    found = transitions(before, after)
    assert found["customers"].sum() == len(people)
    assert not found.duplicated(["from_stage", "to_stage"]).any()
    judged = found[found["rate"].notna()]
    assert np.allclose(judged.groupby("from_stage")["rate"].sum(), 1.0)
    assert (judged["low"] <= judged["rate"]).all() and (judged["rate"] <= judged["high"]).all()
    shuffled = transitions(*(f.sample(frac=1, random_state=seed) for f in (before, after)))
    pd.testing.assert_frame_equal(shuffled, found)


def test_parts_are_added_up_before_anything_is_divided():
    """Six and six active: apart too few for a rate, together twelve, of whom three are at risk: 25 %."""
    names = ids("a", 12)
    before, after = staged(active=names), staged(active=names[:4] + names[6:11], at_risk=[*names[4:6], names[11]])
    apart = [[frame[frame["customer_id"].isin(part)] for frame in (before, after)] for part in (names[:6], names[6:])]
    parts = [transitions(*part) for part in apart]
    assert all(part["rate"].isna().all() for part in parts)
    found = together([*parts, transitions(staged(new=[]), staged(new=["n"]))])
    assert found[["from_stage", "to_stage", "customers"]].to_numpy().tolist() == [
        ["active", "active", 9],
        ["active", "at_risk", 3],
        ["none", "new", 1],
    ]
    assert found["rate"].tolist()[:2] == [0.75, 0.25] and np.isnan(found["rate"].tolist()[2])
    pd.testing.assert_frame_equal(found.iloc[:2], transitions(before, after))
    nobody = transitions(staged(new=[]), staged(new=[]))
    assert together([nobody, nobody]).empty and together([nobody]) is nobody
    pd.testing.assert_frame_equal(together([nobody, transitions(before, after)]), transitions(before, after))


@settings(deadline=None, max_examples=25)
@given(people=people, cut=st.integers(0, 40))
def test_wherever_the_customers_are_cut(people, cut):
    frame = pd.DataFrame(people, columns=["before", "after"], dtype=object).assign(customer_id=ids("c", len(people)))

    def moves(part):
        before = part.loc[part["before"].notna(), ["customer_id", "before"]].rename(columns={"before": "stage"})
        return transitions(before, part[["customer_id", "after"]].rename(columns={"after": "stage"}))

    pd.testing.assert_frame_equal(together([moves(frame.iloc[:cut]), moves(frame.iloc[cut:])]), moves(frame))


# --- beside last year -------------------------------------------------------------------------------------------


def month(counts):
    """Transitions of a month from (from_stage, to_stage) → customers."""
    moves = list(itertools.chain.from_iterable([pair] * n for pair, n in counts.items()))
    frame = pd.DataFrame(moves, columns=["before", "after"]).assign(customer_id=ids("c", len(moves)))
    known = frame[frame["before"] != "none"]
    return transitions(
        known[["customer_id", "before"]].set_axis(["customer_id", "stage"], axis=1),
        frame[["customer_id", "after"]].set_axis(["customer_id", "stage"], axis=1),
    )


def test_compare_keeps_moves_of_either_year():
    now = month({("active", "active"): 15, ("active", "at_risk"): 5, ("new", "new"): 12, ("none", "new"): 3})
    then = month({("active", "active"): 30, ("active", "lost"): 10, ("new", "new"): 9, ("none", "active"): 2})
    found = compare(now, then)
    shown = found.set_index(["from_stage", "to_stage"])[["customers", "rate", "rate_year_ago"]]
    nan = np.nan
    expected = {
        ("new", "new"): [12, 1.0, nan],  # nine a year ago are too few
        ("active", "active"): [15, 0.75, 0.75],
        ("active", "at_risk"): [5, 0.25, 0.0],  # nobody a year ago
        ("active", "lost"): [0, 0.0, 0.25],  # nobody this year
        ("none", "new"): [3, nan, nan],
        ("none", "active"): [0, nan, nan],
    }
    assert list(shown.index) == list(expected)
    np.testing.assert_allclose(shown.to_numpy(dtype=float), np.array(list(expected.values())))
    # the interval of nobody: 0 to z² / (n + z²) = 3.8415 / 23.8415
    nobody = row(found, "active", "lost")
    assert (nobody["low"], nobody["high"]) == pytest.approx((0.0, 0.16113), abs=1e-5)


def test_without_a_year_of_history_there_is_no_rate_a_year_ago():
    now = month({("active", "active"): 15})
    found = compare(now, None)
    assert found["rate_year_ago"].isna().all()
    pd.testing.assert_frame_equal(found.drop(columns="rate_year_ago"), now)
    assert compare(now, now)["rate_year_ago"].tolist() == now["rate"].tolist()


# --- leads ------------------------------------------------------------------------------------------------------


def lead_table(*rows):
    table = pd.DataFrame(rows, columns=["lead_id", "created_at", "channel", "customer_id"])
    days = np.datetime64("1970-01-01T15:30", "us") + table["created_at"].to_numpy() * np.timedelta64(86_400_000_000)
    return table.assign(created_at=days)


def history(*rows):
    return pd.DataFrame(rows, columns=["customer_id", "first_day", "active_days"])


def test_nine_leads_by_hand():
    table = lead_table(
        ("1", 50, "web", None),  # open, old
        ("2", 50, "web", "a"),  # bought on day 60, again later: 10 days
        ("3", 95, "store", "b"),  # bought in the month, day 115: 20 days
        ("4", FIRST, "web", "c"),  # made the day before the month begins; bought on its last day: 30 days
        ("5", FIRST + 1, "web", "d"),  # made on its first day; bought the day after its end: open still
        ("6", LAST, "store", None),  # made on its last day
        ("7", LAST + 1, "web", "e"),  # does not exist yet
        ("8", 70, "web", "a"),  # a's second lead
        ("9", 90, "store", "f"),  # f had bought on day 80
    )
    customers = history(("a", 60, 3), ("b", 115, 1), ("c", LAST, 2), ("d", LAST + 1, 1), ("e", LAST, 1), ("f", 80, 5))
    found = leads(table, customers, FIRST, LAST)
    counts = ["created", "open", "converted", "repeated", "created_month", "converted_month", "median_days"]
    assert found["channel"].tolist() == ["all", "web", "store"]
    assert found[counts].to_numpy().tolist() == [
        [6, 3, 3, 2, 2, 2, 20],
        [4, 2, 2, 2, 1, 1, 20],
        [2, 1, 1, 0, 1, 1, 20],
    ]
    # six leads are too few for a percentage
    assert found[["conversion_rate", "low", "high", "repeat_rate"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("created", "first", "state"),
    [(50, 49, "none"), (50, 50, "converted"), (50, LAST, "converted"), (50, LAST + 1, "open"), (50, None, "open"),
     (LAST, LAST, "converted"), (LAST + 1, LAST + 1, "none")],
)  # fmt: skip
def test_a_lead_is_open_until_the_first_purchase(created, first, state):
    customers = history() if first is None else history(("a", first, 1))
    found = leads(lead_table(("1", created, "web", "a")), customers, FIRST, LAST).iloc[0]
    assert (found["open"], found["converted"]) == (int(state == "open"), int(state == "converted"))
    assert found["created"] == int(state != "none")


@pytest.mark.parametrize(("n", "judged"), [(9, False), (10, True), (11, True)])
def test_a_channels_percentages_need_ten(n, judged):
    table = lead_table(*[(str(k), 50, "web", f"c{k}") for k in range(n)])
    found = leads(table, history(*[(f"c{k}", 60, 1 + (k < 3)) for k in range(n)]), FIRST, LAST)
    assert found[["conversion_rate", "low", "repeat_rate"]].notna().to_numpy().tolist() == [[judged] * 3] * 2
    if judged:
        assert found["conversion_rate"].tolist() == [1.0, 1.0]
        assert found["repeat_rate"].tolist() == pytest.approx([3 / n, 3 / n])


def test_of_a_customers_leads_the_first_counts_whatever_their_order():
    table = lead_table(("9", 40, "store", "a"), ("1", 50, "web", "a"), ("3", 40, "web", "a"), ("4", 40, None, None))
    for rows in itertools.permutations(range(4)):
        found = leads(table.iloc[list(rows)], history(("a", 60, 1)), FIRST, LAST)
        # leads 3 and 9 were made on one day: 3 comes first
        assert found["channel"].tolist() == ["all", "web"]
        assert found["created"].tolist() == [2, 1] and found["converted"].tolist() == [1, 1]


def test_channels_are_optional_and_ties_go_by_name():
    rows = [("1", 50, "web", None), ("2", 50, "store", None), ("3", 50, "web", None), ("4", 50, "app", None)]
    table = lead_table(*rows)
    none = history()
    assert leads(table, none, FIRST, LAST)["channel"].tolist() == ["all", "web", "app", "store"]
    assert leads(table.drop(columns="channel"), none, FIRST, LAST)["channel"].tolist() == ["all"]
    assert leads(table.head(0), none, FIRST, LAST)[["created", "open"]].to_numpy().tolist() == [[0, 0]]
