"""Profile: what the orders hold, month by month, where they come from, and what they lack."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import pandas as pd

from tierbook.accounting import day_date, day_number
from tierbook.insight.groups import SMALL

COUNTED = ("kept", "no_customer")
MONEY_PARTS = 10_000  # money is DECIMAL(18, 4) in the engine


def daily_sales(lines: nw.LazyFrame) -> nw.LazyFrame:
    """Net sales per day, of identified customers (``kept``) and of buyers without an id (``no_customer``).

    Columns: day, reason, net, refunds (money that went back, positive), lines, free_lines (lines of zero amount).
    """
    back = nw.col("gross") - nw.col("net")
    return (
        lines.filter(nw.col("reason").is_in(list(COUNTED)))
        .with_columns(
            back.alias("refunds"), nw.when(nw.col("gross") == 0, back == 0).then(1).otherwise(0).alias("free_lines")
        )
        .group_by("day", "reason")
        .agg(nw.col("net", "refunds").sum(), nw.len().alias("lines"), nw.col("free_lines").sum())
    )


def daily_orders(days: nw.LazyFrame) -> nw.LazyFrame:
    """Orders and buyers per day."""
    return days.group_by("day").agg(
        nw.col("orders").sum(), nw.when(nw.col("orders") > 0).then(1).otherwise(0).sum().alias("buyers")
    )


def monthly(sales: pd.DataFrame, orders: pd.DataFrame) -> pd.DataFrame:
    """One row per calendar month: net_sales (with unidentified buyers), identified, identified_share, refunds, orders.

    refund_share: refunds over the sales they were taken off, net_sales + refunds. Shares are null without sales.
    Months without a line between the first and the last are there with zeros, so that a gap shows.
    """
    wide = sales.assign(month=_months(sales["day"]))
    money = (
        wide.groupby(["month", "reason"])["net"]
        .sum()
        .unstack(fill_value=0.0)
        .reindex(columns=list(COUNTED), fill_value=0.0)
    )
    table = pd.DataFrame({"net_sales": money.sum(axis=1), "identified": money["kept"]})
    table["refunds"] = wide.groupby("month")["refunds"].sum()
    table["orders"] = orders.assign(month=_months(orders["day"])).groupby("month")["orders"].sum()
    every = pd.period_range(table.index.min(), table.index.max(), freq="M") if len(table) else []
    table = table.reindex([str(p) for p in every], fill_value=0).fillna(0)
    table["identified_share"] = (table["identified"] / table["net_sales"]).where(table["net_sales"] > 0)
    gross = table["net_sales"] + table["refunds"]
    table["refund_share"] = (table["refunds"] / gross).where(gross > 0)
    return table.rename_axis("month").reset_index().astype({"orders": int})


def _months(days: pd.Series) -> pd.Series:
    return pd.to_datetime(days, unit="D").dt.strftime("%Y-%m")


def sales_between(sales: pd.DataFrame, after: dt.date, until: dt.date) -> pd.Series:
    """Net sales of the days after ``after`` up to and including ``until``: total, and of identified customers."""
    span = sales[(sales["day"] > day_number(after)) & (sales["day"] <= day_number(until))]
    identified = span.loc[span["reason"] == "kept", "net"].sum()
    return pd.Series({"net_sales": float(span["net"].sum()), "identified": float(identified)})


def totals(histories: nw.LazyFrame) -> nw.LazyFrame:
    """Of all customers of a history at once, in one row: first_day, last_day, customers, orders, one_timers (with one
    purchase day); and of those with an order in the window window_net, window_cost and ``uncosted``, how many of them
    have a line without a cost."""
    inside = nw.col("window_orders") > 0
    uncosted = inside & nw.col("window_cost").is_null()
    return histories.select(
        nw.col("first_day").min(),
        nw.col("last_day").max(),
        nw.len().alias("customers"),
        nw.col("orders").sum(),
        nw.when(nw.col("active_days") == 1).then(1).otherwise(0).sum().alias("one_timers"),
        *(
            (nw.when(inside).then(_whole(money)).sum() / MONEY_PARTS).alias(money)
            for money in ("window_net", "window_cost")
        ),
        nw.when(uncosted).then(1).otherwise(0).sum().alias("uncosted"),
    )


def _whole(money: str) -> nw.Expr:
    """Money in whole parts: a sum of these is the same in whatever order an engine adds them."""
    return (nw.col(money) * MONEY_PARTS).round().cast(nw.Int64)


def summary(known: pd.Series, sales: pd.DataFrame, as_of: dt.date) -> dict:
    """The counts a reader asks for first; dates are dates, shares are shares of customers. ``known``: `totals`."""
    kept = sales[sales["reason"] == "kept"]
    return {
        "first_order": day_date(known["first_day"]),
        "last_order": day_date(known["last_day"]),
        "as_of": as_of,
        "customers": int(known["customers"]),
        "orders": int(known["orders"]),
        "lines": int(kept["lines"].sum()),
        "free_lines": int(kept["free_lines"].sum()),
        "one_timers": int(known["one_timers"]),
        "one_timer_share": float(known["one_timers"] / known["customers"]),
        "net_sales": float(sales["net"].sum()),
        "identified": float(kept["net"].sum()),
        "refunds": float(sales["refunds"].sum()),
    }


def bridge(accounting: pd.DataFrame) -> pd.DataFrame:
    """The order lines from what was read to what counts, in rows and in money: step, rows, amount, example, after.

    Steps in order: ``read`` (all rows), each reason of setting aside (largest amount first), ``net_sales`` (what the
    report calls net sales), ``no_customer`` (sold, but to nobody known) and ``kept`` (what customers are scored on).
    Reasons carry what they take away; ``after`` is the money left after a step. Unreadable amounts count as zero.
    """
    lines = accounting[accounting["table"] == "transactions"].set_index("reason")[["rows", "amount", "example"]]
    lines = lines.assign(amount=lines["amount"].astype(float))
    counted = lines.reindex(list(COUNTED)).assign(example=None).fillna({"rows": 0, "amount": 0.0})
    aside = lines.drop(index=list(COUNTED), errors="ignore").sort_values(
        "amount", key=abs, ascending=False, kind="stable"
    )
    unknown = lines[lines.index == "no_customer"]
    parts = [_total("read", lines), aside, _total("net_sales", counted)]
    parts += [unknown, _total("kept", counted.loc[["kept"]])]
    table = pd.concat([part for part in parts if len(part)]).rename_axis("step").reset_index()
    totals = table["step"].isin(["read", "net_sales", "kept"])
    left = table["amount"].where(totals).ffill()
    taken = table["amount"].mask(totals, 0.0).groupby(totals.cumsum()).cumsum()
    return table.assign(after=left - taken).astype({"rows": int})


def _total(step: str, lines: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"rows": [lines["rows"].sum()], "amount": [lines["amount"].sum()], "example": [None]}, [step])


def read_tables(accounting: pd.DataFrame) -> pd.DataFrame:
    """One row per table given: table, rows read, counted and set_aside."""
    counted = accounting["rows"].where(accounting["reason"] == "kept", 0)
    sums = accounting.assign(counted=counted).groupby("table", sort=False)[["rows", "counted"]].sum().reset_index()
    return sums.assign(set_aside=sums["rows"] - sums["counted"])


def purchase_days(counted: pd.DataFrame, most: int = 8) -> pd.DataFrame:
    """Customers by number of purchase days: active_days (1 to ``most``, the last stands for that many or more), customers, share.

    ``counted``: active_days and customers, in as many rows as it comes.
    """
    counts = counted["customers"].groupby(counted["active_days"].clip(upper=most)).sum()
    table = counts.reindex(range(1, most + 1), fill_value=0).rename_axis("active_days").reset_index()
    return table.assign(share=table["customers"] / max(counts.sum(), 1))


LINE_COLUMNS = ["customer_id", "order_id", "quantity", "product", "category", "cost", "channel", "store", "region"]


def missing_by_day(lines: nw.LazyFrame, columns: list[str]) -> nw.LazyFrame:
    """Per day and column the rows without a value, and ``rows`` in all, of the order lines that count."""
    empty = [nw.when(nw.col(column).is_null()).then(1).otherwise(0).alias(column) for column in columns]
    counted = lines.filter(nw.col("reason").is_in(list(COUNTED))).with_columns(*empty)
    return counted.group_by("day").agg(nw.len().alias("rows"), nw.col(*columns).sum())


def missing_by_month(days: pd.DataFrame) -> pd.DataFrame:
    """`missing_by_day` by calendar month: month, column, rows, missing, missing_share (null under 10 rows)."""
    sums = days.drop(columns="day").groupby(_months(days["day"]).rename("month")).sum()
    long = sums.melt(id_vars="rows", var_name="column", value_name="missing", ignore_index=False).reset_index()
    shares = long["missing"] / long["rows"].where(long["rows"] >= SMALL)
    return long[["month", "column", "rows", "missing"]].assign(missing_share=shares)


def missing_by_column(lines: pd.Series, others: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Cells without a value: table, column, rows, missing, missing_share; columns wholly empty too.

    ``lines``: `missing_by_day` of the order lines, added up; ``others``: the counted rows of the optional tables by name.
    """
    found = [("transactions", name, lines["rows"], lines[name]) for name in lines.index if name != "rows"]
    found += [
        (table, column, len(frame), frame[column].isna().sum()) for table, frame in others.items() for column in frame
    ]
    table = pd.DataFrame(found, columns=["table", "column", "rows", "missing"])
    return table.assign(missing_share=table["missing"] / table["rows"].where(table["rows"] > 0))


def margin_rate(known: pd.Series) -> float | None:
    """Margin as a share of the window's net sales, from the cost of goods; None unless every line of it has its cost.

    ``known``: `totals`.
    """
    if known["uncosted"] > 0 or not known["window_net"] > 0:
        return None
    return float(1 - known["window_cost"] / known["window_net"])
