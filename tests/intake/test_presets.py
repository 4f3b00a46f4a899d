"""Every preset reads a small file with its header, to totals reckoned by hand; and says whether its header was seen."""

import pytest

from tierbook import params, sources
from tierbook.intake import presets
from tierbook.tables import Tables

TMALL = (
    "订单编号,买家会员名,买家支付宝账号,买家应付货款,买家应付邮费,买家支付积分,总金额,返点积分,买家实际支付金额,买家实际支付积分,订单状态,"
    "买家留言,收货人姓名,收货地址 ,运送方式,联系电话 ,联系手机,订单创建时间,订单付款时间 ,宝贝标题 ,宝贝种类 ,物流单号 ,物流公司,订单备注,宝贝总数量\n"
    "1,阿明,a@x,100,10,0,110,0,110,0,交易成功,,王,沪,快递,,138,2026-01-05 10:00:00,2026-01-05 10:01:00,电视,1,,,,1\n"
    "2,阿明,a@x,50,0,0,50,0,0,0,交易关闭,,王,沪,快递,,138,2026-01-06 10:00:00,,电视,1,,,,1\n"
    "3,阿红,b@x,20,0,0,20,0,19.5,0,交易成功,,李,京,快递,,139,2026-01-07 10:00:00,2026-01-07 10:09:00,线,1,,,,2\n"
)
SHOPIFY = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,Created at,"
    "Lineitem quantity,Lineitem name,Refunded Amount\n"
    "#1,a@x.com,paid,2026-01-05 10:00:07 +0800,fulfilled,CNY,90,10,0,100.00,2026-01-05 10:00:01 +0800,1,TV,0.00\n"
    "#1,a@x.com,,,,,,,,,2026-01-05 10:00:01 +0800,2,Cable,\n"
    "#2,b@x.com,partially_refunded,2026-01-06 00:00:07 +0800,,CNY,60,0,0,60.00,2026-01-06 00:00:01 +0800,1,TV,15.00\n"
    "#3,b@x.com,voided,,,CNY,70,0,0,70.00,2026-01-07 00:00:01 +0800,1,TV,0.00\n"
)
# preset → (table, text, kept rows, kept money; None where the table has none, rows set aside by reason)
SMALL = {
    "taobao": ("transactions", TMALL, 2, 129.5, {"status": 1}),  # 110 + 19.5; the closed order is set aside
    # 100 + (60 − 15); the second row of #1 carries no total; #3 is voided
    "shopify_orders": ("transactions", SHOPIFY, 2, 145.0, {"repeated_line": 1, "status": 1}),
    "zoho_deals": (
        "transactions",
        "Record Id,Deal Name,Account Name,Amount,Stage,Closing Date\nz1,TV,Acme,1000,Closed Won,2026-01-05\n"
        "z2,Bar,Acme,500,Qualification,2026-01-06\nz3,Bar,Bolt,250.5,Closed Won,2026-01-07\n",
        2, 1250.5, {"status": 1},
    ),
    "fxiaoke_orders": (
        "transactions",
        "销售订单编号,客户名称,下单日期,销售订单金额(元),生命状态\nD1,甲公司,2026-01-05,1000,正常\nD2,甲公司,2026-01-06,10,作废\n",
        1, 1000.0, {"status": 1},
    ),
    "jiandaoyun_orders": (
        "transactions",
        "订单编号,客户编号,签订日期,订单金额,订单状态,提交人,提交时间\nJ1,K1,2026-01-05,70.25,已完成,王,2026-01-05\n"
        "J2,K2,2026-01-06,9,草稿,王,2026-01-06\n",
        1, 70.25, {"status": 1},
    ),
    "online_retail": (
        "transactions",
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n1,a,TV,3,2011-01-05 10:00:00,2.50,12346.0,UK\n"
        "1,a,TV,3,2011-01-05 10:00:00,2.50,12346.0,UK\nC2,a,TV,-1,2011-01-06 10:00:00,2.50,12346.0,UK\n",
        1, 7.5, {"duplicate": 1, "not_a_sale": 1},  # 3 × 2.50 once
    ),
    "cdnow": (
        "transactions",
        " customer_id  date number_of_cds  dollar_value\n 00001 19970101  1   11.77\n 00001 19970101  1   11.77\n",
        2, 23.54, {},
    ),
    "zoho_accounts": (
        "customers",
        "Record Id,Account Name,Account Owner,Industry,Employees,Billing State,Created Time\nz9,Acme,Li,Retail,50,SH,2025-01-05 10:00:00\n",
        1, None, {},
    ),
    "zoho_contacts": (
        "customers",
        "Record Id,Contact Owner,Lead Source,Mailing State,Date of Birth,Email Opt Out,Created Time\nz7,Li,Web,SH,1990-05-06,true,2025-01-05\n",
        1, None, {},
    ),
    "fxiaoke_customers": (
        "customers",
        "客户名称,客户编号,创建时间,负责人,行业,人员规模,省,来源,客户级别,成交状态\n甲公司,K1,2025-01-05,王,零售,50,沪,展会,重要,已成交\n",
        1, None, {},
    ),
    "jiandaoyun_customers": (
        "customers",
        "客户编号,数据ID,提交时间,客户负责人,客户行业,客户来源,省,提交人\nK1,9f,2025-01-05,王,零售,展会,沪,王\n",
        1, None, {},
    ),
    "ga4_events": (
        "visits",
        "event_date,event_name,user_id,user_pseudo_id\n20260105,page_view,K1,x.1\n20260106,page_view,,x.2\n",
        1, None, {"no_customer_id": 1},
    ),
}  # fmt: skip
ORDERS = "customer_id,ordered_at,amount\nK1,2026-01-05,1\n"


def test_every_preset_is_tried_here():
    assert {path.stem for path in sources.PRESETS.glob("*.yaml")} == set(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_a_preset_says_what_it_is_and_reads_its_header(name, tmp_path):
    table, text, rows, money, aside = SMALL[name]
    about = presets.load(sources.PRESETS / f"{name}.yaml").about
    assert about["header"] in {"seen", "assumed"} and about["en"] and about["zh"] and about["table"] == table
    (tmp_path / "small.csv").write_text(text)
    (tmp_path / "orders.csv").write_text(ORDERS)
    source = {
        "transactions": {"path": str(tmp_path / "orders.csv")},
        table: {"path": str(tmp_path / "small.csv"), "preset": name},
    }
    tree = params.parse({"report": {"name": "x"}, "as_of": "2026-10-31", "currency": "CNY", "source": source})
    account = Tables(tree, tmp_path / "work", []).accounting()
    found = account[account["table"] == table].set_index("reason")
    assert found.loc["kept", "rows"] == rows
    assert found["rows"].drop("kept").to_dict() == aside
    if money is not None:
        assert found.loc["kept", "amount"] == money


@pytest.mark.parametrize("name", SMALL)
def test_a_file_of_a_preset_is_known_by_its_header(name):
    header = SMALL[name][1].splitlines()[0]
    found = presets.split_on_blanks([header]) or presets.recognised(header.split(","))
    assert found.name == name
