"""One customer, one id: mappings by shop, chains and circles, lost zeros, and what was excluded."""

import pandas as pd
import pytest

from tierbook import accounting, params, records, sources
from tierbook.errors import InputError


@pytest.fixture
def judge(engine, tmp_path):
    """Judge one table from texts by file name; its rows by reason and its judged or kept rows."""

    def call(table, files, id_map=None, **spec):
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        source = {table: {"path": [str(tmp_path / name) for name in files], **spec}}
        tree = params.parse({"report": {"name": "x"}, "as_of": "2026-10-31", "source": source})
        raw = sources.read(engine, table, getattr(tree.source, table), tmp_path / "scratch")
        target = tmp_path / f"{table}.parquet"
        work = (
            (engine, raw, tree, target, id_map)
            if table == "transactions"
            else (engine, raw, table, tree, target, id_map)
        )
        counted = (accounting.judge_transactions if table == "transactions" else records.judge_table)(*work)
        return dict(zip(counted["reason"], counted["rows"], strict=True)), pd.read_parquet(target)

    return call


@pytest.fixture
def mapping(judge, tmp_path):
    def call(rows):
        judge("id_map", {"map.csv": "from_id,customer_id,source\n" + rows})
        return tmp_path / "id_map.parquet"

    return call


def test_a_mapping_with_a_source_holds_for_that_store_channel_or_file(judge, mapping):
    # Store before channel before file before everywhere: in north/app of web.csv the store's mapping counts.
    ids = mapping("7,S,north\n7,C,app\n7,F,web.csv\n7,E,\n8,only,south\n")
    header = "customer_id,ordered_at,amount,store,channel,order_id\n"
    web = "7,2026-01-01,1,north,app,o1\n7,2026-01-01,1,east,app,o2\n7,2026-01-01,1,east,shop,o3\n8,2026-01-01,1,north,x,o4\n"
    files = {"web.csv": header + web, "till.csv": header + "7,2026-01-01,1,east,shop,o5\n8,2026-01-01,1,south,,o6\n"}
    by, lines = judge("transactions", files, ids)
    assert by == {"kept": 6}
    found = lines.set_index("order_id")["customer_id"].sort_index()
    assert found.to_dict() == {"o1": "S", "o2": "C", "o3": "F", "o4": "8", "o5": "E", "o6": "only"}


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("contacts", "campaign,customer_id,arm,assigned_at\nx,old,t,2026-01-01\n"),
        ("surveys", "customer_id,answered_at\nold,2026-01-01\n"),
        ("tickets", "customer_id,opened_at\nold,2026-01-01\n"),
        ("visits", "customer_id,visited_at\nold,2026-01-01\n"),
        ("leads", "lead_id,created_at,customer_id\nl1,2026-01-01,old\n"),
        ("customers", "customer_id,region\nold,north\n"),
    ],
)
def test_ids_are_mapped_in_every_table(judge, mapping, table, text):
    by, kept = judge(table, {"t.csv": text}, mapping("old,new,\n"))
    assert by == {"kept": 1} and kept["customer_id"].tolist() == ["new"]


def test_customers_mapped_to_one_id_are_one_row_and_so_is_who_brought_them(judge, mapping):
    text = "customer_id,referred_by\nold1,\nold2,old1\nb,old2\n"
    by, kept = judge("customers", {"c.csv": text}, mapping("old1,new,\nold2,new,\n"))
    assert by == {"kept": 2, "duplicate": 1}
    assert kept.set_index("customer_id")["referred_by"].to_dict() == {"b": "new", "new": "new"}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("a,b,\nb,c,\n", "1 mappings of from_id lead to an id that is mapped on, first a → b → c"),
        ("a,b,\nb,a,\n", "2 mappings of from_id go round in a circle, first a → b → a"),
        ("a,b,north\nb,c,\n", "first a → b → c"),
    ],
)
def test_mappings_that_lead_on_are_refused(mapping, rows, told):
    with pytest.raises(InputError) as caught:
        mapping(rows)
    assert str(caught.value).startswith("map.csv: ") and told in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("rows", ["a,a,\n", "a,b,north\nb,c,south\n", "a,c,\nb,c,\n"])
def test_mappings_that_end_at_once_are_taken(mapping, rows):
    assert len(pd.read_parquet(mapping(rows))) == rows.count("\n")


def test_who_lost_its_zeros_is_neither_merged_nor_a_second_customer(judge):
    # 0123 and 123 both stand: 123 is set aside. 00 and 0 are no such pair, nor 0x1 and x1; 45 has no twin.
    rows = "".join(f"{c},2026-01-01,1\n" for c in ("0123", "123", "123", "45", "00", "0", "0x1", "x1"))
    by, lines = judge("transactions", {"o.csv": "customer_id,ordered_at,amount\n" + rows})
    assert by == {"kept": 6, "lost_zeros": 2}
    assert set(lines.loc[lines["reason"] == "lost_zeros", "customer_id"]) == {"123"}
    assert judge("customers", {"c.csv": "customer_id,region\n0123,n\n123,s\n45,e\n"})[0] == {"kept": 2, "lost_zeros": 1}


def test_optional_tables_lose_their_totals_headers_and_faulty_ids(judge):
    text = "客户列表\n\ncustomer_id,region\na,n\n合计,\n,\ncustomer_id,region\n1.38E+10,n\n138****1234,n\n"
    by, kept = judge("customers", {"c.csv": text})
    assert by == {"kept": 1, "total_row": 1, "blank_row": 1, "repeated_header": 1, "damaged_id": 1, "masked_id": 1}
    assert kept["customer_id"].tolist() == ["a"]


def test_what_was_excluded_is_shown_with_its_money(engine, judge, tmp_path):
    rows = "散客,2026-01-01,2,shop,x\nb,2026-01-01,4,内购,x\nb,2026-01-02,-1,内购,x\n散客,2026-01-01,8,内购,x\na,2026-01-01,1,web,x\n"
    exclude = {"customer_id": ["散客"], "channel": ["内购", "员工"]}
    by, _ = judge("transactions", {"o.csv": "customer_id,ordered_at,amount,channel,status\n" + rows}, exclude=exclude)
    found = engine.collect(accounting.excluded(engine.scan(tmp_path / "transactions.parquet"))).set_index("value")
    # 散客 2 + 8 (also bought under 内购, but the first rule counts); 内购 4 − 1, one customer
    assert by == {"kept": 1, "excluded": 4}
    assert found.loc["散客", ["column", "rows", "amount", "customers"]].tolist() == ["customer_id", 2, 10, 1]
    assert found.loc["内购", ["column", "rows", "amount", "customers"]].tolist() == ["channel", 2, 3, 1]
