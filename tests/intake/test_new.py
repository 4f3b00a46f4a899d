"""`tierbook new`: what it finds, what it asks, what it writes and what it refuses."""

import io
import os
import pty
import re
import subprocess
import sys
import time

import pandas as pd
import pytest

from tierbook import cli, fill_in, params
from tierbook.errors import InputError, ParamsError
from tierbook.tables import Tables

PLAIN = "客户编号,下单日期,金额\n" + "".join(
    f"K{n % 7},2026-{m:02d}-{n:02d},{n}.50\n" for m in (1, 2) for n in range(1, 29)
)
TMALL = (
    "订单编号,买家会员名,买家应付货款,买家应付邮费,总金额,买家实际支付金额,订单状态,收货地址 ,联系手机,订单创建时间,订单付款时间 ,宝贝标题 ,宝贝总数量\n"
    "1,阿明,100,10,110,108,交易成功,沪,13800001111,2026-01-05 10:00:00,2026-01-06 10:01:00,电视,1\n"
    "2,阿红,50,0,50,0,交易关闭,京,13800002222,2026-01-06 10:00:00,,线,1\n"
)


def orders_of(tree):
    return tree["source"]["transactions"]


def test_a_plain_chinese_file_needs_no_question_and_reads_to_its_total(draft, tmp_path):
    tree, said, path = draft({"订单 明细(1).csv": PLAIN.encode("gb18030")})
    assert tree["report"] == {"name": "订单_明细_1", "languages": ["zh", "en"]}
    assert orders_of(tree)["columns"] == {"customer_id": "客户编号", "ordered_at": "下单日期", "amount": "金额"}
    assert fill_in.open_keys(tree) == []
    # daily to 28 February, the month's last day; 2 × (1 + … + 28) + 56 × 0.5 = 812 + 28 = 840
    assert tree["as_of"] == "2026-02-28"
    account = Tables(params.load(path), tmp_path / "work", []).accounting()
    assert account.to_dict("list")["rows"] == [56] and account["amount"].tolist() == [840.0]
    assert "gb18030 csv，56 行，3 列" in said and "确定" in said and "请务必核对" in said
    assert re.search(r"计入 +56 +840\.00", said)


def test_what_is_written_says_why_in_the_language_asked_for(draft):
    _, said, path = draft({"a.csv": PLAIN}, language="en")
    text = path.read_text()
    assert "customer_id: 客户编号  # sure: header is the word 客户编号; 100% of cells read as ids" in text
    assert "CHECK THIS" in text and "From rows read to rows counted" in said


def test_a_tmall_report_is_known_and_its_choices_are_spelled_out(draft):
    tree, said, path = draft({"tmall.csv": TMALL.encode("gb18030")})
    orders = orders_of(tree)
    assert orders["preset"] == "taobao"
    assert orders["columns"] == {"ordered_at": "FILL_IN", "amount": "FILL_IN"} and orders["count_status"] == "FILL_IN"
    text = path.read_text()
    # 100 + 50 · 110 + 50 = 160, which is 货款 + 邮费 · 108 + 0
    assert "买家应付货款（应付；2 行有值，合计 150.00；不含邮费）" in text
    assert "总金额（金额；2 行有值，合计 160.00；= 买家应付货款 + 买家应付邮费：含邮费）" in text
    assert "买家实际支付金额（实付；2 行有值，合计 108.00）" in text
    assert "订单付款时间（付款；1 行有值，2026-01-06 至 2026-01-06；1 行为空，将被剔除）" in text
    assert "2 列个人信息（收货地址, 联系手机）不读取" in said


def test_answers_close_every_line_and_the_file_runs(draft, tmp_path):
    given = ("ordered_at=订单付款时间", "amount=买家应付货款", "count_status=交易成功", "as_of=2026-01-31")
    tree, _, path = draft({"tmall.csv": TMALL}, *given)
    assert fill_in.open_keys(tree) == []
    account = Tables(params.load(path), tmp_path / "work", []).accounting().set_index("reason")
    assert account.loc["kept", "amount"] == 100.0  # the payable amount of the one order that was paid
    assert account["rows"].sum() == 2


