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
        "reason": Column("`kept`, or the first reason for setting the row aside that applies: blank_row, repeated_header, total_row (a line that reads 合计 or Total, without a date or a customer), note_row (a note below the table), overlap, repeated_line, bad_date, bad_amount, after_as_of, other_currency, status, no_customer, damaged_id (also one that was cut), masked_id, excluded, not_a_sale, duplicate, lost_zeros (123 where 0123 stands in the same column); `no_<column>` where an optional table's row lacks a required value. The rows sum to what was read.", "code"),
        "amount": Column("Sum of the rows' amounts less refund_amount, in the report's currency.", "currency", "the table has no amounts"),
    },
    "excluded.csv": {
        "column": Column("Column of the orders that `source.transactions.exclude` names.", "code"),
        "value": Column("The excluded value; 0 rows where no order has it.", "text"),
        "rows": Column("Order lines with the value, under the first of the exclusions that applies. They sum to the reason `excluded`.", "lines"),
        "amount": Column("Their amounts less refund_amount.", "currency"),
        "customers": Column("Customers among them.", "customers"),
    },
    "tiers.csv · segments.csv · stages.csv · clusters.csv": {
        "name": Column("The tier, segment, stage or cluster.", "code"),
        "customers": Column("Customers of the name.", "customers"),
        "share": Column("Customers of the name over all customers so named; `outside` is no part of the base.", "share", "`outside`"),
        "revenue": Column("Sum of monetary.", "currency"),
        "revenue_share": Column("revenue over the revenue of all names.", "share", "no revenue"),
        "mean_recency_days": Column("Mean of recency_days.", "days", "nobody of the name"),
        "mean_frequency": Column("Mean of frequency.", "orders or days", OUTSIDE),
        "mean_monetary": Column("Mean of monetary.", "currency", OUTSIDE),
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
        "alt_spend": Column("Net money needed in the orders of the other way.", "currency", "there is one way only"),
        "deadline": Column("Date of the next report: until then an order counts.", "date"),
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
        "days_silent": Column("as_of less the day of the last purchase.", "days"),
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
    "affinity.csv": {
        "have": Column("A category, or a product (`level`), that customers bought up to as_of and did not wholly give back.", "text"),
        "next": Column("A category (a product where the orders have no categories). A product stands as `have` only where its buyers go on more often than its whole category's. Pairs of at least 10 customers, the recommended first, at most 10,000.", "text"),
        "customers_have": Column("Customers who bought `have`.", "customers"),
        "customers_both": Column("Of these, who bought `next` too, before, with it or after; customers_after and customers_before: whose first `next` came on a later or an earlier day than their first `have`.", "customers"),
        "confidence": Column("customers_both over customers_have.", "share"),
        "lift": Column("confidence over the share of all customers with `next`. Above 1 for almost any pair, for who buys much has much of everything.", "ratio"),
        "expected": Column("Customers who would have both if each customer's lines were drawn at random: Σ over customers of 1 − (1−p)ⁿ − (1−q)ⁿ + (1−p−q)ⁿ, n the customer's lines, p and q such that as many have either item as do; at least customers_have × share of all customers with `next`.", "customers"),
        "lift_like": Column("(a + customers_both) / (a + expected): what is left of the lift beyond how much customers buy, drawn towards 1 by a gamma prior of strength a, fitted by maximum likelihood (after DuMouchel 1999).", "ratio"),
        "lift_low": Column("Low end of its 95 % interval, the 2.5 % quantile of the gamma posterior; at most `lift`.", "ratio"),
        "recommended": Column("lift_low above 1, and `next` not clearly the one that is bought first (of those who bought both on different days, the 95 % Wilson interval of customers_after below a half).", "true or false"),
    },
    "next_best.csv": {
        "next": Column("For a customer with an order in the window, the recommended pair with the highest lift_low (of the five surest of each `have`) whose `have` it bought and whose `next` it did not; the other columns as in affinity.csv.", "text"),
        "segment_share": Column("Share of the window's customers of the same segment who bought `next`.", "share", "under 10 customers in the segment"),
    },
    "price_bands.csv": {
        "basis": Column("`windows`: from the window before to the window, customers who bought the item in both. `next_purchase`: from the first day with a purchase of the item to the second.", "code"),
        "item": Column("Category (`all`: every customer once for each category). Each category's unit prices (net over quantity) are cut in three bands of as many lines, equal prices together; none under 30 lines or where prices are too alike.", "text"),
        "from_band": Column("`entry`, `middle` or `top`: the band of the median price the customer paid; to_band likewise.", "code"),
        "share": Column("customers over base, those of the same from_band; low and high its 95 % Wilson interval.", "share", "base under 10"),
    },
    "preferences.csv": {
        "share": Column("Customers of the tier who bought the item in the window over base, all customers of the tier; low and high its 95 % Wilson interval.", "share", "base under 10"),
        "index": Column("share over that of all customers.", "ratio", "as share"),
        "expected": Column("The share that customers who buy as many lines would have, were each line drawn as over all tiers; scaled so that the tier's items sum to what they are.", "share", "as share"),
        "differs": Column("`above` or `below` where the interval leaves expected out, else `usual`.", "code", "all tiers together, or base under 10"),
        "spend_share": Column("The item's net money over the tier's; spend_index: over that of all customers.", "share", "under 10 buyers in the tier, or no money"),
    },
    "action_list.csv": {
        "campaign": Column("`<YYYY-MM> <action>`: with contacted_at filled in, the file is next month's contacts table.", "text"),
        "arm": Column("`treated`: to be contacted. The control's name: held out, drawn by the hash of salt, action and id, the same share of every tier.", "code"),
        "channel": Column("Through which the action reaches the customer, by the action list.", "text", "the list gives none"),
        "due": Column("Day by which the action is to be done: as_of and the action's `days`.", "date"),
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
    "reconciliation.csv": {
        "name": Column("Our tier or segment (`scheme`) of the customers to whom the CRM gives the label crm_segment; `outside`: no order in the window, `no_order`: none at all. Empty table where no customer has a label.", "code"),
        "share": Column("Customers over all customers of the label (label_customers).", "share", "under 10 customers of the label"),
        "share_of_all": Column("All labelled customers in the name over all labelled customers: what a label without meaning would give too.", "share", "under 10 labelled customers"),
        "agrees": Column("Whether the label is the segment's own name (in English or Chinese, or as CRMs usually write it).", "true or false", "tiers, a label that is none of our segments, or no segment to compare"),
    },
    "voice.csv": {
        "tier": Column("Tier as of as_of; `all` counts everybody, people without an order too.", "code"),
        "measure": Column("Of the window's answers (each counts): csat, share of 4 and 5 of 5; csat_mean; nps, share of 9–10 less share of 0–6. response_rate: answered over sent in the window. Of the tickets opened in it: first_response_hours and resolution_hours, medians in which a ticket not done by as_of stands last; resolution_rate, solved by as_of; first_response_on_time and resolved_on_time, done within `targets.first_response_hours` / `targets.resolution_hours`, only where these are given (a ticket whose time is not over is left out); tickets_per_customer, over all customers of the tier.", "code"),
        "n": Column("Answers, surveys sent, tickets or customers the value stands on.", "as measure"),
        "value": Column("The value.", "share, points, hours, score or number, by measure", "n under 10, or of a median half are not done yet"),
        "low": Column("Lower bound of the 95 % interval: Wilson (shares), normal (means, nps), order statistics (medians); high its upper bound.", "as value", "as value, or not known yet"),
        "target": Column("`targets` of the params, by measure.", "as value", "none given"),
        "verdict": Column("`met` where the whole interval reaches the target (less is better for hours, tickets, silence, opt-outs and browsing), `missed` where none of it does, else `uncertain`; `no_target`, `too_few`.", "code"),
    },
    "voice_faults.csv": {
        "fault": Column("Why rows of surveys, tickets or customers were not used; `without_order`: people without an order, whom `all` alone counts.", "code"),
    },
    "behaviour.csv": {
        "measure": Column("contact_gap_days: median days since the last contact, of those ever contacted; no_contact_180d: share without one in 180 days, both of customers who may be contacted. open_rate, click_rate, opt_out_rate: over the window's contacts that say so. referred_share: brought by another customer; referrer_share: brought one. birthdays: customers of birthdays.csv, over those with a birthday on record. browsed_30d, browsed_90d: of customers who visited in these days, those without an order on or after the first of these days. order_share: the channel's share of the window's orders.", "code"),
        "channel": Column("Channel of the contacts or orders; `all` elsewhere, `unknown` where none is named.", "code"),
        "value": Column("The value; low, high, target and verdict as in voice.csv.", "share, days or customers, by measure", "n under 10"),
    },
    "birthdays.csv": {
        "birthday": Column("The day to greet on, after as_of up to the same day of the next month. 29 February is kept on the 28th in a common year. Without do_not_contact and impossible dates (before 1905, after as_of).", "date"),
    },
    "churn_reasons.csv": {
        "n_leaving": Column("Customers at risk or lost who gave any reason code in the window, by table; n_rest: all other customers who did.", "customers"),
        "leaving_share": Column("leaving over n_leaving, with its 95 % Wilson interval; rest_share likewise of the rest.", "share", "n under 10"),
        "difference": Column("leaving_share less rest_share; low, high its 95 % Newcombe interval.", "share", "either n under 10"),
        "p_holm": Column("p of the two-proportion z test, by Holm over the reasons of the table.", "probability", "as difference"),
        "verdict": Column("`more_often`, `less_often` (p_holm below 0.05), `no_difference`, `too_few`. What was named is not why anybody left.", "code"),
    },
    "touchpoints.csv": {
        "from": Column("A customer's day with a contact, a visit, an order or a ticket, in the window up to 30 days before as_of.", "code"),
        "to": Column("The customer's next such day of any kind within 30 days (on one day in the order contact, visit, order, ticket), else `nothing`.", "code"),
        "share": Column("occasions over all occasions of `from`; customers counts each customer once.", "share", "under 10 occasions of `from`"),
    },
    "gates.csv · impossible.csv": {
        "value": Column("What a quality gate measures: customers; days of history, both ends counted; days from the last order to as_of; net sales without a customer over all; rows with an unreadable date or amount, with a damaged or masked id, copies, or in a currency without a rate, each over the rows that are order lines; counted lines with an impossible value over all; orders of the last whole month over the median of up to twelve months before (3 at least); the largest change of a column's share of empty cells, last whole month against the months before (100 lines each); |net sales of the month / finance's figure − 1|; what the files' total rows say less what their lines add up to.", "by gate"),
        "limit": Column("The limit in `params.gate`; a value at it passes. A gate that cannot be judged has no row.", "by gate"),
        "result": Column("`pass`; missed: `refuse` where `gate.refuse` names it (the run ends, exit 3), else `degrade` for customers, history and last order (the report says less), `warn` for the others. Any row in a currency without a rate warns.", "code"),
        "about": Column("The commonest reason or fault, the column, the currency or the month that the value is about.", "code", "nothing to name"),
        "fault": Column("impossible: `too_early` (before 1990), `cost_below_zero` (no refund), `no_quantity` (money for a quantity of zero or less), `price_far_off` (price per piece over 1000 times the median of its product, of ten lines or more); a line has the first that applies.", "code"),
    },
    "outliers.csv · largest.csv": {
        "bound": Column("exp(Q3 + 3 · (Q3 − Q1)) of log net money, of orders (of: order) or customers with money in the window; n of them.", "currency", "under ten, or half of them alike"),
        "held_share": Column("Money of the amounts beyond the bound over the money of all; beyond counts them, held is their money.", "share", "no bound"),
        "times_median": Column("largest: the amount over the median amount; the ten largest of each.", "times"),
    },
    "scorecard.csv": {
        "measure": Column("new_customers: first purchases in the month (the days since the day a month before as_of); acquisition_cost: the costs of the calendar month over them; first_order_value: net money of their days of first purchase, per newcomer; second_order_rate: of the first purchases of the month that ended 90 days ago, those with a second purchase day within 90 days. leads: made in the month; converted_leads: leads whose first purchase came in the month, days_to_convert the median days between; conversion_rate: of the leads made in the month that ended 90 days ago, those who bought within 90 days.", "code"),
        "value": Column("high_value_customers: customers of the best tier; high_value_fallen: in it a month ago, in another place now. retention_rate: of the customers with a purchase in the twelve months that ended a year before as_of, those with one in the twelve since; churn_rate: the others. left_window: in a tier a month ago, without an order in the window now. customers_at_risk: flagged by the early warning, value_at_stake their sum. flagged_bought: of those flagged a month ago, by the rule of then, who has bought since; listed_bought and held_out_bought: of the newly flagged on the call list of then, and of their hold-out.", "by `unit`", "under 10 customers, answers or leads (shares)"),
        "n": Column("What a share or mean stands on. upgrades and downgrades: customers in a better, or a lower, tier than a month ago; their rates over those in a tier then. buyers: customers with a purchase in the month; revenue_per_buyer: their net money each; average_order_value: the month's net money over its orders. Over the customers of the window: revenue_per_customer, orders_per_customer, margin_per_customer. cross_sell_rate: customers with two or more categories of net money above zero in the window, over those with any; categories_per_customer: their mean number.", "customers, orders, answers or leads", "a sum or count"),
        "low": Column("csat: share of 4 and 5; nps: promoters less detractors; repeat_rate: customers with 2+ purchase days in the window over customers with any. Lower bound of the 95 % interval: Wilson's of a share, the normal one of nps; high its upper bound.", "as value", "not a share of customers, answers or leads"),
        "change": Column("value over previous less 1; for shares and points the difference. net_sales: counted lines and those without customer id in the month; identified_share: counted over that; gross_margin: net money of identified customers in the month times `margin`, or less the cost of goods. high_value_share and high_value_margin_share: the best tier's part of the window's net money, and of its margin.", "by `unit`", "no previous value"),
    },
    "revenue_bridge.csv": {
        "step": Column("`new`: first purchase in the twelve months to as_of. `won_back`: bought before these, not in the twelve before, and in the twelve since; `lost`: in the twelve before, not since; `kept_more`, `kept_less`, `kept_same`: in both, by the period's money in both years; `earlier`: in neither (refunds). `no_customer`: buyers without an id. `year_ago` and `now` are the wholes.", "code"),
        "customers": Column("Those with money in the period or in the same period a year before.", "customers", "`no_customer`, and the wholes"),
        "amount": Column("since less before, their net money of the period now and a year before; the steps sum to now less year_ago.", "currency"),
        "after": Column("year_ago with the amounts up to this step.", "currency"),
    },
    "channels.csv": {
        "newcomers": Column("First purchases in the twelve calendar months to as_of (`cohorts`).", "customers"),
        "cost": Column("Costs of these months. A channel without newcomers stands here too; `unknown` holds costs without a channel.", "currency", "no costs"),
        "cost_per_newcomer": Column("cost over newcomers.", "currency", "under 10 newcomers, or no costs"),
        "leads": Column("Leads made in these months; converted: those of them who have bought since; conversion_rate with its 95 % Wilson interval (young leads had little time).", "leads", "no leads table"),
        "revenue_90": Column("Net sales per newcomer in the first 91 days (revenue_365: 365 days), over all cohorts that have them behind them.", "currency", "under 10 customers, or too young"),
        "payback_months": Column("Months since the first purchase after which what a newcomer has brought covers the cost of winning him, and stays above it.", "months", "`payback` says why"),
        "basis": Column("`margin`, or `net_sales` where no margin is known: then payback is later than it looks.", "code", "no costs"),
    },
    "budget.csv": {
        "tier": Column("The customer's tier when each of the last twelve months began; `outside` without one; `new`: first purchase in that month, or none yet.", "code"),
        "customers": Column("Mean number at the months' beginnings; of `new` the mean newcomers of a month.", "customers"),
        "cost": Column("Costs of contacts made in the months; `campaign.contact_cost` where a contact has none.", "currency"),
        "profit": Column("Their net money of the months: times `margin`, or less the cost of goods (basis `margin`), else as it is (`net_sales`).", "currency"),
        "profit_share": Column("Of all but `new`; the other shares likewise.", "share", "`new`, under 10 customers, or no whole above zero"),
        "budget_index": Column("cost_share over profit_share (contact_share where nothing was spent).", "ratio", "as its shares"),
        "verdict": Column("`over` from 2 upward, `under` up to 0.5, else `level`.", "code", "as budget_index"),
    },
    "short_and_long.csv": {
        "recent": Column("Money of the last 90 days, in margin where a margin rate is known, of customers with a clv.", "currency"),
        "expected": Column("Sum of clv.", "currency"),
        "idle": Column("Customers who brought nothing in the last 90 days; idle_expected the clv they hold, idle_share its share of the row's.", "customers"),
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
