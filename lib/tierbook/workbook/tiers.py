"""Tiers of a month: scores, the tier of every customer at every month's end, and the moves between them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import partial, reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tierbook import history, lookup
from tierbook.accounting import day_number
from tierbook.insight import movement, overrides, protection, tier_path, upgrades, year_path
from tierbook.months import months_before, months_between
from tierbook.params import Rfm
from tierbook.scores import maps
from tierbook.scores.rfm import Scale

if TYPE_CHECKING:
    from tierbook.workbook import Workbook
    from tierbook.workbook.customers import Customers


def scores(part: Customers) -> pd.DataFrame:
    """r, f, m, segment, tier, stage and cluster of each customer."""
    month, measured = part.whole, part.measures()
    now, ids = part.tiers_on(columns=["customer_id", "tier"]), measured["customer_id"]
    return pd.concat([measured, month.scale.apply(measured)], axis=1).assign(
        segment=month.segment_map.apply(part.cells(month.segment_map)).astype(object),
        tier=lookup.of(ids, now["customer_id"], now["tier"].astype(object)),
        stage=part.stage().astype(object),
        cluster=part.cluster_labels()["cluster"],
    )


def with_traits(part: Customers, window: pd.DataFrame, date: dt.date) -> pd.DataFrame:
    """The customers of a date's window with the traits that the tier scheme asks for."""
    wanted = list(part.whole.tier_scheme.traits)
    if not wanted:
        return window
    known = part.traits(wanted, date).set_axis(part.history(date, ["customer_id"])["customer_id"])
    return window.assign(**{trait: known[trait].reindex(window["customer_id"]).array for trait in wanted})


def windows(month: Workbook, dates: list[dt.date], people: pd.Series) -> pd.DataFrame:
    """`Workbook.window` of some customers at any dates, in one pass over their days."""
    ends, length = pd.DataFrame({"end": [day_number(date) for date in dates]}), month.params.rfm.window_days
    asked = pd.DataFrame({"customer_id": people.drop_duplicates()})

    def build(engine, days):
        own = days.join(engine.frame(asked), on="customer_id", how="semi")
        return history.windows(own, engine.frame(ends), length)

    found = month.tables.collect(build, "days").sort_values(["end", "customer_id"], kind="stable", ignore_index=True)
    # without a date, as of a contacts table without rows, the columns of the traits are still asked for
    return pd.concat(
        [with_traits(month, found[found["end"] == day_number(date)], date) for date in dates or [month.as_of]]
    )


KINDS = {"end": "int64", "customer_id": "str", "tier": "str", "net": "float64", "active_days": "int64"}


@dataclass(frozen=True)
class TierRule:
    """Scale and scheme of a run, which give any chunk of a window's customers their tiers."""

    scale: Scale
    scheme: maps.Scheme
    measured: Rfm

    def __post_init__(self):
        movement.refuse_scheme(self.scheme, self.scale)

    def apply(self, window: pd.DataFrame) -> pd.DataFrame:
        """``KINDS`` of each customer of a window (`history.windows` with the scheme's traits)."""
        tiers = movement.tiers_at(window, self.scale, self.scheme, self.measured)
        return tiers.assign(active_days=window["window_active_days"].to_numpy())


def at(month: Workbook, window: pd.DataFrame) -> pd.DataFrame:
    """The tier of every customer of ``window``, on this run's scale, as the scheme alone gives it."""
    return month.tier_rule.apply(window)


def on(part: Customers, date: dt.date) -> pd.DataFrame:
    """The tier of each customer at a date, with protection and overrides."""
    month = part.whole
    hold, back = month.params.tiers.hold_months, months_between(month.as_of, date)
    looked_at = [months_before(month.as_of, back + k) for k in range(hold + 1)]
    computed = pd.concat([part.computed_tiers(earlier) for earlier in looked_at], ignore_index=True)
    found = protection.protect(computed, looked_at, month.tier_scheme.order, hold)
    found = found[found["end"] == day_number(date)].assign(overridden=False).reset_index(drop=True)
    return found if month.overrides is None else overrides.override(found, month.overrides, [date], part.first_days)


def past_moves(month: Workbook) -> pd.DataFrame:
    """Moves between tiers from each of ``month.dates`` to the one after it, counted (`movement.counted`), by its end."""
    for date in month.dates:
        month.tiers_step(date)
    counted = movement.together(list(month.by_part(_past_moves)), ["end"])
    order = {day_number(date): place for place, date in enumerate(month.dates)}
    return counted.sort_values("end", key=lambda end: end.map(order), kind="stable", ignore_index=True)


