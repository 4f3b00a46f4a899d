"""Settling a table beside the orders: each column by its header, the required ones or none of the table."""

from __future__ import annotations

from tierbook.intake.plan import Plan
from tierbook.intake.roles import choose
from tierbook.intake.speech import Speech
from tierbook.schema import REQUIRED, SCHEMA


def settle(plan: Plan, speech: Speech) -> Plan | None:
    """Map what headers say; None where a required column is not among them."""
    for canonical in SCHEMA[plan.table]:
        found = [role for role in choose(plan.roles, canonical) if role.header not in plan.used]
        needed = canonical in REQUIRED[plan.table]
        if canonical == "customer_id" or not found or (found[0].sure == "unsure" and not needed):
            found = (
                [role for role in found if role.kind not in {"contact", "name"}] if canonical == "customer_id" else []
            )
        if found and canonical not in (plan.preset.columns if plan.preset else {}):
            plan.put(canonical, found[0].header)
            plan.notes[canonical] = f"{speech(found[0].sure)}: {speech(found[0].why[0], **found[0].why[1])}"
    mapped = {**(plan.preset.columns if plan.preset else {}), **plan.columns}
    return plan if set(REQUIRED[plan.table]) <= set(mapped) else None
