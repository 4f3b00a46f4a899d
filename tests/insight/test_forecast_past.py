"""How the forecast of each earlier date has fared since: sums by hand, reasons, and a shop drawn from the model."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from tierbook.insight import forecast_past
from tierbook.insight.forecast_past import COLUMNS
from tierbook.scores.model_choice import choose

AS_OF = dt.date(2026, 10, 31)
JULY, OCTOBER = dt.date(2026, 7, 31), dt.date(2026, 10, 1)


def fared_since(histories, now):
    """Each history with what its customers bought since, from their purchase days then and now."""
    days = now.set_index("customer_id")["active_days"]

    def at(date):
        then = histories[date]
        return then.assign(since=days.reindex(then["customer_id"]).to_numpy() - then["active_days"])

    return forecast_past.fared_since(at, histories, AS_OF)


def then(size=300, seed=1):
    """Customers of a gamma-Poisson shop at some date: customer_id, repeats, t_x, T, active_days."""
    rng = np.random.default_rng(seed)
    T = rng.integers(200, 400, size)
    repeats = rng.poisson(rng.gamma(0.7, 1 / 120, size) * T)
    t_x = np.where(repeats > 0, np.ceil(T * rng.beta(repeats + 1, 1.3)), 0)
    repeats = np.minimum(repeats, t_x).astype("int64")
    return pd.DataFrame(
        {
            "customer_id": [f"c{k:04}" for k in range(size)],
            "repeats": repeats,
            "t_x": t_x,
            "T": T,
            "active_days": repeats + 1,
        }
    )


def test_each_date_is_forecast_and_counted_to_as_of():
    """In July 300 customers; since then each of them bought twice. In October the first of these two was done, and fifty more
    customers were known, who have not bought since. Two more appear after that: nobody could forecast them."""
    july = then()
    october = pd.concat([july.assign(active_days=july["active_days"] + 1, T=july["T"] + 62),
                         then(50, 2).assign(customer_id=[f"n{k}" for k in range(50)])], ignore_index=True)  # fmt: skip
    newest = pd.DataFrame({"customer_id": ["x1", "x2"], "active_days": [1, 1]})
    now = pd.concat([july.assign(active_days=july["active_days"] + 2), october.tail(50), newest])
    found = fared_since({OCTOBER: october, JULY: july.sample(frac=1, random_state=3)}, now)
    assert list(found) == COLUMNS and found["date"].tolist() == [JULY, OCTOBER]
    assert found["days"].tolist() == [92, 30]
    assert found["customers"].tolist() == [300, 350]
    assert found["actual_orders"].tolist() == [600, 300]
    choice = choose(july)
    assert found.loc[0, "model"] == choice.name
    predicted = choice.model.expected_purchases(92, july["repeats"], july["t_x"], july["T"]).sum()
    assert found.loc[0, "predicted_orders"] == pytest.approx(predicted)
    assert found.loc[0, "ratio"] == pytest.approx(predicted / 600)
    assert found["note"].isna().all() and found["coverage_80"].between(0, 1).all()


@pytest.mark.parametrize(
    ("history", "note"),
    [
        (then().head(0), "history_too_short"),
        (then(20), "too_few_repeat_customers"),
        (then().assign(repeats=0, t_x=0, active_days=1), "no_repeat_customers"),
    ],
    ids=["nobody", "twenty", "one_timers"],
)
def test_a_date_that_cannot_be_forecast_says_why(history, note):
    row = fared_since({JULY: history}, history).iloc[0]
    assert (row["note"], row["customers"], row["days"]) == (note, len(history), 92)
    assert row[COLUMNS[4:-1]].isna().all()


def test_rows_that_stand_for_several_customers_count_as_many():
    weekly = then(600).assign(since=1)
    weekly[["t_x", "T"]] = np.ceil(weekly[["t_x", "T"]] / 14) * 14
    rows = weekly.groupby(["repeats", "t_x", "T", "since"]).size().rename("customers").reset_index()
    assert len(rows) < 500
    one, other = (forecast_past.fared_since(lambda _, it=it: it, [JULY], AS_OF) for it in (rows, weekly))
    assert (one["customers"] == 600).all() and (one["actual_orders"] == 600).all()
    pd.testing.assert_frame_equal(one, other, rtol=1e-9)
    few = forecast_past.fared_since(lambda _: rows.head(3).assign(customers=[1, 2, 4]), [JULY], AS_OF)
    assert few.loc[0, "customers"] == 7 and few.loc[0, "note"] is not None


def test_as_of_itself_has_nothing_since():
    assert fared_since({AS_OF: then()}, then()).loc[0, "note"] == "history_too_short"
    assert fared_since({}, then()).empty


def test_on_a_shop_of_its_own_kind_the_forecast_fares_well(simulate_shop):
    histories, now = simulate_shop
    found = fared_since(histories, now)
    assert (found["ratio"] - 1).abs().max() < 0.1
    assert (found["coverage_80"] - found["stated_80"]).abs().max() < 0.03


@pytest.fixture(scope="module")
def simulate_shop():
    """Histories 12, 9, 6 and 3 months before as_of of 2,000 customers who buy at a gamma rate and never stop."""
    rng = np.random.default_rng(9)
    born = rng.integers(400, 900, 2000)  # days before as_of
    rate = rng.gamma(0.8, 1 / 90, 2000)
    days = [-b + np.cumsum(rng.exponential(1 / r, 400)) for b, r in zip(born, rate, strict=True)]

    def at(end):
        kept = [np.unique(np.floor(d[d <= end])) for d in days]
        kept = [d[d > -b] for d, b in zip(kept, born, strict=True)]
        repeats = np.array([len(d) for d in kept])
        t_x = np.array([d[-1] if len(d) else -b for d, b in zip(kept, born, strict=True)]) + born
        return pd.DataFrame(
            {"customer_id": [f"c{k}" for k in range(2000)], "repeats": repeats, "t_x": t_x, "T": born + end,
             "active_days": repeats + 1}
        )  # fmt: skip

    dates = {AS_OF - dt.timedelta(days=back): at(-back) for back in (365, 273, 184, 92)}
    return dates, at(0)
