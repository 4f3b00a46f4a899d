"""A finished experiment as a table: each cell typed, each row accounted for, every fault one line."""

import zipfile

import pandas as pd
import pytest
import yaml

from tierbook import params
from tierbook.errors import InputError, ParamsError
from tierbook.params import ROOT
from tierbook.workbook import Workbook

# Six customers: two arms of three. Visits are yes/no, one spend is missing (not observed), money is written as people do.
TABLE = """segment,visit,spend,past,place,band
A mail,yes,"¥1,200.50",10,north,1) low
A mail,no,0,20,south,2) mid
A mail,yes,,30,north,3) high
None,no,0,10,north,1) low
None,yes,99.5,20,,2) mid
None,no,0,30,south,3) high
"""
COLUMNS = {"arm": "segment", "response": "visit", "tier": "band"}
RULES = {
    "control": "None",
    "outcomes": ["response", "spend", "profit"],
    "covariates": ["past", "place"],
    "contact_cost": 0.5,
}


@pytest.fixture
def opened(tmp_path):
    """The workbook of a trial written as text, with changed rules or source."""

    def call(text=TABLE, source=(), campaign=(), **keys):
        path = tmp_path / "trial.csv"
        path.write_text(text, encoding="utf-8")
        tree = {"report": {"name": "mailing"}, "as_of": "2026-10-31", "margin": 0.4, **keys}
        tree["source"] = {"trial": {"path": str(path), "columns": COLUMNS, **dict(source)}}
        tree["campaign"] = {**RULES, **dict(campaign)}
        return Workbook(params.parse(tree), tmp_path / "out")

    return call


def refused(month, error, *words):
    with pytest.raises(error) as caught:
        month.campaigns()
    line = str(caught.value)
    assert "\n" not in line and all(word in line for word in words), line


def test_cells_are_typed(opened):
    month = opened(campaign={"tiers": {"small": ["1) low", "2) mid"], "large": ["3) high"]}})
    rows = month.campaigns()["assigned"]
    assert rows["response"].tolist() == [1, 0, 1, 0, 1, 0]
    assert rows["spend"].fillna(-1).tolist() == [1200.5, 0, -1, 0, 99.5, 0]
    assert rows["past"].tolist() == [10, 20, 30] * 2 and rows["place"].isna().tolist() == [False] * 4 + [True, False]
    assert rows["tier"].tolist() == ["small", "small", "large"] * 2
    assert rows["contacted"].tolist() == [True] * 3 + [False] * 3
    # 0.4 × spend less 0.50 for who was contacted: 480.20 − 0.50; 0 − 0.50; unknown; 0; 39.80; 0
    assert rows["profit"].fillna(-1).tolist() == pytest.approx([479.7, -0.5, -1, 0, 39.8, 0])
    assert month.accounting()[["table", "reason", "rows"]].to_numpy().tolist() == [["trial", "kept", 6]]
    assert month.accounting()["amount"].tolist() == [1300.0]


def test_effects_stand_on_every_row(opened):
    effects = opened().campaigns()["effects"].set_index(["tier", "outcome"])
    assert effects["campaign"].unique().tolist() == ["mailing"]
    # no percentage of three customers; spend 600.25 (two observed) against 33.1667
    row = effects.loc[("all", "response")]
    assert (row["n_treated"], row["n_control"]) == (3, 3) and pd.isna(row["effect"])
    assert effects.loc[("all", "spend"), "effect"] == pytest.approx(600.25 - 99.5 / 3)


def test_rows_alike_are_different_customers(opened):
    rows = opened(TABLE + "None,no,0,10,north,1) low\n" * 2).campaigns()["assigned"]
    assert len(rows) == 8 and rows["customer_id"].is_unique


def test_a_row_without_an_arm_is_counted_and_told(opened):
    month = opened(TABLE + ",yes,7,10,north,1) low\n")
    counted = month.accounting().set_index("reason")
    assert counted["rows"].to_dict() == {"kept": 6, "no_arm": 1}
    assert counted.loc["no_arm", ["amount", "example"]].tolist() == [7.0, "row 7"]
    assert len(month.campaigns()["assigned"]) == 6


def test_a_factor_may_be_a_number_and_a_column_constant(opened):
    columns = {
        "arm": {"value": "called"},
        "response": "visit",
        "orders": "visit",
        "spend": {"multiply": ["past", "2.5"]},
    }
    month = opened(source={"columns": columns}, campaign={"control": "held"})
    rows = month.campaigns()["assigned"]
    assert rows["spend"].tolist() == [25, 50, 75] * 2 and set(rows["arm"]) == {"called"}
    assert set(month.campaigns()["effects"]["verdict"]) == {"no_control"}


