"""Did a campaign work, for whom, and did it pay: effects per assigned customer against a random hold-out.

Every function takes ``assigned``, one row per customer at the moment of assignment, controls too: ``arm``, ``tier`` (as
of the day before; null = not known, counted in ``all`` only) and numeric outcomes such as response (0/1), orders, spend
and profit. A null outcome means "not observed" and leaves that customer out of that outcome alone. Customers stay in
the arm they were assigned to, whether or not the contact reached them.
"""

import numpy as np
import pandas as pd

from tierbook.errors import ParamsError
from tierbook.insight.arms import ALL, against, cells, check
from tierbook.insight.split import sample_ratio

BEHAVIOUR = ["response", "orders", "spend"]
MIN_BUYERS = 30  # below it the mean of skewed spend is not near enough to normal for a Welch interval
LEVEL, POWER = 0.05, 0.80
WORTHWHILE_LIFT = 0.20  # smallest effect worth acting on, as a share of the control mean, where none is given

COLUMNS = ["arm", "tier", "outcome", "n_treated", "n_control", "mean_treated", "mean_control", "effect", "low", "high"]
COLUMNS += ["p", "p_holm", "srm_p", "interaction_p", "verdict", "next_n"]


def profit(spend, cost=None, margin=None, contact_cost=0.0, contacted=None):
    """Profit per customer: ``margin * spend`` or ``spend - cost``, less ``contact_cost`` where ``contacted``.

    Parameters
    ----------
    spend, cost : Series of net sales and cost of goods in the window, in the report's currency
    margin : number from 0 to 1; with neither margin nor cost the result is net sales less contact cost, not profit,
        and whoever shows it must say so
    contact_cost : number or Series, per contacted customer, never negative
    contacted : Series of bool or 0/1, required with a contact cost, so that controls are never charged

    Raises
    ------
    ParamsError : both margin and cost, a margin outside 0..1, a negative contact cost, a cost without ``contacted``
    """
    if cost is not None and margin is not None:
        raise ParamsError("campaign profit: both margin and a cost column are given; keep one of them")
    if margin is not None and not 0 <= margin <= 1:
        raise ParamsError(f"margin: {margin} is not a share from 0 to 1; write 40 % as 0.4")
    if np.any(np.asarray(contact_cost, dtype=float) < 0):
        raise ParamsError(
            f"campaign.contact_cost: negative ({np.min(contact_cost)}); give what one contact costs, >= 0"
        )
    if contacted is None and np.any(np.asarray(contact_cost, dtype=float) > 0):
        raise ParamsError("campaign.contact_cost: given, but not who was contacted; pass contacted")
    earned = spend - cost if cost is not None else spend * (1.0 if margin is None else margin)
    return earned if contacted is None else earned - contact_cost * contacted.astype(float)


def sample_size(effect, sd_control, sd_treated=None):
    """Customers per arm to detect ``effect`` with 80 % power at 5 % two-sided, by the normal approximation.

    ``n = ceil((1.960 + 0.842)^2 * (sd_treated^2 + sd_control^2) / effect^2)`` for two arms of equal size, each with its
    own variance. Before anyone was treated only the control's sd is known: leave ``sd_treated`` out and it stands for
    both. NaN where the effect is zero or unknown. Takes numbers or arrays.
    """
    from scipy.special import ndtri

    sd_treated = sd_control if sd_treated is None else sd_treated
    effect = np.where(np.asarray(effect, dtype=float) == 0, np.nan, effect)
    z = ndtri(1 - LEVEL / 2) + ndtri(POWER)
    return np.ceil(z**2 * (np.square(sd_treated) + np.square(sd_control)) / np.square(effect))


