"""Quality gates end to end: what refuses, what only warns, that nothing is published, and that no line is judged twice."""

import datetime as dt

import pandas as pd
import pytest

from tierbook import cli, params
from tierbook.errors import GateRefused, ParamsError
from tierbook.report import runner
from tierbook.show import gates as told
from tierbook.show.words import Words
from tierbook.workbook import Workbook, quality

HEAD = "customer_id,ordered_at,amount,order_id,quantity,product,store,currency\n"


def orders(months=10, other=0):
    """Twenty orders a month from January 2026 on, 100 to 119 each, of seven customers; ``other``: lines in USD."""
    rows = [
        f"c{n % 7},2026-{month:02d}-{1 + n:02d},{100 + n},o{month}-{n},1,p{n % 3},s1,CNY"
        for month in range(1, months + 1)
        for n in range(20)
    ]
    return HEAD + "\n".join(rows + [f"u{n},2026-05-05,9,x{n},1,p,s1,USD" for n in range(other)]) + "\n"


@pytest.fixture
def shop(tmp_path):
    """A workbook over the orders given, with the gates given."""

    def made(text, as_of="2026-10-31", gate=None, **source):
        (tmp_path / "orders.csv").write_text(text)
        spec = {"path": str(tmp_path / "orders.csv"), **source}
        tree = {"report": {"name": "shop"}, "as_of": as_of, "source": {"transactions": spec}, "gate": gate or {}}
        return Workbook(params.parse(tree), tmp_path / "out")

    return made


def result(month):
    return month.gates().set_index("gate")["result"].to_dict()


def test_a_sound_shop_passes_all_but_its_size(shop):
    """200 orders: seven customers; October has twenty orders as every month; no finance figure, no total row."""
    found = shop(orders()).gates().set_index("gate")
    assert found.index[:3].tolist() == ["min_customers", "min_history_days", "max_days_since_last_order"]
    assert found.loc["min_customers", ["value", "result"]].tolist() == [7, "degrade"]
    assert (found.drop(index="min_customers")["result"] == "pass").all()
    assert found.loc["min_month_share", ["value", "about"]].tolist() == [1.0, "2026-10"]
    assert not {"max_finance_gap", "stated_total", "max_missing_change"} & set(found.index)  # twenty lines a month


def test_a_month_that_breaks_off_is_a_warning(shop):
    whole = orders().splitlines()
    cut = [line for line in whole if not ("2026-10-1" in line or "2026-10-2" in line)]  # 9 of 20 orders are left
    assert result(shop("\n".join(cut)))["min_month_share"] == "warn"


def test_finance_has_its_figure_beside_ours(shop):
    """20 orders of 100 to 119: 2,190 a month."""
    found = shop(orders(), gate={"finance": {"2026-10": 2000.0}}).gates().set_index("gate").loc["max_finance_gap"]
    assert found["value"] == pytest.approx(2190 / 2000 - 1) and found["result"] == "warn"
    assert result(shop(orders(), gate={"finance": {"2026-10": 2190.0}}))["max_finance_gap"] == "pass"


@pytest.mark.parametrize(("said", "expected"), [("21900", "pass"), ("21,950.00", "warn")])
def test_the_files_own_total_row_is_held_against_its_lines(shop, said, expected):
    """Ten months of 2,190 make 21,900."""
    month = shop(orders() + f'合计,,"{said}",,,,,\n')
    assert month.accounting().set_index("reason")["rows"].to_dict() == {"kept": 200, "total_row": 1}
    found = month.gates().set_index("gate")
    assert found.loc["stated_total", "result"] == expected
    assert found.loc["stated_total", "value"] == (0 if expected == "pass" else 50)


def test_values_that_cannot_be_are_counted_with_their_money(shop):
    wrong = "c1,2026-10-30,50,w1,0,p1,s1,CNY\nc1,1985-10-30,70,w2,1,p1,s1,CNY\nc1,2026-10-30,999999,w3,1,p1,s1,CNY\n"
    month = shop(orders() + wrong)
    found = month.impossible()
    assert found.to_dict("list") == {
        "fault": ["too_early", "no_quantity", "price_far_off"],
        "lines": [1, 1, 1],
        "amount": [70.0, 50.0, 999_999.0],  # over 1000 × the median of some 109
        "example": ["w2", "w1", "w3"],
    }
    gate = month.gates().set_index("gate").loc["max_impossible_share"]
    assert gate["value"] == pytest.approx(3 / 203) and gate["result"] == "warn"
    far = month.outliers()
    assert far["summary"].set_index("of").loc["order", "beyond"] == 1
    assert far["listed"].loc[0, ["customer_id", "order_id", "beyond"]].tolist() == ["c1", "w3", True]


def test_rows_in_any_order_give_the_same_gates_and_outliers(shop):
    lines = (orders(other=3) + "c1,2026-10-30,50,w1,0,p1,s1,CNY\n").splitlines()
    plain, turned = shop("\n".join(lines)), None
    seen = plain.gates(), plain.outliers()["listed"], plain.impossible()
    turned = shop("\n".join([lines[0], *lines[:0:-1]]))
    for before, after in zip(seen, (turned.gates(), turned.outliers()["listed"], turned.impossible()), strict=True):
        pd.testing.assert_frame_equal(before, after)


