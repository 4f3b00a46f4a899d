"""The tables of one month: read once, every row judged, kept under the fingerprint of all they depend on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pandas as pd

from tierbook import accounting, cache, databases, demo, history, masking, records, sources, storage, trial
from tierbook.chunks import Applied
from tierbook.demo import trials
from tierbook.engine import Engine, open_engine, open_reader
from tierbook.params import ROOT, TABLES, Params, is_there

if TYPE_CHECKING:
    from tierbook.spark import SparkEngine

_SHAPED = ("transactions", "trial", "id_map")


class Tables:
    """What the numbers of a month stand on.

    ``rules``: further files that numbers depend on (schemes, scale, action list); they count in the fingerprint.
    """

    def __init__(self, params: Params, work: Path, rules: list[Path]):
        self.params = params
        self.work = work
        self.rules = rules

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs to read what is kept, with DuckDB and without computing a step."""
        here = self.params.engine.model_copy(update={"name": "duckdb"})
        known = {"specs": self.specs, "folder": self.folder, "cache": cache.KeptAlready(self.cache.folder)}
        return {**self.__dict__, **known, "params": self.params.model_copy(update={"engine": here})}

    @cached_property
    def specs(self) -> dict[str, Any]:
        """The source of every table given, presets filled in; the demo's tables are written once and read like any."""
        found = {}
        stored = storage.given(self.params)
        for table in TABLES:
            spec = getattr(self.params.source, table)
            if table in stored:
                spec = spec.model_copy(update={"path": storage.snapshot(spec, table, self._storage, self.engine)})
            elif spec is not None and spec.database:
                lies = databases.snapshot(spec, table, self._databases)
                spec = spec.model_copy(update={"path": [str(lies)], "database": None, "table": None, "query": None})
            elif spec is not None and spec.preset == "demo":
                spec = spec.model_copy(update={"path": [str(self._demo() / f"{table}.csv")]})
            elif spec is not None and self.is_simulated(table):
                spec = spec.model_copy(update={"path": self._simulated(spec.simulated), "member": None})
            if spec is not None:
                found[table] = sources.with_preset(spec)
        return found

    def is_simulated(self, table: str) -> bool:
        """Whether a simulator stands in for a table because no file lies where the params point."""
        spec = getattr(self.params.source, table)
        if spec is None or spec.simulated is None or spec.database:
            return False
        return spec.preset == "demo" or not is_there(spec)

    @property
    def _databases(self) -> Path:
        return self.work / "databases" / self.params.report.name

    @property
    def _storage(self) -> Path:
        return self.work / "storage" / self.params.report.name

    @property
    def elsewhere(self) -> dict[str, str]:
        """What run.json calls each table that lies in a database or in object storage."""
        asked = {table: databases.label(spec) for table, spec in databases.given(self.params).items()}
        return asked | {table: storage.label(spec) for table, spec in storage.given(self.params).items()}

    def refresh(self) -> None:
        """Read the tables that lie elsewhere anew; to be called before anything is computed."""
        if databases.given(self.params):
            databases.refresh(self.params, self._databases)
        if storage.given(self.params):
            storage.refresh(self.params, self._storage, self.engine)

    def _simulated(self, name: str) -> list[str]:
        folder = self._generated(name, lambda target: trials.write(name, target))
        return [str(folder / file) for file in trials.FILES[name]]

    def _demo(self) -> Path:
        return self._generated("tables", demo.write)

    def _generated(self, name: str, write: Callable[[Path], Any]) -> Path:
        return cache.Cache(self.work / f"demo-{cache.code_digest()[:12]}").file(name, write)

    @cached_property
    def inputs(self) -> dict[str, str]:
        """Name (see `named`) → SHA-256 of every file the numbers depend on; a snapshot goes by its table's, and its place
        among several."""
        files, asked = {}, self.elsewhere
        for table, spec in self.specs.items():
            for n, file in enumerate(sources.files_of(spec, table)):
                told = f"{table}, {asked[table]}{f' ({n + 1})' if n else ''}" if table in asked else self.named(file)
                files[told] = file
        named = sorted({spec.preset for spec in self.specs.values()} - {None, "demo"})
        presets = [sources.PRESETS / f"{preset}.yaml" for preset in named]
        files |= {self.named(path): path for path in (*self.rules, *presets)}
        return {name: cache.file_sha256(path, self.work / "sha256") for name, path in files.items()}

    def named(self, file: Path) -> str:
        """The name of an input, the same wherever the project and the outputs lie: its path seen from the project's root,
        a generated file's from the kept steps; of a file that lies in neither, the whole path."""
        home = next((folder for folder in (self.work, ROOT) if file.is_relative_to(folder)), None)
        return file.relative_to(home).as_posix() if home else str(file)

    @cached_property
    def cache(self) -> cache.Cache:
        """The kept steps of exactly these inputs, params, code and versions."""
        mark = masking.mark(self.salt)
        return cache.Cache(self.work / f"step-{cache.fingerprint(self.params, self.inputs, mark)}")

    @property
    def salt(self) -> str | None:
        """What customers' ids are hashed with; None where they are not masked."""
        return masking.salt(self.params, self.work.parent)

    def key(self) -> pd.Series:
        """The real id by its mask, of every id read; for what is written outside the report. Only where ids are masked."""
        return pd.read_parquet(self.folder / "key.parquet").set_index("mask")["customer_id"]

    @contextmanager
    def engine(self) -> Iterator[Engine | SparkEngine]:
        """An open engine of the params' kind; steps open it only when something has to be computed."""
        with open_engine(self.params.engine, self.work / "spill") as engine:
            yield engine

    @contextmanager
    def reader(self) -> Iterator[Engine]:
        """DuckDB, whatever the params name: it reads raw text, and looks up single rows without starting a cluster."""
        with open_reader(self.params.engine, self.work / "spill") as engine:
            yield engine

    @cached_property
    def folder(self) -> Path:
        """Where the read tables lie as Parquet."""
        return self.cache.file("tables", self._read)

    def _read(self, target: Path) -> None:
        """Judged order lines, kept rows of the rest, customers' days, and the accounting, in one read of each file."""
        target.mkdir()
        scratch = target / "scratch"
        with self.reader() as engine:
            masking.arm(engine, salt := self.salt)
            counts = []
            for table, spec in sorted(self.specs.items(), key=lambda item: item[0] != "id_map"):
                raw = sources.read(engine, table, spec, scratch)
                path = target / f"{table}.parquet"
                id_map = target / "id_map.parquet" if "id_map" in self.specs and table != "id_map" else None
                if table == "transactions":
                    counts.insert(0, accounting.judge_transactions(engine, raw, self.params, path, id_map))
                elif table == "trial":
                    counts.append(trial.read(engine, raw, self.params, path))
                else:
                    counts.append(records.judge_table(engine, raw, table, self.params, path, id_map))
            counted = pd.concat(counts, ignore_index=True)
            if salt is not None:
                counted = self._masked(engine, target, counted, salt)
            counted.to_parquet(target / "accounting.parquet", index=False)
        if "transactions" in self.specs:
            with self.engine() as engine:
                days = history.customer_days(engine.scan(target / "transactions.parquet"))
                engine.write(days, target / "days.parquet")
        shutil.rmtree(scratch, ignore_errors=True)

    def _masked(self, engine: Engine, target: Path, counted: pd.DataFrame, salt: str) -> pd.DataFrame:
        """The read tables and their accounting with masks; the key beside them is the one file that knows real ids."""
        key = target / "key.parquet"
        masking.hide(engine, [target / f"{table}.parquet" for table in self.specs], key)
        key.chmod(0o600)
        target.chmod(0o700)
        return masking.examples(engine, counted, key, salt)

    def accounting(self) -> pd.DataFrame:
        """Every row accounted for: table, reason, rows, amount, example."""
        return pd.read_parquet(self.folder / "accounting.parquet")

    def table(
        self, name: str, columns: list[str] | None = None, rows: list[tuple] | None = None
    ) -> pd.DataFrame | None:
        """The counted rows of an optional table; None where it was not given.

        ``columns``: those wanted (default: all); ``rows``: conditions as of `cache.Cache.read_frame`.
        """
        if name not in self.specs:
            return None
        return pd.read_parquet(self.folder / f"{name}.parquet", columns=columns, filters=rows or None)

    def optional(self) -> dict[str, pd.DataFrame]:
        """The counted rows of every optional table that lists people or events."""
        return {name: self.table(name) for name in self.specs if name not in _SHAPED}

    def collect(self, build: Callable[..., Any], *files: str) -> pd.DataFrame:
        """One engine expression over read tables (``transactions``, ``days``), as pandas."""
        with self.engine() as engine:
            return engine.collect(build(engine, *(engine.scan(self.folder / f"{name}.parquet") for name in files)))

    def keep(
        self, step: str, build: Callable[..., Any], *files: str, order: list[str], descending: bool | list[bool] = False
    ) -> None:
        """One engine expression over read tables kept as a step, its rows in order (nulls last); in memory they never
        stand whole.

        DECIMAL sums of money become floating point, as `collect` gives them.
        """

        def write(target: Path) -> None:
            target.mkdir()
            with self.engine() as engine:
                found = build(engine, *(engine.scan(self.folder / f"{name}.parquet") for name in files))
                money = [name for name, kind in found.collect_schema().items() if kind == nw.Decimal]
                found = found.with_columns(nw.col(*money).cast(nw.Float64)) if money else found
                found = found.sort(*order, descending=descending, nulls_last=True)
                engine.write(found, target / cache.FRAME)

        self.cache.file(step, write)

    def write(self, engine: Engine | SparkEngine, step: str, frame: Any) -> None:
        """A lazy frame of an open engine kept as a step."""

        def into(target: Path) -> None:
            target.mkdir()
            engine.write(frame, target / cache.FRAME)

        self.cache.file(step, into)

    def sort(self, step: str, source: str, by: list[str], descending: list[bool]) -> None:
        """The rows of a kept step in another order, kept as a step; nulls last."""
        self.keep(step, lambda engine: self.scan_step(engine, source), order=by, descending=descending)

    def scan_step(self, engine: Engine | SparkEngine, step: str) -> Any:
        """A kept step that is one frame as a lazy frame of an open engine."""
        return engine.scan(self.cache.folder / step / cache.FRAME)

    def apply(self, step: str, source: str, function: Applied, columns: Mapping[str, str]) -> None:
        """A fitted rule applied to the customers of a kept step, chunk by chunk in the engine, and kept as a step."""

        def write(target: Path) -> None:
            target.mkdir()
            with self.engine() as engine:
                made_of = self.cache.folder / source / cache.FRAME
                engine.apply(made_of, target / cache.FRAME, function, columns, ["customer_id"])

        self.cache.file(step, write)

    def look_up(self, build: Callable[[Any], Any], file: str) -> pd.DataFrame:
        """A few rows of one read table, as pandas, always by the reader."""
        with self.reader() as engine:
            return engine.collect(build(engine.scan(self.folder / f"{file}.parquet")))
