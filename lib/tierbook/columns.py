"""The one registry of the book's columns: definition, formula, unit, and what null means.

docs/definitions.md is made from it (``python -m tierbook.columns > docs/definitions.md``) and a test holds the two together.
"""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """One column: its definition with the formula, its unit, and what a null says (empty: never null)."""

    definition: str
    unit: str
    null: str = ""


WINDOW = "the window: the `rfm.window_days` days (365) that end on as_of"
OUTSIDE = "no order in the window"

BOOK: dict[str, Column] = {
    "customer_id": Column("The customer's id as the orders have it, after `id_map`.", "text"),
    "first_order": Column("Day of the first purchase up to as_of.", "date"),
    "last_order": Column("Day of the last purchase up to as_of.", "date"),
    "orders": Column("Orders up to as_of. An order is one order_id (without one, a customer's lines of the same moment). It counts on the first day on which its lines, refunds of that day taken off, come to more than zero, or were free from the start; a wholly cancelled order counts as none.", "orders"),
    "recency_days": Column("as_of less last_order.", "days"),
    "frequency": Column("Orders in the window (`rfm.frequency: orders`), or days with a purchase in it (`days`).", "orders or days", OUTSIDE),
    "monetary": Column("Net money of the window: amounts less refunds, each on its own day. `rfm.monetary: average` divides by the orders, `margin` takes the cost of goods off.", "currency", f"{OUTSIDE}; with `margin`, a line without cost"),
    "r": Column("Recency score: bins less the number of cut points below recency_days (fewer days, higher score).", "1 to `rfm.bins`", OUTSIDE),
    "f": Column("Frequency score: 1 plus the number of cut points below frequency. Where over 40 % of customers share one frequency the cuts are 1 / 2 / 3 / 4–5 / 6+.", "1 to `rfm.bins`", OUTSIDE),
    "m": Column("Monetary score: 1 plus the number of cut points below monetary.", "1 to `rfm.bins`", OUTSIDE),
    "segment": Column("The name that `segments.map` gives the cell r × f × m.", "code", OUTSIDE),
    "tier": Column("The name that `tiers.scheme` gives the cell r × f × m (and the scheme's further traits); kept for `tiers.hold_months` months after it fell (保级期), and replaced by an override while one holds. `outside` without an order in the window.", "code"),
    "trend": Column("`up` or `down` where the window's net money is over 20 % above or below the window before, else `steady`.", "code", "no order in either window"),
    "previous_tier": Column("The tier at the same day a month earlier, by this run's scale, protection and overrides.", "code", "first purchase came after that day"),
    "tier_change": Column("`up`, `down`, `same`, `new` (first purchase this month) or `left` (no order in the window any more), from previous_tier to tier.", "code"),
    "change_cause": Column("`customer`: the tier differs from last month's on one and the same scale, or the customer is new. `scale`: it does not, but differs from the tier on the scale that last month's report stood on (the one frozen by then, else the one fitted then).", "code", "no change"),
    "change_reason": Column("Which scores rose or fell since last month, such as `m_down+r_down`; no score, without an order in the window, counts as below every score.", "codes", "no change up, down or out, or no score moved"),
    "next_tier": Column("The best tier above the present one that further orders until the next report (same day next month) surely give, by either way of next_tier_gap.", "code", f"none can be promised, a tier given by hand, or {OUTSIDE}"),
    "next_tier_gap": Column("What is missing to it and until when: further orders and the money in them. Orders that leave the window until then are taken off first, and an order on any day until then will do. A bar parts two ways: the fewest orders, or the least money.", "text", "as next_tier"),
    "stage": Column("`new`: one purchase day, silent no longer than the P80 of first-to-second gaps. `active`: silent no longer than twice the own gap (median days between purchase days, shrunk by the weight of two gaps to the median of all customers' own medians), at least 30 days. `loyal`: active with 4+ purchase days over 365+ days. `lost`: silent at least as long as the silence from which on, over any stretch of it, fewer than 10 % came back within 180 days in the backtest. `at_risk`: the rest.", "code"),
    "cluster": Column("k-means on log recency, frequency and monetary, standardised. Rule and numbers are settled on the customers of the last January (1 has the highest mean monetary) and hold for the year.", "1 to k", f"{OUTSIDE}, or too few customers"),
    "p_alive": Column("Probability that the customer still buys, given its purchase days up to as_of, by BG/NBD or MBG/NBD (clv_model.csv says which). By BG/NBD it is 1 by construction for customers without a repeat.", "probability", "value_note says why"),
    "expected_orders": Column("Expected purchase days in the next `value.horizon_months` months given the history, by the same model.", "purchase days", "value_note says why"),
    "orders_low": Column("Lower bound of the 80 % interval of that count, from its exact distribution given the history, the doubt of the parameters included.", "purchase days", "value_note says why"),
    "orders_high": Column("Upper bound of the same interval.", "purchase days", "value_note says why"),
    "expected_value": Column("Expected money per purchase day (Gamma-Gamma on repeat days); times the margin rate where one is known.", "currency", "value_note says why"),
    "clv": Column("Expected money of the horizon: expected purchase days of each calendar month from as_of (month k ends on the same day k months later, a last day of the month stays a last day) × expected_value, discounted by (1 + `value.yearly_discount`)^(−days from as_of to the month's end / 365.25). The horizon is the real days of these months (365 or 366 for twelve). A mean: it may lie outside a skewed interval.", "currency", "value_note says why"),
    "clv_low": Column("orders_low × expected_value, discounted as the orders are on average.", "currency", "value_note says why"),
    "clv_high": Column("orders_high × expected_value, discounted likewise.", "currency", "value_note says why"),
    "value_tier": Column("Third of customers by clv: high, middle, low; equal values share a third.", "code", "no clv, or fewer than three distinct values"),
    "value_note": Column("Why the value columns are empty; `loses_to_naive_rule`: on the days held out a naive rule (own past rate, same as last period) had the better log score by more than two standard errors.", "code", "they are not"),
    "alert": Column("A customer with 3+ purchase days in the window whose risk, P(no purchase day in the next 182 days), is at or above the threshold: the one that alerted 20 % half a year ago. The risk is learned on the shop's own past (`scores.risk`).", "true or false"),
    "alert_reason": Column("The first that holds: `silent_beyond_cadence` (silent over twice the own gap and over 30 days), `orders_falling` (under half the orders of the window before), `low_expected_orders`.", "code", "not flagged"),
    "value_at_stake": Column("Net money of the window (not below zero), times the margin rate where one is known: what the customer brought, not what can be won back.", "currency", "not flagged"),
    "owner": Column("Owner from the customers table.", "text", "no such table, or no owner"),
    "action": Column("The first action of `params/actions.yaml` whose `when` holds; for customers with an alert, of those that ask for `alert`.", "code", "none holds, do_not_contact, flagged by the early warning (its call list is alerts.csv), or in the action's own control arm"),
}  # fmt: skip

