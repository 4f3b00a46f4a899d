"""The demo shop: what is written can be read back, and the planted truth is found in the written tables."""

import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook import demo
from tierbook.demo import season
from tierbook.errors import PublishError

COLUMNS = {  # DESIGN §5: required | optional
    "transactions": "customer_id ordered_at amount | order_id line_id status refund_amount quantity product category"
    " cost channel store region currency",
    "customers": "customer_id | joined_at region industry company_size channel owner store referred_by do_not_contact"
    " birthday gender record_id crm_segment",
    "leads": "lead_id created_at | channel customer_id",
    "contacts": "campaign customer_id arm assigned_at | contacted_at channel cost opened clicked opted_out",
    "surveys": "customer_id answered_at | sent_at csat nps reason comment",
    "tickets": "customer_id opened_at | first_response_at resolved_at topic reason priority",
    "visits": "customer_id visited_at | sessions page_views source",
    "costs": "month amount | channel",
}
COUPON, NEWSLETTER, CALLS = "2026-04 new arrivals coupon", "2026-06 newsletter", "2026-09 winback calls"
HELD_OUT = {COUPON: 0.30, NEWSLETTER: 0.25, CALLS: 0.30}


@pytest.fixture(scope="module")
def shop():
    return demo.simulate()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return demo.write(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def csv(files):
    """The tables as a reader who knows only the CSV files sees them."""
    dates = {"transactions": ["ordered_at"], "contacts": ["assigned_at", "contacted_at"], "leads": ["created_at"]}
    dates |= {"customers": ["joined_at"], "surveys": ["sent_at", "answered_at"], "visits": ["visited_at"]}
    dates |= {"tickets": ["opened_at", "first_response_at", "resolved_at"]}
    return {name: pd.read_csv(path, parse_dates=dates.get(name, [])) for name, path in files.items()}


@pytest.fixture(scope="module")
def counted(csv):
    """Lines that count: each line once, of a known customer, paid or refunded."""
    lines = csv["transactions"].drop_duplicates("line_id")
    known = lines["customer_id"].notna() & (lines["customer_id"] != "WALK-IN")
    return lines[known & (lines["status"] != "closed")]


@pytest.fixture(scope="module")
def orders_of(counted):
    """Paid orders of each customer over the whole time."""
    return counted[counted["status"] == "paid"].groupby("customer_id")["order_id"].nunique()


def in_window(counted, assigned, first_day, days):
    """Orders and net spend of the assigned customers in ``days`` days from ``first_day``."""
    start = pd.Timestamp(first_day)
    window = counted[(counted["ordered_at"] >= start) & (counted["ordered_at"] < start + pd.Timedelta(days=days))]
    paid = window[window["status"] == "paid"].groupby("customer_id")["order_id"].nunique().rename("orders")
    spend = window.groupby("customer_id")["amount"].sum().rename("net")
    return assigned.set_index("customer_id").join(paid).join(spend).fillna({"orders": 0, "net": 0.0})


def difference(rows, treated, outcome):
    """Mean of treated less mean of control, and its standard error."""
    a, b = rows.loc[treated, outcome], rows.loc[~treated, outcome]
    return a.mean() - b.mean(), np.sqrt(a.var() / len(a) + b.var() / len(b))


# what is written


def test_same_seed_same_bytes_in_another_process(files, tmp_path):
    command = f"from tierbook import demo; demo.write({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", command], check=True, env=os.environ | {"PYTHONHASHSEED": "12"})
    for name, path in files.items():
        assert (tmp_path / f"{name}.csv").read_bytes() == path.read_bytes(), name


def test_another_seed_differs_in_every_table(shop):
    other = demo.simulate(seed=8)
    assert [name for name in demo.TABLES if shop.tables[name].equals(other.tables[name])] == []


def test_it_takes_little_time():
    start = time.process_time()
    demo.simulate(seed=3)
    assert time.process_time() - start < 1.5


