"""Did it pay: what the contacts cost, what they brought, and what they would have had to bring."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.insight.arms import ALL

LIKE_SIZED = 0.05  # arms as they stand are set against each other only where their sizes differ by less
_CELL = ["campaign", "arm", "tier"]

COLUMNS = [*_CELL, "n_treated", "cost", "cost_per_assigned", "profit_effect", "profit_low", "profit_high"]
COLUMNS += ["profit_total", "total_low", "total_high", "net_of_arms", "return_on_cost", "return_low", "return_high"]
COLUMNS += ["break_even_spend", "break_even_response", "breaks_even", "note"]


def returns(assigned, effects, control, margin) -> pd.DataFrame:
    """Cost, profit and return of each campaign, treated arm and tier (``all`` first).

    n_treated: customers assigned; cost: money spent on contacting them, cost_per_assigned: over n_treated.
    profit_effect, profit_low, profit_high: effect on profit per customer assigned, the contact paid, with its 95 %
    interval. profit_total, total_low, total_high: that effect times n_treated, what the campaign brought. net_of_arms is
    the plain sum that others publish as net incremental revenue, with profit for revenue: treated arm's profit (contacts
    paid) less the control arm's, as they stand; it needs arms of one size and is null where they differ by 5 % or more.
    return_on_cost, return_low, return_high: profit_total and its bounds over cost (0.5: half the money on top of it).
    break_even_spend: effect on spend per customer assigned that would just pay, cost_per_assigned / margin;
    break_even_response: as a share responding, over margin × spend per responder treated. breaks_even: ``yes`` or ``no``
    where the interval lies above or below 0 and the test holds against the other cells (p_holm < 0.05), else
    ``unclear``; null without a profit effect. note, why numbers are missing, the first that holds: ``no_effect`` (no
    control, broken split, or nobody varies), ``no_cost`` (unknown for somebody contacted), ``no_contact_cost`` (0: nothing
    to divide by), ``no_profit``, ``no_margin``; empty where all are there.

    Parameters
    ----------
    assigned : one row per campaign and customer; ``contact_cost`` (`assignment.contact_cost`), else ``cost``
    effects : `campaign.review` of it
    margin : share of net sales that is margin; null: break-even is null
    """
    cells = effects[effects["tier"].notna()].drop_duplicates(_CELL)[_CELL].reset_index(drop=True)
    spent = _spent(assigned[assigned["arm"].astype(str) != str(control)])
    table = cells.merge(spent, on=_CELL, how="left").merge(_profit(effects), on=_CELL, how="left")
    n, cost = table["n_treated"], table["cost"]
    table["cost_per_assigned"] = cost / n
    for total, rate, bound in (("profit_total", "return_on_cost", "profit_effect"), *_BOUNDS):
        table[total] = table[bound] * n
        table[rate] = table[total] / cost.where(cost > 0)
    table["break_even_spend"] = table["cost_per_assigned"] / (np.nan if margin is None else margin)
    table["break_even_response"] = table["break_even_spend"] / table["spend_per_responder"]
    table["note"] = _note(table, effects, margin)
    return table[COLUMNS]


_BOUNDS = (("total_low", "return_low", "profit_low"), ("total_high", "return_high", "profit_high"))


def _spent(treated):
    """n_treated, cost and spend per responder of every cell; a cost unknown for one contacted is unknown for all."""
    people = treated[["campaign"]].assign(arm=treated["arm"].astype(str))
    own = treated["contact_cost" if "contact_cost" in treated else "cost"].astype(float)
    contacted = treated["contacted"].astype(bool)
    people["cost"] = own.where(contacted, own.fillna(0.0))
    people["unknown"] = people["cost"].isna()
    for name in ("spend", "response"):
        people[name] = treated[name].astype(float) if name in treated else np.nan
    tiers = [people.assign(tier=ALL)]
    if "tier" in treated:
        tiers += [people.assign(tier=treated["tier"].astype(object)).dropna(subset="tier")]
    # Sorted by value, so that sums have the same last digit whatever the order of the rows.
    rows = pd.concat(tiers, ignore_index=True).sort_values(["cost", "spend"]).astype({"tier": str})
    grouped = rows.groupby(_CELL, sort=True)
    sums = grouped[["cost", "unknown", "spend", "response"]].sum(min_count=1).assign(n_treated=grouped.size())
    sums["cost"] = sums["cost"].where(sums["unknown"] == 0)
    sums["spend_per_responder"] = sums["spend"] / sums["response"].where(sums["response"] > 0)
    return sums[["n_treated", "cost", "spend_per_responder"]].reset_index()


def _profit(effects):
    rows = effects[effects["outcome"] == "profit"].drop_duplicates(_CELL)
    totals = rows["mean_treated"] * rows["n_treated"] - rows["mean_control"] * rows["n_control"]
    like = (rows["n_treated"] / rows["n_control"].where(rows["n_control"] > 0) - 1).abs() < LIKE_SIZED
    shown = rows["p_holm"].fillna(0) < 0.05
    judged = np.select([(rows["low"] > 0) & shown, (rows["high"] < 0) & shown], ["yes", "no"], "unclear")
    return rows[_CELL].assign(
        profit_effect=rows["effect"],
        profit_low=rows["low"],
        profit_high=rows["high"],
        net_of_arms=totals.where(like & rows["effect"].notna()),
        breaks_even=pd.Series(judged, rows.index).where(rows["effect"].notna()),
    )


def _note(table, effects, margin):
    has_effect = effects["effect"].notna().groupby([effects[name] for name in _CELL]).any()
    known = has_effect.reindex(pd.MultiIndex.from_frame(table[_CELL])).to_numpy(dtype=bool)
    reasons = {
        "no_effect": ~known,
        "no_cost": table["cost"].isna(),
        "no_contact_cost": table["cost"] == 0,
        "no_profit": table["profit_effect"].isna(),
        "no_margin": np.full(len(table), margin is None),
    }
    return pd.Series(np.select(list(reasons.values()), list(reasons), None), table.index, dtype=object)
