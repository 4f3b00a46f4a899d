"""Faults of the contacts table: counted and told beside a campaign's result, so that a reader knows what it stands on."""

from __future__ import annotations

import pandas as pd

from tierbook.insight.assignment import as_days, copies

FAULTS = ("no_such_control", "arm_of_one", "two_arms", "assigned_twice", "unknown_customer", "control_contacted")
FAULTS += ("never_contacted", "contacted_before_assignment", "contacted_after_purchase", "overlapping")
FAULTS += ("negative_cost", "no_buyers")
COLUMNS = ["campaign", "fault", "customers", "example"]


def faults(contacts, assigned, known_customers, control, window_days) -> pd.DataFrame:
    """campaign, fault, customers (how many it concerns) and example (the first id by sorting); none without a fault.

    ==============================  ================================================================================
    no_such_control                 no arm has the control's name; example: the arms there are
    arm_of_one                      an arm with a single customer
    two_arms                        stands in two arms of the campaign; the first assignment counts
    assigned_twice                  in one arm, but assigned on several days, or the same contact stands twice; the
                                    first assignment counts, and each contact once if its row is an exact copy
    unknown_customer                no order and no row in the customers table; stays in, as one who bought nothing
    control_contacted               a control was contacted; stays a control
    never_contacted                 treated, but no contact is on record; stays treated
    contacted_before_assignment     first contact on a day before the day of assignment
    contacted_after_purchase        first contact on a day after the first purchase in the window
    overlapping                     assigned to another campaign less than ``window_days`` away: both windows see it
    negative_cost                   a contact with a cost below 0, taken as unknown
    no_buyers                       nobody of the campaign bought in its window (so far)
    ==============================  ================================================================================

    Parameters
    ----------
    contacts : the contacts table
    assigned : `assignment.outcomes` of the same, first_purchase included
    known_customers : ids with an order or a row in the customers table; null: not known, and no such fault
    control, window_days : ``params.campaign``
    """
    found = {
        **_of_rows(contacts),
        **_of_people(assigned, known_customers, control, window_days),
        **_of_contact(contacts, assigned),
        **_of_arms(assigned, control),
    }
    tables = [_counted(rows).assign(fault=fault) for fault, rows in found.items() if len(rows)]
    if not tables:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.concat(tables, ignore_index=True).assign(order=lambda t: t["fault"].map(FAULTS.index))
    table = table.sort_values(["campaign", "order"], kind="stable", ignore_index=True)
    missing = table["fault"] == "no_such_control"
    return table.assign(example=table["example"].mask(missing, table["campaign"].map(_arms(assigned))))[COLUMNS]


def _counted(rows):
    ids = rows.assign(customer_id=rows["customer_id"].astype(str)).groupby("campaign")["customer_id"]
    return ids.agg(customers="nunique", example="min").reset_index()


def _arms(assigned):
    distinct = assigned[["campaign", "arm"]].astype(str).drop_duplicates().sort_values(["campaign", "arm"])
    return distinct.groupby("campaign")["arm"].agg(", ".join)


def _of_rows(contacts):
    keys = ["campaign", "customer_id"]
    rows = contacts[[*keys, "arm"]].assign(
        day=as_days(contacts["assigned_at"]), contacted=as_days(contacts["contacted_at"])
    )
    several = rows.assign(copied=copies(contacts))[rows.duplicated(keys, keep=False)]
    in_two = several.groupby(keys)["arm"].transform("nunique") > 1
    other_day = several.groupby(keys)["day"].transform("nunique") > 1
    return {
        "two_arms": several[in_two],
        # several contacts of one assignment are no fault; the very same contact again is
        "assigned_twice": several[~in_two & (other_day | several["copied"])],
        "negative_cost": contacts[contacts["cost"].astype(float) < 0],
    }


def _of_people(assigned, known_customers, control, window_days):
    is_control, contacted = assigned["arm"].astype(str) == str(control), assigned["contacted"].astype(bool)
    unknown = pd.Series(False, assigned.index)
    if known_customers is not None:
        # an index looks text up fifty times faster than isin does
        known = pd.Index(known_customers, dtype=assigned["customer_id"].dtype).unique()
        unknown[known.get_indexer(assigned["customer_id"]) < 0] = True
    repeated = assigned.loc[assigned["customer_id"].duplicated(keep=False), ["campaign", "customer_id", "assigned_day"]]
    ordered = repeated.sort_values(["customer_id", "assigned_day", "campaign"], kind="stable")
    since = ordered.groupby("customer_id")["assigned_day"].diff()
    until = since.shift(-1).where(ordered["customer_id"] == ordered["customer_id"].shift(-1))
    return {
        "control_contacted": assigned[is_control & contacted],
        "never_contacted": assigned[~is_control & ~contacted],
        "unknown_customer": assigned[unknown],
        "overlapping": ordered[(since < window_days) | (until < window_days)],
    }


def _of_contact(contacts, assigned):
    keys = ["campaign", "customer_id"]
    reached = contacts[keys].assign(contact_day=as_days(contacts["contacted_at"])).dropna(subset="contact_day")
    first = reached.groupby(keys)["contact_day"].min().reset_index()
    both = assigned[[*keys, "assigned_day", "first_purchase"]].merge(first, on=keys)
    return {
        "contacted_before_assignment": both[both["contact_day"] < both["assigned_day"]],
        "contacted_after_purchase": both[both["contact_day"] > both["first_purchase"]],
    }


def _of_arms(assigned, control):
    campaign = assigned["campaign"]
    has_control = (assigned["arm"].astype(str) == str(control)).groupby(campaign).transform("any").astype(bool)
    of_arm = assigned.groupby(["campaign", "arm"])["customer_id"].transform("size")
    bought = assigned["first_purchase"].notna().groupby(campaign).transform("any").astype(bool)
    return {
        "no_such_control": assigned[~has_control],
        "arm_of_one": assigned[of_arm == 1],
        "no_buyers": assigned[~bought],
    }
