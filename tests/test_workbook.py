"""The workbook: what it refuses, that no later row leaks in, and that rows and names in any order give the same book."""

import dataclasses
import datetime as dt

import pandas as pd
import pytest

import tierbook
from tierbook import demo, params
from tierbook.errors import ParamsError
from tierbook.report import runner
from tierbook.scores import scales
from tierbook.workbook import Workbook


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Outputs that the tests share: kept steps go by a fingerprint of all they depend on."""
    return tmp_path_factory.mktemp("kept")


def test_a_report_without_orders_is_refused(kept):
    tree = {"report": {"name": "x"}, "as_of": "2026-10-31", "source": {}}
    with pytest.raises(ParamsError, match=r"source\.transactions is missing"):
        Workbook(params.parse(tree), kept)


def test_the_workbook_opens_from_a_notebooks_names(tmp_path, monkeypatch):
    monkeypatch.setenv("TIERBOOK_OUTPUTS", str(tmp_path))
    names = dict.fromkeys(params.KEYS)
    assert tierbook.open(names).params.report.name == "demo"
    names |= {"report": {"name": "mine"}, "as_of": "2026-09-30", "source": {"transactions": {"preset": "demo"}}}
    month = tierbook.open(names)
    assert (month.params.report.name, month.has("surveys"), str(month.as_of)) == ("mine", False, "2026-09-30")


def test_an_earlier_month_sees_nothing_of_the_later_one(kept):
    """The September report equals the October workbook's own look back at September."""
    tree = {"report": {"name": "x"}, "as_of": "2026-10-31", "source": {"transactions": {"preset": "demo"}}}
    october = Workbook(params.parse(tree), kept)
    september = Workbook(params.parse({**tree, "as_of": "2026-09-30"}), kept)
    pd.testing.assert_frame_equal(september.history(), october.history(dt.date(2026, 9, 30)))
    reasons = september.accounting().set_index("reason")["rows"]
    assert reasons["after_as_of"] > 0
    assert reasons.sum() == october.accounting()["rows"].sum()


@pytest.mark.long
def test_the_book_does_not_depend_on_row_order_or_names_of_customers(kept, tmp_path):
    orders = demo.simulate().tables["transactions"]
    ids = orders["customer_id"].dropna().unique()
    other = dict(zip(sorted(ids), sorted(ids, reverse=True), strict=True))
    shuffled = orders.assign(customer_id=orders["customer_id"].map(other, na_action="ignore")).sample(
        frac=1, random_state=1
    )
    books = []
    for name, frame in (("plain", orders), ("shuffled", shuffled)):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
        source = {"transactions": {"path": str(tmp_path / f"{name}.csv"), "count_status": ["paid", "refunded"]}}
        tree = {"report": {"name": name}, "as_of": "2026-10-31", "source": source}
        tree["alerts"] = tree["campaign"] = {
            "holdout": 0
        }  # drawn by a hash of the id, the only thing that hangs on names
        books.append(Workbook(params.parse(tree), kept).book())
    back = books[1].assign(customer_id=books[1]["customer_id"].map({v: k for k, v in other.items()}))
    pd.testing.assert_frame_equal(books[0], back.sort_values("customer_id", ignore_index=True))


