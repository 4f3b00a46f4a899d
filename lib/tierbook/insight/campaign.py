"""Did a campaign work, for whom, and did it pay: effects per assigned customer against a random hold-out.

Every function takes ``assigned``, one row per customer at the moment of assignment, controls too: ``arm``, ``tier`` (as
of the day before; null = not known, counted in ``all`` only) and numeric outcomes such as response (0/1), orders, spend
and profit. A null outcome means "not observed" and leaves that customer out of that outcome alone. Customers stay in
the arm they were assigned to, whether or not the contact reached them.
"""

import numpy as np
import pandas as pd

from tierbook.errors import ParamsError
from tierbook.insight.arms import ALL, LEVEL, against, beside, cells, check, groups, holm, student, welch
from tierbook.insight.groups import SMALL
from tierbook.insight.split import planned, split_check

ARMS = ("treated", "control")
BEHAVIOUR = ["response", "orders", "spend"]
MIN_BUYERS = 30  # below it the mean of skewed spend is not near enough to normal for a Welch interval
EXTRA_LEVEL = 0.005  # what all the outcomes beside the primary one, and all the interactions, may risk together
POWER = 0.80
CLAIMS = ["works_and_pays", "works_not_pays", "harmful"]
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
    sd_treated = sd_control if sd_treated is None else sd_treated
    effect = np.where(np.asarray(effect, dtype=float) == 0, np.nan, effect)
    return np.ceil(detectable(1.0) ** 2 * (np.square(sd_treated) + np.square(sd_control)) / np.square(effect))


def detectable(error):
    """The effect that a difference with this standard error shows with 80 % power at 5 % two-sided: 2.80 of them."""
    from scipy.special import ndtri

    return (ndtri(1 - LEVEL / 2) + ndtri(POWER)) * error


def power(effect, error):
    """The chance that a two-sided test at 5 % shows ``effect``, its standard error given; null without one."""
    from scipy.special import ndtr, ndtri

    z = ndtri(1 - LEVEL / 2)
    return ndtr(effect / error - z) + ndtr(-effect / error - z)


def effects(
    assigned, control, outcomes, by="tier", *, shares=None, worthwhile=None, covariates=(), lower_is_better=()
) -> pd.DataFrame:
    """Effect per assigned customer for every outcome, arm and tier, with interval, tests, verdict and next test size.

    Columns are those of ``campaign_effects.csv`` without ``campaign``: ``effect`` is the difference of means with its
    Welch 95 % interval (null where an arm has fewer than two customers or nobody varies: no effect without an
    interval); ``p_holm`` is Holm over the arms of one outcome on ``all`` (with one arm: p), over its arm x tier cells on
    tier rows; ``srm_p`` is `split_check`; ``interaction_p`` is Cochran's Q over the tiers with enough buyers (on ``all``
    only); ``next_n`` is `sample_size` with both arms' variances, for the effect seen (``all``) or the total's effect in
    that tier; after a small test it is optimistic.

    A row is *shown* above or below 0 where its p_holm is under the level it is read at, and Student's p (one variance for
    both arms) under 5 % too: with a small hold-out and skewed spend Welch alone is wrong in up to 12 % of cases. In a
    campaign that does nothing some row is then shown in about 5 % of cases, whatever the outcomes, arms and tiers:

    =============================  =====================================================================================
    primary outcome, ``all``       5 %. Primary is profit, else the first there is of spend, orders and response
    another outcome, ``all``       0.5 % over the number of other outcomes; 5 % where the arm's primary row
                                   is shown (gatekeeping: nothing more is risked when the main claim stands)
    a tier                         5 %, and only where the ``all`` row of its outcome and arm is shown, or where the
                                   tiers differ: interaction p under 0.5 % over the number of outcomes x arms
    =============================  =====================================================================================

    Verdict of a row, the first line that holds:

    ================  ============================================================================================
    no_control        the control arm is absent: means only, every effect null
    broken_split      p of the split under 0.001, by counts or by what was known before: every effect null
    not_enough_data   an arm under 2 customers, or under 30 buyers in the smaller arm
    works_and_pays    works, and the lower bound of the cell's profit effect is above 0
    works_not_pays    works, and that bound is not above 0: paying is not shown
    not_enough_data   works, but there is no ``profit`` column: paying cannot be judged
    harmful           shown below 0 (for profit: it loses money per assigned customer)
    not_enough_data   nothing shown, and power for the smallest worthwhile effect is under 80 % (at 5 %)
    no_difference     nothing shown, although a worthwhile effect would probably have been seen
    ================  ============================================================================================

    *Works*: the row is shown above 0; the profit row also works where a behaviour outcome of its cell is and none is
    shown below 0: that is "works, does not pay". *Buyers*: response = 1 on the response row, else orders > 0, or
    spend > 0, or response = 1, the first column there is. *Smallest worthwhile effect*: ``worthwhile`` (outcome ->
    size), else 20 % of the control mean. For the campaign's own verdict see `headline`.

    Parameters
    ----------
    assigned : one row per assigned customer
    control : name of the hold-out arm
    outcomes : columns to review; profit, where there is such a column, is used for the verdicts in any case
    by : tier column; where absent there are only ``all`` rows
    shares, worthwhile : planned share per arm (see `sample_ratio`); smallest worthwhile effect per outcome
    covariates : columns known before assignment, beside pre_orders and pre_spend (see `balance_p`); absent ones are
        passed over
    lower_is_better : outcomes such as churn, of which less is what one wants: their falls work, their rises harm

    Raises
    ------
    InputError : a column is missing or not numeric, a customer has no arm or stands twice, a tier is named ``all``
    """
    outcomes = list(outcomes)
    measured = outcomes + ["profit"] * ("profit" in assigned and "profit" not in outcomes)
    check(assigned, measured, by)
    assigned = assigned.astype(dict.fromkeys({"arm", by} & set(assigned), "category"))
    split = split_check(assigned, control, by, shares=shares, covariates=covariates)
    stop = "no_control" if str(control) not in map(str, split.n) else "broken_split" if split.broken else None
    table = against(cells(assigned, measured, by), control)
    rows = _tested(table if stop is None else table.assign(var_treated=np.nan))
    rows["srm_p"] = np.full(len(table), np.nan if split.p is None else split.p)
    rows["verdict"] = stop or _verdicts(rows, _primary(measured), worthwhile or {}, list(lower_is_better))
    asked = np.isin(rows["outcome"].astype(str), outcomes)
    return pd.DataFrame({name: rows[name] for name in COLUMNS})[asked].reset_index(drop=True)


