"""Money that reads well and counts wrongly: refused in one line with the way out, and not where it only looks so."""

import time

import pytest

from tierbook import params
from tierbook.errors import InputError
from tierbook.intake import waiting
from tierbook.tables import Tables


def lines(header, rows):
    return header + "\n" + "\n".join(rows) + "\n"


def totals(orders=6, level=lambda n: 100 + n):
    """Orders of two lines with the total on each: 100, 101, … of which the goods are 40 and the rest."""
    rows = []
    for n in range(orders):
        whole = level(n)
        rows += [
            f"S{n},K{n % 3},2026-0{n % 6 + 1}-15,{whole}.00,电视,40.00",
            f"S{n},K{n % 3},2026-0{n % 6 + 1}-15,{whole}.00,线,{whole - 40}.00",
        ]
    return lines("订单编号,会员编号,下单时间,订单总金额,商品,商品金额", rows)


def read_to(path, folder):
    account = Tables(params.load(path), folder / "work", []).accounting()
    return round(float(account["amount"].sum()), 2)


def test_a_total_on_every_line_is_refused_with_the_column_that_adds_up_to_it(draft):
    with pytest.raises(InputError) as refused:
        draft({"a.csv": totals()})
    assert "'订单总金额': 6 of 6 orders of several lines" in str(refused.value)
    assert "--answer amount=商品金额" in str(refused.value) and "\n" not in str(refused.value)


def test_the_lines_own_amount_reads_to_the_orders_total(draft, tmp_path):
    _, _, path = draft({"a.csv": totals()}, "amount=商品金额")
    assert read_to(path, tmp_path) == 615.00  # 100 + 101 + … + 105


@pytest.mark.parametrize(
    ("text", "why"),
    [(totals(4), "four orders tell nothing"), (totals(6, lambda n: 50), "a shop with one price"),
     (totals().replace("105.00,线", "99.00,线"), "one order of six has two amounts: 83 %")],
)  # fmt: skip
def test_equal_amounts_by_chance_are_not_refused(draft, text, why):
    tree, _, _ = draft({"a.csv": text})
    assert tree["source"]["transactions"]["columns"]["amount"] == "订单总金额", why


def refunds(sign):
    rows = [f"S{n},K{n % 3},2026-0{n % 6 + 1}-1{n % 9},{10 + n}.50,销售" for n in range(12)]
    return lines("订单编号,会员编号,下单时间,实付金额,交易类型", [*rows, f"S3,K0,2026-06-20,{sign}13.50,退款"])


def test_refunds_without_a_minus_sign_are_refused_until_somebody_says_what_counts(draft, tmp_path):
    with pytest.raises(
        InputError, match=r"'交易类型': 1 of the rows say 退款 with an amount above zero \(13\.50 in all\)"
    ):
        draft({"a.csv": refunds("")})
    answers = ("status=交易类型", "count_status=销售", "as_of=2026-06-30")
    _, _, path = draft({"a.csv": refunds("")}, *answers)
    account = Tables(params.load(path), tmp_path / "work", []).accounting().set_index("reason")
    # 12 sales: 10 + … + 21 = 186, and 12 × 0.50
    assert account.loc["kept", "amount"] == 192.00 and account.loc["status", "amount"] == 13.50


def test_beside_a_status_they_are_said_and_beside_a_refund_column_they_are_sales(draft):
    text = refunds("").replace("交易类型", "退款状态").replace(",退款\n", ",退款成功\n")
    first, *rest = text.strip().split("\n")
    with pytest.raises(InputError, match="退款状态"):
        draft({"a.csv": text})
    stated = lines(first + ",订单状态", [row + (",已取消" if n == 0 else ",已发货") for n, row in enumerate(rest)])
    assert "退款状态：1 行为“退款成功”，金额却大于零（合计 13.50）" in draft({"a.csv": stated})[1]
    taken = lines(first + ",refund_amount", [row + (",13.50" if "成功" in row else ",0") for row in rest])
    assert "金额却大于零" not in draft({"a.csv": taken})[1]


def test_refunds_with_a_minus_sign_need_no_question(draft, tmp_path):
    _, _, path = draft({"a.csv": refunds("-")})
    assert read_to(path, tmp_path) == 178.50  # 192 − 13.50


@pytest.mark.parametrize("written", ["1.134,70", "1 134,70", "1134,7", "-20,00"])
def test_a_decimal_comma_is_named(draft, written):
    text = lines("order_id;customer_id;order_date;amount", [f"{n};K{n};2026-01-{n:02d};{written}" for n in range(1, 9)])
    with pytest.raises(InputError, match=r"column 'amount': 8 of 8 amounts have a comma for the decimal point"):
        draft({"a.csv": text})


@pytest.mark.parametrize(
    ("header", "total"), [("支付金额（分）", 3.36), ("Amount (cents)", 3.36), ("支付金额（元）", 336.0), ("支付金额（万元）", 3_360_000.0)]
)  # fmt: skip
def test_the_unit_in_the_header_is_what_a_cell_is_worth(draft, tmp_path, header, total):
    rows = [f"{n},K{n},2026-01-{n:02d},{n * 6}" for n in range(1, 8)]  # 6 × 28 = 168, in two months
    more = [f"9{n},K{n},2026-02-{n:02d},{n * 6}" for n in range(1, 8)]
    _, _, path = draft({"a.csv": lines(f"订单号,用户ID,支付时间,{header}", rows + more)}, "as_of=2026-02-28")
    assert read_to(path, tmp_path) == total


def test_a_crm_export_in_english_is_known(draft):
    text = lines(
        "Order #,Customer ID,Close Date,Grand Total", [f"{n},K{n},2026-01-{n:02d},{n}.5" for n in range(1, 29)]
    )
    tree, _, _ = draft({"a.csv": text})
    assert tree["source"]["transactions"]["columns"] == {
        "customer_id": "Customer ID", "order_id": "Order #", "ordered_at": "Close Date", "amount": "Grand Total",
    }  # fmt: skip


def test_a_long_step_is_told_and_a_short_one_is_not(monkeypatch, capsys):
    with waiting.told("a.csv"):
        pass
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(waiting, "DELAY", 0.01)
    monkeypatch.setattr(waiting, "EVERY", 0.05)
    with waiting.told("a.csv"):
        time.sleep(0.3)
    assert "a.csv 00:00" in capsys.readouterr().err