def test_protection_and_overrides_stand_above_the_computed_tier(kept, tmp_path):
    """With three months of protection the tier is the best computed at the last four month-ends; overrides stand above."""
    tree = {"report": {"name": "x"}, "as_of": "2026-10-31", "source": {"transactions": {"preset": "demo"}}}
    plain = Workbook(params.parse(tree), kept)
    path = plain.tier_path()
    assert path["tier"].equals(path["computed"]) and not path["overridden"].any() and plain.protected().empty
    order = plain.tier_scheme.order
    last_four = path[path["end"] >= (plain.end - 95)]  # 31 July to 31 October: 92 days
    best = last_four["tier"].map(order.index).groupby(last_four["customer_id"]).min()
    inside = path.loc[path["end"] == plain.end, "customer_id"]
    hand = tmp_path / "overrides.csv"
    outside = plain.book().query("tier == 'outside'")["customer_id"].iloc[0]
    barred = inside.iloc[0]
    hand.write_text(
        f"customer_id,tier,reason,until\n{outside},high,contract,2026-10-31\n{barred},low,fraud,2026-10-30\n"
    )
    month = Workbook(params.parse({**tree, "tiers": {"hold_months": 3}, "overrides": str(hand)}), kept)
    book = month.book().set_index("customer_id")["tier"]
    expected = best.reindex(inside).map(dict(enumerate(order)))
    assert book.reindex(inside).tolist() == expected.tolist()
    assert book[outside] == "high" and month.overridden()["status"].tolist() == ["in_use", "expired"]
    held = month.protected().set_index("customer_id")
    computed = path[path["end"] == plain.end].set_index("customer_id")["tier"]
    assert set(held.index) == set(inside[(computed.reindex(inside) != expected.set_axis(inside)).to_numpy()])
    assert month.movement()["customers"].sum() == len(month.book())


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"overrides": "nowhere.csv"}, r"overrides .*nowhere\.csv does not exist"),
        ({"report": {"name": "x", "calendar": "nowhere.yaml"}}, r"calendar .*nowhere\.yaml does not exist"),
    ],
)
def test_a_faulty_file_of_rules_is_told_before_anything_is_read(tmp_path, fault, told):
    tree = {"report": {"name": "x"}, "as_of": "2026-10-31", "source": {"transactions": {"path": "no/orders.csv"}}}
    with pytest.raises(ParamsError, match=told):
        runner.check(params.parse({**tree, **fault}), tmp_path)
    with pytest.raises(ParamsError, match=told):
        runner.run(runner.Run(params.parse({**tree, **fault}), "x.yaml", tmp_path, 1))


def test_nothing_is_told_of_other_rules_where_customers_are_too_few(kept):
    tree = {"report": {"name": "x"}, "as_of": "2026-10-31", "source": {"transactions": {"preset": "demo"}}}
    month = Workbook(params.parse({**tree, "gate": {"min_customers": 9_999}}), kept)
    assert month.sensitivity().empty and "same_tier" in month.sensitivity()


def test_a_map_on_other_scores_than_the_scale_is_refused(kept):
    tree = {"report": {"name": "x"}, "as_of": "2026-10-31", "source": {"transactions": {"preset": "demo"}}}
    month = Workbook(params.parse({**tree, "rfm": {"bins": 4}}), kept)
    with pytest.raises(ParamsError, match=r"scheme eleven stands on 5 scores a measure, the scale has 4"):
        month.cells(month.segment_map)


def test_tiers_by_further_traits_hold_from_month_to_month(kept):
    """The September path of October's workbook is what a September workbook gives, also where tiers ask for the stage."""
    tree = {"report": {"name": "x"}, "as_of": "2026-10-31", "source": {"transactions": {"preset": "demo"}}}
    tree |= {"tiers": {"scheme": "service_tier"}}
    tree["source"] |= {"tickets": {"preset": "demo"}, "surveys": {"preset": "demo"}}
    month = Workbook(params.parse(tree), kept)
    tiers, book = month.tier_path(), month.book()
    now = tiers[tiers["end"] == month.end].set_index("customer_id")["tier"]
    assert (book.set_index("customer_id")["tier"].drop(book.query("tier == 'outside'")["customer_id"]) == now).all()
    asked = month.traits(["requests", "satisfaction"]).set_axis(month.history()["customer_id"])
    lifted = book.set_index("customer_id").query("m >= 4 and not (m == 5 and f >= 4)").index
    upset = asked.loc[lifted].query("requests >= 3 and satisfaction <= 2").index
    assert len(upset) and (now[upset] == "vip").all(), "big customers in trouble have the dedicated line"


