"""Customers counted for the pages: part by part or at once the same, and what the rows themselves say."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from tierbook import params
from tierbook.errors import GateRefused, InputError
from tierbook.scores.rfm import fit_scale, mean_split
from tierbook.workbook import Workbook, counted, people, quality, value, warning

COUNTS = ["purchases", "counts", "checked", "compared", "score_cells", "segment_cells", "comeback", "highest",
          "next_best_counts"]  # fmt: skip


@pytest.fixture(scope="module")
def parted(demo_month):
    """The demo's workbook in parts of 1,000 customers, on the steps that are kept already."""
    demo_month.book()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tierbook.workbook.parts.PART", 1000)
        month = Workbook(demo_month.params, demo_month.tables.work.parent)
        assert len(list(month.parts())) == 6
    return month


def same(one, other):
    if isinstance(one, dict):
        assert list(one) == list(other)
        for name in one:
            same(one[name], other[name])
    elif isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
    else:
        assert one == other


@pytest.mark.parametrize("step", COUNTS)
def test_parts_counted_add_up_to_all_at_once(demo_month, parted, step):
    count = getattr(counted, step)
    same(count(parted), count(demo_month))


@pytest.mark.parametrize("step", counted.DRAWN)
def test_every_step_of_the_pages_can_be_called(demo_month, step):
    assert getattr(demo_month, step)() is not None


def test_the_counts_are_those_of_the_book(demo_month):
    book, counts = demo_month.book(), demo_month.counts()
    assert counts["customers"].sum() == len(book) == demo_month.purchases()["distinct"]
    for by in ("tier", "segment", "stage", "trend", "cluster"):
        rows = book.groupby(by, dropna=False)["monetary"].agg(["size", "sum"])
        told = counts.groupby(by, dropna=False)[["customers", "monetary"]].sum()
        assert told["customers"].tolist() == rows["size"].tolist()
        assert told["monetary"].tolist() == pytest.approx(rows["sum"].tolist())
    together = counts[(counts["tier"] == "high") & (counts["stage"] == "at_risk")]
    assert together["customers"].sum() == ((book["tier"] == "high") & (book["stage"] == "at_risk")).sum() > 0
    history = demo_month.history()
    assert counts.loc[counts["returning"], "customers"].sum() == (history["previous_orders"] > 0).sum()
    assert counts.loc[counts["in_window"], "customers"].sum() == (history["window_orders"] > 0).sum()


def test_purchases_are_those_of_the_history(demo_month):
    found, history = demo_month.purchases(), demo_month.history()
    assert found["repeaters"] == (history["active_days"] > 1).sum()
    assert found["window_orders"] == history["window_orders"].sum()
    assert (
        found["by_days"].set_index("active_days")["customers"].to_dict()
        == history["active_days"].value_counts().to_dict()
    )


def test_the_checklist_is_counted_by_tier_and_by_criterion(demo_month):
    rows, found = demo_month.checklist(), demo_month.checked()
    assert found["by_tier"].groupby("met")["customers"].sum().to_dict() == rows["met"].value_counts().to_dict()
    assert found["by_tier"].groupby("known")["customers"].sum().to_dict() == rows["known"].value_counts().to_dict()
    criteria = found["criteria"].set_index("criterion")
    assert list(criteria.index) == list(demo_month.terms["criterion"])
    for name, row in criteria.iterrows():
        assert row.tolist() == [rows[name].sum(), (~rows[name]).sum(), rows[name].isna().sum()]


def test_every_offer_is_counted_under_the_tier_of_the_book(demo_month):
    listed, found = demo_month.next_best(), demo_month.next_best_counts()
    offers = found["offers"].set_index(counted.OFFERED)
    assert found["distinct"] == len(listed) == offers["in_book"].sum() == offers["customers"].sum()
    rows = listed.groupby(counted.OFFERED).size()
    assert offers["customers"].to_dict() == rows.to_dict()


def test_the_highest_of_the_call_list_and_of_all(demo_month, monkeypatch):
    book, called = demo_month.book(), demo_month.call_list()["alerts"]["customer_id"]
    of_called = book[book["customer_id"].isin(called)]
    assert len(called) and counted.highest(demo_month) == {
        "customer_id": of_called.loc[of_called["monetary"].idxmax(), "customer_id"], "called": True,
    }  # fmt: skip
    monkeypatch.setattr(demo_month, "call_list", lambda: {"alerts": pd.DataFrame({"customer_id": []}, dtype="str")})
    assert counted.highest(demo_month) == {
        "customer_id": book.loc[book["monetary"].idxmax(), "customer_id"], "called": False,
    }  # fmt: skip


