"""Every lazy expression of the library on DuckDB and on a real local Spark: equal in rows, values and types."""

import contextlib
import datetime as dt
import importlib
import inspect
import itertools
import pkgutil
from typing import NamedTuple

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pytest

import tierbook.cases
import tierbook.insight
from tierbook import accounting, history, params
from tierbook.cache import FRAME, Cache
from tierbook.cases import tiers_ahead
from tierbook.engine import literal
from tierbook.errors import ParamsError, TierbookError
from tierbook.insight import (
    affinity,
    alert_backtest,
    assignment,
    behaviour,
    budget,
    buying,
    card,
    cohorts,
    forecast_base,
    holdout,
    impossible,
    next_best,
    outliers,
    preference,
    profile,
    restated,
    retention,
    revenue_bridge,
    slices,
    touchpoints,
    tracking,
    upsell,
    visits,
    worth,
)
from tierbook.params import Campaign

AS_OF = dt.date(2026, 10, 31)
END = accounting.day_number(AS_OF)
WINDOW = 365
RULES = Campaign(window_days=30, pre_days=90)


class Given(NamedTuple):
    """What an expression may ask for: the read tables as lazy frames of one engine, and a way to bring small ones."""

    frame: object
    lines: nw.LazyFrame
    days: nw.LazyFrame
    visits: nw.LazyFrame
    bought: nw.LazyFrame


