"""What customers need of a month: what they buy next, whether they move to dearer goods, what each tier prefers."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pandas as pd

from tierbook.insight import affinity, next_best, preference, upsell
from tierbook.scores.maps import OUTSIDE

if TYPE_CHECKING:
    from tierbook.engine import Engine
    from tierbook.workbook import Workbook
    from tierbook.workbook.customers import Customers


def level(month: Workbook) -> str | None:
    """What customers are said to buy: ``category`` or ``product``; None where the orders name neither."""
    return affinity.level(month.missing())


def bought(month: Workbook, column: str) -> Path:
    """The folder of what every customer bought, in numbers (`write_bought`), kept for the next step."""

    def write(target: Path) -> None:
        numbered = month.kept_numbers()
        with month.tables.engine() as engine:
            customers = month.tables.scan_step(engine, numbered)
            write_bought(engine, month.tables.folder / "transactions.parquet", column, customers, target)

    return month.tables.cache.file(f"bought-{column}", write)


def write_bought(engine: Engine, lines: Path, column: str, customers: nw.LazyFrame, target: Path) -> None:
    """Write bought.parquet (`affinity.numbered`) and items.parquet (name, item) of judged order lines.

    ``customers``: customer_id and its number, customer.
    """
    target.mkdir()
    with TemporaryDirectory(dir=target) as scratch:
        named = Path(scratch) / "named.parquet"
        engine.write(affinity.bought(engine.scan(lines), column), named)
        items = engine.collect(affinity.by_item(engine.scan(named)))[["item"]].rename(columns={"item": "name"})
        items = items.sort_values("name", ignore_index=True).assign(item=range(len(items)))
        numbered = affinity.numbered(engine.scan(named), customers, engine.frame(items))
        engine.write(numbered, target / "bought.parquet")
    items.to_parquet(target / "items.parquet", index=False)


def affinities(month: Workbook) -> dict[str, Any]:
    """``pairs`` (affinity.csv) with what they stand on: ``level``, ``customers``, ``left_out`` (customers with too many
    items to read), ``looked_at`` (pairs whose two items both had 10 customers) and ``strength`` of the prior.

    Next are categories, each after a category, and after a product where its buyers go on more often than its whole
    category's; products after products where the orders have no categories.
    """
    column = level(month)
    if column is None:
        return {
            "pairs": affinity.table(_no_pairs()),
            "level": None,
            "customers": 0,
            "left_out": 0,
            "looked_at": 0,
            "strength": 1.0,
        }
    found, facts = _pairs(month, column, column)
    told = affinity.turned(found)
    told = told.assign(level=column, recommended=affinity.recommended(told))
    if column == "category" and _has(month, "product"):
        of_products, further = _pairs(month, "product", "category")
        facts["looked_at"] += further["looked_at"]
        told = pd.concat([told, _products(month, of_products, told)], ignore_index=True)
    return {"pairs": affinity.table(told), "level": column, **facts}


def _has(month: Workbook, column: str) -> bool:
    missing = month.missing().query("table == 'transactions'").set_index("column").loc[column]
    return bool(missing["missing"] < missing["rows"])


def _products(month: Workbook, pairs: pd.DataFrame, categories: pd.DataFrame) -> pd.DataFrame:
    homes = month.tables.collect(lambda _, lines: affinity.homes(lines), "transactions")
    more = affinity.says_more(pairs, categories, homes)
    return pairs[more].assign(level="product", recommended=affinity.recommended(pairs[more]))


def _no_pairs() -> pd.DataFrame:
    numbers = dict.fromkeys(set(affinity.COLUMNS) - {"have", "next", "level", "recommended"}, float)
    return pd.DataFrame(columns=affinity.COLUMNS).astype({**numbers, "recommended": bool})


def _pairs(month: Workbook, have: str, following: str) -> tuple[pd.DataFrame, dict]:
    """`affinity.measured` pairs with their names, and customers, left_out, looked_at, strength."""
    folders = bought(month, have), bought(month, following)
    with month.tables.engine() as engine:
        counted = count_pairs(engine, *(folder / "bought.parquet" for folder in folders))
    measured, prior = affinity.measured(counted["pairs"], *(counted[key] for key in ("have", "next", "lines")))
    for column, folder in zip(("have", "next"), folders, strict=True):
        names = pd.read_parquet(folder / "items.parquet").set_index("item")["name"]
        measured[column] = measured[column].map(names).astype("str")  # no pair at all would come out as numbers
    enough = [int((counted[key] >= affinity.MIN_BOTH).sum()) for key in ("have", "next")]
    looked_at = enough[0] * (enough[0] - 1) // 2 if have == following else enough[0] * enough[1]
    facts = {"customers": int(counted["lines"].sum()), "left_out": counted["left_out"]}
    return measured, {**facts, "looked_at": looked_at, "strength": prior.strength}


def count_pairs(engine: Engine, have: Path, following: Path) -> dict[str, Any]:
    """The pairs of two files of `affinity.numbered`, and customers by item on either side and by lines."""
    found = engine.scan(have)
    active = engine.collect(affinity.activity(found))
    most = affinity.most_items(active) if len(active) else 0
    read = affinity.by_customer(found, most)
    sides = {
        name: engine.scan(path).join(read, on="customer", how="semi")
        for name, path in (("have", have), ("next", following))
    }
    sizes = {
        name: engine.collect(affinity.by_item(side)).set_index("item")["customers"] for name, side in sides.items()
    }
    often = {name: side.join(engine.frame(_often(sizes[name])), on="item", how="semi") for name, side in sides.items()}
    light = active[active["items"] <= most]
    return {
        "pairs": engine.collect(affinity.together(often["have"], often["next"], have == following)),
        **sizes,
        "lines": light.groupby("lines")["customers"].sum(),
        "left_out": int(active["customers"].sum() - light["customers"].sum()),
    }


def _often(sizes: pd.Series) -> pd.DataFrame:
    """The items that enough customers bought to be half of a pair."""
    return sizes.index[sizes >= affinity.MIN_BOTH].to_frame(index=False, name="item")


RANKS = "next_best_ranks"
"""The step that holds the rank of each customer's best recommendation: customer_id, rank."""


