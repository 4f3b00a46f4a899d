"""Files that hold no orders one can read, and exports downloaded twice."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from decimal import Decimal

from hostile.generator import (
    AMOUNTS,
    CLEAN,
    DATES,
    PLAIN,
    Expected,
    Order,
    Variant,
    excel_bytes,
    expected_of,
    text_bytes,
)

TMALL = ["订单编号", "总金额", "买家实际支付金额", "收货地址 ", "订单创建时间", "订单付款时间 ", "退款金额"]
"""The header of a real Tmall order report: it names no buyer."""


def rows_of(orders: list[Order]) -> list[list[str]]:
    """Plain cells of orders under the header `PLAIN`."""
    plain = [(o.order_id, o.customer, DATES["seconds"](o.when), AMOUNTS["plain"](o.amount), o.product) for o in orders]
    return [list(row) for row in plain]


def _text(rows: list[list[str]], encoding: str = "utf-8") -> bytes:
    return text_bytes(rows, ",", "\n", encoding)


def _parquet() -> bytes:
    import pandas as pd

    out = io.BytesIO()
    pd.DataFrame(rows_of(CLEAN), columns=PLAIN).to_parquet(out, index=False)
    return out.getvalue()


def _refusals() -> dict[str, tuple[dict[str, bytes], str]]:
    good = _text([PLAIN, *rows_of(CLEAN)])
    book = excel_bytes({"a": [PLAIN, *rows_of(CLEAN)]})
    page = b"<html><head><meta charset='utf-8'></head><body><table><tr><td>customer_id</td></tr></table></body></html>"
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(1024)
    noise = random.Random(7).randbytes(4000)
    tmall = [TMALL, ["1", "178", "0", "上海", "2020-02-21 00:00:00", "", "0"]]
    twice = [[*PLAIN, "amount"], *([*row, "1.00"] for row in rows_of(CLEAN))]
    slashed = [[*row[:2], "01/02/2026", *row[3:]] for row in rows_of(CLEAN)]
    return {
        "zero_bytes": ({"orders.csv": b""}, "empty"),
        "only_blanks": ({"orders.csv": b"\n \n\n"}, "no header"),
        "garbage": ({"orders.csv": noise}, "not a text file|neither UTF-8"),
        "nul_bytes": ({"orders.csv": bytes(200)}, "not a text file"),
        "no_buyer": ({"report.csv": _text(tmall, "gb18030")}, "buyer"),
        "open_quote": ({"orders.csv": good + b'A99,"x,2026-01-01 00:00:00,1.00,y\nA98,x,2026-01-01,1,y\n'}, "quote"),
        "ragged": ({"orders.csv": good + b"A99,x,2026-01-01 00:00:00,1,y,z\n"}, "line 14"),
        "cut_utf8": ({"orders.csv": good + "A99,电".encode()[:-1]}, "not readable as UTF-8"),
        "web_page_xls": ({"orders.xls": page}, "web page"),
        "web_page_csv": ({"orders.csv": page}, "web page"),
        "password": ({"orders.xlsx": ole}, "password"),
        "cut_xlsx": ({"orders.xlsx": book[: len(book) // 2]}, "Excel"),
        "xlsx_as_csv": ({"orders.csv": book}, "not a text file"),
        "cut_parquet": ({"orders.parquet": _parquet()[:-40]}, "orders.parquet"),
        "two_amounts": ({"orders.csv": _text(twice)}, "'amount' .*twice"),
        "two_amounts_xlsx": ({"orders.xlsx": excel_bytes({"a": twice})}, "'amount' .*twice"),
        "day_or_month_first": ({"orders.csv": _text([PLAIN, *slashed])}, "date_format"),
        "folder": ({"orders/a.csv": good}, "folder"),
        "no_sheet": ({"orders.xlsx": excel_bytes({"a": []})}, "no sheet"),
    }


def broken() -> Iterator[Variant]:
    """Refusals, tables without rows, and two downloads that overlap."""
    for name, (files, told) in _refusals().items():
        path = ["orders"] if name == "folder" else list(files)
        columns = {"ordered_at": "订单创建时间", "amount": "买家实际支付金额"} if name == "no_buyer" else {}
        yield Variant(f"refused-{name}", files, {"path": path, "columns": columns}, Expected(refused=told))
    yield Variant("empty-header", {"orders.csv": _text([PLAIN])}, {"path": ["orders.csv"]}, Expected())
    yield Variant("empty-sheet", {"orders.xlsx": excel_bytes({"a": [PLAIN]})}, {"path": ["orders.xlsx"]}, Expected())
    first, second = _text([PLAIN, *rows_of(CLEAN[:8])]), _text([PLAIN, *rows_of(CLEAN[5:])], "gb18030")
    files = {"orders_1.csv": first, "orders_2.csv": second}
    shared = CLEAN[5:8]
    money = sum((order.amount for order in shared), Decimal(0))
    expected = expected_of(CLEAN, {"overlap": (len(shared), money)})
    yield Variant("overlap-two-downloads", files, {"path": list(files), "overlap_by": "order_id"}, expected)
    yield Variant("good-parquet", {"orders.parquet": _parquet()}, {"path": ["orders.parquet"]}, expected_of(CLEAN, {}))
