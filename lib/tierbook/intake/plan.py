"""The plan of one table: what will stand in the params file, what is open, and why each line is so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tierbook.fill_in import MARK
from tierbook.intake.look import Part
from tierbook.intake.presets import Preset
from tierbook.intake.roles import Role
from tierbook.intake.vocabulary import unit


@dataclass
class Plan:
    """One table as it will stand in the params file.

    ``columns``: canonical → header or {multiply: […]}, ``FILL_IN`` where open; ``likely``: the same with the first
    choice in place of what is open; ``rules``: further keys of the source, ``reckoned``: what those are taken for while open; ``notes``: key → the comment beside it;
    ``told``: what is said about the files of the table; ``personal``: the header of a phone or an e-mail that is, or may
    be, the customer's id.
    """

    table: str
    parts: list[Part]
    roles: list[Role]
    preset: Preset | None = None
    columns: dict[str, Any] = field(default_factory=dict)
    likely: dict[str, Any] = field(default_factory=dict)
    rules: dict[str, Any] = field(default_factory=dict)
    reckoned: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    personal: str | None = None

    def put(self, canonical: str, header: str) -> None:
        """Map one column, times the unit its header names."""
        wanted = header if unit(header) == 1 else {"multiply": [header, str(unit(header))]}
        self.columns[canonical] = self.likely[canonical] = wanted

    def leave_rule_open(self, key: str, note: str, reckoned: Any) -> None:
        """Leave a rule to be filled in, reckoning with a value until then."""
        self.rules[key], self.notes[key], self.reckoned[key] = MARK, note, reckoned

    def leave_open(self, canonical: str, header: str) -> None:
        """Leave a column to be filled in, reckoning with one header until then."""
        self.put(canonical, header)
        self.columns[canonical] = MARK

    @property
    def used(self) -> set[str]:
        """The headers that the table reads, those of its preset too."""
        every = {**(self.preset.columns if self.preset else {}), **self.likely}
        return {header for wanted in every.values() for header in headers_of(wanted)}

    def header(self, canonical: str) -> str | None:
        """The one header behind a canonical column; None where there is none, or a product."""
        every = {**(self.preset.columns if self.preset else {}), **self.likely}
        wanted = every.get(canonical)
        return wanted if isinstance(wanted, str) else None


def headers_of(wanted: Any) -> list[str]:
    """The headers of a mapping: one, or the two that are multiplied."""
    return [wanted] if isinstance(wanted, str) else list(wanted.get("multiply", []))
