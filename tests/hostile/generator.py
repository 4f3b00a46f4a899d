"""Hostile order files: one small list of orders written in some 270 messy ways, each with the exact account it must give.

``variants()`` yields `Variant`s; what is expected is computed here from the clean orders, never by the library. Values of
every axis (encoding, separator, date form, amount form, header, noise rows, ids) stand equally often, in seeded order.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

AS_OF = "2026-10-31"


@dataclass(frozen=True)
class Order:
    """A clean order line; ``reason`` says why a careful reader sets it aside."""

    order_id: str
    customer: str
    when: dt.datetime
    amount: Decimal
    product: str = "电视"
    reason: str = "kept"
    counts_as: str | None = None  # the customer it counts for, where that is written in another way


@dataclass(frozen=True)
class Expected:
    """``rows`` and ``amounts`` by reason (kept included); or ``refused``: a pattern that the one line matches."""

    rows: dict[str, int] = field(default_factory=dict)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    customers: frozenset[str] = frozenset()
    days: tuple[dt.date, ...] = ()
    refused: str | None = None


@dataclass(frozen=True)
class Variant:
    """Files to write, the params of source.transactions (``path`` holds bare file names), and what must come of them."""

    name: str
    files: dict[str, bytes]
    params: dict
    expected: Expected


def _order(n: int, customer: str, cents: int, product: str = "电视", **rest) -> Order:
    when = dt.datetime(2026, 1 + n % 9, 1 + 3 * n % 28, 13 + n % 9, (7 * n) % 60, (11 * n) % 60)
    return Order(f"A{n:03d}", customer, when, Decimal(cents) / 100, product, **rest)


CLEAN = [
    _order(n, customer, cents)
    for n, (customer, cents) in enumerate(
        [("张三", 123400), ("李四", 99), ("13085", 5050), ("王五", 1234567), ("13085", -2000), ("小明", 100000),
         ("小红", 35900), ("张三", 120000), ("b-7", 1), ("赵六", 8888800), ("李四", -99), ("钱七", 25)]
    )
]  # fmt: skip


# --- dates: the text of a time, and whether the time of day survives ---------------------------------------------------


def _noon(when: dt.datetime) -> str:
    half = "上午" if when.hour < 12 else "下午"
    return f"{when.year}/{when.month}/{when.day} {half} {(when.hour - 1) % 12 + 1}:{when:%M:%S}"


def _serial(when: dt.datetime) -> Decimal:
    passed = when - dt.datetime(1899, 12, 30)
    return Decimal(passed.days) + Decimal(passed.seconds) / 86400


def _wide(text: str) -> str:
    return text.translate(str.maketrans("0123456789.,-/:()+", "０１２３４５６７８９．，－／：（）＋"))


DATES: dict[str, Callable[[dt.datetime], str]] = {
    "slashes": lambda t: f"{t.year}/{t.month}/{t.day}",
    "seconds": lambda t: f"{t:%Y-%m-%d %H:%M:%S}",
    "chinese": lambda t: f"{t.year}年{t.month}月{t.day}日",
    "points": lambda t: f"{t.year}.{t.month}.{t.day}",
    "digits": lambda t: f"{t:%Y%m%d}",
    "serial": lambda t: str(_serial(t).to_integral_value("ROUND_FLOOR")),
    "serial_time": lambda t: f"{_serial(t):.8f}",
    "short_time": lambda t: f"{t.year}/{t.month}/{t.day} {t.hour}:{t:%M}",
    "afternoon": _noon,
    "offset": lambda t: f"{t:%Y-%m-%dT%H:%M:%S}+08:00",
    "milliseconds": lambda t: f"{t:%Y-%m-%d %H:%M:%S}.000",
    "wide": lambda t: _wide(f"{t.year}/{t.month}/{t.day}"),
    "chinese_time": lambda t: f"{t.year}年{t.month:02d}月{t.day:02d}日 {t:%H:%M:%S}",
    "fourteen": lambda t: f"{t:%Y%m%d%H%M%S}",
}


# --- amounts ----------------------------------------------------------------------------------------------------------


def _signed(amount: Decimal, pattern: str, negative: str = "-{}") -> str:
    told = pattern.format(abs(amount))
    return negative.format(told) if amount < 0 else told


AMOUNTS: dict[str, Callable[[Decimal], str]] = {
    "plain": lambda a: f"{a:.2f}",
    "yen_commas": lambda a: _signed(a, "￥{:,.2f}"),
    "yen": lambda a: _signed(a, "¥{:.2f}"),
    "yuan": lambda a: _signed(a, "{:.2f}元"),
    "wide": lambda a: _wide(f"{a:.2f}"),
    "wide_commas": lambda a: _wide(f"{a:,.2f}"),
    "rmb": lambda a: _signed(a, "RMB {:,.2f}"),
    "brackets": lambda a: _signed(a, "{:,.2f}", "({})"),
    "trailing_minus": lambda a: _signed(a, "{:.2f}", "{}-"),
    "minus_sign": lambda a: _signed(a, "{:.2f}", "−{}"),
    "wan": lambda a: f"{a / 10000:.6f}万",
    "wan_yuan": lambda a: f"{a / 10000:.6f}万元",
    "apostrophe": lambda a: f"'{a:.2f}",
    "blanks": lambda a: f" {a:.2f}\u3000",
}


# --- headers, noise rows, ids -----------------------------------------------------------------------------------------

PLAIN = ["order_id", "customer_id", "ordered_at", "amount", "product"]
CHINESE = ["订单编号", "买家会员名", "订单创建时间", "买家实际支付金额", "宝贝标题"]
HEADERS: dict[str, tuple[list[list[str]], list[str]]] = {
    "plain": ([], PLAIN),
    "chinese": ([], CHINESE),
    "blanks": ([], [f" {name}\u3000" for name in CHINESE]),
    "brackets": ([], ["订单号", "买家（会员名）", "下单时间", "实付金额（元）", "商品"]),
    "title": ([["2026年订单明细"]], CHINESE),
    "three_titles": ([["订单明细"], ["店铺：旗舰店"], ["导出时间：2026-10-31 08:00"]], CHINESE),
    "title_and_blank": ([["Orders of the shop"], []], PLAIN),
    "padded_title": ([["订单明细", "", "", "", ""], ["", "", "", "", ""]], CHINESE),
    "two_cells": ([["店铺：旗舰店", "制表：小王"]], CHINESE),
    "capitals": ([], [name.upper() for name in PLAIN]),
}
NOISE = ("none", "blank", "total", "grand_total", "subtotal", "colon", "early_cell", "note", "pages", "all")
IDS: dict[str, list[Order]] = {
    "clean": [],
    "damaged": [
        _order(40, "1.38E+10", 777, reason="damaged_id"),
        _order(41, "1234567890123450", 33, reason="damaged_id"),
    ],
    "masked": [
        _order(42, "138****1234", 500, reason="masked_id"),
        _order(43, "138＊＊＊＊1234", 600, reason="masked_id"),
        _order(44, "138xxxx1234", 700, reason="masked_id"),
        _order(45, "王*", 800, reason="masked_id"),
    ],
    "cut": [
        _order(46, "小王的店…", 1100, reason="damaged_id"),
        _order(47, "abcdef...", 1200, reason="damaged_id"),
        _order(48, "########", 1300, reason="damaged_id"),
    ],
    "lost_zeros": [_order(50, "00123", 1500), _order(51, "123", 1600, reason="lost_zeros")],
    "wide": [
        _order(52, "１３０８５", 1700, counts_as="13085"),
        _order(53, " 13085\u3000", 1800, counts_as="13085"),
        _order(54, "13085.0", 1900, counts_as="13085"),
    ],
    "apostrophe": [_order(55, "'00777", 2000, counts_as="00777"), _order(56, "00777", 2100)],
    "nobody": [_order(57, "", 2200, reason="no_customer"), _order(58, "\u3000", 2300, reason="no_customer")],
}
CELLS = ("plain", "delimiters", "line_breaks")
_ODD_PRODUCT = {"delimiters": 'TV, 55"; a|b', "line_breaks": "电视\n55寸", "plain": "电视"}

Rows = list[list[str]]


def expected_of(orders: list[Order], noise: dict[str, tuple[int, Decimal]]) -> Expected:
    """The account of clean orders and of noise rows (reason → rows, money)."""
    rows, amounts = {}, {}
    for order in orders:
        rows[order.reason] = rows.get(order.reason, 0) + 1
        amounts[order.reason] = amounts.get(order.reason, Decimal(0)) + order.amount
    for reason, (count, money) in noise.items():
        rows[reason] = rows.get(reason, 0) + count
        amounts[reason] = amounts.get(reason, Decimal(0)) + money
    kept = [order for order in orders if order.reason == "kept"]
    customers = frozenset(order.counts_as or order.customer for order in kept)
    return Expected(rows, amounts, customers, tuple(sorted(order.when.date() for order in kept)))


def with_noise(header: list[str], body: Rows, orders: list[Order], noise: str, amount: Callable):
    """The rows with noise among and below them, and what the noise counts for."""
    total = amount(sum(order.amount for order in orders))
    money, blank = sum((order.amount for order in orders), Decimal(0)), [""] * len(header)
    lines = {
        "total": ["合计", "", "", total, ""],
        "grand_total": ["Grand total", "", "", total, ""],
        "subtotal": ["小计", "", "", total, ""],
        "colon": ["总计：", "", "", total, ""],
        "early_cell": ["", "合计", "", total, ""],
    }
    if noise in lines:
        return [*body, lines[noise]], {"total_row": (1, money)}
    half = len(body) // 2
    if noise == "blank":
        return [*body[:half], blank, *body[half:], blank], {"blank_row": (2, Decimal(0))}
    if noise == "note":
        return [*body, ["导出时间：2026-10-31 08:00", "", "", "", ""]], {"note_row": (1, Decimal(0))}
    if noise == "pages":
        return [*body[:half], header, *body[half:]], {"repeated_header": (1, Decimal(0))}
    if noise == "all":
        below = [
            blank,
            ["合 计", "", "", total, ""],
            ["Total:", "", "", total, ""],
            ["备注：仅供内部使用", "", "", "", ""],
        ]
        counted = {"repeated_header": (1, Decimal(0)), "blank_row": (1, Decimal(0)), "note_row": (1, Decimal(0))}
        return [*body[:half], header, *body[half:], *below], {**counted, "total_row": (2, 2 * money)}
    return body, {}


def _columns(header: list[str]) -> dict[str, str]:
    return {name: cell.strip() for name, cell in zip(PLAIN, header, strict=True)}


def _body(orders: list[Order], date: Callable, amount: Callable, cells: str) -> Rows:
    products = [order.product if n % 3 else _ODD_PRODUCT[cells] for n, order in enumerate(orders)]
    return [
        [order.order_id, order.customer, date(order.when), amount(order.amount), product]
        for order, product in zip(orders, products, strict=True)
    ]


# --- text files -------------------------------------------------------------------------------------------------------

ENCODINGS = {
    "utf-8": (b"", "utf-8"),
    "utf-8-bom": (b"\xef\xbb\xbf", "utf-8"),
    "gb18030": (b"", "gb18030"),
    "gbk": (b"", "gbk"),
    "utf-16-le-bom": (b"\xff\xfe", "utf-16-le"),
    "utf-16-be-bom": (b"\xfe\xff", "utf-16-be"),
    "utf-16-le": (b"", "utf-16-le"),
    "utf-16-be": (b"", "utf-16-be"),
}
SEPARATORS = {"comma": ",", "tab": "\t", "semicolon": ";", "pipe": "|"}
LINE_ENDS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
AXES: dict[str, tuple[str, ...]] = {
    "encoding": tuple(ENCODINGS),
    "separator": tuple(SEPARATORS),
    "line_end": tuple(LINE_ENDS),
    "date": tuple(DATES),
    "amount": tuple(AMOUNTS),
    "header": tuple(HEADERS),
    "noise": NOISE,
    "ids": tuple(IDS),
    "cells": CELLS,
}


def _drawn(count: int, axes: dict[str, tuple[str, ...]]) -> Iterator[dict[str, str]]:
    """``count`` combinations in which each value of an axis stands equally often."""
    drawn = {}
    for axis, values in axes.items():
        drawn[axis] = [values[n % len(values)] for n in range(count)]
        random.Random(axis).shuffle(drawn[axis])
    return ({axis: values[n] for axis, values in drawn.items()} for n in range(count))


def text_bytes(rows: Rows, separator: str, line_end: str, encoding: str) -> bytes:
    """Rows as the bytes of a text file; GBK gives way to GB18030 where it lacks a character."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    writer.writerows(rows)
    text = out.getvalue().replace("\n", line_end)
    mark, codec = ENCODINGS[encoding]
    try:
        return mark + text.encode(codec)
    except UnicodeEncodeError:
        return mark + text.encode("gb18030")


