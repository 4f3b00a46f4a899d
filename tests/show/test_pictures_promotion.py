"""The case studies' drawings: what stands in them, in both languages."""

import pandas as pd
import pytest

from tierbook.show.figures import render
from tierbook.show.pictures.promotion import chance, draw_net_per_coupon, draw_truth
from tierbook.show.words import Words

TERMS = {
    "promotion_to": {"rule": {"en": "By the rule", "zh": "按规则"}},
    "trial_half": {"other": {"en": "the other half", "zh": "另一半"}},
}
COUPON = pd.DataFrame(
    {"who": ["rule"], "half": ["other"], "net_per_coupon": [0.055], "net_per_coupon_low": [0.014], "net_per_coupon_high": [0.095]}
)  # fmt: skip
MAILS = pd.DataFrame(
    {"tier": ["high", "low"], "outcome": "spend", "n_treated": 10, "n_control": 10, "truth": [2.0, -1.0],
     "effect": [2.2, 0.5], "low": [1.5, 0.1], "high": [3.0, 0.9]}
)  # fmt: skip


def test_a_p_value_for_a_sentence():
    words = Words("en")
    assert [chance(p)(words) for p in (0.0009, 0.001, 0.1208)] == ["p below 0.001", "p 0.001", "p 0.121"]


def test_what_a_coupon_nets():
    page = render(draw_net_per_coupon, Words("en", "USD", TERMS), COUPON)
    assert 'aria-label="By the rule, the other half: $0.055 a coupon, interval $0.014–$0.095."' in page


def test_planted_effects_are_counted_where_the_interval_holds_them():
    page = render(draw_truth, Words("en", "USD"), MAILS)
    assert "The interval holds the planted effect in 1 of 2 tiers." in page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pictures_without_a_number(language):
    words = Words(language, "CNY", TERMS)
    assert render(draw_net_per_coupon, words, COUPON.assign(net_per_coupon=float("nan")))