def test_no_rule_is_fitted_on_a_row_of_each_customer(demo_month, monkeypatch):
    """Whatever reads customers' rows fails here; the rules come out as they were kept."""
    date = demo_month.as_of
    kept = {name: getattr(demo_month, name)() for name in ("profile", "cadence", "warned", "value")}
    scales = demo_month.scale, demo_month.mean_split

    def read(self, step, columns=None):
        raise AssertionError(f"{step}: all customers' {columns}")

    monkeypatch.setattr(Workbook, "read", read)
    month = Workbook(demo_month.params, demo_month.tables.work.parent)
    assert warning.learned(month, date) == kept["warned"]
    assert month._fit_cadence() == kept["cadence"] and month._profile() == kept["profile"]
    counted_rows = people.distinct_measures(month, date)
    assert (fit_scale(counted_rows, month.params.rfm, date), mean_split(counted_rows, date)) == scales
    assert quality.totals(month, None)["customers"].tolist() == [month.size] and not quality.base_gates(month).empty
    found, days = kept["value"], kept["value"]["holdout_days"]
    _, told, tested = value._learned(month, dt.date.fromisoformat(found["cut"]), days)
    pd.testing.assert_frame_equal(told["model"], found["model"])
    pd.testing.assert_frame_equal(tested["backtest"], found["backtest"])


def test_what_a_page_asks_of_all_customers_starts_no_engine_once_kept(demo_month, monkeypatch):
    """On a cluster every page would start a session of its own."""

    def ask(month):
        facts = month.first_day, month.margin_rate, month.profile(), month.degraded("min_customers")
        return facts, month.gates().to_csv(), month.totals(month.dates[1]).to_dict()

    kept, again = ask(demo_month), Workbook(demo_month.params, demo_month.tables.work.parent)
    again.tables.cache  # noqa: B018 - the demo's files are looked at here
    monkeypatch.setattr(type(again.tables), "engine", lambda self: pytest.fail("an engine was opened"))
    assert ask(again) == kept


def test_nobody_left_is_told_by_whatever_is_asked_first(tmp_path):
    """The one order came after as_of: each call refuses in one line."""
    (tmp_path / "orders.csv").write_text("customer_id,ordered_at,amount\na,2001-02-01,5\n", encoding="utf-8")
    source = {"transactions": {"path": str(tmp_path / "orders.csv")}}
    month = Workbook(params.parse({"report": {"name": "x"}, "as_of": "2001-01-31", "source": source}), tmp_path)
    for ask in (month.cadence, month.profile, month.warned, lambda: month.first_day, lambda: month.mean_split):
        with pytest.raises(GateRefused, match="no customer with an order up to 2001-01-31 is left"):
            ask()


def test_what_is_fitted_once_is_read_as_it_was_fitted(demo_month):
    again = Workbook(demo_month.params, demo_month.tables.work.parent)
    assert again.scale == demo_month.scale and again.mean_split == demo_month.mean_split
    assert again.cadence() == demo_month.cadence() == demo_month._fit_cadence()
    assert again.profile() == demo_month._profile()
    kept = again.scale.cuts["monetary"]
    assert kept == demo_month.scale.cuts["monetary"] and all(isinstance(cut, float) for cut in kept)


def test_one_customer_stands_alone(demo_month, parted):
    for customer_id in demo_month.book()["customer_id"].iloc[[0, 999, 1000, -1]]:
        alone = parted.alone(customer_id).book()
        row = demo_month.book()[lambda book, asked=customer_id: book["customer_id"] == asked]
        pd.testing.assert_frame_equal(alone, row.reset_index(drop=True))
    assert parted.alone("nobody").book().empty
    with pytest.raises(InputError, match=f"none of the book's {len(demo_month.book()):,} customers"):
        parted.card("nobody")


def test_sales_concentrate_as_the_rows_say(demo_month):
    window = demo_month.history().query("window_orders > 0")["window_net"].astype(float)
    found = demo_month.sales_concentration()
    best = np.sort(window.clip(lower=0))[::-1]
    fifth = int(np.ceil(0.2 * len(best)))
    shares = found["top_shares"].set_index("top")["revenue_share"]
    assert found["customers"] == len(window) and shares[0.2] == pytest.approx(best[:fifth].sum() / best.sum())


def test_orders_alone_can_be_counted(tmp_path):
    """Twelve customers of a shop that knows nothing but orders: no category, no other table, no call list."""
    rows = [
        (f"c{n:02d}", f"o{n}{k}", f"2026-0{1 + k}-{1 + n:02d}", 10.0 * (n + 1))
        for n in range(12)
        for k in range(1 + n % 3)
    ]
    orders = pd.DataFrame(rows, columns=["customer_id", "order_id", "ordered_at", "amount"])
    orders.to_csv(tmp_path / "orders.csv", index=False)
    tree = {
        "report": {"name": "x"},
        "as_of": "2026-03-31",
        "source": {"transactions": {"path": str(tmp_path / "orders.csv")}},
    }
    month = Workbook(params.parse(tree), tmp_path)
    for step in counted.DRAWN:
        getattr(month, step)()
    assert month.next_best_counts()["distinct"] == 0 and month.labelled() == 0
    assert month.counts()["customers"].sum() == 12 and month.counts()["in_window"].all()
    # n % 3 = 0 bought once, 1 twice, 2 three times: four each
    assert month.purchases()["by_days"].to_numpy().tolist() == [[1, 4], [2, 4], [3, 4]]
    assert month.purchases()["repeaters"] == 8 and month.purchases()["window_orders"] == 24