def _past_moves(part: Customers) -> pd.DataFrame:
    return pd.concat([
        movement.counted(moves_between(part, before, now)).assign(end=day_number(now))
        for now, before in pairwise(part.whole.dates)
    ])  # fmt: skip


def moves_between(part: Customers, before: dt.date, now: dt.date) -> pd.DataFrame:
    """The move of each customer between two dates (`movement.moves`)."""
    return movement.moves(_both(part, before, now), part.first_days, day_number(before), day_number(now))


def _both(part: Customers, before: dt.date, now: dt.date) -> pd.DataFrame:
    columns = ["end", "customer_id", "tier", "net"]
    return pd.concat([part.tiers_on(date, columns) for date in (before, now)], ignore_index=True)


def sizes(month: Workbook) -> pd.DataFrame:
    """Customers per tier at each of ``month.dates`` (`tier_path.sizes`)."""
    return reduce(pd.DataFrame.add, month.by_part(_sizes))


def _sizes(part: Customers) -> pd.DataFrame:
    order, columns = part.whole.tier_scheme.order, ["end", "tier"]
    dates = sorted(part.whole.dates)
    return pd.concat([tier_path.sizes(part.tiers_on(date, columns), [date], order) for date in dates])


def moved(part: Customers) -> pd.DataFrame:
    """This month's move of each customer, and whether the customer or the scale moved."""
    month = part.whole
    moved = moves_between(part, month.dates[1], month.as_of)
    moved["tier_change"] = movement.direction(moved, month.tier_scheme)
    last = month.dates[1]
    known = part.history(last, ["customer_id"])["customer_id"]
    moved["reported"] = lookup.of(moved.index, known, _reported(part, last))
    then, now = (_computed(part, date, moved.index) for date in (last, month.as_of))
    stood = moved["from_tier"] == moved["to_tier"]
    # Where protection or an override decides, the scale does not.
    by_scheme = then.eq(moved["from_tier"]) & now.eq(moved["to_tier"])
    rescaled = by_scheme & moved["reported"].notna() & moved["reported"].ne(then)
    moved["change_cause"] = np.select([~stood, rescaled], ["customer", "scale"], "")
    return moved.replace({"change_cause": {"": None}}).rename_axis("customer_id").reset_index()


def margin_of_fallen(month: Workbook) -> float | None:
    """Yearly margin of those who fell from the best tier this month; None where no margin is known."""
    if month.margin_rate is None:
        return None
    margins = list(month.by_part(_margin_of_fallen))
    return None if None in margins else sum(margins)


def _margin_of_fallen(part: Customers) -> float | None:
    found, best = part.moved(["customer_id", "from_tier", "to_tier"]), part.whole.tier_scheme.order[0]
    fallen = found.loc[(found["from_tier"] == best) & (found["to_tier"] != best), "customer_id"]
    columns = ["customer_id", "window_orders", "window_net", "window_cost"]
    return tier_path.margin_of(fallen, part.history(part.whole.dates[1], columns), part.whole.params.margin)


def _computed(part: Customers, date: dt.date, customers: pd.Index) -> pd.Series:
    """The tier at a date by the scheme alone on this run's scale; ``outside`` without an order in the window, null for
    who had not bought yet."""
    found = part.tiers_on(date, ["customer_id", "computed"])
    tier = lookup.of(customers, found["customer_id"], found["computed"].astype(object))
    return tier.fillna(maps.OUTSIDE).where(part.first_days.reindex(customers) <= day_number(date))


def _reported(part: Customers, last: dt.date) -> pd.Series:
    """The tier by the scheme alone as last month's report gave it, on the scale of then, in the order of last month's
    history; null where that scale is this one."""
    month = part.whole
    scale = month.scale_last_month
    if scale is month.scale:
        return pd.Series(None, index=part.history(last, ["customer_id"]).index, dtype=object)
    cells = part.cells(month.tier_scheme, last, scale)
    return month.tier_scheme.apply(cells).astype(object).fillna(maps.OUTSIDE)


def moves_between_tiers(month: Workbook) -> pd.DataFrame:
    """Tier × tier since last month beside the usual range (DESIGN §6)."""
    now, by_scale = (movement.together(list(counts), []) for counts in zip(*month.by_part(_moved_now), strict=True))
    counts = month.past_moves()
    ends = [day_number(d) for d in month.dates]
    known = [k for k in range(1, 13) if ends[k + 1] >= month.first_day]
    past = {k: counts[counts["end"] == ends[k]] for k in known}
    return movement.movement(list(past.values()), now, by_scale, past.get(12))


