"""The rules of the orders: which statuses count, what stands twice; decided after the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tierbook.engine import identifier
from tierbook.intake import choices
from tierbook.intake.plan import headers_of
from tierbook.intake.questions import Choice, Question
from tierbook.intake.roles import choose

if TYPE_CHECKING:
    from tierbook.intake.orders import Settling


def settle(own: Settling) -> None:
    """Decide every rule of an order's plan whose columns are settled."""
    _status(own)
    _repeats(own)


def _status(own: Settling) -> None:
    if not own.is_set("status"):
        found = [role for role in choose(own.plan.roles, "status") if role.sure != "unsure"]
        if not found:
            return
        header = found[0].header
    else:
        found, header = [], own.plan.header("status")
    told = choices.of_statuses(own.orders, header, _worth(own), own.speech)
    if found and told:
        own.take("status", found[0])
    if not told or own.is_set("count_status"):
        return
    every = [choice.value for choice in told]
    _count(own, Question("count_status", own.speech("ask_count_status"), (*told, _all(own)), several=True), every)


def _all(own: Settling) -> Choice:
    """Counting every status is leaving the line out; with a preset that lists some, it is listing them all."""
    listed = own.plan.preset is not None and "count_status" in own.plan.preset.rules
    return Choice("all", own.speech("choice_all_listed" if listed else "choice_all"))


def _count(own: Settling, question: Question, every: list[str]) -> None:
    answer = own.desk.settle(question)
    if answer is None:
        own.plan.leave_rule_open("count_status", question.told, every)
    elif answer != "all" or (own.plan.preset and "count_status" in own.plan.preset.rules):
        own.plan.rules["count_status"] = every if answer == "all" else answer
        own.plan.notes["count_status"] = own.speech("answered")


def _worth(own: Settling) -> str:
    preset = own.plan.preset
    return own.orders.worth(headers_of({**(preset.columns if preset else {}), **own.plan.likely}["amount"]))


def _repeats(own: Settling) -> None:
    _overlap(own)
    if own.is_set("duplicates") or own.plan.header("line_id"):
        return  # with line numbers, a line exported twice is told from two sales
    keys = [own.plan.header("customer_id"), own.plan.header("ordered_at")]
    if None in keys:
        return
    rows = _copies(own, *keys)
    if rows:
        told = (Choice("keep", own.speech("choice_keep")), Choice("drop_exact", own.speech("choice_drop")))
        question = Question("duplicates", own.speech("ask_duplicates", rows=rows), told)
        answer = own.desk.settle(question)
        if answer is None:
            own.plan.leave_rule_open("duplicates", f"{question.text} {question.told}", "keep")
        else:
            own.plan.rules["duplicates"], own.plan.notes["duplicates"] = answer, own.speech("answered")


def _copies(own: Settling, customer: str, day: str) -> int:
    """Rows of one file that are copies of another of its rows; rows without buyer or day are no orders."""
    real = f"{own.orders.text(customer)} IS NOT NULL AND {own.orders.day(day)} IS NOT NULL"
    found = own.orders.engine.execute(f"""SELECT coalesce(sum(n - 1), 0) FROM
        (SELECT count(*) AS n FROM {own.orders.sql} AS lines WHERE {real} GROUP BY hash(lines) HAVING count(*) > 1)""")
    return int(found.fetchone()[0])


def _overlap(own: Settling) -> None:
    """Several files with one header are downloads of one export: an order that stands in two counts once.

    A column that names the file or the sheet does for several files put together beforehand.
    """
    named, order = [r for r in choose(own.plan.roles, "part") if r.sure == "sure"], own.plan.header("order_id")
    part = f"CAST({identifier(named[0].header)} AS VARCHAR)" if named else "_part"
    parts = own.orders.one(f"count(DISTINCT {part})")[0]
    if parts < 2:
        return
    if order is None:
        own.plan.told.append(own.speech("downloads_unknown", parts=parts))
        return
    count = _shared(own, order, part)
    own.plan.told.append(own.speech("downloads" if count else "downloads_apart", parts=parts, shared=count))
    if count and named and not own.is_set("part"):
        own.take("part", named[0])
    if count and not own.is_set("overlap_by"):
        own.plan.rules["overlap_by"] = "order_id"
        own.plan.notes["overlap_by"] = own.plan.told[-1]


def _shared(own: Settling, order: str, part: str) -> int:
    """Orders that stand in several parts."""
    said = own.orders.text(order)
    found = own.orders.engine.execute(f"""SELECT count(*) FROM (SELECT 1 FROM {own.orders.sql}
        WHERE {said} IS NOT NULL GROUP BY {said} HAVING min({part}) < max({part}))""")
    return found.fetchone()[0]
