"""Groups side by side: counts, shares, means by hand, and what is left out of a share."""

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import groups

ORDER = ["high", "middle", "low"]


def book(*rows):
    """A book of (tier, customers, recency_days, frequency, monetary, clv of each)."""
    columns = ["tier", "recency_days", "frequency", "monetary", "clv"]
    full = [row[:1] + row[2:] for row in rows for _ in range(row[1])]
    return pd.DataFrame(full, columns=columns).assign(customer_id=lambda b: [f"c{n}" for n in range(len(b))])


def summary(book, column, scheme, order):
    return groups.summary([groups.sums(book, column)], scheme, order)


def test_twelve_customers_by_hand():
    # inside are 10: high 4 of 250 = 1000, low 6 of 50 = 300 less one of −50 … 5 × 50 − 50 = 200; total 1200
    found = summary(
        book(
            ("high", 4, 10, 5, 250.0, 100.0), ("low", 5, 100, 1, 50.0, np.nan), ("low", 1, 40, 1, -50.0, 7.0),
            ("outside", 2, 500, np.nan, np.nan, 1.0),
        ),
        "tier", "three_tier", ORDER,
    ).set_index("name")  # fmt: skip
    assert found.index.tolist() == [*ORDER, "outside"]
    assert found["customers"].tolist() == [4, 0, 6, 2] and found["customers"].dtype == "int64"
    assert found["share"].tolist()[:3] == [0.4, 0.0, 0.6] and np.isnan(found.loc["outside", "share"])
    assert found["revenue"].tolist() == [1000, 0, 200, 0]
    assert found["revenue_share"].tolist()[:3] == pytest.approx([1000 / 1200, 0, 200 / 1200])
    assert found.loc["low", ["mean_recency_days", "mean_frequency", "mean_clv"]].tolist() == [90, 1, 7]
    assert found.loc["low", "mean_monetary"] == pytest.approx(200 / 6)
    assert found.loc["middle", ["mean_recency_days", "mean_clv"]].isna().all()
    assert set(found["scheme"]) == {"three_tier"}


@pytest.mark.parametrize(("customers", "told"), [(9, False), (10, True), (11, True)])
def test_no_percentage_on_fewer_than_10_customers(customers, told):
    found = summary(book(("high", customers, 1, 1, 5.0, 1.0)), "tier", "x", ORDER)
    assert found["share"].notna().all() == found["revenue_share"].notna().all() == told
    assert found["customers"].tolist() == [customers, 0, 0]


def test_nothing_sold_has_no_revenue_share():
    found = summary(book(("high", 20, 1, 1, 0.0, 1.0)), "tier", "x", ORDER)
    assert found["revenue_share"].isna().all() and found["share"].tolist() == [1, 0, 0]


@pytest.mark.parametrize("empty", [book().astype({"tier": object}), book(("outside", 3, 400, np.nan, np.nan, np.nan))])
def test_no_customers_inside(empty):
    found = summary(empty, "tier", "x", ORDER).set_index("name")
    assert found.loc[ORDER, "customers"].tolist() == [0, 0, 0] and found["share"].isna().all()


def test_names_may_be_numbers_and_null_names_do_not_count():
    frame = book(("high", 20, 1, 1, 5.0, 1.0)).assign(cluster=pd.array([1] * 5 + [2] * 10 + [None] * 5, dtype="Int8"))
    found = summary(frame, "cluster", "k_means", ["1", "2"])
    assert found["customers"].tolist() == [5, 10] and found["share"].tolist() == pytest.approx([1 / 3, 2 / 3])


def test_row_order_changes_nothing():
    frame = book(("high", 4, 10, 5, 250.0, 100.0), ("low", 9, 100, 1, 50.0, 3.0))
    shuffled = frame.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(summary(shuffled, "tier", "x", ORDER), summary(frame, "tier", "x", ORDER))


def test_two_groupings_keep_order_and_empty_rows():
    """Counted by a third grouping too: 2 + 3 of the low are new."""
    rows = [("low", "new", "a", 2), ("low", "new", "b", 3), ("high", "lost", "a", 4), ("outside", "lost", "a", 9)]
    counts = pd.DataFrame(rows, columns=["tier", "stage", "cluster", "customers"])
    found = groups.crossed(counts, "tier", "stage", ORDER, ["new", "active", "lost"])
    assert list(found) == ["tier", "new", "active", "lost", "total"]
    assert found.to_numpy().tolist() == [["high", 0, 0, 4, 4], ["middle", 0, 0, 0, 0], ["low", 5, 0, 0, 5]]
    assert groups.crossed(counts.head(0), "tier", "stage", ORDER, ["new"])["total"].tolist() == [0, 0, 0]


def test_a_name_from_data_is_never_taken_for_the_total():
    assert groups.apart(pd.Series(["all", "web", None, "All"], dtype=object)).tolist() == ["“all”", "web", None, "All"]


@pytest.mark.parametrize("cut", [0, 3, 6, 15])
def test_parts_of_the_customers_say_what_all_say(cut):
    frame = book(
        ("high", 4, 10, 5, 250.0, 100.0), ("low", 9, 100, 1, 50.0, np.nan), ("outside", 2, 500, np.nan, np.nan, 1.0)
    )  # fmt: skip
    parts = [groups.sums(part, "tier") for part in (frame.iloc[:cut], frame.iloc[cut:])]
    pd.testing.assert_frame_equal(groups.summary(iter(parts), "x", ORDER), summary(frame, "tier", "x", ORDER))