def review(assigned, control, outcomes, covariates=(), shares=None, lower_is_better=()) -> pd.DataFrame:
    """`effects` of every campaign of ``assigned`` (column ``campaign``), one under the other, as campaign_effects.csv.

    ``shares`` may plan for more arms than a campaign has: campaigns differ. An outcome of zeros and ones is a share, and
    of fewer than 10 customers none is told: mean_treated, mean_control, effect, low and high are null there.
    """
    given = {"covariates": covariates, "lower_is_better": lower_is_better}
    tables = []
    for _, rows in assigned.groupby("campaign"):
        there = [name for name in outcomes if name in rows]
        shown = effects(rows, control, there, shares=planned(shares, rows["arm"]), **given)
        tables.append(_large_enough(shown, [name for name in there if rows[name].dropna().isin([0, 1]).all()]))
    names = assigned.groupby("campaign").groups
    columns = ["campaign", *COLUMNS]
    named = [table.assign(campaign=name) for name, table in zip(names, tables, strict=True)]
    return pd.concat(named, ignore_index=True)[columns] if named else pd.DataFrame(columns=columns)


def _large_enough(table, shares):
    few = pd.DataFrame({side: table["outcome"].isin(shares) & (table[f"n_{side}"] < SMALL) for side in ARMS})
    for side in ARMS:
        table[f"mean_{side}"] = table[f"mean_{side}"].mask(few[side])
    ends = ["effect", "low", "high"]
    return table.assign(**table[ends].mask(few.any(axis=1)))


def headline(table, outcome="profit") -> pd.DataFrame:
    """Rows of an `effects` table that speak for the campaign: one per arm, or one per tier where tiers differ.

    The default outcome is profit per assigned customer (else spend, orders, response: the first there is). One number
    for everybody would mislead where the tiers differ, so the arm's tier rows speak instead: where the interaction p is
    under 0.5 % over the number of outcomes x arms, as for a tier's verdict, or under 5 % beside a total that is shown.
    """
    present = list(table["outcome"].unique())
    outcome = outcome if outcome in present else _primary(present or [outcome])
    rows = table[table["outcome"] == outcome]
    level = np.where(rows["verdict"].isin(CLAIMS), LEVEL, _tier_level(table))
    differing = rows.loc[rows["interaction_p"] < level, "arm"]
    return rows[(rows["tier"] != ALL) == rows["arm"].isin(differing)].reset_index(drop=True)


def describe_without_control(assigned, by="tier") -> pd.DataFrame:
    """Means of the outcomes there are, by arm and tier, and nothing that could be read as an effect.

    Columns arm, tier (``all`` for the total), outcome, n, mean.
    """
    outcomes = [name for name in [*BEHAVIOUR, "profit"] if name in assigned]
    check(assigned, outcomes, by)
    return cells(assigned, outcomes, by)[["arm", "tier", "outcome", "n", "mean"]]


