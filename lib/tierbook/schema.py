"""The columns of every input table (DESIGN §5): the one place that names them."""

SCHEMA: dict[str, dict[str, str]] = {
    "transactions": {
        "customer_id": "id",
        "ordered_at": "time",
        "amount": "money",
        "order_id": "id",
        "line_id": "id",
        "status": "text",
        "refund_amount": "money",
        "quantity": "number",
        "product": "text",
        "category": "text",
        "cost": "money",
        "channel": "text",
        "store": "text",
        "region": "text",
        "currency": "text",
        "part": "text",
    },
    "customers": {
        "customer_id": "id",
        "joined_at": "time",
        "region": "text",
        "industry": "text",
        "company_size": "text",
        "channel": "text",
        "owner": "text",
        "store": "text",
        "referred_by": "id",
        "do_not_contact": "flag",
        "birthday": "time",
        "gender": "text",
        "record_id": "id",
        "crm_segment": "text",
    },
    "leads": {"lead_id": "id", "created_at": "time", "channel": "text", "customer_id": "id"},
    "contacts": {
        "campaign": "text",
        "customer_id": "id",
        "arm": "text",
        "assigned_at": "time",
        "contacted_at": "time",
        "channel": "text",
        "cost": "money",
        "opened": "flag",
        "clicked": "flag",
        "opted_out": "flag",
    },
    "surveys": {
        "customer_id": "id",
        "answered_at": "time",
        "sent_at": "time",
        "csat": "number",
        "nps": "number",
        "reason": "text",
        "comment": "text",
    },
    "tickets": {
        "customer_id": "id",
        "opened_at": "time",
        "first_response_at": "time",
        "resolved_at": "time",
        "topic": "text",
        "reason": "text",
        "priority": "text",
    },
    "visits": {
        "customer_id": "id",
        "visited_at": "time",
        "sessions": "number",
        "page_views": "number",
        "source": "text",
    },
    "costs": {"month": "month", "amount": "money", "channel": "text"},
    "trial": {"arm": "text", "customer_id": "id", "tier": "text"},
    "id_map": {"from_id": "id", "customer_id": "id", "source": "text"},
}
"""Canonical column → kind, per table. ``part`` names the download or sheet a row came from; the file, where not mapped."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "transactions": ("customer_id", "ordered_at", "amount"),
    "customers": ("customer_id",),
    "leads": ("lead_id", "created_at"),
    "contacts": ("campaign", "customer_id", "arm", "assigned_at"),
    "surveys": ("customer_id", "answered_at"),
    "tickets": ("customer_id", "opened_at"),
    "visits": ("customer_id", "visited_at"),
    "costs": ("month", "amount"),
    "trial": ("arm",),
    "id_map": ("from_id", "customer_id"),
}

DATED: dict[str, str] = {
    "leads": "created_at",
    "contacts": "assigned_at",
    "surveys": "answered_at",
    "tickets": "opened_at",
    "visits": "visited_at",
}
"""The column whose day decides whether a row lies after as_of; a survey not yet answered stays (response rate)."""

ONE_PER: dict[str, tuple[str, ...]] = {
    "customers": ("customer_id",),
    "leads": ("lead_id",),
    "id_map": ("from_id", "source"),
}
"""The key that may stand once in a table; where it stands again, the row of the last file counts (of several there,
the one whose cells sort last, so that the order of rows changes nothing)."""
