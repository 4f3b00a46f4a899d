"""The scorecard, bridge, channels and budget of the demo against a plain recount of its CSV files."""

import pandas as pd
import pytest

from tierbook import demo, params
from tierbook.insight import scorecard
from tierbook.workbook import Workbook

END, START = pd.Timestamp("2026-10-31"), pd.Timestamp("2026-09-30")
YEAR = [pd.Timestamp(f"{year}-10-31") for year in (2024, 2025, 2026)]

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The demo's CSV files as pandas reads them."""
    return {name: pd.read_csv(path, dtype=str) for name, path in demo.write(tmp_path_factory.mktemp("demo")).items()}


@pytest.fixture(scope="module")
def month(demo_month):
    return demo_month


@pytest.fixture(scope="module")
def card(month):
    return month.scorecard().set_index("measure")


@pytest.fixture(scope="module")
def lines(files):
    """Order lines that count, with or without a customer."""
    rows = files["transactions"].drop_duplicates("line_id")
    rows = rows.assign(day=pd.to_datetime(rows["ordered_at"].str[:10]), amount=rows["amount"].astype(float))
    rows = rows[(rows["day"] <= END) & rows["status"].isin(["paid", "refunded"]) & (rows["customer_id"] != "WALK-IN")]
    return rows.assign(cents=(rows["amount"] * 100).round().astype("int64"))


@pytest.fixture(scope="module")
def orders(lines):
    """One row per order that counts: customer_id, day (the first that leaves more than zero, or was free)."""
    daily = lines.dropna(subset="customer_id").groupby(["customer_id", "order_id", "day"])["cents"]
    daily = daily.agg(["sum", lambda cents: bool((cents == 0).all())]).set_axis(["net", "free"], axis=1).reset_index()
    return daily[(daily["net"] > 0) | daily["free"]].groupby(["customer_id", "order_id"])["day"].min().reset_index()


def between(frame, after, until):
    return frame[(frame["day"] > after) & (frame["day"] <= until)]


def test_retention(orders, card):
    then = set(between(orders, YEAR[0], YEAR[1])["customer_id"])
    now = set(between(orders, YEAR[1], YEAR[2])["customer_id"])
    assert card.loc["retention_rate", ["value", "n"]].tolist() == [
        pytest.approx(len(then & now) / len(then)),
        len(then),
    ]
    assert card.loc["churn_rate", "value"] == pytest.approx(1 - len(then & now) / len(then))


def test_revenue_per_customer_and_order(orders, lines, card):
    known = lines.dropna(subset="customer_id")
    bought, sold = between(orders, START, END), between(known, START, END)["cents"].sum() / 100
    assert card.loc["buyers", "value"] == bought["customer_id"].nunique()
    assert card.loc["revenue_per_buyer", "value"] == pytest.approx(sold / bought["customer_id"].nunique())
    assert card.loc["average_order_value", "value"] == pytest.approx(sold / len(bought))
    since = END - pd.Timedelta(days=365)
    there = between(orders, since, END)["customer_id"].unique()
    money = between(known[known["customer_id"].isin(there)], since, END)["cents"].sum() / 100
    assert card.loc["revenue_per_customer", ["value", "n"]].tolist() == [pytest.approx(money / len(there)), len(there)]
    assert card.loc["orders_per_customer", "value"] == pytest.approx(len(between(orders, since, END)) / len(there))


def test_cross_sell(lines, card):
    window = between(lines.dropna(subset=["customer_id", "category"]), END - pd.Timedelta(days=365), END)
    held = window.groupby(["customer_id", "category"])["cents"].sum().gt(0).groupby("customer_id").sum()
    held = held[held > 0]
    assert card.loc["cross_sell_rate", ["value", "n"]].tolist() == [pytest.approx((held > 1).mean()), len(held)]
    assert card.loc["categories_per_customer", "value"] == pytest.approx(held.mean())


@pytest.mark.parametrize(("period", "months"), [("month", 1), ("year", 12)])
def test_the_bridge(orders, lines, month, period, months):
    ends = [END, END - pd.DateOffset(years=1)]
    starts = [end - pd.offsets.MonthEnd(months) for end in ends]
    first = orders.groupby("customer_id")["day"].min()
    active = [set(between(orders, YEAR[k + 1], YEAR[k + 2])["customer_id"]) for k in (-1, 0)]
    known = lines.dropna(subset="customer_id")
    sums = [between(known, s, e).groupby("customer_id")["cents"].sum() for s, e in zip(starts, ends, strict=True)]
    money = pd.DataFrame({"now": sums[0], "then": sums[1]}).fillna(0)

    def kind(customer, now, then):
        if first.get(customer, END) > YEAR[1]:
            return "new"
        if customer in active[0] and customer in active[1]:
            return "kept_more" if now > then else "kept_less" if now < then else "kept_same"
        return "lost" if customer in active[0] else "won_back" if customer in active[1] else "earlier"

    kinds = [kind(row.Index, row.now, row.then) for row in money.itertuples()]
    expected = (money["now"] - money["then"]).groupby(kinds).sum() / 100
    table = month.revenue_bridge()
    found = table[table["period"] == period].set_index("step")["amount"]
    whole = [between(lines, s, e)["cents"].sum() / 100 for s, e in zip(starts, ends, strict=True)]
    assert found[["now", "year_ago"]].tolist() == pytest.approx(whole)
    steps = found.drop(["now", "year_ago", "no_customer"])
    assert steps.to_dict() == pytest.approx(expected[expected.index.isin(steps.index)].to_dict(), abs=0.005)
    assert found["year_ago"] + found.drop(["now", "year_ago"]).sum() == pytest.approx(found["now"])


