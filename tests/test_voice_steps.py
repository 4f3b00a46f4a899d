"""Voice and behaviour of a small shop from files to tables: what counts where, and what a missing table leaves out."""

import pandas as pd
import pytest

from tierbook import params
from tierbook.workbook import Workbook

IDS = [f"C{n:02d}" for n in range(30)]
AS_OF = "2026-10-31"


def shop():
    """Thirty customers with an order each month from their own first one on, two channels; a stranger S1 without any.

    C00–C11 answer 5 in October, S1 a 1; C00 answers 1 in September of last year and again in November (to come).
    C00–C09 open a ticket on 1 October at 9:00, answered after 1 to 10 hours, the last in November; one is impossible.
    C00–C11 and S1 come on 21 October in two sessions of three pages; of C00 three events of the day before stand alone.
    """
    months = pd.date_range("2026-01-01", "2026-10-01", freq="MS") + pd.Timedelta(days=4)
    orders = pd.DataFrame([(c, m, 100 + 10 * n) for n, c in enumerate(IDS) for m in months[n % 10 :]],
                          columns=["customer_id", "ordered_at", "amount"])  # fmt: skip
    orders["channel"] = ["web" if n % 2 else "store" for n in range(len(orders))]
    surveys = pd.DataFrame({"customer_id": [*IDS[:12], "S1", "C00", "C00"], "csat": [5] * 12 + [1, 1, 1]})
    surveys["answered_at"] = ["2026-10-10"] * 13 + ["2025-09-01", "2026-11-02"]
    surveys["sent_at"] = ["2026-10-09"] * 13 + ["2025-08-30", "2026-10-30"]
    opened = pd.Timestamp("2026-10-01 09:00")
    answered = [opened + pd.Timedelta(hours=h) for h in range(1, 10)] + [pd.Timestamp("2026-11-01 00:00")]
    tickets = pd.DataFrame({"customer_id": IDS[:10], "opened_at": opened, "first_response_at": answered})
    wrong = pd.DataFrame(
        {"customer_id": ["C11"], "opened_at": opened, "first_response_at": opened - pd.Timedelta(days=1)}
    )
    tickets["topic"] = ["delivery"] * 7 + [None] * 3
    customers = pd.DataFrame({"customer_id": IDS, "birthday": "1990-11-03", "do_not_contact": ["yes"] + ["no"] * 29})
    visits = pd.DataFrame(
        {"customer_id": [*IDS[:12], "S1"], "visited_at": "2026-10-21", "sessions": 2, "page_views": 6}
    )
    visits = visits.assign(source=["app"] * 6 + [None] * 7)
    events = pd.DataFrame({"customer_id": ["C00"] * 3, "visited_at": "2026-10-20", "source": "app"})
    return {"transactions": orders, "surveys": surveys, "tickets": pd.concat([tickets, wrong]), "customers": customers,
            "visits": pd.concat([visits, events])}  # fmt: skip


def opened(folder, tables, **changes):
    source = {}
    for name, frame in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
        source[name] = {"path": str(folder / f"{name}.csv")}
    tree = {"report": {"name": "shop"}, "as_of": AS_OF, "source": source, "targets": {"first_response_hours": 4}}
    return Workbook(params.parse(tree | changes), folder / "out")


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    return opened(tmp_path_factory.mktemp("shop"), shop())


def rows(table, measure):
    return table[table["measure"] == measure].set_index("tier")


def test_all_counts_strangers_and_tiers_do_not(month):
    """13 answers of October, 12 of them satisfied; the tiers together have 12, as S1 has no order."""
    csat = rows(month.voice(), "csat")
    assert (csat.loc["all", "n"], csat.loc["all", "value"]) == (13, pytest.approx(12 / 13))
    assert csat["n"].drop("all").sum() == 12
    told = month.voice_faults().set_index(["table", "fault"])
    assert told.loc[("surveys", "without_order"), ["rows", "example"]].tolist() == [1, "S1"]
    assert told.loc[("tickets", "first_response_early"), ["rows", "example"]].tolist() == [1, "C11"]
    assert len(told) == 2