def next_best_rules(month: Workbook) -> dict[str, pd.DataFrame]:
    """``ranked``: what is recommended (`next_best.rules`); ``shares``: what each segment has bought (`next_best.shares`).
    The best of them for every customer of the window is kept as the step `RANKS`."""
    ranked, people = next_best.rules(month.affinity()["pairs"]), _people_by(month, "segment")
    if ranked.empty or people.empty:
        month.keep(
            RANKS, lambda: pd.DataFrame({"customer_id": pd.Series(dtype="str"), "rank": pd.Series(dtype="int64")})
        )
        return {"ranked": ranked, "shares": pd.DataFrame(columns=["segment", "next", "segment_share"])}
    column = month.affinity()["level"]
    numbers = pd.read_parquet(bought(month, column) / "items.parquet").set_index("name")["item"]
    with month.tables.engine() as engine:
        inside = _window_people(month, engine).select("customer", "customer_id", "segment")
        found = engine.scan(bought(month, column) / "bought.parquet").join(inside, on="customer", how="semi")
        proposals = [_proposals(month, engine, one, rules, inside, numbers) for one, rules in ranked.groupby("level")]
        best = next_best.best(proposals, found).join(inside, on="customer", how="inner").select("customer_id", "rank")
        month.tables.write(engine, RANKS, best.sort("customer_id"))
        bought_by = engine.collect(next_best.by_segment(found, inside))
    names = numbers.reset_index().set_index("item")["name"]
    named = bought_by.assign(next=bought_by["item"].map(names))
    return {"ranked": ranked, "shares": next_best.shares(named, people)}


def next_bests(part: Customers) -> pd.DataFrame:
    """The best recommendation of each customer of the window (next_best.csv, `insight.next_best`)."""
    found = part.whole.next_best_rules()
    people = part.scores(["customer_id", "tier", "segment"])
    return next_best.table(part.read(RANKS), found["ranked"], people, found["shares"])


