"""What the choices are worth: days, rows and money beside each, read from the orders themselves."""

from __future__ import annotations

import datetime as dt

from tierbook import cells
from tierbook.engine import Engine, identifier
from tierbook.intake.questions import Choice
from tierbook.intake.roles import Role
from tierbook.intake.speech import Speech
from tierbook.intake.vocabulary import unit
from tierbook.params import Params

MOST_STATUSES = 40
ZONE = Params.model_fields["timezone"].default
_OFFSET = r":.*([zZ]|[+-]\d{2}(:?\d{2})?)$"
_PARTS = r"^(\d{1,2})([/.-])(\d{1,2})[/.-](\d{2,4})"


class Orders:
    """The order lines as read, and SQL for what their columns hold."""

    def __init__(self, engine: Engine, sql: str, types: dict[str, str]):
        self.engine, self.sql, self.types = engine, sql, types
        self.date_format: str | None = None

    def text(self, header: str) -> str:
        return cells.text(identifier(header))

    def money(self, header: str) -> str:
        return f"{cells.typed(identifier(header), self.types[header], 'money', 'UTC')} * {unit(header)}"

    def worth(self, wanted: list[str]) -> str:
        """The money of a column, or of two that are multiplied."""
        return " * ".join(f"CAST({self.money(header)} AS DOUBLE)" for header in wanted if header in self.types)

    def day(self, header: str, form: str | None = None) -> str:
        typed = cells.typed(identifier(header), self.types[header], "time", ZONE, form or self.date_format)
        return f"CAST({typed} AS DATE)"

    def has_offsets(self, header: str) -> bool:
        """Whether times carry an offset from UTC, so that the time zone decides the day."""
        if self.types[header] != "VARCHAR":
            return self.types[header] == "TIMESTAMP WITH TIME ZONE"
        return self.one(f"count(*) FILTER (regexp_matches({self.text(header)}, '{_OFFSET}'))")[0] > 0

    def one(self, *expressions: str, where: str = "true") -> tuple:
        return self.engine.execute(f"SELECT {', '.join(expressions)} FROM {self.sql} WHERE {where}").fetchone()

    def differ(self, left: str, right: str) -> bool:
        return self.one(f"count(*) FILTER ({left} IS DISTINCT FROM {right})")[0] > 0


def kind_name(role: Role, speech: Speech) -> str:
    """The word for the kind of a candidate: 应付, 实付, 下单, 付款, a customer number, a name."""
    return speech.name("kind", "paid_day" if (role.role, role.kind) == ("ordered_at", "paid") else role.kind)


def of_ids(orders: Orders, roles: list[Role], speech: Speech) -> tuple[Choice, ...]:
    """Candidates for the buyer's id with their filled and different cells."""
    found = []
    for role in roles:
        said = orders.text(role.header)
        filled, distinct = orders.one(f"count({said})", f"count(DISTINCT {said})")
        told = speech("choice_id", header=role.header, kind=kind_name(role, speech), filled=filled, distinct=distinct)
        found.append(Choice(role.header, told))
    return tuple(found)


def of_days(orders: Orders, roles: list[Role], speech: Speech) -> tuple[Choice, ...]:
    """Candidates for the day of an order with their first and last day, and the rows they would lose."""
    found = []
    for role in roles:
        day = orders.day(role.header)
        filled, rows, first, last = orders.one(f"count({day})", "count(*)", f"min({day})", f"max({day})")
        more = speech("empty_more", rows=rows - filled) if filled < rows else ""
        kind = kind_name(role, speech)
        told = speech("choice_day", header=role.header, kind=kind, filled=filled, first=first, last=last, more=more)
        found.append(Choice(role.header, told))
    return tuple(found)


