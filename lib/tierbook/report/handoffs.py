"""Hand-offs: the tables folder and the Excel workbook that leave the report."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tierbook.show.words import Words
from tierbook.workbook import Workbook

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
MOST_ROWS = 100_000
TERMS = {
    "tier": "tier",
    "previous_tier": "tier",
    "next_tier": "tier",
    "segment": "segment",
    "stage": "stage",
    "trend": "trend",
    "tier_change": "tier_change",
    "change_cause": "change_cause",
}


def harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """Text that a spreadsheet would take for a formula gets an apostrophe in front; numbers stay numbers."""
    out = frame.copy()
    for column in out.columns:
        if pd.api.types.is_object_dtype(out[column]) or pd.api.types.is_string_dtype(out[column]):
            text = out[column].astype("str").where(out[column].notna(), "")
            risky = text.str.startswith(DANGEROUS).to_numpy(dtype=bool)
            if risky.any():
                out[column] = out[column].astype(object).mask(risky, "'" + text)
    return out


def tables(month: Workbook) -> dict[str, pd.DataFrame]:
    """Every table of the report by file name without its ending (DESIGN §6)."""
    found = {"row_accounting": month.accounting(), **(_of_orders(month) if month.on_orders else {})}
    if month.has("leads"):
        found["leads"] = month.leads()
    if month.campaigns():
        found["campaign_effects"] = month.campaigns()["effects"]
        found |= {f"campaign_{name}": frame for name, frame in month.campaign_review().items()}
        found |= {f"targeting_{name}": frame for name, frame in month.whom_next().items()}
    return found


def _of_orders(month: Workbook) -> dict[str, pd.DataFrame]:
    """The tables that stand on orders."""
    return {
        "customers": month.book(),
        "tiers": month.tiers(),
        "segments": month.segments(),
        "stages": month.stages(),
        "clusters": month.clusters(),
        "scale_drift": month.drift(),
        "sensitivity": month.sensitivity(),
        "value_customers": month.checklist(),
        "stage_transitions": month.stage_transitions(),
        "slices": month.slices(),
        "cluster_profile": month.cluster_path()["profile"],
        "movement": month.movement(),
        "movement_12m": month.over_year()["moves"],
        "upgrade_candidates": month.upgrade_candidates(),
        "protected": month.protected(),
        "overrides": month.overridden(),
        "restated": month.restated(),
        "alerts": month.call_list()["alerts"],
        "alerts_left_out": month.call_list()["left_out"],
        "alert_backtest": month.alert_backtest()["backtest"],
        "clv_model": month.value()["model"],
        "clv_backtest": month.value()["backtest"],
        "clv_naive": month.value()["naive"],
        "clv_choice": month.value()["choice"],
        "clv_past": month.fared_since(),
        "cohorts": month.cohorts(),
        "action_list": month.action_list(),
        "action_sizes": month.action_sizes(),
        "ledger": month.loop()["ledger"],
        "earned": month.loop()["earned"],
        "scorecard": month.scorecard(),
        "months": month.months(),
        "gates": month.gates(),
    }


def write_tables(month: Workbook, folder: Path) -> None:
    """Write the tables as CSV (UTF-8, for tools), the book as Parquet too, and the scale as YAML."""
    folder.mkdir(parents=True)
    for name, frame in tables(month).items():
        harmless(frame).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    if month.on_orders:
        month.book().to_parquet(folder / "customers.parquet", index=False)
        (folder / "scale.yaml").write_text(month.scale.to_yaml(), encoding="utf-8")


def write_excel(month: Workbook, path: Path) -> None:
    """The Excel workbook in the report's first language: tiers and customers, real dates and numbers, headers frozen.

    Beyond 100,000 customers the sheet carries those of the highest monetary value; tables/customers.csv has them all.
    """
    words = month.words(month.params.report.languages[0])
    ordered = month.book().sort_values(["monetary", "customer_id"], ascending=[False, True], na_position="last")
    sheets = {words.text("Tiers"): month.tiers(), words.text("Customers"): ordered.head(MOST_ROWS)}
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
    writer = pd.ExcelWriter(path, engine="xlsxwriter", date_format="yyyy-mm-dd", engine_kwargs={"options": options})
    with writer as excel:
        # The same month gives the same file, so the date of creation is the month's.
        excel.book.set_properties({"created": pd.Timestamp(month.as_of).to_pydatetime()})
        for title, frame in sheets.items():
            shown = _in_words(frame, words)
            shown.to_excel(excel, sheet_name=title, index=False, freeze_panes=(1, 1))
            excel.sheets[title].set_column(0, len(shown.columns) - 1, 14)
            excel.sheets[title].autofilter(0, 0, len(shown), len(shown.columns) - 1)


def _in_words(frame: pd.DataFrame, words: Words) -> pd.DataFrame:
    """Codes and column names as the reader's language has them."""
    shown = frame.copy()
    for column in shown.columns:
        group = "tier" if column == "name" else TERMS.get(column)
        if group:
            codes = [code for code in shown[column].unique() if isinstance(code, str)]
            shown[column] = shown[column].map({code: words.term(group, code) for code in codes})
    return shown.rename(columns=lambda column: words.term("column", column))
