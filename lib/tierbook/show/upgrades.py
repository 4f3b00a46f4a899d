"""Upgrade candidates (升级候选名单) in words: what a customer lacks to the next tier, and until when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal
from typing import Any

import pandas as pd

from tierbook.show import tables
from tierbook.show.words import MILLION, N_, NONE, TEN_THOUSAND, Words

WAYS = (("orders_missing", "spend_missing"), ("alt_orders", "alt_spend"))
KEEP = (("keep_orders", "keep_spend"),)
# By whether frequency counts days with a purchase: orders of any size, and orders with money.
STEPS = {
    False: (
        N_("{n:number|more order|more orders} of any size"),
        N_("{n:number|more order|more orders} with {money:text} or more in all"),
    ),
    True: (
        N_("{n:number|more day|more days} with a purchase of any size"),
        N_("{n:number|more day|more days} with a purchase, {money:text} or more in all"),
    ),
}


def gap(words: Words, ways: Iterable[tuple[float, float]], deadline: dt.date, by_days: bool = False) -> str:
    """What is missing in words, as plain text: ``2 more orders of any size, or CN¥230 more, by November 30``.

    ``ways``: orders and money of each way to the tier (`insight.upgrades.next_tier`); money null or 0 is any amount, a
    way with null orders is none, without any the text is ``–``. ``by_days``: orders are days with a purchase
    (``rfm.frequency: days``). Money is rounded up as far as it is written, so that who spends it has spent enough.
    """
    told = [_way(words, int(orders), money, by_days) for orders, money in ways if not pd.isna(orders)]
    if not told:
        return NONE
    until = _day(words, deadline)
    if len(told) == 1:
        return words.text("{way:text}, by {deadline:text}", way=told[0], deadline=until)
    return words.text("{way:text}, or {other:text}, by {deadline:text}", way=told[0], other=told[1], deadline=until)


def _way(words: Words, orders: int, money: float, by_days: bool) -> str:
    of_any_size, with_money = STEPS[by_days]
    if pd.isna(money) or money <= 0:
        return words.text(of_any_size, n=orders)
    enough = _enough(words, money)
    # Money cannot be spent without an order, so one order with it is the money alone.
    return (
        words.text("{money:text} more", money=enough) if orders == 1 else words.text(with_money, n=orders, money=enough)
    )


def _enough(words: Words, money: float) -> str:
    exact = Decimal(str(money))
    large, coarse = (TEN_THOUSAND, 1_000) if words.language == "zh" else (MILLION, 10_000)
    step = Decimal("0.01") if exact < 100 else Decimal(coarse if exact > large - 1 else 1)
    return words.money((exact / step).to_integral_value(ROUND_CEILING) * step)


def _day(words: Words, date: dt.date) -> str:
    """The day without its year: ``November 30`` or 11月30日."""
    from babel.dates import format_skeleton

    return format_skeleton("MMMMd", date, locale=words.language)


def candidates_html(words: Words, candidates: pd.DataFrame, by_days: bool = False, **options: Any) -> str:
    """The candidates (`insight.upgrades.upgrade_candidates`) as a table, what is missing in words.

    ``options`` as of `tables.html`; only the rows that it shows are put into words.
    """
    said = _in_words(words, candidates, WAYS, by_days, options.get("rows", tables.MOST_ROWS))
    columns = ["customer_id", "tier", "next_tier", "next_tier_gap", "stage", "monetary"]
    return tables.html(candidates.assign(next_tier_gap=said)[columns], words, **options)


def kept_html(words: Words, kept: pd.DataFrame, deadline: dt.date, by_days: bool = False, **options: Any) -> str:
    """Customers whose tier is held (`Workbook.protected`) as a table, what would earn it again by ``deadline`` in words."""
    dated = kept.rename(columns={"net": "monetary"}).assign(deadline=deadline)
    said = _in_words(words, dated, KEEP, by_days, options.get("rows", tables.MOST_ROWS))
    columns = ["customer_id", "tier", "computed", "held_until", "keep_gap", "monetary"]
    return tables.html(dated.assign(keep_gap=said)[columns], words, terms={"computed": "tier"}, **options)


def _in_words(words: Words, frame: pd.DataFrame, pairs: tuple, by_days: bool, rows: int) -> pd.Series:
    top = frame.head(rows).to_dict("records")
    said = [gap(words, [(row[orders], row[money]) for orders, money in pairs], row["deadline"], by_days) for row in top]
    return pd.Series(said, index=frame.index[:rows], dtype=object).reindex(frame.index)
