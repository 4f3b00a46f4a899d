"""Protection period and manual overrides: who keeps a tier, until when, and who was given one by hand."""

import datetime as dt

import pandas as pd
import pytest

from tierbook.accounting import day_number
from tierbook.errors import ParamsError
from tierbook.insight import overrides
from tierbook.insight.protection import protect, protected
from tierbook.months import months_before

AS_OF = dt.date(2026, 10, 31)
DATES = [months_before(AS_OF, k) for k in range(5)]
ORDER = ["high", "middle", "low"]


def path(**by_customer):
    """One letter a month, oldest first: h, m, l, ? for a tier that is unknown, and . for no order in the window."""
    names = {"h": "high", "m": "middle", "l": "low", "?": None}
    rows = [
        (day_number(date), customer, names[letter], 10.0)
        for customer, letters in by_customer.items()
        for date, letter in zip(reversed(DATES), letters, strict=True)
        if letter != "."
    ]
    return pd.DataFrame(rows, columns=["end", "customer_id", "tier", "net"])


def letters(found, customer):
    at = found[found["customer_id"] == customer].set_index("end")["tier"]
    return "".join(at.reindex([day_number(d) for d in reversed(DATES)]).fillna(".").str[0])


@pytest.mark.parametrize(
    ("months", "computed", "kept"),
    [
        (0, "hlllm", "hlllm"),
        (1, "hlllm", "hhllm"),  # one more month at high, then low; a rise counts at once
        (2, "hlllm", "hhhlm"),
        (2, "hmlll", "hhhml"),  # after high is used up, middle still protects: best of the last three is m, then l
        (2, "lhlhl", "lhhhh"),  # earned again in the fourth month, held in the fifth
        (2, "hl.ll", "hh.ll"),  # outside the window nothing is protected; the fourth looks back at l . (h is 3 ago)
        (3, ".l.hm", ".l.hh"),
    ],
)
def test_a_tier_falls_only_after_the_months_of_protection(months, computed, kept):
    found = protect(path(a=computed, b="lllll"), DATES, ORDER, months)
    assert letters(found, "a") == kept
    assert letters(found, "b") == "lllll"
    assert found["computed"].tolist() == path(a=computed, b="lllll")["tier"].tolist()


def test_a_tier_that_is_unknown_is_never_taken_for_the_best():
    """With rfm.monetary margin a line without its cost leaves a customer in the window without a tier."""
    found = protect(path(a="l????", b="hhh??"), DATES, ORDER, 1)
    assert letters(found, "a") == "ll..."  # protected for one month, then unknown again
    assert letters(found, "b") == "hhhh."


def test_the_order_of_rows_changes_nothing():
    rows = path(a="hlllm", b="mmlhl", c="..hll")
    found = protect(rows.sample(frac=1, random_state=3), DATES, ORDER, 2).sort_index()
    pd.testing.assert_frame_equal(found, protect(rows, DATES, ORDER, 2))


def test_the_list_says_until_when_a_tier_is_kept():
    """c was high last in August (two months ago): with two months of protection October is the last month."""
    found = protected(protect(path(a="hhhhl", b="mmmmm", c="llhll"), DATES, ORDER, 2), AS_OF, 2)
    assert found.to_dict("records") == [
        {
            "customer_id": "a",
            "tier": "high",
            "computed": "low",
            "net": 10.0,
            "held_since": dt.date(2026, 9, 30),
            "held_until": dt.date(2026, 11, 30),
        },
        {
            "customer_id": "c",
            "tier": "high",
            "computed": "low",
            "net": 10.0,
            "held_since": dt.date(2026, 8, 31),
            "held_until": dt.date(2026, 10, 31),
        },
    ]


def write(tmp_path, text):
    file = tmp_path / "overrides.csv"
    file.write_text(text, encoding="utf-8-sig")
    return file


def given(tmp_path, rows="a,high,key account,2026-12-31"):
    return overrides.read_overrides(write(tmp_path, f"customer_id,tier,reason,until\n{rows}\n"), ORDER)


FIRST = pd.Series({"a": 0, "b": 0, "late": day_number(dt.date(2026, 10, 2))})


