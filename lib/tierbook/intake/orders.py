"""Settling the orders table: column by column, then the rules, each by header, content and answers."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pandas as pd

from tierbook.errors import InputError, ParamsError
from tierbook.fill_in import MARK
from tierbook.intake import choices, rules, suspicions
from tierbook.intake.choices import Orders
from tierbook.intake.plan import Plan
from tierbook.intake.questions import Choice, Desk, Question
from tierbook.intake.roles import Role, choose
from tierbook.intake.speech import Speech
from tierbook.params import nearest
from tierbook.schema import SCHEMA

EXTRA = ("order_id", "line_id", "quantity", "product", "category", "cost", "channel", "store", "region")
_IDISH = re.compile(r"(id|no|code|key|编号|号|码|账号)$", re.IGNORECASE)


@dataclass
class Settling:
    """The orders under way: the plan that grows, what the cells hold, whom to ask, and in which words."""

    plan: Plan
    orders: Orders
    cells: pd.DataFrame
    desk: Desk
    speech: Speech

    def settle(self) -> Plan:
        """Decide every column and rule. Raises `InputError` where nothing says who bought."""
        self._given_columns()
        for step in (self._customer, self._day, self._amount, self._refund, self._extra):
            step()
        rules.settle(self)
        suspicions.refuse_refunds_without_sign(self)
        suspicions.refuse_repeated_totals(self)
        return self.plan

    def is_set(self, canonical: str) -> bool:
        """Whether an answer or the preset has decided a column or a rule, and nobody need be asked."""
        preset = self.plan.preset
        fixed = preset is not None and canonical not in preset.ask and canonical not in self.desk.given
        return canonical in self.plan.columns or (fixed and canonical in {**preset.columns, **preset.rules})

    def _given_columns(self) -> None:
        """Columns named on the command line. Raises `ParamsError` with the nearest column of the file."""
        for canonical in SCHEMA["transactions"]:
            said = self.desk.given.get(canonical)
            if said is None or canonical == "currency" or (canonical, said) == ("refund_amount", "netted"):
                continue
            header = next((h for h in self.orders.types if h.strip().lower() == said.lower()), None)
            if header is None:
                raise ParamsError(
                    f"--answer {canonical}={said}: the file has no such column; {nearest(said, self.orders.types)}"
                )
            self.plan.put(canonical, header)
            self.plan.notes[canonical] = self.speech("answered")

    def _choose(self, canonical: str, candidates: list[Role], told: tuple[Choice, ...]) -> None:
        """One candidate is taken with its reason; of several the user chooses, or the line stays open."""
        if len(candidates) == 1 and candidates[0].sure != "unsure":
            return self.take(canonical, candidates[0])
        question = Question(canonical, self.speech(f"ask_{canonical}"), told)
        header = self.desk.settle(question)
        if header is None:
            held = {role.header for role in candidates}
            own = self.plan.preset.columns.get(canonical) if self.plan.preset else None
            self.plan.leave_open(canonical, own if own in held else candidates[0].header)
            self.plan.notes[canonical] = question.told
        else:
            self.plan.put(canonical, header)
            self.plan.notes[canonical] = self.speech("answered")

    def take(self, canonical: str, role: Role) -> None:
        self.plan.put(canonical, role.header)
        self.plan.notes[canonical] = f"{self.speech(role.sure)}: {self.speech(role.why[0], **role.why[1])}"

    def _customer(self) -> None:
        candidates = id_candidates(self.plan.roles, set(self.orders.types))
        if not candidates and not self.is_set("customer_id"):
            names = ", ".join(part.name for part in self.plan.parts[:3])
            raise InputError(
                f"{names}: no column says who bought, and tiering needs a buyer id on every order; columns seen: "
                f"{', '.join(h.strip() for h in self.orders.types)}; export the report again with the buyer's id "
                "(买家会员名, 客户编号, customer id), or name the column: --answer customer_id=<column>"
            )
        if not self.is_set("customer_id"):
            self._choose("customer_id", candidates, choices.of_ids(self.orders, candidates, self.speech))
        header = self.plan.header("customer_id")
        asked = self.plan.columns.get("customer_id") == MARK
        offered = [role.header for role in candidates] if asked else [header]
        self.plan.personal = next((own for own in offered if own and self._is_contact(own)), None)
        if header and self._is_contact(header):
            self.plan.told.append(self.speech("id_is_contact", header=header))

    def _is_contact(self, header: str) -> bool:
        by_name = any(role.header == header and role.kind == "contact" for role in self.plan.roles)
        return by_name or max(self.cells.loc[header, ["phone", "email"]]) > 0.5

    def _day(self) -> None:
        candidates = _readable(choose(self.plan.roles, "ordered_at"), ("time", "slashed"), self.cells)
        header = self.plan.header("ordered_at") or (candidates[0].header if candidates else None)
        self._date_format(header)
        if header and self.orders.has_offsets(header):
            self.plan.notes["timezone"] = self.speech("timezone", zone=choices.ZONE)
            self.plan.told.append(self.plan.notes["timezone"])
        if self.is_set("ordered_at"):
            return
        days = [self.orders.day(role.header) for role in candidates]
        if len(days) > 1 and not any(self.orders.differ(days[0], other) for other in days[1:]):
            candidates = candidates[:1]
        self._choose("ordered_at", candidates, choices.of_days(self.orders, candidates, self.speech))

    def _date_format(self, header: str | None) -> None:
        """The order of day and month, where the cells prove it or the user says it."""
        preset = self.plan.preset
        if header is None or (preset and "date_format" in preset.rules):
            return
        given = self.desk.given.get("date_format")
        forms = choices.date_order(self.orders, header) if self.orders.types[header] == "VARCHAR" else []
        if given or len(forms) == 1:
            self._use_form(given or forms[0], self.speech("answered" if given else "found_date_format"))
        elif forms:
            told = []
            for form, code in zip(forms, ("choice_day_first", "choice_month_first"), strict=True):
                day = self.orders.day(header, form)
                first, last = self.orders.one(f"min({day})", f"max({day})")
                told.append(Choice(form, form + self.speech(code, first=first, last=last)[8:]))
            question = Question("date_format", self.speech("ask_date_format", header=header), tuple(told))
            form = self.desk.settle(question)
            self._use_form(form or forms[0], self.speech("answered"))
            if form is None:
                self.plan.leave_rule_open("date_format", question.told, forms[0])

    def _use_form(self, form: str, note: str) -> None:
        self.orders.date_format = self.plan.rules["date_format"] = form
        self.plan.notes["date_format"] = note

    def _amount(self) -> None:
        if self.is_set("amount"):
            return
        candidates = _readable(choose(self.plan.roles, "amount"), ("money",), self.cells)
        if not candidates:
            return self._product()
        suspicions.refuse_decimal_commas(self, candidates)
        money = [self.orders.money(role.header) for role in candidates]
        if len(money) > 1 and not any(self.orders.differ(money[0], other) for other in money[1:]):
            candidates = candidates[:1]
        fees = [r for r in self.plan.roles if r.role == "postage" and self.cells.loc[r.header, "money"] > 0.5]
        fee = fees[0].header if fees else None
        told = (
            choices.of_amounts(self.orders, candidates, fee, self.speech)
            if len(candidates) > 1 or candidates[0].sure == "unsure"
            else ()
        )
        self._choose("amount", candidates, told)
        if fee and len(candidates) == 1:
            total = self.orders.one(f"coalesce(CAST(sum({self.orders.money(fee)}) AS DOUBLE), 0)")[0]
            if total:
                self.plan.told.append(self.speech("postage_note", header=fee, money=total, amount=candidates[0].header))

    def _product(self) -> None:
        """No column holds the amount: quantity × price does."""
        pair = [choose(self.plan.roles, name) for name in ("quantity", "price")]
        if not all(pair):
            raise InputError(
                f"{self.plan.parts[0].name}: no column holds an amount that can be read as money; name it: --answer amount=<column>"
            )
        self.plan.columns["amount"] = self.plan.likely["amount"] = {"multiply": [found[0].header for found in pair]}
        self.plan.notes["amount"] = f"{self.speech('likely')}: {self.speech('quantity_times_price')}"

    def _refund(self) -> None:
        """A refund column is taken off only by the user's word, or where it is named as in the contract."""
        candidates = _readable(choose(self.plan.roles, "refund_amount"), ("money",), self.cells)
        if self.is_set("refund_amount") or not candidates:
            return
        header = candidates[0].header
        rows, total = self.orders.one(
            *(f"{f}({self.orders.money(header)})" for f in ("count", "sum")), where=f"{self.orders.money(header)} <> 0"
        )
        if candidates[0].kind == "contract":
            return self.take("refund_amount", candidates[0])
        if not rows:
            return
        told = self.speech(
            "choice_column", header=header, kind=self.speech("kind_total"), filled=rows, money=float(total), more=""
        )
        offered = (Choice(header, told), Choice("netted", self.speech("choice_netted")))
        question = Question("refund_amount", self.speech("ask_refund_amount"), offered)
        answer = self.desk.settle(question)
        if answer is None:
            self.plan.leave_open("refund_amount", header)
            self.plan.notes["refund_amount"] = question.told
        elif answer != "netted":
            self.plan.put("refund_amount", header)
            self.plan.notes["refund_amount"] = self.speech("answered")

    def _extra(self) -> None:
        """Columns that add to the report and decide nothing; a line's number only where its header says so outright."""
        for canonical in EXTRA:
            found = choose(self.plan.roles, canonical)
            good = ("sure",) if canonical in {"line_id", "order_id", "cost"} else ("sure", "likely")
            free = found and found[0].header not in self.plan.used
            if free and not self.is_set(canonical) and found[0].sure in good:
                self.take(canonical, found[0])


