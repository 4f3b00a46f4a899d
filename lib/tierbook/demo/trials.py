"""Stand-ins for the two finished experiments of the case studies, with their true effects known.

They have the columns of the real files (Hillstrom's e-mail test, the promotion test's Training.csv and Test.csv), so
that one column map reads both, and effects that the real data cannot show: value tiers that truly differ, a rule that
truly pays. No row of the real files is in them. Same seed, same bytes. `write` lays any simulator's files out as the
real ones.
"""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from tierbook.demo.services import BANK, TELECOM, TICKETS, Simulated, bank, telecom, telecom_tickets
from tierbook.errors import ParamsError, PublishError

ECOMMERCE, TRAINING, TEST = "hillstrom.csv", "Training.csv", "Test.csv"

CONTROL, MENS, WOMENS = "No E-Mail", "Mens E-Mail", "Womens E-Mail"
_BANDS = {"1) $0 - $100": 0.36, "2) $100 - $200": 0.22, "3) $200 - $350": 0.19, "4) $350 - $500": 0.10,
          "5) $500 - $750": 0.08, "6) $750 - $1,000": 0.03, "7) $1,000 +": 0.02}  # fmt: skip
_EDGES = np.array([29.99, 100, 200, 350, 500, 750, 1000, 3_345.93])
_TIER_OF_BAND = np.array([0, 1, 1, 2, 2, 2, 2])
TIERS = ("low", "middle", "high")
"""Value tiers of `ecommerce` by history_segment: low band 1, middle bands 2 and 3, high bands 4 to 7."""
# arm: share of the low, middle and high tier who visit, and who buy, in the two weeks
_VISIT = {CONTROL: (0.090, 0.107, 0.138), MENS: (0.075, 0.184, 0.270), WOMENS: (0.080, 0.147, 0.230)}
_BUY = {CONTROL: (0.0120, 0.0055, 0.0087), MENS: (0.0055, 0.0110, 0.0280), WOMENS: (0.0070, 0.0056, 0.0190)}
# share of buyers at or below, spend: a quarter buys the cheapest thing, a few reach the cap
_SPEND = ((0, 0.235, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.985, 1),
          (29.99, 29.99, 37.7, 58.9, 80.8, 100.8, 138.8, 178.4, 256.5, 362.2, 499.0, 499.0))  # fmt: skip
_WEEKS = np.array([0.140, 0.118, 0.092, 0.080, 0.070, 0.072, 0.064, 0.055, 0.100, 0.118, 0.055, 0.036])


def ecommerce(seed: int = 7, n: int = 64_000) -> Simulated:
    """An e-mail test with three random arms, two weeks of outcomes and no customer id, as Hillstrom's.

    Both mails help the high value tier and harm the low one (`TIERS`); the amount of a purchase hangs on nothing, and
    is heavy-tailed up to a cap of 499. Rows may repeat exactly, as in the real file: they are different customers.
    ``truth``: arm, tier, outcome (visit, conversion, spend), mean_treated, mean_control, effect per customer assigned;
    expected values, not what this draw happened to bring.
    """
    rng = np.random.default_rng(seed)
    band = rng.choice(len(_BANDS), n, p=list(_BANDS.values()))
    history = np.round(_EDGES[band] * (_EDGES[band + 1] / _EDGES[band]) ** (rng.random(n) ** 1.4), 2)
    arm, tier = rng.integers(0, 3, n), _TIER_OF_BAND[band]
    visit, buy = (np.array(list(rates.values()))[arm, tier] for rates in (_VISIT, _BUY))
    luck, both = rng.random(n), rng.random(n) < 0.10
    mens = both | (rng.random(n) < 0.5)
    spend = np.round(np.interp(rng.random(n), *_SPEND), 2)
    table = pd.DataFrame(
        {
            "recency": rng.choice(12, n, p=_WEEKS / _WEEKS.sum()) + 1,
            "history_segment": np.array(list(_BANDS))[band],
            "history": np.clip(history, _EDGES[band], _EDGES[band + 1] - 0.01 * (band < 6)),
            "mens": mens.astype(int),
            "womens": (both | ~mens).astype(int),
            "zip_code": rng.choice(["Surburban", "Urban", "Rural"], n, p=[0.45, 0.40, 0.15]),  # spelt as in the file
            "newbie": rng.integers(0, 2, n),
            "channel": rng.choice(["Web", "Phone", "Multichannel"], n, p=[0.44, 0.44, 0.12]),
            "segment": np.array(list(_VISIT))[arm],
            "visit": (luck < visit).astype(int),
            "conversion": (luck < buy).astype(int),
            "spend": np.where(luck < buy, spend, 0.0),
        }
    )
    return Simulated({ECOMMERCE: table}, _mail_truth())


def _mail_truth() -> pd.DataFrame:
    basket = np.trapezoid(_SPEND[1], _SPEND[0])
    spend = {arm: tuple(basket * np.array(rates)) for arm, rates in _BUY.items()}
    rows = [
        (arm, tier, outcome, means[arm][i], means[CONTROL][i])
        for arm in (MENS, WOMENS)
        for i, tier in enumerate(TIERS)
        for outcome, means in (("visit", _VISIT), ("conversion", _BUY), ("spend", spend))
    ]
    truth = pd.DataFrame(rows, columns=["arm", "tier", "outcome", "mean_treated", "mean_control"])
    return truth.assign(effect=truth["mean_treated"] - truth["mean_control"])