def test_other_currencies_warn_from_the_first_row_and_refuse_above_the_limit(shop):
    warned = shop(orders(other=2))  # 2 of 202 rows
    assert result(warned)["max_other_currency_share"] == "warn"
    quality.refuse(warned)
    with pytest.raises(GateRefused) as refused:
        quality.refuse(shop(orders(other=51)))  # 51 of 251 rows: 20.3 %
    said = str(refused.value)
    assert "gate max_other_currency_share: 20.3% against a limit of 20.0%" in said and "\n" not in said
    assert "rates: {USD: 7.1}" in said and "take max_other_currency_share out of gate.refuse" in said
    quality.refuse(shop(orders(other=51), gate={"refuse": []}))


def test_a_base_gate_that_refuses_still_degrades(shop):
    month = shop(orders(), gate={"refuse": ["min_customers"]})
    assert result(month)["min_customers"] == "refuse" and month.degraded("min_customers")
    assert not month.degraded("min_history_days")


def test_gates_look_at_nothing_after_as_of(shop):
    """September's own file and October's file as of September agree, whatever came later."""
    wrong_later = orders() + "c1,2026-10-30,50,w1,0,p1,s1,CNY\n"
    september = shop(wrong_later, as_of="2026-09-30").gates()
    pd.testing.assert_frame_equal(september, shop(orders(months=9), as_of="2026-09-30").gates())
    assert september.set_index("gate").loc["min_month_share", "about"] == "2026-09"


@pytest.fixture
def file(tmp_path):
    def written(text, gate):
        (tmp_path / "orders.csv").write_text(text)
        path = tmp_path / "shop.yaml"
        source = f"source: {{transactions: {{path: {tmp_path / 'orders.csv'}}}}}"
        path.write_text(f"report: {{name: shop}}\nas_of: 2026-10-31\n{source}\ngate: {gate}\n")
        return path

    return written


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_refusing_gate_is_exit_3_before_any_kernel_and_leaves_the_report(
    command, file, tmp_path, capsys, monkeypatch
):
    def no_worker(run):
        raise AssertionError("a worker was started")

    monkeypatch.setattr(runner, "_workers", no_worker)
    report = tmp_path / "out" / "shop" / "2026-10-31"
    report.mkdir(parents=True)
    (report / "index.html").write_text("last run's")
    path = file(orders(other=60), "{max_other_currency_share: 0.1}")
    assert cli.main([command, str(path), "--outputs", str(tmp_path / "out")]) == 3
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("tierbook:")]
    assert len(lines) == 1 and "gate max_other_currency_share: 23.1% against a limit of 10.0%" in lines[0]
    assert (report / "index.html").read_text() == "last run's" and len(list(report.iterdir())) == 1


def test_an_unknown_gate_to_refuse_is_exit_2_with_the_nearest(file, tmp_path, capsys):
    path = file(orders(), "{refuse: [min_custommers]}")
    assert cli.main(["check", str(path), "--outputs", str(tmp_path / "out")]) == 2
    assert "no gate is called 'min_custommers'; nearest is 'min_customers'" in capsys.readouterr().err
    with pytest.raises(ParamsError):
        Workbook(params.load(path), tmp_path / "out").check_rules()


def test_the_demo_passes_every_gate_it_can_be_judged_by(tmp_path_factory):
    tree = {"report": {"name": "x"}, "as_of": "2026-10-31", "source": {"transactions": {"preset": "demo"}}}
    month = Workbook(params.parse(tree), tmp_path_factory.mktemp("kept"))
    found = month.gates()
    assert (found["result"] == "pass").all()
    assert told.unjudged(found) == ["max_finance_gap", "stated_total"] and told.lines(Words("en"), found) == []
    assert month.impossible().empty
    missing = month.missing().query("table == 'transactions'").set_index("column")["missing"]
    by_month = month.missing_by_month().groupby("column")["missing"].sum()
    assert by_month.to_dict() == missing.to_dict()


@pytest.mark.long
def test_the_real_retail_log_has_the_faults_its_notes_tell_of(shared_data, tmp_path):
    """reference/retail.md: 11,620 exact copies of 1,067,370 rows, 235,287 lines without a customer, overlap no fault."""
    shared_data("online_retail_ii/online_retail_ii_union.parquet")
    month = Workbook(params.load(params.ROOT / "params" / "online_retail.yaml"), tmp_path)
    found = month.gates().set_index("gate")
    assert found.loc["max_duplicate_share", "value"] == pytest.approx(11_620 / 1_067_370)
    assert found.loc["max_duplicate_share", "result"] == "pass"
    assert 0 < found.loc["max_unidentified_share", "value"] < 0.5
    assert month.as_of > dt.date(2011, 1, 1)