def test_service_against_the_target(month):
    """Waits of 1 to 9 hours and one not answered by the month's end: the middle of 5 and 6; 4 of 10 within 4 hours.
    The 2nd from either end is 2 and 9, so that a median of 4 cannot be told from the target."""
    waited, on_time = (
        rows(month.voice(), name).loc["all"] for name in ("first_response_hours", "first_response_on_time")
    )
    assert waited[["n", "value", "low", "high", "target", "verdict"]].tolist() == [10, 5.5, 2, 9, 4, "uncertain"]
    assert on_time[["n", "value", "verdict"]].tolist() == [10, 0.4, "no_target"]
    assert rows(month.voice(), "tickets_per_customer").loc["all", ["n", "value"]].tolist() == [
        30,
        pytest.approx(11 / 30),
    ]


def test_birthdays_and_orders(month):
    assert len(month.birthdays()) == 29 and set(month.birthdays()["birthday"].astype(str)) == {"2026-11-03"}
    counted = rows(month.behaviour(), "birthdays")
    assert counted.loc["all", ["n", "value"]].tolist() == [29, 29]
    orders = month.behaviour().query("measure == 'order_share'")
    assert (
        orders.query("channel == 'web'").set_index("tier")["n"].drop("all").sum()
        == month.history()["window_orders"].sum()
    )


def test_visits_and_topics(month):
    """Twelve of thirty came, C00 three times and the others twice: 25 visits, 13 by app; S1 counts nowhere. Eleven
    customers opened a ticket, seven of them on delivery: too few for a topic of its own."""
    done = month.behaviour()
    told = done[(done["tier"] == "all") & (done["channel"] == "all")].set_index("measure")
    assert told.loc["visited_share", ["n", "value"]].tolist() == [30, 0.4]
    assert told.loc["visits_per_visitor", ["n", "value"]].tolist() == [12, pytest.approx(25 / 12)]
    assert told.loc["pages_per_session", ["n", "value"]].tolist() == [12, 3]
    assert told.loc["visit_gap_days", ["n", "value"]].tolist() == [12, 10]
    shares = done.query("measure == 'visit_share' and tier == 'all'").set_index("channel")
    assert shares["n"].tolist() == [25, 25] and shares["value"].to_dict() == {"app": 13 / 25, "unknown": 12 / 25}
    topics = month.ticket_topics().query("tier == 'all'").set_index("topic")
    assert topics["n"].tolist() == [11, 11] and topics["tickets"].to_dict() == {"other": 7, "unknown": 4}


def test_demography_is_an_attribute(month):
    """All were born on 3 November 1990, 35 years and 363 days before the month's end."""
    assert set(month.attributes()["age"]) == {"age_35_44"}


def test_only_what_was_given_is_told(tmp_path):
    bare = opened(tmp_path, {"transactions": shop()["transactions"].drop(columns="channel")})
    assert bare.voice().empty and bare.birthdays().empty and bare.churn_reasons().empty and bare.voice_faults().empty
    assert bare.ticket_topics().empty
    assert set(bare.behaviour()["measure"]) == {"order_share"} and set(bare.behaviour()["channel"]) == {"unknown"}
    assert set(bare.touchpoints()["from"]) == {"order"}


@pytest.mark.long
def test_rows_in_any_order_say_the_same(month, tmp_path):
    mixed = opened(tmp_path, {name: frame.sample(frac=1, random_state=5) for name, frame in shop().items()})
    for step in ("voice", "behaviour", "birthdays", "touchpoints", "voice_faults", "ticket_topics"):
        pd.testing.assert_frame_equal(getattr(mixed, step)(), getattr(month, step)())


@pytest.mark.parametrize(("recorded", "n"), [(True, 29), (False, 0)])
def test_a_shop_that_keeps_no_record_is_told_nothing(tmp_path, recorded, n):
    """Of thirty customers one asked not to be contacted; C01 was contacted and brought by C02, or nobody wrote it down."""
    tables = {name: frame for name, frame in shop().items() if name in ("transactions", "customers")}
    tables["contacts"] = pd.DataFrame(
        {"customer_id": ["C01"], "campaign": "x", "arm": "sms", "assigned_at": "2026-10-01",
         "contacted_at": "2026-10-02" if recorded else None}
    )  # fmt: skip
    tables["customers"] = tables["customers"].assign(
        referred_by=[None, "C02" if recorded else None, *[None] * 28], joined_at="2026-01-05"
    )
    table = opened(tmp_path, tables).behaviour()
    assert rows(table, "no_contact_180d").loc["all", "n"] == n
    assert rows(table, "contact_gap_days").loc["all", "n"] == int(recorded)
    assert rows(table, "referred_share").loc["all", "n"] == (30 if recorded else 0)
