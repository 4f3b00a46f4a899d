"""Drift and age of a frozen scale: the index by hand, its verdicts at their bounds, and when to fit anew."""

import dataclasses
import datetime as dt
from math import log

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.params import Rfm
from tierbook.scores import drift, rfm
from tierbook.scores.rfm import Scale

MEASURES = list(rfm.MEASURES)
CUTS = {measure: [10.0] for measure in MEASURES}
AS_OF = dt.date(2026, 10, 31)


def scale(shares=(0.5, 0.5), customers=1000, valid_from="2026-09-30"):
    kept = {measure: list(shares) for measure in MEASURES} if shares else {}
    return Scale(2, CUTS, "mean", customers, valid_from, shares=kept)


def scores(r, f=(100, 100), m=(100, 100)):
    """Customers by score: r=(40, 60) gives 40 with r = 1 and 60 with r = 2."""
    columns = {letter: np.repeat([1, 2], counts) for letter, counts in zip("rfm", (r, f, m), strict=True)}
    return pd.DataFrame(columns).astype("Int8").assign(customers=1)


def test_psi_by_hand():
    # e = .5 / .5, a = .6 / .4: (.6 − .5) ln(.6/.5) + (.4 − .5) ln(.4/.5) = .1 × .182322 + .1 × .223144 = .040547
    assert drift.psi(([0.5, 0.5], 1000), ([0.6, 0.4], 200)) == pytest.approx(0.1 * log(1.2) + 0.1 * log(1.25))
    assert drift.psi(([0.5, 0.5], 1000), ([0.6, 0.4], 200)) == pytest.approx(0.040547, abs=1e-6)
    # three scores, one empty now: a floored at .5/100 = .005; empty before: e floored at .5/1000 = .0005
    expected = (0.005 - 0.2) * log(0.005 / 0.2) + (0.2 - 0.0005) * log(0.2 / 0.0005)
    assert drift.psi(([0.2, 0.8, 0.0], 1000), ([0.0, 0.8, 0.2], 100)) == pytest.approx(expected)
    # empty both times says nothing, though the floors differ
    assert drift.psi(([0.5, 0.0, 0.5], 1000), ([0.5, 0.0, 0.5], 100)) == 0


def test_drift_tells_the_measures_apart():
    found = drift.drift(scale(), scores(r=(100, 100), f=(130, 70), m=(160, 40)))
    # f: a = .65 / .35: .15 (ln 1.3 + ln(1/.7)) = .092856; m: a = .8 / .2: .3 (ln 1.6 + ln 2.5) = .415888
    assert found["measure"].tolist() == MEASURES
    assert found["psi"].tolist() == pytest.approx([0, 0.092856, 0.415888], abs=1e-6)
    assert found["verdict"].tolist() == ["stable", "stable", "refit"]


@pytest.mark.parametrize(
    ("psi", "verdict"),
    [(0.0, "stable"), (0.0999, "stable"), (0.10, "shifted"), (0.2499, "shifted"), (0.25, "refit"), (3.0, "refit")],
)
def test_verdicts_at_their_bounds(psi, verdict, monkeypatch):
    monkeypatch.setattr(drift, "psi", lambda *_: psi)
    assert drift.drift(scale(), scores(r=(100, 100)))["verdict"].tolist() == [verdict] * 3


