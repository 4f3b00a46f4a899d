"""What the monthly pages show stands in tables/: every step behind a table or a picture is written, or told where it is."""

import ast
import json

import pytest

from tierbook.params import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
HANDOFFS = ROOT / "lib" / "tierbook" / "report" / "handoffs.py"
SHOWING = {"table", "figure", "block"}

ELSEWHERE = {
    "purchases": "customers.csv: orders, counted; the history's own days of purchase",
    "sales_concentration": "customers.csv: monetary, added up from the highest",
    "counts": "customers.csv: tier, segment, stage, trend, cluster, counted",
    "checked": "customers.csv: r, f, m; surveys and customers as given",
    "score_cells": "customers.csv: r, f, m, counted",
    "segment_cells": "customers.csv: r, f, m, segment, counted",
    "spread": "customers.csv: recency_days, frequency, monetary, counted",
    "compared": "slices.csv: tier and stage by every attribute",
    "protection_counts": "tables/protected.csv, counted",
    "highest": "customers.csv: monetary; alerts.csv",
    "next_best_counts": "next_best.csv, counted",
    "birthday_counts": "birthdays.csv, counted",
    "warned": "customers.csv: alert, alert_reason, value_at_stake; alerts.csv",
    "risk_rule": "alert_backtest.csv: the rule in use and its threshold",
    "cadence": "comeback.csv and stages.csv",
    "margin_of_fallen": "falls.csv: the falls; the margin is said on the first screen",
    "value_held": "customers.csv: clv, value_tier, p_alive, recency_days, added up and counted",
    "value_belied": "customers.csv: clv, value_tier, tier, stage, counted",
    "upgrade_steps": "upgrade_candidates.csv, counted",
    "kept_tiers": "protected.csv, counted",
    "fallen": "customers.csv: previous_tier, tier_change, monetary",
    "flagged": "customers.csv: alert, alert_reason, value_at_stake, counted",
    "called": "alerts.csv",
    "planned_counts": "action_list.csv, counted",
    "profile": "months.csv, customers.csv",
    "card": "one customer of customers.csv",
    "table": "costs by channel: channels.csv",
}
"""Steps that no table is named after, and the tables that hold what is shown of them."""

RULES = {"as_of", "dates", "end", "deadline", "first_days", "params", "terms", "catalogue", "tier_scheme", "segment_map",
         "has", "margin_rate", "on_orders", "campaign_tiers", "show"}  # fmt: skip
"""Names of the workbook that are no numbers to tick off: dates, params, names."""


def steps(node, known):
    """Names of the workbook that an expression stands on, through the notebook's own variables."""
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "month":
            found.add(part.attr)
        elif isinstance(part, ast.Name):
            found |= known.get(part.id, set())
    return found


def learn(node, known):
    """Remember what an assignment's or a loop's names stand on."""
    pairs = [(target, node.value) for target in node.targets] if isinstance(node, ast.Assign) else []
    pairs += [(node.target, node.iter)] if isinstance(node, ast.For | ast.comprehension) else []
    for target, value in pairs:
        for name in ast.walk(target):
            if isinstance(name, ast.Name):
                known.setdefault(name.id, set()).update(steps(value, known))


def shown(source_cells):
    """Every ``show.table``, ``show.figure`` and ``show.block`` with the steps that its arguments stand on."""
    known = {}
    for source in source_cells:
        for node in ast.walk(ast.parse(source)):
            learn(node, known)
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Attribute) and ast.unparse(called.value) == "show" and called.attr in SHOWING:
                yield ast.unparse(node)[:80], set().union(*(steps(argument, known) for argument in node.args))


def written():
    """Steps of the workbook that handoffs writes."""
    return steps(ast.parse(HANDOFFS.read_text(encoding="utf-8")), {})


def code(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_a_page_shows_is_in_tables(notebook):
    found = list(shown(code(notebook)))
    assert found, "a page without a table or a picture?"
    known = written() | set(ELSEWHERE) | RULES
    assert {call: behind - known for call, behind in found if behind - known} == {}
    assert [call for call, behind in found if not behind & (written() | set(ELSEWHERE))] == []


def test_nothing_is_excused_that_is_written_or_not_shown():
    behind = set().union(*(steps for path in NOTEBOOKS for _, steps in shown(code(path))))
    assert set(ELSEWHERE) - behind == set()
    assert set(ELSEWHERE) & written() == set()


def test_a_step_that_no_table_holds_is_found():
    cells = ["a = month.nowhere()\nb = a.head()", "for c, d in b.groupby('x'):\n    show.table(d, formats={})"]
    assert list(shown(cells)) == [("show.table(d, formats={})", {"nowhere"})]
    assert "nowhere" not in written()
