"""What Spark cannot do here is refused in one line that says what to do; no Java is started for it."""

import socket

import pytest

from tierbook import params, spark_session, storage
from tierbook.engine import open_engine
from tierbook.errors import ParamsError
from tierbook.params import EngineParams

TREE = {"report": {"name": "x"}, "as_of": "2026-10-31"}


def parse(**more):
    return params.parse({**TREE, "source": {"transactions": {"preset": "demo"}}, **more})


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ({"name": "spark", "conf": {"spark.hadoop.fs.s3a.secret.key": "abc"}}, "holds a secret in clear"),
        ({"name": "spark", "conf": {"spark.ssl.keyPassword": "abc"}}, "holds a secret in clear"),
        ({"name": "spark", "conf": {"fs.s3a.endpoint": "x"}}, "engine.conf"),
        ({"name": "spark", "master": "localhost"}, "engine.master"),
        ({"name": "duckdb", "master": "local[2]"}, "write name: spark"),
        ({"conf": {"spark.executor.memory": "4g"}}, "write name: spark"),
    ],
)
def test_params_that_mean_nothing_are_refused(engine, said):
    with pytest.raises(ParamsError, match=said) as refused:
        parse(engine=engine)
    assert "\n" not in str(refused.value) and "abc" not in str(refused.value)


@pytest.mark.parametrize(
    "master", ["local", "local[2]", "local[*]", "local[2, 3]", "spark://a:7077", "yarn", "k8s://https://a:443"]
)
def test_masters_that_spark_knows(master):
    assert parse(engine={"name": "spark", "master": master}).engine.master == master


def test_secrets_come_from_the_environment_and_stay_out_of_the_params(monkeypatch):
    engine = parse(engine={"name": "spark", "conf": {"spark.hadoop.fs.s3a.secret.key": "${KEY}"}}).engine
    with pytest.raises(ParamsError, match=r"engine\.conf: \$\{KEY\} is not set"):
        spark_session.configured(engine)
    monkeypatch.setenv("KEY", "s3cret")
    assert spark_session.configured(engine) == {"spark.hadoop.fs.s3a.secret.key": "s3cret"}
    assert "s3cret" not in repr(engine)


@pytest.mark.parametrize("where", ["PATH", "JAVA_HOME"])
def test_a_machine_without_java_is_told_what_to_install(where, monkeypatch, tmp_path):
    pytest.importorskip("pyspark")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv(where, str(tmp_path))
    with pytest.raises(ParamsError, match="install Java 17"), open_engine(EngineParams(name="spark"), tmp_path):
        pass


def test_pyspark_that_is_not_installed_is_told(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "pyspark", None)
    with (
        pytest.raises(ParamsError, match=r"pip install 'tierbook\[spark\]'"),
        open_engine(EngineParams(name="spark"), tmp_path),
    ):
        pass


def test_a_master_that_does_not_answer_is_told_at_once(monkeypatch, tmp_path):
    pytest.importorskip("pyspark")
    monkeypatch.setattr(spark_session.shutil, "which", lambda *_, **__: "/usr/bin/java")
    with socket.socket() as taken:  # a port that nobody listens on
        taken.bind(("127.0.0.1", 0))
        master = f"spark://127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(ParamsError, match=f"no Spark master answers at {master}"),
            open_engine(EngineParams(name="spark", master=master), tmp_path),
        ):
            pass


def test_what_spark_says_while_at_work_becomes_one_line():
    cluster = EngineParams(name="spark", master="spark://a:7077", conf={"spark.executor.memory": "1g"})
    local = EngineParams(name="spark")
    lost = RuntimeError("ExecutorLostFailure (executor 1 exited …)\nCommand exited with code 1")
    heap = RuntimeError("Job aborted\njava.lang.OutOfMemoryError: Java heap space")
    unseen = RuntimeError("java.io.FileNotFoundException: \nFile file:/home/me/outputs/.work/a.parquet does not exist")
    assert "larger spark.executor.memory, now 1g" in spark_session.told(heap, cluster)
    assert "larger spark.driver.memory" in spark_session.told(heap, local)
    assert "a node of spark://a:7077 does not see file:/home/me/outputs/.work/a.parquet" in spark_session.told(
        unseen, cluster
    )
    assert "ended while it was at work" in spark_session.told(lost, cluster)
    assert spark_session.told(ValueError("a fault of ours"), local) is None


def test_a_path_with_a_scheme_needs_spark():
    tree = parse(source={"transactions": {"path": "s3a://shop/orders/*.parquet"}})
    with pytest.raises(
        ParamsError, match=r"source\.transactions\.path: s3a://shop/orders.* write engine: \{name: spark\}"
    ):
        storage.given(tree)


def test_paths_of_both_kinds_are_refused():
    tree = parse(source={"transactions": {"path": ["s3a://shop/a.csv", "b.csv"]}}, engine={"name": "spark"})
    with pytest.raises(ParamsError, match="not both"):
        storage.given(tree)


def test_a_path_with_a_password_is_refused_and_not_told():
    tree = parse(source={"transactions": {"path": "hdfs://me:pass@name:8020/orders/*.csv"}}, engine={"name": "spark"})
    with pytest.raises(ParamsError, match=r"source\.transactions\.path: .*password in clear") as refused:
        storage.given(tree)
    assert "pass@" not in str(refused.value)
    fine = parse(
        source={"transactions": {"path": "abfs://box@shop.dfs.core.windows.net/a.csv"}}, engine={"name": "spark"}
    )
    assert storage.label(storage.given(fine)["transactions"]) == "abfs://box@shop.dfs.core.windows.net/a.csv"
