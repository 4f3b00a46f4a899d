"""The currency of the orders: by column, by header, by the sign in the amounts, by answer; CNY only when told so loudly."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tierbook.errors import ParamsError
from tierbook.fill_in import MARK
from tierbook.intake.choices import Orders
from tierbook.intake.plan import Plan, headers_of
from tierbook.intake.questions import Choice, Desk, Question
from tierbook.intake.roles import choose
from tierbook.intake.speech import Speech
from tierbook.intake.vocabulary import NAMES, currency

DEFAULT = "CNY"
_OFFERED = ("CNY", "USD", "EUR", "GBP", "HKD", "JPY")
_SIGNS = {"CNY": "[¥￥元]|rmb|cny", "USD": r"(^|[^k])\$|usd", "EUR": "€|eur", "GBP": "£|gbp"}


@dataclass
class Money:
    """The report's currency, why it is so, and what another is worth in it; values may be ``FILL_IN``."""

    code: str
    why: str
    rates: dict[str, str] = field(default_factory=dict)
    loud: bool = False

    @property
    def likely(self) -> str:
        """A currency to reckon with until the line is filled in."""
        return DEFAULT if self.code == MARK else self.code


def of(orders: Orders, plan: Plan, desk: Desk, speech: Speech) -> Money:
    """Find the currency; several in a column are a question each for its rate. Raises `ParamsError` for a bad answer."""
    given = desk.given.get("currency")
    if given and not re.fullmatch(r"[A-Z]{3}", given):
        raise ParamsError(f"--answer currency={given}: write the three capital letters of a currency, such as CNY")
    counts = _in_column(orders, plan, speech)
    if len(counts) > 1:
        return _several(counts, desk, speech)
    amount = headers_of(plan.likely.get("amount") or plan.preset.columns["amount"])
    named = choose(plan.roles, "currency")
    where = named[0].header if named else ""
    found = (
        (next(iter(counts), None), speech("currency_column", header=where))
        if counts
        else _from_amount(orders, amount, speech)
    )
    if given:
        return Money(given, speech("answered"))
    if plan.preset and "currency" in plan.preset.about:
        return Money(plan.preset.about["currency"], speech("currency_found", where=f"preset {plan.preset.name}"))
    if found[0]:
        return Money(found[0], speech("currency_found", where=found[1]))
    offered = tuple(Choice(code, code) for code in _OFFERED)
    said = desk.ask(Question("currency", speech("ask_currency_none"), offered)) if desk.ask else None
    return Money(said, speech("answered")) if said else Money(DEFAULT, speech("currency_default"), loud=True)


def _in_column(orders: Orders, plan: Plan, speech: Speech) -> dict[str, int]:
    """Rows by currency code of a currency column, which is mapped where it holds codes; a word such as 人民币 cannot be."""
    found = choose(plan.roles, "currency")
    if not found or (plan.preset and "currency" in plan.preset.columns and found[0].header not in orders.types):
        return {}
    header = found[0].header
    said = f"upper({orders.text(header)})"
    rows = orders.engine.execute(
        f"SELECT {said}, count(*) FROM {orders.sql} WHERE {said} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    counts = dict(rows.fetchall())
    if all(re.fullmatch(r"[A-Z]{3}", code) for code in counts) and "RMB" not in counts and counts:
        plan.put("currency", header)
        plan.notes["currency"] = f"{speech(found[0].sure)}: {speech(found[0].why[0], **found[0].why[1])}"
        return counts
    return {NAMES[code]: n for code, n in counts.items() if code in NAMES} if len(counts) == 1 else {}


def _several(counts: dict[str, int], desk: Desk, speech: Speech) -> Money:
    told = tuple(Choice(code, speech("choice_currency", value=code, rows=rows)) for code, rows in counts.items())
    question = Question("currency", speech("ask_currency"), told)
    code = desk.settle(question)
    money = Money(code or MARK, speech("answered") if code else question.told)
    for other in counts if code else ():
        if other != code:
            rate = desk.settle(Question(f"rates.{other}", speech("ask_rates", code=other, currency=code), number=True))
            money.rates[other] = rate or MARK
    return money


def _from_amount(orders: Orders, headers: list[str], speech: Speech) -> tuple[str | None, str]:
    named = next((h for h in headers if currency(h)), None)
    if named:
        return currency(named), speech("currency_header", header=named)
    texts = [orders.text(h) for h in headers if orders.types.get(h) == "VARCHAR"]
    if not texts:
        return None, ""
    said = f"lower({texts[0]})"
    counts = orders.one(*(f"count(*) FILTER (regexp_matches({said}, '{sign}'))" for sign in _SIGNS.values()))
    signed = [code for code, count in zip(_SIGNS, counts, strict=True) if count]
    return (signed[0], speech("currency_sign")) if len(signed) == 1 else (None, "")