def _text_variant(n: int, chosen: dict[str, str]) -> Variant:
    orders = CLEAN + IDS[chosen["ids"]]
    titles, header = HEADERS[chosen["header"]]
    amount = AMOUNTS[chosen["amount"]]
    body = _body(orders, DATES[chosen["date"]], amount, chosen["cells"])
    body, counted = with_noise(header, body, orders, chosen["noise"], amount)
    rows = [*titles, header, *body]
    separator, line_end = SEPARATORS[chosen["separator"]], LINE_ENDS[chosen["line_end"]]
    content = text_bytes(rows, separator, line_end, chosen["encoding"])
    file = f"orders_{n:03d}.{'tsv' if separator == chr(9) else 'csv'}"
    params = {"path": [file], "columns": _columns(header)}
    return Variant(f"{n:03d}-" + "-".join(chosen.values()), {file: content}, params, expected_of(orders, counted))


# --- Excel ------------------------------------------------------------------------------------------------------------

EXCEL_AXES: dict[str, tuple[str, ...]] = {
    "date": ("cell", "serial_cell", *DATES),
    "amount": ("cell", *AMOUNTS),
    "header": tuple(HEADERS),
    "noise": NOISE,
    "ids": tuple(IDS),
}


def excel_bytes(sheets: dict[str, list[list]]) -> bytes:
    """Rows as an Excel file; dates become date cells, numbers number cells."""
    import xlsxwriter

    out = io.BytesIO()
    options = {"in_memory": True, "default_date_format": "yyyy/m/d h:mm", "strings_to_formulas": False}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"created": dt.datetime(2026, 1, 1)})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    if cell != "":
                        sheet.write(r, c, cell)
    return out.getvalue()


