"""The closed loop on the demo shop: lists go out with a control arm, come back as contacts, and are judged."""

import pandas as pd
import pytest

from tierbook import params
from tierbook.insight.holdout import LIST_COLUMNS
from tierbook.params import ROOT, read_yaml
from tierbook.workbook import Workbook, warning


def demo(outputs, as_of="2026-10-31", **changes):
    tree = read_yaml(ROOT / "params" / "demo.yaml") | {"as_of": as_of}
    for table, source in changes.get("source", {}).items():
        tree["source"][table] = source
    tree.pop("campaign", None)
    return Workbook(params.parse(tree | {k: v for k, v in changes.items() if k != "source"}), outputs)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    return tmp_path_factory.mktemp("loop")


@pytest.fixture(scope="module")
def month(outputs):
    return demo(outputs)


def test_a_list_is_the_books_actions_and_their_controls(month):
    listed, book = month.action_list(), month.book().set_index("customer_id")
    assert list(listed.columns) == LIST_COLUMNS and listed["customer_id"].is_unique
    treated = listed[listed["arm"] == "treated"].set_index("customer_id")
    assert treated["action"].to_dict() == book["action"].dropna().to_dict()
    controls = listed.loc[listed["arm"] == "control", "customer_id"]
    assert len(controls) and book.loc[controls, "action"].isna().all()
    people = month.table("customers").set_index("customer_id")["do_not_contact"].fillna(False).astype(bool)
    assert not people.reindex(listed["customer_id"]).any(), "do-not-contact stands on no list"
    alerts = month.call_list()["alerts"]
    assert not listed["customer_id"].isin(alerts.loc[alerts["held_out"], "customer_id"]).any()


def test_birthdays_until_the_next_report_are_greeted(month):
    listed, born = month.planned(), month.birthdays().set_index("customer_id")["birthday"]
    greeted = listed.loc[listed["action"] == "birthday", "customer_id"]
    assert len(greeted) > 50 and set(greeted) <= set(born.index)
    people = month.table("customers").set_index("customer_id")["birthday"]
    assert people[greeted].dt.month.eq(11).all(), "from 1 November to the next report on the 30th"
    calmly = month.book().set_index("customer_id").query("~alert and stage == 'loyal'").index
    assert set(born.index) & set(calmly) & set(listed["customer_id"]) <= set(greeted), (
        "nothing stands before it for them"
    )


def test_each_tier_of_an_action_gives_the_same_share_to_its_control(month):
    listed = month.action_list().assign(control=lambda rows: rows["arm"] == "control")
    for _, rows in listed.groupby("action"):
        share = rows["control"].mean()
        by_tier = rows.groupby("tier")["control"].agg(["sum", "size"])
        assert ((by_tier["sum"] - share * by_tier["size"]).abs() < 1 + 1e-9).all()


def test_a_share_in_params_is_kept(outputs):
    listed = demo(outputs, campaign={"holdout": 0.2}).planned()
    held = listed.groupby("action")["held_out"].agg(["sum", "size"])
    assert ((held["sum"] - 0.2 * held["size"]).abs() <= 0.5).all()


def test_last_months_call_list_is_the_one_that_went_out(month, outputs):
    then = demo(outputs, "2026-09-30").call_list()["alerts"].set_index("customer_id")
    now = warning.listed_last_month(month).set_index("customer_id")
    assert set(now.index) == set(then.index) and len(now) > 50
    assert now["held_out"].to_dict() == then["held_out"].to_dict()
    assert now["channel"].to_dict() == then["channel"].to_dict()
    assert now["tier"].to_dict() == then["tier"].to_dict()


@pytest.mark.long
def test_a_list_with_contacts_filled_in_is_next_months_contacts(outputs, tmp_path):
    """August's and September's lists come back: each is its action's test, and of September's only newcomers count."""
    lists = []
    for as_of in ("2026-08-31", "2026-09-30"):
        listed = demo(outputs, as_of).action_list()
        called = (pd.to_datetime(listed["assigned_at"]) + pd.Timedelta(days=5)).where(listed["arm"] == "treated")
        lists.append(listed.assign(contacted_at=called))
    contacts = pd.concat(lists)[["campaign", "customer_id", "arm", "assigned_at", "contacted_at", "channel"]]
    contacts.to_csv(tmp_path / "contacts.csv", index=False)
    month = demo(outputs, source={"contacts": {"path": str(tmp_path / "contacts.csv")}})
    loop, effects = month.loop(), month.campaigns()["effects"]
    assert set(effects["campaign"]) <= set(contacts["campaign"]) and not month.campaigns()["open"]
    codes = {str(action["code"]) for action in month.catalogue}
    ours = loop["ledger"][loop["ledger"]["campaign"] != "early_warning"]
    assert all(
        row.campaign == f"{row.assigned_on:%Y-%m} {row.action}" and row.action in codes for row in ours.itertuples()
    )
    # whom August's list of the same action had is no part of September's test
    first, second = (contacts[contacts["campaign"] == f"2026-{m} vip_care"] for m in ("08", "09"))
    anew = ~second["customer_id"].isin(first["customer_id"])
    totals = effects[(effects["campaign"] == "2026-09 vip_care") & (effects["tier"] == "all")]
    assert set(totals["n_treated"]) == {int((anew & (second["arm"] == "treated")).sum())}
    assert set(totals["n_control"]) == {int((anew & (second["arm"] == "control")).sum())}
    # what stands beside the effects stands on the same customers
    beside, keys = month.campaign_review(), ["campaign", "arm", "outcome"]
    both = beside["adjusted"].merge(effects[effects["tier"] == "all"], on=keys, suffixes=("", "_told"))
    assert len(both) and both["effect"].tolist() == pytest.approx(both["effect_told"].tolist())
    assert both["n_treated"].tolist() == both["n_treated_told"].tolist()
    paid = (
        beside["returns"]
        .query("tier == 'all'")
        .merge(effects.query("tier == 'all' and outcome == 'profit'"), on=keys[:2])
    )
    assert paid["n_treated_x"].tolist() == paid["n_treated_y"].tolist()
    judged = month.whom_next()["found"].merge(effects[effects["tier"] == "all"], on=keys, suffixes=("", "_told"))
    assert (judged["n_treated"].dropna() <= judged["n_treated_told"][judged["n_treated"].notna()]).all()
    # nothing was sent in the simulation: no action may have earned or lost anything for sure, but for chance in one of 15
    assert loop["earned"]["verdict"].isin(["earned", "lost"]).sum() <= 1


