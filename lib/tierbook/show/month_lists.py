"""This month's lists of customers to contact: the soonest on the first screen, all of them with what they earned."""

from __future__ import annotations

import pandas as pd

from tierbook.insight.actions import CHAPTERS
from tierbook.show.card import own
from tierbook.show.tables import html as table
from tierbook.show.words import N_, Words, on_page

SOONEST = 8  # lists on the first screen; all of them stand further down


def soonest(words: Words, lists: pd.DataFrame, calls: dict, first_language: str) -> str:
    """The lists due first, linked to the file that says who is on them; the early warning's calls before all.

    ``lists`` and ``calls`` as of `todo`; ``first_language``: the one whose workbook is customers.xlsx.
    """
    rows = lists.sort_values(["due", "customers"], ascending=[True, False], kind="stable")
    named = {column: [own(words, name) or None for name in rows[column]] for column in ("action", "owner")}
    rows = rows.assign(file="action_list", **named)
    if calls["customers"]:
        rows = pd.concat([pd.DataFrame([_calls(words, calls) | {"file": "alerts"}]), rows], ignore_index=True)
    if rows.empty:
        return ""
    heads = (N_("List"), N_("Owner"), N_("Due"), N_("Customers"))
    cells = "".join(f'<th scope="col"{" class=n" if h == heads[-1] else ""}>{words.html(h)}</th>' for h in heads)
    body = "".join(_list_row(words, row) for row in rows.head(SOONEST).itertuples())
    rest = words.html(
        '{n:number|list|lists} in all, <a href="#lists">with their controls and what they earned</a>; '
        'for Excel: <a href="../{book}">{book}</a>.',
        n=len(rows),
        book="customers.xlsx" if words.language == first_language else f"customers.{words.language}.xlsx",
    )
    return (
        f'<table class="tb lists"><caption>{words.html("To do this month")}</caption><thead><tr>{cells}</tr></thead>'
        f'<tbody>{body}</tbody></table><p class="note">{rest}</p>'
    )


def _list_row(words: Words, row) -> str:
    # within weeks: the year goes without saying
    due = "–" if pd.isna(row.due) else words.format(row.due, "date.short")[5:]
    return (
        f'<tr><th scope="row"><a href="../excel/{row.file}.csv">{on_page(str(row.action))}</a></th>'
        f"<td>{on_page(str(row.owner)) if row.owner else '–'}</td><td class='day'>{on_page(due)}</td>"
        f'<td class="n">{words.number(row.customers)}</td></tr>'
    )


def todo(words: Words, lists: pd.DataFrame, earned: pd.DataFrame, calls: dict) -> str:
    """This month's lists by chapter: action, measure, owner, channel, due date, customers, held out, earned so far.

    ``lists``: `actions.due_lists` of what is planned; ``earned``: `insight.ledger.earned`; ``calls``: the early warning's
    list, the first of its chapter: customers, held_out, due (until the next report), and the verdict of last month's, null
    without one. Actions whose chapter the catalogue does not say come last.
    """
    so_far = earned.set_index(earned["action"].astype(str)).reindex(lists["code"].astype(str))
    names = ("action", "action_measure", "owner", "channel")
    shown = lists.assign(
        **{column: [own(words, name) or None for name in lists[column]] for column in names},
        earned=[_so_far(words, row) for row in so_far.itertuples()],
    )
    if calls["customers"]:
        shown = pd.concat([pd.DataFrame([_calls(words, calls)]), shown], ignore_index=True)
    place = shown["chapter"].map({name: place for place, name in enumerate(CHAPTERS)}).fillna(len(CHAPTERS))
    columns = ["action", "chapter", "action_measure", "owner", "channel", "due", "customers", "held_out", "earned"]
    formats = {"due": "date.short", "customers": "number", "held_out": "number"}
    told = table(shown.iloc[place.argsort(kind="stable")][columns], words, formats=formats)
    return f'<div id="lists">{told}</div>'


def _calls(words: Words, calls: dict) -> dict:
    """The early warning's call list as a row of the list of actions."""
    verdict = words.term("verdict", calls["verdict"]) if calls["verdict"] else words.term("earned_verdict", "untested")
    return {
        "chapter": "keep",
        "action": words.term("campaign", "early_warning"),
        "action_measure": words.text("money per customer until the next report"),
        "owner": words.term("owner", "own"),
        "channel": words.list([words.term("channel", name) for name in calls["channels"]]),
        "due": calls["due"],
        "customers": calls["customers"],
        "held_out": calls["held_out"],
        "earned": verdict,
    }


def _so_far(words: Words, row) -> str:
    """What an action has earned: unproven, or the sum of its tests with the verdict."""
    verdict = words.term("earned_verdict", row.verdict)
    if row.verdict == "untested":
        return verdict
    shown = words.text("{verdict}: {earned:+money.0}", verdict=verdict, earned=row.earned)
    harm = row.latest == "harmful" or row.latest == "mixed"
    return words.text("{shown} (last: {latest:term.verdict})", shown=shown, latest=row.latest) if harm else shown
