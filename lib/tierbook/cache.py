"""Steps computed once: results kept on disk under the fingerprint of everything they depend on."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pandas as pd

from tierbook import spark_session
from tierbook.errors import ParamsError
from tierbook.params import Params

if TYPE_CHECKING:
    import pyarrow as pa

LIBRARY = Path(__file__).resolve().parent
PACKAGES = ("pandas", "numpy", "scipy", "scikit-learn", "duckdb", "narwhals")
KEPT_FOLDERS = 8
FRAME = "frame_.parquet"
"""The file of a step that is one frame, or the folder of its parts."""
_SHOWN_ONLY = {"title", "languages", "notebooks", "mask_customer_ids", "calendar"}


def file_sha256(path: Path, memo: Path) -> str:
    """SHA-256 of a file's bytes; remembered under the file's size, inode and time of change, so that it is read once."""
    facts = path.stat()
    key = hashlib.sha256(f"{path}|{facts.st_size}|{facts.st_ino}|{facts.st_mtime_ns}".encode()).hexdigest()
    kept = memo / key
    if not kept.exists():
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        memo.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=memo, delete=False) as out:
            out.write(digest)
        os.replace(out.name, kept)
    return kept.read_text()


def code_digest() -> str:
    """SHA-256 over the library's own source, so that an edited library computes anew."""
    digest = hashlib.sha256()
    for path in sorted(p for p in LIBRARY.rglob("*") if p.suffix in {".py", ".yaml"}):
        digest.update(path.relative_to(LIBRARY).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def package_versions(engine: str = "duckdb") -> dict[str, str]:
    """Versions of the packages that numbers depend on; Spark's where it is the engine."""
    of_spark = {"pyspark": spark_session.version()} if engine == "spark" else {}
    return {name: version(name) for name in PACKAGES} | of_spark


def fingerprint(params: Params, inputs: dict[str, str], salted: str | None = None) -> str:
    """One name for everything a number depends on: params (less what only shows), input bytes, code, versions.

    ``inputs``: path → SHA-256 of every file read, schemes, scales and action lists included. ``salted``: what marks the
    salt where ids are masked (`masking.mark`).
    """
    tree = params.model_dump(mode="json")
    tree["report"] = {key: value for key, value in tree["report"].items() if key not in _SHOWN_ONLY}
    tree["engine"] = params.engine.name  # where it runs and with how much memory changes no number
    everything = [tree, inputs, code_digest(), package_versions(params.engine.name), *([salted] if salted else [])]
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:24]


class Cache:
    """A folder of finished steps. A result is a frame, or a mapping of names to frames and plain JSON values."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)  # its age decides which folders are swept

    def lacks(self, name: str) -> bool:
        """Whether a step is not kept yet."""
        return not (self.folder / name).exists()

    def step(self, name: str, compute: Callable[[], Any]) -> Any:
        """The kept result of a step, or the computed one, kept for the next caller."""
        self.keep(name, compute)
        return _load(self.folder / name)

    def keep(self, name: str, compute: Callable[[], Any]) -> None:
        """Keep the result of a step that is not there yet."""
        if self.lacks(name):
            result = compute()
            self.put(name, lambda target: _save(result, target))

    def keep_written(self, name: str, write: Callable[[Path], int]) -> None:
        """Keep one frame whose parts ``write`` puts into a folder (`save_part`), numbered from 0 in the order of rows; it
        says how many there are."""

        def made(target: Path) -> None:
            (folder := target / FRAME).mkdir(parents=True)
            _alike(folder, write(folder))

        self.file(name, made)

    def read_frame(self, name: str, columns: list[str] | None = None, rows: list[tuple] | None = None) -> pd.DataFrame:
        """Some columns (default: all) and rows of a kept step that is one frame.

        ``rows``: conditions that all hold, each (column, sign, value), such as ``("customer_id", "<", "K100")``.
        """
        return pd.read_parquet(self.folder / name / FRAME, columns=columns, filters=rows or None)

    def rows(self, name: str) -> int:
        """How many rows a kept step that is one frame has, told without reading them."""
        import pyarrow.dataset as ds

        return ds.dataset(self.folder / name / FRAME, format="parquet").count_rows()

    def batches(self, name: str, rows: int) -> Iterator[pd.DataFrame]:
        """The rows of a kept step that is one frame, at most so many at a time; one empty frame where there are none."""
        empty = True
        for batch in self.arrow_batches(name, rows):
            empty = False
            yield batch.to_pandas()
        if empty:
            yield self.read_frame(name)

    def every(self, name: str, column: str, rows: int) -> list:
        """The values of a column of a kept frame at the rows ``rows``, 2 × ``rows`` … (the first row is row 0)."""
        found, start = [], 0
        for batch in self.arrow_batches(name, rows, [column]):
            places = range(-start % rows, batch.num_rows, rows)
            found += batch[0].take(list(places)).to_pylist() if places else []
            start += batch.num_rows
        return found[1:]

    def arrow_batches(self, name: str, rows: int, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows of a kept step that is one frame, at most so many at a time; nothing where there are none.

        ``columns``: those wanted (default: all).
        """
        from pyarrow.parquet import ParquetFile

        kept = self.folder / name / FRAME
        # not by a dataset, whose scan reads ahead: of two million books 900 MB, this way 300
        for file in sorted(kept.glob("*.parquet")) if kept.is_dir() else [kept]:
            with ParquetFile(file) as found:
                yield from (batch for batch in found.iter_batches(rows, columns=columns) if batch.num_rows)

    def file(self, name: str, write: Callable[[Path], Any]) -> Path:
        """The path of a kept file that ``write`` makes once."""
        if self.lacks(name):
            self.put(name, write)
        return self.folder / name

    def put(self, name: str, write: Callable[[Path], Any]) -> None:
        """Write beside the place, then move: readers see nothing or the whole; the first of two writers wins."""
        scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=self.folder))
        try:
            write(scratch / "it")
            if not (self.folder / name).exists():
                os.rename(scratch / "it", self.folder / name)
        except OSError:
            if not (self.folder / name).exists():
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