def of_amounts(orders: Orders, roles: list[Role], postage: str | None, speech: Speech) -> tuple[Choice, ...]:
    """Candidates for the amount with their sums, and which holds the postage."""
    said = _postage_in(orders, [role.header for role in roles], postage, speech)
    found = []
    for role in roles:
        money = orders.money(role.header)
        filled, total = orders.one(f"count({money})", f"coalesce(CAST(sum({money}) AS DOUBLE), 0)")
        more = said.get(role.header, "") + (
            speech("unit_more", unit=unit(role.header)) if unit(role.header) != 1 else ""
        )
        kind = kind_name(role, speech)
        told = speech("choice_column", header=role.header, kind=kind, filled=filled, money=total, more=more)
        found.append(Choice(role.header, told))
    return tuple(found)


def _postage_in(orders: Orders, headers: list[str], postage: str | None, speech: Speech) -> dict[str, str]:
    """Which amounts are another one plus the postage, in 95 % of the rows that have any."""
    said: dict[str, str] = {}
    for whole in headers if postage else ():
        for bare in headers:
            fee = orders.money(postage)
            sums = f"count(*) FILTER ({orders.money(whole)} = {orders.money(bare)} + {fee})"
            equal, rows = orders.one(sums, "count(*)", where=f"{fee} <> 0")
            if whole != bare and rows and equal >= 0.95 * rows:
                said[whole] = speech("with_postage", other=bare, postage=postage)
                said[bare] = speech("without_postage")
    return said


def of_statuses(orders: Orders, header: str, worth: str | None, speech: Speech) -> tuple[Choice, ...]:
    """The values of the status column with rows and money, most rows first; none where they are too many to be statuses.

    A row without a readable amount counts as a row and as no money.
    """
    said = orders.text(header)
    money = f"coalesce(CAST(sum({worth}) AS DOUBLE), 0)" if worth else "0.0"
    # A total row and a blank row have no status; a header repeated in the file is none either.
    rows = orders.engine.execute(f"""SELECT {said} AS value, count(*) AS rows, {money} AS money FROM {orders.sql}
        WHERE {said} IS NOT NULL AND {said} <> trim('{header.replace("'", "''")}')
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_STATUSES + 1}""").fetchall()
    if not 1 < len(rows) <= MOST_STATUSES:
        return ()
    return tuple(Choice(v, speech("choice_status", value=v, rows=n, money=m)) for v, n, m in rows)


def date_order(orders: Orders, header: str) -> list[str]:
    """The strptime forms that 01/02/2026-like cells of a column allow.

    One form where a part above 12 proves it; both where none is; none where cells contradict each other.
    """
    said = orders.text(header)
    where = f"regexp_matches({said}, '{_PARTS}')"
    parts = [f"CAST(regexp_extract({said}, '{_PARTS}', {n}) AS INTEGER)" for n in (1, 3)]
    shape = f"mode(regexp_replace({said}, '\\d+', '9', 'g'))"
    years = f"max(length(regexp_extract({said}, '{_PARTS}', 4)))"
    rows, first, second, shape, digits = orders.one(
        "count(*)", f"max({parts[0]})", f"max({parts[1]})", shape, years, where=where
    )
    if not rows:
        return []
    mark, year, clock = shape[1], "%Y" if digits == 4 else "%y", _clock(shape)
    forms = {"day": f"%d{mark}%m{mark}{year}{clock}", "month": f"%m{mark}%d{mark}{year}{clock}"}
    if first > 12 and second > 12:
        return []
    return [forms["day"]] if first > 12 else [forms["month"]] if second > 12 else list(forms.values())


def _clock(shape: str) -> str:
    """The time of day after a date, from its digits written as 9."""
    half = shape.upper().endswith(("AM", "PM"))
    hours = "%I" if half else "%H"
    return {0: "", 1: f" {hours}:%M", 2: f" {hours}:%M:%S"}[min(shape.count(":"), 2)] + (" %p" if half else "")


def days(orders: Orders, header: str) -> list[dt.date]:
    """The days with an order, in order; those before 1970 are no days of orders."""
    day = orders.day(header)
    found = orders.engine.execute(
        f"SELECT DISTINCT {day} FROM {orders.sql} WHERE {day} >= DATE '1970-01-01' ORDER BY 1"
    )
    return [row[0] for row in found.fetchall()]
