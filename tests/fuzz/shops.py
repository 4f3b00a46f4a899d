"""Small shops, ordinary and odd, drawn by a number: the tables as CSV and the params that read them."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

AS_OF = dt.date(2026, 10, 31)
PRICES = ["9.90", "10", "25", "25", "100", "0", "1234.5"]
KINDS = ("mixed", "one_customer", "one_order", "one_day", "only_refunds", "zero_amounts", "tied", "huge", "negative_total",
         "future", "one_month", "ten_years", "one_timers", "bare", "empty_tables")  # fmt: skip
HEADERS = {
    "customers": "customer_id,joined_at,region,industry,company_size,channel,owner,store,referred_by,do_not_contact,birthday,gender",
    "leads": "lead_id,created_at,channel,customer_id",
    "contacts": "campaign,customer_id,arm,assigned_at,contacted_at,channel,cost,opened,clicked,opted_out",
    "surveys": "customer_id,answered_at,sent_at,csat,nps,reason,comment",
    "tickets": "customer_id,opened_at,first_response_at,resolved_at,topic,reason,priority",
    "visits": "customer_id,visited_at,sessions,page_views,source",
    "costs": "month,amount,channel",
}


def tables(kind: str, seed: int) -> dict[str, str]:
    """The CSV text of every table of a shop."""
    rng = random.Random(f"{kind}-{seed}")
    lines = _lines(kind, rng)
    if kind == "bare":  # the three columns that every file must have
        return {
            "transactions": "customer_id,ordered_at,amount\n" + "".join(f"{c},{d},{a}\n" for c, _, d, a, *_ in lines)
        }
    header = "customer_id,order_id,ordered_at,amount,quantity,product,category,cost,channel,store,region\n"
    found = {"transactions": header + "".join(",".join(map(str, line)) + "\n" for line in lines)}
    people = [*sorted({line[0] for line in lines}), "ghost"]
    for table, head in HEADERS.items():
        rows = [] if kind == "empty_tables" else [_OTHERS[table](rng, who, n) for n, who in enumerate(people)]
        found[table] = head + "\n" + "".join(f"{row}\n" for row in rows if rng.random() < 0.8)
    return found


def _lines(kind: str, rng: random.Random) -> list[tuple]:
    size = {"one_customer": 1, "one_order": 1, "tied": 2}.get(kind, 40)
    ages = {"one_day": [3], "one_month": range(30), "ten_years": range(3650), "future": range(-40, 400)}.get(
        kind, range(760)
    )
    lines = []
    for who in range(size):
        often = (
            1
            if kind in {"one_order", "one_timers"}
            else 4
            if kind in {"one_customer", "tied"}
            else rng.choice([1, 1, 2, 3, 8])
        )
        drawn = random.Random("same") if kind == "tied" else rng
        for k in range(often):
            lines.append((f"c{who:02d}", f"o{who}-{k}", *_sale(kind, drawn, ages)))
    if kind in {"mixed", "negative_total"}:
        lines += [(*line[:3], f"-{line[3]}", *line[4:]) for line in lines if rng.random() < 0.15]
    if kind == "negative_total":
        lines += [(*line[:3], "-99999", *line[4:]) for line in lines[::3]]
    return lines


def _sale(kind: str, rng: random.Random, ages) -> tuple:
    amount = {"only_refunds": "-10", "zero_amounts": "0", "huge": f"{rng.randrange(1, 9)}9999999999.99"}.get(
        kind, rng.choice(PRICES)
    )
    product = f"p{rng.randrange(4)}"
    day = AS_OF - dt.timedelta(days=rng.choice(ages))
    return (
        day,
        amount,
        rng.choice(["1", "2", ""]),
        product,
        f"k{product[-1]}",
        rng.choice(["3", ""]),
        *(rng.choice(["a", "b", ""]) for _ in range(3)),
    )


def _day(rng: random.Random, most: int = 500) -> str:
    return rng.choice([(AS_OF - dt.timedelta(days=rng.randrange(-20, most))).isoformat()] * 9 + [""])


def _customer(rng, who, n):
    born = f"{rng.randrange(1930, 2010)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"
    words = [
        rng.choice(["north", "south", ""]),
        rng.choice(["retail", ""]),
        rng.choice(["20", "300-500", "", "5000"]),
        rng.choice(["a", "b", ""]),
    ]
    return ",".join([who, _day(rng, 3000), *words, rng.choice(["ann", "bo", ""]), "s1", rng.choice(["c00", who, ""]), rng.choice(["true", "false", ""]), rng.choice([born, ""]), rng.choice(["f", "m", ""])])  # fmt: skip


def _contact(rng, who, n):
    day = _day(rng, 150)
    flags = [rng.choice(["true", "false", ""]) for _ in range(3)]
    return ",".join(
        [
            rng.choice(["autumn", "spring"]),
            who,
            rng.choice(["control", "sms", "sms"]),
            day,
            rng.choice([day, ""]),
            "sms",
            rng.choice(["0.1", "-1", ""]),
            *flags,
        ]
    )


def _ticket(rng, who, n):
    return f"{who},{_day(rng)},{_day(rng)},{_day(rng)},{rng.choice(['late', 'broken', ''])},{rng.choice(['price', ''])},{rng.choice(['high', ''])}"


_OTHERS = {
    "customers": _customer,
    "leads": lambda rng, who, n: f"l{n},{_day(rng)},{rng.choice('ab')},{rng.choice([who, ''])}",
    "contacts": _contact,
    "surveys": lambda rng, who, n: f"{who},{_day(rng)},{_day(rng)},{rng.choice(['1', '5', '6', '', '3.5'])},{rng.choice(['0', '10', '11', '-1', ''])},{rng.choice(['price', ''])},x",
    "tickets": _ticket,
    "visits": lambda rng, who, n: f"{who},{_day(rng)},{rng.choice(['1', '0', '-2', ''])},{rng.choice(['7', ''])},{rng.choice(['ad', ''])}",
    "costs": lambda rng, who, n: f"2026-{1 + n % 12:02d},{rng.choice(['100', '0', '-5', ''])},{rng.choice(['a', ''])}",
}  # fmt: skip


def settings(seed: int) -> dict:
    """Params beside source, drawn among those that change what is computed; 0 draws the defaults."""
    rng = random.Random(seed)
    if seed == 0:
        return {"gate": {"min_customers": 10, "min_history_days": 30}}
    fixed = {"recency_days": [10, 30, 90, 200], "frequency": [2, 3, 4, 6], "monetary": [10, 50, 100, 1000]}
    rfm = rng.choice(
        [
            {},
            {"monetary": "average"},
            {"monetary": "margin"},
            {"frequency": "days"},
            {"window_days": 30},
            {"method": "fixed", "thresholds": fixed},
            {"window_days": 3000},
        ]
    )
    return {
        "rfm": rfm,
        "gate": {"min_customers": rng.choice([1, 500]), "min_history_days": rng.choice([0, 180])},
        "tiers": {"hold_months": rng.choice([0, 3]), "scheme": rng.choice(["four_tier", "three_tier", "service_tier"])},
        "margin": rng.choice([None, 0.3]),
        "value": {"horizon_months": rng.choice([1, 12, 60])},
        "clusters": {"k": rng.choice(["auto", 2, 12])},
        "alerts": {"capacity": {"phone": rng.choice([0, 3])}, "holdout": rng.choice([0, 0.5])},
        "campaign": {"holdout": rng.choice([0, "auto", 0.5])},
    }


def write(found: dict[str, str], folder: Path, more: dict, name: str = "shop") -> dict:
    """Write a shop's tables; the tree of params that reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    source = {}
    for table, content in found.items():
        (folder / f"{table}.csv").write_text(content, encoding="utf-8")
        source[table] = {"path": str(folder / f"{table}.csv")}
    return {"report": {"name": name}, "as_of": AS_OF.isoformat(), "source": source, **more}