class NotKept(Exception):
    """A step that is asked for where nothing may be computed."""


class KeptAlready(Cache):
    """The steps of a `Cache` as they stand: one that is not there is not computed, `NotKept`."""

    def __init__(self, folder: Path):
        self.folder = folder

    def lacks(self, name: str) -> bool:
        """Never true; `NotKept` where the step is not there."""
        if super().lacks(name):
            raise NotKept(name)
        return False


def sweep(work: Path) -> None:
    """Keep the eight fingerprints used last; the rest can be computed again."""
    folders = sorted((p for p in work.glob("step-*") if p.is_dir()), key=_age, reverse=True)
    for folder in folders[KEPT_FOLDERS:]:
        shutil.rmtree(folder, ignore_errors=True)


def _age(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:  # another run has just swept it
        return 0.0


def _save(result: Any, target: Path) -> None:
    target.mkdir()
    frames = (
        {"": result}
        if isinstance(result, pd.DataFrame)
        else {k: v for k, v in result.items() if isinstance(v, pd.DataFrame)}
    )
    for name, frame in frames.items():
        frame.to_parquet(target / f"frame_{name}.parquet", index=False)
    if not isinstance(result, pd.DataFrame):
        plain = {k: v for k, v in result.items() if k not in frames}
        (target / "values.json").write_text(json.dumps(plain, default=_plain))


def save_part(part: pd.DataFrame, folder: Path, number: int) -> None:
    """Write one part of a frame that is kept in parts into their folder; a second writer of it disturbs nobody."""
    unfinished = folder / f".part-{uuid4().hex}"
    part.to_parquet(unfinished, index=False)
    unfinished.replace(_part(folder, number))


def _part(folder: Path, number: int) -> Path:
    return folder / f"part-{number:05}.parquet"


def _alike(folder: Path, parts: int) -> None:
    """Give a column that has another type in some part one that holds both; a single part stands for the folder."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    files = [_part(folder, number) for number in range(parts)]
    missing = [file.name for file in files if not file.exists()]
    if missing:
        raise ParamsError(
            f"{folder.parents[2]}: {len(missing)} of {parts} parts that were written are not there, such as {missing[0]}; "
            "--outputs must lie on a disk that all nodes share, at the same place"
        )
    schemas = [parquet.read_schema(file) for file in files]
    schema = _typed(pa.unify_schemas(schemas, promote_options="permissive"))
    for file, own in zip(files, schemas, strict=True):
        if own != schema:
            parquet.write_table(parquet.read_table(file).cast(schema), file)
    if len(files) == 1:
        single = files[0].rename(folder.with_suffix(".single"))
        folder.rmdir()
        single.rename(folder)


def _typed(schema: pa.Schema) -> pa.Schema:
    """A column without a value in any part has no type of its own, which an engine must know: those of customers are text."""
    import pyarrow as pa

    fields = [field.with_type(pa.string()) if pa.types.is_null(field.type) else field for field in schema]
    return pa.schema(fields, schema.metadata)


def _plain(value: Any) -> Any:
    """What JSON does not know: numpy's numbers stay numbers, dates become ISO text, anything else is a mistake."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"a step cannot keep a {type(value).__name__}")


def _load(folder: Path) -> Any:
    frames = {p.stem.removeprefix("frame_"): pd.read_parquet(p) for p in sorted(folder.glob("frame_*.parquet"))}
    values = folder / "values.json"
    return {**frames, **json.loads(values.read_text())} if values.exists() else frames[""]
