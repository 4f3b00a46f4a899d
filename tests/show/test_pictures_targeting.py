"""Qini curve and tenths: the sentence holds the finding; verdicts without a curve's end do not crash."""

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import targeting
from tierbook.show import figures
from tierbook.show.pictures.targeting import draw_deciles, draw_qini, finding
from tierbook.show.words import Words

CURVE = pd.DataFrame(
    {
        "share": [0, 0.5, 1],
        "value": [0, 0.034, 0.043],
        "low": [0, 0.028, 0.034],
        "high": [0, 0.041, 0.052],
        "random": [0, 0.0215, 0.043],
    }
)
PLANS = pd.DataFrame(
    [
        ("nobody", 0.0, 0.0, 0.0, 0.0),
        ("all", 1.0, 0.043, 0.034, 0.052),
        ("above_average", 0.5, 0.034, 0.028, 0.041),
        ("best", 0.8, 0.044, 0.036, 0.053),
    ],
    columns=["plan", "share", "value", "low", "high"],
)
CAN = targeting.Qini("can_target", 0.159, 0.094, 0.235, 0.0069, 0.0043, 0.0097, 900, 800, CURVE, PLANS)
CANNOT = CAN._replace(verdict="cannot_target", coefficient=0.01, low=-0.027, high=0.047, plans=PLANS.head(2))
UNKNOWN = CAN._replace(verdict="not_enough_data", coefficient=np.nan, low=np.nan, high=np.nan, plans=PLANS.head(2),
                       curve=CURVE.assign(low=np.nan, high=np.nan), n_treated=40, n_control=12)  # fmt: skip
ROWS = pd.DataFrame({"decile": [1, 2, 10], "uplift": [0.09, np.nan, -0.004], "low": [0.059, np.nan, -0.032],
                     "high": [0.122, np.nan, 0.025]})  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("outcome", ["response", "orders", "spend", "profit"])
@pytest.mark.filterwarnings("error")
def test_every_verdict_and_outcome_draws_in_both_languages(language, outcome):
    for found in (CAN, CANNOT, UNKNOWN):
        assert "<svg" in figures.render(draw_qini, Words(language), found, outcome)
    for rows in (ROWS, ROWS.head(1), ROWS.head(0)):
        assert "<svg" in figures.render(draw_deciles, Words(language), rows, outcome)


def test_the_sentence_names_the_share_its_gain_and_the_qini_with_intervals():
    said = finding(Words("en"), CAN, "response")
    assert said == (
        "Treating the 50% with the highest scores brings +3.4 pp (interval +2.8 pp–+4.1 pp) per customer of the whole "
        "list, treating all +4.3 pp; Qini 0.159, interval 0.094–0.235."
    )


def test_for_profit_the_best_share_is_named_and_an_unclear_total_gives_the_area_in_money():
    said = finding(Words("en", "USD"), CAN._replace(coefficient=np.nan), "profit")
    assert "Treating the 80%" in said and "area above chance +$0.01, interval $0.00–$0.01" in said


def test_nothing_is_recommended_where_the_interval_covers_zero():
    said = finding(Words("en"), CANNOT, "response")
    assert "no better than chance" in said and "Qini 0.010, interval −0.027 – 0.047" in said
    assert finding(Words("en"), UNKNOWN, "response").endswith("40 treated, 12 control.")


def test_the_tenths_sentence_holds_the_first_and_the_last_effect():
    drawn = figures.render(draw_deciles, Words("en"), ROWS, "response")
    assert "Tenth 1: effect +9.0 pp (interval +5.9 pp–+12.2 pp); tenth 10: −0.4 pp (−3.2 pp – +2.5 pp)." in drawn
    assert "No effect can be given." in figures.render(draw_deciles, Words("en"), ROWS.head(0), "response")


def test_the_share_is_a_dot_only_where_there_is_one():
    from matplotlib.figure import Figure

    def dots(found, outcome="response"):
        ax = Figure().subplots()
        draw_qini(ax, Words("en"), found, outcome)
        return [tuple(line.get_xydata()[0]) for line in ax.lines if line.get_marker() == "o"]

    assert dots(CAN) == [(0.5, 0.034)] and dots(CAN, "profit") == [(0.8, 0.044)]
    assert dots(CANNOT) == [] and dots(UNKNOWN) == []
