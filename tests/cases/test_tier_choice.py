"""What to send to which tier, by hand; the size of a test that shows a difference, against published tables."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from tierbook.cases.tier_choice import choices, times_larger
from tierbook.insight.campaign import CLAIMS


def effects(rows, interaction_p):
    """A table of `campaign.effects` for profit: arm, tier, effect, verdict; interaction p by arm."""
    table = pd.DataFrame(rows, columns=["arm", "tier", "effect", "verdict"])
    table = table.assign(outcome="profit", low=table["effect"] - 1, high=table["effect"] + 1, next_n=range(len(table)))
    total = table["tier"] == "all"
    return table.assign(interaction_p=table["arm"].map(interaction_p).where(total))


ALIKE = [
    ("a", "all", 3.0, "works_and_pays"),
    ("b", "all", 2.0, "works_and_pays"),
    ("a", "high", 1.0, "not_enough_data"),
    ("a", "low", 4.0, "works_and_pays"),
    ("b", "high", 5.0, "works_and_pays"),
    ("b", "low", 0.0, "not_enough_data"),
]


def test_where_tiers_are_not_shown_to_differ_the_totals_choose_for_all():
    """Arm a brings 3, arm b 2: a for both tiers, although b's own number in the high tier is larger."""
    found = choices(effects(ALIKE, {"a": 0.12, "b": 0.09})).set_index("tier")
    assert found["arm"].tolist() == ["a", "a"] and found["stands_on"].tolist() == ["all", "all"]
    assert found["effect"].tolist() == [3.0, 3.0] and found["next_n"].to_dict() == {"high": 2, "low": 3}


def test_where_an_arms_tiers_differ_its_own_rows_speak():
    """b differs: 5 in the high tier beats a's total 3; in the low tier b shows nothing and a's 3 stands."""
    found = choices(effects(ALIKE, {"a": 0.12, "b": 0.0001})).set_index("tier")
    assert found["arm"].to_dict() == {"high": "b", "low": "a"}
    assert found["stands_on"].to_dict() == {"high": "tier", "low": "all"}


def test_where_nothing_pays_nothing_is_sent():
    """In the low tier a is harmful and b not shown: no arm, and b's row, the larger effect, says why."""
    rows = [
        ("a", "all", 1.0, "works_and_pays"), ("b", "all", 0.5, "works_and_pays"),
        ("a", "high", 2.0, "works_and_pays"), ("a", "low", -2.0, "harmful"),
        ("b", "high", 1.0, "works_not_pays"), ("b", "low", -1.0, "not_enough_data"),
    ]  # fmt: skip
    found = choices(effects(rows, {"a": 0.0001, "b": 0.0001})).set_index("tier")
    assert found.loc["high", "arm"] == "a" and pd.isna(found.loc["low", "arm"])
    assert found.loc["low", ["verdict", "effect"]].tolist() == ["not_enough_data", -1.0]


def test_a_verdict_that_does_not_pay_is_never_chosen():
    for verdict in {*CLAIMS, "no_difference", "not_enough_data"} - {"works_and_pays"}:
        rows = [("a", "all", 9.0, verdict), ("a", "high", 9.0, verdict)]
        assert choices(effects(rows, {"a": 0.5}))["arm"].isna().all()


@pytest.mark.parametrize(("tiers", "needed"), [(2, 7.849), (3, 9.635), (4, 10.903)])
def test_the_noncentrality_needed_is_the_published_one(tiers, needed):
    """Noncentrality for 80 % power at 5 %: 7.849, 9.635, 10.903 at 1, 2, 3 degrees of freedom (tables after Cohen, 1988).

    A test whose Q is its degrees of freedom + that number is just large enough: 1.
    """
    freedom = tiers - 1
    assert times_larger(chi2.sf(freedom + needed, freedom), tiers) == pytest.approx(1, abs=1e-3)
    assert times_larger(chi2.sf(freedom + needed / 4, freedom), tiers) == pytest.approx(4, abs=4e-3)


@pytest.mark.parametrize("p", [np.nan, 1.0, 0.0])
def test_no_difference_to_plan_for(p):
    assert np.isnan(times_larger(p, 3))


def test_at_or_under_the_degrees_of_freedom_there_is_nothing_to_see():
    assert np.isnan(times_larger(chi2.sf(2.0, 2), 3)) and np.isnan(times_larger(chi2.sf(1.9, 2), 3))
    assert times_larger(chi2.sf(2.1, 2), 3) == pytest.approx(96.35, rel=1e-3)
    assert np.isnan(times_larger(0.04, 1))


@given(st.floats(1e-8, 0.3), st.floats(1e-8, 0.3), st.integers(2, 6))
def test_a_surer_difference_needs_fewer(p, other, tiers):
    low, high = times_larger(min(p, other), tiers), times_larger(max(p, other), tiers)
    assert np.isnan(high) or low <= high * (1 + 1e-9)


def test_hillstroms_mens_mail():
    """Q of p 0.121 at 2 degrees is −2 ln 0.121 = 4.224; 9.635 / 2.224 = 4.33 times."""
    assert times_larger(0.121, 3) == pytest.approx(9.635 / (-2 * np.log(0.121) - 2), rel=1e-3)
