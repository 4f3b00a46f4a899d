"""The customer card: months with nothing in them, scores beside their cut points, the path, and an id nobody has."""

import datetime as dt

import pandas as pd
import pytest

from tierbook.accounting import day_number
from tierbook.engine import Engine
from tierbook.errors import InputError
from tierbook.insight import card as cards
from tierbook.months import months_before
from tierbook.scores.lifecycle import Cadence
from tierbook.scores.rfm import Scale

AS_OF = dt.date(2026, 10, 31)
END = day_number(AS_OF)
DATES = [months_before(AS_OF, k) for k in range(14)]
CUTS = {
    "recency_days": [30.0, 90.0, 180.0, 270.0],
    "frequency": [1.0, 2.0, 3.0, 5.0],
    "monetary": [100.0, 200.0, 200.0, 900.0],
}
SCALE = Scale(5, CUTS, "quantile", 3, "2026-10-31")
CADENCE = Cadence(new_days=77.0, typical_gap=40.0, lost_days=189.0, comeback_rate=0.08, comeback_customers=90)
ACTIONS = [
    {
        "code": "call",
        "words": {"en": "Call", "zh": "外呼"},
        "channel": "phone",
        "owner": "team",
        "days": 10,
        "measure": "orders",
    },
    {"code": "mail"},
]


def book_row(customer_id="C01", **given):
    known = {
        "tier": "high",
        "stage": "at_risk",
        "frequency": 5.0,
        "monetary": 150.0,
        "recency_days": 90.0,
        "r": 4,
        "f": 4,
        "m": 2,
    }
    return {"customer_id": customer_id, **known, "owner": None, "action": "call", **given}


def month_of(*rows, **given):
    book = pd.DataFrame(rows)
    history = pd.DataFrame(
        {"customer_id": book["customer_id"], "first_day": END - 400, "recency_days": 90, "active_days": 3, "t_x": 310,
         "repeats": 2, "own_gap_days": 20.0}
    )  # fmt: skip
    missing = pd.DataFrame(
        {"customer_id": ["C01"], "next_tier": ["high"], "orders_missing": [1.0], "spend_missing": [50.0]}
    )
    tiers = pd.DataFrame(
        {"customer_id": ["C01", "C01", "C02"], "end": [END, day_number(DATES[2]), END], "tier": ["high", "low", "low"]}
    )
    parts = {"book": book, "history": history, "tiers": tiers, "dates": DATES, "order": ["high", "low"], "scale": SCALE}
    rest = {"cadence": CADENCE, "missing": missing, "actions": ACTIONS, "margin_known": False}
    return cards.Month(**{**parts, **rest, **given})


NOTHING = pd.DataFrame(
    {"day": pd.Series(dtype="int64"), "orders": pd.Series(dtype="int64"), "net": pd.Series(dtype=float)}
)


def test_a_whole_card():
    card = cards.card("C01", NOTHING, month_of(book_row(), book_row("C02")))
    assert card["book"]["customer_id"] == "C01" and card["book"]["owner"] is None and card["as_of"] == AS_OF
    assert card["next_tier"] == {"customer_id": "C01", "next_tier": "high", "orders_missing": 1, "spend_missing": 50}
    assert card["tiers"] == ["high", "low"] and card["months"]["net"].sum() == 0
    other = cards.card("C02", NOTHING, month_of(book_row(), book_row("C02", action=None)))
    assert other["next_tier"] is None and other["action"] is None


def test_24_months_with_the_empty_ones():
    days = [(dt.date(2026, 10, 31), 1, 10.0), (dt.date(2026, 10, 1), 1, 5.5), (dt.date(2026, 9, 30), 0, -3.0),
            (dt.date(2024, 11, 1), 2, 8.0), (dt.date(2024, 10, 31), 9, 99.0), (dt.date(2026, 11, 1), 9, 99.0)]  # fmt: skip
    bought = pd.DataFrame(
        [(day_number(day), orders, net) for day, orders, net in days], columns=["day", "orders", "net"]
    )
    table = cards.by_month(bought.sample(frac=1, random_state=1), AS_OF)
    assert (
        len(table) == 24
        and table["month"].iloc[0] == dt.date(2024, 11, 1)
        and table["month"].iloc[-1] == dt.date(2026, 10, 1)
    )
    # November 2024: 8; September 2026: a refund of 3; October 2026: 10 + 5.5; what lies outside is not there
    assert table["net"].iloc[[0, -2, -1]].tolist() == [8, -3, 15.5] and table["orders"].iloc[[0, -2, -1]].tolist() == [
        2,
        0,
        2,
    ]
    assert table["net"].sum() == 20.5
    assert cards.by_month(NOTHING, AS_OF)["orders"].tolist() == [0] * 24