def test_the_tables_have_the_canonical_columns(csv):
    assert tuple(csv) == demo.TABLES
    for name, columns in COLUMNS.items():
        required, optional = (part.split() for part in columns.split("|"))
        assert set(required) <= set(csv[name].columns), name
        assert set(csv[name].columns) <= set(required + optional), name


def test_the_files_are_plain_utf8_with_iso_dates(files):
    for path in files.values():
        content = path.read_bytes()
        assert not content.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in content
        content.decode("utf-8")
    header, first, *_ = files["transactions"].read_text().split("\n")
    when = first.split(",")[header.split(",").index("ordered_at")]
    assert when == pd.Timestamp(when).strftime("%Y-%m-%d %H:%M:%S")
    assert set(pd.read_csv(files["customers"], dtype=str)["do_not_contact"]) == {"true", "false"}
    assert pd.read_csv(files["customers"], dtype=str)["joined_at"].str.fullmatch(r"\d{4}-\d\d-\d\d").all()
    assert pd.read_csv(files["transactions"], dtype=str)["amount"].str.fullmatch(r"-?\d+\.\d\d").all()


@pytest.mark.parametrize("name", demo.TABLES)
def test_round_trip(shop, csv, name):
    table, back = shop.tables[name], csv[name]
    assert len(back) == len(table)
    for column in table:
        expected, got = table[column], back[column]
        if expected.dtype.kind == "M":
            got = pd.to_datetime(got)
        assert (got.isna() == expected.isna()).all(), column
        assert (got.dropna().to_numpy() == expected.dropna().to_numpy()).all(), column


def test_a_folder_that_cannot_be_made_is_said_in_one_line(tmp_path):
    taken = tmp_path / "demo"
    taken.write_text("a file")
    with pytest.raises(PublishError, match=r"demo: the demo tables cannot be written \(File exists\)"):
        demo.write(taken)


# the shop


def test_the_period(csv, counted):
    when = csv["transactions"]["ordered_at"]
    assert str(when.min().date()) == "2024-05-01"
    assert str(when.max()) == "2026-10-31 23:59:00"
    late = counted[counted["ordered_at"] >= "2026-10-31 21:00"]
    assert late["order_id"].nunique() >= 4
    assert (counted.loc[counted["ordered_at"] == when.max(), "status"] == "paid").any()


def test_the_size(csv, counted):
    assert 4_800 <= counted["customer_id"].nunique() <= 5_300
    assert 40_000 <= len(csv["transactions"]) <= 60_000
    month = csv["transactions"]["ordered_at"].dt.to_period("M")
    assert len(month.unique()) == 30
    assert csv["transactions"].groupby(month)["order_id"].nunique().min() > 600
    new = counted.groupby("customer_id")["ordered_at"].min().dt.to_period("M").value_counts()
    assert new.reindex(month.unique(), fill_value=0).min() >= 50