def _readable(candidates: list[Role], reads: tuple[str, ...], cells: pd.DataFrame) -> list[Role]:
    """The candidates of which most cells read as they should; all of them where none does; empty columns never."""
    filled = [role for role in candidates if cells.loc[role.header, "filled"]]
    good = [role for role in filled if max(cells.loc[role.header, name] for name in reads) >= 0.5]
    return good or filled


def id_candidates(roles: list[Role], headers: set[str]) -> list[Role]:
    """Who bought, best first: a customer number alone needs no question; an account name beside a phone does.

    A buyer's name counts only where there is neither. A column of unknown name that calls itself an id is a candidate
    of last resort.
    """
    filled = [role for role in roles if role.why[0] != "why_empty"]
    kinds = ("contract", "id", "account", "contact", "name")
    of_kind = {kind: choose([role for role in filled if role.kind == kind], "customer_id") for kind in kinds}
    numbers = of_kind["contract"] or of_kind["id"]
    if numbers:
        return numbers
    people = of_kind["account"] + of_kind["contact"]
    if people or of_kind["name"]:
        return _asked_if_personal(people or of_kind["name"])
    unknown = [role for role in roles if role.why[0] == "why_unknown" and _IDISH.search(role.header.strip())]
    return [replace(role, kind="unknown", sure="unsure") for role in unknown if role.header in headers]


def _asked_if_personal(candidates: list[Role]) -> list[Role]:
    """Personal data are never taken for the id without being asked."""
    return [replace(role, sure="unsure") if role.sure == "personal" else role for role in candidates]