@pytest.mark.long
def test_calls_that_were_made_are_judged(outputs, tmp_path):
    nobody = {"contacts": None}
    listed = demo(outputs, "2026-09-30", alerts={"holdout": 0.4}, source=nobody).call_list()["alerts"]
    called = pd.DataFrame(
        {"campaign": "September calls", "customer_id": listed["customer_id"], "assigned_at": "2026-09-30"}
    )
    called["arm"] = listed["held_out"].map({True: "control", False: "treated"})
    called["contacted_at"] = called["assigned_at"].where(listed["held_out"], "2026-10-03").where(~listed["held_out"])
    called.to_csv(tmp_path / "contacts.csv", index=False)
    tables = {"contacts": {"path": str(tmp_path / "contacts.csv")}}
    month = demo(outputs, alerts={"holdout": 0.4}, source=tables)
    (row,) = month.loop()["called"].itertuples()
    fresh = listed[pd.to_datetime(listed["first_flagged"]) == "2026-09-30"]
    assert (row.n_treated, row.n_control) == ((~fresh["held_out"]).sum(), fresh["held_out"].sum())
    assert row.contacted == row.n_treated and row.control_contacted == 0 and pd.notna(row.effect)
    assert row.verdict not in ("not_carried_out", "no_contacts_table")


def test_without_contacts_the_loop_says_so(outputs):
    tree = read_yaml(ROOT / "params" / "demo.yaml")
    del tree["source"]["contacts"]
    month = Workbook(params.parse(tree), outputs)
    loop = month.loop()
    assert loop["called"]["verdict"].tolist() == ["no_contacts_table"]
    assert set(loop["earned"]["verdict"]) == {"untested"} and loop["ledger"]["total"].isna().all()


def test_planted_faults_are_counted(outputs, tmp_path):
    base = demo(outputs).table("contacts")
    calls = base[base["campaign"].str.contains("winback")].copy()
    calls["cost"] = calls["cost"].astype(float)
    ids = calls.loc[calls["arm"] == "treated", "customer_id"].tolist()
    other_arm = calls[calls["customer_id"].isin(ids[:2])].assign(arm="control", assigned_at=pd.Timestamp("2026-09-11"))
    stranger = calls[calls["customer_id"] == ids[2]].assign(customer_id="X1")
    calls.loc[calls["customer_id"].isin(ids[3:6]), "cost"] = -1
    control = calls.loc[calls["arm"] == "control", "customer_id"].head(4)
    calls.loc[calls["customer_id"].isin(control), "contacted_at"] = pd.Timestamp("2026-09-12")
    late = calls.tail(1).assign(campaign="later", assigned_at=pd.Timestamp("2026-11-02"))
    alone = calls.head(1).assign(campaign="lonely", arm="somebody")
    pd.concat([calls, other_arm, stranger, late, alone]).to_csv(tmp_path / "contacts.csv", index=False)
    month = demo(outputs, source={"contacts": {"path": str(tmp_path / "contacts.csv")}})
    found = month.campaign_review()["faults"].set_index(["campaign", "fault"])["customers"]
    winback = found["2026-09 winback calls"]
    wanted = {"two_arms": 2, "unknown_customer": 1, "negative_cost": 3, "control_contacted": 4}
    assert {fault: winback[fault] for fault in wanted} == wanted
    assert found["lonely", "no_such_control"] == 1
    rows = month.accounting().query("table == 'contacts'").set_index("reason")["rows"]
    assert rows["after_as_of"] == 1 and rows.sum() == len(calls) + 2 + 1 + 1 + 1


@pytest.mark.long
def test_a_trial_may_stand_beside_orders_without_contacts(outputs, tmp_path):
    people = demo(outputs).table("customers")["customer_id"].head(400)
    trial = pd.DataFrame({"customer_id": people, "arm": ["mail", "no"] * 200, "spend": [3.0, 1.0, 0.0, 0.0] * 100})
    for arms, verdict in (
        (trial, {"not_enough_data", "no_difference", "works_and_pays", "works_not_pays"}),
        (trial.assign(arm="mail"), {"no_control"}),
    ):
        arms.to_csv(tmp_path / "trial.csv", index=False)
        tables = {"contacts": None, "trial": {"path": str(tmp_path / "trial.csv")}}
        month = demo(outputs, source=tables, campaign={"control": "no", "outcomes": ["spend", "profit"]}, margin=0.4)
        assert set(month.campaigns()["effects"]["verdict"]) <= verdict
        assert month.campaign_review() and month.whom_next()
        assert month.loop()["called"]["verdict"].tolist() == ["no_contacts_table"]
        assert set(month.loop()["earned"]["verdict"]) == {"untested"}
