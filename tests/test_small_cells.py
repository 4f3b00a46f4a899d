"""No percentage on fewer than 10 customers, in any table or sentence of a shop so small that most of its cells are."""

import json
import re

import pandas as pd
import pytest

from hostile import shop
from tierbook import columns, params
from tierbook.report import handoffs
from tierbook.scores.maps import OUTSIDE
from tierbook.show.display import Show
from tierbook.workbook import Workbook

SMALL = 10


def all_inside(table):
    return table["customers"].where(table["name"] != OUTSIDE, 0).sum()


def of_each(column, count="customers", how="sum"):
    return lambda table: table.groupby(column)[count].transform(how)


def smaller(one, other):
    return lambda table: table[[one, other]].min(axis=1)


# table → its percentages, each with what they are percentages of: a column, or a function of the table
GROUPS = dict.fromkeys(("share", "revenue_share"), all_inside)
EFFECT = {
    "mean_treated": "n_treated",
    "mean_control": "n_control",
    **dict.fromkeys(("effect", "low", "high"), smaller("n_treated", "n_control")),
}
BASES = {
    **dict.fromkeys(("tiers", "segments", "stages", "clusters"), GROUPS),
    "sensitivity": {"same_tier": "customers"},
    "stage_transitions": {"rate": of_each("from_stage")},
    "leads": {"conversion_rate": "created", "repeat_rate": "converted"},
    "movement_12m": {"rate": of_each("from_tier"), "rate_year_before": of_each("from_tier", "customers_year_before")},
    "clv_backtest": {"coverage_80": "customers", "ratio": "customers"},
    "clv_past": {"coverage_80": "customers", "ratio": "customers"},
    "campaign_effects": EFFECT,
    "campaign_guardrails": EFFECT,
    "campaign_adjusted": {"effect": smaller("n_treated", "n_control")},
    "price_bands": {"share": "base"},
    "preferences": {"share": "base", "expected": "base", "spend_share": "base"},
    "affinity": {"confidence": "customers_have"},
    "reconciliation": {"share": "label_customers"},
    "voice": {"value": "n", "low": "n", "high": "n"},
    "behaviour": {"value": "n", "low": "n", "high": "n"},
    "ticket_topics": {"share": "n", "low": "n", "high": "n"},
    "churn_reasons": {
        "leaving_share": "n_leaving",
        "leaving_low": "n_leaving",
        "leaving_high": "n_leaving",
        "rest_share": "n_rest",
        "difference": smaller("n_leaving", "n_rest"),
    },
    "touchpoints": {"share": of_each("from", "occasions")},
    "channels": {"conversion_rate": "leads"},
    "budget": dict.fromkeys(("customer_share", "contact_share", "cost_share", "profit_share", "budget_index"), "customers"),
    "short_and_long": dict.fromkeys(("recent_share", "expected_share", "idle_share"), "customers"),
    "scorecard": {"value": "n", "low": "n", "high": "n"},
    "comeback": {"came_back": "customers"},
    "tier_rates": {"rate": "base"},
}  # fmt: skip
# percentages whose base stands in no column of the table (their own tests hold them), or that are not of customers
ELSEWHERE = {
    "scale_drift": {"shares"}, "sensitivity": {"best_kept"}, "stage_transitions": {"rate_year_ago"},
    "alert_backtest": {"base_rate", "precision", "precision_low", "precision_high", "recall", "alerted_share"},
    "next_best": {"segment_share", "confidence"}, "reconciliation": {"share_of_all"},
    "tier_rates": {"rate_year_before"},
    "campaign_adjusted": {"variance_gained"}, "campaign_returns": {"break_even_response"},
    "campaign_guardrails": {"allowed"}, "targeting_curve": {"share"}, "targeting_plans": {"share"},
    "outliers": {"held_share"}, "months": {"identified_share", "refund_share"},
    "missing": {"missing_share"}, "missing_by_month": {"missing_share"},
}  # fmt: skip


def test_every_share_that_a_table_tells_is_held_to_its_base():
    told = {
        (name.removesuffix(".csv"), column)
        for names, table in columns.TABLES.items()
        for name in names.split(" · ")
        for column, about in table.items()
        if "share" in about.unit.split(",")[0].split() and name.endswith(".csv")
    }
    held = {(name, column) for found in (BASES, ELSEWHERE) for name, shares in found.items() for column in shares}
    others = {("targeting_found", "share"), ("targeting_deciles", "share"), ("largest", "held_share")}
    assert told - held - others == set()


def percentages(name, table):
    """The rows of a table that are percentages."""
    if name == "scorecard":
        return table["unit"] == "share"
    if name.startswith("campaign_"):
        return table["outcome" if "outcome" in table else "measure"].isin(["response", "opted_out"])
    return pd.Series(True, table.index)


