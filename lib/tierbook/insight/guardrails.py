"""What a campaign must not cost on the side: opt-outs, refunds and discounts, each held against a margin set before."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from tierbook.insight.arms import against, cells, check, welch
from tierbook.insight.groups import SMALL
from tierbook.insight.shares import newcombe, wilson

SHARES = ("opted_out",)  # 0/1 per customer assigned; the other measures are money

COLUMNS = ["campaign", "arm", "measure", "n_treated", "n_control", "mean_treated", "mean_control"]
COLUMNS += ["effect", "low", "high", "allowed", "verdict"]


def guardrails(assigned, control, margins: Mapping[str, float], broken: Collection[str] = ()) -> pd.DataFrame:
    """Each guardrail of each campaign and treated arm: how much worse than the control, and is that within the margin?

    effect is mean_treated less mean_control per customer assigned, with low and high: the 95 % interval by Welch for
    money, by Newcombe's score method for opted_out (it stands where nobody opted out, as in most control arms). allowed is
    the most it may be: of opted_out the share itself; of refunds and discount the share of the control's mean spend,
    in money (null without spend, or where it is not above 0).

    verdict: ``kept`` (high <= margin), ``breached`` (low > margin), ``unclear`` (neither, or nothing to judge by),
    ``no_control``; campaigns in ``broken`` (their split) have ``broken_split``; effect, low and high are null in both.
    A measure without a column, or of money with nothing but zeros, is left out: nothing was recorded. Refunds follow
    sales, so that a campaign that sells more has more of them too. An empty opted_out counts as 0, for nobody asks a
    control; its share is null in an arm of fewer than 10 customers, and so is its effect.

    Parameters
    ----------
    assigned : one row per campaign and customer, with arm, the measures and spend
    margins : measure (opted_out, refunds, discount) to margin

    Source: Newcombe (1998), Statistics in Medicine 17, 873–890, method 10.
    """
    tables = [
        _one(rows, control, margins, campaign in broken).assign(campaign=campaign)
        for campaign, rows in assigned.groupby("campaign")
    ]
    tables = [table for table in tables if len(table)]
    return pd.concat(tables, ignore_index=True)[COLUMNS] if tables else pd.DataFrame(columns=COLUMNS)


def _one(assigned, control, margins, is_broken):
    asked = [name for name in margins if name in assigned and _recorded(assigned[name], name)]
    check(assigned, asked, by=None)
    filled = assigned.assign(**{name: assigned[name].astype(float).fillna(0.0) for name in asked if name in SHARES})
    beside = ["spend"] if "spend" in assigned else []
    table = against(cells(filled, [*asked, *beside], None), control).rename(columns={"outcome": "measure"})
    spend = table.loc[table["measure"] == "spend", "mean_control"].max() if beside else np.nan
    table = table[table["measure"].isin(asked)].reset_index(drop=True)
    for side in ("treated", "control"):
        few = table["measure"].isin(SHARES) & (table[f"n_{side}"] < SMALL)
        table[f"mean_{side}"] = table[f"mean_{side}"].mask(few)
    of_what = np.where(table["measure"].isin(SHARES), 1.0, spend if spend > 0 else np.nan)
    table["allowed"] = table["measure"].map(dict(margins)).astype(float) * of_what
    table["effect"] = table["mean_treated"] - table["mean_control"]
    table["low"], table["high"] = _interval(table)
    stop = np.select([table["n_control"] == 0, np.full(len(table), is_broken)], ["no_control", "broken_split"], "")
    table.loc[stop != "", ["effect", "low", "high"]] = np.nan
    judged = [stop != "", table["high"] <= table["allowed"], table["low"] > table["allowed"]]
    table["verdict"] = np.select(judged, [stop, "kept", "breached"], "unclear")
    return table


def _recorded(values, name):
    numbers = pd.to_numeric(values, errors="coerce")
    return numbers.notna().any() and (name in SHARES or (numbers.fillna(0) != 0).any())


def _interval(table):
    """Newcombe's for shares, Welch's for money."""
    of_money, is_share = welch(table), table["measure"].isin(SHARES)
    sides = [(table[f"mean_{side}"].where(is_share), table[f"n_{side}"]) for side in ("treated", "control")]
    low, high = newcombe(*((share, *wilson(share, n)) for share, n in sides))
    return np.where(is_share, low, of_money["low"]), np.where(is_share, high, of_money["high"])
