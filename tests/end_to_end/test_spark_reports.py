"""Whole reports on a real local Spark: every table equals DuckDB's, labels exactly, numbers to 1e-9."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tierbook import masking, params
from tierbook.report import handoffs
from tierbook.workbook import Workbook

ROOT = Path(__file__).resolve().parents[2]
ENGINE = {
    "name": "spark",
    "master": "local[2]",
    "conf": {
        "spark.driver.memory": "2g",
        # On tables of this size compiling a query takes longer than running it.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
    },
}

pytestmark = pytest.mark.long


def same(on_spark, on_duckdb):
    """Every table, row by row in its order."""
    assert set(on_spark) == set(on_duckdb)
    for name, wanted in on_duckdb.items():
        pd.testing.assert_frame_equal(
            on_spark[name], wanted, check_dtype=False, rtol=1e-9, atol=1e-9, obj=f"table {name}"
        )


def read(folder):
    return {path.stem: pd.read_csv(path) for path in folder.glob("*.csv")}


@pytest.fixture
def counted_java(spark_here, tmp_path):
    """A JAVA_HOME whose java notes down every start of a session before it is Java."""
    java = shutil.which("java", path=f"{os.environ['JAVA_HOME']}/bin" if os.environ.get("JAVA_HOME") else None)
    home, starts = tmp_path / "java", tmp_path / "starts"
    (home / "bin").mkdir(parents=True)
    starts.touch()
    (home / "bin" / "java").write_text(
        f'#!/bin/sh\ncase "$*" in *launcher.Main*) ;; *) echo started >> "{starts}" ;; esac\nexec "{java}" "$@"\n'
    )
    (home / "bin" / "java").chmod(0o755)
    return {"JAVA_HOME": str(home)}, starts


def test_the_demo_report_is_the_same_and_starts_java_once(demo_month, counted_java, tmp_path):
    environment, starts = counted_java
    tree = params.read_yaml(ROOT / "params" / "demo.yaml")
    tree["report"] |= {"languages": ["en"], "notebooks": ["03_estimate_value", "05_find_needs"], "uploads": []}
    path = tmp_path / "demo.yaml"
    path.write_text(yaml.safe_dump({**tree, "engine": ENGINE}, allow_unicode=True))
    call = [sys.executable, "-m", "tierbook.cli", "run", str(path), "--outputs", str(tmp_path / "out"), "--jobs", "1"]
    done = subprocess.run(call, capture_output=True, text=True, cwd="/", env={**os.environ, **environment}, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    assert starts.read_text().splitlines() == ["started"], "the runner's own session is the only one"
    assert all(" demo 2026-10-31 " in line for line in done.stderr.splitlines()), "Java writes to its log, not to cron"
    handoffs.write_tables(demo_month, tmp_path / "wanted")
    same(read(tmp_path / "out" / "demo" / "2026-10-31" / "tables"), read(tmp_path / "wanted"))
    assert not list((tmp_path / "out" / ".work" / "spill").iterdir())


OF_PARTS = (
    "voice",
    "behaviour",
    "birthdays",
    "churn_reasons",
    "attributes",
    "checklist",
    "planned",
    "slices",
    "sensitivity",
)


def test_the_demo_with_masked_ids_in_parts_is_the_same(spark_here, tmp_path, monkeypatch):
    """Every optional table, read by executors a part at a time; nobody but the outputs folder knows a real id."""
    monkeypatch.setenv(masking.ENVIRONMENT, "a salt that nobody guesses")
    monkeypatch.setattr("tierbook.workbook.parts.EXECUTOR_PART", 1_500)
    tree = params.read_yaml(ROOT / "params" / "demo.yaml")
    tree["report"] |= {"mask_customer_ids": True}
    found = [
        Workbook(params.parse({**tree, **engine}), tmp_path / name)
        for name, engine in (("spark", {"engine": ENGINE}), ("duckdb", {}))
    ]
    assert len(list(found[0].parts())) == 4 and len(list(found[1].parts())) == 1
    same(*({step: getattr(month, step)() for step in OF_PARTS} for month in found))
    assert found[0].planned()["customer_id"].str.startswith("K-").all()


@pytest.mark.real_data
def test_online_retail_is_the_same(spark_here, shared_data, tmp_path, monkeypatch):
    """On Spark in four parts, of which the executors work at three."""
    monkeypatch.setattr("tierbook.workbook.parts.EXECUTOR_PART", 1_500)
    tree = params.read_yaml(ROOT / "params" / "online_retail.yaml")
    tree["source"]["transactions"]["path"] = str(shared_data("online_retail_ii/online_retail_ii_union.parquet"))
    found = [
        told(Workbook(params.parse({**tree, **engine}), tmp_path / name))
        for name, engine in (("spark", {"engine": ENGINE}), ("duckdb", {}))
    ]
    same(*found)
    assert len(found[0]["book"]) > 5_000


def told(month):
    """The book, and what does not stand in it; the pairs of 5,000 products take minutes, and the demo's are compared."""
    steps = (
        "accounting",
        "book",
        "movement",
        "scorecard",
        "cohorts",
        "revenue_bridge",
        "outliers",
        "slices",
        "compared",
    )
    steps += (
        "row_counts",
        "planned_counts",
        "upgrade_candidates",
        "counts",
        "comeback",
        "segment_cells",
        "price_bands",
    )
    tables = {step: getattr(month, step)() for step in steps}
    return {**tables, "outliers": tables["outliers"]["summary"]}
