"""Simulators of the case studies: the real files' columns, the planted truth found again, the same bytes every time."""

import io
import zipfile

import numpy as np
import pandas as pd
import pytest

from tierbook.cases import odds
from tierbook.cases.holdings import holdings
from tierbook.cases.value_bands import LEVELS, bands, losses, thirds
from tierbook.demo import services, trials
from tierbook.errors import InputError, ParamsError, PublishError
from tierbook.insight import campaign

BANK_TIERS = {"low": 0.5, "middle": 0.3, "high": 0.2}
REAL = {
    "hillstrom.csv": "hillstrom/hillstrom.csv",
    "Training.csv": "starbucks_promo_experiment/Training.csv",
    "Test.csv": "starbucks_promo_experiment/Test.csv",
    "Telco-Customer-Churn.csv": "telco_ibm/Telco-Customer-Churn.csv",
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trials")
    return {file: path for name in trials.SIMULATORS for file, path in trials.write(name, folder).items()}


@pytest.fixture(scope="module")
def mails():
    return trials.ecommerce(7)


@pytest.fixture(scope="module")
def subscribers():
    return services.telecom(7).tables[services.TELECOM]


def near(count, n, share):
    """Whether ``count`` of ``n`` is a fair draw of ``share``: within four standard errors."""
    return abs(count - n * share) <= 4 * np.sqrt(n * share * (1 - share)) + 1


def in_tiers(table):
    band = table["history_segment"].str[0].astype(int)
    tier = np.select([band == 1, band <= 3], ["low", "middle"], "high")
    return table.rename(columns={"segment": "arm"}).assign(tier=tier, response=table["conversion"])


def same_form(ours, real):
    """Same columns, in the same order, of the same kind; words are words the real file knows."""
    assert list(ours) == list(real)
    numeric = [[pd.api.types.is_numeric_dtype(column) for _, column in table.items()] for table in (ours, real)]
    assert numeric[0] == numeric[1]
    words = [name for name in real if not pd.api.types.is_numeric_dtype(real[name]) and real[name].nunique() < 50]
    for name in words:
        assert set(ours[name]) <= set(real[name]), name
    assert words


@pytest.mark.parametrize("file", REAL)
def test_a_written_file_reads_like_the_real_one(file, written, shared_data):
    same_form(pd.read_csv(written[file]), pd.read_csv(shared_data(REAL[file])))


def test_the_bank_file_reads_like_the_real_one(written, shared_data):
    with zipfile.ZipFile(shared_data("bank_marketing/bank.zip")) as files:
        raw = files.read("bank-full.csv")
    real, ours = pd.read_csv(io.BytesIO(raw), sep=";"), pd.read_csv(written["bank-full.csv"], sep=";")
    same_form(ours, real)
    assert written["bank-full.csv"].read_bytes().splitlines()[0] == raw.splitlines()[0]
    assert len(ours) == len(real)


def test_sizes_are_the_real_ones(written):
    rows = {file: len(path.read_bytes().splitlines()) - 1 for file, path in written.items()}
    assert rows.pop("tickets.csv") > 1_000
    assert rows == {
        "hillstrom.csv": 64_000,
        "Training.csv": 84_534,
        "Test.csv": 41_650,
        "bank-full.csv": 45_211,
        "Telco-Customer-Churn.csv": 7_043,
    }


@pytest.mark.parametrize("name", trials.SIMULATORS)
def test_same_seed_same_tables_other_seed_others(name):
    first, again, other = (trials.SIMULATORS[name](seed) for seed in (3, 3, 4))
    assert tuple(first.tables) == trials.FILES[name]
    for file, table in first.tables.items():
        pd.testing.assert_frame_equal(table, again.tables[file])
        assert not table.equals(other.tables[file])
    pd.testing.assert_frame_equal(first.truth, other.truth)


def test_no_such_simulator_and_no_such_folder(tmp_path):
    with pytest.raises(ParamsError, match="choose one of ecommerce, member_coupon, bank"):
        trials.write("banks", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(PublishError, match="bank cannot be written"):
        trials.write("bank", tmp_path / "file" / "under")


def test_a_mail_has_the_effects_that_were_planted(mails):
    table = in_tiers(mails.tables["hillstrom.csv"])
    shares = {"visit": "visit", "conversion": "conversion"}
    for row in mails.truth[mails.truth["outcome"].isin(shares)].itertuples():
        group = table[(table["arm"] == row.arm) & (table["tier"] == row.tier)][row.outcome]
        assert near(group.sum(), len(group), row.mean_treated)
    spend = mails.truth[mails.truth["outcome"] == "spend"].set_index(["arm", "tier"])
    found = campaign.effects(table, trials.CONTROL, ["spend"]).set_index(["arm", "tier"])
    for cell, row in spend.iterrows():
        # within 1.5 times the 95 % interval's half width: three standard errors
        half = found.loc[cell, "high"] - found.loc[cell, "effect"]
        assert abs(found.loc[cell, "effect"] - row["effect"]) < 1.5 * half


def test_the_review_sees_that_value_tiers_differ(mails):
    truth = mails.truth[(mails.truth["outcome"] == "spend") & (mails.truth["arm"] == trials.MENS)].set_index("tier")
    assert truth.loc["high", "effect"] > 0 > truth.loc["low", "effect"]
    table = campaign.effects(in_tiers(mails.tables["hillstrom.csv"]), trials.CONTROL, ["spend"])
    mens = table[table["arm"] == trials.MENS].set_index("tier")
    assert mens.loc["all", "interaction_p"] < 0.001
    assert mens.loc["high", "low"] > 0 and mens.loc["low", "verdict"] == "harmful"


def test_spend_is_heavy_tailed_as_in_the_real_test(mails):
    table = mails.tables["hillstrom.csv"]
    paid = table.loc[table["spend"] > 0, "spend"]
    assert ((table["spend"] > 0) == (table["conversion"] == 1)).all() and (table["visit"] >= table["conversion"]).all()
    assert paid.min() == 29.99 and paid.max() == 499.0 and 0.18 < (paid == 29.99).mean() < 0.29
    assert 105 < paid.mean() < 130 and 95 < paid.std() < 125  # real: 116.36 and 107.87
    assert (table[["mens", "womens"]].sum(axis=1) >= 1).all()
    low, high = trials._EDGES[:-1], [99.99, 199.99, 349.99, 499.99, 749.99, 999.99, 3_345.93]
    band = table["history_segment"].str[0].astype(int).to_numpy() - 1
    assert (table["history"] >= low[band]).all() and (table["history"] <= np.array(high)[band]).all()


def test_a_coupon_lifts_what_was_planted():
    shop = trials.member_coupon(7)
    both = pd.concat(shop.tables.values())
    assert both["ID"].is_unique and all(table["ID"].is_monotonic_increasing for table in shop.tables.values())
    assert near((both["Promotion"] == "Yes").sum(), len(both), 0.5)
    for row in shop.truth.itertuples():
        cell = both[(both["V4"] == row.V4) & (both["V5"] == row.V5)]
        assert near(len(cell), len(both), row.share)
        given = cell[cell["Promotion"] == "Yes"]["purchase"]
        assert near(given.sum(), len(given), 0.0075 + row.lift)
    pays = shop.truth[shop.truth["net_per_coupon"] > 0]
    assert set(zip(pays["V4"], pays["V5"], strict=True)) == {(2, 1), (2, 3)}
    everybody = (shop.truth["share"] * shop.truth["lift"]).sum()
    assert shop.truth["share"].sum() == pytest.approx(1) and 0.009 < everybody < 0.011  # under 0.015: does not pay


def test_a_coupon_without_effect_is_an_a_a_test():
    shop = trials.member_coupon(7, effect=0.0)
    assert (shop.truth["lift"] == 0).all()
    both = pd.concat(shop.tables.values())
    rates = both.groupby("Promotion")["purchase"].agg(["sum", "size"])
    assert all(near(row["sum"], row["size"], 0.0075) for _, row in rates.iterrows())


def test_the_banks_tiers_hold_what_was_planted():
    found = services.bank(7)
    table = found.tables[services.BANK]
    table = table.assign(tier=bands(table["balance"], BANK_TIERS))
    held = holdings(table, "tier", ["y", "loan", "housing", "default"]).set_index(["tier", "product"])
    for row in found.truth.itertuples():
        cell = held.loc[(row.tier, row.product)]
        assert near(cell["holders"], cell["customers"], row.share)
    # the trap is in the stand-in too: calls are longer after a yes
    length = table.groupby("y")["duration"].median()
    assert length["yes"] > 2 * length["no"]
    assert ((table["pdays"] == -1) == (table["previous"] == 0)).all()


def test_most_of_the_service_effect_is_the_contract(subscribers):
    """Crude about 4, adjusted about 1.6 = the planted ratio, over 10 seeds."""
    crude, adjusted = [], []
    for seed in range(10):
        table = services.telecom(seed).tables[services.TELECOM]
        without, left = table["TechSupport"].map({"No": True, "Yes": False}), table["Churn"] == "Yes"
        crude.append(odds.crude(without, left)["value"])
        adjusted.append(odds.adjusted(without, left, table[["Contract", "InternetService"]]))
    assert 3.6 < np.mean(crude) < 4.4
    assert np.mean([found["value"] for found in adjusted]) == pytest.approx(services.SUPPORT_ODDS, abs=0.1)
    assert sum(found["low"] < services.SUPPORT_ODDS < found["high"] for found in adjusted) >= 8


def test_who_pays_more_a_month_leaves_more(subscribers):
    table = losses(thirds(subscribers["MonthlyCharges"]), subscribers["Churn"] == "Yes", subscribers["MonthlyCharges"])
    assert table["churn"].is_monotonic_increasing and table["revenue_lost"].is_monotonic_increasing
    assert 0.10 < table["churn"].iloc[0] < 0.20 and 0.30 < table["churn"].iloc[2] < 0.42
    assert subscribers["customerID"].is_unique
    assert ((subscribers["TotalCharges"] == " ") == (subscribers["tenure"] == 0)).all()
    assert (subscribers["TotalCharges"] == " ").any()


def test_churn_by_line_and_contract_is_what_was_planted(subscribers):
    for row in services.telecom(7).truth.itertuples():
        cell = subscribers[
            (subscribers["InternetService"] == row.internet)
            & (subscribers["Contract"] == row.contract)
            & (subscribers["TechSupport"] == row.tech_support)
        ]
        assert len(cell) > 50 and near((cell["Churn"] == "Yes").sum(), len(cell), row.churn)


def test_tickets_meet_their_targets_as_often_as_planted():
    people = pd.DataFrame({"customer_id": np.char.mod("T%05d", np.arange(30_000)), "tier": list(LEVELS) * 10_000})
    made = services.telecom_tickets(7, people)
    table = made.tables["tickets.csv"].merge(people, on="customer_id", validate="many_to_one")
    hours = {
        name: (table[name] - table["opened_at"]).dt.total_seconds() / 3600 for name in table if name.endswith("_at")
    }
    assert (hours["first_response_at"] > 0).all() and (hours["resolved_at"] >= hours["first_response_at"]).all()
    assert table["opened_at"].between("2026-07-01", "2026-09-30 23:59:59").all()
    for row in made.truth.itertuples():
        own = table["tier"] == row.tier
        n, promised = own.sum(), services.TARGETS[row.tier]
        assert abs(n - 10_000 * row.tickets_per_customer) < 4 * np.sqrt(10_000 * row.tickets_per_customer)
        first = (hours["first_response_at"][own] <= promised["first_response_hours"]).sum()
        assert near(first, n, row.first_response_met)
        assert near((hours["resolved_at"][own] <= promised["resolved_hours"]).sum(), n, row.resolved_met)


def test_tickets_do_not_hang_on_the_order_of_rows_and_need_a_tier():
    people = pd.DataFrame(
        {"customer_id": list("abcdefgh"), "tier": ["high", "middle", "low", None, "other", "low", "middle", "low"]}
    )
    made = services.telecom_tickets(1, people).tables["tickets.csv"]
    again = services.telecom_tickets(1, people.iloc[::-1]).tables["tickets.csv"]
    pd.testing.assert_frame_equal(made, again)
    assert not set(made["customer_id"]) & {"d", "e"}
    with pytest.raises(InputError, match=r"no column \['tier'\]"):
        services.telecom_tickets(1, people[["customer_id"]])
