"""Stand-ins for the bank's and the telephone company's data of the case studies, with what is true of them known.

They have the columns of the real files (UCI Bank Marketing ``bank-full.csv``, IBM ``Telco-Customer-Churn.csv``), so that
one column map reads both. No row of the real files is in them. Same seed, same bytes.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from tierbook.errors import InputError


class Simulated(NamedTuple):
    """Tables as the real files hold them, by file name (a table's name for `telecom_tickets`), and what was planted."""

    tables: dict[str, pd.DataFrame]
    truth: pd.DataFrame


BANK, TELECOM, TICKETS = "bank-full.csv", "Telco-Customer-Churn.csv", "tickets.csv"

# share of customers at or below, balance in euro: skewed, one in six in debt or at nothing
_BALANCE = ((0, 0.01, 0.05, 0.08, 0.16, 0.25, 0.5, 0.65, 0.8, 0.9, 0.95, 0.99, 0.999, 1),
            (-8_000, -630, -170, -1, 0, 72, 448, 883, 1_859, 3_574, 5_768, 13_165, 32_900, 102_000))  # fmt: skip
_TIERS = {"low": 0.50, "middle": 0.30, "high": 0.20}
_HOLD = {  # share of the low, middle and high balance tier
    "y": (0.09, 0.13, 0.165),
    "loan": (0.20, 0.14, 0.10),
    "housing": (0.58, 0.57, 0.48),
    "default": (0.034, 0.003, 0.001),
}
_CALLED = {
    "job": {"blue-collar": 0.215, "management": 0.21, "technician": 0.17, "admin.": 0.115, "services": 0.09,
            "retired": 0.05, "self-employed": 0.035, "entrepreneur": 0.035, "unemployed": 0.03, "housemaid": 0.025,
            "student": 0.02, "unknown": 0.005},
    "marital": {"married": 0.60, "single": 0.28, "divorced": 0.12},
    "education": {"secondary": 0.51, "tertiary": 0.30, "primary": 0.15, "unknown": 0.04},
    "contact": {"cellular": 0.65, "unknown": 0.29, "telephone": 0.06},
    "month": {"may": 0.31, "jul": 0.15, "aug": 0.14, "jun": 0.12, "nov": 0.09, "apr": 0.06, "feb": 0.06, "jan": 0.03,
              "oct": 0.015, "sep": 0.01, "mar": 0.01, "dec": 0.005},
}  # fmt: skip
_BANK_COLUMNS = ["age", "job", "marital", "education", "default", "balance", "housing", "loan", "contact", "day", "month",
                 "duration", "campaign", "pdays", "previous", "poutcome", "y"]  # fmt: skip


def _drawn(shares: dict, n: int, rng: np.random.Generator) -> np.ndarray:
    return np.array(list(shares))[rng.choice(len(shares), n, p=list(shares.values()))]


def bank(seed: int = 7, n: int = 45_211) -> Simulated:
    """Calls of a bank that sells term deposits (``y``); everybody was called, nobody held out.

    Holdings hang on the balance tier alone: bottom 50 %, next 30 %, top 20 % of balances. ``duration`` (seconds of the
    call) is longer where the customer said yes: it is known only after the answer, leaks it, and must not be used to
    predict anything. ``truth``: tier, product, share planted.
    """
    rng = np.random.default_rng(seed)
    place = rng.random(n)
    tier = np.searchsorted(np.cumsum(list(_TIERS.values()))[:-1], place)
    held = {product: np.where(rng.random(n) < np.array(rates)[tier], "yes", "no") for product, rates in _HOLD.items()}
    before = rng.random(n) < 0.18
    seconds = rng.lognormal(np.where(held["y"] == "yes", 6.05, 5.05), 0.8)
    answers = {"failure": 0.60, "other": 0.22, "success": 0.18}
    called = {
        "age": np.clip(np.round(20 + rng.gamma(3.9, 5.4, n)), 18, 95).astype(int),
        "balance": np.round(np.interp(place, *_BALANCE)).astype(int),
        "day": rng.integers(1, 32, n),
        "duration": np.minimum(seconds, 4_900).astype(int),
        "campaign": np.minimum(rng.geometric(0.36, n), 63),
        "pdays": np.where(before, rng.integers(1, 400, n), -1),
        "previous": np.where(before, rng.geometric(0.32, n), 0),
        "poutcome": np.where(before, _drawn(answers, n, rng), "unknown"),
    }
    words = {name: _drawn(shares, n, rng) for name, shares in _CALLED.items()}
    rows = [(name, product, rates[i]) for product, rates in _HOLD.items() for i, name in enumerate(_TIERS)]
    truth = pd.DataFrame(rows, columns=["tier", "product", "share"])
    return Simulated({BANK: pd.DataFrame({**called, **words, **held})[_BANK_COLUMNS]}, truth)


NO_INTERNET, SUPPORT_ODDS = "No internet service", 1.6
_CONTRACTS, _INTERNET = ("Month-to-month", "One year", "Two year"), ("DSL", "Fiber optic", "No")
# by internet and contract: share of customers, share of them with tech support, churn with it (without: odds × 1.6)
_LINES = {
    "DSL": ((0.174, 0.27, 0.25), (0.081, 0.58, 0.065), (0.089, 0.82, 0.015)),
    "Fiber optic": ((0.302, 0.15, 0.45), (0.077, 0.45, 0.14), (0.061, 0.74, 0.050)),
    "No": ((0.074, 0.0, 0.19), (0.052, 0.0, 0.025), (0.090, 0.0, 0.008)),
}
_FEE = {"DSL": 43.0, "Fiber optic": 69.0, "No": 15.0}  # of the line, a month; a telephone and add-ons come on top
_MONTHS = np.array([18.0, 42.0, 57.0])  # mean tenure by contract
_ADD_ONS = {"OnlineSecurity": 5, "OnlineBackup": 5, "DeviceProtection": 5, "TechSupport": 5, "StreamingTV": 10,
            "StreamingMovies": 10}  # fmt: skip
_PAYMENT = {"Electronic check": 0.34, "Mailed check": 0.23, "Bank transfer (automatic)": 0.22,
            "Credit card (automatic)": 0.21}  # fmt: skip
_TELECOM_COLUMNS = ["customerID", "gender", "SeniorCitizen", "Partner", "Dependents", "tenure", "PhoneService",
                    "MultipleLines", "InternetService", "OnlineSecurity", "OnlineBackup", "DeviceProtection",
                    "TechSupport", "StreamingTV", "StreamingMovies", "Contract", "PaperlessBilling", "PaymentMethod",
                    "MonthlyCharges", "TotalCharges", "Churn"]  # fmt: skip


def _yes(share, rng: np.random.Generator, n: int) -> np.ndarray:
    return np.where(rng.random(n) < share, "Yes", "No")


def telecom(seed: int = 7, n: int = 7_043) -> Simulated:
    """Subscribers of a telephone company and who left.

    Contract and internet line decide who takes tech support and, nearly alone, who leaves: within one contract and line
    the odds of leaving without tech support are ``SUPPORT_ODDS`` = 1.6 times those with it, while over all with
    internet they look about four times. New subscribers (tenure 0) have a blank TotalCharges. ``truth``: internet,
    contract, tech_support (as the file's words), churn planted.
    """
    rng = np.random.default_rng(seed)
    shares, support, churn = np.array([_LINES[line] for line in _INTERNET]).reshape(-1, 3).T
    cell = rng.choice(len(shares), n, p=shares / shares.sum())
    line, contract = np.array(_INTERNET)[cell // 3], cell % 3
    online = line != "No"
    supported = online & (rng.random(n) < support[cell])
    leaves = rng.random(n) < np.where(supported | ~online, churn[cell], _unsupported(churn[cell]))
    add_ons = {name: rng.random(n) < 0.30 + 0.12 * contract for name in _ADD_ONS} | {"TechSupport": supported}
    phone = ~online | (rng.random(n) < np.where(line == "DSL", 0.72, 1.0))
    several = phone & (rng.random(n) < np.where(line == "No", 0.22, 0.52))
    months = np.round(np.clip(rng.gamma(2.2, _MONTHS[contract] / 2.2), 0, 72)).astype(int)
    fee = pd.Series(line).map(_FEE).to_numpy() + np.where(online & phone, 3.0, 0.0) + np.where(several, 5.0, 0.0)
    fee += sum(price * (add_ons[name] & online) for name, price in _ADD_ONS.items())
    monthly = np.round((fee + rng.normal(0, 1.2, n)) * 20) / 20
    paid = np.round(monthly * months * rng.uniform(0.97, 1.03, n), 2)
    columns = {
        "customerID": _codes(n, rng), "gender": np.where(rng.random(n) < 0.5, "Female", "Male"),
        "SeniorCitizen": (rng.random(n) < 0.16).astype(int), "Partner": _yes(0.48, rng, n),
        "Dependents": _yes(0.30, rng, n), "tenure": months, "PhoneService": np.where(phone, "Yes", "No"),
        "MultipleLines": np.where(phone, np.where(several, "Yes", "No"), "No phone service"), "InternetService": line,
        "Contract": np.array(_CONTRACTS)[contract], "PaperlessBilling": _yes(0.59, rng, n),
        "PaymentMethod": _drawn(_PAYMENT, n, rng), "MonthlyCharges": monthly,
        "TotalCharges": np.where(months > 0, paid.astype(str), " "), "Churn": np.where(leaves, "Yes", "No"),
    }  # fmt: skip
    columns |= {name: np.where(online, np.where(has, "Yes", "No"), NO_INTERNET) for name, has in add_ons.items()}
    return Simulated({TELECOM: pd.DataFrame(columns)[_TELECOM_COLUMNS]}, _telecom_truth())


def _unsupported(churn):
    odds = SUPPORT_ODDS * churn / (1 - churn)
    return odds / (1 + odds)


def _codes(n: int, rng: np.random.Generator) -> np.ndarray:
    """Different ids of the real file's form, 0000-ABCDE: a number, then letters."""
    letters = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))[rng.integers(0, 26, (n, 5))]
    tails = letters.view(f"<U{letters.shape[1]}").ravel()
    numbers = np.char.mod("%04d", rng.permutation(max(n, 10_000))[:n])
    return np.char.add(np.char.add(numbers, "-"), tails)