TABLES: dict[str, dict[str, Column]] = {
    "row_accounting.csv": {
        "reason": Column("`kept`, or the first reason for setting the row aside that applies: blank_row, overlap, repeated_line, bad_date, bad_amount, after_as_of, other_currency, status, no_customer, damaged_id, masked_id, excluded, not_a_sale, duplicate; `no_<column>` where an optional table's row lacks a required value. The rows sum to what was read.", "code"),
        "amount": Column("Sum of the rows' amounts less refund_amount, in the report's currency.", "currency", "the table has no amounts"),
    },
    "tiers.csv · segments.csv · stages.csv · clusters.csv": {
        "share": Column("Customers of the name over all customers so named; `outside` is no part of the base.", "share", "`outside`"),
        "revenue": Column("Sum of monetary.", "currency"),
        "revenue_share": Column("revenue over the revenue of all names.", "share", "no revenue"),
        "mean_clv": Column("Mean of clv.", "currency", "no clv"),
    },
    "scale.yaml · scale_drift.csv": {
        "shares": Column("Share of the customers the scale was fitted on by score, 1 to bins.", "share"),
        "psi": Column("Population stability index: Σ (a − e) · ln(a/e) over the scores, a the share of customers now and e at freezing; an empty score counts as half a customer.", "index", "under 100 customers now or at freezing, or an older file without shares"),
        "verdict": Column("`stable` under 0.10, `shifted` under 0.25, `refit` from there on (the usual rule of thumb); `too_few` and `unknown` without psi.", "code"),
    },
    "sensitivity.csv": {
        "variant": Column("What differs from the report's rules: half or double window, 4 or 6 scores, frequency in days or orders. Each variant fits its own cut points.", "code"),
        "same_tier": Column("Of the customers with a tier under both rules, the share with the same.", "share", "under 10 customers"),
        "best_kept": Column("Of the customers in the best tier, the share who are in the variant's best tier.", "share", "under 10 customers"),
    },
    "value_customers.csv": {
        "met": Column("Criteria of `params/schemes/value_customer.yaml` that the customer meets, 0 to 4. One column each says true, false or, where the data do not tell, nothing: missing is not failed.", "criteria"),
        "known": Column("Criteria that could be judged.", "criteria"),
    },
    "stage_transitions.csv": {
        "from_stage": Column("Stage a month before as_of, by this month's cadence; `none`: first purchase since.", "code"),
        "rate": Column("Customers of the move over customers of from_stage; low and high its 95 % Wilson interval.", "share", "`none`, or under 10 customers"),
        "rate_year_ago": Column("The same move's rate twelve months earlier.", "share", "as rate, or the history does not reach"),
    },
    "leads.csv": {
        "open": Column("Leads made up to as_of that have not bought yet: potential customers (潜在客户).", "leads"),
        "conversion_rate": Column("Leads who have bought over leads made; young leads had little time.", "share", "under 10 leads"),
        "median_days": Column("Median days from the lead to the first purchase, of those who bought.", "days", "nobody bought"),
    },
    "slices.csv": {
        "customers": Column("Customers by attribute, value, tier and stage.", "customers", "1 to 9, or it would give such a count away; `suppressed` is then true"),
        "revenue": Column("Sum of their monetary.", "currency", "as customers"),
    },
    "cluster_profile.csv": {
        "code": Column("What sets the cluster apart: up to two features whose centroid lies half a standard deviation or more from the mean.", "codes"),
        "recency_z": Column("The centroid in standard deviations of log recency; frequency_z and monetary_z likewise.", "standard deviations"),
    },
    "movement.csv": {
        "customers": Column("Customers whose tier was from_tier a month before as_of and is to_tier now, on one scale. from_tier `new`: first purchase since.", "customers"),
        "usual_low": Column("P10 of the move's rate over the last twelve months (customers of the move over customers of from_tier; newcomers over all known), times this month's base.", "customers", "under six months of history"),
        "usual_high": Column("P90 of the same.", "customers", "under six months of history"),
        "same_month_last_year": Column("Customers of the same move twelve months earlier, on this run's scale.", "customers", "history does not reach"),
        "revenue": Column("Net money of their window a month before as_of; of newcomers, at as_of; 0 for who had no order in it (`outside`).", "currency"),
        "moved_by_scale": Column("Customers whose tier, as last month's own scale gave it, was from_tier, though on one scale they did not move.", "customers"),
    },
    "movement_12m.csv": {
        "customers": Column("Customers by tier twelve months before as_of and tier now, on one scale.", "customers"),
        "rate": Column("customers over the customers of from_tier.", "share", "`new`, or under 10 customers"),
        "customers_year_before": Column("The same a year earlier.", "customers", "the whole window of two years ago is not in the data"),
        "revenue": Column("Net money of their window a year ago; revenue_now: of the window now.", "currency"),
    },
    "upgrade_candidates.csv": {
        "orders_missing": Column("Further orders (days with a purchase where frequency counts days) needed until the deadline for next_tier, the fewest.", "orders"),
        "spend_missing": Column("Net money needed in these orders.", "currency", "any amount will do"),
        "alt_orders": Column("The other way: orders with which the least money (alt_spend) will do.", "orders", "there is one way only"),
    },
    "protected.csv": {
        "computed": Column("The tier the scheme gives; `tier` is kept instead.", "code"),
        "held_until": Column("The last report date at which the tier is kept if nothing is bought.", "date"),
        "keep_orders": Column("Further orders until the next report with which the tier is earned again; keep_spend the money in them.", "orders", "cannot be promised"),
    },
    "overrides.csv": {
        "status": Column("`in_use`, `expired`, `not_yet` or `unknown_customer` (no order up to as_of).", "code"),
    },
    "restated.csv": {
        "net_then": Column("Net money of the orders first placed in the month that ended on `end`, as known that day.", "currency", "refunds carry no date of their own (`how`)"),
        "refunds_since": Column("Money given back on these orders after that day, up to as_of.", "currency", "as net_then"),
        "net_restated": Column("What is left of it.", "currency", "as net_then"),
        "untied": Column("Refunds after that day whose order is not in the data.", "currency", "as net_then"),
    },
    "alerts.csv": {
        "channel": Column("Filled in the order of `alerts.capacity`, the highest value at stake first.", "text"),
        "own_gap_days": Column("The customer's purchase interval: own median gap, shrunk to the population's by the weight of two gaps.", "days"),
        "first_flagged": Column("First month's end of the unbroken run of months in which this month's rule flags the customer (at most twelve back).", "date"),
        "held_out": Column("In the hold-out: not to be contacted. Drawn by a salted hash of the id, so that a customer stays in or out from month to month.", "true or false"),
    },
    "alert_backtest.csv": {
        "rule": Column("`ours`: the rule as it was learned 182 days before as_of; the simple rules beside it. Scores alert 20 % of the candidates.", "code"),
        "base_rate": Column("Share of candidates without a purchase day in the 182 days since.", "share"),
        "precision": Column("Share of the alerted who stayed silent, with its 95 % Wilson interval.", "share", "under 10 alerted"),
        "recall": Column("Share of the silent who were alerted.", "share", "under 10 alerted"),
        "lift": Column("precision over base_rate.", "ratio", "under 10 alerted"),
        "auc": Column("Probability that a customer who stayed silent scores above one who came back, ties half.", "probability", "a yes/no rule"),
    },
    "clv_backtest.csv": {
        "ratio": Column("predicted_orders over actual_orders in the days held out.", "ratio", "nothing was ordered, or under 10 customers"),
        "past_rate_ratio": Column("The same for every customer going on at repeats / T.", "ratio", "as ratio"),
        "log_score": Column("Mean log probability that the model gave the actual count; higher is better.", "log probability", "under 10 customers"),
        "past_rate_log_score": Column("The same for a Poisson count at the rate (repeats + 1) / (T + mean days per repeat).", "log probability", "under 10 customers"),
        "stated_80": Column("Mean stated probability of the 80 % intervals (counts are whole, so it is more than 80 %).", "probability", "under 10 customers"),
        "coverage_80": Column("Share of customers whose actual count lies within.", "share", "under 10 customers"),
    },
    "clv_naive.csv": {
        "rule": Column("`model`, and beside it going on at the own past rate, the same as in the period before, and nothing.", "code"),
        "gain": Column("Mean log score of the model less that of the rule; gain_error its standard error over customers.", "log probability", "the model itself; nothing has no finite log score"),
        "verdict": Column("`better` or `worse` where the gain is beyond two standard errors, else `level`.", "code", "as gain"),
    },
    "clv_past.csv": {
        "ratio": Column("Purchase days forecast at `date` over those that came since, of the customers known then.", "ratio", "note says why"),
    },
    "cohorts.csv": {
        "month": Column("Months since the first purchase, spans of 365.25/12 days.", "months"),
        "over": Column("Whether the month is over for whoever was won on the last day of the cohort's calendar month.", "true or false"),
        "active": Column("Customers of the cohort with a purchase in the month.", "customers"),
    },
    "campaign_effects.csv": {
        "effect": Column("Mean of the arm less mean of the control arm, per customer assigned; window: the `campaign.window_days` days after the day of assignment.", "of the outcome", "no control, broken split, or nothing varies"),
        "low": Column("Lower bound of the Welch 95 % interval.", "of the outcome", "as effect"),
        "high": Column("Upper bound.", "of the outcome", "as effect"),
        "p_holm": Column("p of the Welch test, by Holm: over the arms of one outcome on `all` (with one arm: p), over its arms and tiers on tier rows.", "probability", "as effect"),
        "srm_p": Column("p of the split: arms against `campaign.shares`, without them against equal arms where each lies within 15 % of it; the mix of arms across tiers; and what was known before (`balance_p`). The first that breaks, else that of the counts, else of the tiers. Below 0.001 nothing is read.", "probability", "nothing to check it by"),
        "interaction_p": Column("p of Cochran's Q: do the tiers' effects differ?", "probability", "tier rows"),
        "verdict": Column("`works_and_pays`, `works_not_pays`, `harmful`, `no_difference`, `not_enough_data`, `broken_split` or `no_control`, by the decision table of `insight.campaign.effects`. In a campaign that does nothing any row says works or harmful in at most 6 % of reviews.", "code"),
        "next_n": Column("Customers per arm for 80 % power at 5 %: for the effect seen (`all`), or for the total's effect in that tier.", "customers", "no effect to size by"),
    },
    "campaign_draws.csv": {
        "draw": Column("`fair`, `broken` (srm_p or balance_p below 0.001), `unchecked` (nothing to check by), `no_control`.", "code"),
        "balance_p": Column("Were the arms alike before? Student's t of log(1 + x / median) of pre_orders, pre_spend and `campaign.covariates` (chi-square for words), Bonferroni over covariates and arms.", "probability", "nothing known before"),
        "smd_orders": Column("Mean orders of the `campaign.pre_days` before, arm less control, in standard deviations; smd_spend likewise.", "standard deviations", "nobody varies"),
    },
    "campaign_faults.csv": {
        "fault": Column("What is wrong with the contacts table, by `insight.contact_faults`; customers counts whom it concerns, example is the first id.", "code"),
    },
    "campaign_adjusted.csv": {
        "cuped_effect": Column("Effect with what was known before taken off by least squares (CUPED; Deng et al. 2013); cuped_low, cuped_high its 95 % interval.", "of the outcome", "no covariates"),
        "variance_gained": Column("Share of the effect's variance that this removed; it may be nothing.", "share", "no covariates"),
        "boot_low": Column("Percentile 95 % bootstrap interval of the difference of means, over `resamples` resamples; boot_high its upper end.", "of the outcome"),
        "agree": Column("Welch and bootstrap lie on the same side of zero, or both over it.", "true or false"),
    },
    "campaign_returns.csv": {
        "cost": Column("Money spent on contacting the arm's customers; cost_per_assigned over n_treated.", "currency", "unknown for somebody contacted"),
        "profit_total": Column("Effect on profit per customer assigned × n_treated; total_low, total_high its interval.", "currency", "`note` says why"),
        "net_of_arms": Column("Profit of the treated less that of the control, as they stand (published as net incremental revenue).", "currency", "arms differ by 5 % or more in size"),
        "return_on_cost": Column("profit_total over cost; return_low, return_high its interval.", "ratio", "`note` says why"),
        "break_even_spend": Column("Effect on spend per customer assigned that would just pay: cost_per_assigned / margin rate.", "currency", "`note` says why"),
        "break_even_response": Column("The same as a further share of customers responding, at the spend of those who did.", "share", "`note` says why"),
        "breaks_even": Column("`yes` or `no` where the interval of profit lies above or below 0 and p_holm is below 0.05, else `unclear`.", "code", "no effect on profit"),
    },
    "campaign_guardrails.csv": {
        "allowed": Column("The most the campaign may cost on the side: `campaign.guardrails`, of opted_out the share itself, of refunds and discount that share of the control's mean spend.", "share or currency", "no spend"),
        "verdict": Column("`kept` (high within the margin), `breached` (low beyond it), `unclear`, `no_control`, `broken_split`.", "code"),
    },
    "campaign_described.csv": {
        "naive_gap": Column("Mean spend in the window after, arm less others; a description, no effect.", "currency", "no others"),
        "gap_before": Column("The same of as many days before.", "currency", "nothing known before"),
        "difference": Column("naive_gap less gap_before; se its standard error.", "currency", "as gap_before"),
    },
    "targeting_found.csv · targeting_deciles.csv · targeting_curve.csv · targeting_plans.csv": {
        "coefficient": Column("Qini: area between the curve of gains by score and the random line, over the size of the effect of treating all; learned on one half of the customers, judged on the other.", "ratio", "the interval of that effect covers zero, or no score"),
        "gain": Column("The same area in the outcome's unit per customer; gain_low, gain_high its 95 % bootstrap interval.", "of the outcome", "no score"),
        "verdict": Column("`can_target` where gain_low is above zero, `cannot_target`, `not_enough_data`.", "code"),
        "value": Column("Gain per customer when that share, the highest scores first, is treated.", "of the outcome"),
    },
    "action_list.csv": {
        "campaign": Column("`<YYYY-MM> <action>`: with contacted_at filled in, the file is next month's contacts table.", "text"),
        "arm": Column("`treated`: to be contacted. The control's name: held out, drawn by the hash of salt, action and id, the same share of every tier.", "code"),
    },
    "action_sizes.csv": {
        "mean": Column("Money per customer since a month ago of those who would have been on the list then; sd its standard deviation.", "currency", "nobody would have been"),
        "detectable": Column("The smallest effect per customer that eight of ten such tests would find at 5 %.", "currency", "nobody held out, or no spread"),
        "needed": Column("Customers per arm to find a lift of 20 %; power: the chance to find it at this split.", "customers", "no money to lift"),
    },
    "ledger.csv · earned.csv": {
        "action": Column("The action of the list that the campaign tried: by its `campaigns` patterns, else by its code in the campaign's name.", "code", "none"),
        "total": Column("Effect per customer assigned × n_treated of finished campaigns with a control; total_low, total_high its 95 % interval.", "currency", "no effect may be read"),
        "earned": Column("Sum of the totals of an action's campaigns; half widths add as of independent draws (arms of one campaign plainly).", "currency", "untested"),
        "verdict": Column("ledger: the campaign's headline, `mixed` where tiers differ, `not_carried_out` where under 5 % of last month's call list were contacted. earned: `untested`, `earned`, `lost` or `unclear`.", "code"),
    },
    "scorecard.csv": {
        "value": Column("new_customers: first purchases since the day a month before as_of. repeat_rate: customers with 2+ purchase days in the window over customers with any, low and high its 95 % Wilson interval. high_value_customers: customers of the best tier; high_value_share: their share of the window's money. net_sales: counted lines and those without customer id since the day a month before. identified_share: counted over that. acquisition_cost: the month's costs over new customers. conversion_rate: leads of the month with a customer_id. nps: promoters less detractors; csat: share of 4 and 5.", "by `unit`", "under 10 answers"),
        "change": Column("value over previous less 1; for shares and points the difference.", "by `unit`", "no previous value"),
    },
}  # fmt: skip


def definitions() -> str:
    """The text of docs/definitions.md."""
    lines = [
        "# Definitions",
        "",
        "Made from `lib/tierbook/columns.py`; a test holds the two together. Window means "
        + WINDOW.removeprefix("the window: ")
        + ".",
        "Money is in the report's currency, refunds taken off. Codes are language-neutral; the pages say them in words.",
        "",
        "## The book: tables/customers.parquet",
        *_table(BOOK),
    ]
    for name, columns in TABLES.items():
        lines += ["", f"## {name}", *_table(columns)]
    return "\n".join(lines) + "\n"


def _table(columns: dict[str, Column]) -> list[str]:
    rows = [f"| {name} | {c.definition} | {c.unit} | {c.null or 'never'} |" for name, c in columns.items()]
    return ["", "| column | definition | unit | null |", "|---|---|---|---|", *rows]


if __name__ == "__main__":
    print(definitions(), end="")