ONE_QUESTION = {
    "status": ("客户编号,下单日期,金额,订单状态\nA,2026-01-05,1,完成\nB,2026-01-06,2,取消\n", "count_status"),
    "refund column": ("客户编号,下单日期,金额,退款金额\nA,2026-01-05,9,2\nB,2026-01-06,2,0\n", "refund_amount"),
    "two ids": ("会员名,手机,下单日期,金额\nA,13800001111,2026-01-05,1\nB,13800001112,2026-01-06,2\n", "customer_id"),
    "phone alone": ("手机,下单日期,金额\n13800001111,2026-01-05,1\n13800001112,2026-01-06,2\n", "customer_id"),
    "day or month": ("客户编号,下单日期,金额\nA,01/02/2026,1\nB,03/04/2026,2\n", "date_format"),
    "two dates": (
        "客户编号,下单时间,付款时间,金额\nA,2026-01-05,2026-01-06,1\nB,2026-01-06,2026-01-06,2\n",
        "ordered_at",
    ),
    "two amounts": ("客户编号,下单时间,应付金额,实付金额\nA,2026-01-05,3,1\nB,2026-01-06,2,2\n", "amount"),
    "copies": ("客户编号,下单时间,金额\nA,2026-01-05,1\nA,2026-01-05,1\n", "duplicates"),
    "currencies": ("客户编号,下单时间,金额,币种\nA,2026-01-05,1,USD\nA,2026-01-06,1,CNY\n", "currency"),
}


def test_a_file_that_leaves_much_open_asks_all_of_it(draft):
    """Two ids, day or month, two dates, two amounts, a refund column, statuses and copies, all in one file."""
    head = "会员名,手机,下单时间,付款时间,应付金额,实付金额,退款金额,订单状态\n"
    row = "A,13800001111,01/02/2026,03/02/2026,9,8,1,完成\n"
    tree, _, path = draft({"a.csv": head + row + row + "B,13800001112,05/02/2026,06/02/2026,5,5,0,取消\n"})
    keys = [key.rpartition(".")[2] for key in fill_in.open_keys(tree)]
    assert set(keys) == {
        "customer_id",
        "ordered_at",
        "amount",
        "refund_amount",
        "date_format",
        "count_status",
        "duplicates",
    }
    assert "still FILL_IN; write one of: 会员名" in fill_in.refusal(tree, str(path))


def test_a_file_of_single_choices_asks_nothing(draft):
    """One status, no refund, a phone beside the id, a day above 12, equal amounts, paid on the day of the order."""
    head = "客户编号,手机,下单时间,付款时间,应付金额,实付金额,退款金额,订单状态\n"
    rows = "A,13800001111,13/02/2026,13/02/2026,9,9,0,完成\nB,13800001112,05/02/2026,05/02/2026,5,5.00,,完成\n"
    tree, said, path = draft({"a.csv": head + rows})
    assert fill_in.open_keys(tree) == []
    assert orders_of(tree)["columns"] == {
        "customer_id": "客户编号", "ordered_at": "下单时间", "amount": "应付金额"
    }  # fmt: skip
    assert orders_of(tree)["date_format"] == "%d/%m/%Y" and "1 列个人信息（手机）不读取" in said
    params.load(path)


@pytest.mark.long
@pytest.mark.parametrize("case", ONE_QUESTION)
def test_what_cannot_be_known_is_left_open(case, draft):
    text, key = ONE_QUESTION[case]
    tree, said, path = draft({"a.csv": text})
    assert [k.rpartition(".")[2] for k in fill_in.open_keys(tree)] == [key]
    assert f"{key}：" in said
    assert "still FILL_IN; write one of: " in fill_in.refusal(tree, str(path))


