"""The month's findings: which sentence is chosen, and that it carries the computed values in both languages."""

import pandas as pd
import pytest

from tierbook.show import findings
from tierbook.show.words import Words


def said(finding, language="en"):
    message, note, values = finding
    words = Words(language, "CNY")
    return words.text(message, **values), words.text(note, **values)


@pytest.mark.parametrize(
    ("fallen", "usual", "told"),
    [(51, (35.0, 50.0), "more than usual"), (50, (35.0, 50.0), "within the usual"), (35, (35.0, 50.0), "within the usual"),
     (34, (35.0, 50.0), "fewer than usual"), (40, (float("nan"),) * 2, "history too short to judge")],
)  # fmt: skip
def test_a_fall_is_judged_at_the_edges_of_its_usual_range(fallen, usual, told):
    now = pd.Series({"customers": 500, "fallen": fallen, "net": 830_000.0})
    sentence, note = said(findings.of_best_tier(now, usual, "high", 3))
    assert sentence.startswith(f"{fallen} customers fell from tier “High value”") and told in sentence
    assert "Of 500 customers" in note and "3 customers changed tier only because the scale moved" in note
    assert "CN¥830,000 of yearly net sales" in sentence
    assert "涉及年净销售额83.0万元" in said(findings.of_best_tier(now, usual, "high", 3), "zh")[0]


def test_the_money_of_a_fall_is_margin_where_that_is_known():
    now = pd.Series({"customers": 500, "fallen": 40, "net": 830_000.0})
    sentence, note = said(findings.of_best_tier(now, (30.0, 50.0), "high", 0, margin=200_000.0), "zh")
    assert "涉及年毛利20.0万元" in sentence and "此前12个月的毛利" in note


def test_without_anyone_in_the_best_tier_there_is_no_such_finding():
    assert findings.of_best_tier(pd.Series({"customers": 0, "fallen": 0, "net": 0.0}), (0.0, 0.0), "high", 0) is None


def forecast(verdict, rule=None, ratio=1.08, note=None):
    naive = pd.DataFrame({"rule": ["model", "past_rate", "last_period"], "ratio": [ratio, 1.75, 1.05]})
    return {"note": note, "verdict": verdict, "verdict_rule": rule, "naive": naive, "holdout_days": 120}


TOTALS = {"total": 100.0, "top": 0.96, "hundredth": float("nan")}
NONE_VALUED = {"total": 0.0, "top": float("nan"), "hundredth": float("nan")}


@pytest.mark.parametrize(
    ("verdict", "rule", "told"),
    [("better", None, ["120 days", "predicted ÷ actual orders 1.08", "ahead of every simple rule"]),
     ("loses_total", "last_period", ["Read the total with care", "1.08", "came closer", "period before"]),
     ("level_with_naive_rule", "past_rate", ["Read with care", "no better", "as often as before"]),
     ("untested", None, ["too little history"])],
)  # fmt: skip
def test_a_forecast_is_told_with_the_verdict_of_its_test_and_the_rule_it_names(verdict, rule, told):
    sentence, note = said(findings.of_value(forecast(verdict, rule), TOTALS, 12, margin_known=False))
    assert "net sales (not profit) of the next 12 months: CN¥100" in sentence and "hold 96%" in sentence
    assert [part for part in told if part not in note] == []


@pytest.mark.parametrize(
    ("top", "told", "in_chinese"),
    [(0.0100, "the ten most valuable customers hold 1%", "前10位客户"),
     (0.0099, "the most valuable 1% of customers hold 12%", "前1%的客户")],
)  # fmt: skip
@pytest.mark.parametrize("margin_known", [True, False])
def test_of_many_customers_the_best_hundredth_is_told_and_not_ten(margin_known, top, told, in_chinese):
    totals = {"total": 5e8, "top": top, "hundredth": 0.12}
    finding = findings.of_value(forecast("better"), totals, 12, margin_known)
    assert told in said(finding)[0] and ("not profit" in said(finding)[0]) is not margin_known
    assert in_chinese in said(finding, "zh")[0]


def test_a_forecast_that_lost_to_a_naive_rule_gives_no_number_and_names_the_rule():
    lost = forecast("loses_to_naive_rule", "past_rate", note="loses_to_naive_rule")
    sentence, note = said(findings.of_value(lost, NONE_VALUED, 12, margin_known=True))
    assert sentence.startswith("No lifetime value is given: ") and "simple rule" in sentence and "CN¥" not in sentence
    assert "120 days" in note and "as often as before" in note
    assert "照过往频率继续购买" in said(findings.of_value(lost, NONE_VALUED, 12, margin_known=True), "zh")[1]


def test_a_forecast_that_was_not_made_says_why_and_gives_no_number():
    sentence, note = said(findings.of_value({"note": "too_few_customers"}, NONE_VALUED, 12, margin_known=True))
    assert sentence == "No lifetime value is given: Too few customers for a forecast." and note == ""


def test_alerts_name_what_is_at_stake_who_is_called_and_how_the_warning_fared():
    """Two are warned of (60 + 40), two listed of whom one is held out; of those named before 7 in 10 stayed silent."""
    warned = pd.DataFrame({"tier": ["high", "low"], "customers": [1, 1], "value_at_stake": [60.0, 40.0]})
    listed = pd.DataFrame({"customer_id": ["a", "b"], "held_out": [True, False]})
    past = pd.DataFrame({"rule": ["recency_top_20", "ours"], "precision": [0.6, 0.7], "base_rate": [0.2, 0.2]})
    sentence, note = said(findings.of_alerts(warned, listed, past, margin_known=True))
    assert sentence.startswith("2 regular customers") and "CN¥100 of margin" in sentence
    assert note.startswith("1 are on the call list, 1 are held out") and "70% stayed silent" in note and "20%" in note
    sentence, note = said(findings.of_alerts(warned, listed, past.head(0), margin_known=False))
    assert "CN¥100 of net sales" in sentence and "stayed silent" not in note
    assert findings.of_alerts(warned.head(0), listed, past, margin_known=True) is None


def test_newcomers_against_last_month_and_the_year_before():
    row = {"measure": "new_customers", "value": 128.0, "previous": 168.0, "year_ago": 123.0}
    cost = {"measure": "acquisition_cost", "value": 88.96, "previous": None, "year_ago": None}
    sentence, note = said(findings.of_newcomers(pd.DataFrame([row, cost])))
    assert sentence == "128 customers bought for the first time this month, 168 the month before."
    assert "A year ago 123" in note and "88.96" in note
