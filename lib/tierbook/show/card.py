"""One customer's card as a block of HTML that stands by itself: on a page, in JupyterLab, light or dark, narrow or wide."""

from __future__ import annotations

from html import escape
from itertools import groupby

import pandas as pd

from tierbook.show.figures import RISK_COLOUR, TIER_COLOURS, tier_colours
from tierbook.show.words import N_, Words

# Half-transparent greys serve both themes: JupyterLab's dark one is none that a media query would tell of.
LINE = "rgba(128,128,128,.35)"
CARD = f"border:1px solid {LINE};border-radius:10px;padding:14px 16px;max-width:760px;line-height:1.5;overflow-wrap:anywhere"
HEAD = "display:flex;flex-wrap:wrap;gap:6px 10px;align-items:baseline;margin:0 0 10px"
BADGE = "display:inline-block;padding:1px 9px;border-radius:9px;font-size:13px;font-weight:600"
COLUMNS = (
    "display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,215px),1fr));gap:10px 24px;margin:0 0 12px"
)
SMALL = "font-size:13px;opacity:.8"
BAR_HEIGHT, BAR_STEP, BAR_WIDTH = 60, 10, 7

STAGES = {
    "new": N_(
        "One purchase day, {silent:number|day|days} ago; a customer counts as new for up to {new_days:number} days."
    ),
    "active": N_(
        "Silent for {silent:number|day|days}; at a cadence of about {own_gap:number} days, active up to {limit:number}."
    ),
    "loyal": N_(
        "Silent for {silent:number|day|days}, active up to {limit:number}; {purchase_days:number} purchase days over "
        "{span:number} days."
    ),
    "at_risk": N_(
        "Silent for {silent:number|day|days}; at a cadence of about {own_gap:number} days, at risk beyond {limit:number}."
    ),
    "lost": N_(
        "Silent for {silent:number|day|days}; of those silent for {lost_days:number} days or longer, few come back."
    ),
}
STEPS = {
    "recency_days": (
        N_("Recency {value:number|day|days} → R {score:number} of {bins:number}"),
        N_("R {next_score:number} at {next_at:number|day|days} or fewer"),
    ),
    "frequency": (
        N_("Frequency {value:number} → F {score:number} of {bins:number}"),
        N_("F {next_score:number} from {next_at:number}"),
    ),
    "monetary": (
        N_("Monetary value {value:money} → M {score:number} of {bins:number}"),
        N_("M {next_score:number} above {next_at:money}"),
    ),
}


def card_html(words: Words, card: dict) -> str:
    """The card of `insight.card.card` in one language; whatever comes from data is escaped and kept in its own direction."""
    parts = [_head(words, card), _next_step(words, card), _facts(words, card), _bars(words, card), _path(words, card)]
    return f'<section class="tb-card" style="{CARD}">{"".join(parts)}</section>'


def _head(words: Words, card: dict) -> str:
    row = card["book"]
    colour = tier_colours([*card["tiers"], "outside"]).get(row["tier"], TIER_COLOURS["outside"])
    outline = f"{BADGE};border:1px solid {LINE}"
    badges = [
        f'<span style="{BADGE};{_on(colour)}">{escape(words.term("tier", row["tier"]))}</span>',
        f'<span style="{outline}">{escape(words.term("stage", row["stage"]))}</span>',
    ]
    if row["alert"]:
        badges.append(f'<span style="{BADGE};{_on(RISK_COLOUR)}">{words.html("Early warning")}</span>')
    return (
        f'<div style="{HEAD}"><strong style="font-size:18px"><bdi>{escape(row["customer_id"])}</bdi></strong>'
        f'{"".join(badges)}<span style="{SMALL}">{words.html("Data as of {as_of:date}", as_of=card["as_of"])}</span></div>'
    )


