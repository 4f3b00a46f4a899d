"""Did a campaign work, for whom, and did it pay: effects per assigned customer against a random hold-out.

Every function takes ``assigned``, one row per customer at the moment of assignment, controls too: ``arm``, ``tier`` (as
of the day before; null = not known, counted in ``all`` only) and numeric outcomes such as response (0/1), orders, spend
and profit. A null outcome means "not observed" and leaves that customer out of that outcome alone. Customers stay in
the arm they were assigned to, whether or not the contact reached them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tierbook.errors import InputError, ParamsError

ALL = "all"
BEHAVIOUR = ["response", "orders", "spend"]
BROKEN_SPLIT_P = 0.001  # a review runs monthly: at 0.05 one sound campaign in twenty would be thrown away
MIN_BUYERS = 30  # below it the mean of skewed spend is not near enough to normal for a Welch interval
LEVEL, POWER = 0.05, 0.80
WORTHWHILE_LIFT = 0.20  # smallest effect worth acting on, as a share of the control mean, where none is given
MIN_EXPECTED = 5  # Cochran's rule for the chi-square approximation

COLUMNS = ["arm", "tier", "outcome", "n_treated", "n_control", "mean_treated", "mean_control", "effect", "low", "high"]
COLUMNS += ["p", "p_holm", "srm_p", "interaction_p", "verdict", "next_n"]


@dataclass(frozen=True)
class SampleRatio:
    """Customers per arm, the chi-square statistic, its p (null when nothing could be checked) and the check made.

    ``check`` is ``planned_shares``, ``across_tiers`` or ``no_plan``.
    """

    n: dict
    chi2: float | None
    p: float | None
    check: str

    @property
    def broken(self) -> bool:
        """Whether the arms differ from a random draw so clearly (p < 0.001) that no effect may be read."""
        return self.p is not None and self.p < BROKEN_SPLIT_P


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


def sample_ratio(arms, shares=None, tiers=None) -> SampleRatio:
    """Check that the arms look like the random draw they should be; p < 0.001 stops the analysis.

    With planned ``shares`` (arm -> share or weight) this is the chi-square test of the arm counts. Without a plan,
    equal arms would be a wrong guess for a 20 % hold-out; but a random draw gives every tier the same mix of arms, so
    ``tiers`` (Series beside ``arms``) are tested for homogeneity, over tiers where each expected count is 5 or more.
    That is blind to a fault that hits all tiers alike. With neither, p is null and the check is ``no_plan``. Where the
    draw differed by tier on purpose, review the tiers one at a time: their total would mix the two.

    Raises
    ------
    ParamsError : an arm without a planned share, or a share that is not positive
    """
    from scipy import stats

    counts = arms.value_counts().sort_index()
    n = {arm: int(count) for arm, count in counts.items()}
    if shares is not None:
        unplanned = [arm for arm in n if arm not in shares]
        if unplanned or min(shares.values()) <= 0:
            raise ParamsError(f"campaign shares: every arm needs a positive share; arms {list(n)}, shares {shares}")
        planned = pd.Series(shares, dtype=float).sort_index()
        observed = counts.reindex(planned.index, fill_value=0)
        test = stats.chisquare(observed, planned / planned.sum() * observed.sum())
        return SampleRatio(n, float(test.statistic), float(test.pvalue), "planned_shares")
    mix = pd.DataFrame() if tiers is None else pd.crosstab(tiers, arms)
    if len(mix):
        expected = np.outer(mix.sum(axis=1), mix.sum(axis=0)) / mix.to_numpy().sum()
        mix = mix[(expected >= MIN_EXPECTED).all(axis=1)]
    if min(mix.shape) < 2:
        return SampleRatio(n, None, None, "no_plan")
    test = stats.chi2_contingency(mix, correction=False)
    return SampleRatio(n, float(test.statistic), float(test.pvalue), "across_tiers")


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
    _check(assigned, measured, by)
    split = sample_ratio(assigned["arm"], shares, assigned.get(by))
    stop = "no_control" if str(control) not in map(str, split.n) else "broken_split" if split.broken else None
    table = _welch(_against(_cells(assigned, measured, by), control), effect_allowed=stop is None)
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


def balance(assigned, control, covariates) -> pd.DataFrame:
    """Standardised difference of each covariate known before assignment: (treated - control) / root mean variance.

    Columns arm, covariate, mean_treated, mean_control, smd; beyond +-0.1 a reader should ask why. Null where nobody
    varies, or where an arm has fewer than two customers.
    """
    _check(assigned, list(covariates), by=None)
    table = _against(_cells(assigned, list(covariates), by=None), control)
    spread = np.sqrt((table["var_treated"] + table["var_control"]) / 2)
    table["smd"] = (table["mean_treated"] - table["mean_control"]) / spread.where(spread > 0)
    return table.rename(columns={"outcome": "covariate"})[["arm", "covariate", "mean_treated", "mean_control", "smd"]]


def draws(assigned, control) -> pd.DataFrame:
    """Whether each campaign's split looks like a random draw, one row per campaign and treated arm.

    Columns campaign, arm, n_treated, n_control, srm_p (`sample_ratio` over the tiers), draw (``fair``, ``broken``,
    ``unchecked`` or ``no_control``) and smd_orders, smd_spend: `balance` of pre_orders and pre_spend, null without them.
    """
    rows = []
    for name, people in assigned.groupby("campaign"):
        split = sample_ratio(people["arm"], None, people.get("tier"))
        before = [column for column in ("pre_orders", "pre_spend") if column in people]
        balanced = balance(people, control, before).set_index(["arm", "covariate"])["smd"] if before else pd.Series()
        held_out = split.n.get(str(control), 0)
        code = "broken" if split.broken else "unchecked" if split.p is None else "fair"
        for arm in (arm for arm in split.n if arm != str(control)):
            smd = [balanced.get((arm, f"pre_{measure}"), np.nan) for measure in ("orders", "spend")]
            rows.append((name, arm, split.n[arm], held_out, split.p, code if held_out else "no_control", *smd))
    columns = ["campaign", "arm", "n_treated", "n_control", "srm_p", "draw", "smd_orders", "smd_spend"]
    return pd.DataFrame(rows, columns=columns).astype({"srm_p": float})


def describe_without_control(assigned, by="tier") -> pd.DataFrame:
    """Means of the outcomes there are, by arm and tier, and nothing that could be read as an effect.

    Columns arm, tier (``all`` for the total), outcome, n, mean.
    """
    outcomes = [name for name in [*BEHAVIOUR, "profit"] if name in assigned]
    _check(assigned, outcomes, by)
    return _cells(assigned, outcomes, by)[["arm", "tier", "outcome", "n", "mean"]]


def _check(assigned, outcomes, by):
    missing = [name for name in ["arm", *outcomes] if name not in assigned]
    if missing:
        raise InputError(f"assigned customers: no column {missing}; there are {list(assigned.columns)}")
    if assigned.empty:
        raise InputError("assigned customers: none; give one row per assigned customer, controls too")
    no_arm = assigned["arm"].isna()
    if no_arm.any():
        raise InputError(f"assigned customers: {no_arm.sum()} of {len(assigned)} have an empty arm; each needs one")
    twice = assigned["customer_id"].duplicated() if "customer_id" in assigned else no_arm
    if twice.any():
        first = assigned.loc[twice, "customer_id"].head(3).tolist()
        raise InputError(
            f"assigned customers: customer_id repeats in {twice.sum()} rows, as {first}; keep one row each"
        )
    if by in assigned and (assigned[by] == ALL).any():
        raise InputError(f"assigned customers: a tier in {by} is named 'all', which means the total; rename it")


def _numbers(assigned, column):
    numbers = pd.to_numeric(assigned[column], errors="coerce")
    bad = numbers.isna() & assigned[column].notna()
    if bad.any():
        first = assigned.loc[bad, column].head(3).tolist()
        raise InputError(f"assigned customers: {bad.sum()} values of {column} are not numbers, as {first}")
    return numbers.to_numpy(dtype=float, na_value=np.nan)


def _cells(assigned, outcomes, by):
    """One row per outcome, arm and tier (``all`` first): n, mean, var, buyers."""
    keys = ["arm", by] if by in assigned else ["arm"]
    groups = assigned[keys].astype("category").set_axis(["arm", "tier"][: len(keys)], axis=1)
    parts = []
    for outcome in outcomes:
        buying = next((name for name in ["orders", "spend", "response"] if name in assigned), outcome)
        bought = _numbers(assigned, outcome if outcome == "response" else buying) > 0
        # Sorted by value, so that sums have the same last digit whatever the order of the rows.
        rows = groups.assign(value=_numbers(assigned, outcome), bought=bought)
        rows = rows.dropna(subset="value").sort_values("value")
        parts += [_moments(rows, ["arm"]).assign(tier=ALL, outcome=outcome)]
        if "tier" in groups:
            parts += [_moments(rows, ["arm", "tier"]).assign(outcome=outcome)]
    cells = pd.concat(parts, ignore_index=True)
    return cells.astype({"arm": str, "tier": str})


def _moments(rows, keys):
    grouped = rows.groupby(keys, observed=True)
    value, buyers = grouped["value"], grouped["bought"].sum()
    moments = {"n": grouped.size(), "mean": value.mean(), "var": value.var(), "buyers": buyers}
    return pd.DataFrame(moments).reset_index()


def _against(cells, control):
    """Put the control's cell of the same outcome and tier beside each treated cell; n_control 0 where there is none."""
    keys = ["outcome", "tier"]
    of_control = cells["arm"] == str(control)
    held_out = cells[of_control].drop(columns="arm")
    table = cells[~of_control].merge(held_out, on=keys, how="left", suffixes=("_treated", "_control"))
    return table.fillna({"n_control": 0, "buyers_control": 0}).astype({"n_control": int})


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
