"""What headers mean: words, blanks, brackets and units, personal data, and words within longer headers."""

import pytest

from tierbook.intake import presets, roles
from tierbook.intake.vocabulary import currency, meaning, plain, unit

ORDERS = [
    ("买家会员名", "customer_id", "account", True),
    (" 买家（会员名）\u3000", "customer_id", "account", True),  # brackets and blanks do not matter: 买家
    ("Customer ID", "customer_id", "id", True),
    ("CustomerID", "customer_id", "id", True),
    ("CUSTOMER_ID", "customer_id", "contract", True),
    ("订单付款时间 ", "ordered_at", "paid", True),
    ("下单日期", "ordered_at", "created", True),
    ("实付金额(元)", "amount", "paid", True),
    ("应付总额", "amount", "payable", True),
    ("订单实付金额合计", "amount", "paid", False),
    ("退款金额", "refund_amount", "refund_amount", True),
    ("联系手机", "customer_id", "contact", True),
    ("收货地址 ", "personal", "personal", True),
    ("买家留言", "personal", "personal", True),
    ("物流单号 ", "unused", "unused", True),
]


@pytest.mark.parametrize(("header", "role", "kind", "exact"), ORDERS)
def test_a_header_of_orders_has_its_role(header, role, kind, exact):
    found = meaning(header, "transactions")
    assert (found.role, found.kind, found.exact) == (role, kind, exact)


@pytest.mark.parametrize("header", ["客户等级", "会员权益", "xyz", "名次", "sheet7"])
def test_a_short_word_within_a_header_means_nothing(header):
    assert meaning(header, "transactions") is None


@pytest.mark.parametrize(
    ("header", "worth", "code"),
    [
        ("金额", 1, None),
        ("金额（元）", 1, "CNY"),
        ("金额(万元)", 10_000, "CNY"),
        ("销售额（单位：万元）", 10_000, "CNY"),
        ("Total (USD)", 1, "USD"),
        ("Total ($)", 1, "USD"),
        ("成本【亿元】", 100_000_000, "CNY"),
    ],
)
def test_the_unit_and_the_currency_stand_in_brackets(header, worth, code):
    assert (unit(header), currency(header)) == (worth, code)


def test_a_header_that_is_all_brackets_keeps_its_text():
    assert plain("（金额）") == "(金额)"


TABLES = [
    (["订单编号", "客户编号", "下单时间", "金额"], "transactions"),
    (["order_id", "ordered_at", "amount"], "transactions"),  # no buyer: known for what it is, refused later
    (["客户编号", "行业", "负责人"], "customers"),
    (["customer_id", "sent_at", "csat", "nps"], "surveys"),
    (["客户编号", "工单创建时间", "解决时间", "工单类型"], "tickets"),
    (["user_id", "event_date", "page_views"], "visits"),
    (["月份", "渠道", "费用"], "costs"),
    (["线索编号", "创建时间", "来源"], "leads"),
    (["活动名称", "客户编号", "分组", "分组时间"], "contacts"),
    (["原编号", "客户编号", "店铺"], "id_map"),
    (["天气", "温度"], None),
]


@pytest.mark.parametrize(("headers", "table"), TABLES)
def test_a_table_is_told_by_its_columns(headers, table):
    assert roles.table_of(headers) == table


def test_a_preset_is_known_by_all_of_its_columns_and_marks():
    taobao = next(p for p in presets.every() if p.name == "taobao")
    header = sorted(taobao.headers())
    assert presets.recognised([f" {h.upper()} " for h in header] + ["more"]).name == "taobao"
    assert presets.recognised(header[1:]) is None
