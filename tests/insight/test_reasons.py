"""Reasons of those leaving: counted by hand, once per customer, with no verdict that the counts do not carry."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency

from tierbook.insight import reasons


def told(**counts):
    """Customers by group and reason: L for leaving, R for the rest."""
    rows = [(f"{key[0]}{n}-{key}", key[2:]) for key, count in counts.items() for n in range(count)]
    frame = pd.DataFrame(rows, columns=["customer_id", "reason"])
    return frame.assign(leaving=frame["customer_id"].str.startswith("L").astype(object))


def test_shares_by_hand():
    """40 leaving: 30 price, 10 service; 60 others: 15 price, 45 service. 75 % less 25 % is 50 points."""
    table = reasons.reasons(told(L_price=30, L_service=10, R_price=15, R_service=45), "surveys")
    assert list(table.columns) == reasons.COLUMNS
    assert table[["reason", "n_leaving", "leaving", "n_rest", "rest"]].values.tolist() == [
        ["price", 40, 30, 60, 15],
        ["service", 40, 10, 60, 45],
    ]
    assert table["leaving_share"].tolist() == [0.75, 0.25] and table["difference"].tolist() == [0.5, -0.5]
    assert table["verdict"].tolist() == ["more_often", "less_often"] and set(table["source"]) == {"surveys"}
    plain = chi2_contingency([[30, 10], [15, 45]], correction=False).pvalue
    assert table["p_holm"].tolist() == [pytest.approx(2 * plain)] * 2, "two reasons, so Holm's first is doubled"
    assert (table["low"] < table["difference"]).all() and (table["difference"] < table["high"]).all()


def test_a_reason_given_twice_counts_once_and_strangers_do_not():
    frame = told(L_price=12, R_price=12)
    strangers = pd.DataFrame({"customer_id": [f"S{n}" for n in range(50)], "reason": "price", "leaving": None})
    again = reasons.reasons(pd.concat([frame, frame, strangers]), "tickets")
    pd.testing.assert_frame_equal(again, reasons.reasons(frame, "tickets"))


def test_a_customer_may_give_several_reasons():
    """Shares are of customers with any reason: all ten name price, five of them delivery too."""
    frame = told(L_price=10, R_price=10)
    more = frame.head(5).assign(reason="delivery")
    late = frame.tail(5).assign(reason="delivery")
    table = reasons.reasons(pd.concat([frame, more, late]), "surveys").set_index("reason")
    assert table["leaving_share"].to_dict() == {"price": 1.0, "delivery": 0.5}
    assert table["verdict"].to_dict() == {"price": "no_difference", "delivery": "no_difference"}


@pytest.mark.parametrize(("leaving", "rest"), [(9, 50), (50, 9), (0, 50)])
def test_fewer_than_ten_on_either_side_is_refused(leaving, rest):
    table = reasons.reasons(told(L_price=leaving, R_price=rest), "surveys")
    assert (
        table["verdict"].tolist() == ["too_few"] and table["difference"].isna().all() and table["p_holm"].isna().all()
    )
    assert np.isnan(table["leaving_share"].iloc[0]) == (leaving < 10)


def test_free_text_is_no_list_of_codes():
    """Twenty sentences of two customers each, and one code of ten: the sentences stand together."""
    counts = {f"{side}_sentence {n}": 1 for n in range(20) for side in "LR"}
    table = reasons.reasons(told(L_late=5, R_late=5, **counts), "tickets").set_index("reason")
    assert table["leaving"].to_dict() == {"other": 20, "late": 5}


def test_no_reason_given_is_an_empty_table():
    frame = told(L_price=12)
    assert reasons.reasons(frame.assign(reason=pd.Series([None] * 12, dtype="str")), "surveys").empty


@pytest.mark.long
def test_reasons_drawn_alike_are_hardly_ever_told_apart():
    """Both groups draw their reasons alike: at most one simulated shop in ten (the level is one in twenty) says anything."""
    rng, said = np.random.default_rng(7), 0
    for _ in range(60):
        frame = pd.DataFrame(
            {"customer_id": np.arange(600).astype(str), "reason": rng.integers(0, 12, 600).astype(str)}
        ).assign(leaving=np.arange(600) < 250)
        said += reasons.reasons(frame, "surveys")["verdict"].ne("no_difference").any()
    assert said <= 8