def _tested(table):
    """Arrays of the rows of `against`, with `welch`, p_holm, interaction_p, next_n and the numbers of each row's series
    (an outcome and arm) and cell (an arm and tier).
    """
    rows = {name: table[name].to_numpy() for name in table} | welch(table) | {"p_student": student(table)}
    rows["total"] = rows["tier"] == ALL
    rows["series"] = groups(rows["outcome"], rows["arm"])
    rows["cell"] = groups(rows["arm"], rows["tier"])
    family = groups(rows["outcome"], rows["total"])
    rows["p_holm"] = np.full(len(family), np.nan)
    for one in range(family.max(initial=-1) + 1):
        rows["p_holm"][family == one] = holm(rows["p"][family == one])
    rows["few"] = _too_few(rows)
    rows["interaction_p"] = np.where(rows["total"], _interaction_p(rows), np.nan)
    effect = beside(rows["effect"], rows["total"], rows["series"])
    size = sample_size(effect, np.sqrt(rows["var_control"]), np.sqrt(rows["var_treated"]))
    return rows | {"next_n": pd.array(size, dtype="Int64")}


def _interaction_p(rows):
    """Cochran's Q of the tier effects of each row's outcome and arm; null with fewer than two tiers."""
    from scipy.special import chdtrc

    tier, series = ~rows["total"] & (rows["se"] > 0) & ~rows["few"], rows["series"]
    weight = np.where(tier, rows["se"], np.inf) ** -2

    def total(values):
        return np.bincount(series[tier], weights=values[tier], minlength=series.max(initial=-1) + 1)

    tiers, weights = total(np.ones(len(series))), total(weight)
    common = total(weight * rows["effect"]) / np.where(weights > 0, weights, np.nan)
    q = total(weight * (rows["effect"] - common[series]) ** 2)
    return np.where(tiers > 1, chdtrc(np.maximum(tiers - 1, 1), q), np.nan)[series]


def _too_few(rows):
    """Whether a row's smaller arm (either, at equal size) has under 2 customers or under 30 buyers."""
    few_treated = (rows["n_treated"] <= rows["n_control"]) & (rows["buyers_treated"] < MIN_BUYERS)
    few_control = (rows["n_control"] <= rows["n_treated"]) & (rows["buyers_control"] < MIN_BUYERS)
    return few_treated | few_control | (np.minimum(rows["n_treated"], rows["n_control"]) < 2)


def _primary(outcomes):
    return next((name for name in ["profit", *reversed(BEHAVIOUR)] if name in outcomes), outcomes[0])


def _tier_level(rows):
    return EXTRA_LEVEL / max(1, len(set(rows["outcome"])) * len(set(rows["arm"])))


def _shown(rows, primary):
    """Whether a row may claim an effect, by the levels in `effects`; too few buyers show nothing."""
    trusted = ~rows["few"] & (rows["p_student"] < LEVEL)
    p, total, primary = np.where(trusted, rows["p_holm"], np.nan), rows["total"], rows["outcome"] == primary
    opened = np.isin(rows["arm"].astype(str), rows["arm"][total & primary & (p < LEVEL)].astype(str))
    other = EXTRA_LEVEL / max(1, len(set(rows["outcome"])) - 1)
    claimed = total & (p < np.where(primary | opened, LEVEL, other))
    differing = total & (rows["interaction_p"] < _tier_level(rows))
    may = beside((claimed | differing).astype(float), total, rows["series"]) > 0
    return claimed | (~total & (p < LEVEL) & may)


def _verdicts(rows, primary, worthwhile, lower_is_better):
    """Code per row by the decision table in `effects`, the split being sound and a control there."""
    shown, cell, is_profit = _shown(rows, primary), rows["cell"], rows["outcome"] == "profit"
    gain = rows["effect"] * np.where(np.isin(rows["outcome"].astype(str), lower_is_better), -1, 1)
    up, down = shown & (gain > 0), shown & (gain < 0)
    pays = beside(rows["low"], is_profit, cell) > 0
    better, worse = (np.isin(cell, cell[claims & ~is_profit]) for claims in (up, down))
    up |= is_profit & better & ~worse
    return np.select(
        [rows["few"], up & pays, up & is_profit.any(), up, down, ~_powered(rows, worthwhile)],
        ["not_enough_data", "works_and_pays", "works_not_pays", "not_enough_data", "harmful", "not_enough_data"],
        default="no_difference",
    )


def _powered(rows, worthwhile):
    given = np.array([worthwhile.get(name, np.nan) for name in rows["outcome"]], dtype=float)
    size = np.where(np.isnan(given), WORTHWHILE_LIFT * np.abs(rows["mean_control"]), given)
    return power(size, rows["se"]) >= POWER