def test_the_checklist_judges_on_its_own_scores_where_the_report_has_two(kept):
    """Split at the mean a measure has two scores and nobody an f of 4: the checklist fits its own five."""
    tree = {"report": {"name": "x"}, "as_of": "2026-10-31", "source": {"transactions": {"preset": "demo"}}}
    plain = Workbook(params.parse(tree), kept).checklist()
    split = {"rfm": {"method": "mean"}, "tiers": {"scheme": "eight"}, "segments": {"map": "eight"}}
    pd.testing.assert_frame_equal(Workbook(params.parse({**tree, **split}), kept).checklist(), plain)
    assert plain["frequency"].sum() > 0 and plain["referral"].isna().all(), "no table tells of referrals"


def test_a_map_that_asks_for_more_than_scores_is_no_segment_map(kept):
    tree = {"report": {"name": "x"}, "as_of": "2026-10-31", "source": {"transactions": {"preset": "demo"}}}
    month = Workbook(params.parse({**tree, "segments": {"map": "service_tier"}}), kept)
    with pytest.raises(ParamsError, match=r"segments\.map service_tier asks for requests, satisfaction"):
        month.segment_map  # noqa: B018


def test_the_call_list_holds_flagged_customers_within_capacity_and_leaves_the_hold_out_alone(kept):
    """Capacity 20 by phone and 10 by SMS; the demo's campaigns and hold-outs are in its contacts."""
    tree = {"report": {"name": "x"}, "as_of": "2026-10-31", "source": {"transactions": {"preset": "demo"}}}
    month = Workbook(params.parse({**tree, "alerts": {"capacity": {"phone": 20, "sms": 10}, "holdout": 0.3}}), kept)
    book, listed = month.book().set_index("customer_id"), month.call_list()["alerts"]
    assert book.loc[listed["customer_id"], "alert"].all()
    assert listed[~listed["held_out"]].groupby("channel").size().to_dict() == {"phone": 20, "sms": 10}
    assert listed["held_out"].any() and book.loc[listed.loc[listed["held_out"], "customer_id"], "action"].isna().all()
    assert (pd.to_datetime(listed["first_flagged"]) <= pd.Timestamp("2026-10-31")).all()
    assert listed["value_at_stake"].is_monotonic_decreasing
    left_out = month.call_list()["left_out"].set_index("reason")["customers"]
    assert left_out["beyond_capacity"] == book["alert"].sum() - len(listed) > 0
    past = month.alert_backtest()["backtest"].set_index("rule")
    assert past.loc["ours", "alerted_share"] == pytest.approx(0.2, abs=0.001)
    assert past.loc["ours", "auc"] > 0.75, "the demo's customers do stop buying"


def test_a_scale_frozen_this_month_tells_who_moves_because_of_it(kept, tmp_path, monkeypatch):
    """Frozen on 31 October the scale is what October fits, so it moves exactly those whom the unfrozen report says."""
    monkeypatch.setattr(scales, "FOLDER", tmp_path / "scales")
    tree = {"report": {"name": "x"}, "as_of": "2026-10-31", "source": {"transactions": {"preset": "demo"}}}
    plain = Workbook(params.parse(tree), kept).movement()
    october = Workbook(params.parse(tree), kept).fit_scale(dt.date(2026, 10, 31))
    scales.freeze(october, tmp_path / "scales", "x")
    frozen = Workbook(params.parse(tree), kept)
    assert frozen.scale.source == "x.yaml" and plain["moved_by_scale"].sum() > 0
    pd.testing.assert_frame_equal(frozen.movement(), plain)
    scales.freeze(dataclasses.replace(october, valid_from="2026-09-30"), tmp_path / "scales", "x")
    held = Workbook(params.parse(tree), kept)
    assert held.scale_of(dt.date(2026, 9, 30)).valid_from == "2026-09-30"
