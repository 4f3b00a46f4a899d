"""The manager's first screen: may I believe it, how did the month go, what worked, what is to be done."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from tierbook.show import gates as gates_in_words
from tierbook.show import month_lists
from tierbook.show.words import N_, Words, on_page

Fell = tuple[float, tuple[float, float]]
SPARK_WIDTH, SPARK_HEIGHT = 220, 34
NOTED = {"works_and_pays": "yes", "harmful": "bad", "broken_split": "bad", "no_difference": "no", "no_control": "no"}


def trust(words: Words, accounting: pd.DataFrame, gates: pd.DataFrame) -> str:
    """May these data be believed: lines read, counted and set aside with their money, every gate missed, and the
    difference to finance where its figure is given."""
    rows = accounting[accounting["table"] == "transactions"]
    counted = rows["reason"] == "kept"
    aside = rows[~counted].sort_values("rows", ascending=False)
    missed = gates[gates["result"] != "pass"]
    verdict = words.html("The data can be used.") if missed.empty else words.html("Read with care.")
    told = [
        words.html(
            "{read:number} order lines read, {kept:number} counted for known customers, worth {sales:money}.",
            read=rows["rows"].sum(),
            kept=rows.loc[counted, "rows"].sum(),
            sales=rows.loc[counted, "amount"].sum(),
        )
    ]
    if len(aside):
        reasons = [f"{words.term('reason', row.reason)} {words.number(row.rows)}" for row in aside.itertuples()]
        told.append(
            words.html(
                "Not counted for customers: {rows:number} lines worth {money:money} ({reasons}).",
                rows=aside["rows"].sum(),
                money=aside["amount"].sum(),
                reasons=("、" if words.language == "zh" else ", ").join(reasons),
            )
        )
    told += [f"<b>{on_page(gates_in_words.sentence(words, row))}</b>" for row in missed.itertuples()]
    told += [
        words.html("Difference to finance's figure for {month:month}: {gap:percent.2}.", month=row.about, gap=row.value)
        for row in gates[(gates["gate"] == "max_finance_gap") & (gates["result"] == "pass")].itertuples()
    ]
    doubt = "" if missed.empty else " doubt"
    space = "" if words.language == "zh" else " "
    return f'<p class="trust{doubt}"><b>{verdict}</b>{space}{space.join(told)}</p>'


def kpis(words: Words, card: pd.DataFrame, paths: dict[str, Sequence[float]], fell: Fell | None = None) -> str:
    """The outcome triangle: net sales and high-value customers (profit contribution), repeat purchase rate (loyalty) and
    net promoter score (satisfaction), each with its last twelve months.

    ``paths``: measure → monthly values, the last one this month's. ``fell``: how many left the best tier, and the usual
    range of that.
    """
    rows = card.set_index("measure")
    boxes = [
        _kpi(words, rows.loc[m], _beside(words, m, rows), paths.get(m, ()), fell) for m in _SHOWN if m in rows.index
    ]
    return f'<div class="kpis">{"".join(boxes)}</div>'


def _beside(words: Words, measure: str, rows: pd.DataFrame) -> str:
    """The measure that belongs to another one's box, where it is known: a share of its money, or a second opinion."""
    for name, message in _BESIDE.get(measure, ()):
        if name in rows.index and pd.notna(rows.loc[name, "value"]):
            return words.html(message, share=rows.loc[name, "value"])
    return ""


_BESIDE = {
    "net_sales": [("identified_share", N_("identified customers {share:percent}"))],
    "high_value_customers": [
        ("high_value_margin_share", N_("{share:percent} of the year's margin")),
        ("high_value_share", N_("{share:percent} of the year's sales")),
    ],
    "repeat_rate": [("retention_rate", N_("12-month retention {share:percent}"))],
    "nps": [("csat", N_("{share:percent} satisfied"))],
}
_TRIANGLE = {"net_sales": "profit", "high_value_customers": "profit", "repeat_rate": "loyalty", "nps": "satisfaction"}
_SHOWN = {"net_sales": "money", "high_value_customers": "number", "repeat_rate": "percent.1", "nps": "number"}


def _kpi(words: Words, row: pd.Series, beside: str, path: Sequence[float], fell: Fell | None) -> str:
    measure = str(row.name)
    title, side = words.term("measure", measure), words.term("chapter", _TRIANGLE[measure])
    big = words.format(row["value"], _SHOWN[measure])
    if measure == "nps" and row["n"] < 10:
        big = "–"
    more = [part for part in (_against(words, row), _below(words, measure, row, fell), beside) if part]
    line = spark(words, title, path, _SHOWN[measure])
    return (
        f'<div class="kpi"><h2><small>{on_page(side)}</small><br>{on_page(title)}</h2><div class="big">{on_page(big)}</div>'
        f'<div class="more">{"<br>".join(more)}</div>{line}</div>'
    )