def test_one_time_buyers_and_concentration(counted, orders_of):
    assert 0.40 <= (orders_of == 1).mean() <= 0.50
    year = counted[(counted["ordered_at"] >= "2025-11-01") & (counted["status"] == "paid")]
    assert (year.groupby("customer_id")["order_id"].nunique() == 1).mean() > 0.40
    spend = counted.groupby("customer_id")["amount"].sum().sort_values(ascending=False)
    assert 0.60 <= spend.head(len(spend) // 5).sum() / spend.sum() <= 0.71


def test_seasons(csv):
    paid = csv["transactions"].query("status == 'paid'")
    by_day = paid.groupby(paid["ordered_at"].dt.strftime("%Y-%m-%d"))["order_id"].nunique()
    usual = by_day.median()
    assert by_day["2025-11-11"] > 3 * usual
    assert by_day["2025-06-18"] > 3 * usual
    assert by_day["2026-02-16":"2026-02-22"].mean() < 0.8 * usual  # the week of the lunar new year, 2026-02-17
    weekend = pd.to_datetime(by_day.index).day_of_week >= 5
    assert by_day[weekend].median() > 1.2 * by_day[~weekend].median()


@settings(deadline=None)
@given(st.integers(0, season.DAYS - 1), st.floats(0.01, 0.99))
def test_busy_time_and_calendar_are_inverse(day, part):
    weights = season.day_weights()
    assert season.calendar_day(season.busy_time(np.array([day + part]), weights), weights)[0] == day


@pytest.mark.parametrize(
    ("date", "discount"),
    [("2025-10-31", 0.0), ("2025-11-01", 0.12), ("2025-11-12", 0.12), ("2025-11-13", 0.0)],
)
def test_discount_at_the_edges_of_a_promotion(date, discount):
    assert season.discounts()[season.day_number(date)] == discount


# truth about customers


def test_lives_and_personas_are_kept(shop, counted, orders_of):
    truth = shop.truth["customers"].set_index("customer_id")
    assert set(truth.index) == set(orders_of.index)
    paid = counted[counted["status"] == "paid"].groupby("customer_id")["ordered_at"].agg(["min", "max"]).join(truth)
    assert (paid["min"].dt.normalize() == paid["first_order"]).all()
    assert (paid["max"] < paid["churned_on"].fillna(pd.Timestamp("2026-11-01"))).all()
    assert (orders_of[truth.index[truth["persona"] == "one_time"]] == 1).all()
    assert set(truth["persona"]) == {"one_time", "steady", "bursty", "seasonal", "growing", "fading", "habit_change"}


def test_changed_habits_show(shop, counted):
    truth = shop.truth["customers"].query("persona == 'habit_change' and habit_changed_on.notna()")
    rows = counted[counted["status"] == "paid"].drop_duplicates("order_id").merge(truth, on="customer_id")
    away = (rows["ordered_at"] - rows["habit_changed_on"]).dt.days
    for slower, group in rows.assign(after=away >= 0)[away.between(-90, 89)].groupby(rows["habit_factor"] < 1):
        after, before = group["after"].sum(), (~group["after"]).sum()
        assert after < 0.6 * before if slower else after > 1.2 * before


def test_seasonal_customers_buy_at_festivals_only(shop, counted):
    seasonal = shop.truth["customers"].query("persona == 'seasonal'")["customer_id"]
    added = shop.truth["assignments"].query("treated and campaign == @COUPON")["customer_id"]
    own = counted[counted["customer_id"].isin(set(seasonal) - set(added)) & (counted["status"] == "paid")]
    day, category = own["ordered_at"].dt.strftime("%m-%d"), own["category"]
    festive = day.between("06-01", "06-20") | day.between("11-01", "11-12")
    brought = category.isin(["Speakers", "TV stands", "Vacuum options"])  # planted follow-ups come later
    assert (festive | brought).all()


def test_registered_before_the_first_order(csv, counted):
    first = counted.groupby("customer_id")["ordered_at"].min()
    customers = csv["customers"].set_index("customer_id")
    assert set(customers.index) == set(first.index)
    assert (customers["joined_at"] <= first.dt.normalize()).all()
    referred = customers.dropna(subset="referred_by")
    assert len(referred) > 300
    assert (customers["joined_at"].reindex(referred["referred_by"]).to_numpy() <= referred["joined_at"]).all()
    business = customers["industry"].notna()
    assert 0.06 <= business.mean() <= 0.10
    assert (customers["company_size"].notna() == business).all()
    assert customers.loc[business, ["birthday", "gender"]].isna().all(axis=None)


def test_the_crm_knows_nearly_everybody_and_labels_them_its_own_way(csv, counted):
    customers = csv["customers"]
    entered = customers["record_id"].dropna()
    assert 0.96 <= len(entered) / len(customers) <= 0.98
    assert entered.is_unique and entered.str.fullmatch(r"zcrm_\d{12}").all()
    labelled = customers.dropna(subset="crm_segment")
    assert labelled["record_id"].notna().all() and labelled["crm_segment"].value_counts().min() >= 50
    # who has not bought in the fifteen months up to the last day is lost by a fresh label and by one a quarter old
    last = counted.query("status == 'paid'").groupby("customer_id")["ordered_at"].max()
    gone = labelled["customer_id"].map(last) < pd.Timestamp("2025-07-01")
    assert gone.sum() > 500 and set(labelled.loc[gone, "crm_segment"]) == {"Lost"}


# dirt


def test_planted_dirt_is_all_there_is(shop, csv):
    lines, dirt = csv["transactions"], shop.truth["dirt"]
    repeated, missing = lines["line_id"].duplicated(), lines["customer_id"].isna()
    till = lines["customer_id"] == "WALK-IN"
    known = ~missing & ~till
    found = {
        "repeated_line_id": repeated,
        "missing_customer_id": missing,
        "walk_in_id": till,
        "closed": known & (lines["status"] == "closed"),
        "refunded": known & (lines["status"] == "refunded"),
        "gift": known & (lines["amount"] == 0),
    }
    assert sorted(found) == sorted(dirt.index)
    assert sum(found.values()).max() == 1  # no row is of two kinds
    for reason, rows in found.items():
        assert rows.sum() == dirt.loc[reason, "rows"] > 0, reason
        assert lines.loc[rows, "amount"].sum() == pytest.approx(dirt.loc[reason, "amount"], abs=0.005), reason
    assert (lines.drop_duplicates().groupby("line_id").size() == 1).all()  # repeated in every column


def test_shares_of_dirt(csv):
    lines = csv["transactions"]
    store = lines[lines["channel"] == "store"]
    assert 0.13 <= store["customer_id"].isna().mean() <= 0.17
    assert lines.loc[lines["channel"] != "store", "customer_id"].notna().all()
    assert 0.015 <= (lines["status"] == "closed").mean() <= 0.025
    assert 0.002 <= lines["line_id"].duplicated().mean() <= 0.004
    assert set(lines["status"]) == {"paid", "closed", "refunded"}
    assert (store["store"].notna()).all()
    assert lines.loc[lines["channel"] != "store", "store"].isna().all()


def test_refunds_stand_later_in_the_same_order_and_never_exceed_it(csv):
    lines = csv["transactions"].drop_duplicates("line_id")
    back, paid = lines[lines["status"] == "refunded"], lines[lines["status"] == "paid"]
    assert (back["amount"] < 0).all()
    assert (paid["amount"] >= 0).all()
    first = paid.groupby("order_id")["ordered_at"].min()
    assert (back["ordered_at"].to_numpy() > first[back["order_id"]].to_numpy()).all()
    owed = (
        back.groupby("order_id")["amount"].sum() + paid.groupby("order_id")["amount"].sum()[back["order_id"].unique()]
    )
    assert owed.min() > -0.005
    with_goods = back["quantity"] < 0
    assert (back.loc[with_goods, "cost"] < 0).all()
    assert (back.loc[~with_goods, ["quantity", "cost"]] == 0).all(axis=None)


# affinity


def test_planted_pairs_have_lift(shop, counted, orders_of):
    paid = counted[counted["status"] == "paid"]
    for pair in shop.truth["affinity"].itertuples():
        have = set(paid.loc[paid[pair.level] == pair.have, "customer_id"])
        follow = set(paid.loc[paid["category"] == pair.next, "customer_id"])
        lift = (len(have & follow) / len(have)) / (len(follow) / len(orders_of))
        assert lift > 2, (pair.have, pair.next, lift)


def test_followers_come_within_sixty_days(shop, counted):
    paid = counted[counted["status"] == "paid"]
    for pair in shop.truth["affinity"].itertuples():
        had = paid.loc[paid[pair.level] == pair.have, ["customer_id", "ordered_at", "line_id"]]
        both = had.merge(paid.loc[paid["category"] == pair.next, ["customer_id", "ordered_at"]], on="customer_id")
        gap = (both["ordered_at_y"].dt.normalize() - both["ordered_at_x"].dt.normalize()).dt.days
        share = both.loc[gap.between(0, pair.window_days), "line_id"].nunique() / len(had)
        before = both.loc[gap.between(-pair.window_days, -1), "line_id"].nunique() / len(had)
        assert share > 3 * before, (pair.have, pair.next)  # heavy buyers have everything: the order of events tells
        assert pair.probability - 0.05 < share < pair.probability + 0.15  # some would have bought it anyway


# campaigns


def test_arms_are_drawn_at_random(csv, counted):
    for name, rows in csv["contacts"].groupby("campaign"):
        assert not rows["customer_id"].duplicated().any()
        assert 1_500 <= len(rows) <= 2_400
        held_out = rows["arm"] == "control"
        assert held_out.mean() == pytest.approx(HELD_OUT[name], abs=0.005)  # the sample ratio as planned
        before = rows["assigned_at"].iloc[0] - pd.Timedelta(days=90)
        past = in_window(counted, rows, before, 90)
        for outcome in ("orders", "net"):
            gap, error = difference(past, past["arm"] == "treated", outcome)
            assert abs(gap) < 2.6 * error, (name, outcome)


def test_contacts_of_the_control_arm_are_null(csv, counted):
    contacts = csv["contacts"]
    control = contacts["arm"] == "control"
    after = ["contacted_at", "cost", "opened", "clicked", "opted_out"]
    assert contacts.loc[control, after].isna().all(axis=None)
    assert contacts.loc[~control, after].notna().all(axis=None)
    blocked = csv["customers"].query("do_not_contact")["customer_id"]
    assert not contacts["customer_id"].isin(blocked).any()
    for _, rows in contacts.groupby("campaign"):
        day = rows["assigned_at"].iloc[0]
        year = counted[(counted["ordered_at"] < day) & (counted["ordered_at"] >= day - pd.Timedelta(days=365))]
        assert set(rows["customer_id"]) <= set(year["customer_id"])


def test_high_value_is_the_top_fifth_of_spend_before(shop, counted):
    for name, rows in shop.truth["assignments"].groupby("campaign"):
        day = pd.Timestamp(demo.season.dates(rows["day"].iloc[:1].to_numpy())[0])
        year = counted[(counted["ordered_at"] < day) & (counted["ordered_at"] >= day - pd.Timedelta(days=365))]
        spend = year.groupby("customer_id")["amount"].sum().reindex(rows["customer_id"])
        # orders that the calls removed or the coupon brought lie after the assignment, so the past is as it was
        assert spend.to_numpy() == pytest.approx(rows["spend_before"].to_numpy(), abs=0.01), name
        assert rows.loc[rows["high"], "spend_before"].min() > rows.loc[~rows["high"], "spend_before"].max()
        assert 0.17 <= rows["high"].mean() <= 0.23


def test_the_coupon_works_and_pays(shop, counted):
    assigned = shop.truth["assignments"].query("campaign == @COUPON")
    after = in_window(counted, assigned, "2026-04-10", 30)
    for outcome in ("orders", "net"):
        effect, error = difference(after, after["treated"], outcome)
        assert effect > 1.96 * error
    effect, error = difference(after, after["treated"], "orders")
    true = shop.truth["campaigns"].set_index(["campaign", "group"]).loc[(COUPON, "all"), "orders"]
    assert abs(effect - true) < 2.6 * error
    assert true > 0.1
    assert (
        0.25 * difference(after, after["treated"], "net")[0] > 0.5
    )  # a quarter of it as margin beats the contact cost


def test_the_newsletter_does_nothing(shop, counted):
    assigned = shop.truth["assignments"].query("campaign == @NEWSLETTER")
    after = in_window(counted, assigned, "2026-06-05", 30)
    for outcome in ("orders", "net"):
        effect, error = difference(after, after["treated"], outcome)
        assert abs(effect) < 1.96 * error
    truth = shop.truth["campaigns"].query("campaign == @NEWSLETTER")
    assert (truth[["orders", "net_spend"]] == 0).all(axis=None)


def test_the_calls_harm_the_high_value_group_only(shop, counted):
    assigned = shop.truth["assignments"].query("campaign == @CALLS")
    after = in_window(counted, assigned, "2026-09-10", 30)
    truth = shop.truth["campaigns"].set_index(["campaign", "group"]).loc[CALLS]
    assert list(assigned["day"].unique()) == [season.day_number("2026-09-10")]
    high, rest = after[after["high"]], after[~after["high"]]
    for outcome in ("orders", "net"):
        effect, error = difference(high, high["treated"], outcome)
        assert effect < -2.5 * error  # still below 0.05 after Holm over four tiers (2.5: p = 0.012)
        effect, error = difference(rest, rest["treated"], outcome)
        assert abs(effect) < 1.96 * error
    effect, error = difference(high, high["treated"], "orders")
    assert abs(effect - truth.loc["high", "orders"]) < 2.6 * error
    assert truth.loc["rest", "orders"] == 0
    # orders lost / orders that there would have been: two thirds, give or take the draw
    had = high.loc[high["treated"], "orders"].mean()
    assert 0.55 < -truth.loc["high", "orders"] / (had - truth.loc["high", "orders"]) < 0.80


# around the orders


def test_converted_leads_came_before_their_customer(csv, counted):
    leads = csv["leads"]
    assert leads["lead_id"].is_unique
    won = leads.dropna(subset="customer_id")
    assert won["customer_id"].is_unique
    assert 0.25 <= len(won) / len(leads) <= 0.6
    customers = csv["customers"].set_index("customer_id").loc[won["customer_id"]]
    first = counted.groupby("customer_id")["ordered_at"].min()[won["customer_id"]]
    assert (won["created_at"].to_numpy() <= customers["joined_at"].to_numpy()).all()
    assert (won["created_at"].to_numpy() <= first.to_numpy()).all()
    assert (won["channel"].to_numpy() == customers["channel"].to_numpy()).all()


def test_costs_cover_every_month_and_channel(csv):
    costs = csv["costs"]
    assert costs["month"].str.fullmatch(r"\d{4}-\d\d").all()
    assert (costs["month"].min(), costs["month"].max(), costs["month"].nunique()) == ("2024-05", "2026-10", 30)
    assert not costs.duplicated(["month", "channel"]).any()
    assert set(costs["channel"]) == set(csv["customers"]["channel"]) == set(csv["leads"]["channel"])
    assert (costs["amount"] > 0).all()


def test_surveys(shop, csv):
    surveys = csv["surveys"]
    answered = surveys["answered_at"].notna()
    assert 0.3 <= answered.mean() <= 0.5
    assert (surveys[["csat", "nps"]].notna().all(axis=1) == answered).all()
    assert (surveys["answered_at"] >= surveys["sent_at"])[answered].all()
    assert surveys["csat"].dropna().isin(range(1, 6)).all()
    assert surveys["nps"].dropna().isin(range(11)).all()
    persona = shop.truth["customers"].set_index("customer_id")["persona"]
    by_persona = surveys.groupby(surveys["customer_id"].map(persona))["csat"].mean()
    assert by_persona["steady"] > by_persona["fading"] + 0.5


def test_tickets_and_visits(csv):
    tickets, visits = csv["tickets"], csv["visits"]
    assert (tickets["first_response_at"] > tickets["opened_at"])[tickets["first_response_at"].notna()].all()
    assert (tickets["resolved_at"] > tickets["first_response_at"])[tickets["resolved_at"].notna()].all()
    assert 0 < tickets["resolved_at"].isna().sum() < 60
    assert not visits.duplicated(["customer_id", "visited_at"]).any()
    assert (visits["page_views"] >= visits["sessions"]).all()
    for table in (tickets, visits, csv["surveys"]):
        assert table["customer_id"].isin(csv["customers"]["customer_id"]).all()
    assert visits["visited_at"].max() <= pd.Timestamp("2026-10-31")
    assert tickets[["opened_at", "first_response_at", "resolved_at"]].max().max() < pd.Timestamp("2026-11-01")