def effects(assigned, control, outcomes, by="tier", *, shares=None, worthwhile=None) -> pd.DataFrame:
    """Effect per assigned customer for every outcome, arm and tier, with interval, tests, verdict and next test size.

    Columns are those of ``campaign_effects.csv`` without ``campaign``: ``effect`` is the difference of means with its
    Welch 95 % interval (null where an arm has fewer than two customers or nobody varies: no effect without an
    interval); ``p_holm`` is Holm over the arm x tier cells of one outcome (null on ``all``); ``interaction_p`` is
    Cochran's Q over the tiers with enough buyers (on ``all`` only); ``next_n`` is `sample_size` with both arms'
    variances, for the effect seen (``all``) or the total's effect in that tier; after a small test it is optimistic.

    Verdict of a row, the first line that holds:

    ================  ============================================================================================
    no_control        the control arm is absent: means only, every effect null
    broken_split      sample-ratio p < 0.001: every effect null
    not_enough_data   an arm under 2 customers, or under 30 buyers in the smaller arm
    works_and_pays    works, and the lower bound of the cell's profit effect is above 0
    works_not_pays    works, and that bound is not above 0: paying is not shown
    not_enough_data   works, but there is no ``profit`` column: paying cannot be judged
    harmful           shown below 0 (for profit: it loses money per assigned customer)
    not_enough_data   nothing shown, and power for the smallest worthwhile effect is under 80 %
    no_difference     nothing shown, although a worthwhile effect would probably have been seen
    ================  ============================================================================================

    *Shown* above or below 0: the interval excludes 0 and, on a tier row, p_holm < 0.05, since several tiers are several
    chances of a false alarm, of harm as of success. *Works*: the row is shown above 0; the profit row also works where
    a behaviour outcome of its cell is (p below 5 % over the number of behaviour outcomes) and none is shown below 0:
    that is "works, does not pay". *Buyers*: response = 1 on the response row, else orders > 0, or spend > 0, or
    response = 1, the first column there is. *Smallest worthwhile effect*: ``worthwhile`` (outcome -> size), else 20 %
    of the control mean. For the campaign's own verdict see `headline`.

    Parameters
    ----------
    assigned : one row per assigned customer
    control : name of the hold-out arm
    outcomes : columns to review; profit, where there is such a column, is used for the verdicts in any case
    by : tier column; where absent there are only ``all`` rows
    shares, worthwhile : planned share per arm (see `sample_ratio`); smallest worthwhile effect per outcome

    Raises
    ------
    InputError : a column is missing or not numeric, a customer has no arm or stands twice, a tier is named ``all``
    """
    outcomes = list(outcomes)
    measured = outcomes + ["profit"] * ("profit" in assigned and "profit" not in outcomes)
    check(assigned, measured, by)
    split = sample_ratio(assigned["arm"], shares, assigned.get(by))
    stop = "no_control" if str(control) not in map(str, split.n) else "broken_split" if split.broken else None
    table = _welch(against(cells(assigned, measured, by), control), effect_allowed=stop is None)
    table["p_holm"] = table["p"].where(table["tier"] != ALL).groupby(table["outcome"]).transform(_holm)
    table["srm_p"] = np.nan if split.p is None else split.p
    table["interaction_p"] = _interaction_p(table)
    total = table["effect"].where(table["tier"] == ALL).groupby([table["outcome"], table["arm"]]).transform("first")
    size = sample_size(total, np.sqrt(table["var_control"]), np.sqrt(table["var_treated"]))
    table["next_n"] = pd.Series(size, index=table.index).astype("Int64")
    table["verdict"] = stop or _verdicts(table, worthwhile or {})
    return table.loc[table["outcome"].isin(outcomes), COLUMNS].reset_index(drop=True)


def review(assigned, control, outcomes) -> pd.DataFrame:
    """`effects` of every campaign of ``assigned`` (column ``campaign``), one under the other, as campaign_effects.csv."""
    tables = [
        effects(rows, control, [name for name in outcomes if name in rows]).assign(campaign=campaign)
        for campaign, rows in assigned.groupby("campaign")
    ]
    columns = ["campaign", *COLUMNS]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def headline(table, outcome="profit") -> pd.DataFrame:
    """Rows of an `effects` table that speak for the campaign: one per arm, or one per tier where tiers differ.

    The default outcome is profit per assigned customer (else spend, orders, response: the first there is). Where its
    interaction p is under 0.05, one number for everybody would mislead, so the arm's tier rows speak instead.
    """
    present = set(table["outcome"])
    outcome = next((name for name in [outcome, "profit", *reversed(BEHAVIOUR)] if name in present), outcome)
    rows = table[table["outcome"] == outcome]
    differing = rows.loc[rows["interaction_p"] < LEVEL, "arm"]
    return rows[(rows["tier"] != ALL) == rows["arm"].isin(differing)].reset_index(drop=True)


