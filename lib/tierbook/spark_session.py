"""The one Spark session of a process: started quietly, refused in one line where it cannot be."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import re
import shutil
import socket
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from tierbook.chunks import ROWS
from tierbook.errors import ParamsError
from tierbook.params import EngineParams

_LOCAL = re.compile(r"local(\[(\d+|\*)(,\s*\d+)?\])?")
_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}")
_QUIET = """status = error
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex
logger.sink.name = org.apache.spark.sql.execution.streaming.sinks.FileStreamSink
logger.sink.level = error
"""
_FIXED = {
    "spark.sql.session.timeZone": "UTC",  # times in the data carry no offset; a machine's zone must not move them
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(ROWS),
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.legacy.javaCharsets": "true",  # else a CSV file in GB18030 is refused
}
_RUNNING: dict[tuple, Any] = {}
_DEFAULTS = {
    "spark.app.name": "tierbook",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.maxResultSize": "0",  # what is collected is one row per customer or less: the driver's to hold
}


def session(params: EngineParams, spill_under: Path) -> Any:
    """The Spark session of this process for these params; Java starts once, in some six seconds."""
    _refuse_missing()
    # Frames go in and out as Arrow; the parts of PySpark that build on pandas itself are not used.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    conf = configured(params)
    key = (params.master or "local[*]", tuple(sorted(conf.items())))
    if key not in _RUNNING:
        _RUNNING.clear()  # a process has one session
        spill_under.mkdir(parents=True, exist_ok=True)
        hidden = tuple(name for name, value in params.conf.items() if "${" in value)
        _RUNNING[key] = _started(key, spill_under, hidden)
    return _RUNNING[key]


def _started(key: tuple, spill_under: Path, hidden: tuple[str, ...]) -> Any:
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    master, conf = key[0], dict(key[1])
    _refuse_unreachable(master)
    own = Path(tempfile.mkdtemp(prefix="spill-", dir=spill_under))
    everything = {**_DEFAULTS, **_of_machine(master, own), **conf, **_FIXED, "spark.master": master}
    logging.getLogger("py4j").setLevel(logging.CRITICAL)  # what goes wrong is told in our own line
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    log = spill_under.parent / "spark.log"
    # Java prints a line of its own on every start, and Spark its warnings: they go to the log, not into cron's mail.
    try:
        gateway = SparkContext._gateway or _gateway(everything, hidden, own, log)
        context = SparkContext(conf=SparkConf().setAll(list(everything.items())), gateway=gateway)
    except Exception as error:
        shutil.rmtree(own, ignore_errors=True)
        said = " ".join(str(getattr(error, "java_exception", "") or _first_fault(log) or error).split())[:300]
        for name in hidden:
            said = said.replace(conf[name], "…")
        raise ParamsError(
            f"engine: Spark did not start on {master}: {said}; see {log}, and correct engine.master or engine.conf"
        ) from None
    atexit.register(_ended, context, own)
    return SparkSession(context)


def _ended(context: Any, own: Path) -> None:
    with contextlib.suppress(Exception):  # Java may be gone already
        context.stop()
    shutil.rmtree(own, ignore_errors=True)


def _gateway(conf: dict[str, str], hidden: tuple[str, ...], own: Path, log: Path) -> Any:
    """Java, started with what it must know before it runs; secrets follow later, for a command line is for all to read."""
    from pyspark import SparkConf
    from pyspark.java_gateway import launch_gateway

    settings = own / "log4j2.properties"
    settings.write_text(_QUIET)
    options = (
        f"-Dlog4j2.configurationFile={settings.absolute().as_uri()} {conf.get('spark.driver.extraJavaOptions', '')}"
    )
    early = {name: value for name, value in conf.items() if name not in hidden}
    early["spark.driver.extraJavaOptions"] = options.strip()
    with log.open("wb") as out:
        return launch_gateway(SparkConf().setAll(list(early.items())), {"stdout": out, "stderr": out})


def configured(params: EngineParams) -> dict[str, str]:
    """The params' ``conf`` with its ${NAME} read from the environment; `ParamsError` where one is not set."""

    def value(match: re.Match) -> str:
        found = os.environ.get(match[1], "")
        if not found:
            raise ParamsError(
                f"engine.conf: ${{{match[1]}}} is not set in the environment; set {match[1]} before the run"
            )
        return found

    return {name: _VARIABLE.sub(value, written) for name, written in params.conf.items()}


def secrets(params: EngineParams) -> tuple[str, ...]:
    """What came from the environment, the longest first."""
    found = {value for name, value in configured(params).items() if "${" in params.conf[name]}
    return tuple(sorted(found, key=len, reverse=True))


def _of_machine(master: str, own: Path) -> dict[str, str]:
    """What suits one machine's processors: no more parts than they can work at, and no network but its own."""
    if (found := _LOCAL.fullmatch(master)) is None:
        return {}
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    cores = int(found[2]) if found[2] and found[2] != "*" else (os.cpu_count() or 1 if found[2] else 1)
    return {
        "spark.sql.shuffle.partitions": str(2 * cores),
        "spark.local.dir": str(own),
        "spark.sql.warehouse.dir": f"file://{own}/warehouse",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
    }


def version() -> str:
    """The version of PySpark, which brings Spark; `ParamsError` where it is not installed."""
    try:
        import pyspark
    except ImportError:
        raise ParamsError("engine.name = 'spark': pyspark is not installed; pip install 'tierbook[spark]'") from None
    return pyspark.__version__


def _refuse_missing() -> None:
    version()
    home = os.environ.get("JAVA_HOME")
    if shutil.which("java", path=f"{home}/bin" if home else None) is None:
        place = f"JAVA_HOME={home} holds no bin/java" if home else "there is no java on the PATH"
        raise ParamsError(f"engine.name = 'spark': {place}; install Java 17 (Debian: openjdk-17-jre-headless)")


def _refuse_unreachable(master: str) -> None:
    """Spark itself would try a standalone master for a minute and then say it in forty lines."""
    if not master.startswith("spark://"):
        return
    for place in master.removeprefix("spark://").split(","):
        host, _, port = place.rpartition(":")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), timeout=10):
                return
        except (OSError, ValueError):
            continue
    raise ParamsError(f"engine.master: no Spark master answers at {master}; start it, or correct spark://<host>:<port>")


def _first_fault(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    known = [line for line in lines if re.search(r"error|exception|version|invalid", line, re.IGNORECASE)]
    return (known or [""])[0]


def told(error: Exception, params: EngineParams) -> str | None:
    """One line on what a user can mend; None for anything else."""
    said = str(error)
    where = params.master or "local[*]"
    local = _LOCAL.fullmatch(where) is not None
    if re.search(r"OutOfMemoryError|Java heap space|exit code 137|Container killed|GC overhead", said):
        key = "spark.driver.memory" if local else "spark.executor.memory"
        now = f", now {params.conf[key]}" if key in params.conf else ""
        return f"engine.conf: Spark ran out of memory; write a larger {key}{now}"
    if re.search(r"FileNotFoundException|PATH_NOT_FOUND|FAILED_READ_FILE.FILE_NOT_EXIST", said) and not local:
        file = re.search(r"file:/[^\s'\"]*", said)
        return f"engine.master: a node of {where} does not see {file[0] if file else 'the outputs'}; --outputs must lie on a disk that all nodes share, at the same place"
    if re.search(
        r"Connection refused|Py4JNetworkError|ExecutorLostFailure|SparkContext was shut down",
        f"{type(error).__name__} {said}",
    ):
        return f"engine.master: Spark on {where} ended while it was at work (out of memory, or stopped); see its logs, then run again"
    return None
