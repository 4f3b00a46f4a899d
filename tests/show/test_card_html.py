"""The card as HTML: every part said in both languages, and text from data that can do no harm."""

import datetime as dt
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from tierbook.months import months_before
from tierbook.show.card import card_html
from tierbook.show.words import Words

EN, ZH = Words("en", "CNY"), Words("zh", "CNY")
AS_OF = dt.date(2026, 10, 31)
HOSTILE = [
    "<script>alert(1)</script>",
    "=cmd()",
    "x" * 400,
    "\u202eabc\u05e9\u05dc",
    "' onmouseover='x",
    "{n:number}",
    "&lt;b&gt;",
]


def given(**changed):
    row = {
        "customer_id": "C01", "tier": "high", "stage": "at_risk", "alert": True, "alert_reason": "silent_beyond_cadence",
        "value_at_stake": 500.0, "orders": 7, "first_order": dt.date(2025, 1, 2), "last_order": dt.date(2026, 8, 1),
        "previous_tier": "potential", "change_reason": "m_up", "change_cause": "customer", "clv": 900.0, "clv_low": 100.0,
        "clv_high": 2000.0, "expected_orders": 2.5, "orders_low": 0, "orders_high": 5, "value_note": None,
    }  # fmt: skip
    months = pd.period_range(end="2026-10", periods=24, freq="M")
    net = [0.0] * 22 + [-20.0, 80.0]
    path = [None] * 3 + ["low"] * 5 + ["outside"] * 2 + ["high"] * 4
    card = {
        "book": {**row, **changed.pop("book", {})},
        "as_of": AS_OF,
        "months": pd.DataFrame({"month": [m.start_time.date() for m in months], "orders": [0] * 23 + [2], "net": net}),
        "scores": [{"measure": "frequency", "letter": "f", "value": 5.0, "score": 4, "bins": 5, "next_at": 6.0, "next_score": 5}],
        "path": pd.DataFrame({"date": [months_before(AS_OF, k) for k in range(13, -1, -1)], "tier": pd.Series(path, dtype=object)}),
        "tiers": ["high", "potential", "ordinary", "low"],
        "stage": {"silent": 91, "own_gap": 20.0, "limit": 40, "purchase_days": 6, "span": 300, "new_days": 77.0, "lost_days": 189.0},
        "next_tier": {"next_tier": "high", "orders_missing": 2.0, "spend_missing": 230.0},
        "action": {"action": {"en": "Call", "zh": "外呼"}, "channel": "phone", "owner": "Li", "due": dt.date(2026, 11, 10)},
        "margin_known": True,
    }  # fmt: skip
    return {**card, **changed}


class Text(HTMLParser):
    """What a browser would show, and the elements and attributes it would build."""

    def __init__(self, page):
        super().__init__()
        self.shown, self.tags, self.attributes = "", [], set()
        self.feed(page)

    def handle_data(self, data):
        self.shown += data + " "

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}


def test_every_part_is_said():
    shown = Text(card_html(EN, given())).shown
    for part in (
        "C01", "High value", "At risk", "Early warning", "October 31, 2026", "Call", "phone, Li", "by November 10, 2026",
        "To High value: 2 more orders, with CN¥230 more in net sales.", "7 orders, the first on 2025-01-02, the last on 2026-08-01",
        "Frequency 5 → F 4 of 5", "F 5 from 6", "Silent for 91 days; at a cadence of about 20 days, at risk beyond 40.",
        "Potential → High value", "Spends more", "value at stake CN¥500", "CN¥900 (80% range CN¥100–CN¥2,000)", "2.5 purchase days",
        "most in October 2026 with CN¥80.00", "Low value", "2025-12 – 2026-04", "Not yet a customer", "No order in the window",
    ):  # fmt: skip
        assert part in re.sub(r"\s+([,.])", r"\1", re.sub(r"\s+", " ", shown)), part


def test_chinese_names_its_codes_and_lists_in_chinese():
    shown = Text(card_html(ZH, given())).shown
    for part in ("高价值", "流失风险", "外呼", "、", "消费金额上升", "窗口期内无订单"):
        assert part in shown


