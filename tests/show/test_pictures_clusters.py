"""Drawing of the clusters: names in both languages, the sentence carries the computed value."""

import warnings

import pandas as pd
import pytest

from tierbook.scores.cluster_traits import AVERAGE, TRAITS
from tierbook.show import figures
from tierbook.show.pictures.clusters import cluster_name, draw_profile
from tierbook.show.words import Words

TERMS = {
    "cluster_trait": {
        "recent": {"en": "recent", "zh": "近期购买"},
        "frequent": {"en": "frequent", "zh": "高频"},
        "high_spend": {"en": "high spend", "zh": "高消费"},
        "very_high_spend": {"en": "very high spend", "zh": "极高消费"},
        "lapsed": {"en": "lapsed", "zh": "久未购买"},
        "average": {"en": "close to average", "zh": "特征平均"},
    }
}
EN, ZH = Words("en", "USD", TERMS), Words("zh", "CNY", TERMS)
PROFILE = pd.DataFrame(
    {
        "cluster": [1, 2, 3],
        "code": ["recent+frequent+very_high_spend", "average", "lapsed"],
        "recency_z": [-1.6, 0.1, 3.2],
        "frequency_z": [1.3, 0.0, -0.4],
        "monetary_z": [2.4, 0.2, -0.3],
        "customers": [20, 1200, 300],
    }
)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("recent+frequent+high_spend", "recent, frequent, high spend"),
        ("very_high_spend", "very high spend"),
        ("average", "close to average"),
        ("lapsed#2", "lapsed (2)"),
    ],
)
def test_codes_are_named(code, name):
    assert cluster_name(EN, code) == name


def test_codes_are_named_in_chinese():
    assert cluster_name(ZH, "recent+frequent+high_spend") == "近期购买·高频·高消费"
    assert cluster_name(ZH, "lapsed#2") == "久未购买（2）"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_trait_has_a_name(language):
    plain = [trait for pair in TRAITS for trait in pair]
    words = Words(language)
    names = [cluster_name(words, code) for code in [AVERAGE, *plain, *(f"very_{trait}" for trait in plain)]]
    assert len(set(names)) == len(names) == 13
    assert not any("_" in name for name in names)


@pytest.mark.parametrize("profile", [PROFILE, PROFILE.head(1), pd.concat([PROFILE] * 4)])
def test_the_profile_draws_and_names_the_largest(profile):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pages = [figures.render(draw_profile, words, profile) for words in (EN, ZH)]
    said = pages[0].split('aria-label="')[1].split('"')[0]
    largest = {1: "1: recent, frequent, very high spend, 20 customers."}
    assert said == "The largest cluster is " + largest.get(len(profile), "2: close to average, 1,200 customers.")


def test_recency_is_turned_round_so_that_a_plus_means_more():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    draw_profile(axes, EN, PROFILE)
    assert [text.get_text() for text in axes.texts[:3]] == ["+1.6", "+1.3", "+2.4"]
    assert [text.get_text() for text in axes.texts[6:]] == ["−3.2", "−0.4", "−0.3"]
    assert [label.get_text() for label in axes.get_yticklabels()][2] == "3  lapsed (300)"
