"""CRM uploads: who is in a file, under which key, with which action; and what the README tells of the rest."""

import datetime as dt

import pandas as pd
import pytest

from tierbook import params
from tierbook.errors import ParamsError
from tierbook.report import uploads
from tierbook.show.words import Words

LONG = "4876876000000333051"  # a Zoho record id: 19 digits
TERMS = {"action": {"call": {"en": "=Call", "zh": "外呼"}}}


class Month:
    """What the uploads ask of a workbook, by hand: five customers of the book, four in the customers table."""

    as_of = dt.date(2026, 10, 31)

    def __init__(self, *names, people=True):
        report = {"name": "shop", "languages": ["zh", "en"], "uploads": list(names)}
        source = {"transactions": {"preset": "demo"}, "customers": {"preset": "demo"}}
        self.params = params.parse({"report": report, "as_of": "2026-10-31", "source": source})
        self.people = people

    def book(self):
        return pd.DataFrame(
            {
                "customer_id": ["001", "13800138000", "=cmd()", "c4", "c5"],
                "tier": ["high", "low", "low", "outside", "potential"],
                "segment": ["champions", "lost", "lost", None, "new"],
                "stage": ["loyal", "lost", "lost", "lost", "new"],
                "next_tier": [None, None, None, None, "high"],
                "action": ["call", None, None, None, None],
            }
        )

    def table(self, name):
        assert name == "customers"
        keys = {"customer_id": ["001", "13800138000", "=cmd()", "c4"], "record_id": [LONG, "twice", "R3", "twice"]}
        return pd.DataFrame(keys) if self.people else None

    def words(self, language):
        return Words(language, "CNY", TERMS)


def read(path):
    return pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)


def test_zoho_rows_stand_under_their_record_id(tmp_path):
    """Of five customers two share a record id and c5 has none: two rows are left."""
    uploads.write_uploads(Month("zoho"), tmp_path)
    path = tmp_path / "uploads" / "zoho_accounts.csv"
    assert not path.read_bytes().startswith(b"\xef\xbb\xbf"), "a mark before Record Id would hide the key"
    found = read(path)
    assert list(found) == ["Record Id", "Tier", "Segment", "Stage", "Next Tier", "Action", "As Of"]
    assert found["Record Id"].tolist() == [LONG, "R3"]
    assert found["Tier"].tolist() == ["高价值", "低价值"] and found["Action"].tolist() == ["外呼", ""]
    assert set(found["As Of"]) == {"2026-10-31"}


def test_chinese_crms_are_keyed_by_the_customers_number(tmp_path):
    uploads.write_uploads(Month("fxiaoke", "jiandaoyun"), tmp_path)
    for name in ("fxiaoke_customers.csv", "jiandaoyun_customers.csv"):
        assert (tmp_path / "uploads" / name).read_bytes().startswith(b"\xef\xbb\xbf")
        found = read(tmp_path / "uploads" / name)
        assert found["客户编号"].tolist() == ["001", "13800138000", "c4", "c5"], (
            "leading zeros and long ids as they are"
        )
        assert found["下一层级"].tolist() == ["", "", "", "高价值"]
    assert not (tmp_path / "uploads" / "zoho_accounts.csv").exists(), "only what was asked for"


def test_the_readme_counts_everybody_in_both_languages(tmp_path):
    """Zoho: 2 in the file, 2 share a record id, 1 has none; 简道云: 4 in the file, =cmd() left out."""
    uploads.write_uploads(Month("zoho", "jiandaoyun"), tmp_path)
    told = (tmp_path / "uploads" / "README.txt").read_text(encoding="utf-8-sig")
    english = told[told.rindex("zoho_accounts.csv") :]
    assert "zoho_accounts.csv: 2 customers." in english
    assert "Left out: 2 customers with a record id that several customers share." in english
    assert "Left out: 1 customer without a record id in the customers table." in english
    assert "jiandaoyun_customers.csv: 4 customers." in english and "Mapping assumed" in english
    assert "Left out: 1 customer with an id that a spreadsheet would take for a formula." in english
    assert told.count("zoho_accounts.csv") == 2


def test_words_that_look_like_formulas_are_defused_keys_never_altered(tmp_path):
    month = Month("zoho")
    month.params = params.parse(
        {**params.dump(month.params), "report": {"name": "x", "languages": ["en"], "uploads": ["zoho"]}}
    )
    uploads.write_uploads(month, tmp_path)
    assert read(tmp_path / "uploads" / "zoho_accounts.csv")["Action"].tolist() == ["'=Call", ""]


@pytest.mark.parametrize(
    ("keys", "reasons"),
    [
        (["a", "b"], [None, None]),
        (["a", "a", None], ["shared", "shared", "no_key"]),
        ([None, None], ["no_key", "no_key"]),  # two nulls share nothing
        (["-1", "+86", "1"], ["formula", "formula", None]),
        ([" ", ""], ["no_key", "no_key"]),
    ],
)
def test_every_customer_is_in_a_file_or_left_out_for_one_reason(keys, reasons):
    found = uploads.left_out(pd.Series(keys, dtype=object))
    assert [None if pd.isna(reason) else reason for reason in found] == reasons


def test_without_a_customers_table_nobody_has_a_record_id(tmp_path):
    rows = uploads.rows_of(Month("zoho").book(), None, dt.date(2026, 10, 31))
    assert rows["record_id"].isna().all() and len(rows) == 5


def test_zoho_without_a_customers_table_is_refused_before_anything_runs():
    tree = {
        "report": {"name": "x", "uploads": ["zoho"]},
        "as_of": "2026-10-31",
        "source": {"transactions": {"preset": "demo"}},
    }
    with pytest.raises(ParamsError, match=r"zoho, which needs .* add source\.customers") as refused:
        uploads.check_uploads(params.parse(tree))
    assert "\n" not in str(refused.value)
    uploads.check_uploads(params.parse({**tree, "report": {"name": "x", "uploads": ["jiandaoyun"]}}))


def test_nothing_is_written_where_nothing_is_asked_for(tmp_path):
    uploads.write_uploads(Month(), tmp_path)
    assert list(tmp_path.iterdir()) == []
