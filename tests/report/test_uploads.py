"""CRM uploads: who is in a file, under which key, with which action; and what the README tells of the rest."""

import datetime as dt

import pandas as pd
import pytest

from tierbook import params
from tierbook.report import uploads
from tierbook.show.words import Words
from tierbook.workbook import Workbook

LONG = "4876876000000333051"  # a Zoho record id: 19 digits
TERMS = {"action": {"call": {"en": "=Call", "zh": "外呼"}}}
CRM_EXPORTS = {  # as their presets read them: two customers of the book, and the CRM's own record of each
    "zoho": (
        "zoho_accounts",
        "Record Id,Account Name,Account Owner,Industry,Employees,Billing State,Created Time\n"
        "R001,001,Li,Retail,50,SH,2025-01-05\nR4,c4,Li,Retail,50,SH,2025-01-05\n",
    ),
    "fxiaoke": (
        "fxiaoke_customers",
        "客户名称,客户编号,创建时间,负责人,行业,人员规模,省,来源,客户级别,成交状态\n"
        "001,R001,2025-01-05,王,零售,50,沪,展会,重要,已成交\nc4,R4,2025-01-05,王,零售,50,沪,展会,普通,已成交\n",
    ),
    "jiandaoyun": (
        "jiandaoyun_customers",
        "客户编号,数据ID,提交时间,客户负责人,客户行业,客户来源,省,提交人\n"
        "001,R001,2025-01-05,王,零售,展会,沪,王\nc4,R4,2025-01-05,王,零售,展会,沪,王\n",
    ),
}


class Month:
    """What the uploads ask of a workbook, by hand: five customers of the book, four in the customers table."""

    as_of, size = dt.date(2026, 10, 31), 5

    def __init__(self, *names, people="keys"):
        report = {"name": "shop", "languages": ["zh", "en"], "uploads": list(names)}
        source = {"transactions": {"preset": "demo"}, "customers": {"preset": "demo"}}
        self.params = params.parse({"report": report, "as_of": "2026-10-31", "source": source})
        self.people = people

    def book(self, columns=None):
        found = pd.DataFrame(
            {
                "customer_id": ["001", "13800138000", "=cmd()", "c4", "c5"],
                "tier": ["high", "low", "low", "outside", "potential"],
                "segment": ["champions", "lost", "lost", None, "new"],
                "stage": ["loyal", "lost", "lost", "lost", "new"],
                "next_tier": [None, None, None, None, "high"],
                "action": ["call", None, None, None, None],
            }
        )
        return found if columns is None else found[columns]

    def table(self, name, columns=None):
        assert name == "customers"
        keys = {"customer_id": ["001", "13800138000", "=cmd()", "c4"], "record_id": [LONG, "twice", "R3", "twice"]}
        known = pd.DataFrame(keys)
        return {"keys": known, "no keys": known.assign(record_id=None), None: None}[self.people]

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
    assert found["Tier"].tolist() == ["High value", "Low value"], "an English file has English values"
    assert found["Action"].tolist() == ["'=Call", ""]
    assert set(found["As Of"]) == {"2026-10-31"}


@pytest.mark.parametrize(
    ("name", "people", "key", "ids"),
    [
        ("fxiaoke", "keys", "客户编号", [LONG, "R3"]),
        ("jiandaoyun", "keys", "数据ID", [LONG, "R3"]),
        # without a record id of anybody, by what the orders call the customer; =cmd() is left out
        ("fxiaoke", "no keys", "客户名称", ["001", "13800138000", "c4", "c5"]),
        ("jiandaoyun", None, "客户编号", ["001", "13800138000", "c4", "c5"]),
    ],
)
def test_chinese_crms_are_keyed_by_their_own_record_where_it_is_known(tmp_path, name, people, key, ids):
    month = Month(name, people=people)
    month.params = params.parse(
        {**params.dump(month.params), "report": {"name": "x", "languages": ["en"], "uploads": [name]}}
    )
    uploads.write_uploads(month, tmp_path)
    path = tmp_path / "uploads" / f"{name}_customers.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    found = read(path)
    assert found.columns[0] == key and found[key].tolist() == ids, "leading zeros and long ids as they are"
    assert found["客户层级"].tolist()[0] == "高价值", "Chinese headings, Chinese values, also in an English report"
    assert not (tmp_path / "uploads" / "zoho_accounts.csv").exists(), "only what was asked for"


