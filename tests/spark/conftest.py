"""One real local Spark for all tests of a process."""

import pytest

from tierbook.engine import open_engine, open_reader
from tierbook.params import EngineParams

SPARK = EngineParams(
    name="spark",
    master="local[2]",
    conf={
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto",  # Java starts sooner
        # Frames of ten rows: compiling a query takes longer than running it.
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
    },
)


@pytest.fixture(scope="session")
def spark_params():
    """Where the session of these tests runs."""
    return SPARK


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    """A folder whose name is not harmless, as outputs/.work may lie in one."""
    return tmp_path_factory.mktemp("报告 [1]") / ".work"


@pytest.fixture(scope="session")
def engines(spark_here, work):
    """DuckDB and Spark, open side by side."""
    with open_reader(EngineParams(), work / "spill") as duckdb, open_engine(SPARK, work / "spill") as spark:
        yield {"duckdb": duckdb, "spark": spark}