def _on(colour: str) -> str:
    """A coloured ground with the ink, black or white, that stands out from it (WCAG's relative luminance)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return f"background:{colour};color:{'#000' if light > 0.179 else '#fff'}"


def _next_step(words: Words, card: dict) -> str:
    """What is to be done by whom until when, and what the customer lacks to the next tier."""
    lines = []
    if (action := card["action"]) is not None:
        named = {key: own(words, action[key]) for key in ("action", "channel", "owner")}
        said = "、" if words.language == "zh" else ", "
        whom = said.join(f"<bdi>{escape(named[key])}</bdi>" for key in ("channel", "owner") if named[key])
        due = words.html("by {due:date}", due=action["due"])
        lines.append(f"<strong><bdi>{escape(named['action'])}</bdi></strong> · {whom}{' · ' if whom else ''}{due}")
        if measure := own(words, action.get("measure")):
            lines.append(f'<span style="{SMALL}">{words.html("Measured by: {measure}", measure=measure)}</span>')
    else:
        lines.append(words.html("Not on this month's action list."))
    if (lacking := card["next_tier"]) is not None:
        message = (
            N_("To {tier:term.tier}: {orders:number|more order|more orders}, with {spend:money} more in net sales.")
            if lacking["spend_missing"]
            else N_("To {tier:term.tier}: {orders:number|more order|more orders} of any size.")
        )
        lines.append(
            words.html(
                message, tier=lacking["next_tier"], orders=lacking["orders_missing"], spend=lacking["spend_missing"]
            )
        )
    body = "".join(f"<div>{line}</div>" for line in lines)
    return f'<div style="border-left:4px solid {TIER_COLOURS["high"]};padding:2px 12px;margin:0 0 12px">{body}</div>'


def own(words: Words, names) -> str:
    """A catalogue gives a name per language, or one for all; empty where it gives none."""
    return str(
        (names.get(words.language) or next(iter(names.values()), "")) if isinstance(names, dict) else names or ""
    )


def _facts(words: Words, card: dict) -> str:
    row, facts = card["book"], card["stage"]
    orders = words.html(
        "{n:number|order|orders}, the first on {first:date.short}, the last on {last:date.short}",
        n=row["orders"], first=row["first_order"], last=row["last_order"],
    )  # fmt: skip
    stage = words.html(STAGES[row["stage"]], **facts) if row["stage"] in STAGES else ""
    told = [(N_("History"), orders), (N_("Scores"), _scores(words, card["scores"])), (N_("Stage"), stage)]
    told += [(N_("Change of tier"), _change(words, row)), (N_("Early warning"), _warning(words, card))]
    told += [
        (
            N_("Value to come") if card["margin_known"] else N_("Value to come (net sales, not profit)"),
            _value(words, row),
        )
    ]
    items = "".join(
        f'<div><dt style="{SMALL};margin:0">{words.html(name)}</dt><dd style="margin:0">{text}</dd></div>'
        for name, text in told
        if text
    )
    return f'<dl style="{COLUMNS}">{items}</dl>'


def _scores(words: Words, steps: list[dict]) -> str:
    if not steps:
        return words.html("No order in the window: not scored.")
    lines = []
    for step in steps:
        now, ahead = STEPS[step["measure"]]
        more = f' <span style="{SMALL}">({words.html(ahead, **step)})</span>' if step["next_at"] is not None else ""
        lines.append(words.html(now, **step) + more)
    return "<br>".join(lines)


def _change(words: Words, row: dict) -> str:
    if row["previous_tier"] is None:
        return words.html("First purchase since last month.")
    if row["previous_tier"] == row["tier"]:
        return words.html("As last month.")
    parts = [words.html("{a:term.tier} → {b:term.tier}", a=row["previous_tier"], b=row["tier"])]
    for group in ("change_reason", "change_cause"):
        if row[group] is not None:
            parts.append(f'<span style="{SMALL}">{escape(words.term(group, row[group]))}</span>')
    return "<br>".join(parts)


def _warning(words: Words, card: dict) -> str:
    row = card["book"]
    if not row["alert"]:
        return ""
    stake = N_("value at stake {money:money}") if card["margin_known"] else N_("net sales at stake {money:money}")
    reason = escape(words.term("alert_reason", row["alert_reason"]))
    return reason + "<br>" + words.html(stake, money=row["value_at_stake"])


def _value(words: Words, row: dict) -> str:
    if row["clv"] is None:
        return words.html("None is given: {note:term.value_note}.", note=row["value_note"])
    value = words.html(
        "{clv:money} (80% range {span:span.money})", clv=row["clv"], span=(row["clv_low"], row["clv_high"])
    )
    orders = words.html(
        "{n:number.1} purchase days expected (80% range {span:span})",
        n=row["expected_orders"], span=(row["orders_low"], row["orders_high"]),
    )  # fmt: skip
    return f'{value}<br><span style="{SMALL}">{orders}</span>'


def _bars(words: Words, card: dict) -> str:
    """Net money by month as bars; refunds beyond the month's purchases hang below the line."""
    months = card["months"]
    top, bottom = max(months["net"].max(), 0.0), min(months["net"].min(), 0.0)
    unit = BAR_HEIGHT / ((top - bottom) or 1.0)
    base = top * unit
    best = months.loc[months["net"].idxmax()]
    message = N_("Net sales by month: {total:money} in {n:number} months, most in {month:month} with {money:money}.")
    told = words.html(message, total=months["net"].sum(), n=len(months), month=best["month"], money=best["net"])
    rects = "".join(_bar(words, place, row, base, unit) for place, row in enumerate(months.itertuples()))
    width = BAR_STEP * len(months)
    return (
        f'<div style="{SMALL}">{told}</div><svg viewBox="0 0 {width} {BAR_HEIGHT + 1}" preserveAspectRatio="none" role="img" '
        f'aria-label="{told}" style="display:block;width:100%;height:64px;margin:4px 0 2px">{rects}'
        f'<rect x="0" y="{base:.1f}" width="{width}" height=".8" fill="currentColor" fill-opacity=".5"/></svg>'
        f'<div style="display:flex;justify-content:space-between;{SMALL};margin-bottom:12px">'
        f"<span>{months['month'].iloc[0]:%Y-%m}</span><span>{months['month'].iloc[-1]:%Y-%m}</span></div>"
    )