RULE = {"V4": (2,), "V5": (1, 3)}
"""The rule that pays in `member_coupon`; nothing else does, nor does a coupon for everybody."""
_BASE = 0.0075  # purchase rate without the coupon
_LIFT = {(2, 1): 0.023, (2, 3): 0.023, (2, 4): 0.010, (2, 2): 0.003}  # by V4 and V5; 0 where V4 = 1
_V5 = (0.185, 0.370, 0.384, 0.061)


def member_coupon(seed: int = 7, effect: float = 1.0) -> Simulated:
    """A coupon test with a fair coin, in two files of the real sizes: Training.csv (84,534) and Test.csv (41,650).

    A purchase brings 10 and a coupon costs 0.15, so that it pays from a lift of 1.5 percentage points. The lift is 1.0
    for everybody (works, does not pay) and 2.3 under ``RULE``. ``effect`` scales it: 0 is an A/A test. ``truth``: V4,
    V5, share of customers, lift, net_per_coupon.
    """
    rng = np.random.default_rng(seed)
    n, training = 126_184, 84_534
    v4, v5 = 1 + (rng.random(n) < 0.68), 1 + rng.choice(4, n, p=_V5)
    given = rng.random(n) < 0.5
    lift = np.array([[_LIFT.get((a, b), 0.0) for b in range(5)] for a in range(3)]) * effect
    table = pd.DataFrame(
        {
            "ID": np.arange(1, n + 1),
            "Promotion": np.where(given, "Yes", "No"),
            "purchase": (rng.random(n) < _BASE + given * lift[v4, v5]).astype(int),
            "V1": rng.choice(4, n, p=[0.125, 0.375, 0.375, 0.125]),
            "V2": np.round(rng.normal(30, 5, n), 7),
            "V3": np.round(-1.68455 + 0.0865778 * rng.integers(0, 40, n), 7),
            "V4": v4,
            "V5": v5,
            "V6": rng.integers(1, 5, n),
            "V7": 1 + (rng.random(n) < 0.70),
        }
    )
    drawn = rng.permutation(n)
    halves = {TRAINING: np.sort(drawn[:training]), TEST: np.sort(drawn[training:])}
    tables = {name: table.iloc[rows].reset_index(drop=True) for name, rows in halves.items()}
    rows = [
        (a, b, (0.32, 0.68)[a - 1] * _V5[b - 1], lift[a, b], 10 * lift[a, b] - 0.15)
        for a in (1, 2)
        for b in (1, 2, 3, 4)
    ]
    return Simulated(tables, pd.DataFrame(rows, columns=["V4", "V5", "share", "lift", "net_per_coupon"]))


def _tickets_of_telecom(seed: int) -> Simulated:
    """`telecom_tickets` of the simulated subscribers, whose tiers are thirds of their monthly charge."""
    people = telecom(seed).tables[TELECOM]
    cuts = people["MonthlyCharges"].quantile([1 / 3, 2 / 3], interpolation="lower").to_numpy()
    tier = np.array(TIERS)[np.searchsorted(cuts, people["MonthlyCharges"].to_numpy())]
    return telecom_tickets(seed, pd.DataFrame({"customer_id": people["customerID"], "tier": tier}))


SIMULATORS: dict[str, Callable[[int], Simulated]] = {
    "ecommerce": ecommerce,
    "member_coupon": member_coupon,
    "bank": bank,
    "telecom": telecom,
    "telecom_tickets": _tickets_of_telecom,
}
FILES = {
    "ecommerce": (ECOMMERCE,),
    "member_coupon": (TRAINING, TEST),
    "bank": (BANK,),
    "telecom": (TELECOM,),
    "telecom_tickets": (TICKETS,),
}
"""The files that `write` makes, by simulator: the names of the real ones."""


def write(name: str, folder: str | Path, seed: int = 7) -> dict[str, Path]:
    """Write a simulator's tables under ``folder`` in the form of the real files; their paths by file name.

    UTF-8, LF; comma-separated, but bank-full.csv as the real one: separated by ``;``, text in quotes.

    Raises
    ------
    ParamsError : no simulator of that name
    PublishError : the folder cannot be made or written to
    """
    if name not in SIMULATORS:
        raise ParamsError(f"simulator {name!r}: there is none; choose one of {', '.join(SIMULATORS)}")
    paths = {file: Path(folder) / file for file in FILES[name]}
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for file, table in SIMULATORS[name](seed).tables.items():
            form = {"sep": ";", "quoting": csv.QUOTE_NONNUMERIC} if file == BANK else {}
            table.to_csv(paths[file], index=False, encoding="utf-8", lineterminator="\n", **form)
    except OSError as error:
        raise PublishError(f"{folder}: {name} cannot be written ({error.strerror}); name another folder") from error
    return paths
