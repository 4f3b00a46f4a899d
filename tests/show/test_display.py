"""One display call, one bundle with every language."""

import pandas as pd
import pytest

from tierbook.show.display import MIME, Show, in_lab


@pytest.fixture
def shown(monkeypatch):
    bundles = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: bundles.append(data))
    return bundles


def test_a_sentence_is_said_in_each_language(shown):
    Show(["zh", "en"]).say("Data as of {as_of:date}", as_of="2026-10-31")
    assert shown == [
        {
            "text/html": in_lab("<p>数据截至2026年10月31日</p>"),
            MIME: {"zh": "<p>数据截至2026年10月31日</p>", "en": "<p>Data as of October 31, 2026</p>"},
        }
    ]


def test_values_are_escaped_everywhere(shown):
    show = Show(["en"])
    for voice in (show.say, show.note, show.warn):
        voice("<b>{name}</b>", name="<script>")
    show.missing("<script>", "<script>")
    show.table(pd.DataFrame({"customer_id": ["<script>"]}))
    assert len(shown) == 5
    assert all("<script>" not in page["text/html"] and "&lt;script&gt;" in page["text/html"] for page in shown)


def test_a_missing_table_says_what_would_bring_the_section(shown):
    Show(["en", "zh"], "CNY").missing("surveys", ["customer_id", "answered_at"])
    pages = shown[0][MIME]
    assert "needs the table Surveys (columns customer_id, answered_at): add <code>source.surveys</code>" in pages["en"]
    assert "本节需要“问卷”表（列：customer_id, answered_at）" in pages["zh"]


def test_own_html_and_figures_are_built_once_per_language(shown):
    show = Show(["en", "zh"], "USD")
    show.html(lambda words: words.money(5))
    show.figure(lambda ax, words, n: words.number(n), 1204)
    assert shown[0][MIME] == {"en": "$5.00", "zh": "US$5.00"}
    assert all('aria-label="1,204"' in page for page in shown[1][MIME].values())


def test_its_words_carry_currency_and_terms():
    words = Show(["en", "zh"], "USD", {"tier": {"gold": {"zh": "金卡"}}}).words("zh")
    assert (words.money(5), words.term("tier", "gold")) == ("US$5.00", "金卡")