def leaks(name, table):
    """(table, column, rows): percentages of fewer than 10; and how many there might have been."""
    told, might = [], 0
    rows = table[percentages(name, table)]
    for column, base in BASES[name].items():
        count = rows[base] if isinstance(base, str) else base(rows)
        small = pd.Series(count, rows.index).fillna(SMALL).astype(float) < SMALL
        might += int(small.sum())
        if rows.loc[small, column].notna().any():
            told.append((name, column, int(rows.loc[small, column].notna().sum())))
    return told, might


def test_a_leak_is_seen():
    table = pd.DataFrame({"tier": ["all", "high"], "n": [10, 9], "value": [0.5, 0.5], "low": None, "high": None})
    assert leaks("voice", table) == ([("voice", "value", 1)], 3)
    assert leaks("voice", table.assign(value=[0.5, None])) == ([], 3)


@pytest.mark.long
@pytest.mark.parametrize("people", [9, 26])
def test_no_table_of_a_tiny_shop_tells_a_percentage_of_fewer_than_ten(people, tmp_path):
    tree = shop.write(tmp_path, people, hostile=False) | {"gate": {"min_customers": 5}}
    tables = dict(handoffs.tables(Workbook(params.parse(tree), tmp_path / "out")))
    found = {name: leaks(name, tables[name]) for name in BASES if name in tables and len(tables[name])}
    assert [leak for told, _ in found.values() for leak in told] == []
    assert sum(might > 0 for _, might in found.values()) >= 15, "the shop is small enough to show a leak"


# --- pages ------------------------------------------------------------------------------------------------------------

PAGES = ("02_segment_customers", "04_track_movement", "05_find_needs", "07_summarise_month")
PERCENT = re.compile(r"(?<![+−\d.,])\d[\d.,]*\s?%")  # with a sign it is a change, not a share
MONEY = re.compile(r"[A-Z]{2}[¥$€£][\d.,]+")
LEVEL = re.compile(r"\b(80|95)\s?% interval")
OF_NO_CUSTOMERS = ("net sales", "identified customers", "per customer")  # shares of money, and changes of means
# the quantile that the rule of stages takes, not a share that was found
RULES = ("had done so by then",)


def lines_of(html):
    """The rows of tables and the sentences of a page in plain text, without code, styles and drawings."""
    html = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", html, flags=re.DOTALL)
    for part in re.split(r"</(?:p|tr|li|h\d|div|figcaption|summary|dd|dt)>", html):
        yield from re.split(r"(?<=[.!?]) ", " ".join(re.sub(r"<[^>]+>", " ", part).split()))


def without_base(line):
    """Whether a line tells a percentage of customers and no number of at least 10 that it may be of."""
    line = LEVEL.sub("interval", line)
    if not PERCENT.search(line) or any(known in line.lower() for known in (*OF_NO_CUSTOMERS, *RULES)):
        return False
    numbers = re.findall(r"(?<![\d.,])\d[\d,]*(?![\d.]*\d)", MONEY.sub("", PERCENT.sub("", line)))
    return all(int(number.replace(",", "")) < SMALL for number in numbers)


@pytest.mark.parametrize(
    ("line", "leak"),
    [
        ("High 3 33%", True),
        ("<b>40% of customers</b>", True),
        ("2 of 9 customers (22.2 %)", True),
        ("CN¥12,000 of 9 customers, 22%", True),
        ("2 of 10 customers (20%)", False),
        ("High 3 – 95% interval –", False),
        ("Leads 82 +9.3%", False),
        ("Search 1,852 0%", False),
    ],
)
def test_a_percentage_of_few_is_seen_in_a_line(line, leak):
    assert [without_base(found) for found in lines_of(f"<p>{line}</p>") if found] == [leak]


@pytest.mark.long
def test_no_page_of_a_tiny_shop_tells_a_percentage_of_fewer_than_ten(tmp_path, monkeypatch):
    """The notebooks' code run here, without kernels; what it says is kept instead of displayed."""
    tree = shop.write(tmp_path, 9, hostile=False) | {"gate": {"min_customers": 5}}
    tree["report"]["languages"] = ["en"]
    said = []
    monkeypatch.setenv("TIERBOOK_OUTPUTS", str(tmp_path / "out"))
    monkeypatch.setattr(Show, "html", lambda show, build: said.append(build(show.words("en"))))
    for page in PAGES:
        names = params.dump(params.parse(tree))
        for cell in json.loads((params.ROOT / "notebooks" / f"{page}.ipynb").read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code" and "parameters" not in cell["metadata"].get("tags", []):
                exec("".join(cell["source"]), names)
    told = [line for html in said for line in lines_of(html)]
    assert [line for line in told if without_base(line)] == []
    assert len(told) > 300 and sum(bool(PERCENT.search(line)) for line in told) > 15, "pages with percentages"