def _bar(words: Words, place: int, row, base: float, unit: float) -> str:
    height = abs(row.net) * unit
    y = base - height if row.net > 0 else base
    colour = TIER_COLOURS["potential"] if row.net >= 0 else RISK_COLOUR
    told = words.html(
        "{month:month}: {n:number|order|orders}, {money:money}", month=row.month, n=row.orders, money=row.net
    )
    return (
        f'<rect x="{place * BAR_STEP + 1.5:.1f}" y="{y:.1f}" width="{BAR_WIDTH}" height="{height:.1f}" fill="{colour}">'
        f"<title>{told}</title></rect>"
    )


def _path(words: Words, card: dict) -> str:
    """The tiers of the last months as a strip of cells, months of one tier after another in one cell."""
    path, colours = card["path"], tier_colours([*card["tiers"], "outside"])
    cells = []
    for _, run in groupby(path.itertuples(), key=lambda step: step.tier if pd.notna(step.tier) else None):
        steps = list(run)
        tier, span = steps[0].tier, sorted({f"{steps[0].date:%Y-%m}", f"{steps[-1].date:%Y-%m}"})
        ground = f"border:1px dashed {LINE}" if pd.isna(tier) else _on(colours.get(tier, TIER_COLOURS["outside"]))
        name = words.html("Not yet a customer") if pd.isna(tier) else escape(words.term("tier", tier))
        cells.append(
            f'<li style="flex:{len(steps)} 1 auto;list-style:none;margin:0;padding:2px 8px;border-radius:4px;{ground}">{name}'
            f'<br><small style="white-space:nowrap">{" – ".join(span)}</small></li>'
        )
    strip = (
        f'<ol style="display:flex;flex-wrap:wrap;gap:3px;margin:4px 0 0;padding:0;font-size:13px">{"".join(cells)}</ol>'
    )
    return f'<div style="{SMALL}">{words.html("Tier month by month")}</div>{strip}'