@pytest.mark.parametrize(
    ("letter", "value", "score", "next_at", "next_score"),
    [
        ("r", 30, 5, None, None), ("r", 31, 4, 30, 5), ("r", 90, 4, 30, 5), ("r", 91, 3, 90, 4), ("r", 271, 1, 270, 2),
        ("f", 1, 1, 2, 2), ("f", 4, 4, 6, 5), ("f", 5, 4, 6, 5), ("f", 6, 5, None, None),
        ("m", 100, 1, 100, 2), ("m", 100.01, 2, 200, 4), ("m", 200, 2, 200, 4), ("m", 900.5, 5, None, None),
    ],
)  # fmt: skip
def test_the_next_score_begins_where_the_scale_says(letter, value, score, next_at, next_score):
    measure = dict(zip("rfm", ("recency_days", "frequency", "monetary"), strict=True))[letter]
    row = book_row(**{measure: float(value), letter: score})
    step = next(s for s in cards.score_steps(row, SCALE) if s["letter"] == letter)
    assert (step["score"], step["next_at"], step["next_score"]) == (score, next_at, next_score)
    middle = {"recency_days": [90.0], "frequency": [2.0], "monetary": [150.0]}
    assert SCALE.apply(pd.DataFrame({**middle, measure: [float(value)]}))[letter].tolist() == [score]
    if next_at is not None:
        there = {**middle, measure: [next_at + 0.01 if letter == "m" else next_at]}
        assert SCALE.apply(pd.DataFrame(there))[letter].tolist() == [next_score]


def test_outside_the_window_there_are_no_scores():
    assert cards.score_steps(book_row(frequency=None, monetary=None, r=None), SCALE) == []


def test_the_path_has_every_date_oldest_first():
    tiers = pd.DataFrame({"end": [END, day_number(DATES[2])], "tier": ["high", "low"]})
    path = cards.tier_path(tiers, day_number(DATES[3]), DATES)
    assert path["date"].tolist() == DATES[::-1]
    # not a customer for ten dates; first bought on the eleventh, though nothing of it counts there
    assert path["tier"].tolist() == [None] * 10 + ["outside", "low", "outside", "high"]


@pytest.mark.parametrize(("own", "limit"), [(14.0, 48), (4.0, 44), (None, 80)])
def test_the_stage_is_told_by_its_own_figures(own, limit):
    # own gap shrunk by two gaps' weight: (14 × 4 + 40 × 2) / 6 = 22.7, limit 45.3; (4 × 4 + 80) / 6 = 16, limit 32
    gap = {14.0: (14 * 2 + 40 * 2) / 4, 4.0: (4 * 2 + 40 * 2) / 4, None: 40}[own]
    repeats = 0 if own is None else 2
    known = pd.DataFrame(
        {"recency_days": [99], "active_days": [repeats + 1], "t_x": [0], "repeats": [repeats], "own_gap_days": [own]}
    )
    facts = cards.stage_facts(known.astype({"own_gap_days": float}), CADENCE)
    assert facts["own_gap"] == pytest.approx(gap) and facts["limit"] == int(max(30, 2 * gap))
    assert (facts["silent"], facts["new_days"], facts["lost_days"]) == (99, 77, 189)


def test_the_next_step_has_an_owner_and_a_day():
    step = cards.next_step(book_row(), ACTIONS, AS_OF)
    assert step == {
        "action": {"en": "Call", "zh": "外呼"},
        "measure": "orders",
        "channel": "phone",
        "owner": "team",
        "due": dt.date(2026, 11, 10),
    }
    assert cards.next_step(book_row(owner="Li"), ACTIONS, AS_OF)["owner"] == "Li"
    assert cards.next_step(book_row(action="mail"), ACTIONS, AS_OF)["action"] == "mail"
    assert cards.next_step(book_row(action=None), ACTIONS, AS_OF) is None


@pytest.mark.parametrize(
    ("asked", "told"),
    [("C011", "nearest: 'C01'"), ("c02", "nearest: 'C0"), ("", "nearest: none"), ("长" * 99, "nearest: none")],
)
def test_an_unknown_id_is_one_line_with_the_nearest(asked, told):
    with pytest.raises(InputError) as error:
        cards.card(asked, NOTHING, month_of(book_row(), book_row("C02")))
    line = str(error.value)
    assert told in line and "2 customers" in line and "\n" not in line and len(line) < 250


def test_an_id_given_as_a_number_is_found():
    assert cards.card(13085, NOTHING, month_of(book_row("13085")))["book"]["customer_id"] == "13085"


def test_purchases_of_one_customer(tmp_path):
    days = pd.DataFrame(
        {"customer_id": ["a", "b", "a"], "day": [1, 1, 2], "orders": [1, 1, 0], "net": [5.0, 6.0, -2.0], "cost": 0.0}
    )
    engine = Engine(tmp_path)
    found = engine.collect(cards.purchases_of(engine.frame(days), "a")).sort_values("day")
    engine.close()
    assert found.to_numpy().tolist() == [[1, 1, 5], [2, 0, -2]] and list(found) == ["day", "orders", "net"]