NO_QUESTION = {
    "one status": ("客户编号,下单日期,金额,订单状态\nA,2026-01-05,1,完成\nB,2026-01-06,2,完成\n", {}),
    "no refund at all": ("客户编号,下单日期,金额,退款金额\nA,2026-01-05,9,0\nB,2026-01-06,2,\n", {}),
    "an id and a phone": ("客户编号,手机,下单日期,金额\nA,13800001111,2026-01-05,1\nB,13800001112,2026-01-06,2\n", {}),
    "a day above 12": ("客户编号,下单日期,金额\nA,13/02/2026,1\nB,03/04/2026,2\n", {"date_format": "%d/%m/%Y"}),
    "a month first": (
        "客户编号,下单日期,金额\nA,02/13/2026 9:05,1\nB,03/04/2026 10:00,2\n",
        {"date_format": "%m/%d/%Y %H:%M"},
    ),
    "equal amounts": ("客户编号,下单时间,应付金额,实付金额\nA,2026-01-05,1,1\nB,2026-01-06,2,2.00\n", {}),
    "paid the same day": (
        "客户编号,下单时间,付款时间,金额\nA,2026-01-05 09:00,2026-01-05 09:01,1\nB,2026-01-06,2026-01-06,2\n",
        {},
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("case", NO_QUESTION)
def test_a_single_choice_is_no_question(case, draft):
    text, rules = NO_QUESTION[case]
    tree, _, path = draft({"a.csv": text})
    assert fill_in.open_keys(tree) == []
    assert {key: orders_of(tree).get(key) for key in rules} == rules
    params.load(path)


def test_ten_thousands_in_the_header_multiply(draft, tmp_path):
    tree, _, path = draft({"a.csv": "客户编号,下单日期,金额(万元)\nA,2026-01-05,1.25\nB,2026-01-31,2\n"})
    assert orders_of(tree)["columns"]["amount"] == {"multiply": ["金额(万元)", "10000"]}
    account = Tables(params.load(path), tmp_path / "work", []).accounting()
    assert account["amount"].sum() == 32_500.0  # (1.25 + 2) × 10,000
    assert tree["currency"] == "CNY" and "请务必核对" not in path.read_text()  # 万元 is money of China


@pytest.mark.long
def test_quantity_times_price_where_no_amount_stands(draft):
    tree, _, _ = draft({"a.csv": "customer no,order date,qty,unit price\nA,2026-01-05,2,1.50\nB,2026-01-31,1,9\n"})
    assert orders_of(tree)["columns"]["amount"] == {"multiply": ["qty", "unit price"]}


def test_downloads_of_one_export_count_each_order_once(draft, tmp_path):
    head = "订单编号,客户编号,下单日期,金额\n"
    january, february = "1,A,2026-01-05,10\n2,B,2026-01-31,20\n", "2,B,2026-01-31,20\n3,A,2026-02-28,30\n"
    tree, said, path = draft({"1月.csv": head + january, "2月.csv": (head + february).encode("utf-16")})
    assert orders_of(tree)["overlap_by"] == "order_id" and len(orders_of(tree)["path"]) == 2
    account = Tables(params.load(path), tmp_path / "work", []).accounting().set_index("reason")
    assert account.loc["kept", "amount"] + account["amount"].get("after_as_of", 0) == 60.0
    assert account.loc["overlap", "rows"] == 1
    assert "1 个订单重复出现" in said


def test_sheets_that_are_no_orders_are_left_out(draft, tmp_path):
    out = io.BytesIO()
    with pd.ExcelWriter(out, engine="xlsxwriter") as book:
        pd.DataFrame({"说明": ["导出自系统"], "备注": ["x"]}).to_excel(book, sheet_name="说明", index=False)
        pd.DataFrame({"客户编号": ["A", "B"], "下单日期": ["2026-01-05", "2026-01-31"], "金额": [1, 2]}).to_excel(
            book, sheet_name="订单", index=False
        )
        pd.DataFrame({"客户编号": ["A"], "行业": ["零售"]}).to_excel(book, sheet_name="客户", index=False)
    tree, said, path = draft({"book.xlsx": out.getvalue()})
    assert orders_of(tree)["sheet"] == ["订单"] and tree["source"]["customers"]["sheet"] == ["客户"]
    account = Tables(params.load(path), tmp_path / "work", []).accounting()
    assert account["rows"].tolist() == [2, 1]
    assert "book.xlsx[说明]：未采用" in said


def test_a_phone_or_an_email_as_the_id_is_masked_in_the_report(draft):
    tree, said, path = draft({"a.csv": ONE_QUESTION["phone alone"][0]}, "customer_id=手机")
    assert orders_of(tree)["columns"]["customer_id"] == "手机"
    assert "mask_customer_ids: true，报告中以 K-… 代替" in said
    assert params.load(path).report.mask_customer_ids and "客户编号可能是个人信息（手机）" in path.read_text(
        encoding="utf-8"
    )
    orders = "buyer id,order date,amount\na@b.cn,2026-01-05,1\nc@d.cn,2026-01-06,2\n"
    assert draft({"mail.csv": orders})[0]["report"] == {"name": "mail", "mask_customer_ids": True}


def test_an_open_question_with_a_phone_among_its_answers_masks_until_it_is_settled(draft):
    tree, said, _ = draft({"a.csv": ONE_QUESTION["two ids"][0]})
    assert "source.transactions.columns.customer_id" in fill_in.open_keys(tree)
    assert tree["report"]["mask_customer_ids"] is True and "个人信息，在报告中脱敏显示" in said
    tree, said, _ = draft({"a.csv": ONE_QUESTION["two ids"][0]}, "customer_id=会员名")
    assert tree["report"] == {"name": "a", "languages": ["zh", "en"]} and "mask_customer_ids" not in said


@pytest.mark.long
def test_several_currencies_ask_for_each_rate(draft):
    tree, _, path = draft({"a.csv": ONE_QUESTION["currencies"][0]}, "currency=CNY", "rates.USD=7.1")
    assert (tree["currency"], tree["rates"]) == ("CNY", {"USD": 7.1})
    params.load(path)
    tree, _, _ = draft({"a.csv": ONE_QUESTION["currencies"][0]}, "currency=CNY")
    assert fill_in.open_keys(tree) == ["rates.USD"]


@pytest.mark.parametrize(
    ("amount", "code"), [("￥1.00", "CNY"), ("12元", "CNY"), ("$5", "USD"), ("£5", "GBP"), ("€5", "EUR")]
)
def test_the_sign_in_the_amounts_is_the_currency(amount, code, draft):
    tree, _, _ = draft({"a.csv": f"客户编号,下单日期,金额\nA,2026-01-05,{amount}\nB,2026-01-31,2\n"})
    assert tree["currency"] == code


def test_no_buyer_is_refused_in_words(draft):
    real = "订单编号,总金额,买家实际支付金额,收货地址 ,订单创建时间,订单付款时间 ,退款金额\n1,178,0,上海,2020-02-21 00:00:00,,0\n"
    with pytest.raises(InputError, match=r"no column says who bought.*总金额.*买家会员名"):
        draft({"report.csv": real.encode("gb18030")})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("客户编号,下单日期,金额\n", "not one row below"),
        ("天气,温度\n晴,5\n", "no file holds orders"),
        ("客户编号,下单日期,金额\nA,once,1\n", "not one cell reads as a date"),
        (PLAIN.replace("金额", "金额,金额").replace(".50", ".50,1"), "twice"),
    ],
)
def test_what_holds_no_orders_is_refused_in_one_line(text, told, draft):
    with pytest.raises(InputError, match=told):
        draft({"a.csv": text})