@pytest.mark.parametrize(("now", "before", "verdict"), [(99, 1000, "too_few"), (100, 1000, "stable"), (100, 99, "too_few"), (200, 100, "stable")])  # fmt: skip
def test_under_a_hundred_customers_there_is_no_index(now, before, verdict):
    half = (now // 2, now - now // 2)
    found = drift.drift(scale(customers=before), scores(half, half, half))
    assert found["verdict"].tolist() == [verdict] * 3
    assert found["psi"].isna().all() == (verdict == "too_few")


def test_customers_without_a_margin_were_not_fitted_on_and_do_not_count():
    rows = scores(r=(150, 50))
    rows.loc[rows.index[:100], "m"] = pd.NA  # of the 150 with r = 1, 100 have no cost: 50 / 50 are left
    assert drift.drift(scale(), rows)["psi"].iloc[0] == 0
    assert drift.shares_now(scale(), rows)["recency_days"] == [0.5, 0.5]


def test_a_row_stands_for_its_customers():
    rows = scores(r=(100, 100), f=(130, 70), m=(160, 40))
    counted = rows.groupby(["r", "f", "m"], as_index=False)["customers"].sum()
    assert len(counted) == 4, "1-1-1, 2-1-1, 2-2-1 and 2-2-2"
    pd.testing.assert_frame_equal(drift.drift(scale(), counted), drift.drift(scale(), rows))


def test_a_scale_of_an_earlier_version_is_unknown():
    found = drift.drift(scale(shares=None), scores(r=(100, 100)))
    assert found["verdict"].tolist() == ["unknown"] * 3 and found["psi"].isna().all()
    assert list(drift.drift(scale(), scores((0, 0), (0, 0), (0, 0)))["verdict"]) == ["too_few"] * 3


@settings(deadline=None, max_examples=30)
@given(money=st.lists(st.integers(0, 50), min_size=100, max_size=150), seed=st.integers(0, 9))
def test_the_month_a_scale_was_fitted_on_has_not_drifted(money, seed):
    rows = pd.DataFrame({"recency_days": money, "frequency": money, "monetary": money}, dtype=float)
    fitted = rfm.fit_scale(rows, Rfm(), AS_OF)
    found = drift.drift(fitted, fitted.apply(rows.sample(frac=1, random_state=seed)).assign(customers=1))
    assert found["psi"].abs().max() < 1e-6 and set(found["verdict"]) == {"stable"}


@settings(deadline=None, max_examples=60)
@given(counts=st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), min_size=2, max_size=9).filter(lambda c: all(map(sum, zip(*c, strict=True)))))  # fmt: skip
def test_the_index_is_never_negative_and_the_same_both_ways(counts):
    shares = [([n / sum(column) for n in column], sum(column)) for column in zip(*counts, strict=True)]
    assert drift.psi(*shares) >= 0
    assert drift.psi(*shares) == pytest.approx(drift.psi(*shares[::-1]))


@pytest.mark.parametrize(
    ("since", "as_of", "months"),
    [
        ("2026-10-31", "2026-10-31", 0),
        ("2026-09-30", "2026-10-29", 0),
        ("2026-09-30", "2026-10-30", 1),
        ("2026-01-31", "2026-02-27", 0),
        ("2026-01-31", "2026-02-28", 1),  # end of month to end of month
        ("2024-02-29", "2025-02-28", 12),
        ("2024-10-31", "2026-10-31", 24),
        ("2026-10-31", "2026-10-30", -1),  # a day too early is before
        ("2026-10-31", "2026-09-30", -1),
        ("2026-10-31", "2026-09-29", -2),
    ],
)
def test_age_in_whole_months(since, as_of, months):
    assert drift.age_months(scale(valid_from=since), dt.date.fromisoformat(as_of)) == months


@pytest.mark.parametrize(
    ("since", "m", "said"),
    [
        ("2026-09-30", (100, 100), "keep"),
        ("2026-09-30", (134, 66), "watch"),  # .17 (ln 1.34 + ln(1/.66)) = .1204
        ("2026-09-30", (160, 40), "refit_drift"),
        ("2024-10-31", (100, 100), "keep"),  # 24 months
        ("2024-09-30", (100, 100), "refit_age"),  # 25
        ("2024-09-30", (134, 66), "refit_age"),
        ("2024-09-30", (160, 40), "refit_drift"),
        ("2026-11-30", (100, 100), "keep"),
    ],
)
def test_advice_names_the_gravest(since, m, said):
    assert drift.advice(scale(valid_from=since), scores(r=(100, 100), m=m), AS_OF) == said


def test_advice_without_an_index():
    few = scores((5, 5), (5, 5), (5, 5))
    assert drift.advice(scale(), few, AS_OF) == "unknown"
    assert drift.advice(scale(shares=None), scores(r=(100, 100)), AS_OF) == "unknown"
    assert drift.advice(scale(shares=None, valid_from="2020-01-31"), few, AS_OF) == "refit_age"


@pytest.mark.parametrize(
    ("since", "own", "due"),
    [
        ("2026-09-30", None, "2027-09-30"),
        ("2026-10-15", None, "2027-10-15"),
        ("2027-02-28", None, "2028-02-29"),  # the last day of a month stays a last day
        ("2028-02-29", None, "2029-02-28"),
        ("2026-09-30", "2026-12-31", "2026-12-31"),
    ],
)
def test_a_scale_is_to_be_reviewed_after_twelve_months_or_when_its_file_says(since, own, due):
    frozen = dataclasses.replace(scale(valid_from=since), review_by=own)
    assert drift.review_by(frozen) == dt.date.fromisoformat(due)