def test_an_override_stands_above_the_computed_tier_until_its_last_day(tmp_path):
    """Until 30 September: in October the computed tier is back. b is outside in July and gets a row: a person asked."""
    told = given(tmp_path, "a,high,key account,2026-12-31\nb,middle,开发中,2026/9/30")
    tiers = path(a="lllll", b="l.lll").assign(computed=lambda t: t["tier"], active_days=1)
    found = overrides.override(tiers, told, DATES, FIRST)
    assert (letters(found, "a"), letters(found, "b")) == ("hhhhh", "mmmml")
    added = found[found["computed"].isna()]
    assert added[["customer_id", "net", "active_days", "overridden"]].values.tolist() == [["b", 0, 0, True]]
    assert found["overridden"].sum() == 9


def test_an_override_gives_nobody_a_tier_before_the_first_order(tmp_path):
    told = given(tmp_path, "late,high,x,2026-12-31\nnobody,high,x,2026-12-31")
    tiers = path(a="lllll").assign(computed=lambda t: t["tier"], active_days=1)
    found = overrides.override(tiers, told, DATES, FIRST)
    assert (letters(found, "late"), letters(found, "nobody")) == ("....h", ".....")


def test_an_override_can_begin(tmp_path):
    file = write(tmp_path, "customer_id,tier,reason,until,since\na,high,x,2026-12-31,2026-09-30\n")
    tiers = path(a="lllll").assign(computed=lambda t: t["tier"], active_days=1)
    assert letters(overrides.override(tiers, overrides.read_overrides(file, ORDER), DATES, FIRST), "a") == "lllhh"


def test_every_override_is_listed_with_what_became_of_it(tmp_path):
    told = given(tmp_path, "a,high,key account,2026-10-31\nb,middle,was promised,2026-10-30\nghost,low,x,2027-01-01")
    tiers = path(a="lllll", b="lllll").assign(computed=lambda t: t["tier"], active_days=1)
    found = overrides.listed(told, overrides.override(tiers, told, DATES, FIRST), AS_OF, FIRST)
    assert found["status"].tolist() == ["in_use", "expired", "unknown_customer"]
    assert found.loc[0, ["computed", "reason", "until"]].tolist() == ["low", "key account", dt.date(2026, 10, 31)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("customer,tier,reason,until\na,high,x,2026-01-01\n", r"no column 'customer_id' \(nearest is 'customer'\)"),
        ("customer_id,tier,reason,until\na,top,x,2026-01-01\n", r"column tier: 1 rows, first 'top'.*high, middle, low"),
        ("customer_id,tier,reason,until\na,high,,2026-01-01\n", r"column reason: 1 rows, first 'a': is empty"),
        ("customer_id,tier,reason,until\na,high,x,\n", r"column until: 1 rows, first 'a': is empty"),
        ("customer_id,tier,reason,until\na,high,x,soon\n", r"column until: 1 rows, first 'soon': is not a date"),
        ("customer_id,tier,reason,until\na,high,x,2026-02-30\n", r"first '2026-02-30': is not a date"),
        ("customer_id,tier,reason,until\na,high,x,2026-01-01\na,low,y,2026-01-01\n", r"first 'a': stands twice"),
        ("", "cannot be read as CSV"),
    ],
)
def test_a_faulty_override_is_refused_in_one_line(tmp_path, text, told):
    with pytest.raises(ParamsError, match=told) as refused:
        overrides.read_overrides(write(tmp_path, text), ORDER)
    assert "overrides.csv" in str(refused.value) and "\n" not in str(refused.value)


def test_a_missing_file_of_overrides_is_named(tmp_path):
    with pytest.raises(ParamsError, match=r"nowhere\.csv does not exist"):
        overrides.read_overrides(tmp_path / "nowhere.csv", ORDER)


def test_an_override_file_of_excel_in_china_is_read(tmp_path):
    file = tmp_path / "overrides.csv"
    file.write_bytes("customer_id,tier,reason,until\n客户甲,high,大客户,2026-12-31\n".encode("gb18030"))
    assert overrides.read_overrides(file, ORDER)["customer_id"].tolist() == ["客户甲"]
