"""The quality gates: each by hand at its limit, what a missed one leads to, and what cannot be judged."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierbook.accounting import day_number
from tierbook.errors import ParamsError
from tierbook.insight import gates
from tierbook.params import Gate

AS_OF = dt.date(2026, 10, 31)
END = day_number(AS_OF)


def history(first_days_ago, last_days_ago, customers=1):
    return pd.DataFrame(
        {"first_day": [END - first_days_ago] * customers, "last_day": [END - last_days_ago] * customers}
    )


@pytest.mark.parametrize(
    ("gate", "given", "result"),
    [
        ("min_customers", history(400, 0, 499), "degrade"),
        ("min_customers", history(400, 0, 500), "pass"),
        ("min_customers", history(400, 0, 2).assign(customers=[250, 249]), "degrade"),
        ("min_customers", history(400, 0, 2).assign(customers=[250, 250]), "pass"),
        ("min_history_days", history(178, 0), "degrade"),  # 179 days, both ends counted
        ("min_history_days", history(179, 0), "pass"),
        ("max_days_since_last_order", history(400, 30), "pass"),
        ("max_days_since_last_order", history(400, 31), "degrade"),
    ],
)
def test_the_base_gates_at_their_limits(gate, given, result):
    found = gates.base(given, AS_OF, Gate()).set_index("gate")
    assert found.loc[gate, "result"] == result
    assert found.index.tolist() == ["min_customers", "min_history_days", "max_days_since_last_order"]
    refused = gates.base(given, AS_OF, Gate(refuse=[gate])).set_index("gate")
    assert refused.loc[gate, "result"] == ("pass" if result == "pass" else "refuse")


@pytest.mark.parametrize(
    ("gate", "value", "refuse", "result"),
    [
        ("max_duplicate_share", 0.0199, [], "pass"),
        ("max_duplicate_share", 0.02, [], "pass"),
        ("max_duplicate_share", 0.0201, [], "warn"),
        ("max_duplicate_share", 0.0201, ["max_duplicate_share"], "refuse"),
        ("max_duplicate_share", 0.02, ["max_duplicate_share"], "pass"),
        ("max_missing_change", 0.3 - 0.1, [], "pass"),  # 0.2 but for floating point
        ("min_month_share", 0.49, [], "warn"),
        ("min_month_share", 0.50, [], "pass"),
        ("max_other_currency_share", 0.0, [], "pass"),
        ("max_other_currency_share", 0.001, ["max_other_currency_share"], "warn"),  # any is a warning
        ("max_other_currency_share", 0.20, ["max_other_currency_share"], "warn"),
        ("max_other_currency_share", 0.21, ["max_other_currency_share"], "refuse"),
        ("max_other_currency_share", 0.21, [], "warn"),
        ("stated_total", 0.01, [], "pass"),
        ("stated_total", 0.02, [], "warn"),
    ],
)
def test_results_just_below_at_and_just_above_a_limit(gate, value, refuse, result):
    assert gates.judged({gate: (value, None)}, Gate(refuse=refuse))["result"].tolist() == [result]


def test_what_cannot_be_judged_has_no_row():
    found = gates.judged({"min_month_share": (float("nan"), "2026-10"), "max_damaged_share": (0.0, None)}, Gate())
    assert found["gate"].tolist() == ["max_damaged_share"]
    assert gates.judged({}, Gate()).columns.tolist() == gates.COLUMNS


def test_an_unknown_gate_is_refused_with_the_nearest():
    gates.check_names(Gate(refuse=["stated_total", "min_customers"]))
    with pytest.raises(ParamsError, match="no gate is called 'max_duplicates_share'; nearest is 'max_duplicate_share'"):
        gates.check_names(Gate(refuse=["max_duplicates_share"]))
    with pytest.raises(ParamsError, match=r"gate\.refuse: no gate is called 'finance'"):
        gates.check_names(Gate(refuse=["finance"]))


def accounting(**rows):
    table = [("transactions", reason, n, amount, f"e.g. {reason}") for reason, (n, amount) in rows.items()]
    table.append(("surveys", "duplicate", 1000, None, "x"))
    return pd.DataFrame(table, columns=["table", "reason", "rows", "amount", "example"])


def test_shares_of_rows_by_hand():
    """80 kept + 5 + 2 + 3 + 4 + 1 + 2 + 1 + 2 = 100 order lines; blank, total and header rows are none; overlap is."""
    given = accounting(
        kept=(80, 1), bad_date=(5, 0), bad_amount=(2, 0), damaged_id=(1, 1), masked_id=(2, 1), lost_zeros=(4, 1),
        duplicate=(1, 1), repeated_line=(2, 1), other_currency=(1, 0), overlap=(2, 1),
        blank_row=(50, 0), total_row=(50, 9), repeated_header=(50, 0),
    )  # fmt: skip
    assert gates.of_rows(given) == {
        "max_unreadable_share": (0.07, "bad_date"),
        "max_damaged_share": (0.07, "lost_zeros"),
        "max_duplicate_share": (0.03, "repeated_line"),
        "max_other_currency_share": (0.01, "e.g. other_currency"),
    }
    assert set(gates.of_rows(accounting(kept=(7, 1), overlap=(93, 1))).values()) == {(0, None)}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=6, max_size=6), st.integers(0, 50))
def test_a_worse_file_never_has_a_smaller_share(rows, more):
    reasons = ("bad_date", "damaged_id", "duplicate", "other_currency", "overlap", "kept")
    given = {reason: (n + 1, 0.0) for reason, n in zip(reasons, rows, strict=True)}
    before = gates.of_rows(accounting(**given))["max_damaged_share"][0]
    given["damaged_id"] = (given["damaged_id"][0] + more, 0.0)
    after = gates.of_rows(accounting(**given))["max_damaged_share"][0]
    assert 0 <= before <= after <= 1


def test_the_unidentified_share_is_of_money():
    sales = pd.DataFrame({"reason": ["kept", "no_customer", "no_customer"], "net": [60.0, 50.0, -10.0]})
    assert gates.of_sales(sales) == {"max_unidentified_share": (0.4, None)}
    nothing = gates.of_sales(sales.assign(net=[-60.0, 20.0, 0.0]))["max_unidentified_share"]
    assert pd.isna(nothing[0]), "no share of less than nothing"


def test_the_impossible_share_names_the_commonest():
    faults = pd.DataFrame({"fault": ["too_early", "price_far_off"], "lines": [1, 2]})
    assert gates.of_impossible(faults, 100) == {"max_impossible_share": (0.03, "price_far_off")}
    assert gates.of_impossible(faults.head(0), 100) == {"max_impossible_share": (0.0, None)}


@pytest.mark.parametrize(
    ("as_of", "month"),
    [("2026-10-31", "2026-10"), ("2026-10-30", "2026-09"), ("2026-02-28", "2026-02"), ("2024-02-28", "2024-01")],
)
def test_the_last_whole_month(as_of, month):
    assert gates.last_whole_month(dt.date.fromisoformat(as_of)) == month


def months(first, *orders):
    return pd.DataFrame(
        {"month": [str(p) for p in pd.period_range(first, periods=len(orders), freq="M")], "orders": orders}
    )


@pytest.mark.parametrize(
    ("given", "share"),
    [
        (months("2026-06", 999, 10, 20, 30, 10), 0.5),  # June is left out; median of 10, 20, 30
        (months("2026-07", 999, 10, 20, 10), None),  # two months before it
        (months("2026-05", 999, 10, 20, 30, 40), 0.0),  # nothing in October: it has no row
        (months("2025-08", 999, 500, *[20] * 12, 10), 0.5),  # twelve months before, not the thirteenth
        (months("2026-06", 999, 0, 0, 0, 10), None),
    ],
)
def test_a_drop_against_the_months_before(given, share):
    value, month = gates.of_months(given, AS_OF)["min_month_share"]
    assert month == "2026-10"
    assert pd.isna(value) if share is None else value == share


def missing(**columns):
    """Column → its empty cells by month, each of ``rows`` lines."""
    rows = columns.pop("rows")
    first = columns.pop("first", "2026-07")
    periods = [str(p) for p in pd.period_range(first, periods=len(rows), freq="M")]
    told = [(p, name, n, e) for name, empty in columns.items() for p, n, e in zip(periods, rows, empty, strict=True)]
    return pd.DataFrame(told, columns=["month", "column", "rows", "missing"])


def test_the_largest_change_of_a_columns_empty_cells():
    """store: 30 of 100 now, (0 + 10 + 20) of 300 before: 0.3 − 0.1; cost: 0 now, 0.25 before; product never has any."""
    given = missing(rows=[100] * 4, store=[0, 10, 20, 30], product=[0] * 4, cost=[100, 100, 100, 100])
    assert gates.of_columns(given, AS_OF)["max_missing_change"] == (pytest.approx(0.2), "store")
    filled = missing(rows=[100] * 4, store=[0, 10, 20, 30], cost=[25, 25, 25, 0])
    assert gates.of_columns(filled, AS_OF)["max_missing_change"] == (pytest.approx(0.25), "cost")


@pytest.mark.parametrize(
    "given",
    [
        missing(rows=[100] * 4, store=[0, 0, 0, 100], first="2026-06"),  # ends in September: nothing in October
        missing(rows=[100] * 3, store=[0, 0, 100], first="2026-08"),  # two months before
        missing(rows=[100, 100, 100, 99], store=[0, 0, 0, 99]),
        missing(rows=[33, 33, 33, 500], store=[0, 0, 0, 500]),
    ],
)
def test_too_little_to_judge_a_columns_change(given):
    assert pd.isna(gates.of_columns(given, AS_OF)["max_missing_change"][0])


def test_finances_figure_beside_ours():
    ours = pd.DataFrame({"month": ["2026-09", "2026-10"], "net_sales": [90.0, 101.0]})
    given = {"2026-10": 100.0, "2026-09": 0.0, "2020-01": 5.0}
    table = gates.finance(ours, given)
    assert table["month"].tolist() == ["2020-01", "2026-09", "2026-10"]
    assert table["net_sales"].isna().tolist() == [True, False, False]
    assert table["difference"].tolist()[1:] == [90.0, 1.0] and table["gap"].isna().tolist() == [True, True, False]
    assert gates.of_finance(ours, AS_OF, given)["max_finance_gap"] == (pytest.approx(0.01), "2026-10")
    # the 30th leaves a day of October out: September is the last whole month, and finance says nothing of it
    assert pd.isna(gates.of_finance(ours, dt.date(2026, 10, 30), {"2026-10": 100.0})["max_finance_gap"][0])
    assert pd.isna(gates.of_finance(ours, AS_OF, {})["max_finance_gap"][0])


def test_the_files_own_total_against_its_lines():
    """Lines 100 + 20 + 5 − 5 = 120, set-aside lines included; one total row a file."""
    given = accounting(kept=(9, 100.0), status=(2, 20.0), overlap=(1, 5.0), excluded=(1, -5.0), total_row=(2, 121.5))
    assert gates.of_stated_total(given, 2) == {"stated_total": (1.5, None)}
    assert pd.isna(gates.of_stated_total(given, 1)["stated_total"][0]), "a subtotal among them"
    assert pd.isna(gates.of_stated_total(accounting(kept=(9, 100.0)), 1)["stated_total"][0])
