"""Money that would count wrongly though every cell reads well: refused in one line, unless the user has named the column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tierbook.engine import identifier
from tierbook.errors import InputError
from tierbook.intake.plan import headers_of

if TYPE_CHECKING:
    from tierbook.intake.orders import Settling
    from tierbook.intake.roles import Role

_COMMA = r"^[-+(]?\d{1,3}([. ]?\d{3})*,\d{1,2}\)?$"
_REFUND = r"^(销售)?(退款|退货|退单|退换货?|红冲|冲红|红字)(单|订单|成功)?$|^(refund(ed)?|returns?|returned|credit (note|memo)|chargeback)$"
_FEWEST, _NEARLY_ALL, _MOST_KINDS = 5, 0.95, 20


def refuse_decimal_commas(own: Settling, candidates: list[Role]) -> None:
    """Raise `InputError` where the amounts are written 1.234,56: no cell of the column reads as a number then."""
    header = candidates[0].header
    if own.cells.loc[header, "money"] >= 0.5 or own.orders.types[header] != "VARCHAR":
        return
    said = own.orders.text(header)
    seen, commas, example = own.orders.one(
        f"count({said})",
        f"count(*) FILTER (regexp_matches({said}, '{_COMMA}'))",
        f"min({said}) FILTER (regexp_matches({said}, '{_COMMA}'))",
    )
    if commas >= _NEARLY_ALL * seen > 0:
        raise InputError(
            f"{own.plan.parts[0].name}, column {header.strip()!r}: {commas} of {seen} amounts have a comma for the decimal "
            f"point, for example {example!r}; export them as 1234.56 (in Excel: Options, Advanced, Decimal separator)"
        )


def refuse_repeated_totals(own: Settling) -> None:
    """Raise `InputError` where the order's total stands on each of its lines, and would count once for each.

    Told by five or more orders of several different lines, of which 95 % have one amount on all lines though the orders
    differ. Compared are lines of one download, moment and status: two downloads may tell an order in two states, and a
    refund of all of it is no second total.
    """
    order, amounts = own.plan.header("order_id"), _amounts(own)
    if order is None or own.desk.given.get("amount") or len(amounts) != 1 or own.is_set("line_id"):
        return
    (amount,) = amounts
    money, lines = own.orders.money(amount), ", ".join(map(identifier, own.orders.types))
    alike_in = [own.plan.header(name) for name in ("order_id", "ordered_at", "status")]
    keys = ", ".join(["_part", *(own.orders.text(header) for header in alike_in if header)])
    several, alike, levels = own.orders.engine.execute(f"""
        SELECT count(*), count(*) FILTER (low = high), count(DISTINCT low) FILTER (low = high) FROM
        (SELECT min({money}) AS low, max({money}) AS high FROM {own.orders.sql} WHERE {money} <> 0
         GROUP BY {keys} HAVING count(DISTINCT hash({lines})) > 1)""").fetchone()
    if several < _FEWEST or alike < _NEARLY_ALL * several or levels < several / 2:
        return
    raise InputError(
        f"{own.plan.parts[0].name}, column {amount.strip()!r}: {alike} of {several} orders of several lines have one amount "
        f"on all their lines: the order's total, which would count once for each line; name the lines' own amount{_parts_of(own, amount, order)}, "
        f"or write --answer amount={amount.strip()} if each line did cost that"
    )


def _parts_of(own: Settling, total: str, order: str) -> str:
    """The answer that names the column which sums to the order's total, where there is one."""
    for header in own.orders.types:
        if header in {total, order}:
            continue
        whole, part = own.orders.money(total), own.orders.money(header)
        equal, orders = own.orders.engine.execute(f"""
            SELECT count(*) FILTER (parts = whole), count(*) FROM
            (SELECT sum({part}) AS parts, max({whole}) AS whole FROM {own.orders.sql} WHERE {whole} <> 0
             GROUP BY {own.orders.text(order)}, _part)""").fetchone()
        if orders and equal >= _NEARLY_ALL * orders:
            return f" (--answer amount={header.strip()})"
    return " (--answer amount=<column>)"


def refuse_refunds_without_sign(own: Settling) -> None:
    """Raise `InputError` where a column calls rows refunds whose amount is above zero, and nobody has been asked of it.

    Beside a refund column they are sales that it takes off; beside a status column it is said only, for that one decides.
    """
    if own.is_set("refund_amount") or own.plan.header("refund_amount"):
        return
    amounts = _amounts(own)
    worth = own.orders.worth(amounts)
    for header in own.orders.types:
        if header in own.plan.used or header in amounts or own.orders.types[header] != "VARCHAR" or not worth:
            continue
        said = own.orders.text(header)
        if own.cells.loc[header, "distinct"] > _MOST_KINDS:
            continue
        word, rows, money = own.orders.one(
            f"min({said})",
            "count(*)",
            f"sum({worth})",
            where=f"regexp_matches(lower({said}), '{_REFUND}') AND {worth} > 0",
        )
        if rows and own.plan.header("status"):
            said = {"header": header.strip(), "rows": rows, "word": word, "money": float(money)}
            own.plan.told.append(own.speech("refunds_above_zero", **said))
        elif rows:
            raise InputError(
                f"{own.plan.parts[0].name}, column {header.strip()!r}: {rows} of the rows say {word} with an amount above zero "
                f"({money:,.2f} in all), which would count as sales; write these amounts with a minus sign, or leave the rows "
                f"out: --answer status={header.strip()} and --answer count_status=<what counts>"
            )


def _amounts(own: Settling) -> list[str]:
    """The headers of the amount as it is read for now."""
    preset = own.plan.preset
    found = headers_of({**(preset.columns if preset else {}), **own.plan.likely}.get("amount", {}))
    return [header for header in found if header in own.orders.types]