@pytest.mark.parametrize("stage", ["new", "active", "loyal", "at_risk", "lost", "of_the_users_own"])
def test_every_stage_can_be_told(stage):
    assert "91" in Text(card_html(EN, given(book={"stage": stage}))).shown or stage == "of_the_users_own"


def test_what_is_missing_is_said_or_left_out():
    none = {"clv": None, "value_note": "too_few_customers", "alert": False, "previous_tier": None, "tier": "outside"}
    shown = Text(card_html(EN, given(book=none, scores=[], action=None, next_tier=None))).shown
    for part in (
        "Too few customers for a forecast",
        "not scored",
        "Not on this month's action list",
        "First purchase since last month",
    ):
        assert part in shown
    for part in ("nan", "None ", "NaT", "Early warning", "at stake"):
        assert part not in shown.replace("None is given", "")


def test_net_sales_are_not_called_profit():
    shown = Text(card_html(EN, given(margin_known=False))).shown
    assert "net sales, not profit" in shown and "net sales at stake CN¥500" in shown


def test_any_order_will_do():
    lacking = {"next_tier": "high", "orders_missing": 1.0, "spend_missing": 0.0}
    assert "To High value: 1 more order of any size." in Text(card_html(EN, given(next_tier=lacking))).shown


def test_an_action_carries_its_measure_where_it_has_one():
    action = given()["action"]
    assert "Measured by" not in Text(card_html(EN, given(action=action))).shown
    measured = action | {"measure": {"en": "orders within 30 days", "zh": "30天内订单数"}}
    assert "Measured by: orders within 30 days" in Text(card_html(EN, given(action=measured))).shown


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("words", [EN, ZH], ids=["en", "zh"])
def test_hostile_text_is_shown_and_does_nothing(text, words):
    action = {"action": text, "measure": text, "channel": {"xx": text}, "owner": text, "due": AS_OF}
    book = {"customer_id": text, "tier": text, "stage": text, "alert_reason": text, "change_reason": text}
    page = Text(card_html(words, given(book=book, action=action)))
    calm = Text(card_html(words, given(action=given()["action"] | {"measure": "orders"})))
    assert page.shown.count(text) >= 5, "as it stands in the data"
    assert set(page.tags) == set(calm.tags) and page.attributes == calm.attributes
    assert page.tags.count("bdi") >= 4, "its direction stays its own"


def test_a_month_of_refunds_hangs_below_the_line():
    page = card_html(EN, given())
    bars = re.findall(r'<rect x="[\d.]+" y="([\d.]+)" width="7" height="([\d.]+)" fill="(#\w+)"><title>', page)
    # 80 above and 20 below share 60 points: 48 above the line, 12 below; the other months are flat
    assert len(bars) == 24 and [b[:2] for b in bars[-2:]] == [("48.0", "12.0"), ("0.0", "48.0")]
    assert bars[-2][2] != bars[-1][2] and all(b[1] == "0.0" for b in bars[:22])


def test_no_purchase_at_all_draws():
    card = given()
    assert "<svg" in card_html(EN, {**card, "months": card["months"].assign(net=0.0, orders=0)})


def test_text_on_every_tier_colour_can_be_read():
    # black on white is 21, the least that WCAG asks of text is 4.5
    def light(colour):
        parts = [
            int(c, 16) / 255
            for c in re.findall("..", colour[1:] if len(colour) == 7 else "".join(2 * x for x in colour[1:]))
        ]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    tiers = ["high", "potential", "ordinary", "low", "a", "b", "c", "d", "e", "outside"]
    path = given()["path"].head(10).assign(tier=tiers)
    found = re.findall(r"background:(#\w+);color:(#\w+)", card_html(EN, given(tiers=tiers[:-1], path=path)))
    assert len(found) >= 10
    for ground, ink in found:
        low, high = sorted([light(ground), light(ink)])
        assert (high + 0.05) / (low + 0.05) >= 4.5, (ground, ink)