def _telecom_truth() -> pd.DataFrame:
    rows = []
    for line, contracts in _LINES.items():
        for name, (_, _, churn) in zip(_CONTRACTS, contracts, strict=True):
            with_support = (
                [("No internet service", churn)] if line == "No" else [("Yes", churn), ("No", _unsupported(churn))]
            )
            rows += [(line, name, has, rate) for has, rate in with_support]
    return pd.DataFrame(rows, columns=["internet", "contract", "tech_support", "churn"])


# tier: tickets per customer and quarter, target hours to a first answer and to a solution, share that meets each; even a
# late first answer (at most twice its target) comes before the solution is due, so that the shares hold apart
SERVICE = {
    "high": (0.45, 4, 24, 0.95, 0.90),
    "middle": (0.35, 24, 72, 0.85, 0.80),
    "low": (0.30, 48, 120, 0.75, 0.60),
}
TARGETS = {
    tier: {"first_response_hours": first, "resolved_hours": done} for tier, (_, first, done, *_) in SERVICE.items()
}
_TOPICS = np.array(["network", "billing", "speed", "device", "contract"])
_QUARTER = np.datetime64("2026-07-01T00:00:00", "s"), 92 * 86_400


def telecom_tickets(seed: int, customers: pd.DataFrame) -> Simulated:
    """A quarter of service tickets (2026-07-01 to 2026-09-30, the tickets table's columns) of ``customers``.

    ``customers``: customer_id, tier (``high``, ``middle``, ``low``; others and null write no tickets). Each ticket meets
    its tier's target (``TARGETS``, hours after opening; at the target is met) with the share planted in ``SERVICE``,
    first answer and solution apart. The real file has no service times: a page that shows these says that they are
    simulated. ``truth``: tier, tickets_per_customer, first_response_hours, resolved_hours, first_response_met,
    resolved_met.

    Raises
    ------
    InputError : no column customer_id or tier
    """
    missing = [name for name in ("customer_id", "tier") if name not in customers]
    if missing:
        raise InputError(f"telecom tickets: customers have no column {missing}; there are {list(customers.columns)}")
    rng = np.random.default_rng(seed)
    served = customers[customers["tier"].isin(SERVICE)].sort_values("customer_id", kind="stable")
    rate, first, done, first_met, done_met = np.array([SERVICE[tier] for tier in served["tier"]]).reshape(-1, 5).T
    writer = np.repeat(np.arange(len(served)), rng.poisson(rate))
    n, start = len(writer), _QUARTER[0] + rng.integers(0, _QUARTER[1], len(writer)).astype("timedelta64[s]")
    answered = _seconds(first[writer], first_met[writer], 2.0, rng)
    solved = np.maximum(_seconds(done[writer], done_met[writer], 3.0, rng), answered)
    table = pd.DataFrame(
        {
            "customer_id": served["customer_id"].to_numpy()[writer],
            "opened_at": start,
            "first_response_at": start + answered.astype("timedelta64[s]"),
            "resolved_at": start + solved.astype("timedelta64[s]"),
            "topic": _TOPICS[rng.integers(0, len(_TOPICS), n)],
            "priority": _drawn({"low": 0.3, "normal": 0.55, "high": 0.15}, n, rng),
        }
    ).sort_values(["opened_at", "customer_id"], kind="stable", ignore_index=True)
    names = ["tickets_per_customer", "first_response_hours", "resolved_hours", "first_response_met", "resolved_met"]
    truth = pd.DataFrame.from_dict(SERVICE, orient="index", columns=names).rename_axis("tier").reset_index()
    return Simulated({TICKETS: table}, truth)


def _seconds(target: np.ndarray, met: np.ndarray, worst: float, rng: np.random.Generator) -> np.ndarray:
    """Whole seconds, at most the target's hours with probability ``met``, else up to ``worst`` times as long."""
    limit, within = (target * 3_600).astype(int), rng.random(len(target)) < met
    in_time, late = rng.uniform(0.02, 1.0, len(target)), rng.uniform(1.0, worst, len(target))
    return np.where(within, (in_time * limit).astype(int), (late * limit).astype(int) + 1)
