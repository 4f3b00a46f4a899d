"""The embedded demo: a shop for home electronics in China, simulated with its ground truth known.

Orders from 2024-05-01 to 2026-10-31 in CNY, Asia/Shanghai local time. Purchases come from seven personas, seasons,
promotions and lives that end on their own, not from a model that this library fits: what a notebook finds can be held
against ``truth``. Same seed, same bytes.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tierbook.demo import campaigns, catalog, orders, people, relations, season
from tierbook.errors import PublishError

TABLES = ("transactions", "customers", "leads", "contacts", "surveys", "tickets", "visits", "costs")
AS_OF = str(season.LAST_DAY)
TIMED = ("ordered_at", "opened_at", "first_response_at", "resolved_at")  # columns with a time of day, not a day alone


@dataclass(frozen=True)
class Demo:
    """The shop's tables as an export holds them, and what is true of them.

    Attributes
    ----------
    tables : dict of DataFrame
        One per name in ``TABLES``, with the canonical column names; dates are ``datetime64[s]``.
    truth : dict of DataFrame
        ``customers`` (by customer_id: persona, rate in orders a year at the start (bursty: bursts), first_order,
        churned_on and habit_changed_on, null where that did not happen by the last day, habit_factor),
        ``campaigns`` (by campaign and group: true change in orders and net CNY for each treated customer),
        ``assignments`` (who was drawn into a campaign: spend before, high, treated), ``affinity`` (planted pairs),
        ``dirt`` (by reason: rows, amount), ``promotions`` (name, first, last, weight, discount).
    """

    tables: dict[str, pd.DataFrame]
    truth: dict[str, pd.DataFrame]


def _sell(shoppers: pd.DataFrame, days: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """All sales lines before any campaign: known customers with follow-ups, walk-ins, closed orders, refunds, gifts."""
    known = orders.place(shoppers, days["customer"].to_numpy(), days["day"].to_numpy(), rng)
    placed = pd.concat([known, orders.walk_ins(known, rng)], ignore_index=True)
    placed, lines = orders.follow_up(placed, catalog.fill_baskets(placed, rng), shoppers, rng)
    placed = orders.stay_open_late(placed.assign(closed=orders.closed_orders(placed, rng)))
    sales = orders.ring_up(placed, lines)
    return pd.concat([sales, orders.refunds(sales, rng), orders.gifts(sales, rng)], ignore_index=True)


def _customer_truth(shoppers: pd.DataFrame, names: np.ndarray) -> pd.DataFrame:
    gone, changed = shoppers["churn_day"], shoppers["habit_day"]
    return pd.DataFrame(
        {
            "customer_id": pd.Series(names, dtype="str"),
            "persona": shoppers["persona"],
            "rate": shoppers["rate"],
            "first_order": season.dates(shoppers["first_day"]),
            "churned_on": pd.Series(season.dates(gone)).where(gone < season.DAYS),
            "habit_changed_on": pd.Series(season.dates(changed)).where(changed < season.DAYS),
            "habit_factor": shoppers["habit_factor"],
        }
    )


def _export(sales: pd.DataFrame, names: np.ndarray, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The transactions table, with some lines standing twice, and the count of the dirt in it."""
    sales = sales.sort_values(["moment", "order"], kind="stable", ignore_index=True)
    twice = orders.export_twice(sales, rng)
    table = orders.number(sales, names)
    table = pd.concat([table, table.iloc[twice]]).sort_values("line_id", kind="stable", ignore_index=True)
    return table, orders.planted_dirt(sales, sales["amount"].iloc[twice])


def simulate(seed: int = 7) -> Demo:
    """Simulate the shop: its tables and their ground truth, about a second."""
    rngs = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(12)]
    shoppers, days = people.populate(rngs[0])
    names = np.char.mod("C%05d", np.arange(len(shoppers)) + 1)
    customers = relations.customers(shoppers, names, rngs[1])
    sales = _sell(shoppers, days, rngs[2])
    reachable = ~customers["do_not_contact"].to_numpy()
    sales, assigned, effects = campaigns.run(sales, shoppers, reachable, rngs[3])
    transactions, dirt = _export(sales, names, rngs[4])
    tables = {
        "transactions": transactions,
        "customers": relations.in_the_crm(customers, sales, rngs[11]),
        "leads": relations.leads(shoppers, customers, rngs[5]),
        "contacts": campaigns.contacts(assigned, names, rngs[6]),
        "surveys": relations.surveys(sales, shoppers, names, rngs[7]),
        "tickets": relations.tickets(sales, shoppers, names, rngs[8]),
        "visits": relations.visits(sales, shoppers, names, rngs[9]),
        "costs": relations.costs(shoppers, customers, rngs[10]),
    }
    truth = {
        "customers": _customer_truth(shoppers, names),
        "campaigns": effects,
        "assignments": assigned.assign(customer=names[assigned["customer"]]).rename(
            columns={"customer": "customer_id"}
        ),
        "affinity": catalog.planted_pairs(),
        "dirt": dirt,
        "promotions": pd.DataFrame(season.PROMOTIONS, columns=["name", "first", "last", "weight", "discount"]),
    }
    return Demo(tables, truth)


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Dates as ISO text and truth values as true/false, so that the bytes do not hang on a library's formatting."""
    text = {}
    for name, column in table.items():
        if column.dtype.kind == "M":
            iso = np.datetime_as_string(column.to_numpy(), unit="s" if name in TIMED else "D")
            text[name] = pd.Series(np.char.replace(iso, "T", " "), index=table.index).where(column.notna())
        elif column.dtype in ("bool", "boolean"):
            text[name] = column.map({True: "true", False: "false"})
    return table.assign(**text)


def write(folder: str | Path, seed: int = 7) -> dict[str, Path]:
    """Write each table as ``<folder>/<name>.csv`` (UTF-8 without BOM, LF, ISO dates) and return the paths by name.

    Raises
    ------
    PublishError
        The folder cannot be made or written to.
    """
    paths = {name: Path(folder) / f"{name}.csv" for name in TABLES}
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, table in simulate(seed).tables.items():
            _as_text(table).to_csv(paths[name], index=False, encoding="utf-8", lineterminator="\n", float_format="%.2f")
    except OSError as error:
        raise PublishError(
            f"{folder}: the demo tables cannot be written ({error.strerror}); name another folder"
        ) from error
    return paths