def _lines():
    """300 judged lines of 25 customers: refunds, free and cancelled orders, ties, prices that end in half a cent, orders
    over two days, empty cells and Chinese names; every number comes from the place in the list."""
    n = np.arange(300)
    net = np.select([n % 11 == 0, n % 13 == 0], [-5.0 - n % 3, 0.0], 10.05 + (n * 7) % 400 / 8)
    missing = lambda values, every: np.where(n % every == 0, None, values)  # noqa: E731
    return pd.DataFrame(
        {
            "customer_id": [f"客户{k}" if k % 2 else f"C{k}" for k in (n * 3) % 25],
            "order_id": missing([f"O{k}" for k in n // 2], 17),
            "order_key": [f"O{k}" for k in n // 2],
            "day": END - (n * 37) % 800 + np.where(n % 10 == 3, 1, 0),
            "net": net.round(4),
            "gross": np.where(n % 11 == 0, 0.0, net + np.where(n % 5 == 0, 3.1, 0.0)).round(4),
            "cost": missing((net / 3).round(4), 19),
            "quantity": missing(np.where(n % 23 == 0, 0.0, 1.0 + n % 2), 29),
            "product": missing([f"货品{k}" for k in (n * n) % 13], 31),
            "category": missing([("咖啡", "茶", "Ä", "z")[k] for k in n % 4], 37),
            "channel": missing([("web", "门店")[k] for k in n % 2], 7),
            "store": missing([("A", "乙")[k] for k in n % 2], 5),
            "region": missing([("North", "南")[k] for k in n % 2], 3),
            "reason": np.select(
                [n % 41 == 0, n % 43 == 0, n % 47 == 0], ["no_customer", "not_a_sale", "excluded"], "kept"
            ),
            "excluded_column": np.where(n % 47 == 0, "channel", None),
            "excluded_value": np.where(n % 47 == 0, "内购", None),
        }
    )


def _visits():
    n = np.arange(40)
    return pd.DataFrame(
        {
            "customer_id": [f"客户{k}" if k % 2 else f"C{k}" for k in n % 9],
            "visited_at": pd.to_datetime(
                [
                    pd.NaT if k % 13 == 0 else pd.Timestamp("2024-02-28 23:59:59") + pd.Timedelta(days=int(k) * 25)
                    for k in n
                ]
            ),
            "sessions": np.where(n % 4 == 0, np.nan, n % 3),
            "page_views": np.where(n % 5 == 0, np.nan, n % 7 - 1.0),
            "source": np.where(n % 6 == 0, None, np.where(n % 2, "搜索", "ad")),
        }
    )


@pytest.fixture(scope="module")
def given(engines, work):
    """The same Parquet files, read by each engine."""
    folder = work / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    lines, seen = _lines(), _visits()
    money = ", ".join(f"CAST({name} AS DECIMAL(18, 4)) AS {name}" for name in ("net", "gross", "cost"))
    with duckdb.connect() as made:
        made.register("lines", lines)
        made.register("visits", seen)
        made.execute(f"COPY (SELECT * REPLACE ({money}) FROM lines) TO {literal(folder / 'lines.parquet')}")
        made.execute(f"COPY visits TO {literal(folder / 'visits.parquet')}")
    by = {}
    for name, engine in engines.items():
        read = engine.scan(folder / "lines.parquet")
        engine.write(history.customer_days(read), folder / f"days_{name}.parquet")
        people = pd.DataFrame({"customer_id": sorted(lines["customer_id"].unique())})
        numbers = engine.frame(people.assign(customer=range(len(people))))
        items = pd.DataFrame({"name": sorted(lines["product"].dropna().unique())})
        bought = affinity.numbered(
            affinity.bought(read, "product"), numbers, engine.frame(items.assign(item=range(len(items))))
        )
        engine.write(bought, folder / f"bought_{name}.parquet")
        days, bought = (engine.scan(folder / f"{table}_{name}.parquet") for table in ("days", "bought"))
        by[name] = Given(engine.frame, read, days, engine.scan(folder / "visits.parquet"), bought)
    return by


def _people(g):
    found = pd.DataFrame({"customer_id": [f"C{k}" for k in range(0, 25, 2)] + [f"客户{k}" for k in range(1, 25, 2)]})
    n = np.arange(len(found))
    tiers = np.array(["高价值", "low", "outside"], dtype=object)
    return found.assign(tier=tiers[n % 3], first_day=END - 300 + n, customer=n, cell=n % 4, first_ago=n % 7)


def _frame(g, *columns):
    return g.frame(_people(g)[list(columns)])


def _calendar(g):
    return g.frame(retention.calendar(AS_OF, 24))


def _assigned(g):
    found = _people(g)[["customer_id"]][:15].assign(campaign="双十一", assigned_day=END - 60)
    found = pd.concat([found, found[::3].assign(campaign="b", assigned_day=END - 45)], ignore_index=True)
    return g.frame(found[["campaign", "customer_id", "assigned_day"]])


def _prices(g):
    return upsell.prices(g.lines, "category")


def _bounds(g):
    names = ["咖啡", "茶", "Ä", "z"]
    return g.frame(pd.DataFrame({"item": names, "middle_from": 20.05, "top_from": 40.5}))


def _ends(g):
    return g.frame(pd.DataFrame({"end": [END, END - 31, END - 400]}))


EXPRESSIONS = {
    "accounting.excluded": lambda g: accounting.excluded(g.lines),
    "history.customer_days": lambda g: history.customer_days(g.lines),
    "history.customer_days, lines": lambda g: history.customer_days(g.lines, lines_are_orders=True),
    "history.with_gaps": lambda g: history.with_gaps(g.days.select("customer_id", "day", "orders")),
    "history.history": lambda g: history.history(g.days, AS_OF, WINDOW),
    "history.distinct": lambda g: history.distinct(history.history(g.days, AS_OF, WINDOW), ["repeats", "own_gap_days"]),
    "history.followed": lambda g: history.followed(
        history.history(g.days, AS_OF - dt.timedelta(days=90), WINDOW), history.history(g.days, AS_OF, WINDOW)
    ),
    "history.windows": lambda g: history.windows(g.days, _ends(g), WINDOW),
    "tiers_ahead.sales_after": lambda g: tiers_ahead.sales_after(g.days, AS_OF - dt.timedelta(100), 90),
    "affinity.bought": lambda g: affinity.bought(g.lines, "product"),
    "affinity.numbered": lambda g: g.bought,
    "affinity.activity": lambda g: affinity.activity(g.bought),
    "affinity.by_customer": lambda g: affinity.by_customer(g.bought, 5),
    "affinity.by_item": lambda g: affinity.by_item(g.bought),
    "affinity.homes": lambda g: affinity.homes(g.lines),
    "affinity.together": lambda g: affinity.together(g.bought, g.bought, True),
    "alert_backtest.halves": lambda g: alert_backtest.halves(g.days, AS_OF, WINDOW),
    "alert_backtest.window_purchases": lambda g: alert_backtest.window_purchases(
        history.history(g.days, AS_OF, WINDOW), alert_backtest.halves(g.days, AS_OF, WINDOW)
    ),
    "assignment.behaviour": lambda g: assignment.behaviour(g.days, _assigned(g), RULES),
    "assignment.others": lambda g: assignment.others(
        g.days, _assigned(g), g.frame(pd.DataFrame({"campaign": ["双十一", "b"], "start": [END - 60, END - 45]})), RULES
    ),
    "behaviour.channel_orders": lambda g: behaviour.channel_orders(g.lines, _frame(g, "customer_id", "tier"), END - 300, END),
    "budget.first_months": lambda g: budget.first_months(_frame(g, "customer_id", "first_day"), [END, END - 31, END - 61]),
    "budget.brought": lambda g: budget.brought(
        g.days, _calendar(g), g.frame(_people(g)[["customer_id", "tier"]].assign(ago=2)), _frame(g, "customer_id", "first_ago")
    ),
    "buying.trade": lambda g: buying.trade(g.days, _calendar(g), _frame(g, "customer_id", "first_day")),
    "buying.breadth": lambda g: buying.breadth(g.lines, [END, END - 31], WINDOW),
    "card.purchases_of": lambda g: card.purchases_of(g.days, "客户1"),
    "cohorts.won": lambda g: _won(g),
    "cohorts.by_channel": lambda g: cohorts.by_channel(_won(g), _told(g)),
    "cohorts.counted": lambda g: cohorts.counted(cohorts.by_channel(_won(g), _told(g))),
    "cohorts.in_cells": lambda g: cohorts.in_cells(cohorts.by_channel(_won(g), None), _frame(g, "customer_id", "customer"), _cells(g)),
    "cohorts.cells": lambda g: cohorts.cells(g.days, _frame(g, "customer_id", "customer", "first_day", "cell"), END),
    "forecast_base.held_out": lambda g: forecast_base.held_out(*(history.history(g.days, AS_OF - dt.timedelta(days=back), WINDOW) for back in (200, 0, 400)), _frame(g, "customer_id", "tier")),
    "forecast_base.newcomers": lambda g: forecast_base.newcomers(
        history.history(g.days, AS_OF, WINDOW), _registered(g), END - 780
    ),
    "holdout.spend_within": lambda g: holdout.spend_within(g.days, END, 90),
    "impossible.impossible": lambda g: impossible.impossible(g.lines),
    "next_best.proposed": lambda g: _proposed(g),
    "next_best.best": lambda g: next_best.best([_proposed(g), _proposed(g)], g.bought),
    "next_best.by_segment": lambda g: next_best.by_segment(g.bought, g.frame(_people(g)[["customer", "tier"]].rename(columns={"tier": "segment"}))),
    "outliers.orders": lambda g: outliers.orders(g.lines, END - WINDOW, END),
    "outliers.of_customers": lambda g: outliers.of_customers(history.history(g.days, AS_OF, WINDOW)),
    "outliers.spread": lambda g: outliers.spread(outliers.orders(g.lines, END - WINDOW, END)),
    "outliers.beyond": lambda g: outliers.beyond(outliers.orders(g.lines, END - WINDOW, END), 60.0),
    "outliers.largest": lambda g: outliers.largest(outliers.orders(g.lines, END - WINDOW, END)),
    "preference.spent": lambda g: preference.spent(g.lines, "category", END, WINDOW),
    "preference.by_tier": lambda g: preference.by_tier(preference.spent(g.lines, "category", END, WINDOW), _frame(g, "customer_id", "tier")),
    "preference.activity": lambda g: preference.activity(preference.spent(g.lines, "category", END, WINDOW), _frame(g, "customer_id", "tier")),
    "profile.daily_sales": lambda g: profile.daily_sales(g.lines),
    "profile.daily_orders": lambda g: profile.daily_orders(g.days),
    "profile.totals": lambda g: profile.totals(history.history(g.days, AS_OF, WINDOW)),
    "profile.missing_by_day": lambda g: profile.missing_by_day(g.lines, ["product", "quantity", "cost"]),
    "restated.restated": lambda g: restated.restated(g.lines, g.frame(pd.DataFrame({"start": [END - 31, END - 62], "end": [END, END - 31]})), END),
    "retention.patterns": lambda g: retention.patterns(g.days, _calendar(g)),
    "revenue_bridge.moves": lambda g: revenue_bridge.moves(g.days, AS_OF),
    "slices.first_values": lambda g: slices.first_values(g.lines, g.days, ["region", "channel", "store"]),
    "touchpoints.days_of": lambda g: touchpoints.days_of(g.visits, "visit"),
    "touchpoints.transitions": lambda g: touchpoints.transitions(g.days, {"visit": g.visits}, END - 900, END),
    "tracking.repeat_days": lambda g: tracking.repeat_days(g.days, _frame(g, "customer_id", "first_day"), END),
    "upsell.prices": _prices,
    "upsell.counted": lambda g: upsell.counted(_prices(g)),
    "upsell.between_windows": lambda g: upsell.between_windows(_prices(g), _bounds(g), END, WINDOW),
    "upsell.next_purchases": lambda g: upsell.next_purchases(_prices(g), _bounds(g)),
    "upsell.by_tier": lambda g: upsell.by_tier(upsell.next_purchases(_prices(g), _bounds(g)), _frame(g, "customer_id", "tier")),
    "visits.daily": lambda g: visits.daily(g.visits, END),
    "visits.visitors": lambda g: visits.visitors(g.visits, END - WINDOW, END),
    "visits.by_source": lambda g: visits.by_source(g.visits, _frame(g, "customer_id", "tier"), END - WINDOW, END),
    "visits.first_visits": lambda g: visits.first_visits(g.visits, END),
    "worth.recent_money": lambda g: worth.recent_money(g.days, AS_OF),
}  # fmt: skip


def _won(g):
    return cohorts.won(history.history(g.days, AS_OF, WINDOW), _registered(g), END - 780)


def _cells(g):
    days = np.arange(END - 900, END + 1)
    return g.frame(pd.DataFrame({"first_day": days, "told": "unknown", "cell": days % 4}))


def _told(g):
    return _frame(g, "customer_id", "tier").rename({"tier": "channel"})


def _registered(g):
    """When customers registered: the first visit of each, which some have without a time."""
    return g.visits.group_by("customer_id").agg(nw.col("visited_at").min().alias("joined_at"))


def _proposed(g):
    return next_best.proposed(
        g.bought, g.frame(pd.DataFrame({"have": [0, 1, 2], "next": [1, 2, 3], "rank": [1, 2, 3]}))
    )


def in_order(found):
    """Rows in the order of their text: an engine gives them in none."""
    order = (
        found.astype(object).where(found.notna(), "").astype("str").apply("\x00".join, axis=1).argsort(kind="stable")
        if len(found)
        else []
    )
    return found.iloc[order].reset_index(drop=True)


def public_expressions():
    """module.function of every public function that gives a lazy frame."""
    packages = (tierbook.insight, tierbook.cases)
    names = [f"{package.__name__}.{m.name}" for package in packages for m in pkgutil.iter_modules(package.__path__)]
    for module in map(importlib.import_module, [*names, "tierbook.history", "tierbook.accounting"]):
        for name, made in inspect.getmembers(module, inspect.isfunction):
            own = made.__module__ == module.__name__ and not name.startswith("_")
            if own and made.__annotations__.get("return") == "nw.LazyFrame":
                yield f"{module.__name__.rpartition('.')[2]}.{name}"


def test_no_expression_is_left_out():
    assert set(public_expressions()) == {name.partition(",")[0] for name in EXPRESSIONS}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_gives_the_same_on_both_engines(name, engines, given):
    on_duckdb, on_spark = (in_order(engine.collect(EXPRESSIONS[name](given[key]))) for key, engine in engines.items())
    assert len(on_duckdb)
    # Sums of money and counts are exact; logarithms and sums of floating point may differ in the last digit.
    pd.testing.assert_frame_equal(on_spark, on_duckdb, rtol=1e-12, atol=0)


def test_small_frames_go_in_and_come_out_alike(engines):
    frame = pd.DataFrame(
        {
            "text": ["客户", None, "'\"\\%"],
            "whole": np.array([1, 2, 3], dtype="int64"),
            "small": np.array([1, 2, 3], dtype="int32"),
            "real": [0.1, np.nan, -0.0],
            "yes": [True, False, True],
            "when": pd.to_datetime(["2026-03-29 02:30:00", None, "1969-12-31 00:00:00"]),
        }
    )
    found = {
        name: engine.collect(engine.frame(frame)).sort_values("whole", ignore_index=True)
        for name, engine in engines.items()
    }
    pd.testing.assert_frame_equal(found["spark"], found["duckdb"])
    assert found["spark"]["text"].dtype == "str" and found["spark"]["when"].tolist()[0] == frame["when"][0]


def test_sums_of_whole_numbers_stay_whole_and_money_adds_up_exactly(engines, work):
    path = work / "money.parquet"
    with duckdb.connect() as made:
        made.execute(f"COPY (SELECT unnest([0.1, 0.2])::DECIMAL(18, 4) AS net, 1 AS n) TO {literal(path)}")
    for engine in engines.values():
        found = engine.collect(engine.scan(path).select(nw.col("net", "n").sum()))
        # In floating point 0.1 + 0.2 = 0.30000000000000004; in DECIMAL it is 0.3.
        assert found["net"].tolist() == [0.3] and found["n"].tolist() == [2] and found["n"].dtype == "int64"


@pytest.mark.parametrize("name", ["plain", "a[1]", "a*b?", "it's", "[x", "中 文", "{a,b}", "50%20"])
def test_a_folder_of_any_name_is_written_and_read_by_either(engines, work, name):
    for writer, engine in engines.items():
        path = work / name / f"{writer}.parquet"
        path.parent.mkdir(exist_ok=True)
        engine.write(engine.frame(pd.DataFrame({"a": [3]})), path)
        assert all(reader.collect(reader.scan(path))["a"].tolist() == [3] for reader in engines.values())


def _doubling():
    """Made within a function, so that it is sent to Spark's processes whole: they cannot import a test."""

    def doubled(chunk):
        kept = chunk[chunk["whole"] % 2 == 0]
        more = kept["whole"].where(kept["whole"] > 2)
        return pd.DataFrame({"whole": kept["whole"], "money": kept["money"] * 2, "name": kept["name"], "more": more})

    return doubled


def test_a_function_is_applied_to_chunks_alike(engines, work):
    path = work / "applied.parquet"
    with duckdb.connect() as made:
        made.execute(f"COPY (SELECT i AS whole, (i / 4)::DECIMAL(18, 4) AS money, CASE WHEN i > 3 THEN '客' || i END AS name FROM range(7) AS t(i)) TO {literal(path)}")  # fmt: skip
    columns = {"whole": "int64", "money": "float64", "name": "str", "more": "int64"}
    for name, engine in engines.items():
        made = work / f"doubled_{name}.parquet"
        engine.apply(path, made, _doubling(), columns, ["whole"])
        found = engine.collect(engine.scan(made)).sort_values("whole", ignore_index=True)
        # whole 0, 2, 4, 6: money 2 × whole / 4; name from 4 on; more from 4 on, so a column with nulls: float64
        wanted = pd.DataFrame(
            {
                "whole": [0, 2, 4, 6],
                "money": [0.0, 1.0, 2.0, 3.0],
                "name": [None, None, "客4", "客6"],
                "more": [np.nan, np.nan, 4, 6],
            }
        )
        pd.testing.assert_frame_equal(found, wanted.astype({"name": "str", "more": "Int64"}))


def test_chunks_hold_no_more_than_their_rows_and_together_every_row(engines, work):
    path = work / "million.parquet"
    with duckdb.connect() as made:
        made.execute(f"COPY (SELECT i FROM range(500_000) AS t(i)) TO {literal(path)}")
    for name, engine in engines.items():
        made = work / f"sizes_{name}.parquet"
        engine.apply(
            path,
            made,
            lambda chunk: pd.DataFrame({"rows": [len(chunk)], "sum": [int(chunk["i"].sum())]}),
            {"rows": "int64", "sum": "int64"},
            ["sum"],
        )
        sizes = engine.collect(engine.scan(made))
        assert sizes["rows"].sum() == 500_000 and sizes["rows"].max() <= 200_000
        assert sizes["sum"].sum() == 500_000 * 499_999 // 2


def test_ids_stand_in_one_order_and_are_cut_into_parts_alike(engines, work):
    """The bytes of UTF-8 on either engine and in Arrow, which reads the parts: else a customer would be lost between two."""
    ids = ["客户10", "客户2", "客户1", "Ä", "A\u0308", "a", "B", "b", "😀", "\uffee", "0", "00", "~", " x", "é"]
    expected = sorted(ids, key=str.encode)
    for name, engine in engines.items():
        kept = Cache(work / f"ids-{name}")
        (kept.folder / "history").mkdir()
        frame = engine.frame(pd.DataFrame({"customer_id": ids}))
        engine.write(frame.sort("customer_id"), kept.folder / "history" / FRAME)
        assert kept.read_frame("history")["customer_id"].tolist() == expected
        for low, high in itertools.pairwise(expected):
            bounds = [("customer_id", ">=", low), ("customer_id", "<", high)]
            assert kept.read_frame("history", ["customer_id"], bounds)["customer_id"].tolist() == [low]


def test_a_type_that_no_engine_knows_is_refused(engines, work):
    read = work / "a.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(read)
    for engine in engines.values():
        with pytest.raises(ParamsError, match="'category' is no type"):
            engine.apply(read, work / "never.parquet", _doubling(), {"a": "category"}, ["a"])


SHOP = 'customer_id,ordered_at,amount,product\nc1,2026-01-02,10.50,咖啡\n007,2026-02-03,8,"a ""b"", c"\n'


@pytest.fixture
def landed(engines, tmp_path):
    """Land a source and read it as the library does; returns its rows."""
    from tierbook import sources, storage
    from tierbook.params import TableSource

    def land(*paths, **spec):
        source = TableSource(path=list(paths), **spec)
        spark = contextlib.nullcontext(engines["spark"])
        storage.refresh(_asking(source), tmp_path / "kept", lambda: spark)
        kept = source.model_copy(update={"path": storage.snapshot(source, "visits", tmp_path / "kept", None)})
        files = sources.files_of(kept, "visits")
        read = pd.concat([pd.read_parquet(file).assign(file=file.name) for file in files], ignore_index=True)
        return read, files

    return land


def _asking(source):
    return params.Params(report={"name": "x"}, as_of=AS_OF, source={"visits": source}, engine={"name": "spark"})


def test_text_in_storage_lands_as_text_file_by_file(landed, tmp_path):
    for month in ("02", "01"):
        (tmp_path / f"订单 {month}%20.csv").write_text(SHOP, encoding="utf-8")
    found, files = landed(f"file://{tmp_path}/订单*.csv")
    assert [file.name for file in files] == ["00000 订单 01%20.csv.00000.parquet", "00001 订单 02%20.csv.00000.parquet"]
    assert found["customer_id"].tolist() == ["c1", "007"] * 2 and found["amount"].tolist() == ["10.50", "8"] * 2
    assert found["product"].tolist() == ["咖啡", 'a "b", c'] * 2 and (found.drop(columns="file").dtypes == "str").all()
    again, _ = landed(f"file://{tmp_path}/订单*.csv")
    pd.testing.assert_frame_equal(again, found)


def test_parquet_in_storage_keeps_its_types_and_spark_parts_are_one_file(landed, engines, tmp_path):
    frame = pd.DataFrame({"visited_at": pd.to_datetime(["2026-01-02 03:04:05", None]), "sessions": [1.5, None]})
    (tmp_path / "one").mkdir()
    frame.to_parquet(tmp_path / "one" / "a.parquet")
    engines["spark"].session.createDataFrame(frame.astype({"sessions": float})).repartition(2).write.parquet(
        f"file://{tmp_path}/parts.parquet"
    )
    found, files = landed(f"file://{tmp_path}/one/*.parquet", f"file://{tmp_path}/parts.parquet")
    assert {file.name.partition(".parquet")[0] for file in files} == {"00000 a", "00000 parts"}
    assert (
        found["sessions"].sum() == 3.0 and len(found) == 4 and str(found["visited_at"].dtype).startswith("datetime64")
    )


FAULTS = {
    "no such file": ("none.csv", None, {}, "does not exist"),
    "another encoding": ("a.csv", "customer_id,visited_at\n客户,2026-01-01\n".encode("gb18030"), {}, "write encoding: gb18030"),
    "a line too long": ("a.csv", b"customer_id,visited_at\nc1,2026-01-01,5\n", {}, "more or fewer cells"),
    "another kind": ("a.xlsx", b"PK", {}, "'.xlsx' is not read|.xlsx is not read"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_landed_is_told_in_one_line(fault, landed, tmp_path):
    name, content, spec, said = FAULTS[fault]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(TierbookError, match=said) as refused:
        landed(f"file://{tmp_path}/{name}", **spec)
    assert "source.visits.path" in str(refused.value) and "\n" not in str(refused.value)
    assert not list((tmp_path / "kept").glob("*")), "nothing half-read is kept"


def test_text_in_storage_in_the_encoding_that_the_params_name(landed, tmp_path):
    (tmp_path / "a.csv").write_bytes("customer_id;visited_at\n客户;2026-01-01\n".encode("gb18030"))
    found, _ = landed(f"file://{tmp_path}/a.csv", encoding="gb18030", delimiter=";")
    assert found["customer_id"].tolist() == ["客户"]
