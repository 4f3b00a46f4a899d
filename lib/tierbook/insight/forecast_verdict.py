"""What the hold-out says of a forecast, beside naive rules."""

from __future__ import annotations

import pandas as pd

LOSES = "loses_to_naive_rule"


def judge(naive: pd.DataFrame) -> dict[str, str | None]:
    """What the test says of the forecast: ``verdict``, and ``verdict_rule``, the naive rule that it names.

    ``loses_to_naive_rule``: the log score of a rule is better by more than two standard errors of the paired difference;
    such a forecast is withheld (`forecast.believed`). ``level_with_naive_rule``: no clear difference from a rule. ``loses_total``: the
    better score of customers, but a total farther off than a rule's. ``better``: ahead of every rule in both.
    ``untested``: nothing to compare, or fewer than 10 customers. A log score, not the total, decides on withholding:
    the total of a rule may be right by errors that cancel, and is one number of one period.
    """
    model, rules = naive.iloc[0], naive.iloc[1:]
    scored = rules[rules["verdict"].notna()]
    if scored.empty:
        return {"verdict": "untested", "verdict_rule": None}
    for verdict, code in (("worse", LOSES), ("level", "level_with_naive_rule")):
        if (scored["verdict"] == verdict).any():
            named = scored[scored["verdict"] == verdict]
            return {"verdict": code, "verdict_rule": named.loc[named["gain"].idxmin(), "rule"]}
    off = (rules["ratio"] - 1).abs()
    if (off < abs(model["ratio"] - 1)).any():
        return {"verdict": "loses_total", "verdict_rule": rules.loc[off.idxmin(), "rule"]}
    return {"verdict": "better", "verdict_rule": None}
