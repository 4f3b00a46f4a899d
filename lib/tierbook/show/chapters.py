"""The sentences of the chapters acquire, keep and develop, of the revenue bridge and of the budget.

Each function gives (message, values) pairs for ``show.say``; which message is chosen depends on the numbers alone.
"""

from __future__ import annotations

import pandas as pd

from tierbook.scores.maps import OUTSIDE
from tierbook.show.words import N_

Sentence = tuple[str, dict]
COLUMNS = ["measure", "value", "previous", "year_ago", "target", "change", "low", "high", "unit", "n"]


def rows(card: pd.DataFrame, *chapters: str) -> pd.DataFrame:
    """The scorecard's rows of some chapters, without the columns that none of them fills."""
    found = card.loc[card["chapter"].isin(chapters), COLUMNS]
    return found.drop(columns=[name for name in ("target", "low", "high") if found[name].isna().all()])


def acquire(card: pd.DataFrame, channels: pd.DataFrame) -> list[Sentence]:
    """Newcomers and their cost, how many came back, and the channels that win them cheapest and dearest."""
    known = _known(card)
    told = []
    if "new_customers" in known:
        values = {"n": known["new_customers"]["value"], "cost": known.get("acquisition_cost", {}).get("value")}
        message = (
            N_("<b>{n:number|customer|customers} bought for the first time</b> this month.")
            if values["cost"] is None
            else N_(
                "<b>{n:number|customer|customers} bought for the first time</b> this month; to win one cost {cost:money}."
            )
        )
        told.append((message, values))
    if "second_order_rate" in known:
        message = N_(
            "Of those won three months earlier {value:percent} bought again within 90 days (95% interval {span:span.percent}, {n:number} customers)."
        )
        told.append((message, _with_span(known["second_order_rate"])))
    return told + _channels(channels)


def _channels(channels: pd.DataFrame) -> list[Sentence]:
    each = channels[channels["channel"] != "all"].dropna(subset=["cost_per_newcomer"])
    if len(each) < 2:
        return []
    ends = [each.loc[place] for place in (each["cost_per_newcomer"].idxmin(), each["cost_per_newcomer"].idxmax())]
    values = {"low": ends[0]["channel"], "high": ends[1]["channel"]}
    values |= {"cheap": ends[0]["cost_per_newcomer"], "dear": ends[1]["cost_per_newcomer"]}
    message = N_(
        "In twelve months a new customer cost least through the channel “{low:term.slice}” ({cheap:money}) and most through “{high:term.slice}” ({dear:money})."
    )
    return [(message, values)]


def keep(card: pd.DataFrame) -> list[Sentence]:
    """Retention, and what became of those warned of a month ago."""
    known = _known(card)
    message = N_(
        "<b>{value:percent} of the year before's customers bought again</b> in the last twelve months (95% interval {span:span.percent}, {n:number} customers)."
    )
    if "retention_rate" in known:
        told = [(message, _with_span(known["retention_rate"]))]
    else:
        told = [
            (N_("No retention rate is told: it needs two whole years of orders and 10 customers of the first."), {})
        ]
    if "flagged_bought" in known:
        warned = known["flagged_bought"]
        told.append((N_("Of the {n:number} customers flagged a month ago, {value:percent} have bought since."), warned))
    return told


def develop(card: pd.DataFrame) -> list[Sentence]:
    """Moves up and down, and cross-selling."""
    known = _known(card)
    told = []
    if "upgrade_rate" in known:
        values = _with_span(known["upgrade_rate"]) | {
            "up": known["upgrades"]["value"],
            "down": known["downgrades"]["value"],
        }
        message = N_(
            "<b>{up:number|customer|customers} moved up a tier, {down:number} moved down</b>; {value:percent.1} of those in a tier a month ago moved up (95% interval {span:span.percent.1})."
        )
        told.append((message, values))
    if "cross_sell_rate" in known:
        values = known["cross_sell_rate"] | {"each": known["categories_per_customer"]["value"]}
        message = N_(
            "{value:percent} of customers buy from two or more categories, {each:number.1} categories each on average."
        )
        told.append((message, values))
    return told


def bridge(table: pd.DataFrame) -> list[Sentence]:
    """What new, kept, won back and lost customers did to net sales: a sentence per period of the revenue bridge."""
    told = []
    for period, found in table.groupby("period", sort=False):
        amount = found.set_index("step")["amount"]
        kept = amount.reindex(["kept_more", "kept_less", "kept_same"]).sum()
        part = {step: amount.get(step, 0.0) for step in ("new", "won_back", "lost")}
        before = amount["year_ago"]
        change = amount["now"] / before - 1 if before > 0 else None
        message = N_(
            "<b>{period:term.period}: net sales {now:money}, {change:change} against a year before.</b> New customers {new:+money}, won back {won_back:+money}, kept {kept:+money}, lost {lost:+money}."
        )
        told.append((message, {"period": period, "now": amount["now"], "change": change, "kept": kept, **part}))
    return told or [(N_("The data do not reach back a year before this month: there is no bridge."), {})]


def budget(table: pd.DataFrame) -> list[Sentence]:
    """Every tier that gets over twice, or under half, of its share of profit from the contact budget."""
    if table.empty:
        return [(N_("Nobody was contacted in the last twelve months: there is no budget to set beside profit."), {})]
    tiers = table[table["tier"] != OUTSIDE]
    messages = {
        ("over", "margin"): N_("Tier “{tier:term.tier}” takes {spent:percent} of the contact budget and brings {profit:percent} of the margin: over twice its share."),
        ("over", "net_sales"): N_("Tier “{tier:term.tier}” takes {spent:percent} of the contact budget and brings {profit:percent} of net sales: over twice its share."),
        ("under", "margin"): N_("Tier “{tier:term.tier}” takes {spent:percent} of the contact budget and brings {profit:percent} of the margin: under half its share."),
        ("under", "net_sales"): N_("Tier “{tier:term.tier}” takes {spent:percent} of the contact budget and brings {profit:percent} of net sales: under half its share."),
    }  # fmt: skip
    told = [
        (messages[row.verdict, row.basis], {"tier": row.tier, "spent": spent, "profit": row.profit_share})
        for row, spent in zip(tiers.itertuples(), tiers["cost_share"].fillna(tiers["contact_share"]), strict=True)
        if (row.verdict, row.basis) in messages
    ]
    return told or [(N_("No tier takes over twice or under half of its share of profit from the contact budget."), {})]


def _known(card: pd.DataFrame) -> dict[str, dict]:
    """Measure → its row, of those with a value."""
    return card.dropna(subset=["value"]).set_index("measure").to_dict("index")


def _with_span(row: dict) -> dict:
    return row | {"span": (row["low"], row["high"])}