def _moved_now(part: Customers) -> tuple[pd.DataFrame, pd.DataFrame]:
    """This month's moves counted: all, and those of customers whom the scale moved, from the tier that was reported."""
    moved = part.moved([*movement.KEYS, "net", "change_cause", "reported"])
    by_scale = moved[moved["change_cause"] == "scale"].assign(from_tier=lambda m: m["reported"])
    return movement.counted(moved), movement.counted(by_scale)


def over_year(month: Workbook) -> dict[str, Any]:
    """Tier twelve months ago by tier now (``moves``), and upgrade and downgrade rates (``rates``), beside the year before.

    Null where the whole window of a year ago is not in the data: ``reaches`` says so.
    """
    dates = [months_before(month.as_of, k) for k in (0, 12, 24)]
    first, window = month.first_day, month.params.rfm.window_days
    reaches = [year_path.reaches(first, day_number(date), window) for date in dates]
    moves = [
        _moves_of_year(month, before, now) if enough else None
        for before, now, enough in ((dates[1], dates[0], reaches[1]), (dates[2], dates[1], reaches[2]))
    ]
    now = moves[0] if moves[0] is not None else pd.DataFrame(columns=[*movement.KEYS, "customers", "net", "net_now"])
    return {
        "moves": year_path.over_year(now, moves[1], month.tier_scheme.order),
        "rates": year_path.rates_of_change(now, moves[1], month.tier_scheme),
        "reaches": reaches[1],
    }


def _moves_of_year(month: Workbook, before: dt.date, now: dt.date) -> pd.DataFrame:
    for date in (before, now):
        month.tiers_step(date)
    return year_path.together(month.by_part(partial(_moves_between, before, now)))


def _moves_between(before: dt.date, now: dt.date, part: Customers) -> pd.DataFrame:
    moves = year_path.moves_of_year(_both(part, before, now), part.first_days, day_number(before), day_number(now))
    return year_path.counted(moves)


def next_tier(part: Customers) -> pd.DataFrame:
    """What each customer lacks to a better tier at the next report, in the order of the history."""
    now = _now(part)
    found = _missing(part, now["tier"])
    by_hand = now["overridden"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    found.loc[by_hand] = None  # where a person decides, no order does
    return found.assign(deadline=part.whole.deadline, customer_id=now.index)


def upgrade_candidates(part: Customers) -> pd.DataFrame:
    """Who can reach a better tier until the deadline and is not lost (`insight.upgrades`)."""
    book = part.book(["customer_id", "tier", "stage", "monetary"])
    there = book[book["stage"] != "lost"]
    return upgrades.upgrade_candidates(there, part.next_tier(), len(there))


def _now(part: Customers) -> pd.DataFrame:
    """The tiers at as_of, a row for every customer of the history."""
    names = ["tier", "overridden"]
    tiers, ids = part.tiers_on(columns=["customer_id", *names]), part.history(columns=["customer_id"])["customer_id"]
    columns = {name: lookup.of(ids, tiers["customer_id"], tiers[name].astype(object)) for name in names}
    return pd.DataFrame(columns).set_axis(pd.Index(ids, name="customer_id"))


def _missing(part: Customers, tier: pd.Series) -> pd.DataFrame:
    """What is missing to a tier better than the one given, in the order of the history."""
    month = part.whole
    later = part.history(month.deadline, ["window_orders", "window_active_days", "window_net"])
    known = part.traits(list(month.tier_scheme.traits)).assign(tier=tier.to_numpy(dtype=object))
    days = (month.deadline - month.as_of).days
    left = upgrades.left_over(later, month.params.rfm)
    return upgrades.next_tier(known, left, month.tier_scale, month.tier_scheme, days)


def protected(part: Customers) -> pd.DataFrame:
    """Customers whose tier is held (`insight.protection`), with keep_orders and keep_spend: what would earn it again."""
    month = part.whole
    listed = protection.protected(part.tiers_on(), month.as_of, month.params.tiers.hold_months)
    order = month.tier_scheme.order
    below = dict(zip(order, [*order[1:], None], strict=True))  # a tier better than the one below is earned again
    ids = part.history(columns=["customer_id"])["customer_id"]
    found = _missing(part, _now(part)["tier"].map(below)).set_axis(ids)
    names = {"orders_missing": "keep_orders", "spend_missing": "keep_spend"}
    return listed.join(found[[*names]].rename(columns=names), on="customer_id")


def all_protected(month: Workbook) -> pd.DataFrame:
    """`protected` customers of the whole month, the most money first."""
    found = pd.concat(month.by_part(protected), ignore_index=True)
    return found.sort_values(["net", "customer_id"], ascending=[False, True], ignore_index=True)