@pytest.mark.parametrize(
    ("text", "source", "campaign", "error", "words"),
    [
        (TABLE.replace("99.5", "much"), {}, {}, InputError, ["'spend'", "1 of 6", "much", "numbers"]),
        (TABLE, {}, {"covariates": ["passt"]}, ParamsError, ["'passt'", "nearest is 'past'"]),
        (TABLE, {}, {"outcomes": ["spent"]}, ParamsError, ["'spent'", "nearest is 'spend'"]),
        (TABLE, {"columns": {"arm": "segment", "response": "visit"}}, {"tier": "bandd"}, ParamsError, ["'bandd'", "nearest is 'band'"]),
        (TABLE, {"columns": {"response": "visit"}}, {}, InputError, ["'arm'", "trial.arm"]),
        (TABLE, {}, {"tiers": {"a": ["1) low"]}}, ParamsError, ["4 rows", "2) mid"]),
        (TABLE, {}, {"tiers": {"a": ["1) low"], "b": ["1) low"]}}, ParamsError, ["'1) low'", "twice"]),
        (TABLE.replace("band", "customer_id"), {"columns": COLUMNS | {"tier": "place"}}, {}, InputError, ["repeats in 3 rows"]),
        (TABLE.replace("spend", "b"), {}, {"outcomes": ["profit"]}, InputError, ["no outcome", "source.trial.columns"]),
    ],
)  # fmt: skip
def test_faults_are_one_line(opened, text, source, campaign, error, words):
    refused(opened(text, source, campaign), error, *words)


def test_an_archive_names_its_member(opened, tmp_path):
    bundle = tmp_path / "both.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("one.csv", TABLE)
        archive.writestr("two.txt", "nothing")
    refused(opened(source={"path": str(bundle)}), InputError, "one.csv, two.txt", "member:")
    assert len(opened(source={"path": str(bundle), "member": "one.csv"}).campaigns()["assigned"]) == 6
    bundle.write_bytes(b"PK no archive")
    refused(opened(source={"path": str(bundle)}), InputError, "both.zip", "cannot be unpacked")


def test_neither_orders_nor_trial_is_refused():
    with pytest.raises(ParamsError, match="or trial"):
        Workbook(params.parse({"report": {"name": "x"}, "as_of": "2026-10-31", "source": {}}))


def test_orders_that_are_missing_may_be_stood_in_for_by_the_demo(tmp_path):
    tree = yaml.safe_load((ROOT / "params" / "cdnow.yaml").read_text())
    tree["as_of"] = str(tree["as_of"])
    tree["source"]["transactions"] |= {"path": str(tmp_path / "nothing.txt"), "simulated": "demo"}
    month = Workbook(params.parse(tree), tmp_path / "out")
    assert month.simulated("transactions") and month.as_of.isoformat() == "2026-10-31"
    (tmp_path / "nothing.txt").write_text("0001 19970101 1 10.00\n")
    there = Workbook(params.parse(tree), tmp_path / "out")
    assert not there.simulated("transactions") and there.as_of.isoformat() == "1998-06-30"


@pytest.mark.real_data
def test_hillstrom_by_its_params(shared_data, tmp_path):
    tree = params.read_yaml(ROOT / "params" / "hillstrom.yaml")
    tree["source"]["trial"]["path"] = str(shared_data("hillstrom/hillstrom.csv"))
    month = Workbook(params.parse(tree), tmp_path)
    counted = month.accounting().iloc[0]
    # reference/campaigns.md: 13,908.33 + 30,311.69 + 23,038.11 = 67,258.13
    assert (counted["rows"], round(counted["amount"], 2)) == (64_000, 67_258.13)
    effects = month.campaigns()["effects"].set_index(["arm", "tier", "outcome"])
    assert effects["srm_p"].round(4).unique().tolist() == [0.9037]
    for arm, (effect, low, high) in {"Mens": (0.2979, 0.184, 0.412), "Womens": (0.1598, 0.058, 0.262)}.items():
        row = effects.loc[(f"{arm} E-Mail", "all", "profit")]
        assert (row["effect"], row["low"], row["high"]) == pytest.approx((effect, low, high), abs=5e-4)
        assert row["verdict"] == "works_and_pays"
    row = effects.loc[("Womens E-Mail", "middle", "spend")]
    assert (row["effect"], row["p_holm"]) == pytest.approx((0.099, 0.571), abs=5e-4)


def test_tiers_that_params_group_are_text(opened):
    rows = opened(TABLE.replace("band", "level").replace("1) low", "1").replace("2) mid", "2").replace("3) high", "3"),
                  source={"columns": {"arm": "segment", "response": "visit"}}, campaign={"tier": "level", "tiers": {"all_three": [1, 2, 3]}})  # fmt: skip
    assert pd.unique(rows.campaigns()["assigned"]["tier"]).tolist() == ["all_three"]