def describe_without_control(assigned, by="tier") -> pd.DataFrame:
    """Means of the outcomes there are, by arm and tier, and nothing that could be read as an effect.

    Columns arm, tier (``all`` for the total), outcome, n, mean.
    """
    outcomes = [name for name in [*BEHAVIOUR, "profit"] if name in assigned]
    check(assigned, outcomes, by)
    return cells(assigned, outcomes, by)[["arm", "tier", "outcome", "n", "mean"]]


def _welch(table, effect_allowed):
    from scipy.special import stdtr, stdtrit

    of_treated, of_control = table["var_treated"] / table["n_treated"], table["var_control"] / table["n_control"]
    se = np.sqrt(of_treated + of_control)
    table["se"] = se.where((se > 0) & effect_allowed)
    df = table["se"] ** 4 / (of_treated**2 / (table["n_treated"] - 1) + of_control**2 / (table["n_control"] - 1))
    table["effect"] = (table["mean_treated"] - table["mean_control"]).where(table["se"].notna())
    half = stdtrit(df, 1 - LEVEL / 2) * table["se"]
    table["low"], table["high"] = table["effect"] - half, table["effect"] + half
    table["p"] = 2 * stdtr(df, -(table["effect"] / table["se"]).abs())
    return table


def _holm(p):
    ordered = p.dropna().sort_values()
    return (ordered * np.arange(len(ordered), 0, -1)).cummax().clip(upper=1).reindex(p.index)


def _interaction_p(table):
    """Cochran's Q of the tier effects per outcome and arm, on the ``all`` rows; null with fewer than two tiers."""
    from scipy.special import chdtrc

    tiers = table[(table["tier"] != ALL) & table["se"].notna() & ~_too_few(table)]
    weight, effect = tiers["se"] ** -2, tiers["effect"]
    keys = [tiers["outcome"], tiers["arm"]]
    common = (weight * effect).groupby(keys).transform("sum") / weight.groupby(keys).transform("sum")
    q = (weight * (effect - common) ** 2).groupby(keys).agg(["sum", "size"])
    p = pd.Series(chdtrc(q["size"] - 1, q["sum"]), index=q.index).where(q["size"] > 1)
    return _beside(table, p, ["outcome", "arm"]).where(table["tier"] == ALL)


def _beside(table, values, keys):
    """Series of ``values``, indexed by ``keys``, laid beside the rows of ``table``."""
    return pd.Series(values.reindex(pd.MultiIndex.from_frame(table[keys])).to_numpy(), index=table.index)


def _too_few(table):
    """Whether a row's smaller arm (either, at equal size) has under 2 customers or under 30 buyers."""
    few_treated = (table["n_treated"] <= table["n_control"]) & (table["buyers_treated"] < MIN_BUYERS)
    few_control = (table["n_control"] <= table["n_treated"]) & (table["buyers_control"] < MIN_BUYERS)
    return few_treated | few_control | (table[["n_treated", "n_control"]].min(axis=1) < 2)


def _verdicts(table, worthwhile):
    """Code per row by the decision table in `effects`, the split being sound and a control there."""
    significant = (table["tier"] == ALL) | (table["p_holm"] < LEVEL)
    up, down = (table["low"] > 0) & significant, (table["high"] < 0) & significant
    is_profit = table["outcome"] == "profit"
    cell = ["arm", "tier"]
    bound = table[is_profit].set_index(cell)["low"]
    pays = _beside(table, bound, cell) > 0
    up |= is_profit & _behaviour_works(table, up, down)
    return np.select(
        [_too_few(table), up & pays, up & is_profit.any(), up, down, ~_powered(table, worthwhile)],
        ["not_enough_data", "works_and_pays", "works_not_pays", "not_enough_data", "harmful", "not_enough_data"],
        default="no_difference",
    )


def _behaviour_works(table, up, down):
    behaviour = table["outcome"] != "profit"
    used = table["p_holm"].fillna(table["p"]) * table.loc[behaviour, "outcome"].nunique()
    keys = [table["arm"], table["tier"]]
    works = (up & behaviour & (used < LEVEL)).groupby(keys).transform("any")
    return works & ~(down & behaviour).groupby(keys).transform("any")


def _powered(table, worthwhile):
    from scipy.special import ndtr, ndtri

    size = table["outcome"].map(worthwhile).astype(float).fillna(WORTHWHILE_LIFT * table["mean_control"].abs())
    z = ndtri(1 - LEVEL / 2)
    return ndtr(size / table["se"] - z) + ndtr(-size / table["se"] - z) >= POWER
