"""What the files cannot tell: asked at a terminal, answered on the command line, or left as a line to fill in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tierbook.errors import ParamsError
from tierbook.fill_in import MARK
from tierbook.intake.speech import Speech
from tierbook.params import nearest

FORM = ("encoding", "delimiter", "sheet", "member")
"""Answers that say how every file is to be opened."""

_ASKED = ("count_status", "duplicates")
RULES = ("count_status", "duplicates", "date_format", "currency", "as_of")


@dataclass(frozen=True)
class Choice:
    """One possible answer, and what is told beside it (rows, money, days)."""

    value: str
    told: str


@dataclass(frozen=True)
class Question:
    """What has to be chosen; ``several``: more than one of the choices; ``number``: a number, no choices."""

    key: str
    text: str
    choices: tuple[Choice, ...] = ()
    several: bool = False
    number: bool = False

    @property
    def told(self) -> str:
        """The choices in one line, for the comment beside ``FILL_IN``."""
        return " | ".join(choice.told for choice in self.choices) or self.text


@dataclass
class Desk:
    """Where questions are settled: answers given beforehand, someone to ask (or nobody), and what stays open."""

    given: dict[str, str]
    ask: Callable[[Question], str | None] | None = None
    open: list[Question] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def refuse_unused(self) -> None:
        """An answer to a question that did not come up is a slip: `ParamsError`."""
        asked = [key for key in self.given if key in _ASKED or key.startswith("rates.")]
        left = next((key for key in asked if key not in self.used), None)
        if left:
            raise ParamsError(
                f"--answer {left}={self.given[left]}: these files leave nothing to choose there; leave it out"
            )

    def settle(self, question: Question) -> str | list[str] | None:
        """The answer, checked; None where nobody could be asked: the question then stands among the open ones."""
        said = self.given.get(question.key)
        self.used.add(question.key)
        if said is not None:
            found = understood(question, said, by_number=False)
            if found is None:
                raise ParamsError(f"--answer {question.key}={said}: {_nearest(question, said)}")
            return found
        found = self.ask(question) if self.ask else None
        if found is None:
            self.open.append(question)
        return found


def _nearest(question: Question, said: str) -> str:
    values = [choice.value for choice in question.choices]
    return nearest(said, values) if values else "write a number above 0"


def answers(pairs: list[str], roles) -> dict[str, str]:
    """``key=value`` pairs of the command line. Raises `ParamsError` for a key that nothing asks for."""
    known = [*roles, *RULES, *FORM]
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not value.strip():
            raise ParamsError(f"--answer {pair!r}: write key=value, for example --answer amount=实付金额")
        if key.strip() not in known and not re.fullmatch(r"rates\.[A-Z]{3}", key.strip()):
            raise ParamsError(f"--answer {key.strip()}: unknown; {nearest(key.strip(), known)}")
        found[key.strip()] = value.strip()
    return found


def understood(question: Question, said: str, by_number: bool = True) -> str | list[str] | None:
    """What was meant by a number of the list, a value, or several of them with commas; None: nothing that is known.

    A column or a status that is itself called by a number goes before the number in the list.
    """
    if question.number:
        return said if re.fullmatch(r"\d+(\.\d+)?", said.strip()) and float(said) > 0 else None
    values = [choice.value for choice in question.choices]
    if not question.several:
        return _one(said, values, by_number)
    found = _one(said, values, by_number)  # a value may hold a comma itself
    each = [found] if found else [_one(part, values, by_number) for part in re.split(r"[,，、]", said)]
    if None in each:
        return None
    return "all" if "all" in each else list(dict.fromkeys(each))


def _one(said: str, values: list[str], by_number: bool) -> str | None:
    said = said.strip()
    if said in values:
        return said
    if by_number and said.isdecimal() and 1 <= int(said) <= len(values):
        return values[int(said) - 1]
    return next((value for value in values if value.strip().lower() == said.lower()), None)


def at_terminal(speech: Speech) -> Callable[[Question], str | list[str] | None]:
    """Ask on the terminal until the answer is one of the choices; end of input leaves the question open."""

    def ask(question: Question) -> str | list[str] | None:
        print(f"\n? {question.key}: {question.text}")
        for n, choice in enumerate(question.choices, 1):
            print(f"  {n}  {choice.told}")
        while True:
            try:
                said = input(speech("prompt"))
            except EOFError:
                return None
            if said.strip() == MARK:
                return None
            found = understood(question, said)
            if found is not None:
                return found
            print(speech("prompt_again", given=said))

    return ask