def _excel_variant(n: int, chosen: dict[str, str]) -> Variant:
    orders = CLEAN + IDS[chosen["ids"]]
    titles, header = HEADERS[chosen["header"]]
    date = {"cell": lambda t: t, "serial_cell": lambda t: float(_serial(t))}.get(chosen["date"]) or DATES[
        chosen["date"]
    ]
    amount = float if chosen["amount"] == "cell" else AMOUNTS[chosen["amount"]]
    body, counted = with_noise(header, _body(orders, date, amount, "plain"), orders, chosen["noise"], amount)
    file = f"orders_{n:03d}.xlsx"
    if chosen["noise"] == "blank":  # the blank row below the last filled cell is no row of the sheet
        counted = {"blank_row": (1, Decimal(0))}
    content = excel_bytes({"订单": [*titles, header, *body]})
    params = {"path": [file], "columns": _columns(header)}
    return Variant(f"{n:03d}-xlsx-" + "-".join(chosen.values()), {file: content}, params, expected_of(orders, counted))


def variants() -> Iterator[Variant]:
    """Every hostile file: 224 texts, 30 workbooks, several downloads, and the ones that must be refused."""
    for n, chosen in enumerate(_drawn(224, AXES)):
        yield _text_variant(n, chosen)
    for n, chosen in enumerate(_drawn(30, EXCEL_AXES), 224):
        yield _excel_variant(n, chosen)
    from hostile.broken import broken

    yield from broken()
