"""The list of actions on the first screen: by chapter, each with its measure."""

import datetime as dt
import re

import pandas as pd

from tierbook.insight.actions import counted, due_lists
from tierbook.show import first_screen, month_lists
from tierbook.show.words import Words

ACTIONS = [
    {
        "code": "offer",
        "words": {"en": "Offer", "zh": "优惠"},
        "chapter": "develop",
        "measure": {"en": "profit", "zh": "利润"},
    },
    {"code": "visit", "words": {"en": "Visit", "zh": "回访"}, "chapter": "keep", "measure": "orders", "owner": "Li"},
    {"code": "mail", "words": "Mail <b>"},
    {"code": "welcome", "words": {"en": "Welcome", "zh": "欢迎"}, "chapter": "acquire"},
]
NO_CALLS = {"customers": 0, "held_out": 0, "channels": [], "verdict": None, "due": dt.date(2026, 11, 30)}


def rows(language, calls=NO_CALLS):
    """Each row of the table as the texts of its cells."""
    codes = [action["code"] for action in ACTIONS]
    listed = pd.DataFrame({"action": codes * 2, "held_out": [False] * 4 + [True] * 4})
    lists = due_lists(counted(listed), ACTIONS, dt.date(2026, 10, 31))
    earned = pd.DataFrame({"action": codes, "verdict": "untested", "earned": None, "latest": None})
    page = month_lists.todo(Words(language, "CNY"), lists, earned, calls)
    body = page[page.index("<tbody>") :]
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", body)]


def test_actions_stand_by_chapter_and_carry_their_measure():
    """Acquire, keep, develop, then what has no chapter; a measure for all languages or one for each; none is a dash."""
    told = [row[:3] for row in rows("zh")]
    assert told == [
        ["欢迎", "客户获取", "–"],
        ["回访", "客户维护", "orders"],
        ["优惠", "客户发展", "利润"],
        ["Mail &lt;b&gt;", "–", "–"],
    ]


def test_the_call_list_is_the_first_to_keep_customers():
    calls = {"customers": 40, "held_out": 4, "channels": ["phone"], "verdict": None, "due": dt.date(2026, 11, 30)}
    told = rows("en", calls)
    assert [row[0] for row in told][:3] == ["Welcome", Words("en", "CNY").term("campaign", "early_warning"), "Visit"]
    assert told[1][2] == "money per customer until the next report" and told[1][6:8] == ["40", "4"]


FINDING = ("Sales were {n:money}.", "", {"n": 5.0})


def soonest(lists, calls=NO_CALLS):
    page = first_screen.month(Words("en", "CNY"), [FINDING], lists, calls, "zh")
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    return page, [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", body)]


def nine_lists():
    """List k (1 to 9) is due on day 10 - k of November and holds k customers; the ninth is due first."""
    rows = [{"code": f"a{k}", "chapter": "keep", "action": f"A{k} <i>", "action_measure": None, "channel": "sms",
             "owner": None, "due": dt.date(2026, 11, 10 - k), "customers": k, "held_out": 0} for k in range(1, 10)]  # fmt: skip
    return pd.DataFrame(rows)


def test_beside_the_findings_stand_the_lists_due_first_with_their_files():
    """Eight of nine: the last due is left out, and the line beneath counts all; text from the catalogue is escaped."""
    page, told = soonest(nine_lists())
    assert 'href="../customers.en.xlsx"' in page, "the Chinese report's first workbook is Chinese"
    assert "Sales were CN¥5.00." in page and "9 lists in all" in page
    assert [re.sub("<[^>]+>", "", row[0]) for row in told] == [f"A{k} &lt;i&gt;" for k in range(9, 1, -1)]
    assert told[0][1:] == ["–", "11-01", "9"] and 'href="../excel/action_list.csv"' in told[0][0]


def test_the_call_list_comes_before_all_and_links_its_own_file():
    page, told = soonest(
        nine_lists(),
        {"customers": 40, "held_out": 4, "channels": ["phone"], "verdict": None, "due": dt.date(2026, 11, 30)},
    )
    assert 'href="../excel/alerts.csv"' in told[0][0] and told[0][2:] == ["11-30", "40"] and "10 lists in all" in page


def test_without_lists_only_the_findings_are_told():
    page = first_screen.month(Words("en", "CNY"), [FINDING], nine_lists().head(0), NO_CALLS, "en")
    assert "Sales were" in page and "<table" not in page