def _window_people(month: Workbook, engine: Engine) -> nw.LazyFrame:
    """customer_id, its number, tier and segment of who has an order in the window."""
    scored, numbered = (month.tables.scan_step(engine, step) for step in (month.kept_scores(), month.kept_numbers()))
    inside = ~nw.col("tier").is_null() & (nw.col("tier") != OUTSIDE) & ~nw.col("segment").is_null()
    return scored.select("customer_id", "tier", "segment").filter(inside).join(numbered, on="customer_id", how="inner")


def _people_by(month: Workbook, column: str) -> pd.Series:
    """How many `_window_people` there are by tier or segment."""
    with month.tables.engine() as engine:
        counted = _window_people(month, engine).group_by(column).agg(nw.len().alias("customers"))
        return engine.collect(counted).sort_values(column).set_index(column)["customers"]


def _proposals(
    month: Workbook, engine: Engine, one: str, rules: pd.DataFrame, inside: Any, next_numbers: pd.Series
) -> Any:
    folder = bought(month, one)
    numbers = pd.read_parquet(folder / "items.parquet").set_index("name")["item"]
    coded = rules.assign(have=rules["have"].map(numbers), next=rules["next"].map(next_numbers))[
        ["have", "next", "rank"]
    ]
    found = engine.scan(folder / "bought.parquet").join(inside, on="customer", how="semi")
    return next_best.proposed(found, engine.frame(coded))


def price_bands(month: Workbook) -> pd.DataFrame:
    """Moves between price bands within a category, or over all goods where there are none (price_bands.csv)."""
    column = "category" if _has(month, "category") else None
    counts = month.tables.collect(lambda _, lines: upsell.counted(upsell.prices(lines, column)), "transactions")
    bounds = upsell.cuts(counts)
    # A median for each customer, item and day: of everybody at once they take twice the memory that DuckDB is given.
    parts = [month] if month.params.engine.name == "spark" else month.parts()
    moves = [_band_moves(part, column, bounds) for part in parts]
    order = [*month.tier_scheme.order, OUTSIDE]
    counts = {name: pd.concat([found[name] for found in moves], ignore_index=True) for name in moves[0]}
    return pd.concat([upsell.table(found, name, order) for name, found in counts.items()], ignore_index=True)


def _band_moves(part: Customers, column: str | None, bounds: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Customers by item, tier and move between bands, from window to window and from a purchase to the next."""
    month, scored = part.whole, part.whole.kept_scores()
    with month.tables.engine() as engine:
        tiers = part.only(month.tables.scan_step(engine, scored).select("customer_id", "tier"))
        tiers = tiers.with_columns(nw.col("tier").fill_null(OUTSIDE))
        found = part.only(upsell.prices(engine.scan(month.tables.folder / "transactions.parquet"), column))
        cut = engine.frame(bounds)
        ways = {
            upsell.WINDOWS: upsell.between_windows(found, cut, month.end, month.params.rfm.window_days),
            upsell.NEXT_PURCHASE: upsell.next_purchases(found, cut),
        }
        return {name: engine.collect(upsell.by_tier(moves, tiers)) for name, moves in ways.items()}


def preferences(month: Workbook) -> pd.DataFrame:
    """What each tier of the window buys beside what all buy (preferences.csv, `insight.preference`)."""
    column = level(month)
    if column is None:
        return pd.DataFrame(columns=preference.COLUMNS)
    window = month.params.rfm.window_days
    with month.tables.engine() as engine:
        tiers = _window_people(month, engine).select("customer_id", "tier")
        found = preference.spent(engine.scan(month.tables.folder / "transactions.parquet"), column, month.end, window)
        counts, lines = (engine.collect(read(found, tiers)) for read in (preference.by_tier, preference.activity))
    return preference.table(counts, lines, _people_by(month, "tier"), month.tier_scheme.order)