def test_leads(files, orders, card):
    leads, first = files["leads"], orders.groupby("customer_id")["day"].min()
    leads = leads.assign(day=pd.to_datetime(leads["created_at"].str[:10])).sort_values(["day", "lead_id"])
    leads = leads[leads["customer_id"].isna() | ~leads.duplicated("customer_id")]
    leads = leads.assign(bought=leads["customer_id"].map(first))
    leads = leads[~(leads["bought"] < leads["day"])]
    ripe = between(leads, START - pd.Timedelta(days=90), END - pd.Timedelta(days=90))
    quick = (ripe["bought"] - ripe["day"]).dt.days <= 90
    assert card.loc["conversion_rate", ["value", "n"]].tolist() == [pytest.approx(quick.mean()), len(ripe)]
    assert card.loc["leads", "value"] == len(between(leads, START, END))
    assert card.loc["converted_leads", "value"] == ((leads["bought"] > START) & (leads["bought"] <= END)).sum()


def test_falls_and_moves_as_the_movement_tells_them(month, card):
    falls = month.falls()
    assert card.loc["high_value_fallen", ["value", "n"]].tolist() == falls[["fallen", "customers"]].iloc[-1].tolist()
    assert card.loc["high_value_fallen", "previous"] == falls["fallen"].iloc[-2]
    moves = month.movement()
    order = {tier: n for n, tier in enumerate(month.tier_scheme.order)}
    placed = moves[moves["from_tier"].isin(order)]
    before, after = placed["from_tier"].map(order), placed["to_tier"].map(order)
    assert card.loc["upgrades", ["value", "n"]].tolist() == [
        placed.loc[after < before, "customers"].sum(),
        placed["customers"].sum(),
    ]
    assert card.loc["downgrades", "value"] == placed.loc[after > before, "customers"].sum()


def test_budget_and_channels_add_up(files, lines, month):
    budget = month.budget()
    contacts = files["contacts"].dropna(subset="contacted_at")
    contacts = contacts.assign(
        day=pd.to_datetime(contacts["contacted_at"].str[:10]), cost=contacts["cost"].astype(float)
    )
    made = between(contacts, YEAR[1], YEAR[2])
    assert budget["contacts"].sum() == len(made) > 1000 and budget["cost"].sum() == pytest.approx(made["cost"].sum())
    assert budget["net"].sum() == pytest.approx(
        between(lines.dropna(subset="customer_id"), YEAR[1], YEAR[2])["cents"].sum() / 100
    )
    channels = month.channels().set_index("channel")
    costs = files["costs"].assign(amount=files["costs"]["amount"].astype(float))
    asked = costs[costs["month"].between("2025-11", "2026-10")]
    assert channels.loc["all", "cost"] == pytest.approx(asked["amount"].sum())
    for column in ("newcomers", "cost", "leads", "converted"):
        assert channels[column].drop("all").sum() == pytest.approx(channels.loc["all", column]), column


def test_measures_of_a_month_ago_are_what_its_own_report_would_have_said(month, tmp_path):
    """No look-ahead: what does not stand on this run's scale is the same from the tables as of then."""
    tree = params.read_yaml(params.ROOT / "params/demo.yaml") | {"as_of": "2026-09-30"}
    then = Workbook(params.parse(tree), tmp_path).scorecard().set_index("measure")
    card = month.scorecard().set_index("measure")
    scaled = ["high_value", "upgrade", "downgrade", "left_window"]
    same = [m for m in card.index if not m.startswith(tuple(scaled)) and pd.notna(card.loc[m, "previous"])]
    assert len(same) > 20
    assert card.loc[same, "previous"].to_dict() == pytest.approx(then.loc[same, "value"].to_dict())


def test_every_measure_by_tier_may_have_a_target(month):
    told = {*month.voice()["measure"], *month.behaviour()["measure"]}
    assert told <= {*scorecard.MEASURES, *scorecard.BY_TIER}, told