def _against(words: Words, row: pd.Series) -> str:
    """Month over month, year over year and target, as far as they are known."""
    shares = row["unit"] in ("share", "points")
    parts = []
    for name, label in (("previous", words.text("vs last month")), ("year_ago", words.text("vs last year"))):
        past = row[name]
        if pd.isna(past) or pd.isna(row["value"]) or (not shares and past <= 0):
            continue
        change = row["value"] - past if shares else row["value"] / past - 1
        shown = words.format(change, {"share": "points", "points": "+number"}.get(row["unit"], "change"))
        moved = any(digit in shown for digit in "123456789")  # what rounds to nothing is neither good nor bad
        direction = "" if not moved else "up" if change > 0 else "down"
        parts.append(f'<span class="{direction}">{on_page(label)} {on_page(shown)}</span>')
    if pd.notna(row["target"]) and row["target"]:
        parts.append(words.html("target reached {share:percent}", share=row["value"] / row["target"]))
    return " · ".join(parts)


def _below(words: Words, measure: str, row: pd.Series, fell: Fell | None) -> str:
    if measure == "high_value_customers" and fell is not None:
        fallen, usual = fell
        if pd.isna(usual[0]):
            return words.html("{n:number} moved down; history too short to judge", n=fallen)
        return words.html("{n:number} moved down (usual {usual:span})", n=fallen, usual=usual)
    if measure == "repeat_rate":
        return words.html(
            "95% interval {span:span.percent.1}, {n:number} customers", span=(row["low"], row["high"]), n=row["n"]
        )
    if measure == "nps":
        if row["n"] < 10:
            return words.html("only {n:number} answers this month: no score below 10", n=row["n"])
        return words.html("95% interval {span:span}, {n:number} answers", span=(row["low"], row["high"]), n=row["n"])
    return ""


def spark(words: Words, title: str, path: Sequence[float], spec: str) -> str:
    """A small line of the last months with this month's dot; nothing for fewer than three."""
    known = [float(v) for v in path if pd.notna(v)]
    if len(known) < 3:
        return ""
    low, high = min(known), max(known)
    step, spread = SPARK_WIDTH / (len(known) - 1), (high - low) or 1.0
    points = [(n * step, SPARK_HEIGHT - 5 - (v - low) / spread * (SPARK_HEIGHT - 10)) for n, v in enumerate(known)]
    line = " ".join(f"{x:.0f},{y:.1f}" for x, y in points)
    alt = words.text(
        "{title}, last {n:number} months: now {now}, before {before}, lowest {low}, highest {high}",
        title=title, n=len(known), now=words.format(known[-1], spec), before=words.format(known[-2], spec),
        low=words.format(low, spec), high=words.format(high, spec),
    )  # fmt: skip
    x, y = points[-1]
    return (
        f'<svg viewBox="-3 0 {SPARK_WIDTH + 8} {SPARK_HEIGHT}" role="img" aria-label="{on_page(alt)}"><polyline fill="none" '
        f'stroke="currentColor" stroke-opacity=".4" stroke-width="1.5" points="{line}"/>'
        f'<circle cx="{x:.0f}" cy="{y:.1f}" r="3" fill="currentColor"/></svg>'
    )


def finds(words: Words, sentences: Sequence[tuple]) -> str:
    """The month's findings: (message, note, values) each; the sentence, and the smaller line that it stands on."""
    items = []
    for message, note, values in sentences:
        small = f"<small>{words.html(note, **values)}</small>" if note else ""
        items.append(f"<li><div>{words.html(message, **values)}{small}</div></li>")
    return f'<ol class="finds">{"".join(items)}</ol>'


def month(words: Words, sentences: Sequence[tuple], lists: pd.DataFrame, calls: dict, first_language: str) -> str:
    """The month on one screen: its findings, and beside them the lists to work through, the soonest due first.

    ``lists`` and ``calls`` as of `month_lists.todo`, which tells the same lists in full.
    """
    return f'<div class="two"><div>{finds(words, sentences)}</div><div>{month_lists.soonest(words, lists, calls, first_language)}</div></div>'


def verdicts(words: Words, headlines: pd.DataFrame) -> str:
    """What earlier actions did: one row per campaign (or tier, where tiers differ) with its verdict in words.

    ``headlines``: campaign, tier, n_treated, n_control, outcome, effect, low, high, verdict.
    """
    heads = (N_("Campaign"), N_("Tier"), N_("Treated / control"), N_("Effect per customer"), N_("Verdict"))
    cells = "".join(
        f"<th scope='col'{' class=n' if n in (2, 3) else ''}>{words.html(h)}</th>" for n, h in enumerate(heads)
    )
    body = "".join(_verdict(words, row) for row in headlines.itertuples())
    return f'<div class="wide"><table class="tb"><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'


def _verdict(words: Words, row) -> str:
    effect = "–"
    if pd.notna(row.effect):
        spec = "money" if row.outcome in ("profit", "spend") else "number.2"
        effect = words.text(
            "{effect} ({low} to {high})",
            effect=words.format(row.effect, f"+{spec}"), low=words.format(row.low, spec), high=words.format(row.high, spec),
        )  # fmt: skip
    mark = NOTED.get(row.verdict, "wait")
    return (
        f"<tr><th scope='row'>{on_page(str(row.campaign))}</th><td>{on_page(words.term('tier', row.tier))}</td>"
        f"<td class='n'>{words.number(row.n_treated)} / {words.number(row.n_control)}</td><td class='n'>{on_page(effect)}</td>"
        f"<td><span class='verdict {mark}'>{on_page(words.term('verdict', row.verdict))}</span></td></tr>"
    )
