"""Reports on real data, on orders alone, and on shops that leave little to say."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tierbook import params
from tierbook.params import read_yaml
from tierbook.report import handoffs
from tierbook.workbook import Workbook

ROOT = Path(__file__).resolve().parents[2]
MISSED = {"leads": "index", "contacts": "06_review_campaign", "surveys": "index", "costs": "index"}


def accounting(report):
    table = pd.read_csv(report / "tables" / "row_accounting.csv")
    return table[table["table"] == "transactions"].set_index("reason")["rows"].to_dict()


def in_one_language(name, tmp_path, language="en"):
    """A committed params file with its report in one language."""
    tree = read_yaml(ROOT / "params" / f"{name}.yaml")
    tree["report"]["languages"] = [language]
    path = tmp_path / f"{name}.yaml"
    path.write_text(yaml.safe_dump(tree, allow_unicode=True))
    return path


def said(report, page="index", language="en"):
    """What a page says, without code, styles and drawings."""
    text = (report / language / f"{page}.html").read_text()
    text = re.sub(r"<(script|style|details|svg)\b.*?</\1>", " ", text, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


@pytest.mark.long
@pytest.mark.real_data
def test_cdnow(shared_data, tmp_path, run_report):
    shared_data("cdnow/CDNOW_master.txt")
    report = run_report(in_one_language("cdnow", tmp_path), tmp_path / "out")
    assert accounting(report) == {"kept": 69_659}
    assert len(pd.read_parquet(report / "tables" / "customers.parquet")) == 23_570
    assert re.search(r"\b80\b", said(report, "01_profile_data")), "the 80 zero-dollar orders are told"
    assert "source.contacts" in said(report, "06_review_campaign")
    assert "not profit" in said(report)


@pytest.mark.long
@pytest.mark.real_data
def test_online_retail(shared_data, tmp_path, run_report):
    shared_data("online_retail_ii/online_retail_ii_union.parquet")
    report = run_report(in_one_language("online_retail", tmp_path, "zh"), tmp_path / "out")
    # reference/retail.md: 1,067,370 read − 22,523 − 235,287 − 18,516 − 11,620 = 779,424
    wanted = {"overlap": 22_523, "no_customer": 235_287, "not_a_sale": 18_516, "duplicate": 11_620, "kept": 779_424}
    assert accounting(report) == wanted
    assert sum(wanted.values()) == 1_067_370


ON_ORDERS_ALONE = (
    "tiers",
    "segments",
    "stages",
    "clusters",
    "movement",
    "clv_model",
    "clv_backtest",
    "months",
    "gates",
)


@pytest.mark.long
def test_without_optional_tables_only_their_sections_change(tmp_path, run_report):
    """Orders alone: the tables that stand on orders are the same, bytes and all; the rest says what it misses."""
    tree = read_yaml(in_one_language("demo", tmp_path))
    handoffs.write_tables(Workbook(params.parse(tree), tmp_path / "out"), tmp_path / "whole")
    tree["source"] = {"transactions": tree["source"]["transactions"]}
    alone = tmp_path / "alone.yaml"
    alone.write_text(yaml.safe_dump(tree, allow_unicode=True))
    report = run_report(alone, tmp_path / "out")
    for name in ON_ORDERS_ALONE:
        assert (tmp_path / "whole" / f"{name}.csv").read_bytes() == (report / "tables" / f"{name}.csv").read_bytes(), (
            name
        )
    books = [pd.read_parquet(folder / "customers.parquet") for folder in (tmp_path / "whole", report / "tables")]
    pd.testing.assert_frame_equal(*(book.drop(columns=["owner", "action"]) for book in books))
    assert not (report / "tables" / "campaign_effects.csv").exists()
    for table, page in MISSED.items():
        assert f"source.{table}" in said(report, page), table
    assert "birthdays, who must not be contacted" in said(report, "01_profile_data"), (
        "what a customers table would bring"
    )


@pytest.mark.long
@pytest.mark.parametrize("table", ["customers", "leads", "contacts", "surveys", "tickets", "visits", "costs"])
def test_taking_one_optional_table_away_changes_only_what_stands_on_it(table, tmp_path_factory):
    outputs = tmp_path_factory.getbasetemp() / "one_away"
    tree = read_yaml(ROOT / "params" / "demo.yaml")
    whole = Workbook(params.parse(tree), outputs)
    del tree["source"][table]
    without = Workbook(params.parse(tree), outputs)
    resting = {"customers": ["owner", "action"]}.get(table, [])
    pd.testing.assert_frame_equal(whole.book().drop(columns=resting), without.book().drop(columns=resting))
    cards = [month.scorecard().set_index("measure") for month in (whole, without)]
    lost = {
        "leads": {"leads", "converted_leads", "conversion_rate", "days_to_convert"},
        "surveys": {"nps", "csat"},
        "costs": {"acquisition_cost"},
    }.get(table, set())
    assert set(cards[0].index) - set(cards[1].index) == lost
    # whom last month's call list named, and whom it held out, stands on owners and contacts too
    called = ["listed_bought", "held_out_bought"] if table in {"customers", "contacts"} else []
    kept = [card.drop(index=[name for name in [*lost, *called] if name in card.index]) for card in cards]
    pd.testing.assert_frame_equal(*kept, check_dtype=False)
    assert bool(without.campaigns()) == (table != "contacts")


SHOPS = {
    "one customer": "customer_id,ordered_at,amount\nc1,2026-01-05,10\nc1,2026-03-05 23:59:00,20\nc1,2026-10-01,30\n",
    "one-time buyers": "customer_id,ordered_at,amount\n"
    + "".join(f"c{n},2026-{1 + n % 10:02d}-{1 + n % 28:02d},{5 + n % 90}\n" for n in range(600)),
}


@pytest.mark.long
@pytest.mark.parametrize("shop", ["one customer", "one-time buyers"])
def test_a_small_shop_gets_a_report_that_says_what_it_cannot_say(shop, tmp_path, run_report):
    orders = tmp_path / "orders.csv"
    orders.write_text(SHOPS[shop])
    file = tmp_path / "small.yaml"
    source = {"transactions": {"path": str(orders)}}
    file.write_text(
        yaml.safe_dump({"report": {"name": "small", "languages": ["en"]}, "as_of": "2026-10-31", "source": source})
    )
    report = run_report(file, tmp_path / "out")
    book = pd.read_parquet(report / "tables" / "customers.parquet")
    assert len(book) == SHOPS[shop].count("\n") - 1 if "one-time" in shop else len(book) == 1
    assert book["clv"].isna().all() and book["value_note"].notna().all()
    assert "No lifetime value is given" in said(report)
    if shop == "one customer":
        assert "tiers stand on fixed thresholds" in said(report)
        assert book.loc[0, "orders"] == 3 and book.loc[0, "recency_days"] == 30  # 2026-10-31 less 2026-10-01