def test_a_wrong_answer_names_the_nearest_column(draft):
    with pytest.raises(ParamsError, match="no such column; nearest is '客户编号'"):
        draft({"a.csv": PLAIN}, "customer_id=客户编")


def test_a_params_file_that_is_there_stays(tmp_path, capsys):
    (tmp_path / "a.csv").write_text(PLAIN)
    target = tmp_path / "mine.yaml"
    target.write_text("version: 1\n")
    assert cli.main(["new", str(tmp_path / "a.csv"), "--output", str(target)]) == 2
    assert "--force" in capsys.readouterr().err and target.read_text() == "version: 1\n"
    assert cli.main(["new", str(tmp_path / "a.csv"), "--output", str(target), "--force"]) == 0
    assert "金额" in target.read_text()


@pytest.mark.long
def test_the_order_of_rows_and_files_changes_nothing(draft):
    head, *rows = PLAIN.splitlines(keepends=True)
    _, said, path = draft({"a.csv": PLAIN})
    text = path.read_text()
    _, again, path = draft({"a.csv": head + "".join(reversed(rows))})
    assert (path.read_text(), again) == (text, said)


def test_an_offset_makes_the_time_zone_a_line_to_check(draft):
    rows = "A,2026-01-05T23:30:00Z,1\nB,2026-01-31T10:00:00Z,2\n"
    tree, said, path = draft({"a.csv": "客户编号,下单日期,金额\n" + rows})
    assert tree["timezone"] == "Asia/Shanghai" and "请务必核对" in path.read_text()
    assert "2026-01-06" in said  # 23:30 UTC is half past seven of the next morning in Shanghai


@pytest.mark.long
def test_headers_cannot_break_the_file(draft):
    odd = "客户编号,下单日期,金额,#: x\n"
    tree, _, path = draft({"a.csv": odd + "A,2026-01-05,1,- [\nB,2026-01-31,2,'\n"}, "product=#: x")
    assert orders_of(tree)["columns"]["product"] == "#: x"
    params.load(path)


def test_a_question_is_asked_at_a_terminal(tmp_path):
    (tmp_path / "a.csv").write_text(ONE_QUESTION["two amounts"][0])
    target = tmp_path / "p.yaml"
    here, there = pty.openpty()
    command = [sys.executable, "-m", "tierbook.cli", "new", str(tmp_path / "a.csv"), "--output", str(target)]
    with subprocess.Popen(command, stdin=there, stdout=there, stderr=there, close_fds=True) as process:
        os.close(there)
        said = answer(here, [(b"amount", b"9\n2\n"), (b"\xe8\xb4\xa7\xe5\xb8\x81", b"1\n")])
        assert process.wait(60) == 0
    assert "2  实付金额（实付；2 行有值，合计 3.00）" in said and "“9”不在选项中" in said
    tree = params.read_yaml(target)
    assert orders_of(tree)["columns"]["amount"] == "实付金额" and tree["currency"] == "CNY"


def answer(terminal, script):
    """Read a terminal until each question of the script shows, and type its answer; returns all that was said."""
    said, deadline = b"", time.monotonic() + 60
    for cue, typed in script:
        seen = len(said)
        while cue not in said[seen:] or not said.rstrip(b" ").endswith("：".encode()):
            assert time.monotonic() < deadline, said.decode(errors="replace")
            said += os.read(terminal, 4096)
        os.write(terminal, typed)
    try:
        while chunk := os.read(terminal, 4096):
            said += chunk
    except OSError:  # the other end has closed
        pass
    return said.decode()
