"""Description of campaigns that cannot be judged: gaps by hand, and picking by past spend shown as what it is."""

import numpy as np
import pandas as pd
import pytest

from tierbook.insight.described import COLUMNS, described


def people(*rows):
    return pd.DataFrame(rows, columns=["campaign", "arm", "spend", "spend_before"])


def pairs(*rows):
    return pd.DataFrame(rows, columns=["campaign", "after", "before", "customers"])


def test_a_campaign_without_control_by_hand():
    # mail: after (50 + 30) / 2 = 40, before (44 + 40) / 2 = 42. Others, three of nothing and one of 12 after, 8 before:
    # 3 and 2. Gaps 37 and 40, difference -3. Changes: mail 6, -10 (variance 128, over 2: 64); others 0, 0, 0, 4
    # (mean 1, squares 3 * 1 + 9 = 12, variance 4, over 4: 1): se sqrt(65).
    assigned = people(("spring", "mail", 50, 44), ("spring", "mail", 30, 40))
    row = described(assigned, pairs(("spring", 0, 0, 3), ("spring", 12, 8, 1)), "control").iloc[0]
    assert row[["campaign", "arm", "others"]].tolist() == ["spring", "mail", "never_assigned"]
    assert row[["n_treated", "n_others", "naive_gap", "gap_before", "difference"]].tolist() == [2, 4, 37, 40, -3]
    assert row["se"] == pytest.approx(np.sqrt(65))


def test_the_households_of_the_reference():
    # targeted +36.42 a week after a campaign, +37.61 before it: a difference in differences of -1.19
    row = described(people(("s", "mail", 136.42, 137.61)), pairs(("s", 100, 100, 9)), "control").iloc[0]
    assert row[["naive_gap", "gap_before", "difference"]].tolist() == pytest.approx([36.42, 37.61, -1.19])


def test_where_a_split_is_broken_the_others_are_the_control():
    assigned = people(
        ("spring", "mail", 50, 44), ("spring", "mail", 30, 40), ("spring", "control", 10, 1), ("spring", "phone", 7, 7)
    )
    found = described(assigned, pairs(("spring", 0, 0, 3)), "control").set_index("arm")
    assert found["others"].tolist() == ["control", "control"] and found.loc["mail", "n_others"] == 1
    assert found.loc["mail", ["naive_gap", "gap_before", "difference"]].tolist() == [30, 41, -11]
    assert found["se"].isna().all()


def test_without_others_there_are_no_gaps():
    for others in (None, pairs(), pairs(("autumn", 1, 1, 5))):
        row = described(people(("spring", "mail", 50, 44)), others, "control").iloc[0]
        assert row[["naive_gap", "gap_before", "difference", "se"]].isna().all() and row["n_others"] == 0


def test_a_trial_knows_no_money_before():
    trial = people(("t", "mail", 50, 0), ("t", "control", 10, 0)).drop(columns="spend_before")
    row = described(trial, None, "control").iloc[0]
    assert row["naive_gap"] == 40 and row[["gap_before", "difference", "se"]].isna().all()


def test_a_campaign_of_controls_alone_has_nothing_to_describe():
    found = described(people(("spring", "control", 1, 1)), None, "control")
    assert found.empty and list(found.columns) == COLUMNS


def test_picking_by_past_spend_shows_in_the_gap_before():
    # Spend is a customer's own level, twice; the upper half is picked and nothing is done to it. The naive gap is as
    # large as the levels differ; within four standard errors of 0 is what is left.
    rng = np.random.default_rng(4)
    level = rng.gamma(1.0, 30.0, 4000)
    before, after = (level + rng.normal(0, 5, 4000) for _ in range(2))
    arm = np.where(level > np.median(level), "mail", "control")
    row = described(people(*zip(["s"] * 4000, arm, after, before, strict=True)), None, "control").iloc[0]
    assert row["naive_gap"] > 30 and row["gap_before"] > 30
    assert abs(row["difference"]) < 4 * row["se"] < 1.0


def test_others_told_one_by_one_or_by_counts_and_in_any_order_are_the_same():
    assigned = people(("s", "mail", 0.1, 0.7), ("s", "mail", 0.2, 0.3), ("s", "mail", 0.3, 0.1))
    counted = pairs(("s", 0.1, 0.2, 2), ("s", 0.0, 0.0, 3), ("s", 0.7, 0.3, 1))
    single = counted.loc[[0, 1, 2, 0, 1, 1]].assign(customers=1)
    expected = described(assigned, counted, "control")
    pd.testing.assert_frame_equal(described(assigned[::-1], counted[::-1], "control"), expected)
    pd.testing.assert_frame_equal(described(assigned, single, "control"), expected, rtol=1e-12)


def test_nothing_in_it_is_called_an_effect():
    assert not {"effect", "p", "low", "high", "verdict"} & set(COLUMNS)