@pytest.mark.parametrize("name", CRM_EXPORTS)
def test_an_upload_joins_back_to_the_export_its_preset_read(tmp_path, name):
    """Export → preset → customers table → upload: by its first column, the upload finds each customer's own record."""
    preset, text = CRM_EXPORTS[name]
    (tmp_path / "export.csv").write_text(text, encoding="utf-8")
    (tmp_path / "orders.csv").write_text("customer_id,ordered_at,amount\n001,2026-01-05,1\n")
    month = Month(name)
    source = {
        "transactions": {"path": str(tmp_path / "orders.csv")},
        "customers": {"path": str(tmp_path / "export.csv"), "preset": preset},
    }
    tree = params.parse({**params.dump(month.params), "source": source})
    people = Workbook(tree, tmp_path / "out").table("customers")
    month.table = lambda *_: people
    uploads.write_uploads(month, tmp_path)
    found = read(tmp_path / "uploads" / uploads.FORMS[name].file)
    export = read(tmp_path / "export.csv")
    both = export.merge(found, on=found.columns[0], validate="one_to_one")
    column = "Tier" if name == "zoho" else "客户层级"
    names = both[{"zoho": "Account Name", "fxiaoke": "客户名称", "jiandaoyun": "客户编号"}[name]]
    outside = month.words("en" if name == "zoho" else "zh").term("tier", "outside")
    assert dict(zip(names, both[column], strict=True)) == {
        "001": "High value" if name == "zoho" else "高价值",
        "c4": outside,
    }


def test_the_readme_counts_everybody_in_both_languages(tmp_path):
    """Zoho: 2 in the file, 2 share a record id, 1 has none."""
    uploads.write_uploads(Month("zoho"), tmp_path)
    told = (tmp_path / "uploads" / "README.txt").read_text(encoding="utf-8-sig")
    english = told[told.rindex("zoho_accounts.csv") :]
    assert "zoho_accounts.csv: 2 customers." in english
    assert "Left out: 2 customers with a record id that several customers share." in english
    assert "Left out: 1 customer without a record id in the customers table." in english
    assert "Records are found by “Record Id” (here: record_id)." in english
    assert told.count("zoho_accounts.csv") == 2


def test_the_readme_says_which_key_stands_in_for_record_ids(tmp_path):
    """4 in the file, by 客户编号; =cmd() is left out."""
    uploads.write_uploads(Month("jiandaoyun", people="no keys"), tmp_path)
    told = (tmp_path / "uploads" / "README.txt").read_text(encoding="utf-8-sig")
    english = told[told.rindex("jiandaoyun_customers.csv") :]
    assert "jiandaoyun_customers.csv: 4 customers." in english and "Mapping assumed" in english
    assert "Records are found by “客户编号” (here: customer_id)." in english
    assert "Left out: 1 customer with an id that a spreadsheet would take for a formula." in english


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
        (["a\u202eb", "a\x00", "\u200b=1", "a\u200fb"], ["control", "control", "formula", None]),
    ],
)
def test_every_customer_is_in_a_file_or_left_out_for_one_reason(keys, reasons):
    given = pd.Series(keys, dtype=object)
    found = uploads.left_out(given, uploads.repeated(given))
    assert [None if pd.isna(reason) else reason for reason in found] == reasons


def test_without_a_customers_table_nobody_has_a_record_id(tmp_path):
    found = uploads.record_ids(Month("zoho").book()["customer_id"], None)
    assert found.isna().all() and len(found) == 5


def test_without_a_customers_table_zohos_file_is_empty_and_the_readme_says_why(tmp_path):
    month = Month("zoho")
    month.table = lambda *_: None
    uploads.write_uploads(month, tmp_path)
    written = (tmp_path / "uploads" / uploads.FORMS["zoho"].file).read_text(encoding="utf-8-sig")
    assert written.splitlines()[1:] == []
    assert "5 customers without a record id in the customers table" in (tmp_path / "uploads" / "README.txt").read_text(
        encoding="utf-8-sig"
    )


def test_nothing_is_written_where_nothing_is_asked_for(tmp_path):
    uploads.write_uploads(Month(), tmp_path)
    assert list(tmp_path.iterdir()) == []
